"""The activities of a chain on one log: what each serves, how long that takes, and what it cost over the log's days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.value_chain._minutes import RowEquation, equation_on
from wayfare.domain.document import Path
from wayfare.domain.value_chain import Activity, PeriodCost, TimeDrivenCost, TimeEquation, ValueChain
from wayfare.histories.calendar import local_days
from wayfare.log import Log
from wayfare.stats.costing import over_span, overlapping_share, resource

NAN = float("nan")
_COVERED = 0.98
"""Amounts for so many of the log's days are as good as for all: logs end in the middle of a day."""


@dataclass(frozen=True)
class Span:
    """The days that a log covers, numbered since 1970-01-01, both included; the last is before the first where there are none."""

    first: int
    last: int

    @property
    def days(self) -> int:
        """How many days."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Line:
    """One activity on the log.

    Attributes:
        activity: As the document has it.
        path: Where it stands there.
        parts: The places, in the list of lines, of the activities that it is made of.
        served: The codes of the events that it serves, each once, as far as the log has them.
        equations: How long the rows of those take; none for what nobody said a time for.
        notes: What can't be said.
    """

    activity: Activity
    path: Path
    parts: tuple[int, ...] = ()
    served: tuple[int, ...] = ()
    equations: tuple[RowEquation, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """How deep it is nested: 0 for an activity that is part of no other."""
        return self.path.count("parts")

    @property
    def category(self) -> str:
        """Porter's category."""
        return str(self.path[1])


@dataclass(frozen=True)
class Costed:
    """What a line cost over the log's days: `traced + unused + untraced` is `own`.

    Attributes:
        line: The activity.
        own: What it cost without its parts.
        whole: With its parts.
        rate: Money a minute; nan where its cost does not follow time.
        minutes: Minutes used; nan where nobody said a time.
        capacity: Minutes of its capacity; nan without one.
        share: Minutes used of the capacity.
        overload: Minutes beyond it.
        unused: Money for capacity that nobody used.
        untraced: Money that reaches no touchpoint.
        events: How often what it serves happened.
        customers: How many customers met that.
        by_event: Money by event code.
        notes: What can't be said.
    """

    line: Line
    own: float = 0.0
    whole: float = 0.0
    rate: float = NAN
    minutes: float = NAN
    capacity: float = NAN
    share: float = NAN
    overload: float = 0.0
    unused: float = 0.0
    untraced: float = 0.0
    events: int = 0
    customers: int = 0
    by_event: Mapping[int, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def traced(self) -> float:
        """Money that reaches touchpoints."""
        return sum(self.by_event.values())


def span_of(log: Log) -> Span:
    """The days that the log covers, as far as its filter lets it."""
    first, last = log.facts.first, log.ends
    if first is None:
        return Span(0, -1)
    since, until = log.condition.since, log.condition.until
    first = first if since is None else max(first, since)
    if until is not None and last == until:
        last -= 1  # the moment itself is no longer in it
    low, high = (int(day) for day in local_days(np.array([first, last]), log.zone))
    return Span(low, high) if first <= last else Span(0, -1)


def in_part(log: Log) -> bool:
    """Whether the log is filtered to some customers or events, while capacity and amounts are the whole company's."""
    return bool(log.condition.conditions) or log.condition.events is not None


def lines_of(log: Log, chain: ValueChain) -> list[Line]:
    """Every activity of the chain, an activity before its parts."""
    found = list(chain.activities())
    place = {path: number for number, (path, _) in enumerate(found)}
    return [
        replace(
            _on_log(log, activity, path),
            parts=tuple(place[(*path, "parts", index)] for index in range(len(activity.parts))),
        )
        for path, activity in found
    ]


def _on_log(log: Log, activity: Activity, path: Path) -> Line:
    names, cost = log.names("event"), activity.cost
    usual = cost.minutes if isinstance(cost, TimeDrivenCost) else None
    served: dict[int, None] = {}
    equations: list[RowEquation] = []
    notes: list[str] = []
    for serves in activity.serves:
        code = names.code(serves.event)
        if code is None:
            notes.append(f"the log has no event {serves.event!r}")
            continue
        served[code] = None
        time = serves.time or (TimeEquation(base=usual) if usual is not None else None)
        if time is not None:
            equation, trouble = equation_on(log, code, time)
            equations.append(equation)
            notes += trouble
        elif isinstance(cost, TimeDrivenCost):
            notes.append(f"nobody said how long {serves.event!r} takes, so it takes no minutes")
    return Line(activity, path, (), tuple(served), tuple(equations), tuple(notes))


def with_terms(lines: Sequence[Line]) -> Iterator[tuple[Line, RowEquation]]:
    """The equations that have terms, in the order in which `Used` is given them."""
    return ((line, equation) for line in lines for equation in line.equations if equation.terms)


def amounts_are_spread(lines: Sequence[Line]) -> bool:
    """Whether some cost is divided by a number of events, which has to be counted first."""
    return any(isinstance(line.activity.cost, PeriodCost) and line.served for line in lines)


def costed(lines: Sequence[Line], events: NDArray, minutes: NDArray, span: Span) -> list[Costed]:
    """What every line cost, given how often each event happened and the minutes of the equations with terms."""
    varying = iter(minutes.tolist())
    each = []
    for line in lines:
        taken = [
            (
                equation.event,
                next(varying) if equation.terms else equation.base * float(events[equation.event]),
            )
            for equation in line.equations
        ]
        each.append(_one(line, events, taken, span))
    whole = [one.own for one in each]
    for number in reversed(range(len(lines))):  # parts stand after what they are part of
        whole[number] += sum(whole[part] for part in lines[number].parts)
    return [replace(one, whole=cost) for one, cost in zip(each, whole, strict=True)]


def _one(line: Line, events: NDArray, taken: Sequence[tuple[int, float]], span: Span) -> Costed:
    cost = line.activity.cost
    used = sum(minutes for _, minutes in taken) if taken else NAN
    base = Costed(line, minutes=used, events=int(events[list(line.served)].sum()), notes=line.notes)
    if isinstance(cost, TimeDrivenCost):
        return _by_time(base, cost, taken, span)
    if isinstance(cost, PeriodCost):
        return _by_period(base, cost, events, span)
    return base


def _by_time(base: Costed, cost: TimeDrivenCost, taken: Sequence[tuple[int, float]], span: Span) -> Costed:
    rate, capacity = cost.rate_per_minute, over_span(cost.capacity_minutes, cost.per, span.first, span.last)
    if not taken:
        paid, why = capacity * rate, "not traced: nobody said what its minutes are spent on"
        return replace(base, own=paid, rate=rate, capacity=capacity, untraced=paid, notes=(*base.notes, why))
    found = resource(base.minutes, capacity, rate)
    by_event: dict[int, float] = {}
    for event, minutes in taken:
        by_event[event] = by_event.get(event, 0.0) + minutes * rate
    notes = base.notes
    if found.overload > 0:
        beyond = f"{found.overload:,.0f} minutes more than its capacity, priced at the same rate"
        notes = (*notes, beyond)
    return replace(base, own=found.cost, rate=rate, capacity=capacity, share=found.share, overload=found.overload,
                   unused=found.unused, by_event=by_event, notes=notes)  # fmt: skip


def _by_period(base: Costed, cost: PeriodCost, events: NDArray, span: Span) -> Costed:
    paid, covered = 0.0, 0
    for amount in cost.amounts:
        since, to = (int(np.datetime64(day, "D").astype(np.int64)) for day in (amount.since, amount.to))
        share = overlapping_share(since, to, span.first, span.last)
        paid += amount.amount * share
        covered += round(share * (to - since + 1))
    notes = base.notes
    if covered < _COVERED * span.days:
        notes = (*notes, f"its amounts cover {covered:,} of the log's {span.days:,} days")
    if base.events == 0:
        why = "serves no touchpoint" if not base.line.activity.serves else "what it serves never happened"
        return replace(base, own=paid, untraced=paid, notes=(*notes, f"not traced: {why}"))
    by_event = {code: paid * float(events[code]) / base.events for code in base.line.served}
    return replace(
        base,
        own=paid,
        by_event=by_event,
        notes=(*notes, "spread over its touchpoints by count, the same for every event"),
    )


def per_event(found: Sequence[Costed]) -> tuple[float, ...]:
    """Money by line that each event it serves costs, where the cost is divided by count."""
    return tuple(
        one.traced / one.events if isinstance(one.line.activity.cost, PeriodCost) and one.events else 0.0
        for one in found
    )


def unit_costs(lines: Sequence[Line], spread: Sequence[float], codes: int) -> tuple[float, ...]:
    """Money that one event costs whatever is in its row, by event code; `spread` is what `per_event` gave."""
    unit = np.zeros(codes)
    for line, share in zip(lines, spread, strict=True):
        unit[list(line.served)] += share
        cost = line.activity.cost
        if isinstance(cost, TimeDrivenCost):
            for equation in line.equations:
                unit[equation.event] += 0.0 if equation.terms else equation.base * cost.rate_per_minute
    return tuple(unit.tolist())


def varying_costs(lines: Sequence[Line]) -> tuple[tuple[RowEquation, float], ...]:
    """The equations with terms, each with its money a minute."""
    return tuple(
        (equation, line.activity.cost.rate_per_minute)
        for line, equation in with_terms(lines)
        if isinstance(line.activity.cost, TimeDrivenCost)
    )
