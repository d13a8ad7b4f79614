"""How content customers are at each stage: scores by the stage of what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.kano._scales import Rated
from wayfare.domain.journey import STAGES
from wayfare.domain.survey import SURVEY_ANSWER
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.schema import Kind
from wayfare.histories.stages import StageMap
from wayfare.study import Study

_Z = 1.959964


@dataclass(frozen=True, eq=False)
class Moods(Fold[NDArray[np.float64]]):
    """Scores by stage and question: how many, sum, sum of squares (stages, questions, 3).

    Attributes:
        stages: The stage of each event.
        answer: The code of the event that is an answer; it belongs to what it is about, not to its own stage.
        touchpoints: The event's code by code of the column `touchpoint`; -1 where it is no event.
        place: The place of a question by code.
        per_event: Whether scores are told apart by event.
        count: How many questions there are.
        since: Answers count from this moment on, µs.
    """

    stages: StageMap
    answer: int
    touchpoints: NDArray[np.int64]
    place: NDArray[np.int64]
    per_event: bool
    count: int
    since: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of scored answers."""
        return ("event", "score", "question", "touchpoint")

    def scan(self, block: Block) -> NDArray[np.float64]:
        """The sums of one block."""
        shape = (len(STAGES), max(self.count, 1))
        if not block.has("score") or block["score"].dtype.kind != "f" or not self.count:
            return np.zeros((*shape, 3))
        rows = np.flatnonzero(~np.isnan(block["score"]) & (block["time"] >= self.since))
        question = self.place[block["event" if self.per_event else "question"][rows]]
        stage = self._stage(block, rows)
        kept = (question >= 0) & (stage >= 0)
        cell = stage[kept] * np.int64(shape[1]) + question[kept]
        score, size = block["score"][rows[kept]], shape[0] * shape[1]
        parts = [np.bincount(cell, weights=w, minlength=size) for w in (np.ones(len(score)), score, score**2)]
        return np.stack(parts, axis=-1).astype(np.float64).reshape(*shape, 3)

    def _stage(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The stage of what each score is about: the touchpoint named, or else the last event that is no answer."""
        stage = self.stages.stages(block).astype(np.int64)
        own = block["event"] != self.answer
        before = np.maximum.accumulate(np.where(own, np.arange(block.rows), -1))[rows]
        found = np.where(before >= block.starts[:-1][block.owner[rows]], stage[np.maximum(before, 0)], -1)
        if not block.has("touchpoint") or block["touchpoint"].dtype.kind != "i":
            return found
        named = self.touchpoints[block["touchpoint"][rows]]
        earlier, later = (np.array([*part, -1]) for part in (self.stages.before, self.stages.after))
        told = np.where(self.stages.has_ordered(block)[rows], later[named], earlier[named])
        return np.where(named >= 0, told, found)


def moods_fold(
    study: Study, since: int | None, rated: tuple[Rated, ...], place: Any, per_event: bool
) -> Moods:
    """The fold for a study."""
    log = study.log
    events = log.names("event")
    named = []
    if "touchpoint" in log.schema and log.schema["touchpoint"] is Kind.CODE:
        named = [
            code if (code := events.code(name)) is not None else -1
            for name in log.names("touchpoint").to_list()
        ]
    answer = events.code(SURVEY_ANSWER)
    return Moods(
        study.stages, -1 if answer is None else answer, np.array([*named, -1], dtype=np.int64), place, per_event,
        len(rated), np.iinfo(np.int64).min if since is None else since,
    )  # fmt: skip


def contentment(
    sums: NDArray[np.float64], scales: list[Rated | None]
) -> list[tuple[float, float, float, int]]:
    """Of each stage: the mean place of its scores on their scales, 0 worst and 1 best, its 95% interval, and how many."""
    found = []
    for stage in sums:
        total, squares, n = 0.0, 0.0, 0.0
        for (count, score, square), rated in zip(stage, scales, strict=False):
            if rated is None or not count or not rated.high > rated.low:
                continue
            span = rated.high - rated.low
            mine = (score - count * rated.low) / span
            own = (square - 2 * rated.low * score + count * rated.low**2) / span**2
            if rated.fewer_is_better:
                mine, own = count - mine, count - 2 * mine + own
            total, squares, n = total + mine, squares + own, n + count
        mean = total / n if n else float("nan")
        half = _Z * np.sqrt(max(squares - n * mean**2, 0.0) / (n - 1) / n) if n > 1 else float("nan")
        found.append((mean, mean - half, mean + half, int(n)))
    return found
