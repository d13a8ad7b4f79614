"""How data are written: for people, for spreadsheets, for programs."""

from __future__ import annotations

import io
import json

import pytest

from wayfare.cli.columns import shown_columns
from wayfare.cli.options import Format
from wayfare.cli.show import csv_text, print_rows


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_disarmed(text: str):
    cell = csv_text([{"a": text}], ["a"]).split("\n", 1)[1]
    assert cell.strip('"\n').startswith("'")


def test_numbers_stay_numbers_in_csv():
    assert (
        csv_text([{"a": -1.5, "b": None, "c": True, "d": "x,y"}], list("abcd"))
        == 'a,b,c,d\n-1.5,,true,"x,y"\n'
    )


def test_intervals_stand_beside_what_they_bound():
    rows = [
        {"n": 1_234, "rate": 0.5, "rate_low": 0.25, "rate_high": 0.75, "value": 2.5, "low": 1.0, "high": None}
    ]
    columns = shown_columns(rows, list(rows[0]))
    assert [(column.name, column.cells[0]) for column in columns] == [
        ("n", "1,234"),
        ("rate (low–high)", "50.0% (25.0%–75.0%)"),
        ("value (low–high)", "2.5 (1.0––)"),
    ]


@pytest.mark.parametrize(
    ("name", "values", "cells"),
    [
        ("median_seconds", [90.0, 86_400.0, None], ("1.5 minutes", "24 hours", "–")),
        ("share", [0.123, 1.0, None], ("12.3%", "100.0%", "–")),
        ("value", [1_234_567.891, 12.3456, 0.012345], ("1,234,568", "12.35", "0.0123")),
        ("quantile", [0.1, 0.25, 0.5], ("0.10", "0.25", "0.50")),
        ("name", ["a", None, True], ("a", "–", "yes")),
        ("year", [2024, 2025], ("2024", "2025")),
        ("reach", [0.5, -0.123], ("50.0%", "-12.3%")),
        ("median_days", [0.5, 12.0], ("12 hours", "12 days")),
        ("p", [0.00001, 0.04], ("<0.001", "0.040")),
        ("path", [["a", "b"], []], ("a, b", "–")),
        ("repurchase_matched", [0, 12], ("0", "12")),
        ("score", [float("inf"), None], ("∞", "–")),
    ],
)
def test_cells_read_well(name: str, values: list[object], cells: tuple[str, ...]):
    (column,) = shown_columns([{name: value} for value in values], [name])
    assert column.cells == cells


def test_a_lift_and_its_interval_are_in_points():
    rows = [{"n": 3, "repurchase_lift": 0.042, "repurchase_low": -0.01, "repurchase_high": 0.09}]
    columns = shown_columns(rows, list(rows[0]))
    assert columns[1].cells == ("+4.2 points (-1.0–+9.0)",)


def test_a_metrics_figures_are_in_the_metrics_unit():
    rows = [
        {"metric": "repeat_rate", "value": 0.25, "low": 0.2, "high": 0.3, "kind": "share"},
        {"metric": "orders", "value": 310.0, "low": None, "high": None, "kind": "count"},
    ]
    columns = shown_columns(rows, list(rows[0]))
    assert columns[1].cells == ("25.0% (20.0%–30.0%)", "310.00")


def test_names_from_a_log_can_not_steer_the_terminal():
    out = io.StringIO()
    print_rows([{"event": "\x1b[31mred\x07 [bold]x[/bold]"}], ["event"], Format.TABLE, out)
    assert "\x1b" not in out.getvalue()
    assert "[bold]x[/bold]" in out.getvalue()


def test_json_rows():
    out = io.StringIO()
    print_rows([{"a": "é", "b": None}], ["a", "b"], Format.JSON, out)
    assert json.loads(out.getvalue()) == [{"a": "é", "b": None}]
    assert "é" in out.getvalue()


def test_no_rows_are_said():
    out = io.StringIO()
    print_rows([], ["a"], Format.TABLE, out)
    assert out.getvalue() == "No rows.\n"
