"""Small logs and canvases, and every measure once more, customer by customer in plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

import wayfare as wf
from wayfare.analyses.canvas.canvas_evidence import canvas_evidence
from wayfare.domain.canvas import BLOCKS, Canvas
from wayfare.log import Log
from wayfare.study import Study

START = datetime(2024, 1, 1, tzinfo=UTC)
COLUMNS = ("channel", "value", "order", "score", "question_kind")
EVENTS = ("product_view", "cart", "purchase", "referral_invite", "survey_answer")


def log_of(rows: Iterable[Mapping[str, Any]]) -> Log:
    """Rows of `customer`, `day` (days since 1 January 2024), `event` and any of `COLUMNS`."""
    frame = pd.DataFrame(list(rows))
    frame["time"] = [START + timedelta(days=float(day)) for day in frame.pop("day")]
    used = {name: name for name in COLUMNS if name in frame}
    return wf.read_events(frame, customer="customer", time="time", event="event", **used)


def rows_of(**histories: str) -> list[dict[str, Any]]:
    """`a="0 purchase, 60 purchase"`: what happened to each customer, on which day."""
    return [
        {"customer": customer, "day": float(day), "event": event}
        for customer, history in histories.items()
        for day, event in (moment.split() for moment in history.split(", "))
    ]


def item(id: str, measure: str | None = None, *, touches: Sequence[str] = (), **rest: Any) -> dict[str, Any]:
    """An item; what is no key of an item belongs to its metric."""
    own = {k: rest.pop(k) for k in ("text", "hypothesis", "importance", "kind") if k in rest}
    bindings: dict[str, Any] = {"touchpoints": [{"event": event} for event in touches]}
    if "conditions" in rest:
        bindings["segment"] = rest.pop("conditions")
    if measure:
        bindings["metric"] = {
            "measure": measure,
            **({"at_least": 0} if not {"at_least", "at_most"} & {*rest} else {}),
            **rest,
        }
    return {"id": id, "text": id.capitalize(), **own, "bindings": bindings}


def canvas_of(*items: Any, segments: Mapping[str, Sequence[str]] | None = None, **rest: Any) -> Canvas:
    """A canvas with the items among its value propositions, and segments of these conditions."""
    groups = [item(id, conditions=list(conditions)) for id, conditions in (segments or {}).items()]
    filled = {"customer_segments": groups, "value_propositions": list(items)}
    filled |= {block: rest.pop(block) for block in BLOCKS if block in rest}
    return Canvas.model_validate({"name": "canvas", **filled, **rest})


def study_of(log: Log, canvas: Canvas | None, **rest: Any) -> Study:
    return Study(log, documents={canvas.name: canvas} if canvas else {}, **rest)


def evidence(log: Log, canvas: Canvas, **params: Any) -> dict[str, dict[str, Any]]:
    """The rows of evidence by item."""
    found = study_of(log, canvas).result(canvas_evidence, **params)
    return {row["item"]: row for row in found.evidence.to_pylist()}


def shop(customers: int = 300, seed: int = 4) -> list[dict[str, Any]]:
    """A seeded year and a half of a shop: some buy again, some invite, some answer."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        channel = str(rng.choice(["web", "store", "app"]))
        day = float(rng.uniform(0, 400))
        for _ in range(int(rng.integers(1, 9))):
            event = str(rng.choice(EVENTS, p=[0.35, 0.2, 0.3, 0.05, 0.1]))
            row = {"customer": f"c{number:03d}", "day": day, "event": event, "channel": channel}
            if event == "purchase":
                row |= {"value": float(np.round(rng.gamma(2, 20), 2)), "order": f"o{len(rows)}"}
            if event == "survey_answer":
                kind = str(rng.choice(["csat", "nps"]))
                row |= {
                    "question_kind": kind,
                    "score": float(rng.integers(1, 6) if kind == "csat" else rng.integers(0, 11)),
                }
            rows.append(row)
            day += float(rng.exponential(35))
    return [{**dict.fromkeys(COLUMNS), **row} for row in rows if row["day"] < 545]


def histories(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The rows of each customer in the order of time."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["day"]):
        found.setdefault(row["customer"], []).append(row)
    return found


def counted(
    rows: Iterable[Mapping[str, Any]],
    measure: str,
    *,
    within: float | None = None,
    touches: Sequence[str] = (),
    channel: str | None = None,
) -> tuple[int, float]:
    """n and x of a measure: who counts, and their successes or money; the slow way."""
    rows = list(rows)
    ends, n, x = max(row["day"] for row in rows), 0, 0.0
    for history in histories(rows).values():
        if channel is not None and channel not in {row["channel"] for row in history}:
            continue
        found = _of_one(history, measure, within, touches, ends)
        if found is not None:
            n, x = n + 1, x + found
    return n, x


def _of_one(
    history: list[Mapping[str, Any]], measure: str, within: float | None, touches: Sequence[str], ends: float
) -> float | None:
    orders = [row["day"] for row in history if row["event"] == "purchase"]
    if measure == "repurchase_rate":
        span = within or 90.0
        if not orders or orders[0] + span > ends:
            return None
        return float(len(orders) > 1 and orders[1] - orders[0] <= span)
    if measure == "retention_rate":
        before = [day for day in orders if ends - 2 * within < day <= ends - within]
        return float(any(day > ends - within for day in orders)) if before else None
    if measure == "referrals":
        return float(sum(row["event"] == "referral_invite" for row in history))
    wanted = "referral_invite" if measure == "referral_rate" else "purchase"
    starts = [place for place, row in enumerate(history) if row["event"] in touches] if touches else [0]
    if not starts:
        return None
    began = history[starts[0]]["day"]
    if within is not None and began + within > ends:
        return None
    later = history[starts[0] + bool(touches) :]
    return float(any(r["event"] == wanted and (within is None or r["day"] - began <= within) for r in later))
