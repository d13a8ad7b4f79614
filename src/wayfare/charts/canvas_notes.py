"""What stands on a note of the canvas, in words and as rows; what an empty block is for."""

from __future__ import annotations

from wayfare.charts.blocks_text import extent, is_rtl, lines_of, sentence, shortened
from wayfare.charts.board import (
    COLOURS,
    Board,
    Evidence,
    Row,
    badge_rows,
    evidence_said,
    gap,
    line_rows,
    note_room,
    noted,
    said_rows,
    text_rows,
)
from wayfare.charts.numbers import money
from wayfare.domain.canvas import BLOCKS, Canvas, CostLine, Item
from wayfare.domain.words import counted

BLOCK_TITLES = {
    "customer_segments": "Customer segments", "value_propositions": "Value propositions", "channels": "Channels",
    "customer_relationships": "Customer relationships", "revenue_streams": "Revenue streams", "key_resources": "Key resources",
    "key_activities": "Key activities", "key_partnerships": "Key partnerships", "cost_structure": "Cost structure",
}  # fmt: skip
HINTS = {
    "customer_segments": "For whom is this? Groups of customers who need or do different things.",
    "value_propositions": "What do customers get here that they would miss, and which problem of theirs does it solve?",
    "channels": "How do customers hear of it, buy it and receive it?",
    "customer_relationships": "How are customers won, kept and brought to order again?",
    "revenue_streams": "What do customers pay for, and how?",
    "key_resources": "What can't the company do without: things, knowledge, people, money?",
    "key_activities": "What must the company do well for all of this to work?",
    "key_partnerships": "Who supplies or does what the company does not do itself?",
    "cost_structure": "What does it cost, whatever is sold, and with each order?",
}
UNTESTED = "Believed, not tested"
_KINDS = {"social": "Social media", "buyer_supplier": "Buyer and supplier"}
_VERBS = {
    "holds": ("holds", "hold"),
    "fails": ("fails", "fail"),
    "too_few": ("has too few customers to say", "have too few customers to say"),
}
_DOT, _DOTS = 8.5, 62.0


def title_of(canvas: Canvas, evidence: Evidence | None) -> str:
    """What the canvas shows, as a sentence."""
    items = sum(1 for _ in canvas.items())
    told = [evidence[item.id][0] for _, item in canvas.items() if item.id in evidence] if evidence else []
    counts = {word: told.count(word) for word in ("holds", "fails", "too_few")}
    if not items:
        return f"{canvas.name}: an empty Business Model Canvas, nine blocks to fill"
    if not any(counts.values()):
        filled = sum(1 for block in BLOCKS if canvas.block(block))
        return f"{canvas.name}: Business Model Canvas, {counted(items, 'item')} in {filled} of 9 blocks"
    said = [f"{number} {_VERBS[word][number != 1]}" for word, number in counts.items() if number]
    bound = counted(sum(counts.values()), "hypothesis", "hypotheses")
    return f"{canvas.name}: of {bound} bound to the log, {' and '.join([', '.join(said[:-1]), said[-1]]) if said[1:] else said[0]}"


def details(item: Item, currency: str = "") -> str:
    """The kind of an item, and of a cost line its amount."""
    kind = str(getattr(item, "kind", None) or "")
    said = _KINDS.get(kind, kind.replace("_", " ").capitalize())
    if isinstance(item, CostLine) and item.amount is not None:
        each = "a" if item.per in ("month", "quarter", "year") else "for each"
        said += f", {money(item.amount, currency)} {each} {item.per}"
    return said


def spoken(canvas: Canvas, item: Item, evidence: Evidence | None, currency: str = "") -> str:
    """An item for those who hear it, and for the pointer."""
    parts = [item.text, details(item, currency)]
    parts += [f"For: {_name_of(canvas, item.segment)}"] if item.segment else []
    parts += [f"Importance {item.importance} of 5"] if item.importance else []
    parts += [f"Hypothesis: {item.hypothesis}"] if item.hypothesis else []
    if evidence is not None and item.id in evidence:
        parts += [evidence_said(*evidence[item.id])]
    elif item.hypothesis and evidence is not None:
        parts += [UNTESTED]
    return sentence(*parts)


def rows_of(canvas: Canvas, item: Item, evidence: Evidence | None, currency: str, width: float) -> list[Row]:
    """An item's note of a width."""
    room = note_room(width)
    rows = text_rows(item.text, room, size=13.5)
    if item.segment:
        rows += [gap(3), *_segment_rows(canvas, item.segment, room)]
    told = (
        evidence.get(item.id, ("", UNTESTED if item.hypothesis else "")) if evidence is not None else ("", "")
    )
    rows += _foot_rows(item, details(item, currency), *told, room)
    return noted(rows, width, _colour_of(item), spoken(canvas, item, evidence, currency), item.id)


def _colour_of(item: Item) -> str:
    return COLOURS[item.colour or "grey"]


def _name_of(canvas: Canvas, segment: str) -> str:
    item = canvas.item(segment)
    return item.text if item is not None else segment


def _segment_rows(canvas: Canvas, segment: str, width: float) -> list[Row]:
    """For which segment, in two lines at most: its block says the whole; the mark has the colour of its note."""
    item = canvas.item(segment)
    colour = _colour_of(item) if item is not None else COLOURS["grey"]

    def mark(board: Board, x: float, y: float) -> None:
        board.tinted(x, y + 4, 9, 9, colour, 0.3)

    lines = shortened(f"For {_name_of(canvas, segment)}", 12, width - 16, 2)
    return [Row(0, mark), *line_rows(lines, width, size=12, indent=16)]


def _foot_rows(item: Item, kind: str, verdict: str, said: str, width: float) -> list[Row]:
    """What kind of item it is, what the log says, and how important it is: dots at the right of the first of these."""
    dots = _dots(item.importance, width)
    lines = [line for line in (kind, "" if verdict else said) if line]
    badge = badge_rows(verdict, said, width) if verdict else []
    if lines:
        first, *others = lines
        rows = [gap(4), *dots, *said_rows(first, width - (_DOTS if dots else 0), size=12)]
        return [*rows, *(row for line in others for row in said_rows(line, width, size=12)), *badge]
    if badge or not dots:
        return [*badge[:1], *dots, *badge[1:]]
    beside = not item.segment and not is_rtl(item.text)
    if beside and extent(lines_of(item.text, 13.5, width)[-1], 13.5) <= width - _DOTS:
        return [gap(-17), *dots, gap(17)]
    return [gap(4), *dots, gap(16.3)]


def _dots(importance: int | None, width: float) -> list[Row]:
    if importance is None:
        return []
    return [Row(0, lambda board, x, y: _paint_dots(board, x + width, y, importance))]


def _paint_dots(board: Board, right: float, y: float, importance: int) -> None:
    with board.group("img", f"Importance {importance} of 5"):
        for place in range(5):
            board.bead(right - 4 - (4 - place) * (_DOT + 3), y + 9, _DOT / 2, full=place < importance)
