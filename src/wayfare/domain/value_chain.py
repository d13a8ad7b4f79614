"""The value chain: what the company does, what that costs, and which touchpoints it serves.

The nine categories are Porter's, *Competitive Advantage* (1985); time-driven costs are Kaplan and Anderson's,
*Time-Driven Activity-Based Costing* (2004).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from wayfare.domain.document import (
    Condition,
    Day,
    Document,
    Id,
    Money,
    Part,
    Path,
    Problem,
    Text,
    Within,
    Words,
    cycle,
    refuse,
    twice,
    unknown,
)

PRIMARY = ("inbound_logistics", "operations", "outbound_logistics", "marketing_and_sales", "service")
SUPPORT = ("procurement", "technology", "people", "infrastructure")
DEEPEST = 8
"""Activities are nested no deeper: a chain that nobody can draw is read by nobody."""

Minutes = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Amount(Part):
    """What was spent from a day to another, both included, in the workspace's currency."""

    since: Day = Field(alias="from")
    to: Day
    amount: Money

    @model_validator(mode="after")
    def _forward(self) -> Amount:
        if self.to < self.since:
            raise ValueError(f"the period ends on {self.to}, before it begins on {self.since}")
        return self


class PeriodCost(Part):
    """A cost known by period."""

    kind: Literal["amounts"]
    amounts: tuple[Amount, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> PeriodCost:
        ordered = sorted(self.amounts, key=lambda amount: amount.since)
        for earlier, later in pairwise(ordered):
            if later.since <= earlier.to:
                raise ValueError(f"two periods share the day {later.since}")
        return self


class TimeDrivenCost(Part):
    """A cost that follows the time an activity takes.

    Attributes:
        capacity_minutes: The minutes that can be worked in the period (practical capacity).
        per: The period.
        minutes: What one run takes, where no time equation says it.
        rate: Money a minute.
        capacity_cost: Money for the whole capacity; the rate is then that divided by `capacity_minutes`.
    """

    kind: Literal["time_driven"]
    capacity_minutes: float = Field(gt=0, allow_inf_nan=False)
    per: Literal["month", "quarter", "year"] = "month"
    minutes: Minutes | None = None
    rate: Money | None = None
    capacity_cost: Money | None = None

    @model_validator(mode="after")
    def _one_rate(self) -> TimeDrivenCost:
        if (self.rate is None) == (self.capacity_cost is None):
            raise ValueError("write either `rate` or `capacity_cost`")
        return self

    @property
    def rate_per_minute(self) -> float:
        """What a minute costs: cost of capacity ÷ practical capacity (Kaplan and Anderson 2004)."""
        return self.rate if self.rate is not None else (self.capacity_cost or 0) / self.capacity_minutes


class Term(Part):
    """A term of a time equation: minutes for each unit of a column, or where a condition holds, or both.

    `minutes: 2, per: quantity` are two minutes a piece; `minutes: 3, when: channel=store` are three more in a store.
    """

    minutes: float = Field(allow_inf_nan=False)
    per: Words | None = None
    when: Condition | None = None

    @model_validator(mode="after")
    def _depends(self) -> Term:
        if self.per is None and self.when is None:
            raise ValueError("a term says `per` which column or `when`; what always counts is `base`")
        return self


class TimeEquation(Part):
    """Minutes that one event takes: `base` and the sum of the terms."""

    base: Minutes = 0
    terms: tuple[Term, ...] = ()


class Serves(Part):
    """A touchpoint (an event of the log) that an activity serves, and how long one takes."""

    event: Words
    time: TimeEquation | None = None


class Linkage(Part):
    """How an activity bears on another: its work goes there (`feeds`), or it makes that possible (`supports`)."""

    to: Id
    kind: Literal["feeds", "supports"] = "feeds"
    text: Text = ""


class Performance(Part):
    """How well an activity does, read from the log.

    Attributes:
        measure: `lead_time`, `waiting` and `first_response` are times from `start` to `end`; `defect` is the share of
            `start` that `end` follows.
        start, end: Events of the log.
        within: How long `end` is waited for.
        at_most: The target: hours, or a share for `defect`.
    """

    measure: Literal["lead_time", "defect", "waiting", "first_response"]
    start: Words
    end: Words
    within: Within | None = None
    at_most: float | None = Field(None, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _two_events(self) -> Performance:
        if self.start == self.end:
            raise ValueError(f"{self.measure} runs from one event to another; both are {self.start!r}")
        if self.measure == "defect" and (self.at_most or 0) > 1:
            raise ValueError(f"a share of defects is at most 1, not {self.at_most:g}")
        return self


class Turn(Part):
    """A day from which an activity was done otherwise, for all customers or for those of a segment.

    Several turns of one change on different days, each for other customers, are a staggered roll-out.

    Attributes:
        since: The first day.
        text: What changed.
        segment: Conditions on a customer's history, all of which hold for those whom it reached; all customers where none is said.
    """

    since: Day
    text: Words
    segment: tuple[Condition, ...] = ()


class Activity(Part):
    """Something the company does, with the activities that it is made of.

    Attributes:
        id: Its name for references, unlike any other in the chain.
        text: What is done.
        owner: Who answers for it.
        cost: What it costs, without its parts.
        linkages: The activities that it bears on.
        serves: The touchpoints that customers meet it at.
        performance: How well it does.
        turns: When it was changed.
        parts: The activities that it is made of.
    """

    id: Id
    text: Words
    owner: Text = ""
    cost: Annotated[PeriodCost | TimeDrivenCost, Field(discriminator="kind")] | None = None
    linkages: tuple[Linkage, ...] = ()
    serves: tuple[Serves, ...] = ()
    performance: Performance | None = None
    turns: tuple[Turn, ...] = ()
    parts: tuple[Activity, ...] = ()


class Primary(Part):
    """The activities that make, sell, deliver and look after the product."""

    inbound_logistics: tuple[Activity, ...] = ()
    operations: tuple[Activity, ...] = ()
    outbound_logistics: tuple[Activity, ...] = ()
    marketing_and_sales: tuple[Activity, ...] = ()
    service: tuple[Activity, ...] = ()


class Support(Part):
    """The activities that the primary ones rest on."""

    procurement: tuple[Activity, ...] = ()
    technology: tuple[Activity, ...] = ()
    people: tuple[Activity, ...] = ()
    infrastructure: tuple[Activity, ...] = ()


class ValueChain(Document):
    """A value chain; ids are unlike each other, and linkages lead to other activities and never in a circle."""

    KIND: ClassVar[str] = "value_chain"
    USUAL: ClassVar[str] = "value-chain"

    document: Literal["value_chain"] = "value_chain"
    primary: Primary = Primary()
    support: Support = Support()

    @model_validator(mode="after")
    def _whole(self) -> ValueChain:
        refuse([*twice(self.places()), *self._deep(), *self._linked(), *self._circular()])
        return self

    def activities(self) -> Iterator[tuple[Path, Activity]]:
        """Every activity with where it stands, an activity before its parts."""
        for side in ("primary", "support"):
            for category in PRIMARY if side == "primary" else SUPPORT:
                top = getattr(getattr(self, side), category)
                waiting: list[tuple[Path, Activity]] = []
                waiting += [((side, category, index), each) for index, each in enumerate(top)][::-1]
                while waiting:
                    path, activity = waiting.pop()
                    yield path, activity
                    parts = [((*path, "parts", index), part) for index, part in enumerate(activity.parts)]
                    waiting += parts[::-1]

    def activity(self, id: str) -> Activity | None:
        """The activity of that id."""
        return next((activity for _, activity in self.activities() if activity.id == id), None)

    def places(self) -> Iterator[tuple[Path, str, str]]:
        """Every activity: where it stands, its id, and its words."""
        return ((path, activity.id, activity.text) for path, activity in self.activities())

    def _deep(self) -> Iterator[Problem]:
        for path, activity in self.activities():
            if path.count("parts") == DEEPEST:
                yield Problem(path, f"{activity.id!r} is nested more than {DEEPEST} activities deep")

    def _linked(self) -> Iterator[Problem]:
        ways = {activity.id: path for path, activity in self.activities()}
        for path, activity in self.activities():
            for index, linkage in enumerate(activity.linkages):
                here = (*path, "linkages", index, "to")
                yield from unknown("activity", linkage.to, ways, here)
                other = ways.get(linkage.to, ())
                whole = other and linkage.to != activity.id
                if whole and (path[: len(other)] == other or other[: len(path)] == path):
                    yield Problem(here, f"{activity.id!r} and {linkage.to!r} are part of each other")

    def _circular(self) -> Iterator[Problem]:
        for kind in ("feeds", "supports"):
            edges = {
                activity.id: [linkage.to for linkage in activity.linkages if linkage.kind == kind]
                for _, activity in self.activities()
            }
            way = cycle(edges)
            if way:
                yield Problem(
                    self._linkage(kind, way[0], way[1]), f"linkages go round in a circle: {' → '.join(way)}"
                )

    def _linkage(self, kind: str, source: str, target: str) -> Path:
        """Where the linkage stands."""
        return next(
            (*path, "linkages", index, "to")
            for path, activity in self.activities()
            for index, linkage in enumerate(activity.linkages)
            if (activity.id, linkage.kind, linkage.to) == (source, kind, target)
        )
