"""Counts by key that add up across blocks, however many keys there are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


class Tally:
    """Keys with their counts in sorted chunks, made one again whenever the later ones outweigh the first."""

    def __init__(self, *chunks: tuple[NDArray[Any], Counts]) -> None:
        self.chunks = chunks

    @classmethod
    def of(cls, keys: NDArray[Any]) -> Tally:
        """How often each key is there."""
        ordered = np.sort(keys)
        starts = _starts(ordered)
        return cls((ordered[starts], np.diff(starts, append=len(ordered))))

    def __add__(self, other: Tally) -> Tally:
        both = Tally(*self.chunks, *other.chunks)
        first, *later = (len(keys) for keys, _ in both.chunks)
        return both if sum(later) < first else Tally(both.counted())

    def counted(self) -> tuple[NDArray[Any], Counts]:
        """The distinct keys in order, and their counts."""
        keys, counts = (np.concatenate(parts) for parts in zip(*self.chunks, strict=True))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = _starts(keys)
        return keys[starts], np.add.reduceat(counts[order], starts) if len(keys) else counts


def _starts(ordered: NDArray[Any]) -> NDArray[np.int64]:
    """Where each run of equal values begins."""
    new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return np.flatnonzero(new)
