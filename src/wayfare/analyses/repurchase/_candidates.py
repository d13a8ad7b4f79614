"""The models that compete for a company's orders: fitted on the past, judged on the weeks after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.repurchase._order_days import Buyers, Summary
from wayfare.analyses.repurchase._paced import Paced, table_on
from wayfare.errors import WayfareError

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
_JUDGED, _SAMPLE = 40_000, 100_000
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
        deviance: How far off these were, a customer; nan without a holdout.
        season: The relative rate of each month of the year, January first; empty without a calendar.
        trend: The growth of the rate a year, as a share; 0 without a calendar.
    """

    name: str
    paced: Paced | None
    log_likelihood: float = np.nan
    note: str = ""
    expected: Floats = field(default_factory=lambda: np.zeros(0))
    deviance: float = np.nan
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
        return ", ".join([*said, *([f"trend {self.trend:+.1%} a year"] if self.season else [])])


def fit(name: str, buyers: Buyers, cut: int, penalty: float = 0.0) -> Candidate:
    """The model called `name`, fitted on the orders up to cut number `cut`; time in weeks.

    Beyond 100,000 customers (40,000 to be judged) every k-th by name is fitted on, standing for k: more would change
    no choice and no figure that is shown.
    """
    from wayfare.stats import btyd

    kinds = dict(zip(PLAIN, (btyd.BGNBD, btyd.MBGNBD, btyd.ParetoNBD), strict=True))
    kind = kinds[name.removesuffix(" with calendar")]
    summary = buyers.at(cut)
    try:
        # On its way the optimiser looks at parameters where the likelihood overflows, and turns away from them.
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            if name in CALENDAR:
                return _on_calendar(name, kind, buyers, cut, penalty)
            model = kind(penalty=penalty).fit(_some(table_on(None, summary), cut))
    except WayfareError as error:
        return Candidate(name, None, note=error.problem)
    return Candidate(name, Paced(model), model.log_likelihood_, model.boundary_ or "")


def _on_calendar(name: str, kind: type, buyers: Buyers, cut: int, penalty: float) -> Candidate:
    """Season and trend from the orders of at most 30,000 customers, the model from all on that clock."""
    from wayfare.stats.btyd import estimate_calendar

    summary = buyers.at(cut)
    customer, day = _some_order_days(buyers, cut)
    end = float(summary.end)
    found = estimate_calendar(
        customer, day / 7, end=end, cycle=YEAR, parts=12, until=end + _AHEAD, model=kind
    )
    model = kind(penalty=penalty).fit(_some(table_on(found.calendar, summary), cut))
    notes = [model.boundary_ or "", *(note for note in found.notes if "season is unknown" in note)]
    # The clock makes a week of a busy month longer: its orders' density in ordinary time is higher by the rate.
    days = np.arange(buyers.origin, buyers.cuts[cut] + 1)
    rate = np.log(np.maximum(found.calendar.elapsed((days - 0.5) / 7, (days + 0.5) / 7) * 7, 1e-12))
    likelihood = model.log_likelihood_ + float(buyers.daily["repeat_orders"][: len(days)] @ rate)
    season = tuple(np.asarray(found.season).tolist())
    return Candidate(
        name,
        Paced(model, found.calendar),
        likelihood,
        " ".join(filter(None, notes)),
        season=season,
        trend=found.trend,
    )


def _some(table: dict[str, Floats], cut: int) -> dict[str, Floats]:
    """Every k-th customer by name, standing for k, where there are more than a fit gains from."""
    size = len(table["age"])
    step = -(-size // (_SAMPLE if cut == -1 else _JUDGED))
    if step <= 1:
        return table
    kept = {name: values[::step] for name, values in table.items()}
    return kept | {"weight": np.full(len(kept["age"]), size / len(kept["age"]))}


def _some_order_days(buyers: Buyers, cut: int) -> tuple[NDArray[np.int64], Floats]:
    """Places and days of the order days of every k-th buyer by name."""
    codes, days = buyers.order_days
    order = np.argsort(buyers.codes)
    place = order[np.searchsorted(buyers.codes, codes, sorter=order)]
    who = buyers.at(cut).who
    step = max(len(who) // _CALENDAR_SAMPLE, 1)
    chosen = np.zeros(len(buyers), dtype=bool)
    chosen[who[::step]] = True
    kept = chosen[place] & (days <= buyers.cuts[cut])
    place, day = place[kept], days[kept].astype(np.float64)
    sorted_rows = np.lexsort((day, place))
    return place[sorted_rows], day[sorted_rows]


def judged(candidate: Candidate, summary: Summary, weeks: float, actual: Floats) -> Candidate:
    """The candidate with what it expected of each customer in the weeks that followed, and how far off that was."""
    if candidate.paced is None:
        return candidate
    expected = candidate.paced.orders(summary, weeks)
    return replace(candidate, expected=expected, deviance=deviance(expected, actual))


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


def final(names: Sequence[str], buyers: Buyers, cut: int = -1) -> Candidate:
    """The first of the ranked models that the orders determine; else the first, held by a weak prior."""
    tried: list[Candidate] = []
    for name in names:
        tried.append(fit(name, buyers, cut))
        if tried[-1].sound:
            return tried[-1]
    usable = [candidate for candidate in tried if candidate.paced]
    if not usable:
        return Candidate("", None, note="No model could be fitted.")
    held = fit(usable[0].name, buyers, cut, _WEAK)
    note = f"{usable[0].note} The forecast holds the parameters near their usual size by a weak prior."
    return Candidate(held.name, held.paced, held.log_likelihood, note, season=held.season, trend=held.trend)
