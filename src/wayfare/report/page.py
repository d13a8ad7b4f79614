"""`report.html`: the standard study on one page that opens offline and prints."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from wayfare.charts.parquet import SUFFIX, save_parquet
from wayfare.charts.spreadsheet import csv_of
from wayfare.histories.fold import Progress
from wayfare.report.sections import (
    Section,
    key_figures,
    label_of,
    lineage_of,
    money_of,
    period_of,
    read_facts,
    section_of,
    table_of,
)
from wayfare.report.standard import StudyReport, standard_study
from wayfare.result import Result
from wayfare.study import Study

FILE = "report.html"
OPPORTUNITIES = "opportunities.csv"
TO_DO = 10
"""So many rows of that list lead the page."""
COMMON = 3
"""A warning of so many analyses is one about the data, and stands on top; others stand with their analysis."""
LEADING = 12
"""So many findings lead; the others follow folded up."""


def write(study: Study, folder: Path | str, progress: Progress | None = None) -> tuple[Path, ...]:
    """Runs the standard study, and writes its page into `folder` and beside it the list to act on, as CSV and Parquet.

    A reader sees the old files or the new ones. Without an answer to `opportunities` there is no list, and the page
    says why.

    Returns:
        The files, the page first.
    """
    path = Path(folder) / FILE
    found = standard_study(study, progress)
    _replace(path, render(found))
    if (listed := found.result("opportunities")) is None:
        return (path,)
    listing = path.with_name(OPPORTUNITIES)
    _replace(listing, csv_of(listed.tables["opportunities"]).decode())
    save_parquet(listed, listing.with_suffix(SUFFIX))
    return path, listing, listing.with_suffix(SUFFIX)


def render(report: StudyReport, at: datetime | None = None) -> str:
    """The page of a study as HTML.

    Args:
        report: What the study found.
        at: When the page says it was made; now unless given.
    """
    warnings = [warning for warning, said in report.warnings.items() if _of_all(warning, said)]
    sections = [section_of(outcome, report.currency, warnings) for outcome in report.outcomes]
    journey_map = next(
        (section.figure for section in sections if section.name == "stages" and section.figure), None
    )
    return _template().render(
        name=report.name,
        period=period_of(report),
        facts=report.facts,
        warnings=warnings,
        to_do=_to_do(report),
        key_figures=key_figures(report),
        findings=_findings(report),
        leading=LEADING,
        journey_map=journey_map,
        groups=_grouped(sections),
        failed=[section for section in sections if section.error],
        read=read_facts(report),
        lineage=lineage_of(report),
        at=(at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=_version(),
    )


def _of_all(warning: str, said: int) -> bool:
    return said >= COMMON and not warning.startswith("Observational")


def _to_do(report: StudyReport) -> dict[str, Any] | None:
    """The opportunities: what they say, by action, and the first rows of the list; None where there are none."""
    listed = report.result("opportunities")
    if listed is None or not listed.tables["opportunities"].num_rows:
        return None
    return {
        "findings": [finding.text for finding in listed.findings],
        "actions": table_of("by action", actions_of(listed), report.currency),
        "first": table_of("the first to contact", contacts_of(listed), report.currency, TO_DO),
        "file": OPPORTUNITIES,
    }


def contacts_of(listed: Result) -> pa.Table:
    """Whom to contact with what, the best first: those who are held out, or left alone, are not among them."""
    people = listed.tables["opportunities"]
    meant = pc.and_(pc.invert(people["holdout"]), pc.is_valid(people["when"]))
    columns = ["customer", "action", "when", "channel", "product", "expected_value", "low", "high", "basis"]
    return people.filter(meant).select(columns)


def actions_of(listed: Result) -> pa.Table:
    """The actions that somebody is chosen for, the one worth most first."""
    actions = listed.tables["actions"]
    chosen = actions.filter(pc.greater(pc.add(actions["contacted"], actions["held_out"]), 0))
    order = [("expected_value", "descending"), ("contacted", "descending")]
    columns = ["action", "contacted", "held_out", "expected_value", "low", "high", "cost", "source"]
    return chosen.sort_by(order).select(columns)


def _findings(report: StudyReport) -> list[dict[str, str]]:
    return [
        {
            "text": ranked.finding.text,
            "money": money_of(ranked.money, report.currency),
            "customers": "" if ranked.customers is None else f"{round(ranked.customers):,}",
            "section": f"analysis-{ranked.analysis.name}",
            "label": label_of(ranked.analysis.name),
            "sure": "observational" if ranked.observational else "counted in the log",
        }
        for ranked in report.findings
    ]


def _grouped(sections: list[Section]) -> dict[str, list[Section]]:
    groups: dict[str, list[Section]] = {}
    for section in sections:
        groups.setdefault(section.group, []).append(section)
    return groups


@cache
def _template() -> Template:
    loader = PackageLoader("wayfare.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["style"] = Markup(loader.get_source(environment, "report.css")[0])  # noqa: S704 - our own file
    return environment.get_template("report.html")


def _version() -> str:
    try:
        return version("wayfare")
    except PackageNotFoundError:
        return "from source"


def _replace(path: Path, text: str) -> None:
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).chmod(0o644)
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
