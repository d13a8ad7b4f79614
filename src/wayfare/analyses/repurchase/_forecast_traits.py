"""What is known of each buyer beside the orders: covariates of the pace and of the leaving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers, Summary, day_rows
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS
from wayfare.histories.schema import Kind
from wayfare.histories.stages import StageMap
from wayfare.study import Study

Floats = NDArray[np.float64]

RARE, RARE_SHARE = 50, 0.02
"""Names of fewer customers than this, or of a smaller share of them, count as one: `others`."""

_OTHERS, _UNKNOWN = "others", "unknown"
_YES_NO = ("no", "yes")


@dataclass(frozen=True)
class FirstTraits(Fold[list[dict[str, NDArray]]]):
    """Each buyer's first value of some columns, in rows up to that of the first order.

    Attributes:
        stages: Which events are orders.
        zone: Whose days are meant.
        until: The log's last day.
        names: The columns.
    """

    stages: StageMap
    zone: str
    until: int
    names: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read."""
        return (*ORDER_COLUMNS, *(name for name in self.names if name not in ORDER_COLUMNS))

    def scan(self, block: Block) -> list[dict[str, NDArray]]:
        """What one block says."""
        days = day_rows(block, self.stages, self.zone, self.until)
        who = days.owner[days.starts]
        ordered = block.first_row(self.stages.is_order(block))
        early = np.arange(block.rows) <= ordered[block.owner]
        return [{"code": days.codes, **{name: _first(block, name, early)[who] for name in self.names}}]


def _first(block: Block, name: str, early: NDArray[np.bool_]) -> Floats:
    """The first known value a customer, of codes and flags as a number; nan where there is none."""
    if not block.has(name):
        return np.full(block.customers, np.nan)
    values = block[name]
    known = ~np.isnan(values) if values.dtype.kind == "f" else values >= 0
    row = block.first_row(early & known)
    return np.where(row >= 0, values[np.maximum(row, 0)], np.nan) if len(values) else np.zeros(0)


@dataclass(frozen=True, eq=False)
class Traits:
    """The first values of some columns, in the order of `Buyers`, and as covariates of those whom a summary holds.

    Attributes:
        columns: Values by column (buyers,), nan where unknown.
        names: The names behind the values of a text column; of numbers there are none.
    """

    columns: Mapping[str, Floats]
    names: Mapping[str, Any]
    _encoded: dict[float, dict[str, Floats]] = field(default_factory=dict, repr=False)

    def at(self, summary: Summary) -> dict[str, Floats]:
        """Covariates by name, a row a customer of the summary; the commonest name of a column is what others are told against."""
        if summary.end not in self._encoded:
            found: dict[str, Floats] = {}
            for name, values in self.columns.items():
                own = values[summary.who]
                found |= _told(name, own, self.names[name]) if name in self.names else _measured(name, own)
            self._encoded[summary.end] = found
        return self._encoded[summary.end]


def _told(column: str, values: Floats, names: Any) -> dict[str, Floats]:
    """0 and 1 for each name but the commonest; rare ones together."""
    codes = np.where(np.isnan(values), len(names), np.nan_to_num(values)).astype(np.int64)
    counts = np.bincount(codes, minlength=len(names) + 1)
    kept = np.flatnonzero(counts >= max(RARE, RARE_SHARE * len(values)))
    said = [*names.take(pa.array(kept[kept < len(names)])).to_pylist(), _UNKNOWN][: len(kept)]
    order = sorted(range(len(kept)), key=lambda place: (-counts[kept[place]], said[place]))
    found = {f"{column}={said[place]}": (codes == kept[place]).astype(float) for place in order[1:]}
    rest = ~np.isin(codes, kept)
    if order and rest.sum() >= RARE:
        found[f"{column}={_OTHERS}"] = rest.astype(float)
    return found


def _measured(column: str, values: Floats) -> dict[str, Floats]:
    """Distance from the mean in standard deviations, 0 where unknown; and whether it is unknown, where that is not rare."""
    unknown = np.isnan(values)
    known = values[~unknown]
    spread = float(known.std()) if len(known) else 0.0
    if not spread > 0:
        return {}
    found = {column: np.where(unknown, 0.0, (values - known.mean()) / spread)}
    if min(unknown.sum(), len(known)) >= RARE:
        found[f"{column}={_UNKNOWN}"] = unknown.astype(float)
    return found


def traits_of(study: Study, buyers: Buyers, fold: FirstTraits, answer: list[dict[str, NDArray]]) -> Traits:
    """The fold's answer in the order of the buyers."""
    columns: dict[str, Any] = {name: np.concatenate([part[name] for part in answer]) for name in answer[0]}
    code = columns.pop("code")
    order = np.argsort(code)
    rows = order[np.searchsorted(code, buyers.codes, sorter=order)] if len(buyers) else order
    coded = {name: found for name in fold.names if (found := _names(study, name)) is not None}
    return Traits({name: values[rows] for name, values in columns.items()}, coded)


def _names(study: Study, column: str) -> Any:
    kind = study.log.schema[column]
    return pa.array(_YES_NO) if kind is Kind.FLAG else study.log.names(column) if kind is Kind.CODE else None
