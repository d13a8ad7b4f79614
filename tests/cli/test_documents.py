"""`wayfare documents`: kept, looked at, edited in an editor, taken back."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from wayfare.cli.documents import _USAGE, ACTIONS, Action
from wayfare.workspace.folder import init

CANVAS = """\
document: canvas
name: Shop
value_propositions:
  - id: fast
    text: Delivered tomorrow
channels:
  - id: web
    text: The web shop
    kind: online
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the canvas in a file, not yet imported; whoever is here is called Ada."""
    for name in ("WAYFARE_DATABASE", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAYFARE_USER", "Ada")
    folder = init(tmp_path / "shop", "Shop").folder
    (folder / "canvas.yaml").write_text(CANVAS)
    return folder


@pytest.fixture
def kept(folder: Path, wayfare) -> Path:
    """The same, imported."""
    done = wayfare("documents", folder, "import", folder / "canvas.yaml", "-m", "First draft")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes an editor of a few lines of Python in which `text` is the file's text."""

    def make(lines: str) -> None:
        script = tmp_path / "my editor.py"
        body = f"import sys\nfrom pathlib import Path\npath = Path(sys.argv[1])\ntext = path.read_text()\n{lines}\n"
        script.write_text(body + "path.write_text(text)\n")
        monkeypatch.setenv("EDITOR", f"'{sys.executable}' '{script}'")

    return make


def said(done) -> list | dict:
    assert done.code == 0, done.err
    return json.loads(done.out)


def history(wayfare, folder: Path, *options: str) -> list[dict]:
    return said(wayfare("documents", folder, "history", "Shop", "--format", "json", *options))


def test_nothing_there_says_what_to_do(wayfare, folder: Path):
    done = wayfare("documents", folder)
    assert (done.code, done.out) == (0, "")
    assert "documents DIR new canvas" in done.err
    assert said(wayfare("documents", folder, "list", "--format", "json")) == []


def test_import_list_and_history(wayfare, kept: Path):
    (row,) = said(wayfare("documents", kept, "list", "--format", "json"))
    assert {**row, "at": ""} == {
        "name": "Shop", "kind": "canvas", "revision": 1, "who": "Ada", "at": "", "why": "First draft", "branches": "main",
    }  # fmt: skip
    assert row["at"].endswith("Z")
    assert "Shop" in wayfare("documents", kept).out
    ((first),) = history(wayfare, kept)
    assert (first["number"], first["parent"], first["action"]) == (1, None, "save")


def test_show_in_every_format(wayfare, kept: Path):
    wayfare("documents", kept, "comment", "Shop", "web", "Only the web?")
    table = wayfare("documents", kept, "show", "Shop")
    assert "Delivered tomorrow" in table.out
    assert "Only the web?" in table.out
    rows = list(
        csv.DictReader(io.StringIO(wayfare("documents", kept, "show", "Shop", "--format", "csv").out))
    )
    assert [(row["place"], row["id"], row["comments"]) for row in rows] == [
        ("value_propositions", "fast", "0"), ("channels", "web", "1"),
    ]  # fmt: skip
    whole = said(wayfare("documents", kept, "show", "Shop", "--format", "json"))
    assert whole["content"]["channels"] == [{"id": "web", "text": "The web shop", "kind": "online"}]
    assert (whole["revision"]["number"], whole["comments"][0]["item"]) == (1, "web")


def test_export_comes_back_byte_for_byte(wayfare, kept: Path):
    done = wayfare("documents", kept, "export", "Shop")
    path = kept / "documents" / "Shop.yaml"
    assert path.read_text() == CANVAS
    assert "--based-on 1" in done.err
    assert wayfare("documents", kept, "import", path).code == 0
    assert wayfare("documents", kept, "export", "Shop", "-").out == CANVAS
    assert len(history(wayfare, kept)) == 1


def test_a_file_that_was_never_saved_is_not_replaced(wayfare, kept: Path):
    wayfare("documents", kept, "export", "Shop")
    path = kept / "documents" / "Shop.yaml"
    path.write_text(CANVAS.replace("tomorrow", "today"))
    done = wayfare("documents", kept, "export", "Shop")
    assert done.code == 2
    assert "never saved" in done.err
    assert "today" in path.read_text()
    settings = (kept / "wayfare.yaml").read_text()
    assert wayfare("documents", kept, "export", "Shop", kept / "wayfare.yaml").code == 2
    assert (kept / "wayfare.yaml").read_text() == settings


def test_an_import_says_what_it_is_based_on(wayfare, kept: Path):
    path = kept / "canvas.yaml"
    path.write_text(CANVAS.replace("tomorrow", "today"))
    refused = wayfare("documents", kept, "import", path)
    assert refused.code == 2
    assert "+    text: Delivered today" in refused.err
    assert "--based-on 1" in refused.err
    assert wayfare("documents", kept, "import", path, "--based-on", 1).code == 0
    path.write_text(CANVAS.replace("tomorrow", "next week"))
    stale = wayfare("documents", kept, "import", path, "--based-on", 1, "--format", "json")
    error = json.loads(stale.err)["error"]
    assert error["code"] == "stale"
    assert "+    text: Delivered today" in error["problem"]
    assert "+    text: Delivered next week" in error["problem"]
    assert [each["number"] for each in history(wayfare, kept)] == [2, 1]


def test_files_outside_the_workspace_are_refused(wayfare, kept: Path, tmp_path: Path):
    outside = tmp_path / "outside.yaml"
    outside.write_text(CANVAS)
    (kept / "link.yaml").symlink_to(outside)
    for path in (outside, kept / ".." / "outside.yaml", kept / "link.yaml"):
        for action in (("import",), ("export", "Shop")):
            done = wayfare("documents", kept, *action, path)
            assert done.code == 2
            assert "outside the workspace" in done.err
    (kept / "documents").symlink_to(tmp_path)
    assert "out of the workspace" in wayfare("documents", kept, "export", "Shop").err
    assert outside.read_text() == CANVAS


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (CANVAS.replace("kind: online", "kindd: online"), "canvas.yaml, line 9"),
        (CANVAS + "about: &a [*a]\n", "references (*name) are not used here"),
        ("a: &a [x]\nb: &b [*a, *a]\n", "references (*name) are not used here"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(wayfare, folder: Path, text: str, problem: str):
    (folder / "canvas.yaml").write_text(text)
    done = wayfare("documents", folder, "import", folder / "canvas.yaml")
    assert (done.code, done.out) == (2, "")
    assert problem in done.err


def test_import_from_stdin(wayfare, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CANVAS.encode()), "utf-8"))
    assert wayfare("documents", folder, "import", "-").code == 0
    assert history(wayfare, folder)[0]["number"] == 1


def test_edit_saves_what_the_editor_leaves(wayfare, kept: Path, editor):
    editor("text = text.replace('tomorrow', 'today')")
    done = wayfare("documents", kept, "edit", "Shop", "-m", "Faster", "--who", "Bob")
    assert done.code == 0, done.err
    newest = history(wayfare, kept)[0]
    assert (newest["number"], newest["who"], newest["why"]) == (2, "Bob", "Faster")
    editor("")
    assert "Nothing changed" in wayfare("documents", kept, "edit", "Shop").err
    assert len(history(wayfare, kept)) == 2


def test_a_stale_edit_is_refused_and_its_text_kept(wayfare, kept: Path, editor):
    editor(
        "from wayfare.cli.main import main\n"
        f"other = Path({str(kept / 'canvas.yaml')!r})\n"
        "other.write_text(text.replace('web shop', 'shop on the web'))\n"
        f"main(['documents', {str(kept)!r}, 'import', str(other), '--based-on', '1', '--who', 'Bob'])\n"
        "text = text.replace('tomorrow', 'today')"
    )
    done = wayfare("documents", kept, "edit", "Shop")
    refused = kept / "documents" / "Shop-refused-1.yaml"
    assert done.code == 2
    assert "+    text: Delivered today" in done.err
    assert "+    text: The shop on the web" in done.err
    assert str(refused) in done.err
    assert "--based-on 2" in done.err
    assert refused.read_text() == CANVAS.replace("tomorrow", "today")
    assert [each["who"] for each in history(wayfare, kept)] == ["Bob", "Ada"]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("text = text.replace('kind:', 'knid:')", "line 9"),
        ("text = text.replace('name: Shop', 'name: Other')", "can't be changed"),
        ("text = ''", "which kind of document"),
    ],
)
def test_an_edit_that_says_nonsense_is_kept(wayfare, kept: Path, editor, lines: str, problem: str):
    editor(lines)
    for copy in ("", "-2"):
        done = wayfare("documents", kept, "edit", "Shop")
        assert done.code == 2
        assert problem in done.err
        assert (kept / "documents" / f"Shop-refused-1{copy}.yaml").is_file()
    assert len(history(wayfare, kept)) == 1


def test_an_editor_that_fails_saves_nothing(wayfare, kept: Path, editor, monkeypatch: pytest.MonkeyPatch):
    editor("path.write_text('gone')\nsys.exit(3)")
    done = wayfare("documents", kept, "edit", "Shop")
    assert done.code == 2
    assert "code 3" in done.err
    monkeypatch.setenv("EDITOR", "no-such-editor")
    assert "export EDITOR" in wayfare("documents", kept, "edit", "Shop").err
    monkeypatch.setenv("EDITOR", "'unclosed")
    assert wayfare("documents", kept, "edit", "Shop").code == 2


def change(wayfare, folder: Path, before: str, after: str, based_on: int, *options: str) -> None:
    path = folder / "canvas.yaml"
    path.write_text(CANVAS.replace(before, after))
    done = wayfare("documents", folder, "import", path, "--based-on", based_on, *options)
    assert done.code == 0, done.err


def test_diff_undo_and_restore(wayfare, kept: Path):
    assert "one revision only" in wayfare("documents", kept, "diff", "Shop").err
    change(wayfare, kept, "tomorrow", "today", 1)
    change(wayfare, kept, "tomorrow", "now", 2)
    assert (
        "-    text: Delivered today\n+    text: Delivered now"
        in wayfare("documents", kept, "diff", "Shop").out
    )
    assert "-    text: Delivered tomorrow" in wayfare("documents", kept, "diff", "Shop", 1).out
    rows = said(wayfare("documents", kept, "diff", "Shop", 1, 2, "--format", "json"))
    assert {"change": "+", "line": "    text: Delivered today"} in rows
    assert "say the same" in wayfare("documents", kept, "diff", "Shop", 2, 2).err
    (undone,) = said(wayfare("documents", kept, "undo", "Shop", "--format", "json"))
    assert (undone["number"], undone["equals"]) == (4, 2)
    assert "equal to revision 1" in wayfare("documents", kept, "restore", "Shop", 1, "-m", "Back").err
    assert wayfare("documents", kept, "export", "Shop", "-").out == CANVAS
    assert "today" in wayfare("documents", kept, "export", "Shop", "-", "--revision", 2).out


def test_a_what_if_on_a_branch(wayfare, kept: Path):
    assert wayfare("documents", kept, "branch", "Shop", "what if").code == 0
    change(wayfare, kept, "tomorrow", "today", 1, "--branch", "what if")
    assert "tomorrow" in wayfare("documents", kept, "show", "Shop").out
    assert "today" in wayfare("documents", kept, "show", "Shop", "--branch", "what if").out
    assert [each["number"] for each in history(wayfare, kept)] == [1]
    assert [each["number"] for each in history(wayfare, kept, "--branch", "what if")] == [2, 1]


def test_the_schema(wayfare, folder: Path):
    made = said(wayfare("documents", folder, "schema", "canvas"))
    assert "customer_segments" in made["properties"]
    assert "Did you mean 'canvas'" in wayfare("documents", folder, "schema", "canvsa").err


@pytest.mark.parametrize("action", [action for action in Action if _USAGE[action][0]])
def test_words_that_are_missing_are_named(wayfare, folder: Path, action: Action):
    done = wayfare("documents", folder, action)
    assert done.code == 2
    assert f"wayfare documents DIR {action} {_USAGE[action][2]}" in done.err


def test_every_action_does_something_and_is_explained(wayfare):
    text = wayfare("documents", "--help").out
    assert {*ACTIONS, Action.SCHEMA} == set(Action) == set(_USAGE)
    assert all(f"    {action} {usage}".rstrip() in text for action, (_, _, usage) in _USAGE.items())


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (("show", "Shpo"), "Did you mean 'Shop'"),
        (("show", "Shop", "--revision", 9), "no revision 9"),
        (("show", "Shop", "--branch", "x"), "no branch 'x'"),
        (("diff", "Shop", "one"), "not the number of a revision"),
        (("undo", "Shop"), "nothing to undo"),
        (("undo", "Shop", "more"), "more than it takes"),
        (("import", "no-such.yaml"), "outside the workspace"),
        (("list", "--database", "mysql://a/b"), "Allowed  postgresql"),
    ],
)
def test_what_can_not_be_done_is_said(wayfare, kept: Path, args: tuple, problem: str):
    done = wayfare("documents", kept, *args)
    assert (done.code, done.out) == (2, "")
    assert problem in done.err


def test_a_name_can_not_steer_the_terminal(wayfare, kept: Path):
    wayfare("documents", kept, "comment", "Shop", "web", "\u202e fine", "--who", "Eve")
    assert wayfare("documents", kept, "comment", "Shop", "web", "\x1b[31mred").code == 2


def test_documents_in_postgresql(wayfare, folder: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAYFARE_DATABASE", postgres_url)
    assert wayfare("documents", folder, "import", folder / "canvas.yaml").code == 0
    assert wayfare("documents", folder, "export", "Shop", "-").out == CANVAS
    assert not (folder / "wayfare.db").exists()
