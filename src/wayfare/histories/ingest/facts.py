"""What the rows kept are like: customers, touchpoints, time range, three of them to look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb

from wayfare.histories.ingest.cells import Cell, quoted, trimmed
from wayfare.histories.ingest.checking import Checked
from wayfare.histories.ingest.summary import EventCount, IngestSummary
from wayfare.histories.ingest.workbench import one

_MANY_EVENTS = 500


def describe_rows(con: duckdb.DuckDBPyConnection, checked: Checked, currency: str) -> IngestSummary:
    """A summary with everything but the counts of rows and customers."""
    first, last = one(con, f"SELECT min(time), max(time) FROM {checked.usable}")
    notes = list(checked.staged.notes)
    if last is not None and last > datetime.now(UTC).timestamp() * 1e6:
        later = one(con, f"SELECT count(*) FROM {checked.usable} WHERE time > epoch_us(now())")
        notes.append(f"{later[0]:,} rows lie in the future, the latest at {iso(last)}.")
    notes += _foreign(con, checked, currency)
    return IngestSummary(
        0, 0, 0, 0, events=_events(con, checked), first=iso(first), last=iso(last),
        sample=_sample(con, checked), notes=tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _foreign(con: duckdb.DuckDBPyConnection, checked: Checked, currency: str) -> list[str]:
    """A sentence for each currency that is not the workspace's."""
    name = next((name for name in checked.staged.columns if name.casefold() == "currency"), None)
    if name is None:
        return []
    said = f"upper(trim({quoted(name)}::VARCHAR))"
    rows = con.execute(
        f"SELECT {said}, count(*) FROM {checked.usable} WHERE {said} NOT IN ('', ?) GROUP BY 1 ORDER BY 2 DESC",
        [currency.upper()],
    ).fetchall()
    return [
        f"{count:,} rows are in {other}; their values are taken as {currency}, not converted."
        for other, count in rows
    ]


def _events(con: duckdb.DuckDBPyConnection, checked: Checked) -> tuple[EventCount, ...]:
    columns = checked.staged.columns
    name = trimmed(Cell("event", columns["event"]))
    channel = trimmed(Cell("channel", columns["channel"])) if "channel" in columns else "NULL"
    query = (
        f"SELECT {name}, sum(n)::BIGINT, coalesce(arg_max(c, n) FILTER (WHERE c IS NOT NULL), '') FROM"
        f" (SELECT event, {channel} AS c, count(*) AS n FROM {checked.usable} GROUP BY ALL) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_MANY_EVENTS}"
    )
    return tuple(EventCount(*row) for row in con.execute(query).fetchall())


def _sample(con: duckdb.DuckDBPyConnection, checked: Checked) -> list[dict[str, Any]]:
    shown = ", ".join(quoted(name) for name in checked.staged.columns)
    table = con.sql(f"SELECT {shown} FROM {checked.usable} LIMIT 3").to_arrow_table()
    return [
        {name: iso(value) if name == "time" else value for name, value in row.items()}
        for row in table.to_pylist()
    ]


def iso(micros: int | None) -> str:
    """Microseconds in UTC as ISO text; empty for none."""
    if micros is None:
        return ""
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest).isoformat()
