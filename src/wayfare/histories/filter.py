"""Which part of the log is read: a time range, some events, customers of a segment. Applied block by block."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.domain.segment import Segment
from wayfare.errors import InvalidParameter
from wayfare.histories.block import Block
from wayfare.histories.schema import Kind, Schema, missing

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """A segment with its names looked up: `column operator value` at any, the first or the last row that has it."""

    column: str
    operator: str
    value: float
    touch: str
    absent: float

    def members(self, block: Block) -> NDArray[np.bool_]:
        """Per customer: whether it belongs (customers,)."""
        values = block[self.column]
        present = ~np.isnan(values) if values.dtype.kind == "f" else values != self.absent
        if self.touch == "any":
            test = "=" if self.operator == "!=" else self.operator
            found = block.any_of(present & _COMPARE[test](values, self.value))
            return ~found if self.operator == "!=" else found
        row = (block.first_row if self.touch == "first" else block.last_row)(present)
        return (row >= 0) & _COMPARE[self.operator](values[np.maximum(row, 0)], self.value)


@dataclass(frozen=True)
class Filter:
    """What is kept: rows from `since` (included) to `until` (excluded), in µs; rows of `events` (codes); customers
    that meet every condition, judged on their whole history before rows are dropped."""

    since: int | None = None
    until: int | None = None
    events: frozenset[int] | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the filter itself reads."""
        return (*(c.column for c in self.conditions), *(("event",) if self.events is not None else ()))

    def apply(self, block: Block) -> Block:
        """The part of `block` that the filter keeps."""
        if self == EVERYTHING:
            return block
        mask = np.ones(block.rows, dtype=bool)
        for condition in self.conditions:
            mask &= condition.members(block)[block.owner]
        if self.since is not None:
            mask &= block["time"] >= self.since
        if self.until is not None:
            mask &= block["time"] < self.until
        if self.events is not None:
            mask &= np.isin(block["event"], list(self.events))
        return block.keep(mask)


EVERYTHING = Filter()


def compile_segment(segment: Segment, schema: Schema, code_of: Callable[[str, str], int | None]) -> Condition:
    """The condition that a segment means in a log of this schema; a name that never occurs matches nobody."""
    if segment.column not in schema:
        raise InvalidParameter(
            f"The log has no column {segment.column!r}.", where=str(segment), allowed=schema
        )
    kind = schema[segment.column]
    if kind in (Kind.CODE, Kind.FLAG) and segment.operator not in ("=", "!="):
        raise InvalidParameter(
            f"{segment.column!r} is not a number, so only = and != apply.", where=str(segment)
        )
    value: float
    if kind is Kind.CODE:
        code = code_of(segment.column, segment.value)
        value = -2 if code is None else code
    elif kind is Kind.FLAG:
        value = float(segment.value.lower() in ("1", "true", "yes"))
    else:
        value = _number(segment)
    absent = missing(kind)
    return Condition(segment.column, segment.operator, value, segment.touch, float(absent))  # type: ignore[arg-type]


def _number(segment: Segment) -> float:
    try:
        return float(segment.value)
    except ValueError:
        raise InvalidParameter(f"{segment.value!r} is not a number.", where=str(segment)) from None
