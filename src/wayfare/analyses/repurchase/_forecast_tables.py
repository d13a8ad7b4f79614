"""The forecast's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._order_days import last_moment
from wayfare.analyses.repurchase import _holdout
from wayfare.analyses.repurchase._outlook import Outlook
from wayfare.analyses.repurchase._worth import lifetime
from wayfare.result import table

if TYPE_CHECKING:
    from wayfare.analyses.repurchase._forecast_found import Forecast

Floats = NDArray[np.float64]

QUANTILES = (0.5, 0.1, 0.9)
_WEEK_SECONDS = 604_800
_FARTHEST = 52.18 * 50


def customers(found: Forecast, lifetime_weeks: float, discount: float) -> pa.Table:
    """One row a customer who has ordered."""
    buyers, summary, worth = found.buyers, found.summary, found.worth
    nothing = np.full(len(buyers), np.nan)
    alive = orders = buy = value = low = high = nothing
    dates = np.full((len(buyers), len(QUANTILES)), np.datetime64("NaT"), dtype="datetime64[us]")
    if found.chosen and found.chosen.paced:
        paced = found.chosen.paced
        alive, orders, buy = found.expected.alive, found.expected.orders, found.expected.buy
        dates = _dates(paced.wait(summary, QUANTILES), last_moment(found.study.log))
        ahead = lifetime(paced, worth, summary, alive, lifetime_weeks, discount)
        value, low, high = ahead.value, ahead.low, ahead.high
    return table(
        customer=buyers.names,
        p_alive=known(alive),
        expected_orders=known(orders),
        p_buy=known(buy),
        next_purchase_median=dates[:, 0],
        next_purchase_low=dates[:, 1],
        next_purchase_high=dates[:, 2],
        order_value=known(worth.mean),
        lifetime_value=known(value),
        lifetime_value_low=known(low),
        lifetime_value_high=known(high),
    )


def _dates(weeks: Floats, now: int) -> NDArray[np.datetime64]:
    near = weeks <= _FARTHEST
    moments = now + np.rint(np.where(near, weeks, 0.0) * _WEEK_SECONDS).astype(np.int64) * 1_000_000
    return np.where(near, moments.astype("datetime64[us]"), np.datetime64("NaT"))


def known(values: Floats) -> pa.Array:
    """Numbers with what is not known as null."""
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))


def models(found: Forecast) -> pa.Table:
    """One row a model that was tried."""
    tried, chosen = found.candidates, found.chosen
    came = [found.came.sum() if len(c.expected) else None for c in tried]
    ours = [chosen is not None and c.name == chosen.name for c in tried]
    return table(
        model=pa.array([c.name for c in tried], pa.string()),
        log_likelihood=known(np.array([c.log_likelihood for c in tried])),
        parameters=pa.array([c.parameters for c in tried], pa.string()),
        holdout_expected=pa.array(
            [float(c.expected.sum()) if len(c.expected) else None for c in tried], pa.float64()
        ),
        holdout_actual=pa.array([None if n is None else int(n) for n in came], pa.int64()),
        deviance=known(np.array([c.deviance for c in tried])),
        week_error=known(np.array([c.week_error for c in tried])),
        chosen=pa.array(ours, pa.bool_()),
        final_parameters=pa.array(
            [chosen.parameters if chosen and own else None for own in ours], pa.string()
        ),
        note=pa.array(
            [
                (chosen.note or c.note) if chosen and own else c.note
                for c, own in zip(tried, ours, strict=True)
            ],
            pa.string(),
        ),
    )


def weeks(found: Forecast) -> pa.Table:
    """The holdout's weeks and those ahead."""
    parts = []
    if found.before:
        cut = found.buyers.cuts[found.buyers.before]
        came, money = (_holdout.actual_weeks(found.buyers, name) for name in ("known_orders", "known_value"))
        parts.append(_weeks(found, found.before, cut, "holdout", came, money))
    if found.ahead:
        none = np.full(len(found.ahead.orders), np.nan)
        parts.append(_weeks(found, found.ahead, found.buyers.cuts[-1], "ahead", none, none))
    return pa.concat_tables(parts) if parts else _weeks(found, None, 0, "ahead", np.zeros(0), np.zeros(0))


def _weeks(
    found: Forecast, outlook: Outlook | None, cut: int, part: str, came: Floats, money: Floats
) -> pa.Table:
    none = np.zeros(0)
    low, high = outlook.by_week(found.confidence) if outlook else (none, none)
    least, most = outlook.value_by_week(found.confidence) if outlook else (none, none)
    value = outlook.value if outlook else none
    return table(
        week=dates_of(cut + 1 + 7 * np.arange(len(came))),
        expected=outlook.orders if outlook else none,
        low=low,
        high=high,
        actual=pa.array(np.nan_to_num(came).astype(np.int64), mask=np.isnan(came)),
        revenue=known(value),
        revenue_low=known(least),
        revenue_high=known(most),
        revenue_actual=known(np.where(np.isnan(value), np.nan, np.round(money, 6))),
        part=pa.array([part] * len(came), pa.string()),
    )


def dates_of(days: NDArray) -> pa.Array:
    """Days since 1970 as ISO dates."""
    return pa.array(np.asarray(days, dtype="datetime64[D]").astype(str).tolist(), pa.string())


def calibration(found: Forecast) -> pa.Table:
    """Expected and actual orders of the holdout by tenths."""
    if not found.judge:
        return _holdout.calibration(np.zeros(0), np.zeros(0))
    return _holdout.calibration(found.judge.expected, found.came)


def active(found: Forecast) -> pa.Table:
    """Expected and actual numbers of customers who order."""
    paced = found.judge.paced if found.judge else None
    return _holdout.active(paced, found.buyers, found.earlier, found.held_out)


def accuracy(found: Forecast) -> pa.Table:
    """How well customers were told apart."""
    if not found.judge or not found.judge.paced:
        return _holdout.accuracy(np.zeros(0), np.zeros(0), np.zeros(0))
    earlier = found.earlier
    chance = found.judge.paced.buy(earlier, float(found.held_out))
    return _holdout.accuracy(found.judge.expected, chance, found.came)


def totals(found: Forecast) -> pa.Table:
    """The holdout's total and the one ahead."""
    given = weeks(found)
    parts = [("holdout", found.before, found.season_then), ("ahead", found.ahead, found.season)]
    rows = [
        _total(found, name, outlook, season, given) for name, outlook, season in parts if outlook and season
    ]
    return pa.Table.from_pylist(rows, _TOTALS)


_NUMBERS = (
    "expected",
    "low",
    "high",
    "actual",
    "revenue",
    "revenue_low",
    "revenue_high",
    "revenue_actual",
    "season_spread",
)
_TOTALS = pa.schema(
    [
        ("part", pa.string()),
        ("weeks", pa.int64()),
        *((name, pa.float64()) for name in _NUMBERS),
        ("season", pa.string()),
    ]
)


def _total(
    found: Forecast, part: str, outlook: Outlook, season: object, given: pa.Table
) -> dict[str, object]:
    expected, low, high = outlook.total(found.confidence)
    money = outlook.total_value(found.confidence) if np.isfinite(outlook.value).all() else (None, None, None)
    rows = [row for row in given.to_pylist() if row["part"] == part]
    came = [float(sum(row[name] for row in rows)) if part == "holdout" and None not in [r[name] for r in rows] else None
            for name in ("actual", "revenue_actual")]  # fmt: skip
    return {
        "part": part, "weeks": len(outlook.orders), "expected": expected, "low": low, "high": high, "actual": came[0],
        "revenue": money[0], "revenue_low": money[1], "revenue_high": money[2], "revenue_actual": came[1],
        "season_spread": season.quarter_cv, "season": "given" if season.given else "seen" if season.observed else "unseen",  # type: ignore[attr-defined]
    }  # fmt: skip


def tracking(found: Forecast) -> pa.Table:
    """Repeat orders by week since the log began, expected and actual."""
    season = found.season
    expected = season.expected if season else np.zeros(0)
    start = found.buyers.cuts[-1] - 7 * len(expected) + 1
    actual = season.actual.astype(np.int64) if season else np.zeros(0, dtype=np.int64)
    return table(week=dates_of(start + 7 * np.arange(len(expected))), expected=expected, actual=actual)


def histories(found: Forecast) -> pa.Table:
    """The frequency–recency map."""
    if not found.chosen or not found.chosen.paced:
        none = np.zeros(0, dtype=np.int64)
        return table(
            frequency=none,
            weeks_since_order=none,
            customers=none,
            p_alive=np.zeros(0),
            expected_orders=np.zeros(0),
        )
    return _holdout.histories(found.summary, found.expected.alive, found.expected.orders)


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def season(found: Forecast) -> pa.Table:
    """The months' relative rates, where the chosen model has a calendar."""
    rates = found.chosen.season if found.chosen else ()
    return table(month=pa.array(MONTHS[: len(rates)], pa.string()), multiplier=pa.array(rates, pa.float64()))


_INTERVAL = 1.6449


def covariates(found: Forecast) -> pa.Table:
    """What each covariate does to the pace and to the leaving."""
    rows: list[dict[str, object]] = []
    if found.chosen and found.chosen.paced:
        paced = found.chosen.paced
        params, errors = paced.model.params_, paced.model.standard_errors_
        for kind, told in paced.known(found.summary).items():
            for name, values in told.items():
                effect, error = params[f"{kind}_{name}"], errors[f"{kind}_{name}"]
                low, high = (float(np.exp(effect + way * _INTERVAL * error)) for way in (-1, 1))
                rows.append(
                    {"covariate": name, "customers": int(np.count_nonzero(values)), "on": kind}
                    | {"multiplier": float(np.exp(effect)), "low": low, "high": high}
                )
    return pa.Table.from_pylist(rows, _COVARIATES)


_COVARIATES = pa.schema(
    [
        ("covariate", pa.string()),
        ("customers", pa.int64()),
        ("on", pa.string()),
        *((name, pa.float64()) for name in ("multiplier", "low", "high")),
    ]
)
