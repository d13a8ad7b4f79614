"""Scores of surveys against published figures, hand calculations and planted truths."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_ind_from_stats

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.stats.proportions import mean_interval, wilson
from wayfare.stats.satisfaction import (
    EFFORT_DEFINITIONS,
    customer_effort,
    difference_of_means,
    mean_of_answers,
    nps,
    nps_counts,
    nps_difference,
    share_of_answers,
    top_box,
)

FIVE = [1, 2, 3, 4, 5]
COUNTS = st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))


@pytest.mark.parametrize(("method", "low", "high"), [("wald", 14.14, 20.86), ("adjusted_wald", 14.09, 20.81)])
def test_nps_gives_the_published_example(method, low, high):
    # A published example, n = 1,000 with 250 promoters and 75 detractors; the formulas are in Rocks (2016).
    score = nps(250, 675, 75, method=method)
    assert score.score == 17.5
    assert (score.low, score.high) == pytest.approx((low, high), abs=0.005)
    assert score.n == 1_000
    # By hand: 100² · (.25 + .075 − .175²) = 2943.75 for one answer, n / (n − 1) of it from the sample.
    assert score.sd**2 == pytest.approx(2943.75 * 1000 / 999)


def test_nps_counts_the_eleven_answers():
    # 0..6 detract, 7 and 8 are passive, 9 and 10 promote (Reichheld 2003).
    assert nps_counts([1, 1, 1, 1, 1, 1, 1, 20, 3, 100, 200]) == (300, 23, 7)
    promoters, _, detractors = nps_counts(np.eye(11))
    assert promoters.tolist() == [0] * 9 + [1, 1]
    assert detractors.tolist() == [1] * 7 + [0] * 4
    with pytest.raises(InvalidParameter, match="eleven"):
        nps_counts([1, 2, 3, 4, 5])


@given(COUNTS, st.floats(0.5, 0.999))
def test_nps_lies_within_its_interval_on_the_scale(counts, confidence):
    score = nps(*counts, confidence=confidence)
    if sum(counts) == 0:
        assert np.isnan([score.score, score.low, score.high, score.sd]).all()
    else:
        assert -100 <= score.low <= score.score <= score.high <= 100


@given(COUNTS)
def test_nps_turned_round_changes_its_sign(counts):
    one, other = nps(*counts), nps(*counts[::-1])
    assert np.allclose(
        [one.score, one.low, one.high], [-other.score, -other.high, -other.low], equal_nan=True
    )


def test_one_answer_leaves_nps_open():
    score = nps(1, 0, 0)
    assert score.score == 100.0
    assert score.low < 0.0
    assert np.isnan(score.sd)


def test_the_adjusted_nps_interval_covers_where_walds_does_not():
    # Simulated: 20 answers of companies between loved and loathed; Rocks (2016) finds the same order.
    rng = np.random.default_rng(1)
    shares = rng.dirichlet([2, 1, 0.3], 20_000)
    counts = rng.multinomial(20, shares)
    truth = 100 * (shares[:, 0] - shares[:, 2])
    covered = {}
    for method in ("wald", "adjusted_wald"):
        score = nps(*counts.T, method=method)
        covered[method] = ((score.low <= truth) & (truth <= score.high)).mean()
    assert covered["wald"] < 0.91
    assert covered["adjusted_wald"] == pytest.approx(0.95, abs=0.012)


def test_nps_refuses_what_it_cannot_read():
    with pytest.raises(InvalidParameter, match="negative"):
        nps(-1, 0, 1)
    with pytest.raises(UnknownName, match="adjusted_wald"):
        nps(1, 1, 1, method="adjusted_wlad")
    with pytest.raises(InvalidParameter, match=r"0\.95"):
        nps(1, 1, 1, confidence=95)


def test_nps_difference_by_hand():
    # a: 51.5 answers at 30.375, 10.75, 10.375 -> p .589806, d .201456; b: 20.375, 10.75, 20.375.
    a, b = (30, 10, 10), (20, 10, 20)
    difference = nps_difference(a, b)
    assert difference.estimate == 40.0
    p_a, d_a, p_b, d_b = 30.375 / 51.5, 10.375 / 51.5, 20.375 / 51.5, 20.375 / 51.5
    variance = (p_a + d_a - (p_a - d_a) ** 2 + p_b + d_b - (p_b - d_b) ** 2) / 51.5
    centre = 100 * (p_a - d_a - p_b + d_b)
    assert difference.low == pytest.approx(centre - 195.9964 * np.sqrt(variance), abs=1e-3)
    assert difference.high == pytest.approx(centre + 195.9964 * np.sqrt(variance), abs=1e-3)
    swapped = nps_difference(b, a)
    assert (swapped.low, swapped.high, swapped.p) == pytest.approx(
        (-difference.high, -difference.low, difference.p)
    )


def test_nps_difference_covers_and_keeps_its_level():
    # Simulated: 25 against 60 answers; in half the runs both have the same shares.
    rng = np.random.default_rng(2)
    first = rng.dirichlet([3, 2, 1], 20_000)
    second = np.where((np.arange(20_000) % 2 == 0)[:, None], first, rng.dirichlet([3, 2, 1], 20_000))
    a, b = rng.multinomial(25, first), rng.multinomial(60, second)
    difference = nps_difference(tuple(a.T), tuple(b.T))
    truth = 100 * (first[:, 0] - first[:, 2] - second[:, 0] + second[:, 2])
    assert ((difference.low <= truth) & (truth <= difference.high)).mean() == pytest.approx(0.95, abs=0.01)
    assert (difference.p[::2] <= 0.05).mean() == pytest.approx(0.05, abs=0.01)


def test_nps_difference_with_an_empty_group_is_unknown():
    difference = nps_difference((0, 0, 0), (3, 2, 1))
    assert np.isnan([difference.estimate, difference.low, difference.high, difference.p]).all()


def test_the_mean_of_counts_is_students():
    # The same as from the sums of 1, 1, 2, 4, 5, 5: 18 and 72.
    score = mean_of_answers(FIVE, [2, 1, 0, 1, 2])
    expected = mean_interval(18, 72, 6)
    assert score.score == 3.0
    assert (score.low, score.high) == pytest.approx((expected.low, expected.high))
    assert score.sd == pytest.approx(np.std([1, 1, 2, 4, 5, 5], ddof=1))


def test_satisfaction_ecsi_mean(shared_data):
    # The data set's note: CUSA1 has a mean of 7.988 over 250 answers on 1 to 10.
    with (shared_data / "satisfaction_ecsi" / "mobi.csv").open() as file:
        answers = np.array([int(row["CUSA1"]) for row in csv.DictReader(file)])
    score = mean_of_answers(range(1, 11), np.bincount(answers, minlength=11)[1:])
    assert (score.score, score.n) == (pytest.approx(7.988), 250)
    half = 1.969537 * answers.std(ddof=1) / np.sqrt(250)  # t(.975, 249), any t table
    assert (score.low, score.high) == (pytest.approx(7.988 - half), pytest.approx(7.988 + half))


def test_equal_answers_are_not_certainty():
    # Wilson: 0 of 10 others leaves up to .2775; so the mean of ten fives lies above 5 − 4 · .2775.
    score = mean_of_answers(FIVE, [0, 0, 0, 0, 10])
    assert (score.score, score.sd, score.high) == (5.0, 0.0, 5.0)
    assert score.low == pytest.approx(5 - 4 * wilson(0, 10).high)
    middle = mean_of_answers(FIVE, [0, 0, 1, 0, 0])
    assert middle.low < 1.5
    assert middle.high > 4.5
    assert np.isnan(middle.sd)


def test_mean_of_nobody_is_unknown_and_groups_stay_apart():
    score = mean_of_answers(FIVE, [[0, 0, 0, 0, 0], [5, 5, 5, 5, 5]])
    assert np.isnan([score.score[0], score.low[0], score.high[0]]).all()
    assert score.score[1] == 3.0


@pytest.mark.parametrize(("n", "coverage"), [(8, 0.92), (30, 0.94), (200, 0.95)])
def test_means_of_skewed_answers_cover_a_little_less_when_few(n, coverage):
    # Simulated: five points, most of them satisfied; Student's t misses a long tail that nobody showed yet.
    rng = np.random.default_rng(3)
    shares = rng.dirichlet([0.5, 0.5, 1, 3, 4], 20_000)
    score = mean_of_answers(FIVE, rng.multinomial(n, shares))
    truth = shares @ FIVE
    assert ((score.low <= truth) & (truth <= score.high)).mean() == pytest.approx(coverage, abs=0.01)


def test_top_two_boxes_with_wilson():
    # Newcombe (1998), table I, method 3: 81 of 263 lies in .2553 to .3662.
    score = top_box(FIVE, [100, 50, 32, 41, 40])
    assert score.score == pytest.approx(81 / 263)
    assert (score.low, score.high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    assert top_box(FIVE, [100, 50, 32, 41, 40], boxes=1).score == pytest.approx(40 / 263)


def test_boxes_must_be_on_the_scale():
    with pytest.raises(InvalidParameter, match="top 5"):
        top_box(FIVE, [1, 1, 1, 1, 1], boxes=5)
    with pytest.raises(InvalidParameter, match="not on the scale"):
        share_of_answers(FIVE, [1, 1, 1, 1, 1], among=[5, 6])
    with pytest.raises(InvalidParameter, match="4 counts"):
        top_box(FIVE, [1, 1, 1, 1])
    assert np.isnan(top_box(FIVE, [0, 0, 0, 0, 0]).low)


def test_effort_by_every_definition():
    seven = [10, 5, 5, 20, 20, 20, 20]  # 20 difficult, 20 neither, 60 easy
    agree = customer_effort(seven, "ces_2")
    assert agree.score == pytest.approx(0.6)
    assert (agree.low, agree.high) == pytest.approx((wilson(60, 100).low, wilson(60, 100).high))
    net = customer_effort(seven, "net_easy")
    assert (net.score, net.low) == pytest.approx((40.0, nps(60, 20, 20).low))
    assert customer_effort(seven, "ces_2_mean").score == pytest.approx(
        (10 + 10 + 15 + 80 + 100 + 120 + 140) / 100
    )
    assert customer_effort([4, 3, 2, 1, 0], "ces_1").score == pytest.approx(2.0)
    assert not EFFORT_DEFINITIONS["ces_1"].higher_is_better
    assert all(len(definition.text) > 50 for definition in EFFORT_DEFINITIONS.values())
    with pytest.raises(UnknownName, match="net_easy"):
        customer_effort(seven, "net_eazy")
    with pytest.raises(InvalidParameter, match="scale of 5"):
        customer_effort(seven, "ces_1")


def test_difference_of_means_is_welchs():
    # By hand: means 5 and 3, s² 4 and 1, n 10 and 20: se² .45; df = .45² / (.16/9 + .0025/19) = 11.3065.
    difference = difference_of_means(5, 2, 10, 3, 1, 20)
    assert difference.estimate == 2.0
    assert difference.high - 2 == pytest.approx(t.ppf(0.975, 11.30647) * np.sqrt(0.45), abs=1e-5)
    assert difference.p == pytest.approx(ttest_ind_from_stats(5, 2, 10, 3, 1, 20, equal_var=False).pvalue)


@pytest.mark.parametrize("case", [(5, np.nan, 1, 3, 1, 20), (5, 0, 9, 3, 0, 9), (np.nan, np.nan, 0, 3, 1, 9)])
def test_difference_of_means_without_spread_is_unknown(case):
    difference = difference_of_means(*case)
    assert np.isnan([difference.low, difference.high, difference.p]).all()
