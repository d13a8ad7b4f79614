"""Numbers as people write them; the expected ones are what the writer meant (read by hand)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.histories.ingest.rows import events_of, summed
from wayfare.errors import InvalidParameter
from wayfare.histories.ingest import IngestSummary, Mapping, detect, ingest


def read(tmp_path: Path, cells: list[str], *maps: str) -> tuple[IngestSummary, list[float | None]]:
    """The summary, and the values kept, of a file with these amounts."""
    rows = "".join(f"c{i};2024-01-01;purchase;{cell}\n" for i, cell in enumerate(cells))
    (tmp_path / "a.csv").write_text("customer;time;event;value\n" + rows)
    summary = summed(
        ingest(tmp_path / "log", [str(tmp_path / "a.csv")], mapping=Mapping.parse(maps=list(maps)))
    )
    return summary, [row["value"] for row in events_of(tmp_path / "log")]


@pytest.mark.parametrize(("cells", "numbers"), [
    (["0,125", "0,250"], [0.125, 0.25]), (["€12.50", "$1,234.50", "12.50 EUR", "US$ 4"], [12.5, 1234.5, 12.5, 4.0]),
    (["12,50 €", "1.200,00 €", "3,00 €"], [12.5, 1200.0, 3.0]), (["(12.50)", "12.50-", "\u22125", "-5"], [-12.5, -12.5, -5.0, -5.0]),
    (["1'234.50", "2\u2019000", "3"], [1234.5, 2000.0, 3.0]), (["1,23,456.00", "5"], [123456.0, 5.0]),
    (["1 234,50", "2\u00a0000,00", "3\u202f500,10"], [1234.5, 2000.0, 3500.1]), (["n/a", "#N/A", "\\N", "1"], [None, None, None, 1.0]),
    (["1234,567", "2"], [1234.567, 2.0]),
])  # fmt: skip
def test_money_as_it_is_written(tmp_path: Path, cells: list[str], numbers: list[float | None]):
    summary, values = read(tmp_path, cells)
    assert (values, summary.quarantined) == (numbers, 0)


def test_a_point_is_no_thousands_mark_where_it_stands_elsewhere(tmp_path: Path):
    summary, values = read(tmp_path, ["12.50", "1234.567", "1.234,5", "1.234"], "decimal=,")
    assert values == [1234.5, 1234.0]
    assert summary.reasons == {"value is no number": 2}


@pytest.mark.parametrize(
    ("cells", "number"), [(["1,234", "2,345"], 1234.0), (["15.000", "2.500"], 15.0)], ids=["comma", "point"]
)
def test_what_could_be_either_is_said(tmp_path: Path, cells: list[str], number: float):
    summary, values = read(tmp_path, cells)
    assert values[0] == number
    assert any(cells[0] in note and "--map decimal=," in note for note in summary.notes)


@pytest.mark.parametrize("cell", ["ABC 5", "0x10", "(5", "5 apples", "1.2.3", "2024-01-01"])
def test_what_is_no_number_stays_none(tmp_path: Path, cell: str):
    summary, values = read(tmp_path, ["1", "2", "3", cell])
    assert (values, summary.reasons) == ([1.0, 2.0, 3.0], {"value is no number": 1})


def test_digits_that_a_number_would_lose_are_text(tmp_path: Path):
    (tmp_path / "a.csv").write_text("customer,time,event,parent\n1,2024-01-01,visit,123456789012345679\n")
    (tmp_path / "b.jsonl").write_text(
        '{"customer": 12345678901234567891, "time": "2024-01-01", "event": "visit", "parent": 123456789012345679}\n'
    )
    for name, customer in (("a.csv", "1"), ("b.jsonl", "12345678901234567891")):
        summed(ingest(tmp_path / name[0], [str(tmp_path / name)]))
        row = events_of(tmp_path / name[0])[0]
        assert (row["customer"], row["parent"]) == (customer, "123456789012345679")


def test_a_mark_that_is_none_is_an_error(tmp_path: Path):
    with pytest.raises(InvalidParameter, match="decimal mark"):
        read(tmp_path, ["1"], "decimal=x")


def test_a_value_column_without_numbers_is_spoken_of(tmp_path: Path):
    (tmp_path / "a.csv").write_text("customer,time,event,value\n1,2024-01-01,visit,high\n")
    assert any("'value' holds no numbers" in warning for warning in detect(str(tmp_path / "a.csv")).warnings)
