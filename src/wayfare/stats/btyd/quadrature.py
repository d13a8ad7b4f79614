"""Expectations over a beta distribution, and integrals of a falling power, to full accuracy."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, roots_legendre

from wayfare.stats.btyd.summary import groups
from wayfare.stats.btyd.threads import in_threads, one_thread

Floats = npt.NDArray[np.float64]

NODES = 32
_BLOCK = 4096


def beta_nodes(a: Any, b: Any, count: int = NODES) -> tuple[Floats, Floats]:
    """Nodes in (0, 1) and weights that add up to 1, for expectations over Beta(a, b): a row for each a and b.

    Computed once for each distinct pair; the last few tables are kept.
    """
    first, second = np.broadcast_arrays(np.atleast_1d(a).astype(float), np.atleast_1d(b).astype(float))
    one, place = groups(first, second)
    nodes, weights = _jacobi(np.column_stack((first[one], second[one])).tobytes(), count)
    return nodes[place], weights[place]


@lru_cache(maxsize=32)
def _jacobi(pairs: bytes, count: int) -> tuple[Floats, Floats]:
    """Gauss–Jacobi by the eigenvalues of the recurrence (Golub & Welsch 1969, Math. Comp. 23).

    It is shifted to (0, 1) so that no coefficient cancels where a or b is very large or near 0.
    """
    a, b = np.frombuffer(pairs).reshape(-1, 2).T[:, :, None]
    c = a + b
    k = np.arange(1, count, dtype=float)
    n = 2 * k + c
    middle = np.concatenate((a / c, (2 * k * (k + c - 1) + (c - 2) * a) / (n * (n - 2))), axis=1)
    k, n = k[1:], n[:, 1:]
    further = k * (k + a - 1) * (k + b - 1) * (k + c - 2) / ((n - 2) ** 2 * (n - 1) * (n - 3))
    beside = np.sqrt(np.concatenate((a * b / (c * c * (c + 1)), further), axis=1))
    matrix = np.zeros((a.shape[0], count, count))
    place = np.arange(count)
    matrix[:, place, place] = middle
    matrix[:, place[1:], place[:-1]] = beside
    with one_thread():
        values, vectors = np.linalg.eigh(matrix)
    return np.clip(values, 0.0, 1.0), vectors[:, 0, :] ** 2


@lru_cache(maxsize=16)
def legendre_nodes(count: int) -> tuple[Floats, Floats]:
    """Gauss–Legendre nodes and weights on (0, 1)."""
    nodes, weights = roots_legendre(count)
    return (nodes + 1) / 2, weights / 2


def log_rising(start: Any, count: Any) -> Any:
    """ln Γ(start + count) − ln Γ(start), without cancellation where `start` is very large."""
    start, count = np.asarray(start, dtype=float), np.asarray(count, dtype=float)
    large = np.maximum(start, 1e4)
    end = large + count
    # Stirling's series of both, subtracted term by term.
    stirling = (large - 0.5) * np.log1p(count / large) + count * (np.log(end) - 1)
    stirling = stirling + (1 / end - 1 / large) / 12 - (1 / end**3 - 1 / large**3) / 360
    return np.where(start > 1e4, stirling, gammaln(start + count) - gammaln(start))


def in_blocks(function: Callable[..., Any], *values: Any) -> Any:
    """`function` on blocks of rows that fit the processor's cache, in some threads; the results joined."""
    arrays = np.broadcast_arrays(*values)
    size = arrays[0].size
    if size <= _BLOCK:
        return function(*arrays)

    def part(start: int, end: int) -> Any:
        ends = range(start, end, _BLOCK)
        return [function(*(array[at : min(at + _BLOCK, end)] for array in arrays)) for at in ends]

    return _joined([found for parts in in_threads(part, size) for found in parts])


def _joined(parts: list[Any]) -> Any:
    if isinstance(parts[0], tuple):
        return tuple(_joined([part[place] for part in parts]) for place in range(len(parts[0])))
    return np.concatenate(parts)
