"""Summaries from raw dates: days, one order a day, time in weeks."""

from __future__ import annotations

import numpy as np

DAY = np.timedelta64(1, "D")


def orders_of(customers, days):
    """Distinct (customer, day) pairs, sorted; customers as codes 0..n−1."""
    _, codes = np.unique(np.asarray(customers), return_inverse=True)
    pairs = np.unique(
        np.column_stack((codes, np.asarray(days).astype("datetime64[D]").astype(np.int64))), axis=0
    )
    return pairs[:, 0], pairs[:, 1]


def summarise(customers, days, end, unit=7.0):
    """frequency, recency and age of each customer whose first order is not after `end`."""
    codes, when = orders_of(customers, days)
    last_day = np.datetime64(end, "D").astype(np.int64)
    codes, when = codes[when <= last_day], when[when <= last_day]
    kept, codes = np.unique(codes, return_inverse=True)
    count = np.bincount(codes)
    first = np.full(kept.size, np.iinfo(np.int64).max)
    last = np.full(kept.size, np.iinfo(np.int64).min)
    np.minimum.at(first, codes, when)
    np.maximum.at(last, codes, when)
    return {
        "customer": kept,
        "frequency": (count - 1).astype(float),
        "recency": (last - first) / unit,
        "age": (last_day - first) / unit,
    }


def holdout_orders(customers, days, start, end):
    """Orders after `start` up to `end`, for every customer code (same codes as `summarise`'s `customer`)."""
    codes, when = orders_of(customers, days)
    low, high = (np.datetime64(day, "D").astype(np.int64) for day in (start, end))
    inside = (when > low) & (when <= high)
    return np.bincount(codes[inside], minlength=codes.max() + 1)


def read_cdnow(path):
    """Customer, day and spend of each row of the published sample."""
    table = np.loadtxt(
        path, dtype={"names": ("m", "s", "d", "c", "v"), "formats": ("U5", "U5", "U8", "i4", "f8")}
    )
    days = np.array([f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in table["d"]], dtype="datetime64[D]")
    return table["s"], days, table["v"]


def simulate_bg(rng, params, ages, ahead, first_chances=0):
    """Customers of a BG/NBD (or MBG/NBD) world: their summary, and their orders within `ahead` after it."""
    size = ages.size
    rate = rng.gamma(params["r"], size=size) / params["alpha"]
    leaving = rng.beta(params["a"], params["b"], size=size)
    lasting = rng.geometric(np.maximum(leaving, 1e-9)) - first_chances
    times = np.cumsum(rng.standard_exponential((size, 400)), axis=1) / np.maximum(rate, 1e-12)[:, None]
    times = np.where(np.arange(1, 401) <= lasting[:, None], times, np.inf)
    seen = times <= ages[:, None]
    frequency = seen.sum(axis=1).astype(float)
    recency = np.where(seen, times, 0.0).max(axis=1)
    later = ((times > ages[:, None]) & (times <= (ages + ahead)[:, None])).sum(axis=1)
    return {"frequency": frequency, "recency": recency, "age": ages}, later


def repeat_values(customers, days, spend, end):
    """The mean value of each customer's orders after the first, same-day rows merged; 0 where there are none."""
    days = np.asarray(days, dtype="datetime64[D]")
    inside = days <= np.datetime64(end, "D")
    _, codes = np.unique(np.asarray(customers)[inside], return_inverse=True)
    keys = codes * 1_000_000 + days[inside].astype(np.int64)
    orders, place = np.unique(keys, return_inverse=True)
    total, owner = np.bincount(place, weights=np.asarray(spend)[inside]), orders // 1_000_000
    repeat = np.append(False, owner[1:] == owner[:-1])
    count = np.bincount(owner[repeat], minlength=owner.max() + 1)
    return np.bincount(owner[repeat], weights=total[repeat], minlength=owner.max() + 1) / np.maximum(count, 1)
