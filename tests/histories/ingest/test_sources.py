"""Parquet, JSON, Excel, XES, SQLite, DuckDB and PostgreSQL give the log that the same rows as CSV give."""

from __future__ import annotations

import gzip
import json
import sqlite3
import sys
from datetime import datetime, time
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest

from tests.histories.ingest.rows import events_of, summed
from wayfare.errors import BadInput, MissingExtra, UnknownName
from wayfare.histories.ingest import Mapping, detect, ingest, quarantine
from wayfare.histories.ingest.sources import pieces

ROWS = [
    ("007", datetime(2024, 1, 1, 10), "visit", None, True), ("NA", datetime(2024, 1, 2, 10), "purchase", 12.5, False),
    ("007", datetime(2024, 1, 1, 9, 30), "visit", 3.0, True),
]  # fmt: skip
NAMES = ["customer", "time", "event", "value", "member"]
EXPECTED = [
    {"customer": "007", "time": "2024-01-01T09:30:00+00:00", "event": "visit", "value": 3.0, "member": True},
    {"customer": "007", "time": "2024-01-01T10:00:00+00:00", "event": "visit", "value": None, "member": True},
    {
        "customer": "NA",
        "time": "2024-01-02T10:00:00+00:00",
        "event": "purchase",
        "value": 12.5,
        "member": False,
    },
]


def check(tmp_path: Path, source: str, **options: str) -> None:
    summed(ingest(tmp_path / "log", [source], **options))
    assert events_of(tmp_path / "log") == EXPECTED


def test_parquet_file_folder_and_pattern(tmp_path: Path):
    frame = pd.DataFrame(ROWS, columns=NAMES)
    (tmp_path / "parts").mkdir()
    frame.iloc[:1].to_parquet(tmp_path / "parts" / "1.parquet")
    frame.iloc[1:].to_parquet(tmp_path / "parts" / "2.parquet")
    check(tmp_path / "folder", str(tmp_path / "parts"))
    check(tmp_path / "pattern", str(tmp_path / "parts" / "*.parquet"))


@pytest.mark.parametrize("form", ["lines", "packed", "array"])
def test_json(tmp_path: Path, form: str):
    objects = [dict(zip(NAMES, [row[0], row[1].isoformat(), *row[2:]], strict=True)) for row in ROWS]
    text = (
        json.dumps(objects, indent=1)
        if form == "array"
        else "\n".join(json.dumps(o) for o in objects) + "\n\n"
    )
    path = tmp_path / {"lines": "a.jsonl", "packed": "a.ndjson.gz", "array": "a.json"}[form]
    path.write_bytes(gzip.compress(text.encode()) if form == "packed" else text.encode())
    check(tmp_path, str(path))


def test_lines_that_are_no_json_objects_are_quarantined(tmp_path: Path):
    good = json.dumps({"customer": "a", "time": "2024-01-01", "event": "visit", "extra": {"b": [1]}})
    (tmp_path / "a.jsonl").write_text(f"{good}\nnot json\n[1]\n{{}}\n{good}\n")
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.jsonl")]))
    assert (summary.kept, summary.reasons) == (2, {"no JSON object": 2, "no customer": 1})
    assert sorted(quarantine.rows(tmp_path / "log")["line"].to_pylist()) == [2, 3, 4]
    (tmp_path / "b.jsonl").write_text("nothing\n")
    with pytest.raises(BadInput, match="No line is a JSON object"):
        ingest(tmp_path / "other", [str(tmp_path / "b.jsonl")])


def test_excel(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active.append(NAMES)
    for row in ROWS:
        book.active.append(list(row))
    book.create_sheet("empty")
    book.save(tmp_path / "a.xlsx")
    check(tmp_path, str(tmp_path / "a.xlsx"))
    with pytest.raises(UnknownName, match="sheet"):
        ingest(tmp_path / "other", [str(tmp_path / "a.xlsx")], table="none")
    with pytest.raises(BadInput, match="empty"):
        ingest(tmp_path / "other", [str(tmp_path / "a.xlsx")], table="empty")
    (tmp_path / "b.xlsx").write_text("no workbook")
    with pytest.raises(BadInput, match="Excel"):
        ingest(tmp_path / "other", [str(tmp_path / "b.xlsx")])


def test_a_workbook_with_a_title_and_several_sheets(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active.title = "Cover"
    sheet = book.create_sheet("Jan")
    for row in (
        ["Report"],
        [],
        ["Customer", "Date", "Time", "Event"],
        ["a", datetime(2024, 1, 1), time(10, 15), "visit"],
    ):
        sheet.append(row)
    book.create_sheet("Feb")
    book.save(tmp_path / "a.xlsx")
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.xlsx")]))
    assert any("'Jan'" in note and "'Feb'" in note and "--table" in note for note in summary.notes)
    assert [row["time"] for row in events_of(tmp_path / "log")] == ["2024-01-01T10:15:00+00:00"]


def test_a_field_inside_a_field_can_be_named(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text(
        '{"user": {"id": "007"}, "ts": "2024-01-01", "event": "v"}\n{"user": {}, "ts": "2024-01-01", "event": "v"}\n'
    )
    summary = summed(
        ingest(
            tmp_path / "log",
            [str(tmp_path / "a.jsonl")],
            mapping=Mapping.parse(customer="user.id", time="ts"),
        )
    )
    assert (summary.kept, summary.reasons) == (1, {"no customer": 1})
    assert events_of(tmp_path / "log")[0]["customer"] == "007"
    assert quarantine.rerun(tmp_path / "log").reasons == {"no customer": 1}


def test_a_number_that_json_has_no_word_for_can_be_mended(tmp_path: Path):
    frame = pd.DataFrame(
        {
            "customer": [None, "b"],
            "time": [datetime(2024, 1, 1)] * 2,
            "event": ["a", "b"],
            "value": [float("inf"), 1.0],
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.parquet")]))
    assert quarantine.export(tmp_path / "log", tmp_path / "mend.csv") == 1
    (tmp_path / "mend.csv").write_text(
        (tmp_path / "mend.csv").read_text().replace(",inf", ",5").replace("1,,", "1,a,")
    )
    json.loads(quarantine.rows(tmp_path / "log")["row"][0].as_py(), parse_constant=pytest.fail)
    assert quarantine.rerun(tmp_path / "log").reasons == {"no customer": 1}


def test_sqlite(tmp_path: Path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE events (customer TEXT, time TEXT, event TEXT, value REAL, member TEXT)")
        db.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
            [(*row[:1], row[1].isoformat(), *row[2:4], str(row[4]).lower()) for row in ROWS],
        )
        db.execute('CREATE TABLE "other; DROP" (a)')
    db.close()
    check(tmp_path / "1", f"sqlite:///{path}?table=events")
    check(tmp_path / "2", f"sqlite:///{path}", table="events")
    check(tmp_path / "3", f"sqlite:///{path}", query="SELECT * FROM events;")
    with pytest.raises(BadInput, match="Which table"):
        ingest(tmp_path / "4", [f"sqlite:///{path}"])
    with pytest.raises(UnknownName, match="event"):
        ingest(tmp_path / "4", [f"sqlite:///{path}"], table="evnts")
    with pytest.raises(BadInput, match="SQLite says"):
        ingest(tmp_path / "4", [f"sqlite:///{path}"], query="DELETE FROM events")


def test_duckdb(tmp_path: Path):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as db:
        db.execute(
            "CREATE TABLE events (customer VARCHAR, time TIMESTAMP, event VARCHAR, value DOUBLE, member BOOLEAN)"
        )
        db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", ROWS)
    check(tmp_path / "1", f"duckdb:///{path}")
    check(tmp_path / "2", f"duckdb:///{path}", query="SELECT * FROM events -- all")
    with pytest.raises(BadInput, match="no such file"):
        ingest(tmp_path / "3", [f"duckdb:///{tmp_path / 'none'}"])


def test_postgres(tmp_path: Path, postgres_url: str):
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url) as db:
        db.execute("DROP TABLE IF EXISTS wayfare_ingest")
        db.execute(
            "CREATE TABLE wayfare_ingest (customer text, time timestamptz, event text, value double precision, member boolean)"
        )
        for row in ROWS:
            db.execute(
                "INSERT INTO wayfare_ingest VALUES (%s, %s, %s, %s, %s)",
                (row[0], row[1].isoformat() + "Z", *row[2:]),
            )
    check(tmp_path / "1", postgres_url, table="wayfare_ingest")
    check(tmp_path / "2", f"{postgres_url}?table=wayfare_ingest")
    check(tmp_path / "3", postgres_url, query="SELECT * FROM wayfare_ingest")
    check(tmp_path / "5", postgres_url, query="SELECT * FROM wayfare_ingest -- all of it")
    with pytest.raises(BadInput, match="PostgreSQL says"):
        ingest(tmp_path / "4", [postgres_url], query="SELECT * FROM nowhere")
    with psycopg.connect(postgres_url) as db:
        db.execute("CREATE MATERIALIZED VIEW wayfare_seen AS SELECT * FROM wayfare_ingest")
    check(tmp_path / "6", postgres_url, table="wayfare_seen")


def test_postgres_without_its_driver_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match="wayfare\\[postgres\\]"):
        ingest(tmp_path / "log", ["postgresql://localhost/shop"], table="events")


def test_an_address_hides_its_password(tmp_path: Path):
    with pytest.raises(BadInput) as caught:
        ingest(tmp_path, ["mysql://root:secret@localhost/x"])
    assert "secret" not in str(caught.value)
    assert (
        pieces(["postgresql://h/x?user=u&password=secret&table=t"])[0].name
        == "postgresql://h/x?user=u&password=***&table=t"
    )


XES = """<?xml version="1.0"?>
<log xmlns="http://www.xes-standard.org/"><string key="concept:name" value="demo"/>
<trace><string key="concept:name" value="007"/><string key="kind" value="web"/>
<event><string key="concept:name" value="register"/><date key="time:timestamp" value="2024-01-01T10:00:00.000+01:00"/></event>
<event><string key="concept:name" value="pay"/><date key="time:timestamp" value="2024-01-02T10:00:00+01:00"/><int key="amount" value="5"/></event>
</trace></log>"""


def test_xes(tmp_path: Path):
    (tmp_path / "a.xes.gz").write_bytes(gzip.compress(XES.encode()))
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.xes.gz")], preset="xes"))
    assert events_of(tmp_path / "log") == [
        {
            "customer": "007",
            "time": "2024-01-01T09:00:00+00:00",
            "event": "register",
            "case_kind": "web",
            "amount": None,
        },
        {
            "customer": "007",
            "time": "2024-01-02T09:00:00+00:00",
            "event": "pay",
            "case_kind": "web",
            "amount": 5.0,
        },
    ]


def test_xes_that_could_fill_the_memory_is_refused(tmp_path: Path):
    bomb = '<!DOCTYPE log [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    (tmp_path / "a.xes").write_text(XES.replace("<log ", bomb + "<log "))
    with pytest.raises(BadInput, match="DOCTYPE"):
        ingest(tmp_path / "log", [str(tmp_path / "a.xes")], preset="xes")
    (tmp_path / "b.xes").write_text("<log>")
    with pytest.raises(BadInput, match="well-formed"):
        ingest(tmp_path / "log", [str(tmp_path / "b.xes")], preset="xes")


def test_detection_says_why_and_shows_rows(tmp_path: Path):
    (tmp_path / "a.csv").write_text("User ID,Created At,Activity,Revenue\n007,2024-01-01,buy,3\n")
    found = detect(str(tmp_path / "a.csv"))
    assert found.mapping.columns == {
        "customer": "User ID",
        "time": "Created At",
        "event": "Activity",
        "value": "Revenue",
    }
    assert set(found.reasons) == set(found.mapping.columns)
    assert found.sample == [{"User ID": "007", "Created At": "2024-01-01", "Activity": "buy", "Revenue": "3"}]
    (tmp_path / "b.csv").write_text("a,b\n1,x\n")
    assert len(detect(str(tmp_path / "b.csv")).warnings) == 3
