"""Where is a log-likelihood highest, and how sharply does it fall away from there?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]

_STEP = 1e-4
_STEPS = 12
# Gains in log-likelihood that are none.
_SETTLED = 1e-9
_ALMOST_SETTLED = 1e-5
# A standard deviation of a log-parameter beyond this says "not known", not "known to be somewhere up to e^60".
_WIDEST = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The best point found.

    Attributes:
        point: The parameters there.
        value: The objective there.
        information: The negative of the matrix of second derivatives there.
        pinned: Which parameters lie at a bound.
    """

    point: Floats
    value: float
    information: Floats
    pinned: npt.NDArray[np.bool_]


def maximise(
    objective: Objective, start: Floats, low: Floats, high: Floats, size: float, near: Floats | None = None
) -> Optimum:
    """The maximum of `objective` within the box.

    L-BFGS-B (Byrd, Lu, Nocedal & Zhu 1995) with the analytic gradient, then Newton steps with differences of
    it. `size` (the number of customers) keeps the figures near 1. Where the start is near the maximum already,
    `near` is about the information there and saves the first of these.
    """
    point = np.clip(start, low, high)
    if near is None:
        point = _searched(objective, point, low, high, size)
        near = information_at(objective, point)
    climbed = _climbed(objective, point, near, low, high)
    if climbed is None:
        point = _searched(objective, point, low, high, size)
        climbed = _climbed(objective, point, information_at(objective, point), low, high)
    point = point if climbed is None else climbed
    value, gradient = objective(point)
    pinned = (point <= low) | (point >= high)
    return Optimum(point, value, information_at(objective, point, gradient), pinned)


def _searched(objective: Objective, start: Floats, low: Floats, high: Floats, size: float) -> Floats:
    from scipy.optimize import minimize

    def negative(point: Floats) -> tuple[float, Floats]:
        value, gradient = objective(point)
        return (-value / size, -gradient / size) if np.isfinite(value) else (1e10, np.zeros_like(point))

    found = minimize(
        negative,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-7},
    )
    return np.asarray(found.x)


def _climbed(
    objective: Objective, point: Floats, information: Floats, low: Floats, high: Floats
) -> Floats | None:
    """The point that Newton steps with a fixed information lead to; None where they lead nowhere."""
    value, gradient = objective(point)
    for _ in range(_STEPS):
        free = (point > low) & (point < high)
        step = _newton_step(information, gradient, free)
        if abs(gradient @ step) < _SETTLED:
            # No gain to be had: either here is the maximum, or the information is not one.
            return point if np.any(step) or not np.any(free) or not np.any(gradient[free]) else None
        further = np.clip(point + step, low, high)
        better, slope = objective(further)
        if not better > value:
            return point if abs(gradient @ step) < _ALMOST_SETTLED else None
        point, value, gradient = further, better, slope
    return point


def _newton_step(information: Floats, gradient: Floats, free: npt.NDArray[np.bool_]) -> Floats:
    step = np.zeros_like(gradient)
    values, vectors = np.linalg.eigh(information[np.ix_(free, free)])
    if values.size and values[0] > 0:
        step[free] = vectors @ ((vectors.T @ gradient[free]) / values)
    return np.where(np.abs(step).max(initial=0.0) > 1.0, 0.0, step)


def information_at(objective: Objective, point: Floats, gradient: Floats | None = None) -> Floats:
    """The negative second derivatives: differences of the gradient, one-sided where the gradient is given."""
    matrix = np.empty((point.size, point.size))
    for place in range(point.size):
        shift = np.zeros_like(point)
        shift[place] = _STEP
        if gradient is None:
            matrix[place] = (objective(point - shift)[1] - objective(point + shift)[1]) / (2 * _STEP)
        else:
            matrix[place] = (gradient - objective(point + shift)[1]) / _STEP
    return (matrix + matrix.T) / 2


def covariance_of(optimum: Optimum) -> Floats:
    """The inverse of the information, with 0 for pinned parameters and flat directions kept to a finite width."""
    free = ~optimum.pinned
    values, vectors = np.linalg.eigh(optimum.information[np.ix_(free, free)])
    inverse = 1.0 / np.maximum(values, _WIDEST**-2)
    covariance = np.zeros_like(optimum.information)
    covariance[np.ix_(free, free)] = (vectors * inverse) @ vectors.T
    return covariance
