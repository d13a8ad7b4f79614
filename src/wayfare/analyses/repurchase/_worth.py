"""What an order of each customer is worth, and what all its orders of some years are worth today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers, Summary
from wayfare.analyses.repurchase._paced import simulated
from wayfare.errors import WayfareError

if TYPE_CHECKING:
    from wayfare.analyses.repurchase._paced import Kinds, Paced
    from wayfare.stats.btyd.gamma_gamma import GammaGamma

Floats = NDArray[np.float64]

_ENOUGH = 30
_DRAWS, _EACH = 20, 16
_ROWS = 20_000
_SAMPLE = 20_000
YEAR = 365.25 / 7


@dataclass(frozen=True, eq=False)
class Worth:
    """What an order of each customer is worth.

    Attributes:
        model: The Gamma-Gamma; None where too few values are known.
        mean: The expected value of an order (buyers,); nan where no value is known.
        spread: The squared coefficient of variation of an order's value.
        x: On how many repeat orders each customer's value rests (buyers,).
        z: Their mean value; 0 where there are none.
        note: What stands behind the values, where it is less than the model.
    """

    model: GammaGamma | None
    mean: Floats
    spread: float
    x: Floats
    z: Floats
    note: str = ""


def worth_of(buyers: Buyers, summary: Summary) -> Worth:
    """The value of an order by Gamma-Gamma on repeat orders, or the plain mean where too few have any."""
    from wayfare.stats.btyd import GammaGamma

    usable = np.nan_to_num(summary.value) > 0
    x, z = np.where(usable, summary.frequency, 0.0), np.where(usable, np.nan_to_num(summary.value), 0.0)
    mean, spread = _plain(buyers)
    everybody = np.full(len(x), mean)
    if not mean > 0:
        return Worth(None, np.full(len(x), np.nan), 0.0, x, z)
    few = f"Fewer than {_ENOUGH} customers have repeat orders with a value: everybody gets the mean order."
    if usable.sum() < _ENOUGH:
        return Worth(None, everybody, spread, x, z, few)
    try:
        step = -(-int(usable.sum()) // _SAMPLE)
        model = GammaGamma().fit({"frequency": x[usable][::step], "value": z[usable][::step]})
    except WayfareError as error:
        return Worth(None, everybody, spread, x, z, f"{error.problem} Everybody gets the mean order.")
    found = model.predict_value({"frequency": x, "value": z})
    known = np.isfinite(found)
    note = "" if known.all() else f"{model.boundary_} Customers without repeat orders get the mean order."
    return Worth(model, np.where(known, found, mean), spread, x, z, note)


def _plain(buyers: Buyers) -> tuple[float, float]:
    daily = buyers.daily
    orders, value = float(daily["orders"].sum()), float(daily["value"].sum())
    if not buyers.has_values or orders == 0 or value <= 0:
        return np.nan, 0.0
    mean = round(value / orders, 6)
    return mean, max(float(daily["value_squared"].sum()) / orders / mean**2 - 1, 0.0)


@dataclass(frozen=True, eq=False)
class Lifetime:
    """Orders and money of the years ahead, each order discounted to today; (buyers,) each.

    `low` and `high` are the 10th and the 90th percentile of what may come, widened to hold the mean.
    """

    orders: Floats
    value: Floats
    low: Floats
    high: Floats


def lifetime(
    paced: Paced, worth: Worth, summary: Summary, alive: Floats, weeks: float, discount: float
) -> Lifetime:
    """The discounted value of each customer's orders within `weeks`.

    The range is that of simulated futures under drawn parameters, once for each pair of repeat orders and
    age: with order values Gamma(p, ν) and ν | x, z ~ Gamma(q + px, γ + xz), the sum of N orders is
    (γ + xz)·G(pN)/G(q + px) with standard gammas G, so that recency and value only shift and scale it.
    """
    rate = np.log1p(discount) / YEAR
    ahead = paced.ahead(summary, weeks)
    rate *= weeks / ahead
    orders = (
        paced.model.predict_discounted(paced.table(summary), rate, ahead, **paced.known(summary))
        if rate > 0
        else paced.orders(summary, weeks)
    )
    value = orders * worth.mean
    if not np.isfinite(value).any():
        nothing = np.full(len(orders), np.nan)
        return Lifetime(orders, nothing, nothing, nothing)
    low, high = _range(paced, worth, summary, alive, orders, ahead)
    return Lifetime(orders, value, np.minimum(low, value), np.maximum(high, value))


def _range(
    paced: Paced, worth: Worth, summary: Summary, alive: Floats, orders: Floats, ahead: float
) -> tuple[Floats, Floats]:
    own = paced.table(summary)
    age = own["age"] if len(alive) <= _ROWS else np.maximum(np.round(own["age"]), 1 / 7)
    kinds = paced.kinds(summary, worth.x, age=age)
    draws = _futures(paced, worth, kinds, worth.x[kinds.first], ahead)
    likely = paced.model.predict_alive(kinds.table, **kinds.known)[kinds.of]
    plain = paced.model.predict_orders(own, ahead, **paced.known(summary))
    scale = np.where(plain > 0, orders / np.where(plain > 0, plain, 1.0), 1.0)
    if worth.model:
        scale = scale * (worth.model.params_["gamma"] + worth.x * worth.z)
    found = []
    for q in (0.1, 0.9):
        # The future of those who live is the same whenever they last bought: only the chance of living differs.
        level = 1 - (1 - q) * likely / np.maximum(alive, 1e-12)
        place = np.clip((level * draws.shape[1]).astype(np.int64), 0, draws.shape[1] - 1)
        found.append(np.where(level > 0, scale * draws[kinds.of, place], 0.0))
    return found[0], found[1]


def _futures(paced: Paced, worth: Worth, kinds: Kinds, x: Floats, ahead: float) -> Floats:
    """Sorted draws of what the orders of a time ahead add up to, before scaling, shape (kinds, draws)."""
    rng = np.random.default_rng(3)
    points = paced.draws(_DRAWS)
    values = worth.model.draws(_DRAWS, 2, paced.method) if worth.model else [None] * _DRAWS
    found = []
    for number, (point, value) in enumerate(zip(points, values, strict=True)):
        drawn = paced.model.at(point)
        for each in range(_EACH):
            orders = simulated(drawn, kinds.table, kinds.known, ahead, seed=1000 * number + each)
            found.append(_money(orders, x, value, rng) if worth.model else orders * worth.mean[0])
    return np.sort(np.array(found).T, axis=1)


def _money(orders: Floats, x: Floats, value: Floats | None, rng: np.random.Generator) -> Floats:
    p, q, _ = value if value is not None else (1.0, 2.0, 1.0)
    return np.where(orders > 0, rng.standard_gamma(p * np.maximum(orders, 1)), 0.0) / rng.standard_gamma(
        q + p * x
    )
