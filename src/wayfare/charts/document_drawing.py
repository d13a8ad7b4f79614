"""A strategy document as a picture, with what the log says of it; and what the log said, in the words that are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wayfare.charts import blueprint, canvas_map, value_chain_map
from wayfare.charts.board import Evidence
from wayfare.charts.chain_cards import Costs
from wayfare.charts.numbers import Kind, money, written
from wayfare.charts.picture import DrawnPicture
from wayfare.domain.canvas import RATES, Canvas, Metric
from wayfare.domain.document import Document
from wayfare.domain.journey import JourneyMap
from wayfare.domain.value_chain import ValueChain
from wayfare.domain.words import counted
from wayfare.errors import InvalidParameter


@dataclass(frozen=True)
class Facts:
    """What is known of a document beside what it says.

    Attributes:
        evidence: Of an item's id its verdict and a short text; None where nobody looked.
        costs: Of an activity's id its cost and a note, in words.
        currency: That of the document's amounts.
        note: n and source.
    """

    evidence: Evidence | None = None
    costs: Costs | None = None
    currency: str = ""
    note: str = ""


NOTHING = Facts()


def journey_title(journey: JourneyMap) -> str:
    """What a journey map shows, as a sentence."""
    return f"{journey.name}: journey map, {counted(len(journey.touchpoints), 'touchpoint')}"


DRAWN: dict[str, Callable[[Any, Facts], DrawnPicture]] = {
    Canvas.KIND: lambda canvas, facts: canvas_map.draw(
        canvas, facts.evidence, note=facts.note, currency=facts.currency
    ),
    ValueChain.KIND: lambda chain, facts: value_chain_map.draw(
        chain, facts.evidence, costs=facts.costs, note=facts.note, currency=facts.currency
    ),
    JourneyMap.KIND: lambda journey, facts: blueprint.draw(
        journey, (), title=journey_title(journey), note=facts.note, currency=facts.currency
    ),
}
"""How a document of each kind is drawn."""

_MONEY = ("average_order_value", "value_per_customer", "lifetime_value")


def picture_of(document: Document, facts: Facts = NOTHING) -> DrawnPicture:
    """The document as a picture.

    Raises:
        InvalidParameter: Documents of this kind have no picture.
    """
    if document.KIND not in DRAWN:
        label = document.KIND.replace("_", " ")
        raise InvalidParameter(f"A {label} can't be drawn.", where=document.name, allowed=DRAWN)
    return DRAWN[document.KIND](document, facts)


def evidence_in(canvas: Canvas, rows: Iterable[Mapping[str, Any]], currency: str = "") -> Evidence:
    """What the analysis `canvas_evidence` found (its table `evidence`, row by row) as it is drawn.

    Items to which something is bound without a pass rule have no verdict, and the count of their customers as text.
    """
    found = {}
    items = {item.id: item for _, item in canvas.items()}
    for row in rows:
        bound = items[row["item"]].bindings
        if row.get("verdict") and bound.metric is not None:
            found[row["item"]] = (row["verdict"], _measured(bound.metric, row, currency))
        elif row.get("value") is not None:
            met = "Met by " if bound.touchpoints and not bound.segment else ""
            found[row["item"]] = ("", f"{met}{counted(int(row['value']), 'customer')}")
    return found


def costs_in(rows: Iterable[Mapping[str, Any]], currency: str = "") -> Costs:
    """What the analysis `activity_costs` found (its table `activities`, row by row) as it is drawn; without what costs nothing."""
    known = [row for row in rows if row.get("cost")]
    whole = sum(row["cost"] for row in known if not row.get("part_of"))
    found = {}
    for row in known:
        share = row["cost"] / whole if whole else math.nan
        parts = [] if math.isnan(share) else [f"{share:.0%} of all" if share >= 0.01 else "under 1% of all"]
        used = row.get("used_share")
        if used is not None and math.isfinite(used):
            parts.append(
                f"{used:.0%} of its time used" if used <= 1 else f"overloaded: {used:.0%} of its time needed"
            )
        found[row["activity"]] = (money(row["cost"], currency), ", ".join(parts))
    return found


def _measured(metric: Metric, row: Mapping[str, Any], currency: str) -> str:
    """A measure in its unit, with its interval, its n and its pass rule."""
    kind: Kind = "share" if metric.measure in RATES else "money" if metric.measure in _MONEY else "count"

    def said(value: Any) -> str:
        return written(kind, None if value is None else float(value), currency)

    name = metric.measure.replace("_", " ").capitalize().replace("Repurchase", "Re-purchase")
    name += f" in {metric.within}" if metric.within else ""
    value = "" if row.get("value") is None else f" {said(row['value'])}"
    ends = f" ({said(row['low'])} to {said(row['high'])})" if value and row.get("low") is not None else ""
    limits = [("at least", metric.at_least), ("at most", metric.at_most)]
    rule = " and ".join(f"{how} {said(limit)}" for how, limit in limits if limit is not None)
    return f"{name}{value}{ends}, n = {row.get('n') or 0:,}; {rule} wanted"
