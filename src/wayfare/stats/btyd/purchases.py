"""How many orders does a customer place who may leave after each of them?"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import hyp2f1

from wayfare.stats.btyd.quadrature import beta_nodes_of
from wayfare.stats.btyd.summary import Floats

# Beyond this ratio of horizon to α + T the integrand bends too sharply near p = 0 for 32 nodes.
_FAR = 12.0
# With a above this the distribution of p keeps clear of 0 and the nodes do.
_CLEAR_OF_ZERO = 40.0
# Around a = 1 the closed form is 0/0; within this distance it is interpolated.
_NEAR_ONE = 0.01


def expected_until_leaving(k: Any, time: Any, a: Any, c: Any) -> Floats:
    """E[(1 − (1 + p·time)^−k)/p] over p ~ Beta(a, c): orders of one who is alive, with time in units of α + T.

    A 32-node Gauss–Jacobi expectation; Euler's transformation of the ₂F₁ of Fader, Hardie & Lee (2005, eq. 10)
    where the horizon is far beyond the age.
    """
    k, time, a, c = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in (k, time, a, c)))
    expected = np.empty(k.shape)
    far = (time > _FAR) & (a < _CLEAR_OF_ZERO)
    near = ~far
    if near.any():
        p, weights = beta_nodes_of(a[near], c[near])
        exponent = k[near, None] * np.log1p(p * time[near, None])
        each = np.where(p > 1e-300, -np.expm1(-exponent) / np.maximum(p, 1e-300), (k * time)[near, None])
        expected[near] = (weights * each).sum(axis=1)
    if far.any():
        expected[far] = _far_beyond(k[far], time[far], a[far], c[far])
    return expected


def _far_beyond(k: Floats, time: Floats, a: Floats, c: Floats) -> Floats:
    expected = np.empty(k.shape)
    close = np.abs(a - 1) < _NEAR_ONE
    expected[~close] = _euler(k[~close], time[~close], a[~close], c[~close])
    if close.any():
        # Lagrange interpolation in a at six points beside 1, where the expectation is smooth.
        points = 1 + _NEAR_ONE * np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
        own = a[close]
        total = np.zeros(own.shape)
        for place, point in enumerate(points):
            others = np.delete(points, place)
            share = np.prod((own[:, None] - others) / (point - others), axis=1)
            total += share * _euler(k[close], time[close], np.full(own.shape, point), c[close])
        expected[close] = total
    return expected


def _euler(k: Floats, time: Floats, a: Floats, c: Floats) -> Floats:
    z = time / (1 + time)
    series = hyp2f1(a - 1, a + c - 1 - k, a + c - 1, z)
    return (a + c - 1) / (a - 1) * -(np.exp((1 - a) * np.log1p(time)) * series - 1)
