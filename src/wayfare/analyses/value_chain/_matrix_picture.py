"""Cost against value: a dot an activity, its interval, its name beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wayfare.analyses.value_chain._matrix_classes import BOTTLENECK, ORDINARY
from wayfare.analyses.value_chain._matrix_facts import EFFECT, UNKNOWN
from wayfare.charts import plots, theme
from wayfare.charts.lettering import clipped, width_of
from wayfare.charts.picture import VegaPicture

if TYPE_CHECKING:
    from wayfare.analyses.value_chain.value_matrix import ValueMatrixResult

_WIDTH, _HEIGHT, _SIZE, _GAP = 600.0, 400.0, 11.0, 8.0
_LINE = 14.0
_SHOWN = 30
_LONGEST = 240.0
_Box = tuple[float, float, float, float]
_QUADRANTS = (
    (4.0, 14.0, "left", "costs little, brings much"),
    (_WIDTH - 4, 14.0, "right", "costs much, brings much"),
    (4.0, _HEIGHT - 8, "left", "costs little, brings little"),
    (_WIDTH - 4, _HEIGHT - 8, "right", "costs much, brings little"),
)


@dataclass(frozen=True)
class _Axis:
    """A square-root scale from `low` to `high` over `length` points; small and large amounts both find room."""

    low: float
    high: float
    length: float
    upward: bool = False

    def at(self, value: float) -> float:
        """Where a value is, in points from the left or the top."""
        low, high, here = (_root(v) for v in (self.low, self.high, value))
        share = (here - low) / (high - low)
        return self.length * (1 - share if self.upward else share)

    def value(self, point: float) -> float:
        """The value at a point."""
        share = 1 - point / self.length if self.upward else point / self.length
        low, high = _root(self.low), _root(self.high)
        root = low + share * (high - low)
        return float(np.sign(root) * root**2)


def _root(value: float) -> float:
    return float(np.sign(value) * np.sqrt(abs(value)))


def scatter(result: ValueMatrixResult) -> VegaPicture | None:
    """Cost across and value up, on square-root scales; bottlenecks in colour."""
    rows = [row for row in result.matrix.to_pylist() if row["basis"] != UNKNOWN]
    if not rows:
        return None
    drawn = sorted(
        rows,
        key=lambda row: (row["class"] == ORDINARY, -max(row["cost"], abs(row["value"])), row["activity"]),
    )
    drawn = drawn[:_SHOWN]
    across, up = _axes(drawn)
    left_out = result.matrix.num_rows - len(rows)
    return plots.picture(
        _layers(drawn, across, up),
        result.findings[0].text,
        "Money a year, on square-root scales: cost across, value up with 95% intervals. Filled: by its effect; hollow: orders it touches, "
        "not shown to be its doing. Blue: a bottleneck. Lines: medians",
        _note(len(drawn), len(rows), left_out),
    )


def _note(drawn: int, known: int, left_out: int) -> str:
    shown = f"n = {drawn} activities" if drawn == known else f"{drawn} of {known} activities"
    apart = f"; {left_out} of unknown value {'is' if left_out == 1 else 'are'} not drawn" if left_out else ""
    return f"{shown}{apart}. Not an experiment."


def _axes(rows: Sequence[dict[str, Any]]) -> tuple[_Axis, _Axis]:
    ends = [
        row[name] for row in rows for name in ("value", "value_low", "value_high") if row[name] is not None
    ]
    most = max(*(row["cost"] for row in rows), 1.0)
    low, high = min(*ends, 0.0), max(*ends, 1.0)
    return _Axis(0.0, most * 1.15, _WIDTH), _Axis(low * 1.3, high * 1.3, _HEIGHT, upward=True)


def _layers(rows: Sequence[dict[str, Any]], across: _Axis, up: _Axis) -> Any:
    import altair as alt
    import pandas as pd

    frame = pd.DataFrame(
        [
            {
                name: row[name]
                for name in ("activity", "text", "cost", "value", "value_low", "value_high", "class")
            }
            | {"colour": theme.ACCENT if BOTTLENECK in row["class"] else theme.GREY, "fill": _fill(row)}
            for row in rows
        ]
    )
    x = alt.X(
        "cost:Q", title="Cost", scale=_scale(across), axis=alt.Axis(format=",.3~s", tickCount=6, grid=False)
    )
    y = alt.Y(
        "value:Q", title="Value", scale=_scale(up), axis=alt.Axis(format=",.3~s", tickCount=6, grid=False)
    )
    base = alt.Chart(frame).encode(x=x, y=y)
    middle = pd.DataFrame({"cost": [frame["cost"].median()], "value": [frame["value"].median()]})
    lines = [
        alt.Chart(middle).mark_rule(color=theme.PALE).encode(x=x),
        alt.Chart(middle).mark_rule(color=theme.PALE).encode(y=y),
    ]
    zero = alt.Chart(pd.DataFrame({"value": [0.0]})).mark_rule(color=theme.MUTED, strokeWidth=0.5).encode(y=y)
    spans = base.transform_filter("isValid(datum.value_low)").mark_rule(strokeWidth=1.5, opacity=0.6)
    dots = base.mark_point(size=80, filled=True, opacity=1, strokeWidth=1.8)
    colour = alt.Color("colour:N", scale=None)
    return alt.layer(
        *lines,
        zero,
        *_words([(px, py, align, text, theme.GREY) for px, py, align, text in _QUADRANTS], across, up, x, y),
        spans.encode(y=alt.Y("value_low:Q", scale=_scale(up)), y2="value_high:Q", color=colour),
        dots.encode(stroke=alt.Stroke("colour:N", scale=None), fill=alt.Fill("fill:N", scale=None)),
        *_words(_labels(rows, across, up), across, up, x, y),
    ).properties(width=_WIDTH, height=_HEIGHT)


def _fill(row: dict[str, Any]) -> str:
    if row["basis"] != EFFECT:
        return "white"
    return theme.ACCENT if BOTTLENECK in row["class"] else theme.GREY


def _scale(axis: _Axis) -> Any:
    import altair as alt

    return alt.Scale(type="sqrt", domain=[axis.low, axis.high], nice=False, zero=False)


def _words(
    placed: Sequence[tuple[float, float, str, str, str]], across: _Axis, up: _Axis, x: Any, y: Any
) -> list[Any]:
    """Text at points; one layer for each alignment."""
    import altair as alt
    import pandas as pd

    layers = []
    for align in ("left", "right", "center"):
        data = [
            {"cost": across.value(px), "value": up.value(py), "words": text, "ink": ink}
            for px, py, its, text, ink in placed
            if its == align
        ]
        if data:
            mark = alt.Chart(pd.DataFrame(data)).mark_text(align=align, baseline="middle", fontSize=_SIZE)
            layers.append(mark.encode(x=x, y=y, text="words:N", color=alt.Color("ink:N", scale=None)))
    return layers


def _labels(
    rows: Sequence[dict[str, Any]], across: _Axis, up: _Axis
) -> list[tuple[float, float, str, str, str]]:
    """A name for each dot where there is room for it beside, above or below; none over another or over a dot."""
    dots = [(across.at(row["cost"]), up.at(row["value"])) for row in rows]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in dots]
    for x, y, align, text in _QUADRANTS:
        width = width_of(text, _SIZE)
        taken.append((x, y - 8, x + width, y + 8) if align == "left" else (x - width, y - 8, x, y + 8))
    taken += [
        (x - 1, up.at(row["value_high"]), x + 1, up.at(row["value_low"]))
        for (x, _), row in zip(dots, rows, strict=True)
        if row["value_low"] is not None
    ]
    taken.append((0.0, up.at(0.0) - 1, _WIDTH, up.at(0.0) + 1))
    placed = []
    for (x, y), row in zip(dots, rows, strict=True):
        for lines in _wordings(row):
            width = max(width_of(line, _SIZE) for line in lines)
            spot = _spot(x, y, width, _LINE * len(lines), taken)
            if spot is not None:
                px, py, align, box = spot
                taken.append(box)
                inks = (theme.INK, theme.MUTED)
                placed += [(px, py + n * _LINE, align, line, inks[n]) for n, line in enumerate(lines)]
                break
    return placed


def _wordings(row: dict[str, Any]) -> Iterator[list[str]]:
    """What may stand beside a dot, from its name and classes to as much of its name as tells it apart."""
    name = " ".join(row["text"].split())
    if row["class"] != ORDINARY:
        yield [clipped(name, _SIZE, _LONGEST), row["class"].replace("_", "-")]
    yield [clipped(name, _SIZE, _LONGEST)]
    yield [clipped(name, _SIZE, _LONGEST / 2)]


def _spot(
    x: float, y: float, width: float, height: float, taken: Sequence[_Box]
) -> tuple[float, float, str, _Box] | None:
    """The first free place for lines of text near a dot: the middle of the first line, and the box of all."""
    for dy in (0.0, -10.0, 10.0, -20.0, 20.0):
        for px, align, left in ((x + _GAP, "left", x + _GAP), (x - _GAP, "right", x - _GAP - width)):
            top = y + dy - _LINE / 2
            box = (left, top, left + width, top + height)
            inside = box[0] >= 0 and box[2] <= _WIDTH and box[1] >= 0 and box[3] <= _HEIGHT
            if inside and not any(_overlap(box, other) for other in taken):
                return px, y + dy, align, box
    return None


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
