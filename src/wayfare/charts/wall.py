"""Where notes hang: side by side and one under the other in their places, on a sheet as near to A3 as they allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from wayfare.charts.board import A3, Board, Row, height_of, paint_rows, text_rows

SPACE, PAD, HEAD = 10.0, 14.0, 42.0
_LOSS = 1.06


@dataclass(frozen=True)
class Pile:
    """The notes of one place as rows, and the corner of each from the upper left of all."""

    notes: tuple[Sequence[Row], ...]
    corners: tuple[tuple[float, float], ...]
    height: float

    def paint(self, board: Board, x: float, y: float) -> None:
        """Draws them."""
        for rows, (across, down) in zip(self.notes, self.corners, strict=True):
            paint_rows(board, rows, x + across, y + down)


@dataclass(frozen=True, eq=False)
class Notes:
    """All notes by their place, each measured once for a width.

    Attributes:
        items: What stands in each place.
        rows: The note of an item of a place, of a width.
        hints: What belongs into each place, said where nothing is.
    """

    items: Mapping[str, Sequence[Any]]
    rows: Callable[[str, Any, float], Sequence[Row]]
    hints: Mapping[str, str]
    _measured: dict[tuple[str, int], tuple[Sequence[Row], ...]] = field(default_factory=dict)

    def pile(self, place: str, width: float, columns: int) -> Pile:
        """The notes of a place in so many columns that fill `width`; each goes where most room is left."""
        note = (width - (columns - 1) * SPACE) / columns
        notes = self._of_width(place, note)
        if not notes:
            hint = text_rows(self.hints[place], width, size=13, ink="muted")
            return Pile((hint,), ((0.0, 0.0),), height_of(hint))
        ends, corners = [0.0] * columns, []
        for rows in notes:
            column = ends.index(min(ends))
            corners.append((column * (note + SPACE), ends[column]))
            ends[column] += height_of(rows) + SPACE
        return Pile(notes, tuple(corners), max(ends) - SPACE)

    def _of_width(self, place: str, width: float) -> tuple[Sequence[Row], ...]:
        key = (place, round(width * 100))
        if key not in self._measured:
            self._measured[key] = tuple(self.rows(place, item, width) for item in self.items[place])
        return self._measured[key]


class Plan(Protocol):
    """A layout whose size is known before it is drawn."""

    @property
    def width(self) -> float:
        """Of the sheet."""

    @property
    def height(self) -> float:
        """Of the sheet."""


Planned = TypeVar("Planned", bound=Plan)


def best(
    plan: Callable[[Sequence[int]], Planned], needs: Callable[[Sequence[int]], list[float]], places: int
) -> Planned:
    """The plan with the fewest columns of notes whose text is about as large on A3 as with any number of them.

    Args:
        plan: The layout with so many columns of notes in each place that stands side by side with the others.
        needs: How high each of these places is then; the highest gets the next column.
        places: How many they are.
    """
    columns = [1] * places
    plans = [plan(columns)]
    while True:
        heights = needs(columns)
        columns[heights.index(max(heights))] += 1
        plans.append(plan(columns))
        smallest = min(_sheets(each) for each in plans)
        if plans[-1].width / A3[0] > smallest:
            return next(each for each in plans if _sheets(each) <= smallest * _LOSS)


def column_width(columns: int, note: float) -> float:
    """How wide a place is with so many columns of notes."""
    return columns * note + (columns - 1) * SPACE + 2 * PAD


def columns_in(width: float, note: float) -> int:
    """How many columns of notes, of about the width `note`, fit into `width`."""
    return max(1, round((width + SPACE) / (note + SPACE)))


def _sheets(plan: Plan) -> float:
    """How many A3 sheets long or high it is: the fewer, the larger its text in print."""
    return max(plan.width / A3[0], plan.height / A3[1])
