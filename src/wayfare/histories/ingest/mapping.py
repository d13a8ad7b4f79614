"""Which column of a source is what in the log."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from wayfare.errors import InvalidParameter
from wayfare.histories.schema import CANONICAL, REQUIRED

Properties = Literal["all"] | tuple[str, ...]
SETTINGS = ("zone", "time_format", "time_unit", "decimal")


@dataclass(frozen=True)
class Mapping:
    """Which source column fills which column of the log.

    Attributes:
        columns: From a canonical name (`customer`, `time`, `event`, `value`, ...) or a property's name to the
            source column's name.
        constants: From a column of the log to one text for all rows.
        zone: The zone of times that name none, where it is not the workspace's.
        time_format: How times are written, in strptime's letters, where it can't be seen.
        time_unit: What numbers in the time column count: s, ms, us, ns since 1970, or `day` for yyyymmdd.
        decimal: The decimal mark of numbers in text, `.` or `,`; seen from the data where empty.
        properties: Which unmapped columns travel as properties: all, or those named.
    """

    columns: AnyMapping[str, str] = field(default_factory=dict)
    constants: AnyMapping[str, str] = field(default_factory=dict)
    zone: str = ""
    time_format: str = ""
    time_unit: str = ""
    decimal: str = ""
    properties: Properties = "all"

    @classmethod
    def parse(
        cls,
        *,
        customer: str | None = None,
        time: str | None = None,
        event: str | None = None,
        maps: Sequence[str] = (),
    ) -> Mapping:
        """The mapping of a command line: three options, and `key=COL` for anything else.

        The keys `zone`, `time_format`, `time_unit` and `decimal` set those; `properties=a,b` or `properties=none`
        names what else travels.
        """
        options = {"customer": customer, "time": time, "event": event}
        columns = {key: column for key, column in options.items() if column is not None}
        settings: dict[str, Any] = {}
        for text in maps:
            key, mark, column = (part.strip() for part in text.partition("="))
            if not (key and mark and column):
                raise InvalidParameter(
                    f"{text!r} is not a mapping.", where="map", hint="Write key=COL, as in value=Total."
                )
            key = next(
                (name for name in (*CANONICAL, *SETTINGS, "properties") if name == key.casefold()), key
            )
            if columns.get(key, column) != column or settings.get(key, column) != column:
                raise InvalidParameter(
                    f"{key} is given twice.", where="map", allowed=(columns.get(key, settings.get(key)), column),
                    hint="Keep one of them.",
                )  # fmt: skip
            if key in SETTINGS:
                settings[key] = column
            elif key == "properties":
                settings[key] = _properties(column)
            else:
                columns[key] = column
        return cls(columns, **settings)

    def completed(self, other: Mapping) -> Mapping:
        """This mapping, with what it leaves open taken from `other`."""
        taken = {column.casefold() for column in self.columns.values()}
        filled = {
            key: column
            for key, column in other.columns.items()
            if key not in self.columns
            and key not in self.constants
            and (column.casefold() not in taken or key in REQUIRED)
        }
        constants = {key: text for key, text in other.constants.items() if key not in self.columns}
        return Mapping(
            {**filled, **self.columns}, {**constants, **self.constants}, self.zone or other.zone,
            self.time_format or other.time_format, self.time_unit or other.time_unit, self.decimal or other.decimal, self.properties,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The mapping as it is shown and stored, without what is empty."""
        return {key: value for key, value in asdict(self).items() if value}


def _properties(text: str) -> Properties:
    if text == "all":
        return "all"
    return () if text == "none" else tuple(name.strip() for name in text.split(","))


@dataclass(frozen=True)
class Detected:
    """A guess at a source's mapping, with the reason for each column and three rows to judge it by."""

    mapping: Mapping
    reasons: dict[str, str]
    sample: list[dict[str, Any]]
    warnings: tuple[str, ...] = ()
