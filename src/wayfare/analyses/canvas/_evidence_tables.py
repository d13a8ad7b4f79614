"""The rows of evidence: verdict, interval, distance to the limit, freshness, and what the last review said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from wayfare.analyses._order_days import last_moment
from wayfare.analyses.canvas._bindings import Bindings, Bound
from wayfare.analyses.canvas._evidence_values import Answer
from wayfare.analyses.canvas._evidence_words import Row, last_review, limit_said, said
from wayfare.domain.canvas import Canvas, Metric
from wayfare.histories.calendar import local_days
from wayfare.study import Study

_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()
SCHEMA = pa.schema(
    [
        *((name, _TEXT) for name in ("item", "block", "text", "hypothesis", "measure", "segment", "verdict")),
        *((name, _REAL) for name in ("value", "low", "high", "at_least", "at_most", "distance")),
        ("n", _WHOLE), ("from", _TEXT), ("to", _TEXT), ("days_old", _WHOLE), ("last_verdict", _TEXT),
        ("flipped", pa.bool_()), ("importance", _WHOLE), ("note", _TEXT),
    ]
)  # fmt: skip
_SAYS = ("holds", "fails")
NONE = Answer(math.nan, math.nan, math.nan, 0, None, None)


def rows_of(
    study: Study, canvas: Canvas, bindings: Bindings, answers: Sequence[Answer], minimum: int
) -> list[Row]:
    """A row for each item with something of the log bound to it, in the order of the canvas; with its `metric`."""
    review = last_review(canvas)
    before = {verdict.item: verdict.verdict for verdict in review.verdicts} if review else {}
    days = _Days(study)
    return [_row(study, bound, answers, before.get(bound.item.id), days, minimum) for bound in bindings.bound]


def table_of(rows: Sequence[Row]) -> pa.Table:
    """The rows as a table; what is not a number is missing."""
    shown = [{name: _shown(row[name]) for name in SCHEMA.names} for row in rows]
    return pa.Table.from_pylist(shown, SCHEMA)


def _shown(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _row(
    study: Study, bound: Bound, answers: Sequence[Answer], before: str | None, days: _Days, minimum: int
) -> Row:
    item, metric = bound.item, bound.item.bindings.metric
    answer = answers[bound.pair] if bound.pair is not None and not (metric and bound.unsound) else NONE
    if metric is not None and metric.measure == "churn_rate":
        answer = answer.complement
    verdict, why = _verdict(study, bound, answer, minimum)
    notes = [*bound.notes, why, answer.note]
    return {
        "item": item.id, "block": bound.block, "text": item.text, "hypothesis": item.hypothesis or None,
        "measure": metric.measure if metric else None, "segment": _segment(bound), "verdict": verdict,
        "value": answer.value, "low": answer.low, "high": answer.high,
        "at_least": metric.at_least if metric else None, "at_most": metric.at_most if metric else None,
        "distance": _distance(metric, answer.value), "n": answer.n, **days.of(answer),
        "last_verdict": before, "flipped": verdict in _SAYS and before in _SAYS and verdict != before,
        "importance": item.importance, "note": "; ".join(note for note in notes if note), "metric": metric,
    }  # fmt: skip


def _segment(bound: Bound) -> str | None:
    if bound.item.bindings.metric is not None:
        return bound.item.bindings.metric.segment
    return bound.item.id if bound.item.bindings.segment else None


def _verdict(study: Study, bound: Bound, answer: Answer, minimum: int) -> tuple[str | None, str]:
    """The verdict and, where it is *too few*, why."""
    metric = bound.item.bindings.metric
    if metric is None or bound.unsound:
        return ("too_few" if bound.unsound else None), ""
    who = "answers" if metric.measure in ("customer_satisfaction", "net_promoter_score") else "customers"
    if math.isnan(answer.value):
        return "too_few", f"there are no {who} to tell it from"
    if answer.n < minimum:
        return "too_few", f"{answer.n:,} {who if answer.n != 1 else who[:-1]}, fewer than {minimum:,}"
    if math.isnan(answer.low):
        return "too_few", f"all {who} are alike, which does not say how far others would be from them"
    if metric.passes(answer.low) and metric.passes(answer.high):
        return "holds", ""
    above = metric.at_most is not None and answer.low > metric.at_most
    if above or (metric.at_least is not None and answer.high < metric.at_least):
        return "fails", ""
    low, high = (said(metric.measure, end, study.currency) for end in (answer.low, answer.high))
    return "too_few", f"between {low} and {high}, and the rule is {limit_said(metric, study.currency)}"


def _distance(metric: Metric | None, value: float) -> float:
    """How far the value is on the passing side of its nearest limit; below 0 where it misses."""
    if metric is None:
        return math.nan
    above = value - metric.at_least if metric.at_least is not None else math.inf
    below = metric.at_most - value if metric.at_most is not None else math.inf
    return min(above, below)


class _Days:
    """Moments as days of the log."""

    def __init__(self, study: Study) -> None:
        self.zone = study.zone
        self.end = self.day(last_moment(study.log))

    def day(self, moment: int) -> int:
        """Days since 1970."""
        return int(local_days(np.array([moment]), self.zone)[0])

    def of(self, answer: Answer) -> Row:
        """From when to when an answer's evidence is, and how old."""
        if answer.first is None or answer.last is None:
            return {"from": None, "to": None, "days_old": None}
        first, last = self.day(answer.first), self.day(answer.last)
        ends = {"from": str(np.datetime64(first, "D")), "to": str(np.datetime64(last, "D"))}
        return {**ends, "days_old": self.end - last}
