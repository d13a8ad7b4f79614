"""Names beside their points: where each fits without lying on another name or point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from wayfare.charts.lettering import width_of

_HEIGHT = 13.0
_DISTANCES = (5, 18, 30, 44, 60, 80)
_ANGLES = (0, 180, -35, 215, 35, 145, -65, 245, 65, 115)
_LEADER_FROM = 18


@dataclass(frozen=True)
class Label:
    """Where a name stands, in pixels from the upper left.

    Attributes:
        number: Which point it belongs to.
        x: Where the text begins, or ends where it stands to the left.
        y: The middle of its height.
        left: Whether it stands to the left of its point.
        leader: Whether it is so far off that a line leads to it.
    """

    number: int
    x: float
    y: float
    left: bool
    leader: bool


@dataclass(frozen=True)
class _Box:
    x0: float
    y0: float
    x1: float
    y1: float

    def meets(self, other: _Box) -> bool:
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1


def placed(
    points: Sequence[tuple[float, float, float]],
    names: Sequence[str],
    size: float,
    width: float,
    height: float,
) -> list[Label]:
    """A place for as many names as fit, the first ones first.

    Args:
        points: Of each point x, y and its radius.
        names: What stands beside it.
        size: The height of the font.
        width: Of the picture.
        height: Of the picture.
    """
    taken = [_Box(x - r, y - r, x + r, y + r) for x, y, r in points]
    found = []
    for number, (point, name) in enumerate(zip(points, names, strict=True)):
        label = _place(number, point, width_of(name, size), taken, width, height)
        if label is not None:
            found.append(label)
            taken.append(_box(label, width_of(name, size)))
    return found


def _place(
    number: int,
    point: tuple[float, float, float],
    wide: float,
    taken: list[_Box],
    width: float,
    height: float,
) -> Label | None:
    x, y, radius = point
    for distance in _DISTANCES:
        for angle in _ANGLES:
            reach = distance + (radius if distance == _DISTANCES[0] else 0)
            at = (x + reach * math.cos(math.radians(angle)), y + reach * math.sin(math.radians(angle)))
            label = Label(number, *at, math.cos(math.radians(angle)) < 0, distance >= _LEADER_FROM)
            box = _box(label, wide)
            inside = box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height
            if inside and not any(box.meets(other) for other in taken):
                return label
    return None


def _box(label: Label, wide: float) -> _Box:
    left = label.x - wide if label.left else label.x
    return _Box(left, label.y - _HEIGHT / 2, left + wide, label.y + _HEIGHT / 2)
