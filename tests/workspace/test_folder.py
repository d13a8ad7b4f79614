"""A workspace's folder: made, opened, and added to without touching what a person wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from wayfare.errors import BadInput, InvalidParameter, NotReady
from wayfare.workspace.folder import (
    init,
    is_workspace,
    open_study,
    open_workspace,
    write_atomically,
)


def test_a_new_workspace_says_what_it_was_told(tmp_path: Path):
    workspace = init(tmp_path / "deep" / "shop", "Shop: no. 1", "usd", "America/New_York")
    assert open_workspace(tmp_path / "deep" / "shop") == workspace
    config = workspace.config
    assert (config.name, config.currency, config.timezone, config.database) == (
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
