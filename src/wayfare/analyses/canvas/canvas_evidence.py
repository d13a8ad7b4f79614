"""Evidence: what the log says today of every hypothesis on the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa

from wayfare.analyses.canvas import _evidence_tables as tables
from wayfare.analyses.canvas._bindings import bindings_of, broken_table
from wayfare.analyses.canvas._evidence_values import answers_of
from wayfare.analyses.canvas._evidence_words import NO_CANVAS, findings
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.canvas import Canvas
from wayfare.domain.parameters import CanvasName, Share
from wayfare.errors import InvalidParameter
from wayfare.result import Columns, Finding, Result
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class CanvasEvidenceResult(Result):
    """Whether the hypotheses of a canvas hold, and on what that rests."""

    evidence: Annotated[
        pa.Table,
        Columns(
            item="the item's id; items to which nothing of the log is bound are left out",
            block="its block",
            text="what it says",
            hypothesis="what is believed about it; null where nothing is",
            measure="the figure that decides; null where touchpoints or a segment are bound without one",
            segment="the item of the block customer_segments whose customers count; null for all",
            verdict="`holds`: the whole interval passes; `fails`: the whole interval misses; `too_few`: see `note`; null without a measure",
            value="the figure; without a measure, how many customers met its touchpoints or are of its segment",
            low="lower end of the always-valid interval",
            high="upper end",
            at_least="it passes from here on",
            at_most="it passes up to here",
            distance="how far the value lies on the passing side of its nearest limit, in the measure's unit; below 0 it misses",
            n="customers, or answers of surveys, that it rests on",
            **{"from": "the first day of the log that counted", "to": "the last day that counted"},
            days_old="days from the last event that counted to the log's end",
            last_verdict="what the last review said; null where it did not judge it",
            flipped="whether it holds now and failed then, or the other way round",
            importance="1 to 5, as the canvas says",
            note="why there are too few, what is broken, and how the figure is meant",
        ),
    ]
    broken: Annotated[
        pa.Table,
        Columns(
            item="the item's id",
            block="its block",
            what="`event`, `column`, `value` (a name that the column never has) or `condition` (it can't be judged)",
            name="what was written",
            closest="the log's name that is most like it; empty where none is",
        ),
    ]

    def draw(self) -> Picture | None:
        """The figures with their intervals against the limits, failing ones first."""
        from wayfare.analyses.canvas._evidence_picture import drawn

        return drawn(self)


@analysis
def canvas_evidence(
    study: Study, *, canvas: CanvasName | None = None, confidence: Share = 0.95, minimum: int = 30
) -> CanvasEvidenceResult:
    """Which hypotheses of the canvas does the log bear out today, which not, and how sure is that?

    Each item's metric is computed anew, for the customers of its segment (all conditions of the segment's item hold).
    `repurchase_rate`: of those who ordered, the share with a second order `within` (90 days) of the first, once that
    time is over for them. `conversion_rate`: the share of customers with an order; for an item bound to touchpoints,
    of those who met one, the share that ordered `within` after the first meeting. `referral_rate`: the share with a
    step `referral…invite` or `…share`; `referrals`: how many such steps. `retention_rate`: of months with an order,
    the share followed by another (as in `scorecard`), or with `within`, of those who ordered in the last but one span
    of that length, the share that did in the last; `churn_rate`: the others. `average_order_value`: per order of known
    value; `value_per_customer`: per customer who ordered, with `within` in the first days as in `value`;
    `lifetime_value`: so far and ahead, by `forecast`. `customer_satisfaction` and `net_promoter_score`: as `csat` and
    `nps` define them, answer by answer.

    Intervals are always-valid: as long as customers go on behaving alike, whoever looks every day is misled about an
    item with a chance of at most 1 − `confidence` over all days together. Shares have Robbins's exact mixture (rows of one customer's months count for their effective number),
    means and the Net Promoter Score asymptotic sequences (Waudby-Smith et al. 2024) tuned at 1,000 customers, counts
    the wider of both. Several hypotheses are each judged alone. What a segment does is described, not explained: that
    customers of a segment return more often does not say that being in it makes them.

    Args:
        canvas: The canvas; the only one, or the one called `canvas`, unless given.
        confidence: Of the intervals, over all looks together.
        minimum: With fewer customers or answers, it is too few to say.
    """
    if not 0 < confidence < 1:
        raise InvalidParameter(
            f"A confidence of {confidence:g} can't be used.",
            where="confidence",
            hint="Give a share such as 0.95.",
        )
    document = study.document(Canvas, canvas)
    if document is None:
        return CanvasEvidenceResult(
            evidence=tables.table_of([]), broken=broken_table([]), findings=(Finding(NO_CANVAS),)
        )
    bindings = bindings_of(document, study.log)
    answers = answers_of(study, bindings, confidence)
    rows = tables.rows_of(study, document, bindings, answers, max(minimum, 2))
    return CanvasEvidenceResult(
        evidence=tables.table_of(rows),
        broken=broken_table(bindings.broken),
        findings=findings(document, rows, bindings.broken, study.currency, confidence),
    )
