"""What columns a log has and how each is stored: one plain NumPy array a column, missing values in-band."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Kind(StrEnum):
    """How a column is stored."""

    CODE = "code"
    """Text with repeats: an integer into the column's names; missing is -1."""
    NUMBER = "number"
    """A 64-bit float; missing is nan."""
    TIME = "time"
    """Microseconds since 1970 in UTC, 64-bit; missing is the smallest integer."""
    FLAG = "flag"
    """0 or 1 in 8 bits; missing is -1."""
    TEXT = "text"
    """Text that hardly repeats (ids, comments), kept as it is and read only when asked for."""


MISSING_TIME = np.iinfo(np.int64).min

CANONICAL: dict[str, Kind] = {
    "customer": Kind.CODE,
    "time": Kind.TIME,
    "event": Kind.CODE,
    "channel": Kind.CODE,
    "session": Kind.CODE,
    "order": Kind.CODE,
    "product": Kind.CODE,
    "category": Kind.CODE,
    "quantity": Kind.NUMBER,
    "value": Kind.NUMBER,
    "cost": Kind.NUMBER,
    "score": Kind.NUMBER,
    "campaign": Kind.CODE,
    "referrer": Kind.CODE,
    "event_id": Kind.TEXT,
    "source": Kind.CODE,
}
"""The columns that mean the same in every log; any further column travels as a property with its own kind."""

REQUIRED = ("customer", "time", "event")


@dataclass(frozen=True)
class Schema:
    """The columns of one log, in their stored order: canonical ones first."""

    kinds: tuple[tuple[str, Kind], ...]

    def __contains__(self, name: object) -> bool:
        return any(column == name for column, _ in self.kinds)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.kinds)

    def __getitem__(self, name: str) -> Kind:
        return dict(self.kinds)[name]

    def of_kind(self, kind: Kind) -> tuple[str, ...]:
        """The names of the columns stored as `kind`."""
        return tuple(name for name, its in self.kinds if its is kind)


def code_type(names: int) -> np.dtype[np.signedinteger]:
    """The narrowest integer that holds the codes of `names` names."""
    for candidate in (np.int8, np.int16, np.int32):
        if names <= np.iinfo(candidate).max:
            return np.dtype(candidate)
    return np.dtype(np.int64)


def storage_type(kind: Kind, names: int = 0) -> np.dtype:
    """The NumPy type that a column of `kind` is stored as."""
    if kind is Kind.CODE:
        return code_type(names)
    return np.dtype(
        {Kind.NUMBER: np.float64, Kind.TIME: np.int64, Kind.FLAG: np.int8, Kind.TEXT: np.object_}[kind]
    )


def missing(kind: Kind) -> object:
    """The value that stands for *missing* in a column of `kind`."""
    return {Kind.CODE: -1, Kind.NUMBER: np.nan, Kind.TIME: MISSING_TIME, Kind.FLAG: -1, Kind.TEXT: None}[kind]
