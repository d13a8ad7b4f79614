"""What the first page says: the key figures, what matters most and the journey, from the standard study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from wayfare.charts.numbers import shown_row
from wayfare.domain.journey import Stage, Touchpoint
from wayfare.histories.fold import Progress
from wayfare.report.page import actions_of
from wayfare.report.sections import KEY_FIGURES, KeyFigure, key_figures, label_of
from wayfare.report.standard import StudyReport, standard_study
from wayfare.study import Study
from wayfare.web.answers import Drawing, drawn
from wayfare.web.cells import Shown, shown

LEADING = 10
WHOLE = 10
"""From so many on, a mean of counts is written without its fraction."""
MAP, LIST = "stages", "opportunities"
"""The analysis whose picture is the journey map, and the one whose list says what to do."""


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
    period: str
    figures: tuple[Change, ...]


@dataclass(frozen=True)
class ToDo:
    """What the opportunities say, and their actions, the one worth most first."""

    findings: tuple[str, ...]
    actions: Shown


@dataclass(frozen=True)
class Home:
    """The standard study as the first page shows it; what can't be said is None or empty.

    Of the log's `events`, the map leaves out those that are `unplaced`: they stand at no stage.
    """

    report: StudyReport
    figures: tuple[KeyFigure, ...]
    changes: Changes | None
    to_do: ToDo | None
    journey: Drawing | None
    unplaced: int
    events: int

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
    picture = drawn(journey.chart()) if journey else None
    events = study.log.names("event").to_list()
    placed = {*study.journey.orders, *(t.event for t in study.journey.touchpoints if _has_stage(t))}
    unplaced = sum(event not in placed for event in events)
    return Home(report, key_figures(report), changes(report), to_do(report), picture, unplaced, len(events))


def _has_stage(touchpoint: Touchpoint) -> bool:
    return isinstance(touchpoint.stage, Stage) or isinstance(touchpoint.after_purchase, Stage)


def to_do(report: StudyReport) -> ToDo | None:
    """What to do next, where there are opportunities."""
    listed = report.result(LIST)
    if listed is None or not listed.tables[LIST].num_rows:
        return None
    actions = shown("actions", actions_of(listed), {}, report.currency)
    texts = tuple(finding.text for finding in listed.findings)
    return ToDo(texts, replace(actions, label="By action", said=()))


def changes(report: StudyReport) -> Changes | None:
    """What the scorecard says has changed, where it could compare."""
    card = report.result("scorecard")
    rows = card.tables["change"].to_pylist() if card and "change" in card.tables else []
    compared = {row["metric"]: row for row in rows if row["p"] is not None and row["p"] == row["p"]}
    if card is None or not compared:
        return None
    some = next(iter(compared.values()))
    kinds = {row["metric"]: row["kind"] for row in card.tables["metrics"].to_pylist()}
    found = tuple(
        _change(compared[m], kinds.get(m), report.currency)
        for m in KEY_FIGURES
        if m in compared and compared[m]["significant"]
    )
    period = str(card.context.params.get("period", "period"))
    return Changes(some["baseline_periods"], some["current_periods"], period, found)


def _change(row: dict[str, Any], kind: str | None, currency: str) -> Change:
    # A mean of large counts is read as a count; of small ones its fraction matters.
    row = {**row, "kind": kind if kind != "count" or min(row["baseline"], row["current"]) >= WHOLE else None}
    text = dict(zip(row, shown_row(row, currency), strict=True))
    change = text["change"] if row["change"] <= 0 or text["change"].startswith("+") else f"+{text['change']}"
    interval = (
        f"{text['change_low'].removesuffix(' points')} to {text['change_high'].removesuffix(' points')}"
    )
    return Change(label_of(row["metric"]), text["baseline"], text["current"], change, interval)
