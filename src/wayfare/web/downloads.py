"""What can be taken away: tables as CSV that no spreadsheet runs, and pictures."""

from __future__ import annotations

from starlette.responses import Response

from wayfare.charts.spreadsheet import csv_of
from wayfare.errors import NotReady, UnknownName
from wayfare.web.answers import Answer

STILL = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
"""For a picture opened by itself: its own styles, no scripts."""
ALIVE = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; "
    "sandbox allow-scripts allow-downloads; frame-ancestors 'none'"
)
"""For an interactive chart: its own scripts (Vega compiles expressions), in an origin of its own, no network."""


def table_response(answer: Answer, table: str) -> Response:
    """One table of a result as a CSV file."""
    tables = answer.result.tables
    if table not in tables:
        raise UnknownName.among(f"table of {answer.result.context.analysis}", table, tables)
    return _file(
        csv_of(tables[table]), "text/csv; charset=utf-8", f"{answer.result.context.analysis}-{table}.csv"
    )


def chart_response(answer: Answer, form: str) -> Response:
    """The picture of a result as svg (for phones narrow.svg), png, pdf or html."""
    name = answer.result.context.analysis
    if answer.drawing is None:
        raise NotReady("There is too little to draw.", where=name, hint="Its tables say what there is.")
    if form in ("svg", "narrow.svg"):
        drawing = answer.drawing.narrow if form != "svg" and answer.drawing.narrow else answer.drawing
        return Response(drawing.svg, media_type="image/svg+xml", headers={"content-security-policy": STILL})
    if form == "html":
        page = answer.drawing.picture.html()
        return Response(page, media_type="text/html", headers={"content-security-policy": ALIVE})
    if form in ("png", "pdf"):
        from wayfare.charts.picture import pdf, png

        made, kind = (png, "image/png") if form == "png" else (pdf, "application/pdf")
        return Response(made(answer.drawing.picture), media_type=kind)
    raise UnknownName.among("form of a chart", form, ("svg", "png", "pdf", "html"))


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(
        content, media_type=kind, headers={"content-disposition": f'attachment; filename="wayfare-{name}"'}
    )
