"""What the categories are called, in which order they are worked on, and their colours in every picture."""

from __future__ import annotations

from wayfare.charts import theme

NAMES = {
    "M": "must-have",
    "O": "satisfier",
    "A": "delighter",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}
"""From the letter to the word for people, in the order of work: must-haves first, then satisfiers, then delighters."""

COLOURS = {
    "M": "#D55E00",
    "O": "#0072B2",
    "A": "#009E73",
    "I": theme.GREY,
    "R": "#CC79A7",
    "Q": "#000000",
}
"""Okabe–Ito; the same for a category wherever it is drawn."""

RANK = {letter: place for place, letter in enumerate(NAMES)}

_PLURALS = {
    "M": "must-haves",
    "O": "satisfiers",
    "A": "delighters",
    "I": "indifferent",
    "R": "unwanted",
    "Q": "contradictory",
}


def noun(letter: str) -> str:
    """The category with its article: `a must-have`; `indifferent` has none."""
    name = {"R": "unwanted", "Q": "contradictory"}.get(letter, NAMES[letter])
    return f"a {name}" if letter in "MOA" else name


def plural(letter: str) -> str:
    """The category of several features."""
    return _PLURALS[letter]


def listed(names: list[str], most: int = 3) -> str:
    """`a, b and c`, or `a, b, c and 4 more`."""
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
