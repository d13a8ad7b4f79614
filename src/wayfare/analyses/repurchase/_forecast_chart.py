"""Orders by week: what came, what was expected of them, and what is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wayfare.charts.picture import Picture

if TYPE_CHECKING:
    from wayfare.analyses.repurchase.forecast import ForecastResult


def weeks_chart(result: ForecastResult) -> Picture:
    """Expected orders with their interval as a line and band, actual ones as points."""
    import altair as alt
    import pandas as pd

    from wayfare.charts import theme
    from wayfare.charts.plots import picture

    frame = result.weeks.select(["week", "expected", "low", "high", "actual", "part"]).to_pandas()
    frame["week"] = pd.to_datetime(frame["week"])
    base = alt.Chart(frame).encode(x=alt.X("week:T", title=None, axis=alt.Axis(grid=False, tickCount=8)))
    kinds = alt.Scale(domain=["holdout", "ahead"], range=[theme.GREY, theme.ACCENT])
    colour = alt.Color("part:N", legend=None, scale=kinds)
    up = alt.Y(
        "expected:Q",
        title="Orders a week",
        scale=alt.Scale(zero=True),
        axis=alt.Axis(tickCount=5, format=",.3~s"),
    )
    layers = [
        base.mark_area(opacity=0.18).encode(
            y=alt.Y("low:Q", title="Orders a week"), y2="high:Q", color=colour
        ),
        base.mark_line(strokeWidth=2).encode(y=up, color=colour),
        base.mark_point(filled=True, size=34, color=theme.INK, opacity=1)
        .encode(y="actual:Q")
        .transform_filter("isValid(datum.actual)"),
        _names(frame),
    ]
    when = (
        f"made {sum(frame['part'] == 'holdout')} weeks ago and " if (frame["part"] == "holdout").any() else ""
    )
    subtitle = f"Orders by week: forecast {when}made today (lines, {result.context.params.get('confidence', 0.9):.0%} bands), and what came (points)"
    note = f"n = {result.customers.num_rows:,} customers who have ordered; those yet to come are not in it"
    return picture(
        alt.layer(*layers).properties(width=theme.WIDTH - 60, height=280),
        result.findings[0].text,
        subtitle,
        note,
    )


def _names(frame: object) -> object:
    import altair as alt

    from wayfare.charts import theme

    said = {"holdout": "forecast then", "ahead": "forecast now"}
    first = frame.groupby("part", sort=False).first().reset_index()  # type: ignore[attr-defined]
    first["name"] = first["part"].map(said)
    first["top"] = first["part"].map(frame.groupby("part")["high"].max())  # type: ignore[attr-defined]
    kinds = alt.Scale(domain=list(said), range=[theme.GREY, theme.ACCENT])
    return (
        alt.Chart(first)
        .mark_text(align="left", dy=-10, fontSize=12)
        .encode(x="week:T", y="top:Q", text="name:N", color=alt.Color("part:N", legend=None, scale=kinds))
    )
