"""How wide the columns of a table are in a terminal: figures stay whole, and what does not fit goes below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wayfare.cli.columns import Shown

GAP = 3
"""What stands between two columns."""
_NARROW = 24
"""A column of text that is wider than this may be made narrower, down to it, and its words go to further lines."""


@dataclass(frozen=True)
class Placed:
    """A column with its heading broken into lines and its width."""

    column: Shown
    heading: str
    width: int

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells, where a figure is too wide with its interval on two lines."""
        if not self.column.number:
            return self.column.cells
        return tuple(cell if _wide(cell) <= self.width else below(cell) for cell in self.column.cells)


def placed(columns: Sequence[Shown], room: int) -> list[list[Placed]]:
    """The columns in tables that fit into `room` one below the other, each beginning with what names its rows.

    One row that doesn't fit becomes two columns: what it is, and how much.
    """
    if sum(_natural(column) + GAP for column in columns) - GAP <= room:
        return [[Placed(column, column.name, _natural(column)) for column in columns]]
    least = [_least(column, room) for column in columns]
    if columns and len(columns[0].cells) == 1 and len(columns) > 2 and _total(least) > room:
        names = Shown("", tuple(column.name for column in columns), number=False)
        return placed([names, Shown("", tuple(column.cells[0] for column in columns), number=False)], room)
    return [_widened(part, room) for part in _parts(least, room)]


def _parts(columns: Sequence[Placed], room: int) -> list[list[Placed]]:
    key = _key(columns, room)
    parts = [list(columns[:key])]
    for column in columns[key:]:
        if len(parts[-1]) > key and _total([*parts[-1], column]) > room:
            parts.append(list(columns[:key]))
        parts[-1].append(column)
    return parts


def _key(columns: Sequence[Placed], room: int) -> int:
    """How many of the first columns say what a row is about: up to the last of its first texts, in half the room."""
    texts = [not placed.column.number for placed in columns]
    first = texts.index(True) if True in texts[:2] else 0
    end = first + 1
    while end < len(texts) and texts[end] and end < 2:
        end += 1
    while end > 1 and _total(columns[:end]) > room / 2:
        end -= 1
    return end


def _widened(columns: Sequence[Placed], room: int) -> list[Placed]:
    """The columns with what is left of the room given to texts that want more, the least wanting first."""
    left = room - _total(columns)
    given = list(columns)
    wanting = [i for i, one in enumerate(columns) if _natural(one.column) > one.width]
    for nth, i in enumerate(sorted(wanting, key=lambda i: _natural(columns[i].column) - columns[i].width)):
        one = given[i]
        more = min(_natural(one.column) - one.width, max(left, 0) // (len(wanting) - nth))
        left -= more
        given[i] = replace(one, width=one.width + more)
    return [replace(one, heading=_broken(one.column.name, one.width)) for one in given]


def _total(columns: Sequence[Placed]) -> int:
    return sum(one.width + GAP for one in columns) - GAP


def _natural(column: Shown) -> int:
    return max(_cells(column), _wide(column.name))


def _least(column: Shown, room: int) -> Placed:
    """The column as narrow as it may be: figures whole, words whole, the heading broken where its words end."""
    heading = max((_wide(piece) for piece in _pieces(column.name)), default=0)
    cells = _cells(column)
    if column.number:
        cells = max((_wide(line) for cell in column.cells for line in below(cell).split("\n")), default=0)
    elif cells > _NARROW:
        words = max((_wide(word) for cell in column.cells for word in cell.split()), default=0)
        cells = min(cells, max(_NARROW, min(words, room // 2)))
    width = min(max(heading, cells), room)
    return Placed(column, _broken(column.name, width), width)


def below(cell: str) -> str:
    """A figure with its interval on a line of its own."""
    return cell.replace(" (", "\n(", 1)


def _cells(column: Shown) -> int:
    return max((_wide(line) for cell in column.cells for line in cell.split("\n")), default=0)


def _pieces(name: str) -> list[str]:
    """A heading's words, each with the `_` that ends it."""
    return [piece for word in name.split() for piece in word.replace("_", "_ ").split()]


def _broken(name: str, width: int) -> str:
    """The heading on as many lines as it needs to be `width` wide, broken after `_` and between words."""
    if _wide(name) <= width:
        return name
    lines = [""]
    for word in name.split():
        for nth, piece in enumerate(word.replace("_", "_ ").split()):
            joined = lines[-1] + (" " if nth == 0 and lines[-1] else "") + piece
            if lines[-1] and _wide(joined) > width:
                lines.append(piece)
            else:
                lines[-1] = joined
    return "\n".join(lines)


def _wide(text: str) -> int:
    """How many places of a terminal the text takes; an East Asian letter takes two."""
    from rich.cells import cell_len

    return cell_len(text)
