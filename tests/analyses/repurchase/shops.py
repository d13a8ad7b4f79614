"""Logs of orders for the tests of re-purchase: public data, seeded simulations, and small ones written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import wayfare as wf


def log_of(orders: Sequence[tuple[str, str, float]], **more: Sequence[object]) -> wf.Log:
    """A log of purchases (customer, day, value)."""
    frame = pd.DataFrame(orders, columns=["customer", "time", "value"])
    frame["time"] = pd.to_datetime(frame["time"])
    frame["event"] = "purchase"
    for name, values in more.items():
        frame[name] = list(values)
    return read(frame, value="value", **{name: name for name in more})


def read(frame: pd.DataFrame, **columns: str) -> wf.Log:
    return wf.read_events(frame, customer="customer", time="time", event="event", **columns)


def cdnow(folder: Path) -> wf.Log:
    """The 1/10 sample of the papers."""
    names = ["master", "customer", "time", "discs", "value"]
    text = dict.fromkeys(("master", "customer", "time"), str)
    frame = pd.read_csv(
        folder / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", header=None, names=names, dtype=text
    )
    frame["time"] = pd.to_datetime(frame["time"])
    return read(frame.assign(event="purchase"), value="value")


def online_retail(folder: Path) -> wf.Log:
    """Lines of positive quantity and price with a customer."""
    lines = pd.read_parquet(folder / "online_retail" / "online_retail.parquet")
    lines = lines[lines["CustomerID"].notna() & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    frame = pd.DataFrame(
        {
            "customer": lines["CustomerID"].astype(str),
            "time": lines["InvoiceDate"],
            "event": "purchase",
            "value": lines["Quantity"] * lines["UnitPrice"],
            "order": lines["InvoiceNo"].astype(str),
        }
    )
    return read(frame, value="value", order="order")


def steady_shop(customers: int = 400, days: int = 500, seed: int = 4, *, worth: float = 20.0) -> pd.DataFrame:
    """BG/NBD customers (r 1, alpha 6 weeks, a .8, b 4) who all come in the first half, with gamma order values."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(1.0, 1 / 6, customers), rng.beta(0.8, 4.0, customers)
    rows = []
    for person in range(customers):
        day = float(rng.integers(0, days // 2))
        while day < days:
            rows.append((f"c{person:04d}", int(day), round(float(rng.gamma(4, worth / 4)) + 0.01, 2)))
            if len(rows) > 1 and rows[-2][0] == rows[-1][0] and rng.random() < leaves[person]:
                break
            day += 7 * rng.exponential(1 / rate[person]) + 1
    frame = pd.DataFrame(rows, columns=["customer", "day", "value"])
    frame["time"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(frame["day"], unit="D")
    return frame.assign(event="purchase").drop(columns="day")
