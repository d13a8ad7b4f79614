"""The analyses find what was planted in the simulated company, from its records alone.

Every expected number is a field of `Company` (see truths.yaml), never a number that an analysis gave. The touchpoint
that lifts re-purchase and the slow carrier's effect on it are in tests/analyses/journey/test_touchpoints.py.
"""

from __future__ import annotations

import pyarrow as pa
import pytest

import wayfare as wf
from wayfare.demo import SCHEMA, Company, journey, records
from wayfare.domain.journey import JourneyMap
from wayfare.study import Study

COMPANY = Company()


@pytest.fixture(scope="module")
def study() -> Study:
    table = pa.Table.from_batches(list(records(COMPANY)), schema=SCHEMA)
    columns = {name: name for name in SCHEMA.names if name not in ("customer", "time", "event")}
    log = wf.read_events(
        table, customer="customer", time="time", event="event", zone="Europe/Amsterdam", **columns
    )
    return Study(log, JourneyMap(**journey()))


def payment(study: Study) -> dict[str, dict[str, float]]:
    result = wf.funnel(study, steps=["payment", "purchase"], unit="session", by="device", within="1d")
    return {row["group"]: row for row in result.groups.to_pylist() if row["step"] == 2}


def test_the_payment_bug_on_mobile(study):
    during = payment(study.where(since=COMPANY.bug_start, until=COMPANY.bug_end))
    before = payment(study.where(until=COMPANY.bug_start))
    expected = [
        (during["mobile"], COMPANY.mobile_payment_rate_bug),
        (before["mobile"], COMPANY.mobile_payment_rate),
        (during["desktop"], COMPANY.desktop_payment_rate),
        (before["desktop"], COMPANY.desktop_payment_rate),
    ]
    for row, truth in expected:
        assert row["of_first_low"] <= truth <= row["of_first_high"]
    assert during["mobile"]["of_first_high"] < before["mobile"]["of_first_low"]
    assert during["mobile"]["p_adjusted"] < 1e-6


def test_the_slow_carrier(study):
    slow = study.where(since=COMPANY.delay_start)
    rows = (
        wf.time_to(slow, start="purchase", end="delivery", by="carrier")
        .to_pandas("summary")
        .set_index("group")
    )
    assert rows.loc["north_post", "median_low"] > rows.loc["swift_parcel", "median_high"] + 1


def test_the_december_peak_and_the_summer_dip(study):
    # The base grows all the time, so neighbouring months say most: an October order rate of 1.06 and December's 1.45.
    metrics = wf.scorecard(study).to_pandas().query("metric == 'orders'").set_index("period")["value"]
    season = dict(enumerate(COMPANY.season, 1))
    for year in (2024, 2025):
        assert metrics[f"{year}-12"] / metrics[f"{year}-10"] > 1 + 0.5 * (season[12] / season[10] - 1)
        assert metrics[f"{year}-09"] / metrics[f"{year}-08"] > 1 + 0.5 * (season[9] / season[8] - 1)


def test_where_buyers_come_from(study):
    rows = wf.overview(study).to_pandas("channels").set_index("channel")
    assert rows.loc["store_centre", "low"] > rows.loc["social", "high"]
    assert rows.loc["email", "low"] > rows.loc["paid_search", "high"]


def test_referred_customers_come_back_more_often(study):
    def came_back(segment: str) -> dict[str, float]:
        params = {"start": ["purchase"], "back": ["purchase"], "kind": "on_or_after", "period": "month"}
        return wf.retention(study.where(segment), **params).curve.to_pylist()[1]

    assert came_back("did:referral_signup")["rate"] > came_back("never:referral_signup")["rate"]


def test_whatever_shows_it_says_simulated(study):
    for analysis in (wf.overview, wf.funnel, wf.sessions):
        assert "The data are simulated." in analysis(study).warnings
