"""Logistic and Cox regression with a weak prior, so that a predictor that splits the outcome stays finite."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PRIOR = 1 / 25
"""Precision of the normal prior of every coefficient but the constant: odds ratios beyond e¹⁰ are not believed."""
_STEPS, _CLOSE = 60, 1e-9


@dataclass(frozen=True, eq=False)
class Fitted:
    """Coefficients and their standard errors, one a column; not numbers where nothing could be fitted."""

    estimate: Floats
    error: Floats


def logistic(columns: Floats, outcome: NDArray[np.bool_]) -> Fitted:
    """The log odds ratios of columns that are 0 or 1 (or any number), with a constant added.

    Newton's method on the penalised likelihood; the errors are those of its curvature.
    """
    x = np.column_stack([np.ones(len(columns)), columns])
    y, prior = outcome.astype(float), np.r_[0.0, np.full(columns.shape[1], _PRIOR)]

    def curve(beta: Floats) -> tuple[float, Floats, Floats]:
        linear = x @ beta
        chance = 1 / (1 + np.exp(-np.clip(linear, -500, 500)))
        value = float(y @ linear - np.logaddexp(0, linear).sum() - prior @ beta**2 / 2)
        gradient = x.T @ (y - chance) - prior * beta
        return value, gradient, (x * (chance * (1 - chance))[:, None]).T @ x + np.diag(prior)

    fitted = _newton(curve, x.shape[1])
    return Fitted(fitted.estimate[1:], fitted.error[1:])


def cox(columns: Floats, days: Floats, happened: NDArray[np.bool_]) -> Fitted:
    """The log hazard ratios of columns, with ties as Efron (1977) treats them; days are rounded up to whole ones."""
    day = np.ceil(days)
    order = np.argsort(-day, kind="stable")
    x, event, day = columns[order] - columns.mean(axis=0), happened[order], day[order]
    cuts = [*np.flatnonzero(np.diff(day, prepend=np.inf)).tolist(), len(day)]

    def curve(beta: Floats) -> tuple[float, Floats, Floats]:
        linear = x @ beta
        weight = np.exp(np.clip(linear, -500, 500))
        value, size = -_PRIOR * float(beta @ beta) / 2, x.shape[1]
        gradient, hessian = -_PRIOR * beta, _PRIOR * np.eye(size)
        s0, s1, s2 = 0.0, np.zeros(size), np.zeros((size, size))
        for first, after in pairwise(cuts):  # from the longest wait to the shortest: the risk set only grows
            part, w, hit = x[first:after], weight[first:after], event[first:after]
            s0 += w.sum()
            s1 = s1 + w @ part
            s2 = s2 + (part * w[:, None]).T @ part
            if hit.any():
                mine, own = part[hit], w[hit]
                share = np.arange(len(own)) / len(own)
                left = s0 - share * own.sum()
                mean = (s1 - np.outer(share, own @ mine)) / left[:, None]
                value += float(linear[first:after][hit].sum() - np.log(left).sum())
                gradient = gradient + mine.sum(axis=0) - mean.sum(axis=0)
                spread = s2 * (1 / left).sum() - (mine * own[:, None]).T @ mine * (share / left).sum()
                hessian = hessian + spread - mean.T @ mean
        return value, gradient, hessian

    return _newton(curve, x.shape[1])


def _newton(curve: object, size: int) -> Fitted:
    beta = np.zeros(size)
    value, gradient, hessian = curve(beta)  # type: ignore[operator]
    for _ in range(_STEPS):
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while True:
            tried = curve(beta + scale * step)  # type: ignore[operator]
            if tried[0] >= value - 1e-12 or scale < 1e-6:
                break
            scale /= 2
        beta = beta + scale * step
        done = abs(tried[0] - value) < _CLOSE * (1 + abs(value))
        value, gradient, hessian = tried
        if done:
            break
    return Fitted(beta, np.sqrt(np.maximum(np.diag(np.linalg.inv(hessian)), 0)))
