"""Tables as a page shows them."""

from __future__ import annotations

import csv
import io

import pyarrow as pa

from wayfare.charts.spreadsheet import csv_of
from wayfare.result import table
from wayfare.web.cells import Cell, shown


def test_values_stand_in_their_units_with_the_interval_beside():
    data = table(event=["cart", "buy"], of_first=[0.585, None], of_first_low=[0.536, None], of_first_high=[0.632, None],
                 median_seconds=[3960.0, float("nan")], customers=[1234, 0])  # fmt: skip
    got = shown("steps", data, {"of_first": "share of all"}, "EUR")
    assert [(c.label, c.figures) for c in got.columns] == [
        ("Event", False), ("Of first", True), ("Median", True), ("Customers", True),
    ]  # fmt: skip
    assert got.rows[0] == (Cell("cart"), Cell("58.5%", "53.6% to 63.2%"), Cell("66 minutes"), Cell("1,234"))
    assert got.rows[1] == (Cell("buy"), Cell("–"), Cell("–"), Cell("0"))
    assert [name for name, _ in got.said] == data.column_names


def test_only_the_first_rows_are_shown_and_the_others_counted():
    got = shown("t", table(n=list(range(500))), {}, "", limit=200)
    assert (len(got.rows), got.total, got.more) == (200, 500, 300)
    assert shown("t", table(n=pa.array([], pa.int64())), {}, "").rows == ()


def test_no_text_of_a_csv_begins_a_formula():
    texts = ["=1+1", "+49", "-2", "@x", "\tx", "\rx", "plain", None, 'a "quoted", b']
    rows = read(csv_of(pa.table({"a": pa.array(texts), "b": pa.array(range(-4, 5))})))
    assert [a for a, _ in rows[1:]] == [
        "'=1+1",
        "'+49",
        "'-2",
        "'@x",
        "'\tx",
        "'\rx",
        "plain",
        "",
        'a "quoted", b',
    ]
    assert [b for _, b in rows[1:]] == [str(n) for n in range(-4, 5)]  # numbers stay numbers


def test_lists_and_times_can_be_read_in_a_csv():
    data = pa.table(
        {"path": pa.array([["=a", "b"], None]), "at": pa.array([0, None], pa.timestamp("us", tz="UTC"))}
    )
    rows = read(csv_of(data))
    assert rows[1:] == [["'=a > b", "1970-01-01T00:00:00.000000Z"], ["", ""]]


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))
