"""Expected orders week by week, under multipliers of the rate and of the drop-out."""

from __future__ import annotations

from typing import Any

import numpy as np

from wayfare.errors import InvalidParameter
from wayfare.stats.btyd.count_model import CountModel, Theta
from wayfare.stats.btyd.quadrature import beta_nodes_of
from wayfare.stats.btyd.summary import Floats, groups


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
        alive = np.bincount(group, weights=rows.weight * self._alive(theta, rows), minlength=first.size)
        own = tuple(value[first] if np.ndim(value) else value for value in theta)
        scenarios = np.broadcast_shapes(g.shape, d.shape)[:-1]
        g, d = (np.broadcast_to(value, (*scenarios, weeks)).reshape(-1, weeks) for value in (g, d))
        sums = [self._weeks(own, rows.frequency[first], rows.age[first], alive, *pair) for pair in zip(g, d, strict=True)]
        return np.array(sums).reshape(*scenarios, weeks)

    def _weeks(self, theta: Theta, x: Floats, age: Floats, alive: Floats, g: Floats, d: Floats) -> Floats:
        r, alpha, a, b = theta
        p, weights = beta_nodes_of(a, b + self._survived(x))
        weights = weights * alive[:, None]
        k, unit = (r + x)[:, None], 1 / (alpha + age)[:, None]
        total = np.empty(g.size)
        before = np.zeros_like(p)
        for week, (rate, dropout) in enumerate(zip(g, d, strict=True)):
            leaving = np.minimum(dropout * p, 1.0)
            gone = before + leaving * rate
            # (β/(β+P₀))^s − (β/(β+P₁))^s without cancellation.
            kept = np.exp(-k * np.log1p(before * unit))
            lost = -np.expm1(-k * np.log1p((gone - before) * unit / (1 + before * unit)))
            limit = k * unit * rate / (1 + before * unit)
            each = np.where(leaving > 1e-300, lost / np.maximum(leaving, 1e-300), limit)
            total[week] = np.sum(weights * kept * each)
            before = gone
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
