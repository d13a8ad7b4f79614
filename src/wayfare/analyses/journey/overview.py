"""The first look: what is in the log, where customers come from, how many buy and how many come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._observed import Periods, periods_of, shown_from
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import in_words
from wayfare.domain.parameters import Property
from wayfare.domain.words import counted
from wayfare.histories.block import Block
from wayfare.histories.calendar import local_days
from wayfare.histories.fold import Fold, add_up
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.schema import Kind, missing
from wayfare.histories.stages import StageMap
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.proportions import difference_of_proportions, mean_interval, wilson
from wayfare.stats.quantiles import BUCKETS, bucket_of, quantile_of
from wayfare.study import Study

ENOUGH = 30
LEVEL = 0.05
_NONE = "(none)"
_NEVER, _ALWAYS = np.iinfo(np.int64).max, np.iinfo(np.int64).min


@dataclass(frozen=True, kw_only=True)
class OverviewResult(Result):
    """What the log holds: sizes, events, channels, columns, months."""

    summary: Annotated[
        pa.Table,
        Columns(
            rows="rows of the log",
            customers="customers with at least one row",
            events="kinds of event that occur",
            first_day="the day of the first row, in the workspace's zone",
            last_day="the day of the last row",
            orders="orders",
            revenue="what the orders are worth, before refunds; missing where the log has no values",
            buyers="customers with an order",
            buyers_share="of all customers",
            repeat_buyers="customers with two orders or more",
            repeat_share="of the buyers",
            median_days_between_orders="median time from an order to the customer's next one, of orders that had one (within 0.4%)",
        ),
    ]
    events: Annotated[
        pa.Table,
        Columns(
            event="the event's name, the most frequent first",
            stage="where it stands on the journey; `none` where nobody placed it",
            rows="rows of this event",
            customers="customers who had it at least once",
            share_of_customers="of all customers",
            first="the day it was first seen, in the workspace's zone",
            last="the day it was last seen",
        ),
    ]
    channels: Annotated[
        pa.Table,
        Columns(
            channel="the first channel known of a customer; `(none)` where none ever is",
            customers="customers who came by it",
            share="of all customers",
            buyers="of these customers, those with an order",
            conversion="buyers / customers",
            low="lower end of the conversion's 95% interval (Wilson)",
            high="upper end",
            value_per_customer="what their orders are worth, per customer; missing where the log has no values",
            value_low="lower end of its 95% interval",
            value_high="upper end",
        ),
    ]
    fields: Annotated[
        pa.Table,
        Columns(
            column="the column's name",
            kind="code (text with repeats), number, time, flag or text",
            filled_share="share of the rows that have it; missing for long text, which is not read",
            distinct="different values in the whole log; missing where they are not coded",
        ),
    ]
    months: Annotated[
        pa.Table,
        Columns(
            month="the calendar month",
            events="rows in the month",
            customers="customers active in it",
            orders="orders placed in it",
            revenue="what they are worth, before refunds; missing where the log has no values",
            complete="whether the log covers the whole month",
        ),
    ]

    def draw(self) -> Picture | None:
        """Active customers and orders month by month; of a short log, how many customers had each event."""
        from wayfare.charts.plots import bars

        if self.events.num_rows == 0:
            return None
        months = self.months.filter(self.months["complete"])
        if months.num_rows >= 3:
            return _months_drawn(months, self.findings[0].text)
        top = self.events.slice(0, 15)
        return bars(top, "share_of_customers", "event", title=self.findings[0].text, subtitle="Share of customers who had each event at least once.",
                    note=f"n = {self.summary['customers'][0].as_py():,} customers", percent=True)  # fmt: skip


def _months_drawn(months: pa.Table, title: str) -> Picture:
    import altair as alt

    from wayfare.charts import plots, theme

    frame = months.to_pandas()
    series = {"active customers": ("customers", theme.ACCENT), "orders": ("orders", "#E69F00")}
    across = alt.X(
        "month:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap="greedy", labelSeparation=8)
    )
    layers = []
    for name, (column, colour) in series.items():
        base = alt.Chart(frame).encode(
            x=across, y=alt.Y(f"{column}:Q", title=None, axis=alt.Axis(format=",.3~s", tickCount=5))
        )
        layers.append(
            base.mark_line(color=colour, strokeWidth=2, point=alt.OverlayMarkDef(size=18, color=colour))
        )
        end = frame.iloc[-1]
        lift = -7 if end[column] > end["customers" if column == "orders" else "orders"] else 7
        label = alt.Chart(frame.tail(1).assign(name=name)).encode(x=across, y=f"{column}:Q", text="name:N")
        layers.append(label.mark_text(align="left", dx=8, dy=lift, color=colour, fontSize=12, fontWeight=600))
    chart = alt.layer(*layers).properties(width=theme.WIDTH - 140, height=280)
    return plots.picture(
        chart, title, "Active customers and orders by month.", "Only months that the log covers completely."
    )


@dataclass(frozen=True, eq=False)
class _Overview(Fold[dict[str, Any]]):
    """Everything of the overview that adds up."""

    periods: Periods
    stages: StageMap
    events: int
    by: str | None
    channels: int

    @property
    def columns(self) -> tuple[str, ...]:
        return ORDER_COLUMNS if self.by is None else (*ORDER_COLUMNS, self.by)

    def scan(self, block: Block) -> dict[str, Any]:
        event, time, orders = block["event"], block["time"], orders_of(block, self.stages)
        month, months = self.periods.rows(block), self.periods.count
        active = block.first.copy()
        active[1:] |= month[1:] != month[:-1]
        each = np.bincount(orders.owner, minlength=block.customers)
        value = np.bincount(orders.owner, weights=np.nan_to_num(orders.value), minlength=block.customers)
        wait = np.diff(orders.time)[(np.diff(orders.owner) == 0) & (np.diff(orders.time) > 0)] / 1e6
        paid = np.bincount(month[orders.row], weights=np.nan_to_num(orders.value), minlength=months)
        return {
            "customers": block.customers, "rows": block.rows, "buyers": int((each > 0).sum()), "repeat": int((each > 1).sum()),
            "waits": np.bincount(bucket_of(wait), minlength=BUCKETS), "event_rows": np.bincount(event, minlength=self.events),
            "event_customers": block.customers_of_each(event, self.events), "span": _spans(event, time, self.events),
            "months": np.stack([np.bincount(month, minlength=months), np.bincount(month[active], minlength=months),
                                np.bincount(month[orders.row], minlength=months), paid]),
            "channels": self._by_channel(block, each, value),
        }  # fmt: skip

    def _by_channel(self, block: Block, orders: NDArray, value: NDArray) -> NDArray[np.float64]:
        """Customers, buyers, value and its squares by first channel, those without one last (4, channels + 1)."""
        channel = np.full(block.customers, self.channels)
        if self.by is not None:
            known = block.first_row(block[self.by] >= 0)
            channel = np.where(known >= 0, block[self.by][known], self.channels)
        parts = (np.ones(block.customers), orders > 0, value, value**2)
        return np.stack([np.bincount(channel, weights=part, minlength=self.channels + 1) for part in parts])

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        span = (np.minimum(left["span"][0], right["span"][0]), np.maximum(left["span"][1], right["span"][1]))
        return add_up(left, right) | {"span": span}


def _spans(event: NDArray, time: NDArray, events: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, last = np.full(events, _NEVER), np.full(events, _ALWAYS)
    np.minimum.at(first, event, time)
    np.maximum.at(last, event, time)
    return first, last


@dataclass(frozen=True)
class _Filled(Fold[NDArray[np.int64]]):
    """How many rows have each column."""

    kinds: tuple[tuple[str, Kind], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.kinds)

    def scan(self, block: Block) -> NDArray[np.int64]:
        return np.array([_filled(block[name], kind) for name, kind in self.kinds], dtype=np.int64)


def _filled(values: NDArray, kind: Kind) -> int:
    return int((~np.isnan(values) if kind is Kind.NUMBER else values != missing(kind)).sum())


@analysis
def overview(study: Study, *, by: Property | None = None) -> OverviewResult:
    """What is in the log, where do customers come from, how many buy, and how many come back?

    The first analysis to run: sizes and time range, each event with its stage, customers by the first channel they
    were seen with, each column with how much of it is filled, and the months. A customer who has not ordered
    by the log's end may still do so. Findings need 30 customers; a channel is named as the best or the
    worst only with 30 of its own.

    Args:
        by: Where customers come from: a text column, read at the first row that has it; `channel` unless given.
    """
    log = study.log
    column = by or ("channel" if "channel" in log.schema else None)
    calendar, names = periods_of(log, "month"), log.names(column) if column else None
    kinds = tuple((name, log.schema[name]) for name in log.schema if log.schema[name] is not Kind.TEXT)
    fold = _Overview(calendar, study.stages, len(log.names("event")), column, len(names) if names else 0)
    found, filled = study.fold_all([fold, _Filled(kinds)])
    money = np.nan if "value" not in log.schema else 0.0
    summary, events = _summary(study, found, money), _events(study, found)
    channels = (
        _channels(names.to_list() if names else [], found["channels"], money)
        if column
        else _channels([], np.zeros((4, 1)), money)
    )
    shown = shown_from(log, calendar) if found["rows"] else calendar.count
    count, active, orders, revenue = found["months"]
    months = table(
        month=pa.array(calendar.labels(), pa.string()), events=count.astype(np.int64), customers=active.astype(np.int64),
        orders=orders.astype(np.int64), revenue=revenue + money, complete=calendar.is_covered(),
    ).slice(shown)  # fmt: skip
    fields = _fields(study, dict(zip((n for n, _ in kinds), filled, strict=True)), found["rows"])
    findings = _findings(study, summary.to_pylist()[0], channels)
    return OverviewResult(
        summary=summary, events=events, channels=channels, fields=fields, months=months, findings=findings
    )


def _share(part: Any, of: Any) -> Any:
    return np.where(np.asarray(of) > 0, np.asarray(part) / np.maximum(of, 1), np.nan)


def _day(moments: NDArray[np.int64], zone: str) -> list[str]:
    return [str(np.datetime64(int(day), "D")) for day in local_days(moments, zone)]


def _summary(study: Study, found: dict[str, Any], money: float) -> pa.Table:
    seen = found["event_rows"] > 0
    first, last = found["span"]
    days = _day(np.array([first[seen].min(), last[seen].max()]), study.zone) if seen.any() else [None, None]
    median = float(quantile_of(found["waits"], 0.5)) / 86_400
    return table(
        rows=[found["rows"]], customers=[found["customers"]], events=[int(seen.sum())],
        first_day=pa.array(days[:1], pa.string()), last_day=pa.array(days[1:], pa.string()),
        orders=[int(found["months"][2].sum())], revenue=[float(found["months"][3].sum()) + money], buyers=[found["buyers"]],
        buyers_share=[float(_share(found["buyers"], found["customers"]))], repeat_buyers=[found["repeat"]],
        repeat_share=[float(_share(found["repeat"], found["buyers"]))], median_days_between_orders=[median],
    )  # fmt: skip


def _events(study: Study, found: dict[str, Any]) -> pa.Table:
    names, rows = study.log.names("event").to_list(), found["event_rows"]
    order = sorted(np.flatnonzero(rows).tolist(), key=lambda code: (-rows[code], names[code]))
    placed = {t.event: str(t.stage) for t in study.journey.touchpoints}
    first, last = (bound[order] for bound in found["span"])
    return table(
        event=pa.array([names[code] for code in order], pa.string()),
        stage=pa.array([placed.get(names[code], "none") for code in order], pa.string()),
        rows=rows[order], customers=found["event_customers"][order],
        share_of_customers=_share(found["event_customers"][order], found["customers"]),
        first=pa.array(_day(first, study.zone), pa.string()), last=pa.array(_day(last, study.zone), pa.string()),
    )  # fmt: skip


def _channels(names: list[str], sums: NDArray[np.float64], money: float) -> pa.Table:
    names = [*names, _NONE]
    order = sorted(np.flatnonzero(sums[0]).tolist(), key=lambda code: (-sums[0][code], names[code]))
    customers, buyers, value, squares = sums[:, order]
    rate, worth = wilson(buyers, customers), mean_interval(value, squares, customers)
    return table(
        channel=pa.array([names[code] for code in order], pa.string()), customers=customers.astype(np.int64),
        share=_share(customers, sums[0].sum()), buyers=buyers.astype(np.int64), conversion=_share(buyers, customers),
        low=rate.low, high=rate.high, value_per_customer=_share(value, customers) + money, value_low=worth.low + money,
        value_high=worth.high + money,
    )  # fmt: skip


def _fields(study: Study, filled: dict[str, int], rows: int) -> pa.Table:
    schema = study.log.schema
    shares = [float(_share(filled[name], rows)) if name in filled else np.nan for name in schema]
    distinct = [len(study.log.names(name)) if schema[name] is Kind.CODE else None for name in schema]
    return table(
        column=pa.array(list(schema), pa.string()), kind=pa.array([schema[name].value for name in schema], pa.string()),
        filled_share=np.array(shares, dtype=float), distinct=pa.array(distinct, pa.int64()),
    )  # fmt: skip


def _findings(study: Study, summary: dict[str, Any], channels: pa.Table) -> tuple[Finding, ...]:
    customers, buyers, repeat = summary["customers"], summary["buyers"], summary["repeat_buyers"]
    if customers < ENOUGH:
        return (
            Finding(
                f"Too few to say anything yet: {counted(customers, 'customer')} and {counted(summary['rows'], 'row')}."
            ),
        )
    buy, again = wilson(buyers, customers), wilson(repeat, max(buyers, 1))
    text = (
        f"{buyers / customers:.0%} ({buy.low:.0%} to {buy.high:.0%}) of {customers:,} customers ordered "
        f"{_between(summary['first_day'], summary['last_day'])}"
    )
    if buyers >= ENOUGH:
        text += (
            f"; {repeat / buyers:.0%} ({again.low:.0%} to {again.high:.0%}) of them came back to order again"
        )
    return (Finding(f"{text}."), *_orders(study, summary), *_where_from(channels.to_pylist()))


def _between(first: str, last: str) -> str:
    return f"on {first}" if first == last else f"between {first} and {last}"


def _orders(study: Study, summary: dict[str, Any]) -> tuple[Finding, ...]:
    """What the orders are worth, and after how long the next one comes."""
    orders, worth = summary["orders"], summary["revenue"]
    if not orders:
        return ()
    are = "is" if orders == 1 else "are"
    money = f"There {are} {counted(orders, 'order')}"
    if not np.isnan(worth):
        money = f"{counted(orders, 'order')} {are} worth {study.currency} {worth:,.0f}"
    wait = summary["median_days_between_orders"]
    if summary["repeat_buyers"] >= ENOUGH and not np.isnan(wait):
        money += f"; the next one comes after {in_words(wait * 86_400)} (median of those who ordered again)"
    return (Finding(f"{money}."),)


def _where_from(channels: list[dict[str, Any]]) -> tuple[Finding, ...]:
    """The largest channel, and the two furthest apart where that is more than picking two of so many would show by chance."""
    known = [row for row in channels if row["channel"] != _NONE]
    if len(known) < 2:
        return ()
    largest = known[0]
    findings = [
        Finding(
            f"Most customers, {largest['customers']:,} ({largest['share']:.0%}), come by {largest['channel']}."
        )
    ]
    enough = [row for row in known if row["customers"] >= ENOUGH]
    best, worst = (pick(enough, key=lambda row: row["conversion"], default=largest) for pick in (max, min))
    apart = difference_of_proportions(best["buyers"], best["customers"], worst["buyers"], worst["customers"])
    pairs = len(enough) * (len(enough) - 1) / 2
    if apart.p * pairs < LEVEL and best["low"] > worst["high"]:
        findings.append(
            Finding(
                f"{best['conversion']:.0%} ({best['low']:.0%} to {best['high']:.0%}) of those who came by {best['channel']} ordered, "
                f"{worst['conversion']:.0%} ({worst['low']:.0%} to {worst['high']:.0%}) by {worst['channel']}."
            )
        )
    return tuple(findings)
