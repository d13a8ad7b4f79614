"""Weights to the customer base and the bias of who answers: by hand and against planted truths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.poststratification import post_stratify, response_bias
from wayfare.stats.proportions import wilson
from wayfare.stats.satisfaction import mean_of_answers, nps


def test_two_cells_by_hand():
    # 80 young and 20 old answered, of 500 each: weights .625 and 2.5, deff (80·.390625 + 20·6.25) / 100 = 1.5625.
    weights = post_stratify([80, 20], [500, 500])
    assert weights.weight.tolist() == [0.625, 2.5]
    assert weights.design_effect == pytest.approx(1.5625)
    assert weights.effective_n == pytest.approx(64.0)
    # Young 60 of 80, old 5 of 20: .75 and .25, so the base's share is .5, of 64 effective answers.
    assert weights.effective([60, 5]) == pytest.approx(32.0)
    assert weights.effective([80, 20]) == pytest.approx(64.0)


def test_cells_without_answers_are_named():
    weights = post_stratify([10, 0, 5, 3], [100, 300, 100, 0])
    assert weights.empty.tolist() == [False, True, False, False]
    assert weights.covered == pytest.approx(0.4)
    assert weights.weight[3] == 0.0
    assert weights.n == 15


def test_nobody_answered():
    weights = post_stratify([0, 0], [3, 4])
    assert np.isnan(weights.design_effect)
    assert (weights.effective_n, weights.covered) == (0.0, 0.0)
    assert weights.effective([0, 0]) == 0.0
    assert np.isnan(nps(*weights.effective(np.zeros((2, 3)))).score)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 500)), min_size=1, max_size=8))
def test_weights_restore_the_base(cells):
    answered, base = np.array(cells, dtype=float).T
    weights = post_stratify(answered, base)
    assert answered * weights.weight / weights.n == pytest.approx(base / base.sum())
    assert weights.design_effect >= 1 - 1e-12
    assert weights.effective(answered) == pytest.approx(weights.effective_n)


def test_equal_response_changes_nothing():
    weights = post_stratify([30, 10], [300, 100])
    assert weights.design_effect == pytest.approx(1.0)
    effective = weights.effective([[10, 10, 10], [4, 3, 3]])
    assert effective == pytest.approx([14, 13, 13])


def test_post_stratified_figures_cover_where_plain_ones_do_not():
    # Simulated: the fond answer three times as often as the others; the base's figures are the truth.
    rng = np.random.default_rng(4)
    base, rate = np.array([4_000, 3_000, 2_000, 1_000]), np.array([0.01, 0.02, 0.03, 0.03])
    shares = np.array([[0.3, 0.3, 0.4], [0.5, 0.3, 0.2], [0.7, 0.2, 0.1], [0.8, 0.1, 0.1]])
    truth = 100 * float(base / base.sum() @ (shares[:, 0] - shares[:, 2]))
    runs, plain, weighted = 3_000, 0, 0
    for _ in range(runs):
        answered = rng.binomial(base, rate)
        counts = rng.multinomial(answered, shares)
        naive = nps(*counts.sum(axis=0))
        fair = nps(*post_stratify(answered, base).effective(counts))
        plain += naive.low <= truth <= naive.high
        weighted += fair.low <= truth <= fair.high
    assert plain / runs < 0.75
    assert 0.94 <= weighted / runs <= 0.985  # Kish's effect forgets what stratifying gains: a little too wide


def test_effective_counts_fit_every_score():
    weights = post_stratify([80, 20], [500, 500])
    by_answer = np.array([[0, 0, 20, 40, 20], [5, 5, 5, 5, 0]])
    score = mean_of_answers([1, 2, 3, 4, 5], weights.effective(by_answer))
    assert score.score == pytest.approx((4 + 2.5) / 2)
    assert score.n == pytest.approx(64)


def test_bias_by_hand():
    # 30 of 100 and 10 of 100 answered: overall .2; chi² = 100·(.1² + .1²) / (.2·.8) = 12.5, one degree: p .000407.
    bias = response_bias([30, 10], [100, 100])
    assert bias.answered_share.tolist() == [0.75, 0.25]
    assert bias.base_share.tolist() == [0.5, 0.5]
    assert bias.response_rate.tolist() == [0.3, 0.1]
    assert bias.low.tolist() == wilson([30, 10], 100).low.tolist()
    assert bias.p == pytest.approx(0.000407, abs=1e-6)
    assert bias.representativity == pytest.approx(1 - 2 * 0.1)
    assert bias.total_shift == pytest.approx(0.25)


def test_the_test_of_bias_keeps_its_level():
    # Simulated: every level answers alike.
    rng = np.random.default_rng(5)
    base = np.array([200, 300, 500])
    p = [response_bias(rng.binomial(base, 0.15), base).p for _ in range(4_000)]
    assert (np.array(p) <= 0.05).mean() == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(("answered", "base"), [([0, 0], [5, 5]), ([5, 5], [5, 5]), ([3], [5]), ([0], [0])])
def test_bias_without_contrast_is_unknown(answered, base):
    assert np.isnan(response_bias(answered, base).p)


def test_bad_shapes_are_refused():
    with pytest.raises(InvalidParameter, match="level 1"):
        response_bias([1, 6], [5, 5])
    with pytest.raises(InvalidParameter, match="fit together"):
        post_stratify([1, 2], [1, 2, 3])
    with pytest.raises(InvalidParameter, match="empty"):
        post_stratify([1, 2], [0, 0])
    with pytest.raises(InvalidParameter, match="negative"):
        post_stratify([1, -2], [5, 5])
    with pytest.raises(InvalidParameter, match="one row a cell"):
        post_stratify([1, 2], [5, 5]).effective([1, 2, 3])
