"""The few chart forms that results are drawn with; each takes a frame and the names of its columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from wayfare.charts import theme
from wayfare.charts.picture import VegaPicture

if TYPE_CHECKING:
    import altair as alt

DARK = 0.625
"""From this share of the darkest shade on, white is read more easily than black (4.5:1 and better on either side)."""


def picture(chart: Any, title: str, subtitle: str = "", note: str = "", alt_text: str = "") -> VegaPicture:
    """An Altair chart with its finding as title, what is drawn as subtitle, and n and source as note."""
    lines = textwrap.wrap(subtitle, 100) + (textwrap.wrap(note, 100) if note else [])
    chart = chart.properties(title={"text": textwrap.wrap(title, 68) or [""], "subtitle": lines})
    spec = chart.configure(**theme.config()).to_dict()
    return VegaPicture(spec, title, alt_text or f"{title} {subtitle}")


def bars(
    data: pa.Table,
    value: str,
    name: str,
    *,
    low: str = "",
    high: str = "",
    title: str,
    subtitle: str = "",
    note: str = "",
    percent: bool = False,
    sort: bool = True,
    label: str = "",
    highlight: str = "",
    value_title: str = "",
) -> VegaPicture:
    """Horizontal bars from zero with direct labels and, where given, intervals.

    Args:
        data: One row a bar.
        value: The column drawn as length.
        name: The column with the bar's name.
        low: The interval's lower end.
        high: The interval's upper end.
        title: The finding.
        subtitle: What is drawn.
        note: n and source.
        percent: Whether values are shares.
        sort: Whether the longest bar comes first; else the table's order holds.
        label: A column with the text at the bar's end; the value itself unless given.
        highlight: The one bar in the accent colour; all are where empty.
        value_title: What the length means.
    """
    import altair as alt

    form = ".0%" if percent else ",.4~r"
    order = alt.EncodingSortField(value, order="descending") if sort else None
    base = alt.Chart(data.to_pandas()).encode(
        y=alt.Y(f"{name}:N", sort=order, title=None, axis=alt.Axis(labelPadding=6)),
        x=alt.X(
            f"{value}:Q",
            title=value_title or None,
            axis=alt.Axis(format=form, tickCount=5),
            scale=alt.Scale(zero=True),
        ),
    )
    colour: Any = alt.value(theme.ACCENT)
    if highlight:
        colour = alt.condition(alt.datum[name] == highlight, alt.value(theme.ACCENT), alt.value(theme.PALE))
    layers = [base.mark_bar(height={"band": 0.7}).encode(color=colour)]
    if low and high:
        layers.append(base.mark_rule(color=theme.INK, strokeWidth=1.5).encode(x=f"{low}:Q", x2=f"{high}:Q"))
    text = alt.Text(f"{label}:N") if label else alt.Text(f"{value}:Q", format=form)
    end = base.encode(x=alt.X(f"{high}:Q")) if high else base
    layers.append(end.mark_text(align="left", dx=6, color=theme.INK, fontSize=12).encode(text=text))
    return picture(
        alt.layer(*layers).properties(width=theme.WIDTH - 160, height={"step": 28}), title, subtitle, note
    )


def lines(
    data: pa.Table,
    x: str,
    y: str,
    *,
    by: str = "",
    low: str = "",
    high: str = "",
    title: str,
    subtitle: str = "",
    note: str = "",
    percent: bool = False,
    step: bool = False,
    x_title: str = "",
    y_title: str = "",
    temporal: bool = False,
) -> VegaPicture:
    """Lines with direct labels at their ends and a band for the interval.

    Args:
        data: One row a point.
        x: The column across; a date where `temporal`.
        y: The column up.
        by: One line for each value of this column.
        low: The interval's lower end.
        high: The interval's upper end.
        title: The finding.
        subtitle: What is drawn.
        note: n and source.
        percent: Whether values are shares.
        step: Whether the line keeps its height until the next point.
        x_title: What is across.
        y_title: What is up.
        temporal: Whether x is a date.
    """
    import altair as alt

    interpolate: Literal["step-after", "linear"] = "step-after" if step else "linear"
    base = alt.Chart(data.to_pandas()).encode(
        x=alt.X(
            f"{x}:{'T' if temporal else 'Q'}", title=x_title or None, axis=alt.Axis(grid=False, tickCount=8)
        ),
        y=alt.Y(
            f"{y}:Q", title=y_title or None, axis=alt.Axis(format=".0%" if percent else ",.3~s", tickCount=5)
        ),
        color=alt.Color(f"{by}:N", legend=None) if by else alt.value(theme.ACCENT),
    )
    layers: list[alt.Chart] = []
    if low and high:
        layers.append(
            base.mark_area(opacity=0.15, interpolate=interpolate).encode(y=f"{low}:Q", y2=f"{high}:Q")
        )
    layers.append(base.mark_line(interpolate=interpolate, strokeWidth=2))
    if by:
        last = base.transform_window(
            r="rank()", sort=[alt.SortField(x, order="descending")], groupby=[by]
        ).transform_filter("datum.r == 1")
        layers.append(last.mark_text(align="left", dx=6, fontSize=12).encode(text=f"{by}:N"))
    return picture(alt.layer(*layers).properties(width=theme.WIDTH - 120, height=280), title, subtitle, note)


def heatmap(
    data: pa.Table,
    x: str,
    y: str,
    value: str,
    *,
    title: str,
    subtitle: str = "",
    note: str = "",
    percent: bool = True,
    x_title: str = "",
    y_title: str = "",
) -> VegaPicture:
    """A table of shaded cells with their values written in them.

    Args:
        data: One row a cell.
        x: The column across, in the table's order.
        y: The column down, in the table's order.
        value: What the shade and the text say.
        title: The finding.
        subtitle: What is drawn.
        note: n and source.
        percent: Whether values are shares.
        x_title: What is across.
        y_title: What is down.
    """
    import altair as alt

    frame = data.to_pandas()
    top = float(frame[value].max()) if frame[value].notna().any() else 0.0
    base = alt.Chart(frame).encode(
        x=alt.X(
            f"{x}:O",
            title=x_title or None,
            sort=None,
            axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False),
        ),
        y=alt.Y(f"{y}:O", title=y_title or None, sort=None),
    )
    cells = base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=alt.Color(f"{value}:Q", legend=None, scale=alt.Scale(domain=[0, top or 1]))
    )
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text(f"{value}:Q", format=".0%" if percent else ",.3~s"),
        color=alt.condition(f"datum['{value}'] > {DARK * top}", alt.value("white"), alt.value("black")),
    )
    return picture(
        alt.layer(cells, text).properties(width={"step": 40}, height={"step": 24}), title, subtitle, note
    )
