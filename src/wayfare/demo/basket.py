"""What is in an order: its lines, how it was paid, and what is sent back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wayfare.demo.acquisition import People
from wayfare.demo.company import Company
from wayfare.demo.delivery import arrived
from wayfare.demo.orders import Orders
from wayfare.demo.rows import NONE, PAYMENT_METHODS, Array, Rows, rows, where
from wayfare.demo.season import DAY
from wayfare.demo.visits import order_session


@dataclass(frozen=True)
class Product:
    """One thing the roaster sells; `weight` is how often it is chosen within its category."""

    name: str
    category: str
    price: float
    weight: float


CATALOGUE = (
    Product("espresso_classico", "espresso", 13.9, 5),
    Product("espresso_bio", "espresso", 16.5, 3),
    Product("espresso_decaf", "espresso", 15.5, 1),
    Product("filter_house", "filter", 12.5, 5),
    Product("filter_ethiopia", "filter", 17.9, 3),
    Product("filter_colombia", "filter", 16.9, 2),
    Product("filter_papers", "pantry", 4.9, 4),
    Product("almond_biscuits", "pantry", 5.9, 3),
    Product("drinking_chocolate", "pantry", 8.9, 2),
    Product("grinder_hand", "grinder", 79.0, 3),
    Product("grinder_electric", "grinder", 189.0, 1),
)
PRICES = np.array([product.price for product in CATALOGUE])
FAVOURITE_KEPT = 0.88
SECOND_LINE = 0.32
MORE_OF_IT = 0.45
REFUNDED = 0.025


def payment_methods(orders: Orders, rng: np.random.Generator) -> Array:
    """How each order is paid; cash only in stores."""
    online = rng.choice(3, size=orders.time.size, p=(0.55, 0.32, 0.13))
    at_till = np.where(rng.random(orders.time.size) < 0.3, PAYMENT_METHODS.index("cash"), 0)
    return np.where(orders.web, online, at_till)


def order_lines(
    company: Company, people: People, placed: Orders, order: Array, method: Array, rng: np.random.Generator
) -> Rows:
    """The purchase rows: one a product line, at the order's time; the first line is the coffee."""
    taste = people.espresso[placed.customer]
    usual = (placed.number == 0) | (rng.random(order.size) < FAVOURITE_KEPT)
    coffee = np.where(taste == usual, choose("espresso", order.size, rng), choose("filter", order.size, rng))
    second = np.flatnonzero(rng.random(order.size) < SECOND_LINE)
    grinder = _grinder_orders(company, placed, taste, rng)
    at = np.concatenate([np.arange(order.size), second, grinder])
    product = np.concatenate(
        [coffee, choose("pantry", second.size, rng), choose("grinder", grinder.size, rng)]
    )
    quantity = 1 + np.where(
        np.arange(at.size) < order.size + second.size, rng.poisson(MORE_OF_IT, at.size), 0
    )
    return rows(
        "purchase",
        placed.customer[at],
        placed.time[at],
        order=order[at],
        channel=placed.channel[at],
        device=placed.device[at],
        session=np.where(placed.web, order_session(order), NONE)[at],
        payment_method=method[at],
        product=product,
        quantity=quantity,
        value=np.round(PRICES[product] * quantity, 2),
        subscription=0,
    )


def refunds(lines: Rows, placed: Orders, order: Array, rng: np.random.Generator) -> Rows:
    """Lines of web orders sent back some days after they came: the same order with value and quantity negated."""
    home = np.searchsorted(order, lines["order"])
    back = np.flatnonzero(placed.web[home] & (rng.random(home.size) < REFUNDED))
    home, lines = home[back], where(lines, back)
    came = arrived(placed.time[home], placed.delivery_days[home])
    kept = {name: lines[name] for name in ("order", "channel", "product", "payment_method")}
    return rows(
        "refund",
        lines["customer"],
        came + (rng.uniform(1, 10, back.size) * DAY).astype(np.int64),
        quantity=-lines["quantity"],
        value=-lines["value"],
        **kept,
    )


def choose(category: str, count: int, rng: np.random.Generator) -> Array:
    """Products of one category, by their weights."""
    codes = [code for code, product in enumerate(CATALOGUE) if product.category == category]
    weights = np.array([CATALOGUE[code].weight for code in codes])
    return np.array(codes)[rng.choice(len(codes), size=count, p=weights / weights.sum())]


def _grinder_orders(company: Company, placed: Orders, taste: Array, rng: np.random.Generator) -> Array:
    """The repeat orders with a grinder: each customer's first hit, as nobody buys a second one."""
    chance = np.where(taste, company.grinder_after_espresso, company.grinder_after_other)
    hits = np.flatnonzero((placed.number > 0) & (rng.random(chance.size) < chance))
    hits = hits[np.lexsort((placed.number[hits], placed.customer[hits]))]
    first = np.unique(placed.customer[hits], return_index=True)[1]
    return hits[first]
