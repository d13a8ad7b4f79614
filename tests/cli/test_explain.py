"""An analysis explained: for people, as rows, as JSON; the same in all three."""

from __future__ import annotations

import csv
import io
import json

import pytest

from wayfare.registry import find


def test_json_says_all_there_is_to_know(wayfare):
    said = json.loads(wayfare("explain", "funnel", "--format", "json").out)
    funnel = find("funnel")
    assert (said["analysis"], said["group"], said["question"]) == ("funnel", "journey", funnel.question)
    assert said["tables"] == funnel.returns.columns()
    by_name = {p["name"]: p for p in said["parameters"]}
    assert by_name["order"]["choices"] == ["ordered", "strict", "any"]
    assert by_name["order"]["default"] == "ordered"
    assert (by_name["steps"]["option"], by_name["steps"]["required"]) == ("--steps", False)
    assert said["example"].startswith("wayfare run DIR funnel")


def test_csv_has_a_row_a_parameter_and_a_row_a_column(wayfare):
    rows = list(csv.DictReader(io.StringIO(wayfare("explain", "funnel", "--format", "csv").out)))
    funnel = find("funnel")
    assert [r["name"] for r in rows if r["part"] == "parameter"][:2] == ["steps", "within"]
    assert next(r for r in rows if r["name"] == "start")["says"].endswith("One of: any, first.")
    for table, columns in funnel.returns.columns().items():
        assert {r["name"]: r["says"] for r in rows if r["part"] == table} == columns


def test_people_read_question_caution_parameters_tables_and_an_example(wayfare):
    said = wayfare("explain", "touchpoints").out
    parts = [find("touchpoints").question, "Observational, not an experiment:", "Parameters", "--window", "Table touchpoints", "Example", "wayfare run DIR touchpoints"]  # fmt: skip
    flat = " ".join(said.split())
    places = [flat.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize(("said", "hint"), [("funel", "funnel"), ("time-two", "time_to")])
def test_a_wrong_name_is_corrected(wayfare, said: str, hint: str):
    done = wayfare("explain", said)
    assert done.code != 0
    assert hint in done.err


def test_dashes_do_for_underscores(wayfare):
    assert find("time_to").question.split()[0] in wayfare("explain", "time-to").out
