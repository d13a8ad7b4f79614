"""Logs of Kano answers for the tests: from counts, from seeded simulations, and the public questionnaires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

import wayfare as wf

CELL = {"A": ("like", "neutral"), "O": ("like", "dislike"), "M": ("neutral", "dislike"), "I": ("neutral", "neutral"),
        "R": ("dislike", "like"), "Q": ("like", "like")}  # fmt: skip
"""One pair of answers of each category in the classic table."""

# REFERENCE.md, worked example of 296 respondents: M, O, A, I, R, Q.
WORKED = {
    "service app": (95, 123, 45, 33, 0, 0),
    "excellent service": (101, 54, 54, 81, 3, 3),
    "hotline": (15, 24, 121, 124, 6, 6),
    "loan machine": (65, 87, 93, 51, 0, 0),
    "return": (9, 18, 83, 177, 6, 3),
}


def pair_rows(
    feature: str, counts: Mapping[str, int], prefix: str = "c", time: str = "2024-03-01", **more: object
):
    """A row a respondent, `counts` of each category."""
    letters = [letter for letter, count in counts.items() for _ in range(count)]
    return [
        {"customer": f"{prefix}{i:05d}", "time": time, "event": "survey_answer", "question_kind": "kano",
         "survey": "features", "question": feature, "feature": feature, "functional": CELL[c][0],
         "dysfunctional": CELL[c][1], **more}
        for i, c in enumerate(letters)
    ]  # fmt: skip


def log_of(rows: Sequence[Mapping[str, object]]) -> wf.Log:
    """A log of rows with the log's own names."""
    frame = pd.DataFrame(rows)
    frame["time"] = pd.to_datetime(frame["time"])
    columns = {name: name for name in frame.columns if name not in ("customer", "time", "event")}
    return wf.read_events(frame, customer="customer", time="time", event="event", **columns)


def worked(**more: object) -> wf.Log:
    """The worked example's five features, each asked of 296 respondents."""
    return log_of(
        [
            row
            for feature, counts in WORKED.items()
            for row in pair_rows(feature, dict(zip("MOAIRQ", counts, strict=True)), **more)
        ]
    )


def by_feature(table, key: str = "feature"):
    return {row[key]: row for row in table.to_pylist()}
