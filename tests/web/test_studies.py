"""The study stays open: its settings are read once, its parts are cut from one log, and a change is seen."""

from __future__ import annotations

import pytest

from tests.web.company import seal, shop, visits
from wayfare.domain.canvas import Canvas
from wayfare.errors import InvalidParameter, NotReady, WayfareError
from wayfare.registry import find
from wayfare.web import studies
from wayfare.web.studies import Studies, View


@pytest.fixture
def opened(tmp_path):
    return Studies(shop(tmp_path / "shop", visits(40)))


def test_settings_are_read_again_only_when_their_file_changes(opened, monkeypatch: pytest.MonkeyPatch):
    read = []
    original = studies.open_workspace
    monkeypatch.setattr(studies, "open_workspace", lambda folder: read.append(1) or original(folder))
    opened.stamp()
    opened.stamp()
    opened.open(View(("did:cart",)))
    assert len(read) == 1
    settings = opened.folder / "wayfare.yaml"
    settings.write_text(settings.read_text().replace("Corner Shop", "Harbour Shop"))
    assert opened.workspace.config.name == "Harbour Shop"
    assert opened.open().name == "Harbour Shop"
    assert len(read) == 2


def test_settings_that_went_wrong_or_away_are_told_each_time(opened):
    opened.stamp()
    settings = opened.folder / "wayfare.yaml"
    text = settings.read_text()
    settings.write_text("currency: [")
    for _ in range(2):
        with pytest.raises(WayfareError):
            opened.stamp()
    settings.unlink()
    with pytest.raises(NotReady):
        opened.stamp()
    settings.write_text(text)
    assert opened.open().name == "Corner Shop"


def test_many_parts_do_not_close_the_whole(opened, monkeypatch: pytest.MonkeyPatch):
    whole = opened.open()
    for day in range(1, 29):
        opened.open(View(since=f"2024-02-{day:02d}"))
    assert opened.open() is whole
    assert len(opened._open) <= studies.KEPT
    monkeypatch.setattr(studies, "open_study", None)
    assert opened.open(View(since="2024-03-31")).log.source is whole.log.source


def test_a_new_log_has_a_new_stamp_and_a_new_study(opened):
    before, stamp = opened.open(), opened.stamp()
    seal(opened.folder, visits(50))
    assert opened.stamp() != stamp
    assert opened.open() is not before
    assert opened.open().log.facts.customers == 50


@pytest.mark.parametrize(
    ("view", "field"),
    [
        (View(("nonsense",)), "segment"), (View(since="soon"), "since"), (View(until="soon"), "until"),
        (View(since="2024-03-02", until="2024-03-01"), "until"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_part_names_its_field(opened, view: View, field: str):
    with pytest.raises(InvalidParameter) as error:
        opened.open(view)
    assert error.value.where == field


def test_another_document_keeps_what_was_found_without_documents(tmp_path):
    studies = Studies(shop(tmp_path / "shop"))
    before = studies.open()
    sessions, evidence = find("sessions"), find("canvas_evidence")
    found, none = before.result(sessions), before.result(evidence)
    studies.documents.save(Canvas(name="canvas"), based_on=None, who="Ann")
    after = studies.open()
    assert after is not before
    assert after.result(sessions) is found
    assert after.result(evidence).findings != none.findings
    head = studies.documents.head("journey")
    moved = head.document.model_copy(update={"orders": ("cart",)})
    studies.documents.save(moved, based_on=head.number, who="Ann")
    assert studies.open().result(sessions) is not found
    studies.close()
