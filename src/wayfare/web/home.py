"""What the first page says: the key figures, what matters most and the journey, from the standard study."""

from __future__ import annotations

from dataclasses import dataclass

from wayfare.histories.fold import Progress
from wayfare.report.sections import KeyFigure, key_figures
from wayfare.report.standard import StudyReport, standard_study
from wayfare.study import Study
from wayfare.web.answers import Drawing, drawn

LEADING = 10
MAP = "stages"
"""The analysis whose picture is the journey map."""


@dataclass(frozen=True)
class Home:
    """The standard study as the first page shows it."""

    report: StudyReport
    figures: tuple[KeyFigure, ...]
    journey: Drawing | None

    @property
    def failures(self) -> tuple[tuple[str, str], ...]:
        """Analyses that could not answer, with why."""
        return tuple(
            (outcome.analysis.name, outcome.error) for outcome in self.report.outcomes if outcome.error
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What holds for all of it; what one analysis warns of stands with that analysis."""
        shared = [set(outcome.result.warnings) for outcome in self.report.outcomes if outcome.result]
        return tuple(sorted(set.intersection(*shared))) if shared else ()


def home(study: Study, progress: Progress) -> Home:
    """The standard study for the first page."""
    report = standard_study(study, progress)
    journey = report.result(MAP)
    return Home(report, key_figures(report), drawn(journey.chart()) if journey else None)
