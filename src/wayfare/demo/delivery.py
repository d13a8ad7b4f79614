"""How long parcels take: one of the two carriers becomes slow from a date on."""

from __future__ import annotations

import numpy as np

from wayfare.demo.acquisition import People
from wayfare.demo.company import Company
from wayfare.demo.rows import Array, Rows, rows
from wayfare.demo.season import DAY, micros

SHORTEST_DAYS = 1.0
SHAPE = 4.0
PARCEL_COST = 3.9


def days_until_delivery(
    company: Company, time: Array, slow_carrier: Array, rng: np.random.Generator
) -> Array:
    """Days from order to delivery: one day and a gamma wait, with the company's mean for carrier and date."""
    slow = slow_carrier & (time >= micros(company.delay_start))
    mean = np.where(slow, company.delivery_days_slow, company.delivery_days) - SHORTEST_DAYS
    return SHORTEST_DAYS + rng.gamma(SHAPE, size=time.size) * mean / SHAPE


def deliveries(people: People, customer: Array, time: Array, days: Array, order: Array) -> Rows:
    """One delivery a parcel, with its days and its carrier."""
    return rows(
        "delivery",
        customer,
        arrived(time, days),
        order=order,
        cost=PARCEL_COST,
        delivery_days=np.round(days, 2),
        carrier=people.slow_carrier[customer].astype(np.int8),
    )


def arrived(time: Array, days: Array) -> Array:
    """When a parcel ordered at `time` is there."""
    return time + (days * DAY).astype(np.int64)
