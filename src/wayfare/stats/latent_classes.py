"""Which kinds of people are there behind counts of what they chose?

The model is a latent class model (Lazarsfeld & Henry 1968; McLachlan & Peel 2000, Finite Mixture Models, ch. 2): each
person belongs to one of k classes, and a class is a probability of every choice. A person has several *facets* (device,
time of day, touchpoint …) with any number of draws in each, so that who came once says little and who came often says
more. Given the class, draws are independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats

_SHORT, _LONG = 10, 120
_CLOSE = 1e-6
_PRODUCTS = 200_000
_PRIOR = 1.0
"""Draws a facet that each class is given beforehand, split as in the whole: no probability is ever 0."""


@dataclass(frozen=True, eq=False)
class LatentClasses:
    """Fitted classes, the largest first.

    Attributes:
        log_share: The logarithm of each class's share (k,).
        log_chance: The logarithm of each choice's probability in each class (k, choices).
        log_likelihood: Of the data that it was fitted to.
        bic: Schwarz's criterion (Schwarz 1978); smaller is better.
    """

    log_share: Floats
    log_chance: Floats
    log_likelihood: float
    bic: float

    def __len__(self) -> int:
        return len(self.log_share)

    def memberships(self, draws: npt.ArrayLike) -> Floats:
        """How probably each person belongs to each class, given the draws (people, choices): (people, k)."""
        x, k = np.asarray(draws, dtype=float), len(self)
        parts = [_posterior(x[part], self.log_share, self.log_chance)[0] for part in _slices(x, k)]
        return np.concatenate(parts) if parts else np.zeros((0, k))

    def assigned(self, draws: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """The most probable class of each person (people,)."""
        return self.memberships(draws).argmax(axis=1)


def latent_classes(
    draws: npt.ArrayLike,
    facets: Sequence[int] | npt.NDArray[np.int64],
    classes: int,
    seed: int,
    *,
    weights: npt.ArrayLike | None = None,
    starts: int = 6,
    begin: LatentClasses | None = None,
) -> LatentClasses:
    """What are the `classes` most likely classes behind these draws?

    Fitted by expectation and maximisation from several short runs, the best of which is carried on (Biernacki, Celeux &
    Govaert 2003, Computational Statistics & Data Analysis 41).

    Args:
        draws: How often each person made each choice; fractions are allowed (people, choices).
        facets: Which facet each choice belongs to; those of one facet stand together (choices,).
        classes: How many classes, from 1.
        seed: That of the starts.
        weights: How often each person counts (people,); once if nothing is said.
        starts: How many short runs.
        begin: Classes to begin with, in place of short runs.

    Raises:
        InvalidParameter: there are fewer people than classes, or no class is asked for.
    """
    x = np.asarray(draws, dtype=float)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    people = int(np.count_nonzero(w))
    if not 1 <= classes <= max(people, 1):
        raise InvalidParameter(f"{classes} classes can't be fitted to {people} people.", where="classes")
    edges = np.flatnonzero(np.diff(np.asarray(facets), prepend=-1))
    facet = np.cumsum(np.isin(np.arange(x.shape[1]), edges)) - 1
    data = _Data(x, w, edges, facet, _per_facet((w @ x)[None, :], edges, facet)[0])
    if begin is not None:
        best = _run(data, begin.log_share, begin.log_chance, _LONG)
    elif classes == 1:
        best = _run(data, np.zeros(1), np.log(data.base)[None, :], 1)
    else:
        rng = np.random.default_rng(seed)
        short = [_run(data, *_start(data, classes, rng), _SHORT) for _ in range(starts)]
        best = _run(data, *max(short, key=lambda run: run[2])[:2], _LONG)
    return _fitted(data, *best)


def adjusted_rand(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """How far do two partitions of the same people agree? 1 if fully, about 0 if by chance (Hubert & Arabie 1985, eq. 5)."""
    table = _contingency(one, other)
    pairs = (table * (table - 1) / 2).sum()
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    of_rows, of_columns = (rows * (rows - 1) / 2).sum(), (columns * (columns - 1) / 2).sum()
    all_pairs = table.sum() * (table.sum() - 1) / 2
    expected = of_rows * of_columns / all_pairs if all_pairs else 0.0
    most = (of_rows + of_columns) / 2
    return float((pairs - expected) / (most - expected)) if most != expected else 1.0


def jaccards(one: npt.ArrayLike, other: npt.ArrayLike) -> Floats:
    """For each class of the first partition: the share of people in common with the class of the second most like it.

    The cluster-wise stability of Hennig (2007, Computational Statistics & Data Analysis 52): (classes of the first,).
    """
    table = _contingency(one, other)
    union = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    return np.asarray((table / np.maximum(union, 1)).max(axis=1, initial=0.0), dtype=float)


@dataclass(frozen=True, eq=False)
class _Data:
    x: Floats
    w: Floats
    edges: npt.NDArray[np.int64]
    facet: npt.NDArray[np.int64]
    base: Floats


def _start(data: _Data, classes: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Equal shares, and around each of a few people drawn by chance a class that leans their way."""
    p = data.w / data.w.sum()
    people = rng.choice(len(data.x), classes, replace=False, p=p)
    chance = _per_facet(data.x[people] + 2 * data.base, data.edges, data.facet)
    return np.full(classes, -np.log(classes)), np.log(chance)


def _run(data: _Data, log_share: Floats, log_chance: Floats, steps: int) -> tuple[Floats, Floats, float]:
    """Expectation and maximisation until the likelihood hardly rises; classes and the likelihood they have."""
    before = -np.inf
    for _ in range(steps):
        counts, share, likelihood = _expected(data, log_share, log_chance)
        if likelihood - before < _CLOSE * abs(likelihood):
            break
        before = likelihood
        log_chance = np.log(_per_facet(counts + _PRIOR * data.base, data.edges, data.facet))
        log_share = np.log((share + 1e-9) / (share + 1e-9).sum())
    return log_share, log_chance, _expected(data, log_share, log_chance)[2]


def _expected(data: _Data, log_share: Floats, log_chance: Floats) -> tuple[Floats, Floats, float]:
    """Each class's expected draws and people, and the likelihood."""
    counts, share, likelihood = np.zeros_like(log_chance), np.zeros_like(log_share), 0.0
    for part in _slices(data.x, len(log_share)):
        x, w = data.x[part], data.w[part]
        member, density = _posterior(x, log_share, log_chance)
        member *= w[:, None]
        counts += member.T @ x
        share += member.sum(axis=0)
        likelihood += float(density @ w)
    return counts, share, likelihood


def _slices(x: Floats, classes: int) -> Iterator[slice]:
    """Rows in parts that stay in the cache, and below the size from which BLAS takes several threads: handing out such
    small work costs more than doing it, and answers would hang on the number of processors."""
    rows = max(_PRODUCTS // max(x.shape[1] * classes, 1), 16)
    return (slice(start, start + rows) for start in range(0, len(x), rows))


def _posterior(x: Floats, log_share: Floats, log_chance: Floats) -> tuple[Floats, Floats]:
    """Each person's memberships, and the logarithm of the density."""
    joint = x @ log_chance.T + log_share
    most = joint.max(axis=1)
    joint -= most[:, None]
    np.exp(joint, out=joint)
    total = joint.sum(axis=1)
    joint /= total[:, None]
    return joint, np.log(total) + most


def _per_facet(counts: Floats, edges: npt.NDArray[np.int64], facet: npt.NDArray[np.int64]) -> Floats:
    """Counts as probabilities that add up to 1 in each facet; never 0."""
    counts = counts + 1e-9
    return np.asarray(counts / np.add.reduceat(counts, edges, axis=1)[:, facet], dtype=float)


def _fitted(data: _Data, log_share: Floats, log_chance: Floats, likelihood: float) -> LatentClasses:
    k = len(log_share)
    order = np.argsort(-log_share, kind="stable")
    free = k * (data.x.shape[1] - len(data.edges)) + k - 1
    bic = free * np.log(max(data.w.sum(), 1.0)) - 2 * likelihood
    return LatentClasses(log_share[order], log_chance[order], likelihood, float(bic))


def _contingency(one: npt.ArrayLike, other: npt.ArrayLike) -> Floats:
    a, b = np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1]
    shape = (a.max(initial=-1) + 1, b.max(initial=-1) + 1)
    return np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
