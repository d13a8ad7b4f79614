"""A log's rows as plain Python, and the check that a summary adds up."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wayfare.histories.ingest.summary import IngestSummary
from wayfare.histories.schema import MISSING_TIME, Kind
from wayfare.histories.source import Source
from wayfare.histories.store import open_sealed


def summed(summary: IngestSummary) -> IngestSummary:
    """The summary, once its counts were seen to add up."""
    assert summary.rows_read == summary.kept + summary.duplicates + summary.quarantined
    assert sum(summary.reasons.values()) == summary.quarantined
    if len(summary.events) < 500:  # it lists no more
        assert sum(event.count for event in summary.events) == summary.kept
    return summary


def events_of(log: Path | Source) -> list[dict[str, Any]]:
    """Every row of a log, in its order, with names for codes and None for missing."""
    source = open_sealed(log) if isinstance(log, Path) else log
    rows: list[dict[str, Any]] = []
    for index in range(source.blocks):
        block = source.read(index, tuple(source.schema))
        columns = {name: _plain(source, name, block[name].tolist()) for name in source.schema}
        rows += [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return rows


def _plain(source: Source, name: str, values: list[Any]) -> list[Any]:
    kind = source.schema[name]
    if kind is Kind.CODE:
        names = source.names(name).to_list()
        return [None if value < 0 else names[value] for value in values]
    if kind is Kind.NUMBER:
        return [None if math.isnan(value) else value for value in values]
    if kind is Kind.TIME:
        return [
            None if value == MISSING_TIME else datetime.fromtimestamp(value / 1e6, UTC).isoformat()
            for value in values
        ]
    if kind is Kind.FLAG:
        return [None if value < 0 else bool(value) for value in values]
    return values
