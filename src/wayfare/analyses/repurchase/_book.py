"""Everything known of each buyer that an action may rest on, brought together by name from other analyses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_KINDS = ("repeat", "cross_sell", "up_sell", "bulk")


@dataclass(frozen=True, eq=False)
class Offer:
    """One sort of product for each buyer; all arrays are (buyers,).

    Attributes:
        product: What; null where there is none.
        chance: How often the next order holds it; nan where unknown.
        gain: Money that it adds; nan where unknown.
        there: Where there is one.
    """

    product: pa.Array
    chance: NDArray[np.float64]
    gain: NDArray[np.float64]
    there: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Book:
    """One row a buyer, by name; all arrays are (buyers,), nan where something is not known.

    Attributes:
        customer: Who.
        last: The day of the last order, since 1970.
        opens: When the window for a message opens.
        closes: When it closes.
        chance: That they order in what is left of it.
        late: Whether the first window has passed.
        p_alive: Chance that they have not left.
        p_buy: Chance of an order within the forecast's horizon.
        expected_orders: Orders expected within it.
        order_value: Expected value of one.
        lifetime_value: Expected value of all orders ahead.
        orders: Orders so far.
        channel: By which channel they can be reached; null where unknown.
        score: The last answer's score.
        advocate: Whether they have recommended.
        trouble: Whether something went wrong lately.
        offers: Products by sort.
    """

    customer: pa.Array
    last: NDArray[np.float64]
    opens: NDArray[np.float64]
    closes: NDArray[np.float64]
    chance: NDArray[np.float64]
    late: NDArray[np.bool_]
    p_alive: NDArray[np.float64]
    p_buy: NDArray[np.float64]
    expected_orders: NDArray[np.float64]
    order_value: NDArray[np.float64]
    lifetime_value: NDArray[np.float64]
    orders: NDArray[np.int64]
    channel: pa.Array
    score: NDArray[np.float64]
    advocate: NDArray[np.bool_]
    trouble: NDArray[np.bool_]
    offers: Mapping[str, Offer]

    def __len__(self) -> int:
        return len(self.customer)


def book_of(due: pa.Table, forecast: pa.Table, products: pa.Table, facts: Mapping[str, Any]) -> Book:
    """The buyers of `due` with what the other tables say of them."""
    customer = due.column("customer").combine_chunks()
    known = _Join(customer, forecast.column("customer"))
    own = _Join(customer, facts["customer"])
    channel = facts["channel"]
    return Book(
        customer=customer,
        last=_day_numbers(due["last_order"]),
        opens=_day_numbers(due["window_opens"]),
        closes=_day_numbers(due["window_closes"]),
        chance=_floats(due["chance"]),
        late=_floats(due["late"]) == 1,
        **{
            name: known.floats(_floats(forecast[name]))
            for name in ("p_alive", "p_buy", "expected_orders", "order_value", "lifetime_value")
        },
        orders=np.nan_to_num(own.floats(facts["orders"].astype(float))).astype(np.int64),
        channel=own.texts(channel) if channel is not None else pa.nulls(len(customer), pa.string()),
        score=own.floats(facts["score"].astype(float)),
        advocate=own.floats(facts["advocate"].astype(float)) == 1,
        trouble=own.floats(facts["trouble"].astype(float)) == 1,
        offers=_offers(customer, products),
    )


def _offers(customer: pa.Array, products: pa.Table) -> dict[str, Offer]:
    """The first product of each sort that each buyer is given; a customer's rows stand together."""
    names = _one(products["customer"]).cast(pa.string())
    new = np.ones(len(names), dtype=bool)
    if len(names) > 1:
        new[1:] = pc.not_equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False)
    person = np.cumsum(new) - 1
    join = _Join(customer, names.take(pa.array(np.flatnonzero(new))))
    kinds = _one(products["kind"])
    kinds = kinds if pa.types.is_dictionary(kinds.type) else kinds.dictionary_encode()
    kind, known = np.asarray(kinds.indices), kinds.dictionary.to_pylist()
    found = {}
    for name in _KINDS:
        rows = np.flatnonzero(kind == known.index(name)) if name in known else np.zeros(0, dtype=np.int64)
        rows = rows[np.diff(person[rows], prepend=-1) != 0]
        found[name] = join.among(person[rows], products.select(["product", "chance", "gain"]), rows)
    return found


class _Join:
    """Where each of some names stands among others, all different."""

    def __init__(self, names: pa.Array, others: Any) -> None:
        others = _one(others).cast(pa.string())
        if names.equals(others):
            self.place = np.arange(len(names))
            self.found: NDArray[np.bool_] = np.ones(len(names), dtype=bool)
            return
        place = pc.index_in(names, value_set=others)
        self.place = pc.fill_null(place, 0).to_numpy(zero_copy_only=False)
        self.found = pc.is_valid(place).to_numpy(zero_copy_only=False)

    def among(self, others: NDArray[np.int64], offered: pa.Table, rows: NDArray[np.int64]) -> Offer:
        """The offers in `rows` of a table, each made to one of the others."""
        row = np.full(int(max(others.max(initial=-1), self.place.max(initial=-1))) + 1, -1, dtype=np.int64)
        row[others] = rows
        mine = np.where(self.found, row[self.place], -1) if len(row) else np.full(len(self.place), -1)
        there = mine >= 0
        taken = offered.take(pa.array(mine, mask=~there))
        return Offer(
            _one(taken["product"]).cast(pa.string()), _floats(taken["chance"]), _floats(taken["gain"]), there
        )

    def floats(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(values):
            return np.full(len(self.place), np.nan)
        return np.where(self.found, values[self.place], np.nan)

    def texts(self, values: Any) -> pa.Array:
        return _one(values).cast(pa.string()).take(pa.array(self.place, mask=~self.found))


def _one(values: Any) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), float("nan")), dtype=float)


def _day_numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return _floats(column.cast(pa.date32()).cast(pa.int32()))
