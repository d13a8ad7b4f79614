"""From a log to a forecast: the models tried, the chosen one, and the weeks as it sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wayfare.analyses._order_days import Buyers, buyers_of, order_days, span
from wayfare.analyses.repurchase._candidates import (
    CALENDAR,
    ENOUGH,
    PLAIN,
    SEASON_DAYS,
    Candidate,
    final,
    fit,
    judged,
    ranked,
)
from wayfare.analyses.repurchase._forecast_found import Forecast
from wayfare.analyses.repurchase._forecast_given import Given
from wayfare.analyses.repurchase._forecast_traits import FirstTraits, traits_of
from wayfare.analyses.repurchase._holdout import actual_orders, actual_weeks
from wayfare.analyses.repurchase._origins import EARLIER, SHORTEST_RECORD, Miss, earlier_errors
from wayfare.analyses.repurchase._outlook import Outlook, Season, outlook, season_of
from wayfare.analyses.repurchase._worth import worth_of
from wayfare.domain.duration import Duration
from wayfare.study import Study

_SHORTEST = 4


@dataclass(frozen=True)
class Asked:
    """What is asked of a forecast; see `forecast`."""

    horizon: Duration
    holdout: Duration | None
    model: str
    confidence: float
    uncertainty: str
    covariates: tuple[str, ...]
    months: tuple[float, ...]


def forecast_of(study: Study, asked: Asked) -> Forecast:
    """All that the tables and the findings are made of."""
    origin, now = span(study)
    weeks = max(round(asked.horizon.days / 7), 1)
    held_out = _held_out(now - origin + 1, weeks, asked.holdout)
    buyers, given = _buyers(study, asked, _cuts(origin, now, held_out), now - origin)
    candidates = _tried(buyers, asked.model, held_out, given)
    summary = buyers.at()
    names = [c.name for c in ranked(candidates) if c.paced and (not given.months or c.name in CALENDAR)]
    chosen = final(names, buyers, given=given) if candidates else None
    worth = worth_of(buyers, summary)
    found = Forecast(study, buyers, weeks, held_out, candidates, chosen, worth, given, asked.confidence)
    if chosen is None or chosen.paced is None:
        return found
    judge = next((c for c in candidates if c.name == chosen.name and c.paced and len(c.expected)), None)
    past = earlier_errors(chosen.name, judge, buyers, given)
    season = season_of(chosen.paced, buyers, summary, worth.spread, past, bool(given.months))
    ahead = outlook(chosen.paced, summary, worth.mean, worth.spread, weeks, season)
    before, then = _before(buyers, judge, held_out, past[1:], given) if judge else (None, None)
    return replace(found, ahead=ahead, before=before, season=season, season_then=then)


def _buyers(study: Study, asked: Asked, cuts: tuple[int, ...], days: int) -> tuple[Buyers, Given]:
    """What each customer ordered, and what was given beside, from one pass."""
    estimated = not asked.months and (days >= SEASON_DAYS or asked.model in CALENDAR)
    fold = order_days(study, cuts, keep=estimated)
    if not asked.covariates:
        return buyers_of(study, fold, study.fold(fold)), Given(asked.months, None, asked.uncertainty)
    known = FirstTraits(study.stages, study.zone, fold.cuts[-1], asked.covariates)
    found, told = study.fold_all([fold, known])
    buyers = buyers_of(study, fold, found)
    return buyers, Given(asked.months, traits_of(study, buyers, known, told), asked.uncertainty)


def _cuts(origin: int, now: int, held_out: int) -> tuple[int, ...]:
    """The holdout's start, and earlier origins as far apart that the same forecast can be tried from."""
    if not held_out:
        return ()
    earlier = (now - 7 * held_out * back for back in range(2, 2 + EARLIER))
    return now - 7 * held_out, *(cut for cut in earlier if cut - origin >= SHORTEST_RECORD)


def _held_out(days: int, weeks: int, asked: Duration | None) -> int:
    if asked is None:
        found = min(weeks, days // 7 // 3)
        return found if found >= _SHORTEST else 0
    found = round(asked.days) // 7
    return found if 7 * found < days else 0


def _tried(buyers: Buyers, model: str, held_out: int, given: Given) -> tuple[Candidate, ...]:
    if buyers.repeaters < ENOUGH:
        return ()
    earlier = buyers.at(buyers.before)
    held_out = held_out if earlier.repeaters >= ENOUGH else 0
    cut = buyers.before if held_out else -1
    actual, by_week = actual_orders(buyers, earlier), actual_weeks(buyers, "known_orders")

    def tried(name: str) -> Candidate:
        found = fit(name, buyers, cut, given=given)
        return judged(found, earlier, actual, by_week) if held_out else found

    if model != "best":
        return (tried(model),)
    plain = tuple(tried(name) for name in PLAIN)
    if given.months:
        return *plain, *(tried(name) for name in CALENDAR)
    if len(buyers.first_day) and buyers.cuts[cut] - int(buyers.first_day.min()) < SEASON_DAYS:
        return plain
    base = ranked([candidate for candidate in plain if f"{candidate.name} with calendar" in CALENDAR])[0]
    return *plain, tried(f"{base.name} with calendar")


def _before(
    buyers: Buyers, judge: Candidate, held_out: int, past: Sequence[Miss], given: Given
) -> tuple[Outlook, Season]:
    assert judge.paced is not None
    earlier = buyers.at(buyers.before)
    worth = worth_of(buyers, earlier)
    season = season_of(judge.paced, buyers, earlier, worth.spread, past, bool(given.months))
    return outlook(judge.paced, earlier, worth.mean, worth.spread, held_out, season), season
