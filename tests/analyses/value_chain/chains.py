"""Value chains and logs to cost them on, written short."""

from __future__ import annotations

from typing import Any

import pandas as pd

import wayfare as wf
from wayfare.domain.value_chain import PRIMARY, ValueChain
from wayfare.study import Study

COLUMNS = ("value", "order", "channel", "quantity")


def chain(**categories: list[dict[str, Any]]) -> ValueChain:
    """A chain from its activities by category."""
    sides: dict[str, dict[str, Any]] = {"primary": {}, "support": {}}
    for category, activities in categories.items():
        sides["primary" if category in PRIMARY else "support"][category] = activities
    return ValueChain.model_validate({"name": "value-chain", **sides})


def activity(id: str, *parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An activity called after its id."""
    return {"id": id, "text": id.capitalize(), "parts": list(parts), **fields}


def timed(capacity: float, *, per: str = "month", **fields: Any) -> dict[str, Any]:
    """A cost that follows time; `rate`, `capacity_cost` and `minutes` are fields."""
    return {"kind": "time_driven", "capacity_minutes": capacity, "per": per, **fields}


def amounts(*each: tuple[str, str, float]) -> dict[str, Any]:
    """A cost by period: (from, to, amount)."""
    return {"kind": "amounts", "amounts": [{"from": a, "to": b, "amount": c} for a, b, c in each]}


def serves(event: str, base: float | None = None, *terms: dict[str, Any]) -> dict[str, Any]:
    """A served touchpoint, with its time equation if it has one."""
    return {"event": event} | ({} if base is None else {"time": {"base": base, "terms": list(terms)}})


def log_of(rows: list[tuple[Any, ...]], columns: tuple[str, ...] = COLUMNS, zone: str = "UTC") -> wf.Log:
    """A log from (customer, time, event, ...) and so many of `columns` as the rows have."""
    width = max((len(row) for row in rows), default=3) - 3
    frame = pd.DataFrame(rows, columns=["customer", "time", "event", *columns[:width]])
    frame["time"] = pd.to_datetime(frame["time"], format="mixed")
    kept = {name: name for name in columns[:width]}
    return wf.read_events(frame, customer="customer", time="time", event="event", zone=zone, **kept)


def study_of(log: wf.Log, value_chain: ValueChain | None, **fields: Any) -> Study:
    """A study with that chain as its only document."""
    return Study(log, documents={} if value_chain is None else {"value-chain": value_chain}, **fields)


def row_of(table: Any, **where: Any) -> dict[str, Any]:
    """The only row of a table where the columns have those values."""
    found = [row for row in table.to_pylist() if all(row[name] == value for name, value in where.items())]
    assert len(found) == 1, found
    return found[0]
