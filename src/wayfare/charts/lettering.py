"""Text in drawings: how wide it will be, cut and wrapped to fit, and safe in SVG."""

from __future__ import annotations

import html
import re
import unicodedata

# Widths in em of DejaVu Sans, the widest of the fonts in `theme.FONT`: what fits in it fits in all.
_NARROW = dict.fromkeys("iljI.,:;'|!`", 0.32) | dict.fromkeys('frt()[]/\\- "', 0.4)
_WIDE = dict.fromkeys("mMwW@%—…", 0.95)
_DIGIT, _UPPER, _OTHER, _FULL = 0.637, 0.7, 0.61, 1.0
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def escaped(text: str) -> str:
    """`text` for SVG or HTML, also inside an attribute; characters that XML forbids are gone."""
    return html.escape(_UNPRINTABLE.sub("", text))


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide `text` will be at most, in the unit of `size`, the height of the font."""
    return sum(_em(letter) for letter in text) * size * (1.1 if bold else 1.0)


def clipped(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """`text`, or as much of it as fits into `width` with an ellipsis."""
    if width_of(text, size, bold=bold) <= width:
        return text
    room = width - width_of("…", size, bold=bold)
    end = 0
    while end < len(text) and width_of(text[: end + 1], size, bold=bold) <= room:
        end += 1
    return text[:end].rstrip(" _-.") + "…"


def wrapped(text: str, size: float, width: float, *, lines: int = 9, bold: bool = False) -> list[str]:
    """`text` broken at spaces into lines of at most `width`; what does not fit into `lines` is cut with an ellipsis."""
    found: list[str] = []
    for word in text.split():
        longer = f"{found[-1]} {word}" if found else word
        if found and width_of(longer, size, bold=bold) <= width:
            found[-1] = longer
        else:
            found.append(word)
    kept = found[:lines]
    if len(found) > lines:
        kept[-1] = " ".join(found[lines - 1 :])
    return [clipped(line, size, width, bold=bold) for line in kept]


def _em(letter: str) -> float:
    if letter in _NARROW:
        return _NARROW[letter]
    if letter in _WIDE:
        return _WIDE[letter]
    if unicodedata.east_asian_width(letter) in "WF":
        return _FULL
    if unicodedata.combining(letter):
        return 0.0
    return _DIGIT if letter.isdigit() else _UPPER if letter.isupper() else _OTHER
