"""What an interval is here, and the normal and Student quantiles that intervals are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter

Numbers = npt.ArrayLike
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """From where to where the unknown figure plausibly lies; numbers, or arrays of one shape.

    NaN on both sides says *too few to say*.
    """

    low: Any
    high: Any


def interval_of(low: Floats, high: Floats) -> Interval:
    """An `Interval` of plain floats where the arrays have no dimension, else of the arrays."""
    return Interval(plain(low), plain(high))


def plain(values: Any) -> Any:
    """A float for an array without dimension, the array otherwise."""
    array = np.asarray(values)
    return float(array) if array.ndim == 0 else array


def z_of(confidence: float) -> float:
    """The two-sided normal quantile: 1.96 for 0.95.

    Raises:
        InvalidParameter: `confidence` is not between 0 and 1.
    """
    from scipy.special import ndtri

    return float(ndtri(upper_level(confidence)))


def t_of(confidence: float, degrees_of_freedom: Numbers) -> Any:
    """The two-sided Student quantile, for an array of degrees of freedom; NaN where they are not positive."""
    from scipy.special import stdtrit

    df = np.asarray(degrees_of_freedom, dtype=float)
    level = upper_level(confidence)
    return np.where(df > 0, stdtrit(np.where(df > 0, df, 1.0), level), np.nan)


def upper_level(confidence: float) -> float:
    """The upper probability level of a two-sided interval: 0.975 for 0.95.

    Raises:
        InvalidParameter: `confidence` is not between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise InvalidParameter(
            f"A confidence of {confidence} can't be used.",
            where="confidence",
            hint="Give a number between 0 and 1, such as 0.95.",
        )
    return (1.0 + confidence) / 2.0


def checked_share(q: float, where: str = "q") -> float:
    """`q` if it is a share between 0 and 1.

    Raises:
        InvalidParameter: it is not.
    """
    if not 0.0 <= q <= 1.0:
        raise InvalidParameter(f"{q} is not a share.", where=where, hint="Give a number between 0 and 1.")
    return float(q)


def same_shape(where: str, *arrays: npt.NDArray[Any]) -> None:
    """Check that arrays that describe the same rows have the same shape.

    Raises:
        InvalidParameter: they do not.
    """
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise InvalidParameter(
            f"Arrays of one row each differ in shape: {sorted(shapes)}.",
            where=where,
            hint="Give one value a row in each of them.",
        )
