"""CSV and its kin: separators, encodings, packing, ids, malformed lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from tests.histories.ingest.rows import events_of, summed
from wayfare.errors import BadInput, InvalidParameter, UnknownName
from wayfare.histories.ingest import Mapping, ingest, quarantine

HEADER = "customer,time,event,value\n"
ROWS = (
    "007,2024-01-01T10:00:00,visit,\nNA,2024-01-02T10:00:00,purchase,12.5\n007,2024-01-01T09:00:00,visit,\n"
)


def test_ids_are_text_and_rows_sorted_by_customer_and_time(tmp_path: Path):
    (tmp_path / "a.csv").write_text(HEADER + ROWS)
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert (summary.kept, summary.customers, summary.first) == (3, 2, "2024-01-01T09:00:00+00:00")
    assert [
        (row["customer"], row["time"][:19], row["event"], row["value"]) for row in events_of(tmp_path / "log")
    ] == [
        ("007", "2024-01-01T09:00:00", "visit", None),
        ("007", "2024-01-01T10:00:00", "visit", None),
        ("NA", "2024-01-02T10:00:00", "purchase", 12.5),
    ]


@pytest.mark.parametrize("mark", [";", "\t", "|", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_separators_and_encodings(tmp_path: Path, mark: str, encoding: str):
    text = (HEADER + "Zoë,2024-01-01,visit,1\nJosé,2024-01-02,visit,2\n").replace(",", mark)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert {row["customer"] for row in events_of(tmp_path / "log")} == {"Zoë", "José"}


@pytest.mark.parametrize("mark", ["^", "~", "||", "::", "\x1e", "¦"])
def test_separators_that_are_seldom(tmp_path: Path, mark: str):
    (tmp_path / "a.csv").write_text(
        (HEADER + "Zoë,2024-01-01,visit,1\nJosé,2024-01-02,visit,2\n").replace(",", mark)
    )
    assert summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")])).kept == 2
    assert set(events_of(tmp_path / "log")[0]) == {"customer", "time", "event", "value"}


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("ends", [("\r\n", "\n"), ("\n", "\r\n"), ("\n", "\r")])
def test_line_ends_of_several_kinds(tmp_path: Path, ends: tuple[str, str], early: bool):
    first = ends[0].join(f"c{i},2024-01-01T10:00:00,visit,1" for i in range(3 if early else 12_000))
    rest = ends[1].join(f"d{i},2024-01-01T10:00:00,visit,1" for i in range(3))
    (tmp_path / "a.csv").write_bytes((HEADER.strip() + ends[0] + first + ends[1] + rest + ends[1]).encode())
    assert summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")])).kept == (6 if early else 12_003)


@pytest.mark.parametrize(("above", "lines"), [
    ("sep=;\n", 1), ("Report of events\nfrom 2024-01-01\n\n", 3), ("# made by a shop\n", 1), ("\n\n", 2),
])  # fmt: skip
def test_what_stands_above_the_header_is_left_out_and_said(tmp_path: Path, above: str, lines: int):
    text = above + (HEADER + ROWS + ",2024-01-01T10:00:00,visit,1\n").replace(",", ";")
    (tmp_path / "a.csv").write_text(text)
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert (summary.kept, summary.reasons) == (3, {"no customer": 1})
    assert any(note.startswith(f"{lines} line") for note in summary.notes)
    assert quarantine.rows(tmp_path / "log")["line"].to_pylist() == [lines + 5]


def test_a_sparse_first_row_is_a_row(tmp_path: Path):
    (tmp_path / "a.csv").write_text("a,2024-01-01,visit,,,,,\nb,2024-01-02,visit,1,2,3,4,5\n")
    mapping = Mapping.parse(customer="column0", time="column1", event="column2")
    assert summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")], mapping=mapping)).kept == 2


def test_a_header_may_hold_years(tmp_path: Path):
    (tmp_path / "a.csv").write_text("customer,time,event,2023,2024\na,2024-01-01,visit,1,2\n")
    ingest(tmp_path / "log", [str(tmp_path / "a.csv")])
    assert (events_of(tmp_path / "log")[0]["2023"], events_of(tmp_path / "log")[0]["2024"]) == (1, 2)


def test_a_files_content_says_how_it_is_packed(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(gzip.compress((HEADER + ROWS).encode()))
    (tmp_path / "b.csv.gz").write_text(HEADER + ROWS)
    for name in ("a.csv", "b.csv.gz"):
        assert summed(ingest(tmp_path / name[0], [str(tmp_path / name)])).kept == 3
    (tmp_path / "c.csv").write_bytes(b"PAR1 and so on")
    with pytest.raises(BadInput, match="Parquet"):
        ingest(tmp_path / "c", [str(tmp_path / "c.csv")])


NAMES = (
    "ord",
    "line",
    "src",
    "fault",
    "offence",
    "t_utc",
    "t_local",
    "t_given",
    "rowid",
    "select",
    'a"b',
    "value broken",
)


def test_columns_may_have_any_name(tmp_path: Path):
    header = ",".join('"' + name.replace('"', '""') + '"' for name in NAMES)
    cells = ",".join(str(number) for number in range(len(NAMES)))
    (tmp_path / "a.csv").write_text(
        f"customer,time,event,{header}\na,2024-01-01,visit,{cells}\n,2024-01-01,visit,{cells}\n"
    )
    assert summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")])).reasons == {"no customer": 1}
    row = events_of(tmp_path / "log")[0]
    assert list(row.values())[3:] == list(range(len(NAMES)))


@pytest.mark.parametrize("name", ["line", "Fault", "t_utc"])
def test_a_name_that_the_log_keeps_for_itself_is_refused(tmp_path: Path, name: str):
    (tmp_path / "a.csv").write_text(HEADER + ROWS)
    with pytest.raises(InvalidParameter, match="keeps for itself"):
        ingest(tmp_path / "log", [str(tmp_path / "a.csv")], mapping=Mapping.parse(maps=[f"{name}=value"]))


def test_a_mapping_says_each_thing_once_in_any_capitals():
    assert Mapping.parse(maps=["Customer=who", "VALUE=amount"]).columns == {
        "customer": "who",
        "value": "amount",
    }
    with pytest.raises(InvalidParameter, match="twice"):
        Mapping.parse(customer="a", maps=["customer=b"])


def test_a_query_of_a_file_is_refused(tmp_path: Path):
    (tmp_path / "a.csv").write_text(HEADER + ROWS)
    with pytest.raises(InvalidParameter, match="--query is for databases"):
        ingest(tmp_path / "log", [str(tmp_path / "a.csv")], query="SELECT 1")
    with pytest.raises(InvalidParameter, match="--table"):
        ingest(tmp_path / "log", [str(tmp_path / "a.csv")], table="x")


def test_lines_are_right_among_many_that_are_none(tmp_path: Path):
    good, broken, nobody = "a,2024-01-01,visit,1", "x,2024-01-01", ",2024-01-01,visit,1"
    (tmp_path / "a.csv").write_text(HEADER + f"{broken}\n{nobody}\n{good}\n" * 3000)
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    for row in quarantine.rows(tmp_path / "log").to_pylist():
        assert row["line"] % 3 == (0 if row["reason"] == "no customer" else 2)


@pytest.mark.parametrize("ending", [".csv.gz", ".csv.zst"])
def test_packed_files(tmp_path: Path, ending: str):
    data = (HEADER + ROWS).encode()
    packed = gzip.compress(data) if ending.endswith("gz") else pa.Codec("zstd").compress(data, asbytes=True)
    (tmp_path / f"a{ending}").write_bytes(packed)
    assert summed(ingest(tmp_path / "log", [str(tmp_path / f"a{ending}")])).kept == 3


def test_a_late_byte_that_is_no_utf8_makes_the_file_windows_1252(tmp_path: Path):
    rows = "".join(f"c{i},2024-01-01T10:00:00,visit,1\n" for i in range(20_000))
    (tmp_path / "a.csv").write_bytes(
        (HEADER + rows).encode() + "Zoë,2024-01-01T10:00:00,visit,1\n".encode("cp1252")
    )
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert (summary.kept, summary.quarantined) == (20_001, 0)
    assert "Zoë" in {row["customer"] for row in events_of(tmp_path / "log")}


def test_quotes_line_breaks_and_columns_in_columns(tmp_path: Path):
    text = 'customer,time,event,note\n1,2024-01-01,visit,"a\nb, ""c"""\n2,2024-01-02,visit,plain\n'
    (tmp_path / "a.csv").write_text(text)
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert [row["note"] for row in events_of(tmp_path / "log")] == ['a\nb, "c"', "plain"]


def test_malformed_lines_are_quarantined_with_their_line(tmp_path: Path):
    lines = [
        "a,2024-01-01,visit,1",
        "b,2024-01-01",
        "c,2024-01-01,visit,1,2,3",
        "d,2024-01-01,visit,1",
        ",2024-01-01,visit,1",
    ]
    (tmp_path / "a.csv").write_text(HEADER + "\n".join(lines) + "\n")
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert (summary.kept, summary.quarantined) == (2, 3)
    aside = quarantine.rows(tmp_path / "log").to_pylist()
    assert {(row["line"], row["reason"]) for row in aside} == {
        (3, "too few columns"),
        (4, "too many columns"),
        (6, "no customer"),
    }


@pytest.mark.parametrize(("late", "reason"), [
    ("x,2024-01-01T10:00:00,visit,much", "value is no number"), ("x,2024-01-01T10:00:00,visit,inf", "value is no number"),
    ("x,soon,visit,1", "time can't be read"), ("x,,visit,1", "no time"), ("x,1890-01-01,visit,1", "time is before 1970 or after 2100"),
    ("x,2024-01-01T10:00:00,,1", "no event"), ("x,2024-02-30T10:00:00,visit,1", "time can't be read"), ("  ,2024-01-01,visit,1", "no customer"),
])  # fmt: skip
def test_what_the_head_did_not_promise_is_found_anywhere(tmp_path: Path, late: str, reason: str):
    rows = "".join(f"c{i % 99},2024-01-01T10:00:00,visit,1.5\n" for i in range(25_000))
    (tmp_path / "a.csv").write_text(HEADER + rows + late + "\n")
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert (summary.kept, summary.reasons) == (25_000, {reason: 1})
    assert quarantine.rows(tmp_path / "log")["line"].to_pylist() == [25_002]


def test_numbers_say_missing_in_words_but_ids_do_not(tmp_path: Path):
    (tmp_path / "a.csv").write_text(
        HEADER + "NA,2024-01-01,visit,NA\nnull,2024-01-01,visit,\nx,2024-01-01,visit,3\n"
    )
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert {row["customer"]: row["value"] for row in events_of(tmp_path / "log")} == {
        "NA": None,
        "null": None,
        "x": 3.0,
    }


@pytest.mark.parametrize(("cells", "numbers"), [
    (["1.234,50", "2,5", "-3"], [1234.5, 2.5, -3.0]), (["1,234.50", "2.5", "-3"], [1234.5, 2.5, -3.0]), (["1e3", " 2 ", "+4"], [1000.0, 2.0, 4.0]),
])  # fmt: skip
def test_decimal_marks(tmp_path: Path, cells: list[str], numbers: list[float]):
    rows = "".join(f"c{i};2024-01-01;visit;{cell}\n" for i, cell in enumerate(cells))
    (tmp_path / "a.csv").write_text(HEADER.replace(",", ";") + rows)
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    assert [row["value"] for row in events_of(tmp_path / "log")] == numbers


def test_properties_travel_with_their_own_type(tmp_path: Path):
    head = "customer,time,event,plan,score_before,trial,renewed,zip,comment\n"
    rows = "".join(
        f"c{i},2024-01-01,visit,{'ab'[i % 2]},{i / 2},{['true', 'false'][i % 2]},2024-02-0{i % 9 + 1} 10:00,0{i % 7}11,said {i}\n"
        for i in range(3000)
    )
    (tmp_path / "a.csv").write_text(head + rows)
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")]))
    from wayfare.log import open_log

    kinds = {name: kind.value for name, kind in open_log(tmp_path / "log").schema.kinds}
    assert kinds == {
        "customer": "code", "time": "time", "event": "code", "plan": "code", "score_before": "number", "trial": "flag",
        "renewed": "time", "zip": "code", "comment": "text",
    }  # fmt: skip
    assert events_of(tmp_path / "log")[0]["zip"] == "0011"


def test_only_named_properties_travel(tmp_path: Path):
    (tmp_path / "a.csv").write_text("customer,time,event,a,b\n1,2024-01-01,visit,x,y\n")
    ingest(tmp_path / "log", [str(tmp_path / "a.csv")], mapping=Mapping(properties=("b",)))
    assert set(events_of(tmp_path / "log")[0]) == {"customer", "time", "event", "b"}


def test_an_unknown_property_is_an_error(tmp_path: Path):
    (tmp_path / "a.csv").write_text("customer,time,event,plan\n1,2024-01-01,visit,x\n")
    with pytest.raises(UnknownName, match="plan"):
        ingest(tmp_path / "log", [str(tmp_path / "a.csv")], mapping=Mapping.parse(maps=["properties=plans"]))


def test_hostile_names_and_values_are_only_names_and_values(tmp_path: Path):
    name = 'x"); DROP TABLE raw_0; --'
    path = tmp_path / "a'); DROP TABLE raw_0; --[1]*.csv"
    path.write_text('customer,time,"x""); DROP TABLE raw_0; --",../../etc\n\'; DROP,2024-01-01,a,b\n')
    ingest(tmp_path / "log", [str(path)], mapping=Mapping.parse(event=name))
    row = events_of(tmp_path / "log")[0]
    assert (row["customer"], row["event"]) == ("'; DROP", "a")
    assert all("/" not in key for key in row)


def test_a_text_without_header_gets_numbered_columns_and_runs_of_blanks_separate(tmp_path: Path):
    (tmp_path / "a.txt").write_text(" 00004 0001 19970101  2   29.33\r\n 00021 0002 19970118  1  9.99\r\n")
    mapping = Mapping.parse(customer="column0", time="column2", maps=["value=column4"])
    summary = summed(
        ingest(tmp_path / "log", [str(tmp_path / "a.txt")], mapping=mapping, as_event="purchase")
    )
    assert summary.kept == 2
    assert [(row["customer"], row["time"][:10], row["value"]) for row in events_of(tmp_path / "log")] == [
        ("00004", "1997-01-01", 29.33), ("00021", "1997-01-18", 9.99),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "empty"), ("\n\n", "empty"), (HEADER, "no rows"), ("a,b\n1,2\n", "No column is known")],
)
def test_nothing_to_read(tmp_path: Path, content: str, said: str):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(BadInput, match=said):
        ingest(tmp_path / "log", [str(tmp_path / "a.csv")])
    assert not list((tmp_path / "log").glob("g-*"))
    assert not list((tmp_path / "log").glob("tmp-*"))


def test_a_missing_file_and_an_unknown_column(tmp_path: Path):
    with pytest.raises(BadInput, match="no such file"):
        ingest(tmp_path / "log", [str(tmp_path / "none.csv")])
    (tmp_path / "a.csv").write_text(HEADER + ROWS)
    with pytest.raises(UnknownName) as caught:
        ingest(tmp_path / "log", [str(tmp_path / "a.csv")], mapping=Mapping.parse(customer="costumer"))
    assert "customer" in caught.value.allowed
    assert "customer" in caught.value.hint


def test_only_bad_rows_are_an_error_that_changes_nothing(tmp_path: Path):
    (tmp_path / "a.csv").write_text(HEADER + ",2024-01-01,visit,1\n")
    with pytest.raises(BadInput, match="None of the 1 rows"):
        ingest(tmp_path / "log", [str(tmp_path / "a.csv")])
    assert ingest(tmp_path / "log", [str(tmp_path / "a.csv")], dry_run=True).quarantined == 1


def test_several_files_in_the_order_given_and_by_pattern(tmp_path: Path):
    (tmp_path / "b.csv").write_text("customer,time,event\nx,2024-01-01,second\n")
    (tmp_path / "a.csv").write_text("customer,time,event,value\nx,2024-01-01,first,1\n")
    both = [str(tmp_path / "b.csv"), str(tmp_path / "a.csv")]
    summed(ingest(tmp_path / "one", both))
    assert [row["event"] for row in events_of(tmp_path / "one")] == ["second", "first"]
    summed(ingest(tmp_path / "two", [str(tmp_path / "*.csv")]))
    assert [row["event"] for row in events_of(tmp_path / "two")] == ["first", "second"]
