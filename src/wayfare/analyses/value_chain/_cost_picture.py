"""Activities by what they cost, with capacity that nobody used apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wayfare.analyses.value_chain._cost_tables import TOTAL
from wayfare.charts import plots, theme
from wayfare.charts.lettering import clipped
from wayfare.charts.picture import VegaPicture

if TYPE_CHECKING:
    from wayfare.analyses.value_chain.activity_costs import ActivityCostsResult

_SHOWN = 18
_PARTS = {"traced": theme.ACCENT, "not_traced": "#A9CBE3", "unused_cost": theme.PALE}


def stacked(result: ActivityCostsResult) -> VegaPicture | None:
    """A bar an activity, from what reached touchpoints to capacity that nobody used; the dearest on top."""
    import altair as alt

    whole = result.activities.to_pandas().sort_values(["own_cost", "activity"], ascending=[False, True])
    whole = whole[whole["own_cost"] > 0]
    if whole.empty:
        return None
    frame = whole.head(_SHOWN).reset_index(drop=True)
    frame["name"] = [_name(text, other) for text, other in zip(frame["text"], frame["activity"], strict=True)]
    frame.loc[frame["name"].duplicated(keep=False), "name"] += " (" + frame["activity"] + ")"
    frame["label"] = [
        f"{cost:,.0f}" + ("" if share != share else f" · {share:.0%} used")  # noqa: PLR0124 - nan
        for cost, share in zip(frame["own_cost"], frame["used_share"], strict=True)
    ]
    order = frame["name"].tolist()
    long = frame.melt(["name"], list(_PARTS), "part", "money")
    long["place"] = long["part"].map({part: number for number, part in enumerate(_PARTS)})
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=300, labelPadding=6))
    axis = alt.Axis(format=",.4~s", tickCount=5)
    bars = alt.Chart(long).mark_bar(height={"band": 0.7}).encode(
        y=y, x=alt.X("sum(money):Q", title="Money over the log's days", axis=axis), order="place:Q",
        color=alt.Color("part:N", legend=None, scale=alt.Scale(domain=list(_PARTS), range=list(_PARTS.values()))),
    )  # fmt: skip
    text = alt.Chart(frame).mark_text(align="left", dx=6, fontSize=12, color=theme.INK)
    labels = text.encode(y=y, x="own_cost:Q", text="label:N")
    return plots.picture(
        alt.layer(bars, labels).properties(width=theme.WIDTH - 240, height={"step": 28}),
        result.findings[0].text,
        "What each activity cost by itself. Blue: reached touchpoints; light blue: can't be traced to any; grey: capacity that nobody used",
        _note(result, len(whole)),
    )


def _name(text: str, activity: str) -> str:
    return clipped(" ".join(text.split()) or activity, 12, 260)


def _note(result: ActivityCostsResult, activities: int) -> str:
    total = next(row["cost"] for row in result.money.to_pylist() if row["part"] == TOTAL)
    drawn = (
        f"The {_SHOWN} dearest of {activities} activities"
        if activities > _SHOWN
        else f"n = {activities} activities"
    )
    return f"{drawn}; {total:,.0f} in all. Times and amounts as the value chain states them."
