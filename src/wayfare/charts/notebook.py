"""How a result shows itself in a notebook: question, findings, warnings, picture and main table, without a script."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING, Any

from wayfare.charts.numbers import MISSING, is_number, shown_row

if TYPE_CHECKING:
    from wayfare.charts.picture import Picture
    from wayfare.result import Result

ROWS = 20

# System colours follow the reader's light or dark scheme; the picture keeps its own white sheet in both.
_STYLE = """
.wayfare { color-scheme: light dark; background: Canvas; color: CanvasText; font: 14px/1.45 system-ui, sans-serif;
  padding: 12px 16px; max-width: 1100px; }
.wayfare h3 { margin: 0 0 8px; font-size: 16px; }
.wayfare ul { margin: 0 0 8px; padding-left: 20px; }
.wayfare .warnings, .wayfare .note { opacity: 0.75; font-size: 12px; }
.wayfare figure { margin: 8px 0; }
.wayfare figure svg { max-width: 100%; height: auto; }
.wayfare .table { overflow-x: auto; }
.wayfare table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
.wayfare th, .wayfare td { padding: 3px 10px; text-align: left; border-bottom: 1px solid GrayText; white-space: nowrap; }
.wayfare .figure { text-align: right; }
"""


def notebook_html(result: Result) -> str:
    """The result as HTML that fits a notebook's cell in light and dark; all text in it is escaped."""
    parts = [
        f"<style>{_STYLE}</style>",
        f"<h3>{escape(_question(result))}</h3>",
        _list("findings", [finding.text for finding in result.findings]),
        _list("warnings", list(result.warnings)),
        _figure(result.chart()),
        _table(result),
    ]
    return f'<div class="wayfare">{"".join(parts)}</div>'


def _question(result: Result) -> str:
    """The question that the result answers: the analysis stands in the module of its result."""
    name = result.context.analysis
    analysis = getattr(sys.modules.get(type(result).__module__), name, None) if name else None
    return str(
        getattr(analysis, "question", "") or name.replace("_", " ").capitalize() or type(result).__name__
    )


def _list(kind: str, texts: list[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<ul class="{kind}">{items}</ul>' if items else ""


def _figure(picture: Picture | None) -> str:
    if picture is None:
        return ""
    drawing = picture.svg()
    return f'<figure role="img" aria-label="{escape(picture.alt, quote=True)}">{drawing[drawing.find("<svg") :]}</figure>'


def _table(result: Result) -> str:
    """The first rows of the main table; figures stand to the right."""
    if not result.tables:
        return ""
    name, table = next(iter(result.tables.items()))
    rows = table.slice(0, ROWS).to_pylist()
    meanings = result.columns()[name]
    right = {column: any(is_number(row[column]) for row in rows) for column in table.column_names}
    head = "".join(
        f'<th scope="col"{_class(right[column])} title="{escape(meanings.get(column, ""), quote=True)}">{escape(column)}</th>'
        for column in table.column_names
    )
    body = "".join(f"<tr>{_cells(row, right)}</tr>" for row in rows)
    left_out = (
        f'<p class="note">{len(rows)} of {table.num_rows:,} rows</p>' if table.num_rows > len(rows) else ""
    )
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{left_out}'


def _cells(row: dict[str, Any], right: dict[str, bool]) -> str:
    texts = shown_row(row)
    return "".join(
        f"<td{_class(right[column])}>{escape(text or MISSING)}</td>"
        for column, text in zip(row, texts, strict=True)
    )


def _class(right: bool) -> str:
    return ' class="figure"' if right else ""
