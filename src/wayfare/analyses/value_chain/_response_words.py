"""What `allocation` says in plain words, and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wayfare.analyses.value_chain._response import ASSUMED, ESTIMATED, KEPT
from wayfare.charts.picture import Picture
from wayfare.result import Finding

NO_CHAIN = (
    "There is no value chain yet, so there is no budget to divide. "
    "Start one with `wayfare documents DIR new value_chain`."
)
NO_COST = "No activity of the value chain has a cost in the log's days, so there is no budget to divide."
_SMALL = 0.005
SHOWN = 16


def findings_of(
    plan: Sequence[dict[str, Any]], best: Sequence[dict[str, Any]], totals: Sequence[dict[str, Any]], currency: str, days: int
) -> tuple[Finding, ...]:  # fmt: skip
    """What to move where and what it should bring, where the next unit goes, and what is not known."""
    if not plan:
        return (Finding(NO_COST),)
    free = [row for row in plan if row["basis"] != KEPT]
    if not free:
        return (Finding(f"Of {len(plan)} activities with a cost none has a known value: {_every(len(plan))}, and there is nothing to move."),)  # fmt: skip
    found = [_moved(free, totals, currency, days), _next(plan, best, currency)]
    stays = [row for row in plan if row["basis"] == KEPT]
    if stays:
        money = sum(row["today"] for row in stays)
        noun = "activity keeps its amount" if len(stays) == 1 else "activities keep their amounts"
        found.append(Finding(f"{len(stays)} {noun} ({currency} {_whole(money)}): too little is known of what money does there."))  # fmt: skip
    return tuple(found)


def _every(count: int) -> str:
    return "it keeps its amount" if count == 1 else "all keep their amounts"


def _moved(
    free: Sequence[dict[str, Any]], totals: Sequence[dict[str, Any]], currency: str, days: int
) -> Finding:
    today, proposed = totals
    moved = sum(max(row["change"], 0.0) for row in free)
    budget = f"{currency} {_whole(proposed['budget'])}"
    if moved < _SMALL * max(sum(row["today"] for row in free), 1e-9):
        if len(free) == 1:
            return Finding(f"The budget of {budget} stays where it is: only one activity can move.")
        gain = f"{currency} {_whole(proposed['value'])} ({_whole(proposed['low'])} to {_whole(proposed['high'])})"
        return Finding(f"The budget of {budget} can stay where it is: within the limits the best division gains {gain} of orders.")  # fmt: skip
    more = sorted((row for row in free if row["change"] > 0), key=lambda row: -row["change"])
    less = sorted((row for row in free if row["change"] < 0), key=lambda row: row["change"])
    source = f" and less for {_names(less)}" if less else ""
    rest = (
        ""
        if abs(proposed["budget"] - today["budget"]) < 1
        else f" in place of today's {_whole(today['budget'])}"
    )
    return Finding(
        f"With {budget}{rest} in {days:,} days, {currency} {_whole(moved)} more for {_names(more)}{source} should add {currency} "
        f"{_whole(proposed['value'])} of orders (95% of draws {_whole(proposed['low'])} to {_whole(proposed['high'])}), {_basis(free)}.",
        money=max(proposed["value"], 0.0),
    )


def _basis(free: Sequence[dict[str, Any]]) -> str:
    kinds = {row["basis"] for row in free}
    if kinds == {ESTIMATED}:
        return "if what rose with the amounts rose because of them"
    if ASSUMED in kinds:
        return "if the assumed responses hold, which nobody has measured"
    return "if the stated responses hold"


def _next(plan: Sequence[dict[str, Any]], best: Sequence[dict[str, Any]], currency: str) -> Finding:
    first = best[0]
    row = next(row for row in plan if row["activity"] == first["activity"])
    text = f"The next {currency} 100 bring most in “{row['text']}”: {currency} {_whole(100 * first['marginal_return'])} of orders "
    text += f"({_whole(100 * first['low'])} to {_whole(100 * first['high'])})"
    if first["high"] < 1:
        text += ", less than they cost"
    return Finding(f"{text}; in {row['more_share']:.0%} of the draws it deserves more than today.")


def _names(rows: Sequence[dict[str, Any]]) -> str:
    names = [f"“{row['text']}”" for row in rows]
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} others"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _whole(money: float) -> str:
    return f"{money:,.0f}".replace("-", "−")


def _percent(share: float) -> str:
    return "±0%" if abs(share) < _SMALL else f"{share:+.0%}".replace("-", "−")


def drawn(plan: Sequence[dict[str, Any]], title: str) -> Picture | None:
    """Today's amount and the proposed one of each activity, with the interval of the latter; the largest changes first."""
    import altair as alt
    import pandas as pd

    from wayfare.charts import theme
    from wayfare.charts.plots import picture

    rows = [row for row in plan if row["basis"] != KEPT][:SHOWN]
    if not rows:
        return None
    frame = pd.DataFrame(rows)
    twice = frame["text"].duplicated(keep=False)
    frame["text"] = frame["text"].where(~twice, frame["text"] + " (" + frame["activity"] + ")")
    up = frame["change"] >= 0
    frame["colour"] = [theme.ACCENT if more else theme.WARN for more in up]
    frame["end"] = frame[["today", "proposed", "proposed_high"]].max(axis=1)
    frame["label"] = [
        f"{_percent(row['change'] / row['today'])}  (more in {row['more_share']:.0%} of draws)"
        for row in rows
    ]
    base = alt.Chart(frame).encode(
        y=alt.Y(
            "text:N", sort=list(frame["text"]), title=None, axis=alt.Axis(labelPadding=6, labelLimit=330)
        ),
        color=alt.Color("colour:N", scale=None),
    )
    axis = alt.Axis(format=",.3~s", tickCount=5)
    across = alt.X("today:Q", title="Money over the log's days", axis=axis, scale=alt.Scale(zero=True))
    layers = [
        base.mark_rule(strokeWidth=9, opacity=0.25).encode(x=alt.X("proposed_low:Q"), x2="proposed_high:Q"),
        base.mark_rule(strokeWidth=2).encode(x=across, x2="proposed:Q"),
        base.mark_circle(size=70, opacity=1).encode(x=across, color=alt.value(theme.GREY)),
        base.mark_circle(size=110, opacity=1).encode(x="proposed:Q"),
        base.mark_text(align="left", dx=10, fontSize=11).encode(
            x="end:Q", text="label:N", color=alt.value(theme.MUTED)
        ),
    ]
    chart = alt.layer(*layers).properties(width=theme.WIDTH - 330, height={"step": 30})
    subtitle = "Grey: today's amount; blue or orange: the proposed one, more or less; the band holds it in 95% of the draws over what may be true"
    note = "Observational: values by meeting targets; how strongly they answer to money is stated or assumed unless the table says estimated"
    return picture(chart, title, subtitle, note)
