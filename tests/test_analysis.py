"""What is read off an analysis's signature, and how values of every kind are taken or refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import pandas as pd
import pyarrow as pa
import pytest

import wayfare as wf
from wayfare.analysis import analysis
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Day, Event, Events, Property, Share
from wayfare.errors import InvalidParameter, UnknownName, WayfareError
from wayfare.registry import find, names
from wayfare.result import Columns, Finding, Result, table
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class EchoResult(Result):
    """What was said."""

    said: Annotated[pa.Table, Columns(name="the parameter", value="its value")]

    observational = "nothing is compared."


@analysis
def echo(
    study: Study,
    *,
    event: Event | None = None,
    events: Events = (),
    by: Property | None = None,
    share: Share = 0.5,
    day: Day | None = None,
    within: Duration = Duration.parse("7d"),
    mode: Literal["fast", "slow"] = "fast",
    level: Literal[1, 2] = 1,
    flag: bool = False,
    count: int = 3,
    rate: float = 0.1,
    name: str = "x",
    words: tuple[str, ...] = (),
) -> EchoResult:
    """What was said?

    It says again what it was told.

    Args:
        event: One event.
        events: Several events,
            told on two lines.
        share: A share: from 0 to 1.
    """
    said = {k: v for k, v in locals().items() if k != "study"}
    return EchoResult(
        said=table(name=list(said), value=[repr(v) for v in said.values()]), findings=(Finding("Said."),)
    )


@pytest.fixture(scope="module")
def log():
    frame = pd.DataFrame({"customer": ["a"], "time": ["2024-01-01"], "event": ["visit"], "channel": ["web"]})
    return wf.read_events(frame, customer="customer", time="time", event="event", channel="channel")


def said(log, **params):
    result = echo(log, **params)
    return dict(zip(*(result.said[c].to_pylist() for c in ("name", "value")), strict=True))


def test_the_docstring_is_the_help():
    assert echo.question == "What was said?"
    assert echo.about == "It says again what it was told."
    helps = {p.name: p.help for p in echo.parameters}
    assert helps["events"] == "Several events, told on two lines."
    assert helps["share"] == "A share: from 0 to 1."


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("event", "visit", "'visit'"),
        ("events", ["visit", "visit"], "('visit', 'visit')"),
        ("events", "visit,visit", "('visit', 'visit')"),
        ("by", "channel", "'channel'"),
        ("by", "", "None"),
        ("share", "0.25", "0.25"),
        ("day", "2024-02-29", "datetime.date(2024, 2, 29)"),
        ("day", date(2024, 2, 29), "datetime.date(2024, 2, 29)"),
        ("within", "36h", "Duration(microseconds=129600000000)"),
        ("mode", "slow", "'slow'"),
        ("level", "2", "2"),
        ("flag", "yes", "True"),
        ("flag", False, "False"),
        ("count", "12", "12"),
        ("rate", "1e-3", "0.001"),
        ("name", 5, "'5'"),
        ("words", "a, b", "('a', 'b')"),
    ],
)
def test_values_typed_or_as_text(log, name, value, meant):
    assert said(log, **{name: value})[name] == meant


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("event", "buy", "visit"),
        ("events", ["visit", "buy"], "visit"),
        ("events", 3, ""),
        ("by", "country", "channel"),
        ("share", "1.5", ""),
        ("day", "2023-02-29", "2024-05-31"),
        ("within", "soon", "7d"),
        ("mode", "medium", "fast"),
        ("flag", "perhaps", "true"),
        ("count", "1.5", ""),
        ("rate", "much", ""),
        ("rate", None, ""),
    ],
)
def test_what_is_refused_says_where_and_what_is_allowed(log, name, value, allowed):
    with pytest.raises(WayfareError) as caught:
        echo(log, **{name: value})
    assert caught.value.where == name
    assert allowed in str(caught.value)


def test_an_unknown_parameter_is_named_with_the_closest(log):
    with pytest.raises(UnknownName, match="Did you mean 'within'"):
        echo(log, wihtin="7d")


def test_a_result_says_where_it_comes_from(log):
    shown = echo(log, events=["visit"], within="7d").to_dict()
    assert shown["analysis"] == "echo"
    assert shown["params"]["events"] == ["visit"]
    assert shown["params"]["within"] == "7d"
    assert shown["log"]["rows"] == 1
    assert shown["log"]["from"] == "2024-01-01T00:00:00Z"
    assert shown["warnings"] == ["Observational, not an experiment: nothing is compared."]


def test_a_result_shows_itself_and_gives_its_tables(log):
    result = echo(log)
    assert "Said." in str(result)
    assert result.to_pandas()["name"][0] == "event"
    assert result.to_polars("said").height == 13
    assert "<table" in result._repr_html_()
    with pytest.raises(UnknownName, match="table 'sayings'"):
        result.to_pandas("sayings")


def test_results_of_a_study_are_computed_once(log):
    study = Study(log)
    assert study.result(echo, within="7d") is study.result(echo, within="1w")
    assert study.result(echo, within="8d") is not study.result(echo, within="1w")


def test_an_analysis_is_found_by_its_name():
    assert find("time-to") is find("time_to")
    assert wf.funnel is find("funnel")
    assert "funnel" in names()
    assert "funnel" in dir(wf)
    with pytest.raises(UnknownName, match="Did you mean 'funnel'"):
        find("funel")
    with pytest.raises(AttributeError, match="Did you mean 'funnel'"):
        wf.funel  # noqa: B018


def test_errors_of_one_analysis_do_not_stop_the_others(log):
    outcomes = Study(log).results([(echo, {"mode": "medium"}), (echo, {})])
    assert isinstance(outcomes[0], InvalidParameter)
    assert isinstance(outcomes[1], EchoResult)
