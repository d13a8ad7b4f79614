"""The rows of a run that can't be used, as rows of the quarantine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from wayfare.histories.ingest.cells import LOCAL_MICROS, UTC_MICROS, literal, quoted
from wayfare.histories.ingest.clean import NOTHING, SOURCE_BITS
from wayfare.histories.ingest.load import Load
from wayfare.histories.ingest.quarantine import MALFORMED, SCHEMA
from wayfare.histories.ingest.raw import ID_COLUMN, ITEM_NUMBER, Raw

_PARTS = pa.schema([field for field in SCHEMA if field.name != "at"])


def put_aside(
    con: duckdb.DuckDBPyConnection,
    loads: Sequence[Load],
    faulty: str,
    first_id: int,
    recipes: Sequence[dict[str, Any]],
    at: str,
) -> pa.Table:
    """The rows of the relation `faulty` (ord, src, fault) and the lines that were never rows, as quarantine rows.

    A row that was in quarantine before keeps its id; the others are numbered from `first_id`.
    """
    texts = [json.dumps(recipe, sort_keys=True, ensure_ascii=False) for recipe in recipes]
    tables = [
        part for index, load in enumerate(loads) for part in _of_load(con, index, load, faulty, texts[index])
    ]
    table = pa.concat_tables(tables)
    known = table["id"].to_numpy()
    ids = np.where(known >= 0, known, first_id + np.cumsum(known < 0) - 1)
    return (
        table.set_column(0, "id", pa.array(ids))
        .append_column("at", pa.array([at] * len(ids), pa.string()))
        .cast(SCHEMA)
    )


def _of_load(
    con: duckdb.DuckDBPyConnection, index: int, load: Load, faulty: str, recipe: str
) -> list[pa.Table]:
    raw, rules = load.raw, len(load.recipe.rows)
    place = f"f.ord - {index << SOURCE_BITS}"
    identity = f"r.{quoted(ID_COLUMN)}" if ID_COLUMN in raw.columns else "(-1)::BIGINT"
    rule = f"CASE WHEN f.fault = {literal(NOTHING)} OR {rules} = 1 THEN -1 ELSE ({place}) % {rules} END"
    table = con.sql(
        f"SELECT {identity} AS id, f.fault AS reason, {literal(raw.name)} AS source, {_line(raw)} AS line, {_as_json(raw)} AS row,"
        f" {literal(recipe)} AS recipe, ({rule})::BIGINT AS rule"
        f" FROM (SELECT ord, fault, ({place}) // {rules} AS raw_row FROM {faulty} f WHERE src = {index}) f"
        f" JOIN {quoted(raw.table)} r ON r.rowid = f.raw_row ORDER BY f.ord"
    ).to_arrow_table()
    return [_among_rejected(raw, table.cast(_PARTS)), _malformed(raw, recipe)]


def _malformed(raw: Raw, recipe: str) -> pa.Table:
    lines = raw.rejected
    return pa.table({
        "id": pa.array([-1] * len(lines), pa.int64()), "reason": pa.array([line.reason for line in lines], pa.string()),
        "source": pa.array([raw.name] * len(lines), pa.string()), "line": pa.array([line.line for line in lines], pa.int64()),
        "row": pa.array([json.dumps({MALFORMED: line.text}, ensure_ascii=False) for line in lines], pa.string()),
        "recipe": pa.array([recipe] * len(lines), pa.string()), "rule": pa.array([-1] * len(lines), pa.int64()),
    })  # fmt: skip


def _line(raw: Raw) -> str:
    """The line that a row stood on, lines that are no rows not counted yet."""
    if raw.line_column:
        return f"r.{quoted(raw.line_column)}::BIGINT"
    if raw.first_line is None:
        return "NULL::BIGINT"
    return f"(f.raw_row + {raw.first_line})::BIGINT"


def _among_rejected(raw: Raw, rows: pa.Table) -> pa.Table:
    """The rows with the lines that are no rows counted in: the j-th of them (from 0) stands after line - first - j rows."""
    if raw.line_column or raw.first_line is None or not raw.rejected:
        return rows
    before = np.array([rejected.line - raw.first_line - j for j, rejected in enumerate(raw.rejected)])
    lines = rows["line"].to_numpy()
    counted = lines + np.searchsorted(before, lines - raw.first_line, side="right")
    return rows.set_column(rows.schema.get_field_index("line"), "line", pa.array(counted, pa.int64()))


def _kept(raw: Raw) -> dict[str, str]:
    """The source's columns, and an element's place in its list, which tells rows of one line apart when they are run again."""
    return {
        name: kind for name, kind in raw.columns.items() if name in raw.data_columns or name == ITEM_NUMBER
    }


def _as_json(raw: Raw) -> str:
    # json_object, and not to_json of a row: names may differ in their capitals alone.
    fields = ", ".join(f"{literal(name)}, {_shown(name, kind)}" for name, kind in _kept(raw).items())
    return f"json_object({fields})::VARCHAR"


def _shown(name: str, kind: str) -> str:
    column = f"r.{quoted(name)}"
    if kind in (LOCAL_MICROS, UTC_MICROS):
        return f"make_timestamp({column})::VARCHAR{' || chr(90)' if kind == UTC_MICROS else ''}"
    if kind in ("FLOAT", "DOUBLE"):
        # JSON has no word for these, and what is no JSON could not be read again.
        return f"CASE WHEN isfinite({column}) THEN to_json({column}) ELSE to_json({column}::VARCHAR) END"
    return f"{column}::VARCHAR" if kind.startswith(("TIMESTAMP", "DATE")) else column
