"""Pictures inside a page: SVG whose ids clash with no other's, hidden from screen readers behind one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup

from wayfare.charts.picture import Picture, TwoLayouts
from wayfare.result import Result

_ID = re.compile(r'(?<=\sid=")([^"]+)(?=")')
_USE = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")
_LINK = re.compile(r'((?:xlink:)?href=")#([^"]+)(?=")')


@dataclass(frozen=True)
class Figure:
    """A picture ready for a page.

    Attributes:
        id: Unique on the page.
        alt: What it shows, for people who can't see it.
        title: The finding that it states.
        wide: The drawing.
        narrow: The drawing for a phone, where it has one.
        problem: Why there is no picture, where drawing it failed.
    """

    id: str
    alt: str = ""
    title: str = ""
    wide: str = ""
    narrow: str = ""
    problem: str = ""


def figure_of(result: Result, id: str) -> Figure | None:
    """The result's picture, or None where there is too little to draw; one that can't be drawn stops no report."""
    try:
        picture = result.chart()
        return None if picture is None else _figure(picture, id)
    except Exception as error:  # noqa: BLE001 - the table says the same
        return Figure(id, problem=f"{type(error).__name__}: {error}")


def _figure(picture: Picture, id: str) -> Figure:
    narrow = unique(picture.narrow(), f"{id}-narrow") if isinstance(picture, TwoLayouts) else ""
    return Figure(id, picture.alt, picture.title, unique(picture.svg(), id), narrow)


def unique(svg: str, prefix: str) -> Markup:
    """The drawing with `prefix` before every id that it defines and uses, and as one image without parts."""
    svg = svg[svg.index("<svg") :]
    ids = set(_ID.findall(svg))

    def mine(name: str) -> str:
        return f"{prefix}-{name}" if name in ids else name

    svg = _ID.sub(lambda found: mine(found[1]), svg)
    svg = _USE.sub(lambda found: f"url(#{mine(found[1])})", svg)
    svg = _LINK.sub(lambda found: f"{found[1]}#{mine(found[2])}", svg)
    return Markup(svg.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1))  # noqa: S704 - our own drawing
