"""What is in the log: its columns, its touchpoints, where its rows came from, and what could not be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wayfare.charts.numbers import written
from wayfare.domain.journey import Touchpoint
from wayfare.histories.schema import Kind
from wayfare.report.sections import label_of
from wayfare.study import Study
from wayfare.workspace.folder import Workspace

MOST = 500
_KINDS = {
    Kind.CODE: "names",
    Kind.NUMBER: "number",
    Kind.TIME: "time",
    Kind.FLAG: "yes or no",
    Kind.TEXT: "text",
}


@dataclass(frozen=True)
class LogColumn:
    """One column of the log; `names` says how many different ones it has, `examples` some of them."""

    name: str
    kind: str
    names: int | None
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Logbook:
    """What the page about the log shows.

    Attributes:
        columns: The columns as they are stored.
        journey: The name of the journey map.
        drawn: Whether there is a document of that name; else the stages are only proposed.
        touchpoints: The events with their stages, in the journey's order.
        unplaced: Events that the journey does not place.
        lineage: Where the rows came from, oldest first.
        quarantined: Rows that could not be used, by reason.
    """

    columns: tuple[LogColumn, ...]
    journey: str
    drawn: bool
    touchpoints: tuple[Touchpoint, ...]
    unplaced: tuple[str, ...]
    lineage: tuple[tuple[tuple[str, str], ...], ...]
    quarantined: tuple[tuple[str, int], ...]

    @property
    def aside(self) -> int:
        """How many rows are kept aside."""
        return sum(count for _, count in self.quarantined)


def logbook(workspace: Workspace, study: Study) -> Logbook:
    """What there is to say of the study's log."""
    from wayfare.histories.ingest.quarantine import rows

    events = study.log.names("event").to_list()[:MOST]
    placed = {t.event: t for t in study.journey.touchpoints}
    reasons = Counter(rows(workspace.log_folder)["reason"].to_pylist())
    return Logbook(
        columns=tuple(_column(study, name) for name in study.log.schema),
        journey=study.journey.name,
        drawn=study.journey.name in study.documents,
        touchpoints=tuple(t for t in study.journey.touchpoints if t.event in set(events)),
        unplaced=tuple(event for event in events if event not in placed),
        lineage=tuple(tuple(_said(entry)) for entry in study.log.facts.lineage),
        quarantined=tuple(reasons.most_common()),
    )


def _said(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """One ingest as names and texts; hashes and the mapping are for machines."""
    for key, value in entry.items():
        if key not in ("contents", "recipe") and value not in (None, "", [], {}, ()):
            yield label_of(str(key)), _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(inner) for inner in value)
    return written("plain", value)


def _column(study: Study, name: str) -> LogColumn:
    kind = study.log.schema[name]
    if kind is not Kind.CODE:
        return LogColumn(name, _KINDS[kind], None, ())
    names = study.log.names(name)
    return LogColumn(name, _KINDS[kind], len(names), tuple(names[code] for code in range(min(len(names), 4))))
