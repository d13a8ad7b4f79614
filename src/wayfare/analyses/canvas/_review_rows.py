"""The state of a canvas's reviews: when, what flipped, what was said since, what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from wayfare.domain.canvas import Canvas, Review

Row = dict[str, Any]
DECIDED = ("holds", "fails")


@dataclass(frozen=True)
class Standing:
    """Where the reviews of a canvas stand on a day.

    Attributes:
        canvas: The canvas.
        now: The day; None where the log is empty.
        last: The latest review; None before the first.
        due: When the next is due; None before the first.
        stated: Whether the last review said so; else it is due after the usual time.
    """

    canvas: Canvas
    now: date | None
    last: Review | None
    due: date | None
    stated: bool

    @property
    def overdue(self) -> int:
        """For how many days it has been overdue; 0 where it is not."""
        return max((self.now - self.due).days, 0) if self.now and self.due else 0

    @property
    def ago(self) -> int | None:
        """Days since the last review; None where it can't be said."""
        return max((self.now - self.last.date).days, 0) if self.now and self.last else None


def standing_of(canvas: Canvas, now: date | None, every: timedelta) -> Standing:
    """Where the reviews stand on a day.

    Args:
        canvas: The canvas.
        now: The day.
        every: When the next review is due where the last does not say.
    """
    last = max(reversed(canvas.reviews), key=lambda review: review.date, default=None)
    due = None if last is None else last.next or last.date + every
    return Standing(canvas, now, last, due, bool(last and last.next))


def change_rows(standing: Standing, evidence: Sequence[Row]) -> list[Row]:
    """Each hypothesis that was judged then or is now; those that flipped first."""
    then = {verdict.item: verdict for verdict in standing.last.verdicts} if standing.last else {}
    now = {row["item"]: row for row in evidence if row["verdict"] and row["hypothesis"] is not None}
    blocks = {item.id: block for block, item in standing.canvas.items()}
    order = [id for id in blocks if id in then or id in now]
    gone = [id for id in then if id not in blocks]
    rows = []
    for id in (*order, *gone):
        was, row = then.get(id), now.get(id)
        verdicts = (was.verdict if was else None, row["verdict"] if row else None)
        rows.append({
            "item": id, "block": blocks.get(id, ""), "verdict_then": verdicts[0], "verdict_now": verdicts[1],
            "value_then": was.value if was else None, "value_now": row["value"] if row else None,
            "flipped": all(v in DECIDED for v in verdicts) and verdicts[0] != verdicts[1],
            "text": row["text"] if row else "", "n_then": was.n if was else None, "n_now": row["n"] if row else None,
            "note": _note(id in gone, was is None, row is None, standing.last is not None),
        })  # fmt: skip
    return sorted(rows, key=lambda row: not row["flipped"])


def _note(gone: bool, new: bool, silent: bool, reviewed: bool) -> str:
    if gone:
        return "no longer on the canvas"
    if new and reviewed:
        return "not in the last review"
    return "nothing is measured now" if silent else ""


def note_rows(standing: Standing) -> list[Row]:
    """Feedback and trends of the canvas and its items dated after the last review, the newest first."""
    since = standing.last.date if standing.last else date.min
    places: list[tuple[str, Any]] = [
        ("", standing.canvas),
        *((item.id, item) for _, item in standing.canvas.items()),
    ]
    rows = [
        {"date": note.date, "kind": kind, "item": id, "text": note.text, "source": note.source}
        for id, place in places
        for kind, notes in (("feedback", place.feedback), ("trend", place.trends))
        for note in notes
        if note.date > since
    ]
    return sorted(rows, key=lambda row: row["date"], reverse=True)


def decision_rows(canvas: Canvas) -> list[Row]:
    """What each review decided, the newest first."""
    reviews = sorted(canvas.reviews, key=lambda review: review.date, reverse=True)
    return [{"date": r.date, "text": text, "next": r.next} for r in reviews for text in r.decisions]


def review_rows(standing: Standing, changes: Sequence[Row], notes: Sequence[Row]) -> list[Row]:
    """The state as questions with answers."""
    last, now = standing.last, standing.now
    since = last.date if last else None
    on = f"on {now:%Y-%m-%d}" if now else "the log is empty: nobody knows what day it is"
    flipped = sum(row["flipped"] for row in changes)
    answers = [
        ("When was the canvas last reviewed?", f"{last.date}, by {last.who}" if last else "never", _looked_at(last)),
        ("How many days ago was that?", "" if standing.ago is None else f"{standing.ago:,}", on if last else ""),
        ("When is the next review due?", f"{standing.due}" if standing.due else "now" if last is None else "",
         "" if standing.stated or last is None else "no date was set; by the usual time between reviews"),
        ("How many days is it overdue?", f"{standing.overdue:,}" if now and standing.due else "", on if last else ""),
        ("How many hypotheses hold, fail or are too few to say?", _tally(changes, "verdict_now"), ""),
        ("How many held, failed or were too few then?", _tally(changes, "verdict_then") if last else "", ""),
        ("How many flipped since?", f"{flipped:,}" if last and last.verdicts else "",
         "" if last and last.verdicts else "no verdicts were kept"),
        ("How many notes came since?", f"{len(notes):,}", "feedback and trends"),
        ("What was decided?", "; ".join(last.decisions) if last else "", ""),
    ]  # fmt: skip
    return [{"question": q, "answer": a, "since": since, "note": note} for q, a, note in answers]


def _looked_at(last: Review | None) -> str:
    return f"revision {last.revision} was looked at" if last and last.revision else ""


def _tally(changes: Sequence[Row], which: str) -> str:
    said = [row[which] for row in changes if row[which]]
    return ", ".join(
        f"{said.count(verdict):,} {verdict.replace('_', ' ')}" for verdict in (*DECIDED, "too_few")
    )
