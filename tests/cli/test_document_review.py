"""`wayfare documents DIR review`: today's verdicts, what flipped, decisions and the next date, as a revision."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from wayfare.workspace.folder import init

CANVAS = """\
document: canvas
name: canvas
value_propositions:
  - id: fast
    text: Delivered tomorrow
    hypothesis: Half of all who look buy
    bindings:
      metric:
        measure: conversion_rate
        at_least: 25%
  - id: cheap
    text: Cheaper than others
    hypothesis: Nine in ten buy
    bindings:
      metric:
        measure: conversion_rate
        at_least: 90%
  - id: loose
    text: Bound to nothing
"""
THEN = """\
reviews:
  - date: 2024-05-01
    who: Grace
    revision: 1
    verdicts:
      - item: fast
        verdict: fails
        value: 0.1
        n: 40
      - item: cheap
        verdict: fails
        value: 0.1
        n: 40
    decisions: [Deliver faster]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wayfare) -> Path:
    """200 customers who look, of whom every other one buys; a canvas with three items, not yet imported."""
    monkeypatch.delenv("WAYFARE_DATABASE", raising=False)
    monkeypatch.setenv("WAYFARE_USER", "Ada")
    folder = init(tmp_path / "shop", "Shop", "EUR", "Europe/Amsterdam").folder
    lines = ["customer,time,event"]
    for number in range(200):
        lines.append(f"c{number},2024-01-{1 + number % 28:02d}T10:00:00Z,product_view")
        if number % 2:
            lines.append(f"c{number},2024-01-{1 + number % 28:02d}T11:00:00Z,purchase")
    (folder / "events.csv").write_text("\n".join(lines) + "\n")
    done = wayfare("ingest", folder, folder / "events.csv")
    assert done.code == 0, done.err
    (folder / "canvas.yaml").write_text(CANVAS)
    return folder


def imported(wayfare, folder: Path, text: str = CANVAS) -> None:
    (folder / "canvas.yaml").write_text(text)
    done = wayfare("documents", folder, "import", folder / "canvas.yaml")
    assert done.code == 0, done.err


def said(done) -> dict:
    assert done.code == 0, done.err
    return json.loads(done.out)


def reviews(wayfare, folder: Path, *options: str) -> list[dict]:
    whole = said(wayfare("documents", folder, "show", "canvas", "--format", "json", *options))
    return whole["content"].get("reviews", [])


def today() -> date:
    """Of the workspace's zone, which the clock of the tests may be a day behind of."""
    from zoneinfo import ZoneInfo

    return datetime.now(UTC).astimezone(ZoneInfo("Europe/Amsterdam")).date()


def test_a_first_review_keeps_the_verdicts_the_decisions_and_the_next_day(wayfare, folder: Path):
    imported(wayfare, folder)
    following = f"{today() + timedelta(days=90)}"
    done = wayfare(
        "documents",
        folder,
        "review",
        "canvas",
        "Keep going",
        "Drop the price",
        "--next",
        following,
        "-m",
        "Spring",
    )
    assert done.code == 0, done.err
    (kept,) = reviews(wayfare, folder)
    assert (kept["date"], kept["who"], kept["revision"]) == (f"{today()}", "Ada", 1)
    assert (kept["decisions"], kept["next"]) == (["Keep going", "Drop the price"], following)
    # 100 of 200 bought: half holds at 25% and fails at 90%, by hand.
    assert [(v["item"], v["verdict"], v["value"], v["n"]) for v in kept["verdicts"]] == [
        ("fast", "holds", 0.5, 200), ("cheap", "fails", 0.5, 200),
    ]  # fmt: skip
    assert "The first review: 2 verdicts kept." in done.err
    assert f"due on {following}" in done.err
    newest = json.loads(wayfare("documents", folder, "history", "canvas", "--format", "json").out)[0]
    assert (newest["number"], newest["who"], newest["why"]) == (2, "Ada", "Spring")


def test_what_flipped_is_said(wayfare, folder: Path):
    imported(wayfare, folder, CANVAS + THEN)
    done = wayfare("documents", folder, "review", "canvas")
    assert done.code == 0, done.err
    assert "1 of 2 flipped since the review of 2024-05-01." in done.err
    assert "fast" in done.out
    assert "cheap" not in done.out
    assert len(reviews(wayfare, folder)) == 2


def test_json_says_all_and_a_second_look_flips_nothing(wayfare, folder: Path):
    imported(wayfare, folder, CANVAS + THEN)
    first = said(wayfare("documents", folder, "review", "canvas", "--format", "json"))
    assert first["revision"]["number"] == 2
    assert first["review"]["date"] == f"{today()}"
    assert [(row["item"], row["verdict_then"], row["verdict_now"], row["value_then"], row["value_now"]) for row in first["flipped"]] == [
        ("fast", "fails", "holds", 0.1, 0.5)
    ]  # fmt: skip
    assert said(wayfare("documents", folder, "review", "canvas", "--format", "json"))["flipped"] == []
    again = wayfare("documents", folder, "review", "canvas")
    assert f"Nothing flipped since the review of {today()}" in again.err
    assert again.out == ""


def test_the_analysis_takes_up_the_review(wayfare, folder: Path):
    imported(wayfare, folder, CANVAS + THEN)
    following = f"{today() + timedelta(days=30)}"
    assert wayfare("documents", folder, "review", "canvas", "Carry on", "--next", following).code == 0
    late = f"{today() + timedelta(days=50)}"
    tables = said(wayfare("run", folder, "canvas_review", "--now", late, "--format", "json"))
    answers = {row["question"]: row["answer"] for row in tables["tables"]["review"]}
    assert answers["How many days is it overdue?"] == "20"
    assert [row["text"] for row in tables["tables"]["decisions"]] == ["Carry on", "Deliver faster"]


def test_a_branch_is_reviewed_on_its_own(wayfare, folder: Path):
    imported(wayfare, folder)
    wayfare("documents", folder, "branch", "canvas", "bold")
    done = wayfare("documents", folder, "review", "canvas", "--branch", "bold")
    assert done.code == 0, done.err
    assert len(reviews(wayfare, folder, "--branch", "bold")) == 1
    assert reviews(wayfare, folder) == []


def test_undo_takes_it_back(wayfare, folder: Path):
    imported(wayfare, folder)
    wayfare("documents", folder, "review", "canvas")
    assert wayfare("documents", folder, "undo", "canvas").code == 0
    assert reviews(wayfare, folder) == []


def test_somebody_who_saves_meanwhile_is_not_overwritten(
    wayfare, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    imported(wayfare, folder)
    from wayfare.cli import document_review

    looked = document_review._evidence

    def meanwhile(asked, canvas):
        found = looked(asked, canvas)
        asked.documents.save(canvas.model_copy(update={"about": "Changed"}), based_on=1, who="Grace")
        return found

    monkeypatch.setattr(document_review, "_evidence", meanwhile)
    done = wayfare("documents", folder, "review", "canvas")
    assert done.code != 0
    assert "Grace" in done.err
    assert reviews(wayfare, folder) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("review",), "Something is missing"),
        (("review", "canvas", " "), "decision"),
        (("review", "canvas", "--next", "soon"), "'soon' is not a day"),
        (("review", "canvas", "--next", "2020-01-01"), "has to come after this one"),
        (("review", "canvs"), "canvas"),
        (("review", "canvas", "--branch", "bold"), "bold"),
        (("list", "--next", "2030-01-01"), "Only a review has a next one"),
    ],
)
def test_bad_input_is_named(wayfare, folder: Path, words, told):
    imported(wayfare, folder)
    done = wayfare("documents", folder, *words)
    assert done.code != 0
    assert told in done.err
    assert "Traceback" not in done.err
    assert reviews(wayfare, folder) == []


def test_only_a_canvas_has_reviews(wayfare, folder: Path):
    assert wayfare("documents", folder, "new", "value_chain", "chain").code == 0
    done = wayfare("documents", folder, "review", "chain")
    assert done.code != 0
    assert "value chain; reviews are of a canvas" in done.err


def test_without_a_metric_there_are_no_verdicts(wayfare, folder: Path):
    assert wayfare("documents", folder, "new", "canvas", "bare").code == 0
    done = wayfare("documents", folder, "review", "bare", "Fill it in")
    assert done.code == 0, done.err
    assert "no verdicts are kept" in done.err
