"""A dated review of a canvas: the verdicts of today, what was decided, and when it is looked at again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from wayfare.cli.documents import Asked, row_of, tell_saved
from wayfare.cli.options import Format
from wayfare.cli.problems import Misused
from wayfare.cli.show import print_rows
from wayfare.cli.terminal import note, of_rows, progress
from wayfare.errors import BadInput, WayfareError

if TYPE_CHECKING:
    from wayfare.domain.canvas import Canvas, Review, Verdict
    from wayfare.workspace.documents import Revision

FLIPPED = ("item", "verdict_then", "verdict_now", "value_then", "value_now", "n", "text")
JUDGED = ("item", "verdict", "value", "n", "text")


def review(asked: Asked) -> None:
    """Appends today's review to a canvas, as a revision of its own, and says what flipped since the last one."""
    from wayfare.domain.document import Words
    from wayfare.workspace.revisions import checked

    today = datetime.now(ZoneInfo(asked.workspace.config.timezone)).date()
    decisions = tuple(checked(Words, word, "decision") for word in asked.words[1:])
    following = _next(asked.next, today)
    head, canvas = _head(asked)
    evidence = _evidence(asked, canvas)
    made = _review(asked, head, evidence, today, decisions, following)
    reviewed = canvas.model_copy(update={"reviews": (*canvas.reviews, made)})
    saved = asked.documents.save(
        type(canvas).model_validate(reviewed.model_dump()), based_on=head.number, who=asked.who, why=asked.message or "Review",
        branch=asked.branch,
    )  # fmt: skip
    _tell(asked, canvas, made, saved, evidence)


def _next(said: str | None, today: date) -> date | None:
    if said is None:
        return None
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise Misused(
            f"{said!r} is not a day.", where="--next", hint=f"Write it as {today:%Y-%m-%d}."
        ) from None
    if day <= today:
        raise Misused(f"The next review, {day}, has to come after this one, {today}.", where="--next")
    return day


def _head(asked: Asked) -> tuple[Revision, Canvas]:
    from wayfare.domain.canvas import Canvas

    head = asked.documents.head(asked.name, asked.branch)
    document = head.document
    if not isinstance(document, Canvas):
        kind = document.KIND.replace("_", " ")
        raise BadInput(f"{asked.name!r} is a {kind}; reviews are of a canvas.", where=asked.name)
    return head, document


def _evidence(asked: Asked, canvas: Canvas) -> list[dict[str, Any]]:
    """What the log says of every hypothesis now; the canvas is the one that was read, whoever saves meanwhile."""
    from wayfare.analyses.canvas.canvas_evidence import canvas_evidence
    from wayfare.workspace.documents import MAIN
    from wayfare.workspace.folder import open_study

    key = asked.name if asked.branch == MAIN else f"{asked.name}@{asked.branch}"
    documents = {**asked.documents.standing(), key: canvas}
    # The journey is that of the same database as the canvas.
    study = replace(open_study(asked.workspace.folder), documents=documents, journey=None, _results={})  # type: ignore[arg-type]
    with progress() as tell:
        found = study.results([(canvas_evidence, {"canvas": key})], of_rows(tell, canvas_evidence.name))[0]
    if isinstance(found, WayfareError):
        raise found
    return [row for row in found.tables["evidence"].to_pylist() if row["verdict"]]


def _review(
    asked: Asked, head: Revision, evidence: list[dict[str, Any]], today: date, decisions: tuple[str, ...], following: date | None
) -> Review:  # fmt: skip
    from wayfare.domain.canvas import Review
    from wayfare.domain.document import Words
    from wayfare.workspace.revisions import checked

    who = checked(Words, asked.who, "who")
    return Review(
        date=today, who=who, revision=head.number, verdicts=tuple(_verdict(row) for row in evidence), decisions=decisions, next=following
    )  # fmt: skip


def _verdict(row: dict[str, Any]) -> Verdict:
    from wayfare.domain.canvas import Verdict

    return Verdict(item=row["item"], verdict=row["verdict"], value=row["value"], n=row["n"] or 0)


def _tell(
    asked: Asked, before: Canvas, made: Review, saved: Revision, evidence: list[dict[str, Any]]
) -> None:
    """The revision, and what flipped since the review before; where there was none, what holds and what does not."""
    last = max(reversed(before.reviews), key=lambda review: review.date, default=None)
    then = {verdict.item: verdict for verdict in last.verdicts} if last else {}
    flipped = [
        {"item": row["item"], "verdict_then": row["last_verdict"], "verdict_now": row["verdict"],
         "value_then": then[row["item"]].value if row["item"] in then else None, "value_now": row["value"], "n": row["n"],
         "text": row["text"]}
        for row in evidence if row["flipped"]
    ]  # fmt: skip
    if asked.format is Format.JSON:
        whole = {"revision": row_of(saved), "review": made.model_dump(mode="json"), "flipped": flipped}
        print(json.dumps(whole, indent=2, ensure_ascii=False))
        return
    rows, columns = (
        (flipped, FLIPPED) if last else ([{c: row[c] for c in JUDGED} for row in evidence], JUDGED)
    )
    if rows or asked.format is not Format.TABLE:
        print_rows(rows, columns, asked.format)
    if asked.format is Format.TABLE:
        note(_said(last, len(evidence), len(flipped)))
        tell_saved(asked, asked.name, saved, None)
        note(
            f"The next review is due on {made.next}."
            if made.next
            else "No next review is set; --next DAY sets one."
        )


def _said(last: Review | None, judged: int, flipped: int) -> str:
    if not judged:
        return "No item of the canvas has a metric yet, so that no verdicts are kept."
    if last is None:
        return f"The first review: {judged:,} verdict{'' if judged == 1 else 's'} kept."
    if not flipped:
        return f"Nothing flipped since the review of {last.date}; {judged:,} verdict{'' if judged == 1 else 's'} kept."
    return f"{flipped:,} of {judged:,} flipped since the review of {last.date}."
