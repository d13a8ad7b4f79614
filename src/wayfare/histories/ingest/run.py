"""From what was given to a sealed log: which mapping or preset holds, then the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.histories.calendar import zone_of
from wayfare.histories.ingest.detect import SAMPLE_ROWS, detect_in
from wayfare.histories.ingest.expand import expanded
from wayfare.histories.ingest.lineage import contents, refuse_repetition
from wayfare.histories.ingest.load import Load
from wayfare.histories.ingest.mapping import Mapping
from wayfare.histories.ingest.presets import Preset, load_preset
from wayfare.histories.ingest.recipe import Recipe, parts_of, recipe_of
from wayfare.histories.ingest.seal import Request, bench_for, seal, untold
from wayfare.histories.ingest.sources import Piece, Wanted, check_asked, pieces, read
from wayfare.histories.ingest.summary import IngestSummary
from wayfare.histories.ingest.workbench import watched
from wayfare.histories.store import current_generation, open_sealed


def ingest(
    log_folder: Path, sources: Sequence[str], *, mapping: Mapping | None = None, preset: str | None = None,
    as_event: str | None = None, zone: str = "UTC", currency: str = "EUR", query: str | None = None, table: str | None = None,
    dedupe_rows: bool = False, dry_run: bool = False, again: bool = False, progress: Callable[[str, float], None] | None = None,
) -> IngestSummary:  # fmt: skip
    """What became of the rows of these sources on their way into the log.

    Args:
        log_folder: The log's folder (a workspace's `log`).
        sources: Files, folders, patterns, or addresses (sqlite:///, duckdb:///, postgresql://), read in this order.
        mapping: Which column is what; what it leaves open is detected.
        preset: The name or path of a preset, in place of a mapping.
        as_event: The event that every row is (such as `purchase`).
        zone: The workspace's time zone, in which times that name none are read.
        currency: The workspace's currency; rows in another one are noted.
        query, table: What to read of a database.
        dedupe_rows: Whether exact repetitions of a row are dropped.
        dry_run: Whether nothing is written.
        again: Whether a file that was ingested before may be added once more.
        progress: Told the phase (reading, checking, sorting, writing) and how far it has come.

    Raises:
        BadInput: The source can't be read, or none of its rows can be used.
        UnknownName: A column or a preset does not exist.
        Busy: Another ingest is writing this log.
    """
    zone_of(zone)
    told = progress or untold
    if preset is not None and ((mapping is not None and mapping.columns) or as_event is not None):
        raise InvalidParameter(
            "A preset says itself what each column and event is.",
            hint="Leave one out, or copy the preset's file and change it.",
        )
    chosen = load_preset(preset) if preset is not None else None
    found = pieces(sources)
    check_asked(found, query, table)
    with bench_for(Path(log_folder), dry_run=dry_run) as (con, scratch):
        known = contents(found)
        wanted = Wanted({}, scratch, query, table)
        plans = [_plan(con, piece, wanted, mapping or Mapping(), chosen, as_event) for piece in found]
        with_ids = all(any("event_id" in rule.values for rule in plan.recipe.rows) for plan in plans)
        if not (again or dry_run or dedupe_rows or with_ids) and current_generation(Path(log_folder)):
            refuse_repetition(open_sealed(Path(log_folder)).facts.lineage, known)
        loads = _loads(con, found, wanted, plans, told)
        shown = {"preset": chosen.name} if chosen else {"mapping": plans[0].mapping.to_dict()}
        entry = {"sources": [piece.name for piece in found], "contents": sorted(known.values()), **shown}
        request = Request(
            zone=zone, currency=currency, dedupe_rows=dedupe_rows, dry_run=dry_run, notes=chosen.notes if chosen else (),
            entry=entry, progress=told, refuse_repeats=not (again or dedupe_rows),
        )  # fmt: skip
        summary = seal(
            con,
            Path(log_folder),
            loads,
            [_stored(chosen, plan, load) for plan, load in zip(plans, loads, strict=True)],
            request,
        )
    return replace(summary, mapping=plans[0].mapping, preset=chosen.name if chosen else "")


@dataclass(frozen=True)
class _Plan:
    """How one source is read: its recipe, and the mapping to show for it."""

    mapping: Mapping
    recipe: Recipe


def _stored(preset: Preset | None, plan: _Plan, load: Load) -> dict[str, Any]:
    """A recipe as the quarantine keeps it: a preset with its whole content, since its file may change."""
    if preset is None:
        return {"mapping": plan.mapping.to_dict()}
    return {"preset": dict(preset.data), "properties": load.recipe.properties}


def _plan(
    con: duckdb.DuckDBPyConnection,
    piece: Piece,
    wanted: Wanted,
    explicit: Mapping,
    preset: Preset | None,
    as_event: str | None,
) -> _Plan:
    if preset is not None:
        recipe = preset.recipe
        settings = {
            name: said
            for name in ("zone", "time_format", "time_unit", "decimal")
            if (said := getattr(explicit, name))
        }
        return _Plan(preset.shown(), replace(recipe, **settings))
    glance = read(con, piece, "glance", replace(wanted, limit=SAMPLE_ROWS))
    if as_event is not None:
        explicit = replace(explicit, constants={**explicit.constants, "event": as_event})
    for column in explicit.columns.values():
        for part in parts_of(column, glance.columns):
            if part not in glance.columns:
                raise UnknownName.among("column", part, glance.data_columns, where=glance.name)
    used = explicit.completed(detect_in(con, glance).mapping)
    con.execute("DROP TABLE IF EXISTS glance")
    return _Plan(used, recipe_of(used, glance.columns))


def _part_read(told: Callable[[str, float], None], before: int, sources: int, part: float) -> None:
    told("reading", (before + part) / sources)


def _loads(
    con: duckdb.DuckDBPyConnection,
    found: Sequence[Piece],
    wanted: Wanted,
    plans: Sequence[_Plan],
    told: Callable[[str, float], None],
) -> list[Load]:
    loads = []
    for index, (piece, plan) in enumerate(zip(found, plans, strict=True)):
        told("reading", index / len(found))
        with watched(con, partial(_part_read, told, index, len(found))):
            raw = read(con, piece, f"raw_{index}", replace(wanted, roles=plan.recipe.roles()))
        loads.append(expanded(con, Load(raw, plan.recipe)))
    told("reading", 1.0)
    return loads
