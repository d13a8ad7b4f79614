"""Documents with revisions, on SQLite and on PostgreSQL: nothing saved is lost, nothing stale gets through."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.workspace.together import run_together
from wayfare.domain.canvas import Canvas, Item
from wayfare.errors import BadInput, Damaged, NotReady, UnknownName, WayfareError
from wayfare.workspace import database as tables
from wayfare.workspace.documents import MAIN, Documents, Stale, open_documents
from wayfare.workspace.folder import Workspace

Open = Callable[[], Documents]


def item(id: str, text: str = "x") -> Item:
    return Item(id=id, text=text)


def canvas(*ids: str, name: str = "Shop", about: str = "") -> Canvas:
    return Canvas(name=name, about=about, key_activities=tuple(item(id) for id in ids))


def ids(document) -> list[str]:
    return [id for _, id, _ in document.places()]


def test_a_document_is_saved_and_read_again(opened: Open):
    first = opened().save(canvas("a"), based_on=None, who="Ada", why="First draft")
    again = opened().head("Shop")
    assert again == first
    assert (again.number, again.branch, again.parent, again.action) == (1, MAIN, None, "save")
    assert (again.who, again.why) == ("Ada", "First draft")
    assert again.at.utcoffset().total_seconds() == 0
    assert again.document == canvas("a")
    (entry,) = opened().entries()
    assert (entry.name, entry.kind, entry.branches, entry.latest.number) == ("Shop", "canvas", (MAIN,), 1)


def test_what_says_the_same_is_not_saved_again(opened: Open):
    documents = opened()
    documents.save(canvas("a"), based_on=None, who="Ada")
    assert documents.save(canvas("a"), based_on=None, who="Bob").number == 1
    assert documents.save(canvas("a"), based_on=1, who="Bob").who == "Ada"


def test_a_stale_save_is_refused_with_both_changes(opened: Open):
    documents = opened()
    documents.save(canvas("a"), based_on=None, who="Ada")
    documents.save(canvas("a", about="theirs"), based_on=1, who="Bob", why="A word")
    with pytest.raises(Stale) as error:
        documents.save(canvas("a", about="mine"), based_on=1, who="Ada")
    assert "+about: theirs" in error.value.problem
    assert "+about: mine" in error.value.problem
    assert "revision 2 (Bob" in error.value.problem
    assert "A word" in error.value.problem
    assert error.value.to_dict()["error"]["code"] == "stale"
    assert documents.head("Shop").document.about == "theirs"
    with pytest.raises(Stale, match="already"):
        documents.save(canvas("b"), based_on=None, who="Ada")


def test_the_same_change_twice_is_two_changes(opened: Open):
    """Who adds one to a number that somebody else has added one to means something else than what is there."""
    documents = opened()
    documents.save(canvas(about="1"), based_on=None, who="Ada")
    documents.save(canvas(about="2"), based_on=1, who="Bob")
    with pytest.raises(Stale):
        documents.save(canvas(about="2"), based_on=1, who="Ada")


def test_a_long_difference_is_cut(opened: Open):
    documents = opened()
    documents.save(canvas(), based_on=None, who="Ada")
    documents.save(canvas(*(f"a{n}" for n in range(100))), based_on=1, who="Bob")
    with pytest.raises(Stale, match="more lines"):
        documents.save(canvas("b"), based_on=1, who="Ada")


def test_history_and_differences(opened: Open):
    documents = opened()
    for number, about in enumerate(("one", "two", "three")):
        documents.save(canvas(about=about), based_on=number or None, who="Ada", why=about)
    assert [(each.number, each.parent, each.why) for each in documents.history("Shop", MAIN)] == [
        (3, 2, "three"), (2, 1, "two"), (1, None, "one"),
    ]  # fmt: skip
    changed = [line for line in documents.diff("Shop", 1, 3)[3:] if line[0] != " "]
    assert changed == ["-about: one", "+about: three"]
    assert documents.diff("Shop", 2, 2) == []
    assert documents.find(canvas(about="two")) == 2
    assert documents.find(canvas(about="four")) is None


def test_undo_goes_back_step_by_step(opened: Open):
    documents = opened()
    for number, about in enumerate(("one", "two", "three")):
        documents.save(canvas(about=about), based_on=number or None, who="Ada")
    undone = [documents.undo("Shop", who="Ada") for _ in range(2)]
    assert [(each.number, each.equals, each.document.about) for each in undone] == [
        (4, 2, "two"),
        (5, 1, "one"),
    ]
    with pytest.raises(NotReady, match="nothing to undo"):
        documents.undo("Shop", who="Ada")
    documents.save(canvas(about="four"), based_on=5, who="Ada")
    assert documents.undo("Shop", who="Ada").document.about == "one"


def test_restore_is_a_change_that_undo_takes_back(opened: Open):
    documents = opened()
    for number, about in enumerate(("one", "two", "three")):
        documents.save(canvas(about=about), based_on=number or None, who="Ada")
    restored = documents.restore("Shop", 1, who="Bob", why="Better")
    assert (restored.number, restored.action, restored.equals, restored.why) == (4, "restore", 1, "Better")
    assert documents.head("Shop").document.about == "one"
    assert documents.undo("Shop", who="Bob").document.about == "three"


def test_a_what_if_leaves_the_main_branch_alone(opened: Open):
    documents = opened()
    documents.save(canvas(about="as it is"), based_on=None, who="Ada")
    assert documents.start_branch("Shop", "what if").number == 1
    tried = documents.save(canvas(about="as it could be"), based_on=1, who="Bob", branch="what if")
    assert documents.head("Shop").document.about == "as it is"
    main = documents.save(canvas(about="as it is now"), based_on=1, who="Ada")
    assert [each.number for each in documents.history("Shop", "what if")] == [tried.number, 1]
    assert [each.number for each in documents.history("Shop", MAIN)] == [main.number, 1]
    assert [each.number for each in documents.history("Shop")] == [3, 2, 1]
    assert documents.restore("Shop", tried.number, who="Ada").document.about == "as it could be"
    assert documents.entries()[0].branches == (MAIN, "what if")
    with pytest.raises(BadInput, match="already"):
        documents.start_branch("Shop", "what if")
    assert documents.start_branch("Shop", "old", at=1).document.about == "as it is"


def test_comments_on_an_item(opened: Open):
    documents = opened()
    documents.save(canvas("a", "b"), based_on=None, who="Ada")
    documents.comment("Shop", "a", "Is this so?", who="Bob")
    documents.comment("Shop", "", "Well done", who="Bob")
    assert [(each.item, each.text, each.revision) for each in documents.comments("Shop")] == [
        ("a", "Is this so?", 1), ("", "Well done", 1),
    ]  # fmt: skip
    assert [each.text for each in documents.comments("Shop", "a")] == ["Is this so?"]
    with pytest.raises(UnknownName, match="no item 'c'"):
        documents.comment("Shop", "c", "?", who="Bob")


@pytest.mark.parametrize(
    ("wrong", "kind", "said"),
    [
        (lambda d: d.head("Shpo"), UnknownName, "Did you mean 'Shop'"),
        (lambda d: d.head("Shop", "x"), UnknownName, "no branch 'x'"),
        (lambda d: d.revision("Shop", 7), UnknownName, "from 1 to 1"),
        (lambda d: d.diff("Shop", 1, 9), UnknownName, "no revision 9"),
        (lambda d: d.restore("Shop", 9, who="Ada"), UnknownName, "no revision 9"),
        (lambda d: d.save(canvas(name="New"), based_on=1, who="Ada"), UnknownName, "no document 'New'"),
        (lambda d: d.save(canvas(name="New"), based_on=None, who="Ada", branch="x"), BadInput, "begins on"),
        (lambda d: d.save(canvas("b"), based_on=1, who=" "), BadInput, "who"),
        (lambda d: d.save(canvas("b"), based_on=1, who="Ada", why="\x00"), BadInput, "U\\+0000"),
        (lambda d: d.comment("Shop", "a", "", who="Ada"), BadInput, "comment"),
        (lambda d: d.start_branch("Shop", "../x"), BadInput, "no name"),
    ],
)
def test_what_is_not_there_is_named_and_nothing_is_changed(opened: Open, wrong, kind, said):
    documents = opened()
    documents.save(canvas("a"), based_on=None, who="Ada")
    with pytest.raises(kind, match=said):
        wrong(documents)
    assert [each.number for each in documents.history("Shop")] == [1]
    assert [each.name for each in documents.entries()] == ["Shop"]


def test_a_name_belongs_to_one_kind(opened: Open):
    from wayfare.domain.value_chain import ValueChain

    documents = opened()
    documents.save(canvas("a"), based_on=None, who="Ada")
    with pytest.raises(BadInput, match="is a canvas, not a value_chain"):
        documents.save(ValueChain(name="Shop"), based_on=1, who="Ada")


def test_values_are_never_part_of_the_sql(opened: Open):
    evil = "'); DROP TABLE revision; -- \" %s :x"
    documents = opened()
    documents.save(canvas("a", about=evil), based_on=None, who=evil, why=evil)
    documents.comment("Shop", "a", evil, who=evil)
    again = opened().head("Shop")
    assert (again.who, again.why, again.document.about) == (evil, evil, evil)
    with pytest.raises(UnknownName):
        documents.head(evil)


def test_everybody_may_open_at_once(opened: Open):
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            opened().save(canvas(name=f"Shop {number}"), based_on=None, who="Ada")
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            errors.append(error)

    run_together([lambda number=number: work(number) for number in range(6)])
    assert errors == []
    assert len(opened().entries()) == 6


def test_a_new_document_is_made_once(opened: Open):
    made, refused = [], []

    def work(number: int) -> None:
        try:
            made.append(opened().save(canvas(f"a{number}"), based_on=None, who="Ada"))
        except Stale as error:
            refused.append(error)

    run_together([lambda number=number: work(number) for number in range(4)])
    assert (len(made), len(refused)) == (1, 3)


def test_sqlite_is_set_to_keep_what_it_acknowledged(workspace: Workspace):
    documents = open_documents(workspace)
    with documents.database.reading() as connection:
        asked = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    documents.close()
    assert asked == ["wal", 2]  # 2 is FULL


def test_the_migrations_make_the_tables_that_the_program_knows(opened: Open):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with opened().database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_a_database_of_a_newer_version_is_left_alone(opened: Open):
    documents = opened()
    with documents.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NotReady, match="newer Wayfare"):
        opened()


def test_a_file_that_is_no_database_is_named(workspace: Workspace):
    (workspace.folder / tables.DATABASE).write_text("something else" * 1000)
    with pytest.raises(Damaged, match="not a database"):
        open_documents(workspace)


def test_content_that_was_tampered_with_is_named(opened: Open):
    documents = opened()
    documents.save(canvas("a"), based_on=None, who="Ada")
    with documents.database.writing() as connection:
        connection.execute(tables.revision.update().values(content='{"document":"canvas"}'))
    with pytest.raises(Damaged, match="revision 1"):
        _ = documents.head("Shop").document


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense", "not the address"),
        ("sqlite:////etc/passwd", "Allowed: postgresql"),
        ("mysql://a@b/c", "Allowed: postgresql"),
        ("postgresql://ada:secret@127.0.0.1:1/none", "can't be reached"),
    ],
)
def test_another_address_is_refused(workspace: Workspace, address: str, said: str):
    if address.startswith("postgresql"):
        pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'wayfare[postgres]')")
    with pytest.raises(WayfareError, match=said) as error:
        open_documents(workspace, address)
    assert "secret" not in str(error.value)


def test_a_link_out_of_the_workspace_is_refused(workspace: Workspace, tmp_path: Path):
    outside = tmp_path / "elsewhere.db"
    sqlite3.connect(outside).close()
    (workspace.folder / tables.DATABASE).symlink_to(outside)
    with pytest.raises(BadInput, match="out of the workspace"):
        open_documents(workspace)


def test_a_workspace_that_cannot_be_written_to_can_be_read(workspace, monkeypatch):
    """As on a read-only disk, where SQLite can't lay its own files beside the database."""
    documents = open_documents(workspace)
    documents.save(canvas("a"), based_on=None, who="ann")
    documents.close()
    before = sorted(path.name for path in workspace.folder.iterdir())
    monkeypatch.setattr(tables.os, "access", lambda *_: False)
    reader = open_documents(workspace)
    assert ids(reader.standing()["Shop"]) == ["a"]
    assert sorted(path.name for path in workspace.folder.iterdir()) == before
    reader.close()
