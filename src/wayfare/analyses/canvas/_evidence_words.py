"""Evidence in words: figures in their unit, verdicts with their reason, and what is worth acting on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

from wayfare.domain.canvas import RATES, Canvas, Metric
from wayfare.domain.duration import Duration, in_words
from wayfare.result import Finding

Row = dict[str, Any]

NO_CANVAS = "There is no canvas yet: `wayfare documents DIR new canvas` starts one."
_MONEY = ("average_order_value", "value_per_customer", "lifetime_value")
_NAMES = {
    "repurchase_rate": "re-purchase rate",
    "lifetime_value": "value so far and ahead",
    "customer_satisfaction": "satisfied answers",
}
_FLIPS = 3


def unit_of(measure: str) -> str:
    """`share`, `money`, `points` or `count`."""
    if measure in RATES:
        return "share"
    return "money" if measure in _MONEY else "points" if measure == "net_promoter_score" else "count"


def said(measure: str, value: float, currency: str) -> str:
    """A figure in its unit."""
    if not math.isfinite(value):
        return "unknown"
    unit = unit_of(measure)
    if unit == "share":
        text = f"{value:.1%}"
        return f"{value:.0%}" if text.endswith(".0%") else text
    if unit == "money":
        return f"{currency} {value:,.2f}"
    return f"{value:,.1f}".removesuffix(".0").replace("-", "−") if unit == "points" else f"{value:,.0f}"


def named(measure: str, within: str | None = None) -> str:
    """A measure as people say it."""
    name = _NAMES.get(measure, measure.replace("_", " "))
    return f"{name} in {in_words(Duration.parse(within).seconds)}" if within else name


def limit_said(metric: Metric, currency: str) -> str:
    """The pass rule: `at least 25%`, `at most 5%`."""
    limits = (("at least", metric.at_least), ("at most", metric.at_most))
    return " and ".join(f"{how} {said(metric.measure, at, currency)}" for how, at in limits if at is not None)


def quoted(text: str, width: int = 80) -> str:
    """What an item says, in quotes and cut where it is long."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= width else line[: width - 1].rstrip() + '…'}”"


def spelled(day: date) -> str:
    """A day as in running text: 3 March 2026."""
    return f"{day.day} {day:%B %Y}"


def findings(
    canvas: Canvas, rows: Sequence[Row], broken: Sequence[Any], currency: str, confidence: float
) -> tuple[Finding, ...]:
    """How many hold, what turned since the last review, what matters most, and what leads nowhere."""
    judged = [row for row in rows if row["measure"] is not None]
    found = [
        _counted(canvas, judged),
        *_turned(canvas, judged),
        *_foremost(canvas, judged, currency, confidence),
    ]
    if broken:
        first = broken[0]
        count = "One reference leads" if len(broken) == 1 else f"{len(broken):,} references lead"
        found.append(Finding(f"{count} nowhere: in {first.item!r}, {first.said}."))
    return tuple(found)


def _counted(canvas: Canvas, judged: Sequence[Row]) -> Finding:
    items = sum(1 for _ in canvas.items())
    if not items:
        return Finding(f"The canvas {canvas.name!r} has no items yet.")
    if not judged:
        return Finding(
            f"None of the {items:,} items has a metric with a pass rule, so nothing says whether a hypothesis holds."
            if items > 1
            else "The only item has no metric with a pass rule, so nothing says whether it holds."
        )
    holds, fails, few = (sum(row["verdict"] == v for row in judged) for v in ("holds", "fails", "too_few"))
    if len(judged) == 1:
        verdict = "holds" if holds else "fails" if fails else "has too few customers to say"
        return Finding(f"The only hypothesis with a pass rule {verdict}.")
    told = [
        (holds, "holds", "hold"),
        (fails, "fails", "fail"),
        (few, "can't be told yet", "can't be told yet"),
    ]
    parts = [f"{count:,} {one if count == 1 else many}" for count, one, many in told if count]
    counts = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return Finding(f"Of {len(judged):,} hypotheses with a pass rule, {counts}.")


def _turned(canvas: Canvas, judged: Sequence[Row]) -> list[Finding]:
    turned = [row for row in judged if row["flipped"]]
    if not turned:
        return []
    then = {"holds": "held", "fails": "failed"}
    told = [
        f"{quoted(row['text'], 60)} {row['verdict']} now and {then[row['last_verdict']]} then"
        for row in _ranked(turned)
    ]
    more = f", and {len(told) - _FLIPS:,} more" if len(told) > _FLIPS else ""
    since = spelled(last_review(canvas).date)
    verb = "one has" if len(turned) == 1 else f"{len(turned):,} have"
    return [Finding(f"Since the review of {since}, {verb} turned: {'; '.join(told[:_FLIPS])}{more}.")]


def _foremost(canvas: Canvas, judged: Sequence[Row], currency: str, confidence: float) -> list[Finding]:
    """The most important one that fails; where none does, that holds."""
    for verdict in ("fails", "holds"):
        ranked = _ranked([row for row in judged if row["verdict"] == verdict])
        if ranked:
            lead = f"The hypothesis that {verdict} is" if len(ranked) == 1 else _lead(verdict, ranked[0])
            text = f"{lead} {_sentence(canvas, ranked[0], currency, confidence)}"
            return [Finding(text, customers=_customers(ranked[0]))]
    return []


def _lead(verdict: str, first: Row) -> str:
    which = (
        f"the most important (importance {first['importance']} of 5)"
        if first["importance"]
        else "the one with most behind it"
    )
    return f"Of those that {verdict.removesuffix('s')}, {which} is"


def _customers(row: Row) -> float | None:
    return None if row["measure"] in ("customer_satisfaction", "net_promoter_score") else float(row["n"])


def _sentence(canvas: Canvas, row: Row, currency: str, confidence: float) -> str:
    metric = row["metric"]
    group = canvas.item(row["segment"]) if row["segment"] else None
    of = f" of {quoted(group.text, 40)}" if group else ""
    value, low, high = (said(row["measure"], row[name], currency) for name in ("value", "low", "high"))
    who = "answers" if _customers(row) is None else "customers"
    return (
        f"{quoted(row['text'])}: {named(row['measure'], metric.within)}{of} is {value} ({confidence:.0%} "
        f"always-valid interval {low} to {high}, {row['n']:,} {who} from {row['from']} to {row['to']}), where "
        f"{limit_said(metric, currency)} is the rule."
    )


def _ranked(rows: Sequence[Row]) -> list[Row]:
    """The most important first, then the one resting on most."""
    return sorted(rows, key=lambda row: (-(row["importance"] or 0), -row["n"], row["item"]))


def last_review(canvas: Canvas) -> Any:
    """The latest review; the later in the list where two are of one day."""
    return max(enumerate(canvas.reviews), key=lambda r: (r[1].date, r[0]))[1] if canvas.reviews else None
