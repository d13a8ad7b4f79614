"""The scorecard: the figures of the customer business, period by period, with trend and change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._observed import Periods, event_codes, periods_of, shown_from, whole_histories
from wayfare.analyses.measurement._customer_periods import AGAIN, FIELDS, PAIRS, CustomerPeriods
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.parameters import Day
from wayfare.errors import InvalidParameter
from wayfare.histories.calendar import start_of_day
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.intervals import z_of
from wayfare.stats.multiplicity import holm
from wayfare.stats.proportions import mean_interval, poisson_interval, ratio_interval, wilson
from wayfare.stats.trend import mann_kendall_sen
from wayfare.study import Study

ENOUGH = 30
_QUARTER = {"week": 13, "month": 3, "quarter": 1}

SHARES = {
    "conversion_rate": ("buyers", "active"),
    "repeat_rate": ("repeat", "buyers"),
    "repurchase_rate_90d": ("again", "ripe"),
    "retention": ("retained", "exposed"),
    "churn": ("retained", "exposed"),
}
RATIOS = {"average_order_value": ("revenue", "valued"), "average_value_per_customer": ("revenue", "buyers")}
COUNTS = {"orders": "orders", "active_customers": "active", "new_customers": "new"}
METRICS = ("orders", "revenue", "refunds", "net_revenue", *RATIOS, *SHARES, "new_customers", "active_customers")
_MONEY = ("revenue", "refunds", "net_revenue", *RATIOS)
_DRAWN = ("net_revenue", "orders", "average_order_value", "active_customers", "new_customers", "conversion_rate",
          "repeat_rate", "repurchase_rate_90d", "retention")  # fmt: skip


def _kind(metric: str) -> str:
    return "share" if metric in SHARES else "money" if metric in _MONEY else "count"


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
            low="lower end of its 95 % interval",
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
            change_low="lower end of the change's 95 % interval",
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
            low="lower end of its 95 % interval",
            high="upper end",
            p="p value of no trend (Mann–Kendall), corrected for looking at all figures (Holm)",
            periods="complete periods it is based on",
        ),
    ]

    def chart(self) -> Picture | None:
        """Each figure as a small line over the complete periods, with its interval as a band."""
        frame = self.metrics.filter(self.metrics["complete"]).to_pandas()
        frame = frame[(frame["period"] != "all") & frame["value"].notna()]
        shown = [m for m in _DRAWN if (frame["metric"] == m).sum() >= 2 and frame.loc[frame["metric"] == m, "value"].nunique() > 1]
        if not shown:
            return None
        return _small_lines(frame, shown, self.findings[0].text, self.context.params.get("period", "period"))


def _small_lines(frame: Any, shown: Sequence[str], title: str, period: str) -> Picture:
    import altair as alt

    from wayfare.charts import plots, theme

    def panel(metric: str) -> Any:
        form = ".0%" if metric in SHARES else ",.3~s"
        across = alt.X("period:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap="greedy", labelFontSize=10, labelSeparation=8))
        base = alt.Chart(frame[frame["metric"] == metric]).encode(x=across)
        up = alt.Y("value:Q", title=None, axis=alt.Axis(format=form, tickCount=4), scale=alt.Scale(zero=True))
        band = base.mark_area(opacity=0.18, color=theme.ACCENT).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
        line = base.mark_line(color=theme.ACCENT, strokeWidth=2, point=alt.OverlayMarkDef(size=14)).encode(y=up)
        name = alt.TitleParams(metric.replace("_", " ").capitalize(), fontSize=12, fontWeight=600, offset=6, anchor="start")
        return alt.layer(band, line).properties(width=176, height=96, title=name)

    chart = alt.concat(*(panel(metric) for metric in shown), columns=3, bounds="flush", align="all", spacing={"row": 62, "column": 52})
    return plots.picture(chart, title, f"Each figure by {period}, with its 95 % interval.", f"Only {period}s that the log covers completely.")


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
        baseline_from: The baseline's first day; the log's first unless given.
        baseline_to: The baseline's last day. Unless a day is given, the baseline is the first complete quarter of
            a year that the log covers (13 weeks, 3 months or 1 quarter; at most half of what there is). It is compared
            with the last as many complete periods after it, for the re-purchase rate with the last whose 90 days are over.
    """
    calendar = periods_of(study.log, period)
    shown = shown_from(study.log, calendar)
    windows = _windows(study, calendar, shown, baseline_from, baseline_to)
    codes = event_codes(study, ())
    stages = study.stages
    if codes is not None:
        stages = replace(stages, orders=tuple(is_order and code in codes for code, is_order in enumerate(stages.orders)))
    found = whole_histories(study).fold(CustomerPeriods(calendar, shown, windows, study.log.ends, stages, codes))
    card = _Card(calendar, shown, found, "value" in study.log.schema)
    metrics = pa.concat_tables([card.rows(metric) for metric in METRICS])
    change, trend = _change(card, windows), _trend(metrics)
    return ScorecardResult(metrics=metrics, change=change, trend=trend, findings=_findings(study, period, change, metrics))


def _windows(study: Study, calendar: Periods, shown: int, low: date | None, high: date | None) -> tuple[tuple[int, int], ...]:
    """The baseline, the current periods, and the last periods whose 90 days are over, each as [first, last)."""
    covered = np.flatnonzero(calendar.is_covered() & (np.arange(calendar.count) >= shown))
    if low is not None or high is not None:
        since = np.iinfo(np.int64).min if low is None else start_of_day(low.isoformat(), study.zone)
        until = np.iinfo(np.int64).max if high is None else start_of_day(str(np.datetime64(high.isoformat()) + 1), study.zone)
        chosen = covered[(calendar.edges[covered] >= since) & (calendar.edges[covered + 1] <= until)]
        if len(chosen) == 0:
            allowed = [calendar.label(p) for p in covered]
            raise InvalidParameter("The baseline holds no complete period.", where="baseline_from", allowed=allowed)
    else:
        chosen = covered[: min(_QUARTER[calendar.period], len(covered) // 2)]
    if len(chosen) == 0:
        return ((0, 0), (0, 0), (0, 0))
    size, last = min(_QUARTER[calendar.period], len(chosen)) if low is None and high is None else _QUARTER[calendar.period], chosen[-1]
    after = covered[covered > last]
    ripe = after[calendar.edges[after + 1] + AGAIN <= study.log.ends]
    return ((int(chosen[0]), int(last) + 1), *((int(p[-size:][0]), int(p[-1]) + 1) if len(p) else (0, 0) for p in (after, ripe)))


@dataclass(frozen=True, eq=False)
class _Card:
    """The sums of the fold, read as figures."""

    periods: Periods
    shown: int
    found: dict[str, Any]
    money: bool

    def sums(self, field: str) -> NDArray[np.float64]:
        """A field by period, and over the whole time last."""
        if field == "new":
            return np.append(self.found["new"], self.found["new"][self.shown :].sum())
        if field in ("retained", "exposed"):
            by_period = self._followed(field)
            return np.append(by_period, by_period[self.shown :].sum())
        index = FIELDS.index(field)
        return np.append(self.found["sums"][index], self.found["whole"][index])

    def _followed(self, field: str) -> NDArray[np.float64]:
        """Retention needs a period that is over and one before it."""
        over = self.periods.is_over() & (np.arange(self.periods.count) > 0)
        if field == "retained":
            return self.found["sums"][FIELDS.index("retained")] * over
        return np.append(0.0, self.found["sums"][FIELDS.index("buyers")])[: self.periods.count] * over

    def pair(self, a: str, b: str) -> NDArray[np.float64]:
        """Σ a·b over customers by period, and over the whole time last."""
        whole = self.found["whole_moments"][FIELDS.index(a), FIELDS.index(b)]
        return np.append(self.found["pairs"][PAIRS.index((a, b))], whole)

    def rows(self, metric: str) -> pa.Table:
        """A figure's rows of the table: the periods shown and the whole time."""
        value, low, high, n = self.figures(metric)
        pending = np.zeros(len(value))
        if metric == "repurchase_rate_90d":
            pending = self.sums("buyers") - self.sums("ripe")
        elif metric in ("retention", "churn"):
            open_ones = np.append(0.0, self.found["sums"][FIELDS.index("buyers")])[: self.periods.count] - self.sums("exposed")[:-1]
            pending = np.append(open_ones, open_ones[self.shown :].sum())
        size = self.periods.count - self.shown + 1
        return table(
            metric=[metric] * size, period=[*self.periods.labels()[self.shown :], "all"],
            value=value[-size:], low=low[-size:], high=high[-size:], n=n[-size:].astype(np.int64), pending=pending[-size:].astype(np.int64),
            complete=np.append(self.periods.is_covered(), True)[-size:], kind=[_kind(metric)] * size,
        )  # fmt: skip

    def figures(self, metric: str) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """A figure's value, interval and n by period, and over the whole time last."""
        if metric in SHARES:
            return self._share(metric)
        if metric in COUNTS:
            count = self.sums(COUNTS[metric])
            interval = poisson_interval(count)
            return count.astype(float), interval.low, interval.high, count
        value, low, high, n = self._ratio(metric) if metric in RATIOS else self._sum(metric)
        unknown = np.where(self.money, 0.0, np.nan)
        return value + unknown, low + unknown, high + unknown, n * self.money

    def _share(self, metric: str) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        part, of = (self.sums(field) for field in SHARES[metric])
        part = of - part if metric == "churn" else part
        interval = wilson(part, of)
        return np.where(of > 0, part / np.maximum(of, 1), np.nan), interval.low, interval.high, of

    def _ratio(self, metric: str) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        x, buyers, squares = self.sums("revenue"), self.sums("buyers"), self.pair("revenue", "revenue")
        if metric == "average_value_per_customer":
            interval = mean_interval(x, squares, buyers)
            return np.where(buyers > 0, x / np.maximum(buyers, 1), np.nan), interval.low, interval.high, buyers
        y = self.sums("valued")
        interval = ratio_interval(x, y, squares, self.pair("revenue", "valued"), self.pair("valued", "valued"), buyers)
        return np.where(y > 0, x / np.maximum(y, 1), np.nan), interval.low, interval.high, y

    def _sum(self, metric: str) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Totals of money: the variance of a compound Poisson sum over customers is Σ x²."""
        revenue, refunds = self.sums("revenue"), self.sums("refunds")
        squares = {"revenue": self.pair("revenue", "revenue"), "refunds": self.pair("refunds", "refunds")}
        squares["net_revenue"] = squares["revenue"] - 2 * self.pair("revenue", "refunds") + squares["refunds"]
        value = {"revenue": revenue, "refunds": refunds, "net_revenue": revenue - refunds}[metric]
        half = z_of(0.95) * np.sqrt(np.maximum(squares[metric], 0))
        return value, value - half, value + half, self.sums("buyers")


def _change(card: _Card, windows: Sequence[tuple[int, int]]) -> pa.Table:
    rows = [_change_of(card, windows, metric) for metric in METRICS]
    # Churn is retention told the other way round, not another look.
    p = holm([np.nan if row["metric"] == "churn" else row["p"] for row in rows])
    p[METRICS.index("churn")] = p[METRICS.index("retention")]
    for row, corrected in zip(rows, p, strict=True):
        row |= {"p": float(corrected), "significant": bool(corrected < 0.05)}
    return table(**{name: [row[name] for row in rows] for name in ScorecardResult.columns()["change"]})


def _change_of(card: _Card, windows: Sequence[tuple[int, int]], metric: str) -> dict[str, Any]:
    then, now = 0, 2 if metric == "repurchase_rate_90d" else 1
    (a, a_sd, a_n), (b, b_sd, b_n) = (_in_window(card, windows, w, metric) for w in (then, now))
    spread = float(np.hypot(a_sd, b_sd))
    gap = b - a if min(a_n, b_n) >= ENOUGH and spread > 0 else np.nan
    half = z_of(0.95) * spread
    named = [f"{card.periods.label(low)} to {card.periods.label(high - 1)}" if high > low else "" for low, high in windows]
    return {
        "metric": metric, "baseline": a, "current": b, "change": gap, "change_low": gap - half, "change_high": gap + half,
        "p": _two_sided(gap / spread) if spread > 0 else np.nan, "significant": False, "baseline_periods": named[then],
        "current_periods": named[now], "baseline_n": int(a_n), "current_n": int(b_n),
    }  # fmt: skip


def _two_sided(z: float) -> float:
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(z)))


def _in_window(card: _Card, windows: Sequence[tuple[int, int]], index: int, metric: str) -> tuple[float, float, float]:
    """A figure over a window of periods: its value, standard error, and the customers it is about."""
    low, high = windows[index]
    size = high - low
    if size == 0 or (metric in _MONEY and not card.money):
        return np.nan, np.nan, 0
    if metric == "new_customers":
        count = float(card.found["new"][low:high].sum())
        return count / size, np.sqrt(count) / size, count
    sums = dict(zip(FIELDS, card.found["windows"][index], strict=True))
    moments = card.found["window_moments"][index]
    moment = lambda a, b: moments[FIELDS.index(a), FIELDS.index(b)]  # noqa: E731
    if metric in SHARES or metric in RATIOS:
        x, y = (SHARES | RATIOS)[metric]
        return _pooled(sums[x], sums[y], moment(x, x), moment(x, y), moment(y, y), flip=metric == "churn")
    if metric == "net_revenue":
        squares = moment("revenue", "revenue") - 2 * moment("revenue", "refunds") + moment("refunds", "refunds")
        return (sums["revenue"] - sums["refunds"]) / size, np.sqrt(max(squares, 0)) / size, sums["buyers"]
    field = COUNTS.get(metric, metric)
    return sums[field] / size, np.sqrt(moment(field, field)) / size, sums["active" if field == "active" else "buyers"]


def _pooled(x: float, y: float, xx: float, xy: float, yy: float, *, flip: bool) -> tuple[float, float, float]:
    """x / y with customers as the independent units (the delta method; Cochran 1977, eq. 6.13)."""
    if y == 0:
        return np.nan, np.nan, 0
    ratio = x / y
    variance = max(xx - 2 * ratio * xy + ratio**2 * yy, 0.0) / y**2
    return (1 - ratio if flip else ratio), float(np.sqrt(variance)), y


def _trend(metrics: pa.Table) -> pa.Table:
    frame = metrics.filter(metrics["complete"]).to_pandas()
    frame = frame[frame["period"] != "all"]
    series = [frame.loc[frame["metric"] == metric, "value"].to_numpy(dtype=float) for metric in METRICS]
    trends = [mann_kendall_sen(values) for values in series]
    p = holm([np.nan if metric == "churn" else t.p for metric, t in zip(METRICS, trends, strict=True)])
    p[METRICS.index("churn")] = p[METRICS.index("retention")]
    return table(
        metric=list(METRICS), slope_per_period=[t.slope_per_period for t in trends], low=[t.low for t in trends],
        high=[t.high for t in trends], p=p, periods=[int((~np.isnan(values)).sum()) for values in series],
    )  # fmt: skip


def _findings(study: Study, period: str, change: pa.Table, metrics: pa.Table) -> tuple[Finding, ...]:
    """The change of the money and of the figures that the log's beginning does not distort."""
    rows = {row["metric"]: row for row in change.to_pylist()}
    head = rows["net_revenue"] if rows["net_revenue"]["change"] == rows["net_revenue"]["change"] else rows["orders"]
    if np.isnan(head["change"]):
        whole = {row["metric"]: row for row in metrics.to_pylist() if row["period"] == "all"}
        orders, active = int(whole["orders"]["value"]), int(whole["active_customers"]["value"])
        return (Finding(f"Too few complete {period}s or customers to compare: {orders:,} orders by {active:,} active customers so far."),)
    money = abs(head["change"]) if head["metric"] == "net_revenue" and head["significant"] else None
    findings = [Finding(_sentence(study, period, head), money=money)]
    told = ("conversion_rate", "average_order_value", "repurchase_rate_90d", "retention")
    others = sorted((rows[m] for m in told if rows[m]["significant"]), key=lambda row: row["p"])
    findings += [Finding(_sentence(study, period, row)) for row in others[:3]]
    if not others:
        findings.append(Finding(f"No other figure differs from {head['baseline_periods']} by more than chance."))
    return tuple(findings)


def _sentence(study: Study, period: str, row: dict[str, Any]) -> str:
    metric = row["metric"]
    name = metric.replace("_90d", " in 90 days").replace("_", " ").capitalize()
    each = "" if metric in SHARES or metric in RATIOS else f" a {period}"
    say, way = _said(study, metric), "rose" if row["change"] > 0 else "fell"
    if not row["significant"]:
        return (
            f"{name} was {say(row['current'])}{each} in {row['current_periods']}, not clearly different from "
            f"{say(row['baseline'])} in {row['baseline_periods']}."
        )
    low, high = sorted((abs(row["change_low"]), abs(row["change_high"])))
    points = (lambda x: f"{100 * x:.1f}") if metric in SHARES else say
    by = f"{points(abs(row['change']))}{' points' if metric in SHARES else ''} ({points(low)} to {points(high)})"
    return f"{name} {way} from {say(row['baseline'])}{each} ({row['baseline_periods']}) to {say(row['current'])} ({row['current_periods']}): by {by}."


def _said(study: Study, metric: str) -> Any:
    if metric in SHARES:
        return lambda x: f"{x:.1%}"
    digits = 2 if metric in RATIOS else 0
    money = f"{study.currency} " if metric in _MONEY else ""
    return lambda x: f"{money}{x:,.{digits}f}"
