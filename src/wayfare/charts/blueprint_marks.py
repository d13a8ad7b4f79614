"""Small marks of a service blueprint: digital and physical places, moments of truth, pains, notes with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from wayfare.charts import theme
from wayfare.charts.blueprint_model import MOMENT, Card, colour_of
from wayfare.charts.lettering import width_of, wrapped
from wayfare.charts.sheet import Ink, Sheet

Mark = Literal["", "pain", "chance", "work"]
LINE, NOTE = 15, 12
_INDENT = 20


def add_place(sheet: Sheet, x: float, y: float, place: str) -> float:
    """A screen for digital, a pin for physical; gives the room it takes."""
    if place == "digital":
        sheet.path(f"M{x:.1f} {y - 9:.1f}h11v7h-11zM{x + 3:.1f} {y:.1f}h5", stroke=theme.GREY, thick=1.5)
    elif place == "physical":
        sheet.path(f"M{x + 5.5:.1f} {y + 1:.1f}c-7 -7 -4 -11 0 -11s7 4 0 11z", fill=theme.GREY)
    return 16 if place else 0


def add_kind(sheet: Sheet, x: float, y: float, kind: str) -> None:
    """A diamond for a moment of truth, a triangle that points down for a pain."""
    shape = "l6 6l-6 6l-6 -6z" if kind == MOMENT else "m-6 1h12l-6 10z"
    sheet.path(f"M{x + 6:.1f} {y - 10.5:.1f}{shape}", fill=colour_of(kind))


def broken(text: str, size: float, width: float) -> str:
    """`text` with blanks in words that are longer than a line."""
    words = []
    for word in text.split():
        while width_of(word, size) > width and len(word) > 1:
            end = 1
            while end < len(word) and width_of(word[: end + 1], size) <= width:
                end += 1
            words.append(word[:end])
            word = word[end:]
        words.append(word)
    return " ".join(words)


def add_lines(
    sheet: Sheet,
    x: float,
    y: float,
    text: str,
    width: float,
    *,
    most: int,
    size: float = NOTE,
    ink: Ink = "ink",
) -> float:
    """Text in lines; what is too long ends in an ellipsis and is whole in its tooltip. Gives where it ends."""
    lines = wrapped(broken(text, size, width), size, width, lines=10_000)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    for line in lines:
        sheet.fitted(x, y, line, width, size=size, ink=ink)
        y += LINE * size / NOTE
    return y


@dataclass(frozen=True)
class Note:
    """A text of a card: a pain or an opportunity by its mark, work by its weight."""

    number: int
    text: str
    mark: Mark = ""


def add_note(sheet: Sheet, x: float, y: float, note: Note, width: float, *, most: int = 3) -> float:
    """A note under the number of its card; gives where it ends."""
    sheet.text(x, y, str(note.number), size=11, ink="muted", weight=600)
    add_mark(sheet, x + _INDENT, y, note.mark)
    indent = _INDENT + (14 if note.mark else 0)
    return add_lines(sheet, x + indent, y, note.text, width - indent, most=most) + 3


def add_mark(sheet: Sheet, x: float, y: float, mark: Mark) -> None:
    """A triangle for a pain, a cross for a chance, a box for work."""
    if mark == "pain":
        sheet.path(f"M{x:.1f} {y - 8:.1f}h9l-4.5 8z", fill=theme.WARN)
    elif mark == "chance":
        sheet.path(f"M{x:.1f} {y - 4:.1f}h9m-4.5 -4.5v9", stroke="#009E73", thick=2)
    elif mark == "work":
        sheet.rect(x, y - 8, 8, 8, fill=theme.GREY, round_=1)


def add_change(sheet: Sheet, x: float, y: float) -> None:
    """An arrow before what a to-be map changes."""
    sheet.path(f"M{x:.1f} {y - 4:.1f}h10m-4 -4l4 4l-4 4", stroke=theme.ACCENT, thick=1.8)


def texts_of(card: Card, name: str) -> Sequence[str]:
    """What the map says of a card under a name, each by itself."""
    said = getattr(card.source, name, "") if card.source else ""
    return [text for text in ((said,) if isinstance(said, str) else said) if text.strip()]
