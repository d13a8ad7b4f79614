"""A sheet to draw on: a few marks with the theme's inks, light by their attributes and dark by their classes."""

from __future__ import annotations

from typing import Literal

from wayfare.charts import theme
from wayfare.charts.lettering import clipped, escaped

Ink = Literal["ink", "muted", "warn", "track", "paper", "edge", ""]

_LIGHT = {
    "ink": theme.INK,
    "muted": theme.MUTED,
    "warn": "#B34700",
    "track": theme.PALE,
    "paper": "#FFFFFF",
    "edge": theme.PALE,
}

# Attributes hold wherever style sheets do not (PNG, old viewers); these rules only change them in the dark.
DARK = (
    "@media screen and (prefers-color-scheme:dark){.wf-ink{fill:#E8EAEE}.wf-muted{fill:#A7AEBB}.wf-warn{fill:#FF9A5C}"
    ".wf-track{fill:#323843}.wf-paper{fill:#1B1F26}.wf-edge{stroke:#3A414D}.wf-simulated{fill:#E3B341}}"
)


class Sheet:
    """Marks added one after the other; `svg(height)` is the drawing. Text is escaped here and nowhere else."""

    def __init__(self, width: float) -> None:
        self.width = width
        self._marks: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 13,
        ink: Ink = "ink",
        weight: int = 400,
        anchor: str = "start",
    ) -> None:
        """A line of text whose base line starts (or is centred, or ends) at x, y."""
        self._marks.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" font-weight="{weight}" text-anchor="{anchor}" '
            f'fill="{_LIGHT[ink]}" class="wf-{ink}">{escaped(text)}</text>'
        )

    def fitted(
        self,
        x: float,
        y: float,
        text: str,
        width: float,
        *,
        size: float = 13,
        ink: Ink = "ink",
        weight: int = 400,
        anchor: str = "start",
    ) -> None:
        """A line of text cut to `width`, with the whole of it as its tooltip where it was cut."""
        short = clipped(text, size, width, bold=weight > 500)
        if short != text:
            self._marks.append(f"<g><title>{escaped(text)}</title>")
        self.text(x, y, short, size=size, ink=ink, weight=weight, anchor=anchor)
        if short != text:
            self._marks.append("</g>")

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "",
        ink: Ink = "",
        opacity: float = 1,
        round_: float = 2,
    ) -> None:
        """A filled rectangle in a colour, or in an ink that follows the light."""
        style = f' class="wf-{ink}"' if ink else ""
        self._marks.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" rx="{round_:g}" '
            f'fill="{_LIGHT[ink] if ink else fill}" fill-opacity="{opacity:g}"{style}/>'
        )

    def path(
        self,
        shape: str,
        *,
        fill: str = "none",
        stroke: str = "none",
        thick: float = 1,
        opacity: float = 1,
        dashed: bool = False,
        edge: bool = False,
    ) -> None:
        """A shape filled, or a line; `edge` makes the line a pale one that follows the light."""
        style = ' class="wf-edge"' if edge else ""
        dashes = ' stroke-dasharray="3 4"' if dashed else ""
        self._marks.append(
            f'<path d="{shape}" fill="{fill}" fill-opacity="{opacity:g}" stroke="{_LIGHT["edge"] if edge else stroke}" '
            f'stroke-width="{thick:g}" stroke-linejoin="round"{dashes}{style}/>'
        )

    def dot(self, x: float, y: float, radius: float, fill: str) -> None:
        """A filled circle."""
        self._marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}"/>')

    def svg(self, height: float) -> str:
        """Everything drawn, on paper of this height."""
        size = f"{self.width:g} {height:.0f}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{self.width:g}" height="{height:.0f}" '
            f'font-family="{escaped(theme.FONT)}"><style>{DARK}</style>'
            f'<rect width="{self.width:g}" height="{height:.0f}" fill="#FFFFFF" class="wf-paper"/>{"".join(self._marks)}</svg>'
        )
