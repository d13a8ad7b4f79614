"""Pareto/NBD for many customers at once: the integral over the silence since the last order, read off a table.

Recencies and ages in days take a few hundred values. For one frequency the integral from any of them to any other is
the difference of two entries of a table that is summed up from the far end, where it is smallest, so that little
cancels. A table costs as much as some dozen rows by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from wayfare.stats.btyd.quadrature import legendre_nodes
from wayfare.stats.btyd.summary import Floats, Indices, Rows
from wayfare.stats.btyd.two_parts import in_two_parts, rows_beside, spread

# For how many digits a cell gets its nodes, and the most that it may need.
_DIGITS, _MOST_NODES = 13, 24
# The integrand may fall by e^600 from the first moment to the last before it leaves a float's range.
_RANGE = 600.0
# A row by itself costs about as much as this many nodes of a table.
_NODES_A_ROW = 70
_NODE_COUNTS = (3, 4, 6, 8, 12, 16, _MOST_NODES)


@dataclass(frozen=True, slots=True, eq=False)
class Silences:
    """Integrals ∫ g(τ) (α+τ)^−k (β+τ)^−m dτ from each moment to the last one, for some frequencies.

    Attributes:
        levels: Which levels of the frequency are here; the others' rows are left to be computed by themselves.
        log_scale: ln of what the entries are multiplied by, for each of these levels.
        integrals: For each g of those asked for, shape (asked, levels here, moments).
        log_alive: ln of (α+τ)^−k (β+τ)^−(m−1) at each moment, less the scale, shape (levels here, moments).
    """

    levels: Indices
    log_scale: Floats
    integrals: Floats
    log_alive: Floats


def silences(theta: tuple[Any, ...], rows: Rows, *, slopes: bool) -> Silences | None:
    """The tables for the frequencies of which there are rows enough; None where there are none.

    Args:
        theta: r, α, s, β.
        rows: The customers.
        slopes: Whether not only g = 1 is asked for, but also ln(α+τ), 1/(α+τ), ln(β+τ), 1/(β+τ).
    """
    r, alpha, s, beta = theta
    times = rows.times
    if times is None or times.moments.size < 2:
        return None
    moments, k, m = times.moments, r + rows.levels, s + 1
    width = np.diff(moments)
    # How sharply the integrand bends within a cell, the worst cell counting.
    bend = (width / (alpha + moments[:-1])).max() * np.maximum(k, 1) + m * (
        width / (beta + moments[:-1])
    ).max()
    # Gauss–Legendre gains 2 ln ρ a node, ρ being the ellipse that reaches to the singularity at −α or −β.
    reach = 1 + 2 / bend
    need = np.ceil(_DIGITS / 2 / np.log10(reach + np.sqrt(reach**2 - 1)))
    spans = np.log(alpha + moments[[0, -1]]), np.log(beta + moments[[0, -1]])
    falls = k * np.diff(spans[0]) + m * np.diff(spans[1])
    counts = np.bincount(rows.level, minlength=rows.levels.size)
    pays = counts * _NODES_A_ROW > need * moments.size
    here = np.flatnonzero(pays & (need <= _MOST_NODES) & (falls < _RANGE))
    if here.size == 0:
        return None
    log_scale = -(k[here] * spans[0].mean() + m * spans[1].mean())
    integrals = np.zeros((5 if slopes else 1, here.size, moments.size))
    nodes = np.array(_NODE_COUNTS)[np.searchsorted(_NODE_COUNTS, need[here])]
    for count in np.unique(nodes):
        own = np.flatnonzero(nodes == count)
        found = _cells(int(count), moments, k[here[own]], alpha, m, beta, log_scale[own], slopes)
        for place, cells in zip(own, found, strict=True):
            integrals[:, place, :-1] = cells[:, ::-1].cumsum(axis=1)[:, ::-1]
    log_alive = -k[here, None] * np.log(alpha + moments) - s * np.log(beta + moments) - log_scale[:, None]
    return Silences(here, log_scale, integrals, log_alive)


def _cells(
    count: int,
    moments: Floats,
    k: Floats,
    alpha: float,
    m: float,
    beta: float,
    log_scale: Floats,
    slopes: bool,
) -> Iterator[Floats]:
    """For each k the integral over each cell between two moments, shape (asked, cells)."""
    nodes, weights = (values[:, None] for values in legendre_nodes(count))
    width = np.diff(moments)
    time = moments[:-1] + width * nodes
    first, second = alpha + time, beta + time
    log_first, log_second = np.log(first), np.log(second)
    common = np.log(width * weights) - m * log_second
    asked = (log_first, 1 / first, log_second, 1 / second) if slopes else ()
    for shape, scale in zip(k, log_scale, strict=True):
        height = np.exp(common - shape * log_first - scale)
        yield np.array([height.sum(axis=0), *((height * values).sum(axis=0) for values in asked)])


def alive_by_table(theta: tuple[Any, ...], rows: Rows) -> tuple[Floats, Indices]:
    """P(alive) of the rows that tables pay for, and the places of the others, whose value is open."""
    table = silences(theta, rows, slopes=False)
    if table is None or rows.cells is None:
        return np.empty(rows.age.size), np.arange(rows.age.size)
    at_age, at_recency = rows.cells
    alive = spread(np.exp(table.log_alive), table.levels, rows, 1.0)[at_age]
    left = spread(theta[2] * table.integrals[0], table.levels, rows)
    alive /= alive + left[at_recency] - left[at_age]
    return alive, rows_beside(rows, table.levels)


def totals_by_table(theta: tuple[Any, ...], rows: Rows) -> tuple[float, Floats, Indices] | None:
    """Σ ln[(α+T)^−k (β+T)^−s + s ∫ …] over the rows that tables pay for, and its slopes in r, α, s and β.

    The places of the other rows come with it; None where there are no tables.
    """
    table = silences(theta, rows, slopes=True)
    if table is None:
        return None
    by_age, by_recency = _parts(theta, table, rows)
    value, at_age, at_recency = in_two_parts(rows, table.levels, by_age[0], by_recency[0])
    value += float(rows.counts[table.levels] @ table.log_scale)
    slopes = [
        np.einsum("ij,ij->i", at_age, one) + np.einsum("ij,ij->i", at_recency, other)
        for one, other in zip(by_age[1:], by_recency[1:], strict=True)
    ]
    k = theta[0] + rows.levels[table.levels]
    found = np.array([slopes[0].sum(), -(k @ slopes[1]), slopes[2].sum(), -slopes[3].sum()])
    return value, found, rows_beside(rows, table.levels)


def _parts(theta: tuple[Any, ...], table: Silences, rows: Rows) -> tuple[list[Floats], list[Floats]]:
    """What age and recency each add to a row's likelihood and to its slopes, before division by it."""
    assert rows.times is not None
    _, alpha, s, beta = theta
    first, second = alpha + rows.times.moments, beta + rows.times.moments
    alive = np.exp(table.log_alive)
    silent, log_first, per_first, log_second, per_second = table.integrals
    by_recency = [
        s * silent,
        -s * log_first,
        s * per_first,
        silent - s * log_second,
        s * (s + 1) * per_second,
    ]
    at_end = [alive, -alive * np.log(first), alive / first, -alive * np.log(second), s * alive / second]
    return [own - part for own, part in zip(at_end, by_recency, strict=True)], by_recency
