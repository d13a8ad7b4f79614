"""What a person should know of how a file of answers was read."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from wayfare.domain.survey import Survey
from wayfare.histories.ingest.raw import Raw
from wayfare.histories.ingest.survey_lines import Lines
from wayfare.histories.ingest.workbench import one

ENOUGH = 30
"""From this many answers on, half a scale that nobody used is worth a word."""


def notes_on(con: duckdb.DuckDBPyConnection, survey: Survey, raw: Raw, lines: Lines) -> tuple[str, ...]:
    """Sentences on lines and answers, straight-liners, scales that look mistaken, columns that were not read."""
    answers, questions = one(con, "SELECT count(q), count(DISTINCT q) FROM survey_judged")
    (blanks,) = one(con, "SELECT coalesce(sum(blanks), 0)::BIGINT FROM survey_blanks")
    gave = f"{_many(lines.count, 'line')} gave {_many(answers, 'answer')} to {_many(questions, 'question')}"
    notes = [
        f"{raw.name}: {gave} of the survey {survey.name}; {blanks:,} {'was' if blanks == 1 else 'were'} left blank."
    ]
    notes += _straight(con)
    notes += _half_used(con, survey)
    if lines.unread:
        shown = ", ".join(lines.unread[:8]) + (
            f" and {len(lines.unread) - 8} more" if len(lines.unread) > 8 else ""
        )
        notes.append(f"Not read: {shown}. Name under `attributes` what should travel with the answers.")
    return tuple(notes)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _straight(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    people, all_of_them = one(
        con, "SELECT count(DISTINCT rid) FILTER (WHERE straight), count(DISTINCT rid) FROM survey_judged"
    )
    if people:
        yield (
            f"{people:,} of {all_of_them:,} respondents gave one and the same answer to everything; their answers are kept,"
            " flagged `straight_line`."
        )


def _half_used(con: duckdb.DuckDBPyConnection, survey: Survey) -> Iterator[str]:
    """A sentence for each question of which a wave used one half of the scale alone."""
    rows = con.execute(
        "SELECT q, wave, count(*), min(number), max(number) FROM survey_judged WHERE fault IS NULL AND number IS NOT NULL"
        " AND NOT coalesce(is_kano, false) GROUP BY q, wave ORDER BY q, wave"
    ).fetchall()
    for q, wave, count, low, high in rows:
        question = survey.questions[q]
        scale = getattr(question, "scale", None)
        if scale is None or count < ENOUGH:
            continue
        middle = (scale.low + scale.high) / 2
        if high <= middle or (low > middle and scale.high - scale.low > 4):
            when = f" in wave {wave}" if wave else ""
            yield (
                f"{question.key}{when}: all {count:,} answers lie from {low:g} to {high:g}, on a scale {scale}."
                " If it was asked on another scale, say so in the survey."
            )
