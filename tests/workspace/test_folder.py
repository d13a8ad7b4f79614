"""A workspace's folder: made, opened, and added to without touching what a person wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from wayfare.domain.journey import Journey, Touchpoint
from wayfare.errors import BadInput, InvalidParameter, NotReady
from wayfare.workspace.folder import (
    MOST_TOUCHPOINTS,
    init,
    is_workspace,
    note_events,
    open_study,
    open_workspace,
    set_journey,
    write_atomically,
)


def test_a_new_workspace_says_what_it_was_told(tmp_path: Path):
    workspace = init(tmp_path / "deep" / "shop", "Shop: no. 1", "usd", "America/New_York")
    assert open_workspace(tmp_path / "deep" / "shop") == workspace
    config = workspace.config
    assert (config.name, config.currency, config.timezone, config.journey) == (
        "Shop: no. 1",
        "USD",
        "America/New_York",
        None,
    )


def test_the_folder_gives_the_name(tmp_path: Path):
    assert init(tmp_path / "roaster").config.name == "roaster"


def test_hidden_files_do_not_make_a_folder_full(tmp_path: Path):
    (tmp_path / ".git").mkdir()
    assert is_workspace(init(tmp_path).folder)


def test_a_folder_with_other_files_is_refused(tmp_path: Path):
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(BadInput, match="other files"):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_workspace_is_not_made_twice(tmp_path: Path):
    init(tmp_path, "First")
    with pytest.raises(BadInput, match="already"):
        init(tmp_path, "Second")
    assert open_workspace(tmp_path).config.name == "First"


def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "x").touch()
    with pytest.raises(BadInput, match="a file"):
        init(tmp_path / "x")


@pytest.mark.parametrize("said", [{"currency": "EURO"}, {"timezone": "Mars/Olympus"}])
def test_wrong_settings_leave_nothing_behind(tmp_path: Path, said: dict[str, str]):
    with pytest.raises(InvalidParameter):
        init(tmp_path / "new", **said)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_what_is_no_workspace_says_how_to_make_one(tmp_path: Path, folder: str):
    with pytest.raises(NotReady, match="wayfare init"):
        open_workspace(tmp_path / folder)


def test_an_empty_workspace_has_no_study_yet(tmp_path: Path):
    init(tmp_path)
    with pytest.raises(NotReady, match="ingest"):
        open_study(tmp_path)


@pytest.mark.parametrize("name", ["wayfare.yaml", "log"])
def test_links_out_of_the_workspace_are_not_followed(tmp_path: Path, name: str):
    outside = tmp_path / "outside"
    init(outside)
    (outside / "log").mkdir()
    init(tmp_path / "w")
    link = tmp_path / "w" / name
    link.unlink(missing_ok=True)
    link.symlink_to(outside / name)
    with pytest.raises(BadInput, match="out of the workspace"):
        open_study(tmp_path / "w")


def test_settings_that_are_no_text_are_refused(tmp_path: Path):
    init(tmp_path)
    (tmp_path / "wayfare.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(BadInput, match="UTF-8"):
        open_workspace(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(0o640)
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \udcff")
    assert path.read_text() == "old"
    write_atomically(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_the_first_events_become_a_proposed_journey(tmp_path: Path):
    init(tmp_path)
    noted = note_events(tmp_path, ["product_view", "cart", "order", "no"], {"cart": "web: #1"})
    assert (noted.first, set(noted.added), noted.left_out) == (
        True,
        {"product_view", "cart", "order", "no"},
        0,
    )
    journey = open_workspace(tmp_path).config.journey
    assert journey is not None
    assert journey.orders == ("order",)
    assert journey.touchpoint("cart").channel == "web: #1"
    assert "please correct" in (tmp_path / "wayfare.yaml").read_text()


def test_known_events_change_nothing(tmp_path: Path):
    init(tmp_path)
    note_events(tmp_path, ["cart", "purchase"])
    before = (tmp_path / "wayfare.yaml").read_bytes()
    assert note_events(tmp_path, ["purchase", "cart"]).added == ()
    assert (tmp_path / "wayfare.yaml").read_bytes() == before


HAND_WRITTEN = {
    "block": "name: z # mine\njourney:\n  # ours\n  orders: [buy]\n  touchpoints:\n  - event: a   # first\n    stage: none  # me\n  # tail\n\n# end\ncurrency: EUR\n",
    "deeper": "name: z\njourney:\n      touchpoints:\n          - stage: none\n            event: 'a'\n",
    "no end of line": "name: z\njourney:\n  touchpoints:\n  - event: a\n    stage: none",
    "windows": "name: z\r\njourney:\r\n  touchpoints:\r\n  - event: a\r\n    stage: none\r\n",
    "flow items": "name: z\njourney:\n  touchpoints:\n  - {event: a, stage: none}  # me\nbaseline:\n  from: 2024-01-01\n  to: 2024-02-01\n",
    "flow list": "name: z\njourney:\n  touchpoints: [{event: a, stage: none}]  # me\n",
    "flow list, comma": "name: z\njourney: {touchpoints: [{event: a, stage: none}, ]}\n",
    "orders only": "name: z\njourney:\n  orders: [buy] # ours\n# end\n",
    "empty list": "name: z\njourney:\n  touchpoints:  # none yet\n  orders: [buy]\n",
    "empty journey": "name: z\njourney:   # to do\n# end\n",
    "no journey": "# mine\nname: z",
}


@pytest.mark.parametrize("text", HAND_WRITTEN.values(), ids=HAND_WRITTEN.keys())
def test_what_a_person_wrote_survives(tmp_path: Path, text: str):
    path = tmp_path / "wayfare.yaml"
    path.write_bytes(text.encode())
    before = open_workspace(tmp_path).config
    note_events(tmp_path, ["a", "new: event", "b"])
    after = open_workspace(tmp_path).config
    assert {t.event for t in after.journey.touchpoints} == {"a", "new: event", "b"}
    old = before.journey.touchpoints if before.journey else ()
    assert after.journey.touchpoints[: len(old)] == old
    assert after.model_copy(update={"journey": None}) == before.model_copy(update={"journey": None})
    written = path.read_bytes().decode()
    rest = iter(written)
    assert all(letter in rest for letter in text), "every letter still stands, in its order"
    kept = [line for line in text.splitlines() if "touchpoints: [" not in line and "{touchpoints" not in line]
    assert [line for line in written.splitlines() if line in kept][: len(kept)] == kept


def test_a_layout_that_can_not_be_added_to_is_left_alone(tmp_path: Path):
    path = tmp_path / "wayfare.yaml"
    path.write_text("name: z\njourney: {orders: [buy]}\n")
    with pytest.raises(BadInput, match="without changing what you wrote"):
        note_events(tmp_path, ["a"])
    assert path.read_text() == "name: z\njourney: {orders: [buy]}\n"


def test_thousands_of_events_are_not_listed(tmp_path: Path):
    init(tmp_path)
    events = [f"page {n}" for n in range(1_000)]
    noted = note_events(tmp_path, events)
    assert (len(noted.added), noted.left_out) == (MOST_TOUCHPOINTS, 1_000 - MOST_TOUCHPOINTS)
    assert set(noted.added) == set(events[:MOST_TOUCHPOINTS])
    assert note_events(tmp_path, events).added == ()


def test_a_whole_journey_can_be_set(tmp_path: Path):
    journey = Journey(orders=("buy",), touchpoints=(Touchpoint(event="buy", stage="purchase"),))
    assert set_journey(init(tmp_path), journey, "ours").config.journey == journey
