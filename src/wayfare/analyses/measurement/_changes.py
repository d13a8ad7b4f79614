"""How a scorecard's figures change: against a baseline, and from period to period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._observed import Periods
from wayfare.analyses.measurement._customer_periods import AGAIN, FIELDS
from wayfare.analyses.measurement._figures import COUNTS, METRICS, MONEY, RATIOS, SHARES, Card
from wayfare.errors import InvalidParameter
from wayfare.histories.calendar import start_of_day
from wayfare.result import table
from wayfare.stats.intervals import z_of
from wayfare.stats.multiplicity import holm
from wayfare.stats.trend import mann_kendall_sen
from wayfare.study import Study

ENOUGH = 30
_QUARTER = {"week": 13, "month": 3, "quarter": 1}

Window = tuple[int, int]
"""A range of periods [first, last)."""


def windows_of(
    study: Study, calendar: Periods, shown: int, low: date | None, high: date | None
) -> tuple[Window, ...]:
    """The baseline, the current periods, and the last periods whose 90 days are over."""
    covered = np.flatnonzero(calendar.is_covered() & (np.arange(calendar.count) >= shown))
    size = _QUARTER[calendar.period]
    if low is None and high is None:
        size = min(size, len(covered) // 2)
        chosen = covered[:size]
    else:
        chosen = _between(study, calendar, covered, low, high)
    if len(chosen) == 0:
        return ((0, 0), (0, 0), (0, 0))
    after = covered[covered > chosen[-1]]
    ripe = after[calendar.edges[after + 1] + AGAIN <= study.log.ends]
    return tuple(
        (int(p[0]), int(p[-1]) + 1) if len(p) else (0, 0) for p in (chosen, after[-size:], ripe[-size:])
    )


def _between(
    study: Study, calendar: Periods, covered: NDArray[np.int64], low: date | None, high: date | None
) -> NDArray[np.int64]:
    chosen = covered
    if low is not None:
        chosen = chosen[calendar.edges[chosen] >= start_of_day(low.isoformat(), study.zone)]
    if high is not None:
        after = str(np.datetime64(high.isoformat()) + 1)
        chosen = chosen[calendar.edges[chosen + 1] <= start_of_day(after, study.zone)]
    if len(chosen) == 0:
        allowed = [calendar.label(p) for p in covered]
        raise InvalidParameter(
            "The baseline holds no complete period.", where="baseline_from", allowed=allowed
        )
    return chosen


def change_table(card: Card, windows: Sequence[Window]) -> pa.Table:
    """Each figure in the baseline and now."""
    rows = [_change_of(card, windows, metric) for metric in METRICS]
    # Churn is retention told the other way round, not another look.
    p = holm([np.nan if row["metric"] == "churn" else row["p"] for row in rows])
    p[METRICS.index("churn")] = p[METRICS.index("retention")]
    for row, corrected in zip(rows, p, strict=True):
        row |= {"p": float(corrected), "significant": bool(corrected < 0.05)}
    return table(**{name: [row[name] for row in rows] for name in rows[0]})


def _change_of(card: Card, windows: Sequence[Window], metric: str) -> dict[str, Any]:
    then, now = 0, 2 if metric == "repurchase_rate_90d" else 1
    (a, a_sd, a_n), (b, b_sd, b_n) = (_in_window(card, windows, w, metric) for w in (then, now))
    spread = float(np.hypot(a_sd, b_sd))
    gap = b - a if min(a_n, b_n) >= ENOUGH and spread > 0 else np.nan
    half = z_of(0.95) * spread
    named = [
        f"{card.periods.label(low)} to {card.periods.label(high - 1)}" if high > low else ""
        for low, high in windows
    ]
    return {
        "metric": metric, "baseline": a, "current": b, "change": gap, "change_low": gap - half, "change_high": gap + half,
        "p": _two_sided(gap / spread) if spread > 0 else np.nan, "significant": False, "baseline_periods": named[then],
        "current_periods": named[now], "baseline_n": int(a_n), "current_n": int(b_n),
    }  # fmt: skip


def _two_sided(z: float) -> float:
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(z)))


def _in_window(card: Card, windows: Sequence[Window], index: int, metric: str) -> tuple[float, float, float]:
    """A figure over a window of periods: its value, standard error, and the customers it is about."""
    low, high = windows[index]
    size = high - low
    if size == 0 or (metric in MONEY and not card.money):
        return np.nan, np.nan, 0
    if metric == "new_customers":
        count = float(card.found["new"][low:high].sum())
        return count / size, np.sqrt(count) / size, count
    sums = dict(zip(FIELDS, card.found["windows"][index], strict=True))
    moments = card.found["window_moments"][index]

    def moment(a: str, b: str) -> float:
        return float(moments[FIELDS.index(a), FIELDS.index(b)])

    if metric in SHARES or metric in RATIOS:
        x, y = (SHARES | RATIOS)[metric]
        return _pooled(sums[x], sums[y], moment(x, x), moment(x, y), moment(y, y), flip=metric == "churn")
    if metric == "net_revenue":
        squares = (
            moment("revenue", "revenue") - 2 * moment("revenue", "refunds") + moment("refunds", "refunds")
        )
        return (sums["revenue"] - sums["refunds"]) / size, np.sqrt(max(squares, 0)) / size, sums["buyers"]
    field = COUNTS.get(metric, metric)
    return (
        sums[field] / size,
        np.sqrt(moment(field, field)) / size,
        sums["active" if field == "active" else "buyers"],
    )


def _pooled(x: float, y: float, xx: float, xy: float, yy: float, *, flip: bool) -> tuple[float, float, float]:
    """x / y with customers as the independent units (the delta method; Cochran 1977, eq. 6.13)."""
    if y == 0:
        return np.nan, np.nan, 0
    ratio = x / y
    variance = max(xx - 2 * ratio * xy + ratio**2 * yy, 0.0) / y**2
    return (1 - ratio if flip else ratio), float(np.sqrt(variance)), y


def trend_table(metrics: pa.Table) -> pa.Table:
    """Each figure's trend over the complete periods."""
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
