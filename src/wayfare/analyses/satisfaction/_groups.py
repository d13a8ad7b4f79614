"""Do customers fall into groups, and into how many? Chosen by BIC against customers who are all alike, and by refits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.satisfaction._facets import Facet, counted, layout, tempered
from wayfare.analyses.satisfaction._habits import Seen
from wayfare.stats.latent_classes import LatentClasses, adjusted_rand, jaccards, latent_classes

FEWEST = 60
"""Customers below which no groups are looked for."""
STABLE = 0.75
"""The adjusted Rand index that refits must reach: between *moderate* (.65) and *good* recovery (.80) in Steinley (2004,
Psychological Methods 9)."""
DISSOLVED = 0.5
"""The Jaccard index below which a group is not found again (Hennig 2007)."""
SMALLEST = 0.02
"""The share of the customers that a group must have."""
WEIGHTS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12)
"""What a draw of a visit may count, against one of the customer's own."""
CLEAR = 10.0
"""The gain in BIC that is *very strong* evidence (Kass & Raftery 1995, JASA 90)."""
REFITS = 8


@dataclass(frozen=True)
class Tried:
    """One number of groups that was tried.

    Attributes:
        k: How many groups.
        bic: Of the customers.
        gain: What its groups gain in BIC over one, less what as many gain where customers are alike.
        stability: Mean adjusted Rand index of refits; nan where none were made.
        smallest: The smallest group's share.
    """

    k: int
    bic: float
    gain: float = 0.0
    stability: float = np.nan
    smallest: float = 1.0


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups that hold, or one of all customers.

    Attributes:
        model: The classes; None where there is nothing to tell customers apart by.
        stability: Of each group: the mean Jaccard index with the group most like it in refits (k,).
        tried: Every number of groups that was tried.
        weight: What a draw of a visit counts.
    """

    model: LatentClasses | None
    stability: NDArray[np.float64] = field(default_factory=lambda: np.full(1, np.nan))
    tried: tuple[Tried, ...] = ()
    weight: float = 1.0

    @property
    def k(self) -> int:
        """How many groups there are."""
        return 1 if self.model is None else len(self.model)


def groups_of(seen: Seen, facets: tuple[Facet, ...], most: int, seed: int) -> Groups:
    """The number of groups, up to `most`, with the largest gain in BIC among those that refits confirm.

    What goes together on a visit, such as the app and the phone, is no evidence of groups of customers. So draws of
    visits are weighed down until customers who are alike (visits dealt out anew among all) show no groups, and each
    further group counts only with what it gains over one more among customers who are alike within their groups.
    """
    if len(seen.codes) < FEWEST or not facets or most < 2:
        return Groups(None)
    _, facet = layout(facets)
    weight = _weight(seen, facets, seed)
    draws = tempered(counted(seen, facets), facets, weight)
    models, tried = _fits(seen, draws, facets, weight, most, seed)
    gains = {t.k: t.gain for t in tried[1:]}
    for k in sorted((k for k, gain in gains.items() if gain > 0), key=lambda k: (-gains[k], k)):
        model = models[k]
        share = np.bincount(model.assigned(draws), minlength=k) / len(draws)
        stability, each = _stability(draws, facet, model, seed)
        tried[k - 1] = replace(tried[k - 1], stability=stability, smallest=float(share.min()))
        holds = stability >= STABLE and each.min() >= DISSOLVED
        if holds and share.min() >= SMALLEST:
            return Groups(model, each, tuple(tried), weight)
    return Groups(None, tried=tuple(tried))


def _weight(seen: Seen, facets: tuple[Facet, ...], seed: int) -> float:
    """The most that a draw of a visit can count without groups among customers who are alike.

    A magnitude adjustment of the composite likelihood (Varin, Reid & Firth 2011, Statistica Sinica 21).
    """
    _, facet = layout(facets)
    alike = counted(_dealt_anew(seen, np.zeros(len(seen.codes), dtype=np.int64), seed), facets)
    for weight in WEIGHTS[:-1]:
        draws = tempered(alike, facets, weight)
        one, two = (latent_classes(draws, facet, k, seed, starts=4) for k in (1, 2))
        if one.bic - two.bic <= 0:
            return weight
    return WEIGHTS[-1]


def _fits(
    seen: Seen, draws: NDArray, facets: tuple[Facet, ...], weight: float, most: int, seed: int
) -> tuple[dict[int, LatentClasses], list[Tried]]:
    """Models of 1, 2, … groups, until two more in a row bring nothing."""
    _, facet = layout(facets)
    models = {1: latent_classes(draws, facet, 1, seed)}
    tried = [Tried(1, models[1].bic)]
    best = 1
    for k in range(2, min(most, len(draws)) + 1):
        before = models[k - 1]
        models[k] = latent_classes(draws, facet, k, seed + k)
        again = _dealt_anew(seen, before.assigned(draws), seed + k)
        alike = tempered(counted(again, facets), facets, weight)
        kept = latent_classes(alike, facet, k - 1, seed, begin=before)
        null = max(kept.bic - latent_classes(alike, facet, k, seed + k).bic, 0.0)
        gain = tried[-1].gain + before.bic - models[k].bic - null - CLEAR
        tried.append(Tried(k, models[k].bic, gain))
        best = k if gain > tried[best - 1].gain else best
        if k - best >= 2:
            break
    return models, tried


def _stability(
    draws: NDArray, facet: NDArray, model: LatentClasses, seed: int
) -> tuple[float, NDArray[np.float64]]:
    """How far refits on customers drawn again agree: in all, and group by group."""
    rng = np.random.default_rng(seed)
    before = model.assigned(draws)
    agreed, each = [], []
    for refit in range(REFITS):
        weights = rng.multinomial(len(draws), np.full(len(draws), 1 / len(draws)))
        again = latent_classes(draws, facet, len(model), seed + 100 + refit, weights=weights)
        after = again.assigned(draws)
        agreed.append(adjusted_rand(before, after))
        found = np.full(len(model), np.nan)
        found[np.unique(before)] = jaccards(before, after)
        each.append(found)
    return float(np.mean(agreed)), np.mean(each, axis=0)


def _dealt_anew(seen: Seen, group: NDArray[np.int64], seed: int) -> Seen:
    """Customers with as many visits as before, but anybody's of their group; their own columns and answers shuffled."""
    rng = np.random.default_rng(seed)
    once = seen.once.copy()
    for column in range(once.shape[1]):
        once[:, column] = once[_shuffled(group, rng), column]
    answered = seen.answered.copy()
    for question in np.unique(seen.answers[:, 0]):
        mine = seen.answers[:, 0] == question
        answered[mine] = _shuffled(group, rng)[answered[mine]]
    return replace(seen, owner=seen.owner[_shuffled(group[seen.owner], rng)], once=once, answered=answered)


def _shuffled(group: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A permutation that leaves each in its group."""
    order = np.argsort(group, kind="stable")
    shuffled = np.empty_like(order)
    shuffled[order] = np.lexsort((rng.random(len(group)), group))
    return shuffled
