"""The tables and findings of churn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._order_days import NEVER, WEEK, Buyers
from wayfare.analyses.repurchase._candidates import Candidate
from wayfare.analyses.repurchase._forecast_tables import known
from wayfare.analyses.repurchase._lateness import Lateness, due_days
from wayfare.analyses.repurchase._signals import SIGNALS
from wayfare.analyses.repurchase.forecast import ForecastResult
from wayfare.domain.duration import Duration, in_words
from wayfare.result import Finding, table
from wayfare.stats.proportions import difference_of_proportions, wilson
from wayfare.study import Study

Floats = NDArray[np.float64]
What = tuple[NDArray[np.int64], dict[str, NDArray[np.bool_]]]

_TELL, _RATE = 30, 10


@dataclass(frozen=True, eq=False)
class State:
    """What the tables are made of: who is how late now, and what the forecast knows of them."""

    study: Study
    buyers: Buyers
    forecast: ForecastResult
    model: Candidate | None
    lateness: Lateness
    late: float
    check: Duration

    def of(self, column: str) -> Floats:
        """A column of the forecast's customers, nan for null; they are in the order of `buyers`."""
        return self.forecast.customers[column].to_numpy(zero_copy_only=False).astype(float)

    def stake(self) -> Floats:
        """The lifetime value still expected of each buyer."""
        return self.of("lifetime_value")


@dataclass(frozen=True, eq=False)
class Check:
    """Who was late at an earlier day, and how likely each repeat customer then was to order since; None unknown."""

    lateness: Lateness
    chance: Floats | None


def customers(state: State, what: What, top: int) -> pa.Table:
    """The late, the most at stake first, then the most orders, then by name."""
    lateness, stake = state.lateness, state.stake()
    rows = np.flatnonzero(lateness.late)
    value = np.nan_to_num(stake[lateness.who[rows]])
    rows = rows[np.lexsort((rows, -lateness.frequency[rows], -value))][:top]
    who = lateness.who[rows]
    silence = np.rint(lateness.silence[rows] * WEEK).astype(np.int64)
    due = due_days(state.model.paced if state.model else None, lateness, rows, state.late)
    return table(
        customer=state.buyers.names.take(pa.array(who)),
        days_since_order=silence,
        usual_gap_days=lateness.gap_days[rows],
        p_alive=known(state.of("p_alive")[who]),
        late_by_days=np.maximum(silence - due, 0.0),
        value_at_stake=known(stake[who]),
        changed_before=_changed(what, who),
        orders=lateness.frequency[rows].astype(np.int64) + 1,
        overdue=lateness.overdue[rows],
        p_buy=known(state.of("p_buy")[who]),
    )


def _changed(what: What, who: NDArray[np.int64]) -> pa.Array:
    repeaters, seen = what
    rows = np.searchsorted(repeaters, who)
    names = [(name, seen[name][rows]) for name in SIGNALS if name in seen]
    return pa.array(
        [", ".join(name for name, mask in names if mask[i]) for i in range(len(who))], pa.string()
    )


def summary(state: State) -> pa.Table:
    """How many are late, on time, or have no pace yet."""
    buyers, lateness = state.buyers, state.lateness
    if not len(buyers):
        return table(state=pa.array([], pa.string()), customers=pa.array([], pa.int64()), share=np.zeros(0),
                     expected_alive=np.zeros(0), value_at_stake=np.zeros(0))  # fmt: skip
    kind = np.full(len(buyers), 2)
    kind[lateness.who] = np.where(lateness.late, 0, 1)
    count = np.bincount(kind, minlength=3)
    alive, stake = (
        np.bincount(kind, weights=state.of(name), minlength=3).astype(float)
        for name in ("p_alive", "lifetime_value")
    )
    return table(
        state=["late", "on time", "one order"],
        customers=count,
        share=count / len(buyers),
        expected_alive=known(alive),
        value_at_stake=known(stake),
    )


def calibration(buyers: Buyers, check: Check | None) -> pa.Table:
    """Late and on time then: how many came back."""
    rows: list[dict[str, float | str | None]] = []
    for name, late in (("late", True), ("on time", False)) if check and len(check.lateness.who) else ():
        assert check
        chosen = check.lateness.late == late
        came = int((buyers.next_day[check.lateness.who[chosen], 0] != NEVER).sum())
        n = int(chosen.sum())
        interval = wilson(came, n)
        told = n >= _RATE
        expected = None if check.chance is None else float(check.chance[chosen].sum())
        rows.append({"state": name, "customers": n, "expected": expected, "actual": came, "share": came / n if told else None,
                     "low": interval.low if told else None, "high": interval.high if told else None})  # fmt: skip
    return pa.Table.from_pylist(rows, _CALIBRATION)


_CALIBRATION = pa.schema(
    [("state", pa.string()), ("customers", pa.int64()), ("expected", pa.float64()), ("actual", pa.int64()),
     ("share", pa.float64()), ("low", pa.float64()), ("high", pa.float64())]
)  # fmt: skip
_SIGNALS = pa.schema(
    [
        ("signal", pa.string()),
        ("late", pa.int64()),
        *((name, pa.float64()) for name in ("late_share", "on_time_share", "difference", "low", "high")),
    ]
)


def signals(lateness: Lateness, what: What) -> pa.Table:
    """Each signal among the late and among those on time, the largest difference first."""
    repeaters, seen = what
    rows: list[dict[str, float | str | None]] = []
    n_late, n_on = int(lateness.late.sum()), int((~lateness.late).sum())
    for name in SIGNALS if n_late and n_on else ():
        if name in seen:
            mask = seen[name][np.searchsorted(repeaters, lateness.who)]
            hit, other = int(mask[lateness.late].sum()), int(mask[~lateness.late].sum())
            gap = difference_of_proportions(hit, n_late, other, n_on)
            told = min(n_late, n_on) >= _TELL
            rows.append({"signal": name, "late": hit, "late_share": hit / n_late, "on_time_share": other / n_on,
                         "difference": gap.estimate if told else None, "low": gap.low if told else None,
                         "high": gap.high if told else None})  # fmt: skip
    rows.sort(key=lambda row: (-float(row["difference"] or 0.0), str(row["signal"])))
    return pa.Table.from_pylist(rows, _SIGNALS)


def findings(state: State, checked: pa.Table, differences: pa.Table) -> tuple[Finding, ...]:
    """Who is late and what is at stake, whether the rule held, what stands out before."""
    lateness = state.lateness
    if not len(lateness.who):
        return (Finding("Nobody has ordered on two days yet: too few to say who is late."),)
    count = int(lateness.late.sum())
    text = f"{count:,} of {len(lateness.who):,} repeat customers are late for themselves"
    stake = float(np.nansum(state.stake()[lateness.who[lateness.late]]))
    money = stake if stake > 0 else None
    if money:
        text += f": {state.study.currency} {money:,.0f} of lifetime value is still expected of them"
    found = [Finding(f"{text}.", money=money, customers=count)]
    found += [*_held(checked, state.check), *_stands_out(differences)]
    if state.model is None:
        found.append(
            Finding(
                "Too few repeat customers for a model: late rests on each customer's own gaps, and what is at stake can't be said."
            )
        )
    elif state.model.note:
        found.append(Finding(f"{state.model.name}: {state.model.note}"))
    return tuple(found)


def _held(checked: pa.Table, check: Duration) -> list[Finding]:
    rows = {row["state"]: row for row in checked.to_pylist()}
    late, on_time = rows.get("late"), rows.get("on time")
    if not late or not on_time or late["share"] is None or on_time["share"] is None:
        return []
    sure = f"95% interval {late['low']:.0%}–{late['high']:.0%}"
    expected = "" if late["expected"] is None else f", {late['expected']:,.0f} expected"
    return [Finding(f"Of {late['customers']:,} customers late {in_words(check.seconds)} ago {late['actual']:,} ordered since ({late['share']:.0%}, {sure}"
                    f"{expected}); of those on time {on_time['share']:.0%}.")]  # fmt: skip


def _stands_out(differences: pa.Table) -> list[Finding]:
    rows = [row for row in differences.to_pylist() if row["low"] is not None and row["low"] > 0]
    return [
        Finding(f"Before they fell silent {row['late_share']:.0%} of the late had {_A.get(row['signal'], row['signal'])}, against "
                f"{row['on_time_share']:.0%} of those on time ({100 * row['difference']:.1f} points more, 95% interval "
                f"{100 * row['low']:.1f} to {100 * row['high']:.1f}).", customers=row["late"])
        for row in rows[:1]
    ]  # fmt: skip


_A = {
    "refund": "a refund",
    "support contact": "a support contact",
    "low score": "given a low score",
    "late delivery": "a late delivery",
}
