"""Baskets as arrays, rankings of products, and how well a ranking guesses the basket that came next.

Repeat purchases dominate next baskets, so a ranking's recall is told apart for products bought before and for new
ones (Li, Jullien, Ariannezhad & de Rijke 2023, ACM TOIS 41, "A next basket recommendation reality check").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.errors import InvalidParameter

_CELLS = 1 << 22


@dataclass(frozen=True, eq=False)
class Baskets:
    """Which customer had which product in which basket; each combination once, sorted by (customer, product, −ago).

    Attributes:
        customer: From 0, any integers (lines,).
        product: From 0 (lines,).
        ago: How many baskets the same customer had after this one; 0 is the last (lines,).
        customers: How many customers there are, also those without a line.
        products: How many products there are.
    """

    customer: NDArray[np.integer]
    product: NDArray[np.integer]
    ago: NDArray[np.integer]
    customers: int
    products: int

    @classmethod
    def of(cls, customer: Any, product: Any, ago: Any, customers: int, products: int) -> Baskets:
        """The baskets from lines in any order, with repeats.

        Raises:
            InvalidParameter: the arrays differ in length, or a number is out of range.
        """
        lines = [np.asarray(part, dtype=np.int64) for part in (customer, product, ago)]
        if len({part.shape for part in lines}) > 1:
            raise InvalidParameter("The arrays differ in length.", where="customer, product, ago")
        limits = (customers, products, np.iinfo(np.int64).max)
        for name, part, limit in zip(("customer", "product", "ago"), lines, limits, strict=True):
            if part.size and not 0 <= part.min() <= part.max() < limit:
                raise InvalidParameter(f"Numbers from 0 to {limit - 1} are needed.", where=name)
        order = np.lexsort((-lines[2], lines[1], lines[0]))
        lines = [part[order] for part in lines]
        new = np.ones(order.size, dtype=bool)
        new[1:] = np.any([np.diff(part) != 0 for part in lines], axis=0)
        customer, product, ago = (part[new] for part in lines)
        return cls(customer, product, ago, customers, products)

    def keep(self, mask: NDArray[np.bool_]) -> Baskets:
        """The lines where `mask` holds; customers keep their numbers."""
        return Baskets(self.customer[mask], self.product[mask], self.ago[mask], self.customers, self.products)

    def count(self) -> NDArray[np.int64]:
        """How many baskets each customer has (customers,)."""
        found = np.zeros(self.customers, dtype=np.int64)
        first = np.flatnonzero(np.diff(self.customer, prepend=-1))
        found[self.customer[first]] = np.maximum.reduceat(self.ago, first) + 1 if first.size else 0
        return found

    def pairs(self) -> NDArray[np.int64]:
        """Each line's customer and product as one number, ascending (lines,)."""
        return self.customer.astype(np.int64) * max(self.products, 1) + self.product

    def popularity(self) -> NDArray[np.float64]:
        """In how many baskets each product is (products,)."""
        return np.bincount(self.product, minlength=self.products).astype(float)

    def summed(self, weights: NDArray[np.float64] | None = None) -> Scores:
        """Each customer's lines of one product added up, in how many baskets it is unless weights are given."""
        new = np.ones(self.customer.size, dtype=bool)
        new[1:] = (np.diff(self.customer) != 0) | (np.diff(self.product) != 0)
        first = np.flatnonzero(new)
        values = np.ones(self.customer.size) if weights is None else weights
        sums = np.add.reduceat(values, first) if first.size else np.empty(0)
        starts = np.searchsorted(self.customer[first], np.arange(self.customers + 1))
        return Scores(starts, self.product[first].astype(np.int64), sums, self.products)


@dataclass(frozen=True, eq=False)
class Scores:
    """A score for some of each customer's products, sparse by rows.

    Attributes:
        starts: Row i is starts[i]:starts[i + 1] (customers + 1,).
        product: The products, ascending within a row.
        score: Their scores, above 0.
        products: How many products there are.
    """

    starts: NDArray[np.int64]
    product: NDArray[np.int64]
    score: NDArray[np.float64]
    products: int

    @property
    def customer(self) -> NDArray[np.int64]:
        """The row of each score."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def matrix(self) -> Any:
        """The scores as a scipy CSR matrix (customers, products)."""
        from scipy.sparse import csr_matrix

        shape = (len(self.starts) - 1, self.products)
        return csr_matrix((self.score, self.product, self.starts), shape=shape)

    def plus(self, added: NDArray[np.float64]) -> Scores:
        """The same scores, each with what `added` (products,) says for its product on top."""
        return Scores(self.starts, self.product, self.score + added[self.product], self.products)

    @classmethod
    def of_matrix(cls, matrix: Any) -> Scores:
        """The scores in a scipy sparse matrix."""
        rows = matrix.tocsr()
        rows.sort_indices()
        return cls(rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data, rows.shape[1])


@dataclass(frozen=True, eq=False)
class Ranking:
    """The first `k` products for each customer.

    Attributes:
        product: Best first; -1 where there is none (customers, k).
        score: Their scores; 0 where the product only fills up (customers, k).
    """

    product: NDArray[np.int64]
    score: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well rankings guess baskets; means over customers.

    Attributes:
        recall: The share of the basket among the products ranked.
        recall_repeat: The same of what had been bought before, over customers whose basket has such products.
        recall_explore: The same of what had not.
        ndcg: Discounted gain of the hits over that of the best possible ranking (Järvelin & Kekäläinen 2002).
        n: Customers.
        repeat_share: The share of a basket that had been bought before.
        error: Standard error of the recall.
    """

    recall: float
    recall_repeat: float
    recall_explore: float
    ndcg: float
    n: int
    repeat_share: float
    error: float


def top(scores: Scores, k: int, fill: NDArray[np.int64] | None = None) -> Ranking:
    """The `k` products with the highest scores for each customer, then those of `fill` that are not among them."""
    width = np.diff(scores.starts)
    products = np.full((width.size, k), -1, dtype=np.int64)
    values = np.zeros((width.size, k))
    for rows in _alike(width):
        wide = int(width[rows].max())
        place = scores.starts[rows][:, None] + np.arange(wide)
        there = np.arange(wide) < width[rows][:, None]
        place = np.where(there, place, 0)
        score = np.where(there, scores.score[place], -np.inf)
        best = np.argsort(-score, axis=1, kind="stable")[:, :k]
        found = np.take_along_axis(there, best, axis=1)
        at = (rows[:, None], np.arange(best.shape[1])[None, :])
        products[at] = np.where(found, np.take_along_axis(scores.product[place], best, axis=1), -1)
        values[at] = np.where(found, np.take_along_axis(score, best, axis=1), 0.0)
    return Ranking(products if fill is None else _filled(products, fill), values)


def _alike(width: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows of like width together, few enough that a padded copy of them is small."""
    band = np.frexp(width.astype(float))[1]
    found = []
    for number in np.unique(band[width > 0]):
        rows = np.flatnonzero((band == number) & (width > 0))
        found += np.array_split(rows, -(-rows.size * 2 ** int(number) // _CELLS))
    return found


def _filled(products: NDArray[np.int64], fill: NDArray[np.int64]) -> NDArray[np.int64]:
    """The empty places at each row's end taken by the first products of `fill` that the row lacks."""
    k = products.shape[1]
    short = np.flatnonzero((products < 0).any(axis=1))
    for rows in np.array_split(short, -(-short.size * 3 * k * k // _CELLS) or 1):
        offered = fill[: 2 * k]
        own = products[rows]
        known = (offered[None, :, None] == own[:, None, :]).any(axis=2)
        both = np.concatenate([own, np.broadcast_to(offered, (rows.size, offered.size))], axis=1)
        out = np.concatenate([own < 0, known], axis=1)
        order = np.argsort(out, axis=1, kind="stable")[:, :k]
        products[rows] = np.where(
            np.take_along_axis(out, order, axis=1), -1, np.take_along_axis(both, order, axis=1)
        )
    return products


def by_popularity(baskets: Baskets) -> NDArray[np.int64]:
    """The products in the most baskets first; never bought ones last."""
    return np.argsort(-baskets.popularity(), kind="stable")


def among(ascending: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each of `asked` is one of some ascending numbers."""
    if not ascending.size:
        return np.zeros(asked.shape, dtype=bool)
    place = np.minimum(np.searchsorted(ascending, asked), ascending.size - 1)
    return ascending[place] == asked


def without_last(baskets: Baskets, mask: NDArray[np.bool_]) -> tuple[Baskets, Baskets]:
    """The baskets without the last one of the customers in `mask`, and those last ones.

    Args:
        baskets: All baskets.
        mask: Whose last basket is held out (customers,).
    """
    last = mask[baskets.customer] & (baskets.ago == 0)
    earlier = baskets.keep(~last)
    ago = earlier.ago - mask[earlier.customer]
    return Baskets(earlier.customer, earlier.product, ago, baskets.customers, baskets.products), baskets.keep(
        last
    )


def accuracy(ranking: Ranking, wanted: NDArray[np.int64], earlier: Baskets, truth: Baskets) -> Accuracy:
    """How much of the baskets `truth` the rankings of the customers `wanted` hold, given the baskets before."""
    place = np.full(earlier.customers, -1)
    place[wanted] = np.arange(wanted.size)
    mine = place[truth.customer] >= 0
    row, product = place[truth.customer[mine]], truth.product[mine]
    size = np.bincount(row, minlength=wanted.size)
    before = among(earlier.pairs(), truth.pairs()[mine])
    ranked = ranking.product[row] == product[:, None]
    hit, rank = ranked.any(axis=1), ranked.argmax(axis=1)
    gain = np.bincount(row, weights=hit / np.log2(rank + 2), minlength=wanted.size)
    best = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(ranking.product.shape[1]) + 2))])
    recall = _share(np.bincount(row, weights=hit, minlength=wanted.size), size)
    parts = [
        _share(
            np.bincount(row[part], weights=hit[part], minlength=wanted.size),
            np.bincount(row[part], minlength=wanted.size),
        )
        for part in (before, ~before)
    ]
    repeat = _share(np.bincount(row, weights=before, minlength=wanted.size), size)
    known = np.count_nonzero(size)
    error = float(np.nanstd(recall, ddof=1) / np.sqrt(known)) if known > 1 else np.nan
    ndcg = _share(gain, best[np.minimum(size, best.size - 1)])
    again, fresh = (_mean(values) for values in parts)
    return Accuracy(_mean(recall), again, fresh, _mean(ndcg), int(known), _mean(repeat), error)


def _share(part: NDArray, whole: NDArray) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def chosen(scores: Scores, wanted: NDArray[np.int64]) -> Scores:
    """The rows of some customers, in the order given."""
    if wanted.size == len(scores.starts) - 1 and (wanted == np.arange(wanted.size)).all():
        return scores
    width = np.diff(scores.starts)[wanted]
    starts = np.concatenate([[0], np.cumsum(width)])
    at = np.repeat(scores.starts[wanted] - starts[:-1], width) + np.arange(starts[-1])
    return Scores(starts, scores.product[at], scores.score[at], scores.products)
