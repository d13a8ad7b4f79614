"""When each buyer orders: a BG/NBD process with the planted effects on it.

Purchases while active are Poisson with a gamma rate and the customer leaves after a repeat order with a beta
chance (Fader, Hardie and Lee 2005, "Counting your customers the easy way", section 2). The loop runs over the
number of the order, each turn over all customers who are still active.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wayfare.demo.acquisition import People
from wayfare.demo.company import Company
from wayfare.demo.delivery import days_until_delivery
from wayfare.demo.orders import REPURCHASE_DAYS, Orders
from wayfare.demo.rows import CHANNEL, DEVICE, Array, Rows, join, rows, select
from wayfare.demo.season import DAY, HOUR, SeasonClock, daytime, micros
from wayfare.demo.stores import place_of_order

RECIPE_DAYS = 2.0


@dataclass(frozen=True)
class _Active:
    """Customers with an order ahead: `alive` ones will go on of themselves after it."""

    customer: Array
    time: Array
    number: Array
    alive: Array


def buy(company: Company, people: People, rng: np.random.Generator) -> Orders:
    """All intended orders of these customers before the company's end, in no particular order."""
    clock = SeasonClock.of(company)
    end = micros(company.end)
    who = np.flatnonzero(people.buyer & (people.first_order < end))
    active = _Active(who, people.first_order[who], np.zeros(who.size, np.int32), np.ones(who.size, bool))
    rounds: list[Orders] = []
    while active.customer.size or not rounds:
        orders, alive, following = _turn(company, people, active, clock, rng)
        rounds.append(orders)
        number = active.number + ~orders.lost
        kept = (following < end) & ~(orders.lost & (active.number == 0))
        active = select(_Active(active.customer, following, number, alive), kept)
    return join(rounds)


def _turn(
    company: Company, people: People, active: _Active, clock: SeasonClock, rng: np.random.Generator
) -> tuple[Orders, Array, Array]:
    who, time, count = active.customer, active.time, active.customer.size
    channel, device = place_of_order(people, who, rng)
    lost = _lost_at_payment(company, time, device, rng)
    days = days_until_delivery(company, time, people.slow_carrier[who], rng)
    days[device == DEVICE["store"]] = np.nan
    recipe = (rng.random(count) < company.recipe_exposure) & ~lost
    read = time + ((0.05 + rng.random(count) * (RECIPE_DAYS - 0.05)) * DAY).astype(np.int64)

    alive = active.alive & (lost | _stays(company, people, active, days, rng))
    following = _next_order(people, who, time, alive, clock, rng)
    horizon = time + REPURCHASE_DAYS * DAY
    natural = following < horizon
    won = recipe & ~natural & (rng.random(count) < company.recipe_conversion)
    extra = read + HOUR + (rng.random(count) * (horizon - read - 2 * DAY)).astype(np.int64)
    following = np.where(won, daytime(extra), following)
    orders = Orders(
        who, time, active.number, channel, device, lost, recipe, read, days, natural, natural | won
    )
    return orders, alive, following


def _lost_at_payment(company: Company, time: Array, device: Array, rng: np.random.Generator) -> Array:
    during = (time >= micros(company.bug_start)) & (time < micros(company.bug_end))
    lost_share = 1 - company.mobile_payment_rate_bug / company.mobile_payment_rate
    lost: Array = during & (device == DEVICE["mobile"]) & (rng.random(time.size) < lost_share)
    return lost


def _stays(company: Company, people: People, active: _Active, days: Array, rng: np.random.Generator) -> Array:
    leaves = (active.number > 0) & (rng.random(days.size) < people.leave[active.customer])
    put_off = (days > company.promised_days) & (rng.random(days.size) >= company.late_repurchase_factor)
    stays: Array = ~(leaves | put_off)
    return stays


def _next_order(
    people: People, who: Array, time: Array, alive: Array, clock: SeasonClock, rng: np.random.Generator
) -> Array:
    wait = rng.exponential(size=who.size) / people.rate[who]
    following = daytime(clock.after(time, wait))
    ahead: Array = np.where(alive, np.maximum(following, time + HOUR), clock.calendar[-1])
    return ahead


def recipes_read(placed: Orders, order: Array) -> Rows:
    """The readings that follow an order, whoever ordered: exposure by the toss of a coin, from the mail about it."""
    at = np.flatnonzero(placed.recipe)
    return rows(
        "recipe_read", placed.customer[at], placed.read[at], order=order[at], channel=CHANNEL["email"]
    )
