"""Which channels get the credit, by a fixed rule of position?

Paths come packed: path i holds the touches `codes[offsets[i]:offsets[i + 1]]`, channel codes from 0 in order of
time. A path may stand for many customers through its weight (`conversions`, or the value of them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.stats.intervals import Floats, Numbers

Offsets = npt.NDArray[np.int64]


def pack_paths(paths: Iterable[Sequence[int]]) -> tuple[Offsets, Offsets]:
    """The packed form, offsets and codes, of paths given as sequences of channel codes."""
    lists = [np.asarray(path, dtype=np.int64) for path in paths]
    offsets = np.concatenate([[0], np.cumsum([path.size for path in lists], dtype=np.int64)]).astype(np.int64)
    return offsets, np.concatenate(lists) if lists else np.empty(0, dtype=np.int64)


def positional_credit(
    offsets: npt.ArrayLike,
    codes: npt.ArrayLike,
    conversions: Numbers,
    rule: str,
    *,
    channels: int,
    ages: Numbers | None = None,
    half_life: float | None = None,
) -> Floats:
    """How many conversions does each channel get, when the touches of a path share them by a rule?

    Rules: `first` and `last` touch take all; `linear` shares equally; `u_shaped` gives 40% to the first, 40%
    to the last and 20% to those between (two touches half each); `time_decay` weighs a touch by
    2^(−age / half_life), or by 2^(−steps from the end) where no ages are given.

    Args:
        offsets: Where each path starts in `codes`, and the end: one more than there are paths.
        codes: The touches' channels, from 0 to `channels` − 1.
        conversions: What each path brought: conversions, or their value.
        rule: One of the rules above.
        channels: How many channels there are.
        ages: For `time_decay`, how long before the conversion each touch was, in the unit of `half_life`.
        half_life: For `time_decay` with ages, after how long a touch counts half.

    Returns:
        The credit of each channel; it adds up to the conversions of the paths with at least one touch.

    Raises:
        UnknownName: there is no such rule.
        InvalidParameter: the arrays don't fit together, or `half_life` is missing or not positive.
    """
    if rule not in RULES:
        raise UnknownName.among("attribution rule", rule, RULES, where="rule")
    starts, touches = checked_paths(offsets, codes, channels)
    weights = path_weights(conversions, starts, "conversions")
    share = RULES[rule](starts, _ages(starts, touches, ages, half_life))
    credit = np.bincount(touches, weights=share * np.repeat(weights, np.diff(starts)), minlength=channels)
    return credit.astype(float)


def checked_paths(offsets: npt.ArrayLike, codes: npt.ArrayLike, channels: int) -> tuple[Offsets, Offsets]:
    """Packed paths as integer arrays.

    Raises:
        InvalidParameter: the offsets don't span the codes in order, or a code is out of range.
    """
    starts, touches = np.asarray(offsets, dtype=np.int64), np.asarray(codes, dtype=np.int64)
    spans = starts.size > 0 and starts[0] == 0 and starts[-1] == touches.size and (np.diff(starts) >= 0).all()
    if not spans:
        raise InvalidParameter(
            "The offsets don't span the touches.",
            where="offsets",
            hint="They start at 0, never fall, end at the number of touches, and are one more than the paths.",
        )
    if touches.size and (touches.min() < 0 or touches.max() >= channels):
        raise InvalidParameter(
            f"A channel code is outside 0 to {channels - 1}.", where="codes", hint="Codes count from 0."
        )
    return starts, touches


def path_weights(values: Numbers, offsets: Offsets, where: str) -> Floats:
    """One weight a path, as floats.

    Raises:
        InvalidParameter: there is not one for each path.
    """
    weights = np.asarray(values, dtype=float)
    if weights.shape != (offsets.size - 1,):
        raise InvalidParameter(
            f"There are {offsets.size - 1} paths and {weights.size} weights.",
            where=where,
            hint="Give one a path.",
        )
    return weights


def _ages(offsets: Offsets, codes: Offsets, ages: Numbers | None, half_life: float | None) -> Floats:
    """The age of each touch in half-lives; its steps from the end where no ages are given."""
    if ages is None:
        return (np.repeat(offsets[1:], np.diff(offsets)) - 1 - np.arange(codes.size)).astype(float)
    if half_life is None or not half_life > 0:
        raise InvalidParameter(
            f"A half-life of {half_life} can't be used.",
            where="half_life",
            hint="Give a positive one with ages.",
        )
    array = np.asarray(ages, dtype=float)
    if array.shape != codes.shape:
        raise InvalidParameter(f"There are {codes.size} touches and {array.size} ages.", where="ages")
    return array / half_life


def _first(offsets: Offsets, ages: Floats) -> Floats:
    share = np.zeros(ages.size)
    share[offsets[:-1][np.diff(offsets) > 0]] = 1.0
    return share


def _last(offsets: Offsets, ages: Floats) -> Floats:
    share = np.zeros(ages.size)
    share[offsets[1:][np.diff(offsets) > 0] - 1] = 1.0
    return share


def _linear(offsets: Offsets, _ages: Floats) -> Floats:
    lengths = np.diff(offsets)
    return np.asarray(1.0 / np.repeat(lengths, lengths), dtype=float)


def _u_shaped(offsets: Offsets, ages: Floats) -> Floats:
    lengths = np.diff(offsets)
    each = np.repeat(lengths, lengths)
    ends = np.where(each > 2, 0.4, 0.5) * (_first(offsets, ages) + _last(offsets, ages))
    return np.where(ends > 0, ends, 0.2 / np.maximum(each - 2, 1))


def _time_decay(offsets: Offsets, ages: Floats) -> Floats:
    lengths = np.diff(offsets)
    if not ages.size:
        return ages
    filled = offsets[:-1][lengths > 0]
    counts = lengths[lengths > 0]
    # Ages count from the youngest touch of the path, so that an old path doesn't underflow to no weight at all.
    weights = np.exp2(np.repeat(np.minimum.reduceat(ages, filled), counts) - ages)
    return np.asarray(weights / np.repeat(np.add.reduceat(weights, filled), counts))


RULES: dict[str, Callable[[Offsets, Floats], Floats]] = {
    "first": _first,
    "last": _last,
    "linear": _linear,
    "u_shaped": _u_shaped,
    "time_decay": _time_decay,
}
"""How each rule shares one conversion among the touches of its path."""
