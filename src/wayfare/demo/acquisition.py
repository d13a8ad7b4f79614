"""Who arrives, when, through which channel, and what kind of customer each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wayfare.demo.company import Company
from wayfare.demo.rows import CHANNEL, NONE, Array
from wayfare.demo.season import DAY, MINUTE, WEEK, daytime, micros

GROWTH = 0.3
FIRST_PURCHASE_DAYS = 6.0
STORE_FIRST_PURCHASE_DAYS = 0.5
ESPRESSO_SHARE = 0.45


@dataclass(frozen=True)
class People:
    """Customers of one batch: parallel arrays, one entry a customer.

    `rate` is purchases a week while active, `leave` the chance to leave for good after a repeat order,
    `first_order` the time at which a buyer means to buy first, `referrer` the position in the batch.
    """

    arrival: Array
    channel: Array
    viral: Array
    buyer: Array
    first_order: Array
    rate: Array
    leave: Array
    mobile: Array
    espresso: Array
    slow_carrier: Array
    referrer: Array

    @property
    def in_store(self) -> Array:
        """Whose home is one of the stores rather than the web shop."""
        return self.channel >= CHANNEL["store_centre"]


def arrive(company: Company, count: int, rng: np.random.Generator) -> People:
    """Customers who come of themselves, over the company's whole time, growing slowly; some by the viral article."""
    names = np.array([CHANNEL[channel.name] for channel in company.channels])
    drawn = rng.choice(len(names), size=count, p=[channel.share for channel in company.channels])
    viral = rng.random(count) < company.viral_share
    conversion = np.array([channel.conversion for channel in company.channels])[drawn]
    return describe(
        company,
        arrival=np.where(viral, _viral_week(company, count, rng), _two_years(company, count, rng)),
        channel=np.where(viral, CHANNEL["social"], names[drawn]),
        conversion=np.where(viral, company.viral_conversion, conversion),
        viral=viral,
        referrer=np.full(count, NONE),
        rng=rng,
    )


def describe(
    company: Company,
    *,
    arrival: Array,
    channel: Array,
    conversion: Array,
    viral: Array,
    referrer: Array,
    rng: np.random.Generator,
) -> People:
    """What is true of customers who arrive: tastes and rates drawn independently of one another.

    A referred customer orders `referred_factor` times as often and leaves that much less readily per order,
    so that expected repeat orders are that many times as many over any span of time.
    """
    count = len(arrival)
    factor = np.where(referrer == NONE, 1.0, company.referred_factor)
    in_store = channel >= CHANNEL["store_centre"]
    days = np.where(in_store, STORE_FIRST_PURCHASE_DAYS, FIRST_PURCHASE_DAYS)
    lag = 40 * MINUTE + rng.exponential(size=count) * days * DAY
    return People(
        arrival=arrival,
        channel=channel.astype(np.int8),
        viral=viral,
        buyer=rng.random(count) < conversion,
        first_order=np.maximum(daytime(arrival + lag.astype(np.int64)), arrival + 40 * MINUTE),
        rate=rng.gamma(company.r, 1 / company.alpha, count) * factor / WEEK,
        leave=rng.beta(company.a, company.b, count) / factor,
        mobile=rng.beta(2.4, 2.0, count),
        espresso=rng.random(count) < ESPRESSO_SHARE,
        slow_carrier=rng.random(count) < company.slow_carrier_share,
        referrer=referrer.astype(np.int32),
    )


def _two_years(company: Company, count: int, rng: np.random.Generator) -> Array:
    start, end = micros(company.start), micros(company.end)
    grid = np.linspace(0, 1, 101)
    done = grid * (1 - GROWTH / 2) + grid**2 * GROWTH / 2
    share = np.interp(rng.random(count), done, grid)
    return daytime(start + (share * (end - start)).astype(np.int64))


def _viral_week(company: Company, count: int, rng: np.random.Generator) -> Array:
    week = micros(company.viral_week) + (rng.random(count) * WEEK).astype(np.int64)
    inside = np.clip(week, micros(company.start), micros(company.end) - 1)
    return daytime(inside)
