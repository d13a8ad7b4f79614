"""What visitors do in the web shop: first looks, returns, checkouts, and payments that come to nothing."""

from __future__ import annotations

import numpy as np

from wayfare.demo.acquisition import People
from wayfare.demo.company import Company
from wayfare.demo.orders import Orders
from wayfare.demo.rows import CAMPAIGN, CHANNEL, DEVICE, EVENT, NONE, Array, Rows, rows, where
from wayfare.demo.season import DAY, MINUTE, daytime, micros
from wayfare.demo.stores import web_channel, web_device

VIEWS_PER_VISIT = 1.0
BROWSING = {"recipe_read": 0.10, "review_read": 0.14, "cart": 0.14}
RETURNS_BEFORE_ORDER = 0.9
STORE_RETURNS_BEFORE_ORDER = 0.2
RETURN_DAYS = 9.0
CLICK_COST = 0.85
CHECKOUTS_WITHOUT_PAYMENT = 0.15
ABANDONED_BY_OTHERS = 0.45

ENTRY = np.full(len(CHANNEL), NONE)
for _channel, _event in (
    ("paid_search", "ad_click"),
    ("organic_search", "search_visit"),
    ("social", "social_visit"),
    ("email", "newsletter_signup"),
    ("referral", "referral_visit"),
    ("store_centre", "store_walk_in"),
    ("store_station", "store_walk_in"),
):
    ENTRY[CHANNEL[_channel]] = EVENT[_event]

_FIRST, _RETURN, _ORDER, _ABANDONED, _UNPAID = range(5)
_KINDS = 8


def first_visits(people: People, rng: np.random.Generator) -> list[Rows]:
    """The touch through which each customer first appears, and a look around the shop for those on the web."""
    who = np.arange(people.arrival.size)
    device = np.where(people.in_store, DEVICE["store"], web_device(people, who, rng))
    session = np.where(people.in_store, NONE, _session(who, _FIRST))
    visit = rows("search_visit", who, people.arrival, channel=people.channel, device=device, session=session)
    entry = _entries(visit, rng)
    entry["referrer"] = people.referrer
    entry["campaign"] = np.where(people.viral, CAMPAIGN["viral_article"], entry["campaign"])
    return [entry, *_browse(where(visit, ~people.in_store), rng)]


def returns(people: People, rng: np.random.Generator) -> list[Rows]:
    """Visits between the first one and the first order, or within days for those who never order."""
    mean = np.where(people.in_store, STORE_RETURNS_BEFORE_ORDER, RETURNS_BEFORE_ORDER)
    who = np.repeat(np.arange(people.arrival.size), rng.poisson(mean))
    gone = rng.exponential(size=who.size) * RETURN_DAYS * DAY
    until_order = rng.random(who.size) * (people.first_order - people.arrival - 30 * MINUTE)[who]
    wait = 20 * MINUTE + np.where(people.buyer[who], until_order, gone).astype(np.int64)
    kept = ~people.buyer[who] | (wait < (people.first_order - people.arrival)[who] - 25 * MINUTE)
    who, wait = who[kept], wait[kept]
    visit = _visit(people, who, people.arrival[who] + wait, _RETURN, rng)
    return [where(_entries(visit, rng), visit["channel"] != CHANNEL["direct"]), *_browse(visit, rng)]


def order_sessions(orders: Orders, method: Array, rng: np.random.Generator) -> list[Rows]:
    """The visit around each web order, up to the payment; the lost ones end there."""
    at = np.flatnonzero(orders.web)
    visit = rows(
        "search_visit",
        orders.customer[at],
        orders.time[at] - (rng.uniform(9, 16, at.size) * MINUTE).astype(np.int64),
        channel=orders.channel[at],
        device=orders.device[at],
        session=_session(at, _ORDER),
        payment_method=method[at],
    )
    entry = where(_entries(visit, rng), visit["channel"] != CHANNEL["direct"])
    return [entry, *_to_payment(visit, orders.time[at], rng)]


def order_session(order: Array) -> Array:
    """The session in which an order was placed, by the order's number in the batch."""
    return _session(order, _ORDER)


def abandoned(company: Company, people: People, orders: Orders, rng: np.random.Generator) -> list[Rows]:
    """Visits that reach checkout or payment and no order, so many that the planted share of payments succeeds.

    With a success share of p, each intended order comes with (1 - p) / p failed payments, on days around it
    and partly by others, so that before and after the bug the ratio of orders to payments is p on every day.
    """
    at = np.flatnonzero(orders.web)
    rate = np.where(
        orders.device[at] == DEVICE["mobile"], company.mobile_payment_rate, company.desktop_payment_rate
    )
    failed = np.repeat(at, rng.poisson((1 - rate) / rate))
    unpaid = np.repeat(at, rng.poisson(CHECKOUTS_WITHOUT_PAYMENT, at.size))
    parts: list[Rows] = []
    for source, kind in ((failed, _ABANDONED), (unpaid, _UNPAID)):
        who, time = _somebody(people, orders.customer[source], orders.time[source], micros(company.end), rng)
        visit = _visit(people, who, time - 12 * MINUTE, kind, rng)
        visit["device"] = orders.device[source]
        visit["payment_method"] = rng.choice(3, size=who.size, p=(0.6, 0.3, 0.1))
        steps = _to_payment(visit, time, rng)
        parts += steps if kind == _ABANDONED else steps[:-1]
    return parts


def _somebody(
    people: People, customer: Array, time: Array, end: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Who abandons around a time: the customer some days off, or one who came lately and never orders.

    Days before the arrival or past the end are mirrored back, which keeps the number of every day.
    """
    earliest = people.arrival[customer] + 40 * MINUTE
    moved = daytime(time + (rng.normal(0, 8, time.size) * DAY).astype(np.int64))
    moved = earliest + np.abs(moved - earliest)
    moved = np.maximum(np.minimum(moved, 2 * end - moved), earliest)
    lookers = np.flatnonzero(~people.buyer & ~people.in_store)
    lookers = lookers[np.argsort(people.arrival[lookers], kind="stable")]
    latest = np.searchsorted(people.arrival[lookers], time - 40 * MINUTE) - 1 - rng.integers(0, 40, time.size)
    other = (rng.random(time.size) < ABANDONED_BY_OTHERS) & (latest >= 0)
    who = customer.copy()
    who[other] = lookers[latest[other]]
    return who, np.where(other, time, moved)


def _visit(people: People, who: Array, time: Array, kind: int, rng: np.random.Generator) -> Rows:
    return rows(
        "search_visit",
        who,
        time,
        channel=web_channel(who.size, rng),
        device=web_device(people, who, rng),
        session=_session(np.arange(who.size), kind),
    )


def _entries(visit: Rows, rng: np.random.Generator) -> Rows:
    """The touch that opens each visit; clicks on advertisements cost money."""
    paid = visit["channel"] == CHANNEL["paid_search"]
    count = paid.size
    campaign = rng.choice(3, size=count, p=(0.35, 0.45, 0.20))
    cost = np.round(rng.gamma(4, CLICK_COST / 4, count), 2)
    return visit | {
        "event": ENTRY[visit["channel"]],
        "cost": np.where(paid, cost, np.nan),
        "campaign": np.where(paid, campaign, NONE),
        "payment_method": np.full(count, NONE),
    }


def _browse(visit: Rows, rng: np.random.Generator) -> list[Rows]:
    seen = np.repeat(np.arange(visit["time"].size), rng.poisson(VIEWS_PER_VISIT, visit["time"].size))
    parts = [_step(where(visit, seen), "product_view", rng.uniform(0.2, 8, seen.size))]
    for event, share in BROWSING.items():
        does = np.flatnonzero(rng.random(visit["time"].size) < share)
        parts.append(_step(where(visit, does), event, rng.uniform(8, 12, does.size)))
    return parts


def _to_payment(visit: Rows, paid: Array, rng: np.random.Generator) -> list[Rows]:
    """Product views, cart, checkout and payment, in this order, the last half a minute or so before `paid`."""
    count = paid.size
    seen = np.repeat(np.arange(count), rng.poisson(VIEWS_PER_VISIT, count))
    moments = (("cart", 4.0, 6.0), ("checkout", 2.0, 3.5), ("payment", 0.3, 1.5))
    parts = [
        _step(where(visit, seen) | {"time": paid[seen]}, "product_view", -rng.uniform(6.1, 8.9, seen.size))
    ]
    for event, low, high in moments:
        parts.append(_step(visit | {"time": paid}, event, -rng.uniform(low, high, count)))
    for part in parts[:-1]:
        part.pop("payment_method", None)
    return parts


def _step(visit: Rows, event: str, minutes: Array) -> Rows:
    time = visit["time"] + (minutes * MINUTE).astype(np.int64)
    return visit | {"event": np.broadcast_to(EVENT[event], time.shape), "time": time}


def _session(number: Array, kind: int) -> Array:
    return number.astype(np.int64) * _KINDS + kind
