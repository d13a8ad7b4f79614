"""What is measured, against whom, and what was set out to be reached."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from bench.contenders import CONTENDERS
from bench.events import Data
from bench.measure import Measured, largest, measure

STEPS_TO_FULL = (20, 4, 1)
"""A peer that may not manage the full size is asked for these parts of it first."""
ROUNDING = 1e-9
"""Of a log-likelihood added up over a million customers by another formula."""
ALIKE = 0.01
"""Expected orders and customers alive, added up, may differ by this share: pymc-marketing's fit has priors."""
LARGE = 5
"""How many times the events of the others the large benchmark has."""


@dataclass(frozen=True)
class Benchmark:
    """One row of the table.

    Attributes:
        title: What is asked.
        ours: Our contender.
        peer: The other one, if there is one.
        kind: What is held against `target`: how many times faster than the peer, its time as a multiple of the
            peer's, or seconds.
        target: What was set out to be reached.
        gigabytes: The memory that was set out to be enough, in GB.
        size: The events: in full, the most that the peer manages, many more, or none at all.
        repeats: How many times, where it is not what the run says.
        unit: What is counted: the events, their customers, ten orders of each customer, or as many answers as customers.
        check: What both answers have in common: they are the same, or fits of which ours is as likely or likelier.
    """

    title: str
    ours: str
    peer: str | None
    kind: Literal["faster", "multiple", "seconds"]
    target: float | None
    gigabytes: float | None = None
    size: Literal["full", "managed", "large", "none"] = "full"
    repeats: int | None = None
    unit: Literal["events", "customers", "orders", "answers"] = "events"
    check: Literal["same", "fit"] = "same"


BENCHMARKS: dict[str, Benchmark] = {
    "funnel": Benchmark(
        "Funnel of four steps in 7 days", "our_windowed_funnel", "clickhouse_plain", "faster", 20
    ),
    "funnel-encoded": Benchmark(
        "… the peer's ids numbered by hand", "our_windowed_funnel", "clickhouse_encoded", "faster", None
    ),
    "funnel-floor": Benchmark(
        "… how fast it could be at all: four steps by hand, counts alone",
        "our_windowed_funnel",
        "c_loop",
        "multiple",
        None,
    ),
    "funnel-retentioneering": Benchmark(
        "Funnel of four steps, no window",
        "our_open_funnel",
        "retentioneering_funnel",
        "faster",
        10,
        size="managed",
    ),
    "funnel-retentioneering-encoded": Benchmark(
        "… the peer's ids numbered by hand",
        "our_open_funnel",
        "retentioneering_encoded_funnel",
        "faster",
        None,
        size="managed",
    ),
    "transitions-retentioneering": Benchmark(
        "Direct-follow counts",
        "our_transitions",
        "retentioneering_transitions",
        "faster",
        100,
        size="managed",
    ),
    "edges-retentioneering": Benchmark(
        "… with customers and median times",
        "our_edges",
        "retentioneering_edges",
        "faster",
        100,
        size="managed",
    ),
    "transitions-pm4py": Benchmark(
        "Direct-follow counts", "our_transitions", "pm4py", "faster", 100, size="managed"
    ),
    "journey-study": Benchmark(
        "The study's questions of journey and measurement", "our_journey_study", None, "seconds", 30, 1.5
    ),
    "study": Benchmark("The whole standard study", "our_study", None, "seconds", 30, 1.5),
    "journey-study-large": Benchmark(
        "The study's questions of journey and measurement",
        "our_journey_study",
        None,
        "seconds",
        None,
        2.0,
        "large",
        2,
    ),
    "ingest": Benchmark("CSV in, sorted log or sorted Parquet out", "our_ingest", "duckdb", "multiple", 1.5),
    "bg-nbd-lifetimes": Benchmark(
        "BG/NBD: fit, expected orders, P(alive)",
        "our_bg_nbd",
        "lifetimes_bg_nbd",
        "faster",
        20,
        unit="customers",
        check="fit",
    ),
    "bg-nbd-moments-lifetimes": Benchmark(
        "… no two customers alike",
        "our_bg_nbd_moments",
        "lifetimes_bg_nbd_moments",
        "faster",
        None,
        unit="customers",
        check="fit",
    ),
    "bg-nbd-pymc": Benchmark(
        "BG/NBD: fit, expected orders, P(alive)",
        "our_bg_nbd",
        "pymc_bg_nbd",
        "faster",
        15,
        unit="customers",
        check="fit",
    ),
    "pareto-nbd-lifetimes": Benchmark(
        "Pareto/NBD: fit, expected orders, P(alive)",
        "our_pareto_nbd",
        "lifetimes_pareto_nbd",
        "faster",
        50,
        size="managed",
        unit="customers",
        check="fit",
    ),
    "pareto-nbd-pymc": Benchmark(
        "Pareto/NBD: fit, expected orders, P(alive)",
        "our_pareto_nbd",
        "pymc_pareto_nbd",
        "faster",
        50,
        size="managed",
        unit="customers",
        check="fit",
    ),
    "summary-lifetimes": Benchmark(
        "Summary of orders", "our_summary", "lifetimes_summary", "faster", 5, unit="orders"
    ),
    "summary-lifetimes-encoded": Benchmark(
        "… the peer's ids numbered by hand",
        "our_summary",
        "lifetimes_encoded_summary",
        "faster",
        None,
        unit="orders",
    ),
    "opportunities": Benchmark(
        "`opportunities`", "our_opportunities", None, "seconds", 20, 2.0, unit="customers"
    ),
    "answers": Benchmark(
        "Kano, drivers and NPS, 1,000 draws", "our_answers", None, "seconds", 10, unit="answers"
    ),
    "canvas-evidence": Benchmark(
        "Evidence of 5,000 items, 496 bindings, 1 million events",
        "our_evidence",
        None,
        "seconds",
        10,
        size="none",
    ),
    "help": Benchmark("`wayfare --help`", "our_help", None, "seconds", 0.3, size="none", repeats=10),
}
_MET: dict[str, Callable[[Any, Any], bool]] = {
    "faster": operator.ge,
    "multiple": operator.le,
    "seconds": operator.le,
}


@dataclass(frozen=True)
class Row:
    """What came of one benchmark."""

    name: str
    measured_on: str
    ours: Measured
    peer: Measured | None = None
    failed: Measured | None = None
    """The size that the peer did not manage, where there was one."""

    @property
    def benchmark(self) -> Benchmark:
        return BENCHMARKS[self.name]

    @property
    def figure(self) -> float | None:
        """What is held against the target, or None where somebody has no time."""
        if not self._timed:
            return None
        return (
            self.ours.best
            if self.peer is None
            else self._ratio(min(self.ours.seconds), min(self.peer.seconds))
        )

    @property
    def busy_ratio(self) -> float | None:
        """The ratio between the processor's times, which what else the machine does hardly changes."""
        return self._ratio(min(self.ours.busy), min(self.peer.busy)) if self._timed and self.peer else None

    @property
    def _timed(self) -> bool:
        return bool(self.ours.seconds) and (
            self.benchmark.peer is None or bool(self.peer and self.peer.seconds)
        )

    def _ratio(self, ours: float, theirs: float) -> float:
        return theirs / ours if self.benchmark.kind == "faster" else ours / theirs

    @property
    def met(self) -> bool | None:
        """Whether the targets were reached; None where there is none, or nothing to hold against it."""
        asked, figure = self.benchmark, self.figure
        if figure is None or (asked.target is None and asked.gigabytes is None):
            return None
        fast = asked.target is None or _MET[asked.kind](figure, asked.target)
        return fast and (asked.gigabytes is None or self.ours.memory <= asked.gigabytes * 1e9)

    def to_dict(self) -> dict[str, Any]:
        """The row as it is stored."""
        return {**asdict(self), "figure": self.figure, "met": self.met}


def row_of(stored: dict[str, Any]) -> Row:
    """The row that was stored."""
    parts = {name: Measured(**stored[name]) if stored[name] else None for name in ("ours", "peer", "failed")}
    return Row(stored["name"], stored["measured_on"], **parts)  # type: ignore[arg-type]


def run(name: str, events: int, repeats: int, cache: Path) -> Row:
    """Measures one benchmark: the peer first, then us at the same size, each in a process of its own."""
    asked = BENCHMARKS[name]
    repeats, today = asked.repeats or repeats, datetime.now(UTC).date().isoformat()
    size = {"large": events * LARGE, "none": 0}.get(asked.size, events)
    if asked.peer is None:
        return Row(name, today, measure(asked.ours, _data(size, cache), repeats))
    parts = STEPS_TO_FULL if asked.size == "managed" else (1,)
    tried = largest(asked.peer, [_data(events // part, cache) for part in parts], repeats)
    managed = next((peer for peer in reversed(tried) if not peer.problem), tried[-1])
    ours = measure(asked.ours, _data(managed.events, cache), repeats)
    return Row(
        name,
        today,
        ours,
        _checked(managed, ours, asked.check),
        tried[-1] if tried[-1] is not managed else None,
    )


def _data(events: int, cache: Path) -> Data:
    data = Data(events, cache / f"{events}")
    data.folder.mkdir(parents=True, exist_ok=True)
    return data


def _checked(peer: Measured, ours: Measured, check: str) -> Measured:
    """The peer's measure, if both said the same; a ratio between different answers would mean nothing."""
    if ours.problem or peer.problem or _AGREE[check](ours.answer, peer.answer):
        return peer
    label = CONTENDERS[peer.contender].label
    raise AssertionError(f"Wayfare and {label} differ: {ours.answer} and {peer.answer}.")


def _as_likely(ours: dict[str, float], theirs: dict[str, float]) -> bool:
    """Whether our fit is at least as likely, but for rounding, and predicts about the same."""
    if not all(math.isfinite(value) for value in (*ours.values(), *theirs.values())):
        return False
    likely = ours["log_likelihood"] >= theirs["log_likelihood"] - ROUNDING * abs(theirs["log_likelihood"])
    return likely and all(abs(ours[name] / theirs[name] - 1) < ALIKE for name in ("orders", "alive"))


_AGREE: dict[str, Callable[[Any, Any], bool]] = {"same": operator.eq, "fit": _as_likely}
