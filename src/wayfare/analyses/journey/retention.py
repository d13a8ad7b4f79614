"""Retention: how many of the customers who started together come back in later periods."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._observed import Periods, event_codes, periods_of, rows_of, whole_histories
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.parameters import Events
from wayfare.domain.words import counted
from wayfare.errors import InvalidParameter
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.proportions import difference_of_proportions, wilson
from wayfare.study import Study

ENOUGH = 30
_DAYS = {"day": 1, "week": 7, "month": 30}
_DEFAULT_PERIODS = {"day": 14, "week": 12, "month": 12}
_DRAWN_COHORTS, _DRAWN_PERIODS = 24, 14
_SPAN = re.compile(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?")


@dataclass(frozen=True, kw_only=True)
class RetentionResult(Result):
    """Which share of each cohort came back, period by period."""

    cohorts: Annotated[
        pa.Table,
        Columns(
            cohort="the calendar period in which the customers started: its first day, or the month",
            period="periods after the start; of a bracket its first",
            customers="customers of the cohort",
            active="of these, those who came back in the period, so far",
            rate="active / customers; while the period isn't over for all (`complete` is false) it can still rise",
            low="lower end of the rate's 95% interval (Wilson); missing while it can still rise",
            high="upper end",
            pending="of the cohort, those who didn't come back yet and still may: the period isn't over for them",
            complete="whether the period is over for the whole cohort",
            span="the periods counted: `4`, `4+` (or later) or `4-7`",
        ),
    ]
    curve: Annotated[
        pa.Table,
        Columns(
            period="periods after the start; of a bracket its first",
            customers="customers of all cohorts for whom the period is over",
            active="of these, those who came back in the period",
            rate="active / customers",
            low="lower end of the rate's 95% interval (Wilson)",
            high="upper end",
            span="the periods counted",
        ),
    ]

    def draw(self) -> Picture | None:
        """The cohorts down, the periods across, the share that came back as shade."""
        from wayfare.charts.plots import heatmap

        data = _drawn(self.cohorts)
        if data.num_rows == 0:
            return None
        unit = self.context.params.get("period", "period")
        return heatmap(
            data, "span", "name", "rate", title=self.findings[0].text, x_title=f"{unit}s after the start",
            subtitle=f"Share of each cohort that came back, by {unit}; cohorts with the number who started.",
            note=f"n = {sum(self.curve['customers'].to_pylist()[:1]):,} customers. Only {unit}s that are over.",
        )  # fmt: skip


def _drawn(cohorts: pa.Table) -> pa.Table:
    """The latest cohorts and first periods; without a period in which everybody is there by definition."""
    frame = cohorts.to_pandas()
    frame["name"] = frame["cohort"] + "  n=" + frame["customers"].astype(str)
    frame = frame[frame["complete"]]
    lowest = frame.groupby("period")["rate"].min()
    dull = [p for p in lowest.index[:1] if lowest[p] == 1.0 and len(lowest) > 1]
    shown = [p for p in lowest.index if p not in dull][:_DRAWN_PERIODS]
    latest = list(frame.loc[frame["period"].isin(shown), "cohort"].unique())[-_DRAWN_COHORTS:]
    frame = frame[frame["period"].isin(shown) & frame["cohort"].isin(latest)]
    return pa.Table.from_pandas(frame[["name", "span", "rate"]], preserve_index=False)


@dataclass(frozen=True, eq=False)
class _Retention(Fold[dict[str, NDArray[np.int64]]]):
    """Per cohort: customers by how many spans are over for them, and customers active in each such span."""

    periods: Periods
    lows: tuple[int, ...]
    highs: tuple[int, ...]
    or_later: bool
    rolling: int | None
    ends: int
    since: int | None
    start: tuple[int, ...] | None
    back: tuple[int, ...] | None

    @property
    def columns(self) -> tuple[str, ...]:
        return () if self.start is None and self.back is None else ("event",)

    def scan(self, block: Block) -> dict[str, NDArray[np.int64]]:
        time, spans = block["time"], len(self.lows)
        first = block.starts[:-1] if self.start is None else block.first_row(rows_of(block, self.start))
        began = time[first]
        member = (first >= 0) & (began >= (self.since or np.iinfo(np.int64).min))
        cohort = np.where(member, self.periods.number(began), 0)
        over = self._spans_over(began, cohort)
        back = rows_of(block, self.back)
        back &= member[block.owner] & (np.arange(block.rows) >= first[block.owner])
        owner = block.owner[back]
        offset = self._offset(block, back, began, cohort)
        cells = (self.periods.count, spans)
        span = np.searchsorted(np.array(self.lows), offset, side="right") - 1
        if not self.or_later:
            inside = (span >= 0) & (offset <= np.array(self.highs)[span])
            owner, span = owner[inside], span[inside]
        so_far, span_so_far = self._visits(owner, span, np.full_like(over, spans))
        owner, span = self._visits(owner, span, over)
        return {
            "over": _grid(cohort[member], over[member], (self.periods.count, spans + 1)),
            "active": _grid(cohort[owner], span, cells),
            "so_far": _grid(cohort[so_far], span_so_far, cells),
        }

    def _spans_over(self, began: NDArray, cohort: NDArray) -> NDArray[np.int64]:
        """Per customer: how many of the spans are over at the log's end."""
        done = self.periods.over - cohort if self.rolling is None else (self.ends - began) // self.rolling
        return np.searchsorted(np.array(self.lows if self.or_later else self.highs), done, side="left")

    def _offset(self, block: Block, back: NDArray, began: NDArray, cohort: NDArray) -> NDArray[np.int64]:
        owner = block.owner[back]
        if self.rolling is None:
            return self.periods.rows(block)[back] - cohort[owner]
        return (block["time"][back] - began[owner]) // self.rolling

    def _visits(self, owner: NDArray, span: NDArray, over: NDArray) -> tuple[NDArray, NDArray]:
        """The distinct (customer, span) in which somebody came back, of each customer's first `over` spans."""
        if self.or_later:
            last = np.append(owner[1:] != owner[:-1], True)[: len(owner)]
            owner, span = owner[last], np.minimum(span[last], over[owner[last]] - 1)
            return owner[span >= 0], span[span >= 0]
        inside = span < over[owner]
        owner, span = owner[inside], span[inside]
        new = np.append(True, (owner[1:] != owner[:-1]) | (span[1:] != span[:-1]))[: len(owner)]
        return owner[new], span[new]


def _grid(rows: NDArray, columns: NDArray, shape: tuple[int, int]) -> NDArray[np.int64]:
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)


@analysis
def retention(
    study: Study,
    *,
    start: Events = (),
    back: Events = (),
    period: Literal["day", "week", "month"] = "month",
    kind: Literal["on", "on_or_after", "bracket"] = "on",
    clock: Literal["calendar", "rolling"] = "calendar",
    periods: int | None = None,
    brackets: tuple[str, ...] = ("0", "1", "2-3", "4-7", "8-14", "15-30"),
) -> RetentionResult:
    """Of the customers who started together, how many come back, and when?

    A cohort is everybody whose start falls in the same calendar period of the workspace's zone. The start is
    the customer's first event ever in the log, or the first of the `start` events, even when the log is
    filtered; customers who started before the filter's first moment are in no cohort. Who came back did one of
    the `back` events at the start or after it, so that period 0 is 100% where the start itself counts.

    A period that isn't over at the log's end loses nobody: those who may still come back in it are `pending`, and
    the curve, the picture and the findings count only customers for whom it is over. Calendar weeks and months are over when the log reaches their last day, calendar
    days when the log goes on after them. Findings need 30 customers; with fewer it is *too few to say*.

    Args:
        start: What puts a customer in a cohort: the first of these events; the first event of any kind unless given.
        back: What counts as coming back; any event unless given.
        period: How long a period is.
        kind: `on`: active in exactly that period (N-day retention); `on_or_after`: in it or any later one
            (unbounded; late cohorts had less time to be seen later); `bracket`: in any period of a bracket.
        clock: `calendar`: days, weeks (from Monday) and months of the workspace's zone; `rolling`: windows of 24 hours,
            7 or 30 times 24 hours from each customer's own start.
        periods: How many periods after the start; 14 days, 12 weeks or 12 months unless given.
        brackets: For `bracket`: numbers of periods such as 0, 1-3, 4-7, ascending.
    """
    lows, highs = _spans(kind, _DEFAULT_PERIODS[period] if periods is None else periods, brackets)
    calendar = periods_of(study.log, period)
    rolling = _DAYS[period] * 86_400_000_000 if clock == "rolling" else None
    started = tuple(study.log.code("event", event) for event in start) or None
    or_later = kind == "on_or_after"
    found = whole_histories(study).fold(
        _Retention(calendar, lows, highs, or_later, rolling, study.log.ends, study.log.condition.since, started,
                   event_codes(study, back))
    )  # fmt: skip
    sizes = found["over"].sum(axis=1)
    customers = _from_here_on(found["over"])[:, 1:]
    active = _from_here_on(found["active"]) if or_later else found["active"]
    so_far = _from_here_on(found["so_far"]) if or_later else found["so_far"]
    names = _names(kind, lows, highs)
    begun = _begun(calendar, np.array(lows), rolling, study.log.ends) | (customers > 0)
    cohorts = _cohorts(
        calendar, lows, names, sizes, sizes[:, None] - customers, so_far, so_far - active, begun
    )
    curve = _curve(lows, names, customers.sum(axis=0), active.sum(axis=0))
    return RetentionResult(
        cohorts=cohorts,
        curve=curve,
        findings=_findings(period, kind, lows, names, calendar, customers, active, int(sizes.sum())),
    )


def _from_here_on(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]


def _spans(kind: str, periods: int, brackets: Sequence[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if not 1 <= periods <= 1000:
        raise InvalidParameter(
            f"{periods} periods can't be shown.", where="periods", hint="Give a number from 1 to 1000."
        )
    if kind != "bracket":
        return tuple(range(periods + 1)), tuple(range(periods + 1))
    matches = [_SPAN.fullmatch(bracket.strip()) for bracket in brackets]
    ends = [(int(m[1]), int(m[2] or m[1])) for m in matches if m]
    flat = [end for pair in ends for end in pair]
    ascending = flat == sorted(flat) and all(a[1] < b[0] for a, b in pairwise(ends))
    if None in matches or not ends or not ascending:
        raise InvalidParameter(
            f"{', '.join(brackets)!r} are not brackets.", where="brackets", allowed=("0", "1-3", "4-7"),
            hint="Write numbers of periods, ascending and without overlap.",
        )  # fmt: skip
    return tuple(low for low, _ in ends), tuple(high for _, high in ends)


def _names(kind: str, lows: Sequence[int], highs: Sequence[int]) -> list[str]:
    if kind == "on_or_after":
        return [f"{low}+" for low in lows]
    return [str(low) if low == high else f"{low}-{high}" for low, high in zip(lows, highs, strict=True)]


def _begun(calendar: Periods, lows: NDArray, rolling: int | None, ends: int) -> NDArray[np.bool_]:
    """Per cohort and span: whether the log goes far enough for the span to have begun."""
    if rolling is None:
        return np.arange(calendar.count)[:, None] + lows < calendar.count
    return calendar.edges[:-1, None] + lows * rolling <= ends


def _cohorts(
    calendar: Periods,
    lows: Sequence[int],
    names: Sequence[str],
    sizes: NDArray,
    not_over: NDArray,
    active: NDArray,
    active_early: NDArray,
    begun: NDArray,
) -> pa.Table:
    """One row a cohort and span; `active_early` are those who came back in a span that isn't over for them."""
    cohort, span = np.nonzero(begun & (sizes > 0)[:, None])
    size, back, waiting = sizes[cohort], active[cohort, span], not_over[cohort, span]
    interval, complete = wilson(back, size), waiting == 0
    return table(
        cohort=pa.array([calendar.label(c) for c in cohort], pa.string()), period=np.array(lows, dtype=np.int64)[span],
        customers=size, active=back, rate=_share(back, size),
        low=np.where(complete, interval.low, np.nan), high=np.where(complete, interval.high, np.nan),
        pending=waiting - active_early[cohort, span], complete=complete,
        span=pa.array([names[int(s)] for s in span], pa.string()),
    )  # fmt: skip


def _curve(lows: Sequence[int], names: Sequence[str], customers: NDArray, active: NDArray) -> pa.Table:
    seen = customers > 0
    interval = wilson(active[seen], customers[seen])
    return table(
        period=np.array(lows, dtype=np.int64)[seen], customers=customers[seen], active=active[seen],
        rate=_share(active[seen], customers[seen]), low=interval.low, high=interval.high,
        span=pa.array([name for name, is_seen in zip(names, seen, strict=True) if is_seen], pa.string()),
    )  # fmt: skip


def _share(part: NDArray, of: NDArray) -> NDArray[np.float64]:
    return np.where(of > 0, part / np.maximum(of, 1), np.nan)


def _findings(
    period: str,
    kind: str,
    lows: Sequence[int],
    names: Sequence[str],
    calendar: Periods,
    customers: NDArray,
    active: NDArray,
    sizes: int,
) -> tuple[Finding, ...]:
    later = [i for i, low in enumerate(lows) if low > 0]
    if sizes == 0 or not later:
        return (
            Finding(
                "Nobody started yet, so there is no retention to show."
                if sizes == 0
                else "Only the start itself is asked for."
            ),
        )
    one = later[0]
    n, came = int(customers[:, one].sum()), int(active[:, one].sum())
    if n < ENOUGH:
        return (
            Finding(
                f"Too few to say how many come back: {_named(period, names[one])} after the start {'are' if '-' in names[one] else 'is'} over for {n:,} of {counted(sizes, 'customer')}."
            ),
        )
    interval = wilson(came, n)
    when = {"on": f"in the {period} after they started" if lows[one] == 1 else f"in {_named(period, names[one])} after the start",
            "on_or_after": f"in {period} {lows[one]} after the start or later",
            "bracket": f"in {_named(period, names[one])} after the start"}[kind]  # fmt: skip
    first = f"{came / n:.0%} ({interval.low:.0%} to {interval.high:.0%}) of {n:,} customers came back {when}"
    last = max(i for i in later if customers[:, i].sum() >= ENOUGH)
    far = (
        f"; {active[:, last].sum() / customers[:, last].sum():.0%} of {customers[:, last].sum():,} in {_named(period, names[last])}"
        if last > one
        else ""
    )
    findings = [Finding(f"{first}{far}.", customers=n - came)]
    # Late cohorts had less time to be seen later, so that *or later* can't compare them.
    return (
        *findings,
        *(
            ()
            if kind == "on_or_after"
            else _latest(_named(period, names[one]), calendar, customers[:, one], active[:, one])
        ),
    )


def _named(period: str, name: str) -> str:
    """`month 1`, or `days 4-7`."""
    return f"{period}s {name}" if "-" in name else f"{period} {name}"


def _latest(name: str, calendar: Periods, customers: NDArray, active: NDArray) -> tuple[Finding, ...]:
    """The latest third of the cohorts against those before."""
    seen = np.flatnonzero(customers)
    since = seen[-max(1, len(seen) // 3) :]
    before = np.setdiff1d(seen, since)
    a, n, b, m = (int(part[of].sum()) for of in (since, before) for part in (active, customers))
    if min(n, m) < ENOUGH:
        return ()
    gap = difference_of_proportions(a, n, b, m)
    if gap.p >= 0.05:
        text = (
            f"Customers who started since {calendar.label(since[0])} come back in {name} as often as those before, "
            f"within chance: {a / n:.0%} of {n:,}, against {b / m:.0%} of {m:,}."
        )
        return (Finding(text),)
    way = "more" if gap.estimate > 0 else "less"
    return (
        Finding(
            f"Customers who started since {calendar.label(since[0])} come back {way} often in {name}: {a / n:.0%} of {n:,}, "
            f"against {b / m:.0%} of {m:,} before ({100 * gap.estimate:+.0f} points, {100 * gap.low:+.0f} to {100 * gap.high:+.0f}).",
            customers=abs(gap.estimate) * n,
        ),
    )
