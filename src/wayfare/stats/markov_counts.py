"""What would be lost without a channel, when only the counts of the steps between touches were kept?

The counts of the steps are all that the chain of `markov` needs (its sufficient statistic): they add up over
parts of a log, and stay few however many paths there are. A step is one number: the last `order` channels and
what came next, as digits in base channels + 3, the newest lowest. A channel's digit is its code + 1; 0 stands
for nothing (before the path's start), channels + 1 for a conversion, channels + 2 for an end without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
import numpy.typing as npt

from wayfare.stats import markov, shapley
from wayfare.stats.attribution import Offsets, checked_paths, path_weights
from wayfare.stats.intervals import Floats, Numbers, upper_level

Codes = npt.NDArray[np.int64]

# Matrices are solved in batches of this many cells: 8 MB.
_BATCH_CELLS = 1_000_000
# Up to this number, steps are counted by their number; sorting them costs more.
_DENSE_KEYS = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class StepCounts:
    """How often each step was taken.

    Attributes:
        keys: The steps, ascending, one number each.
        counts: How often each was taken.
        channels: How many channels there are.
        order: How many channels before the step its number holds.
    """

    keys: Codes
    counts: Floats
    channels: int
    order: int

    @property
    def base(self) -> int:
        """What the digits of a step count in."""
        return self.channels + 3

    @property
    def newest(self) -> Codes:
        """The digit that each step leads to."""
        return self.keys % self.base

    def __add__(self, other: StepCounts) -> StepCounts:
        keys = np.concatenate([self.keys, other.keys])
        return _gathered(keys, np.concatenate([self.counts, other.counts]), self.channels, self.order)

    def at_order(self, order: int) -> StepCounts:
        """The same steps with a shorter memory."""
        return _gathered(self.keys % self.base ** (order + 1), self.counts, self.channels, order)


def step_counts(
    offsets: npt.ArrayLike, codes: npt.ArrayLike, converted: Numbers, *, channels: int, order: int = 1
) -> StepCounts:
    """How often is each step taken on these paths? Paths without a touch take none.

    Args:
        offsets: Where each path starts in `codes`, and the end: one more than there are paths.
        codes: The touches' channels, from 0 to `channels` − 1, in order of time.
        converted: Whether each path ended in a conversion.
        channels: How many channels there are.
        order: How many of the last channels make a state.

    Raises:
        InvalidParameter: the arrays don't fit together.
    """
    starts, touches = checked_paths(offsets, codes, channels)
    walked = np.diff(starts) > 0
    won = path_weights(converted, starts, "converted")[walked] > 0
    base, state = channels + 3, _states(starts, touches, channels + 3, order)
    before = np.zeros(touches.size, dtype=np.int64)
    before[1:] = state[:-1]
    before[starts[:-1][walked]] = 0
    ends = state[starts[1:][walked] - 1] * base + np.where(won, channels + 1, channels + 2)
    keys = np.concatenate([before * base + touches + 1, ends])
    return _gathered(keys, np.ones(keys.size), channels, order)


def removal_effects_from_counts(steps: StepCounts, worth: float = 0.0) -> markov.MarkovAttribution:
    """The same answer as `markov.removal_effects` gives from the paths that the steps were counted on.

    Args:
        steps: The counts.
        worth: What the conversions of paths with a touch were worth in total.
    """
    graph = _graph(steps)
    everything = markov.absorption(graph, np.ones(graph.newest.size, dtype=bool))
    without = np.array(
        [markov.absorption(graph, graph.newest != channel) for channel in range(steps.channels)]
    )
    effects = _effects(without, np.asarray(everything))
    share = _shares(effects)
    return markov.MarkovAttribution(
        order=steps.order,
        states=int(graph.newest.size),
        conversion_probability=graph.conversions / graph.paths if graph.paths else float("nan"),
        effects=effects,
        credit=graph.conversions * share,
        value=worth * share,
    )


def shapley_from_counts(
    steps: StepCounts, *, orders: int = 4_000, seed: int = 0
) -> shapley.ShapleyAttribution:
    """Each channel's Shapley value, as `shapley` defines it: exact to 15 channels in use, sampled beyond.

    Args:
        steps: The counts, of any order.
        orders: How many orders of the channels to draw where there are too many to solve them all.
        seed: Of the draws.
    """
    graph = _graph(steps.at_order(1))
    players, credit, error = graph.newest, np.zeros(steps.channels), np.zeros(steps.channels)
    if players.size <= shapley.EXACT_UP_TO:
        credit[players] = _all_coalitions(graph)
        return shapley.ShapleyAttribution(credit, error, exact=True, orders=0)
    pairs = max(2, -(-orders // 2))
    forward = np.argsort(np.random.default_rng(seed).random((pairs, players.size)), axis=1)
    batches = np.array_split(forward, -(-pairs * players.size**2 // _BATCH_CELLS))
    both = [shapley._gains(graph, order) + shapley._gains(graph, order[:, ::-1]) for order in batches]
    gains = graph.paths / 2 * np.concatenate(both)
    credit[players] = gains.mean(axis=0)
    error[players] = gains.std(axis=0, ddof=1) / np.sqrt(pairs)
    return shapley.ShapleyAttribution(credit, error, exact=False, orders=2 * pairs)


@dataclass(frozen=True, slots=True, eq=False)
class LastAgainstMarkov:
    """By how much the last touch gets more (or, below 0, fewer) conversions than order-1 removal effects give.

    Arrays of one value a channel.

    Attributes:
        last: Conversions by the last touch.
        markov: Conversions by removal effects.
        low: The lower bound of the interval of last − markov.
        high: The upper bound.
    """

    last: Floats
    markov: Floats
    low: Floats
    high: Floats


def last_against_markov(
    steps: StepCounts, *, confidence: float = 0.95, draws: int = 200, seed: int = 0
) -> LastAgainstMarkov:
    """Which channels does last touch over- or undervalue, and could that be chance?

    Under the chain, the steps out of a state are independent draws; so each count is redrawn from the Poisson
    distribution around it (the parametric bootstrap, Efron & Tibshirani 1993, ch. 6) and both rules are
    computed again. NaN bounds where nothing converts.
    """
    simple = steps.at_order(1)
    rng = np.random.default_rng(seed)
    table = np.vstack([simple.counts, rng.poisson(simple.counts, (draws, simple.counts.size))])
    last, credit = _both_rules(simple, table)
    gap = last[1:] - credit[1:]
    if simple.counts[simple.newest == steps.channels + 1].sum() == 0:
        low = high = np.full(steps.channels, np.nan)
    else:
        tail = 1.0 - upper_level(confidence)
        low, high = np.quantile(gap, [tail, 1.0 - tail], axis=0)
    return LastAgainstMarkov(last[0], credit[0], low, high)


def _both_rules(steps: StepCounts, counts: Floats) -> tuple[Floats, Floats]:
    """Last-touch and order-1 Markov credit, shape (rows, channels): the first row as counted, the others redrawn."""
    n, base = steps.channels, steps.base
    dense = np.zeros((len(counts), n + 1, base))
    dense[:, steps.keys // base, steps.newest] = counts
    visits = np.maximum(dense.sum(axis=2, keepdims=True), 1.0)
    visits[1:] += 1e-9  # a redrawn chain may have lost its way out; then its walks end in null
    chance = dense / visits
    start, inside, to_conversion = chance[:, 0, 1 : n + 1], chance[:, 1:, 1 : n + 1], chance[:, 1:, n + 1]
    chances = np.empty((len(counts), n + 1))
    for removed in range(n + 1):
        kept = np.arange(n) != removed
        system = np.eye(n) - inside * kept[:, None] * kept
        reached = np.linalg.solve(system, (to_conversion * kept)[:, :, None])[:, :, 0]
        chances[:, removed] = (start * kept * reached).sum(axis=1)
    last = dense[:, 1:, n + 1]
    share = np.apply_along_axis(_shares, 1, _effects(chances[:, :n], chances[:, n:]))
    return last, share * last.sum(axis=1, keepdims=True)


def _effects(without: Floats, everything: Floats) -> Floats:
    """1 − P(without) / P(all); NaN where nothing converts, and 0 where solving leaves 1e-16 of nothing."""
    converts = everything > 0
    effects = np.where(converts, 1.0 - without / np.where(converts, everything, 1.0), np.nan)
    return np.where(np.abs(effects) < 1e-13, 0.0, effects)


def _shares(effects: Floats) -> Floats:
    total = effects.sum()
    return effects / total if total > 0 else np.zeros(effects.size)


def _graph(steps: StepCounts) -> markov.PathGraph:
    """The chain that the counts describe, its chances being the observed shares."""
    from scipy.sparse import csr_array

    n, base, newest = steps.channels, steps.base, steps.newest
    before, ends = steps.keys // base, newest > steps.channels
    into = steps.keys % base**steps.order
    states = np.unique(into[~ends])
    source, target = np.searchsorted(states, before), np.searchsorted(states, into)
    inside = ~ends & (before > 0)
    left = np.bincount(source[before > 0], weights=steps.counts[before > 0], minlength=states.size)
    won, entered = newest == n + 1, before == 0
    paths = float(steps.counts[ends].sum())
    return markov.PathGraph(
        start=np.bincount(target[entered], weights=steps.counts[entered], minlength=states.size)
        / (paths or 1.0),
        steps=csr_array(
            (steps.counts[inside] / left[source[inside]], (source[inside], target[inside])),
            shape=(states.size, states.size),
        ),
        to_conversion=np.bincount(source[won], weights=steps.counts[won], minlength=states.size) / left,
        newest=states % base - 1,
        paths=paths,
        conversions=float(steps.counts[won].sum()),
    )


def _all_coalitions(graph: markov.PathGraph) -> Floats:
    """The Shapley value of each channel in use, from every coalition."""
    n = graph.newest.size
    bits = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1
    worth = graph.paths * shapley._coalition_chances(graph, bits.astype(bool))
    size = bits.sum(axis=1)
    weight = np.array([factorial(s) * factorial(n - 1 - s) / factorial(n) for s in range(n)])
    credit = np.zeros(n)
    for player in range(n):
        without = np.flatnonzero(bits[:, player] == 0)
        credit[player] = weight[size[without]] @ (worth[without | (1 << player)] - worth[without])
    return credit


def _states(offsets: Offsets, codes: Codes, base: int, order: int) -> Codes:
    """The last `order` channels at each touch as one number; fewer near the path's start."""
    position = np.arange(codes.size) - np.repeat(offsets[:-1], np.diff(offsets))
    states = np.zeros(codes.size, dtype=np.int64)
    for back in range(order):
        held = np.flatnonzero(position >= back)
        states[held] += (codes[held - back] + 1) * base**back
    return states


def _gathered(keys: Codes, counts: Floats, channels: int, order: int) -> StepCounts:
    if int(keys.max(initial=0)) < _DENSE_KEYS:
        dense = np.bincount(keys, weights=counts).astype(float)
        distinct = np.flatnonzero(np.bincount(keys))
        return StepCounts(distinct, dense[distinct], channels, order)
    distinct, place = np.unique(keys, return_inverse=True)
    return StepCounts(distinct, np.bincount(place, weights=counts).astype(float), channels, order)
