"""Small blocks and sealed logs made by hand, without ingest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from wayfare.histories.block import Block
from wayfare.histories.schema import Kind, Schema
from wayfare.histories.store import publish, write_generation, writing

SCHEMA = Schema((("customer", Kind.CODE), ("time", Kind.TIME), ("event", Kind.CODE), ("value", Kind.NUMBER)))


def block(customer: list[int], **columns: list[float]) -> Block:
    """A block of these customers' rows, with times 0, 1, 2, … unless given."""
    arrays = {name: np.array(values) for name, values in columns.items()}
    arrays.setdefault("time", np.arange(len(customer)))
    return Block({"customer": np.array(customer, dtype=np.int64), **arrays})


def batch(customer: list[int], time: list[int], event: list[int]) -> pa.RecordBatch:
    """One encoded block with a value of 1 a row."""
    arrays = [
        pa.array(np.array(customer, dtype=np.int8)),
        pa.array(np.array(time, dtype=np.int64)),
        pa.array(np.array(event, dtype=np.int8)),
        pa.array(np.ones(len(customer))),
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(SCHEMA))


def seal(folder: Path, *batches: pa.RecordBatch, customers: int = 9) -> Path:
    """Writes and publishes a generation; gives its folder."""
    names = {"customer": pa.array([f"c{i}" for i in range(customers)]), "event": pa.array(["A", "B"])}
    with writing(folder):
        generation = write_generation(folder, SCHEMA, batches, names)
        publish(folder, generation)
    return generation
