"""Stages and touchpoints: what an event of the log means on the customer's journey.

The journey is a cycle, so one event may stand for two stages: looking at a product is consideration until
the first order, and part of the way to the next order after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator


class Stage(StrEnum):
    """Where on the cycle a touchpoint stands, in the order of the journey."""

    AWARENESS = "awareness"
    CONSIDERATION = "consideration"
    PURCHASE = "purchase"
    POST_PURCHASE = "post_purchase"
    REPURCHASE = "repurchase"
    ADVOCACY = "advocacy"

    @property
    def label(self) -> str:
        """The stage's name for people."""
        return {"post_purchase": "After purchase", "repurchase": "Re-purchase"}.get(
            self.value, self.value.capitalize()
        )


STAGES: tuple[Stage, ...] = tuple(Stage)


class Touchpoint(BaseModel):
    """One event of the log as the customer meets it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: str
    stage: Stage | Literal["none"]
    after_purchase: Stage | Literal["none"] | None = None
    channel: str | None = None


class Journey(BaseModel):
    """Which events are orders, and which stage each event stands for before and after the first order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    orders: tuple[str, ...] = ("purchase",)
    touchpoints: tuple[Touchpoint, ...] = ()
    main_route: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _each_event_once(self) -> Journey:
        seen: set[str] = set()
        for touchpoint in self.touchpoints:
            if touchpoint.event in seen:
                raise ValueError(f"the event {touchpoint.event!r} has two touchpoints")
            seen.add(touchpoint.event)
        return self

    def touchpoint(self, event: str) -> Touchpoint | None:
        """The touchpoint of `event`, or None where nobody placed it."""
        return next((t for t in self.touchpoints if t.event == event), None)

    def route(self) -> tuple[str, ...]:
        """The events that a customer goes through to the first order: `main_route`, else guessed from the names.

        The guess takes the first touchpoint that looks like a product page, a cart, a checkout and a payment.
        """
        if self.main_route:
            return self.main_route
        before = [t.event for t in self.touchpoints if t.stage in (Stage.CONSIDERATION, Stage.PURCHASE)]
        found: list[str] = []
        for words in _ROUTE:
            found += [
                e for e in before if e not in (*found, *self.orders) and any(w in e.lower() for w in words)
            ][:1]
        return (*(found or [e for e in before if e not in self.orders][:1]), *self.orders[:1])


# First match wins; the words are looked for in the event's name, lower case.
_HINTS: tuple[tuple[Stage, Stage | None, tuple[str, ...]], ...] = (
    (Stage.ADVOCACY, None, ("referral_invite", "referral_sign", "referral_reward", "invite", "refer_", "share", "review_writ", "recommend")),
    (Stage.AWARENESS, None, ("referral_visit", "ad_", "advert", "impression", "campaign", "search_visit", "social", "landing", "main",
                             "walk_in", "signup", "sign_up", "register", "first_visit", "session_start", "newsletter_signup")),
    (Stage.POST_PURCHASE, None, ("refund", "return", "delivery", "delivered", "shipped", "shipment", "survey", "support", "ticket",
                                 "complaint", "confirmation", "invoice", "nps", "csat", "feedback", "cancel")),
    (Stage.REPURCHASE, None, ("newsletter", "email", "refill", "reminder", "subscription", "loyalty", "renew", "coupon", "push")),
    (Stage.PURCHASE, Stage.REPURCHASE, ("purchase", "order", "checkout", "payment", "shipping", "billing", "pay_", "transaction",
                                        "charge", "donat")),
    (Stage.CONSIDERATION, Stage.REPURCHASE, ("product", "view", "cart", "basket", "catalog", "search", "wish", "compare", "recipe",
                                             "review", "page", "item", "price", "browse", "read")),
)  # fmt: skip
_ROUTE = (
    ("product", "view", "item", "catalog"),
    ("cart", "basket"),
    ("checkout", "shipping"),
    ("payment", "billing"),
)
_ORDER_NAMES = (
    "purchase",
    "order",
    "order completed",
    "order_completed",
    "transaction",
    "payment_done",
    "payment success",
    "charge",
)


def propose(events: Sequence[str], channels: dict[str, str] | None = None) -> Journey:
    """A first guess at the journey from the events' names alone, for a person to correct.

    Args:
        events: Names of events, the most frequent first.
        channels: The usual channel of an event, where the log knows one.
    """
    known = {event.lower(): event for event in reversed(events)}
    orders = tuple(known[name] for name in _ORDER_NAMES if name in known)[:1] or ("purchase",)
    placed = [_place(event, orders, (channels or {}).get(event)) for event in events]
    placed.sort(key=lambda t: STAGES.index(t.stage) if isinstance(t.stage, Stage) else len(STAGES))
    return Journey(orders=orders, touchpoints=tuple(placed))


def _place(event: str, orders: tuple[str, ...], channel: str | None) -> Touchpoint:
    if event in orders:
        return Touchpoint(event=event, stage=Stage.PURCHASE, after_purchase=Stage.REPURCHASE, channel=channel)
    name = event.lower().replace(" ", "_")
    for stage, after, words in _HINTS:
        if any(word in name for word in words):
            return Touchpoint(event=event, stage=stage, after_purchase=after, channel=channel)
    return Touchpoint(event=event, stage="none", channel=channel)
