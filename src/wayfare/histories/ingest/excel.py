"""Excel workbooks (.xlsx), one sheet, streamed."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import duckdb

from wayfare.errors import BadInput, UnknownName
from wayfare.histories.ingest.raw import Raw
from wayfare.histories.ingest.rowwise import table_of_rows
from wayfare.histories.ingest.sources import Piece, Wanted


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
        rows = _rows(book[wanted.table] if wanted.table else book.worksheets[0], wanted.limit)
        first = next(rows, None)
        if first is None:
            raise BadInput("The sheet is empty.", where=piece.name)
        return table_of_rows(con, table, piece.name, first[1], rows)
    finally:
        book.close()


def _rows(sheet: Any, limit: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    found = 0
    for line, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if any(value is not None and value != "" for value in values):
            yield line, values
            found += 1
            if limit and found > limit:
                return
