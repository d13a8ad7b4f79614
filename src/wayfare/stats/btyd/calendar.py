"""A calendar: how fast customers' time runs, week by week, relative to an average one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from wayfare.errors import BadInput
from wayfare.stats.btyd.summary import Floats

_HINT = "Edges rise strictly; there is one rate between each two, a finite number of 0 or more."


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Season and trend as a clock: a week at twice the usual rate of orders counts as two.

    On this clock orders come at a constant rate, so that a model whose customers leave at orders (BG/NBD, MBG/NBD)
    is exact: fit it on `elapsed` recencies and ages, forecast over `elapsed` horizons. In Pareto/NBD customers
    leave in ordinary time, to which a calendar of orders does not apply.

    Attributes:
        times: The knots in absolute time, in the unit of the ages.
        cumulative: The clock at the knots; linear between them. Beyond them it runs at the usual rate, 1.
    """

    times: Floats
    cumulative: Floats

    @classmethod
    def of_rates(cls, edges: npt.ArrayLike, rates: npt.ArrayLike) -> Self:
        """The calendar whose relative rate is `rates[i]` from `edges[i]` to `edges[i + 1]`.

        Raises:
            BadInput: the edges don't rise, or the rates are fewer or more than the spaces between them.
        """
        times, speed = np.asarray(edges, dtype=float), np.asarray(rates, dtype=float)
        if times.ndim != 1 or times.size < 2 or speed.shape != (times.size - 1,):
            raise BadInput(f"{times.size} edges and {speed.size} rates are no calendar.", hint=_HINT)
        if not ((np.diff(times) > 0).all() and np.isfinite(times).all() and np.isfinite(speed).all()):
            raise BadInput("The edges of a calendar don't rise, or a number is missing.", hint=_HINT)
        if (speed < 0).any():
            raise BadInput(f"A rate of {speed.min()} can't be used.", hint=_HINT)
        return cls(times, np.concatenate(([0.0], np.cumsum(speed * np.diff(times)))))

    def at(self, time: npt.ArrayLike) -> Any:
        """What the clock shows at an absolute time."""
        moment = np.asarray(time, dtype=float)
        beyond = np.minimum(moment - self.times[0], 0.0) + np.maximum(moment - self.times[-1], 0.0)
        return np.interp(moment, self.times, self.cumulative) + beyond

    def elapsed(self, start: npt.ArrayLike, end: npt.ArrayLike) -> Any:
        """How much time passes on the clock from one absolute time to another."""
        return self.at(end) - self.at(start)

    def after(self, start: npt.ArrayLike, elapsed: npt.ArrayLike) -> Any:
        """The absolute time at which the clock has gone on by `elapsed`: turns a predicted wait into a date."""
        shown = self.at(start) + np.asarray(elapsed, dtype=float)
        beyond = np.minimum(shown - self.cumulative[0], 0.0) + np.maximum(shown - self.cumulative[-1], 0.0)
        return np.interp(shown, self.cumulative, self.times) + beyond

    def covers(self, start: float, end: float) -> bool:
        """Whether the knots span this time, so that nothing is taken as usual for want of knowledge."""
        return bool(self.times[0] <= start and end <= self.times[-1])

    def to_dict(self) -> dict[str, list[float]]:
        """The knots, for JSON."""
        return {"times": self.times.tolist(), "cumulative": self.cumulative.tolist()}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The calendar that `to_dict` gave."""
        times = np.asarray(saved["times"], dtype=float)
        return cls.of_rates(times, np.diff(np.asarray(saved["cumulative"], dtype=float)) / np.diff(times))
