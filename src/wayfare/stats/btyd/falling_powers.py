"""The integral of a product of two falling powers, ∫ (a+τ)^−k (b+τ)^−m dτ, by quadrature on a log scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
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
        since: a + τ and b + τ there.
        logs: Their logs.
        log_height: The log of the integrand times the weight of the node.
    """

    time: Floats
    since: tuple[Floats, Floats]
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
        unit, width, falls = _extent(k, a, m, b, start, end)
        width = width if whole else np.minimum(width, _NEGLIGIBLE / np.maximum(falls, 1e-6))
        places, weights = legendre_nodes(nodes)
        stretch = width * places
        time = start + unit * np.expm1(stretch)
        since = a + time, b + time
        logs = np.log(since[0]), np.log(since[1])
        log_unit = np.log(np.maximum(width, 1e-300) * unit)
        return cls(time, since, logs, stretch + np.log(weights) + log_unit - k * logs[0] - m * logs[1])

    def log_value(self) -> Floats:
        """The log of the integral."""
        top = self.log_height.max(axis=-1)
        return top + np.log(np.exp(self.log_height - top[..., None]).sum(axis=-1))

    def log_moment(self, n: Floats) -> Floats:
        """The log of the integral with τ^n beside."""
        log_time = np.where(n[:, None] > 0, n[:, None] * np.log(np.maximum(self.time, 1e-300)), 0.0)
        return replace(self, log_height=self.log_height + log_time).log_value()

    def value_and_means(self) -> tuple[Floats, ...]:
        """The log of the integral, and averages under it: of ln(a+τ), 1/(a+τ), ln(b+τ), 1/(b+τ)."""
        top = self.log_height.max(axis=-1, keepdims=True)
        share = np.exp(self.log_height - top)
        total = share.sum(axis=-1)
        (first, second), (log_first, log_second) = self.since, self.logs
        each = (log_first, 1 / first, log_second, 1 / second)
        return top[:, 0] + np.log(total), *(np.einsum("ij,ij->i", share, values) / total for values in each)


def _extent(k: Any, a: Any, m: Any, b: Any, start: Any, end: Any) -> tuple[Any, Any, Any]:
    """c, the length in w, and how fast the integrand falls there at least."""
    unit = np.minimum(a, b) + start
    return unit, np.log1p((end - start) / unit), k * unit / (a + start) + m * unit / (b + start) - 1


def log_integral(k: Any, a: Any, m: Any, b: Any, start: Any, end: Any) -> Floats:
    """ln ∫ from start to end of (a+τ)^−k (b+τ)^−m dτ, a row each."""
    return _as_needed(
        lambda *row, nodes: (FallingPowers.between(*row, nodes=nodes).log_value(),), k, a, m, b, start, end
    )[0]


def log_integral_and_means(k: Any, a: Any, m: Any, b: Any, start: Any, end: Any) -> tuple[Floats, ...]:
    """`log_integral`, and averages under the integrand: of ln(a+τ), 1/(a+τ), ln(b+τ), 1/(b+τ)."""
    return _as_needed(
        lambda *row, nodes: FallingPowers.between(*row, nodes=nodes).value_and_means(), k, a, m, b, start, end
    )


def _as_needed(function: Callable[..., tuple[Floats, ...]], *values: Any) -> tuple[Floats, ...]:
    """`function` with as many nodes as each row needs for about twelve digits."""
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype=float)) for value in values))
    _, width, falls = _extent(*arrays)
    drop = width * np.maximum(falls, 1.0)
    need = np.select([(drop <= 6) & (width <= 2.5), (drop <= 18) & (width <= 5)], [10, 16], _NODES)
    if need.size == 0:
        return function(*arrays, nodes=_NODES)
    results: list[Floats] = []
    for nodes in np.unique(need):
        rows = np.flatnonzero(need == nodes)
        found = in_blocks(partial(function, nodes=int(nodes)), *(array[rows] for array in arrays))
        results = results or [np.empty(arrays[0].shape) for _ in found]
        for result, own in zip(results, found, strict=True):
            result[rows] = own
    return tuple(results)


def first_order_time(k: Floats, a: Floats, s: Floats, b: Floats, share: Floats) -> Floats:
    """The time in which one who is alive has ordered with probability `share`; infinite where that never comes.

    The chance is k·a^k·b^s ∫ (a+u)^−(k+1) (b+u)^−s du; bisected on ln(1 + t/a).
    """
    scale = np.log(k) + k * np.log(a) + s * np.log(b)

    def chance(stretch: Floats) -> Floats:
        ends = a * np.expm1(stretch)
        return np.exp(scale + log_integral(k + 1, a, s, b, 0.0, ends))

    low, high = np.zeros(k.shape), np.full(k.shape, _LONGEST)
    never = chance(high) <= share
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = chance(middle) > share
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(never, np.inf, a * np.expm1((low + high) / 2))
