"""Kinds of parameter that hold several values: the same answer however they are written."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import wayfare as wf
from wayfare.analysis import properties_of
from wayfare.errors import InvalidParameter, UnknownName, WayfareError
from wayfare.study import Study
from wayfare.web.openapi import openapi

MONTHS = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.8, 0.8, 1.0, 1.0, 1.3, 1.9)


@pytest.fixture(scope="module")
def study():
    frame = pd.DataFrame(
        {
            "customer": ["a", "b"],
            "time": pd.to_datetime(["2024-01-01", "2024-01-02"]),
            "event": "purchase",
            "channel": ["web", "store"],
            "age": [31.5, 40.0],
            "note": ["a long text of its own", "another one"],
        }
    )
    return Study(
        wf.read_events(
            frame, customer="customer", time="time", event="event", channel="channel", age="age", note="note"
        )
    )


@pytest.mark.parametrize(
    "said",
    [
        MONTHS,
        list(MONTHS),
        ",".join(map(str, MONTHS)),
        [str(m) for m in MONTHS],
        ["1,1,1,1,1,1", "0.8, .8,1,1,1.3,1.9"],
    ],
)
def test_numbers(study, said):
    assert wf.forecast.settle({"calendar": said}, study)["calendar"] == MONTHS


@pytest.mark.parametrize(
    "said", [("channel", "age"), ["channel", "age"], "channel,age", "channel, age,channel"]
)
def test_properties(study, said):
    assert wf.forecast.settle({"covariates": said}, study)["covariates"] == ("channel", "age")


def test_what_is_wrong_with_them(study):
    with pytest.raises(InvalidParameter, match="not a number") as number:
        wf.forecast.settle({"calendar": "1,x"}, study)
    assert number.value.where == "calendar"
    with pytest.raises(UnknownName, match="no property 'customer'") as name:
        wf.forecast.settle({"covariates": "customer"}, study)
    assert set(name.value.allowed) == set(properties_of(study.log))
    assert {"channel", "age"} <= set(name.value.allowed)


def test_machines_are_told_what_they_are():
    asked = {
        p["name"]: p["schema"] for p in openapi()["paths"]["/api/analyses/forecast"]["get"]["parameters"]
    }
    assert asked["calendar"] == {"type": "array", "items": {"type": "number"}}
    assert asked["covariates"] == {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"windw": "7d"}, "wayfare.yaml, parameters of touchpoints"),
        ({"window": "7x"}, "wayfare.yaml, parameters of touchpoints, window"),
    ],
)
def test_what_is_wrong_in_the_settings_is_said_to_be_there(study, said, where):
    theirs = replace(study, parameters={"touchpoints": said})
    with pytest.raises(WayfareError) as wrong:
        wf.touchpoints.settle({}, theirs)
    assert wrong.value.where == where


def test_what_is_said_goes_before_what_is_wrong_in_the_settings(study):
    theirs = replace(study, parameters={"touchpoints": {"window": "7x"}})
    assert str(wf.touchpoints.settle({"window": "7d"}, theirs)["window"]) == "7d"


@pytest.mark.parametrize("value", ["inf", "nan", float("inf"), 10**400, "1.5"])
def test_a_whole_number_is_one(study, value):
    with pytest.raises(InvalidParameter, match="not a whole number"):
        wf.attribution.settle({"order": value}, study)


@pytest.mark.parametrize("value", ["1,nan", [float("inf")]])
def test_a_number_is_finite(study, value):
    with pytest.raises(InvalidParameter, match="not a number"):
        wf.forecast.settle({"calendar": value}, study)
