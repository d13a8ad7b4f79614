"""The tables of `kano_derived`: classes from ratings, what moves orders and leaving, and scores that leak them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.kano._categories import RANK
from wayfare.analyses.kano._models import Fitted, cox, logistic
from wayfare.analyses.kano._respondents import Sample
from wayfare.analyses.kano._scales import Rated
from wayfare.errors import WayfareError
from wayfare.result import table
from wayfare.stats.multiplicity import holm
from wayfare.stats.penalty_reward import DERIVED_CATEGORIES, IMPACT_CLASSES, penalty_reward
from wayfare.stats.proportions import wilson

AGAIN, GONE, OVERALL = "re-purchase", "leaving", "overall satisfaction"
ENOUGH = 30
EVENTS = 10
"""Of each kind of outcome, so many are needed for a regression."""
MOST_LEVELS = 8
CERTAIN, ALIKE, TOLD = 0.99, 20, 0.95

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_SHOWN = ("penalty", "reward", "range", "asymmetry")


@dataclass(frozen=True, eq=False)
class Outcome:
    """Something that came after the answer.

    Attributes:
        name: What it is called.
        known: Of whom it is known (respondents,).
        happened: Whether it did within the window (respondents,).
        days: Days until it did, or until the log's end (respondents,).
        ever: Whether it did by the log's end (respondents,).
    """

    name: str
    known: Bools
    happened: Bools
    days: Floats
    ever: Bools

    @property
    def enough(self) -> bool:
        """Whether a regression can say anything."""
        hits = int(self.happened[self.known].sum())
        return min(hits, int(self.known.sum()) - hits) >= EVENTS


def outcomes_of(sample: Sample, leaving: Sequence[str]) -> list[Outcome]:
    """Leaving where the log has an event that says so; re-purchase, unless it is a log without orders of that kind."""
    gone = [(GONE, sample.gone, sample.left)] if leaving else []
    orders = bool(sample.orders.any() or (~np.isnan(sample.wait)).any())
    kinds = [*([(AGAIN, sample.again, sample.wait)] if orders or not gone else []), *gone]
    return [
        Outcome(name, sample.over, happened, np.where(np.isnan(days), sample.watched, days), ~np.isnan(days))
        for name, happened, days in kinds
    ]


# Classes


def bands_of(sample: Sample, place: int) -> tuple[float, float]:
    """Up to where ratings are low and from where they are high; by what is usual where the scale's outer quarters are empty."""
    low, high = sample.rated[place].cuts
    scores = sample.then[:, place]
    known = scores[~np.isnan(scores)]
    if not len(known):
        return low, high
    least = max(0.05 * len(known), 5)
    bottom, top = (sign * np.quantile(sign * known, 0.2, method="inverted_cdf") for sign in (1, -1))
    low = low if (known <= low).sum() >= least else float(bottom)
    high = high if (known >= high).sum() >= least else float(top)
    return (low, high) if low < high else sample.rated[place].cuts


def class_rows(
    sample: Sample, overall: int, outcomes: Sequence[Outcome], leaks: set[tuple[str, str]], draws: int
) -> list[dict[str, Any]]:
    """Penalty and reward of each rating, against satisfaction as a whole and against what came after."""
    drivers = [place for place in range(len(sample.rated)) if place != overall]
    rows = []
    if overall >= 0 and drivers:
        score = sample.then[:, overall]
        rows += _contrast(sample, drivers, OVERALL, score, ~np.isnan(score), draws)
    for outcome in outcomes:
        used = drivers or ([overall] if overall >= 0 else [])
        used = [p for p in used if (sample.rated[p].key, outcome.name) not in leaks]
        # Leaving is turned round, so that a reward is always what one wants.
        y = (outcome.happened if outcome.name == AGAIN else ~outcome.happened).astype(float)
        rows += _contrast(
            sample, used, outcome.name if outcome.name == AGAIN else "staying", y, outcome.known, draws
        )
    return rows


def _contrast(
    sample: Sample, drivers: list[int], against: str, y: Floats, known: Bools, draws: int
) -> list[dict[str, Any]]:
    """Rows of one regression; ratings that too few gave beside the others are left out of it, and say so."""
    used = _answered_together(sample.then[known], drivers)
    cuts = np.array([bands_of(sample, place) for place in drivers]).reshape(-1, 2)
    rows = [_empty(sample.rated[p], against, cuts[i], "too few rated it together with the others")
            for i, p in enumerate(drivers)]  # fmt: skip
    if not used:
        return rows
    # Distinct rows with their counts: fewer, and in an order that does not depend on who comes first.
    ends = _turned(sample, used)
    data = np.column_stack([sample.then[known][:, used] * ends, y[known]])
    data = data[~np.isnan(data).any(axis=1)]
    distinct, counts = np.unique(data, axis=0, return_counts=True)
    chosen = [drivers.index(place) for place in used]
    mine = np.sort(cuts[chosen] * ends[:, None], axis=1)
    try:
        found = penalty_reward(distinct[:, :-1], distinct[:, -1], mine[:, 0], mine[:, 1], counts,
                               [sample.rated[p].key for p in used], draws=draws)  # fmt: skip
    except WayfareError as error:
        return [{**row, "n": int(counts.sum()), "note": error.problem.rstrip(".")} for row in rows]
    for at, number in enumerate(chosen):
        rows[number] |= _told(found, at)
    return rows


def _answered_together(then: Floats, drivers: list[int]) -> list[int]:
    """As many ratings as enough customers gave together; the rarest goes first."""
    used = list(drivers)
    while used and (~np.isnan(then[:, used]).any(axis=1)).sum() < ENOUGH:
        used.remove(min(used, key=lambda place: (int((~np.isnan(then[:, place])).sum()), -place)))
    return used


def _turned(sample: Sample, used: list[int]) -> Floats:
    """1, or -1 where a high score is bad."""
    return np.array([-1.0 if sample.rated[p].fewer_is_better else 1.0 for p in used])


def _empty(rated: Rated, against: str, cuts: Floats, note: str) -> dict[str, Any]:
    row: dict[str, Any] = {"feature": rated.key, "against": against, "basis": "derived", "category": None,
                           "category_probability": np.nan}  # fmt: skip
    for name in _SHOWN:
        row |= {name: np.nan, f"{name}_low": np.nan, f"{name}_high": np.nan}
    return row | {"low_at": cuts[0], "high_at": cuts[1], "low_n": 0, "high_n": 0, "n": 0, "note": note}


def _told(found: Any, at: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in _SHOWN:
        interval = getattr(found, f"{name}_interval")
        row |= {
            name: getattr(found, name)[at],
            f"{name}_low": interval.low[at],
            f"{name}_high": interval.high[at],
        }
    kind = int(found.impact_class[at])
    letters = [DERIVED_CATEGORIES[name] for name in IMPACT_CLASSES]
    chance = found.class_probability[at]
    letter = None if kind < 0 else "I" if found.neutral[at] else letters[kind]
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


# What moves the outcome


@dataclass(frozen=True, eq=False)
class Level:
    """One column of the regression: a low or high rating, or a value of a feature."""

    feature: str
    level: str
    reference: str
    members: Bools
    others: Bools


def levels_of(sample: Sample, overall: int) -> list[Level]:
    """Low and high of each rating but the one of satisfaction as a whole; each value of a feature but the commonest."""
    found = []
    for place, rated in enumerate(sample.rated):
        if place == overall and len(sample.rated) > 1:
            continue
        low, high = bands_of(sample, place)
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
            level for level in told if 5 <= level.members[outcome.known].sum() <= outcome.known.sum() - 5
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
            f"{name}_low": np.exp(at - 1.959964 * error),
            f"{name}_high": np.exp(at + 1.959964 * error),
        }
    row["p"] = p[place] if place >= 0 else np.nan
    said = "raises" if place >= 0 and odds.estimate[place] > 0 else "lowers"
    row["effect"] = said if row["p"] < 0.05 else "can't be told"
    return row


# Scores that leak

_SAYS = {AGAIN: ("ordered again", "did not order again"), GONE: ("left", "stayed")}


def leak_rows(sample: Sample, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Ratings and features with which the outcome is as good as known.

    At one of their levels at least 99% of 20 customers or more have the rarer outcome; or they tell two customers of
    different outcome apart 95 times in 100 (the area under the ROC curve).
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
    n, area = hits + misses, told_apart(hits, misses)
    certain = np.flatnonzero((n >= ALIKE) & (hits >= CERTAIN * n))
    levels = (
        certain.tolist() if len(certain) else [int(np.argmax(n * (area >= TOLD)))] if area >= TOLD else []
    )
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


_TEXT = {"feature", "against", "basis", "category", "note", "outcome", "level", "reference", "effect", "says"}
_COUNT = {"low_n", "high_n", "n", "customers"}


def class_table(rows: list[dict[str, Any]]) -> pa.Table:
    """The classes; must-haves first, within a class what matters most."""
    ends = ("", "_low", "_high")
    names = ["feature", "against", "basis", *(f"{name}{end}" for name in _SHOWN for end in ends), "category",
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
