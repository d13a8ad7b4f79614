"""The simulated company's parameters; every planted truth is a field here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from wayfare.errors import InvalidParameter


@dataclass(frozen=True)
class Channel:
    """Where customers first meet the company: the share that comes this way, and the share of them that buys."""

    name: str
    event: str
    share: float
    conversion: float


CHANNELS = (
    Channel("paid_search", "ad_click", share=0.22, conversion=0.55),
    Channel("organic_search", "search_visit", share=0.32, conversion=0.62),
    Channel("social", "social_visit", share=0.18, conversion=0.40),
    Channel("email", "newsletter_signup", share=0.08, conversion=0.72),
    Channel("store_centre", "store_walk_in", share=0.12, conversion=0.80),
    Channel("store_station", "store_walk_in", share=0.08, conversion=0.74),
)

SEASON = (0.98, 0.96, 0.99, 0.98, 0.96, 0.90, 0.78, 0.76, 0.98, 1.06, 1.20, 1.45)

KANO = {
    "tasting notes": ((0.55, 0.15, 0.03, 0.24, 0.01, 0.02),),
    "order tracking": ((0.52, 0.22, 0.08, 0.16, 0.01, 0.01), (0.12, 0.26, 0.50, 0.10, 0.01, 0.01)),
    "ground to order": ((0.20, 0.52, 0.14, 0.12, 0.01, 0.01),),
    "resealable bag": ((0.06, 0.20, 0.58, 0.14, 0.01, 0.01),),
    "gift wrapping": ((0.14, 0.05, 0.03, 0.72, 0.04, 0.02),),
    "chat reminders": ((0.06, 0.03, 0.02, 0.27, 0.60, 0.02),),
}
"""Features of the shop: of those asked, the shares of A, O, M, I, R and Q; from the second wave on as in the last one."""


@dataclass(frozen=True)
class Company:
    """Which company is simulated, and what is true of it.

    Shares and probabilities lie in 0..1, money is in EUR, days and weeks are in their names, dates are UTC
    midnights and the end dates are the first day no longer covered. `r`, `alpha`, `a` and `b` are those of
    the BG/NBD model (Fader, Hardie and Lee 2005, section 2) with the week as the unit of time.
    """

    customers: int = 20_000
    seed: int = 7
    start: date = date(2024, 1, 1)
    end: date = date(2026, 1, 1)

    channels: tuple[Channel, ...] = CHANNELS
    viral_week: date = date(2024, 10, 7)
    viral_share: float = 0.05
    viral_conversion: float = 0.08

    r: float = 1.1
    alpha: float = 15.0
    a: float = 0.8
    b: float = 3.2
    season: tuple[float, ...] = SEASON

    bug_start: date = date(2025, 5, 5)
    bug_end: date = date(2025, 6, 2)
    mobile_payment_rate: float = 0.63
    mobile_payment_rate_bug: float = 0.41
    desktop_payment_rate: float = 0.78

    recipe_exposure: float = 0.30
    recipe_conversion: float = 0.20

    slow_carrier_share: float = 0.40
    delay_start: date = date(2025, 2, 3)
    delivery_days: float = 2.5
    delivery_days_slow: float = 5.5
    promised_days: float = 4.0
    late_repurchase_factor: float = 0.75
    score_mean: float = 8.2
    score_per_day: float = 0.5

    survey_rate: float = 0.06
    survey_rate_repeaters: float = 0.15
    driver_weights: tuple[float, ...] = (0.50, 0.35, 0.20, 0.10, 0.0)
    effort_late: float = 1.5
    kano: tuple[tuple[tuple[float, ...], ...], ...] = tuple(KANO.values())

    referral_shares: tuple[float, ...] = (0.07, 0.025, 0.005)
    referral_conversion: float = 0.80
    referral_acceptance: float = 0.35
    referred_factor: float = 1.4

    grinder_after_espresso: float = 0.08
    grinder_after_other: float = 0.02

    duplicates_per_thousand: float = 2.0
    unusable_per_thousand: float = 1.0

    def __post_init__(self) -> None:
        _check(self)

    def undisturbed(self) -> Company:
        """The same company with nothing planted: no season, bug, delay, exposure, nor referred customers.

        Here the repeat orders of every buyer are the BG/NBD process with `r`, `alpha`, `a` and `b`.
        """
        return replace(
            self,
            season=(1.0,) * 12,
            mobile_payment_rate_bug=self.mobile_payment_rate,
            recipe_conversion=0.0,
            delivery_days_slow=self.delivery_days,
            late_repurchase_factor=1.0,
            referral_shares=(),
        )

    @property
    def buyer_share(self) -> float:
        """The share of customers who mean to buy at least once, over all ways in."""
        ordinary = sum(channel.share * channel.conversion for channel in self.channels)
        base = (1 - self.viral_share) * ordinary + self.viral_share * self.viral_conversion
        referred = sum(self.referral_shares)
        return (1 - referred) * base + referred * self.referral_conversion


_SHARES = (
    *(
        "survey_rate",
        "survey_rate_repeaters",
        "viral_share",
        "viral_conversion",
        "recipe_exposure",
        "recipe_conversion",
        "slow_carrier_share",
    ),
    *("late_repurchase_factor", "referral_conversion", "grinder_after_espresso", "grinder_after_other"),
)
_POSITIVE = (
    *("r", "alpha", "a", "b", "mobile_payment_rate", "mobile_payment_rate_bug", "desktop_payment_rate"),
    *("referral_acceptance", "referred_factor"),
)


def _check(company: Company) -> None:
    if company.customers < 1:
        raise _wrong("customers", company.customers, "1 or more")
    if company.end <= company.start:
        raise _wrong("end", company.end, f"a day after the start, {company.start}")
    if len(company.season) != 12 or min(company.season) <= 0:
        raise _wrong("season", company.season, "twelve positive multipliers, January first")
    if abs(sum(channel.share for channel in company.channels) - 1) > 1e-9:
        raise _wrong("channels", [channel.share for channel in company.channels], "shares that add up to 1")
    for name in _SHARES:
        if not 0 <= getattr(company, name) <= 1:
            raise _wrong(name, getattr(company, name), "a share from 0 to 1")
    for name in _POSITIVE:
        if getattr(company, name) <= 0:
            raise _wrong(name, getattr(company, name), "a number above 0")
    if company.mobile_payment_rate_bug > company.mobile_payment_rate:
        raise _wrong(
            "mobile_payment_rate_bug", company.mobile_payment_rate_bug, "no more than mobile_payment_rate"
        )
    if min(company.delivery_days, company.delivery_days_slow) <= 1:
        raise _wrong("delivery_days", company.delivery_days, "more than 1 day, the shortest delivery")


def _wrong(name: str, value: object, allowed: str) -> InvalidParameter:
    return InvalidParameter(f"{value!r} can't be used.", where=f"Company.{name}", allowed=[allowed])
