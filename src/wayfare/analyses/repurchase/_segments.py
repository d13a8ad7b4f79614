"""Scores from 1 to 5 for recency, frequency and value, and the named segments that they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers, cents

Ints = NDArray[np.int64]
NOT_YET = "not yet a customer"


@dataclass(frozen=True, eq=False)
class Scores:
    """How each of some buyers stands at a day against the others; (buyers,) each.

    Attributes:
        who: Their places in `Buyers`.
        orders: Days with an order.
        quiet: Days since the last of them.
        value: What was ordered; nan where unknown.
        r: 1 (longest ago) to 5.
        f: 1 (fewest orders) to 5.
        m: 1 (least) to 5; 0 where there are no values.
    """

    who: Ints
    orders: Ints
    quiet: Ints
    value: NDArray[np.float64]
    r: Ints
    f: Ints
    m: Ints


def scores_at(buyers: Buyers, cut: int) -> Scores:
    """The scores of those who had ordered by cut number `cut`, among themselves."""
    summary = buyers.at(cut)
    who = summary.who
    if not len(who):
        none, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
        return Scores(none, none, none, nothing, none, none, none)
    orders = buyers.days[who, cut].astype(np.int64)
    quiet = (buyers.cuts[cut] - buyers.last_day[who, cut]).astype(np.int64)
    value = cents(buyers.repeat_value[who, cut] + np.nan_to_num(buyers.first_value[who]))
    value = value if buyers.has_values else np.full(len(who), np.nan)
    m = fifths(value) if buyers.has_values else np.zeros(len(who), dtype=np.int64)
    return Scores(who, orders, quiet, value, fifths(-quiet), fifths(orders), m)


def fifths(values: NDArray) -> Ints:
    """1 to 5 by the share of the others that lie strictly below; equal values score alike."""
    below = np.searchsorted(np.sort(values), values, side="left")
    return np.asarray(1 + 5 * below // max(len(values), 1), dtype=np.int64)


SEGMENTS: tuple[tuple[str, tuple[int, int], tuple[int, int], int], ...] = (
    ("champions", (4, 5), (4, 5), 4),
    ("loyal", (3, 5), (4, 5), 0),
    ("promising", (4, 5), (2, 3), 0),
    ("new", (4, 5), (1, 1), 0),
    ("cooling", (3, 3), (2, 3), 0),
    ("slipping away", (3, 3), (1, 1), 0),
    ("can't lose", (1, 2), (4, 5), 4),
    ("at risk", (1, 2), (3, 5), 0),
    ("hibernating", (2, 2), (1, 2), 0),
    ("lost", (1, 1), (1, 2), 0),
)
"""Name, recency scores, frequency scores, least value score; the first that fits holds, and one always does."""

NAMES = tuple(name for name, *_ in SEGMENTS)


def segment_of(scores: Scores) -> Ints:
    """The place in `SEGMENTS` of each buyer; where there are no values, the value score is not asked for."""
    found = np.full(len(scores.r), len(SEGMENTS) - 1, dtype=np.int64)
    for place, (_, (r_low, r_high), (f_low, f_high), m) in reversed(list(enumerate(SEGMENTS))):
        fits = (scores.r >= r_low) & (scores.r <= r_high) & (scores.f >= f_low) & (scores.f <= f_high)
        found[fits & ((scores.m >= m) | (scores.m == 0))] = place
    return found


def rules(scores: Scores, currency: str) -> list[str]:
    """Each segment's rule in words, with what its scores mean in these data."""
    return [_rule(scores, r, f, m, currency) for _, r, f, m in SEGMENTS]


def _rule(scores: Scores, r: tuple[int, int], f: tuple[int, int], m: int, currency: str) -> str:
    parts = [f"recency {_scores(*r)}{_range(scores.quiet, scores.r, r, 'days since the last order')}"]
    parts.append(f"frequency {_scores(*f)}{_range(scores.orders, scores.f, f, 'days with an order')}")
    if m and (scores.m > 0).any():
        least = scores.value[scores.m >= m]
        parts.append(f"value {m}–5" + (f" ({currency} {least.min():,.0f} or more)" if len(least) else ""))
    return ", ".join(parts)


def _scores(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"


def _range(values: Ints, scored: Ints, wanted: tuple[int, int], what: str) -> str:
    inside = values[(scored >= wanted[0]) & (scored <= wanted[1])]
    if not len(inside):
        return f" (nobody; {what})"
    low, high = int(inside.min()), int(inside.max())
    if low == high:
        return f" ({low:,} {what.replace('days', 'day', 1) if low == 1 else what})"
    return f" ({low:,} to {high:,} {what})"
