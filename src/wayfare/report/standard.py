"""The standard study: every analysis that can answer without being told anything, run together."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wayfare.analysis import Analysis
from wayfare.domain.journey import JourneyMap
from wayfare.errors import Cancelled, WayfareError
from wayfare.histories.fold import Progress
from wayfare.histories.source import Facts
from wayfare.registry import all_analyses
from wayfare.result import Finding, Result
from wayfare.study import Study


class Failed(WayfareError):
    """An analysis stopped with an error of its own; the others are not touched by it."""

    code = "analysis_failed"
    status = 500


@dataclass(frozen=True)
class Outcome:
    """One analysis of the study: its result, or why there is none."""

    analysis: Analysis
    result: Result | None
    error: str = ""


@dataclass(frozen=True)
class Ranked:
    """A finding, and the analysis that says it."""

    finding: Finding
    analysis: Analysis
    observational: bool

    @property
    def money(self) -> float | None:
        """The money at stake; none where no whole unit of it is."""
        money = self.finding.money
        return money if money is not None and round(money) else None

    @property
    def customers(self) -> float | None:
        """How many customers it is about; none where it is about nobody."""
        return self.finding.customers or None


@dataclass(frozen=True)
class StudyReport:
    """What the standard study found.

    Attributes:
        name: What the company or the study is called.
        currency: Of all money.
        zone: The time zone of days and months.
        facts: Of the whole log.
        segments: The conditions on customers that the study was narrowed to.
        journey: Stages and touchpoints.
        outcomes: Every analysis, in the order of the registry.
    """

    name: str
    currency: str
    zone: str
    facts: Facts
    segments: tuple[str, ...]
    journey: JourneyMap
    outcomes: tuple[Outcome, ...]

    @cached_property
    def findings(self) -> tuple[Ranked, ...]:
        """All findings: the most money first, then the most customers, then the others as they come."""
        found = [
            Ranked(finding, outcome.analysis, bool(outcome.result.observational))
            for outcome in self.outcomes
            if outcome.result is not None
            for finding in outcome.result.findings
        ]
        return tuple(sorted(found, key=_rank))

    @cached_property
    def warnings(self) -> dict[str, int]:
        """What to be careful about, and how many analyses say so."""
        answered = [outcome.result for outcome in self.outcomes if outcome.result is not None]
        return Counter(warning for result in answered for warning in result.warnings)

    def result(self, name: str) -> Result | None:
        """The result of the analysis called `name`, if it was part and could answer."""
        return next((outcome.result for outcome in self.outcomes if outcome.analysis.name == name), None)


@dataclass(frozen=True)
class _Guarded(Analysis):
    """An analysis whose own faults are errors of this one analysis."""

    def run(self, study: Study, settled: Any) -> Result:
        try:
            return super().run(study, settled)
        except WayfareError:
            raise
        except Exception as error:
            raise Failed(
                f"It stopped with an error of its own ({type(error).__name__}: {error}).", where=self.name,
                hint="The other analyses are not touched by it. Please report it.",
            ) from error  # fmt: skip


def standard_study(
    study: Study, progress: Progress | None = None, *, analyses: Sequence[Analysis] | None = None
) -> StudyReport:
    """What do all the standard questions say about this log?

    Every registered analysis runs with its defaults, their folds sharing passes over the log. Left out are those
    that can't run without being told something, and those whose result class says `standard = False`. An
    analysis that can't answer keeps its error as text; only a cancelled study stops.

    Args:
        study: What is studied.
        progress: Told how far each pass has come; it may raise `Cancelled`.
        analyses: Which ones to run instead.

    Raises:
        Cancelled: `progress` asked for it.
    """
    wanted = tuple(_standard(all_analyses()) if analyses is None else analyses)
    answers = study.results([(_Guarded(a.function, a.group), {}) for a in wanted], progress)
    for answer in answers:
        if isinstance(answer, Cancelled):
            raise answer
    outcomes = tuple(_outcome(analysis, answer) for analysis, answer in zip(wanted, answers, strict=True))
    log = study.log
    return StudyReport(
        study.name, study.currency, study.zone, log.facts, log.segments, study.journey, outcomes
    )


def _standard(analyses: Iterable[Analysis]) -> Iterable[Analysis]:
    for analysis in analyses:
        told = any(parameter.default is inspect.Parameter.empty for parameter in analysis.parameters)
        if not told and getattr(analysis.returns, "standard", True):
            yield analysis


def _outcome(analysis: Analysis, answer: Result | WayfareError) -> Outcome:
    return (
        Outcome(analysis, None, str(answer))
        if isinstance(answer, WayfareError)
        else Outcome(analysis, answer)
    )


def _rank(ranked: Ranked) -> tuple[int, float]:
    if ranked.money is not None:
        return 0, -abs(ranked.money)
    return (1, -ranked.customers) if ranked.customers is not None else (2, 0.0)
