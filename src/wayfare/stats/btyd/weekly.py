"""Expected orders week by week, under multipliers of the rate and of the drop-out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.errors import InvalidParameter
from wayfare.stats.btyd.count_model import CountModel, Theta
from wayfare.stats.btyd.curve import curve_of
from wayfare.stats.btyd.purchases import nodes_enough
from wayfare.stats.btyd.quadrature import beta_nodes
from wayfare.stats.btyd.summary import Floats, Indices, groups, summed

# More kinds of customer than this (each with covariates of its own) are not worth a table.
_MOST_KINDS = 400
# The share of a node that can't be told from rounding.
_NO_WEIGHT = 1e-19


class WeeklyOrders(CountModel):
    """What a scenario does to the weeks ahead, for models whose customers leave at orders."""

    def weekly_orders(
        self,
        summary: Any,
        weeks: int,
        *,
        rate: Any = 1.0,
        dropout: Any = 1.0,
        rate_covariates: Any = None,
        dropout_covariates: Any = None,
    ) -> Floats:
        """How many orders will all these customers together place in each of the weeks ahead?

        Given p and alive, with s = r + x, β = α + T, p_v = min(d_v·p, 1) and P_w = Σ_{v≤w} p_v·g_v:
        E[w] = ((β/(β+P_{w−1}))^s − (β/(β+P_w))^s)/p_w, averaged over p and weighted by P(alive). With g = d = 1
        the weeks add up to `predict_orders`.

        Where no d_v·p passes 1, P_w is p·S_w with one clock S_w = Σ_{v≤w} d_v·g_v for all customers: their expected
        orders together are then one function K of it, tabulated once, and E[w] = (K(S_w) − K(S_{w−1}))/d_w.

        Args:
            summary: As in `fit`.
            weeks: How many units of time ahead.
            rate: g, a multiplier of the rate for all weeks or one a week; further axes in front are scenarios.
            dropout: d, a multiplier of the probability to leave, likewise.
            rate_covariates: Where the model was fitted with them.
            dropout_covariates: Where the model was fitted with them.

        Returns:
            Sums over the customers, weighted by `weight`, shape (weeks,) or (scenarios, weeks).
        """
        g, d = _multipliers(weeks, rate, "rate"), _multipliers(weeks, dropout, "dropout")
        theta, rows = self._read(summary, rate_covariates, dropout_covariates)
        varying = [value for value in theta if np.ndim(value)]
        first, group = groups(rows.frequency, rows.age, *varying)
        alive = summed(group, rows.weight * self._alive(theta, rows), first.size)
        own = tuple(value[first] if np.ndim(value) else value for value in theta)
        scenarios = np.broadcast_shapes(g.shape, d.shape)[:-1]
        g, d = (np.broadcast_to(value, (*scenarios, weeks)).reshape(-1, weeks) for value in (g, d))
        sums = self._sums(own, rows.frequency[first], rows.age[first], alive, g, d)
        return sums.reshape(*scenarios, weeks)

    def _sums(self, theta: Theta, x: Floats, age: Floats, alive: Floats, g: Floats, d: Floats) -> Floats:
        sums, capped = np.zeros(g.shape), d.max(axis=1, initial=0.0) > 1
        if not g.size or not alive.any():
            return sums
        if not capped.all():
            sums[~capped] = self._on_clock(theta, x, age, alive, g[~capped], d[~capped])
        if capped.any():
            sums[capped] = self._capped(theta, x, age, alive, g[capped], d[capped])
        return sums

    def _on_clock(self, theta: Theta, x: Floats, age: Floats, alive: Floats, g: Floats, d: Floats) -> Floats:
        """The weeks of scenarios in which no probability to leave is cut off at 1."""
        passed = g * d

        def until(times: Floats) -> Floats:
            return np.array([[alive @ self._orders(theta, x, age, np.asarray(time)) for time in times]])

        curve = curve_of(until, _farthest(passed), float(np.min(theta[1] + age)))
        if curve is None:
            return self._given_p(theta, x, age, alive, g, d).one_by_one(g, d)
        return g * curve.mean_slopes(passed)

    def _capped(self, theta: Theta, x: Floats, age: Floats, alive: Floats, g: Floats, d: Floats) -> Floats:
        """The weeks of scenarios in which some nodes of p are cut off at 1: these apart, the rest on the one clock."""
        given = self._given_p(theta, x, age, alive, g, d)
        first, kind = groups(given.k[:, 0], *given.p.T)
        if first.size > _MOST_KINDS:
            return given.one_by_one(g, d)
        over, passed, scale = given.cut_off(d), g * d, float(1 / given.unit.max())
        free = curve_of(given.apart_from(over).until, _farthest(passed), scale)
        staying = curve_of(lambda times: given.staying(times, kind, first.size), _farthest(g), scale)
        if free is None or staying is None:
            return given.one_by_one(g, d)
        total = free.mean_slopes(passed)
        for which, row in enumerate(first):
            for place in np.flatnonzero(over[row]):
                passed = g * np.minimum(d * given.p[row, place], 1.0)
                total -= given.share[row, place] * staying.mean_slopes(passed, which)
        return g * total

    def _given_p(self, theta: Theta, x: Floats, age: Floats, alive: Floats, g: Floats, d: Floats) -> _GivenP:
        r, alpha, a, b = theta
        k, unit = (r + x)[:, None], 1 / (alpha + age)[:, None]
        farthest = float(np.sum(g * np.maximum(d, 1.0), axis=1).max() * unit.max())
        p, share = beta_nodes(a, b + self._survived(x), nodes_enough(farthest))
        return _GivenP(k, unit, p, share, alive[:, None])

    def _survived(self, x: Any) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class _GivenP:
    """Groups of customers alike in x and T, a row each, at nodes of p: s, 1/β, the nodes, their shares, P(alive)."""

    k: Floats
    unit: Floats
    p: Floats
    share: Floats
    alive: Floats

    def cut_off(self, d: Floats) -> NDArray[np.bool_]:
        """Nodes at which some probability to leave passes 1, but for those of no weight."""
        return (self.p * d.max() > 1) & (self.share > _NO_WEIGHT)

    def apart_from(self, over: NDArray[np.bool_]) -> _GivenP:
        """Without some of the nodes."""
        return replace(self, share=np.where(over, 0.0, self.share))

    def until(self, times: Floats) -> Floats:
        """Orders of all until each time on the clock, shape (1, times)."""
        kept = self.share * self.alive
        return np.array([[np.vdot(kept, self._orders(self.p, time * self.unit)) for time in times]])

    def staying(self, times: Floats, kind: Indices, kinds: int) -> Floats:
        """Σ P(alive)·(β/(β+P))^s of each kind of customers at each P."""
        each = self.alive * np.exp(-self.k * np.log1p(self.unit * times))
        return np.array([np.bincount(kind, weights=column, minlength=kinds) for column in each.T]).T

    def one_by_one(self, g: Floats, d: Floats) -> Floats:
        """The weeks of each scenario, node by node: slow, whatever the scenario."""
        return np.array([self._weeks(*pair) for pair in zip(g, d, strict=True)])

    def _weeks(self, g: Floats, d: Floats) -> Floats:
        kept = self.share * self.alive
        total, before = np.empty(g.size), np.ones_like(self.p)
        for week, (rate, dropout) in enumerate(zip(g, d, strict=True)):
            leaving = np.minimum(dropout * self.p, 1.0)
            # With before = (β+P₀)/β: 1 − ((β+P₀)/(β+P₁))^s, which keeps its digits where p is small.
            pace = self.unit * rate / before
            total[week] = np.vdot(kept, self._orders(leaving, pace))
            kept = kept * np.exp(-self.k * np.log1p(leaving * pace))
            before = before + leaving * rate * self.unit
        return total

    def _orders(self, p: Floats, pace: Floats) -> Floats:
        orders = -np.expm1(-self.k * np.log1p(p * pace)) / np.maximum(p, 1e-300)
        return np.where(p > 1e-300, orders, self.k * pace)


def _farthest(passed: Floats) -> float:
    return max(float(passed.sum(axis=1).max()), 1e-9)


def _multipliers(weeks: int, values: Any, where: str) -> Floats:
    array = np.asarray(values, dtype=float)
    array = np.broadcast_to(array, (weeks,)) if array.ndim == 0 else array
    if array.shape[-1] != weeks or not (np.isfinite(array) & (array >= 0)).all():
        raise InvalidParameter(
            f"The multipliers of the {where} must be {weeks} numbers of 0 or more.",
            where=where,
            hint="Give one number, or one a week.",
        )
    return array
