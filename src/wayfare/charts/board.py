"""A board to lay notes on: a sheet with groups that screen readers name, notes in colours, and badges of evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from wayfare.charts import theme
from wayfare.charts.blocks_text import embedded, is_rtl, lines_of, shortened
from wayfare.charts.lettering import escaped
from wayfare.charts.sheet import Ink, Sheet

Evidence = Mapping[str, tuple[str, str]]
"""What the log says, by the item's id: the verdict (`holds`, `fails`, `too_few`; empty where none is due) and a short text."""

A3 = (1587.0, 1122.0)
"""An A3 sheet, landscape, in CSS pixels."""
NARROW = 380.0
MARGIN = 28.0
_INSET, _SIDE, _TOP = 10.0, 5.0, 20.0

COLOURS = {
    "grey": theme.GREY, "black": "#000000", "orange": "#E69F00", "sky": "#56B4E9", "green": "#009E73", "yellow": "#F0E442",
    "blue": "#0072B2", "vermilion": "#D55E00", "purple": "#CC79A7",
}  # fmt: skip
_DARK = (
    "@media screen and (prefers-color-scheme:dark){.wf-black{fill:#E8EAEE}.wf-rule{stroke:#4E5664}.wf-tint{fill-opacity:.2}"
    ".wf-bead{stroke:#E8EAEE}.wf-badge{stroke:#A7AEBB}.wf-side{fill:#D5D9E0}}"
)
# Verdict -> its word, colour, outline and the sign in it, drawn around 0, 0.
_BADGES = {
    "holds": ("Holds", "#007A5A", "M-8 0a8 8 0 1 0 16 0a8 8 0 1 0 -16 0z", "M-3.8 .2l2.8 2.9l5 -5.6"),
    "fails": ("Fails", "#B34700", "M0 -9.5l9.5 9.5l-9.5 9.5l-9.5 -9.5z", "M-3 -3l6 6m0 -6l-6 6"),
    "too_few": ("Too few to say", "#5B616E", "M-8 -8h16v16h-16z", "M-4 0h.1m3.9 0h.1m3.9 0h.1"),
}
_OTHER_BADGE = ("", "#5B616E", "M-8 -8h16v16h-16z", "M-4 0h8")


class Board(Sheet):
    """A sheet whose marks stand in groups with a role and a name."""

    @contextmanager
    def group(self, role: str, label: str, *, told: str = "", **data: str) -> Iterator[None]:
        """Marks that belong together: `label` is read out, `told` is shown at the pointer, `data` is for programs."""
        self.open(role, label, told=told, **data)
        yield
        self.close()

    def open(self, role: str, label: str, *, told: str = "", **data: str) -> None:
        """Begins a group."""
        more = "".join(f' data-{name}="{escaped(value)}"' for name, value in data.items())
        title = f"<title>{escaped(told)}</title>" if told else ""
        self._marks.append(f'<g role="{role}" aria-label="{escaped(label)}"{more}>{title}')

    def close(self) -> None:
        """Ends the group that was begun last."""
        self._marks.append("</g>")

    def line(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        *,
        size: float,
        ink: Ink = "ink",
        weight: int = 400,
        rtl: bool = False,
    ) -> None:
        """A line at the side of its place where its script begins."""
        if rtl:
            self.text(x + width, y, embedded(text), size=size, ink=ink, weight=weight, anchor="end")
        else:
            self.text(x, y, text, size=size, ink=ink, weight=weight)

    def tinted(
        self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 0.16
    ) -> None:
        """A note's paper in its colour, with a bar of the colour at its left."""
        black = colour == COLOURS["black"]
        side, tint = (' class="wf-side"', "wf-tint wf-black") if black else ("", "wf-tint")
        box = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="3"'
        self._marks.append(f'<rect {box} fill="{colour}" fill-opacity="{opacity:g}" class="{tint}"/>')
        self._marks.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="5" height="{height:.1f}" rx="2" fill="{colour}"{side}/>'
        )

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """A line around a place, which follows the light."""
        box = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        self._marks.append(f'<rect {box} fill="none" class="wf-rule" stroke="#AEB4BE" stroke-width="1.2"/>')

    def badge(self, x: float, y: float, verdict: str) -> None:
        """The sign of a verdict around x, y."""
        _, colour, outline, sign = _BADGES.get(verdict, _OTHER_BADGE)
        self._marks.append(
            f'<g transform="translate({x:.1f} {y:.1f})"><path d="{outline}" fill="{colour}" class="wf-badge"/>'
            f'<path d="{sign}" fill="none" stroke="#FFFFFF" stroke-width="2" stroke-linecap="round"/></g>'
        )

    def bead(self, x: float, y: float, radius: float, *, full: bool) -> None:
        """One of some: a dot that is full or empty."""
        kind = "wf-ink wf-bead" if full else "wf-bead"
        fill = theme.INK if full else "none"
        self._marks.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius - 0.6:.2f}" fill="{fill}" stroke="{theme.INK}" class="{kind}"/>'
        )

    def document(self, height: float, title: str, about: str) -> str:
        """Everything drawn, as an SVG that says to screen readers what it is."""
        svg = self.svg(height)
        start = f'<svg role="graphics-document" aria-label="{escaped(title)}"'
        told = f"<title>{escaped(title)}</title><desc>{escaped(about)}</desc><style>"
        return (
            svg.replace("<svg", start, 1)
            .replace("<style>", told, 1)
            .replace("</style>", f"{_DARK}</style>", 1)
        )


@dataclass(frozen=True)
class Row:
    """A row of a note: how high it is, and what draws it below a point."""

    height: float
    paint: Callable[[Board, float, float], None]


def word_of(verdict: str) -> str:
    """A verdict in words."""
    return _BADGES[verdict][0] if verdict in _BADGES else verdict.replace("_", " ").capitalize()


def evidence_said(verdict: str, said: str) -> str:
    """A verdict and what is said of it, on one line."""
    return f"Evidence: {': '.join(part for part in (word_of(verdict).lower(), said) if part)}"


def text_rows(
    text: str, width: float, *, size: float = 13.5, ink: Ink = "ink", weight: int = 400, indent: float = 0
) -> list[Row]:
    """All of a text that people wrote, a row for each of its lines."""
    lines = lines_of(text, size, width - indent, bold=weight > 500)
    return line_rows(lines, width, size=size, ink=ink, weight=weight, indent=indent, rtl=is_rtl(text))


def line_rows(
    lines: Sequence[str],
    width: float,
    *,
    size: float,
    ink: Ink = "ink",
    weight: int = 400,
    indent: float = 0,
    rtl: bool = False,
) -> list[Row]:
    """Lines that fit, each as a row."""
    high = round(size * 1.36, 1)

    def row(line: str) -> Row:
        def paint(board: Board, x: float, y: float) -> None:
            board.line(x + indent, y + size, width - indent, line, size=size, ink=ink, weight=weight, rtl=rtl)

        return Row(high, paint)

    return [row(line) for line in lines]


def said_rows(
    text: str, width: float, *, size: float, ink: Ink = "ink", weight: int = 400, indent: float = 0
) -> list[Row]:
    """All of a sentence of ours, which runs from left to right whatever names are in it."""
    lines = lines_of(text, size, width - indent, bold=weight > 500)
    return line_rows(lines, width, size=size, ink=ink, weight=weight, indent=indent)


def badge_rows(verdict: str, said: str, width: float, indent: float = 0) -> list[Row]:
    """A verdict as a sign and a word, and what is said of it; without a verdict, what is said."""
    if not verdict:
        return said_rows(said, width, size=12, indent=indent)

    def paint(board: Board, x: float, y: float) -> None:
        with board.group("img", f"Evidence: {word_of(verdict)}"):
            board.badge(x + indent + 10, y + 10, verdict)
            board.text(x + indent + 26, y + 14.5, word_of(verdict), size=12.5, weight=600)

    return [gap(3), Row(21, paint), *said_rows(said, width, size=12, indent=indent + 26)]


def gap(height: float) -> Row:
    """Nothing, so high."""
    return Row(height, lambda _board, _x, _y: None)


def noted(
    rows: Sequence[Row], width: float, colour: str, told: str, item: str, *, opacity: float = 0.16
) -> list[Row]:
    """Rows as a note: on paper, in a group with the words `told` and the id of what it stands for.

    The rows are moved right, past the bar of colour; `note_room` says how wide they may be.
    """
    inner = [gap(_INSET - 2), *rows, gap(_INSET - 2)]
    high = height_of(inner)

    def paper(board: Board, x: float, y: float) -> None:
        board.open("listitem", told, told=told, item=item)
        board.tinted(x, y, width, high, colour, opacity)

    moved = [_moved(row, _INSET + _SIDE) for row in inner]
    return [Row(0, paper), *moved, Row(0, lambda board, _x, _y: board.close())]


def note_room(width: float) -> float:
    """How wide the rows of a note of `width` may be."""
    return width - 2 * _INSET - _SIDE


def _moved(row: Row, across: float) -> Row:
    return Row(row.height, lambda board, x, y: row.paint(board, x + across, y))


def height_of(rows: Sequence[Row]) -> float:
    """How high rows are together."""
    return sum(row.height for row in rows)


def paint_rows(board: Board, rows: Sequence[Row], x: float, y: float) -> float:
    """Draws rows one under the other; gives where they end."""
    for row in rows:
        row.paint(board, x, y)
        y += row.height
    return y


def heading(board: Board, title: str, about: str, note: str, *, size: float, margin: float) -> float:
    """The title, what the document is about and where the evidence is from; gives where they end."""
    width, y = board.width - 2 * margin, max(margin, _TOP)
    rows = [*said_rows(title, width, size=size, weight=600), gap(4)]
    rows += line_rows(shortened(about, 14, width, 6), width, size=14, rtl=is_rtl(about))
    y = paint_rows(board, [*rows, gap(2), *said_rows(note, width, size=12.5, ink="muted")], margin, y)
    return y + 12
