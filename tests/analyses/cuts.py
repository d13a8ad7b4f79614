"""A log of the same histories in small blocks, to see that where blocks are cut changes no answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from wayfare.histories.source import MemorySource
from wayfare.log import Log


def in_blocks(log: Log, customers: int) -> Log:
    """`log` with `customers` customers a block."""
    source = log.source
    assert isinstance(source, MemorySource)
    if not source.batches:
        return log
    rows = pa.Table.from_batches(source.batches).combine_chunks().to_batches()[0]
    codes = rows.column("customer").to_numpy()
    starts = np.flatnonzero(np.append(True, np.diff(codes) != 0))[::customers]
    ends = np.append(starts[1:], len(codes))
    batches = tuple(rows.slice(start, end - start) for start, end in zip(starts, ends, strict=True))
    return replace(log, source=replace(source, batches=batches))
