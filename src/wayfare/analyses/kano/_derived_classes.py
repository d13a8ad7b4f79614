"""Classes from ratings: what a low rating costs and a high one earns, in one regression of all ratings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wayfare.analyses.kano._outcomes import AGAIN, OVERALL, Bools, Floats, Outcome
from wayfare.analyses.kano._respondents import Sample
from wayfare.analyses.kano._scales import Rated, bands_of, drivers_of
from wayfare.errors import WayfareError
from wayfare.stats.penalty_reward import DERIVED_CATEGORIES, IMPACT_CLASSES, penalty_reward

ENOUGH = 30
"""Customers with all the ratings that are used; fewer are too few to say."""
SHOWN = ("penalty", "reward", "range", "asymmetry")


def class_rows(
    sample: Sample, overall: int, outcomes: Sequence[Outcome], leaks: set[tuple[str, str]], draws: int
) -> list[dict[str, Any]]:
    """Penalty and reward of each rating, against satisfaction as a whole and against what came after."""
    drivers = drivers_of(sample.rated, overall)
    rows = []
    if overall >= 0 and drivers:
        # What comes after the answers does not matter here: everybody's latest ones count.
        score = sample.now[:, overall]
        rows += _contrast(sample.rated, sample.now, drivers, OVERALL, score, ~np.isnan(score), draws)
    for outcome in outcomes:
        used = drivers or ([overall] if overall >= 0 else [])
        used = [p for p in used if (sample.rated[p].key, outcome.name) not in leaks]
        # Leaving is turned round, so that a reward is always what one wants.
        y = (outcome.happened if outcome.name == AGAIN else ~outcome.happened).astype(float)
        rows += _contrast(
            sample.rated,
            sample.then,
            used,
            outcome.name if outcome.name == AGAIN else "staying",
            y,
            outcome.known,
            draws,
        )
    return rows


def _contrast(
    rated: tuple[Rated, ...],
    scores: Floats,
    drivers: list[int],
    against: str,
    y: Floats,
    known: Bools,
    draws: int,
) -> list[dict[str, Any]]:
    """Rows of as many regressions as there are sets of ratings that were given together."""
    rows, left = [], list(drivers)
    bands = {place: bands_of(rated[place], scores[:, place]) for place in drivers}
    while used := _answered_together(scores[known], left):
        blank = [_empty(rated[place], against, bands[place], "") for place in used]
        ends = np.array([-1.0 if rated[place].fewer_is_better else 1.0 for place in used])
        cuts = np.sort(np.array([bands[place] for place in used]) * ends[:, None], axis=1)
        rows += _regression(blank, np.column_stack([scores[known][:, used] * ends, y[known]]), cuts, draws)
        left = [place for place in left if place not in used]
    return rows + [_empty(rated[place], against, bands[place], "too few rated it") for place in left]


def _regression(rows: list[dict[str, Any]], data: Floats, cuts: Floats, draws: int) -> list[dict[str, Any]]:
    """The rows filled in from ratings with the outcome last; high is good in all of them."""
    # Distinct rows with their counts: fewer, and in an order that does not depend on who comes first.
    distinct, counts = np.unique(data[~np.isnan(data).any(axis=1)], axis=0, return_counts=True)
    names = [row["feature"] for row in rows]
    try:
        found = penalty_reward(
            distinct[:, :-1], distinct[:, -1], cuts[:, 0], cuts[:, 1], counts, names, draws=draws
        )
    except WayfareError as error:
        return [{**row, "n": int(counts.sum()), "note": error.problem.rstrip(".")} for row in rows]
    return [row | _told(found, at) for at, row in enumerate(rows)]


def _answered_together(then: Floats, drivers: list[int]) -> list[int]:
    """The ratings that at least half as many gave as gave the commonest one, and that enough customers gave together."""
    if not drivers:
        return []
    given = {place: int((~np.isnan(then[:, place])).sum()) for place in drivers}
    used = [place for place in drivers if 2 * given[place] >= max(given.values())]
    while used and (~np.isnan(then[:, used]).any(axis=1)).sum() < ENOUGH:
        used.remove(min(used, key=lambda place: (given[place], -place)))
    return used


def _empty(rated: Rated, against: str, cuts: Any, note: str) -> dict[str, Any]:
    row: dict[str, Any] = {"feature": rated.key, "against": against, "basis": "derived", "category": None,
                           "category_probability": np.nan}  # fmt: skip
    for name in SHOWN:
        row |= {name: np.nan, f"{name}_low": np.nan, f"{name}_high": np.nan}
    return row | {"low_at": cuts[0], "high_at": cuts[1], "low_n": 0, "high_n": 0, "n": 0, "note": note}


def _told(found: Any, at: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in SHOWN:
        interval = getattr(found, f"{name}_interval")
        row |= {
            name: getattr(found, name)[at],
            f"{name}_low": interval.low[at],
            f"{name}_high": interval.high[at],
        }
    kind = int(found.impact_class[at])
    letters = [DERIVED_CATEGORIES[name] for name in IMPACT_CLASSES]
    chance = found.class_probability[at]
    letter = "I" if found.neutral[at] else letters[kind] if kind >= 0 else None
    same = [c for c, its in enumerate(letters) if its == letter]
    row["category"] = letter
    row["category_probability"] = float(chance[same].sum()) if same else np.nan
    row |= {
        "low_n": int(found.low_n[at]),
        "high_n": int(found.high_n[at]),
        "n": int(found.n),
        "note": found.reasons[at],
    }
    return row
