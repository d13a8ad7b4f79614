"""Scores with their intervals: what `nps`, `csat` and `ces` have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._score_scales import POINTS
from wayfare.analyses.satisfaction._answers import ORDERS, Counted
from wayfare.charts.picture import Picture
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.multiplicity import holm
from wayfare.stats.poststratification import PostStratification, post_stratify, response_bias
from wayfare.stats.proportions import Difference
from wayfare.stats.satisfaction import Score

TOO_FEW = 10
_LEVEL = 0.05


@dataclass(frozen=True)
class Measure:
    """How a figure is made of counts of scores.

    Attributes:
        name: Of the figure, for people.
        definition: The question, the scale and what is computed, with its source.
        values: The scale's whole points, from low to high.
        unit: `points` (−100 to 100), `share`, or `mean` on the scale.
        score: From counts (..., points of the scale) to the figure.
        difference: From two such counts to how far the first is above the second.
        higher_is_better: Whether a higher figure is a better one.
    """

    name: str
    definition: str
    values: tuple[int, ...]
    unit: str
    score: Callable[[Any], Score]
    difference: Callable[[Any, Any], Difference]
    higher_is_better: bool = True

    def said(self, value: float) -> str:
        """The figure as people read it."""
        if self.unit == "share":
            return f"{value:.1%}"
        return f"{value:.0f}".replace("-", "−") if self.unit == "points" else f"{value:.2f}"

    def apart(self, value: float) -> str:
        """A difference as people read it."""
        if self.unit == "share":
            return f"{abs(value) * 100:.1f} points"
        return f"{abs(value):.0f} points" if self.unit == "points" else f"{abs(value):.2f}"


@dataclass(frozen=True, kw_only=True)
class ScoresResult(Result):
    """One figure of satisfaction: in all, by touchpoint, stage and month, and what those who are silent might add."""

    observational = (
        "customers chose whether to answer, and nobody chose by lot what they had met before. Weighting makes up for "
        "differences in first channel and orders only."
    )

    scores: Annotated[
        pa.Table,
        Columns(
            group="all answers, a touchpoint, a stage, a month or a value of the property",
            score="the figure, as the definition says",
            low="lower end of its 95% interval",
            high="upper end of its 95% interval",
            n="answers",
            response_rate="of the customers who were there to answer (met it, were active then, or were invited), the share that did; null for people who are not in the log",
            dimension="what kind of group it is; `weighted`: all answers, weighted to the customers by first channel and orders",
            difference="from all other answers of the dimension; of a month, from the month before",
            difference_low="lower end of its 95% interval",
            difference_high="upper end of its 95% interval",
            p_adjusted="of the difference, by Holm over the dimension",
        ),
    ]
    answers: Annotated[
        pa.Table,
        Columns(
            answer="the point of the scale",
            count="how many answers gave it",
            share="their share of all answers",
        ),
    ]
    bias: Annotated[
        pa.Table,
        Columns(
            attribute="`first channel` or `orders`",
            level="its value",
            customers="customers who were there to answer",
            answered="of them, those who did",
            response_rate="the share that answered",
            low="lower end of its 95% interval (Wilson)",
            high="upper end of its 95% interval (Wilson)",
            answered_share="the level's share of those who answered",
            customers_share="its share of the customers",
            p="of equal response rates in all levels (χ²)",
        ),
    ]
    definition: Annotated[pa.Table, Columns(term="what is said", text="how it is meant here")]

    def draw(self) -> Picture | None:
        """A dot a group with its interval: in all, by touchpoint, and by month."""
        from wayfare.analyses.satisfaction._scores_chart import dots

        return dots(self) if self.scores.num_rows else None


def tables(counted: Counted, measure: Measure) -> dict[str, pa.Table]:
    """The tables of a result."""
    low, high = measure.values[0], measure.values[-1]
    on_scale = counted.scores[:, low : high + 1]
    weights = _weights(counted)
    return {
        "scores": _scores(counted, on_scale, measure, weights),
        "answers": _distribution(on_scale[0] if len(on_scale) else np.zeros(high + 1 - low), measure),
        "bias": _bias(counted),
        "definition": _definition(counted, measure, weights),
    }


def _scores(
    counted: Counted, on_scale: NDArray[np.int64], measure: Measure, weights: PostStratification | None
) -> pa.Table:
    score = measure.score(on_scale)
    response = np.divide(
        counted.answered, counted.there, out=np.full(len(on_scale), np.nan), where=counted.there > 0
    )
    dimension = [kind for kind, _ in counted.groups]
    difference, low, high, p = _differences(dimension, on_scale, measure)
    columns = {
        "group": pa.array([name for _, name in counted.groups], pa.string()),
        "score": score.score, "low": score.low, "high": score.high, "n": on_scale.sum(axis=1),
        "response_rate": np.where(counted.answered > 0, np.minimum(response, 1.0), np.nan),
        "dimension": pa.array(dimension, pa.string()),
        "difference": difference, "difference_low": low, "difference_high": high, "p_adjusted": p,
    }  # fmt: skip
    made = table(**columns)
    if weights is None:
        return made
    lows, highs = measure.values[0], measure.values[-1] + 1
    effective = weights.effective(counted.cells_scores.reshape(-1, POINTS)[:, lows:highs])
    whole = measure.score(effective)
    row = {name: pa.nulls(1, made.schema.field(name).type) for name in made.column_names}
    row |= {
        "group": pa.array(["all answers, weighted"]), "score": pa.array([float(whole.score)]),
        "low": pa.array([float(whole.low)]), "high": pa.array([float(whole.high)]),
        "n": pa.array([int(weights.n)]), "dimension": pa.array(["weighted"]),
    }  # fmt: skip
    return pa.concat_tables([made.slice(0, 1), pa.table(row), made.slice(1)]).combine_chunks()


def _differences(
    dimension: list[str], counts: NDArray[np.int64], measure: Measure
) -> tuple[NDArray[np.float64], ...]:
    """Of each group against the others of its dimension, months against the month before; p by Holm."""
    estimate, low, high, adjusted = np.full((4, len(counts)), np.nan)
    for kind in sorted(set(dimension) - {"all"}):
        mine = np.flatnonzero(np.array(dimension) == kind)
        own = counts[mine]
        others = (
            np.concatenate((np.zeros_like(own[:1]), own[:-1])) if kind == "month" else own.sum(axis=0) - own
        )
        enough = (own.sum(axis=1) >= TOO_FEW) & (others.sum(axis=1) >= TOO_FEW)
        if not enough.any():
            continue
        mine, apart = mine[enough], measure.difference(own[enough], others[enough])
        estimate[mine], low[mine], high[mine] = apart.estimate, apart.low, apart.high
        adjusted[mine] = holm(np.atleast_1d(apart.p))
    return estimate, low, high, adjusted


def _distribution(counts: NDArray[Any], measure: Measure) -> pa.Table:
    total = counts.sum()
    share = counts / total if total else np.full(len(counts), np.nan)
    return table(answer=np.array(measure.values), count=counts.astype(np.int64), share=share)


def _weights(counted: Counted) -> PostStratification | None:
    """What answers weigh, where customers are of more than one kind and enough answered."""
    answers = counted.cells_scores.sum(axis=-1).ravel()
    if answers.sum() < TOO_FEW or np.count_nonzero(counted.cells) < 2:
        return None
    return post_stratify(answers, counted.cells.ravel())


def _bias(counted: Counted) -> pa.Table:
    parts: list[tuple[Any, ...]] = []
    channels = [*counted.channels, "(none)"]
    for attribute, axis, levels in (("first channel", 1, channels), ("orders", 0, ORDERS)):
        customers, answered = counted.cells.sum(axis=axis), counted.cells_answered.sum(axis=axis)
        there = np.flatnonzero(customers)
        if not answered.sum() or len(there) < 2:
            continue
        found = response_bias(answered[there], customers[there])
        columns = (
            customers[there], answered[there], found.response_rate, found.low, found.high, found.answered_share,
            found.base_share,
        )  # fmt: skip
        parts += [(attribute, levels[i], *row, found.p) for i, *row in zip(there, *columns, strict=True)]
    named = ScoresResult.columns()["bias"]
    types = [pa.string(), pa.string(), pa.int64(), pa.int64(), *[pa.float64()] * 6]
    return pa.table({name: pa.array([row[i] for row in parts], types[i]) for i, name in enumerate(named)})


def _definition(counted: Counted, measure: Measure, weights: PostStratification | None) -> pa.Table:
    said = {measure.name: measure.definition, "unit": measure.unit}
    if weights is not None:
        said["weighted"] = (
            f"Answers of each first channel and number of orders count as much as customers of that kind: "
            f"{weights.effective_n:,.0f} effective answers of {weights.n:,.0f}, for {weights.covered:.0%} of the customers."
        )
    if counted.anonymous:
        said["anonymous"] = (
            f"{counted.anonymous:,} answers of people who stayed anonymous count, but in no response rate."
        )
    return table(term=list(said), text=list(said.values()))


def findings(result: dict[str, pa.Table], measure: Measure) -> tuple[Finding, ...]:
    """What the figure is, where it is lowest beyond chance, what changed, and who is silent."""
    rows = result["scores"].to_pylist()
    if not rows or rows[0]["n"] < TOO_FEW:
        n = rows[0]["n"] if rows else 0
        return (Finding(f"Too few to say: {n} answers to {measure.name} questions."),)
    whole = rows[0]
    rate = whole["response_rate"]
    answered = "" if rate is None or np.isnan(rate) else f"; {rate:.0%} of the customers answered"
    said = [
        Finding(
            f"{measure.name} is {measure.said(whole['score'])} (95% interval {measure.said(whole['low'])} to "
            f"{measure.said(whole['high'])}, {whole['n']:,} answers{answered})."
        )
    ]
    return (*said, *_worst(rows, measure), *_changed(rows, measure), *_silent(rows, result["bias"], measure))


def _sure(row: dict[str, Any]) -> bool:
    return row["p_adjusted"] is not None and row["p_adjusted"] < _LEVEL


def _worst(rows: list[dict[str, Any]], measure: Measure) -> list[Finding]:
    sign = 1 if measure.higher_is_better else -1
    clear = [r for r in rows if r["dimension"] not in ("month", "all", "weighted") and _sure(r)]
    worse = [r for r in clear if sign * r["difference"] < 0]
    if not worse:
        return []
    row = min(worse, key=lambda r: (sign * r["difference"] * r["n"], r["group"]))
    return [
        Finding(
            f"Worst is {row['group']}: {measure.said(row['score'])}, {measure.apart(row['difference'])} from the other "
            f"answers (n = {row['n']:,}, p {_p(row['p_adjusted'])} after Holm's correction).",
            customers=row["n"],
        )
    ]


def _changed(rows: list[dict[str, Any]], measure: Measure) -> list[Finding]:
    clear = [r for r in rows if r["dimension"] == "month" and _sure(r)]
    if not clear:
        return []
    row = clear[-1]
    way = "rose" if row["difference"] > 0 else "fell"
    return [
        Finding(
            f"It {way} by {measure.apart(row['difference'])} in {row['group']}, to {measure.said(row['score'])} "
            f"(n = {row['n']:,}, p {_p(row['p_adjusted'])} after Holm's correction)."
        )
    ]


def _silent(rows: list[dict[str, Any]], bias: pa.Table, measure: Measure) -> list[Finding]:
    weighted = next((r for r in rows if r["dimension"] == "weighted"), None)
    uneven = [r for r in bias.to_pylist() if r["p"] is not None and r["p"] < _LEVEL]
    if weighted is None or not uneven:
        return []
    most = max(uneven, key=lambda r: (r["answered_share"] - r["customers_share"], r["level"]))
    whose = "who came by" if most["attribute"] == "first channel" else "with"
    text = (
        f"Those who answered are not like all customers: customers {whose} {most['level']} are {most['answered_share']:.0%} of them "
        f"and {most['customers_share']:.0%} of all. Weighted to the customers it is {measure.said(weighted['score'])} "
        f"({measure.said(weighted['low'])} to {measure.said(weighted['high'])})."
    )
    return [Finding(text)]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
