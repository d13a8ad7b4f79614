"""Customers who may leave after an order: the likelihood and expectations that BG/NBD and MBG/NBD share.

While alive a customer orders at random at rate λ ~ Gamma(r, α). After each chance to leave (an order; for
MBG/NBD the first one too) the customer leaves for good with probability p ~ Beta(a, b). With m such chances
survived up to the last order and k = r + x,

    L = Γ(k)/Γ(r) · α^r · B(a, b+m)/B(a, b) · [(α+T)^−k + a/(b+m−1) · (α+t_x)^−k],

where the second term, having left after the last order, needs m > 0. Given alive, λ ~ Gamma(k, α+T) and
p ~ Beta(a, b+m) are independent, so that every forecast is an expectation over one beta distribution.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import betainc, betaln, digamma, expit, gammaln

from wayfare.stats.btyd.beta_geometric_totals import beta_geometric_totals
from wayfare.stats.btyd.boundary import Limit
from wayfare.stats.btyd.count_model import CountModel, Theta
from wayfare.stats.btyd.purchases import expected_until_leaving
from wayfare.stats.btyd.quadrature import in_blocks, log_rising
from wayfare.stats.btyd.summary import Floats, Indices, Rows
from wayfare.stats.btyd.weekly import WeeklyOrders

NOBODY_LEAVES = (
    "No drop-out can be seen in these data (a runs to 0): every customer counts as alive, so that P(alive) and the "
    "list of lost customers say nothing, and forecasts are those of a constant rate. Compare another model, take a "
    "longer record, or set a penalty."
)
SAME_DROP_OUT = "Customers don't differ in their drop-out (a and b run to infinity): only the mean probability a/(a+b) is known."
ALL_OR_NOTHING = (
    "Customers either leave at once or never (a and b run to 0): only the mean probability a/(a+b) is known."
)
EVERYBODY_LEAVES = (
    "After an order everybody seems to leave (b runs to 0): too few order more than twice to tell."
)
SAME_PACE = (
    "Customers don't differ in their pace (r and alpha run to infinity): only the mean rate r/alpha is known."
)

# Log-odds of having left beyond which P(alive) rounds to 0.
_CERTAIN = 700.0


class BetaGeometric(WeeklyOrders, CountModel):
    """The base of BG/NBD and MBG/NBD, which differ only in whether the first order is a chance to leave."""

    names = ("r", "alpha", "a", "b")
    first_guess = (1.0, 1.0, 1.0, 2.0)
    in_time = frozenset({"alpha"})
    rate_scaled: ClassVar = {"alpha": -1}
    dropout_scaled: ClassVar = {"a": 1, "b": 1}
    limits = (
        Limit(("a", "b"), 1, SAME_DROP_OUT),
        Limit(("a", "b"), -1, ALL_OR_NOTHING),
        Limit(("a",), -1, NOBODY_LEAVES),
        Limit(("b",), 1, NOBODY_LEAVES),
        Limit(("b",), -1, EVERYBODY_LEAVES),
        Limit(("r", "alpha"), 1, SAME_PACE),
    )
    first_chances: ClassVar[int]

    def _log_likelihood(self, theta: Theta, rows: Rows) -> tuple[Floats, tuple[Any, ...]]:
        r, alpha, a, b = theta
        by, m = (rows.by_frequency if np.ndim(a) == 0 else lambda f: f(rows.frequency)), self._survived
        k = r + rows.frequency
        since_age, since_recency = np.log(alpha + rows.age), np.log(alpha + rows.recency)
        log_odds = by(lambda x: self._log_odds(a, b, x)) + k * (since_age - since_recency)
        left = expit(log_odds)
        log_kept = by(lambda x: log_rising(b, m(x)) - log_rising(a + b, m(x)))
        values = by(lambda x: log_rising(r, x)) + r * np.log(alpha) - k * since_age + log_kept
        values = values + np.logaddexp(0.0, log_odds)
        return values, (
            by(lambda x: digamma(r + x) - digamma(r))
            + np.log(alpha)
            - since_age
            + left * (since_age - since_recency),
            r / alpha - k / (alpha + rows.age) * (1 - left) - k / (alpha + rows.recency) * left,
            by(lambda x: digamma(a + b) - digamma(a + b + m(x))) + left / a,
            by(lambda x: digamma(b + m(x)) - digamma(b) - digamma(a + b + m(x)) + digamma(a + b))
            - left * by(lambda x: 1 / np.where(m(x) > 0, b + m(x) - 1, np.inf)),
        )

    def _totals(self, theta: Theta, rows: Rows) -> tuple[float, list[float]]:
        _, _, a, b = theta
        odds = self._log_odds(a, b, rows.levels)
        return beta_geometric_totals(theta, rows, self._survived(rows.levels), odds)

    def _survived(self, x: Any) -> Any:
        """m: how often a customer with x repeat orders may have left before or at the last."""
        return x + self.first_chances

    def _log_odds(self, a: Any, b: Any, x: Any) -> Any:
        """ln of a/(b+m−1): the odds of having left at the last order, before the silence since; −inf where m = 0."""
        m = self._survived(x)
        return np.where(m > 0, np.log(a) - np.log(np.where(m > 0, b + m - 1, 1.0)), -np.inf)

    def _alive(self, theta: Theta, rows: Rows) -> Floats:
        r, alpha, a, b = theta
        if any(np.ndim(value) for value in theta):
            odds = self._log_odds(a, b, rows.frequency)
            return _alive(odds, r + rows.frequency, alpha + rows.recency, alpha + rows.age)
        odds = self._log_odds(a, b, rows.levels)

        def block(level: Indices, recency: Floats, age: Floats) -> Floats:
            return _alive(odds[level], r + rows.levels[level], alpha + recency, alpha + age)

        return in_blocks(block, rows.level, rows.recency, rows.age)

    def _orders(self, theta: Theta, x: Floats, age: Floats, horizon: Any) -> Floats:
        r, alpha, a, b = theta
        return expected_until_leaving(r + x, horizon / (alpha + age), a, b + self._survived(x))

    def _buys(self, theta: Theta, x: Floats, age: Floats, horizon: Any) -> Floats:
        r, alpha, _, _ = theta
        return -np.expm1(-(r + x) * np.log1p(horizon / (alpha + age)))

    def _wait(self, theta: Theta, x: Floats, age: Floats, share: Floats) -> Floats:
        r, alpha, _, _ = theta
        return (alpha + age) * np.expm1(-np.log1p(-share) / (r + x))

    def _simulate(self, theta: Theta, rows: Rows, horizon: float, rng: np.random.Generator) -> Floats:
        r, alpha, a, b = theta
        alive = rng.random(rows.age.size) < self._alive(theta, rows)
        rate = rng.gamma(r + rows.frequency) / (alpha + rows.age)
        leaving = rng.beta(a, b + self._survived(rows.frequency))
        lasting = rng.geometric(np.clip(leaving, 1e-12, 1.0))
        return np.where(alive, np.minimum(rng.poisson(rate * horizon), lasting), 0).astype(float)

    def _count(self, theta: Theta, n: Floats, t: Floats) -> Floats:
        r, alpha, a, b = theta
        m = self._survived(n)
        at_t = t / (alpha + t)
        with np.errstate(divide="ignore"):
            log_share = np.where(n > 0, n * np.log(np.where(n > 0, at_t, 1.0)), 0.0)
        exactly = np.exp(log_rising(r, n) - gammaln(n + 1) - r * np.log1p(t / alpha) + log_share)
        at_least = np.where(n > 0, betainc(np.maximum(n, 1.0), r, at_t), 1.0)
        kept = np.exp(log_rising(b, m) - log_rising(a + b, m))
        left_at_last = np.exp(betaln(a + 1, b + np.maximum(m, 1) - 1) - betaln(a, b))
        return exactly * kept + np.where(m > 0, left_at_last * at_least, 0.0)


def _alive(log_odds: Floats, k: Floats, to_recency: Floats, to_age: Floats) -> Floats:
    left = log_odds + k * np.log1p((to_age - to_recency) / to_recency)
    return 1 / (1 + np.exp(np.minimum(left, _CERTAIN)))
