"""The public questionnaires of `kano_reppel`, from the raw CSV through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from wayfare.cli.main import main

# REFERENCE.md, `kano_reppel`, transfers, n = 358: A, O, M, I, R, Q; category; CS+; CS−.
TRANSFERS = {
    "F6": ((91, 19, 9, 160, 49, 30), "I", 0.394, -0.100),
    "F7": ((70, 121, 59, 77, 9, 22), "O", 0.584, -0.550),
    "F8": ((78, 122, 66, 62, 7, 23), "O", 0.610, -0.573),
    "F9": ((145, 76, 25, 78, 12, 22), "A", 0.682, -0.312),
    "F10": ((18, 174, 90, 42, 7, 27), "O", 0.593, -0.815),
    "F11": ((88, 90, 32, 105, 15, 28), "O", 0.565, -0.387),
}
# The study's own rule: (must-be, must-be) and (live-with, live-with) are questionable too.
Q_RULE = """\
name: questionable
rows:
  like: Q A A A O
  must_be: R Q I I M
  neutral: R I I I M
  live_with: R I I Q M
  dislike: R R R R Q
"""
WORDINGS = {"cohort1": "classic", "cohort3": "blauth", "cohort4": "short"}


def document(name: str, features: list[str], wording: str, table: str) -> str:
    questions = "".join(f"  - {{key: {f}, kind: kano, importance: {f}_importance}}\n" for f in features)
    head = f"name: {name}\ndate: 2021-01-01\nrespondent: ID\nwording: {wording}\ntable: {table}\n"
    return f"{head}attributes: [Gender]\nquestions:\n{questions}"


def run(*args: object) -> None:
    assert main([str(arg) for arg in args]) == 0


@pytest.fixture(scope="module")
def transfers(tmp_path_factory, shared_data: Path) -> Path:
    folder = tmp_path_factory.mktemp("reppel")
    (folder / "q-rule.yaml").write_text(Q_RULE)
    (folder / "survey.yaml").write_text(document("transfers", list(TRANSFERS), "short", "q-rule.yaml"))
    source = shared_data / "kano_reppel" / "transfers--all_cohorts-clean.csv"
    run("ingest", folder / "w", source, "--survey", folder / "survey.yaml")
    return folder / "w"


def said(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict:
    capsys.readouterr()
    run("run", folder, "kano", *options, "--format", "json")
    return json.loads(capsys.readouterr().out)


def test_the_transfers(transfers, capsys):
    result = said(transfers, capsys)
    found = {row["feature"]: row for row in result["tables"]["features"]}
    assert set(found) == set(TRANSFERS)
    for feature, (counts, category, plus, minus) in TRANSFERS.items():
        row = found[feature]
        assert tuple(row[c] for c in "AOMIRQ") == counts
        assert row["n"] == 358
        assert row["category"] == category
        assert (round(row["cs_plus"], 3), round(row["cs_minus"], 3)) == (plus, minus)
    assert "358 answers each" in result["findings"][0]


def test_stated_importance_is_that_of_the_file(transfers, capsys, shared_data):
    frame = pd.read_csv(shared_data / "kano_reppel" / "transfers--all_cohorts-clean.csv")
    scores = {row["feature"]: row for row in said(transfers, capsys)["tables"]["scores"]}
    for feature in TRANSFERS:
        stated = frame[f"{feature}_importance"].str.extract(r"^(\d)")[0].astype(float)
        assert scores[feature]["importance_n"] == stated.notna().sum()
        assert scores[feature]["importance"] == pytest.approx(stated.mean())


def test_the_classic_table_doubts_fewer_answers(transfers, capsys):
    rows = {
        row["feature"]: row
        for row in said(transfers, capsys, "--evaluation", "classic")["tables"]["features"]
    }
    for feature, (counts, *_) in TRANSFERS.items():
        moved = counts[5] - rows[feature]["Q"]
        assert moved >= 0
        assert rows[feature]["I"] == counts[3] + moved


def test_by_a_column_of_the_file(transfers, capsys, shared_data):
    frame = pd.read_csv(shared_data / "kano_reppel" / "transfers--all_cohorts-clean.csv")
    groups = said(transfers, capsys, "--by", "Gender")["tables"]["groups"]
    n = {(row["group"], row["feature"]): row["n"] for row in groups}
    assert {group: n[group, "F6"] for group, _ in n} == frame["Gender"].value_counts().to_dict()


@pytest.mark.parametrize("cohort", sorted(WORDINGS))
def test_the_same_questions_in_other_words(cohort, tmp_path, shared_data, capsys):
    """Storage, asked in different wordings: the halves against a plain count of the file."""
    source = shared_data / "kano_reppel" / f"storage--{cohort}-clean.csv"
    features = [f"F{number}" for number in range(1, 6)]
    (tmp_path / "survey.yaml").write_text(document("storage", features, WORDINGS[cohort], "reppel"))
    run("ingest", tmp_path / "w", source, "--survey", tmp_path / "survey.yaml")
    found = {row["feature"]: row for row in said(tmp_path / "w", capsys)["tables"]["features"]}
    frame = pd.read_csv(source)
    likes = {
        "classic": "I like it that way",
        "blauth": "This would be very helpful to me",
        "short": "I like it",
    }
    liked = likes[WORDINGS[cohort]]
    for feature in features:
        both = (frame[f"{feature}_functional"] == liked) & (frame[f"{feature}_dysfunctional"] != liked)
        assert found[feature]["A"] + found[feature]["O"] == both.sum()
        assert found[feature]["n"] == len(frame)
