"""Any data frame as a log in memory: the same checks and the same encoding as for files, and no workspace."""

from __future__ import annotations

import hashlib
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from wayfare.errors import BadInput, UnknownName
from wayfare.histories.calendar import zone_of
from wayfare.histories.ingest.checking import Checked, check
from wayfare.histories.ingest.clean import stage
from wayfare.histories.ingest.detect import detect_in
from wayfare.histories.ingest.encode import BATCH_ROWS, Encoded, blocks, encode
from wayfare.histories.ingest.kinds import kinds_of
from wayfare.histories.ingest.load import Load, said_kinds
from wayfare.histories.ingest.mapping import Mapping, Properties
from wayfare.histories.ingest.raw import Raw, described, without_rowid
from wayfare.histories.ingest.recipe import recipe_of
from wayfare.histories.ingest.sources import Piece, Wanted, pieces, read
from wayfare.histories.ingest.workbench import one, workbench
from wayfare.histories.schema import Kind
from wayfare.histories.source import Facts, MemorySource, Names


def memory_source(
    frame: Any,
    *,
    zone: str = "UTC",
    as_event: str | None = None,
    properties: Properties = "all",
    **columns: str,
) -> MemorySource:
    """The events of a data frame as a log in memory.

    Args:
        frame: A pandas or polars frame, a pyarrow table, a DuckDB relation, any other frame that narwhals knows, or a
            file's path (or a database's address).
        zone: The time zone of times that name none.
        as_event: The event that every row is, where no column says it.
        properties: Which other columns travel as properties: all, or those named.
        columns: From a column of the log (`customer`, `time`, `event`, `value`, ...) to the frame's column; what is
            left open is detected by name.

    Raises:
        UnknownName: The frame has no such column.
        BadInput: None of its rows can be used.

    Warns:
        UserWarning: Some rows can't be used, with how many and why.
    """
    zone_of(zone)
    explicit = Mapping(columns, {"event": as_event} if as_event else {}, properties=properties)
    with workbench() as (con, scratch):
        given = pieces([str(frame)]) if isinstance(frame, str | Path) else [None]
        loads = [_load(con, number, frame, piece, explicit, scratch) for number, piece in enumerate(given)]
        return source_of(con, loads, zone)


def source_of(con: duckdb.DuckDBPyConnection, loads: Sequence[Load], zone: str) -> MemorySource:
    """The usable rows of the loads as a log in memory; warns of the others."""
    staged = stage(con, loads, zone)
    checked = check(con, loads, staged, rows=False, ids="")
    _report(checked)
    kinds = kinds_of(con, checked.usable, staged.columns, None, said_kinds(loads))
    encoded = encode(con, checked.usable, staged.columns, kinds, None, zone)
    batches = tuple(blocks(iter(con.sql(encoded.query).to_arrow_reader(BATCH_ROWS))))
    return MemorySource(encoded.schema, _facts(con, checked, encoded, batches), batches, _names(encoded))


def arrow_of(frame: Any) -> pa.Table:
    """The frame as an Arrow table."""
    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if isinstance(frame, pa.RecordBatchReader):
        return frame.read_all()
    if isinstance(frame, duckdb.DuckDBPyRelation):
        return frame.to_arrow_table()
    import narwhals as nw

    try:
        known = nw.from_native(frame)
    except TypeError as error:
        raise BadInput(
            f"A {type(frame).__name__} is no data frame.",
            allowed=("pandas", "polars", "pyarrow", "DuckDB relation"),
        ) from error
    except nw.exceptions.DuplicateError:
        twice = sorted({str(name) for name in frame.columns if list(frame.columns).count(name) > 1})
        raise BadInput(
            f"Several columns have one name: {', '.join(twice)}.",
            where="the data frame",
            hint="Rename or drop one.",
        ) from None
    eager = known.collect() if isinstance(known, nw.LazyFrame) else known
    try:
        return eager.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return _with_texts(eager.to_native())


def _with_texts(frame: Any) -> pa.Table:
    """A pandas frame whose columns of mixed objects are taken as text."""
    arrays = {}
    for name in frame.columns:
        try:
            arrays[str(name)] = pa.array(frame[name], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            values = frame[name]
            arrays[str(name)] = pa.array(
                values.astype(str).where(values.notna(), None), pa.string(), from_pandas=True
            )
    return pa.table(arrays)


def _load(
    con: duckdb.DuckDBPyConnection,
    number: int,
    frame: Any,
    piece: Piece | None,
    explicit: Mapping,
    scratch: Path,
) -> Load:
    table = f"raw_{number}"
    raw = (
        raw_of(con, frame, table)
        if piece is None
        else read(con, piece, table, Wanted(recipe_of(explicit).roles(), scratch))
    )
    for column in explicit.columns.values():
        if column not in raw.columns:
            raise UnknownName.among("column", column, raw.data_columns, where=raw.name)
    return Load(raw, recipe_of(explicit.completed(detect_in(con, raw).mapping), raw.columns))


def raw_of(con: duckdb.DuckDBPyConnection, frame: Any, name: str) -> Raw:
    """The data frame as a source that was read, in the table `name`."""
    table = arrow_of(frame)
    table = table.drop_columns(
        [column for column in table.column_names if column.startswith("__index_level_")]
    )
    if not table.num_columns:
        raise BadInput("The data frame has no columns.", hint="It needs who, when and what.")
    con.register("frame", table)
    con.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
    con.unregister("frame")
    return without_rowid(con, Raw("the data frame", name, described(con, name)))


def _report(checked: Checked) -> None:
    if not checked.quarantined:
        return
    reasons = ", ".join(f"{count:,} × {reason}" for reason, count in checked.reasons.items())
    if not checked.kept:
        raise BadInput(
            f"None of the {checked.rows:,} rows can be used ({reasons}).",
            hint="Check customer=, time= and event=.",
        )
    told = f"{checked.quarantined:,} of {checked.rows:,} rows can't be used and are left out: {reasons}."
    warnings.warn(told, UserWarning, stacklevel=5)


def _names(encoded: Encoded) -> dict[str, Names]:
    return {name: Names(values) for name, values in encoded.dictionaries.items()}


def _facts(
    con: duckdb.DuckDBPyConnection, checked: Checked, encoded: Encoded, batches: Sequence[pa.RecordBatch]
) -> Facts:
    first, last = one(con, f"SELECT min(time), max(time) FROM {checked.usable}")
    digest = hashlib.sha256(repr(encoded.schema.kinds).encode())
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            text = encoded.schema[name] is Kind.TEXT
            digest.update(
                str(zlib.crc32(repr(column.to_pylist()).encode() if text else column.to_numpy())).encode()
            )
    simulated = "source" in encoded.dictionaries and "simulated" in encoded.dictionaries["source"].to_pylist()
    customers = len(encoded.dictionaries["customer"])
    return Facts(
        checked.kept,
        customers,
        first,
        last,
        digest.hexdigest()[:16],
        ({"sources": ["a data frame"]},),
        simulated,
    )
