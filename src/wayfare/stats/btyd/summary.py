"""The table that a re-purchase model is fitted on: read, checked, and reduced to distinct rows with counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import BadInput, UnknownName

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

# Recency and age come out of different sums of days; they may differ by rounding only.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Customers, or distinct kinds of customer with their counts.

    Attributes:
        frequency: Repeat orders, x: those after the first.
        recency: The time from the first order to the last, t_x; 0 where x = 0.
        age: The time from the first order to the end of the record, T.
        weight: How many customers the row stands for.
        levels: The distinct frequencies.
        level: For each row the place of its frequency in `levels`.
    """

    frequency: Floats
    recency: Floats
    age: Floats
    weight: Floats
    levels: Floats
    level: Indices

    def by_frequency(self, function: Callable[[Floats], Any]) -> Any:
        """`function` of the frequency, a row, computed once for each distinct frequency."""
        return function(self.levels)[self.level]

    @property
    def customers(self) -> float:
        """How many customers the rows stand for."""
        return float(self.weight.sum())


def rows_of(frequency: Floats, recency: Floats, age: Floats, weight: Floats) -> Rows:
    """`Rows` with the levels of the frequency found."""
    levels, level = levels_of(frequency)
    return Rows(frequency, recency, age, weight, levels, level)


def read_rows(summary: Any) -> Rows:
    """The columns `frequency, recency, age` (and `weight`, if there) of any table, checked.

    Args:
        summary: A mapping of arrays, a pandas or polars frame, or a pyarrow table.

    Raises:
        UnknownName: a column is missing.
        BadInput: a value is impossible.
    """
    frequency, recency, age = (column(summary, name) for name in ("frequency", "recency", "age"))
    weight = weights(summary, frequency.size)
    _check(
        (not same_length(frequency, recency, age, weight), "The columns differ in length."),
        ((frequency < 0) | (frequency % 1 != 0), "A frequency is no whole number of orders."),
    )
    _check(
        (recency > age + _ROUNDING * (1 + age), "A recency lies beyond the age."),
        ((recency < 0) | (age < 0), "A recency or an age is negative."),
        ((frequency == 0) & (recency != 0), "A customer without a repeat order has a recency other than 0."),
        ((frequency > 0) & (recency == 0), "A customer with repeat orders has a recency of 0."),
    )
    return rows_of(frequency, np.minimum(recency, age), age, weight)


def repeaters(rows: Rows) -> float:
    """How many customers have bought more than once."""
    return float(rows.weight[rows.frequency > 0].sum())


def column(table: Any, name: str) -> Floats:
    """A column of numbers by its name.

    Raises:
        UnknownName: there is none of that name.
        BadInput: it holds text, or numbers that are missing or infinite.
    """
    if name not in column_names(table):
        raise UnknownName.among("column", name, column_names(table), where="summary")
    try:
        values = np.asarray(table[name], dtype=float)
    except (TypeError, ValueError) as problem:
        raise BadInput(
            f"The column {name!r} holds something other than numbers.", where="summary"
        ) from problem
    _check((~np.isfinite(values), f"The column {name!r} holds missing or infinite numbers."))
    return values


def column_names(table: Any) -> list[str]:
    """The names of a table's columns, whatever its make."""
    for attribute in ("column_names", "columns"):
        names = getattr(table, attribute, None)
        if names is not None and not callable(names):
            return [str(name) for name in names]
    return [str(name) for name in table] if isinstance(table, Iterable) else []


def weights(table: Any, size: int) -> Floats:
    """The column `weight`, or ones where there is none."""
    if "weight" not in column_names(table):
        return np.ones(size)
    weight = column(table, "weight")
    _check((weight < 0, "A weight is negative."))
    return weight


def same_length(*arrays: npt.NDArray[Any]) -> bool:
    """Whether all arrays have one shape."""
    return len({array.shape for array in arrays}) == 1


def groups(*columns: Floats) -> tuple[Indices, Indices]:
    """For each distinct row of these columns one row that shows it, and for each row its group."""
    group = np.zeros(columns[0].size, dtype=np.intp)
    count = 1
    for values in columns:
        distinct, place = levels_of(values)
        group, count = _numbered(group * distinct.size + place, count * distinct.size)
    first = np.zeros(count if group.size else 0, dtype=np.intp)
    first[group] = np.arange(group.size)
    return first, group


def summed(group: Indices, values: Floats, count: int) -> Floats:
    """The sum of the values in each of `count` groups."""
    return np.bincount(group, weights=values, minlength=count).astype(np.float64)


def levels_of(values: Floats) -> tuple[Floats, Indices]:
    """The distinct values, ascending, and for each row its place among them."""
    if values.size and values.min() >= 0 and values.max() < values.size + 1000 and not np.any(values % 1):
        place, count = _numbered(values.astype(np.intp), int(values.max()) + 1)
        distinct = np.zeros(count)
        distinct[place] = values
        return distinct, place
    distinct, place = np.unique(values, return_inverse=True)
    return distinct, place


def _numbered(codes: Indices, bound: int) -> tuple[Indices, int]:
    """The codes below `bound` renumbered without gaps, and how many there are; by counting where that is quick."""
    if bound > 16 * codes.size + 1000:
        distinct, place = np.unique(codes, return_inverse=True)
        return place, distinct.size
    present = np.zeros(bound, dtype=bool)
    present[codes] = True
    number = np.cumsum(present) - 1
    return number[codes], int(number[-1]) + 1 if bound else 0


def distinct_rows(rows: Rows, *further: Floats) -> tuple[Rows, Indices]:
    """The distinct rows with their counts, and one row of each; `further` columns keep rows apart."""
    used = np.flatnonzero(rows.weight > 0)
    first, group = groups(*(values[used] for values in (rows.frequency, rows.recency, rows.age, *further)))
    weight = summed(group, rows.weight[used], first.size)
    first = used[first]
    return rows_of(rows.frequency[first], rows.recency[first], rows.age[first], weight), first


def _check(*rules: tuple[Any, str]) -> None:
    for broken, problem in rules:
        if np.any(broken):
            wrong = np.flatnonzero(broken)
            rest = f" ({wrong.size} rows, the first is row {wrong[0]})" if np.ndim(broken) else ""
            raise BadInput(
                problem + rest,
                where="summary",
                hint="frequency counts the orders after the first, recency is the time from the first order "
                "to the last, age that from the first order to the end of the record.",
            )
