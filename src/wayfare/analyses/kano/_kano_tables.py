"""The tables of `kano`, from counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.kano._asked import OTHER, UNKNOWN, Asked
from wayfare.analyses.kano._categories import RANK
from wayfare.result import table
from wayfare.stats.kano import (
    CATEGORIES,
    category_of,
    coefficients,
    continuous_scores,
    strength,
)
from wayfare.stats.kano_inference import (
    answers_needed,
    category_probabilities,
    top_two,
    wave_change,
)
from wayfare.stats.multiplicity import holm
from wayfare.stats.proportions import mean_interval

ENOUGH = 30
"""Answers under which a category is too few to say."""

Floats = NDArray[np.float64]


def letters(codes: Any) -> list[str | None]:
    """Letters of the codes of categories; None where nobody answered."""
    return [CATEGORIES[code] if code >= 0 else None for code in np.asarray(codes).tolist()]


def order_of(counts: Floats, names: Sequence[str], rule: str) -> NDArray[np.int64]:
    """Must-haves first, then satisfiers, delighters and the rest; the strongest first."""
    category, total = letters(category_of(counts, rule)), np.nan_to_num(strength(counts).total)
    key = [(RANK.get(c or "", 9), -round(t, 12), n) for c, t, n in zip(category, total, names, strict=True)]
    return np.array(sorted(range(len(key)), key=key.__getitem__), dtype=np.int64)


def counted(counts: Floats) -> dict[str, Any]:
    """The columns A to n of counts (rows, 6)."""
    columns: dict[str, Any] = {c: counts[:, i].astype(np.int64) for i, c in enumerate(CATEGORIES)}
    return {**columns, "n": counts.sum(axis=1).astype(np.int64)}


def judged(counts: Floats, rule: str, draws: int) -> dict[str, Any]:
    """The category of counts (rows, 6), and how likely it is."""
    codes = category_of(counts, rule)
    chances = category_probabilities(counts, rule, draws)
    own = chances[np.arange(len(codes)), np.maximum(codes, 0)] if len(codes) else np.zeros(0)
    return {"category": pa.array(letters(codes), pa.string()), "category_probability": own}


def feature_table(names: Sequence[str], counts: Floats, rule: str, draws: int) -> pa.Table:
    """The main table."""
    strong, cs = strength(counts), coefficients(counts)
    return table(
        feature=pa.array(names, pa.string()),
        **counted(counts),
        **judged(counts, rule, draws),
        total_strength=np.asarray(strong.total),
        category_strength=np.asarray(strong.category),
        cs_plus=np.asarray(cs.plus),
        cs_minus=np.asarray(cs.minus),
        top_two_p=np.asarray(top_two(counts).p),
    )


def certainty_table(names: Sequence[str], counts: Floats, rule: str, draws: int) -> pa.Table:
    """How sure each figure is, and how many answers it would take."""
    chances, cs, two = category_probabilities(counts, rule, draws), coefficients(counts), top_two(counts)
    return table(
        feature=pa.array(names, pa.string()),
        **{f"chance_{c}": chances[:, i] for i, c in enumerate(CATEGORIES)},
        cs_plus_low=np.asarray(cs.plus_interval.low),
        cs_plus_high=np.asarray(cs.plus_interval.high),
        cs_minus_low=np.asarray(cs.minus_interval.low),
        cs_minus_high=np.asarray(cs.minus_interval.high),
        first=pa.array(letters(two.first), pa.string()),
        second=pa.array(letters(two.second), pa.string()),
        answers_needed=pa.array([_needed(row) for row in counts], pa.int64()),
        fong_difference=np.asarray(two.fong_difference),
        fong_distinct=np.asarray(two.fong_distinct).astype(bool),
    )


def _needed(row: Floats) -> int | None:
    n = row.sum()
    first, second = np.sort(row)[::-1][:2] / max(n, 1)
    # Of a tie no number of answers makes two categories.
    return answers_needed(float(first), float(second)) if n and first > second else None


def score_table(found: Asked, order: NDArray[np.int64]) -> pa.Table:
    """Continuous scores and stated importance, with their spread."""
    scores = continuous_scores(found.pairs[order])
    n, total, squares = found.importance[order].T
    sure = mean_interval(total, squares, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        spread = np.sqrt(np.maximum(squares - n * mean**2, 0) / np.where(n > 1, n - 1, np.nan))
    return table(
        feature=pa.array([found.features[i] for i in order], pa.string()),
        functional=np.asarray(scores.functional.score),
        functional_low=np.asarray(scores.functional.low),
        functional_high=np.asarray(scores.functional.high),
        functional_sd=np.asarray(scores.functional.sd),
        dysfunctional=np.asarray(scores.dysfunctional.score),
        dysfunctional_low=np.asarray(scores.dysfunctional.low),
        dysfunctional_high=np.asarray(scores.dysfunctional.high),
        dysfunctional_sd=np.asarray(scores.dysfunctional.sd),
        correlation=np.asarray(scores.correlation),
        importance=mean,
        importance_low=np.asarray(sure.low),
        importance_high=np.asarray(sure.high),
        importance_sd=spread,
        importance_n=n.astype(np.int64),
    )


def _difference(before: Floats, after: Floats, rule: str, draws: int) -> dict[str, Any]:
    change = wave_change(before, after, rule, draws)
    few = np.minimum(before.sum(axis=-1), after.sum(axis=-1)) < ENOUGH
    p = holm(np.where(few, np.nan, np.asarray(change.p)).ravel())
    return {
        "cs_plus_change": np.asarray(change.plus.estimate), "cs_plus_change_low": np.asarray(change.plus.low),
        "cs_plus_change_high": np.asarray(change.plus.high), "cs_minus_change": np.asarray(change.minus.estimate),
        "cs_minus_change_low": np.asarray(change.minus.low), "cs_minus_change_high": np.asarray(change.minus.high),
        "moved": np.asarray(change.moved), "p": p, "significant": p < 0.05,
    }  # fmt: skip


def group_table(found: Asked, order: NDArray[np.int64], rule: str, draws: int, by: str) -> pa.Table:
    """Each group against all others, feature by feature."""
    shown = len(found.groups) if by else 0
    mine = found.group_counts[:shown][:, order].reshape(-1, len(CATEGORIES))
    others = (found.counts[order] - found.group_counts[:shown][:, order]).reshape(-1, len(CATEGORIES))
    keep = mine.sum(axis=1) > 0
    mine, others = mine[keep], others[keep]
    names = [(g, found.features[f]) for g in found.groups[:shown] for f in order]
    named = [pair for pair, kept in zip(names, keep, strict=True) if kept]
    cs, against = coefficients(mine), _difference(others, mine, rule, draws)
    against["significant"] &= np.array([group not in (OTHER, UNKNOWN) for group, _ in named], dtype=bool)
    renamed = {
        name.replace("change", "difference"): values for name, values in against.items() if name != "moved"
    }
    return table(
        group=pa.array([g for g, _ in named], pa.string()),
        feature=pa.array([f for _, f in named], pa.string()),
        **counted(mine), **judged(mine, rule, draws),
        others_category=pa.array(letters(category_of(others, rule)), pa.string()),
        cs_plus=np.asarray(cs.plus), cs_minus=np.asarray(cs.minus), **renamed,
    )  # fmt: skip


def wave_table(found: Asked, order: NDArray[np.int64], rule: str, draws: int) -> pa.Table:
    """Each wave, feature by feature."""
    counts = found.wave_counts[:, order].reshape(-1, len(CATEGORIES))
    names = [(wave, found.features[f]) for wave in found.waves for f in order]
    keep = counts.sum(axis=1) > 0
    named, counts = [pair for pair, kept in zip(names, keep, strict=True) if kept], counts[keep]
    cs = coefficients(counts)
    return table(
        wave=pa.array([w for w, _ in named], pa.string()),
        feature=pa.array([f for _, f in named], pa.string()),
        **counted(counts),
        **judged(counts, rule, draws),
        cs_plus=np.asarray(cs.plus),
        cs_minus=np.asarray(cs.minus),
        cs_plus_low=np.asarray(cs.plus_interval.low),
        cs_plus_high=np.asarray(cs.plus_interval.high),
        cs_minus_low=np.asarray(cs.minus_interval.low),
        cs_minus_high=np.asarray(cs.minus_interval.high),
    )


def change_table(found: Asked, order: NDArray[np.int64], rule: str, draws: int) -> pa.Table:
    """From each wave to the next in which the feature was asked, and from the first to the last."""
    steps = []
    for feature in order:
        asked = np.flatnonzero(found.wave_counts[:, feature].sum(axis=1) > 0).tolist()
        pairs = list(pairwise(asked))
        steps += [(feature, a, b) for a, b in [*pairs, *([(asked[0], asked[-1])] if len(pairs) > 1 else [])]]
    which, first, second = (
        (np.array(part, dtype=np.int64) for part in zip(*steps, strict=True))
        if steps
        else (np.zeros(0, np.int64),) * 3
    )
    before, after = found.wave_counts[first, which], found.wave_counts[second, which]
    return table(
        feature=pa.array([found.features[f] for f in which], pa.string()),
        from_wave=pa.array([found.waves[w] for w in first], pa.string()),
        to_wave=pa.array([found.waves[w] for w in second], pa.string()),
        from_category=pa.array(letters(category_of(before, rule)), pa.string()),
        to_category=pa.array(letters(category_of(after, rule)), pa.string()),
        from_n=before.sum(axis=1).astype(np.int64),
        to_n=after.sum(axis=1).astype(np.int64),
        **_difference(before, after, rule, draws),
    )


def respondent_table(found: Asked) -> pa.Table:
    """Who answered: customers and people who stayed anonymous."""
    return table(
        answers=["customers", "anonymous"][: len(found.people)],
        customers=found.people[:, 0],
        straight_liners=found.people[:, 1],
    )
