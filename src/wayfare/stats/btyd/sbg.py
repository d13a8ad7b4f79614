"""sBG: customers under contract, who renew or leave at the end of each period."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.special import digamma, hyp2f1

from wayfare.errors import BadInput, InvalidParameter
from wayfare.stats.btyd.boundary import Limit
from wayfare.stats.btyd.fitting import Objective
from wayfare.stats.btyd.model import Model, Problem
from wayfare.stats.btyd.quadrature import log_rising
from wayfare.stats.btyd.summary import Floats, column, groups, summed, weights

SAME_CHURN = (
    "Customers don't differ in their churn (alpha and beta run to infinity): only the mean rate is known."
)
NOBODY_LEAVES = (
    "Hardly anybody has left (alpha runs to 0, or beta to infinity): churn can't be told from none."
)


class SBG(Model):
    """How long do customers under contract stay, if each renews with a probability of its own?

    The shifted beta-geometric model of Fader & Hardie (2007), How to Project Customer Retention, J. of
    Interactive Marketing 21: churn in each period with probability θ ~ Beta(α, β). With tenure t, the number of
    renewals decided, S(t) = B(α, β+t)/B(α, β) and P(leaves at the t-th) = B(α+1, β+t−1)/B(α, β).
    """

    names = ("alpha", "beta")
    first_guess = (1.0, 2.0)
    limits = (
        Limit(("alpha", "beta"), 1, SAME_CHURN),
        Limit(("alpha",), -1, NOBODY_LEAVES),
        Limit(("beta",), 1, NOBODY_LEAVES),
    )

    def fit(self, summary: Any) -> Self:
        """Fit by maximum likelihood on tenures.

        Args:
            summary: A table with `age` (periods up to the last renewal decided, the one at which the customer
                left included), `churned` (1 if the customer left there, 0 if still under contract) and
                optionally `weight`.

        Raises:
            BadInput: nobody has left, or an age is no whole number of periods.
        """
        age, churned = column(summary, "age"), column(summary, "churned")
        weight = weights(summary, age.size)
        if not (age.shape == churned.shape == weight.shape):
            raise BadInput("The columns differ in length.", where="summary")
        if np.any((age < 0) | (age % 1 != 0)) or not np.isin(churned, (0, 1)).all() or np.any(churned > age):
            raise BadInput(
                "Ages are whole periods, churned is 0 or 1, and nobody leaves at age 0.", where="summary"
            )
        if not weight[churned > 0].sum() > 0:
            raise BadInput("Nobody has left yet, so there is no churn to fit.", where="summary")
        first, group = groups(age, churned)
        counts = summed(group, weight, first.size)
        return self._solve(_problem(self, age[first], churned[first], counts))

    def fit_survivors(self, survivors: Any) -> Self:
        """Fit on how many of one cohort are left at the start and after each renewal, such as 100, 63.1, 46.8."""
        left = np.asarray(survivors, dtype=float)
        if left.ndim != 1 or left.size < 2 or np.any(np.diff(left) > 0) or np.any(left < 0):
            raise BadInput("Survivors are two or more falling numbers.", where="survivors")
        periods = np.arange(1, left.size)
        return self.fit(
            {
                "age": np.append(periods, left.size - 1),
                "churned": np.append(np.ones(left.size - 1), 0),
                "weight": np.append(-np.diff(left), left[-1]),
            }
        )

    def predict_survival(self, periods: Any, age: Any = 0) -> Any:
        """The chance that a customer of this age is still there `periods` renewals on."""
        alpha, beta = np.exp(self._known.point)
        age, periods = _whole(age, "age"), _whole(periods, "periods")
        return np.exp(log_rising(beta + age, periods) - log_rising(alpha + beta + age, periods))

    def predict_retention(self, age: Any) -> Any:
        """The chance that a customer who has renewed `age` times renews once more: (β+age)/(α+β+age)."""
        alpha, beta = np.exp(self._known.point)
        age = _whole(age, "age")
        return (beta + age) / (alpha + beta + age)

    def expected_remaining(self, age: Any = 0, discount: float = 0.0) -> Any:
        """How many more periods will a customer of this age pay for, discounted per period (DERL)?

        Σ over k ≥ 1 of S(age+k)/S(age)/(1+discount)^(k−1); (β+age)/(α−1) without discount, infinite where
        α ≤ 1. Fader & Hardie (2010), Customer-Base Valuation in a Contractual Setting, Marketing Science 29.
        """
        alpha, beta = np.exp(self._known.point)
        start = beta + _whole(age, "age")
        if discount < 0:
            raise InvalidParameter(f"A discount of {discount} can't be used.", where="discount")
        if discount == 0:
            return start / (alpha - 1) if alpha > 1 else np.full(np.shape(start), np.inf)[()]
        return start / (alpha + start) * hyp2f1(1, start + 1, alpha + start + 1, 1 / (1 + discount))

    def _log_likelihood(
        self, point: Floats, age: Floats, churned: Floats
    ) -> tuple[Floats, tuple[Floats, ...]]:
        alpha, beta = np.exp(point)
        stayed, c = age - churned, alpha + beta
        values = log_rising(beta, stayed) - log_rising(c, age) + churned * np.log(alpha)
        fell = digamma(c + age) - digamma(c)
        return values, (churned / alpha - fell, digamma(beta + stayed) - digamma(beta) - fell)


def _problem(model: SBG, age: Floats, churned: Floats, weight: Floats) -> Problem:
    def weighted(counts: Floats) -> Objective:
        def objective(point: Floats) -> tuple[float, Floats]:
            values, slopes = model._log_likelihood(point, age, churned)
            return float(counts @ values), np.array([counts @ slope for slope in slopes]) * np.exp(point)

        return objective

    return Problem(weighted, weight, np.log(np.array(model.first_guess)), np.zeros(2))


def _whole(values: Any, where: str) -> Any:
    array = np.asarray(values, dtype=float)
    if np.any((array < 0) | (array % 1 != 0)):
        raise InvalidParameter(f"The {where} must be whole numbers of 0 or more.", where=where)
    return array[()]
