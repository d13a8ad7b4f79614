"""Where on the journey customers are lost, what they did last, and what each leak costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration, in_words
from wayfare.domain.journey import STAGES
from wayfare.histories.block import Block
from wayfare.histories.calendar import period_index, period_label
from wayfare.histories.fold import Fold
from wayfare.histories.stages import StageMap
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.proportions import mean_interval, wilson
from wayfare.stats.quantiles import BUCKETS, bucket_of, quantile_of
from wayfare.study import Study

FEW = 10
"""Fewer customers than this on either side are too few for a rate in a finding or for a price."""

_NEVER = np.iinfo(np.int64).max // 2
_N = len(STAGES)


@dataclass(frozen=True, kw_only=True)
class DropoffResult(Result):
    """The stages as a staircase: who reached each, who went on, who left, and what that cost."""

    observational: ClassVar[str] = (
        "customers who left may never have been worth as much as those who went on, so a price is an upper bound."
    )

    stages: Annotated[
        pa.Table,
        Columns(
            stage="the stage of the journey",
            customers="customers for whom it was, at some time, the furthest stage",
            went_on="of these, who reached a later stage afterwards",
            left="who did not, and have been silent for the patience or longer",
            pending="who did not, and may still: their last event is more recent than that",
            rate="went_on / (went_on + left)",
            rate_low="95% interval (Wilson)",
            rate_high="95% interval (Wilson)",
            median_seconds="median time from reaching the stage to going on",
            worth_on="mean value over the horizon from reaching the stage, refunds taken off, of those who went on",
            worth_left="the same of those who left",
            price="left x (worth_on - worth_left)",
            price_low="95% interval",
            price_high="95% interval",
            touched="customers with any event of the stage, whenever it came",
            observed_on="those who went on and reached the stage a whole horizon before the log's end: worth_on is theirs",
            observed_left="those who left and did so: worth_left is theirs",
            worth_on_low="95% interval (t)",
            worth_on_high="95% interval (t)",
            worth_left_low="95% interval (t)",
            worth_left_high="95% interval (t)",
        ),
    ]
    instead: Annotated[
        pa.Table,
        Columns(
            stage="the furthest stage of those who left",
            event="the last event of their history",
            customers="how many of them",
            share="of all who left at this stage",
        ),
    ]
    onward: Annotated[
        pa.Table,
        Columns(
            stage="the stage",
            next="the next stage that was the furthest; stages between were skipped",
            customers="customers who went on to it",
            share="of all who went on",
        ),
    ]

    def draw(self) -> Picture | None:
        """What each stage's leak costs, or where values are missing how many it loses."""
        from wayfare.charts.plots import bars

        rows = [row for row in self.stages.to_pylist() if row["left"]]
        priced = [row for row in rows if row["price"] is not None and np.isfinite(row["price"])]
        if not rows:
            return None
        label = {stage.value: stage.label for stage in STAGES}
        for row in rows:
            row |= {
                "name": label[row["stage"]],
                "lost": 1 - row["rate"],
                "text": f"{1 - row['rate']:.0%}  ({row['left']:,} left)",
            }
            row |= {"lost_low": 1 - row["rate_high"], "lost_high": 1 - row["rate_low"]}
        for row in priced:
            row["text"] = f"{row['price']:,.0f}  ({row['left']:,} left)"
        note = f"n = {max(row['customers'] for row in rows):,} customers at the widest stage; 95% intervals; observational."
        title = self.findings[0].text
        if priced:
            return bars(pa.Table.from_pylist(priced), "price", "name", low="price_low", high="price_high", label="text", sort=False,
                        title=title, subtitle="Value that the customers who left at each stage did not bring, at most", note=note)  # fmt: skip
        return bars(pa.Table.from_pylist(rows), "lost", "name", low="lost_low", high="lost_high", label="text", percent=True,
                    sort=False, title=title, subtitle="Share of customers who left at each stage", note=note)  # fmt: skip


@dataclass(frozen=True)
class _Stairs(Fold[dict[str, NDArray[Any]]]):
    """Sums per stage of who reached it, went on, left, when, from where and worth what."""

    stages: StageMap
    events: int
    silent_since: int
    horizon: int
    observed_until: int

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event", "value")

    def scan(self, block: Block) -> dict[str, NDArray[Any]]:
        stage = self.stages.stages(block)
        entered, furthest = _climb(block, stage)
        last = block.starts[1:] - 1
        pending = block["time"][last] > self.silent_since
        reached = entered < _NEVER
        left = (np.arange(_N) == furthest[:, None]) & ~pending[:, None]
        on = reached & (np.arange(_N) < furthest[:, None])
        seen = np.zeros((block.customers, _N + 1), dtype=bool)
        seen[block.owner, stage] = True  # no stage is -1: the last column
        where, at = np.nonzero(left)
        return {
            "touched": seen[:, :_N].sum(axis=0),
            "customers": reached.sum(axis=0),
            "went_on": on.sum(axis=0),
            "left": left.sum(axis=0),
            "pending": (reached & ~on & ~left).sum(axis=0),
            "instead": _counts(at, block["event"][last][where], self.events),
            **_steps_on(entered, on),
            **self._worth(block, entered, on, left),
        }

    def _worth(self, block: Block, entered: NDArray, on: NDArray, left: NDArray) -> dict[str, NDArray[Any]]:
        """Numbers, sums and sums of squares of the value over the horizon, per stage."""
        value = block["value"] if block.has("value") else np.zeros(block.rows)
        rows = np.flatnonzero((self.stages.is_order(block) & ~np.isnan(value)) | (value < 0))
        owner, time, value = block.owner[rows], block["time"][rows], value[rows]
        worth = np.zeros(entered.shape)
        for at in range(_N):
            since = entered[owner, at]
            within = (time >= since) & (time < since + self.horizon)
            worth[:, at] = np.bincount(owner, value * within, minlength=len(entered))
        found: dict[str, NDArray[Any]] = {}
        for name, who in (("on", on), ("left", left)):
            whole = who & (entered <= self.observed_until)
            found |= {
                f"n_{name}": whole.sum(axis=0),
                f"sum_{name}": (worth * whole).sum(axis=0),
                f"squares_{name}": (worth**2 * whole).sum(axis=0),
            }
        return found


def _climb(block: Block, stage: NDArray[np.int8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When each stage became a customer's furthest (customers, stages), and the furthest at the end (customers,)."""
    base = block.owner * (_N + 1)
    level = np.maximum.accumulate(base + stage + 1) - base
    rises = level > 0
    rises[1:] &= block.first[1:] | (level[1:] != level[:-1])
    rows = np.flatnonzero(rises)
    entered = np.full((block.customers, _N), _NEVER, dtype=np.int64)
    entered[block.owner[rows], level[rows] - 1] = block["time"][rows]
    return entered, level[block.starts[1:] - 1] - 1


def _steps_on(entered: NDArray[np.int64], on: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    """How long it took to go on (stages, BUCKETS), and to which stage (stages, stages)."""
    took, onward = np.zeros((_N, BUCKETS), dtype=np.int64), np.zeros((_N, _N), dtype=np.int64)
    for at in range(_N - 1):
        who = entered[on[:, at]]
        then = np.argmin(who[:, at + 1 :], axis=1) + at + 1
        seconds = (who[np.arange(len(who)), then] - who[:, at]) / 1e6
        took[at] = np.bincount(bucket_of(seconds), minlength=BUCKETS)
        onward[at] = np.bincount(then, minlength=_N)
    return {"took": took, "onward": onward}


def _counts(rows: NDArray[np.int64], columns: NDArray[Any], width: int) -> NDArray[np.int64]:
    return np.bincount(rows * width + columns, minlength=_N * width).reshape(_N, width)


@analysis
def dropoff(
    study: Study,
    *,
    patience: Duration = Duration.parse("30d"),
    horizon: Duration = Duration.parse("180d"),
) -> DropoffResult:
    """At which stage of the journey do we lose customers, what do they do last, and what does each leak cost?

    A customer climbs the stages in order (awareness, consideration, purchase, after purchase, re-purchase,
    advocacy): a stage is reached when it becomes the furthest so far. Who buys without recorded awareness is not
    counted there; who goes from consideration to advocacy skips what lies between and counts as gone on. So
    everybody leaves at one stage at most, the furthest, and prices do not overlap. Nobody leaves the last
    stage that the log has: its went_on, left and pending are 0. Customers silent for less than `patience` at the
    log's end are pending and in no rate.

    Worth is the value of orders less refunds from the moment the stage was reached, over `horizon`, of those
    who reached it at least that long before the log's end. The price is what those who left would have brought
    had they been worth as much as those who went on; its interval joins those of both means (Zou & Donner
    2008, eq. 7). It is an upper bound: those who left differ. Fewer than 10 customers on either side are too few.

    Args:
        patience: How long a customer may be silent before counting as gone.
        horizon: Over which time value is added up.
    """
    names, ends = study.log.names("event").to_list(), study.log.ends
    fold = _Stairs(
        study.stages,
        len(names),
        ends - patience.microseconds,
        horizon.microseconds,
        ends - horizon.microseconds,
    )
    found = study.fold(fold)
    shown = np.flatnonzero(found["touched"])
    if len(shown):
        for name in ("left", "pending", "instead", "n_left", "sum_left", "squares_left"):
            found[name][shown[-1] :] = 0
    stages = _stages(found, shown, "value" in study.log.schema)
    instead, onward = _instead(found["instead"], names), _onward(found["onward"])
    return DropoffResult(
        stages=stages,
        instead=instead,
        onward=onward,
        findings=_findings(stages, instead, study, patience, horizon),
    )


def _stages(found: dict[str, NDArray[Any]], shown: NDArray[np.int64], valued: bool) -> pa.Table:
    f = {name: values[shown] for name, values in found.items()}
    decided = f["went_on"] + f["left"]
    sure = wilson(f["went_on"], decided)
    worth = {
        name: _mean(f[f"n_{name}"] * valued, f[f"sum_{name}"], f[f"squares_{name}"])
        for name in ("on", "left")
    }
    price = _price(f, worth)
    counts = {name: f[name] for name in ("customers", "went_on", "left", "pending")}
    return table(
        stage=pa.array([STAGES[at].value for at in shown], pa.string()), **counts,
        rate=_over(f["went_on"], decided), rate_low=sure.low, rate_high=sure.high,
        median_seconds=np.asarray(quantile_of(f["took"], 0.5), dtype=float),
        worth_on=worth["on"][0], worth_left=worth["left"][0], price=price[0], price_low=price[1], price_high=price[2],
        touched=f["touched"], observed_on=f["n_on"], observed_left=f["n_left"],
        worth_on_low=worth["on"][1], worth_on_high=worth["on"][2],
        worth_left_low=worth["left"][1], worth_left_high=worth["left"][2],
    )  # fmt: skip


def _over(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _mean(n: NDArray[Any], total: NDArray[Any], squares: NDArray[Any]) -> tuple[NDArray, NDArray, NDArray]:
    """The mean and its interval; nan where there are none."""
    sure = mean_interval(total, squares, n)
    return _over(total, n), np.asarray(sure.low), np.asarray(sure.high)


def _price(f: dict[str, NDArray[Any]], worth: dict[str, Any]) -> tuple[NDArray, NDArray, NDArray]:
    """Left x difference of the means, and its interval from theirs; nan where either side is too few."""
    (on, on_low, on_high), (left, left_low, left_high) = worth["on"], worth["left"]
    lost = np.where((f["n_on"] >= FEW) & (f["n_left"] >= FEW), f["left"], np.nan)
    low = on - left - np.hypot(on - on_low, left_high - left)
    high = on - left + np.hypot(on_high - on, left - left_low)
    return lost * (on - left), lost * low, lost * high


def _instead(counts: NDArray[np.int64], names: list[str]) -> pa.Table:
    rows = [(int(at), -int(counts[at, code]), names[code]) for at, code in np.argwhere(counts)]
    rows.sort()
    total = counts.sum(axis=1)
    return table(
        stage=pa.array([STAGES[at].value for at, _, _ in rows], pa.string()),
        event=pa.array([name for _, _, name in rows], pa.string()),
        customers=np.array([-n for _, n, _ in rows], dtype=np.int64),
        share=np.array([-n / total[at] for at, n, _ in rows], dtype=float),
    )


def _onward(counts: NDArray[np.int64]) -> pa.Table:
    cells = np.argwhere(counts)
    n = counts[cells[:, 0], cells[:, 1]]
    return table(
        stage=pa.array([STAGES[at].value for at in cells[:, 0]], pa.string()),
        next=pa.array([STAGES[at].value for at in cells[:, 1]], pa.string()),
        customers=n,
        share=n / counts.sum(axis=1)[cells[:, 0]],
    )


def _findings(
    stages: pa.Table, instead: pa.Table, study: Study, patience: Duration, horizon: Duration
) -> tuple[Finding, ...]:
    rows = stages.to_pylist()
    if not rows:
        return (Finding("No event here stands for a stage of the journey, so that no drop-off can be told."),)
    decided = [row for row in rows if row["went_on"] + row["left"] >= FEW]
    told = [row for row in decided if row["left"]]
    if not told:
        return (_nobody_left(rows, decided, patience),)
    told.sort(key=lambda row: (-(row["price"] if row["price_low"] > 0 else 0.0), -row["left"]))
    lasts: dict[str, str] = {}
    for row in instead.to_pylist():
        lasts.setdefault(row["stage"], f"most often after {row['event']} ({row['share']:.0%})")
    return tuple(_leak(row, lasts[row["stage"]], study, horizon) for row in told[:4])


def _nobody_left(rows: list[dict[str, Any]], decided: list[dict[str, Any]], patience: Duration) -> Finding:
    last = next(stage.label for stage in STAGES if stage.value == rows[-1]["stage"])
    if len(rows) == 1:
        return Finding(f"All that is recorded is of one stage, {last}, so that no drop-off can be told.")
    if decided and not any(row["left"] for row in rows):
        return Finding(
            f"Nobody has left before the last stage, {last}: whoever has not gone on was active in the last "
            f"{in_words(patience.seconds)} of the log."
        )
    return Finding("Too few to say where customers leave: fewer than 10 have gone on or left where any left.")


def _leak(row: dict[str, Any], last: str, study: Study, horizon: Duration) -> Finding:
    label = next(stage.label for stage in STAGES if stage.value == row["stage"])
    decided = row["went_on"] + row["left"]
    text = (
        f"{label} lost {row['left']:,} of {decided:,} customers since {_since(study)} "
        f"({1 - row['rate']:.0%}; 95% interval {1 - row['rate_high']:.0%} to {1 - row['rate_low']:.0%})"
    )
    if not row["price_low"] > 0:
        return Finding(f"{text}; {last}.", customers=row["left"])
    text += (
        f", worth at most {study.currency} {row['price']:,.0f} ({row['price_low']:,.0f} to {row['price_high']:,.0f}) "
        f"over {in_words(horizon.seconds)}; {last}."
    )
    return Finding(text, money=row["price"], customers=row["left"])


def _since(study: Study) -> str:
    first = max(study.log.facts.first or 0, study.log.condition.since or 0)
    return period_label(int(period_index(np.array([first]), study.zone, "day")[0]), "day")
