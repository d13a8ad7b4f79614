"""Kano's two questions: the answers in several wordings, and the tables that make a category of each pair of answers.

Wordings and tables are YAML files beside this one; a survey document may bring its own.
"""

from wayfare.domain.kano.evaluation import (
    CATEGORIES,
    Category,
    EvaluationTable,
    evaluation_table,
    evaluation_tables,
)
from wayfare.domain.kano.wording import ANSWERS, Answer, Wording, plain, wording, wordings

__all__ = [
    "ANSWERS", "CATEGORIES", "Answer", "Category", "EvaluationTable", "Wording",
    "evaluation_table", "evaluation_tables", "plain", "wording", "wordings",
]  # fmt: skip
