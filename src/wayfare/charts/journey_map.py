"""The journey map: stages across; customers, losses, time, satisfaction and touchpoints down. Drawn from plain values.

Wide for a screen or an A3 sheet, and narrow, one stage under the other, for a phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wayfare.charts import theme
from wayfare.charts.journey_parts import (
    NARROW,
    add_cycle,
    add_heading,
    add_narrow_cycle,
    add_ribbon,
)
from wayfare.charts.journey_rows import (
    COLUMN,
    MARGIN,
    WIDTH,
    Stop,
    add_satisfaction,
    add_touchpoints,
    add_volumes,
    chips_of,
    even_frame,
    number_lines,
    stop_of,
)
from wayfare.charts.picture import TwoLayouts
from wayfare.charts.sheet import DARK, Sheet


def draw(columns: Sequence[Mapping[str, Any]], *, title: str, note: str = "") -> TwoLayouts:
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
    return TwoLayouts(_wide(stops, title, note), title, alt, _narrow(stops, title, note))


def _spoken(stop: Stop) -> str:
    parts = [f"{stop.label}: {stop.customers:,} customers", *(text for text, _ in number_lines(stop))]
    return ", ".join(part for part in parts if part) + "."


def _wide(stops: Sequence[Stop], title: str, note: str) -> str:
    sheet = Sheet(WIDTH)
    y = add_heading(sheet, title, note, 22, 4)
    frame = even_frame(len(stops))
    worst = max(stops, key=lambda stop: stop.lost, default=None)
    for index, stop in enumerate(stops):
        add_ribbon(sheet, stop.label, stop.colour, frame.lefts[index], y, COLUMN - 6)
    y = add_volumes(sheet, stops, worst, y + 58)
    y = add_satisfaction(sheet, stops, y + 18)
    y = add_touchpoints(sheet, stops, y + 18)
    return sheet.svg(add_cycle(sheet, stops, y + 20, frame))


def _narrow(stops: Sequence[Stop], title: str, note: str) -> str:
    sheet = Sheet(NARROW)
    y = add_heading(sheet, title, note, 17, 9)
    worst = max(stops, key=lambda stop: stop.lost, default=None)
    top = y
    for stop in stops:
        y = _card(sheet, stop, y, stop is worst) + 14
    if len(stops) > 1:
        y = add_narrow_cycle(sheet, top, y)
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


__all__ = ["DARK", "draw"]
