"""What each customer had in which order, by customer and product, and what each product is and costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, _groups
from wayfare.histories.stages import StageMap
from wayfare.stats.baskets import Baskets
from wayfare.study import Study

_DAY = 86_400_000_000
_LATEST = np.iinfo(np.int16).max


@dataclass(frozen=True)
class BasketLines(Fold[dict[str, Any]]):
    """Each product of each order once; lines of nothing, or for nothing, are passed over.

    Attributes:
        stages: Which events are orders.
        item: The column that says what was bought.
        number: The product's number, by name, for each code of the column.
        category: The column that says of what kind a product is, or nothing.
        categories: How many kinds there are.
    """

    stages: StageMap
    item: str
    number: NDArray[np.int32]
    category: str
    categories: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders, of the product and of what it cost."""
        return (*ORDER_COLUMNS, self.item, "quantity", *((self.category,) if self.category else ()))

    def scan(self, block: Block) -> dict[str, Any]:
        """The lines of one block, and sums by product."""
        rows = np.flatnonzero(self._bought(block))
        product = self.number[block[self.item][rows]]
        quantity = (
            np.nan_to_num(block["quantity"][rows], nan=1.0) if block.has("quantity") else np.ones(len(rows))
        )
        value = block["value"][rows] if block.has("value") else np.full(len(rows), np.nan)
        return {
            **self._lines(block, rows, product, quantity),
            **self._products(block, rows, product, quantity, value),
        }

    def _bought(self, block: Block) -> NDArray[np.bool_]:
        bought = self.stages.is_order(block) & (block[self.item] >= 0)
        for name in ("quantity", "value"):
            if block.has(name):
                bought &= ~(block[name] <= 0)
        return bought

    def _lines(self, block: Block, rows: NDArray, product: NDArray, quantity: NDArray) -> dict[str, Any]:
        owner, time = block.owner[rows], block["time"][rows]
        ids = block["order"][rows].astype(np.int64) if block.has("order") else np.full(len(rows), -1)
        order, first = _groups(owner, np.where(ids >= 0, ids, -2 - time))
        whose = owner[first]
        who, orders = np.unique(whose, return_counts=True)
        ago = np.searchsorted(whose, whose, side="right") - 1 - np.arange(len(first))
        key = order.astype(np.int64) * max(len(self.number), 1) + product
        distinct, line, place = np.unique(key, return_index=True, return_inverse=True)
        local = np.searchsorted(who, owner[line])
        by = np.lexsort((-ago[order[line]], product[line], local))
        amount = np.bincount(place, weights=quantity, minlength=len(distinct))
        lines = {
            "customer": local.astype(np.int32),
            "product": product[line].astype(np.int32),
            "ago": np.minimum(ago[order[line]], _LATEST).astype(np.int16),
            "day": (time[first][order[line]] // _DAY).astype(np.int32),
            "quantity": amount.astype(np.float32),
        }
        buyers = {"code": block.codes[who], "orders": orders.astype(np.int32)}
        return {name: [values[by]] for name, values in lines.items()} | {
            name: [v] for name, v in buyers.items()
        }

    def _products(
        self, block: Block, rows: NDArray, product: NDArray, quantity: NDArray, value: NDArray
    ) -> dict[str, Any]:
        count, priced = len(self.number), ~np.isnan(value)
        kind = (
            block[self.category][rows].astype(np.int64) + 1
            if block.has(self.category)
            else np.zeros(len(rows), np.int64)
        )
        pairs, lines = np.unique(product * np.int64(self.categories + 1) + kind, return_counts=True)
        return {
            "paid": np.bincount(product, weights=np.nan_to_num(value), minlength=count),
            "units": np.bincount(product, weights=quantity * priced, minlength=count),
            "kinds": [np.column_stack([pairs, lines])],
        }


@dataclass(frozen=True, eq=False)
class Bought:
    """What customers bought, by name of customer and of product.

    Attributes:
        customers: The names of those who bought something (customers,).
        orders: How many orders each of them has (customers,).
        baskets: Who had what in which order.
        day: The day of each line's order since 1970 (lines,).
        quantity: How much of it (lines,).
        products: The products' names (products,).
        price: What one of it costs on average; nan where the log does not say (products,).
        category: Each product's kind by its place in `categories`; -1 for none (products,).
        categories: The names of the kinds; those of the products where the log has no kinds.
        by_category: Whether the log has kinds of products.
    """

    customers: pa.Array
    orders: NDArray[np.int64]
    baskets: Baskets
    day: NDArray[np.int32]
    quantity: NDArray[np.float32]
    products: pa.Array
    price: NDArray[np.float64]
    category: NDArray[np.int64]
    categories: list[str]
    by_category: bool


def basket_lines(study: Study, item: str) -> BasketLines:
    """The fold for a log that has the column `item`."""
    names = study.log.names(item)
    number = np.empty(len(names), dtype=np.int32)
    number[_by_name(names.take(np.arange(len(names))))] = np.arange(len(names))
    category = "category" if "category" in study.log.schema and item != "category" else ""
    return BasketLines(
        study.stages, item, number, category, len(study.log.names(category)) if category else 0
    )


def _by_name(names: pa.Array) -> NDArray[np.int64]:
    return np.asarray(pc.sort_indices(names)) if len(names) else np.zeros(0, dtype=np.int64)


def bought(study: Study, fold: BasketLines, found: dict[str, Any]) -> Bought:
    """The fold's answer with names."""
    shift = np.cumsum([0] + [len(codes) for codes in found["code"]])
    owner = [chunk + start for chunk, start in zip(found["customer"], shift[:-1].tolist(), strict=True)]
    lines = {name: np.concatenate(found[name]) for name in ("product", "ago", "day", "quantity")}
    lines["customer"] = np.concatenate(owner)
    names = study.log.names("customer").take(np.concatenate(found["code"]))
    orders = np.concatenate(found["orders"])
    by_name = _by_name(names)
    if (np.diff(by_name) != 1).any():
        place = np.empty_like(by_name)
        place[by_name] = np.arange(len(by_name))
        lines["customer"] = place[lines["customer"]]
        by = np.argsort(lines["customer"], kind="stable")
        lines, names, orders = (
            {n: v[by] for n, v in lines.items()},
            names.take(pa.array(by_name)),
            orders[by_name],
        )
    items = study.log.names(fold.item).take(np.argsort(fold.number))
    baskets = Baskets(lines["customer"], lines["product"], lines["ago"], len(names), len(items))
    price = np.where(
        found["units"] > 0, found["paid"] / np.where(found["units"] > 0, found["units"], 1.0), np.nan
    )
    category, categories = _categories(study, fold, found["kinds"])
    return Bought(
        names, orders.astype(np.int64), baskets, lines["day"], lines["quantity"], items,
        np.round(price, 6).astype(np.float64), category, categories or items.to_pylist(), bool(fold.category),
    )  # fmt: skip


def _categories(study: Study, fold: BasketLines, kinds: list[NDArray]) -> tuple[NDArray[np.int64], list[str]]:
    """Each product's most frequent kind (of equals the first by name), and the kinds' names; products where there are none."""
    products = len(fold.number)
    if not fold.category:
        return np.arange(products), []
    names = study.log.names(fold.category)
    place = _by_name(names.take(np.arange(len(names))))
    rank = np.empty(len(names), dtype=np.int64)
    rank[place] = np.arange(len(names))
    counted = np.concatenate(kinds)
    pairs, at = np.unique(counted[:, 0], return_inverse=True)
    lines = np.bincount(at, weights=counted[:, 1], minlength=len(pairs))
    product, kind = np.divmod(pairs, fold.categories + 1)
    known = kind > 0
    product, kind, lines = product[known], rank[kind[known] - 1], lines[known]
    by = np.lexsort((kind, -lines, product))
    first = by[np.diff(product[by], prepend=-1) != 0]
    found = np.full(products, -1, dtype=np.int64)
    found[product[first]] = kind[first]
    return found, names.take(place).to_pylist()
