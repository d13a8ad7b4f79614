"""A first guess at the journey from the events' names, for a person to correct."""

from __future__ import annotations

from collections.abc import Sequence

from wayfare.domain.journey import STAGES, JourneyMap, Stage, Touchpoint

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


def propose(events: Sequence[str], channels: dict[str, str] | None = None) -> JourneyMap:
    """A first guess at the journey from the events' names alone, for a person to correct.

    Args:
        events: Names of events, the most frequent first.
        channels: The usual channel of an event, where the log knows one.
    """
    known = {event.lower(): event for event in reversed(events)}
    orders = tuple(known[name] for name in _ORDER_NAMES if name in known)[:1] or ("purchase",)
    placed = [_place(event, orders, (channels or {}).get(event)) for event in events]
    placed.sort(key=lambda t: STAGES.index(t.stage) if isinstance(t.stage, Stage) else len(STAGES))
    return JourneyMap(orders=orders, touchpoints=tuple(placed))


def _place(event: str, orders: tuple[str, ...], channel: str | None) -> Touchpoint:
    if event in orders:
        return Touchpoint(event=event, stage=Stage.PURCHASE, after_purchase=Stage.REPURCHASE, channel=channel)
    name = event.lower().replace(" ", "_")
    for stage, after, words in _HINTS:
        if any(word in name for word in words):
            return Touchpoint(event=event, stage=stage, after_purchase=after, channel=channel)
    return Touchpoint(event=event, stage="none", channel=channel)
