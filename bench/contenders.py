"""Who is measured: each contender makes itself ready, and gives the call that is timed.

The call takes an empty folder to write to and gives its answer, so that contenders can be held to the same one.
Imports stand inside: each contender runs in a process of its own, whose memory is its own.
"""

from __future__ import annotations

import subprocess
import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import floor, repurchase
from bench.answers import our_answers
from bench.events import DAY, NAMES, STEPS, WITHIN_DAYS, Data
from bench.evidence import our_evidence

Call = Callable[[Path], Any]
THREADS = 2


def _study(data: Data) -> Any:
    from wayfare.engines.local import LocalEngine
    from wayfare.log import open_log
    from wayfare.study import Study

    return Study(open_log(data.log, engine=LocalEngine(THREADS)))


def _our_funnel(data: Data, within: str | None) -> Call:
    import wayfare as wf

    study = _study(data)
    return lambda _: wf.funnel(study.log, steps=STEPS, within=within).steps["customers"].to_pylist()


def our_windowed_funnel(data: Data) -> Call:
    return _our_funnel(data, f"{WITHIN_DAYS}d")


def our_open_funnel(data: Data) -> Call:
    return _our_funnel(data, None)


def _clickhouse(data: Data, table: str) -> Call:
    from chdb import session

    database = session.Session(str(data.clickhouse))
    steps = ", ".join(f"event = '{step}'" for step in STEPS)
    depths = f"SELECT windowFunnel({WITHIN_DAYS * DAY})(time, {steps}) AS depth FROM bench.{table} GROUP BY customer"
    counts = ", ".join(f"countIf(depth >= {n + 1})" for n in range(len(STEPS)))

    def call(in_order: int) -> list[int]:
        settings = f"max_threads = {THREADS}, optimize_aggregation_in_order = {in_order}"
        answer = database.query(f"SELECT {counts} FROM ({depths}) SETTINGS {settings}", "CSV")
        return [int(count) for count in str(answer).strip().split(",")]

    best = min((0, 1), key=lambda in_order: min(timeit.repeat(lambda: call(in_order), number=1, repeat=2)))
    return lambda _: call(best)


def clickhouse_plain(data: Data) -> Call:
    """Ids and names as text, as they come; grouped in the way that is faster here."""
    return _clickhouse(data, "plain")


def clickhouse_encoded(data: Data) -> Call:
    """Ids numbered and names coded by hand before they were loaded, as the log has them."""
    return _clickhouse(data, "encoded")


def c_loop(data: Data) -> Call:
    """What is left when nothing but the counts is wanted, and nothing but these four steps."""
    return floor.c_loop(data, THREADS)


def _eventstream(data: Data, customer: str) -> Any:
    import pandas as pd
    from retentioneering import Eventstream

    frame = pd.read_parquet(data.parquet, columns=[customer, "time", "event"])
    return Eventstream(frame, schema={"path_cols": [customer], "event_col": "event", "timestamp_col": "time"})


def _retentioneering_funnel(data: Data, customer: str) -> Call:
    stream = _eventstream(data, customer)
    return lambda _: [step["unique_paths"] for step in stream.funnel_data(steps=list(STEPS))["steps"]]


def retentioneering_funnel(data: Data) -> Call:
    return _retentioneering_funnel(data, "id")


def retentioneering_encoded_funnel(data: Data) -> Call:
    return _retentioneering_funnel(data, "number")


def retentioneering_transitions(data: Data) -> Call:
    """Numbers for ids: with text it is slower and needs more memory."""
    stream = _eventstream(data, "number")
    return lambda _: _between(stream.transition_graph_data("count").stack().items())


def retentioneering_edges(data: Data) -> Call:
    """The three calls that give what our edges hold."""
    stream = _eventstream(data, "number")

    def call(_: Path) -> list[dict[str, int]]:
        asked = [stream.transition_graph_data(weight) for weight in ("count", "unique_paths", "time_median")]
        return [_between(table.stack().items()) for table in asked[:2]]

    return call


def pm4py_transitions(data: Data) -> Call:
    import pandas as pd
    import pm4py

    frame = pd.read_parquet(data.parquet, columns=["id", "time", "event"])
    frame["time"] = frame["time"].dt.tz_localize("UTC")
    frame = pm4py.format_dataframe(frame, case_id="id", activity_key="event", timestamp_key="time")
    return lambda _: _between(pm4py.discover_dfg(frame)[0].items())


def _our_edges(data: Data, *columns: str) -> Callable[[], list[dict[str, int]]]:
    import wayfare as wf

    study = _study(data)

    def call() -> list[dict[str, int]]:
        edges = wf.transitions(study.log).edges
        names = list(zip(edges["source"].to_pylist(), edges["target"].to_pylist(), strict=True))
        return [_between(zip(names, edges[column].to_pylist(), strict=True)) for column in columns]

    return call


def our_transitions(data: Data) -> Call:
    edges = _our_edges(data, "count")
    return lambda _: edges()[0]


def our_edges(data: Data) -> Call:
    edges = _our_edges(data, "count", "customers")
    return lambda _: edges()


def _between(edges: Any) -> dict[str, int]:
    """The counts of the steps between events, without a peer's own start and end."""
    return {f"{a} > {b}": int(n) for (a, b), n in sorted(edges) if n and a in NAMES and b in NAMES}


def _our_study(data: Data, *groups: str) -> Call:
    from wayfare.registry import all_analyses
    from wayfare.report.standard import _standard, standard_study

    asked = [its for its in _standard(all_analyses()) if not groups or its.group in groups]

    # A study keeps its results, so each call has one of its own.
    def call(_: Path) -> dict[str, int]:
        outcomes = standard_study(_study(data), analyses=asked).outcomes
        return {"analyses": len(outcomes), "unanswered": sum(outcome.result is None for outcome in outcomes)}

    return call


def our_study(data: Data) -> Call:
    return _our_study(data)


def our_journey_study(data: Data) -> Call:
    """Without the models of who buys again, which are fitted to every customer over and over."""
    return _our_study(data, "journey", "measurement")


def our_ingest(data: Data) -> Call:
    from wayfare.histories.ingest import Mapping, ingest
    from wayfare.log import open_log

    mapping = Mapping.parse(customer="customer", time="time", event="event")

    def call(folder: Path) -> int:
        ingest(folder / "log", [str(data.csv)], mapping=mapping, zone="UTC", currency="EUR")
        return open_log(folder / "log").facts.rows

    return call


def duckdb_parquet(data: Data) -> Call:
    import duckdb

    def call(folder: Path) -> int:
        target = folder / "sorted.parquet"
        with duckdb.connect(config={"threads": THREADS, "temp_directory": str(folder)}) as con:
            query = f"""SELECT * FROM read_csv('{data.csv}') ORDER BY customer, "time" """
            con.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
            return con.execute(f"SELECT count(*) FROM '{target}'").fetchone()[0]

    return call


def our_help(_: Data) -> Call:
    program = Path(sys.executable).with_name("wayfare")

    def call(_: Path) -> bool:
        return (
            "Usage" in subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout
        )

    return call


@dataclass(frozen=True)
class Contender:
    """Somebody who answers: what it is called in the table, how it makes itself ready, what it needs.

    Attributes:
        label: Its name.
        ready: Gives the call that is timed.
        forms: The forms of the events that it reads.
        packages: What has to be installed, and is named with its version.
    """

    label: str
    ready: Callable[[Data], Call]
    forms: tuple[str, ...]
    packages: tuple[str, ...] = ()


CONTENDERS: dict[str, Contender] = {
    "our_windowed_funnel": Contender("Wayfare", our_windowed_funnel, ("log",)),
    "our_open_funnel": Contender("Wayfare", our_open_funnel, ("log",)),
    "our_transitions": Contender("Wayfare", our_transitions, ("log",)),
    "our_edges": Contender("Wayfare", our_edges, ("log",)),
    "our_study": Contender("Wayfare", our_study, ("log",)),
    "our_journey_study": Contender("Wayfare", our_journey_study, ("log",)),
    "our_ingest": Contender("Wayfare", our_ingest, ("csv",)),
    "our_answers": Contender("Wayfare", our_answers, ()),
    "our_evidence": Contender("Wayfare", our_evidence, ()),
    "our_help": Contender("Wayfare", our_help, ()),
    "clickhouse_plain": Contender("ClickHouse", clickhouse_plain, ("clickhouse",), ("chdb",)),
    "clickhouse_encoded": Contender("ClickHouse", clickhouse_encoded, ("clickhouse",), ("chdb",)),
    "c_loop": Contender("a loop in C", c_loop, ("log",)),
    "retentioneering_funnel": Contender(
        "retentioneering", retentioneering_funnel, ("parquet",), ("retentioneering",)
    ),
    "retentioneering_transitions": Contender(
        "retentioneering", retentioneering_transitions, ("parquet",), ("retentioneering",)
    ),
    "retentioneering_encoded_funnel": Contender(
        "retentioneering", retentioneering_encoded_funnel, ("parquet",), ("retentioneering",)
    ),
    "retentioneering_edges": Contender(
        "retentioneering", retentioneering_edges, ("parquet",), ("retentioneering",)
    ),
    "pm4py": Contender("pm4py", pm4py_transitions, ("parquet",), ("pm4py",)),
    "duckdb": Contender("DuckDB", duckdb_parquet, ("csv",), ("duckdb",)),
    "our_opportunities": Contender("Wayfare", repurchase.our_opportunities, ("log",)),
    "our_bg_nbd": Contender("Wayfare", repurchase.our_bg_nbd, ("bg_nbd",)),
    "our_bg_nbd_moments": Contender("Wayfare", repurchase.our_bg_nbd_moments, ("bg_nbd_moments",)),
    "our_pareto_nbd": Contender("Wayfare", repurchase.our_pareto_nbd, ("pareto_nbd",)),
    "our_summary": Contender("Wayfare", repurchase.our_summary, ("orders",)),
    "lifetimes_bg_nbd": Contender("lifetimes", repurchase.lifetimes_bg_nbd, ("bg_nbd",), ("lifetimes",)),
    "lifetimes_bg_nbd_moments": Contender(
        "lifetimes", repurchase.lifetimes_bg_nbd_moments, ("bg_nbd_moments",), ("lifetimes",)
    ),
    "lifetimes_pareto_nbd": Contender(
        "lifetimes", repurchase.lifetimes_pareto_nbd, ("pareto_nbd",), ("lifetimes",)
    ),
    "lifetimes_summary": Contender("lifetimes", repurchase.lifetimes_summary, ("orders",), ("lifetimes",)),
    "lifetimes_encoded_summary": Contender(
        "lifetimes", repurchase.lifetimes_encoded_summary, ("orders",), ("lifetimes",)
    ),
    "pymc_bg_nbd": Contender("pymc-marketing", repurchase.pymc_bg_nbd, ("bg_nbd",), ("pymc-marketing",)),
    "pymc_pareto_nbd": Contender(
        "pymc-marketing", repurchase.pymc_pareto_nbd, ("pareto_nbd",), ("pymc-marketing",)
    ),
}
