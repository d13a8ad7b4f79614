"""Orders and revenue of all customers together, week by week, with how far off they may be.

Four things spread a total about its forecast: chance, the parameters, weeks that differ, and the season. The last
one no plain model knows: it is read off the quarters seen so far, and where less than a year was seen, assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers, Summary
from wayfare.analyses.repurchase._origins import Miss
from wayfare.analyses.repurchase._paced import simulated

if TYPE_CHECKING:
    from wayfare.analyses.repurchase._paced import Paced

Floats = NDArray[np.float64]

UNSEEN_SEASON = 0.25
"""The standard deviation, as a share, that a season never seen is given: a quarter more or less than forecast."""
GIVEN_SEASON = 0.1
"""Likewise where a calendar was given for a season never seen."""
UNSEEN_PRICES = 0.1
"""Likewise for the mean value of an order."""

_YEAR_DAYS = 364
_QUARTER, _YEAR_QUARTERS = 13, 4
_ENOUGH_QUARTER, _ENOUGH_WEEK = 30, 20
_DRAWS, _TRIALS, _MOST = 40, 64, 5000
_GRID, _KINDS = 2000, 60
# One earlier forecast says how far off one may be only roughly.
_ALONE = 1.5


@dataclass(frozen=True, eq=False)
class Outlook:
    """What a model expects of customers known at a day.

    Attributes:
        orders: Expected orders in each week ahead (weeks,).
        value: What they are worth; nan where no value is known.
        total_cv: The total's standard deviation as a share of it.
        value_cv: Likewise for the money.
        week_cv: A week's, beyond chance.
        price_cv: That of the mean value of a week's orders, beyond chance.
        spread: The squared coefficient of variation of an order's value.
    """

    orders: Floats
    value: Floats
    total_cv: float
    value_cv: float
    week_cv: float
    price_cv: float
    spread: float

    def total(self, confidence: float) -> tuple[float, float, float]:
        """Expected orders in all weeks, and the interval."""
        return float(self.orders.sum()), *_interval(np.array([self.orders.sum()]), self.total_cv, confidence)

    def total_value(self, confidence: float) -> tuple[float, float, float]:
        """The same in money."""
        return float(self.value.sum()), *_interval(np.array([self.value.sum()]), self.value_cv, confidence)

    def by_week(self, confidence: float) -> tuple[Floats, Floats]:
        """The interval of each week's orders: gamma–Poisson, so of whole orders."""
        mean = np.maximum(self.orders, 1e-9)
        tails = (1 - confidence) / 2
        low, high = (_whole_orders(mean, 1 / max(self.week_cv, 1e-3) ** 2, q) for q in (tails, 1 - tails))
        return low, high

    def value_by_week(self, confidence: float) -> tuple[Floats, Floats]:
        """The interval of each week's money."""
        cv = np.sqrt(self.week_cv**2 + self.price_cv**2 + (1 + self.spread) / np.maximum(self.orders, 1e-9))
        return _gamma(self.value, cv, confidence)


def _whole_orders(mean: Floats, shape: float, q: float) -> Floats:
    """The least whole number that a negative binomial stays at or below with the chance q."""
    from scipy.special import betainc, nbdtrik

    share = shape / (shape + mean)
    found = np.ceil(nbdtrik(q, shape, share))
    fewer = np.maximum(found - 1, 0.0)
    return np.where(betainc(shape, fewer + 1, share) >= q, fewer, found)


def _interval(mean: Floats, cv: float, confidence: float) -> tuple[float, float]:
    low, high = _gamma(mean, np.full(len(mean), cv), confidence)
    return float(low[0]), float(high[0])


def _gamma(mean: Floats, cv: Floats, confidence: float) -> tuple[Floats, Floats]:
    from scipy.special import gammaincinv

    tail, square = (1 - confidence) / 2, np.clip(cv, 1e-6, 1e3) ** 2
    low, high = (mean * square * gammaincinv(1 / square, q) for q in (tail, 1 - tail))
    return low, high


def outlook(
    paced: Paced, summary: Summary, worth: Floats, spread: float, weeks: int, season: Season
) -> Outlook:
    """The weeks after a summary was taken, from its expected orders by pairs of repeat orders and age."""
    orders, value = paced.by_week(summary, weeks, worth)
    chance_cv, known_cv = _doubt(paced, summary, weeks)
    common = season.quarter_cv**2 + known_cv**2
    mean = max(float(orders.sum()), 1e-9)
    # Whether busy quarters bring dearer orders can't be told before one was seen: then the two are taken to go together.
    apart = season.quarter_cv**2 + season.value_cv**2
    money = apart if season.known else (season.quarter_cv + season.value_cv) ** 2
    return Outlook(
        orders=orders,
        value=value,
        total_cv=float(np.sqrt(common + chance_cv**2)),
        value_cv=float(np.sqrt(money + known_cv**2 + chance_cv**2 + spread / mean)),
        week_cv=float(np.sqrt(max(season.week_cv, season.quarter_cv) ** 2 + known_cv**2)),
        price_cv=season.value_cv,
        spread=spread,
    )


def _doubt(paced: Paced, summary: Summary, weeks: int) -> tuple[float, float]:
    """The relative spread of the total by chance and by the parameters' doubt, from some of the customers."""
    model, ahead = paced.model, paced.ahead(summary, weeks)
    step = -(-len(summary.age) // _MOST)
    rows = np.column_stack([*paced.table(summary).values(), *paced.effects(summary)])[::step]
    _, first, counted = np.unique(rows, axis=0, return_index=True, return_counts=True)
    weight = counted * (len(summary.age) / len(rows))
    table = dict(zip(("frequency", "recency", "age"), rows[first, :3].T, strict=True))
    known = {
        kind: {name: values[::step][first] for name, values in told.items()}
        for kind, told in paced.known(summary).items()
    }
    expected = model.predict_orders(table, ahead, **known)
    total = max(float(weight @ expected), 1e-9)
    trials = (simulated(model, table, known, ahead, seed) for seed in range(_TRIALS))
    squares = np.mean([(orders - expected) ** 2 for orders in trials], axis=0)
    totals = [
        float(weight @ model.at(draw).predict_orders(table, ahead, **known)) for draw in paced.draws(_DRAWS)
    ]
    return float(np.sqrt(weight @ squares)) / total, float(np.std(totals)) / total


@dataclass(frozen=True, eq=False)
class Season:
    """How far quarters and weeks were off what the model says of them, beyond chance.

    Attributes:
        expected: Repeat orders that the model expects in each week so far (weeks,), the last week ends at the cut.
        actual: Repeat orders in each.
        quarter_cv: The spread of quarters that a forecast is given.
        week_cv: That of weeks.
        value_cv: That of the mean value of a quarter's orders.
        observed: Whether a year was seen, so that the spread was read off it.
        given: Whether the calendar was given and not estimated.
    """

    expected: Floats
    actual: Floats
    quarter_cv: float
    week_cv: float
    value_cv: float
    observed: bool
    given: bool = False

    @property
    def known(self) -> bool:
        """Whether the season ahead was seen or given."""
        return self.observed or self.given


def season_of(
    paced: Paced, buyers: Buyers, summary: Summary, spread: float, past: Sequence[Miss], given: bool = False
) -> Season:
    """The weeks up to a summary against what the model expects of them, and how far off earlier forecasts were; the
    larger of the two spreads holds. Less is assumed of a season never seen where a calendar was given for it."""
    days = round(summary.end * 7) - buyers.origin + 1
    expected, actual = (
        _expected(paced, summary, buyers.origin, days),
        _weeks(buyers.daily["repeat_orders"][:days].astype(float)),
    )
    seen = summary.end - summary.first.min() if len(summary.first) else 0.0
    quarter = _beyond_chance(expected, actual, _QUARTER, _ENOUGH_QUARTER)
    week = _beyond_chance(expected, actual, 1, _ENOUGH_WEEK)
    year = bool(7 * seen + 1 >= _YEAR_DAYS) and bool(np.isfinite(quarter))
    least = 0.0 if year else GIVEN_SEASON if given else UNSEEN_SEASON
    quarter = max(least, float(np.nan_to_num(quarter)), _off(past))
    orders, value = (_weeks(buyers.daily[name][:days].astype(float)) for name in ("orders", "value"))
    prices = max(_prices(orders, value, spread), 0.0 if year else UNSEEN_PRICES)
    return Season(expected, actual, quarter, float(np.nan_to_num(week)), prices, year, given)


def _off(past: Sequence[Miss]) -> float:
    """The root mean square of ln(actual / expected) of earlier forecasts, less chance, widened as they are few."""
    from scipy.special import ndtri, stdtrit

    off = [
        np.log(miss.actual / miss.expected) ** 2 - 1 / miss.expected
        for miss in past
        if miss.actual > 0 and miss.expected > 0
    ]
    if not off:
        return 0.0
    wider = stdtrit(float(len(off)), 0.95) / ndtri(0.95) if len(off) > 1 else _ALONE
    return float(np.sqrt(max(float(np.mean(off)), 0.0)) * wider)


def _expected(paced: Paced, summary: Summary, origin: int, days: int) -> Floats:
    """Repeat orders that the model expects of each week so far, from the days of the first orders alone."""
    whole = days // 7
    if not len(summary.first):
        return np.zeros(whole)
    ends = (origin + days - 1 - 7 * np.arange(whole, -1, -1)) / 7
    grid = np.expm1(
        np.linspace(0, np.log1p(float(paced.elapsed(summary.first.min(), ends[-1])) + 1e-9), _GRID)
    )
    so_far = np.zeros(whole + 1)
    for rows, came in _alike(paced, summary):
        starts, count = np.unique(came, return_counts=True)
        expected = _of_new(paced, summary, rows, grid)
        so_far += [
            count @ np.interp(np.maximum(paced.elapsed(starts, end), 0.0), grid, expected) for end in ends
        ]
    return np.diff(so_far)


def _alike(paced: Paced, summary: Summary) -> list[tuple[NDArray[np.intp], Floats]]:
    """Customers by their covariates: the places of some of each kind, and when all of the kind came."""
    from wayfare.stats.btyd.summary import groups

    effects = paced.effects(summary)
    if not effects:
        return [(np.zeros(0, dtype=np.intp), summary.first)]
    first, kind = groups(*effects)
    if len(first) > _KINDS:
        # Where covariates are numbers hardly two are alike: some stand for all.
        return [(np.arange(0, len(kind), -(-len(kind) // _KINDS)), summary.first)]
    return [(first[number : number + 1], summary.first[kind == number]) for number in range(len(first))]


def _of_new(paced: Paced, summary: Summary, rows: NDArray[np.intp], grid: Floats) -> Floats:
    """Expected repeat orders of a new customer within each time: the mean of those with the covariates of some."""
    if not len(rows):
        return np.asarray(paced.model.expected_new(grid))
    none, known = np.zeros(len(grid)), paced.known(summary)
    table = {"frequency": none, "recency": none, "age": none}
    each = [
        {
            kind: {name: np.full(len(grid), values[row]) for name, values in told.items()}
            for kind, told in known.items()
        }
        for row in rows
    ]
    return np.mean([paced.model.predict_orders(table, grid, **covariates) for covariates in each], axis=0)


def _weeks(daily: Floats) -> Floats:
    """Whole weeks that end with the last day."""
    whole = len(daily) // 7 * 7
    return daily[len(daily) - whole :].reshape(-1, 7).sum(axis=1)


def _prices(orders: Floats, value: Floats, spread: float) -> float:
    """The standard deviation of ln of the quarters' mean order value, less that by chance; 0 where they are too few."""
    whole = len(orders) // _QUARTER * _QUARTER
    if whole == 0 or not value.sum() > 0:
        return 0.0
    count, money = (
        values[len(values) - whole :].reshape(-1, _QUARTER).sum(axis=1) for values in (orders, value)
    )
    kept = (count >= _ENOUGH_QUARTER) & (money > 0)
    if kept.sum() < 2:
        return 0.0
    off = np.log(money[kept] / count[kept]) - np.log(value.sum() / orders.sum())
    return float(np.sqrt(max(float(np.mean(off**2) - np.mean(spread / count[kept])), 0.0)))


def _beyond_chance(expected: Floats, actual: Floats, size: int, enough: float) -> float:
    """The standard deviation of ln(actual / expected) over stretches of `size` weeks, less that by chance.

    Four stretches or somewhat more say little: the estimate is widened by Student's t over the normal quantile.
    Fewer than two say nothing: nan.
    """
    from scipy.special import ndtri, stdtrit

    whole = len(expected) // size * size
    if whole == 0:
        return np.nan
    wanted, came = (
        values[len(values) - whole :].reshape(-1, size).sum(axis=1) for values in (expected, actual)
    )
    kept = (wanted >= enough) & (came > 0)
    if kept.sum() < 2:
        return np.nan
    off = np.log(came[kept] / wanted[kept])
    beyond = max(float(np.mean(off**2) - np.mean(1 / wanted[kept])), 0.0)
    wider = stdtrit(float(kept.sum() - 1), 0.95) / ndtri(0.95) if kept.sum() >= _YEAR_QUARTERS else 1.0
    return float(np.sqrt(beyond) * wider)
