"""Step by step from an event, or towards one: where customers go next, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analysis import analysis
from wayfare.charts.flow import OTHER
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Event
from wayfare.domain.words import counted
from wayfare.errors import InvalidParameter
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import one_row_an_order
from wayfare.histories.visits import SESSION_COLUMNS, by_session
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.proportions import wilson
from wayfare.study import Study

END, START = "(end)", "(start)"
FEW = 10
"""Fewer customers than this are too few to call a step usual."""

_MUTED = (OTHER, START, END)
_HEADER = 20


@dataclass(frozen=True, kw_only=True)
class PathsResult(Result):
    """The steps after an anchor, or before it, one layer after the other."""

    flows: Annotated[
        pa.Table,
        Columns(
            step="1 is the step right after the anchor, 2 the next; before an anchor -1 is the step right to it",
            source=f"the event before the step; {OTHER} for the rare ones, {START} where the history had not begun",
            target=f"the event after it; {OTHER} for the rare ones, {END} where the history ends",
            customers="customers (or sessions) who made this step here",
            share="of all customers at the anchor",
            share_low="95% interval (Wilson)",
            share_high="95% interval (Wilson)",
        ),
    ]
    layers: Annotated[
        pa.Table,
        Columns(
            position="0 is the anchor, 1 the event after it, -1 the one before it",
            event="the event",
            customers="customers (or sessions) who were there",
            share="of all customers at the anchor",
        ),
    ]

    def draw(self) -> Picture | None:
        """The flows as a Sankey diagram, from left to right in time."""
        from wayfare.charts.flow import Link, sankey

        if self.flows.num_rows == 0:
            return None
        rows, positions = self.flows.to_pylist(), self.layers["position"].to_pylist()
        first = min(positions)
        links = [
            Link(r["step"] - first - (r["step"] > 0), r["source"], r["target"], r["customers"]) for r in rows
        ]
        total = sum(
            n for n, at in zip(self.layers["customers"].to_pylist(), positions, strict=True) if at == 0
        )
        headers = ["First event" if not at else f"{at:+d}" for at in range(first, max(positions) + 1)]
        anchor = self.context.params.get("end") if first < 0 else self.context.params.get("start")
        headers[-first] = _fitting(str(anchor)) if anchor else headers[-first]
        note = f"n = {total:,} {self.context.params.get('unit', 'customer')}s at the anchor; thickness is their share."
        return sankey(links, headers, total=total, title=self.findings[0].text, muted=_MUTED,
                      subtitle="Events in order, left to right; rare ones are grouped as (other)", note=note)  # fmt: skip


def _fitting(name: str) -> str:
    """A name that fits above its layer."""
    return name if len(name) <= _HEADER else f"{name[: _HEADER - 1]}…"


@dataclass(frozen=True)
class _Walk:
    """Where to start, which way to go, and how far: the codes found on the way of each unit.

    Codes above the events': `events` where the history is over (or had not begun), `events + 1` where nothing
    more is asked.
    """

    events: int
    start: int | None
    end: int | None
    steps: int
    gap: int | None
    collapse: bool

    @property
    def backward(self) -> bool:
        return self.start is None and self.end is not None

    def codes(self, block: Block) -> NDArray[np.int64]:
        """The event at the anchor and at each step from it (units, steps + 1)."""
        block = one_row_an_order(block)
        block = by_session(block, self.gap).block if self.gap is not None else block
        if self.collapse:
            block = block.keep(block.changes("event"))
        anchor, stop = self._between(block)
        unit = np.flatnonzero(anchor >= 0)
        anchor, stop = anchor[unit], stop[unit]
        low, high = block.starts[:-1][unit], block.starts[1:][unit]
        found = np.full((len(unit), self.steps + 1), self.events + 1, dtype=np.int64)
        for step in range(self.steps + 1):
            row = anchor - step if self.backward else anchor + step
            inside = (row >= low) & (row < high)
            event = np.where(inside, block["event"][np.clip(row, 0, max(block.rows - 1, 0))], self.events)
            over = (row > stop) | (row < low - 1) | (row > high)
            found[:, step] = np.where(over, self.events + 1, event)
        return found

    def _between(self, block: Block) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Per unit: the anchor's row, -1 where it has none, and the last row that is followed."""
        beyond = np.full(block.customers, np.iinfo(np.int64).max)
        if self.start is None:
            rows = block.starts[:-1] if self.end is None else block.first_row(block["event"] == self.end)
            return rows, beyond
        anchor = block.first_row(block["event"] == self.start)
        if self.end is None:
            return anchor, beyond
        later = (np.arange(block.rows) > anchor[block.owner]) & (anchor >= 0)[block.owner]
        stop = block.first_row((block["event"] == self.end) & later)
        return np.where(stop >= 0, anchor, -1), stop


@dataclass(frozen=True)
class _Layers(Fold[NDArray[np.int64]]):
    """How many units are at each event of each layer (steps + 1, events + 2)."""

    walk: _Walk

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event", "order", *SESSION_COLUMNS)

    def scan(self, block: Block) -> NDArray[np.int64]:
        codes, wide = self.walk.codes(block), self.walk.events + 2
        cells = np.arange(self.walk.steps + 1) * wide + codes
        return np.bincount(cells.ravel(), minlength=(self.walk.steps + 1) * wide).reshape(-1, wide)


@dataclass(frozen=True)
class _Flows(Fold[NDArray[np.int64]]):
    """How many units go from each group of events to each, by step (steps, groups, groups).

    `group` gives the group of each event in each layer, and of the two codes above them.
    """

    walk: _Walk
    group: NDArray[np.int64]
    groups: int

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event", "order", *SESSION_COLUMNS)

    def scan(self, block: Block) -> NDArray[np.int64]:
        layer = np.arange(self.walk.steps + 1)
        at = self.group[layer, self.walk.codes(block)]
        cells = (layer[:-1] * self.groups + at[:, :-1]) * self.groups + at[:, 1:]
        size = (self.walk.steps, self.groups, self.groups)
        return np.bincount(cells.ravel(), minlength=int(np.prod(size))).reshape(size)


@analysis
def paths(
    study: Study,
    *,
    start: Event | None = None,
    end: Event | None = None,
    steps: int = 5,
    unit: Literal["customer", "session"] = "customer",
    gap: Duration = Duration.parse("30m"),
    collapse: bool = False,
    top: int = 8,
) -> PathsResult:
    """Where do customers go from an event, or how do they come to one, step by step?

    With `start`, the steps after each customer's first such event; with `end` alone, the steps before each
    customer's first such event; with both, the steps from the first `start` up to the first `end` after it, of
    those who get there; with neither, the steps from each customer's first event. Rare events are grouped
    in each layer; the lines of one order are one event. Fewer than 10 customers at the anchor are too few for a finding.

    Args:
        start: The event to go forward from.
        end: The event to come to.
        steps: How many steps are followed, 1 to 20.
        unit: Whether a customer's whole history is walked or each session by itself.
        gap: The pause that ends a session, where the unit is the session and rows have no session of their own.
        collapse: Whether an event that is repeated at once counts as one.
        top: How many events stand by their own names in each layer, 1 to 50.
    """
    for name, number, most in (("steps", steps, 20), ("top", top, 50)):
        if not 1 <= number <= most:
            raise InvalidParameter(
                f"{number} is out of range.", where=name, hint=f"Give a number from 1 to {most}."
            )
    names = study.log.names("event").to_list()
    codes = [None if event is None else study.log.code("event", event) for event in (start, end)]
    walk = _Walk(
        len(names), codes[0], codes[1], steps, gap.microseconds if unit == "session" else None, collapse
    )
    seen = study.fold(_Layers(walk))
    total = int(seen[0].sum() - seen[0, -1])
    group, labels = _grouped(seen, names, top, walk.backward)
    moved = (
        study.fold(_Flows(walk, group, top + 3))
        if total
        else np.zeros((steps, top + 3, top + 3), dtype=np.int64)
    )
    flows, layers = _flows(moved, labels, total, walk.backward), _layers(seen, names, total, walk.backward)
    said = (
        _findings(flows, layers, total, start, end, unit)
        if total >= FEW
        else (Finding(_too_few(total, start, end, unit)),)
    )
    return PathsResult(flows=flows, layers=layers, findings=said)


def _grouped(
    seen: NDArray[np.int64], names: list[str], top: int, backward: bool
) -> tuple[NDArray[np.int64], list[list[str]]]:
    """The group of each code in each layer: 0 to top - 1 by name, then (other), the end and nothing; and their names."""
    group = np.full(seen.shape, top, dtype=np.int64)
    group[:, -2:] = top + 1, top + 2
    labels = []
    for layer, counts in enumerate(seen):
        own = sorted(np.flatnonzero(counts[:-2]), key=lambda code: (-counts[code], names[code]))
        kept = own[:top]
        group[layer, kept] = np.arange(len(kept))
        blank = [""] * (top - len(kept))
        labels.append([*(names[code] for code in kept), *blank, OTHER, START if backward else END])
    return group, labels


def _flows(moved: NDArray[np.int64], labels: list[list[str]], total: int, backward: bool) -> pa.Table:
    rows: list[dict[str, Any]] = []
    over = moved.shape[1] - 2
    for step, near, far in np.argwhere(moved):
        if near >= over or far > over:
            continue
        pair = (labels[step][near], labels[step + 1][far])
        source, target = reversed(pair) if backward else pair
        rows.append({"step": -int(step) - 1 if backward else int(step) + 1, "source": source, "target": target,
                     "customers": int(moved[step, near, far])})  # fmt: skip
    rows.sort(key=lambda row: (row["step"], -row["customers"], row["source"], row["target"]))
    count = np.array([row["customers"] for row in rows], dtype=np.int64)
    certain = wilson(count, total)
    return table(
        step=np.array([row["step"] for row in rows], dtype=np.int64),
        source=pa.array([row["source"] for row in rows], pa.string()),
        target=pa.array([row["target"] for row in rows], pa.string()),
        customers=count, share=count / max(total, 1), share_low=certain.low, share_high=certain.high,
    )  # fmt: skip


def _layers(seen: NDArray[np.int64], names: list[str], total: int, backward: bool) -> pa.Table:
    rows = [
        (-layer if backward else layer, -count, name)
        for layer, counts in enumerate(seen[:, :-2].tolist())
        for name, count in zip(names, counts, strict=True)
        if count
    ]
    rows.sort()
    count = np.array([-row[1] for row in rows], dtype=np.int64)
    position = np.array([row[0] for row in rows], dtype=np.int64)
    event = pa.array([row[2] for row in rows], pa.string())
    return table(position=position, event=event, customers=count, share=count / max(total, 1))


def _too_few(total: int, start: str | None, end: str | None, unit: str) -> str:
    way = {
        (True, True): f"from {start} to {end}",
        (True, False): f"after {start}",
        (False, True): f"before {end}",
    }
    where = way.get((start is not None, end is not None), "from the first event")
    return f"Too few to say which way is usual {where} (n = {counted(total, unit)})."


def _findings(
    flows: pa.Table, layers: pa.Table, total: int, start: str | None, end: str | None, unit: str
) -> tuple[Finding, ...]:
    if start is not None and end is not None:
        return _between(layers, total, start, end, unit)
    rows = flows.to_pylist()
    near = -1 if start is None and end is not None else 1
    side, edge = ("source", START) if near < 0 else ("target", END)
    first: dict[str, int] = {}
    for row in rows:
        if row["step"] == near:
            first[row[side]] = first.get(row[side], 0) + row["customers"]
    over = first.pop(edge, 0)
    named = sorted((n for n in first if n != OTHER), key=lambda n: (-first[n], n))
    if not named:
        nothing = "Nothing follows" if near > 0 else "Nothing came before"
        return (Finding(f"{nothing} for any of {total:,} {unit}s."),)
    anchor = f"their first {end if near < 0 else start or 'event'}"
    best, count = named[0], first[named[0]]
    sure = wilson(count, total)
    share = f"{count / total:.0%} of {total:,} {unit}s (95% interval {sure.low:.0%} to {sure.high:.0%})"
    if near < 0:
        said = f"Right before {anchor} the most frequent step is {best}: {share}."
        rest = f"{over:,} of {total:,} {unit}s ({over / total:.0%}) began with {end}: nothing is recorded before it."
    else:
        said = f"After {anchor} the most frequent next step is {best}: {share}."
        rest = f"{over:,} of {total:,} {unit}s ({over / total:.0%}) do nothing more after {anchor}."
    found = [Finding(said, customers=count), *([Finding(rest, customers=over)] if over else [])]
    return tuple(sorted(found, key=lambda finding: -(finding.customers or 0)))


def _between(layers: pa.Table, total: int, start: str, end: str, unit: str) -> tuple[Finding, ...]:
    # The layers hold every event by its name; in the flows the end may be one of (other).
    first = {row["event"]: row["customers"] for row in layers.to_pylist() if row["position"] == 1}
    straight = first.get(end, 0)
    said = f"{straight / total:.0%} of the {total:,} {unit}s that get from {start} to {end} go there straight"
    others = sorted((name for name in first if name != end), key=lambda name: (-first[name], name))
    if others:
        said += f"; {first[others[0]] / total:.0%} go by {others[0]} first"
    return (Finding(f"{said}.", customers=total),)
