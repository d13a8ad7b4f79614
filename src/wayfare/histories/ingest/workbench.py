"""The DuckDB that an ingest works in: all cores, a bounded memory, what does not fit spilled to a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

SHARE_OF_MEMORY = 0.5
PREFIX = "tmp-"


@contextmanager
def workbench(folder: Path | None = None) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A DuckDB in memory and the folder (under `folder`, or the system's) that it spills to; both gone afterwards."""
    with TemporaryDirectory(prefix=PREFIX, dir=folder, ignore_cleanup_errors=True) as scratch:
        con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
        try:
            con.execute(f"SET memory_limit = '{max(256, int(_memory() * SHARE_OF_MEMORY / 2**20))}MiB'")
            con.execute("SET temp_directory = '" + str(Path(scratch) / "spill").replace("'", "''") + "'")
            con.execute("SET TimeZone = 'UTC'")
            con.execute("SET preserve_insertion_order = true")
            con.execute("SET enable_progress_bar = false")
            yield con, Path(scratch)
        finally:
            con.close()


def one(con: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The only row of a query; the result is fetched whole, since an open one blocks the connection."""
    row: tuple[Any, ...] = con.execute(query).fetchall()[0]
    return row


def sweep_scratch(folder: Path) -> None:
    """Removes what a killed ingest left; call it under `store.writing(folder)`."""
    import shutil

    for path in folder.glob(f"{PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)


def _memory() -> int:
    """Bytes of memory this process may use: the machine's, or its control group's where that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text("ascii")))
    except (OSError, ValueError):
        return machine
