"""The blueprint on a phone: one stage under the other, each touchpoint with all that is noted of it."""

from __future__ import annotations

import math

from wayfare.charts import theme
from wayfare.charts.blueprint_cards import kind_in_words
from wayfare.charts.blueprint_marks import LINE, add_change, add_kind, add_lines, add_place, texts_of
from wayfare.charts.blueprint_model import MOMENT, PAIN, Band, Blueprint, Card
from wayfare.charts.blueprint_rows import signed
from wayfare.charts.journey_parts import NARROW
from wayfare.charts.journey_rows import MARGIN, count_of, number_lines, percent
from wayfare.charts.lettering import width_of
from wayfare.charts.numbers import money
from wayfare.charts.sheet import Sheet
from wayfare.domain.duration import in_words

INSIDE = NARROW - 2 * MARGIN - 18
_NOTES = (
    ("Expected", "expectation"),
    ("Hurts", "pain_points"),
    ("Could be better", "opportunities"),
    ("Frontstage", "frontstage"),
    ("Backstage", "backstage"),
    ("Owner", "owner"),
)


def add_stage(sheet: Sheet, band: Band, drawn: Blueprint, y: float) -> float:
    """One stage; gives where it ends."""
    x, stop = MARGIN, band.stop
    sheet.rect(x, y, INSIDE, 40, fill=stop.colour, opacity=0.22)
    sheet.rect(x, y, 4, 40, fill=stop.colour)
    count = count_of(stop.customers) if drawn.known else ""
    sheet.fitted(x + 14, y + 26, stop.label, INSIDE - 110, size=16, weight=600)
    sheet.text(x + INSIDE - 8, y + 26, count, size=16, weight=600, anchor="end")
    y += 52
    if drawn.known:
        sheet.rect(x, y, INSIDE, 8, fill=theme.PALE, ink="track")
        sheet.rect(x, y, INSIDE * stop.share, 8, fill=stop.colour)
        y += 10
    y += 14
    for words, text in (("Goal", band.goal), ("Owner", band.owner), ("To be", "; ".join(band.marks))):
        y = _noted(sheet, words, text, y) if text else y
    for text, _ in number_lines(stop) if drawn.known else ():
        if not text.startswith("mean score"):
            y = add_lines(sheet, x, y, text, INSIDE, most=2, size=13) + 2
    if not math.isnan(band.felt[0]):
        y = add_lines(sheet, x, y, f"satisfaction {_felt(band)}", INSIDE, most=2, size=13) + 2
    for card in band.own:
        y = _card(sheet, card, band, drawn, y + 4)
    if len(band.own) < len(band.cards):
        words = "Again after an order (notes are at the stage before):"
        y = add_lines(sheet, x, y + 6, words, INSIDE, most=2, size=13, ink="muted") - 8
    for card in band.cards:
        y = _name(sheet, card, band, y) - 16 if card.again else y
    if not band.cards:
        y = add_lines(sheet, x, y, "no touchpoint placed here yet", INSIDE, most=1, size=13, ink="muted")
    if band.hidden:
        y = add_lines(sheet, x, y + 8, f"and {band.hidden} more", INSIDE, most=1, size=13, ink="muted")
    return y


def _felt(band: Band) -> str:
    mean, low, high = band.felt
    interval = "" if math.isnan(low) else f" ({signed(low)} to {signed(high)})"
    return (
        f"{signed(mean)}{interval} of −1 to +1, {band.scores:,} {'score' if band.scores == 1 else 'scores'}"
    )


def _name(sheet: Sheet, card: Card, band: Band, y: float) -> float:
    """A touchpoint's number, name and customers; gives where its text begins."""
    x = MARGIN
    count = "" if card.customers is None else count_of(card.customers)
    sheet.rect(x, y, INSIDE, 26, ink="track", opacity=0.5)
    sheet.rect(x, y + 26, INSIDE * card.share, 4, fill=band.stop.colour, round_=0)
    sheet.text(x + 8, y + 18, str(card.number), size=12, ink="muted", weight=600)
    room = INSIDE - 46 - width_of(count, 13.5, bold=True)
    sheet.fitted(x + 30, y + 18, card.event, room, size=13.5, weight=400 if card.again else 600)
    sheet.text(x + INSIDE - 8, y + 18, count, size=13.5, weight=600, anchor="end")
    return y + 50


def _card(sheet: Sheet, card: Card, band: Band, drawn: Blueprint, y: float) -> float:
    x, y = MARGIN, _name(sheet, card, band, y)
    here = x + 10 + add_place(sheet, x + 10, y, card.place)
    if card.source:
        y = add_lines(sheet, here, y, card.where, INSIDE - 30, most=1, size=13, ink="muted") + 1
    for mark in card.marks:
        add_change(sheet, x + 10, y)
        y = add_lines(sheet, x + 28, y, mark, INSIDE - 40, most=3, size=13) + 1
    if card.kind in (MOMENT, PAIN):
        add_kind(sheet, x + 10, y, card.kind)
        words = kind_in_words(card, drawn.currency)
        sheet.fitted(x + 28, y, words, INSIDE - 40, size=13, ink="warn" if card.kind == PAIN else "ink")
        y += LINE + 3
    for text in _numbers(card):
        y = add_lines(sheet, x + 10, y, text, INSIDE - 20, most=2, size=13) + 1
    for words, name in _NOTES:
        for text in texts_of(card, name):
            y = _noted(sheet, words, text, y, inset=10)
    if card.activities:
        cost = "" if math.isnan(card.cost) else f" ({money(round(card.cost), drawn.currency)})"
        y = _noted(sheet, "Activities", f"{card.activities}{cost}", y, inset=10)
    return y + 2


def _numbers(card: Card) -> list[str]:
    said = []
    if card.left and not math.isnan(card.left_share):
        said.append(f"{percent(card.left_share)} fell silent here: {card.left:,}")
    if not math.isnan(card.seconds):
        said.append(f"next touchpoint after {in_words(card.seconds)} (median)")
    if not math.isnan(card.score[0]):
        low, high = card.score[1:]
        interval = "" if math.isnan(low) else f" ({signed(low)} to {signed(high)})"
        said.append(f"satisfaction {signed(card.score[0])}{interval}")
    return said


def _noted(sheet: Sheet, words: str, text: str, y: float, inset: float = 0) -> float:
    """A few words and what they head, in one paragraph; gives where it ends."""
    return (
        add_lines(
            sheet, MARGIN + inset, y, f"{words}: {text}", INSIDE - 2 * inset, most=12, size=13, ink="muted"
        )
        + 3
    )


def add_path(sheet: Sheet, drawn: Blueprint, y: float) -> float:
    """The planned path as a list; gives where it ends."""
    if not drawn.planned:
        return y
    sheet.text(MARGIN, y + 14, "Planned path", size=15, weight=600)
    y += 36
    for step in drawn.planned:
        known = step.get("customers") is not None
        share = float(step.get("share") or 0)
        count = f"{step['customers']:,} ({percent(share)})" if known else ""
        sheet.fitted(MARGIN, y, f"→ {step['event']}", INSIDE - 16 - width_of(count, 13), size=13)
        sheet.text(MARGIN + INSIDE, y, count, size=13, anchor="end")
        if known:
            sheet.rect(MARGIN, y + 5, INSIDE, 4, ink="track", round_=0)
            sheet.rect(MARGIN, y + 5, INSIDE * min(share, 1), 4, fill=theme.ACCENT, round_=0)
        y += 28 if known else 20
    return y + 10
