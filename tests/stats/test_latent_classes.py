"""Latent classes: planted ones are found, the likelihood is the hand-made one, indices agree with a peer's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from wayfare.errors import InvalidParameter
from wayfare.stats.latent_classes import adjusted_rand, jaccards, latent_classes

CHANCE = np.array([[0.7, 0.2, 0.1, 0.9, 0.1], [0.1, 0.2, 0.7, 0.4, 0.6], [0.2, 0.7, 0.1, 0.1, 0.9]])
SHARE = np.array([0.5, 0.3, 0.2])
FACETS = [0, 0, 0, 1, 1]


def planted(people: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draws of people of three known classes, 8 in the first facet and 5 in the second."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, people, p=SHARE)
    first = np.stack([rng.multinomial(8, CHANCE[t, :3]) for t in truth])
    second = np.stack([rng.multinomial(5, CHANCE[t, 3:]) for t in truth])
    return np.hstack([first, second]), truth


def test_planted_classes_are_found():
    draws, truth = planted(3000)
    found = latent_classes(draws, FACETS, 3, seed=1)
    # Truth: SHARE and CHANCE above; standard errors are below .01 at 3,000 people.
    assert np.exp(found.log_share) == pytest.approx(SHARE, abs=0.03)
    assert np.exp(found.log_chance) == pytest.approx(CHANCE, abs=0.03)
    assert adjusted_rand(truth, found.assigned(draws)) > 0.7
    assert found.memberships(draws).sum(axis=1) == pytest.approx(np.ones(3000))


def test_bic_finds_their_number():
    draws, _ = planted(3000)
    bic = {k: latent_classes(draws, FACETS, k, seed=1).bic for k in range(1, 6)}
    assert min(bic, key=bic.__getitem__) == 3


def test_one_class_by_hand():
    # 6 of 8 draws are the first choice, 2 the second: log L = 6 ln .75 + 2 ln .25; BIC = 1 * ln 2 - 2 log L.
    found = latent_classes([[4, 0], [2, 2]], [0, 0], 1, seed=0)
    likelihood = 6 * np.log(0.75) + 2 * np.log(0.25)
    assert found.log_likelihood == pytest.approx(likelihood)
    assert found.bic == pytest.approx(np.log(2) - 2 * likelihood)
    assert np.exp(found.log_chance[0]) == pytest.approx([0.75, 0.25])


def test_a_weight_is_a_person_more():
    draws, _ = planted(200)
    weights = np.random.default_rng(2).integers(0, 3, 200)
    weighed = latent_classes(draws, FACETS, 1, seed=0, weights=weights)
    repeated = latent_classes(np.repeat(draws, weights, axis=0), FACETS, 1, seed=0)
    assert weighed.log_likelihood == pytest.approx(repeated.log_likelihood)
    assert weighed.bic == pytest.approx(repeated.bic)


def test_the_same_seed_gives_the_same():
    draws, _ = planted(300)
    one, two = (latent_classes(draws, FACETS, 3, seed=5) for _ in range(2))
    assert np.array_equal(one.log_chance, two.log_chance)
    assert one.log_likelihood == two.log_likelihood


def test_more_steps_never_lower_the_likelihood():
    draws, _ = planted(500)
    found = [latent_classes(draws, FACETS, k, seed=3).log_likelihood for k in (1, 2, 3)]
    assert found == sorted(found)


def test_who_drew_nothing_is_as_likely_as_the_class_is_large():
    draws, _ = planted(500)
    found = latent_classes(draws, FACETS, 3, seed=1)
    assert found.memberships(np.zeros((1, 5)))[0] == pytest.approx(np.exp(found.log_share))


@pytest.mark.parametrize("classes", [0, 3])
def test_impossible_numbers(classes: int):
    with pytest.raises(InvalidParameter, match="classes"):
        latent_classes([[1, 0], [0, 1]], [0, 0], classes, seed=0)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40))
def test_the_adjusted_rand_index_is_the_peers(pairs: list[tuple[int, int]]):
    one, other = zip(*pairs, strict=True)
    assert adjusted_rand(one, other) == pytest.approx(adjusted_rand_score(one, other))


def test_jaccards_by_hand():
    # {0,1,2} against {0,1}: 2 of 3; {3,4} against {2,3,4}: 2 of 3.
    assert jaccards([0, 0, 0, 1, 1], [5, 5, 7, 7, 7]) == pytest.approx([2 / 3, 2 / 3])
    assert jaccards([0, 1], [1, 0]) == pytest.approx([1, 1])
