"""Which event follows which: the direct-follow edges of the customers' histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration, in_words
from wayfare.domain.words import counted
from wayfare.histories.block import Block, owners_of_each
from wayfare.histories.fold import Fold
from wayfare.histories.orders import one_row_an_order
from wayfare.histories.tally import Tally
from wayfare.histories.visits import SESSION_COLUMNS, by_session
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.proportions import wilson
from wayfare.stats.quantiles import bucket_of, sparse_quantile
from wayfare.study import Study

FEW = 10
"""Fewer steps than this from an event are too few to call one of them usual."""
DRAWN = 12

_DENSE = 1 << 22


@dataclass(frozen=True, kw_only=True)
class TransitionsResult(Result):
    """Every edge from an event to the one right after it, and where histories start and end."""

    edges: Annotated[
        pa.Table,
        Columns(
            source="the event",
            target="the event right after it",
            count="how often the step was made",
            customers="customers who made it at least once",
            probability="of all counted steps that leave the source",
            probability_low="95% interval (Wilson), taking steps as independent",
            probability_high="95% interval (Wilson), taking steps as independent",
            median_seconds="median time from the source to the target",
        ),
    ]
    ends: Annotated[
        pa.Table,
        Columns(
            event="the event",
            count="how often it happened",
            starts="histories (or sessions) that it is the first event of",
            ends="histories (or sessions) that it is the last event of",
            end_share="of its occurrences, those after which nothing followed",
        ),
    ]

    def draw(self) -> Picture | None:
        """The probabilities between the most frequent events, shaded."""
        if self.edges.num_rows == 0:
            return None
        total = sum(self.edges["count"].to_pylist())
        note = f"n = {total:,} steps; of all steps that leave the row's event. Empty: below 0.5%."
        return _heatmap(self, _busiest(self.ends), self.findings[0].text, note)


@dataclass(frozen=True)
class _Steps(Fold[dict[str, Any]]):
    """Counts per edge and duration, dense for a few events and sparse for many.

    Attributes:
        events: How many names of events there are.
        gap: The pause that ends a session, in µs; None where histories are whole.
        loops: Whether steps from an event to itself count.
        buckets: How many buckets hold every duration of the log; an edge's slot after them counts its customers.
        counter: What counts up to the rows of the log, as narrow as it goes.
    """

    events: int
    gap: int | None
    loops: bool
    buckets: int
    counter: np.dtype[Any]

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event", "order", *SESSION_COLUMNS)

    @property
    def slots(self) -> int:
        """How many cells an edge has."""
        return self.buckets + 1

    @property
    def dense(self) -> bool:
        return self.events**2 * self.slots <= _DENSE

    def scan(self, block: Block) -> dict[str, Any]:
        nothing = np.zeros(self.events, dtype=np.int64)
        cells = np.zeros((self.events**2 + 1) * self.slots if self.dense else 0, dtype=self.counter)
        none = {"starts": nothing, "ends": nothing, "stays": nothing, "cells": cells}
        return self.add(none if self.dense else {**none, "cells": Tally.of(cells)}, block)

    def add(self, so_far: dict[str, Any], block: Block) -> dict[str, Any]:
        block = one_row_an_order(block)
        visits = None if self.gap is None else by_session(block, self.gap)
        block = block if visits is None else visits.block
        # Narrow integers as far as they go: what is scanned per row is bound by memory.
        event: NDArray[Any] = block["event"].astype(np.int16 if self.events < 181 else np.int64)
        first, last = event[block.starts[:-1]], event[block.starts[1:] - 1]
        edge = event[:-1] * self.events
        edge += event[1:]
        edge[block.starts[1:-1] - 1] = self.events**2  # from one history to the next is no step
        stays = so_far["stays"]
        if not self.loops:
            stay = np.flatnonzero((event[1:] == event[:-1]) & (edge < self.events**2))
            stays = stays + np.bincount(event[stay], minlength=self.events)
            edge[stay] = self.events**2
        gap = np.diff(block["time"]).astype(np.float32)
        gap /= 1e6
        whose = block.owner[:-1] if visits is None else visits.customer[block.owner[:-1]]
        return {
            "starts": so_far["starts"] + np.bincount(first, minlength=self.events),
            "ends": so_far["ends"] + np.bincount(last, minlength=self.events),
            "stays": stays,
            "cells": self._counted(so_far["cells"], edge, bucket_of(gap), whose),
        }

    def _counted(
        self, cells: Any, edge: NDArray[Any], slot: NDArray[np.int32], owner: NDArray[np.int64]
    ) -> Any:
        """Counts per edge and duration, and per edge its customers; the edge after the last is none."""
        none = self.events**2
        key = edge.astype(np.int64)
        if self.dense:
            key *= self.slots
            key += slot
            np.add.at(cells, key, self.counter.type(1))
            cells[self.buckets :: self.slots] += owners_of_each(owner, edge, none + 1).astype(self.counter)
            return cells
        step = np.flatnonzero(edge < none)
        key = key[step]
        ((pairs, _),) = Tally.of(owner[step] * none + key).chunks
        whose = (pairs % none) * self.slots + self.buckets
        return cells + Tally.of(np.concatenate((key * self.slots + slot[step], whose)))

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        both = {name: left[name] + right[name] for name in ("starts", "ends", "stays")}
        into = left["cells"] if self.dense and left["cells"].flags.writeable else None
        cells = (
            np.add(left["cells"], right["cells"], out=into) if self.dense else left["cells"] + right["cells"]
        )
        return {**both, "cells": cells}


@analysis
def transitions(
    study: Study,
    *,
    unit: Literal["customer", "session"] = "customer",
    gap: Duration = Duration.parse("30m"),
    loops: bool = True,
) -> TransitionsResult:
    """What do customers do next: which event follows which, how often, and after how long?

    An edge joins an event to the one right after it in the same customer's history (the directly-follows
    relation of process mining: van der Aalst 2016, Process Mining, 6.2). Its probability is its count over all
    counted steps that leave the source, so that the probabilities of one source add up to 1; histories
    that end at the source are no step and stand in `ends`. The lines of one order are one event. Edges are
    sorted by count, then by name. Medians are read from a histogram and within 0.4% of the exact ones. An
    event with fewer than 10 steps from it is too few for a finding.

    Args:
        unit: Whether a step may bridge any time (customer) or only stay within a visit (session).
        gap: The pause that ends a session, where the unit is the session and rows have no session of their own.
        loops: Whether steps from an event to itself count; without them the others add up to 1.
    """
    names = study.log.names("event").to_list()
    facts = study.log.facts
    longest = ((facts.last or 0) - (facts.first or 0)) / 1e6
    counter = np.dtype(np.uint32 if facts.rows < 1 << 32 else np.int64)
    pause = gap.microseconds if unit == "session" else None
    fold = _Steps(len(names), pause, loops, int(bucket_of(longest)) + 1, counter)
    found = study.fold(fold)
    edges = _edges(found["cells"], names, fold.slots)
    ends = _ends(found, edges, names)
    return TransitionsResult(edges=edges, ends=ends, findings=_findings(edges, ends, unit))


def _edges(cells: Any, names: list[str], slots: int) -> pa.Table:
    if isinstance(cells, Tally):
        keys, counts = cells.counted()
    else:
        keys = np.flatnonzero(cells[: len(names) ** 2 * slots])
        counts = cells[keys].astype(np.int64)
    edge, slot = np.divmod(keys, slots)
    step = slot < slots - 1
    which, median = sparse_quantile(edge[step], slot[step], counts[step], 0.5)
    count = _sums(np.searchsorted(which, edge[step]), counts[step], len(which))
    source, target = np.divmod(which, max(len(names), 1))
    leaving = _sums(source, count, len(names))[source]
    label = np.array(names, dtype=object)
    order = sorted(range(len(which)), key=lambda i: (-count[i], names[source[i]], names[target[i]]))
    certain = wilson(count, leaving)
    columns = {
        "source": label[source], "target": label[target], "count": count, "customers": counts[~step],
        "probability": count / leaving, "probability_low": certain.low, "probability_high": certain.high,
        "median_seconds": median,
    }  # fmt: skip
    text = {"source": pa.string(), "target": pa.string()}
    return pa.table({k: pa.array(v[order], text.get(k)) for k, v in columns.items()})


def _sums(group: NDArray[np.int64], counts: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    total = np.zeros(groups, dtype=np.int64)
    np.add.at(total, group, counts)
    return total


def _ends(found: dict[str, Any], edges: pa.Table, names: list[str]) -> pa.Table:
    code = {name: index for index, name in enumerate(names)}
    source = np.array([code[name] for name in edges["source"].to_pylist()], dtype=np.int64)
    # Whatever is seen is left for another event, repeated, or the last.
    seen = _sums(source, edges["count"].to_numpy(), len(names)) + found["stays"] + found["ends"]
    order = sorted(np.flatnonzero(seen), key=lambda code: (-seen[code], names[code]))
    ends = found["ends"][order]
    return table(
        event=pa.array([names[code] for code in order], pa.string()),
        count=seen[order], starts=found["starts"][order], ends=ends, end_share=ends / seen[order],
    )  # fmt: skip


def _findings(edges: pa.Table, ends: pa.Table, unit: str) -> tuple[Finding, ...]:
    rows = edges.to_pylist()
    leaving: dict[str, int] = {}
    for row in rows:
        leaving[row["source"]] = leaving.get(row["source"], 0) + row["count"]
    usual = next((r for r in rows if r["source"] != r["target"] and leaving[r["source"]] >= FEW), None)
    said = [_usual(usual, leaving[usual["source"]])] if usual else []
    said += _loops([row for row in rows if row["source"] == row["target"]], sum(leaving.values()))
    if not said:
        return (Finding(f"Too few to say what follows what (n = {counted(sum(leaving.values()), 'step')})."),)
    last = max(ends.to_pylist(), key=lambda row: row["ends"])
    total = sum(ends["ends"].to_pylist())
    histories = "sessions" if unit == "session" else "histories"
    stop = f"{last['ends']:,} of {total:,} {histories} end with it ({last['ends'] / total:.0%})"
    return (*said, Finding(f"{last['event']} is the most common last event: {stop}."))


def _usual(row: dict[str, Any], leaving: int) -> Finding:
    text = (
        f"The most frequent step is from {row['source']} to {row['target']}: {row['probability']:.0%} of {leaving:,} steps "
        f"from there, {row['customers']:,} customers, after {in_words(row['median_seconds'])} (median)."
    )
    return Finding(text)


def _loops(loops: list[dict[str, Any]], steps: int) -> list[Finding]:
    """The finding that names events followed by themselves, where these are not negligible."""
    many = [row for row in loops if row["count"] >= FEW]
    if not many:
        return []
    named = ", ".join(f"{row['source']} ({row['probability']:.0%} of the steps from it)" for row in many[:3])
    more = f" and {len(many) - 3} more" if len(many) > 3 else ""
    share = sum(row["count"] for row in loops) / steps
    return [Finding(f"Customers repeat the same event in {share:.0%} of all steps: {named}{more}.")]


def _busiest(ends: pa.Table) -> list[str]:
    return ends["event"].to_pylist()[:DRAWN]


def _heatmap(result: TransitionsResult, shown: list[str], title: str, note: str) -> Picture:
    import altair as alt

    from wayfare.charts import theme
    from wayfare.charts.plots import picture

    rows = [row for row in result.edges.to_pylist() if row["source"] in shown and row["target"] in shown]
    data = pa.Table.from_pylist([row for row in rows if row["probability"] >= 0.005]).to_pandas()
    across = alt.Axis(
        orient="top", labelAngle=-40, labelAlign="left", domain=False, ticks=False, labelLimit=160
    )
    base = alt.Chart(data).encode(
        x=alt.X("target:N", title=None, sort=shown, axis=across, scale=alt.Scale(domain=shown)),
        y=alt.Y("source:N", title=None, sort=shown, scale=alt.Scale(domain=shown)),
    )
    dark = max(row["probability"] for row in rows) * 0.55 if rows else 0.0
    cells = base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=alt.Color("probability:Q", legend=None)
    )
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text("probability:Q", format=".0%"),
        color=alt.condition(f"datum.probability > {dark}", alt.value("white"), alt.value(theme.INK)),
    )
    subtitle = f"Where a step from each event (down) leads (across); the {len(shown)} most frequent events"
    drawn = alt.layer(cells, text).properties(width={"step": 46}, height={"step": 28})
    return picture(drawn, title, subtitle, note)
