"""Counts of steps give what the paths themselves give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.stats import markov, shapley
from wayfare.stats.attribution import pack_paths, positional_credit
from wayfare.stats.markov_counts import (
    last_against_markov,
    removal_effects_from_counts,
    shapley_from_counts,
    step_counts,
)

PATHS = st.lists(st.tuples(st.lists(st.integers(0, 3), max_size=6), st.booleans()), max_size=30)


def _counted(paths, order, channels=4):
    offsets, codes = pack_paths([path for path, _ in paths])
    return step_counts(offsets, codes, [won for _, won in paths], channels=channels, order=order)


@given(PATHS, st.sampled_from([1, 2, 3]), st.integers(0, 30))
def test_steps_counted_in_two_parts_give_the_effects_of_the_paths(paths, order, cut):
    offsets, codes = pack_paths([path for path, _ in paths])
    won = np.array([won for _, won in paths], dtype=bool)
    expected = markov.removal_effects(offsets, codes, won, ~won, channels=4, order=order)
    found = removal_effects_from_counts(_counted(paths[:cut], order) + _counted(paths[cut:], order))
    assert found.states == expected.states
    np.testing.assert_allclose(found.effects, expected.effects, atol=1e-12)
    np.testing.assert_allclose(found.credit, expected.credit, atol=1e-9)
    np.testing.assert_equal(found.conversion_probability, expected.conversion_probability)


@given(PATHS, st.sampled_from([1, 3]))
def test_shapley_values_are_those_of_the_paths(paths, order):
    offsets, codes = pack_paths([path for path, _ in paths])
    won = np.array([won for _, won in paths], dtype=bool)
    expected = shapley.shapley_exact(offsets, codes, won, ~won, channels=4)
    np.testing.assert_allclose(shapley_from_counts(_counted(paths, order)).credit, expected.credit, atol=1e-9)


def test_beyond_fifteen_channels_shapley_is_sampled_with_its_error():
    rng = np.random.default_rng(5)
    offsets, codes = pack_paths([rng.integers(0, 18, rng.integers(1, 5)) for _ in range(2_000)])
    won = rng.random(2_000) < 0.3
    steps = step_counts(offsets, codes, won, channels=18)
    few, many = shapley_from_counts(steps, orders=200), shapley_from_counts(steps, orders=20_000, seed=1)
    assert not few.exact
    assert few.credit.sum() == pytest.approx(won.sum())
    assert (np.abs(few.credit - many.credit) < 4 * few.standard_error).all()


def test_the_gap_of_last_touch_has_an_interval_that_a_bootstrap_of_paths_confirms():
    # The oracle redraws whole paths; the function redraws counts. Paths here are a chain, so both should agree.
    rng = np.random.default_rng(11)
    paths = []
    for _ in range(1_500):
        path = [int(rng.integers(0, 3))]
        while rng.random() < 0.6:
            path.append(int(rng.choice(3, p=[[0.1, 0.6, 0.3], [0.3, 0.3, 0.4], [0.5, 0.2, 0.3]][path[-1]])))
        paths.append((path, bool(rng.random() < (0.1, 0.2, 0.5)[path[-1]])))
    found = last_against_markov(_counted(paths, 2, channels=3), draws=400)
    gaps = []
    for _ in range(300):
        drawn = [paths[i] for i in rng.integers(0, len(paths), len(paths))]
        offsets, codes = pack_paths([path for path, _ in drawn])
        won = np.array([won for _, won in drawn])
        last = positional_credit(offsets, codes, won, "last", channels=3)
        gaps.append(last - removal_effects_from_counts(_counted(drawn, 1, channels=3)).credit)
    low, high = np.quantile(gaps, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(found.high - found.low, high - low, rtol=0.25)
    assert (found.low < found.last - found.markov).all()
    assert (found.last - found.markov < found.high).all()


def test_without_paths_there_is_nothing_to_say():
    nothing = _counted([], 1)
    assert np.isnan(removal_effects_from_counts(nothing).effects).all()
    assert shapley_from_counts(nothing).credit.tolist() == [0, 0, 0, 0]
    assert np.isnan(last_against_markov(nothing).low).all()
