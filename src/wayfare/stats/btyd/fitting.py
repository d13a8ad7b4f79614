"""Where is a log-likelihood highest, and how sharply does it fall away from there?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wayfare.stats.btyd.threads import one_thread

Floats = npt.NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]

_STEP = 1e-4
_STEPS, _ROUNDS = 12, 4
# Second derivatives are taken again after the point has moved by more than this.
_SAME_CURVATURE = 1e-3
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


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A point, and the objective and its gradient there."""

    point: Floats
    value: float
    gradient: Floats


def maximise(
    objective: Objective, start: Floats, low: Floats, high: Floats, size: float, near: Floats | None = None
) -> Optimum:
    """The maximum of `objective` within the box.

    L-BFGS-B (Byrd, Lu, Nocedal & Zhu 1995) with the analytic gradient, then Newton steps with differences of
    it. `size` (the number of customers) keeps the figures near 1. Where the start is near the maximum already,
    `near` is about the information there and saves the first of these.
    """
    with one_thread():
        place = _at(objective, np.clip(start, low, high))
        if near is not None:
            place = _climbed(objective, place, near, low, high, 1) or place
            top = _top(objective, place, low, high)
        if near is None or top is None:
            place = _at(objective, _searched(objective, place.point, low, high, size))
            top = _top(objective, place, low, high)
        place, information = top or (place, information_at(objective, place))
    return Optimum(place.point, place.value, information, (place.point <= low) | (place.point >= high))


def _top(objective: Objective, place: _Place, low: Floats, high: Floats) -> tuple[_Place, Floats] | None:
    """The maximum near a place and the information there; None where Newton steps lead nowhere."""
    for _ in range(_ROUNDS):
        information = information_at(objective, place)
        climbed = _climbed(objective, place, information, low, high)
        if climbed is None:
            return None
        moved = np.abs(climbed.point - place.point).max()
        place = climbed
        if moved < _SAME_CURVATURE:
            break
    return place, information


def _at(objective: Objective, point: Floats) -> _Place:
    return _Place(point, *objective(point))


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
    objective: Objective,
    place: _Place,
    information: Floats,
    low: Floats,
    high: Floats,
    steps: int = _STEPS,
) -> _Place | None:
    """Where Newton steps with a fixed information lead to; None where they lead nowhere."""
    for _ in range(steps):
        gradient = place.gradient
        free = (place.point > low) & (place.point < high)
        step = _newton_step(information, gradient, free)
        if abs(gradient @ step) < _SETTLED:
            # No gain to be had: either here is the maximum, or the information is not one.
            return place if np.any(step) or not np.any(free) or not np.any(gradient[free]) else None
        further = _at(objective, np.clip(place.point + step, low, high))
        if not further.value > place.value:
            return place if abs(gradient @ step) < _ALMOST_SETTLED else None
        place = further
    return place


def _newton_step(information: Floats, gradient: Floats, free: npt.NDArray[np.bool_]) -> Floats:
    step = np.zeros_like(gradient)
    values, vectors = np.linalg.eigh(information[np.ix_(free, free)])
    if values.size and values[0] > 0:
        step[free] = vectors @ ((vectors.T @ gradient[free]) / values)
    return np.where(np.abs(step).max(initial=0.0) > 1.0, 0.0, step)


def information_at(objective: Objective, place: _Place) -> Floats:
    """The negative second derivatives, by differences from the gradient at the place."""
    matrix = np.empty((place.point.size, place.point.size))
    for row in range(place.point.size):
        shift = np.zeros_like(place.point)
        shift[row] = _STEP
        matrix[row] = (place.gradient - objective(place.point + shift)[1]) / _STEP
    return (matrix + matrix.T) / 2


def covariance_of(optimum: Optimum) -> Floats:
    """The inverse of the information, with 0 for pinned parameters and flat directions kept to a finite width."""
    free = ~optimum.pinned
    values, vectors = np.linalg.eigh(optimum.information[np.ix_(free, free)])
    inverse = 1.0 / np.maximum(values, _WIDEST**-2)
    covariance = np.zeros_like(optimum.information)
    covariance[np.ix_(free, free)] = (vectors * inverse) @ vectors.T
    return covariance
