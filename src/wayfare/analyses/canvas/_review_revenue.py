"""On how few the revenue rests: by revenue stream (or kind of product), by channel, and by customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.canvas._opportunity_ways import compiled
from wayfare.domain.canvas import Canvas
from wayfare.histories.block import Block
from wayfare.histories.filter import Condition
from wayfare.histories.fold import Fold
from wayfare.histories.schema import Kind
from wayfare.histories.stages import StageMap
from wayfare.stats.proportions import ratio_interval
from wayfare.study import Study

FEW = 10
"""Under so many customers a share has no interval, and nothing is said of it."""
SHOWN = 10
STREAMS, CUSTOMERS = "revenue stream", "customers"
_NEITHER = "of no stream"
_NO_ROWS = np.zeros(0, dtype=np.int64)
Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A part that an event's rows belong to: its place among the names, its weight, and for which customers."""

    place: int
    weight: float
    segment: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Cut:
    """One way of cutting revenue up.

    Attributes:
        of: What it is cut by.
        names: Its parts; the last stands for what belongs to none.
        column: The coded column of an order's row that says the part; empty where the event does.
        parts: For each event's code the parts that its rows belong to.
        ordered: For each event's code whether what belongs to no part counts too: it is an order.
        note: What can't be told apart, and why.
    """

    of: str
    names: tuple[str, ...]
    column: str = ""
    parts: tuple[tuple[Part, ...], ...] = ()
    ordered: tuple[bool, ...] = ()
    note: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it reads."""
        conditions = [c for parts in self.parts for part in parts for c in part.segment]
        return (*((self.column,) if self.column else ()), *sorted({c.column for c in conditions}))


@dataclass(frozen=True)
class Revenue(Fold[dict[str, dict[str, NDArray[np.float64]]]]):
    """Sums over customers of what they brought to each part and in all.

    Attributes:
        stages: Which events are orders.
        cuts: How revenue is cut up.
        valued: Whether the log has values; else each order line counts as one.
    """

    stages: StageMap
    cuts: tuple[Cut, ...]
    valued: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The event, the value, and the columns that say parts."""
        return ("event", "value", *(column for cut in self.cuts for column in cut.reads))

    def scan(self, block: Block) -> dict[str, dict[str, NDArray[np.float64]]]:
        """For each cut: of each part Σx, Σx², Σxy and customers (parts, 4); in all Σy, Σy² and customers (3,)."""
        return {cut.of: self._sums(block, *self._paid(block, cut), len(cut.names)) for cut in self.cuts}

    def _paid(self, block: Block, cut: Cut) -> tuple[NDArray, NDArray, NDArray]:
        """The customer, the part and the amount of everything that was paid."""
        value = block["value"] if block.has("value") else np.ones(block.rows)
        paid = np.nan_to_num(value) > 0
        if cut.column or not cut.parts:
            rows = np.flatnonzero(paid & self.stages.is_order(block))
            part = block[cut.column][rows] if cut.column else np.zeros(len(rows), dtype=np.int64)
            return block.owner[rows], np.where(part < 0, len(cut.names) - 1, part), value[rows]
        found: list[tuple[NDArray, NDArray, NDArray]] = []
        for event, parts in enumerate(cut.parts):
            rows = (
                np.flatnonzero(paid & (block["event"] == event)) if parts or cut.ordered[event] else _NO_ROWS
            )
            found += _shared(
                block, rows, value[rows], parts, len(cut.names) - 1 if cut.ordered[event] else -1
            )
        owner, part, amount = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return owner, part, amount

    def _sums(
        self, block: Block, owner: NDArray, part: NDArray, amount: NDArray, parts: int
    ) -> dict[str, NDArray[np.float64]]:
        whole = np.bincount(owner, weights=amount, minlength=block.customers)
        keys, place = np.unique(owner * parts + part, return_inverse=True)
        x = np.bincount(place, weights=amount, minlength=len(keys))
        y, at = whole[keys // parts], keys % parts
        sums = [np.bincount(at, weights=each, minlength=parts) for each in (x, x * x, x * y, np.ones(len(x)))]
        return {
            "parts": np.column_stack(sums),
            "all": np.array([whole.sum(), (whole**2).sum(), (whole > 0).sum()]),
        }


def _shared(
    block: Block, rows: NDArray[np.int64], value: NDArray[np.float64], parts: Sequence[Part], none: int
) -> list[tuple[NDArray, NDArray, NDArray]]:
    """What some rows brought to each part, by the weights of those that are for the customer; the rest to `none`, if at all."""
    owner = block.owner[rows]
    weights = [part.weight * _inside(block, part.segment)[owner] for part in parts]
    total = np.sum(weights, axis=0) if weights else np.zeros(len(rows))
    each = np.divide(value, total, out=np.zeros(len(rows)), where=total > 0)
    found = [
        (owner, np.full(len(rows), part.place), weight * each)
        for part, weight in zip(parts, weights, strict=True)
    ]
    if none >= 0:
        found.append((owner, np.full(len(rows), none), np.where(total > 0, 0.0, value)))
    return [tuple(array[amount > 0] for array in (who, place, amount)) for who, place, amount in found]  # type: ignore[misc]


def _inside(block: Block, segment: tuple[Condition, ...]) -> NDArray[np.float64]:
    inside = np.ones(block.customers)
    for condition in segment:
        inside *= condition.members(block)
    return inside


def cuts_of(study: Study, canvas: Canvas | None) -> tuple[Cut, ...]:
    """By the canvas's revenue streams where they are bound to events, by category or product, by channel, and by customer."""
    found = [_column(study, column) for column in ("category", "product")]
    kinds = [cut for cut in found if cut is not None][:1]
    cuts = [_streams(study, canvas), *kinds, _column(study, "channel"), Cut(CUSTOMERS, ("all",))]
    return tuple(cut for cut in cuts if cut is not None)


def _column(study: Study, column: str) -> Cut | None:
    if column not in study.log.schema or study.log.schema[column] is not Kind.CODE:
        return None
    return Cut(column, (*study.log.names(column).to_list(), "unknown"), column)


def _streams(study: Study, canvas: Canvas | None) -> Cut | None:
    """By the streams that name events of the log; an event's money is shared by weight, that of other orders is of none."""
    events = study.log.names("event").to_list()
    if canvas is None:
        return None
    by_event: dict[str, list[Part]] = {event: [] for event in events}
    lost = []
    for place, stream in enumerate(canvas.revenue_streams):
        segment = compiled(stream.bindings.segment, study.log)
        if isinstance(segment, str):
            lost.append(f"{stream.id} is left out: {segment}")
            continue
        for touched in stream.bindings.touchpoints:
            if touched.event in by_event:
                by_event[touched.event].append(Part(place, touched.weight, segment))
    if not any(by_event.values()):
        return None
    names = (*(stream.text for stream in canvas.revenue_streams), _NEITHER)
    parts = tuple(tuple(by_event[event]) for event in events)
    ordered = tuple(event in study.journey.orders for event in events)
    return Cut(STREAMS, names, parts=parts, ordered=ordered, note="; ".join(lost))


def concentration_rows(
    cuts: Sequence[Cut],
    sums: Mapping[str, Mapping[str, NDArray[np.float64]]],
    tenths: pa.Table | None,
    valued: bool,
) -> list[Row]:
    """The shares of the parts, the largest first, with the Herfindahl–Hirschman index of each cut.

    Args:
        cuts: How revenue was cut up.
        sums: What the fold gave.
        tenths: The table `concentration` of `value`; None where it could not answer.
        valued: Whether shares are of money.
    """
    note = "" if valued else "no values in the log: shares of order lines"
    rows: list[Row] = []
    for cut in cuts:
        told = _tenths(sums[cut.of], tenths) if cut.of == CUSTOMERS else _parts(cut, sums[cut.of])
        rows += [
            row | {"of": cut.of, "note": "; ".join(n for n in (row["note"], cut.note, note) if n)}
            for row in told
        ]
    return rows


def _parts(cut: Cut, sums: Mapping[str, NDArray[np.float64]]) -> list[Row]:
    x, xx, xy, n = sums["parts"].T
    y, yy, customers = sums["all"].tolist()
    if y <= 0:
        return []
    share = x / y
    order = sorted(np.flatnonzero(x > 0).tolist(), key=lambda at: (-x[at], cut.names[at]))
    known = {"herfindahl": float(share @ share), "as_equal": float(1 / (share @ share))}
    rows = []
    for at in order[:SHOWN]:
        low, high, note = _ends(x[at], y, xx[at], xy[at], yy, customers)
        rows.append({
            "name": cut.names[at], "share": float(share[at]), "low": low, "high": high, "note": note, "value": float(x[at]),
            "customers": int(n[at]), **known,
        })  # fmt: skip
    rest = order[SHOWN:]
    if rest:
        rows.append({
            "name": "all others", "share": float(share[rest].sum()), "low": None, "high": None, "value": float(x[rest].sum()),
            "customers": None, "note": f"{len(rest):,} more", **known,
        })  # fmt: skip
    return rows


def _ends(
    x: float, y: float, xx: float, xy: float, yy: float, n: float
) -> tuple[float | None, float | None, str]:
    """The ends of a share's interval by the delta method, customers as the sample; none under `FEW` of them."""
    if n < FEW:
        return None, None, "too few to say: under 10 customers"
    if y - x <= 1e-9 * y:  # all of it: what is left of the residuals is the dust of floats
        return 1.0, 1.0, ""
    interval = ratio_interval(x, y, xx, xy, yy, n)
    return max(float(interval.low), 0.0), min(float(interval.high), 1.0), ""


def _tenths(sums: Mapping[str, NDArray[np.float64]], tenths: pa.Table | None) -> list[Row]:
    """The tenths of the customers; the index is over single customers."""
    y, yy, _ = sums["all"].tolist()
    told = tenths.to_pylist() if tenths is not None else []
    if y <= 0 or not told:
        return []
    index = yy / y**2
    return [
        {
            "name": f"tenth {row['tenth']} of the customers", "share": row["share"],
            # What is cumulated up to the first tenth is its own.
            "low": row["low"] if row["tenth"] == 1 else None, "high": row["high"] if row["tenth"] == 1 else None,
            "herfindahl": index, "as_equal": 1 / index, "value": row["value"], "customers": None, "note": "",
        }
        for row in told
    ]  # fmt: skip
