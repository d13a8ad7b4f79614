"""The company's raw records, batch by batch of customers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from wayfare.demo.acquisition import People
from wayfare.demo.basket import order_lines, payment_methods, refunds
from wayfare.demo.brand_survey import brand_survey
from wayfare.demo.company import Company
from wayfare.demo.delivery import deliveries
from wayfare.demo.frame import SCHEMA, record_batch
from wayfare.demo.newsletter import letters, reminders
from wayfare.demo.orders import Orders
from wayfare.demo.purchases import recipes_read
from wayfare.demo.referrals import populate, programme
from wayfare.demo.rows import Rows, select, stack
from wayfare.demo.season import micros
from wayfare.demo.stores import walk_ins
from wayfare.demo.subscription import subscriptions
from wayfare.demo.surveys import effort_answers, reviews, support_contacts, survey_answers
from wayfare.demo.visits import abandoned, first_visits, order_sessions, returns

__all__ = ["BATCH_CUSTOMERS", "SCHEMA", "batches", "population", "records"]

BATCH_CUSTOMERS = 10_000
_POPULATION, _BEHAVIOUR = 0, 1


def records(company: Company) -> Iterator[pa.RecordBatch]:
    """Every event of the company's customers before its end, all rows of a customer in one batch.

    Rows are sorted by customer and time, columns are those of `SCHEMA`. A batch holds `BATCH_CUSTOMERS`
    customers (the last one fewer) and depends on the company, the seed and its own number alone, so that any
    size runs in the memory of one batch and a larger company begins with the same customers.
    """
    for number, size in enumerate(batches(company)):
        people, orders, invitations = population(company, number, size)
        table = stack([*invitations, *_behaviour(company, people, orders, _rng(company, number, _BEHAVIOUR))])
        first = number * BATCH_CUSTOMERS
        yield record_batch(table, number=number, first_customer=first, size=size, end=micros(company.end))


def batches(company: Company) -> list[int]:
    """How many customers each batch holds."""
    full, rest = divmod(company.customers, BATCH_CUSTOMERS)
    return [BATCH_CUSTOMERS] * full + ([rest] if rest else [])


def population(company: Company, number: int, size: int) -> tuple[People, Orders, list[Rows]]:
    """The customers of one batch with their orders and invitations, as `records` has them."""
    return populate(company, size, _rng(company, number, _POPULATION))


def _behaviour(company: Company, people: People, orders: Orders, rng: np.random.Generator) -> list[Rows]:
    order = np.flatnonzero(~orders.lost)
    placed = select(orders, order)
    method = payment_methods(orders, rng)
    lines = order_lines(company, people, placed, order, method[order], rng)
    web, web_order = select(placed, placed.web), order[placed.web]
    events = [
        *first_visits(people, rng),
        *returns(people, rng),
        *order_sessions(orders, method, rng),
        *abandoned(company, people, orders, rng),
        *walk_ins(placed, rng),
        lines,
        deliveries(people, web.customer, web.time, web.delivery_days, web_order),
        refunds(lines, placed, order, rng),
        recipes_read(placed, order),
        survey_answers(company, placed, order, rng),
        reviews(placed, order, rng),
        contacts := support_contacts(company, placed, order, rng),
        *letters(company, people, placed, rng),
        reminders(placed, rng),
        *subscriptions(company, people, placed, orders.lost.size, rng),
        *programme(people, placed, rng),
    ]
    # Drawn last, so that whatever else is true of a seed stays so.
    return [*events, effort_answers(company, orders, contacts, rng), *brand_survey(company, placed, rng)]


def _rng(company: Company, number: int, part: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([company.seed, number, part]))
