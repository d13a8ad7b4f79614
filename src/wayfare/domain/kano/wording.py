"""How Kano's five answers are put into words."""

from __future__ import annotations

import re
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wayfare.domain.kano import shelf

Answer = Literal["like", "must_be", "neutral", "live_with", "dislike"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
"""The five answers, in the order of the evaluation table's rows and columns."""


class Wording(BaseModel):
    """The texts that stand for each of Kano's answers; a wording may lack some (three answers instead of five)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("own", min_length=1)
    about: str = ""
    answers: dict[Answer, tuple[str, ...]] = Field(min_length=2)

    @model_validator(mode="after")
    def _each_text_once(self) -> Wording:
        seen: dict[str, str] = {}
        for answer, texts in self.answers.items():
            for text in texts:
                other = seen.setdefault(plain(text), answer)
                if other != answer:
                    raise ValueError(f"{text!r} stands for {other} and for {answer}")
        return self

    @property
    def codes(self) -> dict[str, Answer]:
        """From a text in its plain form (see `plain`) to the answer; the answers' own names are understood too."""
        named: dict[str, Answer] = {answer: answer for answer in self.answers}
        return named | {plain(text): answer for answer, texts in self.answers.items() for text in texts}


def plain(text: str) -> str:
    """A text as answers are compared: small letters, single blanks, straight apostrophes, no full stop at the end."""
    straight = text.translate({0x2019: "'", 0x2018: "'", 0xA0: " "})
    return re.sub(r"\s+", " ", straight).strip().rstrip(".").lower()


def wording(name: str) -> Wording:
    """The wording of that name, or the error that lists them."""
    return Wording.model_validate(shelf.content("wordings", "Kano wording", name))


def wordings() -> tuple[str, ...]:
    """The names of the wordings that are there."""
    return shelf.names("wordings")
