"""The Net Promoter Score against published figures, hand calculations and a plain-Python oracle."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.analyses.satisfaction.answers import answers, log_of
from wayfare.domain.survey import Survey
from wayfare.errors import InvalidParameter
from wayfare.study import Study


def by_group(result: wf.Result) -> dict[str, dict]:
    return {row["group"]: row for row in result.scores.to_pylist()}


def test_the_published_example():
    # REFERENCE.md: n = 1000, 250 promoters, 75 detractors: 17.5, adjusted Wald (Rocks 2016) 14.09 .. 20.81.
    log = log_of(*answers("nps", [10] * 250 + [7] * 675 + [3] * 75))
    whole = by_group(wf.nps(log))["all answers"]
    assert whole["score"] == pytest.approx(17.5)
    assert (whole["low"], whole["high"]) == (pytest.approx(14.09, abs=0.005), pytest.approx(20.81, abs=0.005))
    assert (whole["n"], whole["response_rate"]) == (1000, 1.0)


def test_an_answer_belongs_to_the_last_event_before_it_and_groups_are_compared():
    log = log_of(*answers("nps", [10] * 40), *answers("nps", [2] * 40, "support"), ("silent", 0, "support"))
    result = wf.nps(log)
    groups = by_group(result)
    assert (groups["delivery"]["score"], groups["support"]["score"]) == (100, -100)
    assert groups["support"]["response_rate"] == pytest.approx(40 / 41)
    assert groups["support"]["difference"] == -200
    assert groups["support"]["p_adjusted"] < 0.001
    assert any("Worst is support: −100" in f.text for f in result.findings)


def test_a_touchpoint_that_the_answer_names_comes_before_the_last_event():
    rows = pd.DataFrame(
        {
            "customer": ["a", "a", "a"], "event": ["purchase", "visit", "survey_answer"],
            "time": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"], utc=True),
            "score": [None, None, 10.0], "question_kind": [None, None, "nps"],
            "touchpoint": [None, None, "unboxing"],
        }
    )  # fmt: skip
    log = wf.read_events(
        rows, customer="customer", time="time", event="event", score="score",
        question_kind="question_kind", touchpoint="touchpoint",
    )  # fmt: skip
    assert [r["group"] for r in wf.nps(log).scores.to_pylist() if r["dimension"] == "touchpoint"] == [
        "unboxing"
    ]


def test_months_are_compared_with_the_month_before():
    log = log_of(*answers("nps", [10] * 60), *answers("nps", [3] * 60, hours=31 * 24), ("z", 0, "delivery"))
    result = wf.nps(log)
    assert by_group(result)["2024-02"]["difference"] == -200
    assert any("It fell by 200 points in 2024-02, to −100" in f.text for f in result.findings)


def test_weighting_brings_answers_to_the_customers_shares():
    # 100 customers by mail, 40 answer and give 10; 100 by ads, 10 answer and give 0. By hand: half and half is 0.
    rows = []
    for channel, score, answering in (("mail", 10, 40), ("ads", 0, 10)):
        for n in range(100):
            rows.append((f"{channel}{n}", 0, "visit", None, None, None, channel))
            if n < answering:
                rows.append((f"{channel}{n}", 1, "survey_answer", score, "nps", "q", channel))
    result = wf.nps(log_of(*rows))
    assert by_group(result)["all answers"]["score"] == pytest.approx(60)
    assert by_group(result)["all answers, weighted"]["score"] == pytest.approx(0)
    bias = {row["level"]: row for row in result.bias.to_pylist() if row["attribute"] == "first channel"}
    assert (bias["mail"]["response_rate"], bias["ads"]["response_rate"]) == (0.4, 0.1)
    assert bias["mail"]["p"] < 1e-5
    assert "customers who came by mail are 80% of them and 50% of all" in result.findings[-1].text


def test_only_those_who_were_invited_could_answer():
    survey = Survey.model_validate(
        {"name": "s", "respondent": "id", "time": "t", "invitation": "invited",
         "questions": [{"key": "q", "kind": "nps"}]}
    )  # fmt: skip
    rows = [(f"i{n}", 0, "invited") for n in range(20)] + [(f"o{n}", 0, "visit") for n in range(80)]
    rows += [(f"i{n}", 1, "survey_answer", 9, "nps", "q") for n in range(12)]
    study = Study(log_of(*rows), surveys={"s": survey})
    assert by_group(wf.nps(study))["all answers"]["response_rate"] == 0.6


def test_anonymous_answers_count_but_in_no_response_rate():
    study = Study(log_of(*answers("nps", [10] * 10)), anonymous=log_of(*answers("nps", [0] * 10)))
    result = wf.nps(study)
    whole = by_group(result)["all answers"]
    assert (whole["score"], whole["n"], whole["response_rate"]) == (0, 20, 1.0)
    assert "10 answers of people who stayed anonymous" in str(result.definition.to_pylist())


def test_a_scale_that_is_not_the_scores_is_refused():
    with pytest.raises(InvalidParameter, match="answers of 55"):
        wf.nps(log_of(*answers("nps", [55] * 12)))


def test_under_ten_answers_are_too_few():
    assert wf.nps(log_of(*answers("nps", [9] * 9))).findings[0].text.startswith("Too few to say: 9 answers")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 60 * 24), st.sampled_from(["visit", "call", "survey_answer"]), st.integers(0, 10)),
        min_size=1, max_size=40, unique_by=lambda row: (row[0], row[1]),
    )
)  # fmt: skip
def test_against_plain_python(rows):
    log = log_of(
        *((f"c{c}", h, e, *((s, "nps", "q") if e == "survey_answer" else ())) for c, h, e, s in rows)
    )
    expected: dict[str, Counter] = defaultdict(Counter)
    met: dict[str, set] = defaultdict(set)
    last: dict[int, str] = {}
    for customer, _, event, score in sorted(rows, key=lambda row: (row[0], row[1])):
        band = "promoter" if score >= 9 else "detractor" if score <= 6 else "passive"
        if event != "survey_answer":
            last[customer] = event
            met[event].add(customer)
        elif customer in last:
            expected[last[customer]][band] += 1
    for cut in (log, in_blocks(log, 3)):
        found = {r["group"]: r for r in wf.nps(cut).scores.to_pylist() if r["dimension"] == "touchpoint"}
        assert set(found) == set(expected)
        for name, bands in expected.items():
            n = bands.total()
            assert found[name]["n"] == n
            assert found[name]["score"] == pytest.approx(100 * (bands["promoter"] - bands["detractor"]) / n)


def test_a_study_of_a_part_of_time_counts_that_part_only():
    log = log_of(*answers("nps", [10] * 12), *answers("nps", [0] * 12, hours=24 * 60))
    study = replace(Study(log).where(until="2024-02-15"))
    assert by_group(wf.nps(study))["all answers"]["score"] == 100
