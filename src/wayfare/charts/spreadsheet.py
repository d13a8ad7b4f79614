"""Tables as CSV that no spreadsheet runs."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from wayfare.domain.formula import MARK, RUNS, harmless


def csv_of(table: pa.Table, *, header: bool = True) -> bytes:
    """The table as CSV, its first line the columns' names unless it goes on from another; text that a spreadsheet would run as a formula gets an apostrophe before it."""
    columns = {harmless(name): _safe(table.column(name)) for name in table.column_names}
    sink = io.BytesIO()
    csv.write_csv(pa.table(columns), sink, csv.WriteOptions(include_header=header, quoting_style="needed"))
    return sink.getvalue()


def _safe(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        values = pa.chunked_array([pa.array([_joined(value) for value in values.to_pylist()], pa.string())])
    if pa.types.is_floating(values.type):
        return pc.if_else(pc.is_nan(values), None, values)
    if pa.types.is_timestamp(values.type) and values.type.tz:
        return pc.strftime(values, format="%Y-%m-%dT%H:%M:%SZ")
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    runs = pc.fill_null(pc.match_substring_regex(values, RUNS), fill_value=False)
    return pc.if_else(runs, pc.binary_join_element_wise(MARK, values, ""), values)


def _joined(value: list[Any] | None) -> str | None:
    return None if value is None else " > ".join(str(inner) for inner in value)
