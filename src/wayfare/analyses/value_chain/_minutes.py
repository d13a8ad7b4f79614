"""Time equations looked up for one log: how many minutes each row of an event takes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.domain.segment import Segment
from wayfare.domain.value_chain import Term, TimeEquation
from wayfare.errors import InvalidParameter
from wayfare.histories.block import Block
from wayfare.histories.filter import Condition, compile_segment
from wayfare.histories.schema import Kind
from wayfare.log import Log

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


@dataclass(frozen=True)
class RowTerm:
    """A term of an equation: `minutes`, for each unit of the column `per` if there is one, where `when` holds."""

    minutes: float
    per: str | None
    when: Condition | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return (*((self.per,) if self.per else ()), *((self.when.column,) if self.when else ()))

    def of(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The minutes that it adds to each of `rows`; a row without the column has no units of it."""
        added = np.full(rows.size, self.minutes, dtype=float)
        if self.per is not None:
            values = block[self.per][rows]
            added *= np.nan_to_num(values) if values.dtype.kind == "f" else np.maximum(values, 0)
        if self.when is not None:
            added *= holds(self.when, block, rows)
        return added


@dataclass(frozen=True)
class RowEquation:
    """Minutes that one row of an event takes; never less than none."""

    event: int
    base: float
    terms: tuple[RowTerm, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return tuple(name for term in self.terms for name in term.columns)

    def of(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The minutes of each of `rows`, which are rows of its event."""
        minutes = np.full(rows.size, self.base, dtype=float)
        for term in self.terms:
            minutes += term.of(block, rows)
        return np.maximum(minutes, 0.0)


def rows_of_event(block: Block, event: int) -> NDArray[np.int64]:
    """The rows of one event, found once for all activities that serve it."""
    return block.once(("rows of event", event), lambda: np.flatnonzero(block["event"] == event))


def holds(condition: Condition, block: Block, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """At which of `rows` does the condition hold for the row's own value?

    Whether it was written for any, the first or the last row makes no difference here. A row that lacks the value meets
    `!=` and nothing else.
    """
    values = block[condition.column][rows]
    there = ~np.isnan(values) if values.dtype.kind == "f" else values != condition.absent
    return _COMPARE[condition.operator](values, condition.value) & (there | (condition.operator == "!="))


def equation_on(log: Log, event: int, time: TimeEquation) -> tuple[RowEquation, list[str]]:
    """The equation for the log's codes, and what of it the log can't answer; such terms add nothing."""
    found = [_term_on(log, term) for term in time.terms]
    kept = tuple(term for term, _ in found if term is not None)
    return RowEquation(event, time.base, kept), [trouble for _, trouble in found if trouble]


def _term_on(log: Log, term: Term) -> tuple[RowTerm | None, str]:
    if term.per is not None and (
        term.per not in log.schema or log.schema[term.per] not in (Kind.NUMBER, Kind.FLAG)
    ):
        return None, f"no column of numbers is called {term.per!r}, so `per: {term.per}` adds no minutes"
    if term.when is None:
        return RowTerm(term.minutes, term.per, None), ""
    try:
        condition = compile_segment(
            Segment.parse(term.when), log.schema, lambda column, name: log.names(column).code(name)
        )
    except InvalidParameter:
        return None, f"the log can't tell where `{term.when}` holds, so it adds no minutes"
    return RowTerm(term.minutes, term.per, condition), ""
