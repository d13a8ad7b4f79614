"""The evaluation table: which category each pair of answers makes of a feature."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from wayfare.domain.kano import shelf
from wayfare.domain.kano.wording import ANSWERS, Answer

Category = Literal["A", "O", "M", "I", "R", "Q"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
"""Attractive (delighter), one-dimensional (satisfier), must-be, indifferent, reverse, questionable."""


class EvaluationTable(BaseModel):
    """Five rows (functional answer) of five categories (dysfunctional answer), both in the order of `ANSWERS`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("own", min_length=1)
    about: str = ""
    rows: dict[Answer, tuple[Category, ...]]

    @field_validator("rows", mode="before")
    @classmethod
    def _written_in_one_line(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: tuple(row.split()) if isinstance(row, str) else row for key, row in value.items()}

    @field_validator("rows")
    @classmethod
    def _complete(cls, value: dict[Answer, tuple[Category, ...]]) -> dict[Answer, tuple[Category, ...]]:
        if set(value) != set(ANSWERS) or any(len(row) != len(ANSWERS) for row in value.values()):
            raise ValueError(
                f"a table needs a row for each of {', '.join(ANSWERS)}, each of {len(ANSWERS)} categories in that order"
            )
        return {answer: value[answer] for answer in ANSWERS}

    @property
    def matrix(self) -> tuple[tuple[Category, ...], ...]:
        """The categories (functional, dysfunctional), in the order of `ANSWERS`."""
        return tuple(self.rows.values())

    def category(self, functional: Answer, dysfunctional: Answer) -> Category:
        """The category of one pair of answers."""
        return self.rows[functional][ANSWERS.index(dysfunctional)]


def evaluation_table(name: str) -> EvaluationTable:
    """The evaluation table of that name, or the error that lists them."""
    return EvaluationTable.model_validate(shelf.content("tables", "Kano evaluation table", name))


def evaluation_tables() -> tuple[str, ...]:
    """The names of the tables that are there."""
    return shelf.names("tables")
