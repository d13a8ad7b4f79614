"""Which customers of a log meet some tests, and their histories: counted in one pass, then read from where they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.filter import Condition, Filter
from wayfare.histories.fold import Fold, columns_of
from wayfare.histories.orders import one_row_an_order
from wayfare.histories.schema import MISSING_TIME, Kind
from wayfare.histories.source import Source, empty_block
from wayfare.histories.stages import StageMap


class Criterion(Protocol):
    """One thing that holds for a customer or not; plain values, as a fold's."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""

    def members(self, block: Block) -> NDArray[np.bool_]:
        """Per customer of a block that is not empty: whether it holds (customers,)."""


@dataclass(frozen=True)
class Has:
    """A condition holds, judged on the rows that are looked at."""

    condition: Condition

    @property
    def columns(self) -> tuple[str, ...]:
        """The one that the condition is about."""
        return (self.condition.column,)

    def members(self, block: Block) -> NDArray[np.bool_]:
        """Whether it holds."""
        return self.condition.members(block)


@dataclass(frozen=True)
class IsCustomer:
    """It is this customer."""

    code: int

    @property
    def columns(self) -> tuple[str, ...]:
        """None beside those that are always there."""
        return ()

    def members(self, block: Block) -> NDArray[np.bool_]:
        """Whether it is this one."""
        return np.asarray(block.codes == self.code)


@dataclass(frozen=True)
class Did:
    """One event of the customer is of this kind and stands for this stage; either can be left open.

    Attributes:
        event: The event's code, or None for any.
        stage: The position in `STAGES`, or None for any.
        stages: What the events stand for.
    """

    event: int | None
    stage: int | None
    stages: StageMap

    @property
    def columns(self) -> tuple[str, ...]:
        """The event."""
        return ("event",)

    def members(self, block: Block) -> NDArray[np.bool_]:
        """Whether there is such an event."""
        found = np.ones(block.rows, dtype=bool)
        if self.event is not None:
            found &= block["event"] == self.event
        if self.stage is not None:
            found &= self.stages.stages(block) == self.stage
        return block.any_of(found)


@dataclass(frozen=True)
class Exactly:
    """The customer's events are these and no others, in this order; the lines of one order are one event.

    Attributes:
        events: The events' codes.
        collapse: Whether an event that is repeated at once counts as one.
    """

    events: tuple[int, ...]
    collapse: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The event and its order."""
        return ("event", "order")

    def members(self, block: Block) -> NDArray[np.bool_]:
        """Whether they are."""
        block = one_row_an_order(block)
        block = block.keep(block.changes("event")) if self.collapse else block
        found = np.diff(block.starts) == len(self.events)
        for place, event in enumerate(self.events):
            mine = np.flatnonzero(found)
            found[mine] = block["event"][block.starts[mine] + place] == event
        return found


@dataclass(frozen=True)
class Matching(Fold[list[tuple[int, int]]]):
    """Per block, in the log's order: how many customers meet every test, and how many events they have."""

    tests: tuple[Criterion, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """What the tests read."""
        return tuple(dict.fromkeys(name for test in self.tests for name in test.columns))

    def scan(self, block: Block) -> list[tuple[int, int]]:
        """The one pair of this block."""
        found = matching(block, self.tests)
        return [(int(found.sum()), int(found[block.owner].sum()))]


def matching(block: Block, tests: Sequence[Criterion]) -> NDArray[np.bool_]:
    """Per customer of the block: whether every test holds (customers,)."""
    found = np.ones(block.customers, dtype=bool)
    if block.rows:
        for test in tests:
            found &= test.members(block)
    return found


@dataclass(frozen=True)
class Histories:
    """Where the customers are who meet the tests.

    Attributes:
        source: The log's blocks.
        condition: Which part of the log is looked at.
        tests: What has to hold in that part.
        counts: What `Matching` found.
    """

    source: Source
    condition: Filter
    tests: tuple[Criterion, ...]
    counts: tuple[tuple[int, int], ...]

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return sum(customers for customers, _ in self.counts)

    @property
    def events(self) -> int:
        """How many events they have in the part looked at."""
        return sum(events for _, events in self.counts)

    def page(self, start: int, size: int) -> Iterator[Block]:
        """The histories number `start` (from 0) to `start + size` in the log's order; only their blocks are read."""
        before = 0
        for index, (customers, _) in enumerate(self.counts):
            low, high = max(start - before, 0), min(start + size - before, customers)
            if low < high:
                yield self._read(index, low, high)
            before += customers
            if before >= start + size:
                return

    def all(self) -> Iterator[Block]:
        """Every history, block by block."""
        return self.page(0, self.customers)

    def empty(self) -> pa.Table:
        """A table of no rows with the columns that `as_table` gives."""
        return as_table(empty_block(self.source.schema, tuple(self.source.schema)), self.source)

    def _read(self, index: int, low: int, high: int) -> Block:
        columns = columns_of([], self.condition, self.source)
        wanted = dict.fromkeys((*columns, *self.source.schema))
        block = self.condition.apply(self.source.read(index, tuple(wanted)))
        place = np.cumsum(found := matching(block, self.tests)) - 1
        return block.keep((found & (place >= low) & (place < high))[block.owner])


def as_table(block: Block, source: Source) -> pa.Table:
    """A block with names in place of codes, times in UTC, and null for what is missing."""
    return pa.table({name: _array(block[name], name, source) for name in source.schema})


def _array(values: NDArray, name: str, source: Source) -> pa.Array:
    kind = source.schema[name]
    if kind is Kind.CODE:
        return source.names(name).take(values)
    if kind is Kind.TIME:
        return pa.array(values, pa.int64(), mask=values == MISSING_TIME).cast(pa.timestamp("us", tz="UTC"))
    if kind is Kind.FLAG:
        return pa.array(values == 1, pa.bool_(), mask=values < 0)
    return pa.array(values, pa.float64() if kind is Kind.NUMBER else pa.string(), from_pandas=True)
