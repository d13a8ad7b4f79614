"""Can the mood of a comment be read from its words? Only as far as it predicts ratings that were held out.

Two readers are tried: VADER, a list of English words and rules (Hutto & Gilbert 2014, ICWSM 8), and a small
model trained on the user's own rated comments (TF-IDF and ridge regression). Each predicts the ratings of
comments it has not seen; the better one is used if it predicts at all, and neither otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter, MissingExtra
from wayfare.stats.intervals import Floats, Numbers
from wayfare.stats.proportions import ratio_interval

Scorer = Callable[[Sequence[str]], Numbers]
"""Reads a number from each comment, higher for happier, without having seen ratings."""

FEWEST_RATED = 50
"""With fewer rated comments no reader is trusted."""

_PENALTIES = (0.3, 1.0, 3.0, 10.0)
_MOST_TRAINED = 20_000


@dataclass(frozen=True, slots=True)
class Reader:
    """How well one reader predicts ratings that it has not seen.

    Attributes:
        name: "vader", "model" or the name of a scorer.
        skill: 1 − its squared error / that of the mean rating: 0 is worthless, 1 perfect.
        low: The lower bound of the skill's interval.
        high: The upper bound.
        predicts: Whether the interval lies above 0.
    """

    name: str
    skill: float
    low: float
    high: float
    predicts: bool


@dataclass(frozen=True, slots=True, eq=False)
class Sentiment:
    """Which reader was chosen, and the rating that it reads from each comment.

    Attributes:
        chosen: Its name; "" where none predicts.
        reason: Why, as a sentence.
        readers: All that were tried.
        rating: The rating read from each comment, in the unit of the ratings; by a reader that has not seen
            the comment's own rating; NaN for all where none was chosen, and for empty comments.
        rated: How many comments had a rating.
    """

    chosen: str
    reason: str
    readers: tuple[Reader, ...]
    rating: Floats
    rated: int


def vader(comments: Sequence[str]) -> Floats:
    """How positive is each comment by VADER's English word list, from −1 to 1?

    Raises:
        MissingExtra: the package vaderSentiment is not installed.
    """
    try:
        module = import_module("vaderSentiment.vaderSentiment")
    except ImportError as error:
        raise MissingExtra.of("text", "Reading comments with VADER") from error
    analyzer = module.SentimentIntensityAnalyzer()
    return np.array([analyzer.polarity_scores(comment)["compound"] for comment in comments])


def read_sentiment(
    comments: Sequence[str],
    ratings: Numbers,
    customers: npt.ArrayLike | None = None,
    *,
    scorers: Mapping[str, Scorer] | None = None,
    folds: int = 5,
    confidence: float = 0.95,
    seed: int = 0,
) -> Sentiment:
    """What would each comment's writer have rated, if words tell at all?

    Ratings are predicted in `folds` parts, a customer's comments all in one; scorers such as `vader` are put on
    the scale of the ratings by a straight line through the other parts. At most 20,000 comments train a model.

    Args:
        comments: The texts; "" where there is none.
        ratings: One a comment; NaN where there is none.
        customers: Who wrote it; each comment its own customer where not given.
        scorers: Readers that need no training, by name, such as {"vader": vader}.
        folds: Into how many parts the rated comments are cut.
        confidence: That of the skills' intervals.
        seed: Of the cutting.

    Raises:
        InvalidParameter: the lengths differ, or there are fewer than 2 folds.
    """
    y = np.asarray(ratings, dtype=float)
    who = np.arange(y.size) if customers is None else np.unique(np.asarray(customers), return_inverse=True)[1]
    if y.shape != (len(comments),) or who.shape != y.shape or folds < 2:
        raise InvalidParameter(
            f"{len(comments)} comments, {y.size} ratings, {who.size} customers and {folds} folds don't work.",
            where="comments, ratings, customers, folds",
            hint="Give one rating (or NaN) and one customer a comment, and 2 folds or more.",
        )
    texts = np.array([comment.strip() for comment in comments], dtype=object)
    there = texts != ""
    rated = np.flatnonzero(there & ~np.isnan(y))
    nothing = np.full(y.size, np.nan)
    if rated.size < FEWEST_RATED or np.ptp(y[rated]) == 0 or np.unique(who[rated]).size < folds:
        reason = f"Too few comments with different ratings to learn from: {rated.size} rated."
        return Sentiment("", reason, (), nothing, int(rated.size))
    fold = _fold_of(who, rated, folds, seed)
    makers: dict[str, _Maker] = {
        name: _calibrated(np.asarray(scorer(texts.tolist()), dtype=float))
        for name, scorer in (scorers or {}).items()
    }
    makers["model"] = _trained(texts, seed)
    predictions = {name: _held_out(make, y, fold, there) for name, make in makers.items()}
    baseline = _held_out(_mean_only, y, fold, there)
    readers = tuple(
        _reader(name, y[rated], read[rated], baseline[rated], confidence)
        for name, read in predictions.items()
    )
    useful = [reader for reader in readers if reader.predicts]
    best = max(useful, key=lambda reader: reader.skill) if useful else None
    return Sentiment(
        chosen=best.name if best else "",
        reason=_reason(readers, best),
        readers=readers,
        rating=predictions[best.name] if best else nothing,
        rated=int(rated.size),
    )


# Trained on these rows and ratings, it reads those rows.
_Maker = Callable[[npt.NDArray[np.int64], Floats, npt.NDArray[np.int64]], Floats]


def _held_out(make: _Maker, y: Floats, fold: npt.NDArray[np.int64], there: npt.NDArray[np.bool_]) -> Floats:
    """Ratings read from each comment by readers trained on other customers' comments."""
    read = np.full(y.size, np.nan)
    known = ~np.isnan(y) & there
    for part in np.unique(fold[fold >= 0]):
        train, rows = np.flatnonzero(known & (fold != part)), np.flatnonzero(there & (fold == part))
        read[rows] = make(train, y[train], rows)
    rest = np.flatnonzero(there & (fold < 0))
    if rest.size:
        train = np.flatnonzero(known)
        read[rest] = make(train, y[train], rest)
    return read


def _mean_only(_: npt.NDArray[np.int64], ratings: Floats, rows: npt.NDArray[np.int64]) -> Floats:
    return np.full(rows.size, ratings.mean())


def _calibrated(score: Floats) -> _Maker:
    def make(train: npt.NDArray[np.int64], ratings: Floats, rows: npt.NDArray[np.int64]) -> Floats:
        x = score[train] - score[train].mean()
        spread = float(x @ x)
        slope = float(x @ ratings) / spread if spread > 0 else 0.0
        return ratings.mean() + slope * (score[rows] - score[train].mean())

    return make


def _trained(texts: npt.NDArray[np.object_], seed: int) -> _Maker:
    def make(train: npt.NDArray[np.int64], ratings: Floats, rows: npt.NDArray[np.int64]) -> Floats:
        if train.size > _MOST_TRAINED:
            chosen = np.random.default_rng(seed).choice(train.size, _MOST_TRAINED, replace=False)
            train, ratings = train[chosen], ratings[chosen]
        model = _fit(texts[train], ratings)
        read = np.full(rows.size, ratings.mean()) if model is None else model.predict(texts[rows])
        return np.clip(read, ratings.min(), ratings.max())

    return make


def _fit(texts: npt.NDArray[np.object_], ratings: Floats) -> Any:
    """TF-IDF of words and pairs of words, ridge regression with the penalty that predicts best; None without words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline

    words = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode", max_features=20_000
    )
    try:
        seen = words.fit_transform(texts)
    except ValueError:  # no comment holds a word
        return None
    search = GridSearchCV(
        Ridge(solver="lsqr"), {"alpha": _PENALTIES}, cv=3, scoring="neg_mean_squared_error", refit=True
    )
    return Pipeline([("words", words), ("ridge", search.fit(seen, ratings).best_estimator_)])


def _fold_of(
    who: npt.NDArray[np.int64], rated: npt.NDArray[np.int64], folds: int, seed: int
) -> npt.NDArray[np.int64]:
    """Which part each customer's comments belong to; −1 for customers without a rated comment."""
    part = np.full(int(who.max()) + 1, -1)
    raters = np.unique(who[rated])
    part[np.random.default_rng(seed).permutation(raters)] = np.arange(raters.size) % folds
    return part[who]


def _reader(name: str, y: Floats, read: Floats, baseline: Floats, confidence: float) -> Reader:
    """The skill and its interval: a ratio of two sums over comments, by the delta method."""
    plain_error = (y - baseline) ** 2
    gain = plain_error - (y - read) ** 2
    sums = gain.sum(), plain_error.sum(), gain @ gain, gain @ plain_error, plain_error @ plain_error
    interval = ratio_interval(*sums, y.size, confidence)
    return Reader(name, float(sums[0] / sums[1]), interval.low, interval.high, predicts=interval.low > 0)


def _reason(readers: Sequence[Reader], best: Reader | None) -> str:
    tried = ", ".join(f"{reader.name} {100 * reader.skill:.0f} %" for reader in readers)
    if best is None:
        return f"No reader predicts ratings that it has not seen (of their variance: {tried}): comments are not scored."
    return (
        f"Of the variance of ratings that they had not seen, readers predict: {tried}; {best.name} is used."
    )
