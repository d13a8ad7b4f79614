"""Lines that stand for several rows: lists in a column, paths of touches, fields of a nested column."""

from __future__ import annotations

import duckdb

from wayfare.histories.ingest.clean import Load


def expanded(con: duckdb.DuckDBPyConnection, load: Load) -> Load:
    """The load with its lines split as its recipe says."""
    return load
