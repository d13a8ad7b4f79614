"""The scorecard: the figures of the customer business, period by period, with trend and change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from wayfare.analyses._observed import event_codes, periods_of, shown_from, whole_histories
from wayfare.analyses.measurement._changes import change_table, trend_table, windows_of
from wayfare.analyses.measurement._customer_periods import CustomerPeriods
from wayfare.analyses.measurement._figures import METRICS, MONEY, RATIOS, SHARES, Card
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.parameters import Day
from wayfare.domain.words import counted
from wayfare.result import Columns, Finding, Result
from wayfare.study import Study

_DRAWN = ("net_revenue", "orders", "average_order_value", "active_customers", "new_customers", "conversion_rate",
          "repeat_rate", "repurchase_rate_90d", "retention")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ScorecardResult(Result):
    """The figures by period and for the whole time, their change against a baseline, their trend."""

    observational: ClassVar[str] = (
        "the periods compared differ in season, prices, range and campaigns as well, the same customers may be in both, "
        "and who bought before the log begins looks new at its start."
    )

    metrics: Annotated[
        pa.Table,
        Columns(
            metric="the figure's name",
            period="the calendar period, or `all` for the whole time",
            value="the figure; so far, while the period isn't over; missing where nothing can be said",
            low="lower end of its 95% interval",
            high="upper end",
            n="what it is based on: the customers of a share or a mean, the orders of an order value, the count itself of a count",
            pending="customers who can't be counted yet, because the time that the figure gives them isn't over",
            complete="whether the log covers the whole period",
            kind="count, money or share",
        ),
    ]
    change: Annotated[
        pa.Table,
        Columns(
            metric="the figure's name",
            baseline="its value in the baseline; counts and sums per period",
            current="its value in the latest complete periods",
            change="current − baseline, in the figure's own unit; shares as a difference of shares",
            change_low="lower end of the change's 95% interval",
            change_high="upper end",
            p="p value of no change, corrected for looking at all figures (Holm)",
            significant="whether p < 0.05",
            baseline_periods="the baseline's first and last period",
            current_periods="the current first and last period",
            baseline_n="customers that the baseline is about, counted in each of its periods",
            current_n="customers that the current periods are about, counted in each",
        ),
    ]
    trend: Annotated[
        pa.Table,
        Columns(
            metric="the figure's name",
            slope_per_period="median change from period to period (Sen)",
            low="lower end of its 95% interval",
            high="upper end",
            p="p value of no trend (Mann–Kendall), corrected for looking at all figures (Holm)",
            periods="complete periods it is based on",
        ),
    ]

    def draw(self) -> Picture | None:
        """Each figure as a small line over the complete periods, with its interval as a band."""
        frame = self.metrics.filter(self.metrics["complete"]).to_pandas()
        frame = frame[(frame["period"] != "all") & frame["value"].notna()]
        shown = [
            m
            for m in _DRAWN
            if (frame["metric"] == m).sum() >= 2 and frame.loc[frame["metric"] == m, "value"].nunique() > 1
        ]
        if not shown:
            return None
        return _small_lines(frame, shown, self.findings[0].text, self.context.params.get("period", "period"))


def _small_lines(frame: Any, shown: Sequence[str], title: str, period: str) -> Picture:
    import altair as alt

    from wayfare.charts import plots, theme

    def panel(metric: str) -> Any:
        form = ".0%" if metric in SHARES else ",.3~s"
        across = alt.X(
            "period:O",
            title=None,
            axis=alt.Axis(labelAngle=0, labelOverlap="greedy", labelFontSize=10, labelSeparation=8),
        )
        base = alt.Chart(frame[frame["metric"] == metric]).encode(x=across)
        up = alt.Y("value:Q", title=None, axis=alt.Axis(format=form, tickCount=4), scale=alt.Scale(zero=True))
        band = base.mark_area(opacity=0.18, color=theme.ACCENT).encode(
            y=alt.Y("low:Q", title=None), y2="high:Q"
        )
        line = base.mark_line(color=theme.ACCENT, strokeWidth=2, point=alt.OverlayMarkDef(size=14)).encode(
            y=up
        )
        name = alt.TitleParams(_name(metric), fontSize=12, fontWeight=600, offset=6, anchor="start")
        return alt.layer(band, line).properties(width=176, height=96, title=name)

    chart = alt.concat(
        *(panel(metric) for metric in shown),
        columns=3,
        bounds="flush",
        align="all",
        spacing={"row": 62, "column": 52},
    )
    return plots.picture(
        chart,
        title,
        f"Each figure by {period}, with its 95% interval.",
        f"Only {period}s that the log covers completely.",
    )


@analysis
def scorecard(
    study: Study,
    *,
    period: Literal["week", "month", "quarter"] = "month",
    baseline_from: Day | None = None,
    baseline_to: Day | None = None,
) -> ScorecardResult:
    """How is the business with its customers doing, and what has changed?

    By calendar period and for the whole time (`all`): `orders`; `revenue` (what orders are worth, before refunds),
    `refunds` (rows with negative value that are no orders) and `net_revenue`; `average_order_value` (revenue / orders);
    `average_value_per_customer` (revenue / customers who ordered); `conversion_rate` (of the customers active, those who
    ordered); `repeat_rate` (of the customers who ordered, those who had ordered before); `repurchase_rate_90d` (of the
    customers who ordered, those who ordered again within 90 days of their first order in the period; only those whose 90 days
    are over); `retention` (of those who ordered in the period before, those who ordered in this one; over the whole time
    all pairs of periods together) and `churn` (1 − retention); `new_customers` (first event ever in the log) and
    `active_customers`. A filter by time shows the periods from its first moment on, each counted whole; what
    customers did before it still makes them old customers.

    Intervals: of shares Wilson, of means and ratios by the delta method over customers, of counts Poisson (Garwood), of sums of
    money compound Poisson over customers. The change compares windows of periods: shares and ratios are
    pooled over a window's periods, counts and sums are per period, and variances are those over customers, who may
    be in several periods. A window with fewer than 30 customers is *too few to say*.

    Args:
        period: How long a period is.
        baseline_from: The baseline's first day; that of the workspace's baseline, else the log's first, unless given.
        baseline_to: The baseline's last day. Unless a day is given, the baseline is the first complete quarter of
            a year that the log covers (13 weeks, 3 months or 1 quarter; at most half of what there is). It is compared
            with the last as many complete periods after it, for the re-purchase rate with the last whose 90 days are over.
    """
    calendar = periods_of(study.log, period)
    shown = shown_from(study.log, calendar)
    if study.baseline and baseline_from is None and baseline_to is None:
        baseline_from, baseline_to = study.baseline
    windows = windows_of(study, calendar, shown, baseline_from, baseline_to)
    codes = event_codes(study, ())
    stages = study.stages
    if codes is not None:
        stages = replace(
            stages, orders=tuple(is_order and code in codes for code, is_order in enumerate(stages.orders))
        )
    found = whole_histories(study).fold(
        CustomerPeriods(calendar, shown, windows, study.log.ends, stages, codes)
    )
    card = Card(calendar, shown, found, "value" in study.log.schema)
    metrics = pa.concat_tables([card.rows(metric) for metric in METRICS])
    change, trend = change_table(card, windows), trend_table(metrics)
    return ScorecardResult(
        metrics=metrics, change=change, trend=trend, findings=_findings(study, period, change, metrics)
    )


def _findings(study: Study, period: str, change: pa.Table, metrics: pa.Table) -> tuple[Finding, ...]:
    """The change of the money and of the figures that the log's beginning does not distort."""
    rows = {row["metric"]: row for row in change.to_pylist()}
    head = rows["orders"] if np.isnan(rows["net_revenue"]["change"]) else rows["net_revenue"]
    if np.isnan(head["change"]):
        whole = {row["metric"]: row for row in metrics.to_pylist() if row["period"] == "all"}
        orders, active = int(whole["orders"]["value"]), int(whole["active_customers"]["value"])
        return (
            Finding(
                f"Too few complete {period}s or customers to compare: {counted(orders, 'order')} by "
                f"{counted(active, 'active customer')} so far."
            ),
        )
    money = abs(head["change"]) if head["metric"] == "net_revenue" and head["significant"] else None
    findings = [Finding(_sentence(study, period, head), money=money)]
    told = ("conversion_rate", "average_order_value", "repurchase_rate_90d", "retention")
    others = sorted((rows[m] for m in told if rows[m]["significant"]), key=lambda row: row["p"])
    findings += [Finding(_sentence(study, period, row)) for row in others[:3]]
    compared = [_name(m) for m in told if not np.isnan(rows[m]["p"])]
    if compared and not others:
        findings.append(
            Finding(
                f"{_listed(compared)} {'is' if len(compared) == 1 else 'are'} not clearly different from "
                f"{_span(head['baseline_periods'])}."
            )
        )
    return tuple(findings)


def _name(metric: str) -> str:
    return metric.replace("_90d", " in 90 days").replace("_", " ").capitalize()


def _listed(names: Sequence[str]) -> str:
    *before, last = [names[0], *(name.lower() for name in names[1:])]
    return f"{', '.join(before)} and {last}" if before else last


def _span(periods: str) -> str:
    """`2024-01 to 2024-03`, or the one period where both ends are the same."""
    first, _, last = periods.partition(" to ")
    return first if first == last else periods


def _sentence(study: Study, period: str, row: dict[str, Any]) -> str:
    metric = row["metric"]
    name, then, now = _name(metric), _span(row["baseline_periods"]), _span(row["current_periods"])
    each = "" if metric in SHARES or metric in RATIOS else f" a {period}"
    say, way = _said(study, metric), "rose" if row["change"] > 0 else "fell"
    if not row["significant"]:
        return f"{name} was {say(row['current'])}{each} in {now}, not clearly different from {say(row['baseline'])} in {then}."
    low, high = sorted((abs(row["change_low"]), abs(row["change_high"])))
    points = (lambda x: f"{100 * x:.1f}") if metric in SHARES else say
    by = f"{points(abs(row['change']))}{' points' if metric in SHARES else ''} ({points(low)} to {points(high)})"
    return (
        f"{name} {way} from {say(row['baseline'])}{each} ({then}) to {say(row['current'])} ({now}): by {by}."
    )


def _said(study: Study, metric: str) -> Callable[[float], str]:
    if metric in SHARES:
        return lambda x: f"{x:.1%}"
    digits = 2 if metric in RATIOS else 0
    money = f"{study.currency} " if metric in MONEY else ""
    return lambda x: f"{money}{x:,.{digits}f}"
