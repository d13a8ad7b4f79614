"""What `activity_costs` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from wayfare.analyses.value_chain._cost_folds import ORDERED
from wayfare.analyses.value_chain._cost_lines import Span
from wayfare.analyses.value_chain._cost_tables import GROUPS, NOT_TRACED, TOTAL, TRACED, UNUSED
from wayfare.result import Finding
from wayfare.study import Study

TOO_FEW = 30
NO_CHAIN = "There is no value chain yet, so no activity has a cost. Start one with `wayfare documents DIR new value_chain`."
_CLEAR = 0.05
"""Under this share of a capacity, what lies idle is no news."""


def findings_of(study: Study, span: Span, made: Mapping[str, pa.Table]) -> Iterator[Finding]:
    """The total and where it goes; idle capacity; overload; customers who cost more than they bring."""
    activities = made["activities"].to_pylist()
    money = {row["part"]: row["cost"] for row in made["money"].to_pylist()}
    if span.days <= 0:
        yield Finding("The log is empty: too few events to say what any activity costs.")
        return
    if not money[TOTAL]:
        yield Finding(
            "No activity of the value chain has a cost in the log's days. Write its `cost` in the document."
        )
        return
    yield Finding(_whole(study, span, money))
    yield from _idle(study, activities)
    yield from _overloaded(activities)
    yield from _losing(study, made["groups"].to_pylist())


def _whole(study: Study, span: Span, money: Mapping[str, float]) -> str:
    parts = [
        f"{money[part] / money[TOTAL]:.0%} {words}"
        for part, words in ((TRACED, "reached touchpoints"), (UNUSED, "was capacity that nobody used"), (NOT_TRACED, "can't be traced to any"))
        if money[part] > 0
    ]  # fmt: skip
    said = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"Activities cost {_amount(study, money[TOTAL])} from {_day(span.first)} to {_day(span.last)}: {said}."


def _idle(study: Study, activities: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    idle = [row for row in activities if row["unused_cost"] > 0 and row["used_share"] < 1 - _CLEAR]
    if idle:
        most = max(idle, key=lambda row: (row["unused_cost"], row["activity"]))
        others = len(idle) - 1
        rest = sum(row["unused_cost"] for row in idle) - most["unused_cost"]
        more = ""
        if others:
            more = f" {others} other{'s' if others > 1 else ''} had idle capacity for {_amount(study, rest)}."
        # What of it can be saved is for value_matrix to say: here it would be counted twice.
        yield Finding(
            f"Idle capacity: “{most['text']}” used {most['used_share']:.0%} of its time; the rest cost {_amount(study, most['unused_cost'])}.{more}",
        )


def _overloaded(activities: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    over = [row for row in activities if row["overload_minutes"] > 0]
    if over:
        worst = max(over, key=lambda row: (row["overload_minutes"], row["activity"]))
        share = f"{worst['used_share']:.0%} of" if worst["used_share"] is not None else "more than"
        more = (
            f" {len(over) - 1} more {'are' if len(over) > 2 else 'is'} overloaded." if len(over) > 1 else ""
        )
        yield Finding(
            f"Overload: “{worst['text']}” needs {share} its capacity, {worst['overload_minutes'] / 60:,.0f} hours too many: "
            f"either its times are stated too long, or work waits or is paid as overtime.{more}"
        )


def _losing(study: Study, groups: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    row = groups[ORDERED]
    if row["cost_more"] is None:
        yield Finding("The log has no values, so whether customers bring more than they cost can't be said.")
    elif row["customers"] < TOO_FEW:
        yield Finding(
            f"{row['customers']:,} customers who ordered are too few to say how many cost more than they bring."
        )
    else:
        yield Finding(
            f"{row['cost_more']:,} of {row['customers']:,} {GROUPS[ORDERED]} ({row['cost_more_share']:.1%}; 95% interval "
            f"{row['low']:.1%}–{row['high']:.1%}) cost more to serve than they bring, together {_amount(study, row['lost'])}.",
            money=row["lost"],
            customers=row["cost_more"],
        )  # fmt: skip


def _amount(study: Study, money: float) -> str:
    return f"{study.currency} {money:,.0f}"


def _day(number: int) -> str:
    day = date(1970, 1, 1) + timedelta(days=number)
    return f"{day.day} {day:%B %Y}"
