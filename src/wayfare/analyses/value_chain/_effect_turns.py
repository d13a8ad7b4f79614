"""What came of the days on which an activity was changed: customers by group and period, and the effect of each turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._observed import Periods, periods_of
from wayfare.analyses.value_chain._effect_sums import OUTCOMES
from wayfare.analyses.value_chain._performance import NEVER, following_row, last_of_instant
from wayfare.domain.segment import Segment
from wayfare.domain.value_chain import Activity, Turn, ValueChain
from wayfare.errors import WayfareError
from wayfare.histories.answers import SATISFACTION_COLUMNS, satisfaction
from wayfare.histories.block import Block
from wayfare.histories.calendar import start_of_day
from wayfare.histories.filter import Condition, compile_segment
from wayfare.histories.fold import Fold, add_up
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import StageMap
from wayfare.log import Log
from wayfare.stats.difference import (
    NOTHING,
    Cells,
    Difference,
    GroupEffect,
    overall_effect,
    staggered_effects,
)
from wayfare.stats.multiplicity import holm

TOO_FEW = 30
"""Customers of the group before and after, and of those compared with; under it nothing is said."""
_SHORT_DAYS = 300
_AT_ONCE = 8_192
_DAY = 86_400_000_000
STAGGERED = "difference in differences against customers not (yet) reached"
BEFORE_AFTER = "before and after"
DOUBT = "can't be trusted"
_WIDER = 1.2


@dataclass(frozen=True)
class Changed:
    """The turns of one activity in the codes of one log, those of one day in one group.

    Attributes:
        activity: The activity's id.
        days: The first day of each group.
        texts: What was changed then.
        members: For each group, the conditions of its turns: a customer is in the first group that has a turn all
            of whose conditions hold.
        before: For each outcome and group, how many periods are over, with the time that outcomes take, before the turn.
        since: For each group, the first period that lies after the turn as a whole.
    """

    activity: str
    days: tuple[str, ...]
    texts: tuple[str, ...]
    members: tuple[tuple[tuple[Condition, ...], ...], ...]
    before: tuple[tuple[int, ...], ...]
    since: tuple[int, ...]


def turn_periods(log: Log) -> Periods:
    """Months, or weeks where the log is shorter than 300 days."""
    first = log.facts.first
    short = first is not None and log.ends - first < _SHORT_DAYS * _DAY
    return periods_of(log, "week" if short else "month")


def changed_of(
    chain: ValueChain, log: Log, periods: Periods, window: int
) -> tuple[tuple[Changed, ...], dict[str, str]]:
    """The turns of every activity that has any, and why those of some can't be looked at."""
    found, missing = [], {}
    for _, activity in chain.activities():
        if not activity.turns:
            continue
        try:
            found.append(_changed(activity, log, periods, window))
        except WayfareError as error:
            missing[activity.id] = str(error).rstrip(".")
    return tuple(found), missing


def _changed(activity: Activity, log: Log, periods: Periods, window: int) -> Changed:
    days = sorted({turn.since.isoformat() for turn in activity.turns})
    moments = [start_of_day(day, log.zone) for day in days]
    members = [
        tuple(_conditions(turn, log) for turn in activity.turns if turn.since.isoformat() == day)
        for day in days
    ]
    edges = periods.edges
    before = []
    for outcome in OUTCOMES:
        takes = 0 if outcome == "satisfaction" else window
        before.append(tuple(int(np.searchsorted(edges[1:] + takes, at, side="right")) for at in moments))
    since = tuple(int(np.searchsorted(edges[:-1], at)) for at in moments)
    said = ["; ".join(turn.text for turn in activity.turns if turn.since.isoformat() == day) for day in days]
    return Changed(activity.id, tuple(days), tuple(said), tuple(members), tuple(before), since)


def _conditions(turn: Turn, log: Log) -> tuple[Condition, ...]:
    source = log.source
    return tuple(
        compile_segment(Segment.parse(text), source.schema, lambda column, name: source.names(column).code(name))
        for text in turn.segment
    )  # fmt: skip


@dataclass(frozen=True)
class Turns(Fold[dict[str, Any]]):
    """For each changed activity and outcome, the sums by group and period; the last group is those never reached.

    Attributes:
        changed: The activities' turns.
        stages: Which events are orders.
        referrals: The codes of the events by which a customer brings others.
        kind: The kind of question whose scores count.
        window: How long outcomes are waited for, µs.
        ends: The log's end, µs.
        edges: When each period starts, µs, and when the last ends.
    """

    changed: tuple[Changed, ...]
    stages: StageMap
    referrals: tuple[int, ...]
    kind: int
    window: int
    ends: int
    edges: tuple[int, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders and scores, and what the segments are about."""
        said = (c.column for one in self.changed for turns in one.members for turn in turns for c in turn)
        return tuple(dict.fromkeys((*ORDER_COLUMNS, *SATISFACTION_COLUMNS, *said)))

    @property
    def periods(self) -> int:
        """How many there are."""
        return len(self.edges) - 1

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        """Sums add up; the scale grows to what was answered."""
        low, high = (np.stack([left["scale"][i], right["scale"][i]]) for i in (0, 1))
        return {
            "cells": add_up(left["cells"], right["cells"]),
            "customers": add_up(left["customers"], right["customers"]),
            "scale": np.array([np.fmin(*low), np.fmax(*high)]),
        }

    def scan(self, block: Block) -> dict[str, Any]:
        """The sums of one block."""
        score = satisfaction(block, self.kind)
        given = score[~np.isnan(score)]
        seen = [self._seen(block, outcome, score) for outcome in OUTCOMES]
        cells, customers = {}, {}
        for one in self.changed:
            group = _group_of(block, one)
            for place, outcome in enumerate(OUTCOMES):
                sums, counts = self._sums(block, one, group, place, *seen[place])
                cells[f"{one.activity} {outcome}"] = sums
                customers[f"{one.activity} {outcome}"] = counts
        scale = (given.min(), given.max()) if given.size else (np.nan, np.nan)
        return {"cells": cells, "customers": customers, "scale": np.array(scale)}

    def _seen(self, block: Block, outcome: str, score: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """What is looked at of an outcome, by customer and time: whose, in which period, and what came of it."""
        if outcome == "satisfaction":
            rows = np.flatnonzero(~np.isnan(score))
            return block.owner[rows], self._period(block["time"][rows]), score[rows]
        orders = orders_of(block, self.stages)
        rows = block.starts[:-1] if outcome == "conversion" else orders.row
        owner, time = block.owner[rows], block["time"][rows]
        period = self._period(time)
        once = np.ones(rows.size, dtype=bool)
        once[1:] = (owner[1:] != owner[:-1]) | (period[1:] != period[:-1])
        once &= time + self.window <= self.ends
        rows, owner, time, period = rows[once], owner[once], time[once], period[once]
        aims = np.flatnonzero(block.happened(self.referrals)) if outcome == "referral" else orders.row
        # Who arrives with an order has converted; an order is followed by what comes after its instant.
        since = rows - 1 if outcome == "conversion" else last_of_instant(block)[rows]
        came = _time_of_next(block, since, owner, aims)
        return owner, period, (came <= time + self.window).astype(float)

    def _period(self, time: NDArray) -> NDArray[np.int64]:
        number = np.searchsorted(np.array(self.edges), time, side="right") - 1
        return np.clip(number, 0, max(self.periods - 1, 0))

    def _sums(
        self, block: Block, one: Changed, group: NDArray, place: int, owner: NDArray, period: NDArray, y: NDArray
    ) -> tuple[Cells, NDArray]:  # fmt: skip
        groups, t = len(one.days) + 1, self.periods
        n_all, y_all = np.zeros((groups, t)), np.zeros((groups, t))
        products = np.zeros((3, groups, t, t))
        counts = np.zeros((groups, 2))
        for first in range(0, block.customers, _AT_ONCE):
            mine = slice(*np.searchsorted(owner, (first, first + _AT_ONCE)))
            size = min(_AT_ONCE, block.customers - first)
            cell = (owner[mine] - first) * t + period[mine]
            n = np.bincount(cell, minlength=size * t).reshape(size, t).astype(float)
            total = np.bincount(cell, weights=y[mine], minlength=size * t).reshape(size, t)
            for g in np.unique(group[first : first + size]):
                who = group[first : first + size] == g
                a, b = n[who], total[who]
                n_all[g] += a.sum(axis=0)
                y_all[g] += b.sum(axis=0)
                products[:, g] += np.stack([a.T @ a, a.T @ b, b.T @ b])
                if g < groups - 1:
                    ahead, behind = a[:, : one.before[place][g]], a[:, one.since[g] :]
                    counts[g] += (ahead.any(axis=1).sum(), behind.any(axis=1).sum())
        return Cells(n_all, y_all, *products), counts


def _time_of_next(block: Block, since: NDArray, owner: NDArray, aims: NDArray) -> NDArray[np.int64]:
    """When the first of the ascending rows `aims` comes after the row `since`, of the same customer; `NEVER` for none."""
    found = following_row(block, since, aims, owner)
    return np.where(found >= 0, block["time"][np.maximum(found, 0)] if block.rows else NEVER, NEVER)


def _group_of(block: Block, one: Changed) -> NDArray[np.int64]:
    """The group of each customer: the first turn that reached it, the last number for none (customers,)."""
    group = np.full(block.customers, len(one.days), dtype=np.int64)
    if not block.rows:
        return group
    for number in reversed(range(len(one.days))):
        reached = np.zeros(block.customers, dtype=bool)
        for conditions in one.members[number]:
            who = np.ones(block.customers, dtype=bool)
            for condition in conditions:
                who &= condition.members(block)
            reached |= who
        group[reached] = number
    return group


def turn_rows(
    chain: ValueChain, fold: Turns, sums: dict[str, Any], missing: dict[str, str], scale: tuple[float, float]
) -> list[dict[str, Any]]:
    """A row for each turn and outcome, and for all turns of an activity together where there are several."""
    known = {one.activity: one for one in fold.changed}
    rows: list[dict[str, Any]] = []
    for _, activity in chain.activities():
        for outcome in OUTCOMES if activity.turns else ():
            one = known.get(activity.id)
            if one is None:
                text = "; ".join(turn.text for turn in activity.turns)
                rows.append(_row(activity.id, None, text, outcome, note=missing[activity.id]))
                continue
            name = f"{activity.id} {outcome}"
            cells = sums["cells"][name]
            if outcome == "satisfaction":
                cells = _on_unit_scale(cells, *scale)
            rows += _rows(one, outcome, cells, sums["customers"][name])
    p = holm(np.array([row["p"] for row in rows], dtype=float)) if rows else np.zeros(0)
    return [row | {"p_adjusted": float(adjusted)} for row, adjusted in zip(rows, p, strict=True)]


def _rows(one: Changed, outcome: str, cells: Cells, customers: NDArray) -> list[dict[str, Any]]:
    place, periods = OUTCOMES.index(outcome), cells.n.shape[1]
    before = np.array([*one.before[place], periods])
    since = np.array([*one.since, periods])
    found = {effect.group: effect for effect in staggered_effects(cells, before, since)}
    rows, said = [], []
    for group, (day, text) in enumerate(zip(one.days, one.texts, strict=True)):
        effect, counts = found.get(group), customers[group]
        few = effect is None or min(effect.n_before, effect.n_after, *counts) < TOO_FEW or np.isnan(effect.effect.low)  # fmt: skip
        if effect is None or few:
            least = f"{int(counts[0]):,} customers before and {int(counts[1]):,} after"
            rows.append(_row(one.activity, day, text, outcome, counts, note=f"too few to say: {least}"))
            continue
        said.append(effect)
        method = STAGGERED if effect.controls else BEFORE_AFTER
        rows.append(
            _row(one.activity, day, text, outcome, counts, effect.effect, effect.trend, method, _note(effect))
        )
    compared = tuple(effect for effect in said if effect.controls)
    if len(compared) > 1:
        counts = customers[[effect.group for effect in compared]].sum(axis=0)
        together = overall_effect(cells, compared)
        note = "all turns together, weighted by customers"
        rows.append(
            _row(
                one.activity, None, "; ".join(one.texts), outcome, counts, together, NOTHING, STAGGERED, note
            )
        )
    return rows


def _note(effect: GroupEffect) -> str:
    trend, parts = effect.trend, []
    if not effect.controls:
        parts.append("it reached everybody: whatever else changed then, and the season, is in the difference")
    if np.isnan(trend.low):
        parts.append("too few periods before it to see a trend")
    elif trend.low > 0 or trend.high < 0:
        moved = "those it reached moved apart from the others" if effect.controls else "there was a trend"
        parts.append(f"{moved} before it: the effect {DOUBT}")
    if effect.scatter > _WIDER:
        parts.append("interval widened: whole groups move more than chance among customers does")
    return "; ".join(parts)


def _row(
    activity: str, day: str | None, text: str, outcome: str, customers: Any = (0, 0), effect: Difference = NOTHING,
    trend: Difference = NOTHING, method: str = "", note: str = "",
) -> dict[str, Any]:  # fmt: skip
    return {
        "activity": activity, "since": day, "outcome": outcome, "effect": effect.estimate, "low": effect.low,
        "high": effect.high, "customers_before": int(customers[0]), "customers_after": int(customers[1]),
        "pre_trend": trend.estimate, "pre_trend_low": trend.low, "pre_trend_high": trend.high, "method": method,
        "note": note, "text": text, "p": effect.p,
    }  # fmt: skip


def _on_unit_scale(cells: Cells, low: float, high: float) -> Cells:
    """The same sums for scores (y − low) / (high − low)."""
    size = high - low
    ny = (cells.ny - low * cells.nn) / size
    yn = cells.ny.transpose(0, 2, 1)
    yy = (cells.yy - low * cells.ny - low * yn + low**2 * cells.nn) / size**2
    return Cells(cells.n, (cells.y - low * cells.n) / size, cells.nn, ny, yy)
