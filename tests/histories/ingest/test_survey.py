"""Answers to surveys: wide and long files, what is wrong with answers, and counts that add up."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.histories.ingest.rows import events_of, summed
from wayfare.domain.kano import CATEGORIES
from wayfare.domain.survey import Survey, tables_by_question
from wayfare.errors import BadInput, UnknownName
from wayfare.histories.ingest import Mapping, ingest, quarantine
from wayfare.histories.ingest.summary import IngestSummary
from wayfare.histories.ingest.survey import ingest_answers
from wayfare.histories.store import open_sealed

SHOP: dict[str, Any] = {
    "name": "shop 2024",
    "respondent": "id",
    "time": "at",
    "touchpoint": "delivery",
    "wave": "spring",
    "attributes": {"country": "Country"},
    "no_answer": ["don't know"],
    "questions": [
        {"key": "recommend", "kind": "nps", "text": "How likely are you to recommend us?"},
        {"key": "happy", "kind": "csat", "coding": {"delighted": 5, "fine": 4, "meh": 3}},
        {"key": "effort", "kind": "rating", "scale": "1 to 7", "reverse": True},
        {"key": "gift", "kind": "kano", "feature": "Gift wrap", "importance": "gift_importance"},
        {"key": "why", "kind": "choice", "options": ["Price", "Taste"]},
        {"key": "seen", "kind": "choices", "options": ["Radio", "Web", "Friends"]},
        {"key": "words", "kind": "text"},
    ],
}
HEADER = (
    "id,at,Country,recommend,happy,effort,gift_functional,gift_dysfunctional,gift_importance,why,seen,words"
)
LIKE, DISLIKE = "I like it that way", "I dislike it that way"


def survey_of(**changes: Any) -> Survey:
    return Survey.model_validate({**SHOP, **changes})


def asking(*questions: dict[str, Any], **changes: Any) -> Survey:
    return Survey.model_validate(
        {"name": "asked", "respondent": "id", "date": "2024-05-01", "questions": list(questions), **changes}
    )


def read(folder: Path, survey: Survey, *texts: str, again: bool = False) -> IngestSummary:
    """The texts as files, one after the other into one log."""
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"answers{number}.csv"
        path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
        paths.append(str(path))
    return summed(ingest_answers(folder / "log", paths, survey))


def rows(folder: Path) -> list[dict[str, Any]]:
    return events_of(folder / "log")


def kept_aside(folder: Path) -> list[dict[str, Any]]:
    return [{**row, "row": json.loads(row["row"])} for row in quarantine.rows(folder / "log").to_pylist()]


def test_each_kind_of_question_is_one_row_of_its_own_form(tmp_path: Path):
    line = f'c1,2024-05-03 10:00,NL,9,fine,2,{LIKE},{DISLIKE},"7 - Very important",price,Web; Friends,Great beans'
    summary = read(tmp_path, survey_of(), f"{HEADER}\n{line}")
    assert (summary.rows_read, summary.kept, summary.customers) == (8, 8, 1)
    found = rows(tmp_path)
    by_question = {(row["question"], row["answer"]): row for row in found}
    assert [row["question"] for row in found] == [
        *("recommend", "happy", "effort", "gift", "why", "seen", "seen", "words")
    ]
    for row in found:
        assert (
            row["customer"],
            row["event"],
            row["survey"],
            row["wave"],
            row["touchpoint"],
            row["country"],
        ) == (*("c1", "survey_answer", "shop 2024", "spring", "delivery", "NL"),)
        assert row["time"] == "2024-05-03T10:00:00+00:00"
        assert row["straight_line"] is False
    scored = {question: row for (question, _), row in by_question.items() if row["score"] is not None}
    assert {key: (row["question_kind"], row["score"], row["answer"]) for key, row in scored.items()} == {
        "recommend": ("nps", 9.0, "9"),
        "happy": ("csat", 4.0, "fine"),
        "effort": ("rating", 6.0, "2"),  # reversed: 1 + 7 - 2
    }
    pair = next(row for row in found if row["question_kind"] == "kano")
    assert (pair["feature"], pair["functional"], pair["dysfunctional"], pair["importance"]) == (
        *("Gift wrap", "like", "dislike", 7.0),
    )
    assert pair["score"] is None
    assert by_question["why", "Price"]["score"] is None
    assert {answer for question, answer in by_question if question == "seen"} == {"Web", "Friends"}
    assert [row["comment"] for row in found if row["comment"]] == ["Great beans"]


def test_a_long_file_gives_the_same_rows(tmp_path: Path):
    line = f"c1,2024-05-03 10:00,NL,9,fine,2,{LIKE},{DISLIKE},7,price,Web;Friends,Great beans"
    (tmp_path / "wide").mkdir()
    read(tmp_path / "wide", survey_of(), f"{HEADER}\n{line}")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "at", "Country", "question", "answer"])
    for question, answer in zip(HEADER.split(",")[3:], line.split(",")[3:], strict=True):
        writer.writerow(["c1", "2024-05-03 10:00", "NL", question, answer])
    (tmp_path / "long").mkdir()
    summary = read(tmp_path / "long", survey_of(), text.getvalue())
    assert (summary.rows_read, summary.kept) == (8, 8)

    def by_id(folder: Path) -> list[dict[str, Any]]:
        return sorted(rows(folder), key=lambda row: row["event_id"])

    assert by_id(tmp_path / "long") == by_id(tmp_path / "wide")


def test_a_long_line_may_hold_both_halves_of_a_pair(tmp_path: Path):
    survey = asking({"key": "gift", "kind": "kano"}, {"key": "n", "kind": "nps"})
    text = f"id,question,answer,functional,dysfunctional\na,gift,,{LIKE},{DISLIKE}\na,N,7,,\n"
    assert read(tmp_path, survey, text).kept == 2
    assert [(row["functional"], row["dysfunctional"], row["score"]) for row in rows(tmp_path)] == [
        ("like", "dislike", None),
        (None, None, 7.0),
    ]


ONE_FAULT = [
    ({"recommend": "eleven"}, "unknown answer"),
    ({"recommend": "11"}, "off the scale 0 to 10"),
    ({"recommend": "7.5"}, "between two points of the scale"),
    ({"happy": "furious"}, "unknown answer"),
    ({"gift_functional": "Perhaps"}, "unknown answer"),
    ({"gift_functional": "This would be very helpful to me"}, "answer in another wording (blauth)"),
    ({"gift_functional": ""}, "functional half of the pair missing"),
    ({"gift_dysfunctional": "NA"}, "dysfunctional half of the pair missing"),
    ({"gift_functional": "", "gift_dysfunctional": ""}, "both halves of the pair missing"),
    ({"gift_importance": "10"}, "importance: off the scale 1 to 9"),
    ({"gift_importance": "very"}, "importance: unknown answer"),
    ({"why": "Smell"}, "unknown answer"),
    ({"seen": "Web; Pigeon"}, "unknown answer"),
]


@pytest.mark.parametrize(("wrong", "reason"), ONE_FAULT, ids=lambda value: str(value)[:50])
def test_one_wrong_answer_leaves_the_others(tmp_path: Path, wrong: dict[str, str], reason: str):
    good = ["c1", "2024-05-03", "NL", "9", "5", "2", LIKE, DISLIKE, "7", "Price", "Web;Friends", "Great"]
    line = {**dict(zip(HEADER.split(","), good, strict=True)), **wrong}
    summary = read(tmp_path, survey_of(), f"{HEADER}\n{','.join(line.values())}")
    assert (summary.rows_read, summary.kept, summary.reasons) == (8, 7, {reason: 1})
    [aside] = kept_aside(tmp_path)
    assert (aside["reason"], aside["line"], aside["row"]["id"]) == (reason, 2, "c1")
    assert aside["row"]["question"] == next(iter(wrong)).partition("_")[0]


def test_blanks_are_no_answers_and_are_counted(tmp_path: Path):
    text = f"{HEADER}\nc1,2024-05-03,NL,9,,don't know,,,,,,\nc2,2024-05-03,NL,,,,,,,,,\n"
    summary = read(tmp_path, survey_of(), text)
    assert (summary.kept, summary.reasons) == (1, {"no question answered": 1})
    assert "13 were left blank" in summary.notes[0]  # 6 of c1, 7 of c2


def test_who_and_when_are_needed(tmp_path: Path):
    survey = asking({"key": "n", "kind": "nps"}, time="at", date=None)
    summary = read(tmp_path, survey, "id,at,n\n,2024-01-01,9\nb,,8\nc,yesterday,7\nd,2024-01-02,6\n")
    assert (summary.kept, summary.reasons) == (1, {"no customer": 1, "no time": 1, "time can't be read": 1})


def test_a_question_that_nobody_asked_is_put_aside(tmp_path: Path):
    summary = read(tmp_path, asking({"key": "n", "kind": "nps"}), "id,question,answer\na,n,9\na,m,3\n")
    assert (summary.kept, summary.reasons) == (1, {"unknown question": 1})
    assert kept_aside(tmp_path)[0]["row"]["question"] == "m"


def test_a_repeated_respondent_counts_once(tmp_path: Path):
    survey = asking({"key": "n", "kind": "nps"}, {"key": "m", "kind": "nps"})
    summary = read(tmp_path, survey, "id,n,m\na,9,1\na,9,2\nb,7,7\n")
    assert (summary.kept, summary.duplicates) == (4, 1)
    assert summary.reasons == {"second answer of the respondent": 1}
    assert [row["score"] for row in rows(tmp_path)] == [9, 1, 7, 7]


def test_a_later_file_is_held_against_the_log(tmp_path: Path):
    survey = asking({"key": "n", "kind": "nps"})
    read(tmp_path, survey, "id,n\na,9\nb,8\n")
    summary = read(tmp_path, survey, "id,n\na,9\nb,3\nc,1\n")
    assert (summary.kept, summary.duplicates) == (1, 1)
    assert summary.reasons == {"second answer of the respondent": 1}


def test_several_files_of_one_run_are_held_against_each_other(tmp_path: Path):
    survey = asking({"key": "n", "kind": "nps"})
    summary = read(tmp_path, survey, "id,n\na,9\nb,8\n", "id,n\na,9\nb,3\nc,1\n")
    assert (summary.kept, summary.duplicates) == (3, 1)
    assert summary.reasons == {"second answer of the respondent": 1}


def test_answers_at_other_times_or_in_other_waves_are_new_ones(tmp_path: Path):
    timed = asking({"key": "n", "kind": "nps"}, time="at", date=None)
    (tmp_path / "timed").mkdir()
    assert read(tmp_path / "timed", timed, "id,at,n\na,2024-01-01,9\na,2024-02-01,3\n").kept == 2
    once = asking({"key": "n", "kind": "nps"}, time="at", date=None, once=True)
    (tmp_path / "once").mkdir()
    assert read(tmp_path / "once", once, "id,at,n\na,2024-01-01,9\na,2024-02-01,3\n").kept == 1
    waves = asking({"key": "n", "kind": "nps"}, wave={"column": "w"})
    assert read(tmp_path, waves, "id,w,n\na,2023,9\na,2024,3\n").kept == 2
    assert {row["wave"] for row in rows(tmp_path)} == {"2023", "2024"}


@pytest.mark.parametrize(
    "again", ["2024-05-01T10:00:00", "2024-05-01 10:00", "2024-05-01T10:00:00.000Z", "2024-05-01 10:00:00+00"]
)
def test_an_answer_is_known_again_however_its_time_is_written(tmp_path: Path, again: str):
    survey = asking({"key": "n", "kind": "nps"}, time="at", date=None)
    read(tmp_path, survey, "id,at,n\na,2024-05-01 10:00:00,9\n")
    assert read(tmp_path, survey, f"id,at,n\na,{again},9\n").duplicates == 1


def test_straight_liners_are_flagged_and_kept(tmp_path: Path):
    keys = [f"q{number}" for number in range(5)]
    survey = asking(*({"key": key, "kind": "rating", "scale": "1 to 5"} for key in keys))
    summary = read(tmp_path, survey, f"id,{','.join(keys)}\na,3,3,3,3,3\nb,3,3,3,3,4\nc,3,3,3,3,\n")
    assert (summary.kept, summary.quarantined) == (14, 0)
    assert {row["customer"] for row in rows(tmp_path) if row["straight_line"]} == {"a"}
    assert any("1 of 3 respondents" in note for note in summary.notes)


def test_straight_lines_through_pairs(tmp_path: Path):
    survey = asking(*({"key": key, "kind": "kano"} for key in "xyz"))
    halves = ",".join(f"{key}_functional,{key}_dysfunctional" for key in "xyz")
    lines = [f"a{',I am neutral' * 6}", f"b{f',{LIKE},{DISLIKE}' * 3}"]
    read(tmp_path, survey, "\n".join([f"id,{halves}", *lines]))
    assert {row["customer"] for row in rows(tmp_path) if row["straight_line"]} == {"a"}


def test_swapped_halves_are_put_aside(tmp_path: Path):
    pair = {"key": "gift", "kind": "kano"}
    text = "id,gift_functional,gift_dysfunctional\n" + "".join(f"c{n},{DISLIKE},{LIKE}\n" for n in range(6))
    text += f"d,{LIKE},{DISLIKE}\n"
    with pytest.raises(BadInput, match="swapped"):
        read(tmp_path, asking(pair), text)
    mixed = asking(pair, {"key": "n", "kind": "nps"})
    summary = read(tmp_path, mixed, _with_n(text))
    assert summary.kept == 7
    assert summary.reasons == {"reversed pair: most do not want this feature, or its halves are swapped": 7}


def _with_n(text: str) -> str:
    first, *others = text.splitlines()
    return "\n".join([f"{first},n", *(f"{line},5" for line in others)])


@pytest.mark.parametrize(
    ("says", "pair"),
    [({"reverse": True}, ("like", "dislike")), ({"accept_reversed": True}, ("dislike", "like"))],
)
def test_a_survey_may_say_that_halves_are_swapped_or_a_feature_unwanted(
    tmp_path: Path, says: dict[str, bool], pair: tuple[str, str]
):
    text = "id,gift_functional,gift_dysfunctional\n" + "".join(f"c{n},{DISLIKE},{LIKE}\n" for n in range(6))
    assert read(tmp_path, asking({"key": "gift", "kind": "kano", **says}), text).kept == 6
    assert {(row["functional"], row["dysfunctional"]) for row in rows(tmp_path)} == {pair}


def test_half_a_scale_is_worth_a_word(tmp_path: Path):
    survey = asking({"key": "n", "kind": "nps"})
    lines = "".join(f"c{number},{number % 5 + 1}\n" for number in range(40))
    notes = read(tmp_path, survey, f"id,n\n{lines}").notes
    assert any("all 40 answers lie from 1 to 5, on a scale 0 to 10" in note for note in notes)


def test_ticked_options_have_a_column_each(tmp_path: Path):
    survey = asking({"key": "seen", "kind": "choices", "ticked": {"s_web": "Web", "s_tv": "TV"}})
    summary = read(tmp_path, survey, "id,s_web,s_tv\na,1,0\nb,yes,TV\nc,,maybe\n")
    assert (summary.kept, summary.reasons) == (3, {"unknown answer": 1})
    assert [(row["customer"], row["answer"]) for row in rows(tmp_path)] == [
        ("a", "Web"),
        ("b", "Web"),
        ("b", "TV"),
    ]
    assert kept_aside(tmp_path)[0]["row"]["question"] == "s_tv"


@pytest.mark.parametrize("wording", ["classic", "short", "blauth", "acceptance", "three"])
def test_every_wording_is_understood(tmp_path: Path, wording: str):
    survey = asking({"key": "x", "kind": "kano", "wording": wording})
    texts = survey.wording_of(survey.kano[0]).answers
    lines = [f'{answer},"{said[0]}","{said[-1].upper()}."' for answer, said in texts.items()]
    assert read(tmp_path, survey, "\n".join(["id,x_functional,x_dysfunctional", *lines])).kept == len(texts)
    assert all(row["customer"] == row["functional"] == row["dysfunctional"] for row in rows(tmp_path))


def test_anonymous_respondents_have_ids_of_their_own(tmp_path: Path):
    survey = asking({"key": "n", "kind": "nps"}, {"key": "m", "kind": "nps"}, respondent="")
    summary = read(tmp_path, survey, "n,m\n9,9\n9,9\n1,12\n")
    assert (summary.kept, summary.customers, summary.quarantined) == (5, 3, 1)
    assert all(row["customer"].startswith("anonymous:") for row in rows(tmp_path))
    [third] = [row["customer"] for row in rows(tmp_path) if row["score"] == 1]
    assert kept_aside(tmp_path)[0]["row"]["respondent"] == third


def test_an_anonymous_survey_forgets_the_id(tmp_path: Path):
    survey = asking({"key": "n", "kind": "nps"}, anonymous=True)
    read(tmp_path, survey, "id,n\nsecret-1,9\nsecret-2,12\n")
    files = [path for path in (tmp_path / "log").rglob("*") if path.is_file()]
    assert files
    assert not any(b"secret" in path.read_bytes() for path in files)
    assert "secret" not in str(kept_aside(tmp_path))
    again = read(tmp_path, survey, "id,n\nsecret-1,9\nsecret-2,10\n")
    assert (again.kept, again.duplicates) == (1, 1)


def test_mended_answers_join_the_log(tmp_path: Path):
    text = (
        f"{HEADER}\nc1,2024-05-03,NL,99,fine,2,{LIKE},,7,Smell,Web; Pigeon,Great\nc2,not a day,NL,8,,,,,,,,\n"
    )
    summary = read(tmp_path, survey_of(), text)
    assert (summary.kept, summary.quarantined) == (4, 5)
    mend = tmp_path / "mend.csv"
    assert quarantine.export(tmp_path / "log", mend) == 5
    frame = pd.read_csv(mend, dtype=str, keep_default_na=False)
    frame.loc[frame.answer == "99", "answer"] = "9"
    frame.loc[frame.question == "gift", "dysfunctional"] = DISLIKE
    frame.loc[frame.answer == "Smell", "answer"] = "Taste"
    frame.loc[frame.id == "c2", "at"] = "2024-05-04"
    frame.to_csv(mend, index=False)
    again = summed(quarantine.rerun(tmp_path / "log", mend))
    assert (again.kept, again.reasons) == (4, {"unknown answer": 1})
    assert [row["row"]["answer"] for row in kept_aside(tmp_path)] == ["Pigeon"]
    found = {(row["customer"], row["question"]): row for row in rows(tmp_path)}
    assert found["c1", "recommend"]["score"] == 9
    assert found["c1", "gift"]["dysfunctional"] == "dislike"
    assert found["c2", "recommend"]["score"] == 8
    assert found["c2", "recommend"]["touchpoint"] == "delivery"


def test_a_corrected_survey_reads_what_was_put_aside(tmp_path: Path):
    wrong = asking({"key": "n", "kind": "rating", "scale": "1 to 5"})
    read(tmp_path, wrong, "id,n\na,9\nb,3\n")
    right = asking({"key": "n", "kind": "rating", "scale": "1 to 10"})
    again = summed(quarantine.rerun(tmp_path / "log", surveys={right.name: right}))
    assert (again.kept, again.quarantined) == (1, 0)
    assert {row["score"] for row in rows(tmp_path)} == {9, 3}


def test_malformed_lines_are_mended_as_lines(tmp_path: Path):
    survey = asking({"key": "n", "kind": "nps"}, {"key": "m", "kind": "nps"})
    summary = read(tmp_path, survey, "id,n,m\na,9,8\nb,9,8,7,6\nc,1,2\nd,11,2\n")
    assert (summary.kept, summary.quarantined) == (5, 2)
    assert {row["line"] for row in kept_aside(tmp_path)} == {3, 5}
    mend = tmp_path / "mend.csv"
    quarantine.export(tmp_path / "log", mend)
    frame = pd.read_csv(mend, dtype=str, keep_default_na=False)
    frame[frame.quarantine_line == "3"].assign(id="b", n="9", m="8").to_csv(mend, index=False)
    again = summed(quarantine.rerun(tmp_path / "log", mend))
    assert (again.kept, again.quarantined) == (2, 0)
    assert [row["line"] for row in kept_aside(tmp_path)] == [5]


def test_a_question_may_be_called_like_a_column_of_a_long_file(tmp_path: Path):
    survey = asking({"key": "answer", "kind": "nps"}, {"key": "m", "kind": "nps"})
    assert read(tmp_path, survey, "id,question,answer\na,answer,9\na,m,8\n").kept == 2
    assert {row["question"]: row["score"] for row in rows(tmp_path)} == {"answer": 9, "m": 8}


def test_answers_join_the_histories_of_customers(tmp_path: Path):
    events = tmp_path / "events.csv"
    events.write_text("id,at,what\nc1,2024-05-01,purchase\nc1,2024-05-02,delivery\nc2,2024-05-01,purchase\n")
    ingest(tmp_path / "log", [str(events)], mapping=Mapping.parse(customer="id", time="at", event="what"))
    survey = asking({"key": "n", "kind": "nps"}, time="at", date=None)
    summary = read(tmp_path, survey, "id,at,n\nc1,2024-05-03,9\nc9,2024-05-03,8\n")
    assert [row["event"] for row in rows(tmp_path) if row["customer"] == "c1"] == [
        *("purchase", "delivery", "survey_answer")
    ]
    assert any("1 of 2 respondents were not among the customers" in note for note in summary.notes)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("id,x\na,1\n", BadInput, "none of the columns"),
        ("who,n,m\na,1,1\n", UnknownName, "'id'"),
        ("id,n\na,1\n", UnknownName, "'m'"),
        ("id,n,m\n", BadInput, "no rows"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, error: type[Exception], said: str):
    with pytest.raises(error, match=said):
        read(tmp_path, asking({"key": "n", "kind": "nps"}, {"key": "m", "kind": "nps"}), text)
    assert not (tmp_path / "log" / "CURRENT").exists()


DIRT = st.sampled_from(
    ["", "0", "5", "10", "11", "-1", "7.5", "NA", "n/a", "7 - fine", "so-so", "  9 ", "don't know", '"', "5"]
)
HALVES = st.sampled_from(
    ["", LIKE, DISLIKE, "I am neutral", "i must be that way", "It must be that way.", "I like it", "3"]
)
OPTIONS = st.sampled_from(["", "Web", "web;Radio", "Pigeon", "Web;;Web", "Radio; TV"])
WHO = st.sampled_from(["a", "b", "c", "", " d "])


def answers_in(line: tuple[str, ...]) -> int:
    """How many answers a line of the dirty file gives; one without any is put aside as one."""
    _, *scored, functional, dysfunctional, options = line
    blank = ("", "NA", "n/a", "don't know")
    given = sum(cell.strip() not in blank for cell in scored) + bool(functional or dysfunctional)
    return max(1, given + sum(option.strip() != "" for option in options.split(";")))


@hypothesis_settings(max_examples=20)
@given(st.lists(st.tuples(WHO, DIRT, DIRT, HALVES, HALVES, OPTIONS), min_size=1, max_size=25))
def test_counts_add_up_whatever_was_answered(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, ...]]
):
    folder = tmp_path_factory.mktemp("dirt")
    survey = asking(
        {"key": "n", "kind": "nps"}, {"key": "m", "kind": "csat"}, {"key": "k", "kind": "kano"},
        {"key": "o", "kind": "choices", "options": ["Web", "Radio"]}, no_answer=["don't know"],
    )  # fmt: skip
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "n", "m", "k_functional", "k_dysfunctional", "o"])
    writer.writerows([*lines, ("sure", "9", "5", LIKE, DISLIKE, "Web")])
    summary = read(folder, survey, text.getvalue())
    found = rows(folder)
    assert len(found) == summary.kept
    assert quarantine.rows(folder / "log").num_rows == summary.quarantined
    # Counted from the lines alone: what a blank is, and what each question's cells give.
    assert summary.rows_read == 4 + sum(answers_in(line) for line in lines)
    assert {row["line"] for row in kept_aside(folder)} <= set(range(2, len(lines) + 2))
    once = Counter((row["customer"], row["question"]) for row in found if row["question_kind"] != "choices")
    assert set(once.values()) == {1}
    assert all(0 <= row["score"] <= 10 for row in found if row["question_kind"] == "nps")


REPPEL = {
    "name": "transfers",
    "date": "2021-01-01",
    "respondent": "ID",
    "wording": "short",
    "table": "reppel",
    "questions": [
        {"key": f"F{n}", "kind": "kano", "importance": f"F{n}_importance"} for n in (6, 7, 8, 9, 10, 11)
    ],
}
# REFERENCE: kano_reppel, transfers, n=358, A O M I R Q
TRANSFERS = {
    "F6": [91, 19, 9, 160, 49, 30],
    "F7": [70, 121, 59, 77, 9, 22],
    "F8": [78, 122, 66, 62, 7, 23],
    "F9": [145, 76, 25, 78, 12, 22],
    "F10": [18, 174, 90, 42, 7, 27],
    "F11": [88, 90, 32, 105, 15, 28],
}


def test_the_transfers_of_reppel(tmp_path: Path, shared_data: Path):
    survey = Survey.model_validate(REPPEL)
    source = shared_data / "kano_reppel" / "transfers--all_cohorts-clean.csv"
    summary = summed(ingest_answers(tmp_path / "log", [str(source)], survey))
    assert (summary.rows_read, summary.kept, summary.customers) == (358 * 6, 358 * 6, 358)
    tables = tables_by_question({survey.name: survey})
    counts = Counter(
        (
            row["question"],
            tables[row["survey"], row["question"]].category(row["functional"], row["dysfunctional"]),
        )
        for row in rows(tmp_path)
    )
    assert {key: [counts[key, c] for c in CATEGORIES] for key in TRANSFERS} == TRANSFERS


@pytest.mark.parametrize(
    ("cohort", "wording", "people"),
    [(1, "classic", 91), (2, "acceptance", 97), (3, "blauth", 89), (4, "short", 86)],
)
def test_the_storage_cohorts_of_reppel_in_their_wordings(
    tmp_path: Path, shared_data: Path, cohort: int, wording: str, people: int
):
    questions = [{"key": f"F{n}", "kind": "kano", "importance": f"F{n}_importance"} for n in range(1, 6)]
    survey = Survey.model_validate({**REPPEL, "name": "storage", "wording": wording, "questions": questions})
    source = shared_data / "kano_reppel" / f"storage--cohort{cohort}-clean.csv"
    summary = summed(ingest_answers(tmp_path / "log", [str(source)], survey))
    assert (summary.kept, summary.customers, summary.quarantined) == (people * 5, people, 0)


def test_the_mobile_phone_survey(tmp_path: Path, shared_data: Path):
    source = shared_data / "satisfaction_ecsi" / "mobi.csv"
    keys = source.read_text().splitlines()[0].split(",")
    survey = asking(*({"key": key, "kind": "rating", "scale": "1 to 10"} for key in keys), respondent="")
    summary = summed(ingest_answers(tmp_path / "log", [str(source)], survey))
    assert (summary.kept, summary.customers) == (250 * 24, 250)
    scores = [row["score"] for row in rows(tmp_path) if row["question"] == "CUSA1"]
    assert sum(scores) / len(scores) == pytest.approx(7.988)  # data/README.md


def test_the_satisfaction_of_telco_customers(tmp_path: Path, shared_data: Path):
    source = shared_data / "telco" / "Telco_customer_churn_status.csv"
    question = {"key": "satisfaction", "kind": "csat", "column": "Satisfaction Score"}
    survey = asking(question, respondent="Customer ID", attributes={"status": "Customer Status"})
    summary = summed(ingest_answers(tmp_path / "log", [str(source)], survey))
    assert (summary.kept, summary.customers) == (7_043, 7_043)
    found = pd.DataFrame(rows(tmp_path))
    assert (found[found.score <= 2].status == "Churned").all()  # data/README.md: 1-2 means churned
    assert open_sealed(tmp_path / "log").schema["answer"].value == "code"
