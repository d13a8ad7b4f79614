"""What can be taken away: tables as CSV that no spreadsheet runs, and pictures."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from starlette.responses import Response

from wayfare.errors import NotReady, UnknownName
from wayfare.web.answers import Answer

STARTS_A_FORMULA = r"^[=+\-@\t\r\n]"
STILL = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
"""For a picture opened by itself: its own styles, no scripts."""
ALIVE = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; "
    "sandbox allow-scripts allow-downloads; frame-ancestors 'none'"
)
"""For an interactive chart: its own scripts (Vega compiles expressions), in an origin of its own, no network."""


def csv_of(table: pa.Table) -> bytes:
    """The table as CSV; text that a spreadsheet would run as a formula gets an apostrophe before it."""
    columns = {name: _safe(table.column(name)) for name in table.column_names}
    sink = io.BytesIO()
    csv.write_csv(pa.table(columns), sink, csv.WriteOptions(quoting_style="needed"))
    return sink.getvalue()


def _safe(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        values = pa.chunked_array([pa.array([_joined(value) for value in values.to_pylist()], pa.string())])
    if pa.types.is_floating(values.type):
        return pc.if_else(pc.is_nan(values), None, values)
    if pa.types.is_timestamp(values.type) and values.type.tz:
        return pc.strftime(values, format="%Y-%m-%dT%H:%M:%SZ")
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    runs = pc.fill_null(pc.match_substring_regex(values, STARTS_A_FORMULA), fill_value=False)
    return pc.if_else(runs, pc.binary_join_element_wise("'", values, ""), values)


def _joined(value: list[Any] | None) -> str | None:
    return None if value is None else " > ".join(str(inner) for inner in value)


def table_response(answer: Answer, table: str) -> Response:
    """One table of a result as a CSV file."""
    tables = answer.result.tables
    if table not in tables:
        raise UnknownName.among(f"table of {answer.result.context.analysis}", table, tables)
    return _file(
        csv_of(tables[table]), "text/csv; charset=utf-8", f"{answer.result.context.analysis}-{table}.csv"
    )


def chart_response(answer: Answer, form: str) -> Response:
    """The picture of a result as svg (for phones narrow.svg), png or html."""
    name = answer.result.context.analysis
    if answer.drawing is None:
        raise NotReady("There is too little to draw.", where=name, hint="Its tables say what there is.")
    if form in ("svg", "narrow.svg"):
        drawing = answer.drawing.narrow if form != "svg" and answer.drawing.narrow else answer.drawing
        return Response(drawing.svg, media_type="image/svg+xml", headers={"content-security-policy": STILL})
    if form == "html":
        page = answer.drawing.picture.html()
        return Response(page, media_type="text/html", headers={"content-security-policy": ALIVE})
    if form == "png":
        from wayfare.charts.picture import png

        return Response(png(answer.drawing.picture), media_type="image/png")
    raise UnknownName.among("form of a chart", form, ("svg", "png", "html"))


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(
        content, media_type=kind, headers={"content-disposition": f'attachment; filename="wayfare-{name}"'}
    )
