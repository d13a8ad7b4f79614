"""Tables in a terminal: figures whole at any width, and what doesn't fit beside goes below."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wayfare.cli.columns import Shown
from wayfare.cli.layout import GAP, placed
from wayfare.cli.options import Format
from wayfare.cli.show import print_rows

MODEL = Shown("model", ("first", "last"), number=False)
CHANNEL = Shown("channel", ("paid_search", "email"), number=False)
RATE = Shown("conversion_rate (low–high)", ("12.3% (10.1%–14.5%)", "9.9% (8.1%–11.7%)"), number=True)
SECONDS = Shown("median_seconds", ("2.9 minutes", "12 hours"), number=True)
NOTE = Shown("note", ("a sentence of some length that may be wrapped", "short"), number=False)


def headings(columns: list[Shown], room: int) -> list[list[str]]:
    return [[one.heading for one in part] for part in placed(columns, room)]


def test_what_fits_stays_as_it_is():
    assert headings([MODEL, CHANNEL, RATE], 100) == [["model", "channel", "conversion_rate (low–high)"]]


def test_headings_and_intervals_are_broken_first():
    ((_, _, rate, seconds),) = placed([MODEL, CHANNEL, RATE, SECONDS], 50)
    assert rate.heading == "conversion_\nrate\n(low–high)"
    assert rate.cells[0] == "12.3%\n(10.1%–14.5%)"
    assert seconds.cells == SECONDS.cells


def test_columns_go_below_beside_what_names_their_rows():
    assert [part[:2] for part in headings([MODEL, CHANNEL, RATE, SECONDS], 40)] == [["model", "channel"]] * 2


def test_one_row_is_read_downwards():
    columns = [Shown(f"figure_{n}", (f"{n},000",), number=True) for n in range(9)]
    (part,) = placed(columns, 40)
    assert [column.cells for column in part] == [
        tuple(f"figure_{n}" for n in range(9)),
        tuple(f"{n},000" for n in range(9)),
    ]


def test_texts_get_the_room_that_is_left():
    ((model, note),) = placed([MODEL, NOTE], 45)
    assert (model.width, note.width) == (5, 45 - 5 - GAP)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([MODEL, CHANNEL, RATE, SECONDS, NOTE]), min_size=1, max_size=12),
    st.integers(20, 200),
)
def test_nothing_is_lost_and_nothing_is_too_wide(columns: list[Shown], room: int):
    parts = placed(columns, room)
    assert {id(one.column) for part in parts for one in part} == {id(column) for column in columns}
    for part in parts:
        assert len(part) <= 2 or sum(one.width + GAP for one in part) - GAP <= room
        for one in part:
            if one.column.number:
                lines = [line for cell in one.cells for line in cell.split("\n")]
                assert max(map(len, lines)) <= max(one.width, 0)


@pytest.mark.parametrize("width", [40, 80])
def test_no_figure_is_broken_in_a_narrow_terminal(width: int, monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    rows = [{"event": f"event_{n}", **{f"figure_{c}": 1_234_567 + n for c in range(12)}} for n in range(3)]
    out = Terminal()
    print_rows(rows, list(rows[0]), Format.TABLE, out)
    lines = re.sub(r"\x1b\[\d+m", "", out.getvalue()).split("\n")
    assert max(map(len, lines)) <= width
    assert sum(line.count("1,234,567") for line in lines) == 12
    assert sum(line.startswith("event_0 ") for line in lines) > 1
