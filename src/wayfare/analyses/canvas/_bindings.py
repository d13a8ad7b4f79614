"""What the items of a canvas ask of the log: every distinct question once, and the references that lead nowhere."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from wayfare.analyses.canvas._measures import MET, Figure
from wayfare.domain.canvas import Canvas, Item, Metric
from wayfare.domain.duration import Duration
from wayfare.domain.segment import Segment
from wayfare.errors import InvalidParameter
from wayfare.histories.filter import Condition, compile_segment
from wayfare.histories.schema import Kind
from wayfare.histories.source import Names
from wayfare.log import Log
from wayfare.result import table

USUAL_WITHIN = {"repurchase_rate": Duration.parse("90d")}
"""How long customers have where the metric does not say; other measures then have no end."""
TIMELESS = ("lifetime_value", "customer_satisfaction", "net_promoter_score")
"""Measures for which it is nothing how long customers have."""
_AS_READ = {"churn_rate": "retention_rate"}
_SEARCHED = 2_000
"""A column with more names than this is not searched for the closest one."""

_Fault = tuple[str, str, str]
"""What kind of reference leads nowhere, what was written, and the closest name."""


@dataclass(frozen=True)
class Broken:
    """A reference to something that the log does not have.

    Attributes:
        item: The id of the item that has it.
        block: The item's block.
        what: `event`, `column`, `value` (a name that a text column never has) or `condition` (it can't be judged).
        name: What was written.
        closest: The name that the log has and that is most like it; empty where none is.
    """

    item: str
    block: str
    what: str
    name: str
    closest: str

    @property
    def said(self) -> str:
        """What is wrong, in words."""
        if self.what == "condition":
            return f"the condition {self.name!r} can't be judged"
        closest = f" (is {self.closest!r} meant?)" if self.closest else ""
        return f"the log has no {self.what} {self.name!r}{closest}"


@dataclass(frozen=True)
class Bound:
    """An item with something of the log bound to it.

    Attributes:
        item: The item.
        block: Its block.
        pair: The number of its question; None where nothing can be asked.
        notes: Why it can't be, and what else is wrong with its references.
        unsound: Whether what it asks rests on a broken reference.
    """

    item: Item
    block: str
    pair: int | None
    notes: tuple[str, ...] = ()
    unsound: bool = False


@dataclass(frozen=True)
class Bindings:
    """Every question that a canvas asks of a log.

    Attributes:
        bound: The items that ask something.
        broken: References that lead nowhere.
        conditions, segments, figures, pairs: The distinct ones, as the fold takes them.
    """

    bound: tuple[Bound, ...]
    broken: tuple[Broken, ...]
    conditions: tuple[Condition, ...]
    segments: tuple[tuple[int, ...], ...]
    figures: tuple[Figure, ...]
    pairs: tuple[tuple[int, int], ...]


def bindings_of(canvas: Canvas, log: Log) -> Bindings:
    """The questions of a canvas, looked up for the codes of a log."""
    return _Reader(log, {item.id: item for item in canvas.customer_segments}).read(canvas)


def broken_table(broken: Sequence[Broken]) -> pa.Table:
    """A row for each reference that leads nowhere."""
    names = ("item", "block", "what", "name", "closest")
    return table(**{n: pa.array([getattr(b, n) for b in broken], pa.string()) for n in names})


@dataclass
class _Reader:
    """Reads item by item; each dictionary holds the distinct values with their places, in the order they were met."""

    log: Log
    groups: dict[str, Item]
    conditions: dict[Condition, int] = field(default_factory=dict)
    segments: dict[tuple[int, ...], int] = field(default_factory=lambda: {(): 0})
    figures: dict[Figure, int] = field(default_factory=dict)
    pairs: dict[tuple[int, int], int] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    judged: dict[str, Condition | _Fault] = field(default_factory=dict)
    likest: dict[tuple[str, str], str] = field(default_factory=dict)

    def read(self, canvas: Canvas) -> Bindings:
        """The questions of all items that ask something."""
        bound = tuple(
            self._bound(block, item)
            for block, item in canvas.items()
            if item.bindings.metric or item.bindings.touchpoints or item.bindings.segment
        )
        return Bindings(
            bound,
            tuple(self.broken),
            tuple(self.conditions),
            tuple(self.segments),
            tuple(self.figures),
            tuple(self.pairs),
        )

    def _bound(self, block: str, item: Item) -> Bound:
        touches, lost = self._touches(item)
        own, faults = self._segment(item)
        found = [Broken(item.id, block, *fault) for fault in (*lost, *faults)]
        self.broken += found
        notes = [broken.said for broken in found]
        metric = item.bindings.metric
        if metric is None:
            figure = Figure(MET, touches=touches if item.bindings.touchpoints else None)
            return Bound(item, block, self._pair(figure, own), tuple(notes), bool(found))
        segment, others = self._of(metric, item)
        figure = _figure(metric, touches if item.bindings.touchpoints else None)
        unsound = bool(others) or segment is None or (figure.touches is not None and bool(lost))
        return Bound(item, block, self._pair(figure, segment), (*notes, *others), unsound)

    def _pair(self, figure: Figure, segment: int | None) -> int | None:
        if segment is None or figure.touches == ():
            return None
        place = self.figures.setdefault(figure, len(self.figures))
        return self.pairs.setdefault((place, segment), len(self.pairs))

    def _of(self, metric: Metric, item: Item) -> tuple[int | None, list[str]]:
        """The segment of a metric, and what is wrong with it."""
        if metric.segment is None:
            return 0, []
        group = self.groups[metric.segment]
        if not group.bindings.segment:
            return None, [f"nothing says which customers are of the segment {group.id!r}"]
        place, faults = self._segment(group)
        said = [Broken(group.id, "", *fault).said for fault in faults] if group is not item else []
        return place, [f"of the segment {group.id!r}, {text}" for text in said]

    def _segment(self, item: Item) -> tuple[int | None, list[_Fault]]:
        """The place of the conditions that make an item's segment; None where one of them can't be judged."""
        judged = [self._judged(text) for text in item.bindings.segment]
        faults = [one for one in judged if isinstance(one, tuple)]
        if faults:
            return None, faults
        sound = (one for one in judged if isinstance(one, Condition))
        which = tuple(sorted({self.conditions.setdefault(one, len(self.conditions)) for one in sound}))
        return self.segments.setdefault(which, len(self.segments)), []

    def _judged(self, text: str) -> Condition | _Fault:
        if text not in self.judged:
            self.judged[text] = self._judge(text)
        return self.judged[text]

    def _judge(self, text: str) -> Condition | _Fault:
        segment, schema = Segment.parse(text), self.log.schema
        if segment.column not in schema:
            return "column", segment.column, self._closest("column", segment.column, schema)
        kind = schema[segment.column]
        if kind is Kind.CODE and self.log.names(segment.column).code(segment.value) is None:
            names = self.log.names(segment.column)
            close = self._closest(segment.column, segment.value, _few(names))
            return "event" if segment.column == "event" else "value", segment.value, close
        if kind is Kind.TEXT:
            return "condition", text, ""
        try:
            return compile_segment(segment, schema, lambda column, name: self.log.names(column).code(name))
        except InvalidParameter:
            return "condition", text, ""

    def _touches(self, item: Item) -> tuple[tuple[int, ...], list[_Fault]]:
        names = self.log.names("event")
        codes = {touched.event: names.code(touched.event) for touched in item.bindings.touchpoints}
        lost = [event for event, code in codes.items() if code is None]
        faults = [("event", event, self._closest("event", event, _few(names))) for event in lost]
        return tuple(sorted(code for code in codes.values() if code is not None)), faults

    def _closest(self, kind: str, name: str, known: Iterable[str]) -> str:
        if (kind, name) not in self.likest:
            close = difflib.get_close_matches(name, sorted(known), n=1)
            self.likest[kind, name] = close[0] if close else ""
        return self.likest[kind, name]


def _figure(metric: Metric, touches: tuple[int, ...] | None) -> Figure:
    measure = _AS_READ.get(metric.measure, metric.measure)
    within = Duration.parse(metric.within) if metric.within else USUAL_WITHIN.get(measure)
    starts = touches if measure == "conversion_rate" else None
    timed = within is not None and measure not in TIMELESS
    return Figure(measure, within.microseconds if within and timed else None, starts)


def _few(names: Names) -> list[str]:
    """The names to look for the closest one among; none where there are too many."""
    return names.to_list() if len(names) <= _SEARCHED else []
