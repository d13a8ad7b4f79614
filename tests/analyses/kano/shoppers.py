"""Simulated customers who rate, order again and leave, with planted effects of what they rated."""

from __future__ import annotations

import numpy as np
import pandas as pd

import wayfare as wf

RATED = ("delivery", "price", "surprise", "logo")
PENALTY = np.array([-1.8, -0.9, 0.0, 0.0])
REWARD = np.array([0.0, 0.9, 1.5, 0.0])
"""Points of the overall rating (1 to 10): delivery only hurts, price does both, the surprise only pleases."""
LOG_ODDS_LOW = np.array([-1.3, -0.5, 0.0, 0.0])
LOG_ODDS_HIGH = np.array([0.0, 0.5, 0.8, 0.0])
"""Of ordering again within 80 days."""
START = pd.Timestamp("2024-01-01")


def ratings(customers: int, seed: int) -> np.ndarray:
    """Answers from 1 to 5, question by question independent (customers, 4)."""
    return np.random.default_rng(seed).choice([1, 2, 3, 4, 5], (customers, 4), p=[0.1, 0.15, 0.3, 0.25, 0.2])


def shoppers(customers: int = 2500, seed: int = 4) -> pd.DataFrame:
    """One to a few orders before the answers, all at one moment, and another order for some."""
    rng = np.random.default_rng(seed + 1)
    given = ratings(customers, seed)
    low, high = given <= 2, given >= 4
    overall = np.clip(np.rint(6 + low @ PENALTY + high @ REWARD + rng.normal(0, 1, customers)), 1, 10)
    again = rng.random(customers) < 1 / (1 + np.exp(-(-0.2 + low @ LOG_ODDS_LOW + high @ LOG_ODDS_HIGH)))
    days = rng.integers(0, 200, customers)
    parts = [_orders(days - 5 - 20 * back, rng, rng.poisson(1, customers) >= back) for back in (0, 1, 2)]
    parts.append(_orders(days + rng.integers(1, 80, customers), rng, again))
    for place, question in enumerate(RATED):
        parts.append(_answers(days, question, "rating", given[:, place].astype(float)))
    parts.append(_answers(days, "overall", "csat", overall))
    parts.append(pd.DataFrame({"customer": ["zz"], "day": [400], "event": ["visit"]}))
    return _timed(pd.concat(parts, ignore_index=True))


def _orders(days: np.ndarray, rng: np.random.Generator, who: np.ndarray) -> pd.DataFrame:
    number = np.flatnonzero(who)
    value = rng.gamma(4, 10, len(days)).round(2)
    return pd.DataFrame(
        {
            "customer": [f"c{i:05d}" for i in number],
            "day": days[number],
            "event": "purchase",
            "value": value[number],
        }
    )


def _answers(days: np.ndarray, question: str, kind: str, scores: np.ndarray) -> pd.DataFrame:
    customers = [f"c{i:05d}" for i in range(len(days))]
    return pd.DataFrame({"customer": customers, "day": days, "event": "survey_answer", "survey": "s", "question": question,
                         "question_kind": kind, "score": scores})  # fmt: skip


def _timed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(time=START + pd.to_timedelta(frame["day"], unit="D")).drop(columns="day")


def read(frame: pd.DataFrame) -> wf.Log:
    columns = {name: name for name in frame.columns if name not in ("customer", "time", "event")}
    return wf.read_events(frame, customer="customer", time="time", event="event", **columns)


def rows_of(table, *keys: str):
    return {tuple(row[key] for key in keys): row for row in table.to_pylist()}
