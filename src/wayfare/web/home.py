"""What the first page says: the key figures, what matters most and the journey, from the standard study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wayfare.charts.numbers import shown_row
from wayfare.histories.fold import Progress
from wayfare.report.sections import KEY_FIGURES, KeyFigure, key_figures, label_of
from wayfare.report.standard import StudyReport, standard_study
from wayfare.study import Study
from wayfare.web.answers import Drawing, drawn

LEADING = 10
MAP = "stages"
"""The analysis whose picture is the journey map."""


@dataclass(frozen=True)
class Change:
    """How a figure differs from its baseline, as text."""

    label: str
    before: str
    now: str
    change: str
    interval: str


@dataclass(frozen=True)
class Changes:
    """What changed beyond chance between two spans of periods."""

    before: str
    now: str
    figures: tuple[Change, ...]


@dataclass(frozen=True)
class Home:
    """The standard study as the first page shows it; what can't be said is None or empty."""

    report: StudyReport
    figures: tuple[KeyFigure, ...]
    changes: Changes | None
    journey: Drawing | None

    @property
    def failures(self) -> tuple[tuple[str, str], ...]:
        """Analyses that could not answer, with why."""
        return tuple(
            (outcome.analysis.name, outcome.error) for outcome in self.report.outcomes if outcome.error
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What holds for all of it; the page says by itself that data are simulated."""
        shared = [set(outcome.result.warnings) for outcome in self.report.outcomes if outcome.result]
        common = set.intersection(*shared) if shared else set()
        return tuple(sorted(warning for warning in common if "simulated" not in warning))


def home(study: Study, progress: Progress) -> Home:
    """The standard study for the first page."""
    report = standard_study(study, progress)
    journey = report.result(MAP)
    return Home(report, key_figures(report), changes(report), drawn(journey.chart()) if journey else None)


def changes(report: StudyReport) -> Changes | None:
    """What the scorecard says has changed, where it could compare."""
    card = report.result("scorecard")
    rows = card.tables["change"].to_pylist() if card and "change" in card.tables else []
    compared = {row["metric"]: row for row in rows if row["p"] is not None and row["p"] == row["p"]}
    if not compared:
        return None
    some = next(iter(compared.values()))
    found = tuple(
        _change(compared[m], report.currency)
        for m in KEY_FIGURES
        if m in compared and compared[m]["significant"]
    )
    return Changes(some["baseline_periods"], some["current_periods"], found)


def _change(row: dict[str, Any], currency: str) -> Change:
    text = dict(zip(row, shown_row(row, currency), strict=True))
    interval = (
        f"{text['change_low'].removesuffix(' points')} to {text['change_high'].removesuffix(' points')}"
    )
    return Change(label_of(row["metric"]), text["baseline"], text["current"], text["change"], interval)
