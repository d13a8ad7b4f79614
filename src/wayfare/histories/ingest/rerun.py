"""The quarantine's rows run again: as they are, mended in a file, or with another mapping."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from wayfare.domain.survey import Survey
from wayfare.errors import BadInput
from wayfare.histories.ingest import quarantine
from wayfare.histories.ingest.cells import literal, quoted
from wayfare.histories.ingest.delimited import read_dialect
from wayfare.histories.ingest.dialect import dialect_of
from wayfare.histories.ingest.load import Load
from wayfare.histories.ingest.mapping import Mapping
from wayfare.histories.ingest.present import present_ids
from wayfare.histories.ingest.presets import load_preset, preset_of
from wayfare.histories.ingest.raw import ID_COLUMN, ITEM_NUMBER, LINE, Raw
from wayfare.histories.ingest.recipe import Recipe, recipe_of
from wayfare.histories.ingest.seal import Request, bench_for, seal, untold
from wayfare.histories.ingest.summary import IngestSummary
from wayfare.histories.ingest.survey_rows import answers_load
from wayfare.histories.ingest.workbench import one
from wayfare.histories.schema import Kind
from wayfare.histories.store import SealedSource, current_generation


def run_again(
    log_folder: Path, mended: Path | None, mapping: Mapping | None, preset: str | None, as_event: str | None, zone: str, *,
    surveys: AnyMapping[str, Survey], dry_run: bool, progress: Callable[[str, float], None] | None,
) -> IngestSummary:  # fmt: skip
    """See `quarantine.rerun`."""
    told = progress or untold
    told("reading", 0.0)
    with bench_for(log_folder, dry_run=dry_run) as (con, scratch):
        con.register("kept_aside_now", quarantine.rows(log_folder))
        con.execute("CREATE TABLE kept_aside AS SELECT * FROM kept_aside_now")
        columns = _mended(con, mended, scratch) if mended is not None else ()
        groups = _groups(con, only_mended=mended is not None)
        described = _other(mapping, preset, as_event)
        loads = [_load(con, number, group, columns, described) for number, group in enumerate(groups)]
        recipes = [described or group.recipe for group in groups]
        if not described:
            loads = [
                _judged(con, log_folder, load, group, surveys)
                for load, group in zip(loads, groups, strict=True)
            ]
        leaves = frozenset(identity for group in groups for identity in group.ids)
        if not loads:
            raise BadInput(
                "None of these rows can be run again as they are.",
                hint="Export them, mend the file, and run that again.",
            )
        entry = {"sources": ["quarantine"], "mended": mended.name if mended else ""}
        request = Request(zone=zone, dry_run=dry_run, partial=True, leaves=leaves, entry=entry, progress=told)
        summary = seal(con, log_folder, loads, recipes, request)
    return replace(summary, mapping=mapping or Mapping())


@dataclass(frozen=True)
class _Group:
    """Quarantine rows of one source that one rule of one recipe gave."""

    source: str
    text: str
    rule: int
    ids: tuple[int, ...]

    @property
    def recipe(self) -> dict[str, Any]:
        return dict(json.loads(self.text))


def _groups(con: duckdb.DuckDBPyConnection, *, only_mended: bool) -> list[_Group]:
    """The rows to run, grouped; a malformed line only once it was mended."""
    whole = f"NOT json_exists(row, '/{quarantine.MALFORMED}')"
    chosen = f"id IN (SELECT {quoted(ID_COLUMN)} FROM mended)" if only_mended else whole
    found = con.execute(
        f"SELECT source, recipe, rule, list(id ORDER BY id) FROM kept_aside WHERE {chosen} GROUP BY ALL ORDER BY min(id)"
    ).fetchall()
    return [_Group(source, text, rule, tuple(ids)) for source, text, rule, ids in found]


def _other(mapping: Mapping | None, preset: str | None, as_event: str | None) -> dict[str, Any] | None:
    """The recipe given in place of the rows' own, as it is stored; None where none is."""
    if preset is not None:
        return {"preset": dict(load_preset(preset).data)}
    if mapping is None and as_event is None:
        return None
    used = mapping or Mapping()
    if as_event is not None:
        used = replace(used, constants={**used.constants, "event": as_event})
    return {"mapping": used.to_dict()}


def _judged(
    con: duckdb.DuckDBPyConnection,
    log_folder: Path,
    load: Load,
    group: _Group,
    surveys: AnyMapping[str, Survey],
) -> Load:
    """The load with its rows taken as answers, where they are some: by the survey's document of today, else by that of then."""
    if "survey" not in group.recipe:
        return load
    then = Survey.model_validate(group.recipe["survey"])
    current = current_generation(log_folder)
    there = present_ids(con, SealedSource(current)) if current else ""
    answers = answers_load(con, load.raw, surveys.get(then.name, then), group.source, there)
    return replace(answers, recipe=replace(answers.recipe, **_read_as(group.recipe)))


def _recipe(described: dict[str, Any], rule: int, columns: AnyMapping[str, str]) -> Recipe:
    """The recipe behind its stored form; the rows were expanded before they came here."""
    if "survey" in described:
        return Recipe(())
    if "preset" in described:
        recipe = replace(
            preset_of(described["preset"], "the quarantine's preset").recipe, expects=(), expand={}, spread=()
        )
        rows = recipe.rows if rule < 0 else recipe.rows[rule : rule + 1]
        recipe = replace(
            recipe, rows=rows, properties=_properties(described.get("properties", recipe.properties))
        )
    else:
        settings = dict(described["mapping"])
        mapping = Mapping(**{**settings, "properties": _properties(settings.get("properties", ()))})
        recipe = recipe_of(mapping, columns)
    return replace(recipe, **_read_as(described), lenient=True)


def _read_as(described: AnyMapping[str, Any]) -> dict[str, Any]:
    return {key: described[key] for key in ("time_format", "time_unit", "decimal") if described.get(key)}


def _properties(value: Any) -> Any:
    return "all" if value == "all" else tuple(value)


def _load(
    con: duckdb.DuckDBPyConnection,
    number: int,
    group: _Group,
    mended: Sequence[str],
    described: dict[str, Any] | None,
) -> Load:
    con.register("group_ids", pa.table({"id": pa.array(group.ids, pa.int64())}))
    rows = "(SELECT id, line, row FROM kept_aside SEMI JOIN group_ids USING (id))"
    own = [key for key in quarantine.keys_of(con, rows) if key != quarantine.MALFORMED]
    if mended:
        names = {quarantine.restored_name(column): f"m.{quoted(column)}" for column in mended}
        fields = {name: quarantine.restored(sql) for name, sql in names.items()}
        rows = f"{rows} k JOIN mended m ON k.id = m.{quoted(ID_COLUMN)}"
    else:
        fields = {
            name: f"json_extract_string(k.row, {literal('/' + name.replace('~', '~0').replace('/', '~1'))})"
            for name in own
        }
        rows = f"{rows} k"
    shown = "".join(f", {sql} AS {quoted(name)}" for name, sql in fields.items())
    table = f"again_{number}"
    con.execute(
        f"CREATE TABLE {table} AS SELECT k.id AS {quoted(ID_COLUMN)}, k.line AS {quoted(LINE)}{shown} FROM {rows} ORDER BY k.id"
    )
    con.unregister("group_ids")
    kept = {*own, *_filled(con, table, list(fields))}
    columns = {ID_COLUMN: "BIGINT", LINE: "BIGINT", **{name: "VARCHAR" for name in fields if name in kept}}
    raw = Raw(group.source, table, columns, None, (), LINE, frozenset({ID_COLUMN, LINE, ITEM_NUMBER}))
    return Load(raw, _recipe(described or group.recipe, -1 if described else group.rule, columns))


def _filled(con: duckdb.DuckDBPyConnection, table: str, names: list[str]) -> list[str]:
    """The columns that hold anything: a mended file has those of every source."""
    counts = one(con, f"SELECT count(*){''.join(f', count({quoted(name)})' for name in names)} FROM {table}")
    return [
        name for name, count in zip(names, counts[1:], strict=True) if count and name != quarantine.MALFORMED
    ]


def _mended(con: duckdb.DuckDBPyConnection, path: Path, scratch: Path) -> list[str]:
    """Reads the mended file as the table `mended` (id and its columns), and gives the columns."""
    if not path.is_file():
        raise BadInput("There is no such file.", where=str(path))
    dialect = dialect_of(path, scratch)
    raw = read_dialect(con, dialect, "mended_file", path.name, dict.fromkeys(dialect.names, Kind.CODE))
    if quarantine.ID not in raw.columns:
        raise BadInput(
            f"The file has no column {quarantine.ID}, which says which row is which.",
            where=path.name,
            hint="Mend a file that the quarantine exported.",
        )
    columns = [name for name in raw.columns if name not in quarantine.META]
    shown = "".join(f", {quoted(name)}" for name in columns)
    con.execute(
        f"CREATE TABLE mended AS SELECT try_cast({quoted(quarantine.ID)} AS BIGINT) AS {quoted(ID_COLUMN)}{shown} FROM mended_file"
    )
    unknown = one(
        con,
        "SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE id NOT IN (SELECT id FROM kept_aside) OR id IS NULL)"
        f" FROM (SELECT {quoted(ID_COLUMN)} AS id FROM mended)",
    )
    if unknown[2] or unknown[0] != unknown[1]:
        gone = f"{unknown[2]:,} of its {unknown[0]:,} rows are" if unknown[2] else "None is"
        raise BadInput(
            f"The file names rows that are not in quarantine, or one row twice: {gone} not there (any more).",
            where=path.name,
            hint="Nothing was changed. Delete those lines, or export the quarantine again.",
        )
    filled = " OR ".join(f"{quoted(name)} IS NOT NULL" for name in columns if name != quarantine.MALFORMED)
    con.execute(
        f"DELETE FROM mended WHERE NOT ({filled or 'false'})"
    )  # malformed lines that nobody took apart
    return columns
