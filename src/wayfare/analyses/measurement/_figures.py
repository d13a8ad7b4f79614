"""The figures of a scorecard, read off the sums of what each customer did in each period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._observed import Periods
from wayfare.analyses.measurement._customer_periods import FIELDS, PAIRS
from wayfare.result import table
from wayfare.stats.intervals import z_of
from wayfare.stats.proportions import mean_interval, poisson_interval, ratio_interval, wilson

SHARES = {
    "conversion_rate": ("buyers", "active"),
    "repeat_rate": ("repeat", "buyers"),
    "repurchase_rate_90d": ("again", "ripe"),
    "retention": ("retained", "exposed"),
    "churn": ("retained", "exposed"),
}
RATIOS = {"average_order_value": ("revenue", "valued"), "average_value_per_customer": ("revenue", "buyers")}
COUNTS = {"orders": "orders", "active_customers": "active", "new_customers": "new"}
METRICS = (
    "orders",
    "revenue",
    "refunds",
    "net_revenue",
    *RATIOS,
    *SHARES,
    "new_customers",
    "active_customers",
)
MONEY = ("revenue", "refunds", "net_revenue", *RATIOS)


def kind_of(metric: str) -> str:
    """Whether a figure is a count, money or a share."""
    return "share" if metric in SHARES else "money" if metric in MONEY else "count"


Figures = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Value, low, high and n by period, and over the whole time last."""


@dataclass(frozen=True, eq=False)
class Card:
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
        return self._buyers_before() * over

    def _buyers_before(self) -> NDArray[np.float64]:
        """For each period: who ordered in the one before."""
        return np.append(0.0, self.found["sums"][FIELDS.index("buyers")])[: self.periods.count]

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
            open_ones = self._buyers_before() - self.sums("exposed")[:-1]
            pending = np.append(open_ones, open_ones[self.shown :].sum())
        size = self.periods.count - self.shown + 1
        return table(
            metric=[metric] * size, period=[*self.periods.labels()[self.shown :], "all"],
            value=value[-size:], low=low[-size:], high=high[-size:], n=n[-size:].astype(np.int64), pending=pending[-size:].astype(np.int64),
            complete=np.append(self.periods.is_covered(), True)[-size:], kind=[kind_of(metric)] * size,
        )  # fmt: skip

    def figures(self, metric: str) -> Figures:
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

    def _share(self, metric: str) -> Figures:
        part, of = (self.sums(field) for field in SHARES[metric])
        part = of - part if metric == "churn" else part
        interval = wilson(part, of)
        return np.where(of > 0, part / np.maximum(of, 1), np.nan), interval.low, interval.high, of

    def _ratio(self, metric: str) -> Figures:
        x, buyers, squares = self.sums("revenue"), self.sums("buyers"), self.pair("revenue", "revenue")
        if metric == "average_value_per_customer":
            interval = mean_interval(x, squares, buyers)
            return (
                np.where(buyers > 0, x / np.maximum(buyers, 1), np.nan),
                interval.low,
                interval.high,
                buyers,
            )
        y = self.sums("valued")
        interval = ratio_interval(
            x, y, squares, self.pair("revenue", "valued"), self.pair("valued", "valued"), buyers
        )
        return np.where(y > 0, x / np.maximum(y, 1), np.nan), interval.low, interval.high, y

    def _sum(self, metric: str) -> Figures:
        """Totals of money: the variance of a compound Poisson sum over customers is Σ x²."""
        revenue, refunds = self.sums("revenue"), self.sums("refunds")
        squares = {"revenue": self.pair("revenue", "revenue"), "refunds": self.pair("refunds", "refunds")}
        squares["net_revenue"] = squares["revenue"] - 2 * self.pair("revenue", "refunds") + squares["refunds"]
        value = {"revenue": revenue, "refunds": refunds, "net_revenue": revenue - refunds}[metric]
        half = z_of(0.95) * np.sqrt(np.maximum(squares[metric], 0))
        return value, value - half, value + half, self.sums("buyers")
