"""Numbers as people read them: what a column's name says of its unit, and each value written in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal

from wayfare.domain.duration import in_words

Kind = Literal["share", "points", "money", "seconds", "days", "p", "code", "count", "plain"]

MISSING = "–"

_ENDS = re.compile(r"_(low|high|error|se)$")
_OF_THE_SAME = frozenset({"low", "high", "error", "estimate", "se", "lift", "difference"})
"""Columns that say nothing by themselves: they are in the unit of the column before them."""
_SHARES = frozenset(
    {
        "share",
        "rate",
        "probability",
        "reach",
        "retention",
        "churn",
        "survival",
        "removal_effect",
        "coverage",
        "drop_off",
        "others",
    }
)
_SHARE_WORDS = frozenset({"share", "rate", "probability", "conversion", "repurchase"})
_MONEY = frozenset(
    {
        "value",
        "revenue",
        "cost",
        "money",
        "price",
        "profit",
        "margin",
        "spend",
        "average_order_value",
        "value_at_stake",
        "worth",
    }
)
_METRICS_OWN = frozenset(
    {"value", "low", "high", "baseline", "current", "change", "change_low", "change_high", "slope_per_period"}
)
_DIFFERENCES = ("difference", "lift", "change")
_WORDS = re.compile(r"[a-z0-9]+")


def kind_of(column: str) -> Kind:
    """The unit that a column's name (or a metric's) says: `of_first` is a share, `median_seconds` a time."""
    name = _ENDS.sub("", column.lower())
    words = _WORDS.findall(name)
    if name == "year":
        return "code"
    if name == "p" or name.startswith("p_"):
        return "p"
    if words[-1:] == ["seconds"]:
        return "seconds"
    if "days" in words and words[0] not in ("in", "within"):
        return "days"
    if name in _SHARES or _SHARE_WORDS & set(words) or words[:1] in (["share"], ["of"]):
        return "share"
    return "money" if name in _MONEY or {"value", "revenue", "cost", "money"} & set(words) else "plain"


def kinds_of(columns: Iterable[str]) -> dict[str, Kind]:
    """The unit of each column of a table; `low`, `high` and `difference` are in that of the column before them."""
    found: dict[str, Kind] = {}
    before: Kind = "plain"
    for column in columns:
        if _ENDS.sub("", column) not in _OF_THE_SAME:
            before = kind_of(column)
        found[column] = _apart(column, before)
    for column, ends in intervals_of(list(found)).items():
        found.update(dict.fromkeys(ends, found[column]))
    return found


def intervals_of(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The columns that have an interval, each with the names of its ends.

    They are called after the column (`rate`, `rate_low`, `rate_high`, wherever they stand), or stand right after it
    under a name of their own (`value`, `low`, `high`; `median_days`, `median_low`, `median_high`).
    """
    found = {name: (f"{name}_low", f"{name}_high") for name in names}
    found = {name: ends for name, ends in found.items() if set(ends) <= set(names)}
    named = {end for ends in found.values() for end in ends}
    for name, low, high in zip(names, names[1:], names[2:], strict=False):
        own = re.fullmatch(r"(|.*_)low", low)
        if own and high == f"{own[1]}high" and low not in named and name not in found:
            found[name] = (low, high)
    return {name: found[name] for name in names if name in found}


def _apart(column: str, kind: Kind) -> Kind:
    """The unit of a difference: two shares differ by points."""
    return "points" if kind == "share" and _ENDS.sub("", column).endswith(_DIFFERENCES) else kind


def shown(column: str, value: Any, currency: str = "") -> str:
    """`value` as a cell of the column: 41.2%, EUR 9,400, 3.5 hours, 12,345; a dash where nothing is known."""
    return written(kind_of(column), value, currency)


def shown_row(row: Mapping[str, Any], currency: str = "") -> list[str]:
    """Every cell of a row, in its columns' order; in a row about a `metric` the numbers are in the metric's unit."""
    kinds = kinds_in(row)
    return [written(kinds[name], value, currency) for name, value in row.items()]


def kinds_in(row: Mapping[str, Any]) -> dict[str, Kind]:
    """The unit of each value of a row; where it is about a `metric`, that of the metric."""
    kinds = kinds_of(row)
    if isinstance(row.get("metric"), str):
        said = row.get("kind")
        own: Kind = said if said in ("share", "money", "count") else kind_of(row["metric"])
        kinds.update({name: _apart(name, own) for name in row if name in _METRICS_OWN})
    return kinds


def written(kind: Kind, value: Any, currency: str = "") -> str:
    """`value` in a unit; text, times and yes or no are the same in all."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ", ".join(written("plain", inner) for inner in value) or MISSING
    if not isinstance(value, (int, float)):
        return str(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return _WRITERS[kind](value, currency).replace("-", "−")


def is_number(value: Any) -> bool:
    """Whether a value stands to the right in its column."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def money(value: float, currency: str) -> str:
    """An amount: without cents from a hundred on."""
    sign = "-" if value < 0 else ""
    amount = f"{abs(value):,.0f}" if abs(value) >= 100 or value == int(value) else f"{abs(value):,.2f}"
    return f"{sign}{currency} {amount}".strip().replace("- ", "-")


def short(value: float) -> str:
    """A count in few characters: 940, 12.3k, 4.1M."""
    for limit, size, unit in (
        (10_000, 1, ""),
        (999_500, 1_000, "k"),
        (999_500_000, 1_000_000, "M"),
        (math.inf, 1e9, "G"),
    ):
        if abs(value) < limit:
            return f"{value:,.0f}" if size == 1 else f"{value / size:.3g}{unit}"
    raise AssertionError


def _share(value: float, _: str) -> str:
    if isinstance(value, int) or abs(value) > 1.000001:
        return _number(value, "")
    percent = value * 100
    if 0 < abs(percent) < 0.1:
        return f"{percent:.2g}%"
    return f"{percent:.1f}%".replace(".0%", "%")


def _points(value: float, _: str) -> str:
    return f"{value * 100:+.1f} points"


def _number(value: float, _: str) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    digits = 0 if size >= 1_000 else 1 if size >= 100 else 2 if size >= 1 else 4
    if 0 < size < 0.001:
        return f"{value:.2g}"
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _p(value: float, _: str) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _days(value: float, _: str) -> str:
    return _number(value, "") if value < 0 else in_words(value * 86_400)


def _moment(value: datetime) -> str:
    utc = value.astimezone(UTC) if value.tzinfo else value
    text = (
        utc.strftime("%Y-%m-%d")
        if (utc.hour, utc.minute, utc.second) == (0, 0, 0)
        else utc.strftime("%Y-%m-%d %H:%M")
    )
    return f"{text} UTC" if value.tzinfo and ":" in text else text


_WRITERS = {
    "share": _share,
    "points": _points,
    "money": money,
    "seconds": lambda value, _: in_words(value) if value >= 0 else _number(value, ""),
    "days": _days,
    "p": _p,
    "count": lambda value, _: f"{value:,.0f}",
    "code": lambda value, _: f"{value:g}",
    "plain": _number,
}
