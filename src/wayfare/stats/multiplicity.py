"""When many comparisons are looked at together, which still count?"""

from __future__ import annotations

import numpy as np

from wayfare.stats.intervals import Floats, Numbers


def holm(p_values: Numbers) -> Floats:
    """p values adjusted so that the chance of *any* false alarm among them stays at the level used.

    Holm's step-down method (Holm 1979, Scandinavian Journal of Statistics 6). Any shape; NaN values stay
    NaN and don't count as comparisons.
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    ranked, order = _ranked(p[known])
    steps = np.maximum.accumulate(ranked * np.arange(ranked.size, 0, -1))
    adjusted[known] = _unranked(np.minimum(steps, 1.0), order)
    return adjusted


def benjamini_hochberg(p_values: Numbers) -> Floats:
    """p values adjusted so that the expected *share* of false alarms among those called stays at the level.

    Benjamini & Hochberg (1995, JRSS B 57), step-up; valid for independent or positively dependent tests.
    Any shape; NaN values stay NaN and don't count as comparisons.
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    ranked, order = _ranked(p[known])
    scaled = ranked * ranked.size / np.arange(1, ranked.size + 1)
    steps = np.minimum.accumulate(scaled[::-1])[::-1]
    adjusted[known] = _unranked(np.minimum(steps, 1.0), order)
    return adjusted


def _ranked(p: Floats) -> tuple[Floats, np.ndarray]:
    order = np.argsort(p, kind="stable")
    return p[order], order


def _unranked(ranked: Floats, order: np.ndarray) -> Floats:
    values = np.empty_like(ranked)
    values[order] = ranked
    return values
