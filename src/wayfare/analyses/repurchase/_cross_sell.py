"""Which kinds of product lead to which others: first purchases of one kind, with and without the other before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.repurchase._basket_lines import Bought
from wayfare.stats.intervals import z_of

KINDS = 30
CUSTOMERS = 100_000
ENOUGH = 10
_NEVER = np.iinfo(np.int16).max
_ROWS = 65_536


@dataclass(frozen=True, eq=False)
class Leads:
    """For each pair of the largest kinds, what the one does for the other; all arrays are (kinds, kinds), from × to.

    Attributes:
        kinds: The kinds' numbers, the largest first (kinds,).
        customers: Customers who had the one, not yet the other, and ordered again.
        rate: First purchases of the other a repeat order at which it could be the first, after the one.
        lift: That rate over the same of orders without the one before; nan where either has under ten first purchases.
        low: The lower end of the lift's 95% interval.
        high: The upper end.
    """

    kinds: NDArray[np.int64]
    customers: NDArray[np.int64]
    rate: NDArray[np.float64]
    lift: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def leads(bought: Bought) -> Leads:
    """What each of the largest kinds leads to, over at most 100,000 customers, evenly taken."""
    kinds = largest(bought)
    customers = len(bought.customers)
    step = max(-(-customers // CUSTOMERS), 1)
    first = first_order(bought, kinds, step)
    orders = bought.orders[::step]
    sums = np.zeros((5, kinds.size, kinds.size))
    for start in range(0, len(orders), _ROWS):
        rows = slice(start, start + _ROWS)
        for place in range(kinds.size):
            sums[:, place] += _after(first[rows], orders[rows], place)
    return _lifts(kinds, sums)


def largest(bought: Bought) -> NDArray[np.int64]:
    """The kinds that are in the most lines; of equals the first by name."""
    known = bought.category[bought.baskets.product]
    lines = np.bincount(known[known >= 0], minlength=len(bought.categories))
    order = np.argsort(-lines, kind="stable")[:KINDS]
    return order[lines[order] > 0]


def first_order(bought: Bought, kinds: NDArray[np.int64], step: int = 1) -> NDArray[np.int16]:
    """In which of their orders, from 0, every `step`-th customer first had each kind; far beyond any where never (customers, kinds)."""
    place = np.full(len(bought.categories) + 1, -1)
    place[kinds] = np.arange(kinds.size)
    lines = bought.baskets.keep(bought.baskets.customer % step == 0)
    kind = place[bought.category[lines.product]]
    number = bought.orders[lines.customer] - 1 - lines.ago
    found = np.full((-(-len(bought.customers) // step), kinds.size), _NEVER, dtype=np.int16)
    known = np.flatnonzero(kind >= 0)
    cell = (lines.customer[known] // step).astype(np.int64) * kinds.size + kind[known]
    by = np.lexsort((number[known], cell))
    new = np.flatnonzero(np.diff(cell[by], prepend=-1))
    found.ravel()[cell[by][new]] = np.minimum(number[known][by][new], _NEVER - 1)
    return found


def _after(first: NDArray[np.int16], orders: NDArray[np.int64], place: int) -> NDArray[np.float64]:
    """Sums over customers by the other kind: those at risk, their orders and first purchases; both again without the one.

    A repeat order counts up to and with the first purchase of the other kind; an order in which both come first
    counts as one without the one before.
    """
    last = orders.astype(np.int32)[:, None] - 1
    one, other = first[:, place].astype(np.int32)[:, None], first.astype(np.int32)
    until = np.minimum(other, last)
    after = np.maximum(until - np.minimum(one, last), 0)
    before = np.minimum(until, one)
    came = (other > one) & (other <= last)
    without = (other > 0) & (other <= one) & (other <= last)
    parts = ((after > 0), after, came, before, without)
    return np.array([part.sum(axis=0) for part in parts], dtype=float)


def _lifts(kinds: NDArray[np.int64], sums: NDArray[np.float64]) -> Leads:
    customers, after, came, before, without = sums
    itself = np.eye(kinds.size, dtype=bool)
    enough = (np.minimum(came, without) >= ENOUGH) & ~itself
    safe = [np.where(enough, part, 1.0) for part in (after, came, before, without)]
    lift = (safe[1] / safe[0]) / (safe[3] / safe[2])
    spread = np.exp(z_of(0.95) * np.sqrt(1 / safe[1] + 1 / safe[3]))
    rate = np.where(itself, 0.0, came / np.maximum(after, 1.0))
    bounds = (np.where(enough, part, np.nan) for part in (lift, lift / spread, lift * spread))
    return Leads(kinds, np.where(itself, 0, customers).astype(np.int64), rate, *bounds)
