"""The newsletter and the reminders: opened and clicked at random, with no effect on what is bought."""

from __future__ import annotations

import numpy as np

from wayfare.demo.acquisition import People
from wayfare.demo.company import Company
from wayfare.demo.orders import Orders
from wayfare.demo.rows import CAMPAIGN, CHANNEL, Array, Rows, rows
from wayfare.demo.season import DAY, MINUTE, WEEK, daytime, micros

SIGNUP_AT_ORDER = 0.30
OPENS_PER_WEEK = 0.12
CLICKED = 0.20
SUBSCRIBED_WEEKS = 50.0
REMINDED = 0.30
REMINDER_DAYS = 28

_EMAIL = {"channel": CHANNEL["email"], "campaign": CAMPAIGN["monthly_letter"]}


def letters(company: Company, people: People, placed: Orders, rng: np.random.Generator) -> list[Rows]:
    """Sign-ups at the first order, then openings and clicks until the reader tires or the end comes."""
    first = np.flatnonzero((placed.number == 0) & (rng.random(placed.number.size) < SIGNUP_AT_ORDER))
    first = first[people.channel[placed.customer[first]] != CHANNEL["email"]]
    by_email = np.flatnonzero(people.channel == CHANNEL["email"])
    signup = placed.time[first] + (rng.uniform(1, 4, first.size) * MINUTE).astype(np.int64)
    readers = np.concatenate([by_email, placed.customer[first]])
    since = np.concatenate([people.arrival[by_email], signup])
    return [
        rows("newsletter_signup", placed.customer[first], signup, channel=CHANNEL["email"]),
        *_openings(company, readers, since, rng),
    ]


def reminders(placed: Orders, rng: np.random.Generator) -> Rows:
    """The mail that says the bag must be empty, to some who have not ordered for four weeks after a web order."""
    ordered = np.lexsort((placed.time, placed.customer))
    customer, time, web = placed.customer[ordered], placed.time[ordered], placed.web[ordered]
    due = daytime(time + REMINDER_DAYS * DAY)
    before_next = np.ones(due.size, bool)
    before_next[:-1] = (customer[1:] != customer[:-1]) | (due[:-1] < time[1:])
    at = np.flatnonzero(web & before_next & (rng.random(due.size) < REMINDED))
    return rows("refill_reminder", customer[at], due[at], channel=CHANNEL["email"])


def _openings(company: Company, readers: Array, since: Array, rng: np.random.Generator) -> list[Rows]:
    tired = since + (rng.exponential(size=readers.size) * SUBSCRIBED_WEEKS * WEEK).astype(np.int64)
    span = np.maximum(np.minimum(tired, micros(company.end)) - since, 0)
    at = np.repeat(np.arange(readers.size), rng.poisson(OPENS_PER_WEEK * span / WEEK))
    moment = since[at] + (rng.random(at.size) * span[at]).astype(np.int64)
    opened = np.maximum(daytime(moment), since[at] + MINUTE)
    clicks = np.flatnonzero(rng.random(at.size) < CLICKED)
    clicked = opened[clicks] + (rng.uniform(0.2, 3, clicks.size) * MINUTE).astype(np.int64)
    return [
        rows("newsletter_open", readers[at], opened, **_EMAIL),
        rows("newsletter_click", readers[at[clicks]], clicked, **_EMAIL),
    ]
