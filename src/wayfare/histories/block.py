"""A block: about 256,000 events of complete customers, as plain arrays that fit the processor's caches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

BLOCK_EVENTS = 262_144
_CELLS = 1 << 20
_LANES = 128
_FEW = 16
Derived = TypeVar("Derived")


@dataclass(frozen=True, eq=False)
class Block:
    """Whole histories of consecutive customers, sorted by (customer, time).

    `columns` maps a column's name to its array (rows,); `customer` and `time` are always there. A column that
    the log does not have reads as all missing only where a fold declares it optional; see `has`. `known_starts`
    are the `starts` where whoever made the block knows them already.
    Everything derived (offsets, owners) is computed once and shared by all folds of a pass.
    """

    columns: Mapping[str, NDArray]
    known_starts: NDArray[np.int64] | None = None

    def __getitem__(self, name: str) -> NDArray:
        return self.columns[name]

    @cached_property
    def _derived(self) -> dict[Hashable, Any]:
        return {}

    def once(self, key: Hashable, compute: Callable[[], Derived]) -> Derived:
        """What `compute` reads off this block, computed for the first fold that asks under `key`; its arrays are read-only."""
        if key not in self._derived:
            self._derived[key] = read_only(compute())
        found: Derived = self._derived[key]
        return found

    def has(self, name: str) -> bool:
        """Whether the log has the column `name`."""
        return name in self.columns

    @property
    def rows(self) -> int:
        """How many events the block holds."""
        return len(self.columns["customer"])

    @property
    def customers(self) -> int:
        """How many customers the block holds."""
        return len(self.starts) - 1

    @cached_property
    def first(self) -> NDArray[np.bool_]:
        """Per row: whether it is its customer's first (rows,)."""
        codes = self.columns["customer"]
        mask = np.empty(len(codes), dtype=bool)
        mask[:1] = True
        np.not_equal(codes[1:], codes[:-1], out=mask[1:])
        return mask

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Offsets of the customers (customers + 1,): customer i is rows starts[i]:starts[i + 1]."""
        if self.known_starts is not None:
            return self.known_starts
        return np.append(np.flatnonzero(self.first), self.rows)

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """Per row: the position in this block of the customer it belongs to (rows,)."""
        codes = self.columns["customer"]
        if self.rows and int(codes[-1]) - int(codes[0]) == self.customers - 1:
            # No code is left out, as in every block that nobody filtered: subtracting frees the interpreter's lock.
            owner = codes.astype(np.int64)
            owner -= codes[0]
            return owner
        return np.repeat(np.arange(self.customers), np.diff(self.starts))

    @property
    def codes(self) -> NDArray:
        """The log-wide code of each customer of the block (customers,)."""
        return self.columns["customer"][self.starts[:-1]]

    def keep(self, mask: NDArray[np.bool_]) -> Block:
        """The block with only the rows where `mask` holds; customers left without rows are gone."""
        if mask.all():
            return self
        return Block({name: values[mask] for name, values in self.columns.items()})

    def with_columns(self, added: Mapping[str, NDArray]) -> Block:
        """The block with more columns, or others in the place of its own; its customers stay the same."""
        return Block({**self.columns, **added}, self.starts)

    def happened(self, codes: Collection[int]) -> NDArray[np.bool_]:
        """Per row: whether its event is one of `codes` (rows,)."""
        event = self.columns["event"]
        if len(codes) > _FEW:
            return np.isin(event, list(codes))
        mask = np.zeros(self.rows, dtype=bool)
        for code in codes:
            mask |= event == code
        return mask

    def any_of(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Per customer: whether `mask` (rows,) holds at any of its rows (customers,)."""
        return self.count(mask) > 0

    def count(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Per customer: at how many rows `mask` holds (customers,)."""
        return np.add.reduceat(mask.view(np.int8), self.starts[:-1], dtype=np.int64)

    def customers_of_each(self, group: NDArray, groups: int) -> NDArray[np.int64]:
        """How many customers have a row in each group; `group` numbers the rows' (rows,), -1 for none (groups,)."""
        there = np.flatnonzero(group >= 0)
        return owners_of_each(self.owner[there], group[there], groups)

    def first_row(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Per customer: the first row at which `mask` holds, or -1 (customers,)."""
        found = np.full(self.customers, -1, dtype=np.int64)
        rows = np.flatnonzero(mask)[::-1]
        found[self.owner[rows]] = rows
        return found

    def last_row(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Per customer: the last row at which `mask` holds, or -1 (customers,)."""
        found = np.full(self.customers, -1, dtype=np.int64)
        rows = np.flatnonzero(mask)
        found[self.owner[rows]] = rows
        return found

    def total(self, values: NDArray) -> NDArray[np.float64]:
        """Per customer: the sum of `values` (rows,), missing ones left out (customers,)."""
        clean = np.nan_to_num(values, nan=0.0) if values.dtype.kind == "f" else values
        return np.bincount(self.owner, weights=clean, minlength=self.customers).astype(np.float64)

    def changes(self, name: str) -> NDArray[np.bool_]:
        """Per row: whether the column differs from the customer's row before; true at the first (rows,)."""
        values = self.columns[name]
        new = self.first.copy()
        new[1:] |= values[1:] != values[:-1]
        return new

    def seen_before(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Per row: at how many earlier rows of the same customer `mask` holds (rows,)."""
        # Widened first: adding up flags as they are takes twice as long and holds the interpreter's lock.
        wide = mask.astype(np.int64)
        running: NDArray[np.int64] = np.cumsum(wide) - wide
        return running - np.repeat(running[self.starts[:-1]], np.diff(self.starts))


def read_only(found: Derived) -> Derived:
    """The same, its arrays closed to writing: who shares it can't change it for the others."""
    if isinstance(found, np.ndarray):
        found.setflags(write=False)
    elif isinstance(found, Mapping):
        for value in found.values():
            read_only(value)
    elif isinstance(found, (list, tuple)):
        for value in found:
            read_only(value)
    elif is_dataclass(found):
        for field in fields(found):
            read_only(getattr(found, field.name))
    return found


def owners_of_each(owner: NDArray[np.int64], group: NDArray, groups: int) -> NDArray[np.int64]:
    """How many owners are in each group (groups,), given the owner, ascending, and the group of each row."""
    # A table of owners and groups is ten times faster than sorting pairs; so much of it at a time fits the cache.
    total = np.zeros(groups, dtype=np.int64)
    width = -(-max(groups, 1) // 8) * 8
    owners = int(owner[-1]) + 1 if len(owner) else 0
    at_once = min(max(_CELLS // width, 1), owners)
    for first in range(0, owners, max(at_once, 1)):
        mine = slice(*np.searchsorted(owner, (first, first + at_once)))
        cells = owner[mine] * width
        cells += group[mine]
        cells -= first * width
        total += _marked(cells, at_once, width)[:groups]
    return total


def _marked(cells: NDArray[np.int64], owners: int, width: int) -> NDArray[np.int64]:
    """In how many rows of a table each column is marked (width,); a cell's number is row × width + column."""
    deep = -(-owners // _LANES)
    table = np.zeros((_LANES, deep * width), dtype=np.uint8)
    table.reshape(-1)[cells] = 1
    # Eight columns are added up at once, as bytes of one number: so few rows let no byte run over.
    lanes = np.add.reduce(table.view(np.uint64), axis=0)
    columns: NDArray[np.int64] = lanes.view(np.uint8).reshape(deep, width).sum(axis=0, dtype=np.int64)
    return columns
