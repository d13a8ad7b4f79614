"""What an analysis gives back: frozen tables with named columns, findings in plain words, a picture, a JSON form."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

    from wayfare.charts.picture import Picture

_SHOWN = 20
"""Rows of a result's main table that its text has."""
_WIDEST = 40
"""The most letters that one of its cells has."""


class Columns:
    """The columns of a result's table, in order, each with what it says; annotates a table's field."""

    def __init__(self, **columns: str) -> None:
        self.columns = columns


@dataclass(frozen=True)
class Finding:
    """A sentence that a busy person can act on.

    Attributes:
        text: What, how much, how sure, since when.
        money: The value at stake in the workspace's currency, where it can be said; ranks the report.
        customers: How many customers it is about, where it can be said.
    """

    text: str
    money: float | None = None
    customers: float | None = None


@dataclass(frozen=True)
class Context:
    """Which analysis gave the result, with which parameters, on which log."""

    analysis: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    log: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """The base of every result. A subclass adds its tables as fields `name: Annotated[pa.Table, Columns(...)]`,
    the main one first, and says how it is drawn."""

    findings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    context: Context = Context()

    observational: ClassVar[str] = ""
    """Where what is compared was not randomised: what could confound it, as one sentence."""

    @classmethod
    def columns(cls) -> dict[str, dict[str, str]]:
        """The tables that this kind of result has, each with its columns and what they say."""
        return _declared(cls)  # type: ignore[arg-type]

    @property
    def tables(self) -> dict[str, pa.Table]:
        """The tables by name, the main one first."""
        return {name: getattr(self, name) for name in self.columns()}

    def draw(self) -> Picture | None:
        """What a subclass draws, or None where there is too little to draw."""
        return None

    def chart(self) -> Picture | None:
        """The picture of the result, or None where there is too little to draw; it says so where data are simulated."""
        picture = self.draw()
        return picture.simulated() if picture and self.context.log.get("simulated") else picture

    def to_pandas(self, name: str | None = None) -> pd.DataFrame:
        """One table (the main one unless named) as a pandas frame."""
        return self._table(name).to_pandas()

    def to_polars(self, name: str | None = None) -> Any:
        """One table (the main one unless named) as a polars frame."""
        try:
            import polars as pl
        except ImportError as error:
            from wayfare.errors import MissingExtra

            raise MissingExtra.of("polars", "Giving a table to polars") from error
        return pl.from_arrow(self._table(name))

    def _table(self, name: str | None) -> pa.Table:
        tables = self.tables
        if name is None:
            return next(iter(tables.values()))
        if name not in tables:
            from wayfare.errors import UnknownName

            raise UnknownName.among("table", name, tables)
        return tables[name]

    def to_dict(self) -> dict[str, Any]:
        """The result as every JSON surface shows it."""
        return {
            "analysis": self.context.analysis,
            "params": _plain(self.context.params),
            "log": _plain(self.context.log),
            "tables": {name: rows(table) for name, table in self.tables.items()},
            "findings": [finding.text for finding in self.findings],
            "warnings": list(self.warnings),
        }

    def to_json(self, indent: int | None = None) -> str:
        """The result as JSON text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """The result that `to_dict` wrote; times stay ISO text and findings lose their ranks."""
        tables = {
            name: pa.table({column: [row[column] for row in data["tables"][name]] for column in columns})
            for name, columns in cls.columns().items()
        }
        return cls(
            **tables,
            findings=tuple(Finding(text) for text in data["findings"]),
            warnings=tuple(data["warnings"]),
            context=Context(data["analysis"], data["params"], data["log"]),
        )

    def __init_subclass__(cls, **said: Any) -> None:
        super().__init_subclass__(**said)
        for name in ("__repr__", "__eq__", "__hash__"):  # a dataclass writes its own where its class has none
            if name not in vars(cls):
                setattr(cls, name, getattr(Result, name))

    def __eq__(self, other: object) -> bool:
        """Whether the answers are the same: what is missing in both is (Arrow's not-a-number never equals itself)."""
        if not isinstance(other, type(self)):
            return NotImplemented
        return self is other or (self.findings == other.findings and self.to_dict() == other.to_dict())

    def __hash__(self) -> int:
        return hash((type(self), self.context.analysis, self.findings))

    def __str__(self) -> str:
        lines = [f"{self.context.analysis}: {self.context.log.get('customers', 0):,} customers"]
        lines += [f"  {finding.text}" for finding in self.findings]
        lines += [f"  ! {warning}" for warning in self.warnings]
        return "\n".join([*lines, *_main_table(self)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from wayfare.charts.notebook import notebook_html

        return notebook_html(self)


def _main_table(result: Result) -> Iterator[str]:
    """What fits a terminal of the main table, how much more there is, and the other tables' names."""
    if not result.tables:
        return
    (name, main), *others = result.tables.items()
    if main.num_rows == 0:
        yield f"{name}: no rows"
    else:
        frame = main.slice(0, _SHOWN).to_pandas()
        fit = _columns_that_fit(frame, shutil.get_terminal_size().columns)
        yield frame[fit].to_string(index=False, max_colwidth=_WIDEST)
        left_out = {"rows": main.num_rows - len(frame), "columns": main.num_columns - len(fit)}
        more = " and ".join(f"{count:,} more {what}" for what, count in left_out.items() if count)
        if more:
            yield f"{more}: .to_pandas({name!r})"
    if others:
        yield f"Further tables: {', '.join(other for other, _ in others)}"


def _columns_that_fit(frame: pd.DataFrame, room: int) -> list[str]:
    fit: list[str] = []
    for column in frame.columns:
        room -= len(frame[[column]].to_string(index=False, max_colwidth=_WIDEST).split("\n", 1)[0]) + 1
        if room < 0 and fit:
            break
        fit.append(column)
    return fit


@cache
def _declared(cls: type[Result]) -> dict[str, dict[str, str]]:
    hints = get_type_hints(cls, include_extras=True)
    return {
        f.name: next(a.columns for a in get_args(hints[f.name]) if isinstance(a, Columns))
        for f in dataclasses.fields(cls)
        if get_origin(hints[f.name]) is Annotated
        and any(isinstance(a, Columns) for a in get_args(hints[f.name]))
    }


def table(**columns: Any) -> pa.Table:
    """A table from arrays or lists of one length; NumPy times become UTC timestamps."""
    return pa.table({name: _array(values) for name, values in columns.items()})


def _array(values: Any) -> pa.Array:
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return pa.array(values.astype("datetime64[us]"), pa.timestamp("us", tz="UTC"))
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    return values if isinstance(values, pa.Array) else pa.array(values)


def rows(of: pa.Table) -> list[dict[str, Any]]:
    """The table as JSON-ready rows: missing and not-a-number as None, times as ISO text."""
    columns = {name: [_plain(value) for value in of.column(name).to_pylist()] for name in of.column_names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
