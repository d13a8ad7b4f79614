"""Gamma-Gamma: what an order of each customer is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from scipy.special import digamma, gammaln

from wayfare.errors import BadInput
from wayfare.stats.btyd.boundary import Limit
from wayfare.stats.btyd.fitting import Objective
from wayfare.stats.btyd.model import Model, Problem
from wayfare.stats.btyd.summary import Floats, column, groups, summed, weights

SAME_VALUE = (
    "Customers don't differ in the value of an order (q and gamma run to infinity): all get the mean."
)
SAME_ORDERS = (
    "A customer's orders don't differ in value (p runs to infinity, gamma to 0): each keeps its own mean."
)
NO_MEAN = (
    "The value of a new customer's order has no finite mean (q is at or below 1): a few customers dominate."
)


class GammaGamma(Model):
    """What is an order of each customer worth, when few orders of it have been seen?

    Fader, Hardie & Lee (2005), RFM and CLV, J. of Marketing Research 42; Fader & Hardie (2013), The Gamma-Gamma
    Model of Monetary Value. Order values vary about the customer's mean as Gamma(p, ν), ν ~ Gamma(q, γ), apart
    from how often the customer orders. With x orders of mean value z:
    ln L = lnΓ(px+q) − lnΓ(px) − lnΓ(q) + q ln γ + (px−1) ln z + px ln x − (px+q) ln(γ+xz).
    """

    names = ("p", "q", "gamma")
    first_guess = (2.0, 3.0, 1.0)
    limits = (Limit(("q", "gamma"), 1, SAME_VALUE), Limit(("p",), 1, SAME_ORDERS))

    def fit(self, summary: Any) -> Self:
        """Fit by maximum likelihood on the customers with repeat orders of positive value.

        Args:
            summary: A table with `frequency` (the orders averaged), `value` (their mean value) and optionally
                `weight`. Rows with a frequency of 0 are passed over.

        Raises:
            BadInput: fewer than two customers can be used, or a repeat customer's value is not positive.
        """
        x, z, weight = self._read(summary)
        used = (x > 0) & (weight > 0)
        if np.any(z[used] <= 0):
            raise BadInput(
                f"{int(np.sum(z[used] <= 0))} customers with repeat orders have a mean value of 0 or less.",
                where="summary",
                hint="Leave out refunds and free orders, or those customers.",
            )
        if used.sum() < 2:
            raise BadInput("Fewer than two customers have repeat orders with a value.", where="summary")
        first, group = groups(x[used], z[used])
        counts = summed(group, weight[used], first.size)
        return self._solve(_problem(self, x[used][first], z[used][first], counts))._named_mean()

    def predict_value(self, summary: Any) -> Floats:
        """The expected value of an order of each customer; that of the mean customer where none was seen.

        E[Z] = p(γ + xz)/(px + q − 1); infinite where px + q ≤ 1.
        """
        x, z, _ = self._read(summary)
        p, q, gamma = np.exp(self._known.point)
        below = p * x + q - 1
        return np.where(
            below > 0, p * (gamma + x * np.where(x > 0, z, 0.0)) / np.where(below > 0, below, 1.0), np.inf
        )

    def expected_value(self) -> float:
        """The expected value of an order of a customer of whom nothing is known: pγ/(q−1)."""
        return float(self.predict_value({"frequency": np.zeros(1), "value": np.zeros(1)})[0])

    def _read(self, summary: Any) -> tuple[Floats, Floats, Floats]:
        x, z = column(summary, "frequency"), column(summary, "value")
        if x.shape != z.shape or np.any(x < 0):
            raise BadInput(
                "frequency and value must be of one length, and no frequency negative.", where="summary"
            )
        return x, z, weights(summary, x.size)

    def _named_mean(self) -> Self:
        known = self._known
        if known.point[1] <= 0:
            said = f"{known.boundary} {NO_MEAN}" if known.boundary else NO_MEAN
            self._fitted = replace(known, boundary=said)
        return self

    def _log_likelihood(self, point: Floats, x: Floats, z: Floats) -> tuple[Floats, tuple[Floats, ...]]:
        p, q, gamma = np.exp(point)
        shape, total, seen = p * x, gamma + x * z, p * x + q
        values = gammaln(seen) - gammaln(shape) - gammaln(q) + q * np.log(gamma)
        values = values + (shape - 1) * np.log(z) + shape * np.log(x) - seen * np.log(total)
        share = digamma(seen) - np.log(total)
        return values, (
            x * (share - digamma(shape) + np.log(x * z)),
            share - digamma(q) + np.log(gamma),
            q / gamma - seen / total,
        )


def _problem(model: GammaGamma, x: Floats, z: Floats, weight: Floats) -> Problem:
    unit = np.array([0.0, 0.0, np.log(weight @ z / weight.sum())])

    def weighted(counts: Floats) -> Objective:
        def objective(point: Floats) -> tuple[float, Floats]:
            values, slopes = model._log_likelihood(point, x, z)
            return float(counts @ values), np.array([counts @ slope for slope in slopes]) * np.exp(point)

        return objective

    return Problem(weighted, weight, np.log(np.array(model.first_guess)) + unit, unit)
