"""The models that compete for a company's orders: fitted on the past, judged on the weeks after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers, Summary
from wayfare.analyses.repurchase._forecast_given import NOTHING, Given
from wayfare.analyses.repurchase._paced import Paced, known_of, table_on
from wayfare.errors import WayfareError

if TYPE_CHECKING:
    from wayfare.stats.btyd.calendar import Calendar

Floats = NDArray[np.float64]

ENOUGH = 50
"""Repeat customers below which no model is fitted."""

PLAIN = ("BG/NBD", "MBG/NBD", "Pareto/NBD")
CALENDAR = ("BG/NBD with calendar", "MBG/NBD with calendar")
YEAR = 365.25 / 7
SEASON_DAYS = 548
"""A year and a half: what a season is estimated from at least."""

_WEAK = 1.0
_FLAT = 0.02
_CALENDAR_SAMPLE = 30_000
JUDGED = 50_000
"""How many customers a model is fitted on to be judged, about."""
_AHEAD = 3 * YEAR


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model fitted on the orders up to some day.

    Attributes:
        name: What people call it.
        paced: The fitted model and its clock; None where it could not be fitted.
        log_likelihood: Of the orders it was fitted on, in ordinary time; nan where it was not fitted.
        note: What the data can't tell it, or why it was not fitted.
        expected: Orders it expected of each customer in the holdout; empty without one.
        deviance: How far off these were, and how the orders of all fell on the weeks, a customer; nan without a holdout.
        week_error: How far off the holdout's weeks were in total, as a share of a mean week; nan without one.
        season: The relative rate of each month of the year, January first; empty without a calendar.
        trend: The growth of the rate a year, as a share; 0 without a calendar.
    """

    name: str
    paced: Paced | None
    log_likelihood: float = np.nan
    note: str = ""
    expected: Floats = field(default_factory=lambda: np.zeros(0))
    deviance: float = np.nan
    week_error: float = np.nan
    season: tuple[float, ...] = ()
    trend: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether every parameter is known."""
        return self.paced is not None and not self.note

    @property
    def seasonal(self) -> bool:
        """Whether its months differ."""
        return self.paced is not None and len(self.season) > 0 and max(self.season) - min(self.season) > _FLAT

    @property
    def parameters(self) -> str:
        """The parameters in words."""
        if self.paced is None:
            return ""
        said = [f"{name} {value:.4g}" for name, value in self.paced.model.params_.items()]
        return ", ".join([*said, *([f"trend {self.trend:+.1%} a year"] if self.trend else [])])


def fit(name: str, buyers: Buyers, cut: int, penalty: float = 0.0, given: Given = NOTHING) -> Candidate:
    """The model called `name`, fitted on the orders up to cut number `cut`; time in weeks.

    To be judged, beyond 50,000 customers every k-th by name is fitted on, standing for k; the last cut's fit, which
    the forecast rests on, is on all.
    """
    from wayfare.stats import btyd

    kinds = dict(zip(PLAIN, (btyd.BGNBD, btyd.MBGNBD, btyd.ParetoNBD), strict=True))
    kind = kinds[name.removesuffix(" with calendar")]
    summary = buyers.at(cut)
    try:
        # On its way the optimiser looks at parameters where the likelihood overflows, and turns away from them.
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            if name in CALENDAR:
                return _on_calendar(name, kind, buyers, cut, penalty, given)
            model = _fitted(kind(penalty=penalty), None, summary, cut, given)
    except WayfareError as error:
        return Candidate(name, None, note=error.problem)
    paced = Paced(model, None, given.traits, given.method)
    return Candidate(name, paced, model.log_likelihood_, model.boundary_ or "")


def _fitted(model: Any, clock: Calendar | None, summary: Summary, cut: int, given: Given) -> Any:
    """The model fitted on a clock, with the covariates that were given."""
    step = 1 if cut == -1 else -(-len(summary.age) // JUDGED)
    known = known_of(given.traits, summary)
    some = {kind: {name: values[::step] for name, values in each.items()} for kind, each in known.items()}
    return model.fit(_some(table_on(clock, summary), step), **some)


def _on_calendar(name: str, kind: type, buyers: Buyers, cut: int, penalty: float, given: Given) -> Candidate:
    """The model on the clock that was given, or on one estimated from the orders of at most 30,000 customers."""
    from wayfare.stats.btyd import estimate_calendar

    summary = buyers.at(cut)
    clock, season, trend = None, given.months, 0.0
    notes: tuple[str, ...] = ()
    if season:
        clock = given.clock(buyers.origin)
    else:
        customer, day = _some_order_days(buyers, cut)
        end = float(summary.end)
        found = estimate_calendar(
            customer, day / 7, end=end, cycle=YEAR, parts=12, until=end + _AHEAD, model=kind
        )
        clock, season, trend = found.calendar, tuple(np.asarray(found.season).tolist()), found.trend
        notes = tuple(note for note in found.notes if "season is unknown" in note)
    model = _fitted(kind(penalty=penalty), clock, summary, cut, given)
    # The clock makes a week of a busy month longer: its orders' density in ordinary time is higher by the rate.
    days = np.arange(buyers.origin, buyers.cuts[cut] + 1)
    rate = np.log(np.maximum(clock.elapsed((days - 0.5) / 7, (days + 0.5) / 7) * 7, 1e-12))
    return Candidate(
        name,
        Paced(model, clock, given.traits, given.method),
        model.log_likelihood_ + float(buyers.daily["repeat_orders"][: len(days)] @ rate),
        " ".join(filter(None, [model.boundary_ or "", *notes])),
        season=season,
        trend=trend,
    )


def _some(table: dict[str, Floats], step: int) -> dict[str, Floats]:
    """Every k-th customer by name, standing for k."""
    size = len(table["age"])
    if step <= 1:
        return table
    kept = {name: values[::step] for name, values in table.items()}
    return kept | {"weight": np.full(len(kept["age"]), size / len(kept["age"]))}


def _some_order_days(buyers: Buyers, cut: int) -> tuple[NDArray[np.int64], Floats]:
    """Whose they are and the days of the order days of every k-th buyer by name."""
    codes, days = buyers.order_days
    who = buyers.at(cut).who
    chosen = np.zeros(int(buyers.codes.max(initial=0)) + 1, dtype=bool)
    chosen[buyers.codes[who[:: max(len(who) // _CALENDAR_SAMPLE, 1)]]] = True
    kept = chosen[codes] & (days <= buyers.cuts[cut])
    # By name, not by code: which comes first must not depend on how the log was stored.
    rank = np.zeros(len(chosen), dtype=np.int64)
    rank[buyers.codes] = np.arange(len(buyers))
    place, day = rank[codes[kept]], days[kept].astype(np.float64)
    rows = np.lexsort((day, place))
    return place[rows], day[rows]


def judged(candidate: Candidate, summary: Summary, actual: Floats, by_week: Floats) -> Candidate:
    """The candidate with what it expected of each customer in the weeks that followed, and how far off that was.

    Args:
        candidate: Fitted on what the summary holds.
        summary: What was known.
        actual: The orders of each customer that came.
        by_week: Those of all, week by week.
    """
    if candidate.paced is None:
        return candidate
    weeks = len(by_week)
    expected = candidate.paced.orders(summary, float(weeks))
    some = summary if candidate.paced.traits else summary.every(-(-len(summary.who) // JUDGED))
    shape = candidate.paced.by_week(some, weeks, np.ones(len(some.who)))[0]
    share = np.maximum(shape, 1e-12) / max(float(shape.sum()), 1e-9)
    off = np.abs(share * expected.sum() - by_week)
    # Where customers' weeks are alike, the deviance of their orders week by week is that of their orders and that of
    # how the orders of all fall on the weeks: without the latter half a year would hide a season.
    within = deviance(share * by_week.sum(), by_week) * weeks / max(len(actual), 1)
    return replace(
        candidate,
        expected=expected,
        deviance=deviance(expected, actual) + within,
        week_error=float(off.sum() / by_week.sum()) if by_week.any() else np.nan,
    )


def deviance(expected: Floats, actual: Floats) -> float:
    """Mean Poisson deviance a customer: 2·(y ln(y/μ) − (y − μ)); smaller is better.

    Consistent for the mean whatever the counts' distribution (Gneiting 2011, JASA 106, on Bregman scores).
    """
    if not len(actual):
        return np.nan
    mean = np.maximum(expected, 1e-9)
    ratio = np.log(np.where(actual > 0, actual, 1.0) / mean)
    return float(np.mean(2 * (np.where(actual > 0, actual * ratio, 0.0) - (actual - mean))))


def ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best first: those whose parameters are all known, by the holdout, else by their likelihood."""

    def key(candidate: Candidate) -> tuple[bool, bool, float, float]:
        off = 0.0 if np.isnan(candidate.deviance) else candidate.deviance
        return not candidate.paced, not candidate.sound, off, -candidate.log_likelihood

    return sorted(candidates, key=key)


def final(names: Sequence[str], buyers: Buyers, cut: int = -1, given: Given = NOTHING) -> Candidate:
    """The first of the ranked models that the orders determine; else the first, held by a weak prior."""
    tried: list[Candidate] = []
    for name in names:
        tried.append(fit(name, buyers, cut, given=given))
        if tried[-1].sound:
            return tried[-1]
    usable = [candidate for candidate in tried if candidate.paced]
    if not usable:
        return Candidate("", None, note="No model could be fitted.")
    held = fit(usable[0].name, buyers, cut, _WEAK, given)
    note = f"{usable[0].note} The forecast holds the parameters near their usual size by a weak prior."
    return Candidate(held.name, held.paced, held.log_likelihood, note, season=held.season, trend=held.trend)
