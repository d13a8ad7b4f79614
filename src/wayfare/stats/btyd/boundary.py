"""Which parameters do the data leave open, said in words?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wayfare.stats.btyd.fitting import Objective, Optimum
from wayfare.stats.btyd.summary import Floats

# A drop of the log-likelihood that a test at 95% calls none: half of 2.71 (Self & Liang 1987, JASA 82, case 5).
_SAME = 1.35
# Only parameters this far from their scale (a factor of 20 on average) are asked whether they mean their limit.
_FAR = 3.0
# The standard deviation of a log-parameter from which its 80% interval spans a factor of 47.
_UNKNOWN = 1.5


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a model: the parameters that run there together, the way (−1 down, 1 up), what it means."""

    names: tuple[str, ...]
    way: int
    meaning: str


def boundary_sentence(
    limits: tuple[Limit, ...],
    names: tuple[str, ...],
    logs: int,
    objective: Objective,
    optimum: Optimum,
    covariance: Floats,
    box: tuple[Floats, Floats],
) -> str | None:
    """The limits that explain the data as well as the optimum does, and what is hardly known; None if neither.

    The first `logs` of the names are log-parameters, the rest coefficients of covariates.
    """
    said: list[str] = []
    explained: set[str] = set()
    for limit in limits:
        places = [names.index(name) for name in limit.names]
        if explained.isdisjoint(limit.names) and _runs_there(limit, places, objective, optimum, box):
            said.append(limit.meaning)
            explained.update(*(other.names for other in limits if other.meaning == limit.meaning))
    for place, name in enumerate(names):
        if name in explained:
            continue
        spread, at = float(np.sqrt(covariance[place, place])), float(optimum.point[place])
        ends = np.array([at, at - 1.2816 * spread, at + 1.2816 * spread])
        value, low, high = np.exp(ends) if place < logs else ends
        if optimum.pinned[place]:
            said.append(
                f"The parameter {name} runs to its limit ({value:.3g}): these data don't determine it."
            )
        elif spread > _UNKNOWN:
            said.append(f"The parameter {name} is hardly known: 80% interval {low:.3g} to {high:.3g}.")
    return " ".join(said) or None


def _runs_there(
    limit: Limit, places: list[int], objective: Objective, optimum: Optimum, box: tuple[Floats, Floats]
) -> bool:
    low, high = box
    middle = (low + high) / 2
    if limit.way * np.mean(optimum.point[places] - middle[places]) < _FAR:
        return False
    end = high if limit.way > 0 else low
    pushed = optimum.point.copy()
    pushed[places] += limit.way * min(limit.way * (end[place] - optimum.point[place]) for place in places)
    return objective(optimum.point)[0] - objective(pushed)[0] < _SAME
