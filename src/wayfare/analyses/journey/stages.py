"""The journey's stages side by side: how many customers, how many go no further, how long it takes, how content they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.journey.dropoff import dropoff
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration, in_words
from wayfare.domain.journey import STAGES
from wayfare.histories.answers import SATISFACTION_COLUMNS, satisfaction, satisfaction_kind
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.stages import StageMap
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.proportions import ratio_interval
from wayfare.study import Study

ENOUGH = 30
_DENSE = 1 << 24
"""Up to so many pairs of customer and touchpoint in a block they are marked one by one, beyond that sorted."""
_LABELS = {stage.value: stage.label for stage in STAGES}
_NUMBERS = ("went_on", "left", "pending", "rate", "rate_low", "rate_high", "median_seconds")


@dataclass(frozen=True, kw_only=True)
class StagesResult(Result):
    """Every stage of the journey with its customers, losses, time and scores, and the touchpoints it consists of."""

    stages: Annotated[
        pa.Table,
        Columns(
            stage="the stage, in the order of the journey",
            customers="customers who were at the stage at least once",
            share_of_all="of all customers of the log",
            events="events that stand for the stage",
            next_customers="customers whose furthest stage it was for a time, and who then went further",
            drop_off="left, of those who left or went further",
            drop_off_low="lower end of its 95% interval (Wilson)",
            drop_off_high="upper end",
            median_days_to_next="median time from reaching the stage to going further, in days",
            mean_score="mean of the scores given at the stage",
            score_low="lower end of its 95% interval, customers as clusters",
            score_high="upper end",
            scores="how many scores were given at the stage",
            left="customers who went no further than this stage and fell silent",
            pending="customers who went no further yet, but were active shortly before the log's end",
        ),
    ]
    touchpoints: Annotated[
        pa.Table,
        Columns(
            stage="the stage",
            touchpoint="an event that stands for the stage",
            customers="customers who had it while it stood for this stage",
            events="how often",
            share="customers, of those at the stage",
        ),
    ]

    def draw(self) -> Picture | None:
        """The journey map: stages across; volume, drop-off, time and satisfaction down."""
        from wayfare.charts.journey_map import draw

        if not any(self.stages["customers"].to_pylist()):
            return None
        note = (
            f"n = {self.context.log.get('customers', 0):,} customers; bars are those who were ever at the stage. "
            "Everybody stops at one stage at most, the furthest; in brackets 95% intervals."
        )
        touched = self.touchpoints.to_pylist()
        columns = [
            {
                **row,
                "label": _LABELS[row["stage"]],
                "touchpoints": [t for t in touched if t["stage"] == row["stage"]],
            }
            for row in self.stages.to_pylist()
        ]
        return draw(columns, title=self.findings[0].text, note=note)


@dataclass(frozen=True)
class _Stages(Fold[dict[str, NDArray[Any]]]):
    """Customers, events, touchpoints and sums of scores of each stage."""

    stages: StageMap
    placed: tuple[int, ...]
    kind: int

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event", *SATISFACTION_COLUMNS)

    def scan(self, block: Block) -> dict[str, NDArray[Any]]:
        stage = self.stages.stages(block)
        there = np.zeros((block.customers, len(STAGES) + 1), dtype=bool)
        there[block.owner, stage] = True  # no stage is the last column
        return {
            "all": np.array([block.customers]),
            "customers": there[:, :-1].sum(axis=0),
            "scores": _scores(block, stage, satisfaction(block, self.kind)),
            **self._touchpoints(block, stage),
        }

    def _touchpoints(self, block: Block, stage: NDArray[np.int8]) -> dict[str, NDArray[np.int64]]:
        """Of each stage and placed event: customers and events (stages, placed)."""
        width = len(self.placed)
        place = np.zeros(len(self.stages.before), dtype=np.int64)
        place[list(self.placed)] = np.arange(width)
        rows, shape = np.flatnonzero(stage >= 0), (len(STAGES), width)
        cell, cells = stage[rows] * np.int64(width) + place[block["event"][rows]], len(STAGES) * width
        key = block.owner[rows] * cells + cell
        if block.customers * cells <= _DENSE:
            met = np.zeros(block.customers * cells, dtype=bool)
            met[key] = True
            touched = met.reshape(block.customers, cells).sum(axis=0)
        else:
            touched = np.bincount(np.unique(key) % cells, minlength=cells)
        return {
            "touched": touched.reshape(shape),
            "touches": np.bincount(cell, minlength=cells).reshape(shape),
        }


def _scores(block: Block, stage: NDArray[np.int8], score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each stage: what the mean of answers clustered in customers needs (stages, 6)."""
    sums = np.zeros((len(STAGES), 6))
    given = ~np.isnan(score) & (stage >= 0)
    for number in np.unique(stage[given]):
        rows = np.flatnonzero(given & (stage == number))
        n = np.bincount(block.owner[rows], minlength=block.customers)
        total = np.bincount(block.owner[rows], weights=score[rows], minlength=block.customers)
        sums[number] = total.sum(), n.sum(), (total**2).sum(), (total * n).sum(), (n**2).sum(), (n > 0).sum()
    return sums


@analysis
def stages(study: Study, *, patience: Duration = Duration.parse("30d")) -> StagesResult:
    """What happens at each stage: how many customers are there, go no further, how long does it take, how content are they?

    A customer is at a stage with any event that stands for it (an event may stand for another stage after the
    first order); nobody has to be at every stage. Who goes further, who leaves and who is pending is what
    `dropoff` says: a customer leaves at one stage at most, the furthest, and after a silence of `patience`.
    A score counts at the stage that its event stands for. The interval of the mean score takes customers as
    clusters (Cochran 1977, *Sampling Techniques*, chapter 6); it is missing under two customers. Findings need
    30 customers or scores.

    Args:
        patience: How long a customer may be silent before counting as gone.
    """
    names = study.log.names("event").to_list()
    where = study.stages
    placed = tuple(c for c in range(len(names)) if where.before[c] >= 0 or where.after[c] >= 0)
    found = study.fold(_Stages(where, placed, satisfaction_kind(study.log.source)))
    main = _stages_table(found, study.result(dropoff, patience=patience))
    return StagesResult(
        stages=main, touchpoints=_touchpoints_table(found, [names[code] for code in placed]),
        findings=_findings(main, int(found["all"][0])),
    )  # fmt: skip


def _stages_table(found: dict[str, NDArray[Any]], losses: Result) -> pa.Table:
    everyone = max(int(found["all"][0]), 1)
    known = {row["stage"]: row for row in losses.tables["stages"].to_pylist()}
    lost = {
        name: np.array([known.get(stage.value, {}).get(name, np.nan) for stage in STAGES])
        for name in _NUMBERS
    }
    counts = {name: np.nan_to_num(lost[name]).astype(np.int64) for name in ("went_on", "left", "pending")}
    total, n, squares, products, sizes, clusters = found["scores"].T
    score = ratio_interval(total, n, squares, products, sizes, clusters)
    return table(
        stage=[stage.value for stage in STAGES],
        customers=found["customers"],
        share_of_all=found["customers"] / everyone,
        events=found["touches"].sum(axis=1),
        next_customers=counts["went_on"],
        drop_off=1 - lost["rate"],
        drop_off_low=1 - lost["rate_high"],
        drop_off_high=1 - lost["rate_low"],
        median_days_to_next=lost["median_seconds"] / 86_400,
        mean_score=np.divide(total, n, out=np.full(len(STAGES), np.nan), where=n > 0),
        score_low=score.low,
        score_high=score.high,
        scores=n.astype(np.int64),
        left=counts["left"],
        pending=counts["pending"],
    )


def _touchpoints_table(found: dict[str, NDArray[Any]], names: list[str]) -> pa.Table:
    rows = [
        (number, -int(found["touched"][number, index]), names[index], int(found["touches"][number, index]))
        for number, index in np.argwhere(found["touched"] > 0).tolist()
    ]
    rows.sort()
    return table(
        stage=pa.array([STAGES[number].value for number, *_ in rows], pa.string()),
        touchpoint=pa.array([name for _, _, name, _ in rows], pa.string()),
        customers=pa.array([-fewer for _, fewer, _, _ in rows], pa.int64()),
        events=pa.array([events for *_, events in rows], pa.int64()),
        share=pa.array(
            [-fewer / int(found["customers"][number]) for number, fewer, *_ in rows], pa.float64()
        ),
    )


def _findings(main: pa.Table, everyone: int) -> tuple[Finding, ...]:
    rows = main.to_pylist()
    if everyone < ENOUGH:
        return (Finding(f"Too few customers to say at which stage they are lost: {everyone:,}."),)
    known = [row for row in rows if row["left"] and row["left"] + row["next_customers"] >= ENOUGH]
    if not known:
        return (
            Finding(f"No stage of the journey is known to lose any of the {everyone:,} customers."),
            *_satisfaction(rows),
        )
    worst = max(known, key=lambda row: row["left"])
    text = (
        f"No stage loses more customers than {_LABELS[worst['stage']].lower()}: {worst['left']:,} of "
        f"{worst['left'] + worst['next_customers']:,} went no further ({worst['drop_off']:.0%}; "
        f"95% interval {worst['drop_off_low']:.0%} to {worst['drop_off_high']:.0%})."
    )
    return (Finding(text), *_slowest(rows), *_satisfaction(rows))


def _slowest(rows: list[dict[str, Any]]) -> tuple[Finding, ...]:
    timed = [row for row in rows if row["next_customers"] >= ENOUGH]
    if not timed:
        return ()
    slow = max(timed, key=lambda row: row["median_days_to_next"])
    wait = in_words(slow["median_days_to_next"] * 86_400)
    return (
        Finding(
            f"The slowest stage is {_LABELS[slow['stage']].lower()}: those who go further do so after {wait} (median)."
        ),
    )


def _satisfaction(rows: list[dict[str, Any]]) -> tuple[Finding, ...]:
    scored = [row for row in rows if row["scores"] >= ENOUGH and row["score_low"] == row["score_low"]]
    if not scored:
        return ()
    least = min(scored, key=lambda row: row["mean_score"])
    lead = "Customers are least content at the stage" if len(scored) > 1 else "Scores are given at one stage,"
    return (
        Finding(
            f"{lead} {_LABELS[least['stage']].lower()}: mean score {least['mean_score']:.1f} "
            f"(95% interval {least['score_low']:.1f} to {least['score_high']:.1f}, {least['scores']:,} scores)."
        ),
    )
