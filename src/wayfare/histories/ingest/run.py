"""From what was given to a sealed log: which mapping or preset holds, then the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.histories.calendar import zone_of
from wayfare.histories.ingest.clean import Load
from wayfare.histories.ingest.detect import SAMPLE_ROWS, detect_in
from wayfare.histories.ingest.expand import expanded
from wayfare.histories.ingest.lineage import contents, refuse_repetition
from wayfare.histories.ingest.mapping import Mapping
from wayfare.histories.ingest.presets import Preset, load_preset
from wayfare.histories.ingest.recipe import Recipe, recipe_of
from wayfare.histories.ingest.seal import Request, bench_for, seal, untold
from wayfare.histories.ingest.sources import Piece, Wanted, pieces, read
from wayfare.histories.ingest.summary import IngestSummary
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
        raise InvalidParameter("A preset says itself what each column and event is.", hint="Leave one out, or copy the preset's file and change it.")
    chosen = load_preset(preset) if preset is not None else None
    found = pieces(sources)
    with bench_for(Path(log_folder), dry_run=dry_run) as (con, scratch):
        known = contents(found)
        used, recipe = _recipe(con, found[0], Wanted({}, scratch, query, table), mapping, chosen, as_event)
        if not (again or dry_run or dedupe_rows or _has_ids(recipe)) and current_generation(Path(log_folder)):
            refuse_repetition(open_sealed(Path(log_folder)).facts.lineage, known)
        loads = _loads(con, found, Wanted(recipe.roles(), scratch, query, table), recipe, told)
        shown = {"preset": chosen.name} if chosen else {"mapping": used.to_dict()}
        entry = {"sources": [piece.name for piece in found], "contents": sorted(known.values()), **shown}
        request = Request(zone=zone, currency=currency, dedupe_rows=dedupe_rows, dry_run=dry_run, entry=entry, progress=told)
        summary = seal(con, Path(log_folder), loads, [_stored(chosen, used, load) for load in loads], request)
    return replace(summary, mapping=used, preset=chosen.name if chosen else "")


def _stored(preset: Preset | None, mapping: Mapping, load: Load) -> dict[str, Any]:
    """A recipe as the quarantine keeps it: a preset with its whole content, since its file may change."""
    if preset is None:
        return {"mapping": mapping.to_dict()}
    return {"preset": dict(preset.data), "properties": load.recipe.properties}


def _has_ids(recipe: Recipe) -> bool:
    return any("event_id" in rule.values for rule in recipe.rows)


def _recipe(
    con: duckdb.DuckDBPyConnection, piece: Piece, wanted: Wanted, mapping: Mapping | None, preset: Preset | None, as_event: str | None
) -> tuple[Mapping, Recipe]:
    """The recipe to read with, and the mapping to show for it."""
    if preset is not None:
        return preset.shown(), preset.recipe
    glance = read(con, piece, "glance", replace(wanted, limit=SAMPLE_ROWS))
    explicit = mapping or Mapping()
    if as_event is not None:
        explicit = replace(explicit, constants={**explicit.constants, "event": as_event})
    for column in explicit.columns.values():
        if column not in glance.columns:
            raise UnknownName.among("column", column, glance.data_columns, where=glance.name)
    used = explicit.completed(detect_in(con, glance).mapping)
    con.execute("DROP TABLE IF EXISTS glance")
    return used, recipe_of(used)


def _loads(
    con: duckdb.DuckDBPyConnection, found: Sequence[Piece], wanted: Wanted, recipe: Recipe, told: Callable[[str, float], None]
) -> list[Load]:
    loads = []
    for index, piece in enumerate(found):
        told("reading", index / len(found))
        raw = read(con, piece, f"raw_{index}", wanted)
        loads.append(expanded(con, Load(raw, recipe)))
    told("reading", 1.0)
    return loads
