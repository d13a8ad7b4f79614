"""How each column will be stored: the log's own by definition, properties by what is in them."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import Cell, as_number, as_text, quoted, said
from wayfare.histories.ingest.workbench import one
from wayfare.histories.schema import CANONICAL, Kind, Schema

MANY_NAMES = 1000
"""Text with more names than this, over half of them used once, is kept as text."""

_TIME_LIKE = "regexp_matches({}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"


def kinds_of(con: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, str], present: Schema | None) -> dict[str, Kind]:
    """The kind of each staged column; where the log has the column already, its kind there.

    Raises:
        BadInput: Where a column's values can't be stored as the log's column of that name.
    """
    kinds: dict[str, Kind] = {}
    open_columns = {name: Cell(quoted(name), kind) for name, kind in columns.items() if name not in CANONICAL}
    seen = _profiles(con, relation, open_columns)
    for name in columns:
        kinds[name] = CANONICAL[name] if name in CANONICAL else _kind(open_columns[name], seen[name])
        if present is not None and name in present:
            _check_fit(name, kinds[name], present[name], seen.get(name))
            kinds[name] = present[name]
    return kinds


class _Profile:
    """Counts over one property: known values, and how many read as a number, a truth value, a time; distinct ones."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        self.known, self.numbers, self.flags, self.times, self.distinct, self.padded = counts


def _profiles(con: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, Cell]) -> dict[str, _Profile]:
    if not columns:
        return {}
    counts = ", ".join(part for cell in columns.values() for part in _counts(cell))
    row = one(con, f"SELECT {counts} FROM {relation}")
    return {name: _Profile(row[6 * index : 6 * index + 6]) for index, name in enumerate(columns)}


def _counts(cell: Cell) -> tuple[str, ...]:
    if not cell.is_text:
        distinct = "0" if cell.is_number or cell.is_time or cell.type == "BOOLEAN" else f"approx_count_distinct({cell.sql})"
        return f"count({cell.sql})", "0", "0", "0", distinct, "0"
    text = said(cell)
    return (
        f"count({text})", f"count({as_number(cell)})",
        f"count(CASE WHEN lower({text}) IN ('true', 'false') THEN 1 END)",
        f"count(CASE WHEN {_TIME_LIKE.format(text)} THEN try_cast({text} AS TIMESTAMPTZ) END)",
        f"approx_count_distinct({as_text(cell)})",
        f"count(CASE WHEN regexp_matches({text}, '^[-+]?0[0-9]|_') THEN 1 END)",
    )  # fmt: skip


def _kind(cell: Cell, seen: _Profile) -> Kind:
    if cell.is_time:
        return Kind.TIME
    if cell.is_number:
        from wayfare.histories.ingest.delimited import looks_like_id

        return Kind.CODE if cell.is_whole and looks_like_id(cell.sql.strip('"')) else Kind.NUMBER
    if cell.type == "BOOLEAN":
        return Kind.FLAG
    if seen.known and cell.is_text:
        from wayfare.histories.ingest.delimited import looks_like_id

        if seen.numbers == seen.known and not seen.padded and not looks_like_id(cell.sql.strip('"')):
            return Kind.NUMBER
        if seen.flags == seen.known:
            return Kind.FLAG
        if seen.times == seen.known:
            return Kind.TIME
    return Kind.TEXT if seen.distinct > MANY_NAMES and seen.distinct > seen.known / 2 else Kind.CODE


def _check_fit(name: str, here: Kind, there: Kind, seen: _Profile | None) -> None:
    texts = (Kind.CODE, Kind.TEXT)
    if here is there or there in texts or (seen is not None and seen.known == 0):
        return
    if here is Kind.FLAG and there is Kind.NUMBER:
        return
    raise BadInput(
        f"The column {name!r} holds a {there.value} in the log and a {here.value} here.", where=name,
        hint=f"Give it another name (--map {name}_2=COLUMN), or leave it out (--map properties=...).",
    )  # fmt: skip
