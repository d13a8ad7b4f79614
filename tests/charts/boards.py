"""What tests ask of a drawn board: its words, what stands in a group, and what reaches out of its place."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from wayfare.charts.blocks_text import extent

SVG = "{http://www.w3.org/2000/svg}"
_BIDI = re.compile("[\u202b\u202c\\s]")


def root_of(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def texts(part: ET.Element) -> list[ET.Element]:
    return list(part.iter(f"{SVG}text"))


def words(part: ET.Element) -> str:
    """Every line of text, one after the other."""
    return " ".join("".join(text.itertext()) for text in texts(part))


def squeezed(text: str) -> str:
    """Text without blanks, as its lines joined have it."""
    return _BIDI.sub("", text)


def groups(root: ET.Element, name: str) -> dict[str, ET.Element]:
    """The groups with a `data-…` attribute, by its value."""
    found = [(group.get(f"data-{name}"), group) for group in root.iter(f"{SVG}g")]
    return {value: group for value, group in found if value is not None}


def boxes(root: ET.Element) -> dict[str, tuple[float, float, float, float]]:
    """The paper of each note by its item's id: left, top, right, bottom."""
    found = {}
    for id, group in groups(root, "item").items():
        paper = group.find(f"{SVG}rect")
        if paper is not None and paper.get("class", "").startswith("wf-tint"):
            x, y, width, height = (float(paper.get(name, "")) for name in ("x", "y", "width", "height"))
            found[id] = (x, y, x + width, y + height)
    return found


def span(text: ET.Element) -> tuple[float, float]:
    """From where to where a line reaches at most."""
    said = re.sub("[\u202b\u202c]", "", text.text or "")
    long = extent(said, float(text.get("font-size", "")), bold=text.get("font-weight") == "600")
    x = float(text.get("x", "")) - {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "")] * long
    return x, x + long


def reaching_out(root: ET.Element) -> Iterator[str]:
    """Texts that leave the sheet or their note, and notes that lie on one another."""
    width, height = (float(root.get(name, "")) for name in ("width", "height"))
    for text in texts(root):
        left, right = span(text)
        if left < 0 or right > width or not 0 < float(text.get("y", "")) < height:
            yield f"off the sheet: {text.text}"
    papers = boxes(root)
    for id, (left, top, right, bottom) in papers.items():
        for text in texts(groups(root, "item")[id]):
            start, end = span(text)
            if start < left or end > right + 0.1 or not top < float(text.get("y", "")) < bottom:
                yield f"off its note: {text.text}"
    found = sorted(papers.items())
    for place, (id, one) in enumerate(found):
        for other, two in found[place + 1 :]:
            across = min(one[2], two[2]) - max(one[0], two[0])
            down = min(one[3], two[3]) - max(one[1], two[1])
            if across > 0.2 and down > 0.2:
                yield f"{id} on {other}"


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' luminance, WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def blended(colour: str, opacity: float, paper: str) -> str:
    """A colour laid over paper."""
    mixed = [
        round(int(colour[at : at + 2], 16) * opacity + int(paper[at : at + 2], 16) * (1 - opacity))
        for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02X}" for part in mixed)
