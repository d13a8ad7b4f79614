"""The simulated company's journey map: which stage each touchpoint belongs to."""

from __future__ import annotations

from typing import Any

_TOUCHPOINTS = (
    # event, stage, stage after the first purchase ("" for the same), channel
    ("ad_click", "awareness", "repurchase", "advertising"),
    ("search_visit", "awareness", "repurchase", "web"),
    ("social_visit", "awareness", "repurchase", "social"),
    ("store_walk_in", "awareness", "repurchase", "store"),
    ("referral_visit", "awareness", "", "referral"),
    ("newsletter_signup", "awareness", "post_purchase", "email"),
    ("product_view", "consideration", "repurchase", "web"),
    ("recipe_read", "consideration", "post_purchase", "web"),
    ("review_read", "consideration", "repurchase", "web"),
    ("cart", "consideration", "repurchase", "web"),
    ("checkout", "purchase", "repurchase", "web"),
    ("payment", "purchase", "repurchase", "web"),
    ("purchase", "purchase", "repurchase", "web and store"),
    ("delivery", "post_purchase", "", "parcel"),
    ("survey_answer", "post_purchase", "", "email"),
    ("support_contact", "post_purchase", "", "phone"),
    ("refund", "post_purchase", "", "parcel"),
    ("newsletter_open", "consideration", "repurchase", "email"),
    ("newsletter_click", "consideration", "repurchase", "email"),
    ("refill_reminder", "repurchase", "", "email"),
    ("subscription_start", "repurchase", "", "web"),
    ("subscription_cancel", "repurchase", "", "web"),
    ("review_written", "advocacy", "", "web"),
    ("referral_invite", "advocacy", "", "referral"),
    ("referral_signup", "awareness", "", "referral"),
    ("referral_reward", "advocacy", "", "referral"),
)


def journey() -> dict[str, Any]:
    """The `journey:` part of the workspace's `wayfare.yaml`, as a plain dictionary."""
    return {"orders": ["purchase"], "touchpoints": [_touchpoint(*row) for row in _TOUCHPOINTS]}


def _touchpoint(event: str, stage: str, after_purchase: str, channel: str) -> dict[str, str]:
    later = {"after_purchase": after_purchase} if after_purchase else {}
    return {"event": event, "stage": stage, **later, "channel": channel}
