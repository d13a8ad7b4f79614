"""What `wayfare.yaml` says: the company's name, currency and time zone, its database, and its baseline."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from wayfare.errors import BadInput, InvalidParameter, UnknownName, WayfareError
from wayfare.workspace.explained import explained
from wayfare.workspace.yaml_tree import read_tree

_CURRENCY = re.compile(r"[A-Z]{3}")


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
    """The settings of one workspace; without a database by address, documents are in its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    currency: str = "EUR"
    timezone: str = "UTC"
    baseline: Baseline | None = None
    database: str | None = None
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
        raise explained(error, tree, Config, where) from None
