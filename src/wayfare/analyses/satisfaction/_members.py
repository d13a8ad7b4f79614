"""Every customer's persona in one pass, with what its members did, and what came of them after the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.satisfaction._facets import Facet, counted, layout, tempered
from wayfare.analyses.satisfaction._habits import Habits, behaviour, seen_in
from wayfare.histories.answers import SATISFACTION_COLUMNS, satisfaction
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import StageMap
from wayfare.stats.latent_classes import LatentClasses


@dataclass(frozen=True, eq=False)
class Members:
    """Who belongs where, and sums a group; a choice is a value of a facet.

    Attributes:
        codes: The customers' codes, block by block.
        group: The group of each.
        probability: How probably each belongs to it.
        customers: How many are in each group (k,).
        draws: What they chose, and its squares and products with their draws in the facet: three times (k, choices).
        squares: Squares of `draws` a customer.
        products: Products of `draws` and `totals` a customer.
        totals: Their draws in each facet (k, facets).
        total_squares: Squares of `totals` a customer.
        known: Customers with a draw in the facet (k, facets).
        outcomes: What came of them, in the order of `OUTCOMES` (k, outcomes).
        reach: Customers who met each touchpoint within the window (k, events).
        place: The sum of where in their histories they first did, from 0 (k, events).
    """

    codes: list[NDArray[np.int64]]
    group: list[NDArray[np.int8]]
    probability: list[NDArray[np.float32]]
    customers: NDArray[np.int64]
    draws: NDArray[np.float64]
    squares: NDArray[np.float64]
    products: NDArray[np.float64]
    totals: NDArray[np.float64]
    total_squares: NDArray[np.float64]
    known: NDArray[np.int64]
    outcomes: NDArray[np.float64]
    reach: NDArray[np.int64]
    place: NDArray[np.float64]


OUTCOMES = ("buyers", "again", "followed", "value", "value_squares", "score", "scores")


@dataclass(frozen=True, eq=False)
class Assigned(Fold[Members]):
    """Each customer's group, and the groups' sums.

    Attributes:
        habits: What is read of behaviour.
        facets: The choices that it is counted as.
        model: The groups; None for one of all.
        weight: What a draw of a visit counts in it.
        stages: Which events are orders.
        horizon: How long after the window outcomes are taken, in µs.
        ends: The log's end; whose horizon is not over by then has no outcome yet.
        rated: The kind of question whose scores are satisfaction.
    """

    habits: Habits
    facets: tuple[Facet, ...]
    model: LatentClasses | None
    weight: float
    stages: StageMap
    horizon: int
    ends: int
    rated: int

    @property
    def columns(self) -> tuple[str, ...]:
        """What habits, orders and scores are read from."""
        return (*self.habits.reads, *ORDER_COLUMNS, *SATISFACTION_COLUMNS)

    def scan(self, block: Block) -> Members:
        """The block's customers, each in a group, and the groups' sums."""
        seen = seen_in(block, self.habits)
        draws = counted(seen, self.facets)
        group, probability = self._groups(draws)
        outcomes = self._outcomes(block)
        reach, place = self._path(block)
        edges, facet = layout(self.facets)
        totals = np.add.reduceat(draws, edges, axis=1) if len(edges) else draws
        return Members(
            [block.codes.astype(np.int64)],
            [group],
            [probability],
            np.bincount(group, minlength=self._k),
            self._sum(draws, group),
            self._sum(draws**2, group),
            self._sum(draws * totals[:, facet], group),
            self._sum(totals, group),
            self._sum(totals**2, group),
            self._sum(totals > 0, group),
            self._sum(outcomes, group),
            self._sum(reach, group),
            self._sum(place, group),
        )

    @property
    def _k(self) -> int:
        return 1 if self.model is None else len(self.model)

    def _sum(self, values: NDArray, group: NDArray) -> NDArray:
        return np.stack([values[group == g].sum(axis=0) for g in range(self._k)])

    def _groups(self, draws: NDArray) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        if self.model is None:
            return np.zeros(len(draws), dtype=np.int8), np.ones(len(draws), dtype=np.float32)
        member = self.model.memberships(tempered(draws, self.facets, self.weight))
        group = member.argmax(axis=1)
        return group.astype(np.int8), member[np.arange(len(group)), group].astype(np.float32)

    def _outcomes(self, block: Block) -> NDArray[np.float64]:
        """Per customer: what came after the window, in the order of `OUTCOMES` (customers, outcomes)."""
        cut = block["time"][block.starts[:-1]] + self.habits.window
        followed = cut + self.horizon <= self.ends
        orders = orders_of(block, self.stages)
        late = orders.time >= cut[orders.owner]
        bought = np.bincount(orders.owner[~late], minlength=block.customers) > 0
        after = late & (orders.time < cut[orders.owner] + self.horizon)
        again = np.bincount(orders.owner[after], minlength=block.customers) > 0
        worth = np.nan_to_num(orders.value[after])
        value = np.bincount(orders.owner[after], weights=worth, minlength=block.customers) * followed
        score, scores = self._scores(block)
        buyers = bought & followed
        parts = [buyers, again & buyers, followed, value, value**2, score, scores]
        return np.stack([part.astype(np.float64) for part in parts], axis=1)

    def _scores(self, block: Block) -> tuple[NDArray, NDArray]:
        if not block.has("score"):
            return np.zeros(block.customers), np.zeros(block.customers)
        score = satisfaction(block, self.rated)
        rated = ~np.isnan(score)
        return block.total(score), block.total(rated)

    def _path(self, block: Block) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Per customer and touchpoint: whether it was met within the window, and how early (customers, events)."""
        rows = behaviour(block, self.habits)[::-1]
        shape = (block.customers, self.habits.events)
        place = np.full(shape[0] * shape[1], -1, dtype=np.int32)
        owner = block.owner[rows]
        place[owner * shape[1] + block["event"][rows]] = rows - block.starts[owner]
        place = place.reshape(shape)
        return place >= 0, np.maximum(place, 0).astype(np.float64)
