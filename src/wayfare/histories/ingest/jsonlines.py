"""JSON: one object a line, or one array of objects; each field of the outermost level is a column."""

from __future__ import annotations

from pathlib import Path

import duckdb

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import literal, quoted
from wayfare.histories.ingest.dialect import compression_of, head_of, unglobbed, unique_names
from wayfare.histories.ingest.raw import LINE, Raw, Rejected
from wayfare.histories.ingest.sources import Piece, Wanted
from wayfare.histories.ingest.workbench import one

_LINES = "json_lines"


def read_json(con: duckdb.DuckDBPyConnection, piece: Piece, table: str, wanted: Wanted) -> Raw:
    """The objects of a file as a table; lines that are none are left out and listed."""
    return read_json_file(con, piece.paths[0], piece.name, table, wanted.limit)


def read_json_file(con: duckdb.DuckDBPyConnection, path: Path, name: str, table: str, limit: int = 0) -> Raw:
    """The same for one file."""
    head = head_of(path).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        raise BadInput("The file is empty.", where=name)
    array = head.startswith(b"[")
    try:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {_LINES} AS {_array(path) if array else _lines(path)} {f'LIMIT {limit}' if limit else ''}"
        )
    except duckdb.Error as error:
        raise BadInput(
            f"The file can't be read as JSON ({str(error).splitlines()[0]}).", where=name
        ) from error
    rejected = () if array else _rejected(con)
    if rejected and len(rejected) == one(con, f"SELECT count(*) FROM {_LINES} WHERE text IS NOT NULL")[0]:
        raise BadInput(
            "No line is a JSON object.",
            where=name,
            hint="One object a line is needed, or one array of objects.",
        )
    columns = _columns(con)
    shown = ", ".join(
        f"{_typed(f'fields[{index + 1}]', kind)} AS {quoted(column)}"
        for index, (column, (_, kind)) in enumerate(columns.items())
    )
    con.execute(
        f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT number AS {quoted(LINE)}{', ' if shown else ''}{shown} FROM"
        f" (SELECT number, json_extract(text, [{_pointers([key for key, _ in columns.values()])}]) AS fields FROM {_LINES} WHERE {_GOOD})"
    )
    con.execute(f"DROP TABLE {_LINES}")
    types = {column: kind for column, (_, kind) in columns.items()}
    return Raw(name, table, {LINE: "BIGINT", **types}, 1, rejected, LINE, frozenset({LINE}))


_GOOD = "CASE WHEN text IS NOT NULL AND json_valid(text) THEN json_type(text) = 'OBJECT' ELSE false END"


def _lines(path: Path) -> str:
    reader = (
        f"read_csv({literal(unglobbed(path))}, columns = {{'text': 'VARCHAR'}}, delim = '\x1f', quote = '', escape = '', header = false,"
        f" auto_detect = false, compression = {literal(compression_of(path))}, max_line_size = 67108864, null_padding = true)"
    )
    return f"SELECT row_number() OVER () AS number, nullif(trim(text, ' ' || chr(9) || chr(13) || chr(65279)), '') AS text FROM {reader}"


def _array(path: Path) -> str:
    compression = compression_of(path)
    reader = f"read_json_objects({literal(unglobbed(path))}, format = 'array', maximum_object_size = 67108864, compression = {literal(compression)})"
    return f"SELECT row_number() OVER () AS number, json::VARCHAR AS text FROM {reader}"


def _rejected(con: duckdb.DuckDBPyConnection) -> tuple[Rejected, ...]:
    rows = con.execute(
        f"SELECT number, text FROM {_LINES} WHERE text IS NOT NULL AND NOT ({_GOOD}) ORDER BY number"
    ).fetchall()
    return tuple(Rejected(number, text, "no JSON object") for number, text in rows)


def _columns(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """Column → (key, SQL type), in the order of first appearance."""
    keys = f"SELECT number, json_keys(text) AS keys FROM {_LINES} WHERE {_GOOD}"
    each = f"SELECT unnest(keys) AS key, number, generate_subscripts(keys, 1) AS place FROM ({keys})"
    found = con.execute(
        f"SELECT key FROM ({each}) GROUP BY key ORDER BY arg_min(place, number), min(number), key"
    ).fetchall()
    names = [key for (key,) in found]
    if not names:
        return {}
    kinds = ", ".join(_kind(f"fields[{index + 1}]") for index in range(len(names)))
    types = one(
        con,
        f"SELECT {kinds} FROM (SELECT json_extract(text, [{_pointers(names)}]) AS fields FROM {_LINES} WHERE {_GOOD})",
    )
    return {column: (key, kind) for column, key, kind in zip(unique_names(names), names, types, strict=True)}


def _pointers(keys: list[str]) -> str:
    """JSON pointers, which need no quoting but for their two own marks."""
    return ", ".join(literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in keys)


def _kind(field: str) -> str:
    # Whole numbers beyond a BIGINT are names of things, and a DOUBLE would change their last digits.
    type_ = f"json_type({field})"
    all_of = f"bool_and({type_} IN ({{}})) FILTER (WHERE {type_} <> 'NULL')"
    return (
        f"CASE WHEN bool_or({type_} IN ('OBJECT', 'ARRAY')) THEN 'JSON'"
        f" WHEN {all_of.format(_quoted_list('BOOLEAN'))} THEN 'BOOLEAN'"
        f" WHEN {all_of.format(_quoted_list('UBIGINT', 'BIGINT'))} AND count({field}) FILTER (WHERE {type_} <> 'NULL') ="
        f" count(try_cast({field}::VARCHAR AS BIGINT)) THEN 'BIGINT'"
        f" WHEN coalesce(bool_or(regexp_full_match({field}::VARCHAR, '-?[0-9]{{16,}}')), false) THEN 'VARCHAR'"
        f" WHEN {all_of.format(_quoted_list('UBIGINT', 'BIGINT', 'DOUBLE'))} THEN 'DOUBLE' ELSE 'VARCHAR' END"
    )


def _quoted_list(*words: str) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _typed(field: str, kind: str) -> str:
    known = f"CASE WHEN json_type({field}) <> 'NULL' THEN {field} END"
    if kind == "JSON":
        return known
    text = f"json_extract_string({known}, '$')"
    return text if kind == "VARCHAR" else f"{text}::{kind}"
