"""How right the forecast was: customers' expected orders against those that came after an earlier day."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._order_days import NEVER, Buyers, Summary
from wayfare.analyses.repurchase._paced import Paced
from wayfare.result import table

Floats = NDArray[np.float64]


def actual_orders(buyers: Buyers, summary: Summary) -> Floats:
    """Days with an order after the last cut before the log's end, of those whom the summary holds."""
    days = buyers.days[summary.who]
    return (days[:, -1] - days[:, buyers.before]).astype(float)


def actual_weeks(buyers: Buyers, what: str) -> Floats:
    """The holdout's weeks of those known at its start, one of `Buyers.daily`'s known_orders and known_value."""
    if not len(buyers.daily[what]):
        return np.zeros(0)
    daily = np.asarray(buyers.daily[what][-1][buyers.cuts[buyers.before] + 1 - buyers.origin :], dtype=float)
    return daily.reshape(-1, 7).sum(axis=1)


def calibration(expected: Floats, actual: Floats) -> pa.Table:
    """Tenths of the customers by expected orders, the highest first."""
    order = np.argsort(-expected, kind="stable")
    parts = np.array_split(order, 10) if len(order) >= 10 else []
    return table(
        decile=pa.array(range(1, len(parts) + 1), pa.int64()),
        customers=pa.array([len(part) for part in parts], pa.int64()),
        expected=pa.array([float(expected[part].sum()) for part in parts], pa.float64()),
        actual=pa.array([int(actual[part].sum()) for part in parts], pa.int64()),
    )


def active(paced: Paced | None, buyers: Buyers, summary: Summary, weeks: int) -> pa.Table:
    """How many were expected to order at least once within some weeks, and how many did."""
    wanted = sorted({week for week in (4, 13, 26, 52) if week < weeks} | {weeks}) if paced else []
    soon = buyers.next_day[summary.who, buyers.before] if len(summary.who) else np.zeros(0)
    chance = [paced.buy(summary, float(week)) for week in wanted] if paced else []
    came = [(soon != NEVER) & (soon <= buyers.cuts[buyers.before] + 7 * week) for week in wanted]
    return table(
        weeks=pa.array(wanted, pa.int64()),
        customers=pa.array([len(summary.who)] * len(wanted), pa.int64()),
        expected=pa.array([float(p.sum()) for p in chance], pa.float64()),
        actual=pa.array([int(hit.sum()) for hit in came], pa.int64()),
    )


_MEASURES = {
    "auc": "chance that of one customer who ordered and one who didn't, the first was thought likelier to (0.5: no better than a coin)",
    "brier": "mean square of the chance given minus what came (0 is best)",
    "top_tenth_share": "share of all orders that came from the tenth of customers expected to order most",
    "rank_correlation": "Spearman's correlation of expected and actual orders",
}


def accuracy(expected: Floats, chance: Floats, actual: Floats) -> pa.Table:
    """How well customers were told apart in the holdout."""
    bought = actual > 0
    told = len(actual) >= 10 and bought.any() and not bought.all()
    values = (
        (
            _auc(chance, bought),
            float(np.mean((chance - bought) ** 2)),
            _top(expected, actual),
            _rank(expected, actual),
        )
        if told
        else ()
    )
    names = list(_MEASURES)[: len(values)]
    return table(
        measure=pa.array(names, pa.string()),
        score=pa.array(values, pa.float64()),
        meaning=pa.array([_MEASURES[name] for name in names], pa.string()),
    )


def _auc(chance: Floats, bought: NDArray[np.bool_]) -> float:
    yes, no = chance[bought], np.sort(chance[~bought])
    above = (np.searchsorted(no, yes, "left") + np.searchsorted(no, yes, "right")) / 2
    return float(above.mean() / len(no))


def _top(expected: Floats, actual: Floats) -> float:
    top = np.argsort(-expected, kind="stable")[: round(len(expected) / 10)]
    return float(actual[top].sum() / actual.sum())


def _rank(expected: Floats, actual: Floats) -> float:
    ranks = _ranks(expected), _ranks(actual)
    return float(np.corrcoef(*ranks)[0, 1]) if all(np.ptp(rank) > 0 for rank in ranks) else np.nan


def _ranks(values: Floats) -> Floats:
    """Places in ascending order; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]


def histories(summary: Summary, alive: Floats, orders: Floats) -> pa.Table:
    """Customers by repeat orders and weeks since the last one: the frequency–recency map."""
    frequency = np.minimum(summary.frequency, _MOST).astype(np.int64)
    since = (summary.age - summary.recency) // _STEP * _STEP
    wide = int(since.max(initial=0)) + 1
    key = frequency * wide + since.astype(np.int64)
    count = np.bincount(key)
    kinds = np.flatnonzero(count)
    mean = [np.bincount(key, weights=values)[kinds] / count[kinds] for values in (alive, orders)]
    return table(
        frequency=kinds // wide,
        weeks_since_order=kinds % wide,
        customers=count[kinds],
        p_alive=mean[0],
        expected_orders=mean[1],
    )


_MOST, _STEP = 10, 4
