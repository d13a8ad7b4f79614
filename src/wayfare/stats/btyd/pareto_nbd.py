"""Pareto/NBD: customers may leave at any moment."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import digamma, expit, exprel, gammaln

from wayfare.stats.btyd.boundary import Limit
from wayfare.stats.btyd.count_model import CountModel, Theta
from wayfare.stats.btyd.falling_powers import (
    FallingPowers,
    first_order_time,
    log_integral,
    log_integral_and_means,
)
from wayfare.stats.btyd.quadrature import log_rising
from wayfare.stats.btyd.silences import alive_by_table, totals_by_table
from wayfare.stats.btyd.summary import Floats, Rows

NOBODY_LEAVES = (
    "No drop-out can be seen in these data (s runs to 0, or beta to infinity): every customer counts as alive, so "
    "that P(alive) and the list of lost customers say nothing, and forecasts are those of a constant rate. Compare "
    "another model, take a longer record, or set a penalty."
)
SAME_DROP_OUT = "Customers don't differ in their drop-out (s and beta run to infinity): only the mean rate s/beta is known."
SAME_PACE = (
    "Customers don't differ in their pace (r and alpha run to infinity): only the mean rate r/alpha is known."
)


class ParetoNBD(CountModel):
    """How often will each customer order again, if customers may leave at any moment?

    Schmittlein, Morrison & Colombo (1987), Management Science 33; the derivation is that of Fader & Hardie (2005),
    A Note on Deriving the Pareto/NBD Model. Orders come at rate λ ~ Gamma(r, α), a customer leaves at rate
    μ ~ Gamma(s, β); with k = r + x

        L = Γ(k)/Γ(r) · α^r β^s · [(α+T)^−k (β+T)^−s + s ∫ from t_x to T of (α+τ)^−k (β+τ)^−(s+1) dτ].

    The integral is taken as it stands, by quadrature, and so has no singular or cancelling cases. Covariates:
    α exp(−γ'z) for the rate, β exp(−γ'z) for the drop-out.
    """

    names = ("r", "alpha", "s", "beta")
    first_guess = (1.0, 1.0, 1.0, 1.0)
    in_time = frozenset({"alpha", "beta"})
    rate_scaled: ClassVar = {"alpha": -1}
    dropout_scaled: ClassVar = {"beta": -1}
    limits = (
        Limit(("s", "beta"), 1, SAME_DROP_OUT),
        Limit(("s",), -1, NOBODY_LEAVES),
        Limit(("beta",), 1, NOBODY_LEAVES),
        Limit(("r", "alpha"), 1, SAME_PACE),
    )

    def _log_likelihood(self, theta: Theta, rows: Rows) -> tuple[Floats, tuple[Any, ...]]:
        r, alpha, s, beta = theta
        k = r + rows.frequency
        ages = np.log(alpha + rows.age), np.log(beta + rows.age)
        found = log_integral_and_means(k, alpha, s + 1, beta, rows.recency, rows.age)
        silent, log_alpha, per_alpha, log_beta, per_beta = found
        log_odds = np.log(s) + silent + k * ages[0] + s * ages[1]
        left = expit(log_odds)
        values = rows.by_frequency(lambda x: log_rising(r, x)) + r * np.log(alpha) + s * np.log(beta)
        values = values - k * ages[0] - s * ages[1] + np.logaddexp(0.0, log_odds)
        stay = 1 - left
        return values, (
            rows.by_frequency(lambda x: digamma(r + x) - digamma(r))
            + np.log(alpha)
            - stay * ages[0]
            - left * log_alpha,
            r / alpha - k * (stay / (alpha + rows.age) + left * per_alpha),
            np.log(beta) - stay * ages[1] + left * (1 / s - log_beta),
            s / beta - stay * s / (beta + rows.age) - left * (s + 1) * per_beta,
        )

    def _totals(self, theta: Theta, rows: Rows) -> tuple[float, list[float]]:
        by_table = totals_by_table(theta, rows)
        if by_table is None:
            return super()._totals(theta, rows)
        r, alpha, s, beta = theta
        value, slopes, others = by_table
        rest = rows.some(others)
        counts, x = rows.counts - rest.counts, rows.levels
        customers = counts.sum()
        value += float(counts @ log_rising(r, x) + customers * (r * np.log(alpha) + s * np.log(beta)))
        rates = counts @ (digamma(r + x) - digamma(r)) + customers * np.log(alpha)
        slopes = slopes + np.array(
            [rates, customers * r / alpha, customers * np.log(beta), customers * s / beta]
        )
        if others.size:
            left = super()._totals(theta, rest)
            value, slopes = value + left[0], slopes + left[1]
        return value, slopes.tolist()

    def _alive(self, theta: Theta, rows: Rows) -> Floats:
        if any(np.ndim(value) for value in theta):
            return self._alive_each(theta, rows)
        alive, others = alive_by_table(theta, rows)
        if others.size:
            alive[others] = self._alive_each(theta, rows.some(others))
        return alive

    def _alive_each(self, theta: Theta, rows: Rows) -> Floats:
        r, alpha, s, beta = theta
        k = r + rows.frequency
        silent = log_integral(k, alpha, s + 1, beta, rows.recency, rows.age)
        return expit(-(np.log(s) + silent + k * np.log(alpha + rows.age) + s * np.log(beta + rows.age)))

    def _orders(self, theta: Theta, x: Floats, age: Floats, horizon: Any) -> Floats:
        r, alpha, s, beta = theta
        # (1 − (1+t/B)^(1−s)) / (s−1) with its limit at s = 1.
        stretch = np.log1p(horizon / (beta + age))
        return (r + x) / (alpha + age) * (beta + age) * stretch * exprel((1 - s) * stretch)

    def _buys(self, theta: Theta, x: Floats, age: Floats, horizon: Any) -> Floats:
        r, alpha, s, beta = theta
        k, since = r + x, alpha + age
        scale = np.log(k) + k * np.log(since) + s * np.log(beta + age)
        return np.exp(scale + log_integral(k + 1, since, s, beta + age, 0.0, horizon))

    def _wait(self, theta: Theta, x: Floats, age: Floats, share: Floats) -> Floats:
        r, alpha, s, beta = theta
        return first_order_time(r + x, alpha + age, np.broadcast_to(s, x.shape), beta + age, share)

    def _simulate(self, theta: Theta, rows: Rows, horizon: float, rng: np.random.Generator) -> Floats:
        r, alpha, s, beta = theta
        alive = rng.random(rows.age.size) < self._alive(theta, rows)
        rate = rng.gamma(r + rows.frequency) / (alpha + rows.age)
        leaving = rng.gamma(s, size=rows.age.size) / (beta + rows.age)
        lasting = rng.standard_exponential(rows.age.size) / np.maximum(leaving, 1e-300)
        return np.where(alive, rng.poisson(rate * np.minimum(lasting, horizon)), 0).astype(float)

    def _count(self, theta: Theta, n: Floats, t: Floats) -> Floats:
        r, alpha, s, beta = theta
        log_ways = log_rising(r, n) - gammaln(n + 1) + r * np.log(alpha)
        log_time = np.where(n > 0, n * np.log(np.where(n > 0, np.maximum(t, 1e-300), 1.0)), 0.0)
        staying = log_time - (r + n) * np.log(alpha + t) - s * np.log1p(t / beta)
        leaving = FallingPowers.between(r + n, alpha, s + 1, beta, 0.0, t, whole=True, nodes=96)
        log_left = np.log(s) + s * np.log(beta) + leaving.log_moment(n)
        return np.exp(log_ways) * (np.exp(staying) + np.exp(log_left))
