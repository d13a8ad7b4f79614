"""Season and trend of the orders, estimated together with a model of the customers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wayfare.errors import BadInput, InvalidParameter
from wayfare.stats.btyd.beta_geometric import BetaGeometric
from wayfare.stats.btyd.bg_nbd import BGNBD
from wayfare.stats.btyd.calendar import Calendar
from wayfare.stats.btyd.summary import Floats, Indices, distinct_rows, read_rows

_CYCLES_NEEDED = 1.5
# Customers who all came at once grow older in step with the calendar; this share of the record must separate them.
_SPREAD_NEEDED = 0.25
_TREND_PRIOR = 0.5
_ROUNDS = 60
_SETTLED = 2e-4


@dataclass(frozen=True, slots=True, eq=False)
class CalendarFit:
    """A calendar and the model fitted on its clock.

    Attributes:
        calendar: From the first order to `until`.
        model: Fitted on recencies and ages on the clock.
        season: The relative rate of each part of the cycle, of mean 1.
        trend: The growth of the rate per cycle, as a share (0.1: ten per cent).
        log_likelihood: Of the orders in ordinary time, to compare with that of a plain model.
        notes: What could not be estimated, and why.
    """

    calendar: Calendar
    model: BetaGeometric
    season: Floats
    trend: float
    log_likelihood: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Record:
    """The orders by customer, and the grid of time that the rates are constant on."""

    first: Floats
    last: Floats
    frequency: Floats
    end: float
    edges: Floats
    part: Indices
    repeat: Indices

    @property
    def middle(self) -> Floats:
        return (self.edges[1:] + self.edges[:-1]) / 2


def estimate_calendar(
    customer: npt.ArrayLike,
    time: npt.ArrayLike,
    *,
    end: float,
    cycle: float,
    parts: int = 12,
    until: float | None = None,
    trend: bool = True,
    model: Callable[[], BetaGeometric] = BGNBD,
) -> CalendarFit:
    """When in the year do customers order more, and is their pace growing, apart from who they are?

    Maximum likelihood by turns (ECME, Liu & Rubin 1994): the model is fitted on the calendar's clock; then each
    part's rate is the ratio of its actual repeat orders to those that the customers' own paces lead to expect while
    they are active, given all their orders. Parts are shrunk towards 1 by what their spread beyond chance is
    (empirical Bayes), the trend towards 0. A trend is held at its last level beyond `end`, the season repeats.

    Args:
        customer: The customer of each order, the first orders included.
        time: When, in absolute time, in one unit throughout; one order a customer and moment.
        end: The end of the record.
        cycle: The length of the season in that unit, such as 365.25 / 7 weeks.
        parts: Into how many parts of the cycle the season falls: 12 for months, 52 for weeks.
        until: How far the calendar is to reach; one cycle beyond the end where not given.
        trend: Whether to estimate one.
        model: BGNBD or MBGNBD, as a class or a function that gives one.

    Returns:
        A `CalendarFit`. Where the record is shorter than one and a half cycles the calendar is flat, and
        `notes` says that the season is unknown.
    """
    if parts < 2 or not cycle > 0:
        raise InvalidParameter("A season needs a cycle above 0 and two parts or more.", where="parts")
    record = _record(np.asarray(customer), np.asarray(time, dtype=float), end, cycle, parts, until)
    span = end - float(record.first.min())
    notes: list[str] = []
    seasonal = span >= _CYCLES_NEEDED * cycle
    if not seasonal:
        notes.append(
            f"The record spans {span / cycle:.1f} cycles, {_CYCLES_NEEDED} are needed: the season is unknown, and the "
            "forecast takes the time ahead for average. Supply a known calendar if there is one."
        )
    spread = (
        float(np.quantile(record.first, 0.9) - np.quantile(record.first, 0.1)) / span if span > 0 else 0.0
    )
    growing = trend and seasonal and spread >= _SPREAD_NEEDED
    if trend and seasonal and not growing:
        notes.append(
            "The customers came at about one time, so that a trend can't be told from their leaving: none is used."
        )
    return _by_turns(record, model(), cycle, parts, seasonal, growing, tuple(notes))


def _by_turns(
    record: _Record,
    model: BetaGeometric,
    cycle: float,
    parts: int,
    seasonal: bool,
    growing: bool,
    notes: tuple[str, ...],
) -> CalendarFit:
    season, slope = np.zeros(parts), 0.0
    observed = np.bincount(record.repeat, minlength=record.edges.size - 1).astype(float)
    # In cycles before the end, 0 beyond it: the trend is held there.
    since = np.minimum(record.middle - record.end, 0.0) / cycle
    while_open = record.middle < record.end
    for _ in range(_ROUNDS if seasonal else 1):
        calendar = Calendar.of_rates(record.edges, np.exp(season[record.part] + slope * since))
        exposure = _fit_on(calendar, record, model)
        if not seasonal:
            break
        before = np.append(season, slope)
        season, slope = _rates(observed, exposure, record.part, since, while_open, before, growing)
        if np.abs(np.append(season, slope) - before).max() < _SETTLED:
            break
    rates = np.exp(season[record.part] + slope * since)
    in_time = model.log_likelihood_ + float(observed @ np.log(rates))
    return CalendarFit(calendar, model, np.exp(season), float(np.expm1(slope)), in_time, notes)


def _fit_on(calendar: Calendar, record: _Record, model: BetaGeometric) -> Floats:
    """Fit the model on the clock; the expected orders in each space of the grid at a rate of 1."""
    table = {
        "frequency": record.frequency,
        "recency": calendar.elapsed(record.first, record.last),
        "age": calendar.elapsed(record.first, np.full(record.first.shape, record.end)),
    }
    rows = read_rows(table)
    if model._fitted is None:
        model.fit(table)
    else:
        none = np.zeros((rows.age.size, 0))
        distinct, first = distinct_rows(rows)
        model._solve(replace(model._problem_of(distinct, none[first], none[first]), start=model._known.point))
    alive, k = model.predict_alive(table), model.params_["r"] + rows.frequency
    alpha = model.params_["alpha"]
    staying, left = alive * k / (alpha + rows.age), (1 - alive) * k / (alpha + rows.recency)
    edges = np.minimum(record.edges, record.end)
    passed = _ramps(edges, record.first, staying + left) - _ramps(edges, record.last, left)
    return np.diff(passed)


def _ramps(at: Floats, start: Floats, weight: Floats) -> Floats:
    """Σ weight · max(at − start, 0)."""
    order = np.argsort(start)
    begun = np.searchsorted(start[order], at, side="right")
    total = np.concatenate(([0.0], np.cumsum(weight[order])))
    moment = np.concatenate(([0.0], np.cumsum((weight * start)[order])))
    return at * total[begun] - moment[begun]


def _rates(
    observed: Floats,
    exposure: Floats,
    part: Indices,
    since: Floats,
    used: npt.NDArray[np.bool_],
    before: Floats,
    growing: bool,
) -> tuple[Floats, float]:
    """One Newton step of a Poisson regression of the orders on the parts and the trend, shrunk."""
    parts = before.size - 1
    design = np.zeros((since.size, parts + 1))
    design[np.arange(since.size), part] = 1.0
    design[:, parts] = since if growing else 0.0
    used = used & (exposure > 0)
    design, counts = design[used], observed[used]
    expected = exposure[used] * np.exp(design @ before)
    level = np.log(counts.sum() / expected.sum())
    expected = expected * np.exp(level)
    noise = _noise(counts, expected, design)
    by_part = np.bincount(part[used], weights=expected, minlength=parts)
    # The spread of the parts beyond chance (empirical Bayes): the variance that they are shrunk with.
    chance = noise / np.maximum(by_part, 1e-9)
    raw = before[:parts] + np.bincount(part[used], weights=counts - expected, minlength=parts) / np.maximum(
        by_part, 1e-9
    )
    beyond = max(float(np.mean((raw - raw.mean()) ** 2 - chance)), 1e-4)
    prior = np.append(np.full(parts, noise / beyond), noise / _TREND_PRIOR**2)
    score = design.T @ (counts - expected) - prior * before
    step = np.linalg.solve(design.T @ (expected[:, None] * design) + np.diag(prior), score)
    after = before + np.clip(step, -1.0, 1.0)
    season = after[:parts] - np.log(np.mean(np.exp(after[:parts])))
    return season, float(after[parts]) if growing else 0.0


def _noise(counts: Floats, expected: Floats, design: Floats) -> float:
    """How many times more than chance the spaces differ once parts and trend are free, 1 at least.

    Free of shrinkage: what a part differs by from the others must not count as noise, or a season would hide itself.
    """
    off, scale = (counts - expected) / np.sqrt(expected), np.sqrt(expected)[:, None]
    explained, _, rank, _ = np.linalg.lstsq(scale * design, off, rcond=None)
    left = off - scale * design @ explained
    return max(1.0, float(left @ left) / max(counts.size - int(rank), 1))


def _record(
    customer: npt.NDArray, time: Floats, end: float, cycle: float, parts: int, until: float | None
) -> _Record:
    if customer.shape != time.shape or customer.ndim != 1 or customer.size == 0:
        raise BadInput("Give one customer and one time for each order.", where="time")
    if not np.isfinite(time).all() or time.max() > end:
        raise BadInput("A time is missing, or lies after the end of the record.", where="time")
    _, code = np.unique(customer, return_inverse=True)
    order = np.lexsort((time, code))
    code, time = code[order], time[order]
    starts = np.append(True, code[1:] != code[:-1])
    frequency = np.bincount(code).astype(np.float64) - 1
    first, last = time[starts], time[np.append(starts[1:], True)]
    if np.any((last == first) & (frequency > 0)):
        raise BadInput("A customer has several orders at one moment.", where="time", hint="Merge them first.")
    width = cycle / parts
    low = int(np.floor(first.min() / width))
    high = int(np.ceil(max(end + cycle if until is None else until, end) / width))
    edges = np.array([width * step for step in range(low, high + 1)])
    part = np.arange(low, high) % parts
    repeat = np.clip(np.searchsorted(edges, time[~starts], side="right") - 1, 0, edges.size - 2)
    return _Record(first, last, frequency, end, edges, part, repeat)
