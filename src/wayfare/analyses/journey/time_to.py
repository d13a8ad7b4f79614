"""The time from one event to another, with those who are still waiting counted as waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wayfare.analyses._observed import rows_of
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import in_words
from wayfare.domain.parameters import Event, Property
from wayfare.domain.words import counted
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.multiplicity import holm
from wayfare.stats.proportions import wilson
from wayfare.stats.survival import SurvivalCurve, kaplan_meier, log_rank
from wayfare.study import Study

ENOUGH = 30
LARGEST = 6
DAYS = (7, 30, 90, 365)
_DAY = 86_400e6
_ROWS = 400
_EXACT = 200_000
_EVERYBODY, _OTHER, _NONE = "everybody", "(other)", "(none)"


@dataclass(frozen=True, kw_only=True)
class TimeToResult(Result):
    """How long it takes until it happens, for everybody or by group."""

    summary: Annotated[
        pa.Table,
        Columns(
            group="the group, or `everybody`",
            customers="customers who started",
            reached="of these, those to whom it has happened",
            median_days="days after which it has happened to half of them (Kaplan–Meier); missing while it hasn't",
            median_low="lower end of the median's 95% interval; missing where the data set no bound",
            median_high="upper end",
            **{
                f"by_{days}_days{suffix}": f"{said} within {days} days; missing where nobody was watched so long"
                for days in DAYS
                for suffix, said in (
                    ("", "share to whom it happens"), ("_low", "lower end of the 95% interval of the share"), ("_high", "upper end of it")
                )
            },
        ),
    ]  # fmt: skip
    curve: Annotated[
        pa.Table,
        Columns(
            group="the group",
            days="days since the start",
            at_risk="customers still waiting and watched just before",
            events="customers to whom it happened since the row before",
            censored="customers whom the log's end found waiting since the row before",
            survival="share still waiting after these days (Kaplan–Meier)",
            low="lower end of its 95% interval (log-log)",
            high="upper end",
        ),
    ]
    tests: Annotated[
        pa.Table,
        Columns(
            group="a group; `all groups` for the test of all at once",
            other="the group it is compared with",
            chi_square="log-rank statistic",
            degrees_of_freedom="its degrees of freedom",
            p="p value of equal waiting; of pairs corrected for their number (Holm)",
            significant="whether p < 0.05",
        ),
    ]

    def draw(self) -> Picture | None:
        """The share to whom it has happened, by days since the start."""
        if max(self.summary["reached"].to_pylist(), default=0) == 0:
            return None
        enough = pc.greater_equal(self.summary["customers"], ENOUGH)
        told = self.summary.filter(enough) if pc.any(enough).as_py() else self.summary
        return _steps(self.curve, told, self.findings[0].text)


def _steps(curve: pa.Table, summary: pa.Table, title: str) -> Picture:
    import altair as alt

    from wayfare.charts import plots, theme

    frame = curve.to_pandas()
    frame = frame[frame["group"].isin(summary["group"].to_pylist())]
    frame = frame[frame["at_risk"] >= np.minimum(10, frame.groupby("group")["at_risk"].transform("max"))]
    frame = frame.assign(
        share=1 - frame["survival"], share_low=1 - frame["high"], share_high=1 - frame["low"]
    )
    groups = summary["group"].to_pylist()
    colours = alt.Scale(
        domain=groups,
        range=[theme.ACCENT] if len(groups) == 1 else [*theme.OKABE_ITO[:6], theme.GREY, theme.INK],
    )
    colour = alt.Color("group:N", scale=colours, legend=None)
    across = alt.X(
        "days:Q",
        title="days since the start",
        axis=alt.Axis(grid=False, tickCount=8),
        scale=alt.Scale(nice=False),
    )
    up = alt.Y("share:Q", title=None, axis=alt.Axis(format=".0%", tickCount=5), scale=alt.Scale(domainMin=0))
    base = alt.Chart(frame).encode(x=across, color=colour)
    layers = [base.mark_line(interpolate="step-after", strokeWidth=2).encode(y=up)]
    if len(groups) <= 3:
        band = base.mark_area(opacity=0.15, interpolate="step-after")
        layers.insert(0, band.encode(y=alt.Y("share_low:Q", title=None), y2="share_high:Q"))
    if len(groups) > 1:
        names = alt.Chart(_ends(frame)).mark_text(align="left", fontSize=12)
        layers.append(
            names.encode(x=alt.value(theme.WIDTH - 152), y="height:Q", text="group:N", color=colour)
        )
    chart = alt.layer(*layers).properties(
        width=theme.WIDTH - 160 if len(groups) > 1 else theme.WIDTH - 40, height=280
    )
    sizes = summary["customers"].to_pylist()
    only = f", in groups of {ENOUGH} or more" if len(sizes) > 1 and min(sizes) >= ENOUGH else ""
    note = f"n = {sum(sizes):,} customers{only}; those still waiting at the log's end are counted as waiting (Kaplan–Meier)."
    return plots.picture(
        chart,
        title,
        "Share to whom it has happened, by days since the start, with 95% intervals where they fit.",
        note,
    )


def _ends(frame: Any) -> Any:
    """Each group's name at the height where its line ends, pushed apart where names would touch."""
    ends = frame.groupby("group", as_index=False).last().sort_values("share")[["group", "share"]]
    heights: list[float] = []
    gap = frame["share"].max() / 16
    for share in ends["share"]:
        heights.append(max(share, heights[-1] + gap if heights else share))
    return ends.assign(height=heights)


@dataclass(frozen=True)
class _Waits(Fold[dict[str, list[NDArray]]]):
    """Per customer who started: how long it took, or how long they have waited; and the group."""

    start: tuple[int, ...]
    end: tuple[int, ...]
    ends: int
    by: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event",) if self.by is None else ("event", self.by)

    def scan(self, block: Block) -> dict[str, list[NDArray]]:
        time = block["time"]
        first = block.first_row(rows_of(block, self.start))
        began = np.where(first >= 0, time[first], 0)
        late = (
            time > began[block.owner]
            if set(self.start) & set(self.end)
            else np.arange(block.rows) > first[block.owner]
        )
        reached = block.first_row(rows_of(block, self.end) & late)
        started = first >= 0
        wait = np.where(reached >= 0, time[reached], self.ends) - began
        group = np.zeros(block.customers, dtype=np.int64)
        if self.by is not None:
            known = block.first_row(block[self.by] >= 0)
            group = np.where(known >= 0, block[self.by][known], -1)
        return {"wait": [wait[started]], "reached": [(reached >= 0)[started]], "group": [group[started]]}


@analysis
def time_to(
    study: Study, *, start: Event | None = None, end: Event | None = None, by: Property | None = None
) -> TimeToResult:
    """How long does it take from one event to another, when some are still waiting?

    One wait a customer: from the first `start` event to the first `end` event after it (an event of the same kind
    must be at a later moment). Who is still waiting when the log ends counts as waiting so far, not as lost: the
    shares are Kaplan and Meier's (1958), their intervals on the log-log scale, the median's after Brookmeyer and Crowley
    (1982). Above 400 steps a curve's rows are gathered into 400 equal stretches of time; above 200,000 customers
    waits are rounded to one part in 8,000. Findings need 30 customers.

    With `by`, groups are compared by log-rank tests. Customers were not assigned to them at random.

    Args:
        start: The event that starts the wait; the first order unless given.
        end: The event waited for; the next order unless given.
        by: Groups customers by this column, as it first was in their history; the six largest groups and `(other)`.
    """
    orders = tuple(code for code, is_order in enumerate(study.stages.orders) if is_order)
    from_codes = orders if start is None else (study.log.code("event", start),)
    to_codes = orders if end is None else (study.log.code("event", end),)
    found = study.fold(_Waits(from_codes, to_codes, study.log.ends, by))
    waits, reached, group = (np.concatenate(found[name]) for name in ("wait", "reached", "group"))
    days = _rounded(waits / _DAY)
    members = _groups(study, by, group)
    waiting = {name: (days[mask], reached[mask]) for name, mask in members.items()}
    curves = {name: kaplan_meier(*parts) for name, parts in waiting.items()}
    tests = _tests(waiting)
    summary = _summary(waiting, curves)
    curve = pa.concat_tables(
        [_curve(name, curves[name]) for name in curves] or [_curve("", kaplan_meier([], []))]
    )
    warnings = ("Observational: the groups may differ in more than what they are grouped by.",) if by else ()
    findings = _findings(
        summary,
        tests,
        start or "the first order",
        end or ("the next order" if start is None else "an order"),
        by,
    )
    return TimeToResult(summary=summary, curve=curve, tests=tests, findings=findings, warnings=warnings)


def _rounded(days: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(days) <= _EXACT:
        return days
    mantissa, exponent = np.frexp(days)
    return np.ldexp(np.round(mantissa * 8192) / 8192, exponent)


def _groups(study: Study, by: str | None, group: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """The customers of each group, the largest first; ties by name."""
    if by is None:
        return {_EVERYBODY: np.ones(len(group), dtype=bool)}
    codes, counts = np.unique(group[group >= 0], return_counts=True)
    names = study.log.names(by).take(codes).to_pylist()
    ranked = [(code, name) for _, name, code in sorted(zip(-counts, names, codes, strict=True))]
    found = {name: group == code for code, name in ranked[:LARGEST]}
    found[_OTHER] = np.isin(group, [code for code, _ in ranked[LARGEST:]])
    found[_NONE] = group < 0
    return {name: mask for name, mask in found.items() if mask.any()}


def _summary(waiting: dict[str, tuple[NDArray, NDArray]], curves: dict[str, SurvivalCurve]) -> pa.Table:
    rows = []
    for name, (days, reached) in waiting.items():
        curve = curves[name]
        median = curve.quantile_interval(0.5)
        row = {"group": name, "customers": len(days), "reached": int(reached.sum()), "median_days": curve.quantile(0.5),
               "median_low": median.low, "median_high": median.high}  # fmt: skip
        for horizon in DAYS:
            share, low, high = _by(curve, horizon)
            row |= {
                f"by_{horizon}_days": share,
                f"by_{horizon}_days_low": low,
                f"by_{horizon}_days_high": high,
            }
        rows.append(row)
    return table(**{name: [row[name] for row in rows] for name in TimeToResult.columns()["summary"]})


def _by(curve: SurvivalCurve, days: float) -> tuple[float, float, float]:
    """The share through by then, with its interval."""
    waiting = curve.at(days)
    index = int(np.searchsorted(curve.times, days, side="right")) - 1
    if waiting == 1:  # Greenwood's variance is 0 before the first event; Wilson's interval isn't
        none = wilson(0, curve.at_risk[max(index, 0)])
        return 0.0, none.low, none.high
    if np.isnan(waiting):
        return np.nan, np.nan, np.nan
    return 1 - waiting, 1 - curve.high[index], 1 - curve.low[index]


def _curve(name: str, curve: SurvivalCurve) -> pa.Table:
    """The curve's steps, at most 400, from the moment 0 on."""
    steps = len(curve.times)
    edges = np.linspace(0, curve.times[-1] if steps else 0, _ROWS - 1)
    stretch = np.searchsorted(edges, curve.times) if steps > _ROWS - 1 else np.arange(steps)
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    last = np.append(first[1:], steps)[: len(first)] - 1
    size, lead = len(first) + 1, 0 if steps and curve.times[last[0]] > 0 else 1
    counts = (
        np.append(0, np.add.reduceat(c, first) if steps else []) for c in (curve.events, curve.censored)
    )
    at_risk = np.append(curve.at_risk[:1], curve.at_risk[first])
    after = [np.append(1.0, values[last]) for values in (curve.survival, curve.low, curve.high)]
    columns = (np.append(0.0, curve.times[last]), at_risk, *counts, *after)
    names = ("days", "at_risk", "events", "censored", "survival", "low", "high")
    whole = ("at_risk", "events", "censored")
    data = {
        n: c[lead:].astype(np.int64 if n in whole else float) for n, c in zip(names, columns, strict=True)
    }
    return table(
        group=pa.array([name] * (size - lead if steps else 0), pa.string()),
        **{n: c if steps else c[:0] for n, c in data.items()},
    )


def _tests(waiting: dict[str, tuple[NDArray, NDArray]]) -> pa.Table:
    pairs = list(combinations(waiting, 2))
    overall = [("all groups", "", log_rank(list(waiting.values())))] if pairs else []
    found = [(a, b, log_rank([waiting[a], waiting[b]])) for a, b in pairs]
    p = [*(test.p for *_, test in overall), *holm([test.p for *_, test in found])]
    found = overall + found
    return table(
        group=pa.array([a for a, *_ in found], pa.string()), other=pa.array([b for _, b, _ in found], pa.string()),
        chi_square=np.array([t.statistic for *_, t in found], dtype=float),
        degrees_of_freedom=np.array([t.degrees_of_freedom for *_, t in found], dtype=np.int64),
        p=np.array(p, dtype=float), significant=np.array(p, dtype=float) < 0.05,
    )  # fmt: skip


def _findings(
    summary: pa.Table, tests: pa.Table, start: str, end: str, by: str | None
) -> tuple[Finding, ...]:
    rows = summary.to_pylist()
    customers, reached = (sum(row[name] for row in rows) for name in ("customers", "reached"))
    if customers < ENOUGH:
        return (
            Finding(
                f"Too few to say how long it takes from {start} to {end}: {counted(customers, 'customer')} started."
            ),
        )
    if by is None:
        return (Finding(_sentence(rows[0], start, end), customers=customers - reached),)
    return _compared([row for row in rows if row["customers"] >= ENOUGH], tests, start, end, by)


def _sentence(row: dict[str, Any], start: str, end: str) -> str:
    way = f"from {start} to {end}"
    if not row["reached"]:
        return f"None of {row['customers']:,} customers has come {way} so far."
    known = [days for days in DAYS if row[f"by_{days}_days"] == row[f"by_{days}_days"]]
    # Once all are through, longer waits say nothing more.
    known = [days for days in known if days == known[0] or row[f"by_{_before(days)}_days"] < 1][-3:]
    shares = ", ".join(f"{row[f'by_{days}_days']:.0%} within {days} days" for days in known)
    if row["median_days"] == row["median_days"]:
        half = f"Half of {row['customers']:,} customers come {way} within {in_words(row['median_days'] * 86_400)}"
        if row["median_low"] == row["median_low"] and row["median_high"] == row["median_high"]:
            low, high = (in_words(row[end] * 86_400) for end in ("median_low", "median_high"))
            half += f" (95% interval {low} to {high})"
        return f"{half}: {shares}." if shares else f"{half}."
    reached = f"{row['reached']:,} of {row['customers']:,} customers have come {way} so far, fewer than half"
    return f"{reached}: {shares}." if shares else f"{reached}."


def _before(days: int) -> int:
    return DAYS[DAYS.index(days) - 1]


def _compared(
    rows: Sequence[dict[str, Any]], tests: pa.Table, start: str, end: str, by: str
) -> tuple[Finding, ...]:
    horizon = next(
        (
            d
            for d in (90, 30, 365, 7)
            if sum(r[f"by_{d}_days"] == r[f"by_{d}_days"] for r in rows) == len(rows)
        ),
        None,
    )
    overall = tests.to_pylist()[:1]
    if (
        len(rows) < 2
        or not overall
        or horizon is None
        or overall[0]["p"] is None
        or np.isnan(overall[0]["p"])
    ):
        return (Finding(f"Too few to compare groups of {by} on the way from {start} to {end}."),)
    if not overall[0]["significant"]:
        return (
            Finding(
                f"Groups of {by} are not clearly different on the way from {start} to {end} (log-rank p = {overall[0]['p']:.2f})."
            ),
        )
    key = f"by_{horizon}_days"
    pairs = _apart(rows, tests, key)
    if not pairs:
        text = f"Groups of {by} differ on the way from {start} to {end} (log-rank p = {overall[0]['p']:.2g}), but no two of them beyond chance."
        return (Finding(text),)
    best, worst = max(pairs, key=lambda pair: pair[0][key] - pair[1][key])
    said = [
        f"{r[key]:.0%} of {r['group']} ({r[key + '_low']:.0%} to {r[key + '_high']:.0%}, n = {r['customers']:,})"
        for r in (best, worst)
    ]
    text = f"Within {horizon} days of {start}, {said[0]} come to {end}, but only {said[1]}."
    return (Finding(text, customers=(best[key] - worst[key]) * worst["customers"]),)


def _apart(
    rows: Sequence[dict[str, Any]], tests: pa.Table, key: str
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The pairs of groups that differ beyond chance, the one that is further by then first; gathered groups last."""
    group = {row["group"]: row for row in rows}
    sure = [(t["group"], t["other"]) for t in tests.to_pylist()[1:] if t["significant"]]
    pairs = [(group[a], group[b]) for a, b in sure if a in group and b in group]
    named = [pair for pair in pairs if not {pair[0]["group"], pair[1]["group"]} & {_OTHER, _NONE}]
    return [(a, b) if a[key] >= b[key] else (b, a) for a, b in named or pairs]
