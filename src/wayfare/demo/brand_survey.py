"""The yearly survey of the brand: recommendation, ratings of what may drive it, and Kano pairs, in two waves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wayfare.demo.company import Company
from wayfare.demo.orders import Orders
from wayfare.demo.rows import (
    DRIVERS,
    FEATURES,
    KANO_ANSWERS,
    KINDS,
    NONE,
    QUESTIONS,
    SURVEYS,
    Array,
    Rows,
    rows,
)
from wayfare.demo.season import DAY, micros
from wayfare.demo.surveys import comment_on

WHEN = (0.42, 0.92)
"""When the waves are, as shares of the company's time."""
AGREEMENT = 9.0
_LIKE, _MUST_BE, _NEUTRAL, _LIVE_WITH, _DISLIKE = range(len(KANO_ANSWERS))
_MIDDLE = (_MUST_BE, _NEUTRAL, _LIVE_WITH)
_CELLS = {
    "A": [(_LIKE, answer) for answer in _MIDDLE],
    "O": [(_LIKE, _DISLIKE)],
    "M": [(answer, _DISLIKE) for answer in _MIDDLE],
    "I": [(a, b) for a in _MIDDLE for b in _MIDDLE],
    "R": [(_DISLIKE, _LIKE), (_NEUTRAL, _LIKE), (_DISLIKE, _NEUTRAL)],
    "Q": [(_LIKE, _LIKE), (_DISLIKE, _DISLIKE)],
}
_IMPORTANCE = {"M": 7.8, "O": 7.0, "A": 5.8, "I": 3.2, "R": 2.0, "Q": 4.5}
_ORDER = "AOMIRQ"


def brand_survey(company: Company, placed: Orders, rng: np.random.Generator) -> Iterator[Rows]:
    """Every answer of those who took part in one of the two waves: one or more orders before it, and willing.

    Overall satisfaction (1 to 10) is the mean of the company's plus the drivers' deviations times `driver_weights`
    and chance, rounded; the recommendation (0 to 10) follows it. A Kano pair's category is drawn from the shares
    that the company gives the feature in that wave, and then one of the category's cells with equal chances.
    """
    start, end = micros(company.start), micros(company.end)
    for wave, part in enumerate(WHEN):
        at = int(start + part * (end - start))
        known, orders = np.unique(placed.customer[placed.time < at - 14 * DAY], return_counts=True)
        rate = np.where(orders > 1, company.survey_rate_repeaters, company.survey_rate)
        who = known[rng.random(known.size) < rate]
        time = at + (rng.uniform(0, 10, who.size) * DAY).astype(np.int64)
        yield from _ratings(company, who, time, wave, rng)
        yield from _kano(company, who, time, wave, rng)


def _ratings(
    company: Company, who: Array, time: Array, wave: int, rng: np.random.Generator
) -> Iterator[Rows]:
    share = rng.beta(6.0, 2.6, (len(DRIVERS), who.size))
    given = 1 + rng.binomial(9, share)
    weights = np.array(company.driver_weights)[:, None]
    centred = weights * (given - given.mean(axis=1, keepdims=True) if who.size else given)
    overall = np.clip(np.rint(7.4 + centred.sum(axis=0) + rng.normal(0, 0.8, who.size)), 1, 10)
    likely = np.clip(np.rint(overall + rng.normal(0, 0.9, who.size)), 0, 10)
    for name, score in zip(DRIVERS, given, strict=True):
        yield _answers(name, "rating", who, time, wave, score=score)
    yield _answers("overall", "rating", who, time, wave, score=overall)
    says = rng.random(who.size) < 0.4
    comment = comment_on(likely, np.zeros(who.size, dtype=bool), rng)
    yield _answers("recommend", "nps", who, time, wave, score=likely, comment=np.where(says, comment, NONE))


def _kano(company: Company, who: Array, time: Array, wave: int, rng: np.random.Generator) -> Iterator[Rows]:
    for feature, waves in zip(FEATURES, company.kano, strict=True):
        shares = np.array(waves[min(wave, len(waves) - 1)])
        category = rng.choice(len(_ORDER), who.size, p=shares / shares.sum())
        cells = [_CELLS[letter] for letter in _ORDER]
        pick = (rng.random(who.size) * np.array([len(cell) for cell in cells])[category]).astype(int)
        pair = np.array([cells[c][p] for c, p in zip(category, pick, strict=True)]).reshape(-1, 2)
        level = np.array([_IMPORTANCE[letter] for letter in _ORDER])[category]
        yield _answers(
            feature,
            "kano",
            who,
            time,
            wave,
            feature=FEATURES.index(feature),
            functional=pair[:, 0],
            dysfunctional=pair[:, 1],
            importance=np.clip(np.rint(level + rng.normal(0, 1.2, who.size)), 1, 9),
        )


def _answers(question: str, kind: str, who: Array, time: Array, wave: int, **columns: Array | float) -> Rows:
    return rows(
        "survey_answer", who, time, survey=SURVEYS.index("brand"), question=QUESTIONS.index(question),
        question_kind=KINDS.index(kind), wave=wave, **columns,
    )  # fmt: skip
