"""What is each channel's fair share, over all the orders in which channels could have been switched on?

The game that is played: v(S) is how many conversions would come if only the channels in S were there, and a
customer's path ended where a missing channel stood. It is read from the order-1 Markov chain of `markov`, so
that v(all) is the number of conversions, v(none) is 0, and v(all) − v(all but c) is the channel's removal
effect. A removal effect asks about the last step of one order only and has to be rescaled to add up; the
Shapley value (Shapley 1953) averages a channel's contribution over all orders and adds up by itself. The
game is monotone, so no share is negative, and a channel that no conversion can pass gets nothing. On Shapley
values over Markov chains of touches see Singal, Besbes, Désir, Goyal & Iyengar (2022, Management Science 68).

Two other games were weighed. Counting the conversions of paths that lie within S (Zhao, Mahboobi & Bagheri
2018, arXiv:1804.05327) gives, in closed form, each path's conversions in equal parts to its distinct channels:
linear attribution again, blind to paths that did not convert. The conversion *rate* of paths within S forgets
how many paths there are: three lucky customers of a rare channel earn it a twelfth of twelve channels' credit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Numbers
from wayfare.stats.markov import PathGraph, path_graph

EXACT_UP_TO = 15
"""Up to how many channels all coalitions are solved: 2**15 of them."""

# Matrices are solved in batches of this many cells: 8 MB.
_BATCH_CELLS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ShapleyAttribution:
    """Each channel's conversions; they add up to those of paths with a touch.

    Attributes:
        credit: Conversions, one a channel.
        standard_error: Of the credit, from sampling orders; zero where all coalitions were solved.
        exact: Whether all coalitions were solved.
        orders: How many orders of the channels were sampled; 0 where exact.
    """

    credit: Floats
    standard_error: Floats
    exact: bool
    orders: int


def shapley_exact(
    offsets: npt.ArrayLike, codes: npt.ArrayLike, conversions: Numbers, nulls: Numbers, *, channels: int
) -> ShapleyAttribution:
    """Each channel's Shapley value, from all 2**channels coalitions.

    Paths are packed and counted as for `markov.removal_effects`.

    Raises:
        InvalidParameter: there are more than 15 channels in use, or the arrays don't fit together.
    """
    graph = path_graph(offsets, codes, conversions, nulls, channels=channels)
    players = graph.newest
    n = players.size
    if n > EXACT_UP_TO:
        raise InvalidParameter(
            f"{n} channels have too many coalitions to solve them all.",
            where="channels",
            hint=f"Use shapley_sampled above {EXACT_UP_TO} channels, or join rare channels.",
        )
    bits = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1
    worth = graph.paths * _coalition_chances(graph, bits.astype(bool))
    size = bits.sum(axis=1)
    weight = np.array([factorial(s) * factorial(n - 1 - s) / factorial(n) for s in range(n)])
    credit = np.zeros(channels)
    for player in range(n):
        without = np.flatnonzero(bits[:, player] == 0)
        gain = worth[without | (1 << player)] - worth[without]
        credit[players[player]] = weight[size[without]] @ gain
    return ShapleyAttribution(credit, np.zeros(channels), exact=True, orders=0)


def shapley_sampled(
    offsets: npt.ArrayLike,
    codes: npt.ArrayLike,
    conversions: Numbers,
    nulls: Numbers,
    *,
    channels: int,
    orders: int = 4_000,
    seed: int = 0,
) -> ShapleyAttribution:
    """Each channel's Shapley value, estimated from sampled orders, with its standard error.

    Castro, Gómez & Tejada (2009, Computers & Operations Research 36); each order is paired with its reverse,
    which cancels much of the noise, and the error comes from the spread of the pairs. Every order's gains add
    up to the conversions, and so does the estimate.

    Args:
        offsets: As for `markov.removal_effects`, and so on to `channels`.
        orders: How many orders to draw; rounded up to an even number, 4 at least.
        seed: Of the draws.

    Raises:
        InvalidParameter: the arrays don't fit together, or `orders` is below 1.
    """
    if orders < 1:
        raise InvalidParameter(
            f"{orders} orders are too few.", where="orders", hint="Give 1 or more, such as 1000."
        )
    graph = path_graph(offsets, codes, conversions, nulls, channels=channels)
    players, n = graph.newest, graph.newest.size
    credit, error = np.zeros(channels), np.zeros(channels)
    pairs = max(2, -(-orders // 2))
    if n:
        rng = np.random.default_rng(seed)
        forward = np.argsort(rng.random((pairs, n)), axis=1)
        batches = np.array_split(forward, -(-pairs * n * n // _BATCH_CELLS))
        gains = (
            graph.paths / 2 * np.concatenate([_gains(graph, f) + _gains(graph, f[:, ::-1]) for f in batches])
        )
        credit[players] = gains.mean(axis=0)
        error[players] = gains.std(axis=0, ddof=1) / np.sqrt(pairs)
    return ShapleyAttribution(credit, error, exact=False, orders=2 * pairs)


def _gains(graph: PathGraph, order: npt.NDArray[np.int64]) -> Floats:
    """What each player adds to the chance to convert when they join in each row's order; (orders, players).

    One Gaussian elimination gives all nested coalitions of an order. With the chain's system I − Q = L·U in the
    order of joining, the chance of the first k players is the sum over them of (U⁻ᵀ start)ⱼ (L⁻¹ right)ⱼ, so
    that the k-th term is what the k-th player adds. No pivoting: I − Q is an M-matrix, its pivots are positive.
    """
    system = (np.eye(graph.newest.size) - graph.steps.toarray())[order[:, :, None], order[:, None, :]]
    start, right = graph.start[order], graph.to_conversion[order]
    added = np.empty(order.shape)
    for k in range(order.shape[1]):
        rest, pivot = slice(k + 1, None), system[:, k, k]
        added[:, k] = start[:, k] * right[:, k] / pivot
        row, column = system[:, k, rest] / pivot[:, None], system[:, rest, k]
        start[:, rest] -= start[:, k, None] * row
        right[:, rest] -= column * (right[:, k] / pivot)[:, None]
        system[:, rest, rest] -= column[:, :, None] * row[:, None, :]
    return np.take_along_axis(added, np.argsort(order, axis=1), axis=1)


def _coalition_chances(graph: PathGraph, coalitions: npt.NDArray[np.bool_]) -> Floats:
    """The chance to convert with each coalition of players, one a row."""
    steps = graph.steps.toarray()
    identity = np.eye(graph.newest.size)
    chances = np.empty(len(coalitions))
    batch = max(1, _BATCH_CELLS // max(steps.size, 1))
    for begin in range(0, len(coalitions), batch):
        inside = coalitions[begin : begin + batch]
        system = identity - inside[:, :, None] * steps * inside[:, None, :]
        reached = np.linalg.solve(system, (inside * graph.to_conversion)[:, :, None])[:, :, 0]
        chances[begin : begin + batch] = reached @ graph.start
    return chances
