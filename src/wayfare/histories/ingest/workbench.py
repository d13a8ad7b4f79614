"""The DuckDB that an ingest works in: all cores, a bounded memory, what does not fit spilled to a folder of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

SHARE_OF_MEMORY = 0.5
PREFIX = "tmp-"
_LOOK_EVERY = 0.25


@contextmanager
def workbench(folder: Path | None = None) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A DuckDB in memory and the folder (under `folder`, or the system's) that it spills to; both gone afterwards."""
    with TemporaryDirectory(prefix=PREFIX, dir=folder, ignore_cleanup_errors=True) as scratch:
        con = duckdb.connect(
            ":memory:", config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        try:
            con.execute(f"SET memory_limit = '{max(256, int(_memory() * SHARE_OF_MEMORY / 2**20))}MiB'")
            con.execute("SET temp_directory = '" + str(Path(scratch) / "spill").replace("'", "''") + "'")
            con.execute("SET TimeZone = 'UTC'")
            con.execute("SET preserve_insertion_order = true")
            con.execute("SET enable_progress_bar = true")  # counted for `watched`, not printed
            con.execute("SET enable_progress_bar_print = false")
            yield con, Path(scratch)
        except (RuntimeError, duckdb.InterruptException) as error:
            # A Ctrl-C that meets DuckDB at work comes back as one of these.
            if isinstance(error, duckdb.InterruptException) or "interrupted" in str(error):
                raise KeyboardInterrupt from error
            raise
        finally:
            con.close()


def one(con: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The only row of a query; the result is fetched whole, since an open one blocks the connection."""
    row: tuple[Any, ...] = con.execute(query).fetchall()[0]
    return row


@contextmanager
def watched(con: duckdb.DuckDBPyConnection, tell: Callable[[float], None]) -> Iterator[None]:
    """Tells how far the statement under way has come (0 to 1); where `tell` raises, the statement ends with that error."""
    done, raised = threading.Event(), list[BaseException]()

    def watch() -> None:
        while not done.wait(_LOOK_EVERY):
            try:
                tell(min(1.0, max(0.0, con.query_progress() / 100)))
            except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
                raised.append(error)
                con.interrupt()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except Exception:
        if raised:
            raise raised[0] from None
        raise
    finally:
        done.set()
        watcher.join()
    if raised:
        raise raised[0]


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
