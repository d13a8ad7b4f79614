"""The journey's stages side by side: how many customers, how many go no further, how long it takes, how content they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration, in_words
from wayfare.domain.journey import STAGES, Stage
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.stages import StageMap
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.proportions import wilson
from wayfare.stats.quantiles import BUCKETS, bucket_of, quantile_of
from wayfare.study import Study

ENOUGH = 30
_CYCLE = STAGES.index(Stage.REPURCHASE)
_LABELS = {stage.value: stage.label for stage in STAGES}


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
            next_customers="of the customers, those who went further afterwards",
            drop_off="of the customers who are not pending, the share that went no further",
            drop_off_low="lower end of its 95 % interval (Wilson)",
            drop_off_high="upper end",
            median_days_to_next="median time from being first at the stage to going further, in days",
            mean_score="mean of the scores given at the stage",
            score_low="lower end of its 95 % interval, customers as clusters",
            score_high="upper end",
            scores="how many scores were given at the stage",
            pending="went no further yet, but were active shortly before the log's end",
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

    def chart(self) -> Picture | None:
        """The journey map: stages across; volume, drop-off, time and satisfaction down."""
        from wayfare.charts.journey_map import draw

        if not any(self.stages["customers"].to_pylist()):
            return None
        note = f"{self.context.log.get('customers', 0):,} customers. Bars: share of all customers, 95% intervals in brackets."
        touched = self.touchpoints.to_pylist()
        columns = [
            {**row, "label": _LABELS[row["stage"]], "touchpoints": [t for t in touched if t["stage"] == row["stage"]]}
            for row in self.stages.to_pylist()
        ]
        return draw(columns, title=self.findings[0].text, note=note)


@dataclass(frozen=True)
class _Stages(Fold[dict[str, NDArray[Any]]]):
    stages: StageMap
    placed: tuple[int, ...]
    recent: int

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event", "score")

    def scan(self, block: Block) -> dict[str, NDArray[Any]]:
        stage = self.stages.stages(block)
        steps = [self._step(block, stage, number) for number in range(len(STAGES))]
        return {
            "all": np.array([block.customers]),
            **{name: np.array([step[name] for step in steps]) for name in steps[0]},
            **self._touchpoints(block, stage),
            **_scores(block, stage),
        }

    def _step(self, block: Block, stage: NDArray[np.int8], number: int) -> dict[str, Any]:
        """One stage: who was there, who went further after being first there, and after how long."""
        time, mine = block["time"], stage == number
        first = block.first_row(mine)
        start = first[block.owner]
        further = (stage > number) & (np.arange(block.rows) > start)
        if number >= _CYCLE:
            further |= self.stages.is_order(block) & (time > time[start])
        after = block.first_row(further & (start >= 0))
        went, there = after >= 0, first >= 0
        seconds = (time[after[went]] - time[first[went]]) / 1e6
        active = time[block.starts[1:] - 1] > self.recent
        return {
            "customers": there.sum(),
            "events": mine.sum(),
            "next": went.sum(),
            "pending": (there & ~went & active).sum(),
            "seconds": np.bincount(bucket_of(seconds), minlength=BUCKETS),
        }

    def _touchpoints(self, block: Block, stage: NDArray[np.int8]) -> dict[str, NDArray[np.int64]]:
        """Of each stage and placed event: customers and events (stages, placed)."""
        width, rows = len(self.placed), np.flatnonzero(stage >= 0)
        index = np.searchsorted(np.array(self.placed, dtype=np.int64), block["event"][rows])
        cell, cells = stage[rows].astype(np.int64) * width + index, len(STAGES) * width
        once = np.unique(block.owner[rows] * cells + cell) % max(cells, 1)
        shape = (len(STAGES), width)
        return {
            "touched": np.bincount(once, minlength=cells).reshape(shape),
            "touches": np.bincount(cell, minlength=cells).reshape(shape),
        }


def _scores(block: Block, stage: NDArray[np.int8]) -> dict[str, NDArray[np.float64]]:
    """Of each stage: the sums that a mean over answers clustered in customers needs (stages, 6)."""
    sums = np.zeros((len(STAGES), 6))
    if not block.has("score"):
        return {"scores": sums}
    given = ~np.isnan(block["score"]) & (stage >= 0)
    for number in np.unique(stage[given]):
        rows = np.flatnonzero(given & (stage == number))
        n = np.bincount(block.owner[rows], minlength=block.customers)
        total = np.bincount(block.owner[rows], weights=block["score"][rows], minlength=block.customers)
        sums[number] = n.sum(), total.sum(), (n > 0).sum(), (total**2).sum(), (total * n).sum(), (n**2).sum()
    return {"scores": sums}


@analysis
def stages(study: Study, *, pending: Duration = Duration.parse("30d")) -> StagesResult:
    """What happens at each stage: how many customers are there, go no further, how long does it take, how content are they?

    A customer is at a stage with the first event that stands for it (an event may stand for another stage after the
    first order); nobody has to be at every stage. *Going further* means any later event that stands for a stage
    further on; the journey is a cycle, so from re-purchase and advocacy on a later order counts as well. Those
    who went no further but had any event within `pending` of the log's end are neither lost nor kept: the drop-off
    leaves them out. A score counts at the stage that its event stands for. The interval of the mean score takes
    customers as clusters (Cochran 1977, *Sampling Techniques*, eq. 6.13); it is missing under two customers, and
    findings need 30 customers or scores.

    Args:
        pending: How long after their last event customers may still go further.
    """
    names = study.log.names("event").to_list()
    where = study.stages
    placed = tuple(c for c in range(len(names)) if where.before[c] >= 0 or where.after[c] >= 0)
    found = study.fold(_Stages(where, placed, study.log.ends - pending.microseconds))
    main = _stages_table(found)
    return StagesResult(
        stages=main, touchpoints=_touchpoints_table(found, [names[code] for code in placed]), findings=_findings(main)
    )


def _stages_table(found: dict[str, NDArray[Any]]) -> pa.Table:
    customers, went, waiting = found["customers"], found["next"], found["pending"]
    lost, settled = customers - went - waiting, customers - waiting
    interval = wilson(lost, settled)
    mean, low, high = _mean_scores(found["scores"])
    everyone = np.full(len(STAGES), int(found["all"][0]))
    return table(
        stage=[stage.value for stage in STAGES],
        customers=customers,
        share_of_all=_ratio(customers, everyone),
        events=found["events"],
        next_customers=went,
        drop_off=_ratio(lost, settled),
        drop_off_low=interval.low,
        drop_off_high=interval.high,
        median_days_to_next=quantile_of(found["seconds"], 0.5) / 86_400,
        mean_score=mean,
        score_low=low,
        score_high=high,
        scores=found["scores"][:, 0].astype(np.int64),
        pending=waiting,
    )


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _mean_scores(sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The mean of the answers and its 95 % interval: a ratio of two totals over customers."""
    from scipy.special import stdtrit

    n, total, clusters, squares, products, sizes = sums.T
    mean = _ratio(total, n)
    spread = np.maximum(squares - 2 * mean * products + mean**2 * sizes, 0)
    variance = _ratio(spread * clusters, (clusters - 1) * n**2)
    half = stdtrit(np.maximum(clusters - 1, 1), 0.975) * np.sqrt(variance)
    half[clusters < 2] = np.nan
    return mean, mean - half, mean + half


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
        share=pa.array([-fewer / int(found["customers"][number]) for number, fewer, *_ in rows], pa.float64()),
    )


def _findings(main: pa.Table) -> tuple[Finding, ...]:
    rows = main.to_pylist()
    lost = {row["stage"]: row["customers"] - row["next_customers"] - row["pending"] for row in rows}
    known = [row for row in rows if row["customers"] - row["pending"] >= ENOUGH and lost[row["stage"]] > 0]
    if not known:
        return (Finding("Too few customers at any stage to say where they are lost."),)
    worst = max(known, key=lambda row: lost[row["stage"]])
    name, gone = _LABELS[worst["stage"]].lower(), lost[worst["stage"]]
    text = (
        f"More customers stop at the stage {name} than at any other: {gone:,} of {worst['customers'] - worst['pending']:,} "
        f"went no further ({worst['drop_off']:.1%}, 95% interval {worst['drop_off_low']:.1%} to {worst['drop_off_high']:.1%})."
    )
    return (Finding(text, customers=gone), *_slowest(rows), *_satisfaction(rows))


def _slowest(rows: list[dict[str, Any]]) -> tuple[Finding, ...]:
    timed = [row for row in rows if row["next_customers"] >= ENOUGH]
    if not timed:
        return ()
    slow = max(timed, key=lambda row: row["median_days_to_next"])
    wait = in_words(slow["median_days_to_next"] * 86_400)
    return (Finding(f"The slowest stage is {_LABELS[slow['stage']].lower()}: those who go further do so after {wait} (median)."),)


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
