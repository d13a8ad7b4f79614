"""How text with columns is encoded, packed and separated, seen from its first bytes."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import literal

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
    # The five bytes that Windows-1252 leaves undefined become the replacement character.
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
