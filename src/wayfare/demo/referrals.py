"""Customers who bring customers: invitations after an order, sign-ups, rewards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wayfare.demo.acquisition import People, arrive, describe
from wayfare.demo.company import Company
from wayfare.demo.orders import Orders
from wayfare.demo.purchases import buy
from wayfare.demo.rows import CHANNEL, NONE, Rows, join, rows, select
from wayfare.demo.season import DAY, MINUTE, micros

REWARD_COST = 5.0
ANSWER_DAYS = 20


def populate(company: Company, count: int, rng: np.random.Generator) -> tuple[People, Orders, list[Rows]]:
    """The customers of a batch, their orders, and the invitations among them.

    Those who come of themselves order first; each referred generation is then invited by customers of the
    batch who ordered before, and orders in its turn.
    """
    sizes = [int(count * share) for share in company.referral_shares]
    people = arrive(company, count - sum(sizes), rng)
    orders = buy(company, people, rng)
    invitations: list[Rows] = []
    for size in sizes:
        newcomers, sent = _invited(company, orders, size, rng)
        theirs = buy(company, newcomers, rng)
        theirs = replace(theirs, customer=theirs.customer + people.arrival.size)
        people, orders = join([people, newcomers]), join([orders, theirs])
        invitations += sent
    return people, orders, invitations


def programme(people: People, placed: Orders, rng: np.random.Generator) -> list[Rows]:
    """Sign-ups of the referred and, a day after their first order, the reward of whoever referred them."""
    referred = np.flatnonzero(people.referrer != NONE)
    signup = people.arrival[referred] + (rng.uniform(0.5, 5, referred.size) * MINUTE).astype(np.int64)
    by = people.referrer[placed.customer]
    first = np.flatnonzero((placed.number == 0) & (by != NONE))
    return [
        rows(
            "referral_signup",
            referred,
            signup,
            channel=CHANNEL["referral"],
            referrer=people.referrer[referred],
        ),
        rows(
            "referral_reward",
            by[first],
            placed.time[first] + DAY,
            channel=CHANNEL["referral"],
            cost=REWARD_COST,
        ),
    ]


def _invited(
    company: Company, orders: Orders, count: int, rng: np.random.Generator
) -> tuple[People, list[Rows]]:
    """Newcomers of one generation with the accepted and the unanswered invitations.

    With no customer yet who could invite (a batch of a handful), they come of themselves.
    """
    end = micros(company.end)
    could = select(orders, ~orders.lost & (orders.time < end - 3 * DAY))
    if not could.time.size:
        return arrive(company, count, rng), []
    chosen = rng.integers(0, could.time.size, count)
    ordered = could.time[chosen]
    latest = np.minimum(ANSWER_DAYS * DAY, end - ordered - DAY)
    arrival = ordered + (DAY + rng.random(count) * (latest - DAY)).astype(np.int64)
    invited = ordered + ((arrival - ordered) * rng.uniform(0.2, 0.9, count)).astype(np.int64)
    newcomers = describe(
        company,
        arrival=arrival,
        channel=np.full(count, CHANNEL["referral"]),
        conversion=np.full(count, company.referral_conversion),
        viral=np.zeros(count, bool),
        referrer=could.customer[chosen],
        rng=rng,
    )
    sent = rows("referral_invite", could.customer[chosen], invited, channel=CHANNEL["referral"])
    return newcomers, [sent, _unanswered(company, could, count, rng)]


def _unanswered(company: Company, could: Orders, accepted: int, rng: np.random.Generator) -> Rows:
    wasted = rng.poisson(accepted * (1 - company.referral_acceptance) / company.referral_acceptance)
    at = rng.integers(0, could.time.size, wasted)
    wait = rng.uniform(0.5, 15, wasted) * DAY
    left = micros(company.end) - could.time[at]
    time = could.time[at] + np.minimum(wait, left * 0.9).astype(np.int64)
    return rows("referral_invite", could.customer[at], time, channel=CHANNEL["referral"])
