"""The tables of `activity_costs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.value_chain._cost_folds import ALL, ORDERED
from wayfare.analyses.value_chain._cost_lines import NAN, Costed
from wayfare.domain.journey import STAGES
from wayfare.stats.costing import money_quantile
from wayfare.stats.proportions import wilson

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
TRACED, UNUSED, NOT_TRACED, TOTAL = "traced to touchpoints", "unused capacity", "not traced", "total"
GROUPS = {ALL: "all customers", ORDERED: "customers who ordered"}
_STAGES = ("none", *(stage.value for stage in STAGES))
_NUMBER, _COUNT, _TEXT = pa.float64(), pa.int64(), pa.string()
_KINDS: dict[str, dict[str, pa.DataType]] = {
    "activities": {
        "activity": _TEXT, "text": _TEXT, "category": _TEXT, "depth": _COUNT, "cost": _NUMBER, "own_cost": _NUMBER,
        "minutes": _NUMBER, "capacity_minutes": _NUMBER, "used_share": _NUMBER, "unused_cost": _NUMBER,
        "rate_per_minute": _NUMBER, "runs": _COUNT, "cost_per_run": _NUMBER, "note": _TEXT, "traced": _NUMBER,
        "not_traced": _NUMBER, "overload_minutes": _NUMBER, "part_of": _TEXT, "customers": _COUNT,
    },
    "touchpoints": {"event": _TEXT, "cost": _NUMBER, "events": _COUNT, "cost_per_event": _NUMBER, "activities": _TEXT},
    "orders": {"quantile": _NUMBER, "cost": _NUMBER},
    "customers": {"quantile": _NUMBER, "cost": _NUMBER, "value": _NUMBER, "margin": _NUMBER},
    "groups": {
        "group": _TEXT, "customers": _COUNT, "cost": _NUMBER, "value": _NUMBER, "cost_more": _COUNT,
        "cost_more_share": _NUMBER, "low": _NUMBER, "high": _NUMBER, "lost": _NUMBER,
    },
    "money": {"part": _TEXT, "cost": _NUMBER, "share": _NUMBER},
    "traces": {"activity": _TEXT, "event": _TEXT, "cost": _NUMBER, "events": _COUNT, "stage": _TEXT},
}  # fmt: skip


def nothing() -> dict[str, pa.Table]:
    """The tables without a row."""
    return {name: _typed(name, []) for name in _KINDS}


def tables_of(
    found: Sequence[Costed], names: Sequence[str], events: NDArray, served: Mapping[str, NDArray], margin: float,
    *, has_value: bool,
) -> dict[str, pa.Table]:  # fmt: skip
    """All tables, from what each line cost and from the distributions."""
    traces = _traces(found, names, events)
    made = {
        "activities": _activities(found),
        "touchpoints": _touchpoints(traces),
        "orders": _orders(served),
        "customers": _customers(served, margin, has_value=has_value),
        "groups": _groups(served["groups"], has_value=has_value),
        "money": _money(found),
        "traces": traces,
    }
    return {name: _typed(name, made[name]) for name in _KINDS}


def _typed(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.table(
        {
            column: pa.array([_known(row[column]) for row in rows], kind)
            for column, kind in _KINDS[name].items()
        }
    )


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value


def _activities(found: Sequence[Costed]) -> list[dict[str, Any]]:
    above = {part: one.line.activity.id for one in found for part in one.line.parts}
    return [
        {
            "activity": one.line.activity.id, "text": one.line.activity.text, "category": one.line.category,
            "depth": one.line.depth, "cost": one.whole, "own_cost": one.own, "minutes": one.minutes,
            "capacity_minutes": one.capacity, "used_share": one.share, "unused_cost": one.unused,
            "rate_per_minute": one.rate, "runs": one.events, "cost_per_run": one.traced / one.events if one.events else NAN,
            "note": "; ".join(one.notes), "traced": one.traced, "not_traced": one.untraced,
            "overload_minutes": one.overload, "part_of": above.get(number),
            "customers": one.customers,
        }
        for number, one in enumerate(found)
    ]  # fmt: skip


def _traces(found: Sequence[Costed], names: Sequence[str], events: NDArray) -> list[dict[str, Any]]:
    """What reaches which touchpoint, the dearest first."""
    rows = [
        {
            "activity": one.line.activity.id,
            "event": names[code],
            "cost": one.by_event.get(code, 0.0),
            "events": int(events[code].sum()),
            "stage": _STAGES[int(events[code].argmax())] if events[code].any() else _STAGES[0],
        }
        for one in found
        for code in one.line.served
    ]
    return sorted(rows, key=lambda row: (-row["cost"], row["activity"], row["event"]))


def _touchpoints(traces: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for trace in traces:
        row = rows.setdefault(trace["event"], {"cost": 0.0, "events": trace["events"], "by": []})
        row["cost"] += trace["cost"]
        row["by"].append(trace["activity"])
    ordered = sorted(rows.items(), key=lambda item: (-item[1]["cost"], item[0]))
    return [
        {
            "event": event, "cost": row["cost"], "events": row["events"], "activities": ", ".join(row["by"]),
            "cost_per_event": row["cost"] / row["events"] if row["events"] else NAN,
        }
        for event, row in ordered
    ]  # fmt: skip


def _orders(served: Mapping[str, NDArray]) -> list[dict[str, Any]]:
    count, cost, _ = served["orders"].tolist()
    if not count:
        return []
    rows = [{"quantile": q, "cost": money_quantile(served["order_cost"], q)} for q in QUANTILES]
    return [*rows, {"quantile": None, "cost": cost / count}]


def _customers(served: Mapping[str, NDArray], margin: float, *, has_value: bool) -> list[dict[str, Any]]:
    count, cost, value, _, _ = served["groups"][ALL].tolist()
    if not count:
        return []
    shown = ("cost", "value", "margin")
    rows: list[dict[str, Any]] = [
        {"quantile": q, **{name: money_quantile(served[name], q) for name in shown}} for q in QUANTILES
    ]
    mean = (cost / count, value / count, (value * margin - cost) / count)
    rows.append({"quantile": None, **dict(zip(shown, mean, strict=True))})
    return rows if has_value else [row | {"value": NAN, "margin": NAN} for row in rows]


def _groups(sums: NDArray, *, has_value: bool) -> list[dict[str, Any]]:
    rows = []
    for group, name in GROUPS.items():
        customers, cost, value, losing, lost = sums[group].tolist()
        known = has_value and customers > 0
        interval = wilson(losing, customers) if known else None
        rows.append(
            {
                "group": name, "customers": int(customers), "cost": cost, "value": value if has_value else NAN,
                "cost_more": int(losing) if has_value else None, "cost_more_share": losing / customers if known else NAN,
                "low": interval.low if interval else NAN, "high": interval.high if interval else NAN,
                "lost": lost if has_value else NAN,
            }
        )  # fmt: skip
    return rows


def _money(found: Sequence[Costed]) -> list[dict[str, Any]]:
    parts = {
        TRACED: sum(one.traced for one in found),
        UNUSED: sum(one.unused for one in found),
        NOT_TRACED: sum(one.untraced for one in found),
        TOTAL: sum(one.own for one in found),
    }
    total = parts[TOTAL]
    return [
        {"part": part, "cost": float(cost), "share": cost / total if total else NAN}
        for part, cost in parts.items()
    ]
