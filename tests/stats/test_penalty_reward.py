"""Penalty–reward contrasts: by hand, against planted asymmetries, and where they can't be told."""

from __future__ import annotations

import numpy as np
import pytest

from wayfare.errors import InvalidParameter
from wayfare.stats.penalty_reward import (
    DERIVED_CATEGORIES,
    IMPACT_CLASSES,
    impact_class,
    penalty_reward,
)

NAMES = ["delivery", "checkout", "gift"]


def survey(rows, penalty, reward, seed, noise=1.0):
    """Simulated ratings from 1 to 5 that hang together, and an overall score with planted contrasts."""
    rng = np.random.default_rng(seed)
    mood = rng.normal(size=(rows, 1))
    x = np.clip(np.round(3 + 0.6 * mood + rng.normal(size=(rows, len(penalty)))), 1, 5)
    return x, 5 + (x <= 2) @ np.array(penalty) + (x >= 4) @ np.array(reward) + noise * rng.normal(size=rows)


def test_one_driver_by_hand():
    # Low ratings average 2, middle ones 5, high ones 6: penalty −3, reward 1, range 4, asymmetry −2/4.
    x = np.repeat([1.0, 3.0, 5.0], 6)[:, None]
    y = np.tile([-1.0, 1.0], 9) + np.repeat([2.0, 5.0, 6.0], 6)
    contrast = penalty_reward(x, y, 2, 4)
    assert contrast.penalty == pytest.approx([-3.0])
    assert contrast.reward == pytest.approx([1.0])
    assert contrast.range == pytest.approx([4.0])
    assert contrast.asymmetry == pytest.approx([-0.5])
    assert IMPACT_CLASSES[contrast.impact_class[0]] == "dissatisfier"
    assert (contrast.low_n.tolist(), contrast.high_n.tolist(), contrast.reasons) == ([6], [6], ("",))
    # Total sum of squares 18 · var: between 6·((2−13/3)² + (5−13/3)² + (6−13/3)²) = 52, within 18.
    assert contrast.r_squared == pytest.approx(52 / 70)


def test_it_is_least_squares():
    x, y = survey(400, [-1.0, -0.5, 0.0], [0.0, 0.5, 1.0], seed=1)
    contrast = penalty_reward(x, y, 2, 4, draws=10)
    design = np.column_stack([np.ones(400), x <= 2, x >= 4])
    expected = np.linalg.lstsq(design, y, rcond=None)[0][1:]
    assert np.concatenate([contrast.penalty, contrast.reward]) == pytest.approx(expected)


def test_counted_rows_are_repeated_rows():
    x, y = survey(200, [-1.0, 0.5], [0.2, 1.0], seed=2)
    counts = np.arange(200) % 3
    counted = penalty_reward(x, y, 2, 4, counts, draws=10)
    repeated = penalty_reward(np.repeat(x, counts, axis=0), np.repeat(y, counts), 2, 4, draws=10)
    assert counted.penalty == pytest.approx(repeated.penalty)
    assert counted.low_n.tolist() == repeated.low_n.tolist()


def test_planted_classes_are_found():
    x, y = survey(3_000, [-1.5, -0.6, 0.0], [0.0, 0.6, 1.5], seed=3)
    contrast = penalty_reward(x, y, 2, 4, names=NAMES)
    assert [IMPACT_CLASSES[code] for code in contrast.impact_class] == ["frustrator", "hybrid", "delighter"]
    assert (contrast.class_probability.max(axis=1) > 0.8).all()
    assert contrast.class_probability.sum(axis=1) == pytest.approx(1.0)
    assert not contrast.neutral.any()
    assert "".join(DERIVED_CATEGORIES[IMPACT_CLASSES[code]] for code in contrast.impact_class) == "MOA"


def test_what_moves_nothing_is_neutral():
    x, y = survey(2_000, [-1.0, 0.0], [1.0, 0.0], seed=4)
    assert penalty_reward(x, y, 2, 4).neutral.tolist() == [False, True]


def test_wrong_directions_count_as_none():
    x, y = survey(2_000, [0.8, -1.0], [1.0, -0.5], seed=5)
    contrast = penalty_reward(x, y, 2, 4)
    assert contrast.penalty[0] > 0
    assert contrast.asymmetry.tolist() == [1.0, -1.0]
    assert contrast.range == pytest.approx([contrast.reward[0], -contrast.penalty[1]])


def test_intervals_cover_the_planted_contrasts():
    # Simulated: 300 customers, two drivers.
    penalty, reward = np.array([-1.0, -0.3]), np.array([0.4, 0.8])
    right = {
        "penalty_interval": penalty,
        "reward_interval": reward,
        "asymmetry_interval": (reward + penalty) / (reward - penalty),
    }
    covered = dict.fromkeys(right, 0.0)
    runs = 200
    for run in range(runs):
        contrast = penalty_reward(*survey(300, penalty, reward, seed=100 + run), 2, 4, draws=150, seed=run)
        for kind, truth in right.items():
            interval = getattr(contrast, kind)
            covered[kind] += ((interval.low <= truth) & (truth <= interval.high)).mean() / runs
    assert all(share == pytest.approx(0.94, abs=0.03) for share in covered.values())


@pytest.mark.parametrize(
    ("asymmetry", "name"),
    [
        (-1.0, "frustrator"),
        (-0.71, "frustrator"),
        (-0.7, "dissatisfier"),
        (-0.21, "dissatisfier"),
        (-0.2, "hybrid"),
        (0.2, "hybrid"),
        (0.7, "satisfier"),
        (0.71, "delighter"),
    ],
)
def test_classes_by_threshold(asymmetry, name):
    # Mikulić & Prebežac (2008).
    assert IMPACT_CLASSES[int(impact_class(asymmetry))] == name
    assert impact_class(float("nan")) == -1


def test_a_driver_without_low_middle_or_high_is_explained():
    x, y = survey(500, [-1.0, -1.0, -1.0, 0.0], [1.0, 1.0, 1.0, 0.0], seed=6)
    x[:, 1] = np.maximum(x[:, 1], 3)
    x[:, 2] = np.where(x[:, 2] >= 3, 5, 1)
    x[:, 3] = 3
    contrast = penalty_reward(x, y, 2, 4)
    assert contrast.reasons[0] == ""
    assert contrast.reasons[1] == "only 0 rated it low, 5 are needed"
    assert contrast.reasons[2] == "only 0 rated it in the middle, 5 are needed"
    assert "low and 0 rated it high" in contrast.reasons[3]
    assert np.isnan(contrast.penalty[1:]).all()
    assert contrast.reward[1] > 0
    assert np.isnan(contrast.reward[2:]).all()
    assert np.isnan(contrast.asymmetry[1:]).all()
    assert contrast.impact_class[1:].tolist() == [-1, -1, -1]
    assert not contrast.neutral[1:].any()


def test_missing_answers_are_left_out_and_counted():
    x, y = survey(300, [-1.0, -0.5], [0.5, 1.0], seed=7)
    x[:10, 0], y[5:15] = np.nan, np.nan
    contrast = penalty_reward(x, y, 2, 4, draws=20)
    assert (contrast.n, contrast.left_out) == (285, 15)


def test_what_cannot_be_told_is_refused():
    x, y = survey(300, [-1.0, -0.5], [0.5, 1.0], seed=8)
    twins = np.column_stack([x, x[:, 0]])
    with pytest.raises(InvalidParameter, match=r"delivery rated .*gift rated"):
        penalty_reward(twins, y, 2, 4, names=NAMES)
    with pytest.raises(InvalidParameter, match="not below"):
        penalty_reward(x, y, 4, 4)
    with pytest.raises(InvalidParameter, match="No driver"):
        penalty_reward(x, y, 0, 6)
    with pytest.raises(InvalidParameter, match="same overall answer"):
        penalty_reward(x, np.full(300, 7.0), 2, 4)
    with pytest.raises(InvalidParameter, match="No driver"):
        penalty_reward(x[:3], y[:3], 2, 4)
    with pytest.raises(InvalidParameter, match="fit together"):
        penalty_reward(x, y[:-1], 2, 4)
    with pytest.raises(InvalidParameter, match="whole number"):
        penalty_reward(x, y, 2, 4, counts=[1, 2])
