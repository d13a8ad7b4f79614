"""Times: forms, zones, the hour that happens twice and the one that never does, epoch numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tests.histories.ingest.rows import events_of, summed
from wayfare.errors import BadInput, InvalidParameter
from wayfare.histories.ingest import Mapping, ingest, memory_source, quarantine


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
    # The digits of a date, and a spreadsheet's days: 45,322 is 2024-01-31 in Excel.
    (["20240131101530"], ["2024-01-31T10:15:30+00:00"]), (["202401311015"], ["2024-01-31T10:15:00+00:00"]),
    (["202401", "202402"], ["2024-01-01T00:00:00+00:00", "2024-02-01T00:00:00+00:00"]), (["2023"], ["2023-01-01T00:00:00+00:00"]),
    (["45322.5"], ["2024-01-31T12:00:00+00:00"]),
    (["2024.01.31 10:15"], ["2024-01-31T10:15:00+00:00"]), (["2024-01-31 10:00 PM"], ["2024-01-31T22:00:00+00:00"]),
    (["2024-01"], ["2024-01-01T00:00:00+00:00"]), (["30-12-2010:11.02"], ["2010-12-30T11:02:00+00:00"]),
    (["Mon Feb 05 2024 10:00:00 GMT+0100"], ["2024-02-05T09:00:00+00:00"]),
    # Several forms in one column
    (["31/01/2024", "25.12.2024"], ["2024-01-31T00:00:00+00:00", "2024-12-25T00:00:00+00:00"]),
    (["31/01/2024 10:00", "2024-02-01 11:00:00"], ["2024-01-31T10:00:00+00:00", "2024-02-01T11:00:00+00:00"]),
])  # fmt: skip
def test_forms(tmp_path: Path, cells: list[str], expected: list[str]):
    assert times(tmp_path, cells) == expected


def test_a_format_can_be_said(tmp_path: Path):
    assert times(tmp_path, ["01/02/2024"], time_format="%d/%m/%Y") == ["2024-02-01T00:00:00+00:00"]
    (tmp_path / "2").mkdir()
    assert times(tmp_path / "2", ["2024-02-01"], time_format="%Y-%d-%m") == ["2024-01-02T00:00:00+00:00"]
    with pytest.raises(InvalidParameter, match="how times are written"):
        times(tmp_path / "..", ["2024-01-31"], time_format="nonsense")
    with pytest.raises(InvalidParameter, match="unit of time"):
        times(tmp_path / "..", ["1700000000"], time_unit="weeks")


@pytest.mark.parametrize("cells", [["01/02/2024", "03/04/2024"], ["13/12/2010", "12/13/2010"]])
def test_an_order_that_can_not_be_seen_is_asked_for(tmp_path: Path, cells: list[str]):
    with pytest.raises(BadInput, match="day first or month first") as caught:
        times(tmp_path, cells)
    assert "time_format='%d/%m/%Y'" in caught.value.hint


@pytest.mark.parametrize(("cells", "kept"), [
    (["1706700000", "1706700001", "1706700000123"], ["2024-01-31T11:20:00+00:00", "2024-01-31T11:20:01+00:00"]),
    (["20240131", "0", "20240201"], ["2024-01-31T00:00:00+00:00", "2024-02-01T00:00:00+00:00"]),
])  # fmt: skip
def test_one_slip_does_not_change_what_the_numbers_count(tmp_path: Path, cells: list[str], kept: list[str]):
    assert times(tmp_path, cells) == kept


def test_a_day_and_its_time_of_day_are_one_time(tmp_path: Path):
    (tmp_path / "a.csv").write_text(
        "user,date,time,event\na,2024-01-31,10:15:00,visit\n,2024-02-01,11:15:00,visit\n"
    )
    ingest(tmp_path / "log", [str(tmp_path / "a.csv")])
    assert [row["time"] for row in events_of(tmp_path / "log")] == ["2024-01-31T10:15:00+00:00"]
    assert quarantine.rerun(tmp_path / "log").reasons == {"no customer": 1}
    (tmp_path / "b.csv").write_text("user,d,t,event\na,31.01.2024,10:15,visit\n")
    ingest(tmp_path / "other", [str(tmp_path / "b.csv")], mapping=Mapping.parse(time="d + t"))
    assert [row["time"] for row in events_of(tmp_path / "other")] == ["2024-01-31T10:15:00+00:00"]


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
