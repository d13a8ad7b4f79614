"""The tables of `kano_priorities`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from wayfare.analyses.kano._at_stake import Stake
from wayfare.analyses.kano._categories import RANK
from wayfare.domain.journey import STAGES
from wayfare.result import table

ASKED, DERIVED = "asked", "derived"
_NOTHING = Stake(0, 0)


def features_of(asked: pa.Table, derived: pa.Table, taken: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every feature once: those asked with Kano's questions, and rated questions that belong to none of them."""
    rows = [
        {"feature": row["feature"], "basis": ASKED, "question": taken.get(row["feature"]),
         **{name: row[name] for name in ("category", "category_probability", "cs_plus", "cs_minus")}}
        for row in asked.to_pylist()
    ]  # fmt: skip
    used, seen = set(taken.values()), set()
    for row in derived.to_pylist():
        if row["feature"] in used or row["feature"] in seen:
            continue
        seen.add(row["feature"])
        rows.append(
            {"feature": row["feature"], "basis": DERIVED, "question": row["feature"], "category": row["category"],
             "category_probability": row["category_probability"], "cs_plus": np.nan, "cs_minus": np.nan}
        )  # fmt: skip
    return rows


def priority_table(
    features: Sequence[dict[str, Any]], stakes: Mapping[str, Stake], costs: Mapping[str, float]
) -> pa.Table:
    """Must-haves first, then satisfiers, then delighters; within each by what fixing it is worth."""
    rows = [_row(feature, stakes.get(feature["question"] or "", _NOTHING), costs) for feature in features]
    rows.sort(key=_key)
    numbers = ("category_probability", "unhappy_share", "unhappy_share_low", "unhappy_share_high", "repurchase_difference",
               "repurchase_difference_low", "repurchase_difference_high", "value_at_stake", "value_at_stake_low",
               "value_at_stake_high", "cost", "value_per_cost", "cs_plus", "cs_minus")  # fmt: skip
    kinds = {name: pa.float64() for name in numbers} | {"rated": pa.int64(), "unhappy": pa.int64()}
    names = [
        "feature",
        "category",
        "basis",
        "category_probability",
        "question",
        "rated",
        "unhappy",
        *numbers[1:],
        "note",
    ]
    return table(
        rank=pa.array(range(1, len(rows) + 1), pa.int64()),
        **{name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in names},
    )


def _row(feature: dict[str, Any], stake: Stake, costs: Mapping[str, float]) -> dict[str, Any]:
    cost = costs.get(feature["feature"], np.nan)
    known = stake.rated > 0
    note = "" if known else "nobody rated it: how many are unhappy is not known"
    if known and np.isnan(stake.difference):
        note = "too few rated it low, or otherwise, before the end of the window"
    return {
        **feature, "rated": stake.rated, "unhappy": stake.unhappy if known else None,
        "unhappy_share": stake.unhappy / stake.rated if known else np.nan, "unhappy_share_low": stake.low,
        "unhappy_share_high": stake.high, "repurchase_difference": stake.difference,
        "repurchase_difference_low": stake.difference_low, "repurchase_difference_high": stake.difference_high,
        "value_at_stake": stake.value, "value_at_stake_low": stake.value_low, "value_at_stake_high": stake.value_high,
        "cost": cost, "value_per_cost": stake.value / cost, "note": note,
    }  # fmt: skip


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    """In a class what was asked comes before what is derived. Where a cost is stated, what is left after it; what can't be said of money goes by the unhappy, then by strength."""
    worth = np.nan_to_num(row["value_at_stake"]) - np.nan_to_num(row["cost"])
    strength = (
        -np.nan_to_num(row["cs_minus"]) if row["category"] in ("M", "O") else np.nan_to_num(row["cs_plus"])
    )
    return (
        RANK.get(row["category"] or "", 9), row["basis"] == DERIVED, -round(float(worth), 9), -(row["unhappy"] or 0), -float(strength), row["feature"],
    )  # fmt: skip


_LAUNCH_NUMBERS = (
    "repurchase_without", "repurchase_with", "repurchase_change", "repurchase_change_low", "repurchase_change_high",
    "value_change", "value_change_low", "value_change_high", "gain", "gain_low", "gain_high", "cost",
    "return_on_investment", "return_on_investment_low", "return_on_investment_high",
)  # fmt: skip


def launch_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """What launches changed; the experiment, where there is one, first."""
    kinds = dict.fromkeys(_LAUNCH_NUMBERS, pa.float64()) | dict.fromkeys(
        ("customers_without", "customers_with"), pa.int64()
    )
    names = [
        "feature",
        "launched",
        "comparison",
        "customers_without",
        "customers_with",
        *_LAUNCH_NUMBERS,
        "note",
    ]
    return table(
        **{name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in names}
    )


def stage_table(
    moods: Sequence[tuple[float, float, float, int]],
    losses: Mapping[str, int],
    delighters: Mapping[str, list[str]],
) -> pa.Table:
    """Where the next delighter should come: stages without one, the least content and the most left first."""
    rows: list[dict[str, Any]] = []
    for stage, (mean, low, high, n) in zip(STAGES, moods, strict=True):
        rows.append(
            {"stage": stage.value, "satisfaction": mean, "satisfaction_low": low, "satisfaction_high": high, "scores": n,
             "left": losses.get(stage.value, 0), "delighters": ", ".join(delighters.get(stage.value, []))}
        )  # fmt: skip
    content, leaving = (
        _ranks([row["satisfaction"] for row in rows]),
        _ranks([-float(row["left"]) for row in rows]),
    )
    for row, a, b in zip(rows, content, leaving, strict=True):
        # Of a stage that nobody rates and nobody leaves there is nothing to say.
        known = not np.isnan(a) or row["left"] > 0
        row["place"] = float(np.nanmean([a, b])) if known else np.nan
    order = sorted(
        range(len(rows)),
        key=lambda i: (bool(rows[i]["delighters"]), np.isnan(rows[i]["place"]), rows[i]["place"], i),
    )
    ranked = [rows[i] for i in order]
    rank = [
        i + 1 if not row["delighters"] and not np.isnan(row["place"]) else None
        for i, row in enumerate(ranked)
    ]
    kinds = {"satisfaction": pa.float64(), "satisfaction_low": pa.float64(), "satisfaction_high": pa.float64(),
             "scores": pa.int64(), "left": pa.int64()}  # fmt: skip
    names = ["stage", *kinds, "delighters"]
    columns = {name: pa.array([row[name] for row in ranked], kinds.get(name, pa.string())) for name in names}
    return table(rank=pa.array(rank, pa.int64()), **columns)


def _ranks(values: Sequence[float]) -> list[float]:
    """1 for the lowest; not a number stays one."""
    known = sorted({v for v in values if not np.isnan(v)})
    return [float("nan") if np.isnan(v) else float(known.index(v) + 1) for v in values]
