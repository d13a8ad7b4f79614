from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pandas as pd
import pyarrow as pa
import pytest

from wayfare.analyses.journey.sessions import sessions
from wayfare.analyses.journey.stages import stages
from wayfare.analysis import analysis
from wayfare.errors import Cancelled, InvalidParameter
from wayfare.log import read_events
from wayfare.registry import all_analyses
from wayfare.report import standard_study
from wayfare.result import Columns, Finding, Result, table
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class ToyResult(Result):
    numbers: Annotated[pa.Table, Columns(n="a number")]


@dataclass(frozen=True, kw_only=True)
class OptionalResult(ToyResult):
    standard = False


def toy(*findings: Finding, warnings=()) -> ToyResult:
    return ToyResult(numbers=table(n=[1]), findings=findings, warnings=warnings)


@analysis
def rich(study: Study) -> ToyResult:
    """How much?"""
    small, large = Finding("EUR 5", money=5, customers=900), Finding("EUR 70", money=-70)
    return toy(small, Finding("nobody"), large, warnings=("Careful.",))


@analysis
def crowded(study: Study) -> ToyResult:
    """How many?"""
    return toy(
        Finding("3 customers", customers=3), Finding("8 customers", customers=8), warnings=("Careful.",)
    )


@analysis
def broken(study: Study) -> ToyResult:
    """What is wrong?"""
    raise KeyError("gap")


@analysis
def refusing(study: Study) -> ToyResult:
    """What is not allowed?"""
    raise InvalidParameter("There is no order.", hint="Name one.")


@analysis
def demanding(study: Study, *, event: str) -> ToyResult:
    """What needs to be told?"""
    return toy()


@analysis
def optional(study: Study) -> OptionalResult:
    """What only some ask?"""
    return OptionalResult(numbers=table(n=[1]))


@pytest.fixture
def small() -> Study:
    times = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-02"])
    frame = pd.DataFrame({"c": ["1", "1", "2"], "t": times, "e": ["view", "purchase", "view"]})
    return Study(read_events(frame, customer="c", time="t", event="e"))


def test_findings_are_ranked_by_money_then_customers_then_as_they_come(small):
    report = standard_study(small, analyses=[crowded, rich])
    assert [ranked.finding.text for ranked in report.findings] == [
        "EUR 70",
        "EUR 5",
        "8 customers",
        "3 customers",
        "nobody",
    ]
    assert [ranked.analysis.name for ranked in report.findings] == [
        "rich",
        "rich",
        "crowded",
        "crowded",
        "rich",
    ]


@analysis
def worthless(study: Study) -> ToyResult:
    """What is nothing worth?"""
    return toy(Finding("EUR 0", money=0.4), Finding("0 customers", customers=0))


def test_a_sum_that_rounds_to_nothing_and_nobody_lead_nothing(small):
    report = standard_study(small, analyses=[worthless, crowded])
    found = [ranked.finding.text for ranked in report.findings]
    assert found == ["8 customers", "3 customers", "EUR 0", "0 customers"]
    assert [(ranked.money, ranked.customers) for ranked in report.findings[2:]] == [(None, None)] * 2


def test_warnings_are_counted(small):
    assert standard_study(small, analyses=[crowded, rich]).warnings == {"Careful.": 2}


def test_an_analysis_that_fails_keeps_its_error_and_stops_no_other(small):
    report = standard_study(small, analyses=[broken, refusing, sessions])
    assert [outcome.result is None for outcome in report.outcomes] == [True, True, False]
    assert "KeyError: 'gap'" in report.outcomes[0].error
    assert report.outcomes[1].error == "There is no order. Name one."
    assert report.result("sessions").context.analysis == "sessions"
    assert report.result("broken") is None


def test_all_registered_analyses_that_need_nothing_to_be_told_are_part(small, monkeypatch):
    everything = (*all_analyses(), demanding, optional)
    monkeypatch.setattr("wayfare.report.standard.all_analyses", lambda: everything)
    ran = [outcome.analysis.name for outcome in standard_study(small).outcomes]
    told = {"holdout_effect": "the day of a list"}
    assert ran == [analysis.name for analysis in all_analyses() if analysis.name not in told]
    assert len(ran) >= 10


def test_the_log_is_read_once_for_analyses_that_ask_at_once(small):
    passes = []
    # `stages` asks for its own fold first and finds the answer of `dropoff`, which asked in the same round.
    from wayfare.analyses.journey.dropoff import dropoff

    standard_study(small, lambda done, rows: passes.append(done), analyses=[dropoff, sessions, stages])
    assert passes.count(3) == 1


def test_a_cancelled_study_stops(small):
    def cancel(done, rows):
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        standard_study(small, cancel, analyses=[sessions])


def test_the_demo_company_is_studied_without_an_error(demo_report):
    assert [(o.analysis.name, o.error) for o in demo_report.outcomes if o.error] == []
    assert demo_report.findings[0].finding.money > 0
    assert "The data are simulated." in demo_report.warnings
