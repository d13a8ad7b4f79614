"""The tables and findings of value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers
from wayfare.analyses.repurchase._beginnings import Began
from wayfare.analyses.repurchase.forecast import ForecastResult
from wayfare.domain.duration import Duration, in_words
from wayfare.histories.calendar import period_index, period_label, utc_time
from wayfare.result import Finding
from wayfare.stats.intervals import z_of
from wayfare.stats.proportions import mean_interval
from wayfare.study import Study

Floats = NDArray[np.float64]

OTHER, UNKNOWN = "other", "unknown"
_RATE, _TELL = 10, 30
_DAY = 86_400_000_000


@dataclass(frozen=True, eq=False)
class People:
    """What the tables are made of."""

    study: Study
    buyers: Buyers
    began: Began
    forecast: ForecastResult
    within: Duration

    @property
    def ahead(self) -> Floats:
        """The lifetime value ahead of each buyer, nan where unknown."""
        return self.forecast.customers["lifetime_value"].to_numpy(zero_copy_only=False).astype(float)

    @property
    def early(self) -> Floats:
        """The first days' value of each buyer, nan where unknown."""
        return self.began.early_value if self.buyers.has_values else np.full(len(self.buyers), np.nan)


def segments(people: People, most: int) -> pa.Table:
    """One row a dimension and group: cohorts in order of time, others by number of customers."""
    rows: list[dict[str, Any]] = []
    for dimension, names in _dimensions(people).items():
        rows += _groups(people, dimension, names, most)
    return pa.Table.from_pylist(rows, _SEGMENTS)


def _dimensions(people: People) -> dict[str, pa.Array]:
    if not len(people.buyers):
        return {}
    found = {f"first {name}": texts for name, texts in people.began.texts.items()}
    starts = utc_time(people.buyers.first_day.astype(np.int64) * _DAY + _DAY // 2, people.study.zone)
    quarters, place = np.unique(period_index(starts, people.study.zone, "quarter"), return_inverse=True)
    found["cohort"] = pa.array([period_label(quarter, "quarter") for quarter in quarters.tolist()]).take(
        pa.array(place)
    )
    if people.began.referred is not None:
        found["referred"] = pa.array(["others", "referred"]).take(pa.array(people.began.referred.astype(int)))
    return found


def _groups(people: People, dimension: str, names: pa.Array, most: int) -> list[dict[str, Any]]:
    coded = names.fill_null(UNKNOWN).dictionary_encode()
    codes, labels = coded.indices.to_numpy(), coded.dictionary.to_pylist()
    count = np.bincount(codes, minlength=len(labels))
    if dimension == "cohort":
        shown = sorted(range(len(labels)), key=lambda i: labels[i])
        return [_row(people, dimension, labels[i], codes == i) for i in shown]
    ranked = sorted(range(len(labels)), key=lambda i: (-count[i], labels[i]))
    rows = [_row(people, dimension, labels[i], codes == i) for i in ranked[:most]]
    if len(ranked) > most:
        rows.append(_row(people, dimension, OTHER, ~np.isin(codes, ranked[:most])))
    return rows


def _row(people: People, dimension: str, name: str, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    buyers, total = people.buyers, people.buyers.total
    n, followed = int(chosen.sum()), chosen & people.began.followed
    mean, low, high = _mean(total[chosen])
    early, early_low, early_high = _mean(people.early[followed])
    ahead = _plain(np.mean(people.ahead[chosen]))
    whole = float(np.nansum(total))
    return {
        "dimension": dimension, "segment": name, "customers": n, "orders": float(np.mean(buyers.days[chosen, -1])),
        "value": _plain(np.sum(total[chosen])), "value_share": float(np.sum(total[chosen])) / whole if whole > 0 else None,
        "value_per_customer": mean, "low": low, "high": high,
        "followed": int(followed.sum()), "early_value": early, "early_low": early_low, "early_high": early_high,
        "future_value": ahead, "lifetime_value": None if ahead is None or mean is None else mean + ahead,
    }  # fmt: skip


def _plain(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None


def _mean(values: Floats) -> tuple[float | None, float | None, float | None]:
    """A mean and its interval; the interval is not given under 10 customers."""
    if not len(values) or np.isnan(values).any():
        return None, None, None
    mean = float(np.mean(values))
    if len(values) < _RATE:
        return mean, None, None
    interval = mean_interval(values.sum(), (values**2).sum(), len(values))
    return mean, max(float(interval.low), 0.0), float(interval.high)


_WORDS = [(name, pa.string()) for name in ("dimension", "segment")]
_SEGMENTS = pa.schema(
    [*_WORDS, ("customers", pa.int64()), *((name, pa.float64()) for name in ("orders", "value", "value_share", "value_per_customer", "low", "high")),
     ("followed", pa.int64()), *((name, pa.float64()) for name in ("early_value", "early_low", "early_high", "future_value", "lifetime_value"))]
)  # fmt: skip
_CONCENTRATION = pa.schema(
    [
        ("tenth", pa.int64()),
        ("customers", pa.int64()),
        *((name, pa.float64()) for name in ("value", "share", "cumulative", "low", "high")),
    ]
)
_MEANS = (
    "repeat_orders",
    "orders_low",
    "orders_high",
    "early_value",
    "early_low",
    "early_high",
    "orders_ratio",
    "ratio_low",
    "ratio_high",
)
_REFERRED = pa.schema(
    [("group", pa.string()), ("customers", pa.int64()), *((name, pa.float64()) for name in _MEANS)]
)


def concentration(buyers: Buyers) -> pa.Table:
    """The tenths of the customers by value, the highest first.

    The share of the top part p with its least value q has the influence function ((x − q)⁺ + pq − S·x) / mean
    (Langel & Tillé 2013, JRSS A 176, on quantile shares).
    """
    total = np.sort(buyers.total)[::-1]
    if len(total) < 2 * _RATE or not np.nansum(total) > 0:
        return pa.Table.from_pylist([], _CONCENTRATION)
    rows, done, z = [], 0, z_of(0.95)
    whole, mean = float(total.sum()), float(total.mean())
    for number, part in enumerate(np.array_split(total, 10), 1):
        done += len(part)
        share = float(total[:done].sum()) / whole
        influence = (np.maximum(total - part[-1], 0.0) + done / len(total) * part[-1] - share * total) / mean
        half = z * float(np.std(influence)) / np.sqrt(len(total))
        rows.append({"tenth": number, "customers": len(part), "value": float(part.sum()), "share": float(part.sum()) / whole,
                     "cumulative": share, "low": max(share - half, 0.0), "high": min(share + half, 1.0)})  # fmt: skip
    return pa.Table.from_pylist(rows, _CONCENTRATION)


def referred(people: People) -> pa.Table:
    """Referred customers against the others, both followed for the same time."""
    who = people.began.referred
    if who is None:
        return pa.Table.from_pylist([], _REFERRED)
    rows = []
    orders = people.began.early_orders.astype(float)
    groups = {"referred": who & people.began.followed, "others": ~who & people.began.followed}
    for name, chosen in groups.items():
        repeat, low, high = _mean(orders[chosen])
        early, early_low, early_high = _mean(people.early[chosen])
        rows.append({"group": name, "customers": int(chosen.sum()), "repeat_orders": repeat, "orders_low": low, "orders_high": high,
                     "early_value": early, "early_low": early_low, "early_high": early_high})  # fmt: skip
    rows[0] |= _ratio(orders[groups["referred"]], orders[groups["others"]])
    return pa.Table.from_pylist(rows, _REFERRED)


def _ratio(ours: Floats, theirs: Floats) -> dict[str, float]:
    if min(len(ours), len(theirs)) < _TELL or not ours.sum() or not theirs.sum():
        return {}
    ratio = ours.mean() / theirs.mean()
    spread = np.sqrt(sum(values.var(ddof=1) / len(values) / values.mean() ** 2 for values in (ours, theirs)))
    half = z_of(0.95) * spread
    return {
        "orders_ratio": float(ratio),
        "ratio_low": float(ratio * np.exp(-half)),
        "ratio_high": float(ratio * np.exp(half)),
    }


def findings(people: People, groups: pa.Table, tenths: pa.Table, friends: pa.Table) -> tuple[Finding, ...]:
    """What rests on the top, what a customer is worth, which beginnings are worth more, what friends bring."""
    if not len(people.buyers):
        return (Finding("Nobody has ordered yet: there is no value to compare."),)
    if not people.buyers.has_values or not np.nansum(people.buyers.total) > 0:
        why = "every order has the value 0" if people.buyers.has_values else "no value can be added up"
        text = f"{_ordered(len(people.buyers))}, but what they are worth can't be said: {why}."
        return Finding(text, customers=len(people.buyers)), *_friends(people, friends)
    rows = tenths.to_pylist()
    found = []
    if rows:
        top = rows[0]
        found.append(Finding(f"The top tenth of customers ({top['customers']:,}) brought {top['share']:.0%} of the value "
                             f"(95% interval {top['low']:.0%}–{top['high']:.0%}).", customers=top["customers"]))  # fmt: skip
    found += [_worth(people), *_best(people, groups), *_friends(people, friends)]
    return tuple(found)


def _ordered(count: int) -> str:
    return f"{count:,} customer{' has' if count == 1 else 's have'} ordered"


def _worth(people: People) -> Finding:
    currency, buyers = people.study.currency, people.buyers
    total, ahead = float(np.nansum(buyers.total)), people.ahead
    each = f", {currency} {total / len(buyers):,.2f} each" if len(buyers) > 1 else ""
    text = f"{_ordered(len(buyers))} for {currency} {total:,.0f}{each}"
    if np.isfinite(ahead).all():
        years = people.forecast.context.params.get("lifetime", "")
        text += f"; {currency} {float(ahead.sum()):,.0f} more is expected of them (lifetime of {years}, discounted)"
    else:
        text += "; what is ahead can't be said with so few repeat customers"
    return Finding(f"{text}.", customers=len(buyers))


def _best(people: People, groups: pa.Table) -> list[Finding]:
    """The two ends of the first dimension where even the intervals are apart."""
    rows = [
        r
        for r in groups.to_pylist()
        if r["early_low"] is not None and r["followed"] >= _TELL and r["segment"] not in (OTHER, UNKNOWN)
    ]
    for dimension in ("first channel", "first category", "first product"):
        ours = sorted(
            (r for r in rows if r["dimension"] == dimension), key=lambda r: (r["early_value"], r["segment"])
        )
        if len(ours) > 1 and ours[-1]["early_low"] > ours[0]["early_high"]:
            best, least, currency = ours[-1], ours[0], people.study.currency
            return [Finding(f"By {dimension}, customers of {best['segment']} bring {currency} {best['early_value']:,.2f} in the first "
                            f"{in_words(people.within.seconds)} (95% interval {best['early_low']:,.2f}–{best['early_high']:,.2f}), those of "
                            f"{least['segment']} {least['early_value']:,.2f}.", customers=best["customers"])]  # fmt: skip
    return []


def _friends(people: People, friends: pa.Table) -> list[Finding]:
    rows = friends.to_pylist()
    if not rows or rows[0]["orders_ratio"] is None:
        return []
    ours = rows[0]
    return [Finding(f"Referred customers place {ours['orders_ratio']:.2f} times the repeat orders of others in the first "
                    f"{in_words(people.within.seconds)} (95% interval {ours['ratio_low']:.2f}–{ours['ratio_high']:.2f}, n = {ours['customers']:,}).",
                    customers=ours["customers"])]  # fmt: skip
