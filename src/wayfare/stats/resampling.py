"""How far would a figure move if other customers of the same kind had come?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Interval, Numbers, interval_of, upper_level


def bootstrap_counts(counts: npt.ArrayLike, draws: int, seed: int) -> npt.NDArray[np.int64]:
    """Redraw a table of counts `draws` times: the multinomial bootstrap (Efron 1979).

    Resampling n customers who fall in k classes is one multinomial draw of n over the k shares, so that it
    costs the number of classes and not of customers.

    Returns:
        Counts of shape (draws, k); each row adds up to the total of `counts`. All zero for an empty table.

    Raises:
        InvalidParameter: a count is negative or `draws` is below 1.
    """
    table = np.asarray(counts, dtype=np.int64).ravel()
    if draws < 1:
        raise InvalidParameter(
            f"{draws} draws are too few.", where="draws", hint="Give 1 or more, such as 1000."
        )
    if (table < 0).any():
        raise InvalidParameter(f"A count of {table.min()} can't be resampled.", where="counts")
    total = int(table.sum())
    if total == 0:
        return np.zeros((draws, table.size), dtype=np.int64)
    return np.random.default_rng(seed).multinomial(total, table / total, size=draws)


def percentile_interval(samples: Numbers, confidence: float = 0.95) -> Interval:
    """Between which values does the middle `confidence` of the draws lie?

    `samples` has one draw a row (first axis); draws that are NaN are left out, and a column of nothing else
    is NaN.
    """
    upper = upper_level(confidence)
    array = np.asarray(samples, dtype=float)
    known = ~np.isnan(array).all(axis=0)
    if array.shape[0] == 0:
        known, array = np.zeros(array.shape[1:], dtype=bool), np.zeros((1, *array.shape[1:]))
    low, high = np.nanquantile(np.where(known, array, 0.0), [1.0 - upper, upper], axis=0)
    return interval_of(np.where(known, low, np.nan), np.where(known, high, np.nan))
