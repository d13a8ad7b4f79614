"""Survey documents of a workspace: faults with their lines, and copies that need nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from wayfare.errors import BadInput
from wayfare.workspace.folder import init
from wayfare.workspace.surveys import keep_survey, load_survey, parse_survey, survey_text, surveys_of

HEAD = "name: tastes\ndate: 2024-05-01\n"
NPS = "questions:\n  - key: n\n    kind: nps\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{HEAD}respondant: id\n{NPS}", 3, "Did you mean 'respondent'?"),
        (f"{HEAD}{NPS}    sclae: 1 to 5\n", 6, "Did you mean 'scale'?"),
        (f"{HEAD}questions:\n  - key: n\n    kind: npx\n", 5, "Did you mean 'nps'?"),
        (f"{HEAD}questions:\n  - key: n\n", 4, "does not say its kind"),
        (f"{HEAD}{NPS}    scale: 1 to 5\n", 6, "from 0 to 10"),
        (f"{HEAD}questions:\n  - key: n\n    kind: rating\n", 4, "'scale' is missing"),
        (f"{HEAD}questions: none\n", 3, "must be a list"),
        (f"{HEAD}{NPS}  - key: k\n    kind: kano\n    table: repel\n", 8, "'repel'"),
        (
            f"{HEAD}{NPS}  - key: k\n    kind: kano\n    table: {{rows: {{like: A}}}}\n",
            8,
            "a row for each of",
        ),
        (f"name: tastes\ndate: 2024-13-01\n{NPS}", 2, "'date' can't be '2024-13-01'"),
        (f"{HEAD}wave: {{col: year}}\n{NPS}", 3, "Did you mean 'column'?"),
        (f"{HEAD}{NPS}{NPS}", 6, "stands here twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, said: str):
    with pytest.raises(BadInput) as caught:
        parse_survey(text, "survey.yaml")
    assert caught.value.where == f"survey.yaml, line {line}"
    assert said.lower() in str(caught.value).lower()


def test_a_document_is_kept_as_it_was_written(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(f"# asked in May\n{HEAD}{NPS}")
    workspace = init(tmp_path / "w")
    kept = keep_survey(workspace, path, load_survey(path))
    assert (kept.path.name, kept.replaced) == ("tastes.yaml", False)
    assert kept.path.read_text() == path.read_text()
    assert not keep_survey(workspace, path, load_survey(path)).replaced
    path.write_text(f"{HEAD}about: more\n{NPS}")
    assert keep_survey(workspace, path, load_survey(path)).replaced
    assert surveys_of(workspace)["tastes"].about == "more"


def test_a_document_that_names_files_is_kept_whole(tmp_path: Path):
    own = "rows:\n" + "".join(
        f"  {answer}: Q A A A O\n" for answer in ("like", "must_be", "neutral", "live_with", "dislike")
    )
    (tmp_path / "table.yaml").write_text(f"name: ours\n{own}")
    (tmp_path / "words.yaml").write_text("name: dutch\nanswers:\n  like: [Fijn]\n  dislike: [Vervelend]\n")
    path = tmp_path / "mine.yaml"
    path.write_text(f"{HEAD}table: table.yaml\nquestions:\n  - {{key: k, kind: kano, wording: words.yaml}}\n")
    survey = load_survey(path)
    assert (survey.table_of(survey.kano[0]).name, survey.wording_of(survey.kano[0]).name) == ("ours", "dutch")
    workspace = init(tmp_path / "w")
    keep_survey(workspace, path, survey)
    for name in ("table.yaml", "words.yaml", "mine.yaml"):
        (tmp_path / name).unlink()
    assert surveys_of(workspace) == {"tastes": survey}


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(f"{HEAD}table: nowhere.yaml\n{NPS}")
    with pytest.raises(BadInput, match="no such file"):
        load_survey(path)
    with pytest.raises(BadInput, match="no such file"):
        load_survey(tmp_path / "neither.yaml")


def test_a_survey_written_out_reads_the_same():
    survey = parse_survey(f"{HEAD}wave: {{column: year}}\n{NPS}    text: 'How: likely?'\n", "x")
    assert parse_survey(survey_text(survey), "y") == survey


def test_a_workspace_without_surveys(tmp_path: Path):
    assert surveys_of(init(tmp_path / "w")) == {}
