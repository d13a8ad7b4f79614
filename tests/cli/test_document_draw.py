"""`wayfare documents DIR draw`: pictures and Markdown of a document, with what the log says, inside the workspace."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.charts import strategy_documents as documents
from wayfare.workspace.document_text import to_yaml
from wayfare.workspace.folder import init, open_workspace

BEGINNINGS = {
    "svg": b"<svg",
    "png": b"\x89PNG",
    "pdf": b"%PDF",
    "html": b"<!doctype html",
    "md": b"# Harbour",
}
BOUND = """\
document: canvas
name: bound
value_propositions:
  - id: quick
    text: Bought at once
    hypothesis: Half of those who look buy
    bindings:
      metric: {measure: conversion_rate, at_least: 50%}
  - id: seen
    text: Looked at
    bindings:
      touchpoints:
        - event: product_view
"""
CHAIN = """\
document: value_chain
name: chain
primary:
  operations:
    - id: pack
      text: Pack
      cost:
        kind: amounts
        amounts:
          - {from: 2024-01-01, to: 2024-01-31, amount: 310}
      serves:
        - event: purchase
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wayfare) -> Path:
    """A workspace with a canvas and a chain, and no log."""
    monkeypatch.delenv("WAYFARE_DATABASE", raising=False)
    monkeypatch.setenv("WAYFARE_USER", "Ada")
    folder = init(tmp_path / "shop", "Shop").folder
    for name, text in (("canvas", to_yaml(documents.roaster())), ("chain", to_yaml(documents.chain()))):
        (folder / f"{name}.yaml").write_text(text)
        assert wayfare("documents", folder, "import", folder / f"{name}.yaml").code == 0
    return folder


@pytest.fixture
def sold(tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch, wayfare) -> Path:
    """A workspace with a log of four customers and documents that are bound to it."""
    monkeypatch.delenv("WAYFARE_DATABASE", raising=False)
    folder = tmp_path / "sold"
    shutil.copytree(shop, folder)
    for name, text in (("bound", BOUND), ("chain", CHAIN)):
        (folder / f"{name}.yaml").write_text(text)
        assert wayfare("documents", folder, "import", folder / f"{name}.yaml").code == 0
    return folder


def test_drawn_where_documents_are_kept(wayfare, folder: Path):
    done = wayfare("documents", folder, "draw", "Harbour Coffee")
    assert (done.code, done.out) == (0, "")
    drawn = folder / "documents" / "Harbour Coffee.svg"
    assert f"Drawn: {drawn} (revision 1)" in done.err
    assert ET.parse(drawn).getroot().get("aria-label").startswith("Harbour Coffee: Business Model Canvas")


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_the_name_says_the_format(wayfare, folder: Path, suffix: str):
    path = folder / f"drawn.{suffix}"
    path.write_text("An older drawing.")
    done = wayfare("documents", folder, "draw", "Harbour Coffee", path)
    assert done.code == 0, done.err
    assert path.read_bytes().startswith(BEGINNINGS[suffix])


def test_without_a_log_it_is_drawn_and_said(wayfare, folder: Path):
    for name in ("Harbour Coffee", "Harbour Coffee chain"):
        done = wayfare("documents", folder, "draw", name)
        assert done.code == 0
        assert "Drawn without evidence: Nothing has been ingested yet" in done.err
        assert "Without evidence from the log." in (folder / "documents" / f"{name}.svg").read_text()


def test_the_log_judges_the_canvas(wayfare, sold: Path):
    done = wayfare("documents", sold, "draw", "bound", sold / "bound.md")
    assert done.code == 0, done.err
    said = (sold / "bound.md").read_text()
    assert "Log of 4 customers, 2024-01-01 to 2024-01-01." in said
    # Two of four customers bought: fewer than can be judged.
    assert "  - Evidence: Too few to say: Conversion rate 50%" in said
    assert "n = 4; at least 50% wanted" in said
    assert "  - Evidence: Met by 4 customers" in said


def test_the_log_prices_the_chain(wayfare, sold: Path):
    done = wayfare("documents", sold, "draw", "chain", sold / "chain.md")
    assert done.code == 0, done.err
    # The log has one day of the 31 that cost 310.
    assert "  - Cost: EUR 10; 100% of all\n" in (sold / "chain.md").read_text()


def test_the_log_fills_the_journey_map(wayfare, sold: Path):
    done = wayfare("documents", sold, "draw", "journey", sold / "journey.svg")
    assert done.code == 0, done.err
    assert "n = 4 customers" in (sold / "journey.svg").read_text()


def test_a_branch_and_a_revision_are_drawn_as_they_are_shown(wayfare, sold: Path):
    assert wayfare("documents", sold, "branch", "bound", "bold").code == 0
    (sold / "bold.yaml").write_text(BOUND.replace("Bought at once", "Bought twice"))
    saved = wayfare("documents", sold, "import", sold / "bold.yaml", "--branch", "bold", "--based-on", 1)
    assert saved.code == 0, saved.err
    for options, text in (
        ((), "Bought at once"),
        (("--branch", "bold"), "Bought twice"),
        (("--revision", 2), "Bought twice"),
    ):
        assert wayfare("documents", sold, "draw", "bound", sold / "b.md", *options).code == 0
        assert text in (sold / "b.md").read_text()
        assert "Conversion rate 50%" in (sold / "b.md").read_text()
    assert "Revision 2 of the branch 'bold'" in (sold / "b.md").read_text()


def test_an_analysis_that_cant_answer_stops_no_drawing(wayfare, sold: Path, monkeypatch: pytest.MonkeyPatch):
    from wayfare import registry
    from wayfare.errors import UnknownName

    def find(name: str):
        raise UnknownName(f"There is no {name}.")

    monkeypatch.setattr(registry, "find", find)
    done = wayfare("documents", sold, "draw", "bound")
    assert done.code == 0
    assert "Drawn without evidence: There is no canvas_evidence." in done.err


def test_files_out_of_the_workspace_and_of_other_formats_are_refused(wayfare, folder: Path, tmp_path: Path):
    outside = tmp_path / "out.svg"
    (folder / "link.svg").symlink_to(outside)
    for path in (outside, folder / ".." / "out.svg", folder / "link.svg"):
        done = wayfare("documents", folder, "draw", "Harbour Coffee", path)
        assert done.code != 0
        assert "outside the workspace" in done.err
    done = wayfare("documents", folder, "draw", "Harbour Coffee", folder / "wayfare.yaml")
    assert ".svg, .png, .pdf, .html, .md" in done.err
    assert "mkdir -p" in wayfare("documents", folder, "draw", "Harbour Coffee", folder / "no" / "x.svg").err
    assert not outside.exists()
    assert open_workspace(folder).config.name == "Shop"


def test_a_folder_of_documents_that_leads_out_is_refused(wayfare, folder: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "documents").symlink_to(tmp_path / "elsewhere")
    assert wayfare("documents", folder, "draw", "Harbour Coffee").code != 0
    assert not list((tmp_path / "elsewhere").iterdir())


def test_an_unknown_document_is_named(wayfare, folder: Path):
    done = wayfare("documents", folder, "draw", "Harbor Coffee")
    assert done.code != 0
    assert "Did you mean 'Harbour Coffee'" in done.err
