"""What would be lost if a channel were gone? Removal effects in an absorbing Markov chain, solved exactly.

Customers walk from touch to touch and end in a conversion or in none (*null*). At order k a state is the tuple
of the last k channels of the path, and of fewer near its start. The model is that of Anderl, Becker, von
Wangenheim & Schumann (2016, IJRM 33, 457–474), which the R package ChannelAttribution simulates. Removing channel c sends every step
into a state whose newest channel is c to null. The chance to convert is then the solution of a sparse linear
system: nothing is simulated, and the same paths give the same digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.attribution import Offsets, checked_paths, path_weights
from wayfare.stats.intervals import Floats, Numbers

ORDERS = (1, 2, 3)

# Above this many states the factors of the system fill in; a Krylov solver then needs a few dozen products.
_FACTORISE_UP_TO = 1_500


@dataclass(frozen=True, slots=True, eq=False)
class PathGraph:
    """The chain of states that paths walk through, with probabilities.

    Attributes:
        start: The chance that a path begins in each state.
        steps: The chance of each step from state to state, sparse, shape (states, states).
        to_conversion: The chance that a path converts right after each state.
        newest: The channel that each state was entered by.
        paths: How many paths (conversions and nulls) have at least one touch.
        conversions: How many of them converted.
    """

    start: Floats
    steps: Any
    to_conversion: Floats
    newest: npt.NDArray[np.int64]
    paths: float
    conversions: float


@dataclass(frozen=True, slots=True, eq=False)
class MarkovAttribution:
    """What each channel's removal would cost, and the credit in proportion to it.

    Attributes:
        order: How many of the last channels make a state.
        states: How many states the paths show.
        conversion_probability: The chance to convert with all channels; NaN without paths.
        effects: For each channel 1 − P(without it) / P(all); NaN where nothing converts.
        credit: Conversions shared in proportion to the effects; adds up to those of paths with a touch.
        value: Their value, shared likewise; zero where no values were given.
    """

    order: int
    states: int
    conversion_probability: float
    effects: Floats
    credit: Floats
    value: Floats


def removal_effects(
    offsets: npt.ArrayLike,
    codes: npt.ArrayLike,
    conversions: Numbers,
    nulls: Numbers,
    *,
    channels: int,
    order: int = 1,
    values: Numbers | None = None,
) -> MarkovAttribution:
    """What share of conversions would be lost without each channel, and what credit follows from it?

    Paths without a touch are left out: no channel can lose or earn them.

    Args:
        offsets: Where each path starts in `codes`, and the end: one more than there are paths.
        codes: The touches' channels, from 0 to `channels` − 1, in order of time.
        conversions: How often each path ended in a conversion.
        nulls: How often it ended without one.
        channels: How many channels there are.
        order: 1, 2 or 3: how many of the last channels make a state.
        values: What the conversions of each path were worth in total.

    Raises:
        InvalidParameter: the order is another, the arrays don't fit together, or a count is negative.
    """
    graph = path_graph(offsets, codes, conversions, nulls, channels=channels, order=order)
    worth = _touched(values, np.asarray(offsets, dtype=np.int64))
    everything = absorption(graph, np.ones(graph.newest.size, dtype=bool))
    without = np.array([absorption(graph, graph.newest != channel) for channel in range(channels)])
    effects = 1.0 - without / everything if everything > 0 else np.full(channels, np.nan)
    # A channel on no converting path loses nothing; solving leaves 1e-16 of it.
    effects = np.where(np.abs(effects) < 1e-13, 0.0, effects)
    total = effects.sum()
    share = effects / total if total > 0 else np.zeros(channels)
    return MarkovAttribution(
        order=order,
        states=int(graph.newest.size),
        conversion_probability=graph.conversions / graph.paths if graph.paths else float("nan"),
        effects=effects,
        credit=graph.conversions * share,
        value=worth * share,
    )


def path_graph(
    offsets: npt.ArrayLike,
    codes: npt.ArrayLike,
    conversions: Numbers,
    nulls: Numbers,
    *,
    channels: int,
    order: int = 1,
) -> PathGraph:
    """The chain that a set of paths walks, its chances being the observed shares.

    Raises:
        InvalidParameter: as for `removal_effects`.
    """
    from scipy.sparse import csr_array

    if order not in ORDERS:
        raise InvalidParameter(f"An order of {order} can't be used.", where="order", allowed=ORDERS)
    starts, touches = checked_paths(offsets, codes, channels)
    won, lost = path_weights(conversions, starts, "conversions"), path_weights(nulls, starts, "nulls")
    if (won < 0).any() or (lost < 0).any():
        raise InvalidParameter(
            "A path can't have fewer than no conversions or nulls.", where="conversions, nulls"
        )
    starts, touches, won, lost = _walked(starts, touches, won, lost)
    keys = _state_keys(starts, touches, channels, order)
    distinct, state = np.unique(keys, return_inverse=True)
    n, weight, walked = distinct.size, won + lost, float((won + lost).sum())
    last = np.zeros(touches.size, dtype=bool)
    last[starts[1:] - 1] = True
    stay = np.flatnonzero(~last)
    each = np.repeat(weight, np.diff(starts))
    visits = np.bincount(state, weights=each, minlength=n)
    chance = each[stay] / visits[state[stay]]
    return PathGraph(
        start=np.bincount(state[starts[:-1]], weights=weight, minlength=n) / (walked or 1.0),
        steps=csr_array((chance, (state[stay], state[stay + 1])), shape=(n, n)),
        to_conversion=np.bincount(state[starts[1:] - 1], weights=won, minlength=n) / visits,
        newest=distinct % (channels + 1) - 1,
        paths=walked,
        conversions=float(won.sum()),
    )


def absorption(graph: PathGraph, kept: npt.NDArray[np.bool_]) -> float:
    """The chance that a path converts when a step into any state that is not `kept` ends it."""
    from scipy.sparse import eye_array

    if not kept.any():
        return 0.0
    inside = graph.steps[kept][:, kept]
    system = (eye_array(inside.shape[0], format="csr") - inside).tocsc()
    return float(graph.start[kept] @ _solve(system, graph.to_conversion[kept]))


def _solve(system: Any, right: Floats) -> Floats:
    from scipy.sparse.linalg import bicgstab, splu

    if right.size > _FACTORISE_UP_TO:
        solution, failed = bicgstab(system, right, rtol=1e-14, atol=0.0, maxiter=2_000)
        if not failed and np.abs(system @ solution - right).max() < 1e-12:
            return np.asarray(solution)
    return np.asarray(splu(system).solve(right))


def _walked(
    offsets: Offsets, codes: Offsets, won: Floats, lost: Floats
) -> tuple[Offsets, Offsets, Floats, Floats]:
    """The paths with at least one touch that somebody walked."""
    lengths = np.diff(offsets)
    kept = (lengths > 0) & (won + lost > 0)
    packed = np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64)
    return packed, codes[np.repeat(kept, lengths)], won[kept], lost[kept]


def _state_keys(offsets: Offsets, codes: Offsets, channels: int, order: int) -> npt.NDArray[np.int64]:
    """One number for the last `order` channels at each touch; the newest is the lowest digit, from 1."""
    base = channels + 1
    position = np.arange(codes.size) - np.repeat(offsets[:-1], np.diff(offsets))
    keys = np.zeros(codes.size, dtype=np.int64)
    for back in range(order):
        held = position >= back
        keys[held] += (codes[np.flatnonzero(held) - back] + 1) * base**back
    return keys


def _touched(values: Numbers | None, offsets: Offsets) -> float:
    if values is None:
        return 0.0
    return float(path_weights(values, offsets, "values")[np.diff(offsets) > 0].sum())
