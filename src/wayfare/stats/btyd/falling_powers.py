"""The integral of a product of two falling powers, ∫ (a+τ)^−k (b+τ)^−m dτ, by quadrature on a log scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from wayfare.stats.btyd.quadrature import in_blocks, legendre_nodes
from wayfare.stats.btyd.summary import Floats

_NODES = 32
# e^−40: what lies beyond is below rounding.
_NEGLIGIBLE = 40.0
# Bisections of the waiting time on a log scale.
_HALVINGS = 50
_LONGEST = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class FallingPowers:
    """The integrand at its nodes, one row an integral.

    With τ = start + c(e^w − 1), c the smaller of a + start and b + start, the integrand is analytic in w within
    a strip of half-width π and falls by e^−w at a known rate, so that Gauss–Legendre in w converges fast.

    Attributes:
        time: τ at the nodes.
        logs: ln(a + τ) and ln(b + τ) there.
        log_height: The log of the integrand times the weight of the node.
    """

    time: Floats
    logs: tuple[Floats, Floats]
    log_height: Floats

    @classmethod
    def between(
        cls, k: Any, a: Any, m: Any, b: Any, start: Any, end: Any, *, whole: bool = False, nodes: int = _NODES
    ) -> Self:
        """The integrand from `start` to `end`; all of them numbers or arrays of a row each.

        It is cut off where it is negligible, unless the `whole` of it is asked for.
        """
        k, a, m, b, start, end = (np.asarray(v, dtype=float)[..., None] for v in (k, a, m, b, start, end))
        unit = np.minimum(a, b) + start
        falls = k * unit / (a + start) + m * unit / (b + start) - 1
        width = np.log1p((end - start) / unit)
        width = width if whole else np.minimum(width, _NEGLIGIBLE / np.maximum(falls, 1e-6))
        places, weights = legendre_nodes(nodes)
        stretch = width * places
        time = start + unit * np.expm1(stretch)
        logs = np.log(a + time), np.log(b + time)
        log_unit = np.log(np.maximum(width, 1e-300) * unit)
        return cls(time, logs, stretch + np.log(weights) + log_unit - k * logs[0] - m * logs[1])

    def log_value(self) -> Floats:
        """The log of the integral."""
        return _log_sum(self.log_height)

    def log_moment(self, n: Floats) -> Floats:
        """The log of the integral with τ^n beside."""
        log_time = np.log(np.maximum(self.time, 1e-300))
        return _log_sum(self.log_height + np.where(n[:, None] > 0, n[:, None] * log_time, 0.0))

    def means(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Averages under the integrand: of ln(a+τ), 1/(a+τ), ln(b+τ), 1/(b+τ)."""
        share = np.exp(self.log_height - self.log_height.max(axis=-1, keepdims=True))
        share /= share.sum(axis=-1, keepdims=True)
        first, second = self.logs
        each = (first, np.exp(-first), second, np.exp(-second))
        return tuple(np.einsum("ij,ij->i", share, values) for values in each)  # type: ignore[return-value]


def first_order_time(k: Floats, a: Floats, s: Floats, b: Floats, share: Floats) -> Floats:
    """The time in which one who is alive has ordered with probability `share`; infinite where that never comes.

    The chance is k·a^k·b^s ∫ (a+u)^−(k+1) (b+u)^−s du; bisected on ln(1 + t/a).
    """
    scale = np.log(k) + k * np.log(a) + s * np.log(b)

    def chance(stretch: Floats) -> Floats:
        ends = a * np.expm1(stretch)
        return np.exp(scale + in_blocks(_log_chance, k + 1, a, s, b, 0.0, ends))

    low, high = np.zeros(k.shape), np.full(k.shape, _LONGEST)
    never = chance(high) <= share
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = chance(middle) > share
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(never, np.inf, a * np.expm1((low + high) / 2))


def _log_chance(*arrays: Any) -> Floats:
    return FallingPowers.between(*arrays).log_value()


def _log_sum(logs: Floats) -> Floats:
    top = logs.max(axis=-1)
    return top + np.log(np.exp(logs - top[..., None]).sum(axis=-1))
