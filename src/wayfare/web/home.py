"""What the first page says: the key figures and what matters most, from the standard study."""

from __future__ import annotations

from dataclasses import dataclass

from wayfare.errors import WayfareError
from wayfare.histories.fold import Progress
from wayfare.registry import all_analyses
from wayfare.result import Result
from wayfare.study import Study
from wayfare.web.answers import Drawing
from wayfare.web.fields import required


@dataclass(frozen=True)
class Said:
    """A finding and the analysis that it is from."""

    text: str
    money: float | None
    customers: float | None
    analysis: str


@dataclass(frozen=True)
class Figure:
    """A key figure: what, how much, and how it changed."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Home:
    """What the standard study gave.

    Attributes:
        figures: The key figures.
        findings: What was found, the most money first.
        journey: The journey's picture.
        failures: Analyses that could not answer, with why.
        warnings: What holds for all of it.
    """

    figures: tuple[Figure, ...]
    findings: tuple[Said, ...]
    journey: Drawing | None
    failures: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def home(study: Study, progress: Progress) -> Home:
    """The standard study for the first page."""
    wanted = [analysis for analysis in all_analyses() if not any(required(p) for p in analysis.parameters)]
    results = study.results([(analysis, {}) for analysis in wanted], progress)
    pairs = list(zip(wanted, results, strict=True))
    said = [
        Said(finding.text, finding.money, finding.customers, analysis.name)
        for analysis, result in pairs
        if isinstance(result, Result)
        for finding in result.findings
    ]
    failures = tuple((analysis.name, str(result)) for analysis, result in pairs if isinstance(result, WayfareError))
    return Home((), tuple(sorted(said, key=_rank)), None, failures, ())


def _rank(said: Said) -> tuple[float, float]:
    return -abs(said.money or 0), -abs(said.customers or 0)
