"""What stands on the card of an activity, in words and as rows; what an empty category is for."""

from __future__ import annotations

from collections.abc import Mapping

from wayfare.charts import theme
from wayfare.charts.blocks_text import sentence
from wayfare.charts.board import (
    Evidence,
    Row,
    badge_rows,
    evidence_said,
    gap,
    note_room,
    noted,
    said_rows,
    text_rows,
)
from wayfare.charts.numbers import money
from wayfare.domain.duration import Duration, in_words
from wayfare.domain.value_chain import Activity, Linkage, Performance, PeriodCost, TimeDrivenCost, ValueChain
from wayfare.domain.words import counted

Costs = Mapping[str, tuple[str, str]]
"""What an activity costs, by its id: the amount in words, and a note."""

CATEGORY_TITLES = {
    "inbound_logistics": "Inbound logistics", "operations": "Operations", "outbound_logistics": "Outbound logistics",
    "marketing_and_sales": "Marketing and sales", "service": "Service", "infrastructure": "Infrastructure",
    "people": "People", "technology": "Technology", "procurement": "Procurement",
}  # fmt: skip
HINTS = {
    "inbound_logistics": "How does what is bought come in, and where is it kept?",
    "operations": "What is done to make the product?",
    "outbound_logistics": "How does it reach the customer?",
    "marketing_and_sales": "How do customers hear of it, choose it and pay?",
    "service": "What is done for customers once they have it?",
    "infrastructure": "Management, finance, law: what carries the whole company.",
    "people": "Finding, training and keeping people.",
    "technology": "Software, methods and what is known about how things are done.",
    "procurement": "Buying: from whom, on what terms?",
}
STEP = 13.0
_MEASURES = {
    "lead_time": "Lead time",
    "defect": "Defects",
    "waiting": "Waiting",
    "first_response": "First response",
}


def title_of(chain: ValueChain) -> str:
    """What the picture shows, as a sentence."""
    many = sum(1 for _ in chain.activities())
    if not many:
        return f"{chain.name}: an empty value chain, nine categories to fill"
    return f"{chain.name}: value chain of {counted(many, 'activity', 'activities')}"


def cost_of(activity: Activity, costs: Costs, currency: str = "") -> str:
    """What an activity costs: as it was computed, else as the document says it."""
    if activity.id in costs:
        amount, note = costs[activity.id]
        return f"Cost {amount}{f'; {note}' if note else ''}"
    if isinstance(activity.cost, PeriodCost):
        amounts = activity.cost.amounts
        first, last = min(each.since for each in amounts), max(each.to for each in amounts)
        return f"Cost {money(sum(each.amount for each in amounts), currency)}, {first} to {last}"
    if isinstance(activity.cost, TimeDrivenCost):
        cost = activity.cost
        return f"Cost {money(cost.rate_per_minute, currency)} a minute, {cost.capacity_minutes:,.0f} minutes a {cost.per}"
    return ""


def target_of(performance: Performance | None) -> str:
    """How well an activity shall do."""
    if performance is None:
        return ""
    said = f"{_MEASURES[performance.measure]}, {performance.start} → {performance.end}"
    if performance.within:
        said += f" within {Duration.parse(performance.within)}"
    if performance.at_most is None:
        return said
    share = performance.measure == "defect"
    limit = f"{performance.at_most * 100:,g}%" if share else in_words(performance.at_most * 3600)
    return f"{said}: at most {limit}"


def linkage_of(chain: ValueChain, activity: Activity, linkage: Linkage) -> str:
    """How one activity bears on another, in a line."""
    other = chain.activity(linkage.to)
    said = f"“{activity.text}” {linkage.kind} “{other.text if other else linkage.to}”"
    return f"{said} ({linkage.text})" if linkage.text else said


def linkages(chain: ValueChain) -> list[str]:
    """Every linkage, in the order of the activities."""
    return [
        linkage_of(chain, activity, linkage)
        for _, activity in chain.activities()
        for linkage in activity.linkages
    ]


def spoken(activity: Activity, evidence: Evidence | None, costs: Costs, currency: str = "") -> str:
    """An activity for those who hear it, and for the pointer."""
    parts = [activity.text, f"Owner: {activity.owner}" if activity.owner else ""]
    parts += [cost_of(activity, costs, currency), target_of(activity.performance)]
    if evidence is not None and activity.id in evidence:
        parts += [evidence_said(*evidence[activity.id])]
    return sentence(*parts)


def rows_of(
    activity: Activity, evidence: Evidence | None, costs: Costs, currency: str, width: float, colour: str
) -> list[Row]:
    """An activity's card of a width, with what it is made of indented on it."""
    rows = _told(activity, evidence, costs, currency, note_room(width), 0)
    said = spoken(activity, evidence, costs, currency)
    return noted(rows, width, colour, said, activity.id, opacity=0.1)


def _told(
    activity: Activity, evidence: Evidence | None, costs: Costs, currency: str, width: float, depth: int
) -> list[Row]:
    indent = depth * STEP
    size, weight = (13, 400) if depth else (13.5, 600)
    rows = text_rows(activity.text, width, size=size, weight=weight, indent=indent)
    if activity.owner:
        rows += said_rows(f"Owner: {activity.owner}", width, size=12, indent=indent)
    for said in (cost_of(activity, costs, currency), target_of(activity.performance)):
        rows += said_rows(said, width, size=12, indent=indent)
    if evidence is not None and activity.id in evidence:
        rows += badge_rows(*evidence[activity.id], width, indent)
    if activity.parts:
        parts = [_part(part, evidence, costs, currency, width, depth + 1) for part in activity.parts]
        rows += [_opened("list", f"Parts: {len(parts)}"), *(row for part in parts for row in part), _closed()]
    return rows


def _part(
    part: Activity, evidence: Evidence | None, costs: Costs, currency: str, width: float, depth: int
) -> list[Row]:
    told, indent = spoken(part, evidence, costs, currency), depth * STEP
    dash = Row(0, lambda board, x, y: board.rect(x + indent - 9, y + 8, 5, 2, fill=theme.GREY))
    rows = _told(part, evidence, costs, currency, width, depth)
    return [_opened("listitem", told, told=told, item=part.id), gap(7), dash, *rows, _closed()]


def _opened(role: str, label: str, **more: str) -> Row:
    return Row(0, lambda board, _x, _y: board.open(role, label, **more))


def _closed() -> Row:
    return Row(0, lambda board, _x, _y: board.close())
