"""Counts by key that add up across blocks, however many keys there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]


class Tally:
    """Keys with their counts in sorted chunks, made one again whenever the later ones outweigh the first."""

    def __init__(self, *chunks: tuple[Keys, Keys]) -> None:
        self.chunks = chunks

    @classmethod
    def of(cls, keys: Keys) -> Tally:
        """How often each key is there."""
        return cls(_runs(keys.astype(np.int64), np.ones(len(keys), dtype=np.int64)))

    def __add__(self, other: Tally) -> Tally:
        both = Tally(*self.chunks, *other.chunks)
        first, *later = (len(keys) for keys, _ in both.chunks)
        return both if sum(later) < first else Tally(both.counted())

    def counted(self) -> tuple[Keys, Keys]:
        """The distinct keys in order, and their counts."""
        keys, counts = (np.concatenate(parts) for parts in zip(*self.chunks, strict=True))
        return _runs(keys, counts)


def _runs(keys: Keys, counts: Keys) -> tuple[Keys, Keys]:
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    new = np.ones(len(keys), dtype=bool)
    new[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(new)
    return keys[starts], np.add.reduceat(counts, starts) if len(keys) else counts
