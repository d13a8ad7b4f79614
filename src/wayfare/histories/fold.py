"""The fold: scan a block of whole histories, give a small partial result, add the partials up."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from wayfare.histories.block import Block
from wayfare.histories.filter import Filter
from wayfare.histories.source import Source

Partial = TypeVar("Partial")

Progress = Callable[[int, int], None]
"""Called with the rows done and the rows in all; raising `Cancelled` in it stops the pass."""


class Fold(ABC, Generic[Partial]):
    """One question asked of every history.

    Subclasses are frozen dataclasses whose fields are plain values (they travel to other processes), and state
    which columns they read. `columns` that the log lacks are simply absent from the block (`block.has`).
    """

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns read, beside `customer` and `time`."""

    @abstractmethod
    def scan(self, block: Block) -> Partial:
        """The partial result of one block; also called with an empty block when the log is empty."""

    def merge(self, left: Partial, right: Partial) -> Partial:
        """Two partials as one; `left` comes from earlier customers."""
        return add_up(left, right)

    def add(self, so_far: Partial, block: Block) -> Partial:
        """`so_far`, which nobody else holds, with one more block; for folds that count into large tables in place."""
        return self.merge(so_far, self.scan(block))


class Engine(Protocol):
    """Where the blocks are scanned: threads on one machine, executors on many."""

    def run(
        self, source: Source, condition: Filter, folds: Sequence[Fold[Any]], progress: Progress | None = None
    ) -> list[Any]:
        """Each fold's merged partial, all from one pass over `source`."""


def add_up(left: Any, right: Any) -> Any:
    """Adds two partials of the same shape: numbers and arrays add, lists join, mappings and dataclasses by field."""
    if isinstance(left, Mapping):
        return {
            key: add_up(left[key], right[key])
            if key in left and key in right
            else left.get(key, right.get(key))
            for key in (*left, *(key for key in right if key not in left))
        }
    if isinstance(left, list):
        return left + right
    if isinstance(left, tuple):
        return tuple(add_up(a, b) for a, b in zip(left, right, strict=True))
    if dataclasses.is_dataclass(left) and not isinstance(left, type):
        return type(left)(
            *(add_up(getattr(left, f.name), getattr(right, f.name)) for f in dataclasses.fields(left))
        )
    return np.add(left, right) if isinstance(left, np.ndarray) else left + right


def scan_all(folds: Sequence[Fold[Any]], block: Block) -> list[Any]:
    """Each fold's partial of one block."""
    return [fold.scan(block) for fold in folds]


def add_all(folds: Sequence[Fold[Any]], so_far: list[Any] | None, block: Block) -> list[Any]:
    """Each fold's partial with one more block."""
    if so_far is None:
        return scan_all(folds, block)
    return [fold.add(partial, block) for fold, partial in zip(folds, so_far, strict=True)]


def merge_all(folds: Sequence[Fold[Any]], left: list[Any] | None, right: list[Any]) -> list[Any]:
    """Two lists of partials as one, fold by fold."""
    if left is None:
        return right
    return [fold.merge(a, b) for fold, a, b in zip(folds, left, right, strict=True)]


def columns_of(folds: Sequence[Fold[Any]], condition: Filter, source: Source) -> tuple[str, ...]:
    """The columns that a pass has to read: what the folds and the filter name, as far as the log has them."""
    wanted = {"customer", "time", *condition.columns, *(name for fold in folds for name in fold.columns)}
    return tuple(name for name in source.schema if name in wanted)
