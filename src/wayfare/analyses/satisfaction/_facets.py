"""Facets: from what was seen of customers to counts of choices, the columns that latent classes are fitted to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.satisfaction._habits import LABELS, OF_A_VISIT, TOUCHPOINT, VISITS, Habits, Seen, _band

MOST_VALUES = 24
"""Values of a facet that are told apart; rarer ones are no draw."""
RAREST = 0.01
"""The share of the customers that a value must be seen at."""
MOST_DRAWS = 12.0
"""What one customer's draws in a facet count at most: who came a hundred times is still one customer."""
_FEW_NUMBERS = 6


@dataclass(frozen=True)
class Facet:
    """One thing that customers differ in, and its choices.

    Attributes:
        name: `touchpoint`, `time of day`, a column, a question.
        source: What it is read from: touchpoint, mark, once, visits or answer.
        place: The column of `Seen.marks` or `Seen.once`, or the question's code.
        values: The codes that are its choices; for numbers, none.
        labels: Their names.
        cuts: For numbers: where one choice ends and the next begins.
    """

    name: str
    source: str
    place: int
    values: tuple[int, ...]
    labels: tuple[str, ...]
    cuts: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def lookup(self) -> NDArray[np.int64]:
        """The choice of each code, -1 for none; the last entry stands for a missing code."""
        table = np.full(max(self.values, default=0) + 2, -1, dtype=np.int64)
        table[list(self.values)] = np.arange(len(self.values))
        return table

    def choice(self, codes: NDArray) -> NDArray[np.int64]:
        """The choice that each code stands for, -1 for none."""
        last = len(self.lookup) - 1
        return self.lookup[np.where((codes < 0) | (codes >= last), last, codes).astype(np.int64)]


def counted(seen: Seen, facets: tuple[Facet, ...]) -> NDArray[np.float64]:
    """How often each customer made each choice of each facet (customers, choices)."""
    people = len(seen.codes)
    parts = [_COUNTED[f.source](seen, f) for f in facets]
    return np.concatenate(parts, axis=1) if parts else np.zeros((people, 0))


def tempered(draws: NDArray[np.float64], facets: tuple[Facet, ...], weight: float) -> NDArray[np.float64]:
    """The draws as the model weighs them: those of one customer in one facet count `MOST_DRAWS` at most, and those of
    visits `weight` each, because what goes together on a visit is not independent."""
    if not facets:
        return draws
    edges, facet = layout(facets)
    total = np.add.reduceat(draws, edges, axis=1)
    of_visits = np.array([f.source in ("touchpoint", "mark") for f in facets])
    scale = np.minimum(1.0, MOST_DRAWS / np.maximum(total, 1.0)) * np.where(of_visits, weight, 1.0)
    return draws * scale[:, facet]


def layout(facets: tuple[Facet, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each facet's choices begin, and the facet of each choice."""
    sizes = [len(f) for f in facets]
    edges = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if sizes else np.zeros(0, np.int64)
    return edges, np.repeat(np.arange(len(sizes)), sizes)


def _tally(
    owner: NDArray, choice: NDArray, people: int, choices: int, weights: NDArray | None = None
) -> NDArray:
    known = choice >= 0
    key = owner[known] * choices + choice[known]
    weighed = None if weights is None else weights[known]
    found = np.bincount(key, weights=weighed, minlength=people * choices)
    return found.reshape(people, choices).astype(np.float64)


def _touchpoints(seen: Seen, facet: Facet) -> NDArray:
    """Each visit is one draw, split between the touchpoints met on it."""
    choice = facet.choice(seen.event)
    known = choice >= 0
    met = np.bincount(seen.visit[known], minlength=len(seen.owner))
    part = 1.0 / np.maximum(met, 1)[seen.visit]
    return _tally(seen.owner[seen.visit], choice, len(seen.codes), len(facet), part)


def _marks(seen: Seen, facet: Facet) -> NDArray:
    return _tally(seen.owner, facet.choice(seen.marks[:, facet.place]), len(seen.codes), len(facet))


def _visits(seen: Seen, facet: Facet) -> NDArray:
    visits = np.bincount(seen.owner, minlength=len(seen.codes))
    choice = np.where(visits > 0, facet.choice(_band(visits)), -1)
    return _tally(np.arange(len(visits)), choice, len(visits), len(facet))


def _once(seen: Seen, facet: Facet) -> NDArray:
    values = seen.once[:, facet.place]
    known = ~np.isnan(values)
    if facet.cuts:
        choice = np.where(known, np.searchsorted(facet.cuts, values, side="right"), -1)
    else:
        choice = facet.choice(np.where(known, values, -1))
    return _tally(np.arange(len(values)), choice, len(values), len(facet))


def _replies(seen: Seen, facet: Facet) -> NDArray:
    mine = seen.answers[:, 0] == facet.place
    choice = facet.choice(seen.answers[mine, 1])
    return _tally(seen.answered[mine], choice, len(seen.codes), len(facet))


_COUNTED = {"touchpoint": _touchpoints, "mark": _marks, "visits": _visits, "once": _once, "answer": _replies}


def facets_of(
    seen: Seen, habits: Habits, names: Mapping[str, list[str]], numbers: frozenset[str]
) -> tuple[Facet, ...]:
    """The facets in which the customers differ, with their choices by name.

    Args:
        seen: The sample.
        habits: What was read.
        names: The names behind each coded column.
        numbers: Which of the customers' own columns are numbers.
    """
    return tuple(
        f for f in (_pruned(f, seen) for f in _candidates(seen, habits, names, numbers)) if len(f) > 1
    )


def _candidates(
    seen: Seen, habits: Habits, names: Mapping[str, list[str]], numbers: frozenset[str]
) -> Iterator[Facet]:
    kept = [c for c in range(habits.events) if c not in (*habits.orders, *habits.left_out)]
    yield Facet(TOUCHPOINT, "touchpoint", 0, tuple(kept), tuple(names["event"][c] for c in kept))
    yield Facet(VISITS, "visits", 0, tuple(range(len(LABELS[VISITS]))), LABELS[VISITS])
    for place, name in enumerate((*OF_A_VISIT, *habits.columns)):
        labels = LABELS.get(name) if place < len(OF_A_VISIT) else tuple(names[name])
        yield Facet(name, "mark", place, tuple(range(len(labels or ()))), labels or ())
    for place, name in enumerate(habits.once):
        if name in numbers:
            yield _numbers(name, place, seen.once[:, place])
        else:
            yield Facet(name, "once", place, tuple(range(len(names[name]))), tuple(names[name]))
    for question in np.unique(seen.answers[:, 0]):
        asked = np.unique(seen.answers[seen.answers[:, 0] == question, 1])
        labels = tuple(names["answer"][int(a)] for a in asked)
        yield Facet(
            names["question"][int(question)], "answer", int(question), tuple(int(a) for a in asked), labels
        )


def _numbers(name: str, place: int, values: NDArray) -> Facet:
    """A number as its few values, or in quarters."""
    known = np.unique(values[~np.isnan(values)])
    if len(known) <= _FEW_NUMBERS:
        cuts = tuple(float(v) for v in known[1:])
        labels = tuple(f"{v:g}" for v in known)
    else:
        cuts = tuple(sorted({float(q) for q in np.nanquantile(values, [0.25, 0.5, 0.75])}))
        ends = [f"{c:,.4g}" for c in cuts]
        between = [f"{a} to {b}" for a, b in pairwise(ends)]
        labels = (f"under {ends[0]}", *between, f"{ends[-1]} or more")
    return Facet(name, "once", place, (), labels, cuts)


def _pruned(facet: Facet, seen: Seen) -> Facet:
    """The facet with its most widespread values; those that hardly anybody has are no draw."""
    if len(facet) < 2 or not len(seen.codes):
        return replace(facet, values=(), labels=())
    reach = (_COUNTED[facet.source](seen, facet) > 0).sum(axis=0)
    order = sorted(range(len(facet)), key=lambda i: (-reach[i], facet.labels[i]))
    kept = sorted(i for i in order[:MOST_VALUES] if reach[i] >= max(RAREST * len(seen.codes), 5))
    if facet.cuts:  # parts of one scale stay together
        return facet if len(kept) > 1 else replace(facet, values=(), labels=())
    return replace(
        facet, values=tuple(facet.values[i] for i in kept), labels=tuple(facet.labels[i] for i in kept)
    )
