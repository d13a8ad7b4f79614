"""Sums of products: against the rows themselves, and errors that say why drivers can't be told apart."""

from __future__ import annotations

import numpy as np
import pytest

from wayfare.errors import InvalidParameter
from wayfare.stats.moments import check_identified, correlations, means, moments_of, slopes, solvable


def table(rows=300, drivers=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, drivers)) + rng.normal(size=(rows, 1))
    return x, x @ np.arange(drivers) + rng.normal(size=rows) + 1_000.0


@pytest.mark.parametrize("max_cells", [2_000, 7])
def test_sums_are_those_of_the_rows(max_cells):
    x, y = table()
    moments = moments_of(x, y, max_cells=max_cells)
    total = moments.total()
    assert correlations(total)[0] == pytest.approx(np.corrcoef(np.column_stack([x, y]).T))
    assert means(moments, total)[0] == pytest.approx([*x.mean(axis=0), y.mean()])
    expected = np.linalg.lstsq(np.column_stack([np.ones(300), x]), y, rcond=None)[0][1:]
    assert slopes(total)[0] == pytest.approx(expected)
    assert (moments.n, moments.left_out, moments.drivers) == (300, 0, 4)


def test_counted_rows_are_repeated_rows():
    x, y = table(50)
    counts = np.arange(50) % 4
    repeated = moments_of(np.repeat(x, counts, axis=0), np.repeat(y, counts))
    for max_cells in (2_000, 9):
        counted = moments_of(x, y, counts, max_cells=max_cells)
        assert counted.n == repeated.n
        assert correlations(counted.total()) == pytest.approx(correlations(repeated.total()))


def test_rows_with_a_missing_answer_are_left_out_and_counted():
    x, y = table(20)
    x[3, 1], y[5] = np.nan, np.nan
    moments = moments_of(x, y)
    assert (moments.n, moments.left_out) == (18, 2)


@pytest.mark.parametrize("max_cells", [4_000, 400])
def test_redrawn_sums_vary_as_means_do(max_cells):
    # The standard error of a mean is s / √n, whether rows or random blocks of rows are redrawn.
    x, y = table(4_000)
    moments = moments_of(x, y, max_cells=max_cells)
    drawn = means(moments, moments.redrawn(4_000, seed=1))
    assert drawn.std(axis=0)[:-1] == pytest.approx(x.std(axis=0) / np.sqrt(4_000), rel=0.12)
    assert drawn.mean(axis=0) == pytest.approx([*x.mean(axis=0), y.mean()], abs=0.02)


def test_nobody_and_nothing_give_nan_without_a_warning():
    moments = moments_of(np.empty((0, 2)), np.empty(0))
    assert moments.n == 0
    assert np.isnan(correlations(moments.total())).all()
    assert not solvable(correlations(moments.total()))[0]
    assert np.isnan(slopes(moments.total())).all()
    constant = moments_of(np.full((9, 1), 0.1), np.arange(9.0))
    assert np.isnan(correlations(constant.total())[0, 0]).all()


def test_what_cannot_be_told_apart_is_explained():
    x, y = table(100, 3)
    doubled = np.column_stack([x, x[:, 0] + x[:, 2]])
    with pytest.raises(InvalidParameter, match="each of price, speed, sum follows exactly"):
        check_identified(
            correlations(moments_of(doubled, y).total())[0], 100, ["price", "taste", "speed", "sum"]
        )
    with pytest.raises(InvalidParameter, match="same overall answer"):
        check_identified(correlations(moments_of(x, np.ones(100)).total())[0], 100)
    flat = np.column_stack([x, np.full(100, 7.0)])
    with pytest.raises(InvalidParameter, match="same answer to driver 3"):
        check_identified(correlations(moments_of(flat, y).total())[0], 100)
    with pytest.raises(InvalidParameter, match="4 answers can't tell 3 drivers apart"):
        check_identified(correlations(moments_of(x[:4], y[:4]).total())[0], 4)
    with pytest.raises(InvalidParameter, match="2 names"):
        check_identified(correlations(moments_of(x, y).total())[0], 100, ["a", "b"])


def test_bad_shapes_are_refused():
    with pytest.raises(InvalidParameter, match="fit together"):
        moments_of(np.ones((3, 2)), np.ones(4))
    with pytest.raises(InvalidParameter, match="whole number"):
        moments_of(np.ones((3, 2)), np.ones(3), [1, 2, 0.5])
    with pytest.raises(InvalidParameter, match="draws"):
        moments_of(np.ones((3, 2)), np.ones(3)).redrawn(0, seed=0)
