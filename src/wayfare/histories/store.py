"""The sealed log on disk: uncompressed Arrow files, one record batch a block, under one manifest.

    log/
      CURRENT                 the name of the generation that is the log; replaced by one atomic rename
      g-<time>-<random>/
        manifest.json         schema, parts with checksums, facts, lineage
        names/<column>.arrow  the names behind each coded column
        part-00000.arrow      whole customers in blocks; parts cover rising ranges of customers

A generation is written whole before CURRENT names it, so that a crash leaves the old log or the new one.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import secrets
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pyarrow import ipc

from wayfare.errors import Busy, Damaged, NotReady
from wayfare.histories.block import Block
from wayfare.histories.schema import Kind, Schema
from wayfare.histories.source import Facts, Names, Starts, block_of, names_of, with_starts

FORMAT = 1
PART_BLOCKS = 32
_CURRENT = "CURRENT"


@dataclass(frozen=True)
class Part:
    """One file of a generation."""

    file: str
    blocks: int
    rows: int
    bytes: int
    crc32: int


@dataclass(frozen=True)
class Manifest:
    """What a generation holds."""

    format: int
    columns: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    facts: Facts

    @property
    def schema(self) -> Schema:
        """The columns and how each is stored."""
        return Schema(tuple((name, Kind(kind)) for name, kind in self.columns))

    def to_json(self) -> str:
        """The manifest as it stands on disk."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """The manifest in the file `path`."""
        try:
            data = json.loads(path.read_text("utf8"))
            if data["format"] != FORMAT:
                raise Damaged(
                    f"The log has format {data['format']}.",
                    where=str(path),
                    allowed=[FORMAT],
                    hint="Ingest again.",
                )
            facts = Facts(**{**data["facts"], "lineage": tuple(data["facts"]["lineage"])})
            columns = tuple((name, kind) for name, kind in data["columns"])
            return cls(data["format"], columns, tuple(Part(**part) for part in data["parts"]), facts)
        except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
            raise Damaged(
                f"The log's manifest can't be read ({error}).", where=str(path), hint="Ingest again."
            ) from error


class SealedSource:
    """A log on disk, memory-mapped; holds its files open, so a newer log put in place does not disturb a reader."""

    def __init__(self, generation: Path) -> None:
        self.generation = generation
        self.manifest = Manifest.read(generation / "manifest.json")
        self.schema = self.manifest.schema
        self.facts = self.manifest.facts
        self._files = [self._open(part.file, part.bytes) for part in self.manifest.parts]
        coded = self.schema.of_kind(Kind.CODE)
        self._name_files = dict(
            zip(coded, (self._open(f"names/{name}.arrow") for name in coded), strict=True)
        )
        self._where = [
            (file, block) for file, part in enumerate(self.manifest.parts) for block in range(part.blocks)
        ]
        self._names: dict[str, Names] = {}
        self._starts: Starts = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return SealedSource, (self.generation,)

    def _open(self, file: str, size: int | None = None) -> int:
        path = self.generation / file
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise Damaged(
                f"A file of the log is missing ({error}).", where=str(path), hint="Ingest again."
            ) from error
        found = os.fstat(descriptor).st_size
        if size is not None and found != size:
            os.close(descriptor)
            raise Damaged(f"The file has {found} bytes, not {size}.", where=str(path), hint="Ingest again.")
        return descriptor

    def __del__(self) -> None:
        for descriptor in (*getattr(self, "_files", ()), *getattr(self, "_name_files", {}).values()):
            os.close(descriptor)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return len(self._where)

    def names(self, column: str) -> Names:
        """The names behind a coded column."""
        if column in self._name_files and column not in self._names:
            table = ipc.open_file(_mapped(self._name_files[column])).read_all()
            self._names[column] = Names(table.column(0))
        return names_of(self._names, self.schema, column)

    def read(self, index: int, columns: Sequence[str]) -> Block:
        """Block number `index`: views into the mapped file, released with the block."""
        file, block = self._where[index]
        # A map a block, not one for ever: pages leave the process's memory when the block does.
        batch = ipc.open_file(_mapped(self._files[file])).get_batch(block)
        return with_starts(block_of(batch, self.schema, columns), index, self._starts)

    def check(self) -> None:
        """Reads every byte and compares it with the manifest's checksums."""
        for part in self.manifest.parts:
            if _checksum(self.generation / part.file) != part.crc32:
                raise Damaged(
                    "The file's content is not what was written.", where=part.file, hint="Ingest again."
                )


def _mapped(descriptor: int) -> pa.Buffer:
    return pa.py_buffer(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))


def open_sealed(folder: Path) -> SealedSource:
    """The log that lies in `folder`, or the error that says that nothing was ingested yet."""
    for _ in range(3):  # a writer may replace the log between reading its name and opening it
        current = current_generation(folder)
        if current is None:
            raise NotReady(
                "Nothing has been ingested yet.", where=str(folder), hint="Run: wayfare ingest DIR FILE"
            )
        try:
            return SealedSource(current)
        except Damaged:
            if current_generation(folder) == current:
                raise
    raise Busy("The log is being replaced again and again.", where=str(folder), hint="Try again in a moment.")


def current_generation(folder: Path) -> Path | None:
    """The generation that is the log, or None where there is none yet."""
    try:
        return folder / (folder / _CURRENT).read_text("utf8").strip()
    except FileNotFoundError:
        return None


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Holds the right to write the log in `folder`; freed by the system if the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "LOCK").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(
                "Another ingest is writing this log.", where=str(folder), hint="Wait until it has finished."
            ) from None
        yield


def write_generation(
    folder: Path,
    schema: Schema,
    batches: Iterable[pa.RecordBatch],
    dictionaries: Mapping[str, pa.Array],
    *,
    lineage: Sequence[dict[str, Any]] = (),
    simulated: bool = False,
) -> Path:
    """Writes one generation from encoded, sorted blocks (one record batch each); nothing points to it yet.

    Call it, and `publish`, under `writing(folder)`.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    generation = folder / f"g-{stamp}-{secrets.token_hex(4)}"
    (generation / "names").mkdir(parents=True)
    for column, names in dictionaries.items():
        _write_names(generation / "names" / f"{column}.arrow", names)
    parts, tally = _write_parts(generation, batches)
    fingerprint = sha256(
        json.dumps([schema.kinds, [part.crc32 for part in parts], tally.rows]).encode()
    ).hexdigest()[:16]
    facts = Facts(
        tally.rows, tally.customers, tally.first, tally.last, fingerprint, tuple(lineage), simulated
    )
    manifest = Manifest(FORMAT, tuple((name, kind.value) for name, kind in schema.kinds), tuple(parts), facts)
    with (generation / "manifest.json").open("w", encoding="utf8") as file:
        file.write(manifest.to_json())
        file.flush()
        os.fsync(file.fileno())
    return generation


def publish(folder: Path, generation: Path) -> None:
    """Makes `generation` the log by one rename, and removes every other one."""
    fresh = folder / f"{_CURRENT}.new"
    with fresh.open("w", encoding="utf8") as file:
        file.write(generation.name)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / _CURRENT)
    _sync_folder(folder)
    sweep(folder)


def sweep(folder: Path) -> None:
    """Removes generations that are not the log: superseded ones, and what a crash left behind."""
    current = current_generation(folder)
    for path in folder.glob("g-*"):
        if path != current:
            shutil.rmtree(path, ignore_errors=True)


@dataclass
class _Tally:
    rows: int = 0
    customers: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        import pyarrow.compute as pc

        span = pc.min_max(batch.column("time"))
        low, high = span["min"].as_py(), span["max"].as_py()
        if low is not None:
            self.first = low if self.first is None else min(self.first, low)
            self.last = high if self.last is None else max(self.last, high)
        self.rows += batch.num_rows
        self.customers += Block({"customer": batch.column("customer").to_numpy()}).customers


def _write_parts(generation: Path, batches: Iterable[pa.RecordBatch]) -> tuple[list[Part], _Tally]:
    parts: list[Part] = []
    tally = _Tally()
    iterator = iter(batches)
    batch = next(iterator, None)
    while batch is not None:
        path = generation / f"part-{len(parts):05d}.arrow"
        rows = blocks = 0
        with (
            path.open("wb") as raw,
            _Checksummed(raw) as sink,
            ipc.new_file(pa.PythonFile(sink, "w"), batch.schema) as writer,
        ):
            while batch is not None and blocks < PART_BLOCKS:
                writer.write_batch(batch)
                tally.add(batch)
                rows, blocks = rows + batch.num_rows, blocks + 1
                batch = next(iterator, None)
        parts.append(Part(path.name, blocks, rows, path.stat().st_size, sink.crc32))
    return parts, tally


class _Checksummed:
    """A file that sums up what is written to it, and syncs before it closes."""

    closed = False

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.crc32 = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
        os.fsync(self.raw.fileno())

    def write(self, data: Any) -> int:
        self.crc32 = zlib.crc32(data, self.crc32)
        return int(self.raw.write(data))

    def flush(self) -> None:
        self.raw.flush()

    def close(self) -> None:
        self.flush()


def _checksum(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            crc = zlib.crc32(chunk, crc)
    return crc


def _write_names(path: Path, names: pa.Array) -> None:
    table = pa.table({"name": names})
    with path.open("wb") as raw, ipc.new_file(raw, table.schema) as writer:
        writer.write_table(table)
        raw.flush()
        os.fsync(raw.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
