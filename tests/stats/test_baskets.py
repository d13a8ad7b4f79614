"""Baskets, rankings and recommenders against hand calculations and plain-Python oracles."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.baskets import (
    Accuracy,
    Baskets,
    Ranking,
    Scores,
    accuracy,
    by_popularity,
    top,
    without_last,
)
from wayfare.stats.recommenders import GROUP, MODELS, _tifu_weights, recommend, similarity

# Two customers: the first had {0}, {0, 1}, {2}; the second {1}, {1, 3}.
LINES = [(0, 0, 2), (0, 0, 1), (0, 1, 1), (0, 2, 0), (1, 1, 1), (1, 1, 0), (1, 3, 0)]


def baskets(lines=LINES, customers=2, products=5) -> Baskets:
    return (
        Baskets.of(*zip(*lines, strict=True), customers, products)
        if lines
        else Baskets.of([], [], [], customers, products)
    )


@st.composite
def random_baskets(draw) -> Baskets:
    histories = draw(
        st.lists(
            st.lists(st.sets(st.integers(0, 7), min_size=1, max_size=4), max_size=5), min_size=1, max_size=8
        )
    )
    lines = [
        (c, p, len(h) - 1 - n) for c, h in enumerate(histories) for n, basket in enumerate(h) for p in basket
    ]
    return baskets(lines, len(histories), 8)


def test_counts_by_hand():
    assert baskets().count().tolist() == [3, 2]
    assert baskets().popularity().tolist() == [2, 3, 1, 1, 0]
    assert by_popularity(baskets()).tolist() == [1, 0, 2, 3, 4]
    own = baskets().summed()
    assert own.starts.tolist() == [0, 3, 5]
    assert own.product.tolist() == [0, 1, 2, 1, 3]
    assert own.score.tolist() == [2, 1, 1, 2, 1]


def test_a_repeated_line_counts_once():
    assert baskets([*LINES, (0, 0, 2)]).customer.size == len(LINES)


def test_numbers_out_of_range():
    with pytest.raises(InvalidParameter, match="from 0 to 4"):
        baskets([(0, 5, 0)])
    with pytest.raises(InvalidParameter, match="differ in length"):
        Baskets.of([0], [0, 1], [0], 1, 2)
    with pytest.raises(InvalidParameter, match="no recommender"):
        recommend(baskets(), "a guess", 3)
    with pytest.raises(InvalidParameter, match="number of products"):
        recommend(baskets(), "personal", 0)


def test_holding_out_the_last_basket():
    earlier, last = without_last(baskets(), np.array([True, False]))
    assert list(zip(last.customer, last.product, strict=True)) == [(0, 2)]
    assert list(zip(earlier.customer, earlier.product, earlier.ago, strict=True)) == [
        (0, 0, 1), (0, 0, 0), (0, 1, 0), (1, 1, 1), (1, 1, 0), (1, 3, 0),
    ]  # fmt: skip


@given(random_baskets(), st.integers(1, 6))
def test_personal_frequency_against_counting(found, k):
    own, everybody = defaultdict(Counter), Counter()
    for customer, product in zip(found.customer.tolist(), found.product.tolist(), strict=True):
        own[customer][product] += 1
        everybody[product] += 1
    plain, filled = recommend(found, "personal", k), recommend(found, "personal, popular first", k)
    popular = sorted(range(found.products), key=lambda p: (-everybody[p], p))
    for customer in range(found.customers):
        mine = own[customer]
        by_number = sorted(mine, key=lambda p: (-mine[p], p))[:k]
        assert [p for p in plain.product[customer].tolist() if p >= 0] == by_number
        by_name = sorted(mine, key=lambda p: (-mine[p], -everybody[p], p))
        assert filled.product[customer].tolist() == (by_name + [p for p in popular if p not in mine])[:k]


@given(random_baskets())
def test_no_recommender_names_a_product_twice(found):
    for name in MODELS:
        ranking = recommend(found, name, 5)
        for row in ranking.product.tolist():
            named = [p for p in row if p >= 0]
            assert len(named) == len(set(named)), name


def test_cosine_by_hand():
    # log(1 + count): product 0 is (log 3, 0), product 1 (log 2, log 3) over the two customers
    cosine = similarity(baskets().summed()).toarray()
    expected = math.log(3) * math.log(2) / (math.log(3) * math.hypot(math.log(2), math.log(3)))
    assert cosine[0, 1] == pytest.approx(expected)
    assert cosine[0, 0] == pytest.approx(1)
    assert cosine[0, 3] == 0


def test_tifu_weights_by_hand():
    # Hu et al. 2020, eq. 1–2: nine baskets are a full latest group of 7 and an earlier one of 2; weights .9 and .7
    one = baskets([(0, 0, ago) for ago in range(9)], 1, 1)
    weights = dict(zip(one.ago.tolist(), _tifu_weights(one).tolist(), strict=True))
    assert weights[0] == pytest.approx(1 / GROUP / 2)
    assert weights[3] == pytest.approx(0.9**3 / GROUP / 2)
    assert weights[7] == pytest.approx(0.7 / 2 / 2)
    assert weights[8] == pytest.approx(0.7 * 0.9 / 2 / 2)


def test_tifu_names_what_those_most_alike_had():
    # Customers 0–9 have product 0 and 1, 10–19 product 2 and 3, customer 20 only product 0.
    lines = [(c, p, 0) for c in range(10) for p in (0, 1)] + [
        (c, p, 0) for c in range(10, 20) for p in (2, 3)
    ]
    found = recommend(baskets([*lines, (20, 0, 0)], 21, 4), "TIFU-KNN", 2, np.array([20]))
    assert found.product[0, 0] == 0
    assert found.product.shape == (1, 2)


def test_accuracy_by_hand():
    # Customer 0 had 0 and 1; the next basket is {0, 4}, and [0, 3] is named: half of all, all of the repeats, none of the new.
    earlier = baskets([(0, 0, 0), (0, 1, 0), (1, 1, 0)])
    truth = baskets([(0, 0, 0), (0, 4, 0), (1, 3, 0)])
    ranking = Ranking(np.array([[0, 3], [1, 3]]), np.ones((2, 2)))
    found = accuracy(ranking, np.array([0, 1]), earlier, truth)
    second = 1 / math.log2(3)
    assert found == Accuracy(
        recall=0.75, recall_repeat=1.0, recall_explore=0.5, ndcg=pytest.approx((1 / (1 + second) + second) / 2), n=2,
        repeat_share=0.25, error=pytest.approx(0.25),
    )  # fmt: skip


def test_accuracy_of_nobody():
    found = accuracy(
        Ranking(np.empty((0, 3), int), np.empty((0, 3))), np.empty(0, int), baskets(), baskets([])
    )
    assert found.n == 0
    assert math.isnan(found.recall)


def test_ties_go_to_the_lower_number_and_zero_columns_are_fine():
    scores = Scores(np.array([0, 3, 3]), np.array([1, 2, 4]), np.array([1.0, 2.0, 1.0]), 5)
    ranking = top(scores, 3, np.array([4, 0, 1, 2, 3]))
    assert ranking.product.tolist() == [[2, 1, 4], [4, 0, 1]]


def test_nobody_bought_anything():
    for name in MODELS:
        assert recommend(baskets([], 0, 0), name, 3).product.shape == (0, 3)
        assert recommend(baskets([], 2, 3), name, 2).product.shape == (2, 2)
