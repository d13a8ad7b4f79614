"""What `wayfare.yaml` says: the company's name, currency and time zone, its journey, and its baseline."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from wayfare.domain.journey import STAGES, Journey, Touchpoint
from wayfare.errors import BadInput, InvalidParameter, UnknownName, WayfareError
from wayfare.workspace.yaml_tree import Tree, read_tree

_CURRENCY = re.compile(r"[A-Z]{3}")
_STAGE_NAMES = (*(stage.value for stage in STAGES), "none")

_SHAPES = {
    "tuple_type": "a list, such as [purchase]",
    "model_type": "settings of its own, indented under it",
    "dict_type": "settings of its own, indented under it",
    "string_type": "text",
}


class Baseline(BaseModel):
    """The days that later ones are compared with; the first and the last of them both count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: date = Field(alias="from")
    to: date

    @model_validator(mode="after")
    def _forward(self) -> Baseline:
        if self.to < self.since:
            raise ValueError(f"the baseline ends on {self.to}, before it begins on {self.since}")
        return self


class Config(BaseModel):
    """The settings of one workspace; a journey that is not there is proposed from the events' names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    currency: str = "EUR"
    timezone: str = "UTC"
    baseline: Baseline | None = None
    journey: Journey | None = None
    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        return checked_currency(value)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return checked_zone(value)


def checked_currency(value: str) -> str:
    """The currency in capitals, or the error that says what one looks like."""
    code = value.strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise InvalidParameter(
            f"{value!r} is not a currency.",
            where="currency",
            allowed=("EUR", "USD", "GBP"),
            hint="Write its three letters (ISO 4217).",
        )
    return code


def checked_zone(value: str) -> str:
    """The time zone, or the error that names the closest one."""
    if value in available_timezones():
        return value
    unknown = UnknownName.among("time zone", value, available_timezones())
    examples = ("Europe/Amsterdam", "America/New_York", "Asia/Singapore", "UTC")
    raise InvalidParameter(
        unknown.problem,
        where="timezone",
        allowed=examples,
        hint=unknown.hint or "Write it as Area/City (IANA time zone database).",
    )


def parse_config(text: str, where: str) -> Config:
    """The settings that `text` says; what is wrong is named with the file `where` and its line."""
    tree = read_tree(text, where)
    try:
        return Config.model_validate(tree.value)
    except WayfareError as error:
        line = tree.line((error.where,))
        raise BadInput(
            error.problem, where=f"{where}, line {line}", allowed=error.allowed, hint=error.hint
        ) from None
    except ValidationError as error:
        raise _explained(error.errors(include_url=False), tree, where) from None


def _explained(errors: list[ErrorDetails], tree: Tree, where: str) -> BadInput:
    """The first error in the file's order as ours, with how many more there are; what is missing may only be misspelt."""
    error = min(errors, key=lambda each: (each["type"] == "missing", tree.line(_path(each))))
    line = tree.line(_path(error))
    problem, allowed, hint = _said(error)
    more = len({_path(other) for other in errors} - {_path(error)})
    if more:
        hint = f"{hint} There {'is' if more == 1 else 'are'} {more} more after this one.".strip()
    return BadInput(problem, where=f"{where}, line {line}", allowed=allowed, hint=hint)


def _path(error: ErrorDetails) -> tuple[int | str, ...]:
    """Where in the file the error is: the steps of a union's branches are no keys."""
    path: list[int | str] = []
    for step in error["loc"]:
        path.append(step)
        if step in ("stage", "after_purchase"):
            break
    return tuple(path)


def _said(error: ErrorDetails) -> tuple[str, tuple[str, ...], str]:
    path = _path(error)
    key, value = path[-1] if path else "", error["input"]
    if key in ("stage", "after_purchase") and error["type"] != "missing":
        unknown = UnknownName.among("stage", str(value), _STAGE_NAMES)
        return unknown.problem, _STAGE_NAMES, unknown.hint
    if error["type"] == "extra_forbidden":
        allowed = _keys(path[:-1])
        unknown = UnknownName.among("setting", str(key), allowed)
        return unknown.problem, allowed, unknown.hint
    if error["type"] == "missing":
        return f"{key!r} is missing.", (), f"Add a line `{key}: …`."
    if error["type"] in _SHAPES:
        return f"{key!r} must be {_SHAPES[error['type']]}.", (), ""
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{message[:1].upper()}{message[1:]}.", (), ""
    return f"{key!r} can't be {value!r}: {message[:1].lower()}{message[1:]}.", (), ""


def _keys(path: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys that may stand under `path`."""
    models: dict[Any, type[BaseModel]] = {"journey": Journey, "baseline": Baseline, "touchpoints": Touchpoint}
    owner = next((models[step] for step in reversed(path) if step in models), Config)
    return tuple(field.alias or name for name, field in owner.model_fields.items())
