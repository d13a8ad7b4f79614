"""The table that a re-purchase model is fitted on: read, checked, and reduced to distinct rows with counts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import BadInput, UnknownName

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

# Recency and age come out of different sums of days; they may differ by rounding only.
_ROUNDING = 1e-9
# From this many rows on it pays to ask a sample of this size whether values repeat, before they are told apart.
_MANY, _ASKED = 20_000, 2_000
# Finding equal rows pays where a sample has fewer distinct ones than this share.
_MOSTLY = 0.6
# Keys of rows stay below this.
_LARGEST = 2**62


@dataclass(frozen=True, eq=False)
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

    @cached_property
    def counts(self) -> Floats:
        """How many customers have each of the distinct frequencies."""
        return summed(self.level, self.weight, self.levels.size)

    def weighing(self, weight: Floats) -> Rows:
        """The same rows, standing for other numbers of customers."""
        other = copy.copy(self)
        object.__setattr__(other, "weight", weight)
        other.__dict__.pop("counts", None)
        return other

    def some(self, chosen: Indices) -> Rows:
        """These rows of them."""
        return Rows(
            self.frequency[chosen],
            self.recency[chosen],
            self.age[chosen],
            self.weight[chosen],
            self.levels,
            self.level[chosen],
        )

    @cached_property
    def times(self) -> Times | None:
        """The moments of the rows' recencies and ages; None where hardly any two are the same."""
        both = np.concatenate((self.recency, self.age))
        if not _repeats(both):
            return None
        moments, place = levels_of(both)
        return Times(moments, place[: self.age.size], place[self.age.size :])

    @cached_property
    def cells(self) -> tuple[Indices, Indices] | None:
        """Where in a table of frequencies and moments each row's age and recency are."""
        if self.times is None:
            return None
        start = self.level * self.times.moments.size
        return start + self.times.age, start + self.times.recency


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Times since the first order that many rows share, as days do.

    Attributes:
        moments: The distinct times, ascending.
        recency: For each row the place of its recency among them.
        age: For each row the place of its age.
    """

    moments: Floats
    recency: Indices
    age: Indices


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
    _check((not same_length(frequency, recency, age, weight), "The columns differ in length."))
    levels, level = levels_of(frequency)
    if _impossible(levels, frequency, recency, age):
        _check(
            (
                (frequency < 0) | (frequency != np.rint(frequency)),
                "A frequency is no whole number of orders.",
            ),
            (recency > age + _ROUNDING * (1 + age), "A recency lies beyond the age."),
            ((recency < 0) | (age < 0), "A recency or an age is negative."),
            (
                (frequency == 0) & (recency != 0),
                "A customer without a repeat order has a recency other than 0.",
            ),
            ((frequency > 0) & (recency == 0), "A customer with repeat orders has a recency of 0."),
        )
        recency = np.minimum(recency, age)
    return Rows(frequency, recency, age, weight, levels, level)


def _impossible(levels: Floats, frequency: Floats, recency: Floats, age: Floats) -> bool:
    """Whether any row may break a rule: what has to be looked at more closely."""
    lowest = min(values.min(initial=0.0) for values in (levels, recency, age))
    inside = lowest >= 0 and _whole(levels) and bool(np.all(recency <= age))
    return not inside or not np.array_equal(frequency > 0, recency > 0)


def repeaters(rows: Rows) -> float:
    """How many customers have bought more than once."""
    return float(rows.counts[rows.levels > 0].sum())


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
    if not np.isfinite(values.sum()):
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
    return groups_within(np.zeros(columns[0].size, dtype=np.intp), 1, *columns)


def groups_within(group: Indices, count: int, *columns: Floats) -> tuple[Indices, Indices]:
    """`groups`, of which `count` are told apart already."""
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
    if _whole(values[:_ASKED]) and values.min(initial=0) >= 0 and values.max(initial=0) < values.size + 1000:
        codes = values.astype(np.intp)
        if np.array_equal(codes, values):
            present = np.zeros(int(codes.max(initial=-1)) + 1, dtype=bool)
            present[codes] = True
            levels = np.flatnonzero(present).astype(np.float64)
            return levels, codes if levels.size == present.size else (np.cumsum(present) - 1)[codes]
    return _told_apart(values)


def _whole(values: Floats) -> bool:
    return bool(np.all(values == values.astype(np.intp)))


def _repeats(values: npt.NDArray[Any]) -> bool:
    """Whether most values of a sample, taken at even steps, occur more than once in it."""
    if values.size < _MANY:
        return True
    asked = values[:: values.size // _ASKED]
    return bool(np.unique(asked).size < asked.size / 2)


def _told_apart(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Indices]:
    """The distinct values, ascending, and each row's place; by hashing where there are few of them."""
    if values.size < _MANY or not _repeats(values):
        distinct, place = np.unique(values, return_inverse=True)
        return distinct, place
    import pyarrow as pa

    coded = pa.array(values).dictionary_encode()
    found = coded.dictionary.to_numpy(zero_copy_only=False)
    order = np.argsort(found)
    rank = np.empty(order.size, dtype=np.intp)
    rank[order] = np.arange(order.size)
    return found[order], rank[coded.indices.to_numpy(zero_copy_only=False)]


def _numbered(codes: Indices, bound: int) -> tuple[Indices, int]:
    """The codes below `bound` renumbered without gaps, and how many there are; by counting where that is quick."""
    if bound > 4 * codes.size + 1000:
        distinct, place = _told_apart(codes)
        return place, distinct.size
    present = np.zeros(bound, dtype=bool)
    present[codes] = True
    number = np.cumsum(present) - 1
    return number[codes], int(number[-1]) + 1 if bound else 0


def distinct_rows(rows: Rows, *further: Floats) -> tuple[Rows, Indices]:
    """The distinct rows with their counts, and one row of each; `further` columns keep rows apart."""
    used = np.flatnonzero(rows.weight > 0)
    key = np.zeros(used.size, dtype=np.intp)
    count = 1
    for values in (rows.frequency, rows.recency, rows.age, *further):
        distinct, place = levels_of(values[used])
        if count * distinct.size > _LARGEST:
            key, count = _numbered(key, count)
        key, count = key * distinct.size + place, count * distinct.size
    order = np.argsort(key)
    key = key[order]
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1])[: key.size])
    weight = np.add.reduceat(rows.weight[used][order], starts) if starts.size else np.zeros(0)
    first = used[order[starts]]
    return rows_of(rows.frequency[first], rows.recency[first], rows.age[first], weight), first


def fewer_rows(rows: Rows, *further: Floats) -> tuple[Rows, Indices]:
    """`distinct_rows`, or where many rows are told apart in vain, only those of one-time buyers."""
    columns = [rows.frequency, rows.recency, rows.age, *further]
    if rows.age.size < _MANY:
        return distinct_rows(rows, *further)
    step = rows.age.size // _MANY
    kinds, _ = groups(*(values[::step] for values in columns))
    if kinds.size < _MOSTLY * rows.age[::step].size:
        return distinct_rows(rows, *further)
    again = rows.frequency > 0
    once, others = np.flatnonzero(~again), np.flatnonzero(again)
    first, group = groups(*(values[once] for values in columns[2:]))
    chosen = np.concatenate((once[first], others))
    weight = np.concatenate((summed(group, rows.weight[once], first.size), rows.weight[others]))
    return rows.some(chosen).weighing(weight), chosen


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
