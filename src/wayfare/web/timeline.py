"""Histories as a page shows them: each customer's events in order, long ones with their middle left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from wayfare.charts.numbers import shown_row
from wayfare.domain.duration import in_words
from wayfare.histories.block import Block
from wayfare.histories.matching import as_table
from wayfare.histories.source import Source
from wayfare.report.sections import label_of
from wayfare.study import Study
from wayfare.web.behind import Behind
from wayfare.web.studies import View

BEGINNING, END = 12, 4
"""So many events of a history are shown from its beginning and its end; the rest is counted."""
ALONE = 500
"""So many from the beginning where it is the only one."""
LEFT_OUT = ("customer", "time", "event", "session", "event_id", "source")
"""Columns that stand elsewhere, or that only machines read: the files have them."""
PAUSE = 60.0
"""Seconds between two events that are worth saying."""


@dataclass(frozen=True)
class Event:
    """One event as a page shows it.

    Attributes:
        at: When, in UTC, for machines.
        day: The day in the study's zone.
        time: The time of that day.
        name: What happened.
        details: The row's other values, each with its column.
        named: Whether it is what was asked for.
        after: How long after the event before, where that is long enough to matter.
        skipped: How many events before it are not shown.
    """

    at: str
    day: str
    time: str
    name: str
    details: tuple[tuple[str, str], ...]
    named: bool
    after: str = ""
    skipped: int = 0


@dataclass(frozen=True)
class History:
    """One customer's events in the part looked at.

    Attributes:
        customer: The id.
        link: The address of this one alone.
        total: How many events there are.
        events: Those that are shown.
        facts: What is known of the customer and not of an event.
    """

    customer: str
    link: str
    total: int
    events: tuple[Event, ...]
    facts: tuple[tuple[str, str], ...] = ()


def one_by_one(blocks: Iterator[Block], source: Source) -> Iterator[pa.Table]:
    """The rows of each customer, one customer after the other."""
    for block in blocks:
        table, starts = as_table(block, source), block.starts.tolist()
        for start, end in pairwise(starts):
            yield table.slice(start, end - start)


def history(study: Study, view: View, part: pa.Table, named: frozenset[str], *, alone: bool) -> History:
    """One customer's rows to be shown; `named` are the events that were asked for."""
    total = part.num_rows
    beginning, end = (ALONE, END) if alone else (BEGINNING, END)
    skipped = max(total - beginning - end, 0)
    rows = pa.concat_tables([part.slice(0, beginning), part.slice(beginning + skipped)]).to_pylist()
    id = str(part["customer"][0].as_py())
    events = [_event(study, row, row["event"] in named) for row in rows]
    for place in range(1, len(rows)):
        gap = (rows[place]["time"] - rows[place - 1]["time"]).total_seconds()
        if skipped and place == beginning:
            events[place] = replace(events[place], skipped=skipped)
        elif gap >= PAUSE:
            events[place] = replace(events[place], after=in_words(gap))
    link = Behind(replace(view, segments=()), customer=id).link()
    return History(id, link, total, tuple(events), _values(study, rows[0], study.log.attributes))


def _event(study: Study, row: Mapping[str, Any], named: bool) -> Event:
    utc: datetime = row["time"].astimezone(UTC)
    local = utc.astimezone(ZoneInfo(study.zone))
    shown = [name for name in row if name not in LEFT_OUT and name not in study.log.attributes]
    return Event(
        at=utc.isoformat().replace("+00:00", "Z"),
        day=f"{local.day} {local:%b %Y}",
        time=f"{local:%H:%M:%S}",
        name=str(row["event"]),
        details=_values(study, row, shown),
        named=named,
    )


def _values(study: Study, row: Mapping[str, Any], names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """What a row says in these columns, each in its unit, where it says anything."""
    known = {name: row[name] for name in names if row[name] is not None}
    texts = shown_row(known, study.currency)
    return tuple((label_of(name).lower(), text) for name, text in zip(known, texts, strict=True))
