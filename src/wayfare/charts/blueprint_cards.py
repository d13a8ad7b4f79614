"""Cards of touchpoints on the wide blueprint, and the lanes that they stand in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from wayfare.charts import theme
from wayfare.charts.blueprint_marks import add_change, add_kind, add_place
from wayfare.charts.blueprint_model import MOMENT, PAIN, Band, Card
from wayfare.charts.journey_rows import GUTTER, MARGIN, Frame, count_of, percent
from wayfare.charts.lettering import width_of, wrapped
from wayfare.charts.numbers import money
from wayfare.charts.sheet import Ink, Sheet
from wayfare.domain.duration import in_words

_LANES, _FULL, _LANE, _LEAST = 12, 600, 196, 1530
_SAID = {"expectation", "pain_points", "opportunities", "frontstage", "backstage"}
_UNITS = {"second": "s", "minute": "min", "hour": "h", "day": "d"}


@dataclass(frozen=True)
class Lane:
    """A strip of a stage's column with the cards that stand in it, one under the other."""

    x: float
    width: float
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Lanes:
    """Where the stages and their lanes stand: a stage with many touchpoints has more than one."""

    frame: Frame
    of: tuple[tuple[Lane, ...], ...]

    def end(self, index: int) -> float:
        """The width of a stage's column up to its last text."""
        return self.frame.end(index) - self.frame.lefts[index] - 14


def lanes_of(bands: Sequence[Band]) -> Lanes:
    """Lanes of one width, given to the stages that have most to show; the sheet is as wide as they need."""
    count = _counts(bands)
    width = max(_LEAST, GUTTER + MARGIN + _LANE * sum(count))
    unit = (width - GUTTER - MARGIN) / sum(count)
    lefts = tuple(GUTTER + unit * sum(count[:index]) for index in range(len(bands)))
    of = []
    for band, left, n in zip(bands, lefts, count, strict=True):
        parts = _parted(band.own, n)
        for card in band.cards:
            if card.again:
                min(parts, key=_height).append(card)
        of.append(tuple(Lane(left + i * unit, unit - 14, tuple(part)) for i, part in enumerate(parts)))
    return Lanes(Frame(width, lefts, 58, 72), tuple(of))


def _parted(cards: Sequence[Card], lanes: int) -> list[list[Card]]:
    """The cards in their order, about as high in each lane."""
    parts: list[list[Card]] = [[] for _ in range(lanes)]
    each, above = sum(_weight(card) for card in cards) / lanes, 0.0
    for card in cards:
        middle = above + _weight(card) / 2
        parts[min(int(middle / each), lanes - 1)].append(card)
        above += _weight(card)
    return parts


def _counts(bands: Sequence[Band]) -> list[int]:
    """How many lanes each stage has: one more at a time to where most stands in each."""
    weight = [sum(_weight(card) for card in band.cards) for band in bands]
    most = [max(len(band.own), math.ceil(len(band.cards) / 6)) for band in bands]
    count = [1] * len(bands)
    while sum(count) < _LANES:
        room = [i for i in range(len(bands)) if count[i] < most[i] and weight[i] / count[i] > _FULL]
        if not room:
            break
        count[max(room, key=lambda i: weight[i] / count[i])] += 1
    return count


def _weight(card: Card) -> float:
    """About how high a card and its notes are."""
    said = card.source.model_dump(include=_SAID) if card.source and not card.again else {}
    texts = [
        card.activities,
        *(t for text in said.values() for t in ([text] if isinstance(text, str) else text)),
    ]
    return height_of(card) + sum(16 * min(math.ceil(len(text) / 26), 3) for text in texts if not card.again)


def _height(cards: Sequence[Card]) -> float:
    return sum(height_of(card) for card in cards)


def height_of(card: Card) -> float:
    """How high a card is, with the room under it: name, channel, time and losses, kind, changes."""
    if card.again:
        return 26
    lines = sum(len(_mark_lines(mark)) for mark in card.marks) + (card.kind in (MOMENT, PAIN))
    return (68 if card.customers is not None else 52 if card.source else 34) + 16 * lines


def _mark_lines(mark: str) -> list[str]:
    return wrapped(mark, 11.5, _LANE - 50, lines=2, bold=True)


def add_card(sheet: Sheet, card: Card, colour: str, x: float, y: float, width: float, currency: str) -> None:
    """One touchpoint; one that stands here after an order only takes a line."""
    height = height_of(card) - (3 if card.again else 7)
    sheet.rect(x, y, width, height, ink="track", opacity=0.5)
    if card.customers is None and card.marks:
        sheet.path(f"M{x} {y}h{width}v{height}h{-width}z", stroke=theme.ACCENT, thick=1.5, dashed=True)
    count = "" if card.customers is None else count_of(card.customers)
    sheet.text(x + 6, y + 15.5, str(card.number), size=11, ink="muted", weight=600)
    taken = width_of(count, 12, bold=True) + 6 if card.again else 0
    weight = 400 if card.again else 600
    sheet.fitted(x + 25, y + 15.5, card.event, width - 31 - taken, size=12, weight=weight)
    sheet.text(x + width - 6, y + (15.5 if card.again else 33), count, size=12.5, anchor="end", weight=600)
    sheet.rect(x, y + height - 4, width * card.share, 4, fill=colour, round_=0)
    if not card.again:
        _details(sheet, card, x, y, width, currency)


def _details(sheet: Sheet, card: Card, x: float, y: float, width: float, currency: str) -> None:
    line = y + 17
    if card.source:
        line += 16
        here = x + 25 + add_place(sheet, x + 25, line, card.place)
        sheet.fitted(here, line, card.channel or card.where, x + width - 60 - here, size=11.5, ink="muted")
    if card.customers is not None:
        line += 16
        silent = "" if math.isnan(card.left_share) or not card.left else f"{percent(card.left_share)} silent"
        then = "" if math.isnan(card.seconds) else f"next {_brief(card.seconds)}"
        sheet.fitted(x + 25, line, then, width - 38 - width_of(silent, 11.5), size=11.5, ink="muted")
        sheet.text(x + width - 6, line, silent, size=11.5, ink="muted", anchor="end")
    if card.kind in (MOMENT, PAIN):
        line += 16
        add_kind(sheet, x + 7, line, card.kind)
        ink: Ink = "warn" if card.kind == PAIN else "ink"
        sheet.fitted(x + 25, line, kind_in_words(card, currency), width - 31, size=11.5, ink=ink)
    for mark in card.marks:
        add_change(sheet, x + 7, line + 16)
        for words in _mark_lines(mark):
            line += 16
            sheet.text(x + 25, line, words, size=11.5, weight=600)


def kind_in_words(card: Card, currency: str) -> str:
    """Moment of truth or pain point, and what it is worth."""
    worth = "" if math.isnan(card.worth) else f", {money(round(card.worth), currency)}".replace("-", "−")
    return f"{card.kind}{worth}"


def _brief(seconds: float) -> str:
    """A time in a card: `5.5 min`, `4.9 d`."""
    amount, unit = in_words(seconds).split(" ")
    return f"{amount} {_UNITS[unit.rstrip('s')]}"
