"""Matched comparisons: by hand, from sums, and against planted effects with a planted confounder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.matching import stratified_effect, stratified_effect_from_sums

ROWS = st.lists(
    st.tuples(st.integers(-5, 5), st.booleans(), st.sampled_from("abc"), st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


def test_two_strata_by_hand():
    # a: treated 5, 7 (mean 6), others 1, 3 (2), difference 4. b: treated 10, others 8, 10 (9), difference 1.
    # c: treated only, left out. Estimate (2·4 + 1·1) / 3 = 3; treated mean (12 + 10) / 3, others (4 + 9) / 3.
    # Variances: treated a 2, b pooled 2; others a 2, b 2. Sum 4·(2/2 + 2/2) + 1·(2/1 + 2/2) = 11, over 9.
    effect = stratified_effect(
        [5, 7, 1, 3, 10, 8, 10, 99], [1, 1, 0, 0, 1, 0, 0, 1], ["a", "a", "a", "a", "b", "b", "b", "c"]
    )
    assert effect.estimate == pytest.approx(3.0)
    assert effect.high - effect.estimate == pytest.approx(1.959964 * np.sqrt(11) / 3, abs=1e-6)
    assert (effect.n_treated, effect.n_control, effect.n_matched, effect.overlap) == (4, 4, 3, 0.75)
    assert (effect.treated_mean, effect.control_mean) == pytest.approx((22 / 3, 13 / 3))
    # z = 3 / 1.105542 = 2.713602, two-sided p .00666 (normal table).
    assert effect.p == pytest.approx(0.00666, abs=1e-5)


def test_matching_removes_a_planted_confounder():
    # Simulated: loyal customers are touched more and buy more; the touch itself adds 0.05.
    rng = np.random.default_rng(5)
    loyal = rng.random(40_000) < 0.3
    touched = rng.random(40_000) < np.where(loyal, 0.8, 0.2)
    bought = rng.random(40_000) < 0.1 + 0.4 * loyal + 0.05 * touched
    naive = bought[touched].mean() - bought[~touched].mean()
    effect = stratified_effect(bought, touched, loyal)
    assert naive > 0.2
    assert effect.estimate == pytest.approx(0.05, abs=0.02)
    assert 0 < effect.low < effect.high < 0.1


def test_the_interval_covers_a_planted_effect():
    # Simulated: ten strata of very unequal overlap, different effects; the truth is weighted to the treated.
    rng = np.random.default_rng(6)
    n_t, n_c, draws = rng.integers(2, 30, 10), rng.integers(2, 30, 10), 4_000
    base, lift = rng.random(10) * 0.4, rng.random(10) * 0.3
    x_t, x_c = rng.binomial(n_t, base + lift, (draws, 10)), rng.binomial(n_c, base, (draws, 10))
    truth = (n_t * lift).sum() / n_t.sum()
    covered = 0
    for t, c in zip(x_t, x_c, strict=True):
        effect = stratified_effect_from_sums(n_t, t, t, n_c, c, c)
        covered += effect.low <= truth <= effect.high
    assert covered / draws == pytest.approx(0.95, abs=0.02)


def test_no_stratum_with_both_is_too_few_to_say():
    effect = stratified_effect([1.0, 2.0], [True, False], [1, 2])
    assert np.isnan([effect.estimate, effect.low, effect.high, effect.p, effect.treated_mean]).all()
    assert (effect.n_matched, effect.overlap) == (0, 0)


def test_nobody_is_too_few_to_say():
    effect = stratified_effect([], [], [])
    assert np.isnan([effect.estimate, effect.overlap]).all()


def test_single_pairs_have_an_estimate_and_no_interval():
    effect = stratified_effect([3.0, 1.0], [True, False], ["a", "a"])
    assert effect.estimate == 2.0
    assert np.isnan([effect.low, effect.high, effect.p]).all()


@given(ROWS)
def test_weights_stand_for_repeated_customers(rows):
    outcome, treated, strata, weights = (np.array(part) for part in zip(*rows, strict=True))
    weighted = stratified_effect(outcome, treated, strata, weights)
    repeated = stratified_effect(*(np.repeat(part, weights) for part in (outcome, treated, strata)))
    for name in weighted.__slots__:
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), nan_ok=True)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(InvalidParameter, match="differ in shape"):
        stratified_effect([1.0, 2.0], [True], ["a", "a"])


def test_negative_counts_are_refused():
    with pytest.raises(InvalidParameter, match="fewer than no customers"):
        stratified_effect_from_sums([-1], [0], [0], [1], [0], [0])
