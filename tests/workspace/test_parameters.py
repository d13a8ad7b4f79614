"""What a workspace says of an analysis's parameters holds wherever nothing else is said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import wayfare as wf
from wayfare.errors import InvalidParameter, UnknownName
from wayfare.study import Study
from wayfare.workspace.config import parse_config


def study(**parameters: object) -> Study:
    frame = pd.DataFrame({"customer": ["a"], "time": [pd.Timestamp("2024-01-01")], "event": "purchase"})
    log = wf.read_events(frame, customer="customer", time="time", event="event")
    return Study(log, parameters={"opportunities": parameters})


def test_they_are_read_from_the_file(tmp_path: Path):
    text = (
        "name: Shop\nparameters:\n  opportunities:\n    budget: 500\n    effects: [remind=0.01:0.03:0.06]\n"
    )
    assert parse_config(text, "wayfare.yaml").parameters == {
        "opportunities": {"budget": "500", "effects": ["remind=0.01:0.03:0.06"]}
    }
    assert parse_config("name: Shop\n", "wayfare.yaml").parameters == {}


def test_they_hold_where_nothing_is_said():
    asked = wf.opportunities(study(salt="spring", effects=["remind=0.01:0.03:0.06"]))
    assert asked.context.params["salt"] == "spring"
    assert asked.context.params["effects"] == ["remind=0.01:0.03:0.06"]
    assert wf.opportunities(study(salt="spring"), salt="autumn").context.params["salt"] == "autumn"


def test_what_is_wrong_is_named():
    with pytest.raises(UnknownName, match="budgit"):
        wf.opportunities(study(budgit=20))
    with pytest.raises(InvalidParameter, match="not a number"):
        wf.opportunities(study(budget="lots"))
