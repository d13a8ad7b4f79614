"""How the columns of a table are written for people: numbers, shares, durations, intervals beside what they bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wayfare.domain.duration import in_words

_SHARES = ("share", "rate", "probability")
NOTHING = "–"


@dataclass(frozen=True)
class Shown:
    """One column as it is drawn."""

    name: str
    cells: tuple[str, ...]
    number: bool


def shown_columns(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[Shown]:
    """The columns as text, each `x_low` and `x_high` (or `low` and `high`) joined to the column that they bound."""
    bounds = _bounds(columns)
    inner = {name for pair in bounds.values() for name in pair}
    return [_shown(rows, name, bounds.get(name)) for name in columns if name not in inner]


def _bounds(columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    found = {
        name: (f"{name}_low", f"{name}_high")
        for name in columns
        if {f"{name}_low", f"{name}_high"} <= set(columns)
    }
    if {"low", "high"} <= set(columns) and columns.index("low") > 0:
        found[columns[columns.index("low") - 1]] = ("low", "high")
    return found


def _shown(rows: Sequence[Mapping[str, Any]], name: str, bounds: tuple[str, str] | None) -> Shown:
    values = [row[name] for row in rows]
    number = any(_is_number(value) for value in values) and all(
        value is None or _is_number(value) for value in values
    )
    decimals = _decimals(values) if number else None
    cells = tuple(_text(value, name, decimals) for value in values)
    if bounds is None or not number:
        return Shown(name, cells, number)
    low, high = ([_text(row[bound], name, decimals) for row in rows] for bound in bounds)
    joined = tuple(
        f"{cell} ({a}–{b})" if (a, b) != (NOTHING, NOTHING) else cell
        for cell, a, b in zip(cells, low, high, strict=True)
    )
    return Shown(f"{name} (low–high)", joined, number)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value: Any, name: str, decimals: int | None = None) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not _is_number(value):
        return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    if name.endswith("_seconds") or name == "seconds":
        return in_words(value)
    if isinstance(value, float) and _is_share(name):
        return f"{value:.1%}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else _number(value, decimals)


def _is_share(name: str) -> bool:
    return name in _SHARES or name.startswith("of_") or name.endswith(tuple(f"_{share}" for share in _SHARES))


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
