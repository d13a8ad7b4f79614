"""The funnel: how many customers go from step to step, within a window, in an order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration, in_words
from wayfare.domain.parameters import Events, Property
from wayfare.domain.words import counted
from wayfare.errors import InvalidParameter
from wayfare.histories.block import Block
from wayfare.histories.chains import FOREVER, Order, Rules, Start, reached
from wayfare.histories.fold import Fold
from wayfare.histories.visits import by_session
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.multiplicity import holm
from wayfare.stats.proportions import difference_of_proportions, wilson
from wayfare.stats.quantiles import BUCKETS, bucket_of, quantile_of
from wayfare.study import Study

TOO_FEW = 30
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_SESSION_GAP = Duration.parse("30m").microseconds


@dataclass(frozen=True, kw_only=True)
class FunnelResult(Result):
    """How many reached each step, how long it took, and how groups differ."""

    steps: Annotated[
        pa.Table,
        Columns(
            step="position in the funnel, from 1",
            event="the event that fills the step (for order=any: how many of the steps)",
            customers="customers (or sessions) that reached the step",
            of_first="share of those at step 1 that reached this step",
            of_first_low="lower end of its 95% Wilson interval",
            of_first_high="upper end of its 95% Wilson interval",
            of_previous="share of those at the previous step that reached this step",
            pending="reached the previous step, not this one, and the window was still open at the log's end",
            median_seconds="median time from the previous step",
        ),
    ]
    times: Annotated[
        pa.Table,
        Columns(
            step="position in the funnel",
            event="the event that fills the step",
            quantile="share of the customers that were as fast or faster",
            from_previous_seconds="time from the previous step",
            from_first_seconds="time from step 1",
        ),
    ]
    groups: Annotated[
        pa.Table,
        Columns(
            group="value of the property that splits the funnel",
            step="position in the funnel",
            event="the event that fills the step",
            customers="customers (or sessions) of the group that reached the step",
            of_first="share of the group's step 1 that reached this step",
            of_first_low="lower end of its 95% Wilson interval",
            of_first_high="upper end of its 95% Wilson interval",
            difference="of_first less that of all other groups together",
            difference_low="lower end of its 95% interval (Newcombe)",
            difference_high="upper end of its 95% interval (Newcombe)",
            p="two-sided p value of the difference",
            p_adjusted="p after Holm's correction over all groups and steps",
        ),
    ]

    def draw(self) -> Picture | None:
        """A bar a step, with its share of the first step and the interval."""
        from wayfare.charts.plots import bars

        if self.steps.num_rows == 0 or not self.steps["customers"][0].as_py():
            return None
        named = [
            f"{s}. {e}"
            for s, e in zip(self.steps["step"].to_pylist(), self.steps["event"].to_pylist(), strict=True)
        ]
        shares = zip(self.steps["customers"].to_pylist(), self.steps["of_first"].to_pylist(), strict=True)
        label = [f"{n:,} · {share:.1%}" for n, share in shares]
        data = self.steps.append_column("name", pa.array(named)).append_column("label", pa.array(label))
        unit = "sessions" if self.context.params.get("unit") == "session" else "customers"
        return bars(data, "of_first", "name", low="of_first_low", high="of_first_high", label="label", percent=True, sort=False,
                    title=self.findings[0].text, subtitle=f"Share of the {unit} at step 1, with 95% interval",
                    note=f"n = {self.steps['customers'][0].as_py():,} {unit} at step 1")  # fmt: skip


@dataclass(frozen=True)
class _Split:
    """Which column splits the funnel, at which touch, into how many names."""

    column: str
    touch: Literal["first", "last"]
    names: int


@dataclass(frozen=True)
class _Funnel(Fold[dict[str, NDArray[np.int64]]]):
    rules: Rules
    sessions: bool
    split: _Split | None

    @property
    def columns(self) -> tuple[str, ...]:
        return (
            *self.rules.columns,
            *(("session",) if self.sessions else ()),
            *((self.split.column,) if self.split else ()),
        )

    def scan(self, block: Block) -> dict[str, NDArray[np.int64]]:
        block = self.rules.events(block)
        if self.sessions:
            block = by_session(block, _SESSION_GAP).block
        got = reached(block, self.rules)
        levels = len(self.rules.steps) + 1
        group, groups = self._groups(block, got.row)
        pending = got.depth[got.pending]
        return {
            "reached": np.bincount(group * levels + got.depth, minlength=groups * levels).reshape(
                groups, levels
            ),
            "pending": np.bincount(pending[pending < levels - 1], minlength=levels),
            **_timing(got.times, got.depth),
        }

    def _groups(self, block: Block, row: NDArray[np.int64]) -> tuple[NDArray[np.int64] | int, int]:
        if self.split is None:
            return 0, 1
        values = block[self.split.column].astype(np.int64)
        touch = (block.first_row if self.split.touch == "first" else block.last_row)(values >= 0)[
            block.owner[row]
        ]
        return np.where(touch >= 0, values[touch], self.split.names), self.split.names + 1


def _timing(times: NDArray[np.int64], depth: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Histograms (steps, BUCKETS) of the time from the previous step and from the first."""
    previous, first = np.zeros((2, len(times), BUCKETS), dtype=np.int64)
    for step in range(1, len(times)):
        mine = np.flatnonzero(depth > step)
        now = times[step][mine]
        previous[step] = np.bincount(bucket_of((now - times[step - 1][mine]) / 1e6), minlength=BUCKETS)
        first[step] = np.bincount(bucket_of((now - times[0][mine]) / 1e6), minlength=BUCKETS)
    return {"from_previous": previous, "from_first": first}


@analysis
def funnel(
    study: Study,
    *,
    steps: Events = (),
    within: Duration | None = None,
    order: Literal["ordered", "strict", "any"] = "ordered",
    start: Literal["any", "first"] = "any",
    exclude: Events = (),
    unit: Literal["customer", "session"] = "customer",
    by: Property | None = None,
    touch: Literal["first", "last"] = "first",
) -> FunnelResult:
    """How many customers go from step to step, how fast, and where do we lose them?

    Events at one instant count in the order of the steps, and each event fills one step; the lines of one order are
    one event. A customer whose window is still open at the log's end is pending, not lost; without a window nobody is
    pending. Rates count pending
    customers as not (yet) converted. Time quantiles are exact to 0.4%. Semantics follow ClickHouse's `windowFunnel`
    for start=any and Mixpanel's for start=first; intervals are Wilson's (1927), differences Newcombe's (1998, method 10).

    Args:
        steps: The events to go through; those of the journey up to the first order unless given.
        within: The window from step 1 to the last step, both ends included; unlimited unless given.
        order: ordered (other events may lie between), strict (the next event must be the next step) or any.
        start: Whether the clock starts at any first step, keeping the best chain, or at the first one only.
        exclude: Events that break a chain when they happen between its steps.
        unit: Whether customers or sessions go through; sessions by id where the log has it, else by pauses of 30 minutes.
        by: A column that splits the funnel into groups, compared with all other groups together.
        touch: Which of a customer's values of that column counts, the first or the last.
    """
    steps = steps or _default_steps(study)
    rules = _rules(study, steps, within, order, start, exclude)
    split = _Split(by, touch, len(study.log.names(by))) if by else None
    found = study.fold(_Funnel(rules, unit == "session", split))
    names = steps if order != "any" else tuple(f"any {n} of {len(steps)}" for n in range(1, len(steps) + 1))
    # Those who reached exactly d steps, added up from the deepest, are those who reached at least d.
    at_least = found["reached"][:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    main = _steps_table(names, at_least.sum(axis=0), found)
    groups = _groups_table(names, at_least, study.log.names(by).to_list() if by else [])
    return FunnelResult(
        steps=main,
        times=_times_table(names, found),
        groups=groups,
        findings=_findings(main, groups, unit, order),
    )


def _default_steps(study: Study) -> tuple[str, ...]:
    known = study.log.names("event")
    found = tuple(event for event in study.journey.route() if known.code(event) is not None)
    return found or tuple(known.to_list()[:1])


def _rules(
    study: Study, steps: Events, within: Duration | None, order: Order, start: Start, exclude: Events
) -> Rules:
    if both := set(steps) & set(exclude):
        raise InvalidParameter(f"{min(both)!r} is a step and excluded at once.", where="exclude")
    codes = tuple(study.log.code("event", event) for event in steps) or (-1,)
    excluded = tuple(study.log.code("event", event) for event in exclude)
    return Rules(codes, order, start, within.microseconds if within else FOREVER, excluded, study.log.ends)


def _steps_table(
    names: tuple[str, ...], customers: NDArray[np.int64], found: dict[str, NDArray[np.int64]]
) -> pa.Table:
    customers = customers[: len(names)]
    first = np.full(len(names), customers[0] if len(names) else 0)
    previous = np.concatenate((first[:1], customers[:-1]))
    interval, share = wilson(customers, first), _share(customers, first)
    return table(
        step=np.arange(1, len(names) + 1),
        event=pa.array(names, pa.string()),
        customers=customers,
        of_first=share,
        of_first_low=_known_at_first(interval.low, share),
        of_first_high=_known_at_first(interval.high, share),
        of_previous=_share(customers, previous),
        pending=np.concatenate(([0], found["pending"][1:-1]))[: len(names)],
        median_seconds=quantile_of(found["from_previous"], 0.5)[: len(names)],
    )


def _times_table(names: tuple[str, ...], found: dict[str, NDArray[np.int64]]) -> pa.Table:
    later = range(1, len(names))
    return table(
        step=pa.array([step + 1 for step in later for _ in QUANTILES], pa.int64()),
        event=pa.array([names[step] for step in later for _ in QUANTILES], pa.string()),
        quantile=pa.array([q for _ in later for q in QUANTILES], pa.float64()),
        from_previous_seconds=pa.array(
            [float(quantile_of(found["from_previous"][s], q)) for s in later for q in QUANTILES], pa.float64()
        ),
        from_first_seconds=pa.array(
            [float(quantile_of(found["from_first"][s], q)) for s in later for q in QUANTILES], pa.float64()
        ),
    )


def _groups_table(names: tuple[str, ...], at_least: NDArray[np.int64], values: list[str]) -> pa.Table:
    """One row a group and step, the largest groups first; groups that nobody entered are left out."""
    labels = np.array([*values, "(none)"], dtype=object) if values else np.array([], dtype=object)
    entered = [
        g for g in sorted(range(len(labels)), key=lambda g: (-at_least[g, 0], labels[g])) if at_least[g, 0]
    ]
    own = at_least[entered][:, : len(names)]
    first = np.repeat(own[:, :1], own.shape[1], axis=1)
    rest, rest_first = own.sum(axis=0) - own, first.sum(axis=0) - first
    interval, share = wilson(own, first), _share(own, first)
    apart = difference_of_proportions(own, first, rest, rest_first)
    # Everybody is at step 1, and a group alone has nothing to differ from.
    p = np.where((np.arange(own.shape[1]) > 0) & (rest_first > 0), apart.p, np.nan)
    return table(
        group=pa.array(np.repeat(labels[entered], len(names)).tolist(), pa.string()),
        step=np.tile(np.arange(1, len(names) + 1), len(entered)),
        event=pa.array(list(names) * len(entered), pa.string()),
        customers=own.ravel(),
        of_first=share.ravel(),
        of_first_low=_known_at_first(interval.low, share).ravel(),
        of_first_high=_known_at_first(interval.high, share).ravel(),
        difference=np.asarray(apart.estimate).ravel(),
        difference_low=_known_at_first(apart.low, apart.estimate).ravel(),
        difference_high=_known_at_first(apart.high, apart.estimate).ravel(),
        p=p.ravel(),
        p_adjusted=holm(p.ravel()),
    )


def _known_at_first(bound: Any, exact: Any) -> NDArray[np.float64]:
    """The bound of an interval; at step 1 the figure itself, as everybody is at step 1 by definition (..., steps)."""
    found = np.array(bound, dtype=float)
    found[..., :1] = np.asarray(exact)[..., :1]
    return found


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)


def _findings(steps: pa.Table, groups: pa.Table, unit: str, order: Order) -> tuple[Finding, ...]:
    rows = steps.to_pylist()
    entered = counted(rows[0]["customers"] if rows else 0, unit)
    if not rows or rows[0]["customers"] < TOO_FEW:
        return (Finding(f"Too few to say: {entered} reached the first step."),)
    last, first = rows[-1], rows[0]
    if len(rows) == 1:
        return (Finding(f"{entered} reached {first['event']}, the only step: nobody can be lost."),)
    way = f"went from {first['event']} to {last['event']}"
    if order == "any":
        way = f"with one of the {len(rows)} steps took all of them, in any order"
    found = Finding(
        f"{last['of_first']:.1%} of {entered} {way} "
        f"(95% interval {last['of_first_low']:.1%} to {last['of_first_high']:.1%}).",
    )
    return (found, _largest_loss(rows, f"{unit}s"), *_group_findings(groups))


def _largest_loss(rows: list[dict[str, Any]], people: str) -> Finding:
    before, after = max(pairwise(rows), key=_lost)
    lost = _lost((before, after))
    if not lost:
        waiting = sum(row["pending"] for row in rows)
        return Finding(
            f"Nobody is lost so far: {waiting:,} more may still come."
            if waiting
            else "Nobody is lost on the way."
        )
    speed = (
        f"; those who go on take {in_words(after['median_seconds'])} (median)" if after["customers"] else ""
    )
    waiting = f", {after['pending']:,} more may still come" if after["pending"] else ""
    return Finding(
        f"Most are lost between {before['event']} and {after['event']}: {lost:,} of {before['customers']:,} {people}{waiting}{speed}.",
        customers=lost,
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _lost(pair: tuple[dict[str, Any], dict[str, Any]]) -> int:
    before, after = pair
    return int(before["customers"] - after["customers"] - after["pending"])


def _group_findings(groups: pa.Table) -> list[Finding]:
    clear = [row for row in groups.to_pylist() if row["p_adjusted"] is not None and row["p_adjusted"] < 0.05]
    clear = [row for row in clear if row["step"] == max(r["step"] for r in clear)]
    if not clear:
        return [Finding("No group differs from the others by more than chance.")] if groups.num_rows else []
    # A gap counts for all who entered: a group of whom nobody came so far is the worst of all, not the smallest.
    entered = {row["group"]: row["customers"] for row in groups.to_pylist() if row["step"] == 1}
    worst = max(
        clear,
        key=lambda row: (abs(row["difference"]) * entered[row["group"]], row["difference"] < 0, row["group"]),
    )
    word = "less" if worst["difference"] < 0 else "more"
    return [
        Finding(
            f"{worst['group']} reaches {worst['event']} {word} often than the others: {worst['of_first']:.1%}, "
            f"{abs(worst['difference']) * 100:.1f} points apart (p {_p(worst['p_adjusted'])} after Holm's correction)."
        )
    ]
