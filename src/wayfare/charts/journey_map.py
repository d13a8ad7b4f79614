"""The journey map: stages across; customers, losses, time, satisfaction and touchpoints down. Drawn from plain values.

Wide for a screen or an A3 sheet, and narrow, one stage under the other, for a phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wayfare.charts import theme
from wayfare.charts.journey_rows import (
    COLUMN,
    GUTTER,
    MARGIN,
    WIDTH,
    Stop,
    add_satisfaction,
    add_touchpoints,
    add_volumes,
    arrow,
    chips_of,
    number_lines,
    shape_of,
    stop_of,
)
from wayfare.charts.lettering import escaped, width_of, wrapped
from wayfare.charts.picture import DrawnPicture
from wayfare.charts.sheet import DARK, Sheet

NARROW = 380
_CYCLE = "The journey is a cycle: recommendations bring new customers, and content customers come back."


@dataclass(frozen=True)
class JourneyPicture(DrawnPicture):
    """A journey map in both layouts; `svg()` is the wide one."""

    phone: str = ""

    def narrow(self) -> str:
        """The layout for a phone, as SVG."""
        return self.phone

    def html(self) -> str:
        """A page that shows the layout that fits."""
        style = (
            "body{margin:0;background:#fff}svg{max-width:100%;height:auto}.phone{display:none}"
            "@media (max-width:640px){.wide{display:none}.phone{display:block}}"
            "@media screen and (prefers-color-scheme:dark){body{background:#14171c}}"
        )
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<title>{escaped(self.title)}</title><style>{style}</style><body><div class="wide">{self.drawing}</div>'
            f'<div class="phone">{self.phone}</div></body></html>'
        )


def draw(columns: Sequence[Mapping[str, Any]], *, title: str, note: str = "") -> JourneyPicture:
    """The map of the stages in `columns`, in their order.

    Args:
        columns: Of each stage `stage` (its colour's name), `label`, `customers`, `share_of_all`, `next_customers`,
            `left`, `drop_off` with `_low` and `_high`, `median_days_to_next`, `mean_score`, `score_low`, `score_high`, `scores`
            and `touchpoints`, each with `touchpoint` and `customers`, the largest first. What is unknown is None or nan.
        title: The finding that the map shows.
        note: n and source.
    """
    stops = [stop_of(column) for column in columns]
    alt = f"Journey map. {title} " + " ".join(_spoken(stop) for stop in stops)
    return JourneyPicture(_wide(stops, title, note), title, alt, _narrow(stops, title, note))


def _spoken(stop: Stop) -> str:
    parts = [f"{stop.label}: {stop.customers:,} customers", *(text for text, _ in number_lines(stop))]
    return ", ".join(part for part in parts if part) + "."


def _wide(stops: Sequence[Stop], title: str, note: str) -> str:
    sheet = Sheet(WIDTH)
    y = _heading(sheet, title, note, 22, 4)
    worst = max(stops, key=lambda stop: stop.lost, default=None)
    for index, stop in enumerate(stops):
        _ribbon(sheet, stop, GUTTER + index * COLUMN, y, COLUMN - 6)
    y = add_volumes(sheet, stops, worst, y + 58)
    y = add_satisfaction(sheet, stops, y + 18)
    y = add_touchpoints(sheet, stops, y + 18)
    return sheet.svg(_cycle(sheet, stops, y + 20))


def _heading(sheet: Sheet, title: str, note: str, size: int, lines: int) -> float:
    y: float = MARGIN + size
    for line in wrapped(title, size, sheet.width - 2 * MARGIN, lines=lines, bold=True):
        sheet.text(MARGIN, y, line, size=size, weight=600)
        y += size * 1.3
    for line in wrapped(note, 13, sheet.width - 2 * MARGIN, lines=3):
        sheet.text(MARGIN, y, line, ink="muted")
        y += 19
    return y + 12


def _ribbon(sheet: Sheet, stop: Stop, x: float, y: float, width: float, height: float = 38) -> None:
    """The stage's name on an arrow that points to the next stage."""
    sheet.path(shape_of(x, y, width, height), fill=stop.colour, opacity=0.22)
    sheet.path(f"M{x} {y}h{width - 14}", stroke=stop.colour, thick=3)
    room = width - 36
    size = next((size for size in (16, 14.5, 13) if width_of(stop.label, size, bold=True) <= room), 13)
    sheet.fitted(
        x + width / 2 + 4, y + height / 2 + 5.5, stop.label, room, size=size, weight=600, anchor="middle"
    )


def _cycle(sheet: Sheet, stops: Sequence[Stop], y: float) -> float:
    """The way back from the last stage to the first, and to re-purchase on the way; gives the height."""
    if len(stops) < 2:
        return y + MARGIN
    middle = [GUTTER + (index + 0.5) * COLUMN - 3 for index in range(len(stops))]
    sheet.path(
        f"M{middle[-1]} {y - 12}v16q0 12 -12 12H{middle[0] + 12}q-12 0 -12 -12v-8", stroke=theme.GREY, thick=2
    )
    arrow(sheet, middle[0], y - 12, up=True)
    again = next((x for x, stop in zip(middle, stops, strict=True) if stop.name == "repurchase"), None)
    if again is not None and again < middle[-1]:
        sheet.path(f"M{again} {y + 16}v-20", stroke=theme.GREY, thick=2)
        arrow(sheet, again, y - 12, up=True)
    sheet.text((middle[0] + middle[-1]) / 2, y + 36, _CYCLE, size=13, ink="muted", anchor="middle")
    return y + 50


def _narrow(stops: Sequence[Stop], title: str, note: str) -> str:
    sheet = Sheet(NARROW)
    y = _heading(sheet, title, note, 17, 9)
    worst = max(stops, key=lambda stop: stop.lost, default=None)
    top = y
    for stop in stops:
        y = _card(sheet, stop, y, stop is worst) + 14
    if len(stops) > 1:
        x = NARROW - 12
        sheet.path(
            f"M{x - 14} {y - 22}h4q10 0 10 -10V{top + 30}q0 -10 -10 -10h-2", stroke=theme.GREY, thick=2
        )
        arrow(sheet, x - 18, top + 20, up=False, left=True)
        for line in wrapped(_CYCLE, 13, NARROW - 2 * MARGIN):
            sheet.text(MARGIN, y + 12, line, size=13, ink="muted")
            y += 19
    return sheet.svg(y + MARGIN)


def _card(sheet: Sheet, stop: Stop, y: float, worst: bool) -> float:
    """One stage on a phone; gives where it ends."""
    x, width = MARGIN, NARROW - 2 * MARGIN - 18
    sheet.rect(x, y, width, 40, fill=stop.colour, opacity=0.22)
    sheet.rect(x, y, 4, 40, fill=stop.colour)
    sheet.fitted(x + 14, y + 26, stop.label, width - 110, size=16, weight=600)
    sheet.text(x + width - 8, y + 26, f"{stop.customers:,}", size=16, weight=600, anchor="end")
    y += 52
    sheet.rect(x, y, width, 8, fill=theme.PALE, ink="track")
    sheet.rect(x, y, width * stop.share, 8, fill=stop.colour)
    y += 26
    for text, strong in number_lines(stop):
        sheet.fitted(
            x,
            y,
            text,
            width,
            size=13,
            ink="warn" if strong and worst else "ink",
            weight=600 if strong and worst else 400,
        )
        y += 19
    chips, rest = chips_of(stop, 3)
    for name, customers in chips:
        sheet.fitted(x + 10, y, name, width - 90, size=13, ink="muted")
        sheet.text(x + width - 8, y, f"{customers:,}", size=13, ink="muted", anchor="end")
        y += 19
    if rest:
        sheet.text(
            x + 10,
            y,
            f"and {rest} more touchpoints" if rest > 1 else "and 1 more touchpoint",
            size=13,
            ink="muted",
        )
        y += 19
    return y


__all__ = ["DARK", "JourneyPicture", "draw"]
