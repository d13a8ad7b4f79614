"""Reading comments: chosen by ratings that were held out, and honest where words tell nothing."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from wayfare.errors import InvalidParameter, MissingExtra
from wayfare.stats.text_sentiment import FEWEST_RATED, read_sentiment, vader

GOOD = ["quick", "friendly", "lovely", "easy", "helpful"]
BAD = ["slow", "rude", "broken", "confusing", "late"]
FILLER = ["the", "order", "app", "delivery", "today", "again", "with", "my", "parcel", "staff"]


def survey(n, seed, telling=True):
    """Simulated comments of six words; where telling, good words go with high ratings from 1 to 5."""
    rng = np.random.default_rng(seed)
    ratings = rng.integers(1, 6, n).astype(float)
    comments = []
    for rating in ratings:
        mood = rng.random(2) < (rating - 1) / 4 if telling else rng.random(2) < 0.5
        words = [rng.choice(GOOD if good else BAD) for good in mood] + list(rng.choice(FILLER, 4))
        comments.append(" ".join(rng.permutation(words)))
    return comments, ratings


def word_list(comments):
    return [sum(w in GOOD for w in c.split()) - sum(w in BAD for w in c.split()) for c in comments]


def useless(comments):
    return [len(comment) for comment in comments]


def test_a_model_learns_the_users_own_words():
    comments, ratings = survey(300, 1)
    read = read_sentiment(comments, ratings, scorers={"length": useless})
    assert read.chosen == "model"
    skill = {reader.name: reader for reader in read.readers}
    # Two words, each good with chance (rating − 1)/4: their number W has
    # cov(W, p)² / (var W · var p) = .25² / (.75 · .125) = 2/3 of the variance of ratings to tell.
    assert 0.45 < skill["model"].skill < 0.7
    assert not skill["length"].predicts
    assert "model is used" in read.reason
    assert np.corrcoef(read.rating, ratings)[0, 1] > 0.5


def test_a_list_of_the_right_words_beats_a_model_with_few_comments():
    comments, ratings = survey(60, 2)
    read = read_sentiment(comments, ratings, scorers={"list": word_list})
    assert read.chosen == "list"
    assert 1 <= np.nanmin(read.rating) < np.nanmax(read.rating) <= 5.5


def test_where_words_tell_nothing_neither_predicts():
    for seed in range(5):
        comments, ratings = survey(200, seed, telling=False)
        read = read_sentiment(comments, ratings, scorers={"list": word_list})
        assert read.chosen == ""
        assert "not scored" in read.reason
        assert np.isnan(read.rating).all()
        assert not any(reader.predicts for reader in read.readers)


def test_a_customers_own_comments_teach_nothing_about_them():
    # Simulated: every customer has a pet word and a mood, unrelated; comments of one go into one part.
    rng = np.random.default_rng(4)
    who = np.repeat(np.arange(60), 5)
    ratings = rng.integers(1, 6, 60).astype(float)[who]
    comments = [f"pet{customer} {rng.choice(FILLER)} {rng.choice(FILLER)}" for customer in who]
    assert read_sentiment(comments, ratings).chosen == "model"
    assert read_sentiment(comments, ratings, who).chosen == ""


def test_comments_without_a_rating_are_read_and_empty_ones_are_not():
    comments, ratings = survey(200, 5)
    ratings[:20] = np.nan
    comments[0], comments[30] = "", "  "
    read = read_sentiment(comments, ratings)
    assert read.rated == 179
    assert np.isnan(read.rating[[0, 30]]).all()
    assert not np.isnan(np.delete(read.rating, [0, 30])).any()


@pytest.mark.parametrize(
    ("comments", "ratings"),
    [
        ([], []),
        (["nice"], [5]),
        (["nice"] * 80, [5] * 80),
        (["", " "] * 50, [1, 5] * 50),
        (["nice", "bad"] * (FEWEST_RATED // 2 - 1), [5, 1] * (FEWEST_RATED // 2 - 1)),
    ],
)
def test_too_little_to_learn_from(comments, ratings):
    read = read_sentiment(comments, ratings)
    assert (read.chosen, read.readers) == ("", ())
    assert "Too few" in read.reason
    assert len(read.rating) == len(comments)


def test_comments_without_words_predict_nothing():
    read = read_sentiment(["!!!", "???"] * 40, [1, 5, 2, 4] * 20)
    assert read.chosen == ""
    assert read.readers[0].skill == pytest.approx(0.0, abs=1e-9)


def test_the_same_seed_reads_the_same():
    comments, ratings = survey(120, 6)
    first, second = (read_sentiment(comments, ratings, seed=3) for _ in range(2))
    assert np.array_equal(first.rating, second.rating)


def test_vader_reads_english():
    pytest.importorskip(
        "vaderSentiment", reason="vaderSentiment is not installed (pip install 'wayfare[text]')"
    )
    # Hutto & Gilbert (2014), the package's own examples in its README.
    score = vader(["VADER is smart, handsome, and funny.", "VADER is not smart, handsome, nor funny.", ""])
    assert score == pytest.approx([0.8316, -0.7424, 0.0], abs=1e-4)


def test_vader_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "vaderSentiment", None)
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    with pytest.raises(MissingExtra, match="wayfare\\[text\\]"):
        vader(["fine"])


def test_bad_shapes_are_refused():
    with pytest.raises(InvalidParameter, match="2 comments, 1 ratings"):
        read_sentiment(["a", "b"], [1])
    with pytest.raises(InvalidParameter, match="1 folds"):
        read_sentiment(["a"], [1], folds=1)
