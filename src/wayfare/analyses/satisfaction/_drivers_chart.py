"""The importance–performance picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wayfare.charts import theme
from wayfare.charts.picture import VegaPicture
from wayfare.charts.plots import picture
from wayfare.stats.drivers import QUADRANTS

if TYPE_CHECKING:
    from wayfare.analyses.satisfaction.drivers import DriversResult

_COLOURS = {QUADRANTS[0]: theme.WARN, QUADRANTS[1]: theme.ACCENT}


def importance_picture(result: DriversResult) -> VegaPicture:
    """Relative weight up, mean rating across, a cross of intervals at each driver; quadrants named in the corners."""
    import altair as alt
    import pandas as pd

    frame = result.drivers.to_pandas().head(30)
    frame["colour"] = [_COLOURS.get(q, theme.GREY) for q in frame["quadrant"]]
    lines = pd.DataFrame({"x": [frame["performance"].mean()], "y": [frame["johnson"].mean()]})
    across = alt.X(
        "performance:Q", title="Mean rating (performance)", scale=alt.Scale(zero=False, nice=True, padding=24)
    )
    up = alt.Y(
        "johnson:Q",
        title="Relative weight (importance), share of variance",
        scale=alt.Scale(zero=True, nice=True),
    )
    colour = alt.Color("colour:N", scale=None)
    base = alt.Chart(frame).encode(color=colour)
    cuts = alt.Chart(lines)
    layers: list[Any] = [
        cuts.mark_rule(color=theme.PALE, strokeWidth=1.5).encode(x="x:Q"),
        cuts.mark_rule(color=theme.PALE, strokeWidth=1.5).encode(y="y:Q"),
        base.mark_rule(opacity=0.6).encode(x=across, y=alt.Y("johnson_low:Q"), y2="johnson_high:Q"),
        base.mark_rule(opacity=0.6).encode(x=alt.X("performance_low:Q"), x2="performance_high:Q", y=up),
        base.mark_circle(size=110, opacity=1).encode(x=across, y=up),
        base.mark_text(align="left", dx=9, dy=-9, fontSize=12, fontWeight=600).encode(
            x=across, y=up, text="driver:N"
        ),
    ]
    for text, corner in zip(QUADRANTS, ((0, 0), (1, 0), (0, 1), (1, 1)), strict=True):
        layers.append(_corner(text, *corner))
    chart = alt.layer(*layers).properties(width=theme.WIDTH - 80, height=380)
    fit = result.fit.to_pylist()[0]
    subtitle = f"What goes with {fit['outcome']}: importance (Johnson's relative weight) against performance; bars are 95% bootstrap intervals"
    note = f"n = {fit['n']:,} complete answers; R² {fit['r_squared']:.2f}. Lines: means of the drivers. Observational."
    return picture(chart, result.findings[0].text, subtitle, note)


def _corner(text: str, right: int, bottom: int) -> Any:
    import altair as alt
    import pandas as pd

    return (
        alt.Chart(pd.DataFrame({"text": [text]}))
        .mark_text(
            align="right" if right else "left",
            baseline="bottom" if bottom else "top",
            fontSize=11,
            fontStyle="italic",
            color=theme.MUTED,
            dx=-6 if right else 6,
            dy=-4 if bottom else 4,
        )
        .encode(x=alt.value("width" if right else 0), y=alt.value("height" if bottom else 0), text="text:N")
    )
