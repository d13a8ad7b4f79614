"""How satisfied a customer said to be: the scores of one kind of question, so that no two scales are mixed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.source import Source

SATISFACTION_COLUMNS = ("score", "question_kind")
"""What a fold has to read to use `satisfaction`."""
ANY_KIND = -2


def satisfaction_kind(source: Source) -> int:
    """The code of the kind of question that says how satisfied customers are: `csat`, else `nps`, else `rating`.

    Answers without a kind stand in where none of these was asked; `ANY_KIND` where the log does not tell kinds of
    questions apart: all its scores
    are then of one scale.
    """
    if "question_kind" not in source.schema:
        return ANY_KIND
    names = source.names("question_kind")
    return next((c for kind in ("csat", "nps", "rating") if (c := names.code(kind)) is not None), -1)


def satisfaction(block: Block, kind: int) -> NDArray[np.float64]:
    """Per row: the score of an answer of that kind, NaN elsewhere (rows,)."""
    if not block.has("score"):
        return np.full(block.rows, np.nan)
    score: NDArray[np.float64] = block["score"]
    if kind == ANY_KIND or not block.has("question_kind"):
        return score
    return np.where(block["question_kind"] == kind, score, np.nan)
