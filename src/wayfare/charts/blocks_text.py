"""Text of any length in any script as lines that fit, none of it cut: words break where they have to."""

from __future__ import annotations

import unicodedata

from wayfare.charts.lettering import width_of

_JOINER = "\u200d"
_EMBED, _END = "\u202b", "\u202c"
# Wider than other signs of their kind (in DejaVu Sans); `width_of` counts a letter of about 0.6 em.
_BROAD, _MORE = frozenset("<>=+~#&×÷œŒæÆЖШЩЮЫМФЪЉЊжшщюымфъљњ"), 0.35
_MARKS = 4
"""No script puts more marks on a letter; more would run over what is above."""


def lines_of(text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
    """All of `text` as lines of at most `width`, each line of the text on a line of its own."""
    found: list[str] = []
    for paragraph in text.splitlines():
        found += _filled([_tamed(word) for word in paragraph.split()], size, width, bold)
    return found


def shortened(text: str, size: float, width: float, lines: int) -> list[str]:
    """The beginning of `text` in so many lines, with an ellipsis after the last whole word that fits."""
    found = lines_of(text, size, width)
    if len(found) <= lines:
        return found
    words = found[lines - 1].split()
    while len(words) > 1 and extent(f"{' '.join(words)} …", size) > width:
        words.pop()
    return [*found[: lines - 1], f"{' '.join(words)} …"]


def extent(text: str, size: float, *, bold: bool = False) -> float:
    """How wide `text` will be at most, in any script."""
    broad = sum(sign in _BROAD for sign in text) * _MORE * size
    return width_of(text, size, bold=bold) + broad * (1.1 if bold else 1.0)


def is_rtl(text: str) -> bool:
    """Is the text written from right to left? As its first letter with a direction says (Unicode annex 9, P2 and P3)."""
    for sign in text:
        direction = unicodedata.bidirectional(sign)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def embedded(line: str) -> str:
    """A line of a text written from right to left, for viewers that don't know the attribute `direction`."""
    return f"{_EMBED}{line}{_END}"


def sentence(*parts: str) -> str:
    """The parts that say something, on one line, each ended by a full stop."""
    said = [" ".join(part.split()) for part in parts if part.strip()]
    return " ".join(part if part.endswith((".", "!", "?", ":")) else f"{part}." for part in said)


def _filled(words: list[str], size: float, width: float, bold: bool) -> list[str]:
    found: list[str] = []
    blank, used = extent(" ", size, bold=bold), width + 1.0
    for word in words:
        for piece, long in _pieces(word, size, width, bold):
            if used + blank + long <= width:
                found[-1] += f" {piece}"
                used += blank + long
            else:
                found.append(piece)
                used = long
    return found


def _pieces(word: str, size: float, width: float, bold: bool) -> list[tuple[str, float]]:
    """The word with its width; one that is too long in pieces."""
    long = extent(word, size, bold=bold)
    if long <= width:
        return [(word, long)]
    found: list[tuple[str, float]] = []
    for sign in _signs(word):
        wide = extent(sign, size, bold=bold)
        if found and found[-1][1] + wide <= width:
            found[-1] = (found[-1][0] + sign, found[-1][1] + wide)
        else:
            found.append((sign, wide))
    return found


def _tamed(word: str) -> str:
    """The word without the marks that are too many on one letter."""
    if word.isascii():
        return word
    signs = (sign if len(sign) <= _MARKS or _JOINER in sign else sign[: _MARKS + 1] for sign in _signs(word))
    return "".join(signs)


def _signs(word: str) -> list[str]:
    """What a reader takes for one sign: a letter with its marks, an emoji with what is joined to it."""
    found: list[str] = []
    for letter in word:
        if found and _belongs(found[-1], letter):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _belongs(before: str, letter: str) -> bool:
    flags = len(before) == 1 and all("\U0001f1e6" <= each <= "\U0001f1ff" for each in before + letter)
    tone = "\U0001f3fb" <= letter <= "\U0001f3ff"
    return (
        flags
        or tone
        or letter == _JOINER
        or before.endswith(_JOINER)
        or unicodedata.category(letter)[0] == "M"
    )
