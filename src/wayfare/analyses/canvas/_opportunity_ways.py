"""How each item of a canvas reaches the log: by touchpoints with its share of each, by a segment, or by what it points to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wayfare.domain.canvas import Bindings, Canvas, Item, Touches
from wayfare.domain.segment import Segment
from wayfare.errors import WayfareError
from wayfare.histories.filter import Condition, compile_segment
from wayfare.log import Log

UNBOUND = "bound to nothing in the log"


@dataclass(frozen=True)
class Way:
    """How an item reaches the log.

    Attributes:
        weights: Its weight at each touchpoint, by the event's code.
        shares: The same over the weights of all items bound to the touchpoint.
        segment: The place of its segment among the distinct ones; None where all customers count.
        notes: What is to be said about it.
    """

    weights: Mapping[int, float] = field(default_factory=dict)
    shares: Mapping[int, float] = field(default_factory=dict)
    segment: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def bound(self) -> bool:
        """Whether it reaches anything."""
        return bool(self.weights) or self.segment is not None


@dataclass(frozen=True)
class Ways:
    """The way of each item by its id, and the distinct segments."""

    of: Mapping[str, Way]
    segments: tuple[tuple[Condition, ...], ...]


def ways_of(canvas: Canvas, log: Log) -> Ways:
    """The ways of all items.

    An item without touchpoints or a segment of its own is reached through the revenue stream that it earns, else through
    the cost line that it is part of, else through the segment of its metric, else through that it is for. An item that is
    reached through another's touchpoints shares these with it, weight by weight.
    """
    bound = {item.id: _bound(item, canvas) for _, item in canvas.items()}
    weights: dict[str, float] = {}
    for touches, _, _ in bound.values():
        for touched in touches:
            weights[touched.event] = weights.get(touched.event, 0.0) + touched.weight
    segments: dict[tuple[Condition, ...], int] = {}
    ways = {id: _way(*parts, weights, segments, log) for id, parts in bound.items()}
    return Ways(ways, tuple(segments))


def _bound(item: Item, canvas: Canvas) -> tuple[Sequence[Touches], tuple[str, ...], str]:
    """The touchpoints and the conditions that hold for an item, and through what they come."""
    for bindings, through in _candidates(item, canvas):
        if bindings.touchpoints or bindings.segment:
            return bindings.touchpoints, bindings.segment, through
    return (), (), ""


def _candidates(item: Item, canvas: Canvas) -> Iterator[tuple[Bindings, str]]:
    own = item.bindings
    yield own, ""
    metric = own.metric.segment if own.metric else None
    for what, id in (
        ("revenue stream", own.revenue_stream), ("cost line", own.cost_line), ("segment", metric), ("segment", item.segment),
    ):  # fmt: skip
        other = canvas.item(id) if id is not None else None
        if other is not None and other.id != item.id:
            yield other.bindings, f"through the {what} {other.id}"


def _way(
    touches: Sequence[Touches], conditions: tuple[str, ...], through: str, weights: Mapping[str, float],
    segments: dict[tuple[Condition, ...], int], log: Log,
) -> Way:  # fmt: skip
    codes = log.names("event")
    notes = [through] if through else []
    known = {code: touched for touched in touches if (code := codes.code(touched.event)) is not None}
    unknown = [touched.event for touched in touches if codes.code(touched.event) is None]
    if unknown:
        notes.append(f"the log has no {', '.join(unknown)}")
    segment = None
    if conditions:
        found = compiled(conditions, log)
        if isinstance(found, str):
            # Without its segment the item would be given the money of all customers.
            return Way(notes=(*notes, found))
        segment = segments.setdefault(found, len(segments))
    if not touches and not conditions:
        notes.append(UNBOUND)
    return Way(
        {code: touched.weight for code, touched in known.items()},
        {code: touched.weight / weights[touched.event] for code, touched in known.items()},
        None if touches and not known else segment,
        tuple(notes),
    )


def compiled(conditions: tuple[str, ...], log: Log) -> tuple[Condition, ...] | str:
    """The conditions looked up in the log, or what is wrong with them."""
    try:
        return tuple(
            compile_segment(Segment.parse(one), log.schema, lambda column, name: log.names(column).code(name))
            for one in conditions
        )
    except WayfareError as error:
        return error.problem.rstrip(".")
