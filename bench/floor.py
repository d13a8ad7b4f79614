"""How fast could a funnel be at all: a loop in C over the log's own columns, which counts and does nothing else."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.events import DAY, STEPS, WITHIN_DAYS, Data
from wayfare.histories.store import SealedSource

COLUMNS = ("customer", "time", "event")


def c_loop(data: Data, threads: int) -> Callable[[Path], list[int]]:
    """The windowed funnel's counts, block by block on so many threads."""
    from wayfare.log import open_log

    source = open_log(data.log).source
    assert isinstance(source, SealedSource)
    loop, step_of = _compiled(), np.zeros(256, dtype=np.uint8)
    for number, step in enumerate(STEPS, 1):
        step_of[source.names("event").code(step)] = number

    def scan(index: int) -> NDArray[np.int64]:
        block, deepest = source.read(index, COLUMNS), np.zeros(16, dtype=np.int64)
        arrays = [block[name].ctypes.data for name in COLUMNS]
        loop(*arrays, step_of.ctypes.data, block.rows, WITHIN_DAYS * DAY * 1_000_000, deepest.ctypes.data)
        return deepest

    def call(_: Path) -> list[int]:
        with ThreadPoolExecutor(threads) as pool:
            deepest = sum(pool.map(scan, range(source.blocks)), np.zeros(16, dtype=np.int64))
        # What was reached is a bit a step, and a step is reached after all before it.
        return [int(deepest[(1 << step) - 1 :].sum()) for step in range(1, len(STEPS) + 1)]

    return call


def _compiled() -> Any:
    """The loop, compiled by the machine's own compiler with everything that makes it fast here."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "floor.so"
        source = Path(__file__).with_name("floor.c")
        command = ["cc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source]
        subprocess.run(command, check=True, capture_output=True)
        loop = ctypes.CDLL(str(library)).floor_funnel
    loop.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_int64] * 2 + [ctypes.c_void_p]
    loop.restype = None
    return loop
