"""How sure Kano categories are: published examples, exact enumerations and simulated coverage."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy.stats import beta

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.stats.kano import CATEGORIES, category_of, coefficients
from wayfare.stats.kano_inference import (
    answers_needed,
    category_probabilities,
    coefficient_ellipses,
    top_two,
    top_two_power,
    wave_change,
)

A, O, M, I, R, Q = range(6)  # noqa: E741 -- the method's letters


def test_the_exact_test_by_hand():
    # 8 against 2 of 14: P(8, 9 or 10 of 10 at even odds) = (45 + 10 + 1) / 1024, twice.
    result = top_two([8, 2, 1, 1, 1, 1])
    assert (result.first, result.second) == (A, O)
    assert result.p == pytest.approx(2 * (comb(10, 8) + comb(10, 9) + 1) / 1024)
    # Fong: 1.65 · √(10 · 18 / 28) = 4.183; a lead of 6 passes.
    assert result.fong_difference == pytest.approx(4.1835, abs=1e-4)
    assert result.fong_distinct
    assert top_two([5, 5, 0, 0, 0, 0]).p == 1.0


def test_fongs_test_on_the_worked_example():
    # n = 296; service app O 123, M 95: 1.65 · √(218 · 374 / 592) = 19.36 < 28. Hotline I 124, A 121: 3 is none.
    result = top_two([[45, 123, 95, 33, 0, 0], [121, 24, 15, 124, 6, 6]])
    assert result.fong_difference == pytest.approx([19.36, 19.77], abs=0.01)
    assert result.fong_distinct.tolist() == [True, False]
    assert result.first.tolist() == [O, I]
    assert result.second.tolist() == [M, A]


def test_fong_is_too_liberal_and_the_exact_test_is_not():
    # Simulated: A and O equal at .3 each; Fong's nominal 10 % comes out near 17 %, the exact test below 10 %.
    rng = np.random.default_rng(1)
    counts = rng.multinomial(300, [0.3, 0.3, 0.1, 0.2, 0.05, 0.05], 40_000)
    result = top_two(counts)
    assert result.fong_distinct.mean() == pytest.approx(0.17, abs=0.01)
    assert 0.08 < (result.p <= 0.1).mean() <= 0.1


def test_category_probabilities_of_two_categories_are_betas():
    # With A and O alone, P(A ahead) = P(Beta(30.5, 20.5) > ½) where R and the rest stay far behind.
    probability = category_probabilities([30, 20, 0, 0, 0, 0], draws=20_000)
    assert probability[A] == pytest.approx(beta(30.5, 20.5).sf(0.5), abs=0.01)
    assert probability.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("rule", ["mode", "evaluation", "blauth"])
@pytest.mark.parametrize("n", [40, 200])
def test_category_probabilities_mean_what_they_say(rule, n):
    # Simulated: of features said to be in their category with 60 % to 80 %, about that many are.
    rng = np.random.default_rng(2)
    truth = rng.dirichlet([1.2, 1.2, 1.2, 1.2, 0.3, 0.3], 8_000)
    counts = rng.multinomial(n, truth)
    right = category_of(truth, rule)
    probability = category_probabilities(counts, rule, draws=300)
    said = probability.max(axis=-1)
    hit = probability.argmax(axis=-1) == right
    for low, high in [(0.4, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01)]:
        inside = (said >= low) & (said < high)
        noise = 3 * np.sqrt(0.25 / inside.sum())
        assert hit[inside].mean() == pytest.approx(said[inside].mean(), abs=0.015 + noise)


def test_a_single_answer_is_no_certainty():
    probability = category_probabilities([[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], draws=4_000)
    assert 0.3 < probability[0, A] < 0.7
    assert np.isnan(probability[1]).all()


def test_probabilities_are_seeded_and_cost_the_same_for_a_million_answers():
    counts = np.array([[300_000, 299_000, 100_000, 150_000, 100_000, 51_000]] * 3)
    first = category_probabilities(counts, draws=1_000, seed=3)
    assert np.array_equal(first, category_probabilities(counts, draws=1_000, seed=3))
    # The gap of 1,000 is 1,000 / √599,000 = 1.29 standard errors: Φ(1.29) = .90.
    assert first[:, A] == pytest.approx(0.90, abs=0.03)
    in_batches = category_probabilities(counts, draws=1_000, seed=3, batch_cells=1_000)
    assert in_batches[:, A] == pytest.approx(0.90, abs=0.04)


def test_ellipses_cover_both_coefficients_together():
    # Simulated: 40 and 300 answers, features of all kinds; both coefficients inside at once.
    rng = np.random.default_rng(4)
    truth = rng.dirichlet([1, 1, 1, 1], 6_000)
    target = np.stack([-(truth[:, O] + truth[:, M]), truth[:, A] + truth[:, O]], axis=-1)
    for n in (40, 300):
        counts = np.hstack([rng.multinomial(n, truth), np.zeros((6_000, 2))])
        ellipses = coefficient_ellipses(counts)
        smoothed = counts[:, :4] + 0.5
        share = smoothed / smoothed.sum(axis=1, keepdims=True)
        centre = np.stack([-(share[:, O] + share[:, M]), share[:, A] + share[:, O]], axis=-1)
        away = target - centre
        distance = np.einsum("fi,fij,fj->f", away, np.linalg.inv(ellipses.covariance), away)
        assert (distance <= 5.991465).mean() == pytest.approx(0.95, abs=0.015)  # χ² on 2 degrees, any table


def test_an_ellipse_by_hand():
    # A, O, M, I of 24.5, 49.5, 9.5, 14.5 after the half answers; N = 98.
    ellipses = coefficient_ellipses([24, 49, 9, 14, 1, 1])
    plus, worse = 74 / 98, 59 / 98
    expected = np.array(
        [
            [worse * (1 - worse), -(49.5 / 98 - plus * worse)],
            [-(49.5 / 98 - plus * worse), plus * (1 - plus)],
        ]
    )
    assert ellipses.covariance == pytest.approx(expected / 98)
    longest = np.linalg.eigvalsh(expected / 98)[1]
    assert ellipses.semi_major == pytest.approx(np.sqrt(5.991465 * longest), abs=1e-6)
    assert ellipses.outline.shape == (48, 2)
    assert ellipses.outline.mean(axis=0) == pytest.approx([-worse, plus])


def test_ellipses_stay_in_the_picture_and_know_nothing_of_nobody():
    ellipses = coefficient_ellipses([[3, 0, 0, 0, 0, 0], [0, 0, 0, 0, 5, 0]])
    assert ellipses.outline[0, :, 0].min() >= -1
    assert ellipses.outline[0, :, 0].max() <= 0
    assert ellipses.outline[0, :, 1].max() <= 1
    assert ellipses.semi_minor[0] > 0
    assert np.isnan(ellipses.semi_major[1])
    assert np.isnan(ellipses.outline[1]).all()


def test_a_delighter_becomes_a_must_be():
    before, after = [150, 60, 30, 50, 5, 5], [30, 70, 140, 50, 5, 5]
    change = wave_change(before, after)
    assert (change.before, change.after) == (A, M)
    assert change.transition[A, M] > 0.99
    assert change.moved > 0.99
    assert change.p < 1e-6
    # CS+ 210/290 then 100/290; CS− −90/290 then −210/290.
    assert change.plus.estimate == pytest.approx(-110 / 290)
    assert change.minus.estimate == pytest.approx(-120 / 290)
    assert change.minus.low < change.minus.estimate < change.minus.high < 0
    assert change.minus.estimate == pytest.approx(coefficients(after).minus - coefficients(before).minus)


def test_changes_cover_and_the_test_keeps_its_level():
    # Simulated: 60 and 90 answers; the later wave moves in half the features.
    rng = np.random.default_rng(5)
    old = rng.dirichlet([3, 3, 3, 3, 1, 1], 3_000)
    moves = (np.arange(3_000) % 2 == 1)[:, None]
    new = np.where(moves, rng.dirichlet([3, 3, 3, 3, 1, 1], 3_000), old)
    change = wave_change(rng.multinomial(60, old), rng.multinomial(90, new), draws=100)
    truth = coefficients(new).plus - coefficients(old).plus
    assert ((change.plus.low <= truth) & (truth <= change.plus.high)).mean() == pytest.approx(0.95, abs=0.015)
    truth = coefficients(new).minus - coefficients(old).minus
    assert ((change.minus.low <= truth) & (truth <= change.minus.high)).mean() == pytest.approx(
        0.95, abs=0.015
    )
    assert (change.p[::2] <= 0.05).mean() == pytest.approx(0.05, abs=0.015)


def test_a_wave_without_answers_changes_nothing_known():
    change = wave_change(np.zeros(6), [1, 2, 3, 4, 0, 0])
    assert np.isnan([change.plus.estimate, change.minus.high, change.moved, change.p]).all()
    assert change.before == -1


def test_power_with_forty_answers():
    # With 40 answers categories of 35 % and 30 % can't be told apart; with 2,059 they can, four times of five.
    assert top_two_power(40, 0.35, 0.30) < 0.05
    needed = answers_needed(0.35, 0.30)
    assert 1_900 < needed < 2_200
    assert top_two_power(needed, 0.35, 0.30) == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.2), (0.6, 0.3), (0.4, 0.3), (0.3, 0.25)])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_the_approximate_number_of_answers_has_about_the_exact_power(first, second, power):
    needed = answers_needed(first, second, power)
    assert top_two_power(needed, first, second) == pytest.approx(power, abs=0.05)


def test_power_is_what_simulation_finds():
    rng = np.random.default_rng(6)
    counts = rng.multinomial(100, [0.45, 0.25, 0, 0.3, 0, 0], 40_000)[:, [0, 1]]
    padded = np.hstack([counts, np.zeros((40_000, 4))])
    result = top_two(padded)
    found = ((result.p <= 0.05) & (result.first == A)).mean()
    assert found == pytest.approx(top_two_power(100, 0.45, 0.25), abs=0.01)


def test_power_of_few_or_equal():
    assert top_two_power([0, 1, 5], 0.9, 0.1).tolist() == [0.0, 0.0, 0.0]  # 5 of 5 has p = .0625
    assert top_two_power(6, 1.0, 0.0) == 1.0
    with pytest.raises(InvalidParameter, match="No number"):
        answers_needed(0.3, 0.3)
    with pytest.raises(InvalidParameter, match="two categories"):
        top_two_power(10, 0.8, 0.4)
    with pytest.raises(InvalidParameter, match="level"):
        top_two_power(10, 0.5, 0.4, alpha=5)


def test_bad_shapes_are_refused():
    with pytest.raises(InvalidParameter, match="draws"):
        category_probabilities(np.ones(6), draws=0)
    with pytest.raises(UnknownName):
        category_probabilities(np.ones(6), rule="majority")
    with pytest.raises(InvalidParameter, match="fit together"):
        wave_change(np.ones((2, 6)), np.ones(6))
    with pytest.raises(InvalidParameter, match="categories"):
        coefficient_ellipses(np.ones(4))
    empty = top_two(np.zeros((1, 6)))
    assert empty.first.tolist() == [-1]
    assert np.isnan(empty.p).all()
    assert len(CATEGORIES) == 6
