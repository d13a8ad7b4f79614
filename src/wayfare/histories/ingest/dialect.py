"""How text with columns is encoded, packed and separated, seen from its first bytes."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import MISSING_WORDS, literal

HEAD_BYTES = 1 << 18
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
    skipped: int = 0
    """How many lines stand before the header: a title, remarks, blank lines."""

    def reader(self, columns: Mapping[str, str], *, keep_rejects: bool = True) -> str:
        """The DuckDB table function that reads the file with these columns and types."""
        types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
        return (
            f"read_csv({literal(unglobbed(self.path))}, columns = {{{types}}}, delim = {literal(self.delimiter)}, quote = '\"',"
            f" escape = '\"', header = {str(self.header).lower()}, skip = {self.skipped}, auto_detect = false, compression = {literal(compression_of(self.path))},"
            f" max_line_size = 16777216, {'store_rejects = true' if keep_rejects else 'ignore_errors = true'})"
        )


_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_NOT_TEXT = {
    b"PK\x03\x04": ("a ZIP archive or an Excel workbook", "Unpack it, or give the workbook its ending .xlsx."),
    b"PAR1": ("a Parquet file", "Give it its ending .parquet."), b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "Save it as .xlsx or .csv."),
    b"%PDF": ("a PDF", "Export the rows as .csv."), b"SQLite format 3": ("an SQLite database", "Name it as sqlite:///FILE."),
}  # fmt: skip


def compression_of(path: Path) -> str:
    """How a file is packed, by its first bytes and not its name, in DuckDB's words."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError:
        return _COMPRESSION.get(path.suffix.lower(), "none")
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "none")


def unpacked(path: Path) -> pa.NativeFile:
    """The file's bytes as a stream, unpacked."""
    packed = compression_of(path)
    return pa.input_stream(str(path), compression=None if packed == "none" else packed)


def unglobbed(path: Path) -> str:
    """The path with DuckDB's wildcards taken literally."""
    return re.sub(r"([\[*?])", r"[\1]", str(path))


def head_of(path: Path, size: int = HEAD_BYTES) -> bytes:
    """The first bytes of a file, unpacked."""
    try:
        with unpacked(path) as stream:
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
    """A copy of the file in UTF-8 with one kind of line end (and, where `aligned`, a tab for each run of blanks), streamed."""
    target = scratch / f"utf8-{len(list(scratch.iterdir()))}.csv"
    # The five bytes that Windows-1252 leaves undefined become the replacement character.
    bare = codecs.getincrementaldecoder(encoding)(errors="replace")
    decoder = io.IncrementalNewlineDecoder(bare, translate=True)
    with (
        unpacked(path) as source,
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


def dialect_of(path: Path, scratch: Path, encoding: str = "", *, line_ends: bool = False) -> Dialect:
    """How the file is separated, and what its columns are called; `line_ends` makes them all alike first."""
    head = head_of(path)
    if not head.strip():
        raise BadInput(
            "The file is empty.", where=path.name, hint="A header line and at least one row are needed."
        )
    for magic, (what, hint) in _NOT_TEXT.items():
        if head.startswith(magic):
            raise BadInput(f"This is {what}, not text with columns.", where=path.name, hint=hint)
    encoding = encoding or encoding_of(head)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    complete = text[: text.rfind("\n") + 1] or text if len(head) >= HEAD_BYTES else text
    mixed = line_ends or len(set(re.findall(r"\r\n|\n|\r", complete))) > 1
    complete = complete.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    said = re.match(r"sep=(.)\n", complete)
    delimiter, aligned = (said[1], False) if said else _delimiter(complete)
    if encoding not in ("utf-8", "utf-8-sig") or aligned or mixed:
        path = transcoded(path, encoding, scratch, aligned=aligned)
        complete = _with_tabs(complete) if aligned else complete
    skipped, rows = _body(_cut(complete, delimiter, blank=True))
    header = _is_header(rows)
    names = rows[0] if header else [f"column{index}" for index in range(len(rows[0]))]
    return Dialect(path, delimiter, unique_names(names), header, skipped)


def _body(rows: list[list[str]]) -> tuple[int, list[list[str]]]:
    """How many lines stand before the rows, and the rows: a title or a remark is shorter than they are."""
    width = Counter(len(row) for row in rows if row).most_common(1)[0][0]
    start = next((at for at, row in enumerate(rows) if not _is_remark(row, width)), 0)
    lines = sum(1 + sum(cell.count("\n") for cell in row) for row in rows[:start])
    return lines, [row for row in rows[start:] if row]


def _is_remark(row: list[str], width: int) -> bool:
    filled = sum(bool(cell.strip()) for cell in row)
    return filled == 0 or (width > 1 and 2 * filled <= width and (len(row) < width or filled == 1))


def _cut(text: str, delimiter: str, *, blank: bool = False) -> list[list[str]]:
    """The first rows; blank lines among them as rows without cells where `blank`."""
    csv.field_size_limit(1 << 24)
    if len(delimiter) > 1:
        text, delimiter = text.replace(delimiter, "\x1f"), "\x1f"
    try:
        lines = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
        return [row for _, row in zip(range(200), lines, strict=False) if row or blank]
    except csv.Error:
        return [line.split(delimiter) for line in text.split("\n")[:200]]


_USUAL = (",", ";", "\t", "|", "\x01")
_UNUSUAL = ("^", "~", "\x1f", "\x1e", "¦", "§", "¬", "||", "::", "~|~", "!")


def _delimiter(text: str) -> tuple[str, bool]:
    """The separator whose rows agree best on their width; a tab for columns aligned with blanks."""
    best, chosen = (0.0, 0), ""
    for candidate in _USUAL:
        widths = Counter(len(row) for row in _cut(text, candidate))
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        score = (round(count / widths.total(), 2), width)
        if width > 1 and score > best:
            best, chosen = score, candidate
    for candidate in _UNUSUAL:
        widths = Counter(len(row) for row in _cut(text, candidate))
        width, count = widths.most_common(1)[0]
        # Nothing but a separator stands in every line as often as in every other.
        if width > 2 and count == widths.total() and (best[0] < 1 or candidate[0] == chosen):
            return candidate, False
    if chosen:
        return chosen, False
    widths = Counter(len(line.split()) for line in text.splitlines()[:200] if line.strip())
    width, count = widths.most_common(1)[0]
    return (_ALIGNED, True) if width > 2 and count == widths.total() else (",", False)


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: none of it is a number or a date, or it is text where numbers follow."""
    first = [cell for cell in rows[0] if cell.strip()]
    if not first or not any(_NUMBER_OR_DATE.fullmatch(cell) for cell in first):
        return bool(first)
    columns = zip_longest(*(row[: len(rows[0])] for row in rows), fillvalue="")
    return any(_names_numbers(column) for column in columns)


def _names_numbers(column: Sequence[str]) -> bool:
    below = [cell for cell in column[1:] if cell.strip() not in MISSING_WORDS]
    if not below or column[0].strip() in MISSING_WORDS:
        return False
    return not _NUMBER_OR_DATE.fullmatch(column[0]) and all(_NUMBER_OR_DATE.fullmatch(cell) for cell in below)


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
