"""The late customers with the most at stake, each against the own usual gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wayfare.charts.picture import Picture

if TYPE_CHECKING:
    from wayfare.analyses.repurchase.churn import ChurnResult

_SHOWN = 15


def late_chart(result: ChurnResult) -> Picture:
    """Days since the last order as bars with the late part in the warning colour, and the usual gap as a tick."""
    import altair as alt

    from wayfare.charts import theme
    from wayfare.charts.plots import picture

    frame = result.customers.slice(0, _SHOWN).to_pandas()
    frame["due"] = frame["days_since_order"] - frame["late_by_days"]
    frame["said"] = [
        ("1 day late" if row.late_by_days < 1.5 else f"{row.late_by_days:,.0f} days late")
        + ("" if row.value_at_stake != row.value_at_stake else f", {row.value_at_stake:,.0f} at stake")
        for row in frame.itertuples()
    ]
    base = alt.Chart(frame).encode(
        y=alt.Y("customer:N", sort=None, title=None, axis=alt.Axis(labelPadding=6, labelLimit=140))
    )
    x = alt.X("due:Q", title="Days since the last order", axis=alt.Axis(tickCount=6))
    layers = [
        base.mark_bar(height={"band": 0.6}, color=theme.PALE).encode(x=x),
        base.mark_bar(height={"band": 0.6}, color=theme.WARN).encode(x=x, x2="days_since_order:Q"),
        base.mark_tick(color=theme.INK, thickness=2).encode(x="usual_gap_days:Q"),
        base.mark_text(align="left", dx=6, fontSize=12, color=theme.INK).encode(
            x="days_since_order:Q", text="said:N"
        ),
    ]
    subtitle = "Days since the last order of the late customers with the most at stake: orange from when an order was due; the tick is the usual gap"
    chart = alt.layer(*layers).properties(width=theme.WIDTH - 220, height={"step": 24})
    note = f"n = {sum(row['customers'] for row in result.summary.to_pylist() if row['state'] == 'late'):,} late customers"
    return picture(chart, result.findings[0].text, subtitle, note)
