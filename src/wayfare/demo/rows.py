"""Columns of codes and numbers in which the parts of the simulation hand over their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wayfare.demo.company import KANO

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Array = NDArray[Any]
Rows = dict[str, Array]
Table = TypeVar("Table", bound="DataclassInstance")

EVENTS = (
    *("ad_click", "search_visit", "social_visit", "store_walk_in", "referral_visit", "newsletter_signup"),
    *("product_view", "recipe_read", "review_read", "cart", "checkout", "payment", "purchase"),
    *("delivery", "survey_answer", "support_contact", "refund"),
    *("newsletter_open", "newsletter_click", "refill_reminder", "subscription_start", "subscription_cancel"),
    *("review_written", "referral_invite", "referral_signup", "referral_reward"),
)
CHANNELS = (
    *("paid_search", "organic_search", "social", "email", "direct", "referral"),
    *("store_centre", "store_station"),
)
DEVICES = ("mobile", "desktop", "store")
CAMPAIGNS = ("search_brand", "search_generic", "search_espresso", "viral_article", "monthly_letter")
PAYMENT_METHODS = ("card", "wallet", "invoice", "cash")
CARRIERS = ("swift_parcel", "north_post")
SURVEYS = ("after delivery", "after support", "brand")
KINDS = ("csat", "ces", "rating", "nps", "kano")
WAVES = ("1", "2")
DRIVERS = ("taste", "delivery", "price", "service", "shop")
FEATURES = tuple(KANO)
KANO_ANSWERS = ("like", "must_be", "neutral", "live_with", "dislike")
QUESTIONS = ("delivered", "effort", "overall", "recommend", *DRIVERS, *FEATURES)

EVENT = {name: code for code, name in enumerate(EVENTS)}
CHANNEL = {name: code for code, name in enumerate(CHANNELS)}
DEVICE = {name: code for code, name in enumerate(DEVICES)}
CAMPAIGN = {name: code for code, name in enumerate(CAMPAIGNS)}
NONE = -1

COLUMNS: Mapping[str, tuple[Any, Any]] = {
    "customer": (np.int32, NONE),
    "time": (np.int64, 0),
    "event": (np.int8, NONE),
    "channel": (np.int8, NONE),
    "session": (np.int64, NONE),
    "order": (np.int64, NONE),
    "product": (np.int8, NONE),
    "quantity": (np.int64, 0),
    "value": (np.float64, np.nan),
    "cost": (np.float64, np.nan),
    "score": (np.float64, np.nan),
    "campaign": (np.int8, NONE),
    "referrer": (np.int32, NONE),
    "device": (np.int8, NONE),
    "comment": (np.int8, NONE),
    "payment_method": (np.int8, NONE),
    "delivery_days": (np.float64, np.nan),
    "carrier": (np.int8, NONE),
    "subscription": (np.int8, NONE),
    **dict.fromkeys(("survey", "question", "question_kind", "wave"), (np.int8, NONE)),
    **dict.fromkeys(("touchpoint", "feature", "functional", "dysfunctional"), (np.int8, NONE)),
    "importance": (np.float64, np.nan),
}


def rows(event: str | Array, customer: Array, time: Array, **columns: Array | float) -> Rows:
    """One event a customer and time; a column is an array of that length or one value for all."""
    code = EVENT[event] if isinstance(event, str) else event
    return {"customer": customer, "time": time, "event": np.broadcast_to(code, customer.shape)} | {
        name: np.broadcast_to(value, customer.shape) for name, value in columns.items()
    }


def where(table: Rows, kept: Array) -> Rows:
    """The rows that a mask or an array of positions keeps."""
    return {name: column[kept] for name, column in table.items()}


def stack(parts: Iterable[Rows]) -> Rows:
    """All parts below one another, with every column; what a part leaves out is missing there."""
    parts = list(parts)
    lengths = [len(part["customer"]) for part in parts]
    ends = np.cumsum(lengths)
    table: Rows = {}
    for name, (kind, missing) in COLUMNS.items():
        column = np.full(ends[-1] if len(ends) else 0, missing, kind)
        for part, length, end in zip(parts, lengths, ends, strict=True):
            if name in part:
                column[end - length : end] = part[name]
        table[name] = column
    return table


def select(table: Table, kept: Array) -> Table:
    """The same dataclass of parallel arrays with only the kept positions."""
    return replace(table, **{field.name: getattr(table, field.name)[kept] for field in fields(table)})


def join(tables: list[Table]) -> Table:
    """One dataclass of parallel arrays from several, end to end."""
    names = [field.name for field in fields(tables[0])]
    columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in names}
    return replace(tables[0], **columns)
