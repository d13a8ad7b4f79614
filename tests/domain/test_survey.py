"""Survey documents: what is usual where nothing is said, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from wayfare.domain.kano import (
    ANSWERS,
    EvaluationTable,
    Wording,
    evaluation_table,
    evaluation_tables,
    wording,
    wordings,
)
from wayfare.domain.survey import Ces, Scale, Survey, survey_of, tables_by_question
from wayfare.errors import BadInput, UnknownName


def survey(*questions: dict[str, Any], **changes: Any) -> Survey:
    return survey_of({"name": "s", "date": "2024-01-01", "questions": questions, **changes})


def test_the_classic_table_is_that_of_berger():
    # REFERENCE: like Q A A A O; must-be, neutral, live-with R I I I M; dislike R R R R Q.
    rows = ["".join(row) for row in evaluation_table("classic").matrix]
    assert rows == ["QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"]


def test_reppel_also_doubts_two_equal_answers():
    classic, reppel = evaluation_table("classic").matrix, evaluation_table("reppel").matrix
    other = {(i, j) for i in range(5) for j in range(5) if classic[i][j] != reppel[i][j]}
    assert other == {(1, 1), (3, 3)}
    assert reppel[1][1] == reppel[3][3] == "Q"


def test_three_answers_have_the_same_categories_in_every_table():
    told = wording("three").answers
    for name in evaluation_tables():
        table = evaluation_table(name)
        assert ["".join(table.category(row, column) for column in told) for row in told] == [
            "QAO",
            "RIM",
            "RRQ",
        ]


@pytest.mark.parametrize("name", wordings())
def test_wordings_have_an_answer_for_each_text(name: str):
    found = wording(name)
    assert found.name == name
    assert set(found.codes.values()) == set(found.answers)
    assert len(found.answers) == (3 if name == "three" else len(ANSWERS))


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(UnknownName, match="classic"):
        wording("clasic")
    with pytest.raises(UnknownName, match="reppel"):
        survey({"key": "x", "kind": "kano"}, table="repel")


def test_a_text_stands_for_one_answer():
    with pytest.raises(ValueError, match="stands for like and for dislike"):
        Wording(answers={"like": ("Yes",), "dislike": ("YES.",)})


def test_an_own_table_is_complete():
    rows = dict.fromkeys(ANSWERS, "Q A A A O")
    assert EvaluationTable(rows=rows).category("like", "dislike") == "O"
    with pytest.raises(ValueError, match="a table needs a row"):
        EvaluationTable(rows={**rows, "like": "Q A"})


def test_what_is_usual():
    found = survey(
        {"key": "n", "kind": "nps"},
        {"key": "k", "kind": "kano"},
        {"key": "e", "kind": "ces", "measures": "effort"},
    )
    assert (found.is_anonymous, found.answers_once) == (True, True)
    assert [question.columns for question in found.questions] == [
        ("n",),
        ("k_functional", "k_dysfunctional"),
        ("e",),
    ]
    assert isinstance(found.question("e"), Ces)
    assert str(found.question("e").scale) == "1 to 5"  # type: ignore[union-attr]
    assert (found.wording_of(found.kano[0]).name, found.table_of(found.kano[0]).name) == (
        "classic",
        "classic",
    )
    assert [question.key for question in found.of_kind("nps")] == ["n"]


def test_a_question_may_have_its_own_table():
    found = survey(
        {"key": "a", "kind": "kano", "table": "classic"}, {"key": "b", "kind": "kano"}, table="reppel"
    )
    assert {key: table.name for key, table in tables_by_question({"s": found}).items()} == {
        ("s", "a"): "classic",
        ("s", "b"): "reppel",
    }


@pytest.mark.parametrize("written", ["1 to 10", "1-10", "1 – 10", {"low": 1, "high": 10}])
def test_scales_as_people_write_them(written: Any):
    assert str(Scale.model_validate(written)) == "1 to 10"


Q = {"key": "q", "kind": "nps"}


@pytest.mark.parametrize(
    ("questions", "changes", "said"),
    [
        ([], {}, "needs questions"),
        ([Q, Q], {}, "'q' stands for two questions"),
        ([Q, {"key": "r", "kind": "nps", "column": "q"}], {}, "'q' stands for two questions"),
        ([Q], {"date": None}, "when answers were given"),
        ([Q], {"time": "at"}, "both"),
        ([Q], {"name": "../../x"}, "no name for a survey"),
        ([Q], {"attributes": ["score"]}, "'score'"),
        ([Q], {"respondant": "id"}, "Extra inputs"),
        ([{**Q, "scale": "1 to 5"}], {}, "0 to 10"),
        ([{"key": "r", "kind": "rating", "scale": "5 to 1"}], {}, "before it begins"),
        ([{"key": "r", "kind": "rating", "scale": "five"}], {}, "write `1 to 10`"),
        ([{"key": "r", "kind": "csat", "coding": {"great": 6}}], {}, "off the scale"),
        (
            [{"key": "r", "kind": "kano", "functional": "r_dysfunctional", "dysfunctional": "r_functional"}],
            {},
            "swapped",
        ),
    ],
)
def test_what_is_refused(questions: list[dict[str, Any]], changes: dict[str, Any], said: str):
    with pytest.raises(BadInput, match=said):
        survey(*questions, **changes)
