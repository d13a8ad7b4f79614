"""What is planted in the simulated company: each truth with its value, where it shows and what should find it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import yaml

from wayfare.demo.acquisition import People
from wayfare.demo.company import Channel, Company
from wayfare.demo.orders import REPURCHASE_DAYS, Orders
from wayfare.demo.rows import FEATURES, NONE, Array, select
from wayfare.demo.season import DAY, micros
from wayfare.demo.simulate import BATCH_CUSTOMERS, batches, population

FOLLOWED_DAYS = 180

_BATCHES_COUNTED = 5
_BATCHES_COMPARED = 10
_MANY_REFERRED = 0.4

Value = float | str | list[float] | list[dict[str, Any]]


@dataclass(frozen=True)
class Truth:
    """One planted truth; `analyses` name those that should find it, `where` the rows that hold it."""

    name: str
    value: Value
    meaning: str
    where: str
    analyses: tuple[str, ...]


# name of the field of Company, what it means; the rows it shows in; the analyses that should find it
_PLANTED: tuple[tuple[dict[str, str], str, tuple[str, ...]], ...] = (
    (
        {
            "mobile_payment_rate": "Share of mobile payments that end in an order, outside the bug's weeks",
            "mobile_payment_rate_bug": "The same share during the bug's weeks",
            "desktop_payment_rate": "Share of desktop payments that end in an order, always",
            "bug_start": "First day of the payment bug",
            "bug_end": "First day after the payment bug",
        },
        "sessions with a payment: those with a purchase in the same session, by device and date",
        ("funnel", "dropoff"),
    ),
    (
        {
            "recipe_exposure": "Share of orders after which the recipe is read within 2 days, at random",
            "recipe_conversion": "Of the exposed who would not have ordered again within 90 days, the share that does",
        },
        "recipe_read rows by the order they follow, within 2 days of it; the next purchase within 90 days",
        ("touchpoints",),
    ),
    (
        {
            "delay_start": "First day on which parcels of north_post are slow",
            "slow_carrier_share": "Share of customers whose parcels north_post carries",
            "delivery_days": "Mean days from order to delivery, ordinarily",
            "delivery_days_slow": "Mean days with north_post from the first slow day on",
            "promised_days": "A parcel that takes more days than this is late",
        },
        "delivery rows: delivery_days by carrier and date",
        ("time_to", "touchpoints"),
    ),
    (
        {
            "score_mean": "Expected score (0 to 10) of an order delivered in the ordinary mean time",
            "score_per_day": "Points of score lost with each day the delivery takes longer",
        },
        "survey_answer rows: score against the delivery_days of the same order",
        ("touchpoints", "scorecard"),
    ),
    (
        {
            "driver_weights": "What a point of taste, delivery, price, service and shop adds to overall satisfaction (1 to 10)",
        },
        "survey_answer rows of the survey `brand`: kind rating, question overall against the others",
        ("drivers",),
    ),
    (
        {
            "survey_rate": "Share of customers with one order who answer the brand survey, each wave",
            "survey_rate_repeaters": "The same share of those with more orders",
        },
        "survey_answer rows of the survey `brand`, by the orders before it",
        ("nps",),
    ),
    (
        {"effort_late": "Points (1 to 7) by which getting help is less easy after a late parcel"},
        "survey_answer rows of kind ces, by the delivery_days of the same order",
        ("ces",),
    ),
    (
        {"late_repurchase_factor": "A late parcel multiplies the chance of any further order by this"},
        "purchases after an order whose delivery was late, against others of the same time",
        ("touchpoints", "retention"),
    ),
    (
        {"season": "Multipliers of the repeat-purchase rate, January first"},
        "repeat orders by month against the customers active in it",
        ("scorecard", "lifecycle"),
    ),
    (
        {
            "referred_factor": "A referred buyer's expected repeat orders, over any span, are this many times as many",
            "referral_conversion": "Share of referred customers who mean to buy",
            "referral_acceptance": "Share of referral invitations that bring a sign-up",
            "referral_shares": "Share of all customers in each referred generation",
        },
        "referral_* rows; repeat orders of customers with a referrer and without",
        ("retention", "referral"),
    ),
    (
        {
            "r": "BG/NBD: shape of the gamma distribution of purchase rates (a week)",
            "alpha": "BG/NBD: rate parameter of that distribution, in weeks",
            "a": "BG/NBD: first parameter of the beta distribution of leaving after a repeat order",
            "b": "BG/NBD: second parameter of that distribution",
        },
        "repeat orders by customer; exact for Company().undisturbed(), near it otherwise; without subscription orders",
        ("forecast", "retention"),
    ),
    (
        {
            "channels": "Share of arriving customers by first channel, and the share of them that means to buy",
            "viral_week": "First day of the week in which an article brought many lookers",
            "viral_share": "Share of the customers not referred who came by the article",
            "viral_conversion": "Share of those who mean to buy",
        },
        "first row of each customer: channel and campaign",
        ("attribution", "overview"),
    ),
    (
        {
            "grinder_after_espresso": "Chance that a repeat order holds the first grinder if the first coffee was espresso",
            "grinder_after_other": "The same chance if the first coffee was filter",
        },
        "purchase rows: category by order",
        ("next_product",),
    ),
    (
        {
            "duplicates_per_thousand": "Rows per thousand customers written twice with the same event_id",
            "unusable_per_thousand": "Rows per thousand customers without a customer or a readable time",
        },
        "the written file only, not the records",
        ("ingest",),
    ),
)


def truths(company: Company) -> tuple[Truth, ...]:
    """All that is planted in `company`: its fields, and what follows from them by counting in the simulation.

    Counts come from the company's own first customers (50,000 at most) and are scaled beyond them.
    """
    planted = [
        Truth(name, _plain(getattr(company, name)), meaning, where, analyses)
        for names, where, analyses in _PLANTED
        for name, meaning in names.items()
    ]
    return (*planted, _kano(company), *_following(company), *_nothing())


def truths_text(company: Company) -> str:
    """The truths as the YAML file that lies beside the demo."""
    document = {
        "simulated": True,
        "customers": company.customers,
        "seed": company.seed,
        "start": company.start.isoformat(),
        "end": company.end.isoformat(),
        "truths": [vars(truth) | {"analyses": list(truth.analyses)} for truth in truths(company)],
    }
    return yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True)


def count_of(customers: int, per_thousand: float) -> int:
    """How many of something planted per thousand customers there are among so many."""
    return int(customers * per_thousand / 1000)


def _kano(company: Company) -> Truth:
    """What is planted about the shop's features: the most frequent category, wave by wave."""
    features = zip(FEATURES, company.kano, strict=True)
    value: list[dict[str, Any]] = [
        {"feature": name, "categories": ["AOMIRQ"[int(np.argmax(wave))] for wave in waves]}
        for name, waves in features
    ]
    meaning = "Most frequent Kano category of each feature, wave by wave; the last one holds on"
    return Truth("kano", value, meaning, "survey_answer rows of kind kano, by feature and wave", ("kano",))


def _following(company: Company) -> list[Truth]:
    """Truths that follow from the fields."""
    lost, again = _counted(company)
    unpaid, bought = "payment rows on mobile during the bug, with no purchase in the session", "purchase rows"
    points = round(100 * company.recipe_conversion * (1 - again), 1)
    return [
        Truth("mobile_orders_lost", lost, "Intended mobile orders the bug prevented", unpaid, ("dropoff",)),
        Truth(
            "repurchase_90_days",
            round(again, 3),
            "Chance of another order within 90 days after an order, with no recipe read",
            f"{bought}, orders followed for 90 days, without subscription orders",
            ("scorecard", "touchpoints"),
        ),
        Truth(
            "recipe_lift_points",
            points,
            "Percentage points that reading the recipe adds to that chance",
            "recipe_read rows by the order they follow, within 2 days of it; the next purchase within 90 days",
            ("touchpoints",),
        ),
        Truth(
            "referred_repeat_orders_factor",
            _referred_factor(company),
            "Repeat orders of referred buyers in 180 days over those of others, all effects together",
            "purchase rows of buyers followed for 180 days after their first order, without subscription orders",
            ("retention", "referral"),
        ),
        Truth(
            "never_buy_share",
            round(1 - company.buyer_share, 3),
            "Share of customers who never mean to buy; late arrivals and lost first orders add to those without one",
            bought,
            ("overview", "scorecard"),
        ),
        Truth(
            "duplicates",
            count_of(company.customers, company.duplicates_per_thousand),
            "Rows written twice",
            "the written file",
            ("ingest",),
        ),
        Truth(
            "unusable",
            count_of(company.customers, company.unusable_per_thousand),
            "Rows that can't be used",
            "the written file",
            ("ingest",),
        ),
    ]


def _nothing() -> list[Truth]:
    """What looks as if it worked and does not: these change no purchase in the simulation."""
    reasons = {
        "newsletter_click_lift_points": "Clicks fall at random on readers, who joined at an order",
        "review_written_lift_points": "Those who order more write more; the review itself changes nothing",
        "refill_reminder_lift_points": "Sent only to those who have not ordered for four weeks",
    }
    return [
        Truth(name, 0.0, meaning, "the rows of that event; the next purchase", ("touchpoints",))
        for name, meaning in reasons.items()
    ]


def _counted(company: Company) -> tuple[int, float]:
    """Orders lost to the bug, and the share of orders with another within 90 days had no recipe been read."""
    lost = followed = again = 0
    sizes = batches(company)[:_BATCHES_COUNTED]
    latest = micros(company.end) - REPURCHASE_DAYS * DAY
    for number, size in enumerate(sizes):
        orders = population(company, number, size)[1]
        lost += int(orders.lost.sum())
        counted = ~orders.lost & (orders.time < latest)
        followed += int(counted.sum())
        again += int(orders.natural[counted].sum())
    scale = company.customers / sum(sizes)
    return round(lost * scale), again / max(followed, 1)


def _referred_factor(company: Company) -> float:
    """Mean repeat orders of referred buyers over those of others, in a company where many are referred.

    Less than `referred_factor`: reading a recipe brings back those who would have stayed away, referred or not.
    """
    if not company.referral_shares:
        return 1.0
    more = _MANY_REFERRED / sum(company.referral_shares)
    shares = tuple(share * more for share in company.referral_shares)
    study = replace(company, customers=_BATCHES_COMPARED * BATCH_CUSTOMERS, referral_shares=shares)
    means = np.zeros((2, 2))
    for number, size in enumerate(batches(study)):
        people, orders, _ = population(study, number, size)
        means += _repeat_orders(study, people, select(orders, ~orders.lost))
    return round(float(means[1, 0] / means[1, 1] / (means[0, 0] / means[0, 1])), 2)


def _repeat_orders(company: Company, people: People, placed: Orders) -> Array:
    """Repeat orders within 180 days and buyers followed so long, as one row for others and one for referred."""
    first = np.full(people.arrival.size, np.iinfo(np.int64).max)
    np.minimum.at(first, placed.customer, placed.time)
    followed = first < micros(company.end) - FOLLOWED_DAYS * DAY
    since = placed.time - first[placed.customer]
    repeats = followed[placed.customer] & (placed.number > 0) & (since < FOLLOWED_DAYS * DAY)
    referred = people.referrer != NONE
    orders = np.bincount(referred[placed.customer[repeats]], minlength=2)
    return np.column_stack([orders, np.bincount(referred[followed], minlength=2)])


def _plain(value: Any) -> Value:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [asdict(part) if isinstance(part, Channel) else part for part in value]
    return value
