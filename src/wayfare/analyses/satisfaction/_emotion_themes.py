"""What comments are about: words that go together (TF-IDF, NMF), and a comment that says it best, without what names a person."""

from __future__ import annotations

import re
import textwrap
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUOTED = 140
"""Longest quote, in characters."""
FEWEST = 20
"""Under so many comments nothing is grouped."""
MOST_THEMES = 8
_A_THEME = 25

_MASKS = (
    (re.compile(r"\S+@\S+\.\w+"), "[e-mail]"),
    (re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE), "[link]"),
    (re.compile(r"(?<!\w)@\w+"), "[name]"),
    (re.compile(r"\+?\d(?:[\s()./-]*\d){5,}"), "[number]"),
    (re.compile(r"\d"), "#"),
)
_PLACEHOLDER = re.compile(r"\[(?:e-mail|link|name|number)\]")
_WORD = r"(?u)\b[^\W\d_]{3,}\b"


@dataclass(frozen=True, eq=False)
class Theme:
    """Words that go together in comments.

    Attributes:
        name: The words that weigh most in it.
        members: The comments that are nearer to it than to any other theme, by place.
        quote: The comment closest to it, masked and shortened.
    """

    name: str
    members: NDArray[np.int64]
    quote: str


def masked(comment: str) -> str:
    """The comment without e-mail addresses, links, @names, phone numbers and digits."""
    for pattern, instead in _MASKS:
        comment = pattern.sub(instead, comment)
    return comment


def quoted(comment: str) -> str:
    """The comment masked and shortened to at most 140 characters."""
    return textwrap.shorten(masked(comment), QUOTED, placeholder=" …")


def themes_of(comments: list[str]) -> list[Theme]:
    """The themes of at least 20 comments, the largest first; a theme for every 25 comments, 2 to 8 of them.

    Comments are weighted by TF-IDF of words and pairs of words, and factored by non-negative matrices (Lee & Seung
    1999, Nature 401) from a start without chance (NNDSVDa). A comment belongs to the theme that weighs most in it.
    """
    if len(comments) < FEWEST:
        return []
    masks = [masked(comment) for comment in comments]
    weights, words = _weighted([_PLACEHOLDER.sub(" ", comment) for comment in masks])
    if weights is None:
        return []
    number = min(MOST_THEMES, max(2, len(comments) // _A_THEME), len(set(masks)), len(words))
    if number < 2:
        return []
    share, terms = _factored(weights, number)
    share = share * np.linalg.norm(terms, axis=1)
    own = np.where(share.max(axis=1) > 1e-9, share.argmax(axis=1), -1)
    closeness = _cosine(weights, terms)
    found = []
    for one in range(number):
        members = np.flatnonzero(own == one)
        if len(members):
            best = min(
                members.tolist(), key=lambda m: (-round(closeness[m, one], 6), len(masks[m]), masks[m])
            )
            found.append(Theme(_named(terms[one], words), members, quoted(comments[best])))
    return sorted(found, key=lambda theme: (-len(theme.members), theme.name))


def _weighted(texts: list[str]) -> tuple[Any, list[str]]:
    """TF-IDF (comments, terms) and the terms; None where no word is used twice."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2, max_df=0.5, max_features=3_000, sublinear_tf=True, stop_words="english",
        token_pattern=_WORD,
    )  # fmt: skip
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:  # no word is left
        return None, []
    return weights, vectorizer.get_feature_names_out().tolist()


def _factored(weights: Any, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much of each theme is in each comment (comments, themes), and of each term in each theme (themes, terms)."""
    from sklearn.decomposition import NMF

    model = NMF(number, init="nndsvda", max_iter=300, tol=1e-3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a factoring that could be closer still groups comments
        share = model.fit_transform(weights)
    return np.asarray(share, dtype=float), np.asarray(model.components_, dtype=float)


def _cosine(weights: Any, terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """How close each comment is to each theme (comments, themes)."""
    length = np.linalg.norm(terms, axis=1)
    return np.asarray(weights @ terms.T) / np.where(length > 0, length, 1)


def _named(weight: NDArray[np.float64], words: list[str]) -> str:
    """The three terms that weigh most, none of which is part of another."""
    chosen: list[str] = []
    for place in np.lexsort((np.arange(len(words)), -np.round(weight, 6)))[:20]:
        term = words[place]
        if weight[place] <= 0 or any(set(term.split()) & set(one.split()) for one in chosen):
            continue
        chosen.append(term)
        if len(chosen) == 3:
            break
    return ", ".join(chosen)
