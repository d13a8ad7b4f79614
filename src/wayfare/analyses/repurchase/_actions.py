"""Which actions fit which customers, and what each would add if its effect is what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.repurchase._book import Book
from wayfare.analyses.repurchase._effects import LEAVE, Effect
from wayfare.analyses.repurchase._product_rows import worded

GONE, THANKED_DAYS, LOYAL_ORDERS, LOYAL_SHARE, NEW_DAYS, ENOUGH = 0.05, 14, 5, 0.1, 90, 30
TROUBLE, LOST, EARLY, NOT_WORTH, NO_BUDGET, UNKNOWN = (
    "Something went wrong in the last 30 days (refund, return, complaint, cancellation): put that right first.",
    "Has left in all likelihood.",
    "Not due soon, and nothing else is worth its cost.",
    "Nothing is worth its cost.",
    "Beyond the budget.",
    "Too little is known to say what an action would add.",
)


@dataclass(frozen=True, eq=False)
class Fit:
    """To whom an action fits, and what its uplift is a share of; all arrays are (buyers,).

    Attributes:
        fits: To whom.
        base: Orders (or offers taken, or new customers) that the uplift multiplies.
        money: What one of them is worth; nan where unknown.
        when: The day of the contact.
        product: What it is about; null where nothing in particular.
        share: A number that the reason names.
    """

    fits: NDArray[np.bool_]
    base: NDArray[np.float64]
    money: NDArray[np.float64]
    when: NDArray[np.float64]
    product: pa.Array
    share: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Contacts that could be made; all arrays are (rows,).

    Attributes:
        buyer: The place in the book.
        action: The place in the list of actions.
        low: Money added at the effect's lower end, before the contact's cost; orders where no value is known.
        mid: At its likeliest value.
        high: At its upper end.
        orders: Orders added at the likeliest value; offers taken or new customers for such actions.
        cost: Of the contact.
        base: What the uplift multiplies.
        net: Money added less the cost, free of the dust of floats; orders added where no value is known.
    """

    buyer: NDArray[np.int64]
    action: NDArray[np.int64]
    low: NDArray[np.float64]
    mid: NDArray[np.float64]
    high: NDArray[np.float64]
    orders: NDArray[np.float64]
    cost: NDArray[np.float64]
    base: NDArray[np.float64]
    net: NDArray[np.float64]

    def keep(self, mask: NDArray) -> Rows:
        """The rows where `mask` holds, or in the order of an index."""
        return Rows(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


def fits_of(book: Book, today: int, ahead: int) -> dict[str, Fit]:
    """To whom each action fits."""
    nothing = pa.nulls(len(book), pa.string())
    usual, cross, up, bulk = (book.offers[kind] for kind in ("repeat", "cross_sell", "up_sell", "bulk"))
    gone = np.nan_to_num(book.p_alive, nan=1.0) < GONE
    free = ~book.trouble & ~gone
    near = free & ~book.late & (book.opens <= today + ahead)
    soon = np.where(near, np.maximum(book.opens, today), today)
    again = np.where(np.isnan(book.p_buy), book.chance, book.p_buy)
    now = np.full(len(book), float(today))
    held = np.where(np.isnan(usual.chance), 1.0, usual.chance)
    value, one = book.order_value, np.ones(len(book))
    return {
        "win back": Fit(free & book.late, again, value, now, usual.product, again),
        "remind": Fit(near, book.chance, value, soon, usual.product, book.chance),
        "cross-sell": Fit(
            near & cross.there, book.chance * cross.chance, cross.gain, soon, cross.product, cross.chance
        ),
        "up-sell": Fit(near & up.there, book.chance * held, up.gain, soon, up.product, book.chance * held),
        "bundle": Fit(near & bulk.there, book.chance, bulk.gain, soon, bulk.product, book.chance),
        "loyalty reward": Fit(
            free & ~book.late & _loyal(book),
            book.expected_orders,
            value,
            now,
            nothing,
            book.expected_orders / 100,
        ),
        "ask for a referral": Fit(
            free & ~book.late & _happy(book), one, one * _new_customer(book, today), now, nothing, one
        ),
        "thank": Fit(free & (today - book.last <= THANKED_DAYS), again, value, now, nothing, again),
    }


def _loyal(book: Book) -> NDArray[np.bool_]:
    """The tenth worth most of those with five orders or more; by orders ahead where no value is known."""
    worth = book.lifetime_value if not np.isnan(book.lifetime_value).all() else book.expected_orders
    known = worth[~np.isnan(worth)]
    least = np.quantile(known, 1 - LOYAL_SHARE) if known.size else np.inf
    return (book.orders >= LOYAL_ORDERS) & (worth >= least)


def _happy(book: Book) -> NDArray[np.bool_]:
    """Who has recommended or whose last answer is among the best quarter, has ordered twice, and is not among the unhappy."""
    known = book.score[~np.isnan(book.score)]
    best, worst, middle = np.quantile(known, [0.75, 0.25, 0.5]) if known.size else (np.inf, -np.inf, 0.0)
    pleased = (book.score >= best) & (book.score > middle if best > middle else book.score >= best)
    unhappy = (book.score <= worst) & (book.score < middle)
    return (book.orders > 1) & (book.advocate | pleased) & ~unhappy


def _new_customer(book: Book, today: int) -> float:
    """What a new customer is worth: the first order and what is ahead, over those who lately came; else over all."""
    worth = book.order_value + book.lifetime_value
    new = (book.orders == 1) & (today - book.last <= NEW_DAYS) & ~np.isnan(worth)
    chosen = worth[new] if new.sum() >= ENOUGH else worth[~np.isnan(worth)]
    return float(chosen.mean()) if chosen.size else float("nan")


def rows_of(fits: Mapping[str, Fit], effects: Mapping[str, Effect], margin: float, by_money: bool) -> Rows:
    """Every contact that fits and adds something at the likeliest value, after its cost."""
    parts = []
    for number, (name, effect) in enumerate(effects.items()):
        fit = fits[name]
        unit = fit.base * (fit.money * margin if by_money else 1.0)
        cost = effect.cost if by_money else 0.0
        net = np.round(np.nan_to_num(unit * effect.mid - cost), 9).astype(np.float64)
        who = np.flatnonzero(fit.fits & (net > 0))
        unit = unit[who]
        parts.append(Rows(who, np.full(who.size, number), unit * effect.low, unit * effect.mid, unit * effect.high,
                          fit.base[who] * effect.mid, np.full(who.size, effect.cost), fit.base[who], net[who]))  # fmt: skip
    return Rows(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__dataclass_fields__)
    )


def best_per_customer(rows: Rows, contacts: int) -> Rows:
    """Each customer's best rows by what they add after their cost, at most `contacts` of them."""
    by = np.lexsort((rows.action, -rows.net, rows.buyer))
    buyer = rows.buyer[by]
    start = np.flatnonzero(np.diff(buyer, prepend=-1))
    place = np.arange(len(by)) - np.repeat(start, np.diff(np.append(start, len(by))))
    return rows.keep(by[place < contacts])


def within_budget(rows: Rows, held: NDArray[np.bool_], budget: float | None) -> NDArray[np.bool_]:
    """Which rows are kept: those that add most for what they cost, until the money is spent.

    Customers held out cost nothing, and are cut at the same line as the others, so that both stay comparable.
    """
    if budget is None:
        return np.ones(len(rows.buyer), dtype=bool)
    return_on = np.where(rows.cost > 0, rows.mid / np.where(rows.cost > 0, rows.cost, 1.0), np.inf)
    by = np.lexsort((rows.action, rows.buyer, -np.round(return_on, 9)))
    contacted = ~held[rows.buyer[by]]
    paid = contacted & (np.cumsum(np.where(contacted, rows.cost[by], 0.0)) <= budget + 1e-9)
    kept = np.zeros(len(by), dtype=bool)
    kept[by[: int(np.flatnonzero(paid)[-1]) + 1 if paid.any() else 0]] = True
    return kept


def why_left(
    book: Book, today: int, ahead: int, wanted: NDArray[np.bool_], cut: NDArray[np.bool_]
) -> pa.DictionaryArray:
    """Why each of the buyers in `wanted` is left alone; those in `cut` fell to the budget."""
    unknown = np.isnan(book.chance) & np.isnan(book.p_buy)
    early = ~book.late & (book.opens > today + ahead)
    gone = np.nan_to_num(book.p_alive, nan=1.0) < GONE
    code = np.select([cut, book.trouble, gone, unknown, early], [4, 0, 1, 5, 2], 3)
    said = pa.array([TROUBLE, LOST, EARLY, NOT_WORTH, NO_BUDGET, UNKNOWN])
    return pa.DictionaryArray.from_arrays(pa.array(code[wanted].astype(np.int32)), said)


_REASONS: Mapping[str, Callable[[int], str]] = {
    "win back": lambda p: f"The window has passed; about {p}% come back by themselves.",
    "remind": lambda p: f"About {p}% order in the window by themselves.",
    "cross-sell": lambda p: f"About {p}% of next orders hold the kind by themselves.",
    "up-sell": lambda p: f"About {p}% buy the cheaper one in the window.",
    "bundle": lambda p: f"Buys it at a steady pace; about {p}% order in the window.",
    "loyalty reward": lambda p: f"Among the tenth worth most; about {p} orders expected.",
    "ask for a referral": lambda _: "Has recommended or gave a high score, and ordered more than once.",
    "thank": lambda p: f"Ordered in the last {THANKED_DAYS} days; about {p}% order again by themselves.",
}


def reasons(fits: Mapping[str, Fit], rows: Rows, actions: list[str]) -> pa.DictionaryArray:
    """Why each row is what it is, in words."""
    percent = np.zeros(len(rows.buyer), dtype=np.int64)
    for number, name in enumerate(actions):
        mine = rows.action == number
        percent[mine] = np.round(np.nan_to_num(fits[name].share[rows.buyer[mine]]) * 100).astype(np.int64)
    return worded((rows.action, percent), lambda action, p: _REASONS[actions[action]](p))


__all__ = [
    "LEAVE",
    "Fit",
    "Rows",
    "best_per_customer",
    "fits_of",
    "reasons",
    "rows_of",
    "why_left",
    "within_budget",
]
