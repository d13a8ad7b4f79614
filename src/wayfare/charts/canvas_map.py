"""The Business Model Canvas as it hangs on a wall: nine blocks of notes, each with what the log says of it.

Wide for a screen or an A3 sheet, in the layout of Osterwalder and Pigneur, *Business Model Generation* (2010); narrow, one
block under the other in the order in which a canvas is filled, for a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wayfare.charts.blocks_text import sentence
from wayfare.charts.board import A3, MARGIN, NARROW, Board, Evidence, heading
from wayfare.charts.canvas_notes import BLOCK_TITLES, HINTS, rows_of, title_of
from wayfare.charts.picture import TwoLayouts
from wayfare.charts.wall import HEAD, PAD, Notes, Pile, best, column_width, columns_in
from wayfare.domain.canvas import BLOCKS, Canvas
from wayfare.domain.words import counted

NOTE = 278.0
# The columns of the upper part, each with its blocks from above.
_COLUMNS = (
    ("key_partnerships",),
    ("key_activities", "key_resources"),
    ("value_propositions",),
    ("customer_relationships", "channels"),
    ("customer_segments",),
)
_BOTTOM = ("cost_structure", "revenue_streams")
_DOTS = "Dots: importance, 1 to 5."


def draw(
    canvas: Canvas,
    evidence: Evidence | None = None,
    *,
    title: str = "",
    note: str = "",
    currency: str = "",
) -> TwoLayouts:
    """The canvas with all its items, and the verdicts on those in `evidence`.

    Args:
        canvas: What is drawn.
        evidence: Of an item's id its verdict (`holds`, `fails`, `too_few`) and a short text; None where nobody looked, and
            then nothing is said of hypotheses without a verdict.
        title: What the picture shows; else what can be said of canvas and evidence.
        note: n and source.
        currency: That of the cost lines.
    """
    title = title or title_of(canvas, evidence)
    dots = _DOTS if any(item.importance for _, item in canvas.items()) else ""
    alt = f"Business Model Canvas. {sentence(title)} " + " ".join(_spoken(canvas, block) for block in BLOCKS)
    notes = Notes(
        {block: canvas.block(block) for block in BLOCKS},
        lambda _block, item, width: rows_of(canvas, item, evidence, currency, width),
        HINTS,
    )
    wall = _Wall(notes, title, canvas.about, sentence(note, dots))
    return TwoLayouts(_wide(wall, alt), title, alt, _narrow(wall, alt))


def _spoken(canvas: Canvas, block: str) -> str:
    texts = "; ".join(item.text for item in canvas.block(block))
    return sentence(f"{BLOCK_TITLES[block]}: {texts or 'nothing yet'}")


@dataclass(frozen=True, eq=False)
class _Wall:
    """What is drawn, in whatever layout."""

    notes: Notes
    title: str
    about: str
    note: str

    def block(self, name: str, width: float, columns: int) -> _Block:
        """A block of `width` with so many columns of notes."""
        pile = self.notes.pile(name, width - 2 * PAD, columns)
        return _Block(name, len(self.notes.items[name]), pile, width, HEAD + pile.height + PAD)


@dataclass(frozen=True)
class _Block:
    name: str
    items: int
    pile: Pile
    width: float
    height: float


@dataclass(frozen=True)
class _Plan:
    """The blocks of the wide layout, each with its left and upper edge and its height."""

    blocks: tuple[tuple[_Block, float, float, float], ...]
    width: float
    height: float


def _wide(wall: _Wall, alt: str) -> str:
    plan = best(lambda columns: _planned(wall, columns), lambda columns: _needs(wall, columns), len(_COLUMNS))
    board = Board(plan.width)
    heading(board, wall.title, wall.about, wall.note, size=24, margin=MARGIN)
    for block, x, y, height in sorted(plan.blocks, key=lambda each: BLOCKS.index(each[0].name)):
        _paint(board, block, x, y, height)
    return board.document(plan.height, wall.title, alt)


def _upper(wall: _Wall, columns: Sequence[int]) -> list[list[_Block]]:
    return [
        [wall.block(name, column_width(wide, NOTE), wide) for name in names]
        for names, wide in zip(_COLUMNS, columns, strict=True)
    ]


def _needs(wall: _Wall, columns: Sequence[int]) -> list[float]:
    return [sum(block.height for block in found) for found in _upper(wall, columns)]


def _planned(wall: _Wall, columns: Sequence[int]) -> _Plan:
    above = _upper(wall, columns)
    inner = sum(found[0].width for found in above)
    width = inner + 2 * MARGIN
    top = heading(Board(width), wall.title, wall.about, wall.note, size=24, margin=MARGIN)
    below = [wall.block(name, inner / 2, columns_in(inner / 2 - 2 * PAD, NOTE)) for name in _BOTTOM]
    upper = max(sum(block.height for block in found) for found in above)
    lower = max(block.height for block in below)
    spare = max(0.0, width * A3[1] / A3[0] - top - upper - lower - MARGIN)
    upper, lower = upper + spare * 0.8, lower + spare * 0.2
    parted = _parting([found for found in above if len(found) == 2], upper)
    blocks, x = [], MARGIN
    for first, *second in above:
        high = parted(first, second[0]) if second else upper
        blocks.append((first, x, top, high))
        blocks += [(block, x, top + high, upper - high) for block in second]
        x += first.width
    blocks += [(block, MARGIN + place * inner / 2, top + upper, lower) for place, block in enumerate(below)]
    return _Plan(tuple(blocks), width, top + upper + lower + MARGIN)


def _parting(pairs: Sequence[Sequence[_Block]], upper: float) -> Callable[[_Block, _Block], float]:
    """How high the first of two blocks in a column is: the same in all columns where that can be."""
    first, second = (max(pair[place].height for pair in pairs) for place in (0, 1))
    if first + second <= upper:
        return lambda _above, _below: first + (upper - first - second) / 2
    return lambda above, below: above.height + (upper - above.height - below.height) / 2


def _paint(board: Board, block: _Block, x: float, y: float, height: float) -> None:
    said = counted(block.items, "item") if block.items else "nothing yet"
    with board.group("list", f"{BLOCK_TITLES[block.name]}: {said}", block=block.name):
        board.frame(x, y, block.width, height)
        board.text(x + PAD, y + 27, BLOCK_TITLES[block.name], size=16, weight=600)
        block.pile.paint(board, x + PAD, y + HEAD)


def _narrow(wall: _Wall, alt: str) -> str:
    board, margin = Board(NARROW), 12.0
    y = heading(board, wall.title, wall.about, wall.note, size=18, margin=margin)
    for name in BLOCKS:
        block = wall.block(name, NARROW - 2 * margin, 1)
        _paint(board, block, margin, y, block.height)
        y += block.height
    return board.document(y + margin, wall.title, alt)
