"""What the journey loses at each stage and touchpoint, and how content customers are there, from the analyses that say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.canvas._opportunity_people import Floats, Ints, People
from wayfare.domain.journey import STAGES
from wayfare.stats.proportions import ratio_interval

FEW = 10
"""Under so many customers it is too few to say."""
_LEVEL = 0.05
_STAGES = [stage.value for stage in STAGES]


@dataclass(frozen=True, eq=False)
class Friction:
    """What is lost where.

    Attributes:
        unit: What one customer who left at a stage did not bring, with its interval (3, stages); nan where nobody can say.
        lost: Customers who left, by stage and last event (stages, events).
        pain: What like customers order more, of those who met a pain point, with its interval (3, events); 0 elsewhere.
        more: By how much that is above what those who left after it did not bring (3, events).
        painful: Which touchpoints are pain points (events,).
    """

    unit: Floats
    lost: Ints
    pain: Floats
    more: Floats
    painful: NDArray[np.bool_]

    def leaks(self, at: Sequence[int]) -> Floats:
        """What those who left at some stages did not bring, by last event (events,)."""
        some = list(at)
        return np.asarray(np.nan_to_num(self.unit[0, some]) @ self.lost[some])


def last_stage(stages: pa.Table | None) -> int:
    """The last stage that the log has; -1 where it has none."""
    return max((_STAGES.index(stage) for stage in stages["stage"].to_pylist()), default=-1) if stages else -1


def friction_of(
    people: People, stages: pa.Table | None, touchpoints: pa.Table | None, events: Sequence[str]
) -> Friction:
    """The friction from the tables of `dropoff` and `touchpoints`; None where they could not answer."""
    unit = np.full((3, len(STAGES)), np.nan)
    for row in stages.to_pylist() if stages is not None else ():
        price = [row[name] for name in ("price", "price_low", "price_high")]
        if row["left"] and price[0] is not None and np.isfinite(price[0]):
            # Those who left can't have cost less than nothing.
            unit[:, _STAGES.index(row["stage"])] = np.maximum(price, 0.0) / row["left"]
    cells = people.stage[people.left].astype(np.int64) * len(events) + people.last[people.left]
    lost = np.bincount(cells, minlength=len(STAGES) * len(events)).reshape(len(STAGES), len(events))
    pain, painful = _pains(touchpoints, events)
    leak = np.nan_to_num(unit) @ lost
    more = np.where(pain[0] > leak[0], pain - leak, 0.0)
    return Friction(unit, lost, pain, more, painful)


def _pains(touchpoints: pa.Table | None, events: Sequence[str]) -> tuple[Floats, NDArray[np.bool_]]:
    """What pain points cost in orders, and which they are."""
    pain, painful = np.zeros((3, len(events))), np.zeros(len(events), dtype=bool)
    code = {event: number for number, event in enumerate(events)}
    for row in touchpoints.to_pylist() if touchpoints is not None else ():
        if row["kind"] != "pain point" or row["touchpoint"] not in code:
            continue
        at = code[row["touchpoint"]]
        painful[at] = True
        worth = _worth(row)
        if worth is not None:
            pain[:, at] = worth
    return pain, painful


def _worth(row: dict[str, Any]) -> tuple[float, float, float] | None:
    """What a pain point costs, and its interval: that of the lifts, an order at the mean worth; None where it is unknown."""
    sure = any(row[p] is not None and row[p] < _LEVEL for p in ("p_lift", "p_repurchase"))
    money, gained = row["money"], row["gained"]
    if not sure or money is None or gained is None or not money < 0 or not gained < 0:
        return None
    ends = [
        sum(row[lift] * row[n] for lift, n in pairs if row[lift] is not None and np.isfinite(row[lift]))
        for pairs in (
            (("lift_high", "matched"), ("repurchase_high", "repurchase_matched")),
            (("lift_low", "matched"), ("repurchase_low", "repurchase_matched")),
        )
    ]
    each = money / gained
    return -money, max(-ends[0] * each, 0.0), -ends[1] * each


@dataclass(frozen=True, eq=False)
class Mood:
    """How content customers are, on a scale from −1 (worst) to 1 (best).

    Attributes:
        mean: Of all scores; nan without any.
        value, high: The mean after each touchpoint and the upper end of its interval, nan where too few (events,).
        n: Scores there (events,).
        half: Half the scale of the scores that customers' sums are made of; nan where there is more than one scale.
    """

    mean: float
    value: Floats
    high: Floats
    n: Floats
    half: float

    def of_touchpoints(self, shares: dict[int, float]) -> tuple[float, float, list[int]]:
        """The gap of some touchpoints, the scores it rests on, and those below the mean beyond chance, the lowest first."""
        known = [code for code in shares if not np.isnan(self.value[code])]
        if not known:
            return np.nan, 0.0, []
        weight = np.array([shares[code] * self.n[code] for code in known])
        gap = self.mean - float(weight @ self.value[known] / weight.sum())
        low = sorted(
            (code for code in known if self.high[code] < self.mean), key=lambda code: self.value[code]
        )
        return gap, float(weight.sum()), low

    def of_customers(self, people: People, who: NDArray[np.bool_]) -> tuple[float, float, bool]:
        """The gap of some customers, the scores it rests on, and whether it is beyond chance."""
        asked = who & (people.scores > 0)
        x, y = people.score[asked], people.scores[asked].astype(float)
        total = people.scores.sum()
        if np.isnan(self.half) or asked.sum() < FEW or not total:
            return np.nan, 0.0, False
        mean = people.score.sum() / total
        interval = ratio_interval(x.sum(), y.sum(), x @ x, x @ y, y @ y, asked.sum())
        ends = (np.array([interval.low, interval.high]) - mean) / self.half
        gap = (mean - x.sum() / y.sum()) / self.half
        return float(gap), float(y.sum()), bool(ends.max() < 0)


def mood_of(
    touchpoints: pa.Table | None, scales: pa.Table | None, kind: str | None, events: Sequence[str]
) -> Mood:
    """The mood from the tables of `emotion`; None where it could not answer.

    Args:
        touchpoints: The table of that name.
        scales: The table of that name.
        kind: The kind of question that customers' own scores are of; None where the log tells no kinds apart.
        events: The names of the log's events.
    """
    value, high, n = np.full(len(events), np.nan), np.full(len(events), np.nan), np.zeros(len(events))
    code = {event: number for number, event in enumerate(events)}
    rows = touchpoints.to_pylist() if touchpoints is not None else []
    rows = [row for row in rows if row["strand"] == "scores" and row["value"] is not None]
    for row in rows:
        if row["touchpoint"] in code and row["customers"] >= FEW and row["high"] is not None:
            at = code[row["touchpoint"]]
            value[at], high[at], n[at] = row["value"], row["high"], row["n"]
    total = sum(row["n"] for row in rows)
    mean = sum(row["value"] * row["n"] for row in rows) / total if total else np.nan
    ends = {
        (row["worst"], row["best"])
        for row in (scales.to_pylist() if scales is not None else ())
        if row["n"] and kind in (None, row["kind"]) and row["worst"] is not None and row["best"] is not None
    }
    worst, best = ends.pop() if len(ends) == 1 else (np.nan, np.nan)
    return Mood(float(mean), value, high, n, (best - worst) / 2 if best != worst else np.nan)
