"""Adjusted p values against published tables and against the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wayfare.stats.multiplicity import benjamini_hochberg, holm

P = arrays(float, st.integers(0, 30), elements=st.floats(0, 1))

# Benjamini & Hochberg (1995), section 4.1: the 15 ordered p values of the thrombolysis study.
THROMBOLYSIS = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
    0.7590, 1.0,
]  # fmt: skip


def test_holm_by_hand():
    # Sorted .01 .03 .04 times 3, 2, 1, made monotone: .03 .06 .06.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


def test_benjamini_hochberg_by_hand():
    # Sorted .01 .03 .04 times 3/1, 3/2, 3/3, made monotone from the top: .03 .04 .04.
    assert benjamini_hochberg([0.04, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.04])


def test_the_thrombolysis_study_rejects_as_published():
    # The paper: four rejections at 5% by the false discovery rate, three by Bonferroni-type procedures.
    assert (benjamini_hochberg(THROMBOLYSIS) <= 0.05).sum() == 4
    assert (holm(THROMBOLYSIS) <= 0.05).sum() == 3


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_unknown_p_values_stay_unknown_and_do_not_count(adjust):
    adjusted = adjust([0.01, np.nan, 0.03])
    assert np.isnan(adjusted[1])
    assert adjusted[[0, 2]] == pytest.approx(adjust([0.01, 0.03]))


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_the_shape_is_kept(adjust):
    assert adjust([[0.01, 0.2], [0.3, 0.4]]).shape == (2, 2)
    assert adjust([]).shape == (0,)


@given(P)
def test_adjusting_raises_and_keeps_the_order(p):
    strict, mild = holm(p), benjamini_hochberg(p)
    order = np.argsort(p, kind="stable")
    for adjusted in (strict, mild):
        assert (adjusted >= p - 1e-15).all()
        assert (adjusted <= 1).all()
        assert (np.diff(adjusted[order]) >= 0).all()
    assert (mild <= strict + 1e-12).all()
