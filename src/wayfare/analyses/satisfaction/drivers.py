"""What moves satisfaction, re-purchase and referral: relative weights, and what hurts or pleases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._score_scales import UNKNOWN, code_of
from wayfare.analyses.satisfaction._drivers_tables import contrast_table, drivers_table, empty, fit_table
from wayfare.analyses.satisfaction._drivers_words import SAID, findings, leaks, left_out
from wayfare.analyses.satisfaction._ratings import Ratings, logs_of, questions_asked
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Events
from wayfare.domain.survey import SURVEY_ANSWER
from wayfare.errors import InvalidParameter, UnknownName
from wayfare.histories.stages import stage_map
from wayfare.result import Columns, Finding, Result
from wayfare.stats.drivers import drivers_of
from wayfare.stats.moments import moments_of
from wayfare.stats.penalty_reward import PenaltyReward, penalty_reward
from wayfare.study import Study

FEWEST = 30
"""Fewer complete answers than this, or than ten for each driver, are too few."""
Outcome = Literal["satisfaction", "repurchase", "referral"]


@dataclass(frozen=True, kw_only=True)
class DriversResult(Result):
    """How much of the outcome goes with each driver, and where to act."""

    observational = (
        "ratings go together, and a customer's mood colours all of them; a weight says what goes with the outcome, "
        "not what would change it."
    )

    drivers: Annotated[
        pa.Table,
        Columns(
            driver="the question, or the event that was met (1) or not (0)",
            johnson="Johnson's relative weight: the share of the outcome's variance that belongs to the driver; all add up to R²",
            lmg="the same share by LMG, the mean over all orders of entering the drivers",
            low="lower end of the 95% interval of `lmg` (bootstrap)",
            high="upper end of it",
            performance="mean rating",
            johnson_low="lower end of the 95% interval of `johnson`",
            johnson_high="upper end of it",
            share="`johnson` as a share of R²",
            correlation="of the driver with the outcome, alone; its sign is the direction",
            performance_low="lower end of the 95% interval of the mean rating",
            performance_high="upper end of it",
            quadrant="where it lies in the importance–performance picture",
            quadrant_probability="in how many of the bootstrap draws it lies there",
            n="complete answers",
        ),
    ]
    contrast: Annotated[
        pa.Table,
        Columns(
            driver="the question",
            penalty="what a low rating changes in the outcome, against a middle one",
            penalty_low="lower end of its 95% interval",
            penalty_high="upper end of it",
            reward="what a high rating changes",
            reward_low="lower end of its 95% interval",
            reward_high="upper end of it",
            range="reward + |penalty|: how much it matters at all",
            asymmetry="(reward − |penalty|) / range: −1 only hurts, 1 only pleases",
            impact="the class of that asymmetry",
            impact_probability="in how many of the bootstrap draws it is of that class",
            low_at_most="a rating of at most this is low",
            high_at_least="a rating of at least this is high",
            low_n="answers with a low rating",
            high_n="answers with a high rating",
            reason="what is missing where something can't be told",
        ),
    ]
    fit: Annotated[
        pa.Table,
        Columns(
            outcome="what is to be explained",
            question="the overall question; null for what customers did",
            r_squared="the share of its variance that the drivers explain together",
            r_squared_adjusted="the same, less what as many random drivers would",
            n="complete answers",
            left_out="answers without all drivers or whose horizon is not over",
            draws="bootstrap draws used",
        ),
    ]

    def draw(self) -> Picture | None:
        """Importance up, performance across, with the uncertainty of both."""
        from wayfare.analyses.satisfaction._drivers_chart import importance_picture

        return importance_picture(self) if self.drivers.num_rows else None


@analysis
def drivers(
    study: Study,
    *,
    outcome: Outcome = "satisfaction",
    overall: str | None = None,
    questions: tuple[str, ...] = (),
    experiences: Events = (),
    window: Duration = Duration.parse("90d"),
    horizon: Duration = Duration.parse("90d"),
    draws: int = 1000,
) -> DriversResult:
    """Which ratings and experiences move satisfaction, re-purchase or referral, and where is it worth doing better?

    One row is one time that a customer answered a survey: the last rating of each driver in the `window` up to then,
    the events met in it (where `experiences` are named), and the outcome: the overall question's score, or whether
    an order (or a referral) followed within `horizon`; answers whose horizon is not over are left out. Weights are
    Johnson's relative weights (Johnson 2000) and LMG (Lindeman, Merenda & Gold 1980), side by side, as shares of the
    outcome's variance, with bootstrap intervals; where they disagree, trust neither. Importance–performance
    follows Martilla & James (1977), cut at the drivers' means, with the share of draws in which a driver lies in its
    quadrant. The penalty–reward contrast regresses the outcome on low and high ratings (Brandt 1988), low up to
    the first quartile and high from the third. For yes-or-no outcomes all this is the linear probability model.

    Args:
        outcome: What is to be explained.
        overall: The overall question's key; unless given, one called overall, else of kind csat, else nps, answered most.
        questions: The drivers' keys; all other rated questions that half as many answered as the most, unless given.
        experiences: Events whose being met may drive the outcome; the touchpoints themselves where nothing was rated.
        window: How long before an answer ratings and experiences count.
        horizon: How long after an answer an order or a referral is waited for.
        draws: Of the bootstrap.
    """
    if draws < 100:
        raise InvalidParameter(
            f"{draws} draws are too few for an interval.", where="draws", allowed="100 or more"
        )
    asked = questions_asked(study)
    whole = _overall(asked, overall)
    chosen = _chosen(asked, questions, whole)
    met = tuple(experiences) or (() if chosen or whole is None else _touchpoints(study))
    ratings, happened = _table(study, whole, chosen, met, window, horizon, outcome)
    complete = ~np.isnan(happened) & ~np.isnan(ratings).any(axis=1)
    names = (*chosen, *met)
    varies = [i for i in range(len(names)) if np.unique(ratings[complete, i]).size > 1]
    asked_for = {*questions, *experiences}
    repeated = [names[i] for i in _repeated(ratings[complete], varies) if names[i] not in asked_for]
    varies = [i for i in varies if names[i] not in repeated]
    n = int(complete.sum())
    if not varies or n < max(FEWEST, 10 * len(varies)) or np.unique(happened[complete]).size < 2:
        return _too_few(outcome, whole, n, len(varies), len(happened) - n)
    used = tuple(names[i] for i in varies)
    x, y = ratings[complete][:, varies].astype(float), happened[complete]
    found = drivers_of(moments_of(x, y), used, draws=draws)
    rated = [i for i, name in enumerate(used) if name in chosen]
    contrast, cuts, untold = _contrast(x[:, rated], y, [used[i] for i in rated], draws)
    missing, declared = len(happened) - n, DriversResult.columns()
    table = drivers_table(found, used)
    return DriversResult(
        drivers=table,
        contrast=contrast_table(contrast, [used[i] for i in rated], cuts)
        if contrast
        else empty(declared["contrast"]),
        fit=fit_table(outcome, whole, found, missing),
        findings=findings(outcome, table.to_pylist(), found, contrast, [used[i] for i in rated]),
        warnings=(*leaks(outcome, used, found), *left_out(repeated), *untold),
    )


def _overall(asked: list[tuple[str, str, int]], overall: str | None) -> str | None:
    keys = [key for key, _, _ in asked]
    if overall is not None:
        if overall not in keys:
            raise UnknownName.among("question", overall, keys, where="overall")
        return overall
    named = [key for key in keys if "overall" in key.lower()]
    of_kind = [key for wanted in ("csat", "nps", "") for key, kind, _ in asked if kind == wanted]
    return next(iter([*named, *of_kind]), None)


def _chosen(
    asked: list[tuple[str, str, int]], questions: tuple[str, ...], whole: str | None
) -> tuple[str, ...]:
    keys = [key for key, _, _ in asked]
    for question in questions:
        if question not in keys:
            raise UnknownName.among("question", question, keys, where="questions")
    if questions:
        return tuple(dict.fromkeys(q for q in questions if q != whole))
    rated = [(key, count) for key, kind, count in asked if key != whole and kind == "rating"]
    most = max((count for _, count in rated), default=0)
    return tuple(sorted(key for key, count in rated if 2 * count >= most))


def _touchpoints(study: Study) -> tuple[str, ...]:
    skipped = {SURVEY_ANSWER, *study.journey.orders}
    return tuple(t.event for t in study.journey.touchpoints if t.stage != "none" and t.event not in skipped)


def _table(
    study: Study,
    whole: str | None,
    chosen: tuple[str, ...],
    met: tuple[str, ...],
    window: Duration,
    horizon: Duration,
    outcome: str,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Drivers (answers, drivers) and outcome (answers,); people who stayed anonymous have no outcome but satisfaction."""
    logs = logs_of(study) if outcome == "satisfaction" and not met else (study.log,)
    parts = []
    for log in logs:
        events = log.names("event")
        fold = Ratings(
            answer=code_of(log, "event", SURVEY_ANSWER),
            overall=UNKNOWN if whole is None else code_of(log, "question", whole),
            questions=tuple(code_of(log, "question", key) for key in chosen),
            experiences=tuple(code_of(log, "event", name) for name in met),
            window=window.microseconds,
            horizon=horizon.microseconds,
            stages=stage_map(study.journey, events),
            referrals=tuple(
                i for i, name in enumerate(events.to_list()) if name.startswith("referral_invite")
            ),
            ends=log.ends,
        )
        parts.append((study if log is study.log else log).fold(fold))
    happened = np.concatenate([part for found in parts for part in found[outcome]] or [np.zeros(0)])
    columns = [
        np.concatenate([part for found in parts for part in found[name]])
        for name, asked in (("ratings", chosen), ("experiences", met))
        if asked
    ]
    return np.hstack(columns) if columns else np.zeros((len(happened), 0), dtype=np.float32), happened


def _contrast(
    x: NDArray[np.float64], y: NDArray[np.float64], names: list[str], draws: int
) -> tuple[PenaltyReward | None, NDArray[np.float64], tuple[str, ...]]:
    """The contrast, where ratings are cut (2, drivers), and why there is no contrast where there is none."""
    if not names:
        return None, np.zeros((2, 0)), ()
    cuts = np.quantile(x, (0.25, 0.75), axis=0, method="closest_observation")
    same = cuts[0] >= cuts[1]
    cuts[0][same] -= 1
    try:
        return penalty_reward(x, y, cuts[0], cuts[1], names=names, draws=draws), cuts, ()
    except InvalidParameter as error:
        return None, cuts, (f"No penalty and reward can be told: {error.problem}",)


def _too_few(outcome: str, whole: str | None, n: int, drivers: int, missing: int) -> DriversResult:
    declared = DriversResult.columns()
    need = max(FEWEST, 10 * drivers)
    text = (
        f"Too few to say what moves {SAID[outcome]}: {n} complete answers to {drivers} drivers that vary; {need} are needed."
        if drivers
        else f"Nothing to say of what moves {SAID[outcome]}: no rated questions and no experiences that vary (n = {n})."
    )
    return DriversResult(
        drivers=empty(declared["drivers"]),
        contrast=empty(declared["contrast"]),
        fit=fit_table(outcome, whole, None, missing, n),
        findings=(Finding(text),),
    )


def _repeated(x: NDArray[np.float32], columns: list[int]) -> list[int]:
    """The columns that follow from those before them."""
    found: list[int] = []
    kept = np.ones((len(x), 1))
    for column in columns:
        values = x[:, column].astype(float)
        rest = values - kept @ np.linalg.lstsq(kept, values, rcond=None)[0]
        if rest.var() < 1e-6 * values.var():
            found.append(column)
        else:
            kept = np.column_stack((kept, values))
    return found
