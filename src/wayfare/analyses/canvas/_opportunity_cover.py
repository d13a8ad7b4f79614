"""Which part of which customers' money an item of the canvas has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.canvas._opportunity_people import Floats, Ints, People
from wayfare.analyses.canvas._opportunity_ways import Way


@dataclass(frozen=True, eq=False)
class Cover:
    """An item's part of each customer that it reaches.

    Attributes:
        met: Which customers' value at stake it has part of, and which part.
        lost: Which customers who left it has part of, and which part.
        who: The customers of its segment; None where all count.
    """

    met: tuple[Ints, Floats]
    lost: tuple[Ints, Floats]
    who: NDArray[np.bool_] | None


def covers(people: People, ways: Mapping[str, Way]) -> Callable[[Way], Cover]:
    """What gives the cover of a way, among all of them.

    At a touchpoint each customer's money is shared by the weights of the items that are bound to it and that are for the
    customer: all of them but those of a segment that the customer is not of.
    """
    weights: dict[int, Floats] = {}
    for way in ways.values():
        for event, weight in way.weights.items():
            mine = weight if way.segment is None else weight * people.members(way.segment)
            weights[event] = weights.get(event, np.zeros(1)) + mine
    return lambda way: _placed(people, way, weights) if way.weights else _segment(people, way)


def _segment(people: People, way: Way) -> Cover:
    assert way.segment is not None
    who = people.members(way.segment)
    inside, gone = np.flatnonzero(who), np.flatnonzero(who & people.left)
    return Cover((inside, np.ones(len(inside))), (gone, np.ones(len(gone))), who)


def _placed(people: People, way: Way, weights: Mapping[int, Floats]) -> Cover:
    met, lost = np.zeros(len(people)), np.zeros(len(people))
    who = None if way.segment is None else people.members(way.segment)
    for event, weight in way.weights.items():
        of = weights[event]
        for total, there in ((met, people.who_met(event)), (lost, people.who_left_at(event))):
            at = there if who is None else there[who[there]]
            total[at] += weight / (of[at] if len(of) > 1 else of[0])
    at, gone = np.flatnonzero(met), np.flatnonzero(lost)
    return Cover((at, met[at] / people.parts[at]), (gone, lost[gone]), who)
