"""What did a change do, if those whom it did not reach (yet) show what would have happened without it?

Difference in differences. `difference_in_differences` is the classical comparison of units before and after;
`staggered_effects` is for a change that reaches groups at different times: the group-time average effects of
Callaway & Sant'Anna (2021, Journal of Econometrics 225, 200–230), against groups not yet reached. Both
suppose parallel trends, of which the time before shows as much as can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Numbers, t_of, z_of

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Difference:
    """An estimate with its interval and the p value of none.

    Attributes:
        estimate: In the unit of the outcome.
        low: The lower bound of its interval.
        high: The upper bound.
        p: The two-sided p value.
    """

    estimate: float
    low: float
    high: float
    p: float


NOTHING = Difference(_NAN, _NAN, _NAN, _NAN)


def difference_in_differences(
    values: Numbers, treated: Numbers, after: Numbers, confidence: float = 0.95
) -> Difference:
    """By how much more did the treated units change than the others?

    The mean change (after − before) of treated units less that of the others: the estimate of a regression with
    unit and period effects. Each unit is one cluster: the variance is s²/n of the changes on either side, with
    Student's t by Welch; a single treated unit borrows the others' variance (Donald & Lang 2007), so that its
    interval holds what units do by themselves.

    Args:
        values: The outcome (units, periods), no gaps.
        treated: Whether the unit is treated (units,).
        after: Whether the period comes after the change (periods,).
        confidence: That of the interval.

    Raises:
        InvalidParameter: shapes differ, or there are no units of a kind, or no periods on a side.
    """
    table, met, later = np.asarray(values, dtype=float), np.asarray(treated, bool), np.asarray(after, bool)
    if table.shape != (met.size, later.size):
        raise InvalidParameter(
            f"The values are {table.shape}, the units {met.size} and the periods {later.size}.",
            where="difference_in_differences",
        )
    if met.all() or not met.any() or later.all() or not later.any():
        raise InvalidParameter(
            "There must be treated units and others, and periods before and after.",
            where="difference_in_differences",
        )
    change = table[:, later].mean(axis=1) - table[:, ~later].mean(axis=1)
    sides = change[met], change[~met]
    return _welch(*sides, confidence)


def _welch(touched: Floats, others: Floats, confidence: float) -> Difference:
    from scipy.special import stdtr

    estimate = float(touched.mean() - others.mean())
    if others.size < 2:
        return Difference(estimate, _NAN, _NAN, _NAN)
    own = touched.var(ddof=1) if touched.size > 1 else others.var(ddof=1)
    parts = own / touched.size, others.var(ddof=1) / others.size
    variance = float(sum(parts))
    freedom = float(others.size - 1)
    if touched.size > 1 and variance > 0:
        freedom = variance**2 / (parts[0] ** 2 / (touched.size - 1) + parts[1] ** 2 / (others.size - 1))
    half = float(t_of(confidence, freedom)) * np.sqrt(variance)
    p = float(2 * stdtr(freedom, -abs(estimate) / np.sqrt(variance))) if variance > 0 else _NAN
    return Difference(estimate, float(estimate - half), float(estimate + half), p)


@dataclass(frozen=True)
class Cells:
    """Sums of an outcome by group and period, with what is needed to cluster by customer.

    A customer adds y and n to its group's periods (n is 0 or 1 for an outcome that is looked at once a period, and
    may be more). The three products are sums over customers, so that they add up across blocks.

    Attributes:
        n: (groups, periods)
        y: (groups, periods)
        nn: Σ n n' (groups, periods, periods)
        ny: Σ n y'
        yy: Σ y y'
    """

    n: Floats
    y: Floats
    nn: Floats
    ny: Floats
    yy: Floats

    def __add__(self, other: Cells) -> Cells:
        mine, theirs = ((c.n, c.y, c.nn, c.ny, c.yy) for c in (self, other))
        return Cells(*(a + b for a, b in zip(mine, theirs, strict=True)))

    @property
    def means(self) -> Floats:
        """The mean outcome of each cell; 0 where nobody is (groups, periods)."""
        return np.divide(self.y, self.n, out=np.zeros_like(self.y), where=self.n > 0)

    def covariance(self, group: int) -> Floats:
        """That of a group's cell means: Σ over customers of (y − m n)(y' − m' n') / (N N') (periods, periods)."""
        m, n = self.means[group], np.maximum(self.n[group], 1.0)
        cross = m[:, None] * self.ny[group]
        products = self.yy[group] - cross - cross.T + np.outer(m, m) * self.nn[group]
        return products / np.outer(n, n)


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """What the change did to one group.

    Attributes:
        group: Which.
        effect: The mean over the periods after, weighted by the group's own counts.
        trend: By how much a period the group drew away from those compared with, before the change.
        n_before: The group's count in the periods before.
        n_after: Its count in the periods after that have somebody to compare with.
        controls: How many groups were compared with; 0 makes it a plain before and after.
        scatter: By what factor intervals are wider than chance among customers asks for (see `staggered_effects`).
        weights: Those of the cell means that the effect is the sum of (groups, periods).
    """

    group: int
    effect: Difference
    trend: Difference
    n_before: float
    n_after: float
    controls: int
    scatter: float
    weights: Floats


def staggered_effects(
    cells: Cells,
    before: Numbers,
    since: Numbers,
    confidence: float = 0.95,
) -> tuple[GroupEffect, ...]:
    """What did a change do to each group that it reached, against those not yet reached?

    ATT(g, t) = (ȳ_gt − ȳ_g,before) − Σ_c w_c (ȳ_ct − ȳ_c,before), over groups c still untouched in period t, weighted by
    their counts in t (Callaway & Sant'Anna 2021, eq. 2.6 without covariates). The base is the mean of all clean periods
    before and not the last one alone, weighted by g's counts: less noise for the same assumption. Periods between
    `before` and `since` are left out (limited anticipation, their assumption 3). Customers are the clusters. Where
    the differences before the change scatter by more than that allows (χ²/df > 1 of the periods before around their
    mean), something moves whole groups, and intervals are widened by its root (Birge 1932).

    A group that has nobody to compare with gets its own change, with `controls` 0.

    Args:
        cells: The sums.
        before: The group's periods before this one are clean; the number of periods for one never reached (groups,).
        since: From this period on it is reached; likewise (groups,).
        confidence: That of the intervals.

    Returns:
        One `GroupEffect` for each group that is reached; NaN where it has no period before or after.
    """
    clean, reached = np.asarray(before, dtype=int), np.asarray(since, dtype=int)
    periods = cells.n.shape[1]
    return tuple(
        _group_effect(cells, clean, reached, group, z_of(confidence))
        for group in range(len(clean))
        if reached[group] < periods or clean[group] < periods
    )


def _group_effect(
    cells: Cells, clean: NDArray[np.int_], reached: NDArray[np.int_], group: int, z: float
) -> GroupEffect:
    n, periods = cells.n, cells.n.shape[1]
    base = np.flatnonzero(n[group, : clean[group]] > 0)
    after = np.arange(reached[group], periods)
    after = after[n[group, after] > 0]
    controls = {
        int(t): [c for c in range(len(clean)) if c != group and t < clean[c] and n[c, t] > 0 and (n[c, base] > 0).any()]
        for t in after
    }  # fmt: skip
    if any(controls.values()):
        after = np.array([t for t in after if controls[int(t)]])
    if not base.size or not after.size:
        nothing = np.zeros_like(n)
        return GroupEffect(group, NOTHING, NOTHING, n[group, base].sum(), 0.0, 0, 1.0, nothing)
    weights = np.zeros_like(n)
    for t in after:
        share = n[group, t] / n[group, after].sum()
        _add_change(weights, n, group, int(t), base, share)
        others = controls[int(t)]
        for c in others:
            _add_change(weights, n, c, int(t), base, -share * n[c, t] / n[others, t].sum(), like=group)
    compared = sorted({c for t in after for c in controls[int(t)]})
    trend, scatter = _before(cells, clean, group, base, bool(compared), z)
    effect = _linear(cells, weights, z, scatter)
    return GroupEffect(
        group, effect, trend, n[group, base].sum(), n[group, after].sum(), len(compared), scatter, weights
    )


def _add_change(
    weights: Floats, n: Floats, group: int, t: int, base: NDArray[np.int_], share: float, like: int | None = None
) -> None:  # fmt: skip
    """Adds `share` times the group's change from its base to period t."""
    of = group if like is None else like
    weight = np.where(n[group, base] > 0, n[of, base], 0.0)
    weights[group, t] += share
    weights[group, base] -= share * weight / weight.sum()


def _before(
    cells: Cells, clean: NDArray[np.int_], group: int, base: NDArray[np.int_], compared: bool, z: float
) -> tuple[Difference, float]:
    """How the group drew away from the others before the change, a period, and the factor that intervals are wider by."""
    n = cells.n
    others = [c for c in range(len(clean)) if c != group and clean[c] >= clean[group]] if compared else []
    usable = base[(n[others][:, base] > 0).all(axis=0)] if others else base
    if usable.size < 3 or (compared and not others):
        return NOTHING, 1.0
    share = n[others][:, usable].sum(axis=1)
    leads = np.zeros((usable.size, *n.shape))
    leads[np.arange(usable.size), group, usable] = 1.0
    for c, part in zip(others, share / share.sum() if others else (), strict=True):
        leads[np.arange(usable.size), c, usable] -= part
    centred = usable - usable.mean()
    slope = np.tensordot(centred / (centred**2).sum(), leads, axes=1)
    if not compared:
        return _linear(cells, slope, z, 1.0), 1.0
    flat = np.ones((usable.size, 1))
    # What a trend explains must not hide it: its own interval is widened by the scatter around the line alone.
    around_line = _scatter(cells, leads, np.column_stack([flat, centred]))
    return _linear(cells, slope, z, around_line), _scatter(cells, leads, flat)


def _scatter(cells: Cells, leads: Floats, explained: Floats) -> float:
    """The root of χ²/df of the differences before around what `explained` (periods, columns) fits, at least 1."""
    freedom = len(leads) - explained.shape[1]
    covariance = sum(leads[:, g] @ cells.covariance(g) @ leads[:, g].T for g in range(cells.n.shape[0]))
    apart = np.eye(len(leads)) - explained @ np.linalg.pinv(explained)
    deviations = apart @ np.einsum("kgt,gt->k", leads, cells.means)
    chi_squared = deviations @ np.linalg.pinv(apart @ covariance @ apart, rcond=1e-10) @ deviations
    return float(np.sqrt(max(chi_squared / freedom, 1.0)))


def _linear(cells: Cells, weights: Floats, z: float, scatter: float) -> Difference:
    """A weighted sum of cell means, with its interval; groups are apart from each other."""
    from scipy.special import ndtr

    estimate = float((weights * cells.means).sum())
    used = [g for g in range(len(weights)) if weights[g].any()]
    variance = sum(float(weights[g] @ cells.covariance(g) @ weights[g]) for g in used)
    error = scatter * np.sqrt(max(variance, 0.0))
    p = float(2 * ndtr(-abs(estimate) / error)) if error > 0 else _NAN
    return Difference(estimate, float(estimate - z * error), float(estimate + z * error), p)


def overall_effect(cells: Cells, effects: tuple[GroupEffect, ...], confidence: float = 0.95) -> Difference:
    """What did the change do to all groups that it reached, weighted by their counts after it?

    NaN where no group's effect could be said; intervals are widened by the largest of the groups' factors.
    """
    known = [effect for effect in effects if not np.isnan(effect.effect.estimate) and effect.n_after > 0]
    if not known:
        return NOTHING
    total = sum(effect.n_after for effect in known)
    weights = sum((effect.weights * (effect.n_after / total) for effect in known), np.zeros_like(cells.n))
    return _linear(cells, weights, z_of(confidence), max(effect.scatter for effect in known))
