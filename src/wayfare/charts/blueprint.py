"""The journey map as a service blueprint: stages across; customers, frontstage and backstage down. Drawn from plain values.

Wide for an A3 sheet or a screen, and narrow, one stage under the other, for a phone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from wayfare.charts import theme
from wayfare.charts.blueprint_cards import Lanes, lanes_of
from wayfare.charts.blueprint_marks import Mark, Note, add_change, add_kind, add_mark, add_place, texts_of
from wayfare.charts.blueprint_model import MOMENT, PAIN, Band, Blueprint, Card, blueprint_of
from wayfare.charts.blueprint_phone import add_path, add_stage
from wayfare.charts.blueprint_rows import (
    add_cards,
    add_emotion,
    add_notes,
    add_planned,
    add_stage_texts,
    part_stages,
    say_nothing,
)
from wayfare.charts.journey_parts import (
    NARROW,
    add_cycle,
    add_heading,
    add_narrow_cycle,
    add_ribbon,
)
from wayfare.charts.journey_rows import MARGIN, add_volumes, number_lines, rule
from wayfare.charts.lettering import width_of
from wayfare.charts.numbers import money
from wayfare.charts.picture import TwoLayouts
from wayfare.charts.sheet import Sheet
from wayfare.domain.journey import JourneyMap

_MARKS: tuple[tuple[Mark, str], ...] = (
    ("pain", "pain, as noted"),
    ("chance", "chance, as noted"),
    ("work", "activity of the value chain"),
)
_NO_LOG = "No events yet: volumes and losses appear once the log is read."


def draw(
    journey: JourneyMap,
    columns: Sequence[Mapping[str, Any]],
    *,
    title: str,
    note: str = "",
    changes: Sequence[Mapping[str, Any]] = (),
    planned: Sequence[Mapping[str, Any]] = (),
    currency: str = "",
) -> TwoLayouts:
    """The blueprint of a journey map.

    Args:
        journey: The map.
        columns: Of each stage `stage`, `customers`, `share_of_all`, `next_customers`, `left`, `drop_off` with `_low` and
            `_high`, `median_days_to_next`, `satisfaction` (-1 to 1) with `_low`, `_high` and `_scores`, and `touchpoints`,
            each with `event`, `customers`, `share`, `left`, `left_share`, `median_seconds`, `satisfaction` with `_low` and
            `_high`, `kind`, `value_difference`, `activities` and `activity_cost`. What is unknown is None or nan; none
            at all draws the document alone.
        title: The finding that the map shows.
        note: n and source.
        changes: Differences of a to-be map, as `journey_map` lists them: `kind`, `name`, `stage`, `target`, `what`, `to_be`.
        planned: The steps of the planned path: `event`, `customers`, `share`.
        currency: That of costs and worths.
    """
    drawn = blueprint_of(journey, columns, changes, planned, currency)
    return TwoLayouts(_wide(drawn, title, note), title, _spoken(drawn, title), _narrow(drawn, title, note))


def _wide(drawn: Blueprint, title: str, note: str) -> str:
    bands = drawn.bands
    lanes = lanes_of(bands)
    sheet = Sheet(lanes.frame.width)
    y = _legend(sheet, drawn, add_heading(sheet, title, note, 26, 3))
    for index, band in enumerate(bands):
        left = lanes.frame.lefts[index]
        add_ribbon(sheet, band.stop.label, band.stop.colour, left, y, lanes.frame.end(index) - left - 6)
    y = _customer_rows(sheet, drawn, lanes, y + 46)
    y = _company_rows(sheet, drawn, lanes, y)
    y = add_planned(sheet, drawn.planned, y + 2)
    return sheet.svg(add_cycle(sheet, [band.stop for band in bands], y + 16, lanes.frame))


def _customer_rows(sheet: Sheet, drawn: Blueprint, lanes: Lanes, y: float) -> float:
    """What customers want, do, feel and miss."""
    bands = drawn.bands
    goals = add_stage_texts(sheet, bands, lanes, y, "Goal", _goal, "Nobody has noted goals yet.")
    y = _volumes(sheet, drawn, lanes, goals + 2)
    y = add_cards(sheet, bands, lanes, y + 2, drawn.currency) + 2
    rule(sheet, y, pale=True)
    expected = partial(_notes, name="expectation")
    y = add_notes(sheet, lanes, y, "Expectation", "", expected, "Nobody has noted expectations yet.") + 4
    y = add_emotion(sheet, bands, lanes, y) + 8
    rule(sheet, y, pale=True)
    nothing = "Nobody has noted pain points or opportunities yet."
    return add_notes(sheet, lanes, y, "Pains", "and chances, as noted", _pains_and_chances, nothing) + 4


def _company_rows(sheet: Sheet, drawn: Blueprint, lanes: Lanes, y: float) -> float:
    """What the company does, seen and unseen, and who answers for it."""
    rule(sheet, y, pale=True)
    seen = partial(_notes, name="frontstage")
    nothing = "Nobody has noted what customers see yet."
    y = add_notes(sheet, lanes, y, "Frontstage", "what customers see", seen, nothing) + 10
    end = sheet.width - MARGIN
    sheet.path(f"M{MARGIN} {y}H{end}", stroke=theme.GREY, thick=2, dashed=True)
    sheet.text(MARGIN, y - 4, "line of visibility", size=11, ink="muted")
    unseen = partial(_unseen, currency=drawn.currency)
    nothing = (
        "Nobody has noted what happens behind yet, and no activity of a value chain serves a touchpoint."
    )
    y = add_notes(sheet, lanes, y, "Backstage", "with activities and their cost", unseen, nothing) + 4
    return (
        add_stage_texts(sheet, drawn.bands, lanes, y, "Owner", _owners, "Nobody answers for a stage yet.") + 4
    )


def _notes(card: Card, name: str) -> list[Note]:
    return [Note(card.number, text) for text in texts_of(card, name)]


def _pains_and_chances(card: Card) -> list[Note]:
    pains = [Note(card.number, text, "pain") for text in texts_of(card, "pain_points")]
    return [*pains, *(Note(card.number, text, "chance") for text in texts_of(card, "opportunities"))]


def _unseen(card: Card, currency: str) -> list[Note]:
    cost = "" if math.isnan(card.cost) or not card.cost else f": {money(round(card.cost), currency)}"
    work = [Note(card.number, f"{card.activities}{cost}", "work")] if card.activities else []
    return [*_notes(card, "backstage"), *work]


def _goal(band: Band) -> str:
    return "; ".join(
        text for text in (band.goal, f"(to be: {', '.join(band.marks)})" if band.marks else "") if text
    )


def _owners(band: Band) -> str:
    """The stage's owner, and those of touchpoints that another one answers for."""
    others: dict[str, list[str]] = {}
    for card in band.own:
        if card.source and card.source.owner and card.source.owner != band.owner:
            others.setdefault(card.source.owner, []).append(str(card.number))
    parts = [band.owner] if band.owner else []
    return "; ".join([*parts, *(f"{owner} ({', '.join(numbers)})" for owner, numbers in others.items())])


def _volumes(sheet: Sheet, drawn: Blueprint, lanes: Lanes, y: float) -> float:
    rule(sheet, y, pale=True)
    if not drawn.known:
        return say_nothing(sheet, y, "Customers", _NO_LOG)
    end = add_volumes(sheet, [band.stop for band in drawn.bands], drawn.worst, y, lanes.frame)
    part_stages(sheet, lanes, y, end)
    return end


def _legend(sheet: Sheet, drawn: Blueprint, y: float) -> float:
    """What the marks mean, in as many lines as they take; gives where they end."""
    entries: list[tuple[str, Callable[[float, float], Any]]] = [
        ("digital", lambda x, y: add_place(sheet, x, y, "digital")),
        ("physical", lambda x, y: add_place(sheet, x, y, "physical")),
    ]
    if drawn.known:
        entries += [(kind, partial(_kind, sheet, kind)) for kind in (MOMENT, PAIN)]
    entries += [(word, partial(_marked, sheet, mark)) for mark, word in _MARKS]
    if drawn.changes:
        entries += [("what the to-be map changes", partial(add_change, sheet))]
    if drawn.known:
        entries += [("silent: fell silent there; next: median time to the next touchpoint", _nothing)]
    x: float = MARGIN
    for word, mark in [*entries, ("numbers lead from a touchpoint to its notes", _nothing)]:
        wide = width_of(word, 12) + (0 if mark is _nothing else 18)
        if x + wide > sheet.width - MARGIN:
            x, y = MARGIN, y + 20
        mark(x, y)
        sheet.text(x + wide - width_of(word, 12), y, word, size=12, ink="muted")
        x += wide + 18
    return y + 16


def _nothing(x: float, y: float) -> None:
    """No mark."""


def _kind(sheet: Sheet, kind: str, x: float, y: float) -> None:
    add_kind(sheet, x, y, kind)


def _marked(sheet: Sheet, mark: Mark, x: float, y: float) -> None:
    add_mark(sheet, x, y, mark)


def _narrow(drawn: Blueprint, title: str, note: str) -> str:
    sheet = Sheet(NARROW)
    y = add_heading(sheet, title, note, 17, 9)
    if not drawn.known:
        sheet.text(MARGIN, y, "No events yet: the document alone.", size=13, ink="muted")
        y += 20
    top = y
    for band in drawn.bands:
        y = add_stage(sheet, band, drawn, y) + 18
    y = add_narrow_cycle(sheet, top, y)
    return sheet.svg(add_path(sheet, drawn, y + 10) + MARGIN)


def _spoken(drawn: Blueprint, title: str) -> str:
    said = []
    for band in drawn.bands:
        parts = [f"{band.stop.label}: {len(band.cards) + band.hidden} touchpoints"]
        if drawn.known:
            parts += [f"{band.stop.customers:,} customers"]
            parts += [text for text, _ in number_lines(band.stop) if not text.startswith("mean score")]
        parts += [f"{card.kind} {card.event}" for card in band.own if card.kind in (MOMENT, PAIN)]
        said.append(", ".join(parts) + ".")
    changed = f" A to-be map differs in {len(drawn.changes):,} places." if drawn.changes else ""
    return f"Service blueprint of the journey. {title} {' '.join(said)}{changed}"
