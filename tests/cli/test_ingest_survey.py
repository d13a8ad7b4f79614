"""`wayfare ingest --survey`: from the answers' file and the survey's document to a log that analyses read."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import wayfare as wf
from wayfare.domain.journey import JourneyMap
from wayfare.domain.kano import CATEGORIES
from wayfare.domain.survey import tables_by_question
from wayfare.log import Log
from wayfare.workspace.folder import open_study

SURVEY = """\
name: delivery 2024
respondent: customer
time: given
touchpoint: delivery
questions:
  - {key: recommend, kind: nps}
  - {key: speed, kind: rating, scale: 1 to 5}
"""
ANSWERS = "customer,given,recommend,speed\nc1,2024-03-02,9,5\nc2,2024-03-02,12,4\nc3,2024-03-03,,\n"
ORDERS = "customer,at,total\nc1,2024-03-01,10\nc2,2024-03-01,20\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in {"survey.yaml": SURVEY, "answers.csv": ANSWERS, "orders.csv": ORDERS}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def anonymous(files: Path) -> Path:
    path = files / "anonymous.yaml"
    path.write_text(SURVEY.replace("respondent:", "anonymous: true\nrespondent:"))
    return path


def scores(log: Log) -> Counter[float]:
    """The scores in a log, counted."""
    found: Counter[float] = Counter()
    for index in range(log.source.blocks):
        values = log.source.read(index, ("customer", "time", "score"))["score"]
        found.update(values[~np.isnan(values)].tolist())
    return found


def test_answers_join_the_log_and_the_counts_add_up(wayfare, files: Path):
    wayfare("ingest", files / "w", files / "orders.csv", "--as", "purchase", "--map", "value=total")
    done = wayfare(
        "ingest", files / "w", files / "answers.csv", "--survey", files / "survey.yaml", "--format", "json"
    )
    assert done.code == 0
    said = json.loads(done.out)
    assert (said["rows_read"], said["kept"], said["duplicates"], said["quarantined"]) == (5, 3, 0, 2)
    assert said["reasons"] == {"no question answered": 1, "off the scale 0 to 10": 1}
    study = open_study(files / "w")
    assert (study.log.facts.rows, study.log.facts.customers, study.anonymous) == (5, 2, None)
    assert [question.key for question in study.surveys["delivery 2024"].questions] == ["recommend", "speed"]
    assert scores(study.log) == {9: 1, 5: 1, 4: 1}


def test_the_reading_of_the_survey_is_shown(wayfare, files: Path):
    done = wayfare("ingest", files / "w", files / "answers.csv", "--survey", files / "survey.yaml")
    assert "0 to 10" in done.err
    assert "3 lines gave 4 answers to 2 questions" in done.err
    assert "surveys/delivery 2024.yaml" in done.err
    assert "answers" in done.out.splitlines()[0]
    assert "of 2 respondents" in done.out


def test_a_dry_run_writes_nothing(wayfare, files: Path):
    done = wayfare(
        "ingest", files / "w", files / "answers.csv", "--survey", files / "survey.yaml", "--dry-run"
    )
    assert done.code == 0
    assert not (files / "w").exists()


def test_mended_answers_are_read_again(wayfare, files: Path):
    wayfare("ingest", files / "w", files / "answers.csv", "--survey", files / "survey.yaml")
    mend = files / "mend.csv"
    assert wayfare("quarantine", files / "w", "export", mend).code == 0
    mend.write_text(mend.read_text().replace("12", "10"))
    done = wayfare("quarantine", files / "w", "rerun", mend, "--format", "json")
    assert json.loads(done.out)["kept"] == 1
    assert scores(open_study(files / "w").log) == {9: 1, 5: 1, 4: 1, 10: 1}


@pytest.mark.parametrize("first", ["orders", "answers"])
def test_anonymous_respondents_are_no_customers(wayfare, files: Path, first: str):
    orders = ("ingest", files / "w", files / "orders.csv", "--as", "purchase", "--map", "value=total")
    answers = ("ingest", files / "w", files / "answers.csv", "--survey", anonymous(files))
    for command in (orders, answers) if first == "orders" else (answers, orders):
        assert wayfare(*command).code == 0
    study = open_study(files / "w")
    assert (study.log.facts.rows, study.log.facts.customers) == (2, 2)
    assert set(study.log.names("event").to_list()) == {"purchase"}
    assert study.anonymous is not None
    assert scores(study.anonymous) == {9: 1, 5: 1, 4: 1}
    assert all(name.startswith("anonymous:") for name in study.anonymous.names("customer").to_list())
    done = wayfare("run", files / "w", "overview", "--format", "json")
    [summary] = json.loads(done.out)["tables"]["summary"]
    assert (summary["rows"], summary["customers"], summary["orders"]) == (2, 2, 2)
    done = wayfare("run", files / "w", "retention", "--format", "json")
    assert json.loads(done.out)["log"]["customers"] == 2
    journey = open_study(files / "w").document(JourneyMap)
    assert journey is not None
    assert [touchpoint.event for touchpoint in journey.touchpoints] == ["purchase"]


def test_a_workspace_may_have_anonymous_answers_only(wayfare, files: Path):
    wayfare("ingest", files / "w", files / "answers.csv", "--survey", anonymous(files))
    study = open_study(files / "w")
    assert (study.log.facts.rows, study.log.facts.customers) == (0, 0)
    assert study.anonymous is not None
    assert wayfare("run", files / "w", "overview").code == 0


def test_a_part_of_the_time_holds_for_the_anonymous_and_a_segment_leaves_them_out(wayfare, files: Path):
    wayfare("ingest", files / "w", files / "orders.csv", "--as", "purchase")
    wayfare("ingest", files / "w", files / "answers.csv", "--survey", anonymous(files))
    later = open_study(files / "w", since="2024-03-02").anonymous
    assert later is not None
    assert later.condition.since is not None
    assert open_study(files / "w", segments=["did:purchase"]).anonymous is None


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--as", "purchase"), "--as can't stand beside --survey"),
        (("--preset", "shopify-orders"), "--preset can't stand beside --survey"),
        (("--customer", "customer"), "--customer can't stand beside --survey"),
    ],
)
def test_a_survey_says_itself_what_columns_are(wayfare, files: Path, args: tuple[str, ...], said: str):
    done = wayfare("ingest", files / "w", files / "answers.csv", "--survey", files / "survey.yaml", *args)
    assert done.code == 2
    assert said in done.err


def test_a_fault_of_the_document_is_named_with_its_line(wayfare, files: Path):
    (files / "survey.yaml").write_text(SURVEY + "  - {key: x, kind: npx}\n")
    done = wayfare("ingest", files / "w", files / "answers.csv", "--survey", files / "survey.yaml")
    assert done.code == 2
    assert "survey.yaml, line 8" in done.err
    assert not (files / "w").exists()


def test_a_document_that_says_something_else_is_warned_of(wayfare, files: Path):
    wayfare("ingest", files / "w", files / "answers.csv", "--survey", files / "survey.yaml")
    (files / "survey.yaml").write_text(SURVEY.replace("1 to 5", "1 to 7"))
    done = wayfare(
        "ingest", files / "w", files / "answers.csv", "--survey", files / "survey.yaml", "--format", "json"
    )
    assert json.loads(done.out)["duplicates"] == 3
    assert "said something else before" in done.err


def test_answers_in_a_frame(files: Path):
    frame = pd.read_csv(files / "answers.csv")
    with pytest.warns(UserWarning, match="2 of 5 rows"):
        log = wf.read_answers(frame, wf.load_survey(files / "survey.yaml"))
    assert (log.facts.rows, log.facts.customers) == (3, 2)
    assert scores(log) == {9: 1, 5: 1, 4: 1}
    with pytest.warns(UserWarning, match="2 of 5 rows"):
        assert wf.read_answers(files / "answers.csv", wf.load_survey(files / "survey.yaml")).facts.rows == 3


REPPEL = """\
name: transfers
date: 2021-01-01
respondent: ID
wording: short
table: q-rule.yaml
questions:
"""
Q_RULE = """\
name: questionable
rows:
  like: Q A A A O
  must_be: R Q I I M
  neutral: R I I I M
  live_with: R I I Q M
  dislike: R R R R Q
"""
# REFERENCE: kano_reppel, transfers, n=358, A O M I R Q
TRANSFERS = {
    "F6": [91, 19, 9, 160, 49, 30], "F7": [70, 121, 59, 77, 9, 22], "F8": [78, 122, 66, 62, 7, 23],
    "F9": [145, 76, 25, 78, 12, 22], "F10": [18, 174, 90, 42, 7, 27], "F11": [88, 90, 32, 105, 15, 28],
}  # fmt: skip


def test_the_transfers_of_reppel_with_a_table_of_their_own(wayfare, tmp_path: Path, shared_data: Path):
    features = "".join(f"  - {{key: {key}, kind: kano, importance: {key}_importance}}\n" for key in TRANSFERS)
    (tmp_path / "survey.yaml").write_text(REPPEL + features)
    (tmp_path / "q-rule.yaml").write_text(Q_RULE)
    source = shared_data / "kano_reppel" / "transfers--all_cohorts-clean.csv"
    assert wayfare("ingest", tmp_path / "w", source, "--survey", tmp_path / "survey.yaml").code == 0
    study = open_study(tmp_path / "w")
    assert study.log.facts.customers == 358
    tables = tables_by_question(study.surveys)
    names = {
        name: study.log.names(name).to_list()
        for name in ("survey", "question", "functional", "dysfunctional")
    }
    counts: Counter[tuple[str, str]] = Counter()
    for index in range(study.log.source.blocks):
        block = study.log.source.read(index, ("customer", "time", *names))
        for codes in zip(*(block[name].tolist() for name in names), strict=True):
            survey, question, *pair = (known[code] for known, code in zip(names.values(), codes, strict=True))
            counts[question, tables[survey, question].category(*pair)] += 1
    assert {key: [counts[key, category] for category in CATEGORIES] for key in TRANSFERS} == TRANSFERS
