"""One simulated company for the tests that measure: large enough for its planted truths to show."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pytest

from wayfare.demo import Company, records


@dataclass(frozen=True)
class Measured:
    """The company, its records, and its orders (one row each, subscription orders left out)."""

    company: Company
    log: pd.DataFrame
    orders: pd.DataFrame

    def day(self, name: str) -> pd.Timestamp:
        return pd.Timestamp(getattr(self.company, name), tz="UTC")

    def events(self, name: str) -> pd.DataFrame:
        return self.log[self.log["event"] == name]


def measure(company: Company) -> Measured:
    log = pa.Table.from_batches(list(records(company))).to_pandas()
    bought = log[(log["event"] == "purchase") & ~log["subscription"].eq(True)]
    bought = bought.assign(grinder=bought["category"] == "grinder")
    orders = bought.groupby("order", sort=False).agg(
        customer=("customer", "first"),
        time=("time", "first"),
        value=("value", "sum"),
        device=("device", "first"),
        category=("category", "first"),
        grinder=("grinder", "max"),
    )
    orders = orders.reset_index().sort_values(["customer", "time"], ignore_index=True)
    orders["number"] = orders.groupby("customer").cumcount()
    following = orders["time"].shift(-1).where(orders["customer"].shift(-1) == orders["customer"])
    orders["again"] = following - orders["time"] < pd.Timedelta(days=90)
    orders["followed"] = orders["time"] < pd.Timestamp(company.end, tz="UTC") - pd.Timedelta(days=90)
    return Measured(company, log, orders)


@pytest.fixture(scope="session")
def measured() -> Measured:
    return measure(Company(customers=60_000, seed=11))


@pytest.fixture(scope="session")
def undisturbed() -> Measured:
    return measure(Company(customers=40_000, seed=3).undisturbed())
