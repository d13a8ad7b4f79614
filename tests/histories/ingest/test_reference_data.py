"""The reference data that need no preset: the counts of data/README.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.histories.ingest.rows import events_of, summed
from wayfare.histories.ingest import Mapping, ingest
from wayfare.histories.store import open_sealed


def test_cdnow(tmp_path: Path, shared_data: Path):
    mapping = Mapping.parse(
        customer="column0", time="column2", maps=["quantity=column3", "value=column4", "properties=none"]
    )
    sample = summed(
        ingest(
            tmp_path / "sample",
            [str(shared_data / "cdnow" / "CDNOW_sample.txt")],
            mapping=mapping,
            as_event="purchase",
        )
    )
    assert (sample.rows_read, sample.kept, sample.customers) == (6_919, 6_919, 2_357)
    rows = pd.DataFrame(events_of(tmp_path / "sample"))
    assert round(rows.value.sum(), 2) == 244_091.94
    assert len(rows[["customer", "time"]].drop_duplicates()) == 6_696
    assert rows.customer.iloc[0] == "00004"
    master = summed(
        ingest(
            tmp_path / "master", [str(shared_data / "cdnow" / "cdnow_master.parquet")], as_event="purchase"
        )
    )
    assert (master.kept, master.customers, master.first[:10], master.last[:10]) == (
        69_659,
        23_570,
        "1997-01-01",
        "1998-06-30",
    )
    rows = pd.DataFrame(events_of(tmp_path / "master"))
    assert (round(rows.value.sum(), 2), (rows.value == 0).sum()) == (2_500_315.63, 80)


def test_ecom_events(tmp_path: Path, shared_data: Path):
    summary = summed(ingest(tmp_path / "log", [str(shared_data / "ecom_events" / "ecom_synthetic.parquet")]))
    assert (summary.kept, summary.customers) == (31_106, 600)
    assert {event.name: event.count for event in summary.events}["purchase"] == 470
    assert len(open_sealed(tmp_path / "log").names("session")) == 3_605
    assert set(summary.mapping.columns) == {"customer", "time", "event", "channel", "session"}


def test_wikipedia_sessions(tmp_path: Path, shared_data: Path):
    source = str(shared_data / "wikipedia_sessions" / "events.parquet")
    summary = summed(
        ingest(tmp_path / "log", [source], mapping=Mapping.parse(customer="uuid"), as_event="read")
    )
    assert (summary.kept, summary.customers) == (63_524, 10_000)
    log = open_sealed(tmp_path / "log")
    blocks = [log.read(index, ("customer", "time")) for index in range(log.blocks)]
    new = sum(
        np.sum(np.diff(block["time"], prepend=0)[~block.first] >= 1_800_000_000) + block.customers
        for block in blocks
    )
    assert new == 22_226


def test_receipt_process(tmp_path: Path, shared_data: Path):
    source = str(shared_data / "receipt_process" / "receipt.parquet")
    summary = summed(ingest(tmp_path / "log", [source], preset="csv-process-log"))
    assert (summary.kept, summary.customers, len(summary.events)) == (8_577, 1_434, 27)
    rows = pd.DataFrame(events_of(tmp_path / "log"))
    variants = rows.groupby("customer").event.agg(tuple).value_counts()
    assert (len(variants), variants.iloc[0]) == (116, 713)
