"""Logs of answers to survey questions, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

import wayfare as wf

START = datetime(2024, 1, 10, tzinfo=UTC)
COLUMNS = ("customer", "hours", "event", "score", "question_kind", "question", "channel")


def log_of(*rows: tuple) -> wf.Log:
    """A log from (customer, hours after the start, event[, score, kind, question, channel])."""
    frame = pd.DataFrame([(*row, *[None] * (len(COLUMNS) - len(row))) for row in rows], columns=list(COLUMNS))
    frame["time"] = [START + timedelta(hours=h) for h in frame.pop("hours")]
    frame["score"] = frame["score"].astype(float)
    kept = {name: name for name in COLUMNS if name != "hours" and frame[name].notna().any()}
    kept |= {"score": "score", "question_kind": "question_kind"}
    return wf.read_events(frame, time="time", **kept)


def answers(kind: str, scores: list[float], event: str = "delivery", hours: float = 0.0) -> list[tuple]:
    """Customers who each met `event` and gave one score a day later."""
    rows: list[tuple] = []
    for number, score in enumerate(scores):
        customer = f"{kind}-{event}-{hours:g}-{number}"
        rows.append((customer, hours, event))
        rows.append((customer, hours + 24, "survey_answer", score, kind, f"the {kind} question"))
    return rows
