"""A smooth function of time, tabulated once and then read at many times to full accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from wayfare.stats.btyd.quadrature import legendre_nodes
from wayfare.stats.btyd.summary import Floats

_FEWEST, _MOST = 32, 512
_EXACT = 4e-15
# Steps so short that a difference would lose digits; three Gauss nodes of the slope are exact on them.
_SHORT = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Functions of a time from 0 to `end`, as Chebyshev series in ln(1 + time / scale).

    Attributes:
        values: Coefficients, a column a function.
        slopes: Those of the derivative in ln(1 + time / scale), mapped to [−1, 1].
        scale: The time that the logarithm bends at.
        end: The largest time.
    """

    values: Floats
    slopes: Floats
    scale: float
    end: float

    def at(self, time: Floats, which: int = 0) -> Floats:
        """The value of one function."""
        return np.asarray(chebyshev.chebval(self._place(time), self.values[:, which]), dtype=float)

    def slope(self, time: Floats, which: int = 0) -> Floats:
        """The derivative of one function."""
        stretch = 2 / np.log1p(self.end / self.scale) / (self.scale + time)
        return chebyshev.chebval(self._place(time), self.slopes[:, which]) * stretch

    def mean_slopes(self, steps: Floats, which: int = 0) -> Floats:
        """Over consecutive steps from 0 on, (scenarios, steps): the differences, each a unit of its step; the derivative where that is 0."""
        ends = np.minimum(np.cumsum(steps, axis=1), self.end)
        starts = np.concatenate((np.zeros((len(steps), 1)), ends[:, :-1]), axis=1)
        values = self.at(np.concatenate((starts[:, :1], ends), axis=1), which)
        short = steps < _SHORT * (self.scale + starts) * self._calm
        found = np.diff(values, axis=1) / np.where(short, 1.0, steps)
        if short.any():
            nodes, weights = legendre_nodes(3)
            times = starts[short][:, None] + steps[short][:, None] * nodes
            found[short] = self.slope(times, which) @ weights
        return found

    @property
    def _calm(self) -> float:
        """Shorter steps where the functions bend sharply, as those of very frequent customers do."""
        return min(1.0, _FEWEST / len(self.values))

    def _place(self, time: Floats) -> Floats:
        return 2 * np.log1p(time / self.scale) / np.log1p(self.end / self.scale) - 1


def curve_of(function: Callable[[Floats], Floats], end: float, scale: float) -> Curve | None:
    """The functions that `function` gives, as (functions, times), tabulated; None where they bend too sharply.

    Twice as many nodes until the last coefficients are rounding (Trefethen 2013, Approximation Theory and
    Approximation Practice, ch. 3 and 8).
    """
    count = _FEWEST
    while count <= _MOST:
        place = np.cos(np.pi * (np.arange(count) + 0.5) / count)
        times = scale * np.expm1((place + 1) / 2 * np.log1p(end / scale))
        values = function(times).T
        transform = np.cos(np.pi * np.arange(count)[:, None] * (np.arange(count) + 0.5) / count)
        found = transform @ values * (2 / count)
        found[0] /= 2
        size = np.abs(found)
        if (size[-3:].max(axis=0) <= _EXACT * np.maximum(size.max(axis=0), 1e-300)).all():
            return Curve(found, np.asarray(chebyshev.chebder(found), dtype=float), scale, end)
        count *= 2
    return None
