"""A result as a value: it shows itself in a terminal, equals its like, and says what was looked at."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest

import wayfare as wf
from wayfare.errors import InvalidParameter, NotReady

ROWS = [
    ("a", "2024-01-01 23:30", "view", "web"),
    ("a", "2024-01-02 10:00", "purchase", "web"),
    ("b", "2024-01-03 10:00", "view", "store"),
]


@pytest.fixture(scope="module")
def log():
    frame = pd.DataFrame(ROWS, columns=["who", "when", "what", "channel"])
    return wf.read_events(
        frame, customer="who", time="when", event="what", channel="channel", zone="Europe/Amsterdam"
    )


def test_a_terminal_shows_the_findings_and_what_fits_of_the_main_table(log, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    result = wf.funnel(log, steps=["view", "purchase"])
    shown = repr(result)
    assert shown == str(result)
    assert result.findings[0].text in shown
    table = shown.split("\n")[-5:]
    assert table[0].split()[:3] == ["step", "event", "customers"]
    assert max(map(len, table[:3])) <= 60
    assert table[-2].endswith("more columns: .to_pandas('steps')")
    assert table[-1] == "Further tables: times, groups"


def test_a_table_without_rows_is_said_to_have_none(log):
    assert "edges: no rows" in str(wf.transitions(log.where("channel=phone")))


def test_the_same_answer_is_equal_even_where_numbers_are_missing(log):
    first, again = (wf.funnel(log, steps=["view", "purchase"]) for _ in range(2))
    assert first.to_pandas().isna().any(axis=None)
    assert first == again == pickle.loads(pickle.dumps(first))
    assert hash(first) == hash(again)
    assert first != wf.funnel(log, steps=["view", "purchase"], within="1h")
    assert first != wf.sessions(log)


def test_a_name_that_the_log_lacks_is_pointed_at(log):
    result = wf.overview(log.where("first:channel=wbe"))
    assert "There is no channel 'wbe'. Did you mean 'web'?" in result.warnings
    assert not wf.overview(log.where("first:channel=web", "never:refund")).warnings[1:]


@pytest.mark.parametrize("days", [{"since": "2025-01-01"}, {"until": "2023-12-31"}])
def test_days_that_the_log_lacks_are_pointed_at(log, days):
    said = "Nothing happened in the days asked for: the log goes from 2024-01-01 to 2024-01-03."
    assert said in wf.overview(log.where(**days)).warnings


def test_what_was_looked_at_is_said(log):
    part = log.where("did:purchase", since="2024-01-02", until="2024-01-03")
    said = wf.overview(part).to_dict()["log"]
    assert said["segments"] == ["any:event=purchase"]
    assert (said["since"], said["until"]) == ("2024-01-01T23:00:00Z", "2024-01-02T23:00:00Z")
    assert said["zone"] == "Europe/Amsterdam"
    assert wf.overview(log).to_dict()["log"]["since"] is None


@pytest.mark.parametrize("what", ["shop", None, pd.DataFrame()])
def test_an_analysis_asked_of_something_else_says_what_it_takes(what):
    with pytest.raises(InvalidParameter, match="a log or a study"):
        wf.overview(what)


@pytest.mark.parametrize("models", [5, True])
def test_names_that_are_no_list_are_refused(log, models):
    with pytest.raises(InvalidParameter, match="not a list of names"):
        wf.attribution(log, models=models)


def test_one_event_is_a_list_of_one(log):
    assert wf.overview(log.where(events="view")) == wf.overview(log.where(events=["view"]))


def test_a_workspace_is_no_log(tmp_path):
    (tmp_path / "wayfare.yaml").write_text("name: Shop\n")
    with pytest.raises(NotReady, match="open_study"):
        wf.open_log(tmp_path)
