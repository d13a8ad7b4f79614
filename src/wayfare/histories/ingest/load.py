"""A source that was read with the recipe for its rows, and what its other columns are called in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wayfare.histories.ingest.raw import Raw
from wayfare.histories.ingest.recipe import Recipe
from wayfare.histories.schema import CANONICAL, Kind

HELPERS = ("ord", "src", "line", "fault", "offence", "t_utc", "t_local", "t_given")
"""Columns of the staged rows, and of the query behind them, that are none of the log's."""


@dataclass(frozen=True)
class Load:
    """A source that was read, and the recipe for its rows."""

    raw: Raw
    recipe: Recipe


def said_kinds(loads: Sequence[Load]) -> dict[str, Kind]:
    """How the columns are stored that have a kind by definition: the log's own, and those that a recipe says."""
    return {**CANONICAL, **{name: kind for load in loads for name, kind in load.recipe.kinds.items()}}


def property_names(load: Load) -> dict[str, str]:
    """The source columns that travel as properties, and what each is called in the log."""
    recipe, raw = load.recipe, load.raw
    used = {name.casefold() for name in recipe.used}
    free = [name for name in raw.data_columns if name.casefold() not in used]
    if recipe.properties != "all":
        wanted = {name.casefold() for name in recipe.properties}
        free = [name for name in raw.data_columns if name.casefold() in wanted]
    taken = {key.casefold() for rule in recipe.rows for key in rule.values} | set(CANONICAL) | set(HELPERS)
    named: dict[str, str] = {}
    for name in free:
        base = safe_name(name)
        unique, number = base, 2
        while unique.casefold() in taken:
            unique, number = f"{base}_{number}", number + 1
        taken.add(unique.casefold())
        named[name] = unique
    return named


def safe_name(name: str) -> str:
    """A property's name that can also be a file's."""
    kept = "".join(mark if mark.isalnum() or mark in "_-. " else "_" for mark in name)
    return kept.strip(". ")[:80] or "column"
