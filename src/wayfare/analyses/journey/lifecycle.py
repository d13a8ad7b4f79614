"""The life cycle of the customer base: who is new, who stays, who comes back, who falls silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._observed import Periods, event_codes, periods_of, rows_of, shown_from, whole_histories
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.parameters import Events
from wayfare.domain.words import counted
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.result import Columns, Finding, Result, table
from wayfare.study import Study

ENOUGH = 30
_DRAWN = 36
_KINDS = ("new", "returning", "resurrecting", "dormant")


@dataclass(frozen=True, kw_only=True)
class LifecycleResult(Result):
    """How the active customers of each interval are made up, and how many were lost from the one before."""

    intervals: Annotated[
        pa.Table,
        Columns(
            interval="the calendar interval: its first day, or the month",
            new="active customers whose first event ever in the log is in the interval",
            returning="active customers who were also active in the interval before",
            resurrecting="active customers who are not new and were not active in the interval before",
            dormant="customers active in the interval before and not in this one; so far, while the interval isn't over",
            active="new + returning + resurrecting",
            quick_ratio="(new + resurrecting) / dormant: above 1 the active base grows; missing where nobody is dormant",
            complete="whether the interval is over",
        ),
    ]

    def draw(self) -> Picture | None:
        """Active customers stacked upwards by kind, dormant ones downwards, interval by interval."""
        data = _drawn(self.intervals)
        return (
            None
            if data.num_rows == 0
            else _stacked(data, self.findings[0].text, self.context.params.get("interval", "interval"))
        )


def _drawn(intervals: pa.Table) -> pa.Table:
    """The latest intervals that are over, one row a bar."""
    over = intervals.filter(intervals["complete"]).slice(
        max(0, sum(intervals["complete"].to_pylist()) - _DRAWN)
    )
    counts = {kind: over[kind].to_numpy() for kind in _KINDS}
    counts["dormant"] = -counts["dormant"]
    return table(
        interval=pa.array(over["interval"].to_pylist() * len(_KINDS), pa.string()),
        kind=pa.array([kind for kind in _KINDS for _ in range(over.num_rows)], pa.string()),
        customers=np.concatenate(list(counts.values())) if over.num_rows else np.empty(0, dtype=np.int64),
        rank=np.repeat(np.arange(len(_KINDS)), over.num_rows),
    )


def _stacked(data: pa.Table, title: str, interval: str) -> Picture:
    import altair as alt

    from wayfare.charts import plots, theme

    scale = alt.Scale(domain=list(_KINDS), range=["#009E73", theme.ACCENT, "#56B4E9", theme.GREY])
    colour = alt.Color("kind:N", scale=scale, legend=None)
    across = alt.X("interval:O", title=None, sort=None, axis=alt.Axis(labelAngle=-45, labelOverlap=True))
    up = alt.Y("customers:Q", title="customers", axis=alt.Axis(format=",.3~s", tickCount=6))
    bars = alt.Chart(data.to_pandas()).mark_bar().encode(x=across, y=up, color=colour, order="rank:O")
    names = alt.Chart(_labels(data).to_pandas()).mark_text(align="left", fontSize=12, fontWeight=600)
    labels = names.encode(x=alt.value(theme.WIDTH - 132), y="height:Q", text="kind:N", color=colour)
    zero = alt.Chart(alt.InlineData(values=[{}])).mark_rule(color=theme.INK).encode(y=alt.datum(0))
    chart = alt.layer(bars, zero, labels).properties(width=theme.WIDTH - 140, height=300)
    subtitle = f"Active customers by {interval}: new, returning and resurrecting ones; below zero those who fell silent."
    return plots.picture(
        chart, title, subtitle, f"Only {interval}s that are over; the latest {_DRAWN} at most."
    )


def _labels(data: pa.Table) -> pa.Table:
    """The kinds' names beside their parts of the last bar, pushed apart where they would touch."""
    counts = data["customers"].to_numpy().reshape(len(_KINDS), -1)
    new, returning, resurrecting, dormant = (float(count) for count in counts[:, -1])
    gap = (counts[:3].sum(axis=0).max() - counts[3].min()) / 18
    heights = [new / 2, new + returning / 2, new + returning + resurrecting / 2]
    heights[0] = max(heights[0], gap / 2)
    for upper in (1, 2):
        heights[upper] = max(heights[upper], heights[upper - 1] + gap)
    return table(kind=list(_KINDS), height=[*heights, min(dormant / 2, -gap / 2)])


@dataclass(frozen=True, eq=False)
class _Lifecycle(Fold[dict[str, NDArray[np.int64]]]):
    """Customers active, new and returning in each interval."""

    periods: Periods
    codes: tuple[int, ...] | None

    @property
    def columns(self) -> tuple[str, ...]:
        return () if self.codes is None else ("event",)

    def scan(self, block: Block) -> dict[str, NDArray[np.int64]]:
        kept = rows_of(block, self.codes)
        owner, interval = block.owner[kept], self.periods.rows(block)[kept]
        same = np.append(False, owner[1:] == owner[:-1])[: len(owner)]
        gap = np.append(0, np.diff(interval))[: len(owner)]
        change = ~same | (gap > 0)
        first_ever = self.periods.number(block["time"][block.starts[:-1]])
        new = change & (first_ever[owner] == interval)
        return {
            "active": np.bincount(interval[change], minlength=self.periods.count),
            "new": np.bincount(interval[new], minlength=self.periods.count),
            "returning": np.bincount(interval[same & (gap == 1)], minlength=self.periods.count),
        }


@analysis
def lifecycle(
    study: Study, *, interval: Literal["day", "week", "month"] = "month", active: Events = ()
) -> LifecycleResult:
    """How many customers are new, stay, come back after a pause, or fall silent in each interval?

    In each calendar interval of the workspace's zone a customer is *new* (the first event ever in the log is in
    it), *returning* (active in it and in the one before), *resurrecting* (active, but not in the one before) or
    *dormant* (active in the one before only), the definitions of PostHog's lifecycle. Intervals without any
    customer are listed too. *New* and *the interval before* look at the whole history even where the log is
    filtered; a filter by time shows the intervals from its first moment on, each counted whole.

    A week or month is over when the log reaches its last day, a day when the log goes on after it; in the
    interval that isn't over, dormant customers may still come. Findings need 30 active customers.

    Args:
        interval: How long an interval is.
        active: What counts as being active; any event unless given.
    """
    calendar = periods_of(study.log, interval)
    found = whole_histories(study).fold(_Lifecycle(calendar, event_codes(study, active)))
    before = np.append(0, found["active"])[:-1] if calendar.count else found["active"]
    now, new, returning = found["active"], found["new"], found["returning"]
    counts = {
        "new": new,
        "returning": returning,
        "resurrecting": now - new - returning,
        "dormant": before - returning,
    }
    ratio = (now - returning) / np.maximum(counts["dormant"], 1)
    intervals = table(
        interval=pa.array(calendar.labels(), pa.string()), **counts, active=now,
        quick_ratio=np.where(counts["dormant"] > 0, ratio, np.nan), complete=calendar.is_over(),
    )  # fmt: skip
    intervals = intervals.slice(shown_from(study.log, calendar) if now.any() else calendar.count)
    return LifecycleResult(intervals=intervals, findings=_findings(intervals, interval))


def _findings(intervals: pa.Table, interval: str) -> tuple[Finding, ...]:
    rows = intervals.filter(intervals["complete"]).to_pylist()
    if len(rows) < 2:
        over = f"{counted(len(rows), interval)} {'is' if len(rows) == 1 else 'are'} over"
        return (Finding(f"Too few to say how the customer base changes: {over}."),)
    last, before = rows[-1], rows[-2]
    if max(last["active"], before["active"]) < ENOUGH:
        active = f"{counted(last['active'], 'customer')} active in {last['interval']}, {before['active']:,} in the {interval} before"
        return (Finding(f"Too few to say how the customer base changes: {active}."),)
    won = last["new"] + last["resurrecting"]
    lost_share = last["dormant"] / max(before["active"], 1)
    way = "grew to" if won > last["dormant"] else "shrank to" if won < last["dormant"] else "stayed at"
    findings = [
        Finding(
            f"The active base {way} {last['active']:,} customers in {last['interval']}: {last['new']:,} new, "
            f"{last['resurrecting']:,} back after a pause, {last['dormant']:,} fell silent ({lost_share:.0%} of those active before).",
            customers=last["dormant"],
        )
    ]
    return (*findings, *_over_time(rows[1:], interval))


def _over_time(rows: list[dict[str, int]], interval: str) -> tuple[Finding, ...]:
    """Whether the base grew in the latest quarter of the intervals, as one ratio."""
    recent = rows[-max(3, len(rows) // 4) :]
    won, lost = (
        sum(row[a] + row.get(b, 0) for row in recent) for a, b in (("new", "resurrecting"), ("dormant", ""))
    )
    if len(rows) < 3 or lost < ENOUGH:
        return ()
    return (
        Finding(
            f"Over the last {len(recent)} {interval}s {won / lost:.2f} customers were won or won back "
            f"for each one that fell silent ({won:,} against {lost:,})."
        ),
    )
