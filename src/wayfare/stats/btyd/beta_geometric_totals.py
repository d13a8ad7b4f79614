"""The log-likelihood of BG/NBD and MBG/NBD added up over many customers who share the parameters.

The same as `BetaGeometric._log_likelihood` row by row, in blocks that fit the processor's cache: what depends on the
frequency alone is computed once for each frequency.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy.special import digamma

from wayfare.stats.btyd.quadrature import log_rising
from wayfare.stats.btyd.summary import Floats, Rows
from wayfare.stats.btyd.threads import in_threads
from wayfare.stats.btyd.two_parts import in_two_parts, rows_beside

_BLOCK = 8_192
# By so many powers of e a table's entries may differ before they leave a float's range.
_RANGE = 300.0


def beta_geometric_totals(
    theta: tuple[Any, ...], rows: Rows, survived: Floats, log_odds: Floats
) -> tuple[float, list[float]]:
    """The log-likelihood and its slopes in r, α, a and b.

    Args:
        theta: The parameters.
        rows: The customers.
        survived: m for each level of the frequency.
        log_odds: ln of a/(b+m−1) for each level.
    """
    r, alpha, a, b = theta
    by_row, left = _by_table(r, alpha, rows, log_odds) or _by_rows(r, alpha, rows, log_odds)
    counts, x = rows.counts, rows.levels
    customers = float(counts.sum())
    value = counts @ (log_rising(r, x) + log_rising(b, survived) - log_rising(a + b, survived))
    value += customers * r * np.log(alpha) + by_row[0]
    kept = digamma(b + survived) - digamma(b) - digamma(a + b + survived) + digamma(a + b)
    odds_in_b = 1 / np.where(survived > 0, b + survived - 1, np.inf)
    return float(value), [
        float(counts @ (digamma(r + x) - digamma(r)) + customers * np.log(alpha) + by_row[1]),
        float(customers * r / alpha + by_row[2]),
        float(counts @ (digamma(a + b) - digamma(a + b + survived)) + left.sum() / a),
        float(counts @ kept - left @ odds_in_b),
    ]


def _by_table(r: float, alpha: float, rows: Rows, log_odds: Floats) -> tuple[Floats, Floats] | None:
    """`_by_rows` by tables of frequencies and moments; None where these are not fewer than the rows."""
    if rows.times is None or rows.times.moments.size * rows.levels.size > rows.age.size:
        return None
    since = np.log(alpha + rows.times.moments)
    k, per = r + rows.levels, 1 / (alpha + rows.times.moments)
    levels = np.flatnonzero(k * (since[-1] - since[0]) < _RANGE)
    middle = (since[0] + since[-1]) / 2
    stays = np.exp(-k[levels, None] * (since - middle))
    leaves = np.exp(np.minimum(log_odds[levels], _RANGE))[:, None] * stays
    value, at_age, at_recency = in_two_parts(rows, levels, stays, leaves)
    at_age, at_recency = at_age * stays, at_recency * leaves
    both = at_age + at_recency
    value -= float(rows.counts[levels] @ k[levels]) * middle
    total = np.array([value, -(both @ since).sum(), -(k[levels] @ (both @ per))])
    left = np.zeros(rows.levels.size)
    left[levels] = at_recency.sum(axis=1)
    others = rows_beside(rows, levels)
    if others.size:
        beside = _by_rows(r, alpha, rows.some(others), log_odds)
        total, left = total + beside[0], left + beside[1]
    return total, left


def _by_rows(r: float, alpha: float, rows: Rows, log_odds: Floats) -> tuple[Floats, Floats]:
    """Σ ln[(α+T)^−k + odds · (α+t_x)^−k], its slopes in r and α, and for each level how many are expected to have left."""
    parts = in_threads(partial(_added_up, r, alpha, rows, log_odds), rows.weight.size)
    return np.sum([total for total, _ in parts], axis=0), np.sum([left for _, left in parts], axis=0)


def _added_up(
    r: float, alpha: float, rows: Rows, log_odds: Floats, start: int, end: int
) -> tuple[Floats, Floats]:
    """The sums of `_by_rows` over some of the rows."""
    total, left_by_level = np.zeros(3), np.zeros(rows.levels.size)
    for first in range(start, end, _BLOCK):
        at = slice(first, min(first + _BLOCK, end))
        w, level = rows.weight[at], rows.level[at]
        k = r + rows.frequency[at]
        to_age, to_recency = alpha + rows.age[at], alpha + rows.recency[at]
        since_age = np.log(to_age)
        silence = since_age - np.log(to_recency)
        odds = log_odds[level] + k * silence
        small = np.exp(-np.abs(odds))
        grown = 1 + small
        left = w * np.where(odds >= 0, 1.0, small) / grown
        total[0] += w @ (np.maximum(odds, 0.0) + np.log(grown) - k * since_age)
        total[1] += left @ silence - w @ since_age
        total[2] -= k @ ((w - left) / to_age + left / to_recency)
        left_by_level += np.bincount(level, weights=left, minlength=left_by_level.size)
    return total, left_by_level
