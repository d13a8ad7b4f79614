"""The value chain as Porter draws it: support activities as bands over the primary ones, an arrow that ends in the margin.

Wide for a screen or an A3 sheet, after Porter, *Competitive Advantage* (1985), figure 2-2; narrow, one category under the
other, for a phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wayfare.charts import theme
from wayfare.charts.blocks_text import sentence
from wayfare.charts.board import (
    A3,
    MARGIN,
    NARROW,
    Board,
    Evidence,
    Row,
    gap,
    heading,
    height_of,
    paint_rows,
    said_rows,
)
from wayfare.charts.chain_cards import CATEGORY_TITLES, HINTS, Costs, linkages, rows_of, title_of
from wayfare.charts.picture import TwoLayouts
from wayfare.charts.wall import HEAD, PAD, SPACE, Notes, Pile, best, column_width, columns_in
from wayfare.domain.value_chain import PRIMARY, Activity, ValueChain
from wayfare.domain.words import counted

CARD, TIP, LABEL, STRIP = 252.0, 132.0, 158.0, 30.0
BANDS = ("infrastructure", "people", "technology", "procurement")
"""The support activities as Porter stacks them."""

_MARGIN = "Margin"
_MARGIN_TOLD = "Margin: what customers pay beyond what all activities cost"


def draw(
    chain: ValueChain,
    evidence: Evidence | None = None,
    *,
    costs: Costs | None = None,
    title: str = "",
    note: str = "",
    currency: str = "",
) -> TwoLayouts:
    """The chain with all its activities, what they cost and the verdicts on those in `evidence`.

    Args:
        chain: What is drawn.
        evidence: Of an activity's id its verdict (`holds`, `fails`, `too_few`) and a short text.
        costs: Of an activity's id its cost in words and a note; else what the document says is drawn.
        title: What the picture shows; else what can be said of the chain.
        note: n and source.
        currency: That of the costs in the document.
    """
    title = title or title_of(chain)
    places = {name: getattr(chain.primary, name) for name in PRIMARY}
    places |= {name: getattr(chain.support, name) for name in BANDS}
    alt = f"Value chain. {sentence(title)} " + " ".join(
        _spoken(name, activities) for name, activities in places.items()
    )

    def rows(category: str, activity: Activity, width: float) -> Sequence[Row]:
        colour = theme.ACCENT if category in PRIMARY else theme.GREY
        return rows_of(activity, evidence, costs or {}, currency, width, colour)

    wall = _Wall(Notes(places, rows, HINTS), title, chain.about, sentence(note), tuple(linkages(chain)))
    return TwoLayouts(_wide(wall, alt), title, alt, _narrow(wall, alt))


def _spoken(name: str, activities: Sequence[Activity]) -> str:
    texts = "; ".join(activity.text for activity in activities)
    return sentence(f"{CATEGORY_TITLES[name]}: {texts or 'nothing yet'}")


@dataclass(frozen=True, eq=False)
class _Wall:
    """What is drawn, in whatever layout."""

    notes: Notes
    title: str
    about: str
    note: str
    linkages: tuple[str, ...]

    def said(self, name: str) -> str:
        """A category for those who hear it."""
        many = len(self.notes.items[name])
        return (
            f"{CATEGORY_TITLES[name]}: {counted(many, 'activity', 'activities') if many else 'nothing yet'}"
        )


@dataclass(frozen=True)
class _Plan:
    """The arrow of the wide layout: bands and columns, each as wide and high as it is drawn."""

    bands: tuple[tuple[str, Pile, float], ...]
    columns: tuple[tuple[str, Pile, float], ...]
    primary: float
    top: float
    body: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        """Where the arrow ends below."""
        return self.top + 2 * STRIP + sum(high for _, _, high in self.bands) + self.primary


def _wide(wall: _Wall, alt: str) -> str:
    plan = best(lambda columns: _planned(wall, columns), lambda columns: _needs(wall, columns), len(PRIMARY))
    board = Board(plan.width)
    heading(board, wall.title, wall.about, wall.note, size=24, margin=MARGIN)
    _paint_tip(board, MARGIN + plan.body, plan.top, plan.bottom)
    y = _strip(board, "Support activities", plan.body, plan.top)
    for name, pile, high in plan.bands:
        with board.group("list", wall.said(name), category=name):
            board.frame(MARGIN, y, plan.body, high)
            board.text(MARGIN + PAD, y + 27, CATEGORY_TITLES[name], size=16, weight=600)
            pile.paint(board, MARGIN + LABEL, y + PAD)
        y += high
    y, x = _strip(board, "Primary activities", plan.body, y), MARGIN
    for name, pile, wide in plan.columns:
        with board.group("list", wall.said(name), category=name):
            board.frame(x, y, wide, plan.primary)
            board.text(x + PAD, y + 27, CATEGORY_TITLES[name], size=16, weight=600)
            pile.paint(board, x + PAD, y + HEAD)
        x += wide
    _paint_linkages(board, wall, MARGIN, y + plan.primary, plan.width - 2 * MARGIN)
    return board.document(plan.height, wall.title, alt)


def _needs(wall: _Wall, columns: Sequence[int]) -> list[float]:
    return [pile.height for _, pile, _ in _columns(wall, columns)]


def _columns(wall: _Wall, columns: Sequence[int]) -> list[tuple[str, Pile, float]]:
    widths = [column_width(wide, CARD) for wide in columns]
    return [
        (name, wall.notes.pile(name, across - 2 * PAD, wide), across)
        for name, wide, across in zip(PRIMARY, columns, widths, strict=True)
    ]


def _planned(wall: _Wall, columns: Sequence[int]) -> _Plan:
    found = _columns(wall, columns)
    body = sum(across for _, _, across in found)
    width, room = body + TIP + 2 * MARGIN, body - LABEL - PAD
    top = heading(Board(width), wall.title, wall.about, wall.note, size=24, margin=MARGIN)
    piles = [(name, wall.notes.pile(name, room, columns_in(room, CARD))) for name in BANDS]
    bands = [(name, pile, max(pile.height, 18) + 2 * PAD) for name, pile in piles]
    primary = HEAD + max(pile.height for _, pile, _ in found) + PAD
    below = _linkages_height(wall, width - 2 * MARGIN) + MARGIN
    high = top + 2 * STRIP + sum(each for _, _, each in bands) + primary + below
    spare = max(0.0, width * A3[1] / A3[0] - high)
    bands = [(name, pile, each + spare * 0.1) for name, pile, each in bands]
    return _Plan(tuple(bands), tuple(found), primary + spare * 0.6, top, body, width, high + spare)


def _strip(board: Board, title: str, width: float, y: float) -> float:
    """A strip that names what is below it; gives where it ends."""
    board.rect(MARGIN, y, width, STRIP, ink="track", round_=0)
    board.frame(MARGIN, y, width, STRIP)
    board.text(MARGIN + PAD, y + 20, title, size=13, weight=600)
    return y + STRIP


def _paint_tip(board: Board, x: float, top: float, bottom: float) -> None:
    middle = (top + bottom) / 2
    with board.group("img", _MARGIN_TOLD, told=_MARGIN_TOLD):
        board.path(
            f"M{x:.1f} {top:.1f}L{x + TIP:.1f} {middle:.1f}L{x:.1f} {bottom:.1f}z",
            fill=theme.ACCENT,
            opacity=0.22,
        )
        board.text(x + TIP * 0.42, middle + 6, _MARGIN, size=18, weight=600, anchor="middle")


def _linkage_rows(wall: _Wall, width: float) -> list[list[Row]]:
    """The linkages in as many columns as fit, read downwards."""
    if not wall.linkages:
        return []
    columns = min(columns_in(width, 460), len(wall.linkages))
    across = (width - (columns - 1) * 2 * SPACE) / columns
    each = -(-len(wall.linkages) // columns)
    rows = [[*said_rows(said, across, size=12.5), gap(5)] for said in wall.linkages]
    return [
        [row for some in rows[start : start + each] for row in some] for start in range(0, len(rows), each)
    ]


def _linkages_height(wall: _Wall, width: float) -> float:
    found = _linkage_rows(wall, width)
    return HEAD + max(map(height_of, found)) if found else 0.0


def _paint_linkages(board: Board, wall: _Wall, x: float, y: float, width: float) -> float:
    """What feeds and supports what; gives where it ends."""
    found = _linkage_rows(wall, width)
    if not found:
        return y
    with board.group("group", f"Linkages: {len(wall.linkages)}"):
        board.text(x, y + 30, "Linkages", size=16, weight=600)
        for place, rows in enumerate(found):
            paint_rows(board, rows, x + place * (width + 2 * SPACE) / len(found), y + HEAD)
    return y + _linkages_height(wall, width)


def _narrow(wall: _Wall, alt: str) -> str:
    board, margin = Board(NARROW), 12.0
    width = NARROW - 2 * margin
    y = heading(board, wall.title, wall.about, wall.note, size=18, margin=margin)
    for name in (*PRIMARY, *BANDS):
        pile = wall.notes.pile(name, width - 2 * PAD, 1)
        with board.group("list", wall.said(name), category=name):
            board.frame(margin, y, width, HEAD + pile.height + PAD)
            board.text(margin + PAD, y + 27, CATEGORY_TITLES[name], size=16, weight=600)
            pile.paint(board, margin + PAD, y + HEAD)
        y += HEAD + pile.height + PAD
    with board.group("img", _MARGIN_TOLD):
        down = f"M{margin} {y}h{width}v14l{-width / 2:.1f} 30l{-width / 2:.1f} -30z"
        board.path(down, fill=theme.ACCENT, opacity=0.22)
        board.text(NARROW / 2, y + 22, _MARGIN, size=16, weight=600, anchor="middle")
    y = _paint_linkages(board, wall, margin, y + 44, width)
    return board.document(y + margin, wall.title, alt)
