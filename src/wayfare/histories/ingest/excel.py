"""Excel workbooks (.xlsx), one sheet, streamed."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import duckdb

from wayfare.errors import BadInput, UnknownName
from wayfare.histories.ingest.raw import Raw, above_header
from wayfare.histories.ingest.rowwise import table_of_rows
from wayfare.histories.ingest.sources import Piece, Wanted

_HEAD_ROWS = 20


def read_excel(con: duckdb.DuckDBPyConnection, piece: Piece, table: str, wanted: Wanted) -> Raw:
    """The first sheet (or the one named as the table); its first row that is not empty names the columns."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles it leaves out
            book = openpyxl.load_workbook(piece.paths[0], read_only=True, data_only=True)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BadInput(f"The file can't be read as an Excel workbook ({error}).", where=piece.name) from error
    try:
        if wanted.table is not None and wanted.table not in book.sheetnames:
            raise UnknownName.among("sheet", wanted.table, book.sheetnames, where=piece.name)
        sheets = [book[wanted.table]] if wanted.table else book.worksheets
        for sheet in sheets:
            rows = _rows(sheet, wanted.limit)
            head = list(islice(rows, _HEAD_ROWS))
            if head:
                others = [other.title for other in book.worksheets if other.title != sheet.title]
                start = _header(head)
                raw = table_of_rows(con, table, piece.name, head[start][1], chain(head[start + 1 :], rows))
                return replace(
                    raw, notes=tuple(_notes(piece.name, sheet.title, [] if wanted.table else others, start))
                )
        raise BadInput(
            "The sheet is empty.",
            where=piece.name,
            allowed=book.sheetnames,
            hint="Name another with --table.",
        )
    finally:
        book.close()


def _header(head: list[tuple[int, tuple[Any, ...]]]) -> int:
    """Which of the first rows names the columns: a title or a remark fills fewer cells than half a row has."""
    filled = [sum(value is not None and value != "" for value in values) for _, values in head]
    return next(at for at, count in enumerate(filled) if 2 * count > max(filled))


def _notes(name: str, sheet: str, others: list[str], skipped: int) -> Iterator[str]:
    if others:
        named = ", ".join(repr(other) for other in others[:5]) + (" and more" if len(others) > 5 else "")
        yield f"Only the sheet {sheet!r} of {name} was read; it also has {named}: read those with --table NAME."
    yield from above_header(skipped, "row", name)


def _rows(sheet: Any, limit: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    found = 0
    for line, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if any(value is not None and value != "" for value in values):
            yield line, values
            found += 1
            if limit and found > limit:
                return
