"""The log that new rows join, as DuckDB sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import ipc

from wayfare.histories.ingest.encode import Present
from wayfare.histories.schema import Kind
from wayfare.histories.store import SealedSource

IDS = "present_ids"


def present_of(con: duckdb.DuckDBPyConnection, source: SealedSource) -> Present:
    """The log's rows as the relation `present`, to be read once, numbered below all new rows."""
    schema = source.schema
    names = {name: source.names(name) for name in schema.of_kind(Kind.CODE)}
    con.register("present", _reader(source, tuple(schema), numbered=True))
    return Present(schema, names, "present")


def present_ids(con: duckdb.DuckDBPyConnection, source: SealedSource) -> str:
    """A relation of the log's event ids; empty text where it has none."""
    if "event_id" not in source.schema:
        return ""
    con.register("present_once", _reader(source, ("event_id",), numbered=False))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {IDS} AS SELECT event_id FROM present_once WHERE event_id IS NOT NULL"
    )
    con.unregister("present_once")
    return IDS


def _reader(source: SealedSource, columns: Sequence[str], *, numbered: bool) -> pa.RecordBatchReader:
    batches = _batches(source, columns, numbered=numbered)
    first = next(batches, None)
    if first is None:
        empty = pa.schema(
            [(name, _EMPTY[source.schema[name]]) for name in columns]
            + ([("ord", pa.int64())] if numbered else [])
        )
        return pa.RecordBatchReader.from_batches(empty, iter(()))

    def all_of_them() -> Iterator[pa.RecordBatch]:
        yield first
        yield from batches

    return pa.RecordBatchReader.from_batches(first.schema, all_of_them())


_EMPTY = {
    Kind.CODE: pa.int32(),
    Kind.NUMBER: pa.float64(),
    Kind.TIME: pa.int64(),
    Kind.FLAG: pa.int8(),
    Kind.TEXT: pa.string(),
}


def _batches(source: SealedSource, columns: Sequence[str], *, numbered: bool) -> Iterator[pa.RecordBatch]:
    position = -source.facts.rows
    for part in source.manifest.parts:
        with pa.memory_map(str(source.generation / part.file)) as file:
            reader = ipc.open_file(file)
            for index in range(reader.num_record_batches):
                batch = reader.get_batch(index).select(list(columns))
                if numbered:
                    batch = batch.append_column(
                        "ord", pa.array(np.arange(position, position + batch.num_rows))
                    )
                position += batch.num_rows
                yield batch
