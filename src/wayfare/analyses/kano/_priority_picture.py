"""Features in the order of work: how many are unhappy, and what is at stake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wayfare.analyses.kano._categories import COLOURS, NAMES
from wayfare.charts import plots, theme
from wayfare.charts.lettering import clipped
from wayfare.charts.picture import VegaPicture

if TYPE_CHECKING:
    from wayfare.analyses.kano.kano_priorities import KanoPrioritiesResult

_SHOWN = 20


def order_of_work(result: KanoPrioritiesResult) -> VegaPicture | None:
    """The share of unhappy customers of each feature with its interval, in the order of work."""
    import altair as alt

    whole = result.priorities.to_pandas()
    frame = whole[whole["unhappy_share"].notna()].head(_SHOWN)
    if frame.empty:
        return None
    frame = frame.assign(kind=frame["category"].map(NAMES).fillna("unknown"))
    weaker = frame["basis"].map({"derived": ", derived"}).fillna("")
    frame["name"] = [
        f"{rank}. {clipped(feature, 12, 170)} ({kind}{derived})"
        for rank, feature, kind, derived in zip(
            frame["rank"], frame["feature"], frame["kind"], weaker, strict=True
        )
    ]
    frame["label"] = [
        f"{unhappy:,.0f} of {rated:,}" + (f", {value:,.0f} at stake" if low > 0 else "")
        for unhappy, rated, value, low in zip(
            frame["unhappy"],
            frame["rated"],
            frame["value_at_stake"],
            frame["value_at_stake_low"],
            strict=True,
        )
    ]
    scale = alt.Scale(domain=[*NAMES.values(), "unknown"], range=[*COLOURS.values(), theme.PALE])
    base = alt.Chart(frame).encode(
        y=alt.Y("name:N", sort=frame["name"].tolist(), title=None, axis=alt.Axis(labelLimit=320, labelPadding=6)),
        x=alt.X("unhappy_share:Q", title="Share of those who rated it who are unhappy", axis=alt.Axis(format=".0%", tickCount=5),
                scale=alt.Scale(zero=True)),
    )  # fmt: skip
    bars = base.mark_bar(height={"band": 0.7}).encode(color=alt.Color("kind:N", legend=None, scale=scale))
    sure = base.mark_rule(color=theme.INK, strokeWidth=1.5).encode(
        x="unhappy_share_low:Q", x2="unhappy_share_high:Q"
    )
    text = base.mark_text(align="left", dx=6, fontSize=12, color=theme.INK).encode(
        x="unhappy_share_high:Q", text="label:N"
    )
    return plots.picture(
        alt.layer(bars, sure, text).properties(width=theme.WIDTH - 260, height={"step": 28}),
        result.findings[0].text,
        "In the order of work: must-haves, satisfiers, delighters. Bars: share unhappy, with 95% intervals.",
        _note(int(whole["unhappy_share"].isna().sum())),
    )


def _note(unrated: int) -> str:
    left_out = f" {unrated} that nobody rated {'is' if unrated == 1 else 'are'} not drawn." if unrated else ""
    return f"At stake: money that the unhappy order less, where it can be told from nothing. Not an experiment.{left_out}"
