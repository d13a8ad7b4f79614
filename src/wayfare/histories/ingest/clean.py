"""The rows of all sources under the log's own columns, each with what is wrong with it or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from wayfare.errors import BadInput, InvalidParameter
from wayfare.histories.ingest.cells import (
    LOCAL_MICROS,
    UTC_MICROS,
    Cell,
    as_number,
    as_text,
    cleaned,
    is_blank,
    literal,
    quoted,
    unreadable_number,
)  # fmt: skip
from wayfare.histories.ingest.expressions import columns_of, compiled, condition
from wayfare.histories.ingest.load import HELPERS, Load, property_names
from wayfare.histories.ingest.numbers import decimal_mark, either_mark
from wayfare.histories.ingest.raw import FAULT, Raw
from wayfare.histories.ingest.recipe import Recipe
from wayfare.histories.ingest.scope import Scope, Steps
from wayfare.histories.ingest.times import (
    EARLIEST,
    ISO,
    LATEST,
    Reading,
    check_written,
    forms,
    in_utc,
    reading,
)
from wayfare.histories.ingest.workbench import one
from wayfare.histories.schema import CANONICAL, REQUIRED, Kind

STAGED = "staged"
SOURCE_BITS = 44
"""A row's `ord` is its source's number shifted by this, plus its number in the source."""

NOTHING = "nothing to record in this line"


@dataclass(frozen=True)
class Staged:
    """The relation of all rows: `ord` (input order), `src`, `line`, `fault`, `offence`, and the log's columns.

    Attributes:
        columns: The log's columns, each with its values' SQL type.
        read_as: For each load, how its times and numbers were found to be written (time_format, time_unit, decimal).
        notes: What a person should know of how they were read.
    """

    relation: str
    columns: Mapping[str, str]
    read_as: tuple[dict[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Branch:
    """One SELECT of the union: the rows that one rule gives for one source.

    `inner` are the expressions evaluated first, once each, by alias; `cells` and `faults` speak of those aliases.
    """

    load: int
    raw: Raw
    order: str
    keep: str
    steps: Steps
    inner: dict[str, str]
    cells: dict[str, Cell]
    faults: list[tuple[str, str]]
    offence: str = "NULL::VARCHAR"

    @property
    def plain(self) -> bool:
        """Whether nothing is computed: each column is one of the source's."""
        return not (self.keep or self.steps.layers) and all(
            sql.startswith('"') or ("::" in sql and "(" not in sql) for sql in self.inner.values()
        )


def stage(con: duckdb.DuckDBPyConnection, loads: Sequence[Load], zone: str) -> Staged:
    """All rows of all sources as one relation; a view where that costs nothing, else a table."""
    settled = [_settled(con, load) for load in loads]
    branches = [branch for index, load in enumerate(settled) for branch in _branches(index, load, zone)]
    names = list(dict.fromkeys(name for branch in branches for name in branch.cells))
    ordered = [name for name in CANONICAL if name in names] + [
        name for name in names if name not in CANONICAL
    ]
    types = {
        name: _common(name, [branch.cells[name] for branch in branches if name in branch.cells])
        for name in ordered
    }
    union = " UNION ALL ".join(_select(branch, types) for branch in branches)
    form = "VIEW" if len(branches) == 1 and branches[0].plain else "TABLE"
    con.execute(f"CREATE OR REPLACE {form} {STAGED} AS {union}")
    read_as = [
        {name: getattr(load.recipe, name) for name in ("time_format", "time_unit", "decimal")}
        for load in settled
    ]
    notes = tuple(note for load in settled for note in load.raw.notes)
    return Staged(STAGED, types, tuple(read_as), notes)


def _settled(con: duckdb.DuckDBPyConnection, load: Load) -> Load:
    """The load with what its recipe leaves open (how times and numbers are written) seen from its rows."""
    recipe, raw = load.recipe, load.raw
    check_written(con, recipe.time_format, recipe.time_unit, recipe.decimal)
    decimal, note = (
        (recipe.decimal or raw.decimal, "") if recipe.decimal or raw.decimal else _decimal(con, load)
    )
    recipe = replace(recipe, decimal=decimal)
    raw = replace(raw, notes=(*raw.notes, *filter(None, [note])))
    load = replace(load, raw=raw)
    if recipe.time_format or recipe.time_unit:
        return replace(load, recipe=recipe)
    scope = Scope(raw.columns, recipe.decimal, raw.name, recipe.lenient)
    times = [compiled(rule.values["time"], scope) for rule in recipe.rows if "time" in rule.values]
    cell = next((cell for cell in times if cell.is_text or cell.is_number), None)
    if cell is None:
        return replace(load, recipe=recipe)
    formats, unit = forms(con, quoted(raw.table), cell, f"{raw.name}, column for time")
    return replace(load, recipe=replace(recipe, time_format="|".join(formats) or ISO, time_unit=unit))


def _branches(index: int, load: Load, zone: str) -> list[_Branch]:
    raw, recipe = load.raw, load.recipe
    steps = Steps()
    scope = Scope(raw.columns, recipe.decimal, raw.name, recipe.lenient, steps)
    rules, result = len(recipe.rows), []
    properties = {name: scope.column(column) for column, name in property_names(load).items()}
    for position, rule in enumerate(recipe.rows):
        _check_names(rule.values, raw)
        cells = {**{key: compiled(node, scope) for key, node in rule.values.items()}, **properties}
        absent = [key for key in REQUIRED if key not in cells]
        if absent:
            raise _unmapped(absent, raw)
        keep = scope.kept(Cell(condition(rule.when, scope), "BOOLEAN")).sql if rule.when is not None else ""
        result.append(
            _branch(index, load, cells, keep, _order(index, rules, position), recipe.zone or zone, steps)
        )
    return result + _idle(result, load, index, steps)


def _check_names(names: Mapping[str, object], raw: Raw) -> None:
    taken = next((name for name in names if name.casefold() in HELPERS), None)
    if taken is not None:
        raise InvalidParameter(
            f"{taken!r} is a name that the log keeps for itself.", where=raw.name,
            hint=f"Give the column another name in the log, such as {taken}_2.",
        )  # fmt: skip


def _order(index: int, rules: int, position: int) -> str:
    return f"{index << SOURCE_BITS} + rowid * {rules} + {position}" if index or rules > 1 else "rowid"


def _unmapped(absent: Sequence[str], raw: Raw) -> BadInput:
    return BadInput(
        f"No column is known for {' and '.join(absent)}.", where=raw.name, allowed=raw.data_columns,
        hint="Name it: --customer COL --time COL --event COL, or --as purchase where every row is the same event.",
    )  # fmt: skip


def _branch(
    index: int, load: Load, cells: Mapping[str, Cell], keep: str, order: str, zone: str, steps: Steps
) -> _Branch:
    """The rule's columns: text cleaned once in the inner query, then read as times and numbers in the outer one."""
    inner: dict[str, str] = {}
    outer: dict[str, Cell] = {}
    faults: list[tuple[str, str]] = []
    for key, cell in cells.items():
        alias = quoted(key)
        if key == "time":
            found = _reading(load.recipe, cell)
            inner |= {
                "t_utc": found.utc or "NULL::BIGINT",
                "t_local": found.local or "NULL::BIGINT",
                "t_given": _given(cell),
            }
            outer[key] = Cell(
                in_utc(Reading("t_utc" if found.utc else "", "t_local" if found.local else ""), zone),
                "BIGINT",
            )
        elif CANONICAL.get(key) is Kind.NUMBER:
            inner[alias], outer[key] = cleaned(cell, alias)
            if cell.broken:
                broken = quoted(f"{key}\x1fbroken")
                inner[broken] = cell.broken
                outer[key] = Cell(alias, outer[key].type, broken, cell.decimal, outer[key].clean)
        else:
            inner[alias], outer[key] = (
                (cell.sql, Cell(alias, cell.type))
                if cell.type != "JSON"
                else (as_text(cell), Cell(alias, "VARCHAR"))
            )
    faults = _faults(outer)
    said = [as_text(outer[key]) for key in outer if CANONICAL.get(key) is Kind.NUMBER and outer[key].is_text]
    offence = f"concat_ws(chr(31), {', '.join(['t_given', *said])})"
    if FAULT in load.raw.columns:
        inner[quoted(FAULT)] = quoted(FAULT)
    return _Branch(index, load.raw, order, keep, steps, inner, outer, faults, offence)


def _given(cell: Cell) -> str:
    """The time as it was given, to tell none from one that can't be read."""
    return cleaned(cell, "")[0] if cell.is_text else f"{cell.sql}"


def _reading(recipe: Recipe, cell: Cell) -> Reading:
    formats = tuple(recipe.time_format.split("|")) if recipe.time_format not in ("", ISO) else ()
    if cell.is_time:
        formats = ()
    elif cell.is_number and formats:
        cell = Cell(as_text(cell), "VARCHAR")
    return reading(cell, formats, "" if cell.is_time else recipe.time_unit)


def _faults(cells: Mapping[str, Cell]) -> list[tuple[str, str]]:
    """The conditions that make a row unusable, each with its reason; the first that holds is given."""
    time = cells["time"].sql
    faults = [
        (is_blank(cells["customer"]), "no customer"), ("t_given IS NULL", "no time"), (f"({time}) IS NULL", "time can't be read"),
        (f"({time}) < {EARLIEST} OR ({time}) >= {LATEST}", "time is before 1970 or after 2100"), (is_blank(cells["event"]), "no event"),
    ]  # fmt: skip
    for key, cell in cells.items():
        if CANONICAL.get(key) is Kind.NUMBER and (broken := unreadable_number(cell)):
            faults.append((broken, f"{key} is no number"))
    return faults


def _idle(branches: list[_Branch], load: Load, index: int, steps: Steps) -> list[_Branch]:
    """Lines for which no rule gives a row: they are read, so they are accounted for."""
    if not all(branch.keep for branch in branches):
        return []
    none = " AND ".join(f"NOT {branch.keep}" for branch in branches)
    return [
        _Branch(
            index, load.raw, _order(index, len(branches), 0), f"({none})", steps, {}, {}, [("true", NOTHING)]
        )
    ]


def _common(name: str, cells: Sequence[Cell]) -> str:
    """The SQL type of a staged column that several sources fill."""
    if name == "time":
        return "BIGINT"
    if CANONICAL.get(name) is Kind.NUMBER:
        return "DOUBLE"
    types = {cell.type for cell in cells}
    if len(types) == 1 and not types & {UTC_MICROS, LOCAL_MICROS}:
        return types.pop()
    return "DOUBLE" if all(cell.is_number for cell in cells) else "VARCHAR"


def _cast(cell: Cell | None, name: str, kind: str) -> str:
    if cell is None:
        return f"NULL::{kind}"
    if CANONICAL.get(name) is Kind.NUMBER:
        return as_number(cell)
    if name == "time" or cell.type == kind:
        return cell.sql
    return as_number(cell) if kind == "DOUBLE" else as_text(cell)


def _select(branch: _Branch, types: Mapping[str, str]) -> str:
    raw = branch.raw
    line = quoted(raw.line_column) if raw.line_column else "rowid"
    where = f" WHERE {branch.keep}" if branch.keep else ""
    rows = (
        branch.steps.over(f"(SELECT rowid, * FROM {quoted(raw.table)})")
        if branch.steps.layers
        else quoted(raw.table)
    )
    first = ", ".join(
        f"{sql} AS {alias}" for alias, sql in {"ord": branch.order, "line": line, **branch.inner}.items()
    )
    values = {name: _cast(branch.cells.get(name), name, kind) for name, kind in types.items()}
    shown = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in values.items())
    cases = " ".join(f"WHEN {test} THEN {literal(reason)}" for test, reason in branch.faults)
    judged = f" ELSE {quoted(FAULT)}" if quoted(FAULT) in branch.inner else ""
    offence = f"CASE WHEN fault IS NOT NULL THEN {branch.offence} END AS offence"
    return f"SELECT ord, {branch.load} AS src, line, CASE {cases}{judged} END AS fault, {offence}, {shown} FROM (SELECT {first} FROM {rows}{where})"


def _decimal(con: duckdb.DuckDBPyConnection, load: Load) -> tuple[str, str]:
    """The decimal mark of the columns that are to be numbers and are text, a comma where only that can be meant;
    and what to tell a person of it."""
    nodes = [
        node
        for rule in load.recipe.rows
        for key, node in rule.values.items()
        if CANONICAL.get(key) is Kind.NUMBER
    ]
    mentioned = {name.casefold() for node in nodes for name in columns_of(node)}
    texts = [
        quoted(name)
        for name, kind in load.raw.columns.items()
        if kind == "VARCHAR" and name.casefold() in mentioned
    ]
    if not texts:
        return ".", ""
    found = decimal_mark(con, quoted(load.raw.table), texts)
    return (found, "") if found else (".", _unsure(con, load.raw, texts))


def _unsure(con: duckdb.DuckDBPyConnection, raw: Raw, texts: Sequence[str]) -> str:
    """A sentence on a number that either decimal mark would fit, where nothing shows which it is; else empty."""
    examples = ", ".join(f"any_value(CASE WHEN {either_mark(text)} THEN {text} END)" for text in texts)
    for text, example in zip(texts, one(con, f"SELECT {examples} FROM {quoted(raw.table)}"), strict=True):
        if example is None:
            continue
        read = "the comma as thousands" if "," in example else "the point as the decimal mark"
        return (
            f"{example!r} in the column {text} of {raw.name} could be either; it was read with {read}."
            " If that is wrong, say so with --map decimal=,"
        )
    return ""
