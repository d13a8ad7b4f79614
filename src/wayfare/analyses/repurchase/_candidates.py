"""The models that compete for a company's orders: fitted on the past, judged on the weeks after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.repurchase._order_days import Summary
from wayfare.errors import WayfareError

if TYPE_CHECKING:
    from wayfare.stats.btyd.count_model import CountModel

Floats = NDArray[np.float64]

ENOUGH = 50
"""Repeat customers below which no model is fitted."""

MODELS = ("BG/NBD", "MBG/NBD", "Pareto/NBD")
_WEAK = 1.0


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model fitted on the orders up to some day.

    Attributes:
        name: What people call it.
        model: The fitted model; None where it could not be fitted.
        note: What the data can't tell it, or why it was not fitted.
        expected: Orders it expected of each customer in the holdout; empty without one.
        deviance: How far off these were, a customer; nan without a holdout.
    """

    name: str
    model: CountModel | None
    note: str
    expected: Floats
    deviance: float

    @property
    def sound(self) -> bool:
        """Whether every parameter is known."""
        return self.model is not None and not self.note

    @property
    def log_likelihood(self) -> float:
        """Of the orders it was fitted on; nan where it was not fitted."""
        return self.model.log_likelihood_ if self.model else np.nan

    @property
    def parameters(self) -> str:
        """The parameters in words."""
        return ", ".join(f"{name} {value:.4g}" for name, value in self.model.params_.items()) if self.model else ""


def fit(name: str, summary: Summary, penalty: float = 0.0) -> Candidate:
    """The model called `name`, fitted on a summary; time in weeks."""
    from wayfare.stats import btyd

    kinds = dict(zip(MODELS, (btyd.BGNBD, btyd.MBGNBD, btyd.ParetoNBD), strict=True))
    none = np.zeros(0)
    try:
        # On its way the optimiser looks at parameters where the likelihood overflows, and turns away from them.
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            model = kinds[name](penalty=penalty).fit(summary.table)
    except WayfareError as error:
        return Candidate(name, None, error.problem, none, np.nan)
    return Candidate(name, model, model.boundary_ or "", none, np.nan)


def judged(candidate: Candidate, summary: Summary, weeks: float, actual: Floats) -> Candidate:
    """The candidate with what it expected of each customer in the weeks that followed, and how far off that was."""
    if candidate.model is None:
        return candidate
    expected = candidate.model.predict_orders(summary.table, weeks)
    return Candidate(candidate.name, candidate.model, candidate.note, expected, deviance(expected, actual))


def deviance(expected: Floats, actual: Floats) -> float:
    """Mean Poisson deviance a customer: 2·(y ln(y/μ) − (y − μ)); smaller is better.

    Consistent for the mean whatever the counts' distribution (Gneiting 2011, JASA 106, on Bregman scores).
    """
    if not len(actual):
        return np.nan
    mean = np.maximum(expected, 1e-9)
    ratio = np.log(np.where(actual > 0, actual, 1.0) / mean)
    return float(np.mean(2 * (np.where(actual > 0, actual * ratio, 0.0) - (actual - mean))))


def ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best first: those whose parameters are all known, by the holdout, else by their likelihood."""

    def key(candidate: Candidate) -> tuple[bool, bool, float, float]:
        off = 0.0 if np.isnan(candidate.deviance) else candidate.deviance
        return not candidate.model, not candidate.sound, off, -candidate.log_likelihood

    return sorted(candidates, key=key)


def final(order: Sequence[Candidate], summary: Summary) -> Candidate:
    """The first of the ranked candidates that all the data determine; else the first, held by a weak prior."""
    tried = [fit(candidate.name, summary) for candidate in order if candidate.model]
    found = next((candidate for candidate in tried if candidate.sound), None)
    if found or not tried:
        return found or Candidate("", None, "No model could be fitted.", np.zeros(0), np.nan)
    held = fit(tried[0].name, summary, _WEAK)
    note = f"{tried[0].note} The forecast holds the parameters near their usual size by a weak prior."
    return Candidate(held.name, held.model, note, held.expected, held.deviance)
