"""Sources that give Python values row by row (Excel, SQLite), taken over as a table of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import duckdb
import pyarrow as pa

from wayfare.histories.ingest.cells import quoted
from wayfare.histories.ingest.dialect import unique_names
from wayfare.histories.ingest.raw import LINE, Raw

_CHUNK = 50_000


def table_of_rows(
    con: duckdb.DuckDBPyConnection,
    table: str,
    name: str,
    header: Sequence[Any],
    rows: Iterable[tuple[int, Sequence[Any]]],
) -> Raw:
    """Rows of values, each with its line, as the table `table` of text columns; numbers and dates are written as ISO."""
    names = unique_names([text_of(value) or "" for value in header])
    columns = {LINE: "BIGINT", **dict.fromkeys(names, "VARCHAR")}
    con.execute(
        f"CREATE OR REPLACE TABLE {quoted(table)} ({', '.join(f'{quoted(column)} {kind}' for column, kind in columns.items())})"
    )
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        con.register("chunk", _arrow(names, chunk))
        con.execute(f"INSERT INTO {quoted(table)} SELECT * FROM chunk")
        con.unregister("chunk")
    return Raw(name, table, columns, 1, (), LINE, frozenset({LINE}))


def _arrow(names: Sequence[str], chunk: list[tuple[int, Sequence[Any]]]) -> pa.Table:
    lines = pa.array([line for line, _ in chunk], pa.int64())
    columns = list(zip(*(_fitted(values, len(names)) for _, values in chunk), strict=True))
    texts = [pa.array([text_of(value) for value in column], pa.string()) for column in columns]
    return pa.Table.from_arrays([lines, *texts], names=[LINE, *names])


def _fitted(values: Sequence[Any], width: int) -> Iterator[Any]:
    return islice((*values, *([None] * max(0, width - len(values)))), width)


def text_of(value: Any) -> str | None:
    """A cell as text: whole numbers without a point, dates in ISO form; None for an empty one."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 9e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)
