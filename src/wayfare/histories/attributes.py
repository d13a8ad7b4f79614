"""Columns that belong to the customer and not to the event: joined to every block by the customer's code."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wayfare.errors import BadInput, InvalidParameter, UnknownName
from wayfare.histories.block import Block
from wayfare.histories.schema import Kind, Schema, code_type, missing
from wayfare.histories.source import Facts, Names, Source


@dataclass(frozen=True, eq=False)
class Attribute:
    """One column that belongs to the customer.

    Attributes:
        kind: How it is stored: code, number or flag.
        values: What each row of the table says, missing in-band (customers of the table,).
        names: The names behind the codes of a code column, by alphabet.
    """

    kind: Kind
    values: NDArray
    names: Names | None = None


@dataclass(frozen=True, eq=False)
class Attributes:
    """What is known of customers: their ids as text, and a value each a column.

    Attributes:
        ids: One id a customer, each once, none missing.
        columns: The columns by name.
        fingerprint: What changes with any of it.
    """

    ids: pa.Array
    columns: dict[str, Attribute]
    fingerprint: str


class AttributedSource:
    """A log's source with columns added that say the same at every row of a customer."""

    def __init__(self, source: Source, attributes: Attributes) -> None:
        taken = [name for name in attributes.columns if name in source.schema]
        if taken:
            raise InvalidParameter(
                f"The log has a column {taken[0]!r} already.", where=taken[0], hint="Give it another name."
            )
        self.source = source
        self.given = attributes
        kinds = tuple((name, its.kind) for name, its in attributes.columns.items())
        self.schema = Schema((*source.schema.kinds, *kinds))

    def __reduce__(self) -> tuple[Any, ...]:
        # What travels to other processes is looked up already: they need no ids.
        return _rebuilt, (self.source, self.given.columns, self.facts, self.values)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the columns that belong to the customer."""
        return (*attributes_of(self.source), *self.given.columns)

    @cached_property
    def facts(self) -> Facts:
        """Sizes, time range and lineage of the log; the fingerprint is also that of the attributes."""
        facts = self.source.facts
        both = hashlib.sha256(f"{facts.fingerprint} {self.given.fingerprint}".encode()).hexdigest()[:16]
        return replace(facts, fingerprint=both)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return self.source.blocks

    @property
    def unknown(self) -> int:
        """How many customers of the table the log does not know; what is said of them is not used."""
        return len(self.given.ids) - int((self._rows >= 0).sum())

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        """The row of the table that speaks of each customer code of the log, or -1 (customers,)."""
        customers = self.source.names("customer").values
        found = pc.index_in(customers.cast(self.given.ids.type), value_set=self.given.ids)
        return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)

    @cached_property
    def values(self) -> dict[str, NDArray]:
        """Each column's value by the log's customer code (customers,); missing where the table does not know one."""
        rows, found = self._rows, {}
        for name, its in self.given.columns.items():
            found[name] = np.full(len(rows), missing(its.kind), dtype=its.values.dtype)
            found[name][rows >= 0] = its.values[rows[rows >= 0]]
        return found

    def names(self, column: str) -> Names:
        """The names behind a coded column."""
        its = self.given.columns.get(column)
        if its is not None and its.names is not None:
            return its.names
        try:
            return self.source.names(column)
        except UnknownName:
            raise UnknownName.among("text column", column, self.schema.of_kind(Kind.CODE)) from None

    def read(self, index: int, columns: Sequence[str]) -> Block:
        """Block number `index` with the named columns."""
        added = [name for name in columns if name in self.given.columns]
        if not added:
            return self.source.read(index, columns)
        own = tuple(dict.fromkeys(("customer", *(name for name in columns if name not in added))))
        block = self.source.read(index, own)
        customer = block["customer"]
        return block.with_columns({name: self.values[name][customer] for name in added})


def _rebuilt(
    source: Source, columns: dict[str, Attribute], facts: Facts, values: dict[str, NDArray]
) -> AttributedSource:
    bare = {name: replace(its, values=its.values[:0]) for name, its in columns.items()}
    rebuilt = AttributedSource(source, Attributes(pa.array([], pa.string()), bare, ""))
    vars(rebuilt).update(facts=facts, values=values)
    return rebuilt


def attributes_of(source: Source) -> tuple[str, ...]:
    """The names of the source's columns that belong to the customer."""
    return source.attributes if isinstance(source, AttributedSource) else ()


def attributes(table: pa.Table, customer: str) -> Attributes:
    """The table's columns as attributes of the customers whose ids are in its column `customer`.

    Text becomes codes (empty text is missing), numbers stay numbers, yes/no becomes a flag. Rows without a customer are
    left out.

    Raises:
        UnknownName: There is no column `customer`.
        BadInput: A customer has two rows, there is nothing but ids, or a column is neither text, number nor yes/no.
    """
    if customer not in table.column_names:
        raise UnknownName.among("column", customer, table.column_names)
    kept = [name for name in table.column_names if not name.startswith("__index_level_")]
    table = table.select(kept).filter(pc.is_valid(table[customer]))
    ids = _plain(table[customer]).cast(pa.string())
    _check_once(ids)
    columns = {name: _attribute(name, table[name]) for name in table.column_names if name != customer}
    if not columns:
        raise BadInput(
            f"The table has no column beside {customer!r}.", hint="Add what is to be known of them."
        )
    return Attributes(ids, columns, _fingerprint(ids, columns))


def _check_once(ids: pa.Array) -> None:
    if len(pc.unique(ids)) == len(ids):
        return
    counts = pc.value_counts(ids)
    twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    raise BadInput(
        f"The customer {pc.min(twice).as_py()!r} has more than one row.", hint="Keep one row a customer."
    )


def _attribute(name: str, column: pa.ChunkedArray) -> Attribute:
    values = _plain(column)
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return _codes(values.cast(pa.string()))
    if pa.types.is_boolean(kind):
        flags = values.cast(pa.int8()).fill_null(-1)
        return Attribute(Kind.FLAG, flags.to_numpy(zero_copy_only=False).astype(np.int8))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = values.cast(pa.float64(), safe=False).fill_null(np.nan)
        return Attribute(Kind.NUMBER, numbers.to_numpy(zero_copy_only=False).astype(np.float64))
    raise BadInput(f"The column {name!r} holds {kind}.", where=name, allowed=("text", "numbers", "yes or no"))


def _plain(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _codes(texts: pa.Array) -> Attribute:
    texts = pc.if_else(pc.equal(texts, ""), None, texts)
    names = pc.unique(texts.drop_null())
    names = names.take(pc.sort_indices(names))
    codes = pc.index_in(texts, value_set=names).fill_null(-1).to_numpy(zero_copy_only=False)
    # index_in finds null in no set of names, so that missing text is -1
    return Attribute(Kind.CODE, codes.astype(code_type(len(names))), Names(names))


def _fingerprint(ids: pa.Array, columns: dict[str, Attribute]) -> str:
    """A hash of what is said of whom."""
    digest = hashlib.sha256()
    for part in (ids, *(its.names.values for its in columns.values() if its.names is not None)):
        lengths = pc.binary_length(part).to_numpy(zero_copy_only=False)
        digest.update(lengths.tobytes() + _joined(part))
    for name, its in columns.items():
        digest.update(f"{name} {its.kind} ".encode() + its.values.tobytes())
    return digest.hexdigest()[:16]


def _joined(texts: pa.Array) -> bytes:
    return bytes(pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), "")[0].as_buffer())
