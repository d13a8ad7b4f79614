"""What every map of the journey has: two layouts, a heading, ribbons of the stages, and the way back round the cycle."""

from __future__ import annotations

from collections.abc import Sequence

from wayfare.charts import theme
from wayfare.charts.journey_rows import MARGIN, Frame, Stop, arrow, shape_of
from wayfare.charts.lettering import width_of, wrapped
from wayfare.charts.sheet import Sheet

NARROW = 380
CYCLE = "The journey is a cycle: recommendations bring new customers, and content customers come back."


def add_heading(sheet: Sheet, title: str, note: str, size: int, lines: int) -> float:
    """The finding and what it rests on; gives where they end."""
    y: float = MARGIN + size
    for line in wrapped(title, size, sheet.width - 2 * MARGIN, lines=lines, bold=True):
        sheet.text(MARGIN, y, line, size=size, weight=600)
        y += size * 1.3
    for line in wrapped(note, 13, sheet.width - 2 * MARGIN, lines=6):
        sheet.text(MARGIN, y, line, ink="muted")
        y += 19
    return y + 12


def add_ribbon(
    sheet: Sheet, label: str, colour: str, x: float, y: float, width: float, height: float = 38
) -> None:
    """A stage's name on an arrow that points to the next stage."""
    sheet.path(shape_of(x, y, width, height), fill=colour, opacity=0.22)
    sheet.path(f"M{x} {y}h{width - 14}", stroke=colour, thick=3)
    room = width - 36
    size = next((size for size in (16, 14.5, 13) if width_of(label, size, bold=True) <= room), 13)
    sheet.fitted(x + width / 2 + 4, y + height / 2 + 5.5, label, room, size=size, weight=600, anchor="middle")


def add_cycle(sheet: Sheet, stops: Sequence[Stop], y: float, frame: Frame) -> float:
    """The way back from the last stage to the first, and to re-purchase on the way; gives the height."""
    if len(stops) < 2:
        return y + MARGIN
    middle = [(left + frame.end(index)) / 2 - 3 for index, left in enumerate(frame.lefts)]
    sheet.path(
        f"M{middle[-1]} {y - 12}v16q0 12 -12 12H{middle[0] + 12}q-12 0 -12 -12v-8", stroke=theme.GREY, thick=2
    )
    arrow(sheet, middle[0], y - 12, up=True)
    again = next((x for x, stop in zip(middle, stops, strict=True) if stop.name == "repurchase"), None)
    if again is not None and again < middle[-1]:
        sheet.path(f"M{again} {y + 16}v-20", stroke=theme.GREY, thick=2)
        arrow(sheet, again, y - 12, up=True)
    sheet.text((middle[0] + middle[-1]) / 2, y + 36, CYCLE, size=13, ink="muted", anchor="middle")
    return y + 50


def add_narrow_cycle(sheet: Sheet, top: float, y: float) -> float:
    """The same on a phone, along the right edge from `y` up to `top`; gives where its words end."""
    x = sheet.width - 12
    sheet.path(f"M{x - 14} {y - 22}h4q10 0 10 -10V{top + 30}q0 -10 -10 -10h-2", stroke=theme.GREY, thick=2)
    arrow(sheet, x - 18, top + 20, up=False, left=True)
    for line in wrapped(CYCLE, 13, sheet.width - 2 * MARGIN):
        sheet.text(MARGIN, y + 12, line, size=13, ink="muted")
        y += 19
    return y
