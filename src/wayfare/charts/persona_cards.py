"""Personas as cards: who they are, what sets them apart, and what becomes of them. Drawn from plain values.

Three cards a row for a screen, one under the other for a phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wayfare.charts import theme
from wayfare.charts.lettering import wrapped
from wayfare.charts.numbers import short
from wayfare.charts.picture import TwoLayouts
from wayfare.charts.sheet import Sheet

CARD, GAP, MARGIN, INSET = 324, 16, 20, 16
_LABEL, _BAR, _ROW = 186, 64, 21
_TRAITS, _PATH_LINES = 6, 3
_KINDS = ("need", "motivation", "preference", "behaviour", "attribute")


def draw(
    personas: Sequence[Mapping[str, Any]],
    traits: Sequence[Mapping[str, Any]],
    *,
    title: str,
    currency: str = "",
    note: str = "",
) -> TwoLayouts:
    """A card for each persona, in their order.

    Args:
        personas: Of each `persona`, `customers`, `share` with `_low` and `_high`, `repurchase_rate` with `low` and `high`,
            `value`, `satisfaction` and `typical_path`; what is unknown is None.
        traits: Of each `persona`, `kind`, `trait`, `share_or_mean`, `others` and `lift`, the strongest first.
        title: The finding that the cards show.
        currency: That of `value`.
        note: n and source.
    """
    shown = [(p, _chosen([t for t in traits if t["persona"] == p["persona"]])) for p in personas]
    alt = " ".join([title, *(_spoken(card, mine) for card, mine in shown)])
    wide, phone = (_sheet(shown, columns, title, currency, note) for columns in (min(3, len(shown)), 1))
    return TwoLayouts(wide, title, alt, phone)


def _chosen(traits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The strongest traits that they have more of, the strongest of each kind among them, kind by kind."""
    more = [t for t in traits if t["lift"] is None or t["lift"] > 1]
    firsts = [next((t for t in more if t["kind"] == kind), None) for kind in _KINDS]
    wanted = [t for t in firsts if t is not None]
    wanted += [t for t in more if t not in wanted][: _TRAITS - len(wanted)]
    return sorted(wanted, key=lambda t: (_KINDS.index(t["kind"]), more.index(t)))


def _spoken(card: Mapping[str, Any], traits: Sequence[Mapping[str, Any]]) -> str:
    about = ", ".join(f"{t['trait']} {t['share_or_mean']:.0%} (others {t['others']:.0%})" for t in traits)
    return f"{card['persona']}: {card['share']:.0%} of customers; {about}."


def _sheet(
    shown: Sequence[tuple[Mapping[str, Any], list[Mapping[str, Any]]]],
    columns: int,
    title: str,
    currency: str,
    note: str,
) -> str:
    width = columns * CARD + (columns - 1) * GAP + 2 * MARGIN
    sheet = Sheet(width)
    y = MARGIN + 18.0
    for line in wrapped(title, 17, width - 2 * MARGIN, lines=4, bold=True):
        sheet.text(MARGIN, y, line, size=17, weight=600)
        y += 23
    key = "Bars: share of what they do; the mark is all other customers. Outcomes are counted after the behaviour."
    for line in wrapped(f"{key} {note}".strip(), 12, width - 2 * MARGIN, lines=4):
        sheet.text(MARGIN, y, line, size=12, ink="muted")
        y += 17
    y += 4
    for start in range(0, len(shown), columns):
        row = shown[start : start + columns]
        heights = [_height(card, traits) for card, traits in row]
        for place, (card, traits) in enumerate(row):
            _card(sheet, MARGIN + place * (CARD + GAP), y, max(heights), card, traits, currency)
        y += max(heights) + GAP
    return sheet.svg(y + MARGIN - GAP)


def _height(card: Mapping[str, Any], traits: Sequence[Mapping[str, Any]]) -> float:
    kinds = len({t["kind"] for t in traits})
    lines = len(_name(card)) * 19 + len(_path(card)) * 15
    return 28 + lines + 26 + len(traits) * _ROW + kinds * 18 + 3 * 19 + 10


def _name(card: Mapping[str, Any]) -> list[str]:
    return wrapped(card["persona"], 15, CARD - 2 * INSET, lines=3, bold=True)


def _path(card: Mapping[str, Any]) -> list[str]:
    return wrapped(card["typical_path"] or "", 11, CARD - 2 * INSET, lines=_PATH_LINES)


def _card(
    sheet: Sheet, x: float, y: float, height: float, card: Mapping[str, Any], traits: Sequence[Mapping[str, Any]], currency: str
) -> None:  # fmt: skip
    colour = theme.colour_of(card["persona"])
    sheet.path(f"M{x:.1f},{y:.1f}h{CARD}v{height:.1f}h-{CARD}z", edge=True)
    sheet.rect(x, y, CARD, 4, fill=colour, round_=0)
    left, y = x + INSET, y + 28
    for line in _name(card):
        sheet.text(left, y, line, size=15, weight=600)
        y += 19
    y += 1
    size = f"{card['share']:.0%} of customers ({card['customers']:,}; {card['share_low']:.0%} to {card['share_high']:.0%})"
    sheet.fitted(left, y, size, CARD - 2 * INSET, size=12, ink="muted")
    y = _traits(sheet, left, y + 6, traits, colour)
    y += 22
    for name, said in _outcomes(card, currency):
        sheet.text(left, y, name, size=12, ink="muted")
        sheet.text(x + CARD - INSET, y, said, size=12, weight=600, anchor="end")
        y += 19
    for line in _path(card):
        sheet.text(left, y, line, size=11, ink="muted")
        y += 15


def _traits(sheet: Sheet, x: float, y: float, traits: Sequence[Mapping[str, Any]], colour: str) -> float:
    """The traits under the names of their kinds; gives where they end."""
    kind = ""
    for trait in traits:
        if trait["kind"] != kind:
            kind = trait["kind"]
            y += 18
            sheet.text(x, y, kind.capitalize(), size=11, ink="muted", weight=600)
        y += _ROW
        share, others = min(max(trait["share_or_mean"], 0), 1), min(max(trait["others"], 0), 1)
        sheet.fitted(x, y - 5, trait["trait"], _LABEL - 6, size=11)
        start = x + _LABEL
        sheet.rect(start, y - 15, _BAR, 11, ink="track")
        sheet.rect(start, y - 15, _BAR * share, 11, fill=colour)
        sheet.rect(start + _BAR * others - 1, y - 18, 2, 17, ink="ink", round_=0)
        sheet.text(start + _BAR + 8, y - 5, f"{share:.0%}", size=12)
    return y


def _outcomes(card: Mapping[str, Any], currency: str) -> list[tuple[str, str]]:
    unknown = "too few to say"
    again, value, score = card["repurchase_rate"], card["value"], card["satisfaction"]
    return [
        (
            "Order again",
            unknown if again is None else f"{again:.0%} ({card['low']:.0%} to {card['high']:.0%})",
        ),
        ("Value a customer", unknown if value is None else f"{currency} {short(value)}".strip()),
        ("Satisfaction", unknown if score is None else f"{score:.1f} (n = {card['n_satisfaction']:,})"),
    ]
