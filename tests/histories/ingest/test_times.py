"""Times: forms, zones, the hour that happens twice and the one that never does, epoch numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tests.histories.ingest.rows import events_of, summed
from wayfare.errors import BadInput, InvalidParameter
from wayfare.histories.ingest import Mapping, ingest, memory_source


def times(tmp_path: Path, cells: list[str], zone: str = "UTC", **mapping: str) -> list[str]:
    rows = "".join(f'c{i:02},"{cell}",visit\n' for i, cell in enumerate(cells))
    (tmp_path / "a.csv").write_text("customer,time,event\n" + rows)
    maps = [f"{key}={value}" for key, value in mapping.items()]
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")], zone=zone, mapping=Mapping.parse(maps=maps)))
    return [row["time"] for row in events_of(tmp_path / "log")]


@pytest.mark.parametrize(("cells", "expected"), [
    (["2024-02-29T23:59:59", "2024-03-01T00:00:00"], ["2024-02-29T23:59:59+00:00", "2024-03-01T00:00:00+00:00"]),
    (["2010-12-01 08:26"], ["2010-12-01T08:26:00+00:00"]),
    (["2024-01-01"], ["2024-01-01T00:00:00+00:00"]),
    (["2024-01-01T10:00:00.123456Z"], ["2024-01-01T10:00:00.123456+00:00"]),
    (["2024-01-01T10:00:00+02:00", "2024-01-01T10:00:00"], ["2024-01-01T08:00:00+00:00", "2024-01-01T10:00:00+00:00"]),
    (["2024-01-01T10:00:00+00:00"], ["2024-01-01T10:00:00+00:00"]),
    (["2024-01-01 10:00:00+00"], ["2024-01-01T10:00:00+00:00"]),
    (["2024-01-15 10:23:45 -0500"], ["2024-01-15T15:23:45+00:00"]),
    (["2024-01-15 10:23:45 UTC"], ["2024-01-15T10:23:45+00:00"]),
    (["13/12/2010 08:26", "01/02/2010 08:26"], ["2010-12-13T08:26:00+00:00", "2010-02-01T08:26:00+00:00"]),
    (["12/13/2010 08:26", "01/02/2010 08:26"], ["2010-12-13T08:26:00+00:00", "2010-01-02T08:26:00+00:00"]),
    (["31.12.2010"], ["2010-12-31T00:00:00+00:00"]),
    (["31/12/10"], ["2010-12-31T00:00:00+00:00"]),
    (["12/31/2010 1:05 PM"], ["2010-12-31T13:05:00+00:00"]),
    (["Dec 31, 2010"], ["2010-12-31T00:00:00+00:00"]),
    (["20101231"], ["2010-12-31T00:00:00+00:00"]),
    (["1700000000"], ["2023-11-14T22:13:20+00:00"]),
    (["1700000000.5"], ["2023-11-14T22:13:20.500000+00:00"]),
    (["1700000000123"], ["2023-11-14T22:13:20.123000+00:00"]),
    (["1700000000123456"], ["2023-11-14T22:13:20.123456+00:00"]),
    (["1700000000123456789"], ["2023-11-14T22:13:20.123456+00:00"]),
])  # fmt: skip
def test_forms(tmp_path: Path, cells: list[str], expected: list[str]):
    assert times(tmp_path, cells) == expected


def test_a_format_can_be_said(tmp_path: Path):
    assert times(tmp_path, ["01/02/2024"], time_format="%d/%m/%Y") == ["2024-02-01T00:00:00+00:00"]
    with pytest.raises(InvalidParameter, match="unit of time"):
        times(tmp_path / "..", ["1700000000"], time_unit="weeks")


@pytest.mark.parametrize("cells", [["01/02/2024", "03/04/2024"], ["13/12/2010", "12/13/2010"]])
def test_an_order_that_can_not_be_seen_is_asked_for(tmp_path: Path, cells: list[str]):
    with pytest.raises(BadInput, match="day first or month first") as caught:
        times(tmp_path, cells)
    assert "time_format" in caught.value.hint


ZONE = "Europe/Amsterdam"
WALL = [
    "2024-03-31 01:59:59",
    "2024-03-31 02:30:00",
    "2024-03-31 03:00:00",
    "2024-10-27 02:30:00",
    "2024-10-27 03:00:00",
    "2024-07-01 12:00:00",
]
# PEP 495: fold=0 is the first of the two, and moves a skipped time on by the hour.
IN_UTC = [
    datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(ZONE), fold=0).astimezone(UTC).isoformat()
    for wall in WALL
]


def test_wall_clock_times_are_read_in_the_zone(tmp_path: Path):
    assert times(tmp_path, WALL, ZONE) == IN_UTC


def test_so_they_are_in_every_form(tmp_path: Path):
    slow = [wall.replace(" ", "T") + ".000" for wall in WALL]
    assert times(tmp_path, [*slow, "2024-01-01T00:00:00Z"], ZONE) == [*IN_UTC, "2024-01-01T00:00:00+00:00"]
    frame = pd.DataFrame(
        {"customer": [f"{i}" for i in range(len(WALL))], "time": pd.to_datetime(WALL), "event": "visit"}
    )
    assert [row["time"] for row in events_of(memory_source(frame, zone=ZONE))] == IN_UTC


def test_the_mappings_zone_wins_and_times_with_one_keep_it(tmp_path: Path):
    assert times(tmp_path, ["2024-07-01 12:00:00"], **{"zone ": "America/New_York"}) == [
        "2024-07-01T16:00:00+00:00"
    ]
    frame = pd.DataFrame(
        {"customer": ["a"], "time": [pd.Timestamp("2024-07-01 12:00", tz="Asia/Tokyo")], "event": ["visit"]}
    )
    assert events_of(memory_source(frame, zone=ZONE))[0]["time"] == "2024-07-01T03:00:00+00:00"
    with pytest.raises(InvalidParameter, match="time zone"):
        memory_source(frame, zone="Mars/Base")


def test_the_future_is_noted(tmp_path: Path):
    (tmp_path / "a.csv").write_text("customer,time,event\na,2098-01-01,visit\nb,2024-01-01,visit\n")
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert any("future" in note for note in summary.notes)
    assert summary.kept == 2
