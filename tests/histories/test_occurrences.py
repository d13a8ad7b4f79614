"""What a part of the log holds, against pandas, in whatever blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tests.analyses.cuts import in_blocks
from wayfare.histories.occurrences import Held, Occurrences
from wayfare.log import Log, read_events

ROWS = st.lists(st.tuples(st.sampled_from("pqrs"), st.sampled_from("ABC"), st.integers(0, 9)), min_size=1)


def log_of(rows: list[tuple[str, str, int]]) -> Log:
    frame = pd.DataFrame(rows, columns=["customer", "event", "day"])
    frame["time"] = pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(frame["day"], unit="D")
    return read_events(frame, customer="customer", time="time", event="event")


def held(log: Log) -> Held:
    return log.fold(Occurrences(len(log.names("event"))))


@given(ROWS)
def test_it_counts_what_pandas_counts(rows):
    log, frame = log_of(rows), pd.DataFrame(rows, columns=["customer", "event", "day"])
    found = held(log)
    names = log.names("event").to_list()
    assert found.customers == frame["customer"].nunique()
    assert dict(zip(names, found.rows.tolist(), strict=True)) == frame["event"].value_counts().to_dict()
    reach = frame.groupby("event")["customer"].nunique().to_dict()
    assert dict(zip(names, found.reach.tolist(), strict=True)) == reach
    day = pd.Timestamp("2024-03-01", tz="UTC").value // 1000 + np.int64(86_400_000_000) * frame["day"]
    assert (found.first, found.last, found.total) == (day.min(), day.max(), len(rows))


def test_blocks_add_up():
    rng = np.random.default_rng(3)
    log = log_of(
        [(f"c{rng.integers(40)}", "ABCDEF"[rng.integers(6)], int(rng.integers(90))) for _ in range(600)]
    )
    whole, cut = held(log), held(in_blocks(log, 7))
    assert (cut.customers, cut.first, cut.last) == (whole.customers, whole.first, whole.last)
    assert cut.rows.tolist() == whole.rows.tolist()
    assert cut.reach.tolist() == whole.reach.tolist()


def test_only_what_the_filter_keeps_is_counted():
    log = log_of([("p", "A", 0), ("p", "B", 5), ("q", "A", 1), ("r", "C", 5)])
    part = held(log.where("did:A", since="2024-03-03"))
    assert (part.customers, part.rows.tolist(), part.reach.tolist()) == (1, [0, 1, 0], [0, 1, 0])


def test_nothing_is_nobody_and_no_time():
    found = held(log_of([("p", "A", 0)]).where(since="2025-01-01"))
    assert (found.customers, found.total) == (0, 0)
    assert found.first > found.last
