"""The tables of `drivers`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.satisfaction._drivers_words import SAID
from wayfare.stats.drivers import QUADRANTS, Drivers, importance_performance
from wayfare.stats.penalty_reward import IMPACT_CLASSES, PenaltyReward

KINDS = {
    **dict.fromkeys(("driver", "quadrant", "impact", "reason"), pa.string()),
    **dict.fromkeys(("n", "low_n", "high_n"), pa.int64()),
}
"""The columns that are no fractions."""


def empty(columns: dict[str, str]) -> pa.Table:
    """A table of these columns without rows."""
    return pa.table({name: pa.array([], KINDS.get(name, pa.float64())) for name in columns})


def drivers_table(found: Drivers, names: tuple[str, ...]) -> pa.Table:
    """A row a driver, the heaviest first."""
    where = importance_performance(
        found.johnson, found.performance, found.johnson_draws, found.performance_draws
    )
    mine = np.arange(len(names))
    columns: dict[str, Any] = {
        "driver": np.array(names, dtype=object),
        "johnson": found.johnson, "lmg": found.lmg,
        "low": found.lmg_interval.low, "high": found.lmg_interval.high,
        "performance": found.performance,
        "johnson_low": found.johnson_interval.low, "johnson_high": found.johnson_interval.high,
        "share": found.johnson / found.r_squared if found.r_squared else found.johnson,
        "correlation": found.correlation,
        "performance_low": found.performance_interval.low, "performance_high": found.performance_interval.high,
        "quadrant": np.array([QUADRANTS[q] for q in where.quadrant], dtype=object),
        "quadrant_probability": where.probability[mine, where.quadrant],
        "n": np.full(len(names), found.n),
    }  # fmt: skip
    order = sorted(mine, key=lambda i: (-found.johnson[i], names[i]))
    text = ("driver", "quadrant")
    return pa.table(
        {
            name: pa.array(np.asarray(values)[order], pa.string() if name in text else None)
            for name, values in columns.items()
        }
    )


def contrast_table(found: PenaltyReward, names: list[str], cuts: NDArray[np.float64]) -> pa.Table:
    """A row a rated driver; `cuts` are the highest low and the lowest high rating (2, drivers)."""
    known = found.impact_class
    columns = {
        "driver": names,
        "penalty": found.penalty, "penalty_low": found.penalty_interval.low, "penalty_high": found.penalty_interval.high,
        "reward": found.reward, "reward_low": found.reward_interval.low, "reward_high": found.reward_interval.high,
        "range": found.range, "asymmetry": found.asymmetry,
        "impact": ["neutral" if flat else IMPACT_CLASSES[c] if c >= 0 else None for c, flat in zip(known, found.neutral, strict=True)],
        "impact_probability": found.class_probability[np.arange(len(names)), np.maximum(known, 0)],
        "low_at_most": cuts[0], "high_at_least": cuts[1],
        "low_n": found.low_n, "high_n": found.high_n, "reason": list(found.reasons),
    }  # fmt: skip
    return pa.table(
        {name: pa.array(list(values), KINDS.get(name, pa.float64())) for name, values in columns.items()}
    )


def fit_table(outcome: str, whole: str | None, found: Drivers | None, left_out: int, n: int = 0) -> pa.Table:
    """What was explained, of how many answers, and how far; `found` is None where there were too few."""
    values = {
        "outcome": (SAID[outcome], pa.string()),
        "question": (whole if outcome == "satisfaction" else None, pa.string()),
        "r_squared": (found.r_squared if found else None, pa.float64()),
        "r_squared_adjusted": (found.r_squared_adjusted if found else None, pa.float64()),
        "n": (found.n if found else n, pa.int64()),
        "left_out": (left_out, pa.int64()),
        "draws": (found.draws if found else 0, pa.int64()),
    }
    return pa.table({name: pa.array([value], kind) for name, (value, kind) in values.items()})
