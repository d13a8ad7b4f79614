"""What will a customer's next basket hold? Recommenders that turn the baskets so far into scores of products.

Each is fitted to all baskets and then scores the products of some customers; equal scores go to the product with the
lower number, and where a customer has too few scores the most popular products fill up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.errors import InvalidParameter
from wayfare.stats.baskets import Baskets, Ranking, Scores, by_popularity, chosen, top

HALF_LIFE_BASKETS = 10.0
RECENT_BASKETS = 3.0
SIMILAR = 50
GROUP, WITHIN, ACROSS, OWN, NEAREST = 7, 0.9, 0.7, 0.7, 300
REFERENCES = 5_000
SAMPLE = 100_000
_ROWS = 2_048
_MANY_ROWS = 65_536

Fitted = Callable[[NDArray[np.int64]], Scores]
"""From customers to their scores, in their order."""

Recommender = Callable[[Baskets], Fitted]
"""From all baskets so far to what scores the products of some customers."""


def most_popular(baskets: Baskets) -> Fitted:
    """What everybody buys: no scores of one's own, so that the ranking is filled with the most popular products."""
    none = np.empty(0)
    return lambda rows: Scores(
        np.zeros(rows.size + 1, np.int64), none.astype(np.int64), none, baskets.products
    )


def personal(baskets: Baskets) -> Fitted:
    """In how many of one's own baskets a product is."""
    own = baskets.summed()
    return lambda rows: chosen(own, rows)


def personal_popular(baskets: Baskets) -> Fitted:
    """In how many of one's own baskets a product is; of equals the one that is in more people's baskets."""
    own = baskets.summed().plus(1e-9 * _share(baskets.popularity()))
    return lambda rows: chosen(own, rows)


def decayed(baskets: Baskets) -> Fitted:
    """One's own baskets, each counting half as much as the one ten baskets later, and what is popular of late.

    The most popular product adds 1, as much as having been in one's last basket; popularity counts a customer's
    basket half as much as the one three baskets later.
    """
    popular = np.bincount(
        baskets.product, np.exp2(-baskets.ago / RECENT_BASKETS), minlength=baskets.products
    ).astype(float)
    own = baskets.summed(np.exp2(-baskets.ago / HALF_LIFE_BASKETS)).plus(_share(popular))
    return lambda rows: chosen(own, rows)


def neighbours(baskets: Baskets) -> Fitted:
    """Products bought by the same customers as one's own (item–item cosine; Sarwar et al. 2001, WWW).

    A product counts as similar to itself with 1, and only its 50 most similar ones count.
    """
    own = baskets.summed()
    similar = similarity(own)
    return lambda rows: Scores.of_matrix(chosen(own, rows).matrix() @ similar)


def tifu_knn(baskets: Baskets) -> Fitted:
    """One's own frequency with time-decayed weights, mixed with that of the 300 customers most like oneself.

    TIFU-KNN (Hu, He, Gao & Zhang 2020, SIGIR, "Modeling personalized item frequency information for next-basket
    recommendation", equations 1–4): baskets in groups of seven, weights .9 within and .7 across groups, own part .7,
    Euclidean nearest neighbours, looked for among at most 5,000 customers, evenly taken. Popularity breaks ties.
    """
    profile = baskets.summed(_tifu_weights(baskets)).matrix()
    with_lines = np.flatnonzero(np.diff(profile.indptr))
    references = with_lines[:: max(-(-with_lines.size // REFERENCES), 1)]
    others = profile[references]
    length = np.asarray(others.multiply(others).sum(axis=1)).ravel()
    popular = 1e-9 * _share(baskets.popularity())

    def scored(rows: NDArray[np.int64]) -> Scores:
        distance = length - 2 * (profile[rows] @ others.T).toarray()
        distance[references[None, :] == rows[:, None]] = np.inf
        return Scores.of_matrix(_mixed(profile[rows], others, distance)).plus(popular)

    return scored


MODELS: Mapping[str, Recommender] = {
    "most popular": most_popular,
    "personal": personal,
    "personal, popular first": personal_popular,
    "decayed, popular of late": decayed,
    "item neighbours": neighbours,
    "TIFU-KNN": tifu_knn,
}
"""The recommenders by name, the simplest first."""

UNFILLED = ("personal",)
"""Those that name nothing where they know nothing."""

ROWS_AT_ONCE: Mapping[str, int] = {"item neighbours": 8_192, "TIFU-KNN": _ROWS}
"""How many customers are scored at once where that takes much memory."""


def recommend(baskets: Baskets, model: str, k: int, wanted: NDArray[np.int64] | None = None) -> Ranking:
    """The next `k` products of the customers `wanted` (all unless given), by the recommender called `model`.

    Raises:
        InvalidParameter: there is no such recommender, or k is below 1.
    """
    if model not in MODELS:
        raise InvalidParameter(f"There is no recommender {model!r}.", where="model", allowed=MODELS)
    if k < 1:
        raise InvalidParameter(f"{k} is not a number of products.", where="k", hint="Give 1 or more.")
    who = np.arange(baskets.customers) if wanted is None else wanted
    fill = None if model in UNFILLED else by_popularity(baskets)
    fitted, step = MODELS[model](baskets), ROWS_AT_ONCE.get(model, _MANY_ROWS)
    parts = [top(fitted(who[start : start + step]), k, fill) for start in range(0, max(who.size, 1), step)]
    return Ranking(
        np.concatenate([part.product for part in parts]), np.concatenate([part.score for part in parts])
    )


def similarity(own: Scores) -> Any:
    """Cosine of products over customers, the 50 most similar of each (products, products), scipy CSR.

    Over at most 100,000 customers, evenly taken; a customer's count enters as log(1 + count).
    """
    from scipy.sparse import csr_matrix, diags, vstack

    customers = len(own.starts) - 1
    bought = chosen(own, np.arange(0, customers, max(-(-customers // SAMPLE), 1))).matrix()
    bought.data = np.log1p(bought.data)
    length = np.sqrt(np.asarray(bought.multiply(bought).sum(axis=0)).ravel())
    unit = (bought @ diags(np.where(length > 0, 1 / np.where(length > 0, length, 1.0), 0.0))).tocsc()
    pieces = [csr_matrix((0, own.products))]
    for start in range(0, own.products, _ROWS):
        kept = top(Scores.of_matrix(unit[:, start : start + _ROWS].T @ unit), SIMILAR)
        rows, place = np.nonzero(kept.product >= 0)
        shape = (len(kept.product), own.products)
        pieces.append(csr_matrix((kept.score[rows, place], (rows, kept.product[rows, place])), shape=shape))
    return vstack(pieces).tocsr()


def _tifu_weights(baskets: Baskets) -> NDArray[np.float64]:
    """Each line's weight: its basket's place in its group, its group's place, over the groups' sizes and number.

    Groups are filled from the latest basket backwards, so that the first one may be short.
    """
    count = baskets.count()[baskets.customer]
    groups = -(-count // GROUP)
    group, place = np.divmod(baskets.ago, GROUP)
    size = np.where(group < groups - 1, GROUP, count - (groups - 1) * GROUP)
    return WITHIN**place * ACROSS**group / (size * groups)


def _mixed(mine: Any, others: Any, distance: NDArray[np.float64]) -> Any:
    """Profiles mixed with the mean profile of their nearest references; infinitely far ones are nobody's."""
    from scipy.sparse import csr_matrix

    nearest = min(NEAREST, distance.shape[1] - 1)
    if nearest < 1:
        return mine * OWN
    found = np.argpartition(distance, nearest - 1, axis=1)[:, :nearest]
    starts = np.arange(len(found) + 1) * nearest
    mean = csr_matrix((np.full(found.size, 1 / nearest), found.ravel(), starts), shape=distance.shape)
    return mine * OWN + (mean @ others) * (1 - OWN)


def _share(popular: NDArray[np.float64]) -> NDArray[np.float64]:
    return popular / max(float(popular.max(initial=0.0)), 1e-12)
