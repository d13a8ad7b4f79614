"""The picture that people know: what a feature's lack does across, what its presence does up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wayfare.analyses.kano._categories import COLOURS, plural
from wayfare.analyses.kano._kano_tables import ENOUGH
from wayfare.analyses.kano._labels import placed
from wayfare.charts import plots, theme
from wayfare.charts.lettering import clipped
from wayfare.charts.picture import VegaPicture
from wayfare.stats.kano import CATEGORIES
from wayfare.stats.kano_inference import coefficient_ellipses

if TYPE_CHECKING:
    import pandas as pd

    from wayfare.analyses.kano.kano import KanoResult

SIDE, FONT = 540, 11.5
MANY = 15
"""From this many features on ellipses are pale: they would hide each other."""

_CORNERS = {"A": (-0.015, 0.985), "O": (-0.985, 0.985), "M": (-0.985, 0.015), "I": (-0.015, 0.015)}


def plane(result: KanoResult) -> VegaPicture | None:
    """The features on the plane of CS− and CS+."""
    import altair as alt

    frame = _points(result)
    if frame.empty:
        return None
    frame, missing = _labelled(frame)
    x = alt.X(
        "cs_minus:Q",
        scale=alt.Scale(domain=[-1, 0], reverse=True),
        title="CS−: how far its lack dissatisfies →",
        axis=alt.Axis(values=[0, -0.25, -0.5, -0.75, -1], grid=False, format=".2~f"),
    )
    y = alt.Y(
        "cs_plus:Q",
        scale=alt.Scale(domain=[0, 1]),
        title="CS+: how far its presence satisfies →",
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], grid=False, format=".2~f"),
    )
    colours = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    colour = alt.Color("category:N", legend=None, scale=colours)
    base = alt.Chart(frame).encode(x=x, y=y, color=colour)
    layers = [*_quadrants(alt), _ellipses(alt, frame, colours), *_marks(alt, base, frame)]
    chart = alt.layer(*layers).properties(width=SIDE, height=SIDE)
    return plots.picture(chart, result.findings[0].text, _subtitle(frame), _note(frame, missing))


def _points(result: KanoResult) -> pd.DataFrame:
    """One row a feature that has a place on the plane."""
    frame = result.features.to_pandas()
    frame["importance"] = result.scores["importance"].to_pandas().to_numpy(dtype=float)
    frame = frame[frame["cs_plus"].notna()].reset_index(drop=True)
    low, high = frame["importance"].min(), frame["importance"].max()
    spread = (frame["importance"] - low) / (high - low) if high > low else frame["importance"] * 0 + 0.5
    frame["radius"] = np.sqrt(18 + 90 * spread.fillna(0.25 if frame["importance"].isna().all() else 0.0))
    frame["size"] = np.pi * frame["radius"] ** 2
    frame["few"] = frame["n"] < ENOUGH
    return frame


def _labelled(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The points with the place of their names on the plane, and how many names found none."""
    names = [clipped(name, FONT, 190) for name in frame["feature"]]
    points = [
        (-m * SIDE, (1 - p) * SIDE, r)
        for m, p, r in zip(frame["cs_minus"], frame["cs_plus"], frame["radius"], strict=True)
    ]
    found = placed(points, names, FONT, SIDE, SIDE)
    frame = frame.assign(name="", label_x=np.nan, label_y=np.nan, left=False, leader=False)
    for label in found:
        columns = ["name", "label_x", "label_y", "left", "leader"]
        frame.loc[label.number, columns] = [names[label.number], -label.x / SIDE, 1 - label.y / SIDE, label.left,
                                            label.leader]  # fmt: skip
    return frame, len(frame) - len(found)


def _quadrants(alt: Any) -> list[Any]:
    half = alt.Chart(alt.Data(values=[{"cs_minus": -0.5, "cs_plus": 0.5}]))
    rule = half.mark_rule(color=theme.PALE, strokeDash=[4, 4])
    corners = [
        {
            "cs_minus": x,
            "cs_plus": y,
            "category": letter,
            "text": plural(letter).capitalize(),
            "left": x > -0.5,
        }
        for letter, (x, y) in _CORNERS.items()
    ]
    layers = [rule.encode(x="cs_minus:Q"), rule.encode(y="cs_plus:Q")]
    for letter, corner in zip(_CORNERS, corners, strict=True):
        across, up = _CORNERS[letter]
        text = alt.Chart(alt.Data(values=[corner])).mark_text(
            align="left" if across > -0.5 else "right", baseline="top" if up > 0.5 else "bottom",
            fontSize=13, fontWeight=600, opacity=0.75, color=COLOURS[letter],
        )  # fmt: skip
        layers.append(text.encode(x="cs_minus:Q", y="cs_plus:Q", text="text:N"))
    return layers


def _ellipses(alt: Any, frame: pd.DataFrame, colours: Any) -> Any:
    import pandas as pd

    counts = frame[list(CATEGORIES)].to_numpy(dtype=float)
    outlines = coefficient_ellipses(counts).outline
    parts = [
        pd.DataFrame({"feature": name, "category": category, "cs_minus": line[:, 0], "cs_plus": line[:, 1],
                      "point": np.arange(len(line))})
        for name, category, line in zip(frame["feature"], frame["category"], outlines, strict=True)
    ]  # fmt: skip
    pale = len(frame) > MANY or frame["few"].all()
    kinds = {
        name: encode("category:N", legend=None, scale=colours)
        for name, encode in (("color", alt.Color), ("fill", alt.Fill))
    }
    shape = alt.Chart(pd.concat(parts)).mark_line(
        fillOpacity=0.05 if pale else 0.12, strokeOpacity=0.25 if pale else 0.7, strokeWidth=1,
        interpolate="linear-closed",
    )  # fmt: skip
    return shape.encode(x="cs_minus:Q", y="cs_plus:Q", detail="feature:N", order="point:Q", **kinds)


def _marks(alt: Any, base: Any, frame: pd.DataFrame) -> list[Any]:
    tips = [
        "feature:N",
        "category:N",
        "n:Q",
        alt.Tooltip("cs_plus:Q", format=".2f"),
        alt.Tooltip("cs_minus:Q", format=".2f"),
    ]
    points = base.mark_point(filled=True, stroke="white", strokeWidth=1).encode(
        size=alt.Size("size:Q", legend=None, scale=None),
        opacity=alt.condition("datum.few", alt.value(0.35), alt.value(0.9)),
        tooltip=tips,
    )
    layers = []
    if frame["leader"].any():
        lines = base.transform_filter("datum.leader").mark_rule(strokeWidth=0.75, opacity=0.6)
        layers.append(lines.encode(x2="label_x:Q", y2="label_y:Q"))
    layers.append(points)
    for left, align in ((False, "left"), (True, "right")):
        text = base.transform_filter(f"datum.left == {str(left).lower()} && datum.name != ''").mark_text(
            align=align, baseline="middle", fontSize=FONT, dx=-2 if left else 2
        )
        layers.append(text.encode(x=alt.X("label_x:Q"), y=alt.Y("label_y:Q"), text="name:N"))
    return layers


def _subtitle(frame: pd.DataFrame) -> str:
    size = "" if frame["importance"].isna().all() else " A larger point is more important to respondents."
    return f"Each feature with the ellipse that holds its true place with 95% confidence; colour is the category.{size}"


def _note(frame: pd.DataFrame, missing: int) -> str:
    low, high = int(frame["n"].min()), int(frame["n"].max())
    note = f"n = {low:,} answers each." if low == high else f"n = {low:,} to {high:,} answers each."
    if frame["few"].any():
        note += f" Pale: under {ENOUGH} answers, too few to say."
    return note + (f" {missing} names found no room: see the table." if missing else "")
