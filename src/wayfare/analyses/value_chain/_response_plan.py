"""The best division of a budget, how sure each amount is, and what the next unit brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.value_chain._response import ESTIMATED, KEPT, MOST, Response
from wayfare.errors import InvalidParameter
from wayfare.stats.allocation import Allocation, Curves, allocate

DRAWS = 2_000
SEED = 7
_ENDS = (2.5, 97.5)
_SAME = 1e-3
NAN = float("nan")


@dataclass(frozen=True)
class Plan:
    """What goes where; arrays are (activities,) in the order of `names`, those with a curve first in `free`.

    Attributes:
        names: The activities' ids.
        today: What each costs.
        responses: How each answers to money.
        free: The places of those whose amount can move.
        low: The least that each of these gets.
        high: The most.
        budget: What all of `names` may cost.
        best: The division at the likeliest curves, of `free`.
        draws: The same under other curves that may be true (draws, free).
        gains: What the best division gains under those (draws, free).
        slopes: What the next unit brings at today's amounts under those (draws, free).
        curves: The likeliest curves.
    """

    names: tuple[str, ...]
    today: NDArray[np.float64]
    responses: Mapping[str, Response]
    free: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    budget: float
    best: Allocation
    draws: NDArray[np.float64]
    gains: NDArray[np.float64]
    slopes: NDArray[np.float64]
    curves: Curves

    @property
    def spent(self) -> float:
        """What the best division costs, with the amounts that stay."""
        return float(self.best.amounts.sum() + np.delete(self.today, self.free).sum())


def plan_of(
    today: Mapping[str, float], responses: Mapping[str, Response], budget: float | None, swing: float,
    limits: Mapping[str, tuple[float, float]],
) -> Plan:  # fmt: skip
    """The plan; activities of which nothing is known keep their amounts.

    Raises:
        InvalidParameter: the budget does not pay for what has to stay.
    """
    names = tuple(today)
    amounts = np.array([today[name] for name in names], dtype=float)
    free = np.array([n for n, name in enumerate(names) if responses[name].basis != KEPT], dtype=np.int64)
    ends = [limits.get(names[n], (amounts[n] * (1 - swing), amounts[n] * (1 + swing))) for n in free]
    low, high = np.array(ends, dtype=float).reshape(-1, 2).T
    whole = float(amounts.sum()) if budget is None else budget
    fixed = float(np.delete(amounts, free).sum())
    _affordable(whole, fixed + low.sum(), fixed, swing)
    known = [responses[names[n]] for n in free]
    curves = _curves(known, amounts[free], *_likely(known))
    best = allocate(curves, whole - fixed, low, high)
    drawn = _curves(known, amounts[free], *_drawn(known))
    return Plan(
        names, amounts, responses, free, low, high, whole, best, allocate(drawn, whole - fixed, low, high).amounts,
        drawn.gain(best.amounts), drawn.marginal(amounts[free]), curves,
    )  # fmt: skip


def _affordable(budget: float, least: float, fixed: float, swing: float) -> None:
    if least > budget * (1 + 1e-9):
        raise InvalidParameter(
            f"A budget of {budget:,.0f} does not pay for the least of all activities, {least:,.0f} (of this {fixed:,.0f} for those that keep "
            f"their amounts).",
            where="budget",
            hint=f"Give a larger budget, lower `limits`, or a `swing` above {swing:g}.",
        )


def _curves(known: Sequence[Response], today: NDArray, value: NDArray, elasticity: NDArray) -> Curves:
    sign = np.array([response.sign for response in known], dtype=float)
    return Curves(value * elasticity, sign * elasticity, today)


def _likely(known: Sequence[Response]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    value = np.array([max(response.value, 0.0) for response in known], dtype=float)
    return value, np.array([response.likely for response in known], dtype=float)


def _drawn(known: Sequence[Response]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and elasticities that may be true (draws, activities): values normal and not below nothing; elasticities
    triangular where somebody said three numbers, normal where they were estimated."""
    rng = np.random.default_rng(SEED)
    value, elasticity = np.zeros((DRAWS, len(known))), np.zeros((DRAWS, len(known)))
    for place, response in enumerate(known):
        normal = rng.standard_normal(DRAWS)
        value[:, place] = np.maximum(response.value + response.spread * normal, 0.0)
        elasticity[:, place] = _elasticity(response, rng)
    return value, elasticity


def _elasticity(response: Response, rng: np.random.Generator) -> NDArray[np.float64]:
    if response.basis == ESTIMATED:
        error = max(response.high - response.likely, response.likely - response.low) / 1.96
        return np.clip(response.likely + error * rng.standard_normal(DRAWS), 0.0, MOST)
    if response.high <= response.low:
        return np.full(DRAWS, response.likely)
    return rng.triangular(response.low, response.likely, response.high, DRAWS)


def plan_rows(plan: Plan, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row for each activity, the largest changes first."""
    slopes, gains = plan.curves.marginal(plan.today[plan.free]), plan.curves.gain(plan.best.amounts)
    place = {int(n): i for i, n in enumerate(plan.free)}
    rows = []
    for n, name in enumerate(plan.names):
        response, today = plan.responses[name], float(plan.today[n])
        row = {
            "activity": name,
            "text": texts[name],
            "today": today,
            "basis": response.basis,
            "note": response.note,
        }
        rows.append(
            row
            | (_stays(today) if n not in place else _moves(plan, place[n], today, slopes, gains, response))
        )
    return sorted(rows, key=lambda row: (row["basis"] == KEPT, -abs(row["change"]), row["activity"]))


def _stays(today: float) -> dict[str, Any]:
    amounts = dict.fromkeys(("proposed", "proposed_low", "proposed_high"), today)
    nothing = (
        "marginal_return",
        "gain",
        "gain_low",
        "gain_high",
        "more_share",
        "least",
        "most",
        "elasticity",
    )
    return amounts | {"change": 0.0} | dict.fromkeys(nothing, NAN)


def _moves(
    plan: Plan, i: int, today: float, slopes: NDArray, gains: NDArray, response: Response
) -> dict[str, Any]:
    proposed = float(plan.best.amounts[i])
    low, high = np.percentile(plan.draws[:, i], _ENDS)
    least, most = np.percentile(plan.gains[:, i], _ENDS)
    return {
        "proposed": proposed, "proposed_low": float(low), "proposed_high": float(high), "change": proposed - today,
        "marginal_return": float(slopes[i]), "gain": float(gains[i]), "gain_low": float(least), "gain_high": float(most),
        "more_share": float((plan.draws[:, i] > today * (1 + _SAME)).mean()), "least": float(plan.low[i]),
        "most": float(plan.high[i]), "elasticity": response.likely,
    }  # fmt: skip


def next_rows(plan: Plan) -> list[dict[str, Any]]:
    """What the next unit brings at today's amount, the best activity first."""
    slopes = plan.curves.marginal(plan.today[plan.free])
    low, high = np.percentile(plan.slopes, _ENDS, axis=0) if plan.free.size else (np.zeros(0), np.zeros(0))
    rows = [
        {
            "activity": plan.names[n],
            "marginal_return": float(slopes[i]),
            "low": float(low[i]),
            "high": float(high[i]),
        }
        for i, n in enumerate(plan.free)
    ]
    rows.sort(key=lambda row: (-row["marginal_return"], row["activity"]))
    return [row | {"rank": rank} for rank, row in enumerate(rows, 1)]


def total_rows(plan: Plan) -> list[dict[str, Any]]:
    """Today's division and the proposed one: what they cost, and what they gain against today's."""
    if not plan.names:
        return []
    today = {"plan": "today", "budget": float(plan.today.sum()), "value": 0.0, "low": 0.0, "high": 0.0}
    low, high = np.percentile(plan.gains.sum(axis=1), _ENDS)
    gain = float(plan.best.gain)
    return [
        today,
        {"plan": "proposed", "budget": plan.spent, "value": gain, "low": float(low), "high": float(high)},
    ]
