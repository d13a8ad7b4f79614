"""Rows that could not be used: kept beside the log with reason and place, to be listed, mended and run again."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from wayfare.domain import formula
from wayfare.domain.survey import Survey
from wayfare.errors import BadInput, NotReady
from wayfare.histories.ingest.cells import literal, quoted
from wayfare.histories.ingest.mapping import Mapping
from wayfare.histories.ingest.summary import IngestSummary
from wayfare.histories.ingest.workbench import workbench
from wayfare.histories.store import current_generation

FILE = "quarantine.parquet"
SCHEMA = pa.schema([
    ("id", pa.int64()), ("reason", pa.string()), ("source", pa.string()), ("line", pa.int64()), ("row", pa.string()),
    ("recipe", pa.string()), ("rule", pa.int64()), ("at", pa.string()),
])  # fmt: skip
"""id: stays with the row until it leaves; line: in its file (the record's number where records are no lines); row: the
original as JSON text; recipe: the mapping or preset it was read with, as JSON text, and which of its rules (-1: all);
at: when it came here (ISO, UTC)."""

MALFORMED = "malformed line"
"""The only field of a row that could not be taken apart into columns."""

ID, META = "quarantine_id", ("quarantine_id", "quarantine_reason", "quarantine_source", "quarantine_line")


def rows(log_folder: Path) -> pa.Table:
    """Which rows are in quarantine, oldest first; see `SCHEMA` for the columns."""
    generation = current_generation(Path(log_folder))
    if generation is None or not (generation / FILE).exists():
        return SCHEMA.empty_table()
    return pq.read_table(generation / FILE, schema=SCHEMA)


def export(log_folder: Path, path: Path) -> int:
    """Writes the quarantine as a CSV to mend, and says how many rows it holds.

    The first four columns say which row it is; the rest are the source's own. A cell that a spreadsheet would run as a
    formula gets a `'` in front, which `rerun` takes off again.
    """
    table = rows(log_folder)
    if not path.absolute().parent.is_dir():
        raise BadInput(
            "There is no such folder.", where=str(path.parent), hint="Make it first, or name another file."
        )
    with workbench() as (con, _):
        con.register("kept_aside", table)
        keys = keys_of(con, "kept_aside")
        fields = ", ".join(f"{_harmless(_field(key))} AS {quoted(formula.harmless(key))}" for key in keys)
        meta = f"id AS {META[0]}, reason AS {META[1]}, {_harmless('source')} AS {META[2]}, line AS {META[3]}"
        con.execute(
            f"COPY (SELECT {meta}{', ' if fields else ''}{fields} FROM kept_aside ORDER BY id) TO {literal(str(path))} (FORMAT csv, HEADER true)"
        )
    return int(table.num_rows)


def rerun(
    log_folder: Path, mended: Path | None = None, *, mapping: Mapping | None = None, preset: str | None = None,
    as_event: str | None = None, zone: str = "UTC", surveys: AnyMapping[str, Survey] | None = None, dry_run: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> IngestSummary:  # fmt: skip
    """What became of the quarantine's rows when they were run again; those that pass leave it.

    Args:
        log_folder: The log's folder.
        mended: A CSV that `export` wrote, with rows mended (rows left out of it stay in quarantine); without it, the rows
            as they are.
        mapping: A corrected mapping, in place of the one they were read with; so `preset`, and `as_event`.
        zone: The workspace's time zone.
        surveys: The surveys as their documents say now, by name; answers are read again by them.
        dry_run: Whether nothing is written.
        progress: Told the phase and how far it has come.
    """
    from wayfare.histories.ingest.rerun import run_again

    if rows(log_folder).num_rows == 0:
        raise NotReady("No rows are in quarantine.", where=str(log_folder))
    return run_again(
        Path(log_folder),
        mended,
        mapping,
        preset,
        as_event,
        zone,
        surveys=surveys or {},
        dry_run=dry_run,
        progress=progress,
    )


def write(generation: Path, table: pa.Table) -> None:
    """Puts the quarantine into a generation that is not yet the log; nothing where it is empty."""
    if table.num_rows == 0:
        return
    with (generation / FILE).open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())


def keys_of(con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """The source columns of the quarantine rows in `relation` (id, row), in the order they first appear in."""
    each = f"SELECT id, unnest(json_keys(row)) AS key, generate_subscripts(json_keys(row), 1) AS place FROM {relation}"
    found = con.execute(
        f"SELECT key FROM ({each}) GROUP BY key ORDER BY min(id), arg_min(place, id)"
    ).fetchall()
    return [key for (key,) in found]


def _field(key: str) -> str:
    return f"json_extract_string(row, {literal('/' + key.replace('~', '~0').replace('/', '~1'))})"


def _harmless(sql: str) -> str:
    return f"CASE WHEN regexp_matches({sql}, {literal(formula.RUNS)}) THEN {literal(formula.MARK)} || {sql} ELSE {sql} END"


def restored(sql: str) -> str:
    """A cell of a mended export without the mark that kept it from being a formula."""
    return f"CASE WHEN regexp_matches({sql}, {literal(formula.MARKED)}) THEN substr({sql}, {len(formula.MARK) + 1}) ELSE {sql} END"


def restored_name(name: str) -> str:
    """A column's name, likewise."""
    return formula.restored(name)
