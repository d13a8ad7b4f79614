"""The picture of a satisfaction figure: a dot a group with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from wayfare.charts import theme
from wayfare.charts.picture import VegaPicture
from wayfare.charts.plots import picture

if TYPE_CHECKING:
    from wayfare.analyses.satisfaction._scores import ScoresResult

_MOST = 24
_ORDER = ("all", "weighted", "touchpoint", "stage", "month")


def dots(result: ScoresResult) -> VegaPicture:
    """In all, by touchpoint and by month, one row each; those that differ beyond chance in colour."""
    import altair as alt

    definition, unit = (row["text"] for row in result.definition.to_pylist()[:2])
    frame = _drawn(result.scores.to_pandas(), unit)
    axis = alt.Axis(tickCount=6, format="%" if unit == "share" else "")
    across = alt.X("score:Q", title="", scale=alt.Scale(zero=False), axis=axis)
    name = alt.Y("name:N", sort=list(frame["name"]), title="", axis=alt.Axis(labelLimit=240))
    base = alt.Chart(frame).encode(y=name)
    whole = float(frame["score"].iloc[0])
    rule = (
        alt.Chart(pd.DataFrame({"score": [whole]}))
        .mark_rule(color=theme.PALE, strokeWidth=2)
        .encode(x=across)
    )
    colour = alt.Color("colour:N", scale=None)
    spans = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=""), x2="high:Q", color=colour)
    points = base.mark_circle(size=90, opacity=1).encode(x=across, color=colour)
    words = base.mark_text(align="left", dx=8, fontSize=11, color=theme.MUTED).encode(
        x="high:Q", text="label:N"
    )
    chart = alt.layer(rule, spans, points, words).properties(width=theme.WIDTH - 220, height={"step": 30})
    note = (
        "95% intervals; the line is all answers. Orange and blue: lower and higher than the other answers of the kind, "
        "or than the month before, beyond chance (Holm). Observational."
    )
    return picture(chart, result.findings[0].text, definition, note)


def _drawn(scores: pd.DataFrame, unit: str) -> pd.DataFrame:
    """All answers, then the largest groups of each kind, months in their order."""
    kinds = [
        *(k for k in _ORDER if k in set(scores["dimension"])),
        *sorted(set(scores["dimension"]) - set(_ORDER)),
    ]
    room = max((_MOST - 2) // max(len(kinds) - 2, 1), 4)
    parts = [scores[scores["dimension"] == kind] for kind in kinds if kind != "stage"]
    parts = [part.tail(room) if part["dimension"].iloc[0] == "month" else part.head(room) for part in parts]
    frame = pd.concat(parts)
    frame["name"] = frame["group"]
    frame["label"] = [_label(row, unit) for row in frame.to_dict("records")]
    frame["colour"] = [_colour(row) for row in frame.to_dict("records")]
    return frame.drop(columns=["p_adjusted", "response_rate"])


def _label(row: dict[str, Any], unit: str) -> str:
    written = {"share": "{:.0%}", "points": "{:.0f}"}.get(unit, "{:.2f}").format(row["score"])
    return f"{written} · n {row['n']:,}".replace("-", "−")


def _colour(row: dict[str, Any]) -> str:
    if row["dimension"] in ("all", "weighted") or not row["p_adjusted"] < 0.05:
        return theme.INK if row["dimension"] == "all" else theme.GREY
    return theme.ACCENT if row["difference"] > 0 else theme.WARN
