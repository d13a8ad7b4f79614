"""When customers come back after an order, what goes along with it, and when a message should arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wayfare.analyses._observed import whole_histories
from wayfare.analyses._order_days import last_moment
from wayfare.analyses.journey.touchpoints import touchpoints
from wayfare.analyses.repurchase._returns import (
    BANDS,
    EVERYBODY,
    Groups,
    Returns,
    groups_of,
    hazard_rows,
    sorted_buyers,
)
from wayfare.analyses.repurchase._said import order_lines, seen_of, warnings_of
from wayfare.analyses.repurchase._windows import ENOUGH, due_rows, window_of
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration, in_words
from wayfare.domain.parameters import Property
from wayfare.domain.words import counted
from wayfare.histories.calendar import local_days
from wayfare.result import Columns, Finding, Result, table
from wayfare.study import Study

RAISES, LOWERS, NEITHER, FEW = "raises", "lowers", "no difference beyond chance", "too few to say"
_LEVEL = 0.05


@dataclass(frozen=True, kw_only=True)
class RepurchasePointsResult(Result):
    """When after an order customers come back, what goes along with it, and each customer's window."""

    observational = "customers chose what they met, and those compared are alike only in first channel, month, order value and activity."

    hazard: Annotated[
        pa.Table,
        Columns(
            group="all orders, orders by their number, or by what the first order of their customer was",
            day_from="first day of the stretch, since the order",
            day_to="last day of it",
            at_risk="orders not followed by another yet and still watched when it begins",
            returned="of these, orders followed by the next in the stretch",
            hazard="chance that the next order comes on one day of it",
            low="lower end of the chance's 95% interval (Wilson)",
            high="upper end",
        ),
    ]
    windows: Annotated[
        pa.Table,
        Columns(
            group="as above",
            customers="customers with such an order",
            opens_days="day after the order by which a quarter of those who come back within a year are back; null under 30 returns",
            closes_days="day by which three quarters of them are",
            chance="of those still waiting before it opens, the share that orders in it",
            low="lower end of the chance's 95% interval",
            high="upper end",
            within_30_days="share of orders followed by another within 30 days (Kaplan–Meier); null where fewer than 30 were watched so long",
            within_90_days="within 90 days",
            within_365_days="within 365 days",
        ),
    ]
    due: Annotated[
        pa.Table,
        Columns(
            customer="who has ordered at least once",
            last_order="day of the last order",
            window_opens="day from which a message should arrive",
            window_closes="day up to which",
            chance="that they order in what is left of the window, not having ordered so far",
            late="whether the first window has passed; this one is the next",
        ),
    ]
    moments: Annotated[
        pa.Table,
        Columns(
            touchpoint="what customers met after their first order",
            effect=f"{RAISES}, {LOWERS}, {NEITHER} or {FEW}",
            touched="share of matched customers who met it that ordered again",
            others="the same share of like customers who did not meet it",
            lift="the difference of the two",
            low="lower end of the lift's 95% interval",
            high="upper end",
            customers="matched customers who met it",
            p="p value by Holm over all comparisons of all touchpoints",
        ),
    ]

    def draw(self) -> Picture | None:
        """The daily chance of the next order, by days since the order."""
        shown = [
            row for row in self.hazard.to_pylist() if row["group"] == EVERYBODY and row["at_risk"] >= ENOUGH
        ]
        window = self.windows.to_pylist()[0]
        return _daily(shown, window, self.findings[0].text) if window["opens_days"] is not None else None


@analysis
def repurchase_points(
    study: Study,
    *,
    by: Property | None = None,
    window: Duration = Duration.parse("14d"),
    horizon: Duration = Duration.parse("90d"),
) -> RepurchasePointsResult:
    """When after an order do customers come back, what raises the chance, and when should a message arrive?

    Days are calendar ones; orders of one customer on one day count as one. The chance of a day (the hazard) is the orders
    followed by another on it over those not followed yet and still watched, up to 730 days; who is still waiting at the
    log's end counts as waiting so far. A *window* lasts from the day by which a quarter of those who come back within
    a year are back to the day by which three quarters are: earlier a message meets people who come anyway or are not
    ready, later it finds many gone. Under 30 returns it is *too few to say*.

    Each customer's window is that of orders of the same number, stretched by how much longer or shorter their own waits were
    than those of others (geometric means, shrunk by analysis of variance), and their chance comes from the same curve,
    given that they have not ordered yet. It says when they order of themselves, not what a message changes.

    What raises the chance is `touchpoints` after the first order: customers who met something within `window`
    against like customers who did not, over the `horizon` after it.

    Args:
        by: Also groups orders by this column (product, category, channel), as it was in their customer's first order.
        window: How long after the first order a touchpoint counts.
        horizon: How long after that the next order is waited for.
    """
    whole = whole_histories(study)
    now = int(local_days(np.array([last_moment(whole.log)]), study.zone)[0])
    fold = Returns(whole.stages, study.zone, now, by or "")
    lines = order_lines(whole)
    found, read = whole.fold_all([fold, lines])
    matched = study.result(touchpoints, window=window, horizon=horizon)
    groups, buyers = groups_of(whole, fold, found), sorted_buyers(whole, found)
    windows = _windows(groups)
    due = _due(buyers, groups, now)
    moments = _moments(matched.tables["touchpoints"])
    return RepurchasePointsResult(
        hazard=_hazard(groups),
        windows=windows,
        due=due,
        moments=moments,
        findings=_findings(windows, due, moments, now, horizon),
        warnings=warnings_of(whole, seen_of(whole, lines, read)),
    )


def _hazard(groups: Groups) -> pa.Table:
    rows = [row for name, waits in groups.waits.items() for row in hazard_rows(name, waits)]
    return _typed("hazard", rows, ("day_from", "day_to", "at_risk", "returned"))


def _windows(groups: Groups) -> pa.Table:
    rows = []
    for name, waits in groups.waits.items():
        window, waiting = window_of(waits), waits.waiting()
        shares = {
            f"within_{days}_days": float(1 - waiting[days]) if waits.at_risk[days] >= ENOUGH else np.nan
            for days in (30, 90, 365)
        }
        rows.append({"group": name, "customers": groups.customers[name], "opens_days": window.opens, "closes_days": window.closes,
                     "chance": window.chance, "low": window.low, "high": window.high, **shares})  # fmt: skip
    return _typed("windows", rows, ("customers",))


def _due(buyers: dict[str, Any], groups: Groups, now: int) -> pa.Table:
    due = due_rows(buyers, groups, now)
    return table(
        customer=buyers["customer"],
        last_order=pa.array(buyers["last"].astype("datetime64[D]")),
        window_opens=_days(due["opens"]),
        window_closes=_days(due["closes"]),
        chance=pa.array(due["chance"], mask=np.isnan(due["chance"])),
        late=pa.array(due["late"], pa.bool_()),
    )


def _days(numbers: np.ndarray) -> pa.Array:
    unknown = np.isnan(numbers)
    return pa.array(np.where(unknown, 0, numbers).astype(np.int64).astype("datetime64[D]"), mask=unknown)


def _moments(met: pa.Table) -> pa.Table:
    rows = []
    for row in met.to_pylist():
        lift, p = row["repurchase_lift"], row["p_repurchase"]
        unknown = lift is None or np.isnan(lift)
        sure = p is not None and p < _LEVEL
        effect = FEW if unknown else NEITHER if not sure else RAISES if lift > 0 else LOWERS
        rows.append({"touchpoint": row["touchpoint"], "effect": effect, "touched": row["repurchase_touched"],
                     "others": row["repurchase_others"], "lift": lift, "low": row["repurchase_low"], "high": row["repurchase_high"],
                     "customers": row["repurchase_matched"], "p": p})  # fmt: skip
    rows.sort(
        key=lambda r: (
            (RAISES, LOWERS, NEITHER, FEW).index(r["effect"]),
            -abs(np.nan_to_num(r["lift"])),
            r["touchpoint"],
        )
    )
    return _typed("moments", rows, ("customers",))


def _typed(name: str, rows: list[dict[str, Any]], whole: tuple[str, ...]) -> pa.Table:
    text = ("group", "touchpoint", "effect")
    columns = {}
    for column in RepurchasePointsResult.columns()[name]:
        kind = pa.string() if column in text else pa.int64() if column in whole else pa.float64()
        values = [row[column] for row in rows]
        columns[column] = pa.array(
            [None if isinstance(v, float) and np.isnan(v) else v for v in values], kind
        )
    return table(**columns)


def _findings(
    windows: pa.Table, due: pa.Table, moments: pa.Table, now: int, horizon: Duration
) -> tuple[Finding, ...]:
    rows = {row["group"]: row for row in windows.to_pylist()}
    if rows[EVERYBODY]["opens_days"] is None:
        few = rows[EVERYBODY]["customers"]
        ordered = f"{few:,} {'has' if few == 1 else 'have'} ordered"
        return (
            Finding(
                f"Too few to say when customers come back: {ordered}, and fewer than {ENOUGH} orders were followed by another."
            ),
        )
    said = [_when(rows[EVERYBODY]), *_by_number(rows), *_in_window(due, now)]
    raising = [row for row in moments.to_pylist() if row["effect"] in (RAISES, LOWERS)]
    return (*said, *(_moment(row, horizon) for row in raising[:1]))


def _when(row: dict[str, Any]) -> Finding:
    shares = [
        f"{row[f'within_{days}_days']:.0%} within {days} days"
        for days in (30, 90)
        if row[f"within_{days}_days"] is not None
    ]
    followed = (
        f"An order is followed by another in {' and in '.join(shares)}; a message" if shares else "A message"
    )
    return Finding(
        f"{followed} should arrive between day {row['opens_days']:.0f} and day {row['closes_days']:.0f} after {'it' if shares else 'an order'}, "
        f"when {row['chance']:.0%} of those still waiting order.",
        customers=row["customers"],
    )


def _by_number(rows: dict[str, Any]) -> list[Finding]:
    known = [
        rows[name]
        for name in BANDS
        if name in rows and rows[name]["opens_days"] is not None and rows[name]["within_90_days"] is not None
    ]
    if len(known) < 2:
        return []
    first, last = known[0], known[-1]
    return [
        Finding(
            f"{first['within_90_days']:.0%} order again within 90 days {first['group']}, {last['within_90_days']:.0%} {last['group']}.",
            customers=first["customers"],
        )
    ]


def _in_window(due: pa.Table, now: int) -> list[Finding]:
    today = pa.scalar(now, pa.int32()).cast(pa.date32())
    open_now = pc.and_(pc.less_equal(due["window_opens"], today), pc.less_equal(today, due["window_closes"]))
    chances = due["chance"].filter(pc.and_(open_now, pc.invert(due["late"])))
    if not len(chances):
        return []
    are = "is in its" if len(chances) == 1 else "are in their"
    said = f"{counted(len(chances), 'customer')} {are} window on {today}: about {pc.sum(chances).as_py():,.0f} of them order in what is left of it."
    return [Finding(said, customers=len(chances))]


def _moment(row: dict[str, Any], horizon: Duration) -> Finding:
    more = "more" if row["lift"] > 0 else "fewer"
    return Finding(
        f"Of customers who met {row['touchpoint']} after their first order, {row['touched']:.0%} ordered again in the "
        f"{in_words(horizon.seconds)} that followed, of like customers {row['others']:.0%}: {abs(row['lift']) * 100:.1f} points {more} "
        f"(95% interval {_points(row['low'])} to {_points(row['high'])}; observational).",
        customers=abs(row["lift"]) * row["customers"],
    )


def _points(share: float) -> str:
    return f"{share * 100:+.1f}".replace("-", "−")


def _daily(rows: list[dict[str, Any]], window: dict[str, Any], title: str) -> Picture:
    import altair as alt
    import pandas as pd

    from wayfare.charts import plots, theme

    frame = pd.DataFrame([row for row in rows if row["day_from"] <= 365])
    last = frame.iloc[[-1]].assign(day_from=frame["day_to"].iloc[-1] + 1)
    base = alt.Chart(pd.concat([frame, last])).encode(
        x=alt.X(
            "day_from:Q",
            title="days since the order",
            axis=alt.Axis(grid=False, tickCount=8),
            scale=alt.Scale(nice=False, zero=True),
        )
    )
    up = alt.Axis(format=".1%", tickCount=5)
    band = base.mark_area(opacity=0.18, interpolate="step-after", color=theme.ACCENT).encode(
        y=alt.Y("low:Q", title=None, axis=up), y2="high:Q"
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2, color=theme.ACCENT).encode(
        y=alt.Y("hazard:Q", title=None, axis=up, scale=alt.Scale(zero=True)),
        tooltip=["day_from", "day_to", "at_risk", "returned", "hazard"],
    )
    span = alt.Chart(
        pd.DataFrame([{"from": window["opens_days"], "to": window["closes_days"], "said": "window"}])
    )
    stretch = span.mark_rect(color=theme.PALE, opacity=0.45).encode(x="from:Q", x2="to:Q")
    label = span.mark_text(align="right", baseline="top", dx=-6, dy=4, color=theme.MUTED).encode(
        x="to:Q", y=alt.value(0), text="said:N"
    )
    chart = alt.layer(stretch, band, line, label).properties(width=theme.WIDTH - 40, height=260)
    return plots.picture(
        chart, title, "Chance that the next order comes on a day, of those still waiting, with 95% intervals; the window for a message in grey.",
        f"n = {rows[0]['at_risk']:,} orders; single days for four weeks, then weeks, then 30 days.",
    )  # fmt: skip
