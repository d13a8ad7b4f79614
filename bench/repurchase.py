"""Contenders of the re-purchase models: who fits, forecasts and sums up customers; see bench.contenders.

An answer is a call: how high the log-likelihood is at the parameters found is asked after the clock has stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.buyers import AHEAD, END
from bench.events import Data

Call = Callable[[Path], Any]


def _ours(data: Data, name: str, form: str) -> Call:
    import pyarrow.parquet as pq

    from wayfare.stats import btyd

    table = pq.read_table(data.form(form))
    model = getattr(btyd, name)

    def call(_: Path) -> Any:
        fitted = model().fit(table)
        orders, alive = fitted.predict_orders(table, AHEAD), fitted.predict_alive(table)
        return _said(fitted.log_likelihood_, orders, alive)

    return call


def our_bg_nbd(data: Data) -> Call:
    return _ours(data, "BGNBD", "bg_nbd")


def our_bg_nbd_moments(data: Data) -> Call:
    return _ours(data, "BGNBD", "bg_nbd_moments")


def our_pareto_nbd(data: Data) -> Call:
    return _ours(data, "ParetoNBD", "pareto_nbd")


def _lifetimes(data: Data, name: str, form: str) -> Call:
    import lifetimes
    import numpy as np
    import pandas as pd

    frame = pd.read_parquet(data.form(form))
    columns = [frame[column] for column in ("frequency", "recency", "age")]
    model = getattr(lifetimes, name)

    def call(_: Path) -> Any:
        fitted = model().fit(*columns)
        orders = fitted.conditional_expected_number_of_purchases_up_to_time(AHEAD, *columns)
        alive = fitted.conditional_probability_alive(*columns)
        return lambda: _said(log_likelihood(fitted), orders, alive)

    def log_likelihood(fitted: Any) -> float:
        # The one it keeps is of rescaled times; its own formula, of the times as they are.
        x, recency, age = (column.to_numpy() for column in columns)
        found = fitted.params_.to_numpy()
        if name == "ParetoNBDFitter":
            return float(fitted._conditional_log_likelihood(found, x, recency, age).sum())
        mean = fitted._negative_log_likelihood(
            np.log(found), x.astype(int), recency, age, np.ones(len(x)), 0.0
        )
        return -float(mean) * len(x)

    return call


def lifetimes_bg_nbd(data: Data) -> Call:
    return _lifetimes(data, "BetaGeoFitter", "bg_nbd")


def lifetimes_bg_nbd_moments(data: Data) -> Call:
    return _lifetimes(data, "BetaGeoFitter", "bg_nbd_moments")


def lifetimes_pareto_nbd(data: Data) -> Call:
    return _lifetimes(data, "ParetoNBDFitter", "pareto_nbd")


def _pymc(data: Data, name: str, distribution: str, parameters: tuple[str, ...], form: str) -> Call:
    import numpy as np
    import pandas as pd
    import pymc as pm
    from pymc_marketing import clv
    from pymc_marketing.clv import distributions

    frame = pd.read_parquet(data.form(form)).rename(columns={"age": "T"})
    frame.insert(0, "customer_id", np.arange(len(frame)))

    def call(_: Path) -> Any:
        model = getattr(clv, name)()
        model.fit(data=frame, method="map", progressbar=False)
        orders, alive = model.expected_purchases(future_t=AHEAD), model.expected_probability_alive()
        return lambda: _said(log_likelihood(model), orders.to_numpy(), alive.to_numpy())

    def log_likelihood(model: Any) -> float:
        found = {one: float(model.fit_result[one].to_numpy().ravel()[0]) for one in parameters}
        seen = frame[["recency", "frequency"]].to_numpy()
        given = getattr(distributions, distribution).dist(**found, T=frame["T"].to_numpy())
        return float(pm.logp(given, seen).eval().sum())

    return call


def pymc_bg_nbd(data: Data) -> Call:
    return _pymc(data, "BetaGeoModel", "BetaGeoNBD", ("r", "alpha", "a", "b"), "bg_nbd")


def pymc_pareto_nbd(data: Data) -> Call:
    return _pymc(data, "ParetoNBDModel", "ParetoNBD", ("r", "alpha", "s", "beta"), "pareto_nbd")


def our_summary(data: Data) -> Call:
    import pyarrow.parquet as pq

    from wayfare.stats.btyd import summarise

    table = pq.read_table(data.form("orders"), columns=["customer", "time", "value"])

    def call(_: Path) -> Any:
        found = summarise(table, value="value", end=END, unit=1)
        return lambda: _added_up(found)

    return call


def lifetimes_summary(data: Data) -> Call:
    return _lifetimes_summary(data, "customer")


def lifetimes_encoded_summary(data: Data) -> Call:
    return _lifetimes_summary(data, "number")


def _lifetimes_summary(data: Data, customer: str) -> Call:
    import pandas as pd
    from lifetimes.utils import summary_data_from_transaction_data

    frame = pd.read_parquet(data.form("orders"), columns=[customer, "time", "value"])

    def call(_: Path) -> Any:
        found = summary_data_from_transaction_data(
            frame, customer, "time", "value", observation_period_end=str(END)
        )
        return lambda: _added_up(found.rename(columns={"T": "age", "monetary_value": "value"}))

    return call


def our_opportunities(data: Data) -> Call:
    import wayfare as wf
    from bench.contenders import _study

    # A study keeps its results, so each call has one of its own.
    return lambda _: wf.opportunities(_study(data)).opportunities.num_rows


def _said(log_likelihood: float, orders: Any, alive: Any) -> dict[str, float]:
    return {
        "log_likelihood": float(log_likelihood),
        "orders": float(orders.sum()),
        "alive": float(alive.sum()),
    }


def _added_up(summary: Any) -> dict[str, Any]:
    """How many customers, and what their columns add up to; the money in cents of a thousand customers."""
    days = {name: round(float(summary[name].sum())) for name in ("frequency", "recency", "age")}
    return {"customers": len(summary["age"]), **days, "value": round(float(summary["value"].sum()), 1)}
