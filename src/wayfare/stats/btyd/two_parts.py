"""Likelihoods that are the sum of a part in the age and a part in the recency, added up over many customers.

Recencies and ages in days take a few hundred values, so that for each frequency both parts are read off a table. A
slope of the logarithm is a sum of two entries over the likelihood: it is added up entry by entry.
"""

from __future__ import annotations

import numpy as np

from wayfare.stats.btyd.summary import Floats, Indices, Rows, summed


def in_two_parts(
    rows: Rows, levels: Indices, in_age: Floats, in_recency: Floats
) -> tuple[float, Floats, Floats]:
    """Σ w ln(in_age + in_recency) over the rows of some levels, and Σ w/(in_age + in_recency) at each entry.

    Args:
        rows: The customers; their times must be shared.
        levels: Which levels of the frequency the tables are of.
        in_age: The part in the age, shape (levels, moments).
        in_recency: The part in the recency.
    """
    assert rows.cells is not None
    at_age, at_recency = rows.cells
    shape = rows.levels.size, in_age.shape[1]
    likelihood = spread(in_age, levels, rows, 1.0)[at_age]
    likelihood += spread(in_recency, levels, rows)[at_recency]
    share = rows.weight / likelihood
    by_age, by_recency = (
        summed(at, share, shape[0] * shape[1]).reshape(shape)[levels] for at in (at_age, at_recency)
    )
    # Rows of other levels have a likelihood of 1, and so nothing here.
    return float(rows.weight @ np.log(likelihood)), by_age, by_recency


def spread(values: Floats, levels: Indices, rows: Rows, otherwise: float = 0.0) -> Floats:
    """A table of some levels as one of all levels, flat."""
    if levels.size == rows.levels.size:
        return values.ravel()
    whole = np.full((rows.levels.size, values.shape[1]), otherwise)
    whole[levels] = values
    return whole.ravel()


def rows_beside(rows: Rows, levels: Indices) -> Indices:
    """The places of the rows whose level is none of these."""
    if levels.size == rows.levels.size:
        return np.zeros(0, dtype=np.intp)
    missing = np.ones(rows.levels.size, dtype=bool)
    missing[levels] = False
    return np.flatnonzero(missing[rows.level])
