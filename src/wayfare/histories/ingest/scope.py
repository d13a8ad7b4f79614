"""What expressions may name: a source's columns, and parts of expressions that are computed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from wayfare.errors import UnknownName
from wayfare.histories.ingest.cells import MISSING, Cell, quoted


class Steps:
    """Parts of expressions that are computed once, as columns of nested queries: SQL would repeat them at every use."""

    def __init__(self) -> None:
        self.layers: list[dict[str, str]] = []
        self._depth: dict[str, int] = {}

    def kept(self, sql: str) -> str:
        """The column that stands for the expression."""
        if re.fullmatch(r'"[^"]*"|\(?-?[\w.]+\)?(::\w+)?', sql):
            return sql
        depth = max((1 + self._depth[alias] for alias in re.findall(r'"\x1f\d+"', sql)), default=0)
        if depth == len(self.layers):
            self.layers.append({})
        known = next((alias for alias, same in self.layers[depth].items() if same == sql), None)
        alias = known or f'"\x1f{len(self._depth)}"'
        self.layers[depth][alias] = sql
        self._depth[alias] = depth
        return alias

    def over(self, relation: str) -> str:
        """The relation with those columns added."""
        for layer in self.layers:
            relation = f"(SELECT *, {', '.join(f'{sql} AS {alias}' for alias, sql in layer.items())} FROM {relation})"
        return relation


@dataclass(frozen=True)
class Scope:
    """The columns that expressions may name, with their SQL types, and how their numbers are written."""

    columns: Mapping[str, str]
    decimal: str = "."
    where: str = ""
    optional: bool = False
    """Whether a column that the source does not have reads as missing, rather than being an error."""
    steps: Steps | None = None
    """Where parts that are used more than once are kept; without it they stand in full."""

    def kept(self, cell: Cell) -> Cell:
        """The cell as a column that is computed once."""
        if self.steps is None or cell is MISSING:
            return cell
        return replace(
            cell, sql=self.steps.kept(cell.sql), broken=self.steps.kept(cell.broken) if cell.broken else ""
        )

    def column(self, name: str) -> Cell:
        """The column `name` (or the first of `A|B` that exists), by its exact name, else whatever its capitals."""
        found = self._found(name)
        if found is not None:
            return Cell(quoted(found), self.columns[found], decimal=self.decimal)
        if self.optional:
            return MISSING
        raise UnknownName.among("column", name, self.columns, where=self.where)

    def has(self, name: str) -> bool:
        """Whether the source has the column `name`, or one of `A|B`."""
        return self._found(name) is not None

    def _found(self, name: str) -> str | None:
        folded = {column.strip().casefold(): column for column in reversed(list(self.columns))}
        wanted = (name, *name.split("|"))
        return next(
            (
                found
                for text in wanted
                if (found := text if text in self.columns else folded.get(text.strip().casefold()))
            ),
            None,
        )
