"""The tables of `kano_derived`, from rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from wayfare.analyses.kano._categories import RANK
from wayfare.analyses.kano._derived_classes import SHOWN
from wayfare.result import table

_TEXT = {"feature", "against", "basis", "category", "note", "outcome", "level", "reference", "effect", "says"}
_COUNT = {"low_n", "high_n", "n", "customers"}


def class_table(rows: list[dict[str, Any]]) -> pa.Table:
    """The classes; must-haves first, within a class what matters most."""
    ends = ("", "_low", "_high")
    names = ["feature", "against", "basis", *(f"{name}{end}" for name in SHOWN for end in ends), "category",
             "category_probability", "low_at", "high_at", "low_n", "high_n", "n", "note"]  # fmt: skip
    places = {against: place for place, against in enumerate(dict.fromkeys(row["against"] for row in rows))}
    ranked = sorted(rows, key=lambda row: (places[row["against"]], RANK.get(row["category"] or "", 9),
                                           -np.nan_to_num(row["range"]), row["feature"]))  # fmt: skip
    return _as_table(ranked, names)


def effect_table(rows: list[dict[str, Any]]) -> pa.Table:
    """The effects, as they come: by outcome and feature."""
    names = ["outcome", "feature", "level", "reference", "customers", "share", "share_low", "share_high", "reference_share",
             "odds_ratio", "odds_ratio_low", "odds_ratio_high", "hazard_ratio", "hazard_ratio_low", "hazard_ratio_high",
             "p", "effect"]  # fmt: skip
    return _as_table(rows, names)


def leak_table(rows: list[dict[str, Any]]) -> pa.Table:
    """What gives an outcome away."""
    return _as_table(
        rows, ["feature", "outcome", "says", "level", "customers", "share", "others_share", "auc"]
    )


def _as_table(rows: list[dict[str, Any]], names: list[str]) -> pa.Table:
    def kind(name: str) -> pa.DataType:
        return pa.string() if name in _TEXT else pa.int64() if name in _COUNT else pa.float64()

    return table(**{name: pa.array([_plain(row[name]) for row in rows], kind(name)) for name in names})


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
