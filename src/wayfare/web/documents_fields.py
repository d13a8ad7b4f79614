"""The form of an item, made from its model: which fields it has, and what a filled-in form says."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from wayfare.domain.canvas import BLOCKS, RATES
from wayfare.domain.document import Document
from wayfare.errors import BadInput
from wayfare.report.sections import label_of
from wayfare.web.documents_words import FIELD_HELPS, FIELD_LABELS
from wayfare.workspace.changes import Set

SKIPPED = ("id", "parts", "reviews", "document", "name", "event", "primary", "support", "personas", "stages")
"""What is changed otherwise, or not at all; an event's name only within a list of events."""
FIRST = ("text", "kind", "amount", "per")
"""The fields of an item that come before its others."""
LONG = ("text", "hypothesis", "about", "frontstage", "backstage", "expectation", "goal")
EVENTS = ("event", "start", "end", "planned", "main_route", "orders")
"""Fields that name an event of the log."""
APART = ("bindings",)
"""Groups whose fields are changed one by one."""
NEW = "__n{}__"
"""Stands for the number of a row in the row that new ones are copied from; rows within rows count up."""

Form = dict[str, Any]
"""What a form says, as mappings of texts: `{"bindings": {"touchpoints": {"0": {"event": "cart"}}}}`."""


@dataclass(frozen=True)
class Offers:
    """What fields that refer to something can name: events of the log, and items (id and words) by field."""

    events: Sequence[str] = ()
    items: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Control:
    """One field of the form, a group of them, or rows of the same fields.

    Attributes:
        name: What it is called in the form: `bindings.touchpoints.0.event`.
        kind: `line`, `area`, `number`, `day`, `choice`, `group`, `rows` or `variants`.
        value: What stands in it; of rows, what stands for the number in the names of `blank`.
        options: What can be chosen, with the words.
        parts: The controls of a group; of each row of rows; of each variant, under its name.
        blank: The controls of a row that is not there yet.
    """

    name: str
    label: str
    kind: str
    value: str = ""
    help: str = ""
    needed: bool = False
    events: bool = False
    options: tuple[tuple[str, str], ...] = ()
    parts: tuple[Control, ...] = ()
    rows: tuple[tuple[Control, ...], ...] = ()
    blank: tuple[Control, ...] = ()

    @property
    def filled(self) -> bool:
        """Whether there is anything in it."""
        return (
            bool(self.rows)
            or any(part.filled for part in self.parts)
            or (self.kind != "rows" and bool(self.value))
        )


def controls(
    model: type[BaseModel], values: Mapping[str, Any], offers: Offers, at: str = ""
) -> tuple[Control, ...]:
    """The controls of a model's fields, with what `values` say in them."""
    found = []
    first = () if at else FIRST
    for name in sorted(
        model.model_fields, key=lambda name: first.index(name) if name in first else len(first)
    ):
        info = model.model_fields[name]
        if name in SKIPPED and not (name == "event" and at):
            continue
        if issubclass(model, Document) and (name in BLOCKS or name == "touchpoints"):
            continue
        key = info.alias or name
        value = values.get(key)
        if key in ("at_least", "at_most") and values.get("measure") in RATES and isinstance(value, float):
            value = f"{value * 100:.10g}%"
        found.append(_control(f"{at}{key}", _type(info), value, offers, info))
    return tuple(found)


def parsed(items: Sequence[tuple[str, str]]) -> Form:
    """A form's fields with points in their names as mappings in mappings."""
    said: Form = {}
    for name, value in items:
        *above, last = name.split(".")
        node = said
        for step in above:
            inner = node.setdefault(step, {})
            if not isinstance(inner, dict):
                raise BadInput("The form can't be read.", where=name, hint="Load the page again.")
            node = inner
        node[last] = value.replace("\r\n", "\n")
    return said


def read(model: type[BaseModel], said: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says of a model, as its fields; what was left blank is left out."""
    found = {}
    for name, info in model.model_fields.items():
        key = info.alias or name
        value = _read(_type(info), said.get(key), info)
        if value is not None:
            found[key] = value
    return found


def changes_of(
    id: str, model: type[BaseModel], base: Mapping[str, Any], was: Mapping[str, Any], said: Form
) -> list[Set]:
    """The fields that a form changes of an item.

    Args:
        id: What names the item; empty for the document itself.
        model: Its model.
        base: The item as it is now; what the form does not ask for is taken from it.
        was: The item as the form's writer saw it.
        said: The form.
    """
    kept = {key: value for key, value in base.items() if key not in said}
    try:
        before = model.model_validate({**base, **was}).model_dump(mode="json", by_alias=True)
        after = model.model_validate({**kept, **read(model, said)}).model_dump(mode="json", by_alias=True)
    except ValidationError as error:
        raise _refused(error, model) from None
    return [
        Set(id, name, old, new)
        for name, old, new in _apart(before, after)
        if old != new and name.split(".")[0] in said
    ]


def _apart(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    found = []
    for name, old in before.items():
        if name in APART:
            found += [(f"{name}.{inner}", value, after[name][inner]) for inner, value in old.items()]
        else:
            found.append((name, old, after[name]))
    return found


def _control(name: str, kind: Any, value: Any, offers: Offers, info: FieldInfo | None) -> Control:
    steps = [step for step in name.split(".") if not step.isdigit() and not step.startswith("__n")]
    path, last = ".".join(steps), steps[-1]
    label = FIELD_LABELS.get(path) or FIELD_LABELS.get(last) or label_of(last)
    said: dict[str, Any] = {
        "name": name,
        "label": label,
        "help": FIELD_HELPS.get(path, FIELD_HELPS.get(last, "")),
        "needed": info is not None and info.is_required(),
    }
    if _is_model(kind):
        values = value if isinstance(value, Mapping) else {}
        return Control(**said, kind="group", parts=controls(kind, values, offers, f"{name}."))
    if get_origin(kind) is tuple:
        return _rows(said, kind, value, offers)
    variants = _variants(kind)
    if variants:
        return _variants_control(said, variants, value, offers)
    text = _text(value if value is not None or info is None else info.get_default(call_default_factory=True))
    options = tuple(_options(kind)) or (tuple(offers.items.get(path, ())) if kind is str else ())
    if kind is int and info is not None:
        options = _few(info)
    if options or (kind is str and path in offers.items):
        return Control(**said, kind="choice", value=text, options=options)
    shape = "number" if kind in (int, float) and last not in ("at_least", "at_most") else "line"
    shape = "day" if kind is date else "area" if last in LONG and len(steps) == 1 else shape
    return Control(**said, kind=shape, value=text, events=last in EVENTS)


def _rows(said: dict[str, Any], kind: Any, value: Any, offers: Offers) -> Control:
    inner = _bare(get_args(kind)[0])
    name = said["name"]

    def row(number: object, each: Any) -> tuple[Control, ...]:
        if _is_model(inner):
            return controls(inner, each if isinstance(each, Mapping) else {}, offers, f"{name}.{number}.")
        one = _control(f"{name}.{number}", inner, each, Offers(offers.events), None)
        return (one,)

    if name.endswith("segment"):
        said = {**said, "label": FIELD_LABELS["bindings.segment"], "help": FIELD_HELPS["bindings.segment"]}
    given = value if isinstance(value, list | tuple) else ()
    rows = tuple(row(number, each) for number, each in enumerate(given))
    new = NEW.format(name.count("__n"))
    return Control(**said, kind="rows", value=new, rows=rows, blank=row(new, None))


def _variants_control(said: dict[str, Any], variants: Sequence[Any], value: Any, offers: Offers) -> Control:
    """A field that is one of several models, told apart by their `kind`."""
    chosen = value.get("kind", "") if isinstance(value, Mapping) else ""
    name = said["name"]
    parts = []
    for model in variants:
        kind = get_args(model.model_fields["kind"].annotation)[0]
        inner = controls(model, value if kind == chosen else {}, offers, f"{name}.")
        fields = tuple(part for part in inner if part.name != f"{name}.kind")
        parts.append(Control(kind, label_of(kind), "group", parts=fields))
    options = tuple((part.name, part.label) for part in parts)
    return Control(**said, kind="variants", value=chosen, options=options, parts=tuple(parts))


def _read(kind: Any, said: Any, info: FieldInfo | None) -> Any:
    if get_origin(kind) is tuple:
        return _read_rows(_bare(get_args(kind)[0]), said)
    variants = _variants(kind)
    if variants and isinstance(said, Mapping):
        chosen = next((m for m in variants if said.get("kind") in get_args(m.model_fields["kind"].annotation)), None)  # fmt: skip
        return None if chosen is None else read(chosen, said)
    if _is_model(kind):
        if not isinstance(said, Mapping):
            return None
        optional = info is not None and not info.is_required() and info.default is None
        return None if optional and _untouched(kind, said) else read(kind, said)
    if not isinstance(said, str) or not said.strip():
        return None
    return said if kind is str else said.strip()


def _read_rows(inner: Any, said: Any) -> Any:
    if not isinstance(said, Mapping):
        return None
    found: list[Any] = []
    for number in sorted((key for key in said if key.isdigit()), key=int):
        row = said[number]
        if _is_model(inner):
            if isinstance(row, Mapping) and not _untouched(inner, row):
                found.append(read(inner, row))
        elif isinstance(row, str) and row.strip():
            found.append(row.strip())
    return found


def _untouched(model: type[BaseModel], said: Mapping[str, Any]) -> bool:
    """Whether nothing was written into a model's fields beside what stands in them from the start."""
    for name, info in model.model_fields.items():
        value = said.get(info.alias or name)
        kind = _type(info)
        if get_origin(kind) is tuple:
            if _read_rows(_bare(get_args(kind)[0]), value):
                return False
        elif _is_model(kind):
            if isinstance(value, Mapping) and not _untouched(kind, value):
                return False
        elif isinstance(value, str) and value.strip():
            default = None if info.is_required() else info.get_default(call_default_factory=True)
            if value.strip() != _text(default):
                return False
    return True


def _refused(error: ValidationError, model: type[BaseModel]) -> BadInput:
    first = error.errors(include_url=False)[0]
    steps = [step for step in first["loc"] if step not in ("amounts", "time_driven")]
    if "amounts" in first["loc"][2:]:  # the variant's name stands before its field of the same name
        steps.insert(1, "amounts")
    where = ".".join(str(step) for step in steps)
    message = str(first["msg"]).removeprefix("Value error, ")
    last = next((step for step in reversed(steps) if isinstance(step, str)), model.__name__.lower())
    said = (
        "is needed" if first["type"] in ("missing", "string_too_short") else message[:1].lower() + message[1:]
    )
    if first["type"] == "value_error":
        return BadInput(f"{message[:1].upper()}{message[1:]}.", where=where)
    return BadInput(f"{FIELD_LABELS.get(last, label_of(last))}: {said}.", where=where)


def _type(info: FieldInfo) -> Any:
    return _bare(info.annotation)


def _bare(kind: Any) -> Any:
    """A type without its constraints, and without None."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
            continue
        if get_origin(kind) in (Union, types.UnionType):
            inner = [each for each in get_args(kind) if each is not type(None)]
            if len(inner) == 1:
                kind = inner[0]
                continue
        return kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _variants(kind: Any) -> list[Any]:
    found = [_bare(each) for each in get_args(kind)] if get_origin(kind) in (Union, types.UnionType) else []
    return found if found and all(_is_model(each) for each in found) else []


def _options(kind: Any) -> list[tuple[str, str]]:
    if get_origin(kind) is Literal:
        return [(str(each), label_of(str(each))) for each in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [(each.value, label_of(each.value)) for each in kind]
    if get_origin(kind) in (Union, types.UnionType):
        return [option for each in get_args(kind) for option in _options(_bare(each))]
    return []


def _few(info: FieldInfo) -> tuple[tuple[str, str], ...]:
    """The numbers of a short scale."""
    low, high = (
        next((getattr(m, end) for m in info.metadata if hasattr(m, end)), None) for end in ("ge", "le")
    )
    if not isinstance(low, int) or not isinstance(high, int):
        return ()
    return tuple((str(number), str(number)) for number in range(low, high + 1))


def _text(value: Any) -> str:
    if value is None or value is PydanticUndefined or isinstance(value, Mapping | tuple | list):
        return ""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
