"""Sums of products of answers, kept in cells so that a bootstrap draws on cells and not on people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Numbers
from wayfare.stats.resampling import bootstrap_counts

# Below this the smallest eigenvalue of a correlation matrix says that a column is a sum of others.
SINGULAR = 1e-9

_BATCH_CELLS = 8_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What a regression needs to know of the answers, and what its bootstrap may redraw.

    Attributes:
        cells: Sums of products of (1, drivers..., outcome) over one cell's rows, centred; (cells, p, p).
        counts: How many such cells there are of each; rows of equal answers are one cell.
        centre: The means that were taken off, drivers then outcome.
        n: How many rows were used.
        left_out: How many were not, because an answer was missing.
    """

    cells: Floats
    counts: npt.NDArray[np.int64]
    centre: Floats
    n: int
    left_out: int

    @property
    def drivers(self) -> int:
        """How many drivers there are."""
        return self.cells.shape[-1] - 2

    def total(self) -> Floats:
        """The sums over all rows, (1, p, p)."""
        return np.tensordot(self.counts.astype(float), self.cells, axes=(0, 0))[None]

    def redrawn(self, draws: int, seed: int) -> Floats:
        """The sums of `draws` bootstrap samples, (draws, p, p).

        Raises:
            InvalidParameter: `draws` is below 1.
        """
        flat = self.cells.reshape(len(self.cells), -1)
        size = max(1, _BATCH_CELLS // max(len(self.cells), 1))
        sizes = [min(size, draws - begin) for begin in range(0, max(draws, 1), size)]
        seeds = np.random.SeedSequence(seed).generate_state(len(sizes))
        parts = [
            bootstrap_counts(self.counts, count, int(key)).astype(float) @ flat
            for count, key in zip(sizes, seeds, strict=True)
        ]
        return np.concatenate(parts).reshape(-1, *self.cells.shape[1:])


def moments_of(
    drivers: Numbers,
    outcome: Numbers,
    counts: npt.ArrayLike | None = None,
    *,
    max_cells: int = 2_000,
    seed: int = 0,
) -> Moments:
    """The sums of a table of answers, in at most `max_cells` cells.

    Up to that many rows, each is a cell of its own and the bootstrap is the usual one. Beyond, rows are dealt
    out at random to `max_cells` blocks of equal size, and blocks are redrawn: a mean over n / m random blocks
    of m rows varies as one over n rows does, so that a million answers cost what two thousand do.

    Args:
        drivers: One row a customer, one column a driver; NaN where an answer is missing.
        outcome: What they may drive, one value a row.
        counts: How many customers gave exactly this row; 1 each where not given.
        max_cells: How many cells there are at most.
        seed: Of the dealing out.

    Raises:
        InvalidParameter: the shapes don't fit, or a count is negative or no whole number.
    """
    x, y = np.asarray(drivers, dtype=float), np.asarray(outcome, dtype=float)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise InvalidParameter(
            f"Drivers of shape {x.shape} and an outcome of shape {y.shape} don't fit together.",
            where="drivers, outcome",
            hint="Give one row a customer in both, and one column a driver.",
        )
    times = whole_counts(counts, len(y))
    rows = np.column_stack([x, y])
    known = ~np.isnan(rows).any(axis=1)
    left_out, rows, times = int(times[~known].sum()), rows[known], times[known]
    n = int(times.sum())
    centre = times @ rows / n if n else np.zeros(rows.shape[1])
    table = np.column_stack([np.ones(len(rows)), rows - centre])
    if len(table) <= max_cells:
        return Moments(table[:, :, None] * table[:, None, :], times, centre, n, left_out)
    dealt = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(table)), times))
    edges = np.linspace(0, n, max_cells + 1).astype(np.int64)
    cells = np.empty((max_cells, table.shape[1], table.shape[1]))
    for block, (begin, end) in enumerate(pairwise(edges)):
        part = table[dealt[begin:end]]
        cells[block] = part.T @ part
    return Moments(cells, np.ones(max_cells, dtype=np.int64), centre, n, left_out)


def correlations(sums: Floats) -> Floats:
    """Correlation matrices of drivers and outcome, outcome last; NaN rows where a column doesn't vary.

    Takes sums (..., p, p) of centred products with 1 first, as in `Moments`.
    """
    covariance = _centred(sums)
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    raw = np.diagonal(sums, axis1=-2, axis2=-1)[..., 1:]
    spread = np.sqrt(np.where(variance > 1e-12 * np.maximum(raw, 1e-300), variance, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        return covariance / (spread[..., :, None] * spread[..., None, :])


def means(moments: Moments, sums: Floats) -> Floats:
    """The means of drivers and outcome in each of the sums, in their own unit; (..., p − 1)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return moments.centre + sums[..., 0, 1:] / sums[..., :1, 0]


def slopes(sums: Floats) -> Floats:
    """Least-squares coefficients of the drivers, (..., drivers); NaN where they can't be told apart."""
    correlation, covariance = correlations(sums), _centred(sums)
    usable = solvable(correlation)[..., None, None]
    size = correlation.shape[-1] - 1
    drivers = np.where(usable, correlation[..., :-1, :-1], np.eye(size))
    with_outcome = np.where(usable[..., 0], correlation[..., :-1, -1], 0.0)
    beta = np.linalg.solve(drivers, with_outcome[..., None])[..., 0]
    spread = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(usable[..., 0], beta * spread[..., -1:] / spread[..., :-1], np.nan)


def solvable(correlation: Floats) -> npt.NDArray[np.bool_]:
    """Whether the drivers and the outcome vary and no driver is a sum of others; (...)."""
    known = np.asarray(np.isfinite(correlation).all(axis=(-2, -1)))
    drivers = correlation[..., :-1, :-1]
    smallest = np.linalg.eigvalsh(np.where(known[..., None, None], drivers, np.eye(drivers.shape[-1])))[
        ..., 0
    ]
    return known & (smallest > SINGULAR)


def check_identified(
    correlation: Floats, n: float, names: Sequence[str] | None = None, *, parameters: int | None = None
) -> None:
    """Say in words why drivers can't be told apart.

    Raises:
        InvalidParameter: too few rows, a driver or the outcome that doesn't vary, or drivers that are sums of
            others; which ones.
    """
    size = correlation.shape[-1] - 1
    labels = [f"driver {index}" for index in range(size)] if names is None else list(names)
    if len(labels) != size:
        raise InvalidParameter(f"{len(labels)} names don't fit {size} drivers.", where="names")
    if n <= (parameters or size) + 1:
        raise InvalidParameter(
            f"{n:g} answers can't tell {size} drivers apart.",
            where="drivers",
            hint=f"Ask for more answers (at least {10 * size}), or for fewer drivers.",
        )
    flat = np.asarray(np.isnan(correlation).all(axis=1))
    if flat[-1]:
        raise InvalidParameter(
            "Every customer gave the same overall answer: nothing can drive it.", where="outcome"
        )
    if flat.any():
        equal = ", ".join(label for label, is_flat in zip(labels, flat, strict=False) if is_flat)
        raise InvalidParameter(
            f"Every customer gave the same answer to {equal}.", where="drivers", hint="Leave it out."
        )
    values, vectors = np.linalg.eigh(correlation[:-1, :-1])
    if values[0] <= SINGULAR:
        involved = np.abs(vectors[:, 0]) > 1e-6 * np.abs(vectors[:, 0]).max()
        same = ", ".join(label for label, is_in in zip(labels, involved, strict=True) if is_in)
        raise InvalidParameter(
            f"These drivers say the same thing: each of {same} follows exactly from the others.",
            where="drivers",
            hint="Leave one of them out, or join them.",
        )


def _centred(sums: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        first = sums[..., 0, 1:]
        return sums[..., 1:, 1:] - first[..., :, None] * first[..., None, :] / sums[..., :1, :1]


def whole_counts(counts: npt.ArrayLike | None, rows: int) -> npt.NDArray[np.int64]:
    """How many customers each row stands for: 1 each where not given.

    Raises:
        InvalidParameter: not one whole number a row.
    """
    if counts is None:
        return np.ones(rows, dtype=np.int64)
    given = np.asarray(counts, dtype=float)
    if given.shape != (rows,) or not ((given >= 0) & (given == np.floor(given))).all():
        raise InvalidParameter(
            "Counts are not one whole number a row.",
            where="counts",
            hint="Give how many customers gave exactly this row.",
        )
    return given.astype(np.int64)
