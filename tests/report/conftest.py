"""One small simulated company, studied once for all tests of the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from wayfare.demo import Company, journey, records
from wayfare.domain.journey import JourneyMap
from wayfare.log import Log, read_events
from wayfare.report import StudyReport, render, standard_study
from wayfare.study import Study

COLUMNS = ("customer", "time", "event", "channel", "session", "order", "product", "value", "cost", "score")


@pytest.fixture(scope="session")
def demo_log() -> Log:
    rows = pa.Table.from_batches(list(records(Company(customers=1_500, seed=5)))).select(COLUMNS)
    log = read_events(rows, **{name: name for name in COLUMNS})
    return replace(log, source=replace(log.source, facts=replace(log.source.facts, simulated=True)))


@pytest.fixture(scope="session")
def demo_study(demo_log) -> Study:
    return Study(demo_log, JourneyMap(**journey()), name="Kettle & Kin <Roasters>")


@pytest.fixture(scope="session")
def demo_report(demo_study) -> StudyReport:
    return standard_study(demo_study)


@pytest.fixture(scope="session")
def demo_page(demo_report) -> str:
    return render(demo_report)


@pytest.fixture(scope="session")
def page_path(demo_page, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(demo_page, encoding="utf-8")
    return path
