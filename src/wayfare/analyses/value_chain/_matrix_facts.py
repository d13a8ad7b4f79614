"""What is known of each activity: what it costs and brings a year, what it serves, and how well it does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wayfare.domain.document import Path
from wayfare.domain.value_chain import Activity, ValueChain

YEAR = 365.0
"""Days; money over the log's days is scaled to so many."""
LEVEL = 0.05
NAN = float("nan")
EFFECT, TOUCHED, UNKNOWN = "effect", "touched", "not known"
MOMENT = "moment of truth"
NO_STAGE = "none"

Row = Mapping[str, Any]


Money = tuple[float, float, float]
"""Money with the lower and the upper end of its 95% interval."""
NO_MONEY: Money = (NAN, NAN, NAN)


@dataclass(frozen=True)
class Effect:
    """What meeting an activity's target adds to one outcome; money is a year's.

    Attributes:
        outcome: conversion, satisfaction, repurchase or referral.
        low, high: Its 95% interval.
        clear: Whether it is above nothing beyond chance, all comparisons considered.
        value: Money that it brings with those with whom the target is met, with its 95% interval; nan where money can't be said.
        gain: Money that those would bring who missed it, likewise.
        customers: Customers of either kind.
    """

    outcome: str
    low: float
    high: float
    clear: bool
    value: Money
    gain: Money
    customers: int


@dataclass(frozen=True)
class Facts:
    """One activity with everything that its class and its savings follow from; money is a year's.

    Attributes:
        activity: As the document has it.
        category: Porter's category.
        cost, unused: What it costs itself, and which part of that is capacity that nobody used.
        used_share: Minutes used of its capacity; nan without one.
        stage: The stage of the touchpoint that most of its cost goes to; *none* where it serves none.
        served: The touchpoints that it serves and that happened.
        others: Which other activities serve each of them.
        moments: Of those, the moments of truth, by stage.
        touched: Money of the moments of truth.
        effects: What its performance adds, as far as anything can be said.
        performance: Its row of `activity_effects`' table; empty where it has none.
        customers: Customers who met what it serves.
        kano: The category of the feature that goes by its name or its touchpoint's.
    """

    activity: Activity
    category: str
    cost: float
    unused: float
    used_share: float
    stage: str = NO_STAGE
    served: tuple[str, ...] = ()
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    moments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    touched: Money = NO_MONEY
    effects: tuple[Effect, ...] = ()
    performance: Row = field(default_factory=dict)
    customers: int = 0
    kano: str | None = None

    @property
    def id(self) -> str:
        """The activity's id."""
        return self.activity.id

    @property
    def priced(self) -> tuple[Effect, ...]:
        """The effects that money can be said of."""
        return tuple(effect for effect in self.effects if not np.isnan(effect.value[0]))

    @property
    def basis(self) -> str:
        """What its value rests on."""
        return EFFECT if self.priced else UNKNOWN if np.isnan(self.touched[0]) else TOUCHED

    @property
    def value(self) -> Money:
        """Money that it brings a year, from the effects or else touched."""
        return together([effect.value for effect in self.priced]) if self.priced else self.touched

    @property
    def gain(self) -> Money:
        """Money that it would bring more a year if its target were met with everybody."""
        return together([effect.gain for effect in self.priced])


def together(parts: Sequence[Money]) -> Money:
    """The sum of amounts taken as independent: the distances to their ends add up in quadrature."""
    if not parts:
        return NO_MONEY
    money, low, high = (np.array(each) for each in zip(*parts, strict=True))
    total = float(money.sum())
    return total, total - float(np.hypot.reduce(money - low)), total + float(np.hypot.reduce(high - money))


def facts_of(
    chain: ValueChain, days: int, costs: Mapping[str, Sequence[Row]], effects: Mapping[str, Sequence[Row]],
    touchpoints: Sequence[Row], kano: Mapping[str, str],
) -> list[Facts]:  # fmt: skip
    """The activities that cost, serve or do something of their own, in the document's order; a mere heading is left out."""
    year = YEAR / days if days > 0 else 0.0
    paid = {row["activity"]: row for row in costs["activities"]}
    traces = defaultdict(list)
    serving: dict[str, list[str]] = defaultdict(list)
    stages = {row["event"]: row["stage"] for row in costs["traces"]}
    for row in costs["traces"]:
        if row["events"]:
            traces[row["activity"]].append(row["event"])
            serving[row["event"]].append(row["activity"])
    known = _effects(effects["effects"], year)
    doing = {row["activity"]: row for row in effects["performance"]}
    moments = {row["touchpoint"]: row for row in touchpoints if row["kind"] == MOMENT}
    paths = {activity.id: path for path, activity in chain.activities()}
    linked, found = _downstream(chain), []
    for path, activity in chain.activities():
        if activity.cost is None and not activity.serves and activity.performance is None:
            continue
        row, events = paid[activity.id], tuple(traces[activity.id])
        mine = [moments[event] for event in events if event in moments]
        found.append(
            Facts(
                activity, str(path[1]), row["own_cost"] * year, row["unused_cost"] * year, _number(row["used_share"]),
                stages[events[0]] if events else NO_STAGE, events,
                {event: tuple(sorted(_strangers(paths, linked, activity.id, serving[event]))) for event in events},
                _by_stage(mine, stages), _touched(mine, year), tuple(known[activity.id]), doing.get(activity.id, {}), row["customers"],
                _kano(kano, activity, events),
            )
        )  # fmt: skip
    return found


def _strangers(
    paths: Mapping[str, Path], linked: Mapping[str, frozenset[str]], id: str, activities: Sequence[str]
) -> list[str]:
    """Those of the activities that do another's work beside it: not part of it, not made of it, no link of its chain."""
    path = paths[id]
    return [
        other
        for other in activities
        if paths[other][: len(path)] != path
        and path[: len(paths[other])] != paths[other]
        and other not in linked[id]
        and id not in linked[other]
    ]


def _downstream(chain: ValueChain) -> dict[str, frozenset[str]]:
    """Every activity that an activity's linkages lead to, over however many steps."""
    steps = {activity.id: [link.to for link in activity.linkages] for _, activity in chain.activities()}
    found = {}
    for start, first in steps.items():
        reached: set[str] = set()
        waiting = list(first)
        while waiting:
            here = waiting.pop()
            if here not in reached:
                reached.add(here)
                waiting += steps[here]
        found[start] = frozenset(reached)
    return found


def _effects(rows: Sequence[Row], year: float) -> Mapping[str, list[Effect]]:
    found: dict[str, list[Effect]] = defaultdict(list)
    for row in rows:
        if row["effect"] is None:
            continue
        clear = row["low"] > 0 and not _number(row["p_adjusted"]) >= LEVEL
        missed, customers = row["missed"], row["customers"]
        gain = tuple(_number(row[name]) * year for name in ("money", "money_low", "money_high"))
        value = tuple(money * (customers - missed) / missed if missed else NAN for money in gain)
        found[row["activity"]].append(
            Effect(row["outcome"], row["low"], row["high"], clear, value, gain, customers)  # type: ignore[arg-type]
        )
    return found


def _by_stage(moments: Sequence[Row], stages: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in moments:
        found[stages[row["touchpoint"]]].append(row["touchpoint"])
    return {stage: tuple(events) for stage, events in found.items()}


def _touched(moments: Sequence[Row], year: float) -> Money:
    """Money of the moments of truth, and its interval where the mean worth of their orders can be told."""
    priced = [row for row in moments if row["money"] is not None]
    money, low, high = together([_worth(row) for row in priced])
    return money * year, low * year, high * year


def _worth(row: Row) -> Money:
    lifts = (("matched", "lift", "lift_low", "lift_high"), ("repurchase_matched", "repurchase_lift", "repurchase_low", "repurchase_high"))  # fmt: skip
    gains = [
        tuple(row[n] * row[name] for name in (lift, low, high))
        for n, lift, low, high in lifts
        if row[lift] is not None
    ]
    gained, least, most = together(gains)
    # Two gains of different sign have no common worth of an order.
    worth = row["money"] / gained if len({gain[0] > 0 for gain in gains}) == 1 and gained else NAN
    return row["money"], worth * least, worth * most


def _kano(kano: Mapping[str, str], activity: Activity, events: Sequence[str]) -> str | None:
    names = (activity.id, activity.text, *events)
    return next((kano[plain(name)] for name in names if plain(name) in kano), None)


def plain(name: str) -> str:
    """A name without case and signs between its words, to compare it with others."""
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())


def _number(value: float | None) -> float:
    return NAN if value is None else float(value)
