"""Lines that fit with nothing cut, in any script."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from wayfare.charts.blocks_text import extent, is_rtl, lines_of, sentence, shortened
from wayfare.domain.words import counted

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
DUTCH = "\U0001f1f3\U0001f1f1"


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Mn", "Me", "Mc")), max_size=80),
    st.integers(60, 300),
)
def test_nothing_is_cut_and_all_lines_fit(text: str, width: int):
    lines = lines_of(text, 12, width)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    # One sign may be wider than its place: emoji that are joined to each other.
    assert all(extent(line, 12) <= width + 1e-6 for line in lines if "\u200d" not in line)


def test_words_stay_whole_where_they_fit():
    assert lines_of("one two three", 10, 45) == ["one two", "three"]
    assert lines_of("one\n\ntwo", 10, 500) == ["one", "two"]
    assert lines_of("", 10, 45) == []


def test_a_word_that_is_too_long_is_broken_between_signs():
    lines = lines_of(FAMILY * 4 + DUTCH * 4, 10, 80)
    assert "".join(lines) == FAMILY * 4 + DUTCH * 4
    assert all(line.count("\u200d") % 2 == 0 for line in lines)
    assert all(not line.startswith("\u200d") for line in lines)
    assert sum(line.count(DUTCH) for line in lines) == 4


def test_marks_that_no_script_needs_are_left_out():
    assert lines_of("Z" + "\u0301" * 30, 10, 80) == ["Z" + "\u0301" * 4]
    assert lines_of("ก็", 10, 80) == ["ก็"]


def test_shortened_text_ends_after_a_word():
    assert shortened("one two three four", 10, 70, 1) == ["one two …"]
    assert shortened("one two", 10, 70, 1) == ["one two"]


def test_the_first_letter_says_the_direction():
    assert is_rtl("250 غرام of coffee")
    assert is_rtl("קפה")
    assert not is_rtl("coffee قهوة")
    assert not is_rtl("250")


def test_sentences_and_counts():
    assert sentence("One", "", "two.") == "One. two."
    assert (counted(1, "item"), counted(1200, "item")) == ("1 item", "1,200 items")
    assert counted(2, "activity", "activities") == "2 activities"
