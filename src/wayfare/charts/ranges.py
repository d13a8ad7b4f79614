"""Ranges of dots: what several models say of the same things."""

from __future__ import annotations

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
    label = span.mark_text(align="left", dx=10, color=theme.MUTED, fontSize=11).encode(x="max:Q", text="label:N")
    layers: list[Any] = [rule]
    for models, colour, size in (((), theme.GREY, 45), (("last",), theme.WARN, 90), (("markov",), theme.ACCENT, 90)):
        part = frame[frame["model"].isin(models)] if models else frame[~frame["model"].isin(("last", "markov"))]
        layers.append(alt.Chart(part).mark_circle(color=colour, size=size, opacity=1).encode(y=y, x=_across("conversions"),
                      tooltip=["model", "channel", "conversions"]))  # fmt: skip
    chart = alt.layer(*layers, label).properties(width=theme.WIDTH - 220, height={"step": 30})
    used = set(frame["model"])
    shown = [text for model, text in (("last", "last touch in orange"), ("markov", "Markov in blue")) if model in used]
    subtitle = ", ".join(["Conversions credited to each channel: a dot for each model", *shown])
    return picture(chart, title, subtitle, note)


def _across(column: str) -> Any:
    import altair as alt

    return alt.X(f"{column}:Q", title="Conversions", axis=alt.Axis(format=",.3~s", tickCount=5), scale=alt.Scale(zero=True))


def _label(rows: Any) -> str:
    """What last touch and Markov say of one channel; the range where neither was computed."""
    by_model = dict(zip(rows["model"], rows["conversions"], strict=True))
    said = [f"{name} {by_model[model]:,.0f}" for model, name in (("last", "last"), ("markov", "Markov")) if model in by_model]
    return " · ".join(said) or f"{rows['conversions'].min():,.0f} to {rows['conversions'].max():,.0f}"
