"""What customers say after a delivery: survey scores that fall with the days waited, reviews, calls for help."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wayfare.demo.company import Company
from wayfare.demo.delivery import arrived
from wayfare.demo.orders import Orders
from wayfare.demo.rows import EVENT, KINDS, NONE, QUESTIONS, SURVEYS, Array, Rows, rows, where
from wayfare.demo.season import DAY

ANSWERED = 0.25
COMMENTED = 0.30
EFFORT_ANSWERED = 0.40
REVIEWED = 0.05
AGREEMENT = 8.0
SUPPORT, SUPPORT_LATE = 0.025, 0.09
SUPPORT_COST = 4.2

COMMENTS = (
    "Fresh, fast, will order again.",
    "Best espresso I have had at home.",
    "My colleagues now order here too.",
    "Good coffee, nothing special about the rest.",
    "Taste is fine, the box was a little battered.",
    "Waited far too long for the parcel.",
    "Delivery was late again and nobody told me.",
    "Too dark a roast for me.",
    "Payment did not go through at first.",
)
_PROMOTER, _PASSIVE, _LATE, _DETRACTOR = (0, 3), (3, 5), (5, 7), (7, 9)


def questionnaires() -> list[Path]:
    """The documents of the company's surveys."""
    return sorted((Path(__file__).parent / "questionnaires").glob("*.yaml"))


def survey_answers(company: Company, placed: Orders, order: Array, rng: np.random.Generator) -> Rows:
    """Answers from 0 to 10 days after delivery, with an expectation that falls straight with the days waited.

    The score is beta-binomial, so that rounding and the ends of the scale leave the straight line intact:
    E[score] = score_mean - score_per_day * (delivery_days of the order - delivery_days of the company).
    """
    at = np.flatnonzero(placed.web & (rng.random(order.size) < ANSWERED))
    days = placed.delivery_days[at]
    mean = company.score_mean - company.score_per_day * (days - company.delivery_days)
    share = np.clip(mean / 10, 0.01, 0.99)
    score = rng.binomial(10, rng.beta(share * AGREEMENT, (1 - share) * AGREEMENT))
    says = rng.random(at.size) < COMMENTED
    return rows(
        "survey_answer",
        placed.customer[at],
        arrived(placed.time[at], days) + (rng.uniform(0.5, 4, at.size) * DAY).astype(np.int64),
        order=order[at],
        score=score,
        survey=SURVEYS.index("after delivery"),
        question=QUESTIONS.index("delivered"),
        question_kind=KINDS.index("csat"),
        touchpoint=EVENT["delivery"],
        comment=np.where(says, comment_on(score, days > company.promised_days, rng), NONE),
    )


def reviews(placed: Orders, order: Array, rng: np.random.Generator) -> Rows:
    """Reviews written after some orders: those who order more write more, the review changes nothing."""
    at = np.flatnonzero(rng.random(order.size) < REVIEWED)
    came = arrived(placed.time[at], np.nan_to_num(placed.delivery_days[at]))
    return rows(
        "review_written",
        placed.customer[at],
        came + (rng.uniform(2, 14, at.size) * DAY).astype(np.int64),
        order=order[at],
        comment=rng.integers(*_PROMOTER, at.size),
    )


def support_contacts(company: Company, placed: Orders, order: Array, rng: np.random.Generator) -> Rows:
    """Calls for help, likelier when the parcel is late; each costs the company money."""
    late = placed.delivery_days > company.promised_days
    at = np.flatnonzero(placed.web & (rng.random(order.size) < np.where(late, SUPPORT_LATE, SUPPORT)))
    came = arrived(placed.time[at], placed.delivery_days[at])
    time = came + (rng.uniform(0.1, 3, at.size) * DAY).astype(np.int64)
    return rows("support_contact", placed.customer[at], time, order=order[at], cost=SUPPORT_COST)


def effort_answers(company: Company, orders: Orders, contacts: Rows, rng: np.random.Generator) -> Rows:
    """After a call for help: how easy it was, 1 to 7; `effort_late` points less where the parcel was late."""
    at = np.flatnonzero(rng.random(contacts["customer"].size) < EFFORT_ANSWERED)
    asked = where(contacts, at)
    late = orders.delivery_days[asked["order"]] > company.promised_days
    mean = 5.4 - company.effort_late * late
    share = np.clip((mean - 1) / 6, 0.01, 0.99)
    return rows(
        "survey_answer",
        asked["customer"],
        asked["time"] + (rng.uniform(0.1, 1, at.size) * DAY).astype(np.int64),
        order=asked["order"],
        score=1 + rng.binomial(6, rng.beta(share * AGREEMENT, (1 - share) * AGREEMENT)),
        survey=SURVEYS.index("after support"),
        question=QUESTIONS.index("effort"),
        question_kind=KINDS.index("ces"),
        touchpoint=EVENT["support_contact"],
    )


def comment_on(score: Array, late: Array, rng: np.random.Generator) -> Array:
    """A comment that fits the score, by its place in `COMMENTS`; the displeased speak of the delay if it was late."""
    low, high = np.select(
        [score[:, None] >= 9, score[:, None] >= 7, late[:, None]], [_PROMOTER, _PASSIVE, _LATE], _DETRACTOR
    ).T
    comment: Array = rng.integers(low, high)
    return comment
