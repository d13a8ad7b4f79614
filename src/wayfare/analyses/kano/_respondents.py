"""Customers who rated something: what they said up to an answer, and what they ordered after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.kano._scales import RATED, Rated, rated_questions
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.schema import Kind
from wayfare.histories.stages import StageMap
from wayfare.study import Study

DAY = 86_400_000_000
_NEVER = np.iinfo(np.int64).max
_GONE = ("churn", "unsubscri", "account_closed", "contract_ended", "subscription_ended", "subscription_cancel",
         "cancel_subscription")  # fmt: skip

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Respondents(Fold[dict[str, list[NDArray]]]):
    """One row a customer who rated: the ratings up to one answer, the history before it, what came after.

    The answer is the customer's last one whose window is over at the log's end; where none is, the last one.

    Attributes:
        place: The place of a question by its code (of the event, where the log has no questions), -1 for none.
        kinds: Which kinds of question are ratings, by code; empty where the log does not tell.
        per_event: Whether scores are told apart by event.
        count: How many rated questions there are.
        stages: Which events are orders.
        within: The window after the answer, µs.
        since: Answers count from this moment on, µs.
        ends: The log's end, µs.
        gone: Codes of events with which a customer leaves.
        used: Codes of events that are features; each is present where it happened before the answer.
        columns_of: Columns that are features.
    """

    place: Ints
    kinds: tuple[int, ...]
    per_event: bool
    count: int
    stages: StageMap
    within: int
    since: int
    ends: int
    gone: tuple[int, ...]
    used: tuple[int, ...]
    columns_of: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders and answers, and the features."""
        return (*ORDER_COLUMNS, "score", "question", "question_kind", *self.columns_of)

    def scan(self, block: Block) -> dict[str, list[NDArray]]:
        """The respondents of one block."""
        rows, question = self._ratings(block)
        owner, time = block.owner[rows], block["time"]
        last, ripe = np.full(block.customers, -1), np.full(block.customers, -1)
        over = time[rows] <= self.ends - self.within
        last[owner] = rows
        ripe[owner[over]] = rows[over]
        who = np.flatnonzero(last >= 0)
        at = np.where(ripe >= 0, ripe, last)[who]
        position = np.full(block.customers, -1)
        position[who] = np.arange(len(who))
        score = block["score"][rows] if len(rows) else np.zeros(0)
        then, now = (np.full((len(who), self.count), np.nan, dtype=np.float32) for _ in range(2))
        known = rows <= np.where(ripe >= 0, ripe, last)[owner]
        then[position[owner[known]], question[known]] = score[known]
        now[position[owner], question] = score
        found = {"then": then, "now": now, "over": ripe[who] >= 0, "kind": self._kind(block, rows, question)}
        found |= self._orders(block, who, position, time[at] if len(at) else at)
        found |= self._presence(block, who, at)
        return {name: [values] for name, values in found.items()}

    def _ratings(self, block: Block) -> tuple[Ints, Ints]:
        """Rows that rate something, and the place of the question."""
        if not block.has("score") or block["score"].dtype.kind != "f" or not self.count:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        rated = ~np.isnan(block["score"]) & (block["time"] >= self.since)
        if self.kinds:
            rated &= np.isin(block["question_kind"], self.kinds)
        rows = np.flatnonzero(rated)
        place = self.place[block["event" if self.per_event else "question"][rows]]
        return rows[place >= 0], place[place >= 0]

    def _kind(self, block: Block, rows: Ints, question: Ints) -> Ints:
        """The kind of each question, a code; -1 where the log does not say (1, questions)."""
        kind = np.full((1, self.count), -1, dtype=np.int64)
        if block.has("question_kind") and block["question_kind"].dtype.kind == "i":
            kind[0, question] = block["question_kind"][rows]
        return kind

    def _orders(self, block: Block, who: Ints, position: Ints, at: Ints) -> dict[str, NDArray]:
        """Orders before and after the answer, and when the customer left."""
        orders = orders_of(block, self.stages)
        mine = position[orders.owner] >= 0
        place, time, value = (
            position[orders.owner[mine]],
            orders.time[mine],
            np.nan_to_num(orders.value[mine]),
        )
        size, after = len(who), time > at[place]
        inside = after & (time <= at[place] + self.within)
        following, before = np.full(size, _NEVER), np.full(size, -1)
        np.minimum.at(following, place[after], time[after])
        np.maximum.at(before, place[~after], time[~after])
        start = block["time"][block.starts[:-1][who]]
        return {
            "at": at,
            "tenure": (at - start) / DAY,
            "silence": np.where(before >= 0, (at - before) / DAY, np.nan),
            "orders": np.bincount(place[~after], minlength=size),
            "wait": np.where(following < _NEVER, (following - at) / DAY, np.nan),
            "value": np.bincount(place[inside], weights=value[inside], minlength=size),
            "left": self._left(block, who, position, at),
        }

    def _left(self, block: Block, who: Ints, position: Ints, at: Ints) -> Floats:
        """Days from the answer to leaving; not a number where the customer did not, below zero where long before."""
        rows = np.flatnonzero(block.happened(self.gone)) if self.gone else np.zeros(0, np.int64)
        place = position[block.owner[rows]]
        rows, place = rows[place >= 0], place[place >= 0]
        first = np.full(len(who), _NEVER)
        np.minimum.at(first, place, block["time"][rows])
        return np.where(first < _NEVER, (first - at) / DAY, np.nan)

    def _presence(self, block: Block, who: Ints, at: Ints) -> dict[str, NDArray]:
        """What was known of each feature at the answer: a code, -1 for unknown (respondents,)."""
        limit = np.full(block.customers, -1)
        limit[who] = at
        early = np.arange(block.rows) <= limit[block.owner]
        found = {}
        for name in self.columns_of:
            values = _as_codes(block[name]) if block.has(name) else np.full(block.rows, -1)
            row = block.last_row(early & (values >= 0))[who]
            found[f"column {name}"] = np.where(row >= 0, values[np.maximum(row, 0)] if block.rows else -1, -1)
        for code in self.used:
            found[f"event {code}"] = block.any_of(early & (block["event"] == code))[who].astype(np.int64)
        return found


def _as_codes(values: NDArray) -> Ints:
    """Codes and flags as they are; of a number whether it is above zero."""
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), -1, values > 0).astype(np.int64)
    return values.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Sample:
    """The respondents of a study, one row each, in the order of their names' codes.

    Attributes:
        rated: The questions that were rated.
        then: The ratings up to the answer (respondents, questions); not a number where there is none.
        now: The latest ratings.
        over: Whether the window after the answer is over.
        at: When the answer was given, µs.
        tenure: Days from the first event to the answer.
        silence: Days from the last order to the answer; not a number without one.
        orders: Orders up to the answer.
        wait: Days from the answer to the next order; not a number where none came.
        value: What was ordered within the window.
        left: Days from the answer to leaving; not a number where the customer did not.
        watched: Days from the answer to the log's end.
        window: Days of the window.
        presence: By feature its value's names and each respondent's place among them, -1 where unknown.
    """

    rated: tuple[Rated, ...]
    then: Floats
    now: Floats
    over: NDArray[np.bool_]
    at: Ints
    tenure: Floats
    silence: Floats
    orders: Ints
    wait: Floats
    value: Floats
    left: Floats
    watched: Floats
    window: float
    presence: dict[str, tuple[list[str], Ints]]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def again(self) -> NDArray[np.bool_]:
        """Who ordered within the window."""
        return np.nan_to_num(self.wait, nan=np.inf) <= self.window

    @property
    def gone(self) -> NDArray[np.bool_]:
        """Who left within the window."""
        return np.nan_to_num(self.left, nan=np.inf) <= self.window


def leaving_events(study: Study) -> tuple[str, ...]:
    """Events whose names say that the customer leaves for good."""
    names = study.log.names("event").to_list()
    return tuple(
        sorted(name for name in names if any(word in name.lower().replace(" ", "_") for word in _GONE))
    )


def respondents_fold(
    study: Study,
    since: int | None,
    within: int,
    leaving: Sequence[str],
    used: Sequence[str],
    features: Sequence[str],
) -> tuple[Respondents, tuple[Rated, ...]]:
    """The fold for whole histories, and the questions that it tells apart; answers count from `since` on."""
    log = study.log
    rated, place, per_event = rated_questions(study)
    kinds: tuple[int, ...] = ()
    if "question_kind" in log.schema and log.schema["question_kind"] is Kind.CODE:
        codes = [log.names("question_kind").code(kind) for kind in RATED]
        kinds = tuple(code for code in codes if code is not None) or (-2,)
    events = log.names("event")
    fold = Respondents(
        place, kinds, per_event, len(rated), study.stages, within,
        np.iinfo(np.int64).min if since is None else since, log.ends,
        tuple(code for name in leaving if (code := events.code(name)) is not None),
        tuple(log.code("event", name) for name in used), tuple(features),
    )  # fmt: skip
    return fold, rated


def sample_of(
    study: Study, fold: Respondents, rated: tuple[Rated, ...], found: dict[str, list[NDArray]]
) -> Sample:
    """The fold's answer with the names of what it tells apart; scales are those seen where no survey says them."""
    got: dict[str, Any] = {name: np.concatenate(parts) for name, parts in found.items()}
    presence = {}
    for name in fold.columns_of:
        kind = study.log.schema[name]
        names = study.log.names(name).to_list() if kind is Kind.CODE else ["no", "yes"]
        presence[name] = (names, got[f"column {name}"])
    events = study.log.names("event")
    for code in fold.used:
        presence[events[code]] = (["no", "yes"], got[f"event {code}"])
    answered = np.flatnonzero(~np.isnan(got["now"]).all(axis=0)) if len(got["now"]) else np.zeros(0, np.int64)
    then, now = got["then"][:, answered].astype(float), got["now"][:, answered].astype(float)
    codes = got["kind"].max(axis=0)[answered].tolist() if len(answered) else []
    kinds = ["" if code < 0 else study.log.names("question_kind")[code] for code in codes]
    scaled = tuple(rated[q].seen(now[:, place], kinds[place]) for place, q in enumerate(answered.tolist()))
    return Sample(
        scaled, then, now, got["over"], got["at"], got["tenure"], got["silence"], got["orders"], got["wait"],
        got["value"], np.where(got["left"] >= 0, got["left"], np.nan), (fold.ends - got["at"]) / DAY,
        fold.within / DAY, presence,
    )  # fmt: skip
