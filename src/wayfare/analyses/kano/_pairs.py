"""Kano answers counted: feature by functional by dysfunctional answer, by group and by wave; the category comes later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.fold import Fold

CELLS = 25
NUMBERED = 10_000
"""Waves whose names are numbers are known below this one."""
COLUMNS = (
    "feature",
    "functional",
    "dysfunctional",
    "survey",
    "question",
    "wave",
    "importance",
    "straight_line",
)

Ints = NDArray[np.int64]
Straight = Literal["count", "leave out"]


@dataclass(frozen=True, eq=False)
class Lookup:
    """The codes of one log: what its answers, questions and features stand for.

    Attributes:
        functional: By code: the place of the answer in `ANSWERS`, or -1; one more at the end, for a missing code.
        dysfunctional: The same for the other half.
        tables: Which evaluation table (survey + 1, question + 1).
        features: How many names of features there are.
        groups: How many names the column has that answers are grouped by.
        survey: The code of the only survey that counts, or None.
    """

    functional: Ints
    dysfunctional: Ints
    tables: Ints
    features: int
    groups: int
    survey: int | None

    @property
    def table_count(self) -> int:
        """How many evaluation tables are in use."""
        return int(self.tables.max()) + 1


@dataclass(frozen=True, eq=False)
class Waves:
    """How an answer's wave is found: by the survey's own name for it, or by the calendar.

    Attributes:
        edges: When each calendar period begins, µs UTC; None where the survey's own waves hold.
        count: How many waves there can be.
    """

    edges: Ints | None
    count: int

    def number(self, block: Block, rows: Ints) -> Ints:
        """The wave of each row; 0 is none, where the survey names it."""
        if self.edges is not None:
            return np.searchsorted(self.edges, block["time"][rows], side="right") - 1
        if not block.has("wave"):
            return np.zeros(len(rows), np.int64)
        wave = block["wave"][rows]
        if wave.dtype.kind == "f":  # waves called 2023 and 2024 are read as numbers
            wave = np.where((wave >= 0) & (wave < NUMBERED), np.rint(wave), -1)
        return wave.astype(np.int64) + 1


@dataclass(frozen=True, eq=False)
class Pairs(Fold[dict[str, Any]]):
    """How often each pair of answers was given: each customer's last to a feature, and the last of each wave.

    Attributes:
        lookup: What the codes stand for.
        waves: How an answer's wave is found.
        by: A column; answers are grouped by what they say of it, or else by what the customer was last known for.
        straight: Whether respondents count who gave one answer to everything.
    """

    lookup: Lookup
    waves: Waves
    by: str
    straight: Straight

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of a Kano answer, and what they are grouped by."""
        return (*COLUMNS, *((self.by,) if self.by else ()))

    def scan(self, block: Block) -> dict[str, Any]:
        """The counts of one block."""
        rows, cell = self._answers(block)
        owner, feature = block.owner[rows], block["feature"][rows].astype(np.int64) if len(rows) else rows
        straight = _flagged(block, rows)
        # The two counts are of everybody, so that the warning can say what the choice does.
        respondents, flagged = len(np.unique(owner)), len(np.unique(owner[straight]))
        if self.straight == "leave out" and straight.any():
            rows, cell, owner, feature = (part[~straight] for part in (rows, cell, owner, feature))
        key = owner * self.lookup.features + feature
        wave = self.waves.number(block, rows)
        latest, each = _last_of(key), _last_of(key * self.waves.count + wave)
        place = (feature * self.lookup.table_count + self._table(block, rows)) * CELLS + cell
        size = self.lookup.features * self.lookup.table_count * CELLS
        starts = np.full(self.waves.count, np.iinfo(np.int64).max)
        np.minimum.at(starts, wave, block["time"][rows])
        return {
            "groups": _counted(self._group(block, rows[latest]) * size + place[latest]),
            "waves": _counted(wave[each] * size + place[each]),
            "importance": self._importance(block, rows[latest], feature[latest]),
            "starts": starts,
            "people": np.array([respondents, flagged]),
        }

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        """Two blocks' counts as one."""
        return {
            "groups": _joined(left["groups"], right["groups"]),
            "waves": _joined(left["waves"], right["waves"]),
            "importance": left["importance"] + right["importance"],
            "starts": np.minimum(left["starts"], right["starts"]),
            "people": left["people"] + right["people"],
        }

    def _answers(self, block: Block) -> tuple[Ints, Ints]:
        """The rows that hold a whole pair, and the cell of the evaluation table that it is in."""
        # Numbers under these names are somebody's own columns, not answers.
        if not all(block.has(name) and block[name].dtype.kind == "i" for name in COLUMNS[:3]):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        asked = (block["feature"] >= 0) & (block["functional"] >= 0) & (block["dysfunctional"] >= 0)
        if self.lookup.survey is not None:
            asked &= block["survey"] == self.lookup.survey if block.has("survey") else False
        rows = np.flatnonzero(asked)
        functional = self.lookup.functional[block["functional"][rows]]
        dysfunctional = self.lookup.dysfunctional[block["dysfunctional"][rows]]
        known = (functional >= 0) & (dysfunctional >= 0)
        return rows[known], (functional * 5 + dysfunctional)[known]

    def _table(self, block: Block, rows: Ints) -> Ints:
        survey, question = (
            block[name][rows].astype(np.int64) + 1 if block.has(name) else np.zeros(len(rows), np.int64)
            for name in ("survey", "question")
        )
        return self.lookup.tables[survey, question]

    def _group(self, block: Block, rows: Ints) -> Ints:
        """The group of each answer, from 1; 0 where nothing is known of it or of its customer."""
        if not self.by or not block.has(self.by):
            return np.zeros(len(rows), np.int64)
        values = block[self.by].astype(np.int64)
        own = values[rows]
        last = block.last_row(values >= 0)[block.owner[rows]]
        return np.where(own >= 0, own, np.where(last >= 0, values[np.maximum(last, 0)], -1)) + 1

    def _importance(self, block: Block, rows: Ints, feature: Ints) -> NDArray[np.float64]:
        """Of each feature: how many stated its importance, the sum and the sum of squares (features, 3)."""
        if not block.has("importance") or not len(rows):
            return np.zeros((self.lookup.features, 3))
        stated = block["importance"][rows].astype(np.float64)
        known = ~np.isnan(stated)
        weights = (np.ones(known.sum()), stated[known], stated[known] ** 2)
        size = self.lookup.features
        return np.stack([np.bincount(feature[known], weights=w, minlength=size) for w in weights], axis=1)


def _flagged(block: Block, rows: Ints) -> NDArray[np.bool_]:
    if not block.has("straight_line"):
        return np.zeros(len(rows), dtype=bool)
    return np.asarray(block["straight_line"][rows] == 1)


def _last_of(key: Ints) -> Ints:
    """The place of the last of each key, ascending; rows are in the order of time."""
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    last = np.ones(len(key), dtype=bool)
    last[:-1] = ranked[1:] != ranked[:-1]
    return np.sort(order[last])


def _counted(keys: Ints) -> tuple[Ints, Ints]:
    found, counts = np.unique(keys, return_counts=True)
    return found, counts.astype(np.int64)


def _joined(left: tuple[Ints, Ints], right: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    keys, place = np.unique(np.concatenate([left[0], right[0]]), return_inverse=True)
    counts = np.bincount(place, weights=np.concatenate([left[1], right[1]]), minlength=len(keys))
    return keys, counts.astype(np.int64)
