"""`python -m bench`: measures Wayfare against its peers and prints the table."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from bench.benchmarks import BENCHMARKS, Row, row_of, run
from bench.measure import ROOT
from bench.page import machine, page, table

FOLDER = Path(__file__).resolve().parent
CACHE = FOLDER / "cache"
RESULTS = FOLDER / "results" / "results.json"
PAGE = ROOT / "docs" / "explanation" / "speed.md"
EVENTS, QUICK = 20_000_000, 1_000_000
BYTES_AN_EVENT = 250
"""On disk: the log, the Parquet, the CSV, two tables, and what sorting needs."""


def main() -> int:
    asked = _asked()
    if unknown := set(asked.only or ()) - set(BENCHMARKS):
        print(f"There is no benchmark {min(unknown)!r}; there are {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    events = QUICK if asked.quick else asked.events
    names = (
        asked.only
        if asked.only is not None
        else [name for name, its in BENCHMARKS.items() if asked.large or its.size != "large"]
    )
    if shutil.disk_usage(FOLDER).free < events * BYTES_AN_EVENT:
        print(f"The events need about {events * BYTES_AN_EVENT / 1e9:.0f} GB of disk.", file=sys.stderr)
        return 1
    rows = {row.name: row for row in _stored(asked.results)} if asked.only is not None else {}
    try:
        for name in names:
            print(f"{BENCHMARKS[name].title} (load {os.getloadavg()[0]:.1f}) …", file=sys.stderr, flush=True)
            rows[name] = run(name, events, asked.repeats, CACHE)
            _store(asked.results, list(rows.values()))
    finally:
        if not asked.keep:
            shutil.rmtree(CACHE, ignore_errors=True)
    kept = _ordered(rows.values())
    print(table(kept))
    if asked.page:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(kept, machine()), "utf8")
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="how many events (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} events")
    parser.add_argument("--large", action="store_true", help="also the study of five times the events")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these only, or none; other results stay")
    parser.add_argument(
        "--repeats", type=int, default=5, help="the best of how many calls (default %(default)s)"
    )
    parser.add_argument("--keep", action="store_true", help="keep the events that were made")
    parser.add_argument("--page", action="store_true", help="write the page of the documentation")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the results go")
    return parser.parse_args()


def _ordered(rows: object) -> list[Row]:
    return sorted(rows, key=lambda row: list(BENCHMARKS).index(row.name))  # type: ignore[call-overload]


def _stored(path: Path) -> list[Row]:
    return [row_of(row) for row in json.loads(path.read_text("utf8"))["rows"]] if path.exists() else []


def _store(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {"machine": machine(), "rows": [row.to_dict() for row in _ordered(rows)]}
    path.write_text(json.dumps(written, indent=1), "utf8")


if __name__ == "__main__":
    sys.exit(main())
