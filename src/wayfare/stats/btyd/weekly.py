"""Expected orders week by week, under multipliers of the rate and of the drop-out."""

from __future__ import annotations

from typing import Any

import numpy as np

from wayfare.errors import InvalidParameter
from wayfare.stats.btyd.count_model import CountModel, Theta
from wayfare.stats.btyd.purchases import nodes_enough
from wayfare.stats.btyd.quadrature import beta_nodes
from wayfare.stats.btyd.summary import Floats, groups, summed


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
        sums = [
            self._weeks(own, rows.frequency[first], rows.age[first], alive, *pair)
            for pair in zip(g, d, strict=True)
        ]
        return np.array(sums).reshape(*scenarios, weeks)

    def _weeks(self, theta: Theta, x: Floats, age: Floats, alive: Floats, g: Floats, d: Floats) -> Floats:
        r, alpha, a, b = theta
        k, unit = (r + x)[:, None], 1 / (alpha + age)[:, None]
        count = nodes_enough(float(np.sum(g * np.maximum(d, 1.0)) * unit.max(initial=0.0)))
        p, weights = beta_nodes(a, b + self._survived(x), count)
        kept = weights * alive[:, None]
        total, before = np.empty(g.size), np.ones_like(p)
        for week, (rate, dropout) in enumerate(zip(g, d, strict=True)):
            leaving = np.minimum(dropout * p, 1.0)
            # With before = (β+P₀)/β: 1 − ((β+P₀)/(β+P₁))^s, which keeps its digits where p is small.
            pace = unit * rate / before
            lost = -np.expm1(-k * np.log1p(leaving * pace))
            each = np.where(leaving > 1e-300, lost / np.maximum(leaving, 1e-300), k * pace)
            total[week] = np.vdot(kept, each)
            kept = kept * (1 - lost)
            before = before + leaving * rate * unit
        return total

    def _survived(self, x: Any) -> Any:
        raise NotImplementedError


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
