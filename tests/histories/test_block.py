"""What a block reads off its rows, counted by hand."""

from __future__ import annotations

import numpy as np

from tests.histories.logs import block

BLOCK = block([3, 3, 3, 5, 8, 8], event=[0, 1, 0, 1, 1, 1], value=[1.0, np.nan, 2.0, 4.0, 8.0, np.nan])


def test_customers_are_runs_of_rows():
    assert BLOCK.starts.tolist() == [0, 3, 4, 6]
    assert BLOCK.owner.tolist() == [0, 0, 0, 1, 2, 2]
    assert BLOCK.codes.tolist() == [3, 5, 8]
    assert BLOCK.first.tolist() == [True, False, False, True, True, False]


def test_whose_a_row_is_where_no_code_is_left_out_and_where_one_is():
    narrow = block([125, 125, 126, 127, 127])
    assert narrow.owner.tolist() == [0, 0, 1, 2, 2]
    assert narrow.keep(narrow["customer"] != 126).owner.tolist() == [0, 0, 1, 1]


def test_more_columns_leave_the_customers_as_they_are():
    more = BLOCK.with_columns({"silent": np.arange(6), "value": np.zeros(6)})
    assert more.starts is BLOCK.starts
    assert more["silent"].tolist() == [0, 1, 2, 3, 4, 5]
    assert more["value"].sum() == 0
    assert not BLOCK.has("silent")


def test_per_customer():
    is_b = BLOCK["event"] == 1
    assert BLOCK.count(is_b).tolist() == [1, 1, 2]
    assert BLOCK.any_of(BLOCK["event"] == 0).tolist() == [True, False, False]
    assert BLOCK.first_row(is_b).tolist() == [1, 3, 4]
    assert BLOCK.last_row(is_b).tolist() == [1, 3, 5]
    assert BLOCK.first_row(BLOCK["event"] == 0).tolist() == [0, -1, -1]
    assert BLOCK.total(BLOCK["value"]).tolist() == [3.0, 4.0, 8.0]


def test_what_a_customer_did_before_a_row():
    assert BLOCK.seen_before(BLOCK["event"] == 1).tolist() == [0, 0, 1, 0, 0, 1]


def test_which_rows_are_of_some_events():
    many = tuple(range(1, 30))
    for codes in ((1,), many, np.array([1, 1])):
        assert BLOCK.happened(codes).tolist() == [False, True, False, True, True, True]
    assert not BLOCK.happened(()).any()


def test_what_is_read_off_once_is_computed_once_and_closed_to_writing():
    fresh, asked = block([1, 1]), []

    def compute():
        asked.append(1)
        return {"a": [np.zeros(2)], "b": (np.ones(1), 3)}

    found = fresh.once("key", compute)
    assert fresh.once("key", compute) is found
    assert asked == [1]
    assert not found["a"][0].flags.writeable
    assert not found["b"][0].flags.writeable
    assert fresh.once("other", lambda: 5) == 5


def test_keep_drops_customers_without_rows():
    kept = BLOCK.keep(BLOCK["event"] == 0)
    assert kept.codes.tolist() == [3]
    assert kept.rows == 2
    assert BLOCK.keep(np.ones(6, dtype=bool)) is BLOCK


def test_an_empty_block():
    empty = BLOCK.keep(np.zeros(6, dtype=bool))
    assert (empty.rows, empty.customers) == (0, 0)
    assert empty.count(np.zeros(0, dtype=bool)).tolist() == []
