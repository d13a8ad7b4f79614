"""Every customer as the canvas's opportunities see them: where last met, where lost, worth what, in which segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wayfare.histories.answers import SATISFACTION_COLUMNS, satisfaction
from wayfare.histories.block import Block
from wayfare.histories.filter import Condition
from wayfare.histories.fold import Fold
from wayfare.histories.stages import StageMap
from wayfare.study import Study

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_TENTHS = 2.5631
"""Standard deviations of the normal distribution between its 10th and its 90th percentile."""


@dataclass(frozen=True)
class Standing(Fold[dict[str, list[NDArray[Any]]]]):
    """Each customer's furthest stage, last event and what they met since their last order; a few bytes a customer.

    Attributes:
        stages: The journey.
        silent_since: Whose last event is at or before this moment (µs) has left.
        segments: The distinct segments, each as the conditions that all hold.
        kind: The kind of question whose scores say how satisfied somebody is.
    """

    stages: StageMap
    silent_since: int
    segments: tuple[tuple[Condition, ...], ...]
    kind: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The event, those of satisfaction, and those that segments read."""
        read = {condition.column for segment in self.segments for condition in segment}
        return ("event", *SATISFACTION_COLUMNS, *sorted(read))

    def scan(self, block: Block) -> dict[str, list[NDArray[Any]]]:
        """Lists of one array a block, to be joined end to end."""
        last = block.starts[1:] - 1
        furthest = (
            np.maximum.reduceat(self.stages.stages(block), block.starts[:-1]) if block.rows else np.zeros(0)
        )
        score = satisfaction(block, self.kind)
        owner, event = self._met(block)
        found: dict[str, NDArray[Any]] = {
            "code": block.codes,
            "stage": furthest.astype(np.int8),
            "silent": block["time"][last] <= self.silent_since,
            "last": block["event"][last].astype(np.int32),
            "met_code": block.codes[owner],
            "met_event": event,
            "score": block.total(score).astype(np.float32),
            "scores": block.count(~np.isnan(score)).astype(np.int16),
            "member": self._members(block),
        }
        return {name: [values] for name, values in found.items()}

    def _met(self, block: Block) -> tuple[Ints, NDArray[np.int32]]:
        """Of those who ordered: the distinct events since the last order, that order itself where there are none."""
        ordered = block.last_row(self.stages.is_order(block))
        rows = np.arange(block.rows)
        since = (ordered >= 0)[block.owner] & (rows > ordered[block.owner])
        nothing = (ordered >= 0) & ~block.any_of(since)
        since[ordered[nothing]] = True
        width = int(block["event"].max(initial=0)) + 1
        keys = np.unique(block.owner[since] * width + block["event"][since])
        return keys // width, (keys % width).astype(np.int32)

    def _members(self, block: Block) -> NDArray[np.uint8]:
        """Who is in which segment, eight segments a byte (customers, bytes)."""
        met = {condition: condition.members(block) for segment in self.segments for condition in segment}
        inside = np.ones((block.customers, len(self.segments)), dtype=bool)
        for number, segment in enumerate(self.segments):
            for condition in segment:
                inside[:, number] &= met[condition]
        return np.packbits(inside, axis=1)


@dataclass(frozen=True, eq=False)
class People:
    """The customers of the log; arrays are (customers,) where nothing else is said.

    Attributes:
        stage: The furthest stage, -1 for none.
        left: Who went no further and fell silent.
        last: The code of the last event.
        met: Which customer met which event since the last order, by event: positions, and where each event's begin.
        parts: How many such events a customer has.
        gone: Who left, by their last event: positions, and where each event's begin.
        score, scores: The sum of the customer's scores, and how many.
        inside: Who is in each segment (segments, customers), packed.
        late: Who let the window for the next order pass.
        value: The lifetime value still expected of those who are late; 0 for the others.
        spread: Its standard deviation.
        action: What fits the customer best, by its place in `actions`; -1 for nothing.
        extra: What that should add.
        valued: Whether a lifetime value is known at all.
    """

    stage: NDArray[np.int8]
    left: NDArray[np.bool_]
    last: NDArray[np.int32]
    met: tuple[Ints, Ints]
    parts: Ints
    gone: tuple[Ints, Ints]
    score: Floats
    scores: Ints
    inside: NDArray[np.uint8]
    late: NDArray[np.bool_]
    value: Floats
    spread: Floats
    action: Ints
    actions: tuple[str, ...]
    extra: Floats
    valued: bool

    def __len__(self) -> int:
        return len(self.stage)

    def members(self, segment: int) -> NDArray[np.bool_]:
        """Who is in a segment."""
        return (self.inside[:, segment // 8] >> (7 - segment % 8)) & 1 == 1

    def who_met(self, event: int) -> Ints:
        """Who met an event since the last order."""
        who, starts = self.met
        return who[starts[event] : starts[event + 1]]

    def who_left_at(self, event: int) -> Ints:
        """Who left, with an event as the last."""
        who, starts = self.gone
        return who[starts[event] : starts[event + 1]]


def people_of(
    study: Study, found: dict[str, list[NDArray[Any]]], last_stage: int, forecast: pa.Table | None, due: pa.Table | None,
    actions: pa.Table | None,
) -> People:  # fmt: skip
    """The customers that the fold met, with what the forecast, the windows and the list to act on say of them.

    Args:
        study: The study.
        found: What `Standing` gave.
        last_stage: The last stage that the log has; nobody leaves there.
        forecast, due, actions: Tables with a column `customer`; None where the analysis could not answer.
    """
    at = {name: np.concatenate(arrays) for name, arrays in found.items()}
    codes, events = at["code"].astype(np.int64), len(study.log.names("event"))
    place = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.int64)
    place[codes] = np.arange(len(codes))
    names = study.log.names("customer").take(codes)
    by_event = np.argsort(at["met_event"], kind="stable")
    who = place[at["met_code"][by_event]]
    starts = np.searchsorted(at["met_event"][by_event], np.arange(events + 1))
    left = at["silent"] & (at["stage"] >= 0) & (at["stage"] < last_stage)
    gone = np.flatnonzero(left)
    gone = gone[np.argsort(at["last"][gone], kind="stable")]
    late = np.nan_to_num(_joined(names, due, "late")) > 0
    value, low, high = (_joined(names, forecast, f"lifetime_value{end}") for end in ("", "_low", "_high"))
    known = late & ~np.isnan(value)
    kinds, action = _actions(names, actions)
    return People(
        stage=at["stage"],
        left=left,
        last=at["last"],
        met=(who, starts),
        parts=np.bincount(who, minlength=len(codes)),
        gone=(gone, np.searchsorted(at["last"][gone], np.arange(events + 1))),
        score=at["score"].astype(float),
        scores=at["scores"].astype(np.int64),
        inside=at["member"],
        late=late,
        value=np.where(known, value, 0.0),
        spread=np.where(known, np.nan_to_num(high - low) / _TENTHS, 0.0),
        action=action,
        actions=kinds,
        extra=np.nan_to_num(_joined(names, actions, "expected_value")),
        valued=bool((~np.isnan(value)).any()),
    )


def _joined(names: pa.Array, told: pa.Table | None, column: str) -> Floats:
    """A column of a table of customers for the customers of that name; nan where it has none."""
    values = np.full(len(names), np.nan)
    if told is None or not told.num_rows or not len(names):
        return values
    place, known = _places(names, told)
    said = told[column].combine_chunks().cast(pa.float64()).to_numpy(zero_copy_only=False)
    values[known] = said[place[known]]
    return values


def _actions(names: pa.Array, told: pa.Table | None) -> tuple[tuple[str, ...], Ints]:
    nothing = np.full(len(names), -1, dtype=np.int64)
    if told is None or not told.num_rows or not len(names):
        return (), nothing
    place, known = _places(names, told)
    said = told["action"].combine_chunks().dictionary_encode()
    said = said.combine_chunks() if isinstance(said, pa.ChunkedArray) else said
    nothing[known] = said.indices.to_numpy(zero_copy_only=False)[place[known]]
    return tuple(said.dictionary.to_pylist()), nothing


def _places(names: pa.Array, told: pa.Table) -> tuple[Ints, NDArray[np.bool_]]:
    """Each name's first row in the table, and whether it has one."""
    rows = pc.index_in(names, value_set=told["customer"].combine_chunks().cast(pa.string()))
    known = rows.is_valid().to_numpy(zero_copy_only=False)
    return rows.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), known
