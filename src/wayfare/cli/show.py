"""Data on stdout: rows as a table, JSON or CSV; a result with its findings first."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, TextIO
from zoneinfo import ZoneInfo

from wayfare.cli.columns import Shown, shown_columns
from wayfare.cli.layout import Placed, placed
from wayfare.cli.options import Format
from wayfare.cli.terminal import clean, console, note
from wayfare.domain.formula import harmless

if TYPE_CHECKING:
    from rich.table import Table

    from wayfare.result import Result

Rows = Sequence[Mapping[str, Any]]
MOST_ROWS = 40


def print_rows(rows: Rows, columns: Sequence[str], format: Format, file: TextIO | None = None) -> None:
    """Prints rows that are not an analysis's; every row has every one of `columns`."""
    if format is Format.TABLE:
        _draw(shown_columns(rows, columns), file)
    elif format is Format.JSON:
        print(json.dumps([dict(row) for row in rows], indent=2, ensure_ascii=False), file=file)
    else:
        print(csv_text(rows, columns), end="", file=file)


def print_result(
    result: Result, format: Format, table: str | None = None, file: TextIO | None = None
) -> None:
    """Prints a result: all of it, or one table of it; CSV is one table, and what it can't hold goes to stderr."""
    from wayfare.result import rows

    kept = {table: result._table(table)} if table else result.tables
    if format is Format.JSON:
        said = result.to_dict()
        print(
            json.dumps(
                {**said, "tables": {name: said["tables"][name] for name in kept}},
                indent=2,
                ensure_ascii=False,
            ),
            file=file,
        )
        return
    if format is Format.CSV:
        name, data = next(iter(kept.items()))
        print(csv_text(rows(data), data.column_names), end="", file=file)
        if len(kept) > 1:
            note(f"This is the table {name!r}; --table chooses another: {', '.join(list(kept)[1:])}.")
        for text in result.warnings:
            note(f"Warning: {text}")
        return
    _print_findings(result, file)
    for name, data in kept.items():
        _draw(
            shown_columns(rows(data.slice(0, MOST_ROWS)), data.column_names),
            file,
            title=name,
            rows_in_all=data.num_rows,
        )


def csv_text(rows: Rows, columns: Sequence[str]) -> str:
    """Rows as CSV; text that a spreadsheet would take for a formula gets an apostrophe in front."""
    lines = _Lines()
    writer = csv.writer(lines)
    writer.writerow([harmless(column) for column in columns])
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return "".join(lines)


class _Lines(list[str]):
    """What a CSV writer writes, each line ended by \\n alone; a writer that is told so leaves \\r in a cell unquoted."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, dict)):
        value = json.dumps(value, ensure_ascii=False)
    return harmless(value) if isinstance(value, str) else value


def _print_findings(result: Result, file: TextIO | None) -> None:
    from rich.text import Text

    out = console(file)
    out.print(Text(clean(_heading(result)), style="dim"))
    for finding in result.findings:
        out.print(Text(clean(finding.text), style="bold"))
    for warning in result.warnings:
        out.print(Text(clean(f"Warning: {warning}"), style="yellow"))


def _heading(result: Result) -> str:
    log = result.context.log
    part = f"; looked at: {', '.join(looked_at)}" if (looked_at := list(_part(log))) else ""
    return (
        f"{result.context.analysis}: log of {log.get('customers', 0):,} customers, {log.get('rows', 0):,} events"
        f"{days_of(log)}{part}"
    )


def days_of(log: Mapping[str, Any]) -> str:
    """The days from which to which a result's log goes, in its zone, after a comma; empty where it has none."""
    return f", {_in_zone(log, 'from')} to {_in_zone(log, 'to')}" if log.get("from") else ""


def _part(log: Mapping[str, Any]) -> Iterator[str]:
    yield from (text.removeprefix("any:") for text in log.get("segments", ()))
    yield from (f"{name} {_in_zone(log, name)}" for name in ("since", "until") if log.get(name))


def _in_zone(log: Mapping[str, Any], name: str) -> str:
    moment = datetime.fromisoformat(log[name]).astimezone(ZoneInfo(log.get("zone", "UTC")))
    return (
        f"{moment:%Y-%m-%d}"
        if name in ("from", "to") or moment.time() == time()
        else f"{moment:%Y-%m-%d %H:%M}"
    )


def _draw(columns: Sequence[Shown], file: TextIO | None, title: str = "", rows_in_all: int = 0) -> None:
    from rich.text import Text

    drawn = len(columns[0].cells) if columns else 0
    out = console(file)
    if title:
        out.print()
    if not drawn:
        out.print(Text(f"{title}: no rows" if title else "No rows."))
    for nth, part in enumerate(placed([_cleaned(column) for column in columns], out.width) if drawn else ()):
        if nth:
            out.print()
        out.print(_drawn(part, title if nth == 0 else ""))
    if rows_in_all > drawn:
        out.print(
            Text(f"{rows_in_all - drawn:,} more rows: --format csv --table {title} prints all.", style="dim")
        )


def _cleaned(column: Shown) -> Shown:
    return replace(column, cells=tuple(clean(cell) for cell in column.cells))


def _drawn(columns: Sequence[Placed], title: str) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        pad_edge=False,
        show_edge=False,
        show_header=any(one.heading for one in columns),
    )
    for one in columns:
        table.add_column(
            Text(one.heading),
            justify="right" if one.column.number else "left",
            overflow="fold",
            width=one.width,
        )
    for row in zip(*(one.cells for one in columns), strict=True):
        table.add_row(*map(Text, row))
    return table
