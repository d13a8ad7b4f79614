"""The rows of `next_product`: what is named to whom, of what sort, and why in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.repurchase._basket_lines import Bought
from wayfare.analyses.repurchase._offers import Offers
from wayfare.analyses.repurchase._product_models import Trial
from wayfare.result import table
from wayfare.stats.baskets import Ranking, Scores, among

KINDS = ("repeat", "new", "cross_sell", "up_sell", "bulk")
_REPEAT, _NEW, _CROSS, _UP, _BULK = range(5)
_AT_ONCE = 131_072


@dataclass(frozen=True, eq=False)
class _Rows:
    """Some of the table's rows; narrow numbers, as there may be millions."""

    customer: NDArray[np.int32]
    product: NDArray[np.int32]
    place: NDArray[np.int32]
    score: NDArray[np.float64]
    kind: NDArray[np.int8]
    chance: NDArray[np.float64]
    gain: NDArray[np.float64]
    reason: pa.DictionaryArray

    @classmethod
    def of(
        cls, customer: NDArray, product: NDArray, place: NDArray, score: NDArray, kind: NDArray, chance: NDArray, gain: NDArray,
        reason: pa.DictionaryArray,
    ) -> _Rows:  # fmt: skip
        who, what, where = (part.astype(np.int32) for part in (customer, product, place))
        return cls(who, what, where, score, kind.astype(np.int8), chance, gain, reason)


def product_rows(
    bought: Bought, ranking: Ranking, who: NDArray[np.int64], own: Scores, tried: Trial,
    cross: Offers, up: Offers, bulk: Offers, currency: str,
) -> pa.Table:  # fmt: skip
    """The table of products: first what the recommender ranks, then an offer of each other sort where there is one.

    Made for some customers at a time: there may be millions of rows.
    """
    had = _Had(bought, own)
    parts = [
        _some(had, ranking, who, slice(start, start + _AT_ONCE), tried, (cross, up, bulk), currency)
        for start in range(0, max(len(who), 1), _AT_ONCE)
    ]
    return pa.concat_tables(parts).unify_dictionaries()


def _some(
    had: _Had, ranking: Ranking, who: NDArray[np.int64], part: slice, tried: Trial, offers: tuple[Offers, Offers, Offers], currency: str,
) -> pa.Table:  # fmt: skip
    bought, width, some = had.bought, ranking.product.shape[1], who[part]
    cross, up, bulk = (offer.keep(among(some, offer.customer)) for offer in offers)
    named = Ranking(ranking.product[part], ranking.score[part])
    rows = [
        _ranked(had, named, some, tried),
        _offered(_unnamed(cross, some, named), width, _CROSS, lambda o: _cross_reason(bought, o)),
        _offered(_unnamed(up, some, named), width + 1, _UP, lambda o: _up_reason(bought, o, currency)),
        _offered(bulk, width + 2, _BULK, _bulk_reason),
    ]
    return _table(bought, rows)


class _Had:
    """What customers have had, to be looked up."""

    def __init__(self, bought: Bought, own: Scores) -> None:
        self.bought, self.own = bought, own
        self.kinds = len(bought.categories) + 1
        owner = own.customer
        self.pairs = owner * max(len(bought.products), 1) + own.product
        self.of_kind = np.sort(owner * self.kinds + bought.category[own.product])

    def times(self, customer: NDArray, product: NDArray) -> NDArray[np.int64]:
        """In how many orders each customer had each product."""
        if not self.pairs.size:
            return np.zeros(len(customer), dtype=np.int64)
        asked = customer * np.int64(max(len(self.bought.products), 1)) + product
        at = np.minimum(np.searchsorted(self.pairs, asked), self.pairs.size - 1)
        return np.where(self.pairs[at] == asked, self.own.score[at], 0).astype(np.int64)

    def nothing_of(self, customer: NDArray, product: NDArray) -> NDArray[np.bool_]:
        """Whether the customer never had anything of the product's kind."""
        kind = self.bought.category[product]
        return (kind >= 0) & ~among(self.of_kind, customer * self.kinds + kind)


def _ranked(had: _Had, ranking: Ranking, who: NDArray, tried: Trial) -> _Rows:
    bought = had.bought
    row, place = np.nonzero(ranking.product >= 0)
    customer, product = who[row], ranking.product[row, place]
    times = had.times(customer, product)
    kind = np.where(times > 0, _REPEAT, np.where(had.nothing_of(customer, product), _CROSS, _NEW))
    chance = tried.chance[(times > 0).astype(int), np.minimum(place, tried.at - 1)]
    chance = np.where(place < tried.at, chance, np.nan)
    score = ranking.score[row, place]
    facts = (kind, times, bought.orders[customer] * (times > 0), score > 0)
    reason = worded(facts, partial(_ranked_reason, bought.by_category))
    return _Rows.of(customer, product, place, score, kind, chance, bought.price[product], reason)


def _unnamed(offers: Offers, who: NDArray, ranking: Ranking) -> Offers:
    """The offers, all to customers in `who`, of what their ranking does not name already."""
    named = ranking.product[np.searchsorted(who, offers.customer)] == offers.product[:, None]
    return offers.keep(~named.any(axis=1))


def _ranked_reason(by_category: bool, kind: int, times: int, orders: int, scored: int) -> str:
    if kind == _REPEAT:
        return f"In {times} of {orders} orders."
    who = "Customers like this one buy it" if scored else "Many buy it"
    if not by_category:
        return f"{who}; the customer hasn't yet."
    return f"{who}; the customer has had {'nothing' if kind == _CROSS else 'others'} of its kind."


def _offered(mine: Offers, place: int, kind: int, reason: Callable[[Offers], pa.Array]) -> _Rows:
    size = mine.customer.size
    chance = mine.score if kind == _CROSS else np.full(size, np.nan)
    return _Rows.of(
        mine.customer,
        mine.product,
        np.full(size, place),
        mine.score,
        np.full(size, kind),
        chance,
        mine.gain,
        reason(mine),
    )


def _cross_reason(bought: Bought, offers: Offers) -> pa.Array:
    to = bought.category[offers.product]
    names = bought.categories
    return worded(
        (offers.because, to),
        lambda one, other: (
            f"Who has bought {names[one]} comes to {names[other]} more often than others; the customer has none yet."
        ),
    )


def _up_reason(bought: Bought, offers: Offers, currency: str) -> pa.Array:
    names = bought.products.to_pylist()
    return worded(
        (offers.because, offers.product),
        lambda one, other: (
            f"Costs {currency} {bought.price[other] - bought.price[one]:,.2f} more than {names[one]}, "
            "and is bought by the same customers."
        ),
    )


def _bulk_reason(offers: Offers) -> pa.Array:
    share = np.round(offers.score * 100).astype(np.int64)
    return worded(
        (share, offers.because),
        lambda part, days: f"In {part}% of orders, about every {days} days: three at once would do.",
    )


def worded(keys: Sequence[NDArray[Any]], words: Callable[..., str]) -> pa.DictionaryArray:
    """One sentence a row, put in words once for each distinct combination of the numbers (0 or more) in `keys`."""
    if not len(keys[0]):
        return pa.array([], pa.string()).dictionary_encode()
    packed = np.zeros(len(keys[0]), dtype=np.int64)
    for column in keys:
        packed *= int(column.max()) + 1
        packed += column
    place, first = _distinct(packed)
    sentences = pa.array([words(*(int(column[row]) for column in keys)) for row in first], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(place), sentences)


def _distinct(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Which of the distinct numbers, ascending, each is, and where each of those stands; by counting where they are small."""
    largest = int(numbers.max())
    if largest > 4 * len(numbers) + 1_000:
        _, first, place = np.unique(numbers, return_index=True, return_inverse=True)
        return place.astype(np.int32), first
    where = np.full(largest + 1, -1, dtype=np.int64)
    where[numbers] = np.arange(len(numbers))
    there = where >= 0
    return (np.cumsum(there) - 1).astype(np.int32)[numbers], where[there]


def _table(bought: Bought, parts: list[_Rows]) -> pa.Table:
    customer, product, place, kind = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("customer", "product", "place", "kind")
    )
    by = np.argsort(customer * np.int64(place.max(initial=0) + 1) + place, kind="stable")
    customer, product = customer[by], product[by]
    start = np.flatnonzero(np.diff(customer, prepend=-1))
    rank = np.arange(len(by)) - np.repeat(start, np.diff(np.append(start, len(by)))) + 1
    money = {
        name: np.concatenate([getattr(part, name) for part in parts])[by]
        for name in ("score", "chance", "gain")
    }
    return table(
        customer=bought.customers.take(pa.array(customer)),
        rank=rank,
        product=bought.products.take(pa.array(product)),
        score=money["score"],
        kind=pa.DictionaryArray.from_arrays(pa.array(kind[by]), pa.array(KINDS)),
        reason=one_dictionary([part.reason for part in parts]).take(pa.array(by)),
        chance=known(money["chance"]),
        price=known(bought.price[product]),
        gain=known(money["gain"]),
    )


def one_dictionary(parts: list[pa.DictionaryArray]) -> pa.DictionaryArray:
    """Arrays of repeated texts one after the other."""
    joined = pa.chunked_array(
        [part.cast(pa.dictionary(pa.int32(), pa.string())) for part in parts]
    ).unify_dictionaries()
    return joined.combine_chunks()


def known(values: NDArray[np.float64]) -> pa.Array:
    """Numbers with null where they are not known."""
    return pa.array(values, mask=np.isnan(values))
