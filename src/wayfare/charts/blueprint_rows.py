"""The rows of the wide blueprint: touchpoints, notes, the emotion curve, the planned path."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wayfare.charts import theme
from wayfare.charts.blueprint_cards import Lane, Lanes, add_card, height_of
from wayfare.charts.blueprint_marks import Note, add_lines, add_note
from wayfare.charts.blueprint_model import Band, Card
from wayfare.charts.journey_rows import GUTTER, MARGIN, add_curve, percent, row_name, rule
from wayfare.charts.lettering import width_of, wrapped
from wayfare.charts.numbers import short
from wayfare.charts.sheet import Ink, Sheet

_CURVE, _STAGE_POINT, _STEP = 92, 64, 118


def add_cards(sheet: Sheet, bands: Sequence[Band], lanes: Lanes, y: float, currency: str) -> float:
    """The touchpoints with channel, customers and losses; gives where they end."""
    rule(sheet, y, pale=True)
    known = any(card.customers for band in bands for card in band.cards)
    ends = [
        y + 46,
        name_row(sheet, y + 30, "Touchpoints", "bar: share of the stage's customers" if known else ""),
    ]
    for index, band in enumerate(bands):
        for lane in lanes.of[index]:
            row = y + 14
            for card in lane.cards:
                add_card(sheet, card, band.stop.colour, lane.x, row, lane.width, currency)
                row += height_of(card)
            ends.append(row)
        x, below = lanes.frame.lefts[index], ends[-1]
        if band.hidden:
            sheet.text(x + 8, below + 14, f"and {band.hidden} more", size=12, ink="muted")
            ends.append(below + 22)
        if not band.cards:
            words = "no touchpoint placed here yet"
            ends.append(add_lines(sheet, x + 8, y + 30, words, lanes.end(index), most=3, ink="muted"))
    part_stages(sheet, lanes, y, max(ends))
    return max(ends)


def name_row(sheet: Sheet, y: float, name: str, about: str = "") -> float:
    """A row's name in the gutter; gives where what is said of it ends."""
    row_name(sheet, name, about, y)
    return y + 12 + 15 * len(wrapped(about, 11.5, GUTTER - MARGIN - 22))


def say_nothing(sheet: Sheet, y: float, name: str, words: str) -> float:
    """A row of which nothing is known yet; gives where it ends."""
    name_row(sheet, y + 24, name)
    sheet.text(GUTTER + 8, y + 24, words, size=12.5, ink="muted")
    return y + 36


def part_stages(sheet: Sheet, lanes: Lanes, top: float, bottom: float) -> None:
    """Lines between the stages, along a row."""
    for left in lanes.frame.lefts[1:]:
        sheet.path(f"M{left - 6:.1f} {top:.1f}V{bottom:.1f}", edge=True)


def add_stage_texts(
    sheet: Sheet,
    bands: Sequence[Band],
    lanes: Lanes,
    y: float,
    name: str,
    text: Callable[[Band], str],
    nothing: str,
) -> float:
    """A text a stage; where no stage has one, that nobody wrote any. Gives where they end."""
    rule(sheet, y, pale=True)
    texts = [text(band) for band in bands]
    if not any(texts):
        return say_nothing(sheet, y, name, nothing)
    ends = [name_row(sheet, y + 24, name)]
    for index, said in enumerate(texts):
        x, ink = lanes.frame.lefts[index] + 8, _ink(said)
        ends.append(add_lines(sheet, x, y + 24, said or "–", lanes.end(index), most=4, size=13, ink=ink) - 4)
    part_stages(sheet, lanes, y, max(ends))
    return max(ends)


def _ink(said: str) -> Ink:
    return "ink" if said else "muted"


def add_notes(
    sheet: Sheet,
    lanes: Lanes,
    y: float,
    name: str,
    about: str,
    notes: Callable[[Card], Sequence[Note]],
    nothing: str,
) -> float:
    """What is noted of each touchpoint, under its number; gives where it ends."""
    noted = [[note for card in lane.cards if not card.again for note in notes(card)] for lane in _all(lanes)]
    if not any(noted):
        return say_nothing(sheet, y, name, nothing)
    ends = [name_row(sheet, y + 24, name, about)]
    for lane, texts in zip(_all(lanes), noted, strict=True):
        row = y + 24
        for note in texts:
            row = add_note(sheet, lane.x + 6, row, note, lane.width - 4)
        ends.append(row - 6)
    part_stages(sheet, lanes, y, max(ends))
    return max(ends)


def _all(lanes: Lanes) -> list[Lane]:
    return [lane for of in lanes.of for lane in of]


def add_emotion(sheet: Sheet, bands: Sequence[Band], lanes: Lanes, y: float) -> float:
    """Satisfaction of stages as a curve with its band, touchpoints as points beside; gives where it ends."""
    rule(sheet, y, pale=True)
    scored = [(index, band) for index, band in enumerate(bands) if not math.isnan(band.felt[0])]
    if not scored:
        words = "No scores yet: survey answers with a score will show how customers feel along the journey."
        return say_nothing(sheet, y, "Emotion", words)
    top, bottom = y + 18, y + 18 + _CURVE
    name_row(sheet, top + 26, "Emotion", "mean score, 95% interval; grey: touchpoints")
    part_stages(sheet, lanes, y, bottom + 44)

    def place(value: float) -> float:
        return bottom - (min(max(value, -1.0), 1.0) + 1) / 2 * (bottom - top)

    for value, word in ((1, "best"), (0, "middle"), (-1, "worst")):
        sheet.path(f"M{GUTTER} {place(value):.1f}H{sheet.width - MARGIN}", edge=True, dashed=value != 0)
        sheet.text(GUTTER + 2, place(value) - 4, word, size=11, ink="muted")
    add_curve(
        sheet, [(lanes.frame.lefts[i] + _STAGE_POINT, *(place(v) for v in band.felt)) for i, band in scored]
    )
    for index, band in scored:
        _stage_score(sheet, band, lanes.frame.lefts[index] + _STAGE_POINT, place, bottom)
    for index, band in enumerate(bands):
        _points(sheet, band, lanes.frame.lefts[index] + _STAGE_POINT + 32, lanes.frame.end(index) - 22, place)
    return bottom + 36


def _stage_score(sheet: Sheet, band: Band, x: float, place: Callable[[float], float], bottom: float) -> None:
    mean, low, high = band.felt
    if not math.isnan(low):
        sheet.path(f"M{x:.1f} {place(low):.1f}V{place(high):.1f}", stroke=theme.ACCENT, thick=3)
    sheet.dot(x, place(mean), 5.5, theme.ACCENT)
    sheet.text(x - 50, bottom + 20, signed(mean), size=14, weight=600)
    interval = "" if math.isnan(low) else f"({signed(low)} to {signed(high)})"
    sheet.text(x - 44 + width_of(signed(mean), 14, bold=True), bottom + 20, interval, size=11, ink="muted")
    sheet.text(
        x - 50,
        bottom + 35,
        f"{band.scores:,} scores" if band.scores != 1 else "1 score",
        size=11,
        ink="muted",
    )


def _points(sheet: Sheet, band: Band, start: float, end: float, place: Callable[[float], float]) -> None:
    """The stage's touchpoints that were scored, as far as there is room."""
    scored = [card for card in band.own if not math.isnan(card.score[0])][: max(int((end - start) / 24), 0)]
    for number, card in enumerate(scored):
        x = start + (number + 0.5) * (end - start) / len(scored)
        mean, low, high = card.score
        if not math.isnan(low):
            sheet.path(f"M{x:.1f} {place(low):.1f}V{place(high):.1f}", stroke=theme.GREY, thick=1.5)
        sheet.dot(x, place(mean), 3.5, theme.GREY)
        sheet.text(x + 6, place(mean) - 5, str(card.number), size=11, ink="muted")


def signed(value: float) -> str:
    """A satisfaction from -1 to 1 with its sign."""
    return f"{value:+.2f}".replace("-", "−")


def add_planned(sheet: Sheet, planned: Sequence[Mapping[str, Any]], y: float) -> float:
    """The planned path, and how many came how far on it; gives where it ends."""
    rule(sheet, y, pale=True)
    if not planned:
        return say_nothing(sheet, y, "Planned path", "Nobody has planned a path yet.")
    known = any(step.get("customers") is not None for step in planned)
    named = name_row(sheet, y + 28, "Planned path", "customers who came so far, in order" if known else "")
    room, high = sheet.width - GUTTER - MARGIN, 66 if known else 40
    rows = math.ceil(len(planned) * _STEP / room)
    row = math.ceil(len(planned) / rows)
    for number, step in enumerate(planned):
        _step(
            sheet, step, GUTTER + number % row * room / row, y + 12 + high * (number // row), room / row - 10
        )
    return max(named, y + 12 + high * rows)


def _step(sheet: Sheet, step: Mapping[str, Any], x: float, y: float, width: float) -> None:
    sheet.path(
        f"M{x:.1f} {y:.1f}h{width - 10:.1f}l10 12l-10 12h{10 - width:.1f}z", fill=theme.GREY, opacity=0.22
    )
    sheet.fitted(x + 8, y + 16.5, str(step["event"]), width - 22, size=12.5, weight=600)
    if step.get("customers") is None:
        return
    share = 0.0 if step.get("share") is None else float(step["share"])
    sheet.rect(x, y + 29, width - 10, 5, ink="track", round_=0)
    sheet.rect(x, y + 29, (width - 10) * min(share, 1), 5, fill=theme.ACCENT, round_=0)
    sheet.fitted(x, y + 50, f"{short(step['customers'])} ({percent(share)})", width - 10, size=12)
