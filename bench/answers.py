"""Our contender for surveys: Kano, drivers and NPS of as many simulated answers as there are customers elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.events import Data

SEED = 20_240_103
QUESTIONS = 10
"""Four ratings, the overall one, the recommendation, and four Kano pairs."""
DRAWS = 1_000
_KANO = ("like", "must_be", "neutral", "live_with", "dislike")
_FUNCTIONAL, _DYSFUNCTIONAL = (0.5, 0.1, 0.2, 0.1, 0.1), (0.1, 0.1, 0.2, 0.1, 0.5)


def our_answers(data: Data) -> Callable[[Path], Any]:
    import wayfare as wf

    table = answers(max(data.answers // QUESTIONS, 50))
    columns = {name: name for name in table.column_names if name not in ("customer", "time", "event")}
    log = wf.read_events(table, customer="customer", time="time", event="event", **columns)

    def call(_: Path) -> int:
        kano = wf.kano(log, draws=DRAWS).tables["features"]["n"].to_pylist()
        rated = wf.drivers(log, draws=DRAWS).tables["drivers"]["n"].to_pylist()[:1]
        return sum(kano) + sum(rated) + wf.nps(log).tables["scores"]["n"].to_pylist()[0]

    return call


def answers(respondents: int) -> Any:
    """What each respondent answered to every question, as rows of a log."""
    import numpy as np
    import pyarrow as pa

    rng = np.random.default_rng(SEED)
    who = pa.array([f"c{number:08d}" for number in range(respondents)])
    when = pa.array(np.datetime64("2024-01-01", "us") + rng.integers(0, 200, respondents).astype("m8[D]"))
    mood = rng.integers(1, 11, respondents)

    def rows(question: str, kind: str, **columns: Any) -> Any:
        none = pa.nulls(respondents, pa.string())
        said = {
            "score": pa.nulls(respondents, pa.float64()),
            "feature": none,
            "functional": none,
            "dysfunctional": none,
        }
        said |= columns
        text = {"event": "survey_answer", "question": question, "question_kind": kind}
        repeated = {name: pa.repeat(pa.scalar(value), respondents) for name, value in text.items()}
        return pa.table({"customer": who, "time": when, **repeated, **said})

    def rated(low: int) -> Any:
        return pa.array(np.clip(mood + rng.integers(-2, 3, respondents), low, 10).astype(float))

    def felt(shares: tuple[float, ...]) -> Any:
        return pa.array(_KANO).take(pa.array(rng.choice(len(_KANO), respondents, p=shares)))

    parts = [
        rows(name, "rating", score=rated(1)) for name in ("taste", "price", "delivery", "shop", "overall")
    ]
    parts.append(rows("recommend", "nps", score=rated(0)))
    for name in ("tracking", "wrapping", "samples", "refills"):
        feature = pa.repeat(pa.scalar(name), respondents)
        pair = {"functional": felt(_FUNCTIONAL), "dysfunctional": felt(_DYSFUNCTIONAL)}
        parts.append(rows(name, "kano", feature=feature, **pair))
    return pa.concat_tables(parts)
