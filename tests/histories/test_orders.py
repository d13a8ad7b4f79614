"""Orders, stages and sessions read off a block, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.histories.logs import block
from wayfare.histories.orders import orders_of
from wayfare.histories.stages import NO_STAGE, StageMap
from wayfare.histories.visits import by_session

# Event 0 is a view (consideration, then re-purchase), 1 an order line (purchase, then re-purchase), 2 is on no stage.
STAGES = StageMap(before=(1, 2, NO_STAGE), after=(4, 4, NO_STAGE), orders=(False, True, False))


def test_lines_of_one_order_are_one_order_wherever_they_stand():
    b = block(
        [0, 0, 0, 0, 1], event=[1, 1, 0, 1, 1], order=[7, 8, -1, 7, 9], value=[1.0, 2.0, np.nan, 4.0, 8.0]
    )
    orders = orders_of(b, STAGES)
    assert orders.row.tolist() == [0, 1, 4]
    assert orders.owner.tolist() == [0, 0, 1]
    assert orders.value.tolist() == [5.0, 2.0, 8.0]
    assert orders.number.tolist() == [1, 2, 1]
    assert orders.lines.tolist() == [2, 1, 1]


def test_without_an_id_the_lines_of_one_instant_are_one_order():
    b = block([0, 0, 0], event=[1, 1, 1], time=[5, 5, 6], value=[1.0, 2.0, np.nan])
    orders = orders_of(b, STAGES)
    assert orders.time.tolist() == [5, 6]
    assert orders.value[0] == 3.0
    assert np.isnan(orders.value[1]), "a value nobody recorded is unknown, not zero"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(-1, 2)), max_size=25))
def test_orders_agree_with_a_loop(rows):
    rows = sorted(rows, key=lambda row: row[0])
    b = block(
        [r[0] for r in rows], event=np.array([r[1] for r in rows], dtype=int), order=[r[2] for r in rows]
    )
    expected = []
    for i, (customer, event, order) in enumerate(rows):
        key = (customer, order if order >= 0 else ("at", i))
        if event == 1 and key not in [k for k, _ in expected]:
            expected.append((key, i))
    assert orders_of(b, STAGES).row.tolist() == [i for _, i in expected]


def test_an_event_changes_its_stage_after_the_first_order():
    b = block([0] * 6, event=[0, 1, 1, 0, 1, 2], time=[1, 2, 2, 3, 4, 5])
    assert STAGES.stages(b).tolist() == [1, 2, 2, 4, 4, NO_STAGE]
    assert STAGES.has_ordered(b).tolist() == [False, False, False, True, True, True]


def test_sessions_by_pause():
    visits = by_session(block([0, 0, 0, 1], time=[0, 5, 15, 16]), gap=10)
    assert visits.block["customer"].tolist() == [0, 0, 1, 2]
    assert visits.customer.tolist() == [0, 0, 1]


def test_sessions_by_id_hold_together_when_they_interleave():
    visits = by_session(
        block([0, 0, 0, 0], time=[0, 1, 2, 3], session=[4, 5, 4, -1], event=[0, 1, 2, 3]), gap=10
    )
    assert [visits.block.columns["event"][visits.block["customer"] == s].tolist() for s in range(3)] in (
        [[3], [0, 2], [1]],
        [[0, 2], [1], [3]],
    )


@pytest.mark.parametrize("column", [[], [0]])
def test_nothing_to_read(column):
    b = block(column, event=np.array(column, dtype=int))
    assert len(orders_of(b, STAGES).row) == 0
    assert by_session(b, 10).block.rows == len(column)
