"""The raw export such a company would have: one CSV with the usual dirt, and the planted truths beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from wayfare.demo.company import Company
from wayfare.demo.rows import Array
from wayfare.demo.simulate import BATCH_CUSTOMERS, SCHEMA, records
from wayfare.demo.truths import count_of, truths_text

FILE = "events.csv.zst"
TRUTHS = "truths.yaml"
UNREADABLE = "not recorded"

_TIME = SCHEMA.get_field_index("time")
_CUSTOMER = SCHEMA.get_field_index("customer")
_EVENT_ID = SCHEMA.get_field_index("event_id")
_TEXT_SCHEMA = SCHEMA.set(_TIME, pa.field("time", pa.string()))
_DIRT = 2


@dataclass(frozen=True)
class Export:
    """What was written: `rows` of the file are the events, the duplicates and the unusable together."""

    path: Path
    truths: Path
    rows: int
    events: int
    duplicates: int
    unusable: int


def write_csv(company: Company, folder: Path | str, *, dirty: bool = True) -> Export:
    """Write `events.csv.zst` and `truths.yaml` into the folder, a batch of customers at a time.

    Args:
        company: The company to simulate.
        folder: Made where it is missing; files of the same names are replaced.
        dirty: Plant the duplicates and the unusable rows of `company`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path, beside = folder / FILE, folder / TRUTHS
    events = duplicates = unusable = done = 0
    with (
        pa.CompressedOutputStream(str(path), "zstd") as stream,
        csv.CSVWriter(stream, _TEXT_SCHEMA) as writer,
    ):
        for number, batch in enumerate(records(company)):
            text = batch.set_column(_TIME, _TEXT_SCHEMA.field(_TIME), batch.column(_TIME).cast(pa.string()))
            writer.write_batch(text)
            events += batch.num_rows
            before, done = done, min(done + BATCH_CUSTOMERS, company.customers)
            if dirty:
                twice, broken = _dirt(company, text, number, before, done)
                writer.write_batch(twice)
                writer.write_batch(broken)
                duplicates += twice.num_rows
                unusable += broken.num_rows
    beside.write_text(truths_text(company), encoding="utf-8")
    return Export(path, beside, events + duplicates + unusable, events, duplicates, unusable)


def _dirt(
    company: Company, batch: pa.RecordBatch, number: int, before: int, done: int
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Rows of the batch once more, and rows of it that lost their customer or their time by turns."""
    rng = np.random.default_rng(np.random.SeedSequence([company.seed, number, _DIRT]))
    twice = _some(batch, company.duplicates_per_thousand, before, done, rng)
    broken = _some(batch, company.unusable_per_thousand, before, done, rng)
    turn = np.arange(broken.num_rows) % 2 == 0
    customer = pa.array(broken.column(_CUSTOMER).to_pylist(), pa.string(), mask=turn)
    time = np.where(turn, np.array(broken.column(_TIME).to_pylist(), object), UNREADABLE)
    ids = [f"x{number}-{position}" for position in range(broken.num_rows)]
    for place, column in (
        (_CUSTOMER, customer),
        (_TIME, pa.array(time, pa.string())),
        (_EVENT_ID, pa.array(ids, pa.string())),
    ):
        broken = broken.set_column(place, _TEXT_SCHEMA.field(place), column)
    return twice, broken


def _some(
    batch: pa.RecordBatch, per_thousand: float, before: int, done: int, rng: np.random.Generator
) -> pa.RecordBatch:
    wanted = count_of(done, per_thousand) - count_of(before, per_thousand)
    chosen: Array = rng.integers(0, batch.num_rows, wanted)
    return batch.take(pa.array(chosen))
