"""Our contender for strategy documents: a canvas of 5,000 items that ask 500 different things of the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.events import NAMES, Data, blocks

EVENTS = 1_000_000
"""What the target is for, where the size is not said."""
ITEMS, SEGMENTS = 5_000, 62
MEASURES = (
    "repurchase_rate", "conversion_rate", "retention_rate", "churn_rate", "referral_rate", "average_order_value",
    "value_per_customer", "referrals", "customer_satisfaction",
)  # fmt: skip
"""62 segments by the eight figures of these (churn is what retention leaves) are 496 bindings."""


def our_evidence(data: Data) -> Callable[[Path], Any]:
    import wayfare as wf
    from wayfare.analyses.canvas.canvas_evidence import canvas_evidence
    from wayfare.study import Study

    table = events(replace(data, events=data.events or EVENTS))
    log = wf.read_events(table, customer="customer", time="time", event="event", value="value")
    documents = {"canvas": canvas()}

    def call(_: Path) -> dict[str, int]:
        found = Study(log, documents=documents).result(canvas_evidence).tables["evidence"]
        verdicts = found["verdict"].to_pylist()
        return {name: verdicts.count(name) for name in ("holds", "fails", "too_few")}

    return call


def events(data: Data) -> Any:
    """The events of the other benchmarks as a table in memory."""
    import pyarrow as pa

    table = pa.Table.from_batches(list(blocks(data)))
    named = pa.array(NAMES).take(table["event"].combine_chunks())
    return pa.table(
        {
            "customer": table["customer"].cast(pa.string()),
            "time": table["time"].cast(pa.timestamp("us")),
            "event": named,
            "value": table["value"],
        }
    )


def canvas() -> Any:
    """Items with a metric each, of segments made of two conditions."""
    from wayfare.domain.canvas import Canvas

    segments = [
        {"id": f"s{n}", "text": f"Segment {n}", "bindings": {"segment": [_first(n), _second(n)]}}
        for n in range(SEGMENTS)
    ]
    items = [
        {
            "id": f"i{n}",
            "text": f"Item {n}",
            "importance": 1 + n % 5,
            "bindings": {
                "metric": {"measure": MEASURES[n % 9], "segment": f"s{n // 9 % SEGMENTS}", "at_least": 0.1}
            },
        }
        for n in range(ITEMS - SEGMENTS)
    ]
    return Canvas.model_validate(
        {"name": "canvas", "customer_segments": segments, "value_propositions": items}
    )


def _first(number: int) -> str:
    return f"{('did', 'never', 'first', 'last')[number % 4]}:{'' if number % 4 < 2 else 'event!='}{NAMES[number % 12]}"


def _second(number: int) -> str:
    return f"value>={number}"
