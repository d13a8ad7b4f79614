"""How the columns of a table are drawn in a terminal: figures of one column alike, intervals beside what they bound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wayfare.charts.numbers import MISSING, Kind, intervals_of, is_number, kinds_in, kinds_of, written

_PLAIN = ("plain", "money", "count")
"""Units whose figures get as many decimals as their column needs; the others have a form of their own."""


@dataclass(frozen=True)
class Shown:
    """One column as it is drawn."""

    name: str
    cells: tuple[str, ...]
    number: bool


def shown_columns(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[Shown]:
    """The columns as text, each `x_low` and `x_high` (or `low` and `high`) joined to the column that they bound."""
    bounds, kinds = intervals_of(columns), _kinds(rows, columns)
    inner = {name for pair in bounds.values() for name in pair}
    return [_shown(rows, kinds, name, bounds.get(name)) for name in columns if name not in inner]


def _kinds(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[dict[str, Kind]]:
    """The unit of each value, row by row: the same in all of them, unless each row is about a metric of its own."""
    if "metric" in columns:
        return [kinds_in({name: row[name] for name in columns}) for row in rows]
    return [kinds_of(columns)] * len(rows)


def _shown(
    rows: Sequence[Mapping[str, Any]],
    kinds: Sequence[Mapping[str, Kind]],
    name: str,
    bounds: tuple[str, str] | None,
) -> Shown:
    values = [row[name] for row in rows]
    number = any(map(is_number, values)) and all(value is None or is_number(value) for value in values)
    decimals = _decimals(values) if number else None
    cells, *ends = (
        [_text(row[column], kind[column], decimals) for row, kind in zip(rows, kinds, strict=True)]
        for column in (name, *(bounds or ()))
    )
    if not ends or not number:
        return Shown(name, tuple(cells), number)
    joined = tuple(
        f"{cell} ({low.removesuffix(' points')}–{high.removesuffix(' points')})"
        if (low, high) != (MISSING, MISSING)
        else cell
        for cell, low, high in zip(cells, *ends, strict=True)
    )
    return Shown(f"{name} (low–high)", joined, number)


def _text(value: Any, kind: Kind, decimals: int | None) -> str:
    if not is_number(value) or not math.isfinite(value):
        return written(kind, value)
    if isinstance(value, float) and kind == "share":
        return f"{value:.1%}" if abs(value) < 10 else f"{value:,.1f}"
    if kind not in _PLAIN and not (kind == "share" and isinstance(value, int)):
        return written(kind, value).replace("−", "-")
    return f"{value:,}" if isinstance(value, int) else _number(value, decimals)


def _decimals(values: Sequence[Any]) -> int | None:
    """The fewest decimals that write every number as it is, if three are enough."""
    said = [value for value in values if value is not None]
    return next((n for n in range(4) if all(round(value, n) == value for value in said)), None)


def _number(value: float, decimals: int | None) -> str:
    """About four digits that count, and no exponent."""
    size = abs(value)
    if decimals is None:
        decimals = 0 if size >= 1_000 or value == int(value) else 1 if size >= 100 else 2 if size >= 1 else 4
    return f"{value:,.{decimals}f}"
