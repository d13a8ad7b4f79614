"""The picture of `activity_effects`: a dot and its interval for each activity and outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wayfare.analyses.value_chain._effect_words import is_sure
from wayfare.charts import theme
from wayfare.charts.picture import Picture

SHORT = {
    "conversion": "first order",
    "repurchase": "next order",
    "referral": "referral",
    "satisfaction": "satisfaction",
}
SHOWN = 16
_LETTERS = 30
_LABEL = 330


def drawn(effects: Sequence[dict[str, Any]], title: str) -> Picture | None:
    """The activities in the table's order, each with its outcomes; effects beyond chance in colour."""
    import altair as alt
    import pandas as pd

    from wayfare.charts.plots import picture

    rows = _rows(effects)
    if not rows:
        return None
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        y=alt.Y(
            "name:N", sort=list(frame["name"]), title=None, axis=alt.Axis(labelPadding=6, labelLimit=_LABEL)
        ),
        color=alt.Color("colour:N", scale=None),
    )
    axis = alt.Axis(format="+.3~r", tickCount=5)
    across = alt.X("low:Q", title="Percentage points", axis=axis, scale=alt.Scale(zero=True))
    zero = alt.Chart(pd.DataFrame({"none": [0.0]})).mark_rule(color=theme.MUTED).encode(x="none:Q")
    label = alt.Text("label:N")
    layers = [
        zero,
        base.mark_rule(strokeWidth=2).encode(x=across, x2="high:Q"),
        base.mark_circle(size=80, opacity=1).encode(x="value:Q"),
        base.mark_text(align="left", dx=8, fontSize=11).encode(
            x="high:Q", text=label, color=alt.value(theme.MUTED)
        ),
    ]
    chart = alt.layer(*layers).properties(width=theme.WIDTH - 330, height={"step": 26})
    subtitle = "How much more often customers did it where the activity met its target than like customers where it missed; satisfaction: points of 100; 95% intervals"
    note = "Observational. Blue: more, orange: less, beyond chance (Holm); n: customers where it missed"
    return picture(chart, title, subtitle, note)


def _rows(effects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    known = [row for row in effects if row["effect"] is not None and not math.isnan(row["effect"])]
    places = {name: place for place, name in reversed(list(enumerate(row["activity"] for row in known)))}
    known.sort(key=lambda row: places[row["activity"]])
    short = {row["activity"]: _cut(row["text"]) for row in known}
    rows = []
    for row in known[:SHOWN]:
        text = short[row["activity"]]
        if list(short.values()).count(text) > 1:
            text = _cut(row["activity"])
        sign = (1 if row["effect"] > 0 else -1) if is_sure(row) else 0
        value, low, high = (100 * row[name] for name in ("effect", "low", "high"))
        rows.append({
            "name": f"{text} → {SHORT[row['outcome']]}", "value": value, "low": low, "high": high,
            "colour": {1: theme.ACCENT, 0: theme.GREY, -1: theme.WARN}[sign],
            "label": f"{value:+.1f}  (n = {row['missed']:,})".replace("-", "−"),
        })  # fmt: skip
    return rows


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1].rstrip(' ,')}…"
