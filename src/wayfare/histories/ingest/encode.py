"""Names, codes, the one sort, and the cut into blocks of whole customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from wayfare.histories.block import BLOCK_EVENTS
from wayfare.histories.ingest.cells import Cell, as_flag, as_number, quoted, trimmed
from wayfare.histories.ingest.times import Reading, in_utc, reading
from wayfare.histories.ingest.workbench import one
from wayfare.histories.schema import CANONICAL, MISSING_TIME, Kind, Schema, storage_type
from wayfare.histories.source import Names

_SQL_TYPES = {
    np.dtype(np.int8): "TINYINT",
    np.dtype(np.int16): "SMALLINT",
    np.dtype(np.int32): "INTEGER",
    np.dtype(np.int64): "BIGINT",
}
BATCH_ROWS = 131_072
SAMPLED = 5_000
"""How many new rows are looked up in the log, to see whether it has them already."""
_UTC, _LOCAL = "\x1futc", "\x1flocal"


@dataclass(frozen=True)
class Encoded:
    """What the sorted rows will be: the schema, the names behind the codes, and the query that gives the rows."""

    schema: Schema
    dictionaries: dict[str, pa.Array]
    query: str
    fresh: str
    """The new rows alone, encoded, with `ord`."""
    customers: int
    """How many customers the new rows are of."""


@dataclass(frozen=True)
class Present:
    """The log that new rows join: its names, and a relation of its rows with the column `ord` (below all new ones)."""

    schema: Schema
    names: Mapping[str, Names]
    relation: str


def schema_of(kinds: Mapping[str, Kind], present: Present | None) -> Schema:
    """The stored columns: those of the log, and the new ones; the log's own (canonical) first."""
    merged = {**(dict(present.schema.kinds) if present else {}), **kinds}
    own = [(name, merged[name]) for name in CANONICAL if name in merged]
    return Schema(tuple(own + [(name, kind) for name, kind in merged.items() if name not in CANONICAL]))


def encode(
    con: duckdb.DuckDBPyConnection, relation: str, types: Mapping[str, str], kinds: Mapping[str, Kind],
    present: Present | None, zone: str,
) -> Encoded:  # fmt: skip
    """The usable rows of `relation` as integer codes and plain numbers, to be sorted by customer, time and input order."""
    schema = schema_of(kinds, present)
    dictionaries = {}
    for position, name in enumerate(schema.of_kind(Kind.CODE)):
        known = (
            present.names[name].values
            if present and name in present.schema and name in present.names
            else None
        )
        dictionaries[name] = _names(con, relation, name, types.get(name), known, position)
    fresh = _encoding(relation, types, schema, dictionaries, zone)
    union = fresh if present is None else f"{_widened(present, schema, dictionaries)} UNION ALL {fresh}"
    shown = ", ".join(quoted(name) for name in schema)
    (customers,) = one(con, f"SELECT count(DISTINCT code) FROM {_code_table(0)}")
    return Encoded(
        schema, dictionaries, f"SELECT {shown} FROM ({union}) ORDER BY customer, time, ord", fresh, customers
    )


def _code_table(position: int) -> str:
    return f"codes_{position}"


def _names(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    name: str,
    type_: str | None,
    known: pa.Array | None,
    position: int,
) -> pa.Array:
    """The column's names by code, and (in DuckDB) the code of each value; names of the log keep their codes."""
    if type_ is None:
        assert known is not None
        return known
    value = Cell("value", type_)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE said AS SELECT value, {trimmed(value)} AS name FROM"
        f" (SELECT DISTINCT {quoted(name)} AS value FROM {relation} WHERE {quoted(name)} IS NOT NULL)"
    )
    base = 0 if known is None else len(known)
    con.register(
        "known_names",
        pa.table(
            {
                "name": pa.array([], pa.string()) if known is None else known.cast(pa.string()),
                "code": np.arange(base),
            }
        ),
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh_names AS SELECT name, {base} + row_number() OVER (ORDER BY name) - 1 AS code FROM"
        " (SELECT DISTINCT name FROM said WHERE name IS NOT NULL) ANTI JOIN known_names USING (name)"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_code_table(position)} AS SELECT value, code::INTEGER AS code FROM said JOIN"
        " (SELECT name, code FROM known_names UNION ALL SELECT name, code FROM fresh_names) USING (name)"
    )
    fresh = con.sql("SELECT name FROM fresh_names ORDER BY code").to_arrow_table().column(0).combine_chunks()
    con.unregister("known_names")
    return fresh if known is None else pa.concat_arrays([known.cast(fresh.type), fresh])


def _encoding(
    relation: str, types: Mapping[str, str], schema: Schema, names: Mapping[str, pa.Array], zone: str
) -> str:
    coded = {
        name: _code_table(position)
        for position, name in enumerate(schema.of_kind(Kind.CODE))
        if name in types
    }
    values = ", ".join(
        f"{_value(name, types, schema[name], names, coded, zone)} AS {quoted(name)}" for name in schema
    )
    relation = _with_times(relation, types, schema)
    joins = " ".join(
        f"{'JOIN' if name == 'customer' else 'LEFT JOIN'} {table} ON r.{quoted(name)} = {table}.value"
        for name, table in coded.items()
    )
    return f"SELECT r.ord AS ord, {values} FROM {relation} r {joins}"


def _with_times(relation: str, types: Mapping[str, str], schema: Schema) -> str:
    """The relation with its properties that are times read once, as two columns each."""
    columns = []
    for name in _property_times(types, schema):
        found = reading(Cell(quoted(name), types[name]))
        columns += [
            f"{sql or 'NULL::BIGINT'} AS {quoted(name + end)}"
            for sql, end in ((found.utc, _UTC), (found.local, _LOCAL))
        ]
    return f"(SELECT *, {', '.join(columns)} FROM {relation})" if columns else relation


def _property_times(types: Mapping[str, str], schema: Schema) -> list[str]:
    return [name for name in schema.of_kind(Kind.TIME) if name != "time" and name in types]


def _value(
    name: str,
    types: Mapping[str, str],
    kind: Kind,
    names: Mapping[str, pa.Array],
    coded: Mapping[str, str],
    zone: str,
) -> str:
    if name in coded:
        return _as_code(f"{coded[name]}.code", len(names[name]))
    if name not in types:
        return _absent(kind, len(names.get(name, ())))
    cell = Cell(f"r.{quoted(name)}", types[name])
    if name == "time":
        return cell.sql
    if kind is Kind.NUMBER:
        return f"coalesce({as_number(cell)}, 'nan'::DOUBLE)"
    if kind is Kind.TIME:
        both = Reading(f"r.{quoted(name + _UTC)}", f"r.{quoted(name + _LOCAL)}")
        return f"coalesce({in_utc(both, zone)}, {MISSING_TIME})"
    if kind is Kind.FLAG:
        return f"coalesce({as_flag(cell)}, (-1)::TINYINT)"
    return trimmed(cell)


def _as_code(sql: str, names: int) -> str:
    return f"coalesce({sql}, -1)::{_SQL_TYPES[storage_type(Kind.CODE, names)]}"


def _absent(kind: Kind, names: int) -> str:
    if kind is Kind.CODE:
        return _as_code("NULL", names)
    return {
        Kind.NUMBER: "'nan'::DOUBLE",
        Kind.TIME: f"{MISSING_TIME}::BIGINT",
        Kind.FLAG: "(-1)::TINYINT",
        Kind.TEXT: "NULL::VARCHAR",
    }[kind]


def _widened(present: Present, schema: Schema, names: Mapping[str, pa.Array]) -> str:
    """The rows of the log under the new schema."""
    values = ", ".join(
        f"{_present_value(name, present, schema[name], names)} AS {quoted(name)}" for name in schema
    )
    return f"SELECT ord, {values} FROM {present.relation}"


def _present_value(name: str, present: Present, kind: Kind, names: Mapping[str, pa.Array]) -> str:
    if name not in present.schema:
        return _absent(kind, len(names.get(name, ())))
    return _as_code(quoted(name), len(names[name])) if kind is Kind.CODE else quoted(name)


def already_there(con: duckdb.DuckDBPyConnection, encoded: Encoded, present: Present) -> str:
    """A table with the `ord` of each new row that the log has already, equal in every column."""
    same = " AND ".join(f"f.{quoted(name)} IS NOT DISTINCT FROM p.{quoted(name)}" for name in encoded.schema)
    there = _widened(present, encoded.schema, encoded.dictionaries)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE already_there AS SELECT f.ord FROM ({encoded.fresh}) f SEMI JOIN ({there}) p ON {same}"
    )
    return "already_there"


def repeated(
    con: duckdb.DuckDBPyConnection, encoded: Encoded, present: Present, kept: int
) -> tuple[int, int]:
    """How many of the new rows were looked at (all of few, some thousands of many), and how many of them the log has."""
    same = " AND ".join(f"f.{quoted(name)} IS NOT DISTINCT FROM p.{quoted(name)}" for name in encoded.schema)
    some = f"SELECT * FROM ({encoded.fresh}) WHERE hash(ord) % {max(1, kept // SAMPLED)} = 0"
    con.execute(f"CREATE OR REPLACE TEMP TABLE looked_at AS {some}")
    there = _widened(present, encoded.schema, encoded.dictionaries)
    looked = one(con, "SELECT count(*) FROM looked_at")[0]
    found = one(con, f"SELECT count(DISTINCT f.ord) FROM looked_at f JOIN ({there}) p ON {same}")[0]
    con.execute("DROP TABLE looked_at")
    return looked, found


def blocks(batches: Iterator[pa.RecordBatch], size: int = BLOCK_EVENTS) -> Iterator[pa.RecordBatch]:
    """Sorted rows cut into batches of whole customers, each of `size` rows or up to one customer more."""
    pending: list[pa.RecordBatch] = []
    rows, last = 0, None
    for batch in batches:
        while batch.num_rows:
            codes = batch.column("customer").to_numpy()
            starts = np.flatnonzero(np.concatenate(([codes[0] != last], codes[1:] != codes[:-1])))
            later = starts[(starts + rows >= size) & (starts + rows > 0)]
            last = codes[-1]
            if not len(later):
                pending.append(batch)
                rows += batch.num_rows
                break
            cut = int(later[0])
            yield _joined([*pending, batch.slice(0, cut)])
            batch, pending, rows = batch.slice(cut), [], 0
            last = None
    if pending:
        yield _joined(pending)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches).combine_chunks()
    return table.to_batches()[0]
