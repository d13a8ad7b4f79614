"""How the lines of a source become rows of the log: a mapping or a preset, in one form."""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any

from wayfare.histories.ingest.expressions import Node, columns_of
from wayfare.histories.ingest.mapping import Mapping, Properties
from wayfare.histories.schema import CANONICAL, Kind


@dataclass(frozen=True)
class RowRule:
    """One row that a line gives: an expression for each column, and when it gives it at all."""

    values: AnyMapping[str, Node]
    when: Node = None


@dataclass(frozen=True)
class Recipe:
    """Rules for the rows of each line, and what is known of how the source writes things.

    `expand` names what turns a line into several before the rules see it; `spread` names columns whose fields
    become properties; `expects` the columns that must be there (`A|B`: either).
    """

    rows: tuple[RowRule, ...]
    properties: Properties = "all"
    zone: str = ""
    time_format: str = ""
    time_unit: str = ""
    decimal: str = ""
    expects: tuple[str, ...] = ()
    expand: AnyMapping[str, Any] = field(default_factory=dict)
    spread: tuple[str, ...] = ()
    lenient: bool = False
    """Whether a column that the source lacks reads as missing (a preset's optional columns)."""
    kinds: AnyMapping[str, Kind] = field(default_factory=dict)
    """How columns of the log are stored that are not left to what is in them (those of survey answers)."""

    @property
    def used(self) -> set[str]:
        """The source columns that the rules mention, and so no longer travel as properties."""
        mentioned = {name for rule in self.rows for node in rule.values.values() for name in columns_of(node)}
        return mentioned | set(self.spread) | {name for name in self.expand.values() if isinstance(name, str)}

    def roles(self) -> dict[str, Kind]:
        """What the columns taken over as they are will be stored as, by source column; times of a form of their own as text."""
        roles: dict[str, Kind] = {}
        formed = bool(self.time_format or self.time_unit)
        for rule in self.rows:
            for key, node in rule.values.items():
                named = node if isinstance(node, str) else node.get("column")
                if key in CANONICAL and isinstance(named, str):
                    kind = Kind.CODE if formed and key == "time" else CANONICAL[key]
                    roles.update(dict.fromkeys((named, *named.split("|")), kind))
        return roles


AND = " + "
"""Between the names of two columns that are one value: a date and its time of day."""


def parts_of(column: str, columns: Container[str]) -> tuple[str, ...]:
    """The source columns that a mapping's column names: itself, two with ` + ` between them, or the one that `user.id` lies in."""
    if column in columns:
        return (column,)
    if AND in column:
        return tuple(column.split(AND))
    outer = column.partition(".")[0]
    return (outer,) if outer in columns else (column,)


def _node(column: str, columns: Container[str]) -> Node:
    parts = parts_of(column, columns)
    if parts == (column,):
        return {"column": column}
    if len(parts) == 1:
        return {"path": column}
    return {"join": [{"date": parts[0]}, *parts[1:]], "with": " "}


def recipe_of(mapping: Mapping, columns: Container[str] = ()) -> Recipe:
    """The recipe that a mapping says of a source with these columns: one row a line."""
    constants = {key: {"constant": text} for key, text in mapping.constants.items()}
    values: dict[str, Node] = {
        **{key: _node(column, columns) for key, column in mapping.columns.items()},
        **constants,
    }
    return Recipe(
        (RowRule(values),),
        mapping.properties,
        mapping.zone,
        mapping.time_format,
        mapping.time_unit,
        mapping.decimal,
    )
