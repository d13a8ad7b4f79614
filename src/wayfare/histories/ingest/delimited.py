"""Text with columns (CSV and its kin), read once; again as text where a value is not what the file's head promised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import quoted
from wayfare.histories.ingest.dialect import Dialect, dialect_of
from wayfare.histories.ingest.raw import Raw, Rejected, above_header
from wayfare.histories.ingest.times import SHAPES, Shape, shaped
from wayfare.histories.ingest.workbench import one
from wayfare.histories.schema import Kind

SAMPLE_ROWS = 20_000
NO_NUMBER = "^[-+]?0[0-9]|_|^[-+]?[0-9]{16,}$"
"""Text that reads as a number and would lose something by it: leading zeros, more digits than a DOUBLE holds."""
_GROUPED = "[-+]?[1-9][0-9]{0,2}([.][0-9]{3})+"
"""15.000, which may be fifteen thousand: a column whose every point stands so is left to be looked at as text."""


def read_delimited(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    table: str,
    roles: Mapping[str, Kind],
    scratch: Path,
    limit: int = 0,
) -> Raw:
    """The file as a table, read once; again with every column as text where a value is not what the head promised."""

    def attempt(dialect: Dialect) -> Raw:
        if limit:
            return _glance(con, dialect, table, path.name, limit)
        return read_dialect(con, dialect, table, path.name, roles)

    dialect = dialect_of(path, scratch)
    try:
        raw = attempt(dialect)
    except BadInput:
        # Line ends of several kinds are what DuckDB stumbles over; they may begin anywhere in the file.
        raw = attempt(dialect_of(path, scratch, line_ends=True))
    if any(rejected.reason == _ENCODING for rejected in raw.rejected):
        return read_dialect(con, dialect_of(path, scratch, "cp1252"), table, path.name, roles)
    return raw


def read_dialect(
    con: duckdb.DuckDBPyConnection, dialect: Dialect, table: str, name: str, roles: Mapping[str, Kind]
) -> Raw:
    """The same where the file's dialect is known."""
    types, shapes = _types(con, dialect, roles)
    raw = _read(con, dialect, table, types, shapes, name)
    if raw is None:
        raw = _read(con, dialect, table, dict.fromkeys(dialect.names, "VARCHAR"), {}, name)
    assert raw is not None, "text can be read as text"
    return raw


def _glance(con: duckdb.DuckDBPyConnection, dialect: Dialect, table: str, name: str, limit: int) -> Raw:
    text = dict.fromkeys(dialect.names, "VARCHAR")
    reader = dialect.reader(text, keep_rejects=False)
    try:
        con.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT * FROM {reader} LIMIT {limit}")
    except duckdb.Error as error:
        raise _unreadable(error, name) from error
    return Raw(name, table, text, _first_line(dialect))


def _first_line(dialect: Dialect) -> int:
    return dialect.skipped + (2 if dialect.header else 1)


def _unreadable(error: duckdb.Error, name: str) -> BadInput:
    if isinstance(error, duckdb.InterruptException):
        raise error
    return BadInput(
        f"The file can't be read as text with columns ({str(error).splitlines()[0]}).", where=name,
        hint="Open it in a text editor: does each line have the same columns, with one mark between them?",
    )  # fmt: skip


_ENCODING = "not UTF-8"
_REASONS = {
    "INVALID ENCODING": _ENCODING, "MISSING COLUMNS": "too few columns", "TOO MANY COLUMNS": "too many columns",
    "UNQUOTED VALUE": "a quote is not closed", "LINE SIZE OVER MAXIMUM": "line too long", "INVALID STATE": "quotes misplaced",
}  # fmt: skip


def _read(
    con: duckdb.DuckDBPyConnection,
    dialect: Dialect,
    table: str,
    types: dict[str, str],
    shapes: dict[str, Shape],
    name: str,
) -> Raw | None:
    """The table; None where a typed column holds a value of another type, so that it must be read as text."""
    shown = ", ".join(
        f"{shaped(quoted(column), shapes[column])} AS {quoted(column)}"
        if column in shapes
        else quoted(column)
        for column in types
    )
    late = ", ".join(f"count({quoted(column)}) AS {quoted(column)}" for column in shapes)
    con.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    try:
        con.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT {shown} FROM {dialect.reader(types)}")
    except duckdb.Error as error:
        raise _unreadable(error, name) from error
    rejected = _rejected(con)
    if rejected is None:
        return None
    if late:
        counts = one(con, f"SELECT count(*), {late} FROM {quoted(table)}")
        if any(count != counts[0] for count in counts[1:]):
            return None
    columns = {column: shapes[column].type if column in shapes else kind for column, kind in types.items()}
    notes = above_header(dialect.skipped, "line", name)
    return Raw(name, table, columns, _first_line(dialect), rejected, notes=notes)


def _rejected(con: duckdb.DuckDBPyConnection) -> tuple[Rejected, ...] | None:
    """The lines that were left out, one entry each; None where some are only of another type than expected."""
    known = one(con, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'")
    if not known[0]:
        return ()
    kinds = "SELECT count(*) FROM reject_errors WHERE error_type::VARCHAR = 'CAST'"
    casts = one(con, kinds)
    if casts[0]:
        return None
    rows = con.execute(
        "SELECT line, any_value(csv_line), min(error_type::VARCHAR) FROM reject_errors GROUP BY line ORDER BY line"
    ).fetchall()
    return tuple(
        Rejected(int(line), text or "", _REASONS.get(kind, "malformed line")) for line, text, kind in rows
    )


def _types(
    con: duckdb.DuckDBPyConnection, dialect: Dialect, roles: Mapping[str, Kind]
) -> tuple[dict[str, str], dict[str, Shape]]:
    """The type to read each column as, and the columns whose times all have one ISO form, by the file's head."""
    text = dict.fromkeys(dialect.names, "VARCHAR")
    sample = "head_of_file"
    try:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {sample} AS SELECT * FROM {dialect.reader(text, keep_rejects=False)} LIMIT {SAMPLE_ROWS}"
        )
        numbers = [
            name
            for name in dialect.names
            if roles.get(name, Kind.NUMBER) is Kind.NUMBER and not looks_like_id(name)
        ]
        times = [name for name in dialect.names if roles.get(name) is Kind.TIME]
        types = {**text, **dict.fromkeys(_all_numbers(con, sample, numbers), "DOUBLE")}
        return types, {name: shape for name in times if (shape := _shape(con, sample, name))}
    except duckdb.Error as error:
        raise _unreadable(error, dialect.path.name) from error
    finally:
        con.execute(f"DROP TABLE IF EXISTS {sample}")


def looks_like_id(name: str) -> bool:
    """Whether a column's name says that its numbers are names of things, which are text."""
    words = re.search(
        r"(^|[_\s-])(id|ids|uuid|guid|zip|postcode|phone|sku|code|no|number)$", name, re.IGNORECASE
    )
    return bool(words or re.search(r"[a-z](I[dD]|Code|No|Number)$", name))


def _all_numbers(con: duckdb.DuckDBPyConnection, sample: str, names: list[str]) -> list[str]:
    if not names:
        return []
    tests = ", ".join(
        f"count({quoted(n)}) > 0 AND count({quoted(n)}) = count(CASE WHEN isfinite(try_cast({quoted(n)} AS DOUBLE))"
        f" AND NOT regexp_matches({quoted(n)}, '{NO_NUMBER}') THEN 1 END)"
        f" AND NOT coalesce(bool_and(regexp_full_match({quoted(n)}, '{_GROUPED}')) FILTER (WHERE contains({quoted(n)}, '.')), false)"
        for n in names
    )
    answers = one(con, f"SELECT {tests} FROM {sample}")
    return [name for name, answer in zip(names, answers, strict=True) if answer]


def _shape(con: duckdb.DuckDBPyConnection, sample: str, name: str) -> Shape | None:
    column = quoted(name)
    tests = ", ".join(f"count({shaped(column, shape)})" for shape in SHAPES)
    counts = one(con, f"SELECT count(*), {tests} FROM {sample}")
    return next(
        (shape for shape, count in zip(SHAPES, counts[1:], strict=True) if count == counts[0] > 0), None
    )
