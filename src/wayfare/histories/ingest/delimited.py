"""Text with columns (CSV and its kin): how it is encoded and separated is seen from its head, then DuckDB reads it."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import literal, quoted
from wayfare.histories.ingest.raw import Raw, Rejected
from wayfare.histories.ingest.times import SHAPES, Shape, shaped
from wayfare.histories.ingest.workbench import one
from wayfare.histories.schema import Kind

HEAD_BYTES = 1 << 18
SAMPLE_ROWS = 20_000
_COMPRESSION = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_NUMBER_OR_DATE = re.compile(r"\s*[-+]?[\d.,:/\-T ]*\d[\d.,:/\-TZ ]*\s*")
_ALIGNED = "\t"


@dataclass(frozen=True)
class Dialect:
    """How a text file is cut into columns."""

    path: Path
    delimiter: str
    names: tuple[str, ...]
    header: bool
    aligned: bool = False

    def reader(self, columns: Mapping[str, str], *, keep_rejects: bool = True) -> str:
        """The DuckDB table function that reads the file with these columns and types."""
        types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
        return (
            f"read_csv({literal(unglobbed(self.path))}, columns = {{{types}}}, delim = {literal(self.delimiter)}, quote = '\"',"
            f" escape = '\"', header = {str(self.header).lower()}, auto_detect = false, compression = {literal(compression_of(self.path))},"
            f" max_line_size = 16777216, {'store_rejects = true' if keep_rejects else 'ignore_errors = true'})"
        )


def compression_of(path: Path) -> str:
    """How a file is packed, by the end of its name, in DuckDB's words."""
    return _COMPRESSION.get(path.suffix.lower(), "none")


def unglobbed(path: Path) -> str:
    """The path with DuckDB's wildcards taken literally."""
    return re.sub(r"([\[*?])", r"[\1]", str(path))


def head_of(path: Path, size: int = HEAD_BYTES) -> bytes:
    """The first bytes of a file, unpacked."""
    try:
        with pa.input_stream(str(path), compression=_COMPRESSION.get(path.suffix.lower())) as stream:
            return bytes(stream.read(size))
    except (OSError, pa.ArrowInvalid) as error:
        raise BadInput(f"The file can't be read ({error}).", where=path.name) from error


def encoding_of(head: bytes) -> str:
    """The encoding of a text file by its first bytes: a byte order mark, else UTF-8 if it is, else Windows-1252."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if head[:200].count(0) > len(head[:200]) // 3:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def transcoded(path: Path, encoding: str, scratch: Path, *, aligned: bool = False) -> Path:
    """A copy of the file in UTF-8 (and, where `aligned`, with a tab for each run of blanks), streamed."""
    target = scratch / f"utf8-{len(list(scratch.iterdir()))}.csv"
    # The five bytes that Windows-1252 leaves undefined read as Latin-1's control characters.
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    with (
        pa.input_stream(str(path), compression=_COMPRESSION.get(path.suffix.lower())) as source,
        target.open("wb") as out,
    ):
        rest = ""
        while chunk := source.read(1 << 22):
            text = rest + decoder.decode(bytes(chunk))
            rest = ""
            if aligned:
                text, _, rest = text.rpartition("\n")
                text = _with_tabs(text) + "\n" if text else ""
            out.write(text.encode("utf-8"))
        last = rest + decoder.decode(b"", final=True)
        out.write((_with_tabs(last) if aligned else last).encode("utf-8"))
    return target


def _with_tabs(text: str) -> str:
    return "\n".join(re.sub(r"\s+", _ALIGNED, line.strip()) for line in text.split("\n"))


def dialect_of(path: Path, scratch: Path, encoding: str = "") -> Dialect:
    """How the file is separated, and what its columns are called."""
    head = head_of(path)
    if not head.strip():
        raise BadInput(
            "The file is empty.", where=path.name, hint="A header line and at least one row are needed."
        )
    encoding = encoding or encoding_of(head)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    complete = text[: text.rfind("\n") + 1] or text if len(head) >= HEAD_BYTES else text
    delimiter, aligned = _delimiter(complete)
    if encoding not in ("utf-8", "utf-8-sig") or aligned:
        path = transcoded(path, encoding, scratch, aligned=aligned)
        complete = _with_tabs(complete) if aligned else complete
    rows = _cut(complete.lstrip("\ufeff"), delimiter)
    header = _is_header(rows[0])
    names = rows[0] if header else [f"column{index}" for index in range(len(rows[0]))]
    return Dialect(path, delimiter, unique_names(names), header, aligned)


def _cut(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(1 << 24)
    try:
        return [
            row
            for _, row in zip(
                range(200), csv.reader(text.splitlines(keepends=True), delimiter=delimiter), strict=False
            )
            if row
        ]
    except csv.Error:
        return [line.split(delimiter) for line in text.splitlines()[:200]]


def _delimiter(text: str) -> tuple[str, bool]:
    """The separator whose rows agree best on their width; a tab for columns aligned with blanks."""
    best, chosen = (0.0, 0), ""
    for candidate in (",", ";", "\t", "|", "\x01"):
        widths = Counter(len(row) for row in _cut(text, candidate))
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        score = (round(count / widths.total(), 2), width)
        if width > 1 and score > best:
            best, chosen = score, candidate
    if chosen:
        return chosen, False
    widths = Counter(len(line.split()) for line in text.splitlines()[:200] if line.strip())
    width, count = widths.most_common(1)[0]
    return (_ALIGNED, True) if width > 2 and count == widths.total() else (",", False)


def _is_header(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and not any(_NUMBER_OR_DATE.fullmatch(cell) for cell in filled)


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names of a source's columns: none empty, no two alike whatever their capitals."""
    seen: set[str] = set()
    result = []
    for position, name in enumerate(names):
        base = name.strip().replace("\0", "") or f"column{position}"
        unique, number = base, 1
        while unique.casefold() in seen:
            unique, number = f"{base}_{number}", number + 1
        seen.add(unique.casefold())
        result.append(unique)
    return tuple(result)


def read_delimited(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    table: str,
    roles: Mapping[str, Kind],
    scratch: Path,
    limit: int = 0,
) -> Raw:
    """The file as a table, read once; again with every column as text where a value is not what the head promised."""
    dialect = dialect_of(path, scratch)
    if limit:
        return _glance(con, dialect, table, path.name, limit)
    raw = read_dialect(con, dialect, table, path.name, roles)
    if any(rejected.reason == _ENCODING for rejected in raw.rejected):
        return read_dialect(con, dialect_of(path, scratch, "cp1252"), table, path.name, roles)
    return raw


def read_dialect(
    con: duckdb.DuckDBPyConnection, dialect: Dialect, table: str, name: str, roles: Mapping[str, Kind]
) -> Raw:
    """The same where the file's dialect is known."""
    types, shapes = _types(con, dialect, roles)
    raw = _read(con, dialect, table, types, shapes, name)
    if raw is None:
        raw = _read(con, dialect, table, dict.fromkeys(dialect.names, "VARCHAR"), {}, name)
    assert raw is not None, "text can be read as text"
    return raw


def _glance(con: duckdb.DuckDBPyConnection, dialect: Dialect, table: str, name: str, limit: int) -> Raw:
    text = dict.fromkeys(dialect.names, "VARCHAR")
    reader = dialect.reader(text, keep_rejects=False)
    con.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT * FROM {reader} LIMIT {limit}")
    return Raw(name, table, text, 2 if dialect.header else 1)


_ENCODING = "not UTF-8"
_REASONS = {
    "INVALID ENCODING": _ENCODING, "MISSING COLUMNS": "too few columns", "TOO MANY COLUMNS": "too many columns",
    "UNQUOTED VALUE": "a quote is not closed", "LINE SIZE OVER MAXIMUM": "line too long", "INVALID STATE": "quotes misplaced",
}  # fmt: skip


def _read(
    con: duckdb.DuckDBPyConnection,
    dialect: Dialect,
    table: str,
    types: dict[str, str],
    shapes: dict[str, Shape],
    name: str,
) -> Raw | None:
    """The table; None where a typed column holds a value of another type, so that it must be read as text."""
    shown = ", ".join(
        f"{shaped(quoted(column), shapes[column])} AS {quoted(column)}"
        if column in shapes
        else quoted(column)
        for column in types
    )
    late = ", ".join(f"count({quoted(column)}) AS {quoted(column)}" for column in shapes)
    con.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    try:
        con.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT {shown} FROM {dialect.reader(types)}")
    except duckdb.Error as error:
        raise BadInput(
            f"The file can't be read as text with columns ({str(error).splitlines()[0]}).", where=name
        ) from error
    rejected = _rejected(con)
    if rejected is None:
        return None
    if late:
        counts = one(con, f"SELECT count(*), {late} FROM {quoted(table)}")
        if any(count != counts[0] for count in counts[1:]):
            return None
    columns = {column: shapes[column].type if column in shapes else kind for column, kind in types.items()}
    return Raw(name, table, columns, 2 if dialect.header else 1, rejected)


def _rejected(con: duckdb.DuckDBPyConnection) -> tuple[Rejected, ...] | None:
    """The lines that were left out, one entry each; None where some are only of another type than expected."""
    known = one(con, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'")
    if not known[0]:
        return ()
    kinds = "SELECT count(*) FROM reject_errors WHERE error_type::VARCHAR = 'CAST'"
    casts = one(con, kinds)
    if casts[0]:
        return None
    rows = con.execute(
        "SELECT line, any_value(csv_line), min(error_type::VARCHAR) FROM reject_errors GROUP BY line ORDER BY line"
    ).fetchall()
    return tuple(
        Rejected(int(line), text or "", _REASONS.get(kind, "malformed line")) for line, text, kind in rows
    )


def _types(
    con: duckdb.DuckDBPyConnection, dialect: Dialect, roles: Mapping[str, Kind]
) -> tuple[dict[str, str], dict[str, Shape]]:
    """The type to read each column as, and the columns whose times all have one ISO form, by the file's head."""
    text = dict.fromkeys(dialect.names, "VARCHAR")
    sample = "head_of_file"
    try:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {sample} AS SELECT * FROM {dialect.reader(text, keep_rejects=False)} LIMIT {SAMPLE_ROWS}"
        )
        numbers = [
            name
            for name in dialect.names
            if roles.get(name, Kind.NUMBER) is Kind.NUMBER and not looks_like_id(name)
        ]
        times = [name for name in dialect.names if roles.get(name) is Kind.TIME]
        types = {**text, **dict.fromkeys(_all_numbers(con, sample, numbers), "DOUBLE")}
        return types, {name: shape for name in times if (shape := _shape(con, sample, name))}
    except duckdb.Error as error:
        raise BadInput(
            f"The file can't be read ({str(error).splitlines()[0]}).", where=dialect.path.name
        ) from error
    finally:
        con.execute(f"DROP TABLE IF EXISTS {sample}")


def looks_like_id(name: str) -> bool:
    """Whether a column's name says that its numbers are names of things, which are text."""
    words = re.search(
        r"(^|[_\s-])(id|ids|uuid|guid|zip|postcode|phone|sku|code|no|number)$", name, re.IGNORECASE
    )
    return bool(words or re.search(r"[a-z](I[dD]|Code|No|Number)$", name))


def _all_numbers(con: duckdb.DuckDBPyConnection, sample: str, names: list[str]) -> list[str]:
    if not names:
        return []
    tests = ", ".join(
        f"count({quoted(n)}) > 0 AND count({quoted(n)}) = count(CASE WHEN isfinite(try_cast({quoted(n)} AS DOUBLE))"
        f" AND NOT regexp_matches({quoted(n)}, '^[-+]?0[0-9]|_') THEN 1 END)"
        for n in names
    )
    answers = one(con, f"SELECT {tests} FROM {sample}")
    return [name for name, answer in zip(names, answers, strict=True) if answer]


def _shape(con: duckdb.DuckDBPyConnection, sample: str, name: str) -> Shape | None:
    column = quoted(name)
    tests = ", ".join(f"count({shaped(column, shape)})" for shape in SHAPES)
    counts = one(con, f"SELECT count(*), {tests} FROM {sample}")
    return next(
        (shape for shape, count in zip(SHAPES, counts[1:], strict=True) if count == counts[0] > 0), None
    )
