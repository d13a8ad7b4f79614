"""A picture that any surface can show: as SVG, PNG, PDF or a stand-alone HTML page."""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from wayfare.errors import InvalidParameter

SIMULATED = "Simulated data."
_PIXELS = 80_000_000
"""The most that a PNG has: 300 MB while it is made."""


class Picture(Protocol):
    """What a result's `chart()` gives."""

    @property
    def title(self) -> str:
        """The finding that the picture shows, as a sentence."""

    @property
    def alt(self) -> str:
        """What a person who can't see it should know."""

    def svg(self) -> str:
        """The picture as SVG with text as text."""

    def html(self) -> str:
        """The picture as one HTML page that works offline; interactive where it can be."""

    def simulated(self) -> Picture:
        """The picture with the words *simulated data* in it."""


@dataclass(frozen=True)
class VegaPicture:
    """A Vega-Lite chart; `spec` is its JSON as a dictionary."""

    spec: dict[str, Any]
    title: str
    alt: str

    @cached_property
    def _svg(self) -> str:
        import vl_convert

        return str(vl_convert.vegalite_to_svg(self.spec))

    def svg(self) -> str:
        """The chart as SVG."""
        return self._svg

    def html(self) -> str:
        """The interactive chart with everything it needs inside."""
        import vl_convert

        return str(vl_convert.vegalite_to_html(self.spec, bundle=True))

    def simulated(self) -> VegaPicture:
        """The chart with the words under its title."""
        title = self.spec.get("title", {})
        subtitle = [*title.get("subtitle", ()), SIMULATED]
        return replace(
            self, spec={**self.spec, "title": {**title, "subtitle": subtitle}}, alt=f"{self.alt} {SIMULATED}"
        )


@dataclass(frozen=True)
class DrawnPicture:
    """An SVG drawn by hand: a map, a canvas, a flow."""

    drawing: str
    title: str
    alt: str

    def svg(self) -> str:
        """The drawing."""
        return self.drawing

    def html(self) -> str:
        """A page with only the drawing on it."""
        title = html.escape(self.title)
        return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><body>{self.drawing}</body></html>'

    def simulated(self) -> DrawnPicture:
        """The drawing with the words in its upper right corner."""
        style = 'text-anchor="end" font-size="11" fill="#7A5B00" font-weight="600" class="wf-simulated"'
        width = re.search(r'viewBox="\S+ \S+ (\S+)', self.drawing)
        words = f'<text x="{float(width[1]) - 8 if width else 300}" y="14" {style}>{SIMULATED}</text></svg>'
        return replace(
            self, drawing=words.join(self.drawing.rsplit("</svg>", 1)), alt=f"{self.alt} {SIMULATED}"
        )


@dataclass(frozen=True)
class TwoLayouts(DrawnPicture):
    """A drawing in two layouts: `svg()` is the wide one, for a screen or an A3 sheet."""

    phone: str = ""

    def narrow(self) -> str:
        """The layout for a phone, as SVG."""
        return self.phone

    def html(self) -> str:
        """A page that shows the layout that fits."""
        style = (
            "body{margin:0;background:#fff}svg{display:block;margin:auto;max-width:100%;height:auto}.phone{display:none}"
            "@media (max-width:640px){.wide{display:none}.phone{display:block}}"
            "@media screen and (prefers-color-scheme:dark){body{background:#1B1F26}}@page{size:A3 landscape;margin:0}"
        )
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<title>{html.escape(self.title)}</title><style>{style}</style><body><div class="wide">{self.drawing}</div>'
            f'<div class="phone">{self.phone}</div></body></html>'
        )

    def simulated(self) -> TwoLayouts:
        """Both layouts with the words in their upper right corners."""
        wide = super().simulated()
        phone = DrawnPicture(self.phone, self.title, self.alt).simulated().drawing
        return replace(self, drawing=wide.drawing, alt=wide.alt, phone=phone)


def png(picture: Picture, scale: float = 2) -> bytes:
    """The picture as PNG at `scale` times its size, or as large as memory is sure to hold."""
    import vl_convert

    svg = picture.svg()
    width, height = _size(svg)
    largest = math.sqrt(_PIXELS / max(width * height, 1))
    return bytes(vl_convert.svg_to_png(svg, scale=min(scale, largest)))


def pdf(picture: Picture) -> bytes:
    """The picture as PDF on one page of its size, three quarters of a point for a CSS pixel; text is text."""
    import vl_convert

    svg = picture.svg()
    width, height = _size(svg)
    points = f'width="{width * 0.75:g}" height="{height * 0.75:g}"'
    start = svg.index("<svg")
    end = svg.index(">", start)
    root = re.sub(r'\s(?:width|height)="[^"]*"', "", svg[start:end])
    view = "" if "viewBox" in root else f' viewBox="0 0 {width:g} {height:g}"'
    return bytes(vl_convert.svg_to_pdf(f"{root} {points}{view}{svg[end:]}"))


def _size(svg: str) -> tuple[float, float]:
    """Width and height of a drawing in CSS pixels."""
    root = svg[svg.index("<svg") :].split(">", 1)[0]
    box = re.search(r'viewBox="\S+ \S+ (\S+) ([^"]+)"', root)
    sides = box.groups() if box else [_side(root, name) for name in ("width", "height")]
    return float(sides[0]), float(sides[1])


def _side(root: str, name: str) -> str:
    found = re.search(rf'\s{name}="([\d.]+)', root)
    return found[1] if found else "300"


def save(picture: Picture, path: Path) -> None:
    """Writes the picture in the format that the file's name asks for."""
    writers = {
        ".svg": lambda: picture.svg().encode(),
        ".html": lambda: picture.html().encode(),
        ".png": lambda: png(picture),
        ".pdf": lambda: pdf(picture),
    }
    ending = path.suffix.lower()
    if ending not in writers:
        raise InvalidParameter(f"A picture can't be saved as {path.name!r}.", allowed=writers)
    path.write_bytes(writers[ending]())
