"""The results as a table for the terminal and as a page of the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.benchmarks import Benchmark, Row
from bench.buyers import AHEAD, DAYS, ORDERS_A_CUSTOMER
from bench.contenders import CONTENDERS, THREADS
from bench.events import EVENTS_A_CUSTOMER, NAMES, STEPS, Data
from bench.measure import Measured

HEAD = (
    "What is asked",
    "Of what",
    "Wayfare",
    "Peer",
    "Ratio",
    "Processor",
    "Target",
    "Memory",
    "Peer's memory",
    "",
)
PACKAGES = (
    "wayfare",
    "numpy",
    "pyarrow",
    "duckdb",
    "chdb",
    "chdb-core",
    "retentioneering",
    "pm4py",
    "Lifetimes",
    "pymc-marketing",
    "pandas",
)


def machine() -> dict[str, Any]:
    """What was measured on and with; nothing that says whose machine it is."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory": memory,
        "processor": _processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf8").splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def cells(row: Row) -> tuple[str, ...]:
    """One row of the table."""
    asked, peer = row.benchmark, row.peer
    label = CONTENDERS[asked.peer].label if asked.peer else ""
    their_memory = _memory(peer) if peer else ""
    return (
        asked.title,
        _amount(row.benchmark, row.ours.events),
        _time(row.ours),
        f"{label} {_time(peer)}" if peer else "",
        _ratio(row, row.figure),
        _ratio(row, row.busy_ratio),
        _target(row),
        _memory(row.ours) if asked.gigabytes or peer else "",
        their_memory,
        {True: "reached", False: "missed", None: ""}[row.met],
    )


def _amount(benchmark: Benchmark, events: int) -> str:
    data = Data(events, Path())
    return f"{getattr(data, benchmark.unit):,} {benchmark.unit}" if events else ""


def _time(measured: Measured) -> str:
    if measured.problem:
        return f"no time: {measured.problem}"
    best = measured.best
    return f"{best:.2g} s" if best < 1 else f"{best:.1f} s"


def _memory(measured: Measured) -> str:
    return "" if measured.problem else f"{measured.memory / 1e9:.2f} GB"


def _ratio(row: Row, ratio: float | None) -> str:
    if ratio is None or row.peer is None:
        return ""
    return (
        f"{ratio:.2g}× the time"
        if row.benchmark.kind == "multiple"
        else f"{ratio:.{0 if ratio >= 10 else 1}f}× faster"
    )


def _target(row: Row) -> str:
    asked = row.benchmark
    form = {"faster": "≥ {:g}×", "multiple": "≤ {:g}×", "seconds": "< {:g} s"}[asked.kind]
    parts = [form.format(asked.target)] if asked.target is not None else []
    parts += [f"< {asked.gigabytes:g} GB"] if asked.gigabytes is not None else []
    return ", ".join(parts)


def table(rows: Iterable[Row]) -> str:
    """The table as Markdown, its columns aligned for the terminal."""
    lines = [HEAD, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    said = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    return "\n".join([said[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *said[1:]])


def page(rows: list[Row], on: dict[str, Any]) -> str:
    """The page of the documentation."""
    dates = sorted({row.measured_on for row in rows})
    loads = [part.load for row in rows for part in (row.ours, row.peer) if part is not None]
    versions = ", ".join(f"{name} {number}" for name, number in on["packages"].items())
    unmanaged = [
        f"- {CONTENDERS[row.failed.contender].label} did not manage {_amount(row.benchmark, row.failed.events)} for "
        f"*{row.benchmark.title}*: {row.failed.problem}."
        for row in rows
        if row.failed
    ]
    return TEMPLATE.format(
        table=table(rows),
        unmanaged="\n".join(unmanaged) + "\n\n" if unmanaged else "",
        dates=" to ".join(dict.fromkeys((dates[0], dates[-1]))),
        machine=f"{on['cores']} cores ({on['processor']}), {on['memory'] / 1e9:.0f} GB of memory, {on['system']}",
        python=on["python"],
        versions=versions,
        load=f"{min(loads):.1f} to {max(loads):.1f}",
        steps=" → ".join(f"`{step}`" for step in STEPS),
        names=len(NAMES),
        each=EVENTS_A_CUSTOMER,
        threads=THREADS,
        days=DAYS,
        ahead=AHEAD,
        orders=ORDERS_A_CUSTOMER,
        lifetimes=on["packages"].get("Lifetimes", "not installed"),
    )


TEMPLATE = """# How fast, and compared with whom

<!-- Written by `python -m bench --page`; don't edit by hand. -->

Measured by `python -m bench` on *simulated* events, customers and orders. Both sides of a ratio were measured one after the other on one machine,
each contender in a process of its own, given {threads} threads. Rows may come from different runs (`--only`).

{table}

{unmanaged}Times are the best of five calls after one that warmed up (fewer where five take more than two minutes, ten for
`--help`). *Processor* is the same ratio between the seconds that all cores worked, which other work on the machine hardly
changes. Memory is the most that was resident while answering, with whatever had been loaded for it; pages of the
log that are mapped count.

## What was measured on

{machine}. Python {python}; {versions}. {dates}. The load average when a measurement began was {load}; whatever else
the machine did slows everybody, and short times most.

## What is compared

- **The events**: {names} touchpoints, {each} events a customer on average in histories of very different lengths, visits
  of a few minutes days apart, no two events of a customer in one second. Seeded: every run makes the same.
- **Funnel**: {steps}. Wayfare reads its sealed log. ClickHouse (through chdb) runs `windowFunnel` on a
  MergeTree table in the same order, merged into one part, grouping in whichever of its two ways is faster here; its
  times are whole seconds, as `windowFunnel` takes no finer ones but as plain numbers. retentioneering's `funnel_data`
  knows no window, so that row has none. The peers have ids as text, as they come. In the rows *numbered by
  hand* they were turned into numbers (and, for ClickHouse, names into an Enum) before loading, which is what an
  ingest into Wayfare does by itself. Wayfare's time includes intervals, pending customers and the quantiles of
  how long each step took, which the others don't compute. The row *how fast it could be at all* holds Wayfare's whole answer
  against `bench/floor.c`: these four steps written out by hand in C over the log's columns, counts and nothing else.
  ClickHouse's time over that loop's says how far somebody could come here who looks at every event.
- **Direct-follow counts**: retentioneering's `transition_graph_data("count")` on an Eventstream with ids numbered by
  hand, pm4py's `discover_dfg` on a formatted data frame. Loading, sorting and formatting these is not counted. Wayfare's
  time includes the customers of each step and its median time; in the row *with customers and median times*
  retentioneering is asked for these too (`"count"`, `"unique_paths"`, `"time_median"`).
- **Study**: all analyses of `wayfare analyze` with their defaults, from opening the log to the results. Those of journey and
  measurement are folds over the log; the others also fit models of who buys again.
- **BG/NBD and Pareto/NBD**: customers simulated from the model that is fitted, {days} days of record, orders recorded in whole
  days as `lifetimes.utils.summary_data_from_transaction_data` records them, times in weeks. Timed are the fit by maximum likelihood
  with the covariance of the parameters, the orders expected of each customer in the next {ahead:g} weeks, and P(alive) of each, from a
  table in memory. In days many customers are equal, which Wayfare makes use of; the row *no two customers alike* has the
  same customers with times that aren't rounded. lifetimes ({lifetimes}) fits with its defaults, which for Pareto/NBD start at
  random and compute no covariance. pymc-marketing finds its maximum a posteriori (`fit(method="map")`) with its default
  priors, again without a covariance; the code that it compiles was cached by the call that warmed up. Its and lifetimes'
  Pareto/NBD are asked for parts of the customers first, and for more where these take minutes at most. The run stops unless Wayfare's
  log-likelihood is at least as high as the peer's, both computed at their parameters by their own formulas, and the
  expected orders and P(alive) of all customers together are within 1 % of each other.
- **Summary of orders**: {orders} orders a customer on average over {days} days, in the order of time, ids as text; from a table in
  memory to frequency, recency, age and mean value of each customer. Wayfare's `wayfare.stats.btyd.summarise` on an
  Arrow table, lifetimes' `summary_data_from_transaction_data` on a pandas frame; in the row *numbered by hand*
  lifetimes has numbers for ids, Wayfare still text.
- **`opportunities`**: with its defaults, from opening the log to the result.
- **Ingest**: one CSV in the order of time. DuckDB writes it as Parquet (zstd) sorted by customer and time. Wayfare
  writes its log, with detection, quarantine and checksums.

All contenders are held to the same answers: if counts differ, the run stops. Fits are held to each other as said above.
"""
