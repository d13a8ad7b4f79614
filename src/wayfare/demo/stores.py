"""The two stores: who orders there, and the walk-ins."""

from __future__ import annotations

import numpy as np

from wayfare.demo.acquisition import People
from wayfare.demo.orders import Orders
from wayfare.demo.rows import CHANNEL, DEVICE, Array, Rows, rows
from wayfare.demo.season import DAY, MINUTE

STORE_LOYALTY = 0.85
WEB_CUSTOMERS_IN_STORE = 0.06
CENTRE_SHARE = 0.65
LOOKERS_PER_ORDER = 0.3
WEB_VISITS = {"paid_search": 0.15, "organic_search": 0.27, "social": 0.08, "direct": 0.50}


def place_of_order(people: People, who: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """The channel and the device of each order: a store, or the web shop by the way the visitor came."""
    home = people.in_store[who]
    in_store = rng.random(who.size) < np.where(home, STORE_LOYALTY, WEB_CUSTOMERS_IN_STORE)
    other = np.where(rng.random(who.size) < CENTRE_SHARE, CHANNEL["store_centre"], CHANNEL["store_station"])
    store = np.where(home, people.channel[who], other)
    channel = np.where(in_store, store, web_channel(who.size, rng)).astype(np.int8)
    device = np.where(in_store, DEVICE["store"], web_device(people, who, rng)).astype(np.int8)
    return channel, device


def web_channel(count: int, rng: np.random.Generator) -> Array:
    """The way a returning visitor comes to the web shop."""
    codes = np.array([CHANNEL[name] for name in WEB_VISITS])
    return codes[rng.choice(len(codes), size=count, p=list(WEB_VISITS.values()))]


def web_device(people: People, who: Array, rng: np.random.Generator) -> Array:
    """The device of a visit, by the customer's habit."""
    return np.where(rng.random(who.size) < people.mobile[who], DEVICE["mobile"], DEVICE["desktop"])


def walk_ins(orders: Orders, rng: np.random.Generator) -> list[Rows]:
    """A walk-in minutes before each order in a store, and others that end with nothing bought."""
    at = np.flatnonzero(orders.device == DEVICE["store"])
    looking = np.repeat(at, rng.poisson(LOOKERS_PER_ORDER, at.size))
    before = orders.time[at] - (rng.uniform(4, 20, at.size) * MINUTE).astype(np.int64)
    later = orders.time[looking] + (rng.uniform(2, 40, looking.size) * DAY).astype(np.int64)
    return [
        rows("store_walk_in", orders.customer[who], time, channel=orders.channel[who], device=DEVICE["store"])
        for who, time in ((at, before), (looking, later))
    ]
