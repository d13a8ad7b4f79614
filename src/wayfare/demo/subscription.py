"""The coffee subscription: a few repeat customers get two bags every thirty days until they cancel."""

from __future__ import annotations

import numpy as np

from wayfare.demo.acquisition import People
from wayfare.demo.basket import PRICES, choose
from wayfare.demo.company import Company
from wayfare.demo.delivery import days_until_delivery, deliveries
from wayfare.demo.orders import Orders
from wayfare.demo.rows import CHANNEL, Array, Rows, rows
from wayfare.demo.season import DAY, MINUTE, daytime, micros

STARTED = 0.015
CANCELLED_A_MONTH = 0.12
EVERY_DAYS = 30
DISCOUNT = 0.10


def subscriptions(
    company: Company, people: People, placed: Orders, first_order: int, rng: np.random.Generator
) -> list[Rows]:
    """Starts, monthly orders with their deliveries, and cancellations; orders count on from `first_order`."""
    start = _starts(placed, rng)
    who, since = placed.customer[start], placed.time[start] + 5 * MINUTE
    months = rng.geometric(CANCELLED_A_MONTH, start.size)
    at = np.repeat(np.arange(start.size), months)
    month = np.arange(at.size) - np.repeat(np.cumsum(months) - months, months)
    time = daytime(since[at] + (1 + month) * EVERY_DAYS * DAY)
    goes = time < micros(company.end)
    at, time = at[goes], time[goes]
    order = first_order + np.arange(at.size)
    days = days_until_delivery(company, time, people.slow_carrier[who[at]], rng)
    cancel = daytime(since + months * EVERY_DAYS * DAY) + (rng.uniform(2, 25, start.size) * DAY).astype(
        np.int64
    )
    return [
        rows("subscription_start", who, since, channel=CHANNEL["direct"]),
        rows("subscription_cancel", who, cancel, channel=CHANNEL["direct"]),
        _orders(people, who[at], time, order, rng),
        deliveries(people, who[at], time, days, order),
    ]


def _starts(placed: Orders, rng: np.random.Generator) -> Array:
    """Positions of the orders at which a subscription starts: repeat orders on the web, once a customer."""
    at = np.flatnonzero(placed.web & (placed.number > 0) & (rng.random(placed.number.size) < STARTED))
    at = at[np.lexsort((placed.number[at], placed.customer[at]))]
    return at[np.unique(placed.customer[at], return_index=True)[1]]


def _orders(people: People, who: Array, time: Array, order: Array, rng: np.random.Generator) -> Rows:
    espresso, other = choose("espresso", who.size, rng), choose("filter", who.size, rng)
    product = np.where(people.espresso[who], espresso, other)
    return rows(
        "purchase",
        who,
        time,
        order=order,
        channel=CHANNEL["direct"],
        payment_method=0,
        product=product,
        quantity=2,
        value=np.round(2 * PRICES[product] * (1 - DISCOUNT), 2),
        subscription=1,
    )
