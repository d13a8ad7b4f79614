"""What the log answers to each question of a canvas: the figure, its always-valid interval, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from wayfare.analyses._observed import event_codes, periods_of, whole_histories
from wayfare.analyses._order_days import span
from wayfare.analyses._score_scales import checked_scale, code_of, csat_scale, kind_code
from wayfare.analyses.canvas._bindings import Bindings
from wayfare.analyses.canvas._measures import ANSWERED, MET, Figure, Moments
from wayfare.analyses.canvas._measures_fold import EVERYBODY, LIFETIME, Asked, Kept, Measured
from wayfare.analyses.repurchase.forecast import forecast
from wayfare.domain.survey import SURVEY_ANSWER
from wayfare.errors import WayfareError
from wayfare.histories.stages import stage_map
from wayfare.log import Log
from wayfare.stats.intervals import Interval
from wayfare.stats.satisfaction import nps_counts, top_box
from wayfare.stats.sequential import count_sequence, mean_sequence, rate_sequence, ratio_sequence
from wayfare.study import Study

Floats = NDArray[np.float64]

_KINDS = {"customer_satisfaction": ("csat", True), "net_promoter_score": ("nps", False)}
_REFER = ("invite", "share")
_RECOMMEND = tuple(range(11))
_PSEUDO = np.array([0.75, 1.5, 0.75])
"""Promoters, passives and detractors that Rocks (2016) adds before the variance of a Net Promoter Score is taken."""
FORECAST = "what is still to come is the forecast's expectation; the interval is that of the customers, not of the model"


@dataclass(frozen=True)
class Answer:
    """What the log says to one question.

    Attributes:
        value: The figure; NaN where nothing can be said.
        low, high: Its always-valid interval.
        n: Customers, or answers, that it rests on.
        first, last: The first and the last moment that counted, µs; None where none did.
        note: What has to be known of it.
    """

    value: float
    low: float
    high: float
    n: int
    first: int | None
    last: int | None
    note: str = ""

    @property
    def complement(self) -> Answer:
        """The share of the others."""
        return replace(self, value=1 - self.value, low=1 - self.high, high=1 - self.low)


@dataclass(frozen=True, eq=False)
class _Read:
    """One figure of several segments: value, interval and n, (segments,) each."""

    value: Floats
    low: Floats
    high: Floats
    n: Floats
    note: str = ""


def answers_of(study: Study, bindings: Bindings, confidence: float) -> tuple[Answer, ...]:
    """The answer to each question of the bindings, from one pass over the log."""
    if not bindings.pairs:
        return ()
    kept = _kept(study)
    study = whole_histories(study)
    extra = [
        (number, EVERYBODY)
        for number, figure in enumerate(bindings.figures)
        if figure.measure in ANSWERED and (number, EVERYBODY) not in set(bindings.pairs)
    ]
    fold = replace(_fold(study, study.log, bindings, kept), pairs=(*bindings.pairs, *extra))
    found = study.fold(fold)
    if study.anonymous is not None:
        found = _with_anonymous(study, study.anonymous, fold, found)
    answers: list[Answer] = [Answer(np.nan, np.nan, np.nan, 0, None, None)] * len(fold.pairs)
    for number, figure in enumerate(fold.figures):
        mine = [place for place, (f, _) in enumerate(fold.pairs) if f == number]
        read = _read(study, figure, fold, found, mine, confidence)
        for row, place in enumerate(mine):
            answers[place] = _answer(read, row, found, place)
    return tuple(answers[: len(bindings.pairs)])


def _answer(read: _Read, row: int, found: dict[str, Any], place: int) -> Answer:
    first, last = int(found["first"][place]), int(found["last"][place])
    some = first <= last
    value, low, high = (float(part[row]) for part in (read.value, read.low, read.high))
    n = round(float(read.n[row]))
    return Answer(value, low, high, n, first if some else None, last if some else None, read.note)


def _kept(study: Study) -> Kept:
    return Kept(study.log.condition.since, event_codes(study, ()))


def _fold(study: Study, log: Log, bindings: Bindings, kept: Kept) -> Measured:
    events = log.names("event").to_list()
    months = periods_of(log, "month")
    moments = Moments(
        stages=study.stages if log is study.log else stage_map(study.journey, log.names("event")),
        referrals=tuple(code for code, name in enumerate(events) if invites(name)),
        zone=study.zone,
        ends=log.ends,
        last_day=span(study)[1],
        months=tuple(months.edges.tolist()),
        over=months.over,
    )
    kinds = tuple((measure, kind_code(log, *kind)) for measure, kind in _KINDS.items())
    asked = Asked(code_of(log, "event", SURVEY_ANSWER), kinds)
    return Measured(
        moments, asked, kept, bindings.conditions, bindings.segments, bindings.figures, bindings.pairs
    )


def invites(event: str) -> bool:
    """Whether an event is a step by which a customer brings others: `referral_invite`, `Referral shared`."""
    name = event.lower()
    return name.startswith("refer") and any(word in name for word in _REFER)


def _with_anonymous(study: Study, apart: Log, fold: Measured, found: dict[str, Any]) -> dict[str, Any]:
    """The counts with the answers of people who are not in the log: they are of no segment but everybody."""
    pairs = tuple(
        place
        for place, (f, s) in enumerate(fold.pairs)
        if fold.figures[f].measure in ANSWERED and s == EVERYBODY
    )
    if not pairs:
        return found
    none = Bindings((), (), (), ((),), fold.figures, tuple(fold.pairs[place] for place in pairs))
    theirs = apart.fold(_fold(study, apart, none, Kept(None, None)))
    place = list(pairs)
    whole = {name: found[name].copy() for name in ("scores", "first", "last")}
    whole["scores"][place] += theirs["scores"]
    whole["first"][place] = np.minimum(whole["first"][place], theirs["first"])
    whole["last"][place] = np.maximum(whole["last"][place], theirs["last"])
    return {**found, **whole}


def _read(
    study: Study, figure: Figure, fold: Measured, found: dict[str, Any], mine: list[int], confidence: float
) -> _Read:
    if figure.measure == LIFETIME:
        return _lifetime(study, found["lifetime"], len(mine), confidence)
    if figure.measure in ANSWERED:
        whole = next(p for p in mine if fold.pairs[p][1] == EVERYBODY)
        return _score(study, figure.measure, found["scores"][mine], found["scores"][whole], confidence)
    if figure.measure in ("average_order_value", "value_per_customer") and "value" not in study.log.schema:
        return _nothing(len(mine), "the log has no values")
    return _READ[figure.measure](found["sums"][mine].T, confidence)


def _nothing(size: int, note: str) -> _Read:
    unknown = np.full(size, np.nan)
    return _Read(unknown, unknown, unknown, np.zeros(size), note)


def _over(x: Floats, y: Floats) -> Floats:
    return np.where(y > 0, x / np.where(y > 0, y, 1.0), np.nan)


def _rate(sums: Floats, confidence: float) -> _Read:
    n, x = sums[:2]
    interval = rate_sequence(x, n, confidence)
    return _Read(_over(x, n), interval.low, interval.high, n)


def _clustered_rate(sums: Floats, confidence: float) -> _Read:
    """Successes of a customer hang together: the chances count for as many as would give the rate's variance over customers.

    The effective size p(1 − p)/var(p) of Korn & Graubard (1998, Survey Methodology 24), at most all chances; where
    every customer did the same it is the customers.
    """
    n, x, y, xx, xy, yy = sums
    rate = _over(x, y)
    squares = np.maximum(xx - 2 * rate * xy + rate**2 * yy, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = squares / y**2 * n / np.maximum(n - 1, 1)
        size = np.where(variance > 1e-15, rate * (1 - rate) / variance, n)
    size = np.where(y > 0, np.clip(size, 1.0, np.maximum(y, 1.0)), 0.0)
    hits = np.clip(np.nan_to_num(rate) * size, 0.0, size)
    interval = rate_sequence(hits, size, confidence)
    return _Read(rate, interval.low, interval.high, n)


def _ratio(sums: Floats, confidence: float) -> _Read:
    n, x, y, xx, xy, yy = sums
    interval = ratio_sequence(x, y, xx, xy, yy, n, confidence)
    return _Read(_over(x, y), interval.low, interval.high, n)


def _count(sums: Floats, confidence: float) -> _Read:
    """The wider of two: exact for counts of single steps, and that of the customers, who may invite many times."""
    n, x, _, xx, *_ = sums
    single, of_customers = count_sequence(x, n, confidence), mean_sequence(x, xx, n, confidence)
    low, high = np.fmin(single.low, n * of_customers.low), np.fmax(single.high, n * of_customers.high)
    return _Read(np.where(n > 0, x, np.nan), np.maximum(low, 0.0), high, n)


def _met(sums: Floats, _: float) -> _Read:
    unknown = np.full(sums.shape[1], np.nan)
    return _Read(sums[0], unknown, unknown, sums[0])


_READ: dict[str, Callable[[Floats, float], _Read]] = {
    **dict.fromkeys(("repurchase_rate", "conversion_rate", "referral_rate"), _rate),
    **dict.fromkeys(("average_order_value", "value_per_customer"), _ratio),
    "retention_rate": _clustered_rate,
    "referrals": _count,
    MET: _met,
}


def _score(study: Study, measure: str, counts: Any, whole: Any, confidence: float) -> _Read:
    """By the definition of the analysis `csat` or `nps`."""
    try:
        if measure == "net_promoter_score":
            checked_scale(whole, _RECOMMEND, "NPS")
            return _promoters(counts[:, : len(_RECOMMEND)], confidence)
        scale = csat_scale(study, whole)
        checked_scale(whole, scale.values, "CSAT")
    except WayfareError as error:
        return _nothing(len(counts), error.problem)
    answers = np.stack([counts[:, value] for value in scale.values], axis=1)
    n = answers.sum(axis=1).astype(float)
    share = np.nan_to_num(np.atleast_1d(top_box(scale.values, answers, scale.satisfied).score))
    interval = rate_sequence(share * n, n, confidence)
    return _Read(_over(share * n, n), interval.low, interval.high, n, scale.words)


def _promoters(counts: Any, confidence: float) -> _Read:
    bands = np.stack(nps_counts(counts)).astype(float)
    n = bands.sum(axis=0)
    value = _over(100 * (bands[0] - bands[2]), n)
    p, _, d = (bands + _PSEUDO[:, None]) / (n + _PSEUDO.sum())
    variance = 1e4 * (p + d - (p - d) ** 2)
    level = np.nan_to_num(value)
    interval: Interval = mean_sequence(
        n * level, variance * np.maximum(n - 1, 0) + n * level**2, n, confidence
    )
    return _Read(value, np.maximum(interval.low, -100.0), np.minimum(interval.high, 100.0), n)


def _lifetime(study: Study, found: list[dict[str, NDArray]], size: int, confidence: float) -> _Read:
    """Value so far and, by the forecast, ahead: as the analysis `value` has it."""
    try:
        known = study.result(forecast).tables["customers"]
    except WayfareError as error:
        return _nothing(size, error.problem)
    columns = {name: np.concatenate([chunk[name] for chunk in found]) for name in ("code", "value", "member")}
    names = study.log.names("customer").take(columns["code"])
    place = pc.index_in(names, value_set=known["customer"].combine_chunks())
    ahead = known["lifetime_value"].take(place).to_numpy(zero_copy_only=False).astype(float)
    if not np.isfinite(ahead).all() or not len(ahead):
        return _nothing(size, "no forecast can be made of so few orders and values")
    worth, member = columns["value"] + ahead, columns["member"].astype(float)
    x, xx, n = worth @ member, worth**2 @ member, member.sum(axis=0)
    interval = mean_sequence(x, xx, n, confidence)
    return _Read(_over(x, n), interval.low, interval.high, n, FORECAST)
