"""Customer satisfaction and effort: scales, boxes and definitions, by hand."""

from __future__ import annotations

import pytest

import wayfare as wf
from tests.analyses.satisfaction.answers import answers, log_of
from wayfare.domain.survey import Survey
from wayfare.errors import InvalidParameter
from wayfare.study import Study


def whole(result: wf.Result) -> dict:
    return result.scores.to_pylist()[0]


def surveyed(log: wf.Log, *questions: dict) -> Study:
    document = {"name": "s", "respondent": "id", "time": "t", "questions": list(questions)}
    return Study(log, surveys={"s": Survey.model_validate(document)})


def test_the_top_two_of_five_with_wilsons_interval():
    # 81 of 263: Wilson's interval .2553 to .3662 is example 1 of Newcombe (1998, Statistics in Medicine 17, table I).
    log = log_of(*answers("csat", [5] * 41 + [4] * 40 + [3] * 100 + [1] * 82))
    row = whole(wf.csat(log))
    assert row["score"] == pytest.approx(81 / 263)
    assert (row["low"], row["high"]) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


@pytest.mark.parametrize(
    ("scores", "share"), [([5, 4, 3, 1], 0.5), ([7, 5, 4, 1], 0.5), ([10, 7, 6, 0], 0.5)]
)
def test_without_a_document_the_scale_is_the_smallest_that_holds_all_answers(scores, share):
    # Top two of five, three of seven (5, 6, 7), four of eleven (7 to 10).
    assert whole(wf.csat(log_of(*answers("csat", scores * 10))))["score"] == share


def test_the_survey_says_scale_and_boxes():
    log = log_of(*answers("csat", [7, 6, 5, 4] * 5))
    study = surveyed(log, {"key": "the csat question", "kind": "csat", "scale": "1 to 7", "satisfied": 1})
    assert whole(wf.csat(study))["score"] == 0.25
    assert whole(wf.csat(study, satisfied=3))["score"] == 0.75


def test_two_scales_at_once_are_refused():
    study = surveyed(
        log_of(*answers("csat", [1] * 10)),
        {"key": "a", "kind": "csat", "scale": "1 to 5"},
        {"key": "b", "kind": "csat", "scale": "1 to 7"},
    )
    with pytest.raises(InvalidParameter, match="different scales"):
        wf.csat(study)


def test_where_the_log_tells_no_kinds_apart_all_scores_are_satisfaction():
    rows = [(f"c{n}", 0, "survey_answer", score) for n, score in enumerate([5, 4, 2, 1] * 5)]
    assert whole(wf.csat(log_of(*rows)))["score"] == 0.5


SEVEN = [7] * 10 + [5] * 10 + [4] * 10 + [2] * 10


@pytest.mark.parametrize(
    ("definition", "score"), [("survey", 0.5), ("ces_2", 0.5), ("ces_2_mean", 4.5), ("net_easy", 25)]
)
def test_effort_by_each_definition(definition, score):
    result = wf.ces(log_of(*answers("ces", SEVEN)), definition=definition)
    assert whole(result)["score"] == pytest.approx(score)
    assert result.definition.to_pylist()[0]["term"] == "CES"


def test_effort_asked_as_effort_is_better_where_it_is_less():
    log = log_of(*answers("ces", [1] * 29 + [2]), *answers("ces", [5] * 29 + [4], "support"))
    result = wf.ces(surveyed(log, {"key": "the ces question", "kind": "ces", "measures": "effort"}))
    assert whole(result)["score"] == 3
    assert "Worst is support: 4.97" in result.findings[1].text


def test_points_off_the_scale_are_refused():
    with pytest.raises(InvalidParameter, match="scale from 1 to 7"):
        wf.ces(log_of(*answers("ces", [9] * 12)))
