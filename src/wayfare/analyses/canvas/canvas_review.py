"""The canvas's state as a dated review: overdue or not, what flipped, what came since, and on what revenue rests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any

import numpy as np
import pyarrow as pa

from wayfare.analyses._asked_of_others import table_of
from wayfare.analyses.canvas import _review_rows as state
from wayfare.analyses.canvas._review_revenue import Revenue, concentration_rows, cuts_of
from wayfare.analyses.canvas._review_words import concentration_bars, findings_of
from wayfare.analyses.canvas.canvas_evidence import canvas_evidence
from wayfare.analyses.repurchase.value import value
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.canvas import Canvas
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import CanvasName, Day
from wayfare.histories.calendar import local_days
from wayfare.result import Columns, Result
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class CanvasReviewResult(Result):
    """When the canvas was looked at and is again, what changed since, and how dependent the business is on one."""

    review: Annotated[
        pa.Table,
        Columns(
            question="what is asked of the canvas's state",
            answer="the answer; empty where nobody can say",
            since="the day of the last review; null before the first",
            note="what it rests on, or why nothing can be said",
        ),
    ]
    changes: Annotated[
        pa.Table,
        Columns(
            item="the item with the hypothesis",
            block="its block; empty where it is no longer on the canvas",
            verdict_then="holds, fails or too_few at the last review; null where it was not judged",
            verdict_now="the same now (`canvas_evidence`)",
            value_then="the number that decided then",
            value_now="the number that decides now",
            flipped="whether it holds now and failed then, or the other way round",
            text="what the item says",
            n_then="customers or answers that it rested on",
            n_now="that it rests on now",
            note="what has no verdict, and why",
        ),
    ]
    notes: Annotated[
        pa.Table,
        Columns(
            date="the note's day, after that of the last review",
            kind="feedback or trend",
            item="the item that it is about; empty for the whole canvas",
            text="what was said",
            source="where it comes from",
        ),
    ]
    decisions: Annotated[
        pa.Table,
        Columns(
            date="the review's day, the newest first",
            text="what was decided",
            next="when it was to be looked at again",
        ),
    ]
    concentration: Annotated[
        pa.Table,
        Columns(
            of="what revenue is cut by: revenue stream where one is bound, category (else product), channel, customers",
            name="the part; beyond the ten largest, all others",
            share="of the revenue",
            low="lower end of its 95% interval (delta method, customers as the sample); null under 10 customers",
            high="upper end",
            herfindahl="Herfindahl–Hirschman index: the sum of the squared shares, 1 where all rests on one; of customers over single ones",
            note="what can't be said, and why",
            as_equal="1 / herfindahl: as if there were so many equal ones",
            value="the part's revenue; order lines where the log has no values",
            customers="customers who brought it; null for tenths of the customers and all others",
        ),
    ]  # fmt: skip

    def draw(self) -> Picture | None:
        """The shares of the largest revenue streams, channels and customers."""
        finding = next((f.text for f in self.findings if "Herfindahl" in f.text), self.findings[0].text)
        return concentration_bars(self.concentration.to_pylist(), finding)


@analysis
def canvas_review(
    study: Study,
    *,
    canvas: CanvasName | None = None,
    now: Day | None = None,
    every: Duration = Duration.parse("90d"),
) -> CanvasReviewResult:
    """Is a review of the canvas due, what flipped since the last one, and how much rests on one stream, channel or customer?

    The verdicts that the last review kept are compared with those of `canvas_evidence`: a hypothesis flipped where it holds
    now and failed then, or the other way round; *too few* is no flip. Notes are feedback and trends dated after that review.
    The next review is due on the day that the last one set, else `every` after it.

    Revenue is what orders brought, refunds not taken off, and what other events brought that a revenue stream is bound to; an
    event that several streams are bound to is shared by the weights of those whose segment the customer is of. It is cut by the log's column `category`, else `product`,
    too. How much rests on few is the Herfindahl–Hirschman index, the sum of squared shares
    (Hirschman 1964, American Economic Review 54, 761); its inverse is the number of equal parts that would give it (Adelman
    1969, Review of Economics and Statistics 51, 99–101). Shares have delta-method intervals over customers; under 10
    customers too few to say. Without values in the log, shares are those of order lines.

    Args:
        canvas: Which canvas, where there are several; `name@branch` is a what-if.
        now: The day on which the state is told; the log's last day unless given.
        every: When the next review is due where the last one set no day.
    """
    document = study.document(Canvas, canvas)
    valued = "value" in study.log.schema
    cuts = cuts_of(study, document)
    sums = study.fold(Revenue(study.stages, cuts, valued))
    lacking: list[str] = []
    shares = concentration_rows(cuts, sums, table_of(study, value, "concentration", lacking), valued)
    if document is None:
        return replace(_result(None, shares, []), warnings=tuple(lacking))
    standing = state.standing_of(document, now or _last_day(study), timedelta(seconds=every.seconds))
    evidence = study.result(canvas_evidence, canvas=canvas).tables["evidence"].to_pylist()
    return replace(_result(standing, shares, evidence), warnings=tuple(lacking))


def _last_day(study: Study) -> date | None:
    """The day of the log's end in the study's zone."""
    if study.log.facts.last is None:
        return None
    ends = study.log.ends
    number = local_days(np.array([ends - (ends == study.log.condition.until)]), study.zone)[0]
    return date(1970, 1, 1) + timedelta(days=int(number))


def _result(
    standing: state.Standing | None, shares: list[dict[str, Any]], evidence: list[dict[str, Any]]
) -> CanvasReviewResult:
    changes = state.change_rows(standing, evidence) if standing else []
    notes = state.note_rows(standing) if standing else []
    return CanvasReviewResult(
        review=_typed("review", state.review_rows(standing, changes, notes) if standing else []),
        changes=_typed("changes", changes),
        notes=_typed("notes", notes),
        decisions=_typed("decisions", state.decision_rows(standing.canvas) if standing else []),
        concentration=_typed("concentration", shares),
        findings=findings_of(standing, changes, notes, shares),
    )


_NUMBERS = ("value_then", "value_now", "share", "low", "high", "herfindahl", "as_equal", "value")
_WHOLE = ("n_then", "n_now", "customers")
_KINDS = {
    **dict.fromkeys(_NUMBERS, pa.float64()), **dict.fromkeys(_WHOLE, pa.int64()), "flipped": pa.bool_(),
    **dict.fromkeys(("since", "date", "next"), pa.date32()),
}  # fmt: skip


def _typed(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as the table of that name."""
    columns = CanvasReviewResult.columns()[name]
    return pa.table({c: pa.array([row[c] for row in rows], _KINDS.get(c, pa.string())) for c in columns})
