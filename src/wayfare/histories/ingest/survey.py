"""Answers to a survey into the log: the same run as for any source, after the answers were taken apart and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from wayfare.domain.survey import Column, Survey
from wayfare.histories.calendar import zone_of
from wayfare.histories.ingest.frames import raw_of, source_of
from wayfare.histories.ingest.lineage import content_of, contents
from wayfare.histories.ingest.load import Load
from wayfare.histories.ingest.present import present_ids
from wayfare.histories.ingest.seal import Request, bench_for, seal, untold
from wayfare.histories.ingest.sources import Piece, Wanted, pieces, read
from wayfare.histories.ingest.summary import IngestSummary
from wayfare.histories.ingest.survey_rows import answers_load
from wayfare.histories.ingest.workbench import one, workbench
from wayfare.histories.schema import Kind
from wayfare.histories.source import MemorySource
from wayfare.histories.store import SealedSource, current_generation


def ingest_answers(
    log_folder: Path, sources: Sequence[str], survey: Survey, *, zone: str = "UTC", currency: str = "EUR", query: str | None = None,
    table: str | None = None, dry_run: bool = False, progress: Callable[[str, float], None] | None = None,
) -> IngestSummary:  # fmt: skip
    """What became of the answers in these sources on their way into the log; the summary's rows are answers.

    Args:
        log_folder: The folder of the log that they belong to; that of anonymous answers is not that of the customers.
        sources: Files or addresses, wide (a line a respondent) or long (a line an answer).
        survey: What was asked, and where the answers stand.
        zone, currency, query, table, dry_run, progress: As for any ingest.

    Raises:
        BadInput: The source holds none of the survey's questions, or no answer that can be used.
        UnknownName: A column of the survey is not there.
        Busy: Another ingest is writing this log.
    """
    zone_of(zone)
    told = progress or untold
    found = pieces(sources)
    with bench_for(Path(log_folder), dry_run=dry_run) as (con, scratch):
        current = current_generation(Path(log_folder))
        there = present_ids(con, SealedSource(current)) if current else ""
        wanted = Wanted(_roles(survey), scratch, query, table)
        loads: list[Load] = []
        for number, piece in enumerate(found):
            told("reading", number / len(found))
            raw = read(con, piece, f"raw_{number}", wanted)
            loads.append(answers_load(con, raw, survey, _origin(piece), there))
            there = _with(con, there, loads[-1])
        told("reading", 1.0)
        entry = {
            "sources": [piece.name for piece in found],
            "contents": sorted(contents(found).values()),
            "survey": survey.name,
        }
        request = Request(zone=zone, currency=currency, dry_run=dry_run, entry=entry, progress=told)
        stored = {"survey": survey.model_dump(mode="json", exclude_defaults=True)}
        strangers = _strangers(con, loads, current, survey)
        summary = seal(con, Path(log_folder), loads, [stored] * len(loads), request)
    return replace(summary, notes=(*summary.notes, *strangers))


def answers_source(frame: Any, survey: Survey, *, zone: str = "UTC") -> MemorySource:
    """The answers in a data frame (or in the file of that path) as a log in memory; warns of those that can't be used."""
    zone_of(zone)
    with workbench() as (con, scratch):
        found = pieces([str(frame)]) if isinstance(frame, str | Path) else [None]
        loads: list[Load] = []
        there = ""
        for number, piece in enumerate(found):
            table = f"raw_{number}"
            raw = (
                raw_of(con, frame, table)
                if piece is None
                else read(con, piece, table, Wanted(_roles(survey), scratch))
            )
            loads.append(answers_load(con, raw, survey, _origin(piece) if piece else raw.name, there))
            there = _with(con, there, loads[-1])
        return source_of(con, loads, zone)


def _origin(piece: Piece) -> str:
    return " ".join(content_of(path) for path in piece.paths) or piece.name


def _roles(survey: Survey) -> dict[str, Kind]:
    """What keeps answers and ids as they are written: numbers that are codes stay text."""
    names = {column for question in survey.questions for column in question.columns}
    names |= {survey.respondent, *(getattr(survey.long, role) for role in type(survey.long).model_fields)}
    names |= {each.column for each in (survey.wave, survey.touchpoint) if isinstance(each, Column)}
    return {**dict.fromkeys(names - {""}, Kind.CODE), **({survey.time: Kind.TIME} if survey.time else {})}


def _with(con: duckdb.DuckDBPyConnection, there: str, load: Load) -> str:
    """The ids known so far, with those of the answers that this load brings."""
    rows = f'SELECT "\x1fevent_id" AS event_id FROM "{load.raw.table}" WHERE "\x1ffault" IS NULL AND "\x1fevent_id" IS NOT NULL'
    con.execute(
        f"CREATE OR REPLACE TABLE survey_ids AS {f'SELECT event_id FROM {there} UNION ALL ' if there else ''}{rows}"
    )
    return "survey_ids"


def _strangers(
    con: duckdb.DuckDBPyConnection, loads: Sequence[Load], current: Path | None, survey: Survey
) -> tuple[str, ...]:
    """A sentence where respondents are not among the customers of a log that has some."""
    if current is None or survey.is_anonymous:
        return ()
    import pyarrow as pa

    known = SealedSource(current).names("customer").to_list()
    con.register("customers_now", pa.table({"id": pa.array(known, pa.string())}))
    rows = " UNION ".join(
        f'SELECT "\x1fcustomer" AS id FROM "{load.raw.table}" WHERE "\x1fcustomer" IS NOT NULL'
        for load in loads
    )
    count, strange = one(
        con,
        f"SELECT count(*), count(*) FILTER (WHERE id NOT IN (SELECT id FROM customers_now)) FROM ({rows})",
    )
    con.unregister("customers_now")
    if not strange:
        return ()
    return (
        f"{strange:,} of {count:,} respondents were not among the customers of the log; check that their ids are written alike.",
    )
