"""`wayfare run`: options from the analysis's parameters, data on stdout, everything else on stderr."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from wayfare.cli.run import _shared
from wayfare.registry import all_analyses, names

STEPS = ("--steps", "product_view", "--steps", "cart", "--steps", "purchase")


def test_json_is_the_result_and_nothing_else(wayfare, shop: Path):
    done = wayfare("run", shop, "funnel", *STEPS, "--within", "36h", "--format", "json")
    said = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert [row["customers"] for row in said["tables"]["steps"]] == [4, 3, 2]  # the fixture's histories
    assert said["params"]["within"] == "36h"
    assert said["log"]["customers"] == 4


def test_a_list_can_be_repeated_or_have_commas(wayfare, shop: Path):
    repeated = wayfare("run", shop, "funnel", *STEPS, "--format", "json")
    with_commas = wayfare("run", shop, "funnel", "--steps", "product_view,cart, purchase", "--format=json")
    assert repeated.out == with_commas.out


def test_options_may_stand_anywhere_after_the_analysis(wayfare, shop: Path):
    assert (
        wayfare("run", shop, "--format", "csv", "funnel", *STEPS).out
        == wayfare("run", shop, "funnel", *STEPS, "--format", "csv").out
    )


def test_the_table_has_the_findings_first(wayfare, shop: Path):
    done = wayfare("run", shop, "funnel", *STEPS)
    assert done.code == 0
    finding = json.loads(wayfare("run", shop, "funnel", *STEPS, "--format", "json").out)["findings"][0]
    assert done.out.index(finding) < done.out.index("\nsteps")
    assert "of_first (low–high)" in done.out
    assert re.search(r"3\s+purchase\s+2\s+50\.0% \(", done.out)


def test_csv_is_one_table_and_safe_in_a_spreadsheet(wayfare, shop: Path):
    done = wayfare("run", shop, "transitions", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert any(row["target"] == "'=cmd()" for row in rows)
    assert not any(cell.startswith(("=", "@")) for row in rows for cell in row.values())
    assert "--table" in done.err


def test_one_table_can_be_asked_for(wayfare, shop: Path):
    done = wayfare("run", shop, "sessions", "--table", "lengths", "--format", "json")
    assert list(json.loads(done.out)["tables"]) == ["lengths"]
    unknown = wayfare("run", shop, "sessions", "--table", "length")
    assert unknown.code == 2
    assert "Did you mean 'lengths'?" in unknown.err


def test_a_part_of_the_log_can_be_asked_for(wayfare, shop: Path):
    done = wayfare(
        "run",
        shop,
        "funnel",
        *STEPS,
        "--segment",
        "did:cart",
        "--segment",
        "never:=cmd()",
        "--format",
        "json",
    )
    assert [row["customers"] for row in json.loads(done.out)["tables"]["steps"]] == [2, 2, 1]
    early = wayfare(
        "run",
        shop,
        "funnel",
        *STEPS,
        "--since",
        "2023-12-01",
        "--until",
        "2024-01-01T01:30",
        "--format",
        "json",
    )
    assert [row["customers"] for row in json.loads(early.out)["tables"]["steps"]] == [
        4,
        0,
        0,
    ]  # 01:30 in Amsterdam is 00:30 UTC


def test_data_can_go_to_a_file_that_names_its_format(wayfare, shop: Path, tmp_path: Path):
    done = wayfare("run", shop, "sessions", "--output", tmp_path / "s.csv", "--plot", tmp_path / "s.svg")
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "s.csv").read_text().startswith("sessions,customers")
    assert "<svg" in (tmp_path / "s.svg").read_text()


def test_a_file_stays_as_it_was_where_nothing_can_be_written(wayfare, shop: Path, tmp_path: Path):
    path = tmp_path / "steps.csv"
    path.write_text("kept")
    done = wayfare("run", shop, "funnel", *STEPS, "--table", "stepz", "--output", path)
    assert (done.code, path.read_text()) == (2, "kept")
    assert "Did you mean 'steps'?" in done.err
    assert [file.name for file in tmp_path.iterdir()] == ["steps.csv"]


def test_a_table_can_be_saved_as_parquet(wayfare, shop: Path, tmp_path: Path):
    path = tmp_path / "t.parquet"
    done = wayfare(
        "run", shop, "funnel", "--steps", "cart", "--steps", "purchase", "--table", "steps", "--output", path
    )
    assert (done.code, done.out) == (0, "")
    table = pq.read_table(path)
    assert table.column_names[0] == "step"
    assert json.loads(table.schema.metadata[b"wayfare"])["params"]["steps"] == ["cart", "purchase"]
    assert [file.name for file in tmp_path.iterdir()] == ["t.parquet"]


@pytest.mark.parametrize(
    ("args", "where", "said"),
    [
        (("funnel", "--stepz", "cart"), "wayfare run DIR funnel", "Did you mean '--steps'?"),
        (("funnel", "--steps", "crt"), "--steps", "Did you mean 'cart'?"),
        (("funnel", "--within", "soon"), "--within", "30m, 24h"),
        (("funnel", "--order", "x"), "--order", "ordered, strict, any"),
        (("funel",), "", "Did you mean 'funnel'?"),
        (("sessions", "--since", "May"), "", "2024-05-31"),
        (("sessions", "--segment", "web"), "", "channel=web"),
        (("sessions", "--format", "xml"), "wayfare run", "table"),
        (("sessions", "--output", "x.parquet", "--format", "csv"), "--format", "can't hold csv"),
        (("sessions", "--format", "xml"), "wayfare run", "'--format': 'xml' is not one of"),
        (("sessions", "--output", "x.xlsx"), "--output", ".json, .csv, .parquet"),
        (("attribution", "--order", "inf"), "--order", "not a whole number"),
        (("attribution", "--order", "nan"), "--order", "not a whole number"),
        (("sessions", "--plot", "x.gif"), "--plot", ".svg, .png, .pdf, .html"),
        (("sessions", "--output", "no/such/folder/x.csv"), "--output", "mkdir -p"),
        (("sessions", "stray"), "wayfare run DIR sessions", "stray"),
        ((), "wayfare run", "wayfare list"),
    ],
)
def test_what_is_wrong_is_said_in_parts(wayfare, shop: Path, args: tuple[str, ...], where: str, said: str):
    done = wayfare("run", shop, *args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Problem  ")
    assert said in done.err
    assert where in done.err


def test_the_analysis_before_the_folder_is_explained(wayfare, shop: Path):
    assert f"The folder comes first: wayfare run {shop} funnel" in wayfare("run", "funnel", shop).err


def test_the_part_of_the_log_that_is_looked_at_is_said(wayfare, shop: Path):
    part = ("--segment", "did:cart", "--since", "2024-01-01", "--until", "2024-01-02T12:30")
    heading = wayfare("run", shop, "sessions", *part).out.split("\n", 1)[0]
    assert heading.endswith("; looked at: event=cart, since 2024-01-01, until 2024-01-02 12:30")
    log = json.loads(wayfare("run", shop, "sessions", *part, "--format", "json").out)["log"]
    assert [log[key] for key in ("segments", "until")] == [
        ["any:event=cart"],
        "2024-01-02T11:30:00Z",
    ]  # the shop is in Amsterdam


def test_options_before_the_folder_are_explained(wayfare, shop: Path):
    assert "come first" in wayfare("run", "--steps", "cart", shop, "funnel").err


def test_an_error_is_json_where_json_was_asked_for(wayfare, shop: Path):
    done = wayfare("run", shop, "funnel", "--steps", "crt", "--format", "json")
    error = json.loads(done.err)["error"]
    assert (error["code"], error["where"], error["hint"]) == (
        "unknown_name",
        "--steps",
        "Did you mean 'cart'?",
    )
    assert "cart" in error["allowed"]


@pytest.mark.parametrize("name", names())
def test_every_parameter_is_an_option_with_help(wayfare, shop: Path, name: str):
    done = wayfare("run", shop, name, "--help")
    analysis = next(a for a in all_analyses() if a.name == name)
    assert done.code == 0
    assert set(_shared()).isdisjoint(p.name for p in analysis.parameters)
    for parameter in analysis.parameters:
        assert f"--{parameter.name.replace('_', '-')}" in done.out
        assert parameter.help, f"{parameter.name} of {name} has no help"
