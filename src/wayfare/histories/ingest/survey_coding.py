"""What one answer as it stands in a file means: its number or code, none at all, or why it can't be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from wayfare.domain.kano import plain, wording, wordings
from wayfare.domain.survey import Choice, Choices, KanoPair, Scale, Survey
from wayfare.histories.ingest.cells import MISSING_WORDS

ANSWER, FUNCTIONAL, DYSFUNCTIONAL, IMPORTANCE = PARTS = (
    "answer",
    "functional",
    "dysfunctional",
    "importance",
)
UNKNOWN = "unknown answer"

_YES = frozenset(("1", "true", "yes", "y", "x", "on", "checked", "selected", "ticked"))
_NO = frozenset(("0", "false", "no", "n", "off", "unchecked", "not selected"))
_PLAIN = re.compile(r"[-+]?\d{1,15}([.,]\d+)?")
_LABELLED = re.compile(r"(-?\d{1,15})\s*[-–—:.)=(]\s*\D.*", re.DOTALL)
_MISSING = frozenset(plain(word) for word in MISSING_WORDS)


class Meaning(NamedTuple):
    """The number or the code of an answer, what is wrong with it, or that it is none (`blank`)."""

    number: float | None = None
    code: str | None = None
    fault: str | None = None
    blank: bool = False


BLANK = Meaning(blank=True)
Reader = Callable[[str], Meaning]


def readers(survey: Survey) -> dict[tuple[int, str], Reader]:
    """What reads the answers to each question, by the question's number and the part of it (`PARTS`)."""
    found: dict[tuple[int, str], Reader] = {}
    none = frozenset(plain(text) for text in survey.no_answer)
    for number, question in enumerate(survey.questions):
        if isinstance(question, KanoPair):
            half = _half(survey, question, none)
            found |= {(number, FUNCTIONAL): half, (number, DYSFUNCTIONAL): half}
            found[number, IMPORTANCE] = _scored(question.importance_scale, {}, none, "importance: ")
        elif isinstance(question, Choices) and question.ticked:
            found[number, ANSWER] = _ticked(question)
        elif isinstance(question, Choice | Choices):
            found[number, ANSWER] = _option(question, none)
        elif question.kind == "text":
            found[number, ANSWER] = lambda text: BLANK if plain(text) in none else Meaning()
        else:
            found[number, ANSWER] = _scored(question.scale, question.coding, none)
    return found


def _scored(scale: Scale, coding: Mapping[str, float], none: frozenset[str], what: str = "") -> Reader:
    coded = {plain(text): number for text, number in coding.items()}

    def read(text: str) -> Meaning:
        said = plain(text)
        if said in coded:
            return Meaning(coded[said])
        if said in none or said in _MISSING:
            return BLANK
        number = _number(said)
        if number is None:
            return Meaning(fault=f"{what}{UNKNOWN}")
        if not scale.low <= number <= scale.high:
            return Meaning(fault=f"{what}off the scale {scale}")
        if scale.whole and number != int(number):
            return Meaning(fault=f"{what}between two points of the scale")
        return Meaning(number)

    return read


def _number(text: str) -> float | None:
    """The number that the text is, or begins with before its label: `9 - Extremely important`."""
    labelled = _LABELLED.fullmatch(text)
    if labelled:
        return float(labelled[1])
    return float(text.replace(",", ".")) if _PLAIN.fullmatch(text) else None


def _half(survey: Survey, question: KanoPair, none: frozenset[str]) -> Reader:
    own = survey.wording_of(question)
    codes: dict[str, Any] = {**own.codes, **{plain(text): code for text, code in question.coding.items()}}
    others = {text: name for name in wordings() for text in wording(name).codes}

    def read(text: str) -> Meaning:
        said = plain(text)
        if said in codes:
            return Meaning(code=codes[said])
        if said in none or said in _MISSING:
            return BLANK
        return Meaning(fault=f"answer in another wording ({others[said]})" if said in others else UNKNOWN)

    return read


def _option(question: Choice | Choices, none: frozenset[str]) -> Reader:
    options = {plain(name): name for name in question.options}
    coded = {plain(text): name for text, name in question.coding.items()}

    def read(text: str) -> Meaning:
        said = plain(text)
        if said in coded:
            return Meaning(code=coded[said])
        if said in options:
            return Meaning(code=options[said])
        if said in none:
            return BLANK
        return Meaning(fault=UNKNOWN) if options else Meaning(code=" ".join(text.split()))

    return read


def _ticked(question: Choices) -> Reader:
    names = frozenset(plain(name) for pair in question.ticked.items() for name in pair)

    def read(text: str) -> Meaning:
        said = plain(text)
        if said in _YES or said in names:
            return Meaning()
        return BLANK if said in _NO or said in _MISSING else Meaning(fault=UNKNOWN)

    return read
