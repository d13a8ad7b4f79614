"""Ranges of dots: what several models say of the same things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from wayfare.charts import theme
from wayfare.charts.picture import VegaPicture
from wayfare.charts.plots import picture

SHOWN = 14


def model_ranges(credit: pa.Table, *, title: str, note: str = "") -> VegaPicture:
    """One row a channel, one dot a model, the span of the models drawn; last touch and Markov in colour.

    Args:
        credit: Rows of `model`, `channel` and `conversions`.
        title: The finding.
        note: n and source.
    """
    import altair as alt

    frame = credit.select(["model", "channel", "conversions"]).to_pandas()
    spans = frame.groupby("channel")["conversions"].agg(["min", "max"]).reset_index()
    spans = spans.sort_values(["max", "channel"], ascending=[False, True]).head(SHOWN)
    spans["label"] = [_label(frame[frame["channel"] == channel]) for channel in spans["channel"]]
    frame = frame[frame["channel"].isin(spans["channel"])]
    order = list(spans["channel"])
    y = alt.Y("channel:N", sort=order, title=None, axis=alt.Axis(labelPadding=6))
    span = alt.Chart(spans).encode(y=y)
    rule = span.mark_rule(color=theme.PALE, strokeWidth=3).encode(x=_across("min"), x2="max:Q")
    label = span.mark_text(align="left", dx=10, color=theme.MUTED, fontSize=11).encode(
        x="max:Q", text="label:N"
    )
    layers: list[Any] = [rule]
    for models, colour, size in (
        ((), theme.GREY, 45),
        (("last",), theme.WARN, 90),
        (("markov",), theme.ACCENT, 90),
    ):
        part = (
            frame[frame["model"].isin(models)] if models else frame[~frame["model"].isin(("last", "markov"))]
        )
        layers.append(alt.Chart(part).mark_circle(color=colour, size=size, opacity=1).encode(y=y, x=_across("conversions"),
                      tooltip=["model", "channel", "conversions"]))  # fmt: skip
    chart = alt.layer(*layers, label).properties(width=theme.WIDTH - 220, height={"step": 30})
    used = set(frame["model"])
    shown = [
        text
        for model, text in (("last", "last touch in orange"), ("markov", "Markov in blue"))
        if model in used
    ]
    subtitle = ", ".join(["Conversions credited to each channel: a dot for each model", *shown])
    return picture(chart, title, subtitle, note)


def _across(column: str) -> Any:
    import altair as alt

    return alt.X(
        f"{column}:Q",
        title="Conversions",
        axis=alt.Axis(format=",.3~s", tickCount=5),
        scale=alt.Scale(zero=True),
    )


def _label(rows: Any) -> str:
    """What last touch and Markov say of one channel; the range where neither was computed."""
    by_model = dict(zip(rows["model"], rows["conversions"], strict=True))
    said = [
        f"{name} {by_model[model]:,.0f}"
        for model, name in (("last", "last"), ("markov", "Markov"))
        if model in by_model
    ]
    return " · ".join(said) or f"{rows['conversions'].min():,.0f} to {rows['conversions'].max():,.0f}"


def lift_ranges(
    rows: Sequence[Mapping[str, Any]], *, title: str, subtitle: str = "", note: str = ""
) -> VegaPicture:
    """Differences of shares with their intervals around a line at none; those beyond chance in colour.

    Args:
        rows: `name`, `value`, `low`, `high` (shares), `n`, and `sign`: 1 or -1 beyond chance, 0 within it. Those
            beyond chance are drawn first, the largest effects (value · n) on top.
        title: The finding.
        subtitle: What is drawn.
        note: n and source.
    """
    import altair as alt
    import pandas as pd

    chosen = sorted(rows, key=lambda row: (row["sign"] == 0, -abs(row["value"] * row["n"]), row["name"]))[
        :SHOWN
    ]
    chosen.sort(key=lambda row: (-row["value"] * row["n"], row["name"]))
    colours = {1: theme.ACCENT, 0: theme.GREY, -1: theme.WARN}
    frame = pd.DataFrame(
        [
            {
                **row,
                "colour": colours[row["sign"]],
                "label": f"{row['value'] * 100:+.1f}  (n = {row['n']:,})".replace("-", "−"),
            }
            for row in chosen
        ]
    )
    for name in ("value", "low", "high"):
        frame[name] = 100 * frame[name]
    base = alt.Chart(frame).encode(
        y=alt.Y("name:N", sort=list(frame["name"]), title=None, axis=alt.Axis(labelPadding=6)),
        color=alt.Color("colour:N", scale=None),
    )
    across = alt.X(
        "low:Q",
        title="Percentage points",
        axis=alt.Axis(format="+.3~r", tickCount=6),
        scale=alt.Scale(zero=True),
    )
    zero = alt.Chart(pd.DataFrame({"none": [0.0]})).mark_rule(color=theme.MUTED).encode(x="none:Q")
    layers = [
        zero,
        base.mark_rule(strokeWidth=2).encode(x=across, x2="high:Q"),
        base.mark_circle(size=80, opacity=1).encode(x="value:Q"),
        base.mark_text(align="left", dx=8, fontSize=11).encode(
            x="high:Q", text="label:N", color=alt.value(theme.MUTED)
        ),
    ]
    return picture(
        alt.layer(*layers).properties(width=theme.WIDTH - 300, height={"step": 26}), title, subtitle, note
    )
