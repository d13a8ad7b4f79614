"""Penalty and reward side by side: what a low rating costs and a high one earns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wayfare.analyses.kano._categories import COLOURS, NAMES
from wayfare.charts import plots, theme
from wayfare.charts.picture import VegaPicture

if TYPE_CHECKING:
    from wayfare.analyses.kano.kano_derived import KanoDerivedResult

_SHOWN = 20


def contrasts(result: KanoDerivedResult) -> VegaPicture | None:
    """The ratings against overall satisfaction, or where that was not asked, against what came first in the table."""
    import altair as alt
    import pandas as pd

    frame = result.classes.to_pandas()
    frame = frame[frame["penalty"].notna() | frame["reward"].notna()]
    if frame.empty:
        return odds(result)
    against = frame["against"].iloc[0]
    frame = frame[frame["against"] == against].head(_SHOWN)
    frame["category"] = frame["category"].fillna("I")
    frame["name"] = [f"{f} ({NAMES[c]})" for f, c in zip(frame["feature"], frame["category"], strict=True)]
    parts = [
        pd.DataFrame({"name": frame["name"], "category": frame["category"], "end": end, "value": frame[column],
                      "low": frame[f"{column}_low"], "high": frame[f"{column}_high"]})
        for end, column in (("rated low", "penalty"), ("rated high", "reward"))
    ]  # fmt: skip
    points = against == "overall satisfaction"
    title = f"Change of {against}, " + ("points" if points else "share of customers")
    base = alt.Chart(pd.concat(parts)).encode(
        y=alt.Y(
            "name:N", sort=frame["name"].tolist(), title=None, axis=alt.Axis(labelLimit=300, labelPadding=6)
        ),
        yOffset=alt.YOffset("end:N", sort=["rated low", "rated high"]),
        color=alt.Color(
            "category:N", legend=None, scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
        ),
    )
    across = alt.X("value:Q", title=title, axis=alt.Axis(format="+.2~f" if points else "+.0%", tickCount=6))
    bars = base.mark_bar(opacity=0.75).encode(
        x=across, opacity=alt.condition("datum.end == 'rated low'", alt.value(0.9), alt.value(0.45))
    )
    sure = base.mark_rule(color=theme.INK).encode(x="low:Q", x2="high:Q", color=alt.value(theme.INK))
    zero = alt.Chart(pd.DataFrame({"value": [0]})).mark_rule(color=theme.MUTED).encode(x="value:Q")
    n = int(frame["n"].max())
    return plots.picture(
        alt.layer(bars, sure, zero).properties(width=420, height={"step": 16}),
        _title(result, against),
        f"What a low rating (dark) costs and a high one (pale) earns in {against}, against one in between; 95% intervals.",
        f"n = {n:,} customers. Derived from ratings: weaker than Kano's two questions. Not an experiment.",
    )


def _title(result: KanoDerivedResult, shown: str) -> str:
    """The finding that the picture shows."""
    words = "derived from ratings" if shown == "overall satisfaction" else "others equal"
    found = [finding.text for finding in result.findings if words in finding.text]
    return (found or [result.findings[0].text])[0]


def odds(result: KanoDerivedResult) -> VegaPicture | None:
    """The odds ratios of one outcome with their intervals, where no class can be drawn."""
    import altair as alt

    frame = result.effects.to_pandas()
    frame = frame[frame["odds_ratio"].notna()]
    if frame.empty:
        return None
    outcome = frame["outcome"].iloc[0]
    frame = frame[frame["outcome"] == outcome].sort_values("p", kind="stable").head(_SHOWN)
    frame["name"] = [
        f"{feature}: {level} (not {reference})"
        for feature, level, reference in zip(
            frame["feature"], frame["level"], frame["reference"], strict=True
        )
    ]
    base = alt.Chart(frame).encode(
        y=alt.Y(
            "name:N", sort=frame["name"].tolist(), title=None, axis=alt.Axis(labelLimit=320, labelPadding=6)
        )
    )
    told = alt.condition(alt.datum.effect == "can't be told", alt.value(theme.GREY), alt.value(theme.ACCENT))
    even = base.transform_calculate(one="1").mark_rule(color=theme.MUTED).encode(x="one:Q", y=alt.Y())
    across = alt.X(
        "odds_ratio_low:Q",
        axis=alt.Axis(format=".2~g", tickCount=5, grid=False),
        scale=alt.Scale(type="log", nice=False, padding=12),
        title=f"Odds of {outcome} against the reference, others equal",
    )
    sure = base.mark_rule(strokeWidth=2).encode(x=across, x2="odds_ratio_high:Q", color=told)
    points = base.mark_point(filled=True, size=70).encode(x="odds_ratio:Q", color=told)
    return plots.picture(
        alt.layer(even, sure, points).properties(width=theme.WIDTH - 280, height={"step": 28}),
        _title(result, outcome),
        f"Odds of {outcome}, adjusted for each other and for the orders before, with 95% intervals; grey can't be told from 1.",
        f"n = {int(frame['customers'].max()):,} customers at the largest level. Not an experiment.",
    )
