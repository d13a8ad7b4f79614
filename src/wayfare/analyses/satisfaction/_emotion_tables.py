"""The tables of `emotion`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.satisfaction._emotion_gathered import Gathered, Said
from wayfare.analyses.satisfaction._emotion_strands import cluster_sums
from wayfare.analyses.satisfaction._emotion_themes import Theme
from wayfare.domain.journey import STAGES
from wayfare.stats.proportions import ratio_interval, wilson
from wayfare.stats.text_sentiment import Reader, Sentiment

TOO_FEW = 10
"""Under so many customers there is no interval, and nothing is said."""
STRANDS = ("scores", "sentiment", "friction")
FEW, UNREAD = "too few to say", "no reader predicts ratings"
_STAGES = [stage.value for stage in STAGES]
_POINT = pa.schema(
    [("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64()), ("n", pa.int64()), ("customers", pa.int64())]
)  # fmt: skip
Row = dict[str, Any]


def points(gathered: Gathered, sentiment: Sentiment) -> tuple[list[Row], list[Row]]:
    """A point for each stage and strand, and for each touchpoint and strand of which there is something."""
    stages, size = len(STAGES), len(gathered.touchpoints)
    said, counts = gathered.said, gathered.friction
    _, who = np.unique(said.customer, return_inverse=True)
    read = np.clip(sentiment.rating, -1, 1) if sentiment.chosen else np.zeros(len(said.text))
    at, met = cluster_sums(said.stage, who, read, stages), cluster_sums(said.met, who, read, size)
    curve = {
        "scores": _means(gathered.sums[:stages], "no scores"),
        "sentiment": _means(at, "no comments", "" if sentiment.chosen else UNREAD),
        "friction": _shares(counts["met_by"], counts["there"], counts["events"][:stages].sum(axis=1), gathered),
    }  # fmt: skip
    by_touchpoint = {
        "scores": _means(gathered.sums[stages:], "no scores"),
        "sentiment": _means(met, "no comments", "" if sentiment.chosen else UNREAD),
        "friction": _shares(
            counts["met_at_touchpoint"], counts["at_touchpoint"], counts["events_at_touchpoint"], gathered
        ),
    }
    first = [
        {"stage": stage, "strand": strand, **curve[strand][number]}
        for number, stage in enumerate(_STAGES)
        for strand in STRANDS
    ]
    second = [
        {"touchpoint": gathered.touchpoints[number], "strand": strand, **row}
        for strand in STRANDS
        for number, row in enumerate(by_touchpoint[strand])
        if row["n"]
    ]
    second.sort(key=lambda row: (STRANDS.index(row["strand"]), -row["n"], row["touchpoint"]))
    return first, second


def _means(sums: NDArray[np.float64], none: str, unread: str = "") -> list[Row]:
    """Means with intervals clustered in customers, group by group."""
    rows = []
    for total, n, squares, products, sizes, clusters in sums.tolist():
        row: Row = {"value": None, "low": None, "high": None, "n": int(n), "customers": int(clusters)}
        note = none if not n else unread
        if not note:
            row["value"] = total / n
            note = FEW if clusters < TOO_FEW else ""
        if not note:
            interval = ratio_interval(total, n, squares, products, sizes, clusters)
            row["low"], row["high"] = max(float(interval.low), -1.0), min(float(interval.high), 1.0)
        rows.append({**row, "note": note})
    return rows


def _shares(
    met: NDArray[np.int64], there: NDArray[np.int64], events: NDArray[np.int64], gathered: Gathered
) -> list[Row]:
    """How far friction pulls down, 0 to −1: minus the share of customers who met it."""
    rows = []
    for some, everyone, n in zip(met.tolist(), there.tolist(), events.tolist(), strict=True):
        row: Row = {"value": None, "low": None, "high": None, "n": n, "customers": everyone}
        note = "" if everyone else "nobody was here"
        note = note if gathered.trouble.sorts else "no event is friction"
        if not note:
            row["value"] = -some / everyone if some else 0.0
            note = FEW if everyone < TOO_FEW else ""
        if not note:
            interval = wilson(some, everyone)
            row["low"], row["high"] = -float(interval.high), 0.0 - float(interval.low)
        rows.append({**row, "note": note})
    return rows


def point_table(name: str, rows: list[Row]) -> pa.Table:
    """Points as a table; `name` is what each stands at."""
    text = [pa.field(column, pa.string()) for column in (name, "strand")]
    return pa.Table.from_pylist(rows, pa.schema([*text, *_POINT, pa.field("note", pa.string())]))


def theme_table(themes: list[Theme], said: Said) -> pa.Table:
    """The themes with how many comments are about them and how these were rated."""
    _, who = np.unique(said.customer, return_inverse=True)
    rows = []
    for theme in themes:
        of = theme.members
        one = cluster_sums(np.zeros(len(of), dtype=np.int64), who[of], said.rating[of], 1)
        rated = _means(one, "none")[0]
        stage = np.bincount(said.stage[of][said.stage[of] >= 0], minlength=len(STAGES))
        rows.append(
            {
                "theme": theme.name,
                "comments": len(of),
                "share": len(of) / len(said.text),
                "mean_rating": rated["value"],
                "low": rated["low"],
                "high": rated["high"],
                "stage": _STAGES[int(stage.argmax())] if stage.any() else "none",
                "quote": theme.quote,
                "rated": rated["n"],
                "customers": len(np.unique(who[of])),
            }
        )
    kinds = [
        ("theme", pa.string()), ("comments", pa.int64()), ("share", pa.float64()), ("mean_rating", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("stage", pa.string()), ("quote", pa.string()),
        ("rated", pa.int64()), ("customers", pa.int64()),
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema(kinds))


def apart_alike(gathered: Gathered, stage: str, other: str) -> tuple[float, float] | None:
    """How far the scores of `stage` are above those of `other` on the questions that both have, and these questions'
    share of the scores of `stage`; None where no question has scores at both.

    Differences are weighted by n·m / (n + m), as if of one question.
    """
    here, there = _STAGES.index(stage), _STAGES.index(other)
    parts, shared = [], 0.0
    for counts in gathered.asked.values():
        (n, x), (m, y) = counts[here], counts[there]
        if n and m:
            parts.append((n * m / (n + m), x / n - y / m))
            shared += n
    if not parts:
        return None
    weight = sum(w for w, _ in parts)
    everything = sum(float(counts[here, 0]) for counts in gathered.asked.values())
    return sum(w * d for w, d in parts) / weight, shared / everything


def spoken_at(themes: list[Theme], said: Said) -> dict[str, dict[str, int]]:
    """How many comments each theme has at each stage where it has any."""
    return {
        stage: {
            theme.name: count for theme in themes if (count := int((said.stage[theme.members] == n).sum()))
        }
        for n, stage in enumerate(_STAGES)
    }


def reader_table(sentiment: Sentiment, absent: str) -> pa.Table:
    """The readers that were tried, and VADER where it could not be."""

    def row(reader: Reader) -> Row:
        note = "" if reader.predicts else "does not predict"
        return {
            "reader": reader.name, "skill": reader.skill, "low": reader.low, "high": reader.high,
            "n": sentiment.rated, "chosen": reader.name == sentiment.chosen, "note": note,
        }  # fmt: skip

    rows = [row(reader) for reader in sentiment.readers]
    if not rows:
        rows = [_untried("model", sentiment.rated, FEW)]
        rows += [] if absent else [_untried("vader", sentiment.rated, FEW)]
    if absent:
        rows.append(_untried("vader", sentiment.rated, absent))
    kinds = [
        ("reader", pa.string()), ("skill", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("n", pa.int64()), ("chosen", pa.bool_()), ("note", pa.string()),
    ]  # fmt: skip
    return pa.Table.from_pylist(sorted(rows, key=lambda r: (not r["chosen"], r["reader"])), pa.schema(kinds))


def _untried(name: str, rated: int, why: str) -> Row:
    return {"reader": name, "skill": None, "low": None, "high": None, "n": rated, "chosen": False, "note": why}  # fmt: skip


def friction_table(gathered: Gathered) -> pa.Table:
    """What counted as friction, where, and how many customers met it."""
    counts = gathered.friction
    rows: list[Row] = []
    for number, stage in enumerate([*_STAGES, "none"]):
        everyone = int(counts["there"][number]) if number < len(STAGES) else 0
        for sort, (event, kind) in enumerate(gathered.trouble.sorts):
            customers, events = int(counts["customers"][number, sort]), int(counts["events"][number, sort])
            if not events:
                continue
            known = everyone >= TOO_FEW
            interval = wilson(customers, everyone) if known else None
            rows.append(
                {
                    "event": event, "kind": kind, "stage": stage, "customers": customers,
                    "share": customers / everyone if everyone else None,
                    "low": float(interval.low) if interval else None,
                    "high": float(interval.high) if interval else None,
                    "events": events,
                }
            )  # fmt: skip
    rows.sort(key=lambda row: (-row["customers"], row["event"], row["kind"], row["stage"]))
    kinds = [
        ("event", pa.string()), ("kind", pa.string()), ("stage", pa.string()), ("customers", pa.int64()),
        ("share", pa.float64()), ("low", pa.float64()), ("high", pa.float64()), ("events", pa.int64()),
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema(kinds))


def scale_table(gathered: Gathered) -> pa.Table:
    """The questions whose scores count, with the scale that each was put on."""
    rows = [
        {
            "question": question, "kind": kind, "worst": scale.worst if scale else None,
            "best": scale.best if scale else None, "source": scale.source if scale else "unknown: left out", "n": n,
        }
        for question, kind, scale, n in gathered.scales
    ]  # fmt: skip
    kinds = [
        ("question", pa.string()), ("kind", pa.string()), ("worst", pa.float64()), ("best", pa.float64()),
        ("source", pa.string()), ("n", pa.int64()),
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema(kinds))
