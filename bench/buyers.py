"""The customers and orders that re-purchase models are measured with: simulated, seeded, the same for everybody.

Customers follow the model that is fitted to them. Orders are recorded in whole days and those of one day count as
one, as `lifetimes.utils.summary_data_from_transaction_data` reads real orders; times are in weeks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20_240_102
DAYS = 728
"""How long orders were recorded; each customer began on one of these days, each as likely as another."""
BEGAN = np.datetime64("2023-01-01")
END = BEGAN + DAYS
BG_NBD = {"r": 0.6, "alpha": 6.0, "a": 0.7, "b": 3.0}
PARETO_NBD = {"r": 0.6, "alpha": 6.0, "s": 0.7, "beta": 12.0}
ORDERS_A_CUSTOMER = 10
AHEAD = 26.0
"""Weeks that are forecast."""
Floats = np.ndarray


def bg_nbd_buyers(size: int, whole_days: bool = True) -> dict[str, Floats]:
    """Customers who may leave after each repeat order."""
    rng = np.random.default_rng(SEED)
    leaving = rng.beta(BG_NBD["a"], BG_NBD["b"], size)
    return _buyers(rng, BG_NBD, leaving, np.full(size, np.inf), whole_days)


def pareto_nbd_buyers(size: int) -> dict[str, Floats]:
    """Customers who may leave at any moment."""
    rng = np.random.default_rng(SEED)
    rate = rng.gamma(PARETO_NBD["s"], size=size) / PARETO_NBD["beta"] / 7
    until = rng.standard_exponential(size) / np.maximum(rate, 1e-12)
    return _buyers(rng, PARETO_NBD, np.zeros(size), until, whole_days=True)


def _buyers(
    rng: np.random.Generator, params: dict[str, float], leaving: Floats, until: Floats, whole_days: bool
) -> dict[str, Floats]:
    """`frequency, recency, age` of each; `leaving` after an order with a probability, and at the day `until`."""
    size = leaving.size
    rate = np.maximum(rng.gamma(params["r"], size=size) / params["alpha"] / 7, 1e-12)
    age = rng.integers(1, DAYS, size).astype(float) if whole_days else rng.uniform(1, DAYS, size)
    hour = rng.random(size) if whole_days else np.zeros(size)
    frequency, recency = np.zeros(size), np.zeros(size)
    who, time = np.arange(size), np.zeros(size)
    while who.size:
        time = time + rng.standard_exponential(who.size) / rate[who]
        day = np.floor(hour[who] + time) if whole_days else time
        seen = (day <= age[who]) & (time <= until[who])
        who, time, day = who[seen], time[seen], day[seen]
        frequency[who] += day > recency[who]
        recency[who] = day
        stays = rng.random(who.size) >= leaving[who]
        who, time = who[stays], time[stays]
    return {"frequency": frequency, "recency": recency / 7, "age": age / 7}


def orders(size: int) -> pa.Table:
    """`size` orders as a shop exports them: id as text, moment, value; in the order in which they came."""
    rng = np.random.default_rng(SEED)
    customers = max(size // ORDERS_A_CUSTOMER, 1)
    weight = rng.gamma(1.0, size=customers)
    count = 1 + rng.multinomial(size - customers, weight / weight.sum())
    customer = np.repeat(np.arange(customers), count)
    began = rng.uniform(0, DAYS, customers)[customer]
    seconds = ((began + rng.random(size) * (DAYS - began)) * 86_400).astype(np.int64)
    place = np.argsort(seconds, kind="stable")
    ids = pa.array([f"c{code:08d}" for code in range(customers)])
    return pa.table(
        {
            "customer": ids.take(pa.array(customer[place])),
            "number": pa.array(customer[place]),
            "time": pa.array(BEGAN.astype("datetime64[s]") + seconds[place]),
            "value": pa.array(np.round(rng.gamma(2, 15, size), 2)),
        }
    )


def write(table: pa.Table | dict[str, Floats], path: Path) -> None:
    """The table as Parquet."""
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), path)
