"""The first rows of a table as a page shows them: each value in its column's unit, an interval under what it bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from wayfare.charts.numbers import MISSING, intervals_of, is_number, shown_row

SHOWN = 200


@dataclass(frozen=True)
class Link:
    """Where one column of a row leads: an address, and what is there, for people who only hear the link."""

    column: str
    address: str
    about: str


@dataclass(frozen=True)
class Column:
    """One column as it is shown; `figures` are set to the right."""

    name: str
    label: str
    figures: bool


@dataclass(frozen=True)
class Cell:
    """One value as text, with the interval around it where the table has one, and the rows behind it."""

    text: str
    interval: str = ""
    link: Link | None = None


@dataclass(frozen=True)
class Shown:
    """The first rows of a table, as text.

    Attributes:
        name: The table's name.
        label: For people.
        columns: The columns that are shown; the ends of an interval stand with the value that they bound.
        rows: The cells.
        total: How many rows there are in all.
        said: What each of the table's own columns says.
    """

    name: str
    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int
    said: tuple[tuple[str, str], ...]

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return self.total - len(self.rows)


def shown(
    name: str,
    table: pa.Table,
    columns: Mapping[str, str],
    currency: str,
    link: Callable[[Mapping[str, Any]], Link | None] = lambda _: None,
    limit: int = SHOWN,
) -> Shown:
    """The first `limit` rows of `table`, whose columns mean `columns`; `link` says where a row leads."""
    first = table.slice(0, limit)
    values = first.to_pylist()
    texts = [dict(zip(row, shown_row(row, currency), strict=True)) for row in values]
    bounds = intervals_of(table.column_names)
    inner = {end for pair in bounds.values() for end in pair}
    kept = [column for column in table.column_names if column not in inner]
    heads = tuple(
        Column(column, label(column), any(is_number(row[column]) for row in values)) for column in kept
    )
    links = [link(row) for row in values]
    rows = tuple(
        tuple(
            Cell(
                row[column],
                _interval(row, bounds.get(column)),
                its if its is not None and its.column == column else None,
            )
            for column in kept
        )
        for row, its in zip(texts, links, strict=True)
    )
    return Shown(
        name,
        label(name),
        heads,
        rows,
        table.num_rows,
        tuple((c, columns.get(c, "")) for c in table.column_names),
    )


def label(name: str) -> str:
    """A column's name for people: `median_seconds` → Median, since its values say their unit."""
    words = (name.removesuffix("_seconds") or name).replace("_", " ")
    return words[:1].upper() + words[1:]


def _interval(row: Mapping[str, str], ends: tuple[str, str] | None) -> str:
    if ends is None:
        return ""
    low, high = row[ends[0]], row[ends[1]]
    return "" if low == MISSING and high == MISSING else f"{low.removesuffix(' points')} to {high}"
