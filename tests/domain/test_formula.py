"""One rule says which text a spreadsheet would run; Python, Arrow and DuckDB read it alike, and it can be undone."""

from __future__ import annotations

import csv
import io

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.charts.spreadsheet import csv_of
from wayfare.cli.show import csv_text
from wayfare.domain.formula import MARK, harmless, restored
from wayfare.histories.ingest import quarantine

# OWASP, "CSV Injection": a cell must not begin with one of these (the last four are the full-width signs).
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
TEXT = st.text(st.sampled_from([*DANGEROUS, "'", "a", " ", '"', ",", "é"]), max_size=6)


@pytest.mark.parametrize("sign", DANGEROUS)
def test_a_formula_gets_a_mark_and_loses_it_again(sign: str):
    assert harmless(f"{sign}1") == f"'{sign}1"
    assert harmless(f"'{sign}1") == f"''{sign}1"
    assert restored(harmless(f"'{sign}1")) == f"'{sign}1"


@pytest.mark.parametrize("text", ["", "'", "''", "plain", " =1", "a=1", "'quoted'", "1-2", "5'"])
def test_other_text_stays_as_it_is(text: str):
    assert harmless(text) == text == restored(text)


@given(TEXT)
def test_what_was_marked_is_restored_and_runs_nowhere(text: str):
    assert restored(harmless(text)) == text
    assert not harmless(text).startswith(DANGEROUS)


@given(TEXT)
def test_every_surface_has_the_same_rule(text: str):
    said = harmless(text)
    table = pa.table({"a": [text, "x"]})
    (_, (arrow,), _) = read(csv_of(table).decode())
    (_, (command,), _) = read(csv_text(table.to_pylist(), ["a"]))
    with duckdb.connect() as con:
        found = con.execute(
            f"SELECT {quarantine._harmless('t')}, {quarantine.restored('marked')} FROM (SELECT ? AS t, ? AS marked)",
            [text, said],
        ).fetchone()
    assert (arrow, command, found) == (said, said, (said, text))


def test_the_head_of_a_table_runs_as_little_as_its_cells():
    assert csv_text([{"=a": 1}], ["=a"]) == "'=a\n1\n"
    assert read(csv_of(pa.table({"=a": [1]})).decode()) == [[f"{MARK}=a"], ["1"]]


def read(text: str) -> list[list[str]]:
    return [row or [""] for row in csv.reader(io.StringIO(text, newline=""))]
