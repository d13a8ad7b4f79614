"""The log: filters judge whole histories, folds add up, engines agree, errors list what there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.engines.local import LocalEngine
from wayfare.errors import Cancelled, InvalidParameter, UnknownName
from wayfare.histories.fold import Fold, add_up

FRAME = pd.DataFrame(
    [
        ("a", "2024-01-01T10:00", "visit", "web", None),
        ("a", "2024-01-02T10:00", "purchase", "store", 20.0),
        ("b", "2024-01-01T11:00", "visit", "store", None),
        ("b", "2024-02-01T00:30", "visit", "web", None),
        ("c", "2024-03-01T12:00", "purchase", "web", 5.0),
    ],
    columns=["customer", "time", "event", "channel", "value"],
)


@pytest.fixture(scope="module")
def log():
    return wf.read_events(
        FRAME,
        customer="customer",
        time="time",
        event="event",
        channel="channel",
        value="value",
        zone="Europe/Amsterdam",
    )


@dataclass(frozen=True)
class Rows(Fold[int]):
    """How many rows there are."""

    columns = ()

    def scan(self, block):
        return block.rows


def customers(log):
    return log.each_customer(lambda block: {"rows": np.diff(block.starts)}).to_pydict()


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("channel=web", "abc"),
        ("first:channel=web", "ac"),
        ("last:channel=web", "bc"),
        ("channel!=store", "c"),
        ("first:channel!=web", "b"),
        ("value>10", "a"),
        ("did:purchase", "ac"),
        ("never:purchase", "b"),
        ("channel=nowhere", ""),
    ],
)
def test_segments_judge_the_whole_history(log, segment, expected):
    assert "".join(customers(log.where(segment))["customer"]) == expected


def test_segments_narrow_each_other(log):
    assert customers(log.where("did:purchase").where("first:channel=web", "value>10"))["customer"] == ["a"]


def test_a_segment_is_judged_before_rows_are_dropped(log):
    kept = log.where("did:purchase", events=["visit"])
    assert customers(kept) == {"customer": ["a"], "rows": [1]}


def test_dates_are_days_of_the_logs_zone(log):
    assert (
        log.where(since="2024-02-01").fold(Rows()) == 2
    )  # 00:30 in Amsterdam is 23:30 UTC of the day before
    assert log.where(until=date(2024, 2, 1)).fold(Rows()) == 3
    assert log.where(since=datetime(2024, 1, 31, 23, 31, tzinfo=UTC)).fold(Rows()) == 1
    assert log.where(until="2024-02-01").where(until="2025-01-01").fold(Rows()) == 3


def test_what_is_unknown_is_named(log):
    with pytest.raises(UnknownName, match="purchase, visit"):
        log.where(events=["buy"])
    with pytest.raises(InvalidParameter, match="no column 'country'"):
        log.where("country=NL")
    with pytest.raises(InvalidParameter, match="only = and !="):
        log.where("channel>web")
    with pytest.raises(InvalidParameter, match="not a number"):
        log.where("value>much")
    with pytest.raises(InvalidParameter, match="not a date"):
        log.where(since="yesterday")


def test_one_row_a_customer_in_any_number_of_threads(log):
    for threads in (1, 2, 7):
        cut = replace(in_blocks(log, 1), engine=LocalEngine(threads))
        assert customers(cut) == {"customer": ["a", "b", "c"], "rows": [2, 2, 1]}


def test_progress_is_told_and_can_stop_the_pass(log):
    told = []
    in_blocks(log, 1).fold(Rows(), progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 5), (4, 5), (5, 5)]

    def stop(done, total):
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        in_blocks(log, 1).fold(Rows(), progress=stop)


def test_partials_of_every_shape_add_up():
    left = {"n": 1, "array": np.array([1, 2]), "list": ["a"], "pair": (1, 2.0)}
    right = {"n": 2, "array": np.array([3, 4]), "list": ["b"], "pair": (3, 4.0), "new": 5}
    total = add_up(left, right)
    assert total["array"].tolist() == [4, 6]
    assert {k: v for k, v in total.items() if k != "array"} == {
        "n": 3,
        "list": ["a", "b"],
        "pair": (4, 6.0),
        "new": 5,
    }
