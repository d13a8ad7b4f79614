"""The published customer bases, summarised from their raw dates."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from tests.stats.btyd.summaries import holdout_orders, read_cdnow, repeat_values, summarise
from wayfare.stats.btyd import BGNBD, MBGNBD, ParetoNBD

END, LAST = "1997-09-30", "1998-06-30"


@pytest.fixture(scope="session")
def cdnow(shared_data):
    """CDNOW sample: summary to 1997-09-30 with the mean value of repeat orders, and the orders of the holdout."""
    customers, days, spend = read_cdnow(shared_data / "cdnow" / "CDNOW_sample.txt")
    summary = summarise(customers, days, END)
    summary["value"] = repeat_values(customers, days, spend, END)
    return summary, holdout_orders(customers, days, END, LAST)


@pytest.fixture(scope="session")
def cdnow_models(cdnow):
    """The three continuous models fitted on the CDNOW sample."""
    return {model.__name__: model().fit(cdnow[0]) for model in (BGNBD, MBGNBD, ParetoNBD)}


@pytest.fixture(scope="session")
def cdnow_master(shared_data):
    """All CDNOW customers, likewise."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(shared_data / "cdnow" / "cdnow_master.parquet")
    customers, days = table["customer_id"].to_numpy(), table["date"].to_numpy().astype("datetime64[D]")
    return summarise(customers, days, END), holdout_orders(customers, days, END, LAST)


@pytest.fixture(scope="session")
def apparel(shared_data):
    """`clvtools_apparel`: summary of the first 104 weeks with values, and the covariates."""
    folder = shared_data / "clvtools_apparel"
    with (folder / "apparelTrans.csv").open() as file:
        rows = list(csv.DictReader(file))
    customers = np.array([int(row["Id"]) for row in rows])
    days = np.array([row["Date"] for row in rows], dtype="datetime64[D]")
    spend = np.array([float(row["Price"]) for row in rows])
    summary = summarise(customers, days, "2006-12-31")
    summary["value"] = repeat_values(customers, days, spend, "2006-12-31")
    with (folder / "apparelStaticCov.csv").open() as file:
        known = {int(row["Id"]): row for row in csv.DictReader(file)}
    order = sorted(known)
    return summary, {name: np.array([float(known[i][name]) for i in order]) for name in ("Gender", "Channel")}


@pytest.fixture(scope="session")
def donations(shared_data):
    """`donations`: the recency/frequency table of eleven thousand donors over six years."""
    with (shared_data / "donations" / "rf_matrix.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {"frequency": "x", "recency": "t.x", "age": "n.cal", "weight": "custs"}
    return {name: np.array([float(row[column]) for row in rows]) for name, column in columns.items()}


@pytest.fixture(scope="session")
def online_retail(shared_data):
    """`online_retail`: summary of the first 282 days in weeks, and the orders of the last 91."""
    parquet = pytest.importorskip("pyarrow.parquet")
    compute = pytest.importorskip("pyarrow.compute")
    names = ["Quantity", "UnitPrice", "CustomerID", "InvoiceDate"]
    table = parquet.read_table(shared_data / "online_retail" / "online_retail.parquet", columns=names)
    sold = compute.and_(compute.greater(table["Quantity"], 0), compute.greater(table["UnitPrice"], 0))
    table = table.filter(compute.and_(sold, compute.is_valid(table["CustomerID"])))
    customers = table["CustomerID"].to_numpy().astype(np.int64)
    days = table["InvoiceDate"].to_numpy().astype("datetime64[D]")
    end = np.datetime64("2010-12-01") + 282
    summary = summarise(customers, days, end)
    return summary, holdout_orders(customers, days, end, "2011-12-09")[summary["customer"]]
