"""What moves re-purchase and leaving: logistic and Cox regression on ratings, features and the history before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wayfare.analyses.kano._models import Fitted, cox, logistic
from wayfare.analyses.kano._outcomes import Bools, Floats, Outcome
from wayfare.analyses.kano._respondents import Sample
from wayfare.analyses.kano._scales import bands_of, drivers_of
from wayfare.stats.multiplicity import holm
from wayfare.stats.proportions import wilson

MOST_LEVELS = 8
"""A feature with more values than this is not one."""
_FEWEST = 5
_Z = 1.959964


@dataclass(frozen=True, eq=False)
class Level:
    """One column of the regression: a low or high rating, or a value of a feature."""

    feature: str
    level: str
    reference: str
    members: Bools
    others: Bools


def levels_of(sample: Sample, overall: int) -> list[Level]:
    """Low and high of each rating but those of satisfaction as a whole; each value of a feature but the commonest."""
    found = []
    for place in drivers_of(sample.rated, overall) or range(len(sample.rated)):
        rated = sample.rated[place]
        low, high = bands_of(rated, sample.then[:, place])
        scores = sample.then[:, place]
        below, above = scores <= low, scores >= high
        between = ~np.isnan(scores) & ~below & ~above
        for name, mask in ((f"{low:g} or lower", below), (f"{high:g} or higher", above)):
            found.append(Level(rated.key, name, "in between", mask, between))
    for feature, (names, codes) in sample.presence.items():
        present = codes[codes >= 0]
        if len(present) and 2 <= len(np.unique(present)) <= MOST_LEVELS:
            counts = np.bincount(present, minlength=len(names))
            usual = min(range(len(names)), key=lambda c: (-counts[c], names[c]))
            usual = names.index("no") if set(names) == {"no", "yes"} else usual
            others = sorted(
                (c for c in range(len(names)) if counts[c] and c != usual), key=lambda c: names[c]
            )
            found += [Level(feature, names[c], names[usual], codes == c, codes == usual) for c in others]
    return found


def effect_rows(
    sample: Sample, levels: Sequence[Level], outcomes: Sequence[Outcome], leaks: set[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Shares, odds ratios and hazard ratios of each level, adjusted for all others and for the history before."""
    rows = []
    for outcome in outcomes:
        told = [level for level in levels if (level.feature, outcome.name) not in leaks]
        varying = [
            level
            for level in told
            if _FEWEST <= level.members[outcome.known].sum() <= outcome.known.sum() - 5
        ]
        odds, hazard = _fits(sample, varying, outcome)
        p = holm(_p(odds))
        place = {id(level): number for number, level in enumerate(varying)}
        rows += [_effect(level, outcome, odds, hazard, p, place.get(id(level), -1)) for level in told]
    return rows


def _fits(sample: Sample, levels: Sequence[Level], outcome: Outcome) -> tuple[Fitted, Fitted]:
    nothing = Fitted(np.full(len(levels), np.nan), np.full(len(levels), np.nan))
    if not levels or not outcome.enough:
        return nothing, nothing
    columns = np.column_stack([*(level.members for level in levels), *_unknown(levels), *_history(sample)])
    columns = columns.astype(float)
    # Who left before the answer can't leave after it; a wait of nothing is no wait.
    at_risk = outcome.days > 0
    known = outcome.known
    fits = (
        logistic(columns[known], outcome.happened[known]),
        cox(columns[at_risk], outcome.days[at_risk], outcome.ever[at_risk]),
    )
    size = len(levels)
    return tuple(Fitted(fit.estimate[:size], fit.error[:size]) for fit in fits)  # type: ignore[return-value]


def _unknown(levels: Sequence[Level]) -> list[Bools]:
    """Of each feature: who said nothing of it; one column where the features lack the same."""
    by_feature: dict[str, Bools] = {}
    for level in levels:
        by_feature[level.feature] = by_feature.get(level.feature, level.others) | level.members
    distinct = {(~known).tobytes(): ~known for known in by_feature.values()}
    return [missing for missing in distinct.values() if missing.any() and not missing.all()]


def _history(sample: Sample) -> list[Floats]:
    """Orders so far, time since the last one and since the first event, on a log scale and standardised."""
    silence = np.where(np.isnan(sample.silence), sample.tenure, sample.silence)
    parts = [np.log1p(part.astype(float)) for part in (sample.orders, silence, sample.tenure)]
    return [(part - part.mean()) / part.std() for part in parts if len(part) and part.std() > 1e-12]


def _p(fit: Fitted) -> Floats:
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2 * ndtr(-np.abs(fit.estimate / fit.error)))


def _effect(
    level: Level, outcome: Outcome, odds: Fitted, hazard: Fitted, p: Floats, place: int
) -> dict[str, Any]:
    mine, others = level.members & outcome.known, level.others & outcome.known
    hits, n = int(outcome.happened[mine].sum()), int(mine.sum())
    sure = wilson(hits, n) if n else None
    row: dict[str, Any] = {
        "outcome": outcome.name, "feature": level.feature, "level": level.level, "reference": level.reference,
        "customers": n, "share": hits / n if n else np.nan, "share_low": sure.low if sure else np.nan,
        "share_high": sure.high if sure else np.nan,
        "reference_share": float(outcome.happened[others].mean()) if others.any() else np.nan,
    }  # fmt: skip
    for name, fit in (("odds_ratio", odds), ("hazard_ratio", hazard)):
        at, error = (fit.estimate[place], fit.error[place]) if place >= 0 else (np.nan, np.nan)
        row |= {
            name: np.exp(at),
            f"{name}_low": np.exp(at - _Z * error),
            f"{name}_high": np.exp(at + _Z * error),
        }
    row["p"] = p[place] if place >= 0 else np.nan
    said = "raises" if place >= 0 and odds.estimate[place] > 0 else "lowers"
    row["effect"] = said if row["p"] < 0.05 else "can't be told"
    return row
