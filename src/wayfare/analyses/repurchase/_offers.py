"""What could be offered beside what a customer is bound to buy: another kind, a dearer one, several at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.repurchase._basket_lines import Bought
from wayfare.analyses.repurchase._cross_sell import Leads
from wayfare.stats.baskets import Ranking, Scores, among
from wayfare.stats.recommenders import similarity

DEARER, COMMON = (1.1, 2.5), 5
STEADY_ORDERS, STEADY_SHARE, STEADY_DAYS = 4, 0.5, 60
_ROWS = 65_536


@dataclass(frozen=True, eq=False)
class Offers:
    """At most one offer of one sort a customer; all arrays are (offers,).

    Attributes:
        customer: To whom.
        product: What.
        score: How much speaks for it, in the sort's own measure.
        gain: Money more than without it if it is taken; nan where no price is known.
        because: What it rests on: a product, a kind, or the days between purchases.
    """

    customer: NDArray[np.int64]
    product: NDArray[np.int64]
    score: NDArray[np.float64]
    gain: NDArray[np.float64]
    because: NDArray[np.int64]

    def keep(self, mask: NDArray[np.bool_]) -> Offers:
        """The offers where `mask` holds."""
        return Offers(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


NONE = Offers(*(np.zeros(0, dtype=t) for t in (np.int64, np.int64, float, float, np.int64)))


def cross_sell(bought: Bought, found: Leads) -> Offers:
    """The kind not yet had that the kinds had so far most raise, by its most popular product.

    Only pairs whose lift is beyond 1 for sure count; the score is the chance that a repeat order holds the kind.
    """
    kinds = found.kinds
    sure = np.where(np.nan_to_num(found.low) > 1, found.rate, 0.0)
    if not sure.any():
        return NONE
    seller = _bestseller(bought, kinds)
    had = _had(bought, kinds)
    parts = [_likeliest(had[start : start + _ROWS], sure, start) for start in range(0, len(had), _ROWS)]
    who, to, score, whence = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Offers(who, seller[to], score, bought.price[seller[to]], kinds[whence])


def _had(bought: Bought, kinds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each customer has had each of some kinds (customers, kinds)."""
    place = np.full(len(bought.categories) + 1, -1)
    place[kinds] = np.arange(kinds.size)
    kind = place[bought.category[bought.baskets.product]]
    had = np.zeros((len(bought.customers), kinds.size), dtype=bool)
    had[bought.baskets.customer[kind >= 0], kind[kind >= 0]] = True
    return had


def _likeliest(had: NDArray[np.bool_], rate: NDArray[np.float64], start: int) -> tuple[NDArray, ...]:
    """The kind not had with the highest rate after one that was, for each customer who has one: who, which, rate, after which."""
    best, after = np.zeros((rate.shape[1], len(had))), np.zeros((rate.shape[1], len(had)), dtype=np.int64)
    for one, other in zip(*np.nonzero(rate), strict=True):
        better = had[:, one] & (rate[one, other] > best[other])
        best[other][better], after[other][better] = rate[one, other], one
    best[had.T] = 0
    to = best.argmax(axis=0)
    score = best[to, np.arange(len(had))]
    rows = np.flatnonzero(score > 0)
    return rows + start, to[rows], score[rows], after[to[rows], rows]


def _bestseller(bought: Bought, kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """The product of each kind that is in the most baskets; of equals the first by name."""
    popular = bought.baskets.popularity()
    by = np.lexsort((np.arange(popular.size), -popular, bought.category))
    return by[np.searchsorted(bought.category[by], kinds)] if by.size else by


def up_sell(bought: Bought, own: Scores, usual: Ranking) -> Offers:
    """A dearer product of the same kind as the one most likely to be bought again, bought by the same customers.

    Between 1.1 and 2.5 times the price, and had by at least five customers who had the other too; the score is the
    cosine of the two products over customers.
    """
    if not bought.by_category or np.isnan(bought.price).all() or not own.product.size:
        return NONE
    other, cosine = _dearer(bought, own)
    product = usual.product[:, 0] if usual.product.size else np.zeros(0, dtype=np.int64)
    offered = np.where(product >= 0, other[product], -1)
    who = np.flatnonzero((offered >= 0) & _owns(own, product) & ~_owns(own, offered))
    what, instead = offered[who], product[who]
    return Offers(who, what, cosine[instead], bought.price[what] - bought.price[instead], instead)


def _dearer(bought: Bought, own: Scores) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each product the most similar dearer one of its kind, or -1, and their cosine."""
    pairs = Scores.of_matrix(similarity(own))
    one, other = pairs.customer, pairs.product
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = bought.price[other] / bought.price[one]
    same = (bought.category[one] == bought.category[other]) & (bought.category[one] >= 0)
    kept = np.flatnonzero(same & (ratio >= DEARER[0]) & (ratio <= DEARER[1]))
    kept = kept[np.lexsort((other[kept], -np.round(pairs.score[kept], 9), one[kept]))]
    best = kept[np.diff(one[kept], prepend=-1) != 0]
    best = best[_in_common(own, one[best], other[best]) >= COMMON]
    found, cosine = np.full(len(bought.price), -1), np.zeros(len(bought.price))
    found[one[best]], cosine[one[best]] = other[best], pairs.score[best]
    return found, cosine


def _in_common(own: Scores, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many customers had both products of each pair (pairs,)."""
    had = own.matrix().T.tocsr()
    had.data = np.ones(len(had.data))
    return np.asarray(had[one].multiply(had[other]).sum(axis=1)).ravel().astype(np.int64)


def _owns(own: Scores, product: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each customer has bought the product of the same place (customers,)."""
    had = own.customer * own.products + own.product
    return (product >= 0) & among(had, np.arange(product.size) * own.products + product)


def bulk(bought: Bought, now: int) -> Offers:
    """What a customer buys at so steady a pace that several at once make sense.

    In at least four orders and in half of those since the first of them, at most 60 days apart on average, and the last
    not longer ago than twice that. The score is the share of orders; the gain two more of the usual quantity, paid
    now instead of later.
    """
    baskets = bought.baskets
    pair = baskets.customer.astype(np.int64) * max(baskets.products, 1) + baskets.product
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    if not first.size:
        return NONE
    last = np.append(first[1:], len(pair)) - 1
    count = last - first + 1
    since = baskets.ago[first].astype(np.int64) + 1
    pace = (bought.day[last] - bought.day[first]) / np.maximum(count - 1, 1)
    steady = (count >= STEADY_ORDERS) & (count / since >= STEADY_SHARE) & (pace <= STEADY_DAYS) & (pace >= 1)
    steady &= now - bought.day[last] <= 2 * pace
    quantity = np.add.reduceat(bought.quantity.astype(float), first) / count
    kept = np.flatnonzero(steady)
    customer, product = baskets.customer[first[kept]], baskets.product[first[kept]]
    kept = kept[np.lexsort((product, -count[kept], customer))]
    kept = kept[np.diff(baskets.customer[first[kept]], prepend=-1) != 0]
    who, product = (part[first[kept]].astype(np.int64) for part in (baskets.customer, baskets.product))
    days = np.round(pace[kept]).astype(np.int64)
    return Offers(
        who, product, count[kept] / since[kept], np.round(2 * quantity[kept] * bought.price[product], 6), days
    )
