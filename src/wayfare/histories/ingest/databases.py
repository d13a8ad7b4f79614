"""Tables and queries of SQLite, PostgreSQL and DuckDB databases, by address."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

import duckdb

from wayfare.errors import BadInput, MissingExtra, UnknownName
from wayfare.histories.ingest.cells import literal, quoted
from wayfare.histories.ingest.delimited import read_dialect
from wayfare.histories.ingest.dialect import Dialect, unique_names
from wayfare.histories.ingest.raw import Raw, described
from wayfare.histories.ingest.rowwise import table_of_rows
from wayfare.histories.ingest.sources import Piece, Wanted


def _file_of(piece: Piece) -> Path:
    """The file behind sqlite:///relative or sqlite:////absolute."""
    path = Path(unquote(urlsplit(piece.url).path)[1:])
    if not path.is_file():
        raise BadInput(
            "There is no such file.",
            where=str(path),
            hint="Four slashes start an absolute path: sqlite:////data/shop.db",
        )
    return path


def _asked(piece: Piece, wanted: Wanted) -> tuple[str | None, str | None]:
    """The query and the table asked for, by option or in the address."""
    given = parse_qs(urlsplit(piece.url).query)
    return wanted.query or given.get("query", [None])[0], wanted.table or given.get("table", [None])[0]


def _select(query: str | None, table: str | None, tables: Sequence[str], where: str) -> str:
    """The SELECT to run; the only table where none was named."""
    if query:
        return query.strip().rstrip(";")
    if table is None and len(tables) == 1:
        table = tables[0]
    if table is None:
        raise BadInput(
            "Which table should be read?",
            where=where,
            allowed=tables,
            hint="Name it with --table, or give --query." if tables else "The database has no tables.",
        )
    if table not in tables:
        raise UnknownName.among("table", table, tables, where=where)
    return f"SELECT * FROM {'.'.join(quoted(part) for part in table.split('.'))}"


def read_sqlite(con: duckdb.DuckDBPyConnection, piece: Piece, table: str, wanted: Wanted) -> Raw:
    """Rows of an SQLite file, opened for reading only."""
    query, name = _asked(piece, wanted)
    try:
        with closing(sqlite3.connect(f"{_file_of(piece).absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
            tables = [
                row[0]
                for row in db.execute(
                    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
                )
            ]
            cursor = db.execute(_select(query, name, tables, piece.name))
            header = [column[0] for column in cursor.description or ()]
            rows = (
                (line, values)
                for line, values in enumerate(cursor, start=1)
                if not wanted.limit or line <= wanted.limit
            )
            return table_of_rows(con, table, _shown(piece, name), header, rows)
    except sqlite3.Error as error:
        raise BadInput(f"SQLite says: {str(error).rstrip('.')}.", where=piece.name) from error


def _shown(piece: Piece, table: str | None) -> str:
    name = piece.name.partition("?")[0]
    return f"{name} ({table})" if table else name


def read_duckdb(con: duckdb.DuckDBPyConnection, piece: Piece, table: str, wanted: Wanted) -> Raw:
    """Rows of a DuckDB file, opened for reading only."""
    query, name = _asked(piece, wanted)
    here = con.execute("SELECT current_database()").fetchall()[0][0]
    try:
        con.execute(f"ATTACH {literal(str(_file_of(piece)))} AS given (READ_ONLY, TYPE duckdb)")
        try:
            found = con.execute(
                "SELECT CASE WHEN schema_name = 'main' THEN name ELSE schema_name || '.' || name END FROM (SELECT schema_name, table_name AS name"
                " FROM duckdb_tables() WHERE database_name = 'given' UNION ALL SELECT schema_name, view_name FROM duckdb_views()"
                " WHERE database_name = 'given' AND NOT internal) ORDER BY 1"
            ).fetchall()
            con.execute("USE given")
            limit = f" LIMIT {wanted.limit}" if wanted.limit else ""
            select = _select(query, name, [row[0] for row in found], piece.name)
            con.execute(
                f"CREATE OR REPLACE TABLE {quoted(here)}.main.{quoted(table)} AS SELECT * FROM ({select}\n) AS asked{limit}"
            )
        finally:
            con.execute(f"USE {quoted(here)}.main")
            con.execute("DETACH given")
    except duckdb.Error as error:
        raise BadInput(f"DuckDB says: {str(error).splitlines()[0]}", where=piece.name) from error
    return Raw(_shown(piece, name), table, described(con, table), 1)


def read_postgres(con: duckdb.DuckDBPyConnection, piece: Piece, table: str, wanted: Wanted) -> Raw:
    """Rows of PostgreSQL, streamed with COPY through a temporary file, in a transaction that only reads."""
    query, name = _asked(piece, wanted)
    path = wanted.scratch / f"{table}.postgres.csv"
    header = _copy(_bare(piece.url), query, name, path, wanted.limit, piece.name)
    return read_dialect(
        con, Dialect(path, ",", unique_names(header), header=True), table, _shown(piece, name), wanted.roles
    )


def _bare(url: str) -> str:
    """The address without our own `table` and `query`."""
    parts = urlsplit(url)
    kept = {key: values for key, values in parse_qs(parts.query).items() if key not in ("table", "query")}
    scheme = "postgresql" if parts.scheme.startswith("postgres") else parts.scheme
    return urlunsplit((scheme, parts.netloc, parts.path, urlencode(kept, doseq=True), ""))


def _copy(url: str, query: str | None, table: str | None, path: Path, limit: int, where: str) -> list[str]:
    """Writes the rows as CSV, and gives the columns' names."""
    try:
        import psycopg
        from psycopg import sql
    except ImportError as error:
        raise MissingExtra.of("postgres", "Reading PostgreSQL") from error
    try:
        with psycopg.connect(url) as db, db.cursor() as cursor, path.open("wb") as file:
            db.read_only = True
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute("SET DateStyle = 'ISO'")
            found = cursor.execute(_POSTGRES_TABLES).fetchall()
            asked = sql.SQL(_select(query, table, [row[0] for row in found], where))
            columns = (
                cursor.execute(sql.SQL("SELECT * FROM ({}\n) AS asked LIMIT 0").format(asked)).description
                or []
            )
            # COPY writes truth values as t and f, which are no flags elsewhere.
            shown = sql.SQL(", ").join(
                sql.SQL("{0}::text AS {0}" if column.type_code == _BOOL else "{0}").format(
                    sql.Identifier(column.name)
                )
                for column in columns
            )
            bounded = sql.SQL(
                f"SELECT {{}} FROM ({{}}\n) AS asked{f' LIMIT {int(limit)}' if limit else ''}"
            ).format(shown, asked)
            with cursor.copy(
                sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER true)").format(bounded)
            ) as copy:
                for block in copy:
                    file.write(block)
            return [column.name for column in columns]
    except psycopg.Error as error:
        raise BadInput(f"PostgreSQL says: {str(error).strip().splitlines()[0]}", where=where) from error


_BOOL = 16
_POSTGRES_TABLES = (
    "SELECT CASE WHEN table_schema = ANY (current_schemas(false)) THEN table_name ELSE table_schema || '.' || table_name END"
    " FROM (SELECT table_schema, table_name FROM information_schema.tables UNION SELECT schemaname, matviewname FROM pg_matviews) AS known"
    " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
)
