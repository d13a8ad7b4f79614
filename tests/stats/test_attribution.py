"""Credit by position: by hand, on published paths, and adding up whatever the paths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.stats.attribution import RULES, pack_paths, positional_credit

PATHS = st.lists(st.tuples(st.lists(st.integers(0, 4), max_size=7), st.integers(0, 50)), max_size=25)


def credit(paths, conversions, rule, channels=4, **more):
    return positional_credit(*pack_paths(paths), conversions, rule, channels=channels, **more)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("first", [1, 0, 0, 0]),
        ("last", [0, 0, 0, 1]),
        ("linear", [0.25, 0.25, 0.25, 0.25]),
        ("u_shaped", [0.4, 0.1, 0.1, 0.4]),
        ("time_decay", [1 / 15, 2 / 15, 4 / 15, 8 / 15]),
    ],
)
def test_four_touches_by_hand(rule, expected):
    assert credit([[0, 1, 2, 3]], [1.0], rule) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("first", [1, 0]),
        ("last", [0, 1]),
        ("linear", [0.5, 0.5]),
        ("u_shaped", [0.5, 0.5]),
        ("time_decay", [1 / 3, 2 / 3]),
    ],
)
def test_two_touches_by_hand(rule, expected):
    assert credit([[0, 1]], [1.0], rule, channels=2) == pytest.approx(expected)


@pytest.mark.parametrize("rule", RULES)
def test_one_touch_takes_all(rule):
    assert credit([[2]], [7.0], rule).tolist() == [0, 0, 7, 0]


def test_a_channel_that_comes_twice_is_paid_twice():
    assert credit([[0, 1, 0]], [6.0], "linear").tolist() == [4, 2, 0, 0]
    assert credit([[0, 1, 0]], [10.0], "u_shaped") == pytest.approx([8, 2, 0, 0])


def test_time_decay_by_age():
    # Ages of two half-lives, one and none: 1/4, 1/2, 1 of 7/4.
    aged = credit([[0, 1, 2]], [7.0], "time_decay", ages=[14.0, 7.0, 0.0], half_life=7.0)
    assert aged == pytest.approx([1, 2, 4, 0])


def test_time_decay_of_very_old_touches_keeps_their_credit():
    old = credit([[0, 1]], [3.0], "time_decay", ages=[1e6 + 1, 1e6], half_life=1.0)
    assert old == pytest.approx([1, 2, 0, 0])


@pytest.mark.parametrize("rule", RULES)
@given(paths=PATHS)
def test_credit_adds_up_to_the_conversions_of_paths_with_a_touch(rule, paths):
    conversions = [weight for _, weight in paths]
    total = sum(weight for path, weight in paths if path)
    shares = credit([path for path, _ in paths], conversions, rule, channels=5)
    assert shares.sum() == pytest.approx(total, abs=1e-9)
    assert (shares >= 0).all()


def test_the_published_paths(published_paths):
    # REFERENCE.md, "Attribution on channel_attribution": first alpha 6308, last alpha 8447, linear alpha 7574.72.
    names, offsets, codes, conversions, _, _ = published_paths
    for rule, alpha in (("first", 6308.0), ("last", 8447.0), ("linear", 7574.72)):
        shares = positional_credit(offsets, codes, conversions, rule, channels=len(names))
        assert round(shares[names.index("alpha")], 2) == alpha
        assert shares.sum() == pytest.approx(19_785)


def test_an_unknown_rule_names_the_known():
    with pytest.raises(UnknownName, match="linear"):
        credit([[0]], [1.0], "linaer")


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (([0, 2], [0], [1.0], "first"), {}),  # the offsets end past the touches
        (([], [], [], "first"), {}),  # no offset at all
        (([0, 1], [4], [1.0], "first"), {}),  # a channel out of range
        (([0, 1], [0], [1.0, 2.0], "first"), {}),  # more weights than paths
        (([0, 1], [0], [1.0], "time_decay"), {"ages": [1.0]}),  # ages without a half-life
        (([0, 1], [0], [1.0], "time_decay"), {"ages": [1.0], "half_life": 0.0}),
        (([0, 1], [0], [1.0], "time_decay"), {"ages": [1.0, 2.0], "half_life": 7.0}),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments, more):
    with pytest.raises(InvalidParameter):
        positional_credit(*arguments, channels=4, **more)


def test_no_paths_give_no_credit():
    assert credit([], [], "linear").tolist() == [0, 0, 0, 0]
    assert np.isfinite(credit([[]], [5.0], "time_decay")).all()
