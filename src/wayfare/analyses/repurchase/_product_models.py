"""Which recommender guesses the last basket best, and how often what it names at each place is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.repurchase._basket_lines import Bought
from wayfare.stats.baskets import Accuracy, Baskets, Ranking, accuracy, among, without_last
from wayfare.stats.recommenders import MODELS, recommend

ENOUGH = 30
BASKETS = 3
MEASURED = 20_000
AT, FEW_PRODUCTS = 10, 30
NEIGHBOURS_UP_TO = 50_000
USUAL = "personal, popular first"


@dataclass(frozen=True, eq=False)
class Trial:
    """All recommenders on the last baskets held out.

    Attributes:
        at: How many products were ranked.
        found: How well each did; empty where nobody has three baskets.
        best: The one with the highest recall, the simplest of equals; the usual one under 30 customers.
        chance: How often the product at each place was in the basket, had before (row 1) or new (row 0) (2, at).
    """

    at: int
    found: Mapping[str, Accuracy]
    best: str
    chance: NDArray[np.float64]


def trial(bought: Bought) -> Trial:
    """Every recommender fitted without the last basket of customers with three or more, and measured on it.

    On at most 20,000 of those customers, evenly taken.
    """
    at = AT if len(bought.products) > FEW_PRODUCTS else max(len(bought.products) // 3, 1)
    able = np.flatnonzero(bought.orders >= BASKETS)
    wanted = able[:: max(-(-able.size // MEASURED), 1)]
    held = np.zeros(len(bought.orders), dtype=bool)
    held[wanted] = True
    earlier, last = without_last(bought.baskets, held)
    names = (
        [n for n in MODELS if n != "TIFU-KNN" or len(bought.orders) <= NEIGHBOURS_UP_TO]
        if wanted.size
        else []
    )
    rankings = {name: recommend(earlier, name, at, wanted) for name in names}
    found = {name: accuracy(ranking, wanted, earlier, last) for name, ranking in rankings.items()}
    enough = wanted.size >= ENOUGH
    best = max(found, key=lambda name: round(found[name].recall, 12)) if enough else USUAL
    chance = _chance(rankings[best], wanted, earlier, last) if enough else np.full((2, at), np.nan)
    return Trial(at, found, best, chance)


def _chance(
    ranking: Ranking, wanted: NDArray[np.int64], earlier: Baskets, last: Baskets
) -> NDArray[np.float64]:
    """The share of products at each place that were in the basket, new ones and those had before (2, at)."""
    named = ranking.product >= 0
    pair = wanted[:, None] * np.int64(max(last.products, 1)) + ranking.product
    hit = among(last.pairs(), pair) & named
    known = among(earlier.pairs(), pair) & named
    shares = []
    for mask in (named & ~known, known):
        count = mask.sum(axis=0)
        shares.append(np.where(count >= ENOUGH, (hit & mask).sum(axis=0) / np.maximum(count, 1), np.nan))
    return np.array(shares)
