"""Scores and features that give an outcome away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.kano._outcomes import AGAIN, GONE, Bools, Floats, Outcome
from wayfare.analyses.kano._respondents import Sample

CERTAIN, ALIKE, TOLD = 0.99, 20, 0.95

_SAYS = {AGAIN: ("ordered again", "did not order again"), GONE: ("left", "stayed")}


def leak_rows(sample: Sample, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Ratings and features with which the outcome is as good as known.

    At one of their levels at least 99% of 20 customers or more have the rarer outcome; or, where 20 customers at least
    have each outcome, they tell two of different outcome apart 95 times in 100 (the area under the ROC curve).
    """
    rows = []
    for outcome in outcomes:
        if not outcome.enough:
            continue
        y = outcome.happened[outcome.known]
        rare = bool(y.mean() <= 0.5)
        said = _SAYS[outcome.name][0 if rare else 1]
        for feature, codes, names in _leveled(sample, outcome.known):
            rows += _leaking(feature, codes, names, y == rare, outcome.name, said)
    return rows


def _leveled(sample: Sample, known: Bools) -> list[tuple[str, NDArray[np.int64], list[str]]]:
    found = []
    for place, rated in enumerate(sample.rated):
        scores = sample.then[known, place]
        values = np.unique(scores[~np.isnan(scores)])
        if 2 <= len(values) <= 101:
            codes = np.where(np.isnan(scores), -1, np.searchsorted(values, scores))
            found.append((rated.key, codes.astype(np.int64), [f"{v:g}" for v in values]))
    return found + [(name, codes[known], names) for name, (names, codes) in sample.presence.items()]


def _leaking(
    feature: str, codes: NDArray[np.int64], names: list[str], rare: Bools, outcome: str, said: str
) -> list[dict[str, Any]]:
    mine = codes >= 0
    hits, misses = (
        np.bincount(codes[mine & part], minlength=len(names)).astype(float) for part in (rare, ~rare)
    )
    n = hits + misses
    area = told_apart(hits, misses) if min(hits.sum(), misses.sum()) >= ALIKE else 0.5
    certain = np.flatnonzero((n >= ALIKE) & (hits >= CERTAIN * n))
    levels = certain.tolist() if len(certain) else [int(np.argmax(hits))] if area >= TOLD else []
    if not levels:
        return []
    customers, share = int(n[levels].sum()), float(hits[levels].sum() / n[levels].sum())
    others = np.delete(np.arange(len(n)), levels)
    return [
        {"feature": feature, "outcome": outcome, "says": said, "level": ", ".join(names[c] for c in levels),
         "customers": customers, "share": share,
         "others_share": float(hits[others].sum() / n[others].sum()) if n[others].sum() else np.nan, "auc": area}
    ]  # fmt: skip


def told_apart(hits: Floats, misses: Floats) -> float:
    """The area under the ROC curve of levels ranked by their share; 0.5 where there is nothing to tell."""
    total = hits.sum() * misses.sum()
    if not total:
        return 0.5
    order = np.argsort(hits / np.maximum(hits + misses, 1), kind="stable")
    h, m = hits[order], misses[order]
    below = np.cumsum(m) - m
    return float((h * (below + m / 2)).sum() / total)
