"""The form of an analysis: one field a parameter, filled with what was said, offering what the log has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from inspect import Parameter as Signature
from typing import Any

from wayfare.analysis import DOCUMENTS, Parameter, documents_of, properties_of
from wayfare.domain.duration import Duration
from wayfare.errors import WayfareError
from wayfare.histories.schema import Kind
from wayfare.report.sections import day_of
from wayfare.study import Study
from wayfare.web.asked import Asked
from wayfare.web.studies import View

MANY = 300
"""More names than these are offered as suggestions while typing and not as a list to choose from."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
FEW = 30
"""Segments are suggested for columns of at most so many names."""
SPARE = 3
"""Empty rows of a list, for browsers without scripts."""

_CONTROLS = {
    "event": "event",
    "events": "list",
    "property": "select",
    "properties": "list",
    **dict.fromkeys(DOCUMENTS, "select"),
    "choice": "choice",
    "flag": "flag",
    "day": "day",
    "whole": "number",
    "number": "number",
    "numbers": "list",
    "share": "number",
    "duration": "duration",
    "text": "text",
    "texts": "list",
}


@dataclass(frozen=True)
class Field:
    """One field of a form.

    Attributes:
        name: Its name in the address.
        label: For people.
        control: Which kind of control it is.
        values: What it holds.
        options: What can be chosen; suggestions where `free`.
        free: Whether other values than the options can be written.
        optional: Whether it can be left empty.
        default: What holds when it is left empty, for people.
        help: What it means.
        problem: What is wrong with what was said.
        step: Of a number, how fine it is.
    """

    name: str
    label: str
    control: str
    values: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    free: bool = True
    optional: bool = True
    default: str = ""
    help: str = ""
    problem: WayfareError | None = None
    step: str = "any"

    @property
    def value(self) -> str:
        """The one value."""
        return self.values[-1] if self.values else ""

    @property
    def spare(self) -> int:
        """How many empty rows a list shows where there are no scripts."""
        return SPARE


def fields_of(asked: Asked, study: Study | None, problem: WayfareError | None = None) -> list[Field]:
    """The fields of the analysis's own parameters."""
    return [
        _field(p, asked.said.get(p.name), study, _about(problem, p.name)) for p in asked.analysis.parameters
    ]


def range_fields(view: View, study: Study | None, problem: WayfareError | None = None) -> list[Field]:
    """The fields that every question has: which customers, which days."""
    return [
        Field(
            "segment", "Only customers with", "list", view.segments, segment_options(study), problem=_about(problem, "segment"),
            help="Conditions on a customer's whole history; all must hold: first:channel=web, value>=100, did:refund, never:refund.",
        ),
        _moment("since", "From", view.since, problem, f"The first day that counts{_edge(study, 'begins', first=True)}."),
        _moment("until", "Until", view.until, problem, f"The first day that no longer counts{_edge(study, 'ends', first=False)}."),
    ]  # fmt: skip


def _moment(name: str, label: str, said: str | None, problem: WayfareError | None, help: str) -> Field:
    """A day; a moment that was written with its time, or what is no day at all, stays as it was written."""
    control = "day" if said is None or _DAY.fullmatch(said) else "text"
    return Field(name, label, control, _one(said), problem=_about(problem, name), help=help)


def _edge(study: Study | None, word: str, *, first: bool) -> str:
    """On which day the log begins or ends, to be read after what a field means."""
    moment = (study.log.facts.first if first else study.log.facts.last) if study else None
    return f"; the log {word} on {day_of(moment, study.zone)}" if study and moment is not None else ""


def segment_options(study: Study | None) -> tuple[str, ...]:
    """Segments that the log could have: values of its short columns, and events done or never done."""
    if study is None:
        return ()
    events = study.log.names("event").to_list()[:MANY]
    found = []
    for column in study.log.schema.of_kind(Kind.CODE):
        if column not in ("customer", "event", "order", "session", "product", "referrer", "source"):
            values = study.log.names(column)
            found += [f"first:{column}={value}" for value in values.to_list()] if len(values) <= FEW else []
    return (*found, *(f"did:{event}" for event in events), *(f"never:{event}" for event in events))


def event_options(study: Study | None) -> tuple[str, ...]:
    """The log's events: those with a touchpoint in the journey's order, then the others."""
    if study is None:
        return ()
    known = study.log.names("event").to_list()
    placed = [t.event for t in study.journey.touchpoints if t.event in set(known)]
    return (*placed, *(event for event in known if event not in set(placed)))


def _field(parameter: Parameter, said: Any, study: Study | None, problem: WayfareError | None) -> Field:
    control = _CONTROLS[parameter.kind]
    options, free = _options(parameter, study)
    default = "" if required(parameter) else shown_value(parameter.default)
    return Field(
        name=parameter.name,
        label=parameter.name.replace("_", " ").capitalize(),
        control="select" if control == "choice" and (len(options) > 4 or parameter.optional) else control,
        values=_held(parameter, said),
        options=options,
        free=free,
        optional=parameter.optional or not required(parameter),
        default=default,
        help=parameter.help,
        problem=problem,
        step="1" if parameter.kind == "whole" else "any",
    )


def _options(parameter: Parameter, study: Study | None) -> tuple[tuple[str, ...], bool]:
    if parameter.kind in ("event", "events"):
        options = event_options(study)
        return options, not 0 < len(options) <= MANY
    if parameter.kind == "property":
        columns = study.log.schema.of_kind(Kind.CODE) if study else ()
        return tuple(c for c in columns if c not in ("customer", "event")), False
    if parameter.kind == "properties":
        return (properties_of(study.log), False) if study else ((), True)
    if parameter.kind in DOCUMENTS:
        return (documents_of(study, parameter.kind), False) if study else ((), True)
    return tuple(str(choice) for choice in parameter.choices), parameter.kind != "choice"


def _held(parameter: Parameter, said: Any) -> tuple[str, ...]:
    value = said if said is not None else parameter.default
    if value is None or (said is None and required(parameter)):
        return ()
    if parameter.many:
        return (
            tuple(v.strip() for v in value.split(","))
            if isinstance(value, str)
            else tuple(str(v) for v in value)
        )
    return (shown_value(value),)


def required(parameter: Parameter) -> bool:
    """Whether something must be said for it."""
    return parameter.default is Signature.empty


def shown_value(value: Any) -> str:
    """A parameter's value as it is written in an address or a command."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Duration):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(str(v) for v in value)
    return str(value)


def command(folder: object, name: str, params: Mapping[str, Any], asked: Asked) -> str:
    """The command that gives the same answer."""
    import shlex

    words = ["wayfare", "run", str(folder), name]
    defaults = {p.name: "" if required(p) else shown_value(p.default) for p in asked.analysis.parameters}
    for key, said in asked.said.items():
        value, option = params.get(key), f"--{key.replace('_', '-')}"
        if value is None or said is None or shown_value(value) == defaults[key]:
            continue
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
            continue
        for one in said if isinstance(said, list) else [said]:
            words += [option, one]
    for option, values in (
        ("segment", asked.view.segments),
        ("since", _one(asked.view.since)),
        ("until", _one(asked.view.until)),
    ):
        for value in values:
            words += [f"--{option}", value]
    return shlex.join(words)


def python_call(folder: object, params: Mapping[str, Any], asked: Asked) -> str:
    """The Python that gives the same answer."""
    view = [f"segments={list(asked.view.segments)!r}"] if asked.view.segments else []
    view += [
        f"{name}={value!r}"
        for name, value in (("since", asked.view.since), ("until", asked.view.until))
        if value
    ]
    said = [f"{name}={params[name]!r}" for name in asked.said if name in params]
    opened = ", ".join([repr(str(folder)), *view])
    return f"import wayfare as wf\n\nstudy = wf.open_study({opened})\nwf.{', '.join([f'{asked.analysis.name}(study', *said])})"


def _about(problem: WayfareError | None, name: str) -> WayfareError | None:
    return problem if problem is not None and problem.where == name else None


def _one(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()
