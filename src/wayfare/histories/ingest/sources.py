"""What was given (files, folders, patterns, database addresses) as tables in DuckDB."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from wayfare.errors import BadInput, InvalidParameter
from wayfare.histories.ingest.cells import literal, quoted
from wayfare.histories.ingest.delimited import read_delimited
from wayfare.histories.ingest.raw import Raw, described, without_rowid
from wayfare.histories.schema import Kind


@dataclass(frozen=True)
class Piece:
    """One thing to read: a file (or files of one Parquet set), or a database's address."""

    kind: str
    name: str
    paths: tuple[Path, ...] = ()
    url: str = ""


_KINDS = {
    "parquet": (".parquet", ".pq"),
    "json": (".json", ".jsonl", ".ndjson"),
    "excel": (".xlsx", ".xlsm"),
    "xes": (".xes",),
    "delimited": (".csv", ".tsv", ".txt", ".tab", ".psv", ".dat"),
}
_PACKED = (".gz", ".zst", ".zstd")
_SCHEMES = {"sqlite": "sqlite", "postgresql": "postgres", "postgres": "postgres", "duckdb": "duckdb"}


def kind_of(path: Path) -> str:
    """What a file holds, by the end of its name."""
    name = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    for kind, endings in _KINDS.items():
        if name.suffix.lower() in endings:
            return kind
    if name.suffix.lower() == ".xls":
        raise BadInput(
            "The old Excel format .xls can't be read.", where=path.name, hint="Save it as .xlsx or .csv."
        )
    return "delimited"


def pieces(sources: Sequence[str]) -> list[Piece]:
    """The things to read behind what was given, in order; a folder or a pattern stands for its files by name."""
    found = [piece for source in sources for piece in _pieces_of(str(source))]
    if not found:
        raise BadInput("No source was given.", hint="Name a file, a folder, or a database's address.")
    return found


def _pieces_of(source: str) -> list[Piece]:
    scheme = re.match(r"([a-z][a-z0-9+]*)://", source)
    if scheme:
        kind = _SCHEMES.get(scheme[1].partition("+")[0])
        if kind is None:
            allowed = ("a file", *(f"{name}://" for name in _SCHEMES))
            raise BadInput(
                f"Addresses of the form {scheme[0]} can't be read.",
                where=_without_password(source),
                allowed=allowed,
                hint="Download the file first." if scheme[1] in ("http", "https", "s3", "gs", "ftp") else "",
            )
        return [Piece(kind, _without_password(source), url=source)]
    path = Path(source)
    if path.is_dir():
        files = sorted(
            file for file in path.rglob("*") if file.is_file() and not file.name.startswith((".", "_"))
        )
    else:
        # Path.glob would refuse absolute patterns.
        matches = glob.glob(source, recursive=True)  # noqa: PTH207
        files = [path] if path.is_file() else sorted(Path(match) for match in matches)
    if not files:
        raise BadInput(
            "There is no such file.",
            where=source,
            hint="Check the path; patterns such as exports/*.csv are allowed.",
        )
    parquet = tuple(file for file in files if kind_of(file) == "parquet")
    if len(parquet) == len(files) > 1:
        return [Piece("parquet", source, parquet)]
    return [Piece(kind_of(file), file.name, (file,)) for file in files]


def _without_password(url: str) -> str:
    hidden = re.sub(r"(://[^:/@]+):[^@/]*@", r"\1:***@", url)
    return re.sub(r"([?&](?:ssl)?password=)[^&]*", r"\1***", hidden, flags=re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """What else is needed to read a piece: the columns' roles, a place for copies, a query or a table's name."""

    roles: Mapping[str, Kind]
    scratch: Path
    query: str | None = None
    table: str | None = None
    limit: int = 0
    """How many rows are enough to look at; 0 for all."""


DATABASES = ("sqlite", "postgres", "duckdb")


def check_asked(given: Sequence[Piece], query: str | None, table: str | None) -> None:
    """The error that a query or a table was asked of something that has none."""
    for option, value, kinds in (("--query", query, DATABASES), ("--table", table, (*DATABASES, "excel"))):
        other = next((piece for piece in given if value is not None and piece.kind not in kinds), None)
        if other is not None:
            raise InvalidParameter(
                f"{option} is for {'databases' if kinds is DATABASES else 'databases and workbooks'}; this is a file of rows.",
                where=other.name, hint="Leave it out.",
            )  # fmt: skip


def read(con: duckdb.DuckDBPyConnection, piece: Piece, table: str, wanted: Wanted) -> Raw:
    """The piece as the DuckDB table `table`."""
    raw = _readers()[piece.kind](con, piece, table, wanted)
    if not raw.columns:
        raise BadInput("There are no columns.", where=piece.name)
    return without_rowid(con, raw)


def _readers() -> dict[str, Callable[[duckdb.DuckDBPyConnection, Piece, str, Wanted], Raw]]:
    from wayfare.histories.ingest import databases, excel, jsonlines, xes

    return {
        "parquet": _parquet, "delimited": _delimited, "json": jsonlines.read_json, "excel": excel.read_excel,
        "xes": xes.read_xes, "sqlite": databases.read_sqlite, "postgres": databases.read_postgres, "duckdb": databases.read_duckdb,
    }  # fmt: skip


def _delimited(con: duckdb.DuckDBPyConnection, piece: Piece, table: str, wanted: Wanted) -> Raw:
    return read_delimited(con, piece.paths[0], table, wanted.roles, wanted.scratch, wanted.limit)


def _parquet(con: duckdb.DuckDBPyConnection, piece: Piece, table: str, wanted: Wanted) -> Raw:
    files = ", ".join(literal(re.sub(r"([\[*?])", r"[\1]", str(path))) for path in piece.paths)
    try:
        limit = f" LIMIT {wanted.limit}" if wanted.limit else ""
        con.execute(
            f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT * FROM read_parquet([{files}], union_by_name = true){limit}"
        )
    except duckdb.Error as error:
        raise BadInput(
            f"The file can't be read as Parquet ({str(error).splitlines()[0]}).", where=piece.name
        ) from error
    return Raw(piece.name, table, described(con, table), first_line=1)
