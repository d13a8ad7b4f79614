"""Summaries from raw dates: days, one order a day, time in weeks."""

from __future__ import annotations

import numpy as np

DAY = np.timedelta64(1, "D")


def orders_of(customers, days):
    """Distinct (customer, day) pairs, sorted; customers as codes 0..n−1."""
    _, codes = np.unique(np.asarray(customers), return_inverse=True)
    pairs = np.unique(np.column_stack((codes, np.asarray(days).astype("datetime64[D]").astype(np.int64))), axis=0)
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
    table = np.loadtxt(path, dtype={"names": ("m", "s", "d", "c", "v"), "formats": ("U5", "U5", "U8", "i4", "f8")})
    days = np.array([f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in table["d"]], dtype="datetime64[D]")
    return table["s"], days, table["v"]
