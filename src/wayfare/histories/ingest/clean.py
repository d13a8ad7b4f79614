"""The rows of all sources under the log's own columns, each with what is wrong with it or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import (
    LOCAL_MICROS, MISSING, UTC_MICROS, Cell, as_flag, as_number, as_text, is_blank, literal, quoted, unreadable_number,
)  # fmt: skip
from wayfare.histories.ingest.expressions import Scope, columns_of, compiled, condition
from wayfare.histories.ingest.raw import Raw
from wayfare.histories.ingest.recipe import Recipe, RowRule
from wayfare.histories.ingest.times import EARLIEST, LATEST, as_time, forms, missing_time
from wayfare.histories.ingest.workbench import one
from wayfare.histories.schema import CANONICAL, REQUIRED, Kind

_HELPERS = ("ord", "src", "line", "fault", "offence")
STAGED = "staged"


@dataclass(frozen=True)
class Load:
    """A source that was read, and the recipe for its rows."""

    raw: Raw
    recipe: Recipe


@dataclass(frozen=True)
class Staged:
    """The relation of all rows: `ord` (input order), `src`, `line`, `fault`, `offence`, and the log's columns.

    Attributes:
        columns: The log's columns, each with its values' SQL type.
        renamed: Properties whose name in the log differs from their source column's, by the latter.
    """

    relation: str
    columns: Mapping[str, str]
    notes: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Branch:
    """One SELECT of the union: the rows that one rule gives for one source."""

    load: int
    cells: dict[str, Cell]
    faults: list[tuple[str, str]]
    keep: str
    raw: Raw
    order: str
    offence: str = "NULL::VARCHAR"
    """What a broken row said where it can't be read, so that two broken rows are alike only if they said the same."""


def stage(con: duckdb.DuckDBPyConnection, loads: Sequence[Load], zone: str) -> Staged:
    """All rows of all sources as one relation; a view where that costs nothing, else a table."""
    branches = [branch for index, load in enumerate(loads) for branch in _branches(con, index, load, zone)]
    names = list(dict.fromkeys(name for branch in branches for name in branch.cells))
    ordered = [name for name in CANONICAL if name in names] + [name for name in names if name not in CANONICAL]
    types = {name: _common(name, [branch.cells.get(name, MISSING) for branch in branches]) for name in ordered}
    union = " UNION ALL ".join(_select(branch, types) for branch in branches)
    cheap = len(branches) == 1 and all(_is_plain(cell) for cell in branches[0].cells.values()) and not branches[0].keep
    con.execute(f"CREATE OR REPLACE {'VIEW' if cheap else 'TABLE'} {STAGED} AS {union}")
    return Staged(STAGED, types)


def _is_plain(cell: Cell) -> bool:
    return cell.sql.startswith('"') or cell.sql.count("(") < 2


def _branches(con: duckdb.DuckDBPyConnection, index: int, load: Load, zone: str) -> list[_Branch]:
    raw, recipe = load.raw, load.recipe
    scope = Scope(raw.columns, recipe.decimal or raw.decimal or _decimal(con, load), raw.name, recipe.lenient)
    rules, result = len(recipe.rows), []
    for position, rule in enumerate(recipe.rows):
        cells = {key: compiled(node, scope) for key, node in rule.values.items()}
        cells |= {name: scope.column(column) for column, name in property_names(load).items()}
        time = _time(con, load, cells.get("time", MISSING), recipe.zone or zone)
        faults, offence = _faults(cells, time, raw.name), _offence(cells)
        cells = {**cells, "time": Cell(time, "BIGINT")} if "time" in cells else cells
        order = f"{index << 44} + rowid * {rules} + {position}" if index or rules > 1 else "rowid"
        result.append(_Branch(index, cells, faults, condition(rule.when, scope) if rule.when is not None else "", raw, order, offence))
    return result + _idle(result, load, index, scope)


def _idle(branches: list[_Branch], load: Load, index: int, scope: Scope) -> list[_Branch]:
    """Lines for which no rule gives a row: they are read, so they are accounted for."""
    if not all(branch.keep for branch in branches):
        return []
    none = " AND ".join(f"NOT {branch.keep}" for branch in branches)
    order = f"{index << 44} + rowid * {len(branches)}"
    return [_Branch(index, {}, [("true", "nothing to record in this line")], f"({none})", load.raw, order)]


def property_names(load: Load) -> dict[str, str]:
    """The source columns that travel as properties, and what each is called in the log."""
    recipe, raw = load.recipe, load.raw
    folded = {name.casefold() for name in recipe.used}
    free = [name for name in raw.data_columns if name.casefold() not in folded]
    if recipe.properties != "all":
        wanted = {name.casefold(): name for name in recipe.properties}
        free = [name for name in raw.data_columns if name.casefold() in wanted]
    taken = {key.casefold() for rule in recipe.rows for key in rule.values} | set(CANONICAL) | set(_HELPERS)
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


def _time(con: duckdb.DuckDBPyConnection, load: Load, cell: Cell, zone: str) -> str:
    recipe = load.recipe
    formats, unit = ((recipe.time_format,) if recipe.time_format else ()), recipe.time_unit
    if not formats and not unit and (cell.is_text or cell.is_number):
        formats, unit = forms(con, quoted(load.raw.table), cell, f"{load.raw.name}, column for time")
    return as_time(cell, zone, formats, unit)


def _faults(cells: Mapping[str, Cell], time: str, where: str) -> list[tuple[str, str]]:
    """The conditions that make a row unusable, each with its reason; the first that holds is given."""
    absent = [key for key in REQUIRED if key not in cells]
    if absent:
        raise BadInput(
            f"No column is known for {' and '.join(absent)}.", where=where,
            hint="Name it: --customer COL --time COL --event COL, or --as purchase where every row is the same event.",
        )  # fmt: skip
    clock = cells["time"]
    faults = [(is_blank(cells["customer"]), "no customer"), (missing_time(clock), "no time")]
    if clock.type != UTC_MICROS and clock.type != LOCAL_MICROS and not clock.is_time:
        faults.append((f"({time}) IS NULL", "time can't be read"))
    faults.append((f"({time}) < {EARLIEST} OR ({time}) >= {LATEST}", "time is before 1970 or after 2100"))
    faults.append((is_blank(cells["event"]), "no event"))
    for key, cell in cells.items():
        if CANONICAL.get(key) is Kind.NUMBER and (broken := unreadable_number(cell)):
            faults.append((broken, f"{key} is no number"))
    return faults


def _offence(cells: Mapping[str, Cell]) -> str:
    texts = [as_text(cell) for key, cell in cells.items() if key == "time" or (CANONICAL.get(key) is Kind.NUMBER and cell.is_text)]
    return f"concat_ws(chr(31), {', '.join(texts)})"


def _common(name: str, cells: Sequence[Cell]) -> str:
    """The SQL type of a staged column that several sources fill."""
    if name == "time":
        return "BIGINT"
    if CANONICAL.get(name) is Kind.NUMBER:
        return "DOUBLE"
    types = {cell.type for cell in cells if cell is not MISSING}
    if len(types) == 1 and not types & {UTC_MICROS, LOCAL_MICROS, "JSON"}:
        return types.pop()
    return "DOUBLE" if all(cell.is_number for cell in cells if cell is not MISSING) and types else "VARCHAR"


def _cast(cell: Cell, name: str, kind: str) -> str:
    if cell is MISSING:
        return f"NULL::{kind}"
    if name == "time" or cell.type == kind:
        return cell.sql if CANONICAL.get(name) is not Kind.NUMBER else as_number(cell)
    if kind == "DOUBLE":
        return as_number(cell)
    return as_text(cell)


def _select(branch: _Branch, types: Mapping[str, str]) -> str:
    values = ", ".join(f"{_cast(branch.cells.get(name, MISSING), name, kind)} AS {quoted(name)}" for name, kind in types.items())
    cases = " ".join(f"WHEN {test} THEN {literal(reason)}" for test, reason in branch.faults)
    line = quoted(branch.raw.line_column) if branch.raw.line_column else "rowid"
    where = f" WHERE {branch.keep}" if branch.keep else ""
    return (
        f"SELECT {branch.order} AS ord, {branch.load} AS src, {line} AS line, CASE {cases} END AS fault,"
        f" CASE WHEN fault IS NOT NULL THEN {branch.offence} END AS offence, {values}"
        f" FROM {quoted(branch.raw.table)}{where}"
    )


def _decimal(con: duckdb.DuckDBPyConnection, load: Load) -> str:
    """The decimal mark of the columns that are to be numbers and are text: a comma where only that can be meant."""
    mentioned = {
        name.casefold()
        for rule in load.recipe.rows
        for key, node in rule.values.items()
        if CANONICAL.get(key) is Kind.NUMBER
        for name in columns_of(node)
    }
    texts = [quoted(name) for name, kind in load.raw.columns.items() if kind == "VARCHAR" and name.casefold() in mentioned]
    if not texts:
        return "."
    tests = " OR ".join(f"bool_or(regexp_full_match(trim({text}), '[-+]?[0-9.  ]*,([0-9]{{1,2}}|[0-9]{{4,}})'))" for text in texts)
    points = " OR ".join(f"bool_or(regexp_full_match(trim({text}), '[-+]?[0-9, ]*[.]([0-9]{{1,2}}|[0-9]{{4,}})'))" for text in texts)
    found = one(con, f"SELECT coalesce({tests}, false), coalesce({points}, false) FROM {quoted(load.raw.table)}")
    return "," if found[0] and not found[1] else "."


__all__ = ["Load", "RowRule", "Staged", "as_flag", "property_names", "safe_name", "stage"]
