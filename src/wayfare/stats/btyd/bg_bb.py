"""BG/BB: customers who order or not at each of a row of occasions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaln, digamma, gammaln

from wayfare.errors import BadInput, InvalidParameter
from wayfare.stats.btyd.boundary import Limit
from wayfare.stats.btyd.count_model import CountModel, Theta
from wayfare.stats.btyd.summary import Floats, Rows

NOBODY_LEAVES = "No drop-out can be seen in these data (gamma runs to 0, or delta to infinity): every customer counts as alive."
SAME_PACE = (
    "Customers don't differ in how often they order (alpha and beta run to infinity): only the mean is known."
)
SAME_DROP_OUT = (
    "Customers don't differ in their drop-out (gamma and delta run to infinity): only the mean is known."
)

# Occasions after which `predict_next` says never.
_LONGEST = 2000


class BGBB(CountModel):
    """At how many of the next occasions (years of giving, issues, fairs) will each customer order?

    Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual Setting, Marketing
    Science 29. At each occasion one who is alive orders with probability p ~ Beta(α, β), having left before it
    with probability θ ~ Beta(γ, δ). Frequency x, recency t_x (the last occasion with an order, 0 if none) and
    age n count occasions. Equation 7:

        L = B(α+x, β+n−x)/B(α, β) · B(γ, δ+n)/B(γ, δ)
            + Σ over i < n − t_x of B(α+x, β+t_x−x+i)/B(α, β) · B(γ+1, δ+t_x+i)/B(γ, δ).

    `predict_alive` is the chance to be alive at the next occasion, n + 1 (equation 11).
    """

    names = ("alpha", "beta", "gamma", "delta")
    first_guess = (1.0, 1.0, 0.5, 2.0)
    limits = (
        Limit(("alpha", "beta"), 1, SAME_PACE),
        Limit(("gamma", "delta"), 1, SAME_DROP_OUT),
        Limit(("gamma",), -1, NOBODY_LEAVES),
        Limit(("delta",), 1, NOBODY_LEAVES),
    )

    def _log_likelihood(self, theta: Theta, rows: Rows) -> tuple[Floats, tuple[Any, ...]]:
        alpha, beta, gamma, delta = theta
        (bought, missed), (left, lived), logs = _ways(theta, rows)
        top = logs.max(axis=1)
        share = np.exp(logs - top[:, None])
        total = share.sum(axis=1)
        share /= total[:, None]
        orders = digamma(alpha + bought + beta + missed) - digamma(alpha + beta)
        leaves = digamma(gamma + left + delta + lived) - digamma(gamma + delta)
        slopes = (
            digamma(alpha + bought) - digamma(alpha) - orders,
            digamma(beta + missed) - digamma(beta) - orders,
            digamma(gamma + left) - digamma(gamma) - leaves,
            digamma(delta + lived) - digamma(delta) - leaves,
        )
        return top + np.log(total), tuple((share * slope).sum(axis=1) for slope in slopes)

    def _alive(self, theta: Theta, rows: Rows) -> Floats:
        return np.exp(self._log_still(theta, rows) + self._log_next(theta, rows.age, 1.0))

    def _log_still(self, theta: Theta, rows: Rows) -> Floats:
        """ln of the chance to have been alive at the last occasion."""
        logs = _ways(theta, rows)[2]
        top = logs.max(axis=1)
        return logs[:, 0] - top - np.log(np.exp(logs - top[:, None]).sum(axis=1))

    def _log_next(self, theta: Theta, age: Any, ahead: Any) -> Any:
        """ln of the chance to live `ahead` occasions more."""
        _, _, gamma, delta = theta
        return betaln(gamma, delta + age + ahead) - betaln(gamma, delta + age)

    # What follows is given that the customer is alive at the next occasion.

    def _orders(self, theta: Theta, x: Floats, age: Floats, horizon: Any) -> Floats:
        alpha, beta, _, _ = theta
        ahead = _occasions(horizon)
        lives = np.exp(self._ahead(theta, age, ahead))
        return (alpha + x) / (alpha + beta + age) * lives.sum(axis=1)

    def _buys(self, theta: Theta, x: Floats, age: Floats, horizon: Any) -> Floats:
        return np.exp(self._log_first(theta, x, age, _occasions(horizon))).sum(axis=1)

    def _wait(self, theta: Theta, x: Floats, age: Floats, share: Floats) -> Floats:
        alpha, beta, gamma, delta = (np.asarray(value)[:, None] for value in theta)
        steps = np.arange(1, _LONGEST + 1)
        own = (alpha, beta, gamma, delta)
        chance = np.cumsum(
            np.exp(self._log_first(own, x, age, np.broadcast_to(steps, (1, _LONGEST)))), axis=1
        )
        reached = chance >= share[:, None]
        return np.where(reached.any(axis=1), 1.0 + reached.argmax(axis=1), np.inf)

    def _log_first(self, theta: Theta, x: Floats, age: Floats, ahead: Floats) -> Floats:
        alpha, beta, _, _ = theta
        x, n = x[:, None], age[:, None]
        first = betaln(alpha + x + 1, beta + n - x + ahead - 1) - betaln(alpha + x, beta + n - x)
        return first + self._ahead(theta, age, ahead)

    def _ahead(self, theta: Theta, age: Floats, ahead: Floats) -> Floats:
        n = age[:, None]
        lives = self._log_next(theta, n, np.where(np.isfinite(ahead), ahead, 1.0)) - self._log_next(
            theta, n, 1.0
        )
        return np.where(np.isfinite(ahead), lives, -np.inf)

    def _simulate(self, theta: Theta, rows: Rows, horizon: float, rng: np.random.Generator) -> Floats:
        alpha, beta, gamma, delta = theta
        alive = rng.random(rows.age.size) < np.exp(self._log_still(theta, rows))
        ordering = rng.beta(alpha + rows.frequency, beta + rows.age - rows.frequency)
        leaving = rng.beta(gamma, delta + rows.age)
        lasting = rng.geometric(np.clip(leaving, 1e-12, 1.0)) - 1
        return np.where(alive, rng.binomial(np.minimum(lasting, int(horizon)), ordering), 0).astype(float)

    def _count(self, theta: Theta, n: Floats, t: Floats) -> Floats:
        _occasions(t)
        shares = np.zeros(n.shape)
        for place, (count, end) in enumerate(zip(n, t, strict=True)):
            if count <= end:
                last = np.arange(count, end + 1)
                logs = _log_ways(theta, count, last - count, (last < end).astype(float), last)
                ways = gammaln(last + 1) - gammaln(count + 1) - gammaln(last - count + 1)
                shares[place] = np.exp(logs + ways).sum()
        return shares

    def _problem_of(self, rows: Rows, rate: Floats, dropout: Floats) -> Any:
        whole = (rows.age % 1 == 0) & (rows.recency % 1 == 0) & (rows.frequency <= rows.recency)
        if not whole.all():
            raise BadInput(
                "BG/BB counts occasions: recency and age are whole numbers, and there are no more orders than "
                "occasions up to the last.",
                where="summary",
            )
        return super()._problem_of(rows, rate, dropout)


def _ways(theta: Theta, rows: Rows) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats], Floats]:
    """The ways in which a row can have come about: alive at the end, or left after each occasion since t_x."""
    silence = rows.age - rows.recency
    steps = np.arange(silence.max() + 1)[None, :]
    alive = steps == 0
    last = np.where(alive, rows.age[:, None], rows.recency[:, None] + steps - 1)
    possible = steps <= silence[:, None]
    last = np.where(possible, last, rows.age[:, None])
    bought = np.broadcast_to(rows.frequency[:, None], last.shape)
    left = np.broadcast_to(~alive, last.shape).astype(float)
    logs = np.where(possible, _log_ways(theta, bought, last - bought, left, last), -np.inf)
    return (bought, last - bought), (left, last), logs


def _log_ways(theta: Theta, bought: Any, missed: Any, left: Any, lived: Any) -> Floats:
    alpha, beta, gamma, delta = theta
    orders = betaln(alpha + bought, beta + missed) - betaln(alpha, beta)
    return orders + betaln(gamma + left, delta + lived) - betaln(gamma, delta)


def _occasions(horizon: Any) -> Floats:
    """The occasions 1..horizon, a row each; infinite beyond a row's own horizon."""
    ends = np.atleast_1d(horizon)
    if np.any(ends % 1 != 0):
        raise InvalidParameter(
            "BG/BB's horizon counts occasions.", where="horizon", hint="Give a whole number."
        )
    steps = np.arange(1, max(int(ends.max()), 1) + 1, dtype=float)[None, :]
    return np.where(steps <= ends[:, None], steps, np.inf)
