"""Any data frame in: pandas, polars, pyarrow, a DuckDB relation, a file's path; the same log."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.histories.ingest.rows import events_of
from wayfare.errors import BadInput, UnknownName
from wayfare.histories.ingest import ingest, memory_source
from wayfare.histories.store import open_sealed

FRAME = pd.DataFrame({
    "who": ["007", "NA", "007", "b"], "when": pd.to_datetime(["2024-01-03", "2024-01-02", "2024-01-01", "2024-02-29"]),
    "what": pd.Categorical(["buy", "visit", "visit", "buy"]), "value": [1.0, np.nan, 3.0, 4.0], "new": [True, False, True, True],
    "note": ["x", None, "x", "y"], "n": [1, 2, 3, 4],
})  # fmt: skip
EXPECTED = [
    {
        "customer": "007",
        "time": "2024-01-01T00:00:00+00:00",
        "event": "visit",
        "value": 3.0,
        "new": True,
        "note": "x",
        "n": 3.0,
    },
    {
        "customer": "007",
        "time": "2024-01-03T00:00:00+00:00",
        "event": "buy",
        "value": 1.0,
        "new": True,
        "note": "x",
        "n": 1.0,
    },
    {
        "customer": "NA",
        "time": "2024-01-02T00:00:00+00:00",
        "event": "visit",
        "value": None,
        "new": False,
        "note": None,
        "n": 2.0,
    },
    {
        "customer": "b",
        "time": "2024-02-29T00:00:00+00:00",
        "event": "buy",
        "value": 4.0,
        "new": True,
        "note": "y",
        "n": 4.0,
    },
]


def polars_frame():
    return pytest.importorskip("polars").from_pandas(FRAME.astype({"what": "str"}))


@pytest.mark.parametrize("make", [
    lambda: FRAME, lambda: FRAME.set_index("n", drop=False), polars_frame, lambda: polars_frame().lazy(),
    lambda: pa.Table.from_pandas(FRAME), lambda: duckdb.from_arrow(pa.Table.from_pandas(FRAME)),
    lambda: pa.Table.from_pandas(FRAME).to_reader(),
], ids=["pandas", "pandas index", "polars", "lazy polars", "pyarrow", "duckdb", "reader"])  # fmt: skip
def test_every_kind_of_frame_gives_the_same_log(make):
    source = memory_source(make(), customer="who", time="when", event="what")
    assert events_of(source) == EXPECTED
    assert (source.facts.rows, source.facts.customers) == (4, 3)


def test_a_frame_and_a_file_give_the_same_rows(tmp_path: Path):
    named = FRAME.rename(columns={"who": "customer", "when": "time", "what": "event"})
    named.to_csv(tmp_path / "a.csv", index=False)
    ingest(tmp_path / "log", [str(tmp_path / "a.csv")])
    assert (
        events_of(memory_source(named))
        == events_of(open_sealed(tmp_path / "log"))
        == events_of(memory_source(tmp_path / "a.csv"))
    )


def test_ids_of_a_column_of_fractions_have_no_point():
    frame = pd.DataFrame(
        {
            "customer": [12345.0, 2.5, 1e17],
            "time": [1_700_000_000, 1_700_000_001, 1_700_000_002],
            "event": "e",
        }
    )
    assert {row["customer"] for row in events_of(memory_source(frame))} == {"12345", "2.5", "1e+17"}


def test_mixed_objects_are_text():
    frame = pd.DataFrame({"customer": [1, "x", None], "time": ["2024-01-01"] * 3, "event": "e"})
    with pytest.warns(UserWarning, match="1 of 3 rows"):
        source = memory_source(frame)
    assert [row["customer"] for row in events_of(source)] == ["1", "x"]


def test_empty_frames_give_an_empty_log():
    for frame in (FRAME.iloc[:0], pd.DataFrame({"who": [], "when": [], "what": []})):
        source = memory_source(frame, customer="who", time="when", event="what")
        assert (source.facts.rows, source.facts.customers, source.blocks, source.facts.first) == (
            0,
            0,
            0,
            None,
        )


def test_one_row_and_one_event_for_all():
    source = memory_source(pd.DataFrame({"customer": ["a"], "time": ["2024-01-01"]}), as_event="purchase")
    assert events_of(source) == [{"customer": "a", "time": "2024-01-01T00:00:00+00:00", "event": "purchase"}]


def test_what_is_no_frame_and_what_can_not_be_used():
    with pytest.raises(BadInput, match="no data frame"):
        memory_source(5)
    with pytest.raises(UnknownName, match="who"):
        memory_source(FRAME, customer="whom", time="when", event="what")
    with pytest.raises(BadInput, match="None of the 1 rows"):
        memory_source(pd.DataFrame({"customer": [None], "time": ["2024-01-01"], "event": "e"}))


def test_a_column_called_like_duckdbs_row_number_is_a_column():
    frame = pd.DataFrame(
        {"customer": ["a", "b"], "time": ["2024-01-01", "2024-01-02"], "event": "e", "rowid": [7.5, 8.5]}
    )
    assert [row["row_id"] for row in events_of(memory_source(frame))] == [7.5, 8.5]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
@pytest.mark.parametrize("column", ["when", "also"])
def test_times_of_every_unit_with_a_zone_and_without(tmp_path: Path, unit, zone, column):
    # Midnight in Paris is 23:00 UTC of the day before, in winter.
    moments = pd.Series(pd.to_datetime(["2024-01-02", "2024-01-03"])).dt.tz_localize(zone).dt.as_unit(unit)
    frame = pd.DataFrame({"who": ["a", "b"], "when": ["2024-01-01"] * 2, "what": "visit"})
    frame[column] = moments
    frame.to_parquet(tmp_path / "frame.parquet")
    expected = "2024-01-01T23:00:00+00:00" if zone else "2024-01-02T00:00:00+00:00"
    for source in (frame, tmp_path / "frame.parquet"):
        rows = events_of(memory_source(source, customer="who", time="when", event="what"))
        assert rows[0]["time" if column == "when" else "also"] == expected
