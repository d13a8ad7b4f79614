"""Tables as people read them: shares as percentages, seconds in words, figures with separators, missing as a dash."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from wayfare.domain.duration import in_words

SHOWN = 200
MISSING = "–"
_SHARES = re.compile(r"^(of_\w+|\w*share|\w*rate|\w*probability|quantile|difference)$")
_ENDS = re.compile(r"_(low|high)$")
_PLAIN = frozenset({"year", "step", "period", "cohort", "number", "rank"})


@dataclass(frozen=True)
class Column:
    """One column as it is shown.

    Attributes:
        name: As in the data.
        label: For people.
        help: What it says.
        figures: Whether it holds numbers, set to the right.
    """

    name: str
    label: str
    help: str
    figures: bool


@dataclass(frozen=True)
class Shown:
    """The first rows of a table, as text."""

    name: str
    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return self.total - len(self.rows)


def shown(name: str, table: pa.Table, columns: Mapping[str, str], limit: int = SHOWN) -> Shown:
    """The first `limit` rows of `table`, whose columns mean `columns`."""
    heads, texts = [], []
    for column in table.column_names:
        values = table.column(column)
        kind = form_of(column, values, columns)
        heads.append(Column(column, label(column), columns.get(column, ""), kind not in ("text", "time")))
        texts.append([text(value, kind) for value in values.slice(0, limit).to_pylist()])
    return Shown(name, label(name), tuple(heads), tuple(zip(*texts, strict=True)), table.num_rows)


def label(name: str) -> str:
    """A name for people: `of_first_low` → Of first, low."""
    words = _ENDS.sub(r", \1", name).removesuffix("_seconds").replace("_", " ")
    return words[:1].upper() + words[1:]


def form_of(column: str, values: pa.ChunkedArray, columns: Mapping[str, str]) -> str:
    """How a column is written: share, seconds, p, plain, figure, time or text."""
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return "text"
    base = _ENDS.sub("", column)
    if base.endswith("seconds"):
        return "seconds"
    if column == "p" or column.startswith("p_"):
        return "p"
    if column in _PLAIN:
        return "plain"
    if pa.types.is_floating(kind) and _share(base, columns.get(base, columns.get(column, "")), values):
        return "share"
    return "figure"


def text(value: Any, kind: str = "text") -> str:
    """One value as it is shown."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return " → ".join(text(inner) for inner in value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M").removesuffix(" 00:00")
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, (int, float)):
        return str(value)
    return _figure(value, kind)


def _figure(value: float, kind: str) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if kind == "plain":
        return f"{value:g}"
    if kind == "share":
        percent = value * 100
        digits = 1 if abs(percent) >= 0.1 or percent == 0 else 2
        return f"{percent:.{digits}f} %".replace("-", "−")
    if kind == "seconds":
        return in_words(value) if value >= 0 else f"−{in_words(-value)}"
    if kind == "p":
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return number(value)


def number(value: float) -> str:
    """A number with separators and no more digits than say something."""
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}".replace("-", "−")
    if abs(value) >= 1_000:
        digits = 0
    else:
        digits = 2 if abs(value) >= 1 else min(3 - math.floor(math.log10(abs(value))), 6)
    return f"{value:,.{digits}f}".replace("-", "−")


def _share(base: str, help: str, values: pa.ChunkedArray) -> bool:
    """Whether a column holds shares of one: it is called so, or said to be so, and its values could be."""
    import pyarrow.compute as pc

    if not (_SHARES.match(base) or help.lower().startswith("share")):
        return False
    span = pc.min_max(pc.if_else(pc.is_nan(values), None, values))
    low, high = span["min"].as_py(), span["max"].as_py()
    return low is None or (low >= -1.0000001 and high <= 1.0000001)
