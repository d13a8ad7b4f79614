"""The rows of `next_product`: what is named to whom, of what sort, and why in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
    """The table of products: first what the recommender ranks, then an offer of each other sort where there is one."""
    ranked = _ranked(bought, ranking, who, own, tried)
    width = ranking.product.shape[1]
    named = set_of(ranked, bought)
    offered = [
        _offered(bought, cross, width, _CROSS, who, named, lambda o: _cross_reason(bought, o)),
        _offered(bought, up, width + 1, _UP, who, named, lambda o: _up_reason(bought, o, currency)),
        _offered(bought, bulk, width + 2, _BULK, who, None, _bulk_reason),
    ]
    return _table(bought, [ranked, *offered])


def set_of(rows: _Rows, bought: Bought) -> NDArray[np.int64]:
    """The (customer, product) pairs of some rows as numbers, ascending."""
    return np.sort(rows.customer.astype(np.int64) * max(len(bought.products), 1) + rows.product)


def _ranked(bought: Bought, ranking: Ranking, who: NDArray, own: Scores, tried: Trial) -> _Rows:
    row, place = np.nonzero(ranking.product >= 0)
    customer, product = who[row], ranking.product[row, place]
    width = max(len(bought.products), 1)
    key = own.customer * width + own.product
    at = np.minimum(np.searchsorted(key, customer * width + product), max(key.size - 1, 0))
    had = (key[at] == customer * width + product) if key.size else np.zeros(len(row), dtype=bool)
    times = np.where(had, own.score[at].astype(np.int64) if key.size else 0, 0)
    kind = np.where(had, _REPEAT, np.where(_new_kind(bought, own, customer, product), _CROSS, _NEW))
    chance = tried.chance[had.astype(int), np.minimum(place, tried.at - 1)]
    chance = np.where(place < tried.at, chance, np.nan)
    score = ranking.score[row, place]
    facts = [kind, times, bought.orders[customer] * had, score > 0, np.full(len(row), bought.by_category)]
    reason = worded(np.column_stack(facts), _ranked_reason)
    return _Rows.of(customer, product, place, score, kind, chance, bought.price[product], reason)


def _new_kind(bought: Bought, own: Scores, customer: NDArray, product: NDArray) -> NDArray[np.bool_]:
    """Whether the customer never had anything of the product's kind."""
    kinds = len(bought.categories) + 1
    had = np.sort(own.customer * kinds + bought.category[own.product])
    kind = bought.category[product]
    return (kind >= 0) & ~among(had, customer * kinds + kind)


def _ranked_reason(kind: int, times: int, orders: int, scored: int, by_category: int) -> str:
    if kind == _REPEAT:
        return f"In {times} of {orders} orders."
    who = "Customers like this one buy it" if scored else "Many buy it"
    if not by_category:
        return f"{who}; the customer hasn't yet."
    return f"{who}; the customer has had {'nothing' if kind == _CROSS else 'others'} of its kind."


def _offered(
    bought: Bought,
    offers: Offers,
    place: int,
    kind: int,
    who: NDArray,
    named: NDArray | None,
    reason: Callable[[Offers], pa.Array],
) -> _Rows:
    kept = among(who, offers.customer)
    if named is not None:
        kept &= ~among(named, offers.customer * max(len(bought.products), 1) + offers.product)
    rows = np.flatnonzero(kept)
    mine = Offers(
        *(getattr(offers, name)[rows] for name in ("customer", "product", "score", "gain", "because"))
    )
    chance = mine.score if kind == _CROSS else np.full(rows.size, np.nan)
    return _Rows.of(
        mine.customer,
        mine.product,
        np.full(rows.size, place),
        mine.score,
        np.full(rows.size, kind),
        chance,
        mine.gain,
        reason(mine),
    )


def _cross_reason(bought: Bought, offers: Offers) -> pa.Array:
    to = bought.category[offers.product]
    names = bought.categories
    return worded(
        np.column_stack([offers.because, to]),
        lambda one, other: (
            f"Who has bought {names[one]} comes to {names[other]} more often than others; the customer has none yet."
        ),
    )


def _up_reason(bought: Bought, offers: Offers, currency: str) -> pa.Array:
    names = bought.products.to_pylist()
    return worded(
        np.column_stack([offers.because, offers.product]),
        lambda one, other: (
            f"Costs {currency} {bought.price[other] - bought.price[one]:,.2f} more than {names[one]}, "
            "and is bought by the same customers."
        ),
    )


def _bulk_reason(offers: Offers) -> pa.Array:
    share = np.round(offers.score * 100).astype(np.int64)
    return worded(
        np.column_stack([share, offers.because]),
        lambda part, days: f"In {part}% of orders, about every {days} days: three at once would do.",
    )


def worded(keys: NDArray[np.int64], words: Callable[..., str]) -> pa.DictionaryArray:
    """One sentence a row, put in words once for each distinct row of `keys`."""
    if not len(keys):
        return pa.array([], pa.string()).dictionary_encode()
    packed = np.zeros(len(keys), dtype=np.int64)
    for column in keys.T:
        packed = packed * (int(column.max()) + 1) + column
    _, first, place = np.unique(packed, return_index=True, return_inverse=True)
    sentences = pa.array([words(*row) for row in keys[first].tolist()], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int32)), sentences)


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
