"""From a row of a result's table to the histories behind it, by what the row names; no analysis knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from wayfare.charts.numbers import is_number
from wayfare.domain.journey import STAGES
from wayfare.domain.segment import Segment
from wayfare.errors import InvalidParameter
from wayfare.histories.schema import Kind
from wayfare.result import Result
from wayfare.study import Study
from wayfare.web.asked import Asked
from wayfare.web.behind import Behind
from wayfare.web.cells import Link
from wayfare.web.fields import shown_value

EVENTS = ("event", "touchpoint")
"""Columns that name an event of the log."""
GROUPS = ("group", "channel")
"""Columns that hold a value of the column that the analysis was told to split by."""
COUNTS = ("customers", "count")
"""The figure of a row that leads to its histories; where there is none, the name itself does."""
JOIN = " > "
"""Stands between the events of a column `path`."""
_OWN = ("customer", "event", "order", "session", "source", "event_id", "referrer")
"""Columns of the log that mean something else in a table, or have a rule of their own."""
_STAGES = frozenset(stage.value for stage in STAGES)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Answer:
    """What is known of the question, and the steps that its tables name."""

    study: Study
    asked: Asked
    params: Mapping[str, Any]
    steps: Mapping[int, str]

    def knows(self, column: str, name: object) -> bool:
        """Whether `name` is one of the log's names in a text column."""
        schema = self.study.log.schema
        if column not in schema or schema[column] is not Kind.CODE or not isinstance(name, str):
            return False
        return self.study.log.names(column).code(name) is not None

    def kind(self, parameter: str) -> str:
        """The kind of one of the analysis's parameters; empty where it has none of that name."""
        return next((p.kind for p in self.asked.analysis.parameters if p.name == parameter), "")


def linker(study: Study, asked: Asked, result: Result) -> Callable[[Row], Link | None]:
    """What says for each row of the tables of `result`, the answer to `asked`, where it leads."""
    steps: dict[int, str] = {}
    for table in result.tables.values():
        if {"step", "event"} <= set(table.column_names):
            pairs = zip(table["step"].to_pylist(), table["event"].to_pylist(), strict=True)
            steps.update((step, event) for step, event in pairs if isinstance(step, int))
    return partial(_link, _Answer(study, asked, result.context.params, steps))


def _link(answer: _Answer, row: Row) -> Link | None:
    found, columns = Behind(answer.asked.view), list[str]()
    for rule in _RULES:
        named, column = rule(answer, row, found)
        if column and named != found:
            found, columns = named, [*columns, column]
    if found.everybody and found.view == answer.asked.view:
        return None
    column = columns[0] if found.customer else next((c for c in COUNTS if _is_count(row.get(c))), columns[0])
    counted = row.get("customers")
    if not found.customer and _is_count(counted):
        found = replace(found, counted=counted)
    about = "their histories" if column in COUNTS else "histories"
    return Link(column, found.link(), about)


def _is_count(value: Any) -> bool:
    return is_number(value) and value == int(value) and value > 0


Named = tuple[Behind, str]
"""What a row asks with one rule more, and the column that says it; empty where the rule finds nothing."""


def _customer(_: _Answer, row: Row, found: Behind) -> Named:
    id = row.get("customer")
    # A customer's history says all: what else the row names is advice to this one.
    return (replace(found, customer=id), "customer") if isinstance(id, str) and id else (found, "")


def _edge(answer: _Answer, row: Row, found: Behind) -> Named:
    ends = tuple(str(row.get(end)) for end in ("source", "target"))
    if found.customer or not all(answer.knows("event", end) for end in ends):
        return found, ""
    return replace(found, step=ends, order="strict"), "source"


def _step(answer: _Answer, row: Row, found: Behind) -> Named:
    """A row of a funnel: through the steps up to this one, by the rules that were asked for."""
    last = row.get("step")
    if answer.kind("steps") != "events" or not isinstance(last, int) or last not in answer.steps:
        return found, ""
    steps = tuple(answer.steps[step] for step in sorted(answer.steps) if step <= last)
    if not all(answer.knows("event", step) for step in steps):
        return found, ""
    said = {name: answer.params.get(name) for name in ("within", "order", "start", "exclude")}
    return replace(
        found, step=steps, within=shown_value(said["within"]), order=said["order"] or found.order,
        start=said["start"] or found.start, exclude=tuple(said["exclude"] or ()),
    ), "event"  # fmt: skip


def _path(answer: _Answer, row: Row, found: Behind) -> Named:
    """A whole history, its events joined; one that was cut short, or holds names that are not events, leads nowhere."""
    said = row.get("path")
    events = tuple(said.split(JOIN)) if isinstance(said, str) else ()
    if found.customer or not events or not all(answer.knows("event", event) for event in events):
        return found, ""
    return replace(found, path=events, collapse=answer.params.get("collapse") is True), "path"


def _event(answer: _Answer, row: Row, found: Behind) -> Named:
    if found.customer or found.step:
        return found, ""
    column = next((c for c in EVENTS if answer.knows("event", row.get(c))), "")
    return (replace(found, event=row[column]), column) if column else (found, "")


def _stage(_: _Answer, row: Row, found: Behind) -> Named:
    stage = row.get("stage")
    # A table's first column is what its rows are about; a stage behind an event's name only explains the event.
    if found.customer or stage not in _STAGES or next(iter(row)) != "stage":
        return found, ""
    return replace(found, stage=stage), "stage"


def _group(answer: _Answer, row: Row, found: Behind) -> Named:
    """A group of customers: by the column that was asked for, or by their channel where a table is about channels."""
    if found.customer or answer.kind("by") != "property":
        return found, ""
    by, named = answer.params.get("by"), [column for column in GROUPS if column in row]
    if not by and next(iter(row)) == "channel":
        by, named = "channel", ["channel"]
    touch = "last" if answer.params.get("touch") == "last" else "first"
    if not isinstance(by, str):
        return found, ""
    for column in named:
        if said := _condition(answer, by, row[column], f"{touch}:"):
            return replace(found, view=replace(found.view, segments=(*found.view.segments, said))), column
    return found, ""


def _value(answer: _Answer, row: Row, found: Behind) -> Named:
    """A value of one of the log's own text columns, such as a channel or a product; beside another name it explains."""
    if found != Behind(answer.asked.view):
        return found, ""
    for column in row:
        base = column.removesuffix("_from").removesuffix("_to")
        told = answer.params.get(column) if answer.kind(column) == "property" else None
        own = told if isinstance(told, str) else base
        if own not in _OWN and (said := _condition(answer, own, row[column])):
            # Where a row names two of a kind, as a move does, both hold.
            other = _condition(answer, own, row.get(f"{base}_to")) if column.endswith("_from") else ""
            return replace(found, has=(said, *([other] if other else ()))), column
    return found, ""


def _condition(answer: _Answer, column: str, name: object, touch: str = "") -> str:
    """That `column` is `name`, as a segment is written; empty where the log has no such name, or it can't be written."""
    if not answer.knows(column, name):
        return ""
    said = f"{touch}{column}={name}"
    try:
        return said if Segment.parse(said).value == name else ""
    except InvalidParameter:
        return ""


_RULES = (_customer, _edge, _step, _path, _event, _stage, _group, _value)
"""What a row can name; each adds its condition to those before it."""
