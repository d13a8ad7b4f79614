"""A survey: its questions with wording, scale and coding, and where its answers stand in a file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date as Day  # noqa: N812 - a field of Survey is called date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from wayfare.domain.kano import EvaluationTable, Wording, evaluation_table, plain, wording
from wayfare.errors import BadInput

SURVEY_ANSWER = "survey_answer"
"""The event of every answer in the log."""

ANSWER_COLUMNS = (
    "survey", "wave", "question", "question_kind", "touchpoint", "answer", "comment", "feature", "functional",
    "dysfunctional", "importance", "straight_line",
)  # fmt: skip
"""The columns of the log that answers have beside its own."""

_SPAN = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(?:to|–|\.\.|-)\s*(-?\d+(?:\.\d+)?)\s*")
_NAME = re.compile(r"[^\W_][\w .-]{0,79}")
_OF_THE_LOG = ("customer", "time", "event", "score", "event_id", *ANSWER_COLUMNS)


class Part(BaseModel):
    """A part of a survey document; what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Scale(Part):
    """The lowest and the highest point, both allowed; written `1 to 10` or with `low` and `high`."""

    low: float
    high: float
    whole: bool = True
    """Whether only whole numbers are points of the scale."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        if isinstance(value, str):
            match = _SPAN.fullmatch(value)
            if match is None:
                raise ValueError(f"{value!r} is not a scale; write `1 to 10`")
            return {"low": match[1], "high": match[2]}
        return value

    @model_validator(mode="after")
    def _rising(self) -> Scale:
        if not self.low < self.high:
            raise ValueError(f"the scale ends at {self.high:g}, before it begins at {self.low:g}")
        return self

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


class Column(Part):
    """A column of the file of answers that says something for each respondent."""

    column: str


class _Question(Part):
    key: str = Field(min_length=1, max_length=80)
    text: str = ""

    @property
    def label(self) -> str:
        """The question as people know it."""
        return self.text or self.key


class _OneColumn(_Question):
    column: str = ""
    """The column with the answers; the key where nothing is said."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a wide file that the question reads."""
        return (self.column or self.key,)


class Scored(_OneColumn):
    """A question answered on a scale of numbers.

    Attributes:
        coding: From an answer as it is written in the file to its number.
        reverse: Whether the scale runs against the meaning: the stored score is then low + high - number.
    """

    scale: Scale
    coding: dict[str, float] = {}
    reverse: bool = False

    @model_validator(mode="after")
    def _coded_within(self) -> Scored:
        for answer, number in self.coding.items():
            if not self.scale.low <= number <= self.scale.high:
                raise ValueError(f"{answer!r} is coded {number:g}, off the scale {self.scale}")
        return self


class Nps(Scored):
    """How likely are you to recommend us? 0 to 10: promoters give 9 or 10, detractors 0 to 6."""

    kind: Literal["nps"]
    scale: Scale = Scale(low=0, high=10)

    @field_validator("scale")
    @classmethod
    def _by_definition(cls, value: Scale) -> Scale:
        if (value.low, value.high) != (0, 10):
            raise ValueError(
                "the Net Promoter Score is asked from 0 to 10; make it a rating, or code the answers"
            )
        return value


class Csat(Scored):
    """How satisfied are you? The `satisfied` highest points of the scale count as satisfied (the top-two box)."""

    kind: Literal["csat"]
    scale: Scale = Scale(low=1, high=5)
    satisfied: int = Field(2, ge=1)


class Ces(Scored):
    """How easy was it? `agreement`: more is easier (CES 2.0, 1 to 7); `effort`: less is easier (CES 1.0, 1 to 5)."""

    kind: Literal["ces"]
    measures: Literal["agreement", "effort"] = "agreement"
    scale: Scale = Scale(low=1, high=7)

    @model_validator(mode="before")
    @classmethod
    def _usual_scale(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("measures") == "effort" and "scale" not in value:
            return {**value, "scale": {"low": 1, "high": 5}}
        return value


class Rating(Scored):
    """Any other question on a scale of numbers."""

    kind: Literal["rating"]


class KanoPair(_Question):
    """How do you feel if the feature is there (functional), and if it is not (dysfunctional)?

    Attributes:
        feature: The feature's name; the key where nothing is said.
        functional, dysfunctional: The columns with the answers to the two halves; `KEY_functional` and
            `KEY_dysfunctional` where nothing is said.
        importance: The column with the stated importance, where it was asked.
        importance_scale: The scale of that.
        coding: From an answer as it is written in the file to one of the five, beside what the wording says.
        wording, table: The survey's, where nothing is said.
        reverse: Whether the halves were asked the wrong way round, so that they are swapped.
        accept_reversed: Whether most may indeed not want the feature; otherwise such answers are quarantined.
    """

    kind: Literal["kano"]
    feature: str = ""
    functional: str = ""
    dysfunctional: str = ""
    importance: str = ""
    importance_scale: Scale = Scale(low=1, high=9)
    coding: dict[str, Literal["like", "must_be", "neutral", "live_with", "dislike"]] = {}
    wording: str | Wording | None = None
    table: str | EvaluationTable | None = None
    reverse: bool = False
    accept_reversed: bool = False

    @model_validator(mode="after")
    def _halves_as_named(self) -> KanoPair:
        functional, dysfunctional, *_ = self.columns
        if "dysfunctional" in functional.lower() and "dysfunctional" not in dysfunctional.lower():
            raise ValueError(
                f"the halves are swapped: {functional!r} is given as functional and {dysfunctional!r} as dysfunctional"
            )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a wide file that the question reads: both halves, and importance where it was asked."""
        halves = (
            self.functional or f"{self.key}_functional",
            self.dysfunctional or f"{self.key}_dysfunctional",
        )
        return (*halves, self.importance) if self.importance else halves

    @property
    def label(self) -> str:
        """The feature as people know it."""
        return self.feature or self.text or self.key


class Choice(_OneColumn):
    """One of several options; where `options` are listed, other answers are unknown ones. `coding` renames answers."""

    kind: Literal["choice"]
    options: tuple[str, ...] = ()
    coding: dict[str, str] = {}


class Choices(_Question):
    """Any number of options: in one column, separated by `separator`, or ticked in a column each (`ticked`).

    Attributes:
        ticked: From the column of an option to the option's name.
    """

    kind: Literal["choices"]
    column: str = ""
    separator: str = Field(";", min_length=1)
    ticked: dict[str, str] = {}
    options: tuple[str, ...] = ()
    coding: dict[str, str] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a wide file that the question reads."""
        return tuple(self.ticked) or (self.column or self.key,)


class OpenText(_OneColumn):
    """A question answered in the respondent's own words."""

    kind: Literal["text"]


Question = Annotated[
    Nps | Csat | Ces | Rating | KanoPair | Choice | Choices | OpenText, Field(discriminator="kind")
]
KINDS: dict[str, type[_Question]] = {
    "nps": Nps, "csat": Csat, "ces": Ces, "rating": Rating, "kano": KanoPair, "choice": Choice, "choices": Choices,
    "text": OpenText,
}  # fmt: skip


class Long(Part):
    """The columns of a long file (a line an answer): which question, and what was answered.

    A Kano pair is one line with both halves (and importance), or a line for each half, whose `question` is then the
    column that the half would have in a wide file.
    """

    question: str = "question"
    answer: str = "answer"
    functional: str = "functional"
    dysfunctional: str = "dysfunctional"
    importance: str = "importance"


class Survey(Part):
    """What was asked, whom, when and after what; and which columns of a file of answers say it.

    Attributes:
        name: Its name, in the log and in the workspace.
        about: What it is for.
        questions: What was asked.
        respondent: The column with the customer's id; without one, answers are anonymous.
        anonymous: Whether answers are kept apart from customers although there is a column for the respondent.
        time: The column with the moment of the answer.
        date: The day of all answers, where no column says it.
        once: Whether a respondent answers once a wave. Where nothing is said: yes if all answers have one date.
        touchpoint: The event that is asked about, or `column:` with the column that says it. Where nothing is said it is
            the customer's last event before the answer.
        wave: Which time the survey was asked, or `column:` with the column that says it.
        invitation: The event of the log that asks a customer to answer, for the response rate.
        attributes: Further columns that travel with the answers, by their name in the log.
        no_answer: What stands for no answer in the file, beside blanks: `don't know`, `99`.
        wording, table: The Kano wording and evaluation table of questions that name none.
        long: The columns of a long file.
    """

    STRAIGHT: ClassVar[int] = 5
    """From this many answers on, one and the same answer to everything is a straight line."""

    name: str
    about: str = ""
    respondent: str = ""
    anonymous: bool = False
    time: str = ""
    date: Day | None = None
    once: bool | None = None
    touchpoint: str | Column | None = None
    wave: str | Column | None = None
    invitation: str = ""
    attributes: dict[str, str] = {}
    no_answer: tuple[str, ...] = ()
    wording: str | Wording = "classic"
    table: str | EvaluationTable = "classic"
    long: Long = Long()
    questions: tuple[Question, ...]

    @field_validator("name")
    @classmethod
    def _a_name_for_a_file(cls, value: str) -> str:
        if not _NAME.fullmatch(value) or value.endswith("."):
            raise ValueError(f"{value!r} is no name for a survey; use letters, digits, blanks, `-` and `_`")
        return value

    @field_validator("attributes", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return {str(name): name for name in value} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _whole(self) -> Survey:
        if not self.questions:
            raise ValueError("a survey needs questions")
        for twice in (_twice(question.key for question in self.questions), _twice(self._read())):
            if twice:
                raise ValueError(f"{twice!r} stands for two questions")
        if not self.time and self.date is None:
            raise ValueError(
                "nothing says when answers were given; name the column (`time`), or the day (`date`)"
            )
        if self.time and self.date is not None:
            raise ValueError("both `time` and `date` say when answers were given; keep one of them")
        taken = next((name for name in self.attributes if name in _OF_THE_LOG), None)
        if taken:
            raise ValueError(f"an attribute can't be called {taken!r}, which the log uses itself")
        return self

    @model_validator(mode="after")
    def _known_names(self) -> Survey:
        for question in self.kano:
            self.wording_of(question)
            self.table_of(question)
        return self

    def _read(self) -> Iterable[str]:
        return (column for question in self.questions for column in question.columns)

    @property
    def is_anonymous(self) -> bool:
        """Whether its answers are kept apart from customers."""
        return self.anonymous or not self.respondent

    @property
    def answers_once(self) -> bool:
        """Whether a respondent answers once a wave."""
        return self.once if self.once is not None else not self.time

    @property
    def kano(self) -> tuple[KanoPair, ...]:
        """The Kano pairs among its questions."""
        return tuple(question for question in self.questions if isinstance(question, KanoPair))

    def question(self, key: str) -> Question | None:
        """The question of that key."""
        return next((question for question in self.questions if question.key == key), None)

    def of_kind(self, kind: str) -> tuple[Question, ...]:
        """The questions of one kind."""
        return tuple(question for question in self.questions if question.kind == kind)

    def wording_of(self, question: KanoPair) -> Wording:
        """How the answers to a Kano pair are worded."""
        chosen = question.wording if question.wording is not None else self.wording
        return chosen if isinstance(chosen, Wording) else wording(chosen)

    def table_of(self, question: KanoPair) -> EvaluationTable:
        """How the answers to a Kano pair are evaluated."""
        chosen = question.table if question.table is not None else self.table
        return chosen if isinstance(chosen, EvaluationTable) else evaluation_table(chosen)


def survey_of(said: Mapping[str, Any]) -> Survey:
    """The survey that a dictionary says, or the error that says where it is wrong."""
    try:
        return Survey.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise BadInput(f"{first['msg'].removeprefix('Value error, ')}.", where=place or "survey") from None


def _twice(names: Iterable[str]) -> str:
    return next((name for name, count in Counter(names).items() if count > 1), "")


def tables_by_question(surveys: Mapping[str, Survey]) -> dict[tuple[str, str], EvaluationTable]:
    """The evaluation table of each Kano pair, by survey and question: the two names that its rows in the log have."""
    return {
        (survey.name, question.key): survey.table_of(question)
        for survey in surveys.values()
        for question in survey.kano
    }


__all__ = [
    "ANSWER_COLUMNS", "KINDS", "SURVEY_ANSWER", "Ces", "Choice", "Choices", "Column", "Csat", "KanoPair", "Long", "Nps",
    "OpenText", "Question", "Rating", "Scale", "Scored", "Survey", "plain", "survey_of", "tables_by_question",
]  # fmt: skip
