"""Rows that could not be used: kept beside the log with reason and place, to be listed, mended and run again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from wayfare.histories.ingest.cells import LOCAL_MICROS, UTC_MICROS, literal, quoted
from wayfare.histories.ingest.clean import Load
from wayfare.histories.ingest.raw import Raw
from wayfare.histories.store import current_generation

FILE = "quarantine.parquet"
SCHEMA = pa.schema(
    [("id", pa.int64()), ("reason", pa.string()), ("source", pa.string()), ("line", pa.int64()), ("row", pa.string()), ("recipe", pa.string()), ("at", pa.string())]
)
"""id: stays with the row; line: in its file (the record's number where records are no lines); row: the original as
JSON text; recipe: the mapping or preset it was read with, as JSON text; at: when (ISO, UTC)."""


def rows(log_folder: Path) -> pa.Table:
    """Which rows are in quarantine, oldest first; see `SCHEMA` for the columns."""
    generation = current_generation(log_folder)
    if generation is None or not (generation / FILE).exists():
        return SCHEMA.empty_table()
    return pq.read_table(generation / FILE, schema=SCHEMA)


def write(generation: Path, table: pa.Table) -> None:
    """Puts the quarantine into a generation that is not yet the log; nothing where it is empty."""
    if table.num_rows == 0:
        return
    with (generation / FILE).open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())


def collect(
    con: duckdb.DuckDBPyConnection, loads: Sequence[Load], faulty: str, first_id: int, recipes: Sequence[str], at: str
) -> pa.Table:
    """The rows of the relation `faulty` (ord, src, line, fault) and the lines that were never rows, as quarantine rows."""
    tables = [part for index, load in enumerate(loads) for part in _of_load(con, index, load, faulty, recipes[index])]
    table = pa.concat_tables(tables) if tables else SCHEMA.drop_columns(["id", "at"]) .empty_table()
    count = table.num_rows
    columns = {"id": pa.array(range(first_id, first_id + count), pa.int64()), **{name: table[name] for name in table.column_names}}
    return pa.table({**columns, "at": pa.array([at] * count, pa.string())}).cast(SCHEMA)


def _of_load(con: duckdb.DuckDBPyConnection, index: int, load: Load, faulty: str, recipe: str) -> list[pa.Table]:
    raw, rules = load.raw, _rules(load)
    row = f"(ord - {index << 44}) // {rules}" if index or rules > 1 else "ord"
    query = (
        f"SELECT f.fault AS reason, {literal(raw.name)} AS source, {_line(raw)} AS line, {_as_json(raw)} AS row, {literal(recipe)} AS recipe"
        f" FROM (SELECT *, {row} AS raw_row FROM {faulty} WHERE src = {index}) f JOIN {quoted(raw.table)} r ON r.rowid = f.raw_row ORDER BY f.ord"
    )
    tables = [con.sql(query).to_arrow_table().cast(pa.schema([SCHEMA.field(n) for n in ("reason", "source", "line", "row", "recipe")]))]
    if raw.rejected:
        import json

        tables.append(pa.table({
            "reason": [line.reason for line in raw.rejected], "source": [raw.name] * len(raw.rejected),
            "line": [line.line for line in raw.rejected], "row": [json.dumps({"line": line.text}) for line in raw.rejected],
            "recipe": [recipe] * len(raw.rejected),
        }))  # fmt: skip
    return tables


def _rules(load: Load) -> int:
    return len(load.recipe.rows)


def _line(raw: Raw) -> str:
    """The line that a row stood on, lines that are no rows counted in."""
    if raw.line_column:
        return f"r.{quoted(raw.line_column)}::BIGINT"
    if raw.first_line is None:
        return "NULL::BIGINT"
    lines = [rejected.line for rejected in raw.rejected]
    if not lines:
        return f"(f.raw_row + {raw.first_line})::BIGINT"
    # The j-th rejected line (from 0) stands after line - first_line - j good rows.
    before = "[" + ", ".join(str(line - raw.first_line - j) for j, line in enumerate(lines)) + "]"
    return f"(f.raw_row + {raw.first_line} + len(list_filter({before}, lambda x: x <= f.raw_row)))::BIGINT"


def _as_json(raw: Raw) -> str:
    if not raw.data_columns:
        return "'{}'"
    fields = ", ".join(f"{quoted(name)} := {_shown(name, kind)}" for name, kind in raw.data_columns.items())
    return f"to_json(struct_pack({fields}))::VARCHAR"


def _shown(name: str, kind: str) -> str:
    column = f"r.{quoted(name)}"
    if kind in (LOCAL_MICROS, UTC_MICROS):
        return f"make_timestamp({column})::VARCHAR{' || chr(90)' if kind == UTC_MICROS else ''}"
    return column
