"""The personas' tables: cards, traits with their evidence, customers, and the models that were tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.satisfaction._facets import Facet, layout
from wayfare.analyses.satisfaction._groups import Groups
from wayfare.analyses.satisfaction._habits import TOUCHPOINT
from wayfare.analyses.satisfaction._members import OUTCOMES, Members
from wayfare.analyses.satisfaction._persona_words import (
    CLEAR_LIFT,
    EVERYBODY,
    evidence,
    kind_of,
    named,
    trait_of,
)
from wayfare.result import table
from wayfare.stats.proportions import mean_interval, ratio_interval, wilson

FEWEST = 10
"""Customers or scores below which nothing is said."""
MOST_TRAITS, MOST_LACKS = 12, 4
_ON_PATH, _LONGEST = 0.25, 7


@dataclass(frozen=True, eq=False)
class Trait:
    """One choice that sets a group apart from the others.

    Attributes:
        group: The group's number.
        facet: What it is a choice of.
        label: Which choice.
        share: Of the group's draws in the facet.
        others: Of the other customers' draws.
        low: The interval of `lift`.
        high: Its upper end.
        people: The group's customers with a draw.
    """

    group: int
    facet: Facet
    label: str
    share: float
    others: float
    low: float
    high: float
    people: int

    @property
    def lift(self) -> float:
        """How many times as common it is in the group."""
        return self.share / self.others if self.others > 0 else np.inf

    @property
    def strength(self) -> float:
        """How much it tells of the group: what this choice adds to the divergence between group and others."""
        floor = 0.01
        return (self.share - self.others) * float(np.log(max(self.share, floor) / max(self.others, floor)))


@dataclass(frozen=True, eq=False)
class Personas:
    """The groups in the order in which they are shown, the largest first.

    Attributes:
        order: Each persona's group number.
        names: What it is called.
        traits: What sets it apart, the strongest first.
    """

    order: tuple[int, ...]
    names: tuple[str, ...]
    traits: tuple[tuple[Trait, ...], ...]


def personas_of(members: Members, facets: tuple[Facet, ...]) -> Personas:
    """The groups with their traits and names."""
    order = tuple(int(g) for g in np.argsort(-members.customers, kind="stable"))
    if len(order) == 1:
        return Personas(order, (EVERYBODY,), ((),))
    traits = _traits(members, facets)
    mine = tuple(tuple(t for t in traits if t.group == group) for group in order)
    told = [[(t.facet, t.label, t.share) for t in some if t.lift >= CLEAR_LIFT] for some in mine]
    return Personas(order, tuple(named(told)), mine)


def _traits(members: Members, facets: tuple[Facet, ...]) -> list[Trait]:
    """Choices that are clearly more or less common in a group than among the others, the strongest first."""
    _, facet = layout(facets)
    sums = (members.draws, members.totals[:, facet], members.squares, members.products,
            members.total_squares[:, facet], members.known[:, facet])  # fmt: skip
    share, others = _shares(*sums), _shares(*(part.sum(axis=0) - part for part in sums))
    low, high = _lift(share, others)
    known = members.known[:, facet]
    clear = (known >= FEWEST) & ((low > 1) | (high < 1))
    labels = [label for f in facets for label in f.labels]
    found = [
        Trait(int(g), facets[facet[c]], labels[c], float(share[0][g, c]), float(others[0][g, c]),
              float(low[g, c]), float(high[g, c]), int(known[g, c]))
        for g, c in np.argwhere(clear)
    ]  # fmt: skip
    return sorted(found, key=lambda t: (t.lift < 1, -t.strength, t.facet.name, t.label))


def _shares(
    draws: NDArray,
    totals: NDArray,
    squares: NDArray,
    products: NDArray,
    total_squares: NDArray,
    known: NDArray,
) -> tuple[NDArray, NDArray, NDArray]:
    """Each choice's share of the draws in its facet, with its interval over customers."""
    share = _part(draws, totals)
    interval = ratio_interval(draws, totals, squares, products, total_squares, known)
    # Nobody, or everybody, has no variance; the customers are as good as draws then.
    none, all_ = np.isclose(share, 0), np.isclose(share, 1)
    fallback = wilson(np.where(all_, known, 0), known)
    low = np.where(none | all_, fallback.low, np.clip(interval.low, 0, 1))
    return share, low, np.where(none | all_, fallback.high, np.clip(interval.high, 0, 1))


def _lift(
    share: tuple[NDArray, NDArray, NDArray], others: tuple[NDArray, NDArray, NDArray]
) -> tuple[NDArray, NDArray]:
    """The interval of a ratio of two shares from theirs: MOVER (Donner & Zou 2012, Statistical Methods in Medical
    Research 21); infinite where the others' share may be 0."""
    (a, a_low, a_high), (b, b_low, b_high) = share, others
    with np.errstate(divide="ignore", invalid="ignore"):
        under = np.maximum((a * b) ** 2 - a_low * b_high * (2 * a - a_low) * (2 * b - b_high), 0)
        low = (a * b - np.sqrt(under)) / (b_high * (2 * b - b_high))
        over = np.maximum((a * b) ** 2 - a_high * b_low * (2 * a - a_high) * (2 * b - b_low), 0)
        high = (a * b + np.sqrt(over)) / (b_low * (2 * b - b_low))
    return low, np.where(b_low > 0, high, np.inf)


def _part(some: NDArray, of: NDArray) -> NDArray[np.float64]:
    return np.divide(some, of, out=np.full(some.shape, np.nan), where=of > 0)


def trait_table(personas: Personas, window: int) -> pa.Table:
    """A row for each of the strongest traits of each persona."""
    shown = [
        (name, trait)
        for name, some in zip(personas.names, personas.traits, strict=True)
        for trait in [
            *[t for t in some if t.lift >= 1][:MOST_TRAITS],
            *[t for t in some if t.lift < 1][:MOST_LACKS],
        ]
    ]
    return table(
        persona=pa.array([n for n, _ in shown], pa.string()),
        kind=pa.array([kind_of(t.facet, t.label) for _, t in shown], pa.string()),
        trait=pa.array([trait_of(t.facet, t.label, window) for _, t in shown], pa.string()),
        share_or_mean=pa.array([t.share for _, t in shown], pa.float64()),
        others=pa.array([t.others for _, t in shown], pa.float64()),
        lift=pa.array([t.lift if np.isfinite(t.lift) else None for _, t in shown], pa.float64()),
        low=pa.array([t.low for _, t in shown], pa.float64()),
        high=pa.array([t.high if np.isfinite(t.high) else None for _, t in shown], pa.float64()),
        evidence=pa.array([evidence(t.facet, t.share, t.others, t.people) for _, t in shown], pa.string()),
    )


def card_table(members: Members, groups: Groups, personas: Personas, events: list[str]) -> pa.Table:
    """A row for each persona: size, stability, what came of them, path and favourite touchpoint."""
    at = list(personas.order)
    sizes = members.customers[at]
    total = max(int(sizes.sum()), 1)
    of = wilson(sizes, np.full(len(at), total))
    outcome = dict(zip(OUTCOMES, members.outcomes[at].T, strict=True))
    again = wilson(outcome["again"], outcome["buyers"])
    worth = mean_interval(outcome["value"], outcome["value_squares"], outcome["followed"])
    return table(
        persona=pa.array(personas.names, pa.string()),
        customers=sizes,
        share=sizes / total,
        share_low=of.low,
        share_high=of.high,
        stability=_said(groups.stability[at], ~np.isnan(groups.stability[at])),
        repurchase_rate=_rate(outcome["again"], outcome["buyers"]),
        low=_said(again.low, outcome["buyers"] >= FEWEST),
        high=_said(again.high, outcome["buyers"] >= FEWEST),
        n_repurchase=outcome["buyers"].astype(np.int64),
        value=_rate(outcome["value"], outcome["followed"]),
        value_low=_said(worth.low, outcome["followed"] >= FEWEST),
        value_high=_said(worth.high, outcome["followed"] >= FEWEST),
        n_value=outcome["followed"].astype(np.int64),
        satisfaction=_rate(outcome["score"], outcome["scores"]),
        n_satisfaction=outcome["scores"].astype(np.int64),
        typical_path=pa.array([_path(members, g, events) for g in at], pa.string()),
        favourite_touchpoint=pa.array(
            [_favourite(members, g, some, events) for g, some in zip(at, personas.traits, strict=True)],
            pa.string(),
        ),
    )


def _rate(some: NDArray, of: NDArray) -> pa.Array:
    return _said(some / np.maximum(of, 1), of >= FEWEST)


def _said(values: NDArray, where: NDArray[np.bool_]) -> pa.Array:
    return pa.array(np.asarray(values, dtype=float), mask=~(where & ~np.isnan(values)))


def _path(members: Members, group: int, events: list[str]) -> str | None:
    """The touchpoints that at least a quarter meet, in the order in which they are first met on average."""
    reach, people = members.reach[group], members.customers[group]
    common = [e for e in range(len(events)) if people and reach[e] >= _ON_PATH * people]
    most = sorted(common, key=lambda e: (-reach[e], events[e]))[:_LONGEST]
    path = sorted(most, key=lambda e: (members.place[group, e] / reach[e], events[e]))
    return " → ".join(events[e] for e in path) or None


def _favourite(members: Members, group: int, traits: tuple[Trait, ...], events: list[str]) -> str | None:
    """The touchpoint that sets the persona apart most; of all customers, the one that most meet."""
    told = next((t.label for t in traits if t.facet.name == TOUCHPOINT and t.lift > 1), None)
    if told is not None or not members.reach[group].any():
        return told
    return min(zip(-members.reach[group], events, strict=True))[1]


def customer_table(members: Members, personas: Personas, names: Any) -> pa.Table:
    """A row for each customer."""
    place = np.argsort(personas.order)
    group = place[np.concatenate(members.group)]
    return table(
        customer=names.take(np.concatenate(members.codes)),
        persona=pa.array(personas.names, pa.string()).take(pa.array(group)),
        probability=np.concatenate(members.probability).astype(np.float64),
    )


def model_table(groups: Groups) -> pa.Table:
    """A row for each number of groups that was tried."""
    tried = groups.tried
    return table(
        k=pa.array([t.k for t in tried], pa.int64()),
        bic=pa.array([t.bic for t in tried], pa.float64()),
        gain=pa.array([t.gain for t in tried], pa.float64()),
        stability=pa.array([None if np.isnan(t.stability) else t.stability for t in tried], pa.float64()),
        smallest=pa.array(
            [t.smallest if t.k == 1 or not np.isnan(t.stability) else None for t in tried], pa.float64()
        ),
        chosen=pa.array([t.k == groups.k for t in tried], pa.bool_()),
    )
