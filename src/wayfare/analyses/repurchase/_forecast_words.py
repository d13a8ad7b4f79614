"""The forecast's findings and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wayfare.analyses.repurchase._candidates import ENOUGH, JUDGED
from wayfare.analyses.repurchase._said import warnings_of
from wayfare.result import Finding

if TYPE_CHECKING:
    from wayfare.analyses.repurchase._forecast_found import Forecast


def said(found: Forecast) -> tuple[Finding, ...]:
    """What is expected, how right that was, and what is not known."""
    if found.chosen is None or found.ahead is None:
        return _nothing(found)
    return tuple(
        filter(
            None,
            (_ahead(found), _holdout(found), _season(found), _months(found), _traits(found), _doubt(found)),
        )
    )


def _nothing(found: Forecast) -> tuple[Finding, ...]:
    buyers = found.buyers
    if not len(buyers):
        return (Finding("Nobody has ordered yet: there is nothing to forecast."),)
    repeaters = buyers.repeaters
    if repeaters >= ENOUGH:
        return (
            Finding(f"No model could be fitted on the {repeaters:,} repeat customers: nothing is forecast."),
        )
    orders = int(buyers.daily["orders"].sum())
    have = "customer has" if len(buyers) == 1 else "customers have"
    text = (f"Too few to say: {repeaters:,} of {len(buyers):,} customers ordered on more than one day, and a forecast of each "
            f"customer needs {ENOUGH}.")  # fmt: skip
    also = f"{len(buyers):,} {have} placed {orders:,} orders"
    mean = found.worth.mean[0]
    worth = f", worth {found.study.currency} {mean:,.2f} each" if np.isfinite(mean) else ""
    return Finding(text, customers=repeaters), Finding(f"What can be said: {also}{worth}.")


def _ahead(found: Forecast) -> Finding:
    assert found.ahead
    expected, low, high = found.ahead.total(found.confidence)
    sure = f"{found.confidence:.0%} interval {low:,.0f}–{high:,.0f}"
    text = f"In the next {found.weeks} weeks today's {len(found.buyers):,} customers should place {expected:,.0f} orders ({sure})"
    if not np.isfinite(found.ahead.value).all():
        return Finding(f"{text}.")
    money, least, most = found.ahead.total_value(found.confidence)
    return Finding(
        f"{text}, worth {found.study.currency} {money:,.0f} ({least:,.0f}–{most:,.0f}).",
        customers=len(found.buyers),
    )


def _holdout(found: Forecast) -> Finding | None:
    judge = found.judge
    if not judge or not found.before or not found.chosen:
        return None
    actual = found.came
    expected, low, high = found.before.total(found.confidence)
    inside = "inside" if low <= actual.sum() <= high else "outside"
    top = np.argsort(-judge.expected, kind="stable")[: round(len(actual) / 10)]
    tenth = (
        f"; the tenth expected to order most placed {actual[top].sum() / actual.sum():.0%} of them"
        if actual.any() and len(top)
        else ""
    )
    return Finding(f"Made {found.held_out} weeks ago, the same forecast ({found.chosen.name}) said {expected:,.0f} orders and {actual.sum():,.0f} "
                   f"came, {inside} the {found.confidence:.0%} interval {low:,.0f}–{high:,.0f}{tenth}.{_worth(found)}")  # fmt: skip


def _worth(found: Forecast) -> str:
    """How far off the money was, where that is beyond its interval; orders and their values are told apart."""
    assert found.before
    if not np.isfinite(found.before.value).all():
        return ""
    money, low, high = found.before.total_value(found.confidence)
    start = found.buyers.cuts[found.buyers.before] + 1 - found.buyers.origin
    came = float(found.buyers.daily["known_value"][-1][start:].sum())
    orders = float(found.buyers.daily["known_orders"][-1][start:].sum())
    if low <= came <= high or not came > 0 or not money > 0:
        return ""
    each = came / orders, money / float(found.before.orders.sum())
    why = f": an order brought {each[0]:,.0f} where {each[1]:,.0f} was expected"
    apart = abs(np.log(each[0] / each[1])) > _OTHER_PRICES
    return (f" Their value, {found.study.currency} {came:,.0f}, lies {'above' if came > high else 'below'} its interval "
            f"{low:,.0f}–{high:,.0f}{why if apart else ''}.")  # fmt: skip


def _season(found: Forecast) -> Finding | None:
    season, then = found.season, found.season_then
    if found.given.months:
        return _given(found)
    if season and not season.observed:
        return Finding(f"The season ahead was never observed: less than a year of orders is known, so that the intervals allow for a "
                       f"quarter of {season.quarter_cv:.0%} more or less (one standard deviation).")  # fmt: skip
    if then and not then.observed:
        return Finding(f"The holdout's season had never been observed when it was forecast: less than a year was known, so that its "
                       f"interval allows for {then.quarter_cv:.0%} more or less (one standard deviation).")  # fmt: skip
    return None


def _given(found: Forecast) -> Finding:
    from wayfare.analyses.repurchase._forecast_tables import MONTHS

    rates = found.given.months
    best, least = max(range(len(rates)), key=rates.__getitem__), min(range(len(rates)), key=rates.__getitem__)
    text = f"The forecast follows the calendar that was given: {MONTHS[best]} at {rates[best]:.2f} times an average month, {MONTHS[least]} at {rates[least]:.2f}"
    unseen = found.season and not found.season.observed
    text += ", for a season ahead that was never observed; the orders can't check it" if unseen else ""
    plain = [c for c in found.candidates if not c.season and np.isfinite(c.deviance)]
    judge = found.judge
    if judge and plain:
        nearer = judge.deviance <= min(c.deviance for c in plain)
        text += f"; in the holdout it came {'nearer than' if nearer else 'less near than'} the same models without it"
    return Finding(f"{text}.")


def _traits(found: Forecast) -> Finding | None:
    """The covariate of the pace that is surest to matter."""
    from wayfare.analyses.repurchase._forecast_tables import covariates

    rows = [row for row in covariates(found).to_pylist() if row["on"] == "rate"]
    if not found.given.traits:
        return None
    if not rows:
        return Finding("The covariates are the same for all customers: they tell nothing.")
    sure = [row for row in rows if not row["low"] <= 1 <= row["high"]]
    if not sure:
        return Finding("None of the covariates is sure to change the pace of orders.")
    most = max(sure, key=lambda row: abs(np.log(row["multiplier"])))
    return Finding(f"Of the covariates {most['covariate']} changes the pace of orders most: {most['multiplier']:.2f} times (90% interval "
                   f"{most['low']:.2f}–{most['high']:.2f}), which says who orders more and not why.")  # fmt: skip


def _months(found: Forecast) -> Finding | None:
    from wayfare.analyses.repurchase._forecast_tables import MONTHS

    if not found.chosen or not found.chosen.seasonal or found.given.months:
        return None
    rates = found.chosen.season
    best, least = max(range(len(rates)), key=rates.__getitem__), min(range(len(rates)), key=rates.__getitem__)
    trend = found.chosen.trend
    return Finding(f"The forecast follows the year: {MONTHS[best]} brings {rates[best]:.2f} times the orders of an average month, {MONTHS[least]} "
                   f"{rates[least]:.2f} times; each customer's pace {'grew' if trend >= 0 else 'fell'} by {abs(trend):.0%} a year.")  # fmt: skip


def _doubt(found: Forecast) -> Finding | None:
    if found.chosen and found.chosen.note:
        return Finding(f"{found.chosen.name}: {found.chosen.note}")
    passed = [c.name for c in found.candidates if c.note]
    if passed and found.chosen:
        return Finding(
            f"{' and '.join(passed)} left a parameter open (see the models' notes); the forecast rests on {found.chosen.name}."
        )
    return None


_RELATED = 0.3
_OTHER_PRICES = 0.1


def warned(found: Forecast) -> tuple[str, ...]:
    """What is odd about the orders, and what stands behind the values."""
    said = [*warnings_of(found.study, found.buyers)]
    if found.worth.note:
        said.append(found.worth.note)
    known = len(found.earlier.who) if found.judge else 0
    if known > JUDGED:
        step = -(-known // JUDGED)
        said.append(
            f"The models were compared as fitted on one in {step} of the {known:,} customers known then; the chosen one is fitted on all."
        )
    related = _related(found)
    if abs(related) > _RELATED:
        said.append(f"Frequency and order value go together (correlation {related:.2f}), which the value model takes not to be so: "
                    "lifetime values of the most frequent customers are less sure.")  # fmt: skip
    return tuple(said)


def _related(found: Forecast) -> float:
    worth = found.worth
    used = worth.z > 0
    if not worth.model or np.ptp(worth.x[used]) == 0 or np.ptp(worth.z[used]) == 0:
        return 0.0
    return float(np.corrcoef(np.log(worth.x[used]), np.log(worth.z[used]))[0, 1])
