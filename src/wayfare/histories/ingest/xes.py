"""XES event logs (IEEE 1849): each event of each trace is a row, its trace's attributes beside it as `case:...`."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import orjson

from wayfare.errors import BadInput
from wayfare.histories.ingest.dialect import unpacked
from wayfare.histories.ingest.jsonlines import read_json_file
from wayfare.histories.ingest.raw import Raw
from wayfare.histories.ingest.sources import Piece, Wanted

_ATTRIBUTES = ("string", "date", "int", "float", "boolean", "id")


def read_xes(con: duckdb.DuckDBPyConnection, piece: Piece, table: str, wanted: Wanted) -> Raw:
    """The events as a table; the file is streamed, and one that declares a document type is refused."""
    path, lines = piece.paths[0], wanted.scratch / f"{table}.xes.jsonl"
    with lines.open("wb") as out:
        _convert(path, out, wanted.limit)
    if not lines.stat().st_size:
        raise BadInput("The file holds no events.", where=piece.name)
    return read_json_file(con, lines, piece.name, table)


def _convert(path: Path, out: BinaryIO, limit: int) -> None:
    target = _Events(out, path.name, limit)
    parser = ET.XMLParser(target=target)  # noqa: S314 - entities need a DOCTYPE, which is refused
    try:
        with unpacked(path) as stream:
            while (chunk := stream.read(1 << 20)) and not target.full:
                parser.feed(bytes(chunk))
        if not target.full:
            parser.close()
    except ET.ParseError as error:
        raise BadInput(f"The file is no well-formed XML ({error}).", where=path.name) from error


class _Events:
    """Told of each tag by the parser; writes an event's attributes as a line of JSON when it ends."""

    def __init__(self, out: BinaryIO, name: str, limit: int) -> None:
        self.out, self.name, self.limit = out, name, limit
        self.path: list[str] = []
        self.trace: dict[str, str] = {}
        self.event: dict[str, str] = {}
        self.written = 0

    @property
    def full(self) -> bool:
        return bool(self.limit) and self.written >= self.limit

    def doctype(self, *_: Any) -> None:
        """Entities are declared in a document type; XES needs none, and they can be made to fill the memory."""
        raise BadInput(
            "The file declares a document type (DOCTYPE), which XES does not need.",
            where=self.name,
            hint="Remove the declaration.",
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition("}")[2]
        parent = self.path[-1] if self.path else ""
        if kind in _ATTRIBUTES and "key" in attributes:
            if parent == "event":
                self.event[attributes["key"]] = attributes.get("value", "")
            elif parent == "trace":
                self.trace[f"case:{attributes['key']}"] = attributes.get("value", "")
        elif kind == "trace":
            self.trace = {}
        elif kind == "event":
            self.event = {}
        self.path.append(kind)

    def end(self, _: str) -> None:
        if self.path.pop() == "event" and not self.full:
            self.out.write(orjson.dumps({**self.trace, **self.event}) + b"\n")
            self.written += 1

    def data(self, _: str) -> None:
        """Text between tags means nothing in XES."""

    def close(self) -> None:
        """The file has ended."""
