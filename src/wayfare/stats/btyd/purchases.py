"""How many orders does a customer place who may leave after each of them?"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy.special import betaln

from wayfare.stats.btyd.quadrature import beta_nodes, in_blocks, legendre_nodes
from wayfare.stats.btyd.summary import Floats

# Up to this ratio of horizon to α + T the nodes of the beta distribution do; beyond, the integrand bends
# too sharply near p = 0, unless a keeps the distribution clear of it.
_FAR = 12.0
_CLEAR_OF_ZERO = 20.0
# How many nodes give sixteen digits up to a ratio: the error falls as ρ^−2n, with ρ from the pole at p = −1/ratio.
_ENOUGH = ((1.5, 12), (4.0, 20), (np.inf, 32))
_SMALLEST = 1e-300


def expected_until_leaving(k: Any, time: Any, a: Any, c: Any) -> Floats:
    """E[(1 − (1 + p·time)^−k)/p] over p ~ Beta(a, c): orders of one who is alive, with time in units of α + T.

    This is Fader, Hardie & Lee (2005, eq. 10) without its ₂F₁, which loses all digits near a = 1, for large k
    and for long horizons. A Gauss–Jacobi expectation of up to 32 nodes; where the horizon is far beyond the age, the
    same integral in pieces.
    """
    k, time, a, c = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in (k, time, a, c)))
    expected = np.empty(k.shape)
    far = (time > _FAR) & (a < _CLEAR_OF_ZERO)
    near = ~far
    if near.any():
        nodes = nodes_enough(float(time[near].max()))
        expected[near] = in_blocks(partial(_near, nodes), k[near], time[near], a[near], c[near])
    if far.any():
        expected[far] = in_blocks(_in_pieces, k[far], time[far], a[far], c[far])
    return expected


def nodes_enough(time: float) -> int:
    """How many nodes give full accuracy up to this ratio of horizon to α + T."""
    return next(nodes for reach, nodes in _ENOUGH if time <= reach)


def _near(nodes: int, k: Floats, time: Floats, a: Floats, c: Floats) -> Floats:
    p, weights = beta_nodes(a, c, nodes)
    return np.einsum("ij,ij->i", weights, _given_p(k, time, p))


def _given_p(k: Floats, time: Floats, p: Floats) -> Floats:
    k, time = k[:, None], time[:, None]
    orders = -np.expm1(-k * np.log1p(p * time)) / np.maximum(p, _SMALLEST)
    return np.where(p > _SMALLEST, orders, k * time)


def _in_pieces(k: Floats, time: Floats, a: Floats, c: Floats) -> Floats:
    """The integral over p from 0 to where it bends, from there by panels in ln p, and from ½ to 1."""
    bend = 1 / np.maximum(time, np.maximum(c, 2.0))
    end = np.minimum(0.5, 80 / c)
    total = np.zeros(k.shape)
    for p, log_density in (_start(a, c, bend), _middle(a, c, bend, end), _end(a, c, end)):
        total += (np.exp(log_density - betaln(a, c)[:, None]) * _given_p(k, time, p)).sum(axis=1)
    return total


def _start(a: Floats, c: Floats, bend: Floats) -> tuple[Floats, Floats]:
    nodes, weights = beta_nodes(a, np.ones_like(a))
    p = bend[:, None] * nodes
    share = a * np.log(bend) - np.log(a)
    return p, np.log(np.maximum(weights, _SMALLEST)) + share[:, None] + (c[:, None] - 1) * np.log1p(-p)


def _middle(a: Floats, c: Floats, bend: Floats, end: Floats) -> tuple[Floats, Floats]:
    span = np.log(end / bend)
    panels = int(np.ceil(span.max()))
    nodes, weights = legendre_nodes(16)
    places = ((np.arange(panels)[:, None] + nodes) / panels).ravel()
    log_p = np.log(bend)[:, None] + span[:, None] * places
    log_width = np.log(span[:, None] / panels) + np.log(np.tile(weights, panels))
    p = np.exp(log_p)
    return p, log_width + a[:, None] * log_p + (c[:, None] - 1) * np.log1p(-p)


def _end(a: Floats, c: Floats, end: Floats) -> tuple[Floats, Floats]:
    # Where c is large the distribution ends before ½.
    reached = end >= 0.5
    own = np.where(reached, c, 1.0)
    nodes, weights = beta_nodes(np.ones_like(a), own)
    p = 1 - (1 - nodes) / 2
    log_density = np.log(np.maximum(weights, _SMALLEST)) - (own * np.log(2) + np.log(own))[:, None]
    log_density = log_density + (a[:, None] - 1) * np.log(p)
    return p, np.where(reached[:, None], log_density, -np.inf)
