"""What the user states of features, as `feature=something`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from wayfare.errors import InvalidParameter

_SUFFIX = re.compile(r"(rating|satisfaction|score|csat|nps|ces)$")


def plain(name: str) -> str:
    """A name as features, questions and events are matched: small letters and digits only, without *rating* at its end."""
    letters = re.sub(r"[^0-9a-z]+", "", name.lower())
    return _SUFFIX.sub("", letters) or letters


def pairs(texts: Sequence[str], where: str, example: str) -> dict[str, str]:
    """`feature=something` as a mapping.

    Raises:
        InvalidParameter: a text lacks one of its halves.
    """
    found = {}
    for text in texts:
        feature, _, said = text.rpartition("=")
        if not feature.strip() or not said.strip():
            raise InvalidParameter(
                f"{text!r} names no feature and what is said of it.", where=where, allowed=(example,)
            )
        found[feature.strip()] = said.strip()
    return found


def amounts(texts: Sequence[str], where: str) -> dict[str, float]:
    """`feature=amount` as a mapping.

    Raises:
        InvalidParameter: an amount is no number above zero.
    """
    found = {}
    for feature, said in pairs(texts, where, "free delivery=12000").items():
        try:
            found[feature] = float(said)
        except ValueError:
            found[feature] = -1.0
        if not 0 < found[feature] < float("inf"):
            raise InvalidParameter(
                f"{said!r} is no amount above zero.", where=where, allowed=("free delivery=12000",)
            )
    return found


def days(texts: Sequence[str], where: str) -> dict[str, date]:
    """`feature=day` as a mapping.

    Raises:
        InvalidParameter: a day is no ISO date.
    """
    found = {}
    for feature, said in pairs(texts, where, "free delivery=2024-05-01").items():
        try:
            found[feature] = date.fromisoformat(said)
        except ValueError:
            raise InvalidParameter(
                f"{said!r} is not a date.", where=where, allowed=("free delivery=2024-05-01",)
            ) from None
    return found


def match(names: Sequence[str], others: Sequence[str], stated: dict[str, str], where: str) -> dict[str, str]:
    """To each name the other that is stated for it, or that reads the same.

    Raises:
        InvalidParameter: what is stated is not there.
    """
    by_plain = {plain(other): other for other in sorted(others, reverse=True)}
    found = {name: by_plain[plain(name)] for name in names if plain(name) in by_plain}
    for name, other in stated.items():
        if other not in others:
            raise InvalidParameter(f"There is no {other!r}.", where=where, allowed=sorted(others)[:50])
        found[name] = other
    return found
