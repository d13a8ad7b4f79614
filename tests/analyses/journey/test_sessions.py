"""Sessions against a case by hand and the published figures."""

from __future__ import annotations

import pandas as pd

import wayfare as wf


def log_of(*rows: tuple[str, int]) -> wf.Log:
    """A log of (customer, minutes after the start)."""
    frame = pd.DataFrame(rows, columns=["customer", "minutes"])
    frame["time"] = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(frame.pop("minutes"), unit="min")
    return wf.read_events(frame, customer="customer", time="time", as_event="view")


def test_by_hand():
    # a: 0 and 10, then 40 (a pause of exactly 30 minutes); b: once.
    result = wf.sessions(log_of(("a", 0), ("a", 10), ("a", 40), ("b", 0)))
    assert result.summary.to_pylist()[0] | {"median_seconds": 0} == {
        "sessions": 3, "customers": 2, "single_event_sessions": 2, "median_seconds": 0,
    }  # fmt: skip
    assert result.findings[0].text.startswith("2 customers made 3 sessions; 67% ended after one event")
    assert "66.7%  (2)" in result.chart().svg()


def test_sessions_by_their_ids_are_those_that_paths_go_by():
    # One session of a has a pause of an hour, and another lies within it; without an id, pauses tell.
    rows = [("a", 0, "s1"), ("a", 10, "s2"), ("a", 70, "s1"), ("b", 0, None), ("b", 5, None), ("b", 60, None)]
    frame = pd.DataFrame(rows, columns=["customer", "minutes", "session"])
    frame["time"] = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(frame.pop("minutes"), unit="min")
    log = wf.read_events(frame, customer="customer", time="time", as_event="view", session="session")
    row = wf.sessions(log).summary.to_pylist()[0]
    assert (row["sessions"], row["customers"], row["single_event_sessions"]) == (4, 2, 2)
    layers = wf.paths(log, unit="session").to_pandas("layers")
    assert layers.loc[layers["position"] == 0, "customers"].sum() == row["sessions"]


def test_one_event_is_one_customer_and_one_session():
    assert wf.sessions(log_of(("a", 0))).findings[0].text == (
        "1 customer made 1 session; 100% ended after one event."
    )


def test_the_readers_sessions(shared_data):
    frame = pd.read_parquet(shared_data / "wikipedia_sessions" / "events.parquet")
    log = wf.read_events(frame, customer="uuid", time="timestamp", as_event="request")
    row = wf.sessions(log).summary.to_pylist()[0]
    # data/README.md
    assert (row["sessions"], row["customers"]) == (22_226, 10_000)
    assert round(row["single_event_sessions"] / row["sessions"], 3) == 0.591


def test_the_lines_of_one_order_are_one_event():
    frame = pd.DataFrame(
        {"customer": ["a"] * 3, "order": ["o"] * 3, "time": pd.Timestamp("2024-01-01", tz="UTC")}
    )
    row = wf.sessions(
        wf.read_events(frame, customer="customer", time="time", as_event="purchase", order="order")
    ).summary
    assert (row["sessions"][0].as_py(), row["single_event_sessions"][0].as_py()) == (1, 1)
