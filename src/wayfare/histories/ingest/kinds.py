"""How each column will be stored: the log's own by definition, properties by what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import Cell, as_bare_number, cleaned, quoted
from wayfare.histories.ingest.delimited import NO_NUMBER, looks_like_id
from wayfare.histories.ingest.workbench import one
from wayfare.histories.schema import CANONICAL, Kind, Schema

MANY_NAMES = 1000
"""Text with more names than this, over half of them used once, is kept as text."""

SAMPLE = 5000
"""Rows that show that a text column holds no numbers, truth values or times; only where they all do are all read."""


def kinds_of(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Mapping[str, str],
    present: Schema | None,
    said: Mapping[str, Kind] = CANONICAL,
) -> dict[str, Kind]:
    """The kind of each staged column: as `said`, else by what is in it; where the log has the column, its kind there.

    Raises:
        BadInput: Where a column's values can't be stored as the log's column of that name.
    """
    cells = {name: Cell(quoted(name), kind) for name, kind in columns.items() if name not in said}
    empty: set[str] = set()
    kinds = {name: said[name] for name in columns if name in said}
    kinds |= {name: kind for name, cell in cells.items() if (kind := _by_type(name, cell)) is not None}
    kinds |= dict.fromkeys(_beyond_double(con, relation, cells), Kind.CODE)
    kinds |= _by_content(
        con, relation, {name: cell for name, cell in cells.items() if name not in kinds}, empty
    )
    for name in columns:
        if present is not None and name in present:
            _check_fit(name, kinds[name], present[name], known=name not in empty)
            kinds[name] = present[name]
    return {name: kinds[name] for name in columns}


def _by_type(name: str, cell: Cell) -> Kind | None:
    if cell.is_time:
        return Kind.TIME
    if cell.type == "BOOLEAN":
        return Kind.FLAG
    if cell.is_number:
        return Kind.CODE if cell.is_whole and looks_like_id(name) else Kind.NUMBER
    return None


def _beyond_double(con: duckdb.DuckDBPyConnection, relation: str, cells: Mapping[str, Cell]) -> list[str]:
    """The whole numbers with more digits than a DOUBLE holds: they are names of things."""
    wide = [name for name, cell in cells.items() if cell.type in ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT")]
    if not wide:
        return []
    tests = ", ".join(
        f"coalesce(greatest(max({quoted(name)}), -min({quoted(name)}::HUGEINT)) > {1 << 53}, false)"
        for name in wide
    )
    answers = one(con, f"SELECT {tests} FROM {relation}")
    return [name for name, answer in zip(wide, answers, strict=True) if answer]


@dataclass(frozen=True)
class _Profile:
    """Counts over a column of text: known values; how many read as a number, a truth value, a time."""

    known: int
    numbers: int
    flags: int
    times: int

    def kind(self, name: str) -> Kind | None:
        """What all its values are; None for plain text."""
        if self.known and self.numbers == self.known and not looks_like_id(name):
            return Kind.NUMBER
        found = ((self.flags, Kind.FLAG), (self.times, Kind.TIME))
        return next((kind for count, kind in found if self.known and count == self.known), None)


def _by_content(
    con: duckdb.DuckDBPyConnection, relation: str, cells: Mapping[str, Cell], empty: set[str]
) -> dict[str, Kind]:
    """What columns of text hold: looked for in some rows, made sure of in all; else names or plain text by their number."""
    hopeful = {name: cell for name, cell in cells.items() if cell.is_text}
    for rows in (f"(SELECT * FROM {relation} LIMIT {SAMPLE})", relation):
        found = _profiles(con, rows, hopeful)
        empty |= {name for name, profile in found.items() if not profile.known and rows == relation}
        kinds = {name: kind for name, profile in found.items() if (kind := profile.kind(name)) is not None}
        hopeful = {name: cell for name, cell in hopeful.items() if name in kinds or not found[name].known}
    plain = [name for name in cells if name not in kinds]
    return {**kinds, **_by_names(con, relation, plain)}


def _by_names(con: duckdb.DuckDBPyConnection, relation: str, names: list[str]) -> dict[str, Kind]:
    if not names:
        return {}
    counts = one(
        con,
        f"SELECT {', '.join(f'approx_count_distinct({quoted(n)}), count({quoted(n)})' for n in names)} FROM {relation}",
    )
    pairs = zip(counts[::2], counts[1::2], strict=True)
    return {
        name: Kind.TEXT if distinct > MANY_NAMES and distinct > known / 2 else Kind.CODE
        for name, (distinct, known) in zip(names, pairs, strict=True)
    }


def _profiles(con: duckdb.DuckDBPyConnection, rows: str, cells: Mapping[str, Cell]) -> dict[str, _Profile]:
    if not cells:
        return {}
    once = [cleaned(cell, quoted(name)) for name, cell in cells.items()]
    inner = ", ".join(f"{sql} AS {cell.sql}" for sql, cell in once)
    row = one(
        con,
        f"SELECT {', '.join(part for _, cell in once for part in _counts(cell))} FROM (SELECT {inner} FROM {rows})",
    )
    return {name: _Profile(*row[4 * index : 4 * index + 4]) for index, name in enumerate(cells)}


def _counts(cell: Cell) -> tuple[str, ...]:
    text = cell.sql
    return (
        f"count({text})",
        f"count(CASE WHEN NOT regexp_matches({text}, '{NO_NUMBER}') THEN {as_bare_number(cell)} END)",
        f"count(CASE WHEN lower({text}) IN ('true', 'false') THEN 1 END)",
        f"count(CASE WHEN regexp_matches({text}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN coalesce(try_cast({text} AS TIMESTAMP), try_cast({text} AS TIMESTAMPTZ)) END)",
    )


def _check_fit(name: str, here: Kind, there: Kind, *, known: bool) -> None:
    if (
        here is there
        or there in (Kind.CODE, Kind.TEXT)
        or not known
        or (here, there) == (Kind.FLAG, Kind.NUMBER)
    ):
        return
    raise BadInput(
        f"The column {name!r} holds a {there.value} in the log and a {here.value} here.", where=name,
        hint=f"Give it another name (--map {name}_2=COLUMN), or leave it out (--map properties=...).",
    )  # fmt: skip
