"""From single orders to the table that re-purchase models are fitted on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import BadInput, UnknownName
from wayfare.stats.btyd.summary import Floats, Indices, column, column_names

WEEK = 7.0


def summarise(
    orders: Any,
    *,
    customer: str = "customer",
    time: str = "time",
    value: str | None = None,
    end: Any = None,
    unit: float = WEEK,
) -> dict[str, npt.NDArray[Any]]:
    """What has each customer ordered: how often, from when to when, for how much on average?

    Orders of one customer on one day count as one, as in lifetimes and in `wayfare.rfm`.

    Args:
        orders: A table with a row an order: a mapping of arrays, a pandas or polars frame, or a pyarrow table.
        customer: The column with the customer's id.
        time: The column with the moment or the date, without a time zone.
        value: The column with what the order came to, if the mean is wanted.
        end: The last day of the record, a date; that of the last order unless said. Later orders are left out.
        unit: How many days recency and age are counted in.

    Returns:
        Arrays of one row a customer, in the order in which customers first appear: `customer`, `frequency` (days
        with orders after the first), `recency` (from the first to the last), `age` (from the first to the end), and
        `value`, the mean of the days after the first, 0 where there are none. Models take it as it is.

    Raises:
        UnknownName: a column is missing.
        BadInput: a time or a value can't be read, or there is no order up to the end.
    """
    who, ids = _coded(orders, customer)
    day = _days(orders, time)
    money = None if value is None else column(orders, value)
    last_day = int(day.max()) if end is None and day.size else _day_of(end)
    if end is not None:
        kept = day <= last_day
        who, day, money = who[kept], day[kept], None if money is None else money[kept]
    if day.size == 0:
        raise BadInput("There is no order up to the end of the record.", where=time)
    code, first, last, count = _order_days(who, day)
    known = {
        "customer": ids[code],
        "frequency": (count - 1).astype(np.float64),
        "recency": (last - first) / unit,
        "age": (last_day - first) / unit,
    }
    if money is not None:
        known["value"] = _repeat_value(who, day, money, code, first, count)
    return known


def _order_days(who: Indices, day: Indices) -> tuple[Indices, Indices, Indices, Indices]:
    """The customers with orders, their first and last day, and on how many days they ordered."""
    origin = int(day.min())
    bits = int(day.max() - origin).bit_length()
    keys = np.sort((who << bits) | (day - origin))
    keys = keys[np.append(True, keys[1:] != keys[:-1])]
    codes, days = keys >> bits, (keys & ((1 << bits) - 1)) + origin
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    ends = np.append(starts[1:], codes.size)
    return codes[starts], days[starts], days[ends - 1], ends - starts


def _repeat_value(
    who: Indices, day: Indices, money: Floats, code: Indices, first: Indices, count: Indices
) -> Floats:
    """The mean over the days after the first: what was ordered in all, less that of the first day."""
    size = int(code[-1]) + 1
    begun = np.zeros(size, dtype=np.intp)
    begun[code] = first
    again = day > begun[who]
    total = np.bincount(who[again], weights=money[again], minlength=size)[code]
    return total / np.maximum(count - 1, 1)


def _coded(orders: Any, name: str) -> tuple[Indices, npt.NDArray[Any]]:
    """A number for each customer, and their ids."""
    import pyarrow as pa

    values = _column(orders, name)
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    if array.null_count:
        raise BadInput(f"{array.null_count} orders have no {name!r}.", where=name)
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.intp)
    return codes, coded.dictionary.to_numpy(zero_copy_only=False)


def _days(orders: Any, name: str) -> Indices:
    """Days since 1970."""
    values = np.asarray(_column(orders, name))
    if values.dtype.kind not in "MOU":
        raise BadInput(f"The column {name!r} holds no times.", where=name, hint="Give datetimes or dates.")
    try:
        moments = values if values.dtype.kind == "M" else values.astype("datetime64[us]")
    except (TypeError, ValueError) as problem:
        raise BadInput(
            f"The column {name!r} holds something other than times without a zone.", where=name
        ) from problem
    if np.isnat(moments).any():
        raise BadInput(f"{int(np.isnat(moments).sum())} orders have no {name!r}.", where=name)
    return moments.astype("datetime64[D]").astype(np.intp)


def _day_of(end: Any) -> int:
    return int(np.datetime64(end, "D").astype(np.int64))


def _column(orders: Any, name: str) -> Any:
    if name not in column_names(orders):
        raise UnknownName.among("column", name, column_names(orders), where="orders")
    return orders[name]
