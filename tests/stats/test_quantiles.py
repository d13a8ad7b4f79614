"""Mergeable quantiles stay within their documented error of the exact ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.quantiles import BUCKETS, bucket_of, quantile_of, seconds_of, sparse_quantile

ERROR = 1 / 256 + 1e-6
SECONDS = st.lists(st.floats(1.0, 2.0**32 * 0.999), min_size=1, max_size=60)
SHARES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])


def histogram(seconds):
    return np.bincount(bucket_of(seconds), minlength=BUCKETS)


@given(SECONDS, SHARES)
def test_a_quantile_is_within_its_error_of_numpys(seconds, q):
    assert quantile_of(histogram(seconds), q) == pytest.approx(np.quantile(seconds, q), rel=ERROR)


@given(SECONDS, SECONDS)
def test_histograms_of_parts_add_up_to_that_of_the_whole(one, other):
    assert (histogram(one) + histogram(other) == histogram(one + other)).all()


@given(SECONDS)
def test_buckets_keep_the_order(seconds):
    assert (np.diff(bucket_of(np.sort(seconds))) >= 0).all()


def test_every_bucket_reads_back_as_itself():
    buckets = np.arange(BUCKETS)
    assert (bucket_of(seconds_of(buckets)) == buckets).all()


def test_the_ends_are_clamped():
    # Zero, negative and sub-second durations share bucket 0; 136 years and more share the last.
    assert bucket_of([0.0, -0.0, -5.0, 0.999]).tolist() == [0, 0, 0, 0]
    assert bucket_of([1.0]).tolist() == [1]
    assert bucket_of([2.0**32, 1e30, np.inf]).tolist() == [BUCKETS - 1] * 3
    assert quantile_of(histogram([0.0, 0.0]), 0.5) == 0.0


def test_many_histograms_at_once_and_an_empty_one():
    counts = np.stack([histogram([60.0, 120.0]), histogram([]), histogram([3600.0])])
    medians = quantile_of(counts, 0.5)
    assert medians[[0, 2]] == pytest.approx([90.0, 3600.0], rel=ERROR)
    assert np.isnan(medians[1])


@given(st.lists(st.tuples(st.integers(-3, 3), st.floats(0.0, 1e6)), max_size=80), SHARES)
def test_the_sparse_form_equals_the_dense_one(rows, q):
    keys = np.array([key for key, _ in rows], dtype=np.int64)
    buckets = bucket_of([seconds for _, seconds in rows])
    groups, quantiles = sparse_quantile(keys, buckets, np.ones(len(rows)), q)
    assert groups.tolist() == sorted(set(keys.tolist()))
    dense = [quantile_of(np.bincount(buckets[keys == key], minlength=BUCKETS), q) for key in groups]
    assert quantiles == pytest.approx(dense)


def test_the_sparse_form_takes_counts_and_drops_empty_rows():
    groups, medians = sparse_quantile([7, 7, 9], bucket_of([10.0, 1000.0, 5.0]), [1, 3, 0], 0.5)
    assert groups.tolist() == [7]
    assert medians == pytest.approx([1000.0], rel=ERROR)


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_a_quantile_outside_0_and_1_is_refused(q):
    with pytest.raises(InvalidParameter):
        quantile_of(histogram([1.0]), q)
    with pytest.raises(InvalidParameter):
        sparse_quantile([], [], [], q)
