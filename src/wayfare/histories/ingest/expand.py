"""Lines that stand for several rows: a list in a column, counted paths of touches, the fields of a nested column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import (
    UTC_MICROS,
    Cell,
    as_number,
    literal,
    quoted,
    trimmed,
    unreadable_number,
)
from wayfare.histories.ingest.expressions import compiled, condition, json_of
from wayfare.histories.ingest.load import Load
from wayfare.histories.ingest.numbers import decimal_mark
from wayfare.histories.ingest.raw import ITEM_NUMBER, LINE, Raw, described
from wayfare.histories.ingest.scope import Scope

MOST_FIELDS = 300
ITEM = "item"
_STEP = 3_600_000_000
_START = 946_684_800_000_000
"""Made-up times of paths that have none: an hour a step from 2000-01-01."""


def expanded(con: duckdb.DuckDBPyConnection, load: Load) -> Load:
    """The load with its lines split, and its nested columns spread, as its recipe says."""
    expect(load)
    if "fill" in load.recipe.expand:
        load = _filled(con, load)
    if "list" in load.recipe.expand:
        load = _lists(con, load)
    if "paths" in load.recipe.expand:
        load = _paths(con, load)
    return _spread(con, load) if load.recipe.spread else load


def expect(load: Load) -> None:
    """The error that a source is not what its recipe reads, where a column is missing."""
    scope = Scope(load.raw.columns, where=load.raw.name)
    if load.recipe.properties != "all" and not load.recipe.lenient:
        for name in load.recipe.properties:
            scope.column(name)
    for wanted in load.recipe.expects:
        if not scope.has(wanted):
            raise BadInput(
                f"The source has no column {wanted.replace('|', ' or ')!r}, which the preset reads.", where=load.raw.name,
                allowed=load.raw.data_columns, hint="Choose another (wayfare presets), or leave --preset out and name the columns: --customer COL --time COL --event COL.",
            )  # fmt: skip


def _replaced(
    con: duckdb.DuckDBPyConnection,
    load: Load,
    select: str,
    *,
    keeps_lines: bool = False,
    fresh: Sequence[str] = (),
) -> Load:
    """The load on the table that `select` gives of its own, with `fresh` columns computed anew; each row's line stays known."""
    raw, table = load.raw, f"{load.raw.table}_x"
    con.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS {select}")
    con.execute(f"DROP TABLE {quoted(raw.table)}")
    types = {
        name: kind if raw.columns.get(name) is None or name in fresh else raw.columns[name]
        for name, kind in described(con, table).items()
    }
    line = raw if keeps_lines else replace(raw, line_column=LINE, hidden=frozenset({LINE}))
    return replace(load, raw=replace(line, table=table, columns=types))


def _line(raw: Raw) -> str:
    """Each row's line, as a new hidden column where the table has none yet."""
    return "" if raw.line_column else f", rowid + {raw.first_line or 1} AS {quoted(LINE)}"


def _filled(con: duckdb.DuckDBPyConnection, load: Load) -> Load:
    """Columns that only the first line of a group fills (an order's, on its further lines) filled on its other lines too."""
    raw, rule = load.raw, load.recipe.expand
    scope = Scope(raw.columns, where=raw.name, optional=True)
    group = trimmed(scope.column(str(rule["by"])))
    cells = [scope.column(name) for name in rule["fill"] if scope.has(name)]
    shown = ", ".join(
        f"coalesce({trimmed(cell)}, first_value({trimmed(cell)} IGNORE NULLS) OVER same) AS {cell.sql}"
        for cell in cells
    )
    if not shown:
        return load
    select = (
        f"SELECT * REPLACE ({shown}){_line(raw)} FROM {quoted(raw.table)}"
        f" WINDOW same AS (PARTITION BY {group} ORDER BY rowid ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY rowid"
    )
    return _replaced(con, load, select, fresh=tuple(cell.sql[1:-1] for cell in cells))


def _lists(con: duckdb.DuckDBPyConnection, load: Load) -> Load:
    """A row for each element of a list, as JSON in `item`, with its `item_number`; lines without one stay as they are."""
    raw, rule = load.raw, load.recipe.expand
    scope = Scope(raw.columns, where=raw.name, optional=True)
    items = f"from_json({json_of(compiled(rule['list'], scope))}, '[\"JSON\"]')"
    chosen = condition(rule["when"], scope) if rule.get("when") is not None else "true"
    listed = f"CASE WHEN {chosen} AND len({items}) > 0 THEN {items} ELSE [NULL::JSON] END"
    numbers = (
        f"CASE WHEN {chosen} AND len({items}) > 0 THEN range(1, len({items}) + 1) ELSE [NULL::BIGINT] END"
    )
    select = f"SELECT *{_line(raw)}, unnest({listed}) AS {ITEM}, unnest({numbers}) AS {ITEM_NUMBER} FROM {quoted(raw.table)}"
    done = _replaced(con, load, select)
    return replace(done, raw=replace(done.raw, hidden=done.raw.hidden | {ITEM_NUMBER}))


def _paths(con: duckdb.DuckDBPyConnection, load: Load) -> Load:
    """A customer for each journey of counted paths: an event for each touch, and a purchase at the end where it converted."""
    raw, rule = load.raw, load.recipe.expand
    scope = Scope(raw.columns, _mark(con, load), raw.name, optional=True)
    cells = {word: _cell(rule, word, scope) for word in ("conversions", "nulls", "value")}
    count = {word: f"coalesce({as_number(cell)}, 0)" for word, cell in cells.items()}
    whole = [f"{count[word]} = round({count[word]})" for word in ("conversions", "nulls")]
    readable = [f"NOT ({broken})" for cell in cells.values() if (broken := unreadable_number(cell))]
    usable = " AND ".join(whole + readable)
    path, mark = trimmed(scope.column(str(rule["paths"]))), literal(str(rule.get("by", ">")))
    lines = (
        f"SELECT rowid + {raw.first_line or 1} AS line, CASE WHEN {usable} THEN list_filter(list_transform(string_split({path}, {mark}), lambda t: trim(t)), lambda t: t <> '') END"
        f" AS touches, greatest({count['conversions']}, 0)::BIGINT AS conversions, greatest({count['nulls']}, 0)::BIGINT AS nulls, {count['value']} AS total"
        f" FROM {quoted(raw.table)}"
    )
    journeys = f"SELECT *, unnest(range(1, greatest(conversions + nulls, 1) + 1)) AS number FROM ({lines}) WHERE len(touches) > 0"
    events = f"SELECT *, unnest(range(1, len(touches) + 1 + (number <= conversions)::INTEGER)) AS step FROM ({journeys})"
    select = (
        f"SELECT line AS {quoted(LINE)}, CASE WHEN conversions + nulls > 0 THEN 'path ' || line || ' journey ' || number END AS journey,"
        f" {_START} + (step - 1) * {_STEP} AS at,"
        " CASE WHEN step <= len(touches) THEN 'touch' ELSE 'purchase' END AS event,"
        " CASE WHEN step <= len(touches) THEN touches[step] END AS channel,"
        f" CASE WHEN step > len(touches) THEN total / conversions END AS value FROM ({events})"
        f" UNION ALL SELECT line, NULL, NULL, NULL, NULL, NULL FROM ({lines}) WHERE coalesce(len(touches), 0) = 0"
    )
    note = "The source has no times: each step of a path stands an hour after the one before, from 2000-01-01 on."
    done = _replaced(con, load, select, fresh=("journey", "at", "event", "channel", "value"))
    return replace(
        done, raw=replace(done.raw, columns={**done.raw.columns, "at": UTC_MICROS}, notes=(*raw.notes, note))
    )


def _mark(con: duckdb.DuckDBPyConnection, load: Load) -> str:
    """The decimal mark of the counted columns: a comma where only that can be meant."""
    names = [
        name
        for word in ("conversions", "nulls", "value")
        for name in str(load.recipe.expand.get(word, word)).split("|")
    ]
    texts = [quoted(name) for name, kind in load.raw.columns.items() if kind == "VARCHAR" and name in names]
    if load.recipe.decimal or not texts:
        return load.recipe.decimal or "."
    return decimal_mark(con, quoted(load.raw.table), texts) or "."


def _cell(rule: Any, word: str, scope: Scope) -> Cell:
    return scope.column(str(rule.get(word, word)))


def _spread(con: duckdb.DuckDBPyConnection, load: Load) -> Load:
    """The fields of nested columns as columns of text of their own (the commonest, where there are very many)."""
    raw = load.raw
    scope = Scope(raw.columns, where=raw.name, optional=True)
    taken = {name.casefold() for name in raw.columns} | {
        key.casefold() for rule in load.recipe.rows for key in rule.values
    }
    fields: dict[str, str] = {}
    for column in load.recipe.spread:
        nested = json_of(scope.column(column))
        for key in _keys(con, raw.table, nested):
            name = key if key.casefold() not in taken else f"{column}.{key}"
            if name.casefold() in taken:
                continue
            taken.add(name.casefold())
            pointer = literal("/" + key.replace("~", "~0").replace("/", "~1"))
            fields[name] = f"json_extract_string({nested}, {pointer}) AS {quoted(name)}"
    if not fields:
        return load
    done = _replaced(
        con, load, f"SELECT *, {', '.join(fields.values())} FROM {quoted(raw.table)}", keeps_lines=True
    )
    properties = load.recipe.properties
    return replace(
        done,
        recipe=replace(load.recipe, properties=properties if properties == "all" else (*properties, *fields)),
    )


def _keys(con: duckdb.DuckDBPyConnection, table: str, nested: str) -> list[str]:
    keys = (
        f"SELECT unnest(json_keys({nested})) AS key FROM {quoted(table)} WHERE json_type({nested}) = 'OBJECT'"
    )
    rows = con.execute(
        f"SELECT key, count(*) FROM ({keys}) GROUP BY key ORDER BY 2 DESC, 1 LIMIT {MOST_FIELDS}"
    ).fetchall()
    return sorted(key for key, _ in rows)
