"""The rows of the wide journey map: volumes and losses, satisfaction, touchpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wayfare.charts import theme
from wayfare.charts.lettering import width_of, wrapped
from wayfare.charts.numbers import short, written
from wayfare.charts.sheet import Sheet
from wayfare.domain.duration import in_words

WIDTH, GUTTER, MARGIN, COLUMN = 1240, 130, 20, 182
_SCORES, _CHIPS = 96, 7
_SCALES = ((1, 5), (0, 10), (0, 100))


@dataclass(frozen=True)
class Frame:
    """Where the stages stand: the sheet's width, the left edge of each, and how high bars and losses may be."""

    width: float
    lefts: tuple[float, ...]
    bar: float = 110
    leak: float = 92

    def end(self, index: int) -> float:
        """Where a stage's column ends."""
        return self.lefts[index + 1] if index + 1 < len(self.lefts) else self.width - MARGIN


def even_frame(stages: int) -> Frame:
    """Columns of one width."""
    return Frame(WIDTH, tuple(GUTTER + index * COLUMN for index in range(stages)))


@dataclass(frozen=True)
class Stop:
    """One stage as it is drawn; unknown numbers are nan."""

    name: str
    label: str
    colour: str
    customers: int
    share: float
    went: int
    lost: int
    drop_off: tuple[float, float, float]
    days: float
    score: tuple[float, float, float]
    scores: int
    touchpoints: tuple[tuple[str, int], ...]


def stop_of(column: Mapping[str, Any]) -> Stop:
    """A stage's row as what is drawn of it."""

    def number(name: str) -> float:
        return math.nan if column.get(name) is None else float(column[name])

    customers, went, left = (int(column.get(name) or 0) for name in ("customers", "next_customers", "left"))
    share = number("share_of_all")
    return Stop(
        name=str(column["stage"]),
        label=str(column.get("label") or column["stage"]),
        colour=theme.STAGE_COLOURS.get(str(column["stage"]), theme.GREY),
        customers=customers,
        share=0.0 if math.isnan(share) else min(max(share, 0.0), 1.0),
        went=went,
        lost=left,
        drop_off=(number("drop_off"), number("drop_off_low"), number("drop_off_high")),
        days=number("median_days_to_next"),
        score=(number("mean_score"), number("score_low"), number("score_high")),
        scores=int(column.get("scores") or 0),
        touchpoints=tuple((str(t["touchpoint"]), int(t["customers"])) for t in column.get("touchpoints", ())),
    )


def number_lines(stop: Stop) -> list[tuple[str, bool]]:
    """What is said of a stage beside its customers, a line each, and whether the line is about its losses."""
    lines = []
    if not math.isnan(stop.drop_off[0]):
        lines.append(
            (
                f"{percent(stop.drop_off[0])} go no further {span_of_shares(stop.drop_off[1:])}: {stop.lost:,}",
                True,
            )
        )
    if stop.went:
        lines.append((f"{stop.went:,} go further after {in_words(stop.days * 86_400)} (median)", False))
    if stop.scores:
        lines.append((f"mean score {stop.score[0]:.1f} {_span(stop.score)}, {stop.scores:,} scores", False))
    return lines


def chips_of(stop: Stop, most: int) -> tuple[tuple[tuple[str, int], ...], int]:
    """The touchpoints shown, and how many are not."""
    shown = stop.touchpoints if len(stop.touchpoints) <= most + 1 else stop.touchpoints[:most]
    return shown, len(stop.touchpoints) - len(shown)


def shape_of(x: float, y: float, width: float, height: float) -> str:
    """A broad arrow to the right."""
    tip = 14
    return f"M{x} {y}h{width - tip}l{tip} {height / 2}l{-tip} {height / 2}h{tip - width}l{tip} {-height / 2}z"


def count_of(customers: int) -> str:
    """A count that fits its place: whole up to seven digits, then in millions."""
    return f"{customers:,}" if customers < 10_000_000 else short(customers)


def arrow(
    sheet: Sheet,
    x: float,
    y: float,
    *,
    up: bool,
    left: bool = False,
    colour: str = theme.GREY,
    size: float = 6,
) -> None:
    """An arrow's head with its tip at x, y."""
    if left:
        shape = f"M{x} {y}l{size * 1.6} {-size}v{size * 2}z"
    else:
        shape = f"M{x} {y}l{-size} {size * 1.6 * (1 if up else -1)}h{size * 2}z"
    sheet.path(shape, fill=colour)


def add_volumes(
    sheet: Sheet, stops: Sequence[Stop], worst: Stop | None, y: float, frame: Frame | None = None
) -> float:
    """Bars of customers, arrows of those who go no further, and how long the others take; gives where it ends."""
    frame = frame or even_frame(len(stops))
    ground = y + 26 + frame.bar
    row_name(sheet, "Customers", "share of all", ground - 24)
    row_name(sheet, "Go no further", "share, 95% interval", ground + 40)
    row_name(sheet, "Go further", "median time", ground + frame.leak + 44)
    most = max((stop.lost for stop in stops), default=0)
    for index, stop in enumerate(stops):
        x = frame.lefts[index]
        _bar(sheet, stop, x, ground, frame.bar)
        if math.isnan(stop.drop_off[0]):
            sheet.text(x + 8, ground + 30, "–", ink="muted")
        else:
            _leak(
                sheet, stop, x, ground, frame.leak, stop.lost / max(most, 1), stop is worst and stop.lost > 0
            )
        end = None if index == len(stops) - 1 else frame.end(index)
        _onward(sheet, stop, x, ground + frame.leak + 40, end)
    rule(sheet, ground)
    rule(sheet, ground + frame.leak + 14, pale=True)
    return ground + frame.leak + 74


def _bar(sheet: Sheet, stop: Stop, x: float, ground: float, tallest: float) -> None:
    height = tallest * stop.share
    sheet.rect(x + 8, ground - height, 62, height, fill=stop.colour, round_=1)
    number = count_of(stop.customers)
    sheet.text(x + 8, ground - height - 8, number, size=17, weight=600)
    if stop.customers:
        sheet.text(
            x + 14 + width_of(number, 17, bold=True),
            ground - height - 8,
            percent(stop.share),
            size=13,
            ink="muted",
        )


def _leak(sheet: Sheet, stop: Stop, x: float, ground: float, deep: float, part: float, worst: bool) -> None:
    thick = 3 + 21 * part
    head = max(thick * 0.8, 7)
    colour, end = theme.WARN if worst else theme.GREY, ground + deep - 4
    if stop.lost:
        sheet.rect(x + 39 - thick / 2, ground + 1, thick, end - ground - head * 1.5, fill=colour, round_=0)
        arrow(sheet, x + 39, end, up=False, colour=colour, size=head)
    left = x + 39 + head + 9
    sheet.text(
        left, ground + 30, percent(stop.drop_off[0]), size=17, weight=600, ink="warn" if worst else "ink"
    )
    sheet.text(left, ground + 49, span_of_shares(stop.drop_off[1:]), size=12, ink="muted")
    sheet.text(
        left,
        ground + 67,
        f"{count_of(stop.lost)} customers" if stop.lost != 1 else "1 customer",
        size=12,
        ink="muted",
    )


def _onward(sheet: Sheet, stop: Stop, x: float, y: float, end: float | None) -> None:
    if not stop.went:
        sheet.text(x + 8, y, "–", ink="muted")
        return
    number = count_of(stop.went)
    sheet.text(x + 8, y, number, size=15, weight=600)
    sheet.text(x + 8, y + 19, f"after {in_words(stop.days * 86_400)}", size=12, ink="muted")
    if end is None:
        return
    sheet.path(
        f"M{x + 18 + width_of(number, 15, bold=True):.1f} {y - 5}H{end - 26}",
        stroke=theme.GREY,
        thick=2,
    )
    sheet.path(f"M{end - 16} {y - 5}l-10 -6v12z", fill=theme.GREY)


def add_satisfaction(sheet: Sheet, stops: Sequence[Stop], y: float) -> float:
    """The mean scores as a curve with their intervals, or that there are none; gives where it ends."""
    rule(sheet, y, pale=True)
    top, bottom = y + 18, y + 18 + _SCORES
    scored = [
        (GUTTER + i * COLUMN + 39, stop)
        for i, stop in enumerate(stops)
        if stop.scores and not math.isnan(stop.score[0])
    ]
    if not scored:
        row_name(sheet, "Satisfaction", "", y + 31)
        sheet.text(
            GUTTER + 8,
            y + 31,
            "No scores yet: survey answers with a score will show how content customers are.",
            ink="muted",
        )
        return y + 34
    row_name(sheet, "Satisfaction", "mean score, 95% interval", top + 22)
    low, high = _scale(stop.score for _, stop in scored)

    def place(value: float) -> float:
        return bottom - (min(max(value, low), high) - low) / (high - low) * (bottom - top)

    for value in (low, high):
        sheet.path(f"M{GUTTER} {place(value):.1f}H{WIDTH - MARGIN}", edge=True, dashed=True)
        sheet.text(GUTTER - 8, place(value) + 4, f"{value:g}", size=12, ink="muted", anchor="end")
    add_curve(
        sheet, [(x, place(stop.score[0]), place(stop.score[1]), place(stop.score[2])) for x, stop in scored]
    )
    for x, stop in scored:
        _score(sheet, stop, x, place, bottom)
    return bottom + 50


def _scale(scores: Any) -> tuple[float, float]:
    """The usual scale (1 to 5, 0 to 10, 0 to 100) that holds all scores, else what they span."""
    values = [value for score in scores for value in score if not math.isnan(value)]
    means = values or [0.0]
    for low, high in _SCALES:
        if low <= min(means) and max(means) <= high:
            return low, high
    low, high = math.floor(min(means)), math.ceil(max(means))
    return low, max(high, low + 1)


def add_curve(sheet: Sheet, points: Sequence[tuple[float, ...]]) -> None:
    """Band and line through (x, mean, low, high) in drawing units."""
    if len(points) < 2:
        return
    upper = [(x, mean if math.isnan(high) else high) for x, mean, _, high in points]
    lower = [(x, mean if math.isnan(low) else low) for x, mean, low, _ in points]
    outline = " L".join(f"{x:.1f} {y:.1f}" for x, y in [*upper, *reversed(lower)])
    sheet.path(f"M{outline}z", fill=theme.ACCENT, opacity=0.14)
    sheet.path(
        "M" + " L".join(f"{x:.1f} {mean:.1f}" for x, mean, *_ in points), stroke=theme.ACCENT, thick=2.5
    )


def _score(sheet: Sheet, stop: Stop, x: float, place: Callable[[float], float], bottom: float) -> None:
    mean, low, high = stop.score
    if not math.isnan(low):
        sheet.path(f"M{x} {place(low):.1f}V{place(high):.1f}", stroke=theme.ACCENT, thick=3)
    sheet.dot(x, place(mean), 5.5, theme.ACCENT)
    number = f"{mean:.1f}"
    sheet.text(x - 31, bottom + 26, number, size=16, weight=600)
    sheet.text(x - 25 + width_of(number, 16, bold=True), bottom + 26, _span(stop.score), size=12, ink="muted")
    sheet.text(
        x - 31,
        bottom + 43,
        f"{stop.scores:,} scores" if stop.scores != 1 else "1 score",
        size=12,
        ink="muted",
    )


def add_touchpoints(sheet: Sheet, stops: Sequence[Stop], y: float) -> float:
    """The touchpoints of each stage with their customers, the largest first; gives where it ends."""
    rule(sheet, y, pale=True)
    row_name(sheet, "Touchpoints", "customers who had them", y + 32)
    ends = [y + 60]
    for index, stop in enumerate(stops):
        x, row = GUTTER + index * COLUMN, y + 14
        chips, rest = chips_of(stop, _CHIPS)
        for name, customers in chips:
            _chip(sheet, stop, x + 2, row, name, customers)
            row += 33
        if rest:
            sheet.text(x + 12, row + 15, f"and {rest} more", size=12, ink="muted")
            row += 24
        if not chips:
            sheet.text(x + 8, row + 17, "none in the log", size=12, ink="muted")
        ends.append(row)
    return max(ends)


def _chip(sheet: Sheet, stop: Stop, x: float, y: float, name: str, customers: int) -> None:
    width, part = COLUMN - 14, customers / max(stop.customers, 1)
    count = count_of(customers)
    sheet.rect(x, y, width, 22, ink="track", opacity=0.5)
    sheet.rect(x, y + 22, width, 4, ink="track", round_=0)
    sheet.rect(x, y + 22, width * min(part, 1), 4, fill=stop.colour, round_=0)
    sheet.fitted(x + 7, y + 15.5, name, width - 22 - 8.5 * len(count), size=12.5)
    sheet.text(x + width - 7, y + 15.5, count, size=12.5, anchor="end", weight=600)


def row_name(sheet: Sheet, name: str, about: str, y: float) -> None:
    """A row's name in the gutter, and what its numbers are."""
    sheet.text(MARGIN, y, name, size=14, weight=600)
    for number, line in enumerate(wrapped(about, 11.5, GUTTER - MARGIN - 22)):
        sheet.text(MARGIN, y + 17 + 15 * number, line, size=11.5, ink="muted")


def rule(sheet: Sheet, y: float, *, pale: bool = False) -> None:
    """A line across the sheet, under a row."""
    line = f"M{GUTTER if not pale else MARGIN} {y}H{sheet.width - MARGIN}"
    sheet.path(line, edge=pale, stroke=theme.GREY, thick=1)


def percent(share: float) -> str:
    """A share in whole percent, the smallest and largest ones exactly."""
    return written("share", round(share, 2) if 0.01 <= share <= 0.99 else share)


def span_of_shares(ends: Sequence[float]) -> str:
    """An interval of shares in brackets; empty where there is none."""
    low, high = ends
    digits = 0 if high - low >= 0.02 else 1
    return "" if math.isnan(low) else f"({low * 100:.{digits}f}–{high * 100:.{digits}f}%)"


def _span(score: Sequence[float]) -> str:
    return "" if math.isnan(score[1]) else f"({score[1]:.1f}–{score[2]:.1f})"
