"""Where blocks come from: the names behind the codes, the facts about the whole log, and block number i."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.errors import UnknownName
from wayfare.histories.block import Block, read_only
from wayfare.histories.schema import Kind, Schema, storage_type

Starts = dict[int, NDArray[np.int64]]
"""Where the customers of each block begin, by the block's number."""


class Names:
    """The names behind one column's codes: `names[code]`, and `names.code(name)`."""

    def __init__(self, values: pa.Array | pa.ChunkedArray) -> None:
        self.values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, code: int) -> str:
        return self.values[int(code)].as_py()

    def __reduce__(self) -> tuple[Any, ...]:
        return Names, (self.values,)

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self.values.to_pylist())}

    def code(self, name: str) -> int | None:
        """The code of `name`, or None where the column never has it."""
        return self._codes.get(name)

    def to_list(self) -> list[str]:
        """All names, by code."""
        return self.values.to_pylist()

    def take(self, codes: Sequence[int] | np.ndarray) -> pa.Array:
        """The names of `codes` as text; null where a code is negative (missing)."""
        array = np.asarray(codes, dtype=np.int64)
        if len(self.values) == 0:
            return pa.nulls(len(array), pa.string())
        return self.values.take(pa.array(np.maximum(array, 0), mask=array < 0)).cast(pa.string())


@dataclass(frozen=True)
class Facts:
    """What is true of a whole log: sizes, time range (µs, UTC; None when empty), fingerprint, where it came from."""

    rows: int
    customers: int
    first: int | None
    last: int | None
    fingerprint: str
    lineage: tuple[dict[str, Any], ...] = ()
    simulated: bool = False


class Source(Protocol):
    """A log's blocks, wherever they live."""

    @property
    def schema(self) -> Schema:
        """The columns and how each is stored."""

    @property
    def facts(self) -> Facts:
        """Sizes, time range and lineage."""

    @property
    def blocks(self) -> int:
        """How many blocks there are."""

    def names(self, column: str) -> Names:
        """The names behind a coded column."""

    def read(self, index: int, columns: Sequence[str]) -> Block:
        """Block number `index` with the named columns."""


@dataclass(frozen=True, eq=False)
class MemorySource:
    """A log held in memory: one record batch a block."""

    schema: Schema
    facts: Facts
    batches: tuple[pa.RecordBatch, ...]
    dictionaries: Mapping[str, Names] = field(repr=False)
    _starts: Starts = field(default_factory=dict, init=False, repr=False)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return len(self.batches)

    def names(self, column: str) -> Names:
        """The names behind a coded column."""
        return names_of(self.dictionaries, self.schema, column)

    def read(self, index: int, columns: Sequence[str]) -> Block:
        """Block number `index` with the named columns."""
        return with_starts(block_of(self.batches[index], self.schema, columns), index, self._starts)


def names_of(dictionaries: Mapping[str, Names], schema: Schema, column: str) -> Names:
    """The names of a coded column, or the error that says which columns are coded."""
    if column not in dictionaries:
        raise UnknownName.among("text column", column, schema.of_kind(Kind.CODE))
    return dictionaries[column]


def block_of(batch: pa.RecordBatch, schema: Schema, columns: Sequence[str]) -> Block:
    """The named columns of a record batch as a block, without a copy but for text."""
    return Block(
        {name: batch.column(name).to_numpy(zero_copy_only=schema[name] is not Kind.TEXT) for name in columns}
    )


def with_starts(block: Block, index: int, remembered: Starts) -> Block:
    """The block with the offsets of its customers: found the first time, and remembered for every later pass."""
    if not block.has("customer"):
        return block
    if index not in remembered:
        remembered[index] = read_only(block.starts)
    return Block(block.columns, remembered[index])


def empty_block(schema: Schema, columns: Sequence[str]) -> Block:
    """A block without rows, for folding an empty log."""
    return Block({name: np.empty(0, dtype=storage_type(schema[name])) for name in columns})
