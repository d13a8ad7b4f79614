"""What moves overall satisfaction, and what deserves attention first? Relative weights, LMG, quadrants.

Ratings of touchpoints hang together, so a regression's coefficients jump about. Two decompositions of R²
share it out all the same: Johnson's relative weights (Johnson 2000, Multivariate Behavioral Research 35) and
LMG, the mean over all orders of entering the drivers (Lindeman, Merenda & Gold 1980; Grömping 2007, The American
Statistician 61), which is the Shapley value of R². Both are observational: shares of what goes together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Interval, Numbers
from wayfare.stats.moments import Moments, check_identified, correlations, means, solvable
from wayfare.stats.resampling import percentile_interval

EXACT_UP_TO = 12
"""Up to how many drivers LMG takes all subsets: 2**12 of them, in every bootstrap draw."""

QUADRANTS = ("concentrate here", "keep up the good work", "low priority", "possible overkill")
"""Importance high and performance low; both high; both low; performance alone high (Martilla & James 1977)."""

_BATCH_CELLS = 4_000_000
# Orders in each bootstrap draw beyond EXACT_UP_TO drivers; the same ones in all, so that they add no noise.
_ORDERS_IN_DRAWS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Lmg:
    """Each driver's share of R², averaged over orders.

    Attributes:
        weight: One a driver; they add up to R².
        standard_error: Of the weight, from sampling orders; zero where all subsets were taken.
        exact: Whether they were.
    """

    weight: Floats
    standard_error: Floats
    exact: bool


def johnson(correlation: Numbers, with_outcome: Numbers, names: Sequence[str] | None = None) -> Floats:
    """How much of R² belongs to each driver, by Johnson's relative weights? They add up to R².

    With the drivers' correlations R = VΔ²Vᵀ and Λ = VΔVᵀ, the nearest uncorrelated drivers have coefficients
    β = Λ⁻¹r, and the weights are Λ²β² element by element.

    Args:
        correlation: Between the drivers, (k, k).
        with_outcome: Of each driver with the outcome, (k,).
        names: Of the drivers, for errors.

    Raises:
        InvalidParameter: the shapes don't fit, or drivers are sums of others.
    """
    matrix = _bordered(correlation, with_outcome)
    check_identified(matrix, np.inf, names)
    return _johnson(matrix[None])[0]


def lmg(
    correlation: Numbers,
    with_outcome: Numbers,
    names: Sequence[str] | None = None,
    *,
    orders: int = 4_000,
    seed: int = 0,
) -> Lmg:
    """How much of R² does each driver add, on average over all orders in which drivers could enter?

    Exact up to `EXACT_UP_TO` drivers, from the R² of all subsets; beyond, from sampled orders, each paired with
    its reverse, with the standard error of the pairs.

    Args:
        correlation: Between the drivers, (k, k).
        with_outcome: Of each driver with the outcome, (k,).
        names: Of the drivers, for errors.
        orders: How many orders to sample beyond `EXACT_UP_TO` drivers.
        seed: Of the sampling.

    Raises:
        InvalidParameter: the shapes don't fit, drivers are sums of others, or `orders` is below 4.
    """
    matrix = _bordered(correlation, with_outcome)
    check_identified(matrix, np.inf, names)
    k = matrix.shape[0] - 1
    if k <= EXACT_UP_TO:
        return Lmg(_lmg_exact(matrix[None])[0], np.zeros(k), exact=True)
    if orders < 4:
        raise InvalidParameter(
            f"{orders} orders are too few.", where="orders", hint="Give 4 or more, such as 4000."
        )
    forward = _orders(k, orders // 2, seed)
    pairs = (_gains(matrix, forward) + _gains(matrix, forward[:, ::-1])) / 2
    return Lmg(pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)), exact=False)


@dataclass(frozen=True, slots=True, eq=False)
class Drivers:
    """What moves the outcome, by both decompositions, with bootstrap intervals.

    Weights are shares of the outcome's variance and add up to `r_squared`; divide by it for shares of what is
    explained. No weight can be negative, so no interval reaches below 0: look at its size, not at its sign.

    Attributes:
        johnson: Relative weights, one a driver.
        lmg: LMG weights.
        johnson_interval: Percentile interval of each relative weight.
        lmg_interval: That of each LMG weight.
        correlation: Of each driver with the outcome, alone: its sign tells the direction.
        performance: The mean of each driver, in its own unit.
        performance_interval: Percentile interval of it.
        r_squared: The share of variance that all drivers explain together.
        r_squared_adjusted: The same, less what as many random drivers would explain.
        lmg_error: The standard error of LMG from sampling orders; zeros where exact.
        exact: Whether LMG took all subsets.
        n: How many rows were used.
        left_out: How many were not, for a missing answer.
        draws: How many bootstrap draws could be used; the others held drivers that didn't vary.
        johnson_draws: The relative weights of each draw, (draws, k).
        lmg_draws: LMG of each draw.
        performance_draws: The means of each draw.
    """

    johnson: Floats
    lmg: Floats
    johnson_interval: Interval
    lmg_interval: Interval
    correlation: Floats
    performance: Floats
    performance_interval: Interval
    r_squared: float
    r_squared_adjusted: float
    lmg_error: Floats
    exact: bool
    n: int
    left_out: int
    draws: int
    johnson_draws: Floats
    lmg_draws: Floats
    performance_draws: Floats


def drivers_of(
    moments: Moments,
    names: Sequence[str] | None = None,
    *,
    draws: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Drivers:
    """Which drivers move the outcome, how strongly, and how sure is that?

    Args:
        moments: Of drivers and outcome (`moments.moments_of`).
        names: Of the drivers, for errors.
        draws: Of the bootstrap.
        confidence: That of the percentile intervals.
        seed: Of the draws, and of sampled orders beyond `EXACT_UP_TO` drivers.

    Raises:
        InvalidParameter: too few rows, something that doesn't vary, drivers that are sums of others; which.
    """
    total = moments.total()
    matrix, k = correlations(total)[0], moments.drivers
    check_identified(matrix, moments.n, names)
    relative = _johnson(matrix[None])[0]
    shared = lmg(matrix[:-1, :-1], matrix[:-1, -1], names, seed=seed)
    redrawn = moments.redrawn(draws, seed)
    drawn = correlations(redrawn)
    usable = solvable(drawn)
    drawn, redrawn = drawn[usable], redrawn[usable]
    johnson_draws, lmg_draws = _johnson(drawn), _lmg_draws(drawn, matrix, shared, seed)
    performance_draws = means(moments, redrawn)[:, :-1]
    explained = float(relative.sum())
    return Drivers(
        johnson=relative,
        lmg=shared.weight,
        johnson_interval=percentile_interval(johnson_draws, confidence),
        lmg_interval=percentile_interval(lmg_draws, confidence),
        correlation=matrix[:-1, -1],
        performance=means(moments, total)[0, :-1],
        performance_interval=percentile_interval(performance_draws, confidence),
        r_squared=explained,
        r_squared_adjusted=1 - (1 - explained) * (moments.n - 1) / (moments.n - k - 1),
        lmg_error=shared.standard_error,
        exact=shared.exact,
        n=moments.n,
        left_out=moments.left_out,
        draws=int(usable.sum()),
        johnson_draws=johnson_draws,
        lmg_draws=lmg_draws,
        performance_draws=performance_draws,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Quadrants:
    """In which quadrant of the importance–performance picture does each driver lie, and how surely?

    Attributes:
        quadrant: An index of `QUADRANTS`, one a driver.
        probability: That it lies in each of them, (k, 4), over the draws.
        importance_line: Where the picture is cut across importance.
        performance_line: Where it is cut across performance.
    """

    quadrant: npt.NDArray[np.int64]
    probability: Floats
    importance_line: float
    performance_line: float


def importance_performance(
    importance: Numbers,
    performance: Numbers,
    importance_draws: Numbers,
    performance_draws: Numbers,
    *,
    importance_line: float | None = None,
    performance_line: float | None = None,
) -> Quadrants:
    """Where should we concentrate: what matters much and goes badly?

    The picture is cut at the drivers' mean importance and mean performance (Martilla & James 1977, Journal of
    Marketing 41, 77–79), found anew in every draw, or at the lines given. Performance needs one scale for all.

    Args:
        importance: One a driver, such as `Drivers.lmg`.
        performance: One a driver.
        importance_draws: Of the same bootstrap, (draws, k).
        performance_draws: The same draws of performance.
        importance_line: A fixed cut, such as a required importance.
        performance_line: A fixed cut, such as a target score.

    Raises:
        InvalidParameter: the shapes don't fit.
    """
    points = [np.atleast_2d(np.asarray(part, dtype=float)) for part in (importance, performance)]
    drawn = [np.asarray(part, dtype=float) for part in (importance_draws, performance_draws)]
    k = points[0].shape[1]
    if points[1].shape != (1, k) or any(part.ndim != 2 or part.shape[1] != k for part in drawn):
        raise InvalidParameter("Importance and performance differ in drivers or draws.", where="importance")
    if len(drawn[0]) != len(drawn[1]):
        raise InvalidParameter("Draws of importance and performance don't belong together.", where="draws")
    lines = (importance_line, performance_line)
    codes = _quadrants(drawn[0], drawn[1], lines)
    share = np.stack([(codes == index).mean(axis=0) for index in range(4)], axis=-1) if len(codes) else None
    return Quadrants(
        quadrant=_quadrants(points[0], points[1], lines)[0],
        probability=np.full((k, 4), np.nan) if share is None else share,
        importance_line=float(points[0].mean()) if importance_line is None else importance_line,
        performance_line=float(points[1].mean()) if performance_line is None else performance_line,
    )


def _quadrants(
    importance: Floats, performance: Floats, lines: tuple[float | None, float | None]
) -> npt.NDArray[np.int64]:
    cuts = [
        part.mean(axis=1, keepdims=True) if line is None else line
        for part, line in zip((importance, performance), lines, strict=True)
    ]
    important, good = importance >= cuts[0], performance >= cuts[1]
    return np.where(important, np.where(good, 1, 0), np.where(good, 3, 2))


def _bordered(correlation: Numbers, with_outcome: Numbers) -> Floats:
    """The drivers' correlations with the outcome as last row and column."""
    inner, outer = np.asarray(correlation, dtype=float), np.asarray(with_outcome, dtype=float)
    if inner.ndim != 2 or inner.shape != (outer.size, outer.size) or outer.ndim != 1 or not outer.size:
        raise InvalidParameter(
            f"Correlations of shape {inner.shape} and {outer.shape} don't fit together.",
            where="correlation, with_outcome",
            hint="Give a square matrix, and one value a driver.",
        )
    return np.block([[inner, outer[:, None]], [outer[None, :], np.ones((1, 1))]])


def _johnson(matrix: Floats) -> Floats:
    """Relative weights of each bordered matrix, (..., k)."""
    values, vectors = np.linalg.eigh(matrix[..., :-1, :-1])
    root = np.sqrt(np.maximum(values, 0.0))
    # V Δ Vᵀ and its inverse applied to r.
    loadings = (vectors * root[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    projected = np.swapaxes(vectors, -1, -2) @ matrix[..., :-1, -1:]
    beta = vectors @ (projected / root[..., :, None])
    return (loadings**2 @ beta**2)[..., 0]


def _lmg_exact(matrix: Floats) -> Floats:
    """LMG of each bordered matrix (b, k + 1, k + 1), over all subsets; (b, k)."""
    k = matrix.shape[-1] - 1
    worth = _subset_weights(k)
    batch = max(1, _BATCH_CELLS // (3 << k))
    parts = [
        _residual_variances(np.moveaxis(matrix[begin : begin + batch], 0, -1))
        for begin in range(0, len(matrix), batch)
    ]
    # Every driver's weights over subsets add up to nothing, so 1 − residual is minus the residual.
    return np.concatenate([-(worth.T @ part).T for part in parts]) if parts else np.empty((0, k))


def _residual_variances(matrix: Floats) -> Floats:
    """What every subset of the drivers leaves unexplained, (2**k, b), subsets as bits.

    Each driver in turn is either dropped or swept out (one step of Gaussian elimination), and matrices shrink
    as subsets double: about 12 · 2**k operations in all. The batch is the last axis, where NumPy is quick.
    """
    nodes = matrix[:, :, None, :]
    while nodes.shape[0] > 1:
        rest, column = nodes[1:, 1:], nodes[1:, 0]
        swept = rest - column[:, None] * (column / nodes[0, 0])[None]
        nodes = np.concatenate([rest, swept], axis=2)
    return nodes[0, 0]


def _subset_weights(k: int) -> Floats:
    """What the R² of each subset counts for each driver in the Shapley value, (2**k, k)."""
    bits = (np.arange(1 << k)[:, None] >> np.arange(k)) & 1
    size = bits.sum(axis=1)[:, None]
    order = np.array([factorial(s) * factorial(k - 1 - s) / factorial(k) for s in range(k)] + [0.0])
    return np.where(bits == 1, order[size - 1], -order[size])


def _lmg_draws(drawn: Floats, matrix: Floats, shared: Lmg, seed: int) -> Floats:
    """LMG of each draw; where sampled, the same orders throughout, moved to where more orders put the point."""
    if shared.exact:
        return _lmg_exact(drawn)
    forward = _orders(shared.weight.size, _ORDERS_IN_DRAWS // 2, seed)
    used = np.concatenate([forward, forward[:, ::-1]])
    few = _gains(matrix, used).mean(axis=0)
    rows = [_gains(one, used).mean(axis=0) for one in drawn]
    return np.maximum(np.array(rows).reshape(-1, few.size) + (shared.weight - few), 0.0)


def _orders(k: int, number: int, seed: int) -> npt.NDArray[np.int64]:
    return np.argsort(np.random.default_rng(seed).random((number, k)), axis=1)


def _gains(matrix: Floats, order: npt.NDArray[np.int64]) -> Floats:
    """What each driver adds to R² when they enter in each row's order, (orders, k).

    The last row of the Cholesky factor of a bordered matrix holds the square roots of the gains, in order.
    """
    border = np.hstack([order, np.full((len(order), 1), matrix.shape[0] - 1)])
    # A perfect fit leaves the last pivot at 0; it is not used.
    permuted = matrix[border[:, :, None], border[:, None, :]] + np.diag([0.0] * order.shape[1] + [1.0])
    gains = np.linalg.cholesky(permuted)[:, -1, :-1] ** 2
    return np.take_along_axis(gains, np.argsort(order, axis=1), axis=1)
