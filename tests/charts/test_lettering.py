from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from wayfare.charts.lettering import clipped, escaped, width_of, wrapped


@given(st.text(max_size=60), st.floats(20, 400))
def test_clipped_text_fits_or_is_only_an_ellipsis(text, width):
    cut = clipped(text, 12, width)
    assert width_of(cut, 12) <= width + 0.001 or cut == "…"


@given(st.text(alphabet="ab cd-_é漢", max_size=120), st.integers(1, 4))
def test_wrapped_lines_fit_and_say_everything_or_end_in_an_ellipsis(text, lines):
    found = wrapped(text, 12, 90, lines=lines)
    assert len(found) <= lines
    assert all(width_of(line, 12) <= 90.001 for line in found)
    assert " ".join(found) == " ".join(text.split()) or any(line.endswith("…") for line in found)


@given(st.text(max_size=40))
def test_any_text_makes_wellformed_xml(text):
    ET.fromstring(f'<t a="{escaped(text)}">{escaped(text)}</t>')


def test_text_that_fits_stays_as_it_is():
    assert clipped("checkout", 12, 200) == "checkout"
    assert wrapped("", 12, 90) == []
