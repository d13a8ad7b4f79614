"""Shapley values: by hand, by the definition, by the axioms, and sampled within their error."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.attribution import pack_paths
from wayfare.stats.markov import removal_effects
from wayfare.stats.shapley import shapley_exact, shapley_sampled

COUNTS = st.tuples(st.integers(0, 9), st.integers(0, 9))
PATHS = st.lists(st.tuples(st.lists(st.integers(0, 3), max_size=6), COUNTS), min_size=1, max_size=15)


def packed(rows):
    paths, counts = zip(*rows, strict=True)
    won, lost = np.array(counts, dtype=float).T
    return *pack_paths(paths), won, lost


def simulated(channels, paths=2_000, seed=13):
    rng = np.random.default_rng(seed)
    lengths = rng.geometric(0.2, paths)
    offsets = np.concatenate([[0], lengths.cumsum()])
    codes = np.minimum(rng.geometric(0.15, offsets[-1]) - 1, channels - 1)
    won = rng.integers(0, 2, paths)
    return offsets, codes, won, 1 - won


def worth(rows, coalition):
    """v(coalition) by stepping through the order-1 chain: none of the code under test."""
    steps, leaving, start = {}, {}, {}
    for path, (won, lost) in rows:
        if not path or won + lost == 0:
            continue
        start[path[0]] = start.get(path[0], 0) + won + lost
        for here, there in zip(path, [*path[1:], "won"], strict=True):
            steps[here, there] = steps.get((here, there), 0) + (won if there == "won" else won + lost)
            leaving[here] = leaving.get(here, 0) + won + lost
    at = {c: n for c, n in start.items() if c in coalition}
    converted = 0.0
    for _ in range(400):
        after = {}
        for (here, there), n in steps.items():
            flow = at.get(here, 0) * n / leaving[here]
            if there == "won":
                converted += flow
            elif there in coalition:
                after[there] = after.get(there, 0) + flow
        at = after
    return converted


def test_a_chain_by_hand():
    # a: 2 conversions and 2 nulls; a > b: 4 conversions. v(a) = 2, v(b) = 0, v(a, b) = 6:
    # a (2 + 6) / 2 = 4, b (0 + 4) / 2 = 2.
    result = shapley_exact(*packed([([0], (2, 2)), ([0, 1], (4, 0))]), channels=2)
    assert result.credit == pytest.approx([4, 2])
    assert result.exact


def test_a_loop_by_hand():
    # a > b converts, b > a does not. v(a) = 0; v(b) = 2 paths · start 1/2 · convert 1/2 = 1/2; v(a, b) = 1:
    # a (0 + 1/2) / 2 = 1/4, b (1/2 + 1) / 2 = 3/4.
    result = shapley_exact(*packed([([0, 1], (1, 0)), ([1, 0], (0, 1))]), channels=2)
    assert result.credit == pytest.approx([0.25, 0.75])


def test_the_definition_over_all_orders():
    rng = np.random.default_rng(14)
    rows = [
        (rng.integers(0, 4, rng.integers(1, 5)).tolist(), tuple(rng.integers(1, 6, 2))) for _ in range(12)
    ]
    expected = np.zeros(4)
    for order in permutations(range(4)):
        before = 0.0
        for position, channel in enumerate(order):
            after = worth(rows, order[: position + 1])
            expected[channel] += (after - before) / 24
            before = after
    assert shapley_exact(*packed(rows), channels=4).credit == pytest.approx(expected, abs=1e-9)


@given(PATHS, st.permutations(range(4)))
def test_the_axioms(rows, renamed):
    exact = shapley_exact(*packed(rows), channels=4)
    efficient = sum(won for path, (won, _) in rows if path)
    assert exact.credit.sum() == pytest.approx(efficient, abs=1e-9)
    assert (exact.credit >= -1e-9).all()
    relabelled = [([renamed[c] for c in path], counts) for path, counts in rows]
    assert shapley_exact(*packed(relabelled), channels=4).credit[list(renamed)] == pytest.approx(exact.credit)
    seen = {c for path, counts in rows if sum(counts) for c in path}
    assert all(exact.credit[c] == 0 for c in set(range(4)) - seen)


def test_equal_channels_get_equal_credit_and_a_dead_end_none():
    # a and b stand in the same paths in both orders; c is only ever followed by nothing.
    rows = [([0, 1], (3, 1)), ([1, 0], (3, 1)), ([0, 2], (0, 4)), ([1, 2], (0, 4))]
    credit = shapley_exact(*packed(rows), channels=3).credit
    assert credit[0] == pytest.approx(3.0)
    assert credit[1] == pytest.approx(3.0)
    assert credit[2] == pytest.approx(0.0, abs=1e-12)


def test_two_channels_share_by_their_removal_effects():
    # v(all) - v(without c) is the removal effect in conversions: the gain of c as the last to join.
    rows = [([0, 1, 0], (2, 3)), ([1], (4, 1)), ([0], (1, 7))]
    offsets, codes, won, lost = packed(rows)
    effects = removal_effects(offsets, codes, won, lost, channels=2).effects * won.sum()
    credit = shapley_exact(offsets, codes, won, lost, channels=2).credit
    assert credit[0] == pytest.approx((won.sum() - effects[1] + effects[0]) / 2)


def test_the_sample_is_within_its_error_of_the_exact_value():
    paths = simulated(9)
    exact = shapley_exact(*paths, channels=9)
    sampled = shapley_sampled(*paths, channels=9, orders=600, seed=1)
    z = (sampled.credit - exact.credit) / sampled.standard_error
    assert np.abs(z).max() < 4
    assert 0.4 < np.sqrt((z**2).mean()) < 1.8
    assert sampled.credit.sum() == pytest.approx(exact.credit.sum())


def test_the_standard_error_is_that_of_repeated_samples():
    paths = simulated(8)
    repeated = [shapley_sampled(*paths, channels=8, orders=40, seed=seed) for seed in range(120)]
    spread = np.std([sample.credit for sample in repeated], axis=0)
    assert np.mean([sample.standard_error for sample in repeated], axis=0) == pytest.approx(spread, rel=0.25)


def test_beyond_fifteen_channels_one_samples():
    paths = simulated(24)
    with pytest.raises(InvalidParameter, match="shapley_sampled"):
        shapley_exact(*paths, channels=24)
    sampled = shapley_sampled(*paths, channels=24, orders=200)
    assert sampled.credit.sum() == pytest.approx(paths[2].sum())
    assert sampled.orders == 200
    assert not sampled.exact
    assert (shapley_sampled(*paths, channels=24, orders=200).credit == sampled.credit).all()


def test_unused_channels_do_not_count_towards_fifteen():
    credit = shapley_exact([0, 2], [3, 39], [8], [1], channels=40).credit
    assert credit[[3, 39]].tolist() == pytest.approx([4, 4])
    assert credit.sum() == pytest.approx(8)


def test_the_published_paths_add_up(published_paths):
    names, offsets, codes, conversions, nulls, _ = published_paths
    result = shapley_exact(offsets, codes, conversions, nulls, channels=len(names))
    assert result.credit.sum() == pytest.approx(19_785)
    assert names[int(result.credit.argmax())] == "alpha"


@pytest.mark.parametrize("solve", [shapley_exact, shapley_sampled])
@pytest.mark.parametrize("rows", [[([], (3, 4))], [([0], (0, 4))], [([0], (0, 0))]])
def test_nothing_to_attribute_is_no_credit(solve, rows):
    result = solve(*packed(rows), channels=2)
    assert result.credit.tolist() == [0, 0]
    assert result.standard_error.tolist() == [0, 0]


def test_no_orders_are_refused():
    with pytest.raises(InvalidParameter, match="orders"):
        shapley_sampled([0, 1], [0], [1], [1], channels=1, orders=0)
