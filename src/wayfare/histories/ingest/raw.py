"""A source once read: a table in DuckDB with the source's own columns, one row a record, in the source's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import duckdb

from wayfare.domain.words import counted
from wayfare.histories.ingest.cells import quoted

LINE = "\x1fline"
"""The hidden column with a row's line number, where rows are not simply lines."""


ITEM_NUMBER = "item_number"
"""The hidden column with an element's place in the list that a line was split by, from 1."""

ID_COLUMN = "\x1fid"
"""The hidden column with the quarantine's id of a row that is run again."""

FAULT = "\x1ffault"
"""The hidden column with what is wrong with a row that was judged before it came here (an answer to a survey)."""


@dataclass(frozen=True)
class Rejected:
    """A line that could not be taken apart into columns."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True)
class Raw:
    """The rows of one source.

    Attributes:
        name: The source as it is shown: a file's name, a table's.
        table: The DuckDB table.
        columns: Column names in the source's order, with their SQL types (or `cells.UTC_MICROS`, `LOCAL_MICROS`).
        first_line: The line number of the first record where records are lines, else None.
        rejected: Lines that are in no row of the table.
        line_column: A column of the table that holds each row's line, where rows were split from lines.
        hidden: Columns that are no data of the source (the line column).
        decimal: The decimal mark that numbers in text are written with, as seen.
        notes: What a person should know of how it was read.
    """

    name: str
    table: str
    columns: Mapping[str, str]
    first_line: int | None = None
    rejected: tuple[Rejected, ...] = ()
    line_column: str = ""
    hidden: frozenset[str] = frozenset()
    decimal: str = ""
    notes: tuple[str, ...] = ()
    lineage: Mapping[str, object] = field(default_factory=dict)

    @property
    def data_columns(self) -> dict[str, str]:
        """The columns that are the source's own."""
        return {name: kind for name, kind in self.columns.items() if name not in self.hidden}


def described(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """A table's columns and their SQL types."""
    rows = con.execute(
        f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {quoted(table)})"
    ).fetchall()
    return {str(name): str(kind) for name, kind in rows}


def without_rowid(con: duckdb.DuckDBPyConnection, raw: Raw) -> Raw:
    """The same with a column called `rowid`, DuckDB's own name for a row's number, under another name."""
    taken = next((name for name in raw.columns if name.casefold() == "rowid"), None)
    if taken is None:
        return raw
    con.execute(f"ALTER TABLE {quoted(raw.table)} RENAME COLUMN {quoted(taken)} TO row_id")
    return replace(
        raw, columns={"row_id" if name == taken else name: kind for name, kind in raw.columns.items()}
    )


def above_header(count: int, what: str, name: str) -> tuple[str, ...]:
    """The note on lines or rows above the header of a source, where there are any."""
    return (
        (f"{counted(count, what)} above the header of {name} {'was' if count == 1 else 'were'} left out.",)
        if count
        else ()
    )
