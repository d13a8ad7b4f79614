"""The first rows of a table as a page shows them: each value in its column's unit, an interval under what it bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from wayfare.charts.numbers import MISSING, is_number, shown_row

SHOWN = 200


@dataclass(frozen=True)
class Column:
    """One column as it is shown; `figures` are set to the right."""

    name: str
    label: str
    figures: bool


@dataclass(frozen=True)
class Cell:
    """One value as text, with the interval around it where the table has one."""

    text: str
    interval: str = ""


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


def shown(name: str, table: pa.Table, columns: Mapping[str, str], currency: str, limit: int = SHOWN) -> Shown:
    """The first `limit` rows of `table`, whose columns mean `columns`."""
    first = table.slice(0, limit)
    values = first.to_pylist()
    texts = [dict(zip(row, shown_row(row, currency), strict=True)) for row in values]
    bounds = bounds_of(table.column_names)
    inner = {end for pair in bounds.values() for end in pair}
    kept = [column for column in table.column_names if column not in inner]
    heads = tuple(
        Column(column, label(column), any(is_number(row[column]) for row in values)) for column in kept
    )
    rows = tuple(
        tuple(Cell(row[column], _interval(row, bounds.get(column))) for column in kept) for row in texts
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


def bounds_of(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Which columns are the ends of the interval around which: `x_low` and `x_high`, or `low` and `high` after it."""
    found = {
        name: (f"{name}_low", f"{name}_high")
        for name in names
        if {f"{name}_low", f"{name}_high"} <= set(names)
    }
    if {"low", "high"} <= set(names) and names.index("low") > 0:
        found[names[names.index("low") - 1]] = ("low", "high")
    return found


def _interval(row: Mapping[str, str], ends: tuple[str, str] | None) -> str:
    if ends is None:
        return ""
    low, high = row[ends[0]], row[ends[1]]
    return "" if low == MISSING and high == MISSING else f"{low} to {high}"
