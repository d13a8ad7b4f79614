"""The picture of the emotion curve: three strands along the stages, their numbers below, and what is said at the ends."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from wayfare.analyses.satisfaction._emotion_tables import FEW, STRANDS, UNREAD
from wayfare.analyses.satisfaction._emotion_words import LABELS, felt_strand, lowest_of, stands_out, written
from wayfare.charts import theme
from wayfare.charts.picture import VegaPicture
from wayfare.charts.plots import picture

if TYPE_CHECKING:
    from wayfare.analyses.satisfaction.emotion import EmotionResult

_HEIGHT, _LINE, _BELOW = 300, 17, 46
_WIDTH = theme.WIDTH - 60
_COLOURS = {"scores": theme.ACCENT, "sentiment": "#00795A", "friction": "#B34700"}
_APART = {"scores": -0.09, "sentiment": 0.09, "friction": 0.0}
_WRAP = 96
Row = dict[str, Any]


def curve_picture(result: EmotionResult) -> VegaPicture | None:
    """Stages across, −1 to 1 up; None where no strand has an interval anywhere."""
    import altair as alt
    import pandas as pd

    curve = result.curve.to_pylist()
    known = _known(curve)
    if not known:
        return None
    frame = pd.DataFrame(known)
    up = alt.Y("value:Q", title="", scale=alt.Scale(domain=[-1, 1]), axis=_up_axis())
    across = alt.X("x:Q", title="", scale=alt.Scale(domain=[-0.4, 5.4], nice=False), axis=_across_axis())
    colour = alt.Color("colour:N", scale=None)
    base = alt.Chart(frame).encode(x=across, color=colour)
    neutral = (
        alt.Chart(pd.DataFrame({"value": [0.0]})).mark_rule(color=theme.GREY, strokeWidth=1.2).encode(y=up)
    )
    layers: list[Any] = [
        neutral,
        base.mark_area(opacity=0.14).encode(y=alt.Y("low:Q", title=""), y2="high:Q", detail="piece:N"),
        base.mark_line(strokeWidth=2.2).encode(y=up, detail="piece:N"),
        base.mark_rule(strokeWidth=1.6).encode(y=alt.Y("low:Q", title=""), y2="high:Q"),
        base.mark_circle(size=70, opacity=1).encode(y=up),
        *_names(known),
        *_lowest(known),
        *_numbers(curve),
        *_quotes(result),
    ]
    chart = alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT)
    reader = next((row["reader"] for row in result.readers.to_pylist() if row["chosen"]), "")
    read = {
        "vader": "read by VADER",
        "model": "read by the model of these comments",
        "": "not scored: no reader predicts ratings",
    }
    subtitle = (
        f"Scores on their question's own scale; sentiment of comments, {read[reader]}; friction: minus the share of "
        "customers at the stage who met it. The strands are not joined into one."
    )
    note = "Bands and bars: 95% intervals. Below: value · n (of friction: customers). Observational."
    title, _, more = result.findings[0].text.partition(". ")
    return picture(chart, f"{title.rstrip('.')}.", subtitle, f"{more} {note}".strip())


def _known(curve: list[Row]) -> list[Row]:
    """The points with an interval; neighbouring stages of a strand are one piece of line."""
    stages = list(LABELS)
    found = []
    for strand in STRANDS:
        piece, last = 0, -9
        for row in (r for r in curve if r["strand"] == strand and r["low"] is not None):
            place = stages.index(row["stage"])
            piece, last = piece + (place != last + 1), place
            colour = _COLOURS[strand]
            x = place + _APART[strand]
            found.append({**row, "place": place, "x": x, "piece": f"{strand} {piece}", "colour": colour})
    return found


def _up_axis() -> Any:
    import altair as alt

    said = "datum.value == 1 ? 'best  +1' : datum.value == -1 ? 'worst  −1' : datum.value == 0 ? 'neutral  0' : replace(format(datum.value, '+.1f'), '-', '−')"
    return alt.Axis(values=[-1, -0.5, 0, 0.5, 1], labelExpr=said)


def _across_axis() -> Any:
    import altair as alt

    names = ", ".join(f"'{label}'" for label in LABELS.values())
    return alt.Axis(
        values=list(range(len(LABELS))), grid=False, labelExpr=f"[{names}][datum.value]", offset=6
    )


def _text(x: Any, y: Any, text: str, colour: str, **marked: Any) -> Any:
    """One text, at a value of the axes or, as `alt.value`, at a place on the sheet."""
    import altair as alt
    import pandas as pd

    at = {
        "x": x if isinstance(x, dict) else alt.X("x:Q"),
        "y": y if isinstance(y, dict) else alt.Y("y:Q"),
    }
    frame = pd.DataFrame({"x": [0 if isinstance(x, dict) else x], "y": [0 if isinstance(y, dict) else y]})
    return alt.Chart(frame).mark_text(text=text, color=colour, **{"fontSize": 11, **marked}).encode(**at)


def _names(known: list[Row]) -> list[Any]:
    """Each strand's name at its last point, kept apart from the others there."""
    last = {row["strand"]: row for row in known}
    layers, taken = [], dict[int, list[float]]()
    for strand, row in sorted(last.items(), key=lambda item: item[1]["value"]):
        y = row["value"]
        below = taken.setdefault(row["place"], [])
        y = max(y, below[-1] + 0.1) if below else y
        below.append(y)
        lift = -9 if abs(y) < 0.06 else 0  # off the neutral line
        layers.append(
            _text(
                row["place"] + 0.12, y, strand, _COLOURS[strand], align="left", dx=7, dy=lift, fontWeight=600
            )
        )
    return layers


def _lowest(known: list[Row]) -> list[Any]:
    """The lowest point of the strand that findings speak of, named beside it where it stands out."""
    strand = felt_strand(known)
    its = [row for row in known if row["strand"] == strand]
    worst = lowest_of(its)
    if worst is None or not stands_out(its):
        return []
    text = f"lowest {written(worst['value'])}"
    left = strand == "scores"  # scores stand left of the others, sentiment right of them
    marked = {"align": "right" if left else "left", "dx": -9 if left else 9, "dy": 15}
    halo = _text(worst["x"], worst["value"], text, "white", stroke="white", strokeWidth=4, **marked)
    return [halo, _text(worst["x"], worst["value"], text, theme.INK, fontWeight=600, **marked)]


def _numbers(curve: list[Row]) -> list[Any]:
    """Under the stages, a line for each strand: value and n."""
    stages, layers = list(LABELS), []
    for line, strand in enumerate(STRANDS):
        y = {"value": _HEIGHT + _BELOW + line * _LINE}
        layers.append(_text({"value": -8}, y, strand, _COLOURS[strand], align="right", fontWeight=600))
        for row in (r for r in curve if r["strand"] == strand):
            sure = row["low"] is not None
            n = row["customers"] if strand == "friction" else row["n"]
            words = (
                f"{written(row['value'])} · {n:,}"
                if sure
                else f"too few: {n:,}"
                if row["note"] == FEW
                else "–"
            )
            if row["note"] == UNREAD:
                words = f"unscored: {n:,}"
            layers.append(
                _text(stages.index(row["stage"]), y, words, _COLOURS[strand] if sure else theme.GREY)
            )
    return layers


def _quotes(result: EmotionResult) -> list[Any]:
    """Under the numbers: the comment closest to the lowest- and to the highest-rated theme."""
    rated = [row for row in result.themes.to_pylist() if row["low"] is not None]
    if not rated:
        return []
    ends = {
        "Rated lowest": min(rated, key=lambda row: row["mean_rating"]),
        "Rated highest": max(rated, key=lambda row: row["mean_rating"]),
    }
    layers, y = [], _HEIGHT + _BELOW + len(STRANDS) * _LINE + 14
    for lead, row in list(ends.items())[: 2 if len(rated) > 1 else 1]:
        stage = LABELS.get(row["stage"], "no stage").lower()
        text = f"{lead} ({written(row['mean_rating'])}, {row['comments']:,} comments, mostly {stage}): “{row['quote']}”"
        for part in textwrap.wrap(text, _WRAP):
            layers.append(_text({"value": -64}, {"value": y}, part, theme.INK, align="left", fontSize=12))
            y += _LINE
    return layers
