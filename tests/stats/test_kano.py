"""Kano tables, counts, rules and coefficients against published examples and hand calculations."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.stats.kano import (
    ANSWERS,
    CATEGORIES,
    CATEGORY_NAMES,
    RULES,
    category_counts,
    category_of,
    classify,
    coefficients,
    continuous_scores,
    evaluation_table,
    pair_counts,
    strength,
)
from wayfare.stats.proportions import wilson

# A published service study, n = 296: counts as M, O, A, I, R, Q; then the mode, the category by the rule,
# total and category strength in %, CS+ and CS−.
EXAMPLE = {
    "service app": ((95, 123, 45, 33, 0, 0), "O", "O", 89, 9, 0.568, -0.736),
    "excellent service": ((101, 54, 54, 81, 3, 3), "M", "M", 71, 7, 0.372, -0.534),
    "hotline": ((15, 24, 121, 124, 6, 6), "I", "A", 54, 1, 0.511, -0.137),
    "loan machine": ((65, 87, 93, 51, 0, 0), "A", "O", 83, 2, 0.608, -0.514),
    "return": ((9, 18, 83, 177, 6, 3), "I", "I", 37, 32, 0.352, -0.094),
}
# The Reppel study of transfers, n = 358: counts as A, O, M, I, R, Q, category, CS+ and CS−.
REPPEL = {
    "F6": ((91, 19, 9, 160, 49, 30), "I", 0.394, -0.100),
    "F7": ((70, 121, 59, 77, 9, 22), "O", 0.584, -0.550),
    "F8": ((78, 122, 66, 62, 7, 23), "O", 0.610, -0.573),
    "F9": ((145, 76, 25, 78, 12, 22), "A", 0.682, -0.312),
    "F10": ((18, 174, 90, 42, 7, 27), "O", 0.593, -0.815),
    "F11": ((88, 90, 32, 105, 15, 28), "I", 0.565, -0.387),
}
REPPEL_TABLE = ("QAAAO", "RQIIM", "RIIIM", "RIIQM", "RRRRQ")
REPPEL_ANSWERS = ("I like it", "I expect it", "I am neutral", "I can tolerate it", "I dislike it")
TABLES = st.lists(st.integers(0, 200), min_size=6, max_size=6)


def example_counts(feature):
    by_letter = dict(zip("MOAIRQ", EXAMPLE[feature][0], strict=True))
    return [by_letter[letter] for letter in CATEGORIES]


def letters(codes):
    return "".join(CATEGORIES[code] for code in np.atleast_1d(codes))


@pytest.mark.parametrize("feature", EXAMPLE)
def test_the_worked_example(feature):
    _, mode, by_rule, total, lead, plus, minus = EXAMPLE[feature]
    counts = example_counts(feature)
    assert sum(counts) == 296
    assert letters(category_of(counts)) == mode
    assert letters(category_of(counts, "evaluation")) == by_rule
    clear = strength(counts)
    assert (round(100 * clear.total), round(100 * clear.category)) == (total, lead)
    cs = coefficients(counts)
    assert (round(cs.plus, 3), round(cs.minus, 3)) == (plus, minus)


def test_the_rule_by_groups():
    # Hotline: A + O + M = 160 outnumber I + R + Q = 136, so the most frequent of the first, A; return: 110 to 186.
    assert letters(category_of([example_counts(feature) for feature in EXAMPLE], "blauth")) == "OMAAI"


def test_the_reppel_study_from_its_answers(shared_data):
    path = shared_data / "kano_reppel" / "transfers--all_cohorts-clean.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    code = {answer: index for index, answer in enumerate(REPPEL_ANSWERS)}
    halves = [
        [code[row[f"{feature}_{half}"]] for feature in REPPEL for row in rows]
        for half in ("functional", "dysfunctional")
    ]
    feature = np.repeat(np.arange(6), len(rows))
    pairs = pair_counts(*halves, feature, features=6)
    counts = category_counts(pairs, evaluation_table(REPPEL_TABLE))
    assert counts.tolist() == [list(expected[0]) for expected in REPPEL.values()]
    assert letters(category_of(counts)) == "".join(expected[1] for expected in REPPEL.values())
    cs = coefficients(counts)
    assert np.round(cs.plus, 3).tolist() == [expected[2] for expected in REPPEL.values()]
    assert np.round(cs.minus, 3).tolist() == [expected[3] for expected in REPPEL.values()]


def test_the_classic_table_cell_by_cell():
    # Berger et al. (1993): functional answers down, dysfunctional across.
    f, d = np.meshgrid(range(5), range(5), indexing="ij")
    rows = ["".join(letters(row)) for row in classify(f, d)]
    assert rows == ["QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"]
    assert len(ANSWERS) == 5
    assert set(CATEGORY_NAMES) == set(CATEGORIES)


def test_a_missing_half_is_no_category():
    assert classify([0, -1, 0], [4, 4, -1]).tolist() == [CATEGORIES.index("O"), -1, -1]
    assert pair_counts([0, -1, 0], [4, 4, -1]).sum() == 1


def test_a_table_of_three_answers():
    # Like, neutral, dislike: what is left of the classic table without its second and fourth answer.
    table = evaluation_table(["QAO", "RIM", "RRQ"])
    pairs = pair_counts([0, 0, 1, 1], [2, 1, 2, 1], answers=(3, 3))
    assert category_counts(pairs, table).tolist() == [[1, 1, 1, 1, 0, 0]]


def test_pairs_count_by_feature_and_weight():
    pairs = pair_counts([0, 0, 1], [4, 4, 2], [2, 0, 2], features=3, weights=[1.5, 1, 2])
    counts = category_counts(pairs)
    assert counts[0].tolist() == [0, 1, 0, 0, 0, 0]
    assert counts[1].sum() == 0
    assert counts[2].tolist() == [0, 1.5, 0, 2, 0, 0]


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=40))
def test_counting_pairs_is_counting_answers(pairs):
    f, d = np.array(pairs, dtype=int).reshape(-1, 2).T
    codes = classify(f, d)
    expected = np.bincount(codes[codes >= 0], minlength=6)
    assert category_counts(pair_counts(f, d))[0].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("counts", "category"),
    [
        ([5, 5, 5, 5, 0, 0], "M"),
        ([5, 5, 0, 5, 0, 0], "O"),
        ([5, 0, 0, 5, 5, 5], "A"),
        ([0, 0, 0, 5, 5, 5], "I"),
        ([1, 0, 0, 0, 0, 0], "A"),
    ],
)
@pytest.mark.parametrize("rule", ["mode", "evaluation"])
def test_ties_go_to_what_hurts_most(counts, category, rule):
    # M > O > A > I (Berger et al. 1993).
    assert letters(category_of(counts, rule)) == category


def test_the_evaluation_rule_reaches_six_percent_of_all_answers():
    assert letters(category_of([40, 34, 0, 26, 0, 0], "evaluation")) == "O"
    assert letters(category_of([40, 33, 0, 27, 0, 0], "evaluation")) == "A"
    # A reverse feature doesn't become a must-be because M is close.
    assert letters(category_of([0, 0, 38, 22, 40, 0], "evaluation")) == "R"
    assert all("M > O > A > I" in rule.text for rule in RULES.values())


def test_no_answer_has_no_category():
    none = np.zeros(6)
    assert category_of(none) == -1
    assert np.isnan([strength(none).total, strength(none).category]).all()
    cs = coefficients([0, 0, 0, 0, 4, 2])
    assert np.isnan([cs.plus, cs.minus, cs.plus_interval.low, cs.minus_interval.high]).all()
    assert cs.n == 0


@given(TABLES)
def test_coefficients_are_shares_with_wilsons_interval(counts):
    cs = coefficients(counts)
    a, o, m, i = counts[:4]
    n = a + o + m + i
    if not n:
        return
    assert cs.plus == pytest.approx((a + o) / n)
    assert cs.minus == pytest.approx(-(o + m) / n)
    assert 0 <= cs.plus_interval.low <= cs.plus <= cs.plus_interval.high <= 1
    assert -1 <= cs.minus_interval.low <= cs.minus <= cs.minus_interval.high <= 0
    assert cs.minus_interval.low == pytest.approx(-wilson(o + m, n).high)


@given(TABLES, st.sampled_from(sorted(RULES)))
def test_doubled_customers_change_no_category(counts, rule):
    assert category_of(counts, rule) == category_of(2 * np.array(counts), rule)


def test_continuous_scores_by_hand():
    # Three customers: (like, dislike) 4, 4; (like, neutral) 4, 0; (neutral, live-with) 0, 2.
    scores = continuous_scores(pair_counts([0, 0, 2], [4, 2, 3])[0])
    assert scores.functional.score == pytest.approx(8 / 3)
    assert scores.dysfunctional.score == pytest.approx(2.0)
    assert scores.functional.sd == pytest.approx(np.std([4, 4, 0], ddof=1))
    assert scores.correlation == pytest.approx(np.corrcoef([4, 4, 0], [4, 0, 2])[0, 1], abs=1e-12)
    assert scores.functional.low >= -2.0


def test_the_spread_tells_the_divided_from_the_indifferent():
    # Half love it and half loathe its presence, against all neutral: near means, far spreads.
    divided = continuous_scores(pair_counts([0] * 50 + [4] * 50, [2] * 100)[0])
    cold = continuous_scores(pair_counts([2] * 100, [2] * 100)[0])
    assert divided.functional.sd > 2.9
    assert cold.functional.sd == 0.0
    assert np.isnan(cold.correlation)


def test_what_cannot_be_read_is_refused():
    with pytest.raises(InvalidParameter, match="no Kano category"):
        evaluation_table(["QAAAX"])
    with pytest.raises(InvalidParameter, match="differ in length"):
        evaluation_table(["QA", "R"])
    with pytest.raises(InvalidParameter, match="pair up"):
        classify([0, 1], [0])
    with pytest.raises(InvalidParameter, match="outside 0 to 4"):
        classify([5], [0])
    with pytest.raises(InvalidParameter, match="feature code"):
        pair_counts([0], [0], [1])
    with pytest.raises(InvalidParameter, match="made for this wording"):
        category_counts(np.zeros((3, 3)))
    with pytest.raises(UnknownName, match="evaluation"):
        category_of([1, 2, 3, 4, 5, 6], "evalution")
    with pytest.raises(InvalidParameter, match="6 categories"):
        category_of([1, 2, 3])
    with pytest.raises(InvalidParameter, match="negative"):
        strength([1, 2, 3, 4, 5, -6])
    with pytest.raises(InvalidParameter, match="scores"):
        continuous_scores(np.zeros((3, 3)))
