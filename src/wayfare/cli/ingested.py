"""What an ingest understood and did, as a person reads it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from contextlib import closing
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from wayfare.cli.options import Format
from wayfare.cli.show import print_rows
from wayfare.cli.terminal import note
from wayfare.errors import NotReady, WayfareError

if TYPE_CHECKING:
    from pathlib import Path

    from wayfare.domain.survey import Question, Survey
    from wayfare.histories.ingest import Detected, IngestSummary, Mapping
    from wayfare.workspace.folder import Workspace
    from wayfare.workspace.surveys import Kept

_EVENTS = 12


def show_mapping(
    sources: Sequence[str], said: Mapping, as_event: str | None, query: str | None, table: str | None
) -> None:
    """Shows on stderr which column is taken for what, with three rows, and how to correct it; for each source read otherwise."""
    from wayfare.histories.ingest import detect

    shown: list[Mapping] = []
    for source in sources:
        found = detect(source, query=query, table=table)
        mapping = said.completed(found.mapping)
        if mapping not in shown:
            shown.append(mapping)
            _show_one(source, said, mapping, found, as_event)
    note(
        "To correct it: --customer COL --time COL --event COL, --map value=COL, or --as EVENT where every row is the same event."
    )
    note("")


def _show_one(source: str, said: Mapping, mapping: Mapping, found: Detected, as_event: str | None) -> None:
    from wayfare.histories.schema import CANONICAL

    rows = [
        {
            "in the log": key,
            "from": column,
            "because": "you said so" if key in said.columns else found.reasons.get(key, ""),
            "three rows": "  ·  ".join(_short(_cell(row, column)) for row in found.sample),
        }
        for key, column in mapping.columns.items()
        if key != "event" or as_event is None
    ]
    if as_event is not None:
        rows.append(
            {"in the log": "event", "from": "every row", "because": "you said so", "three rows": as_event}
        )
    note("The columns are read so:" if "://" in source else f"{source} is read so:")
    print_rows(rows, ("in the log", "from", "because", "three rows"), Format.TABLE, sys.stderr)
    there = {row["in the log"] for row in rows}
    for warning in found.warnings:
        if not any(f"--{key} " in warning for key in there):
            note(f"Warning: {warning}")
    for key in said.columns:
        close = get_close_matches(key, [name for name in CANONICAL if name not in mapping.columns], n=1)
        if key not in CANONICAL and close:
            note(
                f"Warning: {key!r} is none of the log's own columns (did you mean {close[0]!r}?), so it is kept as a property."
            )


def _cell(row: AnyMapping[str, Any], column: str) -> Any:
    """What a row holds in a column, or in two with ` + ` between them."""
    parts = (column,) if column in row else column.split(" + ")
    return " ".join(str(row[part]) for part in parts if row.get(part) is not None) or None


def show_survey(survey: Survey, document: Path) -> None:
    """Shows on stderr which question is read from which columns, and what its answers may be."""
    rows = [
        {
            "question": question.key,
            "kind": question.kind,
            "from": ", ".join(question.columns),
            "answers": _answers(survey, question),
        }
        for question in survey.questions
    ]
    whose = (
        "are anonymous and kept apart"
        if survey.is_anonymous
        else f"are those of the customer in {survey.respondent}"
    )
    note(f"The survey {survey.name} is read so ({document}); its answers {whose}:")
    print_rows(rows, ("question", "kind", "from", "answers"), Format.TABLE, sys.stderr)
    note("")


def _answers(survey: Survey, question: Question) -> str:
    from wayfare.domain.survey import Choice, Choices, KanoPair, Scored

    if isinstance(question, KanoPair):
        return f"wording {survey.wording_of(question).name}, table {survey.table_of(question).name}"
    if isinstance(question, Choice | Choices):
        return ", ".join(question.options) or "any option"
    if isinstance(question, Scored):
        return f"{question.scale}{', reversed' if question.reverse else ''}"
    return "any words"


def note_survey(kept: Kept) -> None:
    """Says where the survey's document was put, and that one that said something else was there."""
    if kept.replaced:
        note(
            f"Warning: {kept.path} said something else before. Its answers in the log were read as it said then."
        )
    else:
        note(f"The survey's document is kept in {kept.path}.")


def print_summary(
    summary: IngestSummary, format: Format, unit: str = "rows", people: str = "customers"
) -> None:
    """Prints what became of the rows (or answers: `unit`); the counts add up."""
    if format is Format.JSON:
        print(json.dumps(summary.to_dict(), indent=2, ensure_ascii=False, default=str))
        return
    rows: list[dict[str, Any]] = [{unit: "read", "count": summary.rows_read, "": ""}]
    rows.append({unit: "  kept", "count": summary.kept, "": _span(summary, people)})
    rows.append(
        {
            unit: "  duplicates",
            "count": summary.duplicates,
            "": "there already" if summary.duplicates else "",
        }
    )
    rows.append({unit: "  quarantined", "count": summary.quarantined, "": ""})
    rows += [{unit: "", "count": count, "": reason} for reason, count in _sorted(summary.reasons)]
    if format is Format.CSV:
        _print_csv(summary)
        return
    print_rows(rows, (unit, "count", ""), format)
    shown = [{"event": e.name, "rows": e.count, "usual channel": e.channel} for e in summary.events[:_EVENTS]]
    if shown:
        print()
        print_rows(shown, ("event", "rows", "usual channel"), format)
    if len(summary.events) > _EVENTS:
        note(f"and {len(summary.events) - _EVENTS:,} rarer events")
    for text in summary.notes:
        note(text)


def note_journey(workspace: Workspace, summary: IngestSummary) -> None:
    """Writes what is new in the log into the journey map, and says what to edit there."""
    from wayfare.workspace.documents import open_documents
    from wayfare.workspace.folder import log_events
    from wayfare.workspace.journeys import note_events

    try:
        events = log_events(workspace)
    except NotReady:
        return
    try:
        with closing(open_documents(workspace)) as documents:
            noted = note_events(
                documents,
                [e.name for e in summary.events],
                {e.name: e.channel for e in summary.events if e.channel},
            )
    except WayfareError as error:
        note(f"Warning: {error}")
        return
    journey = noted.journey
    edit = f"wayfare documents {workspace.folder} edit {journey.name if journey else ''}"
    if noted.first:
        note(f"Proposed a journey map: a stage for each event. Check its stages and `orders`: {edit}")
    elif noted.added:
        note(f"Added new events to the journey map: {', '.join(noted.added)}. Check their stages: {edit}")
    if noted.left_out:
        note(f"{noted.left_out:,} rarer events have no touchpoint; add those that matter: {edit}")
    if journey is not None and events and set(events).isdisjoint(journey.orders):
        note(f"Warning: no event of the log is an order. Name the event of an order under `orders:`: {edit}")


def _print_csv(summary: IngestSummary) -> None:
    rows = [
        {"rows": name, "reason": "", "count": getattr(summary, name)}
        for name in ("rows_read", "kept", "duplicates", "quarantined")
    ]
    rows += [
        {"rows": "quarantined", "reason": reason, "count": count}
        for reason, count in _sorted(summary.reasons)
    ]
    print_rows(rows, ("rows", "reason", "count"), Format.CSV)


def _sorted(reasons: AnyMapping[str, int]) -> Sequence[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))


def _span(summary: IngestSummary, people: str) -> str:
    if not summary.kept:
        return ""
    return f"of {summary.customers:,} {people}, {summary.first[:10]} to {summary.last[:10]}"


def _short(value: Any) -> str:
    text = "–" if value is None else " ".join(str(value).split())
    return text if len(text) <= 28 else f"{text[:27]}…"
