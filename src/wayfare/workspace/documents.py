"""Strategy documents with revisions: saved without losing anybody's work, undone, restored, branched, commented."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from wayfare.domain.document import Document, Name, Words
from wayfare.errors import BadInput, NotReady, UnknownName
from wayfare.workspace import database as tables
from wayfare.workspace.database import Database, has_database, open_database
from wayfare.workspace.document_text import from_json, to_json, to_yaml
from wayfare.workspace.revisions import (
    MAIN,
    Change,
    Revision,
    Said,
    Stale,
    append,
    checked,
    head_of,
    heads_of,
    held,
    id_of,
    insert_document,
    locked,
    read,
)

if TYPE_CHECKING:
    from wayfare.workspace.folder import Workspace

MOST_LINES = 40
"""Of a difference inside an error; `wayfare documents DIR diff` shows all."""


@dataclass(frozen=True)
class Entry:
    """A document of the workspace with its branches, and the newest revision of the main one."""

    name: str
    kind: str
    branches: tuple[str, ...]
    latest: Change


@dataclass(frozen=True)
class Comment:
    """What somebody said about an item (or about the whole, where `item` is empty), and at which revision."""

    item: str
    revision: int
    who: str
    at: datetime
    text: str


class Documents:
    """The documents of a workspace. Every change is a revision; none is ever overwritten.

    Args:
        database: An open database; `close` lets go of it.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def close(self) -> None:
        """Lets go of the database."""
        self.database.close()

    def entries(self) -> list[Entry]:
        """Which documents are there? By name."""
        found = []
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(tables.document).order_by(tables.document.c.name)).all()
            for row in rows:
                heads = heads_of(connection, row.id)
                found.append(Entry(row.name, row.kind, tuple(heads), read(connection, row.id, heads[MAIN])))
        return found

    def head(self, name: str, branch: str = MAIN) -> Revision:
        """The newest revision of a branch."""
        with self.database.reading() as connection:
            id = id_of(connection, name)
            return read(connection, id, head_of(connection, id, name, branch))

    def revision(self, name: str, number: int) -> Revision:
        """One revision, by its number."""
        with self.database.reading() as connection:
            return read(connection, id_of(connection, name), number)

    def standing(self) -> dict[str, Document]:
        """What every document says now, by name; what its other branches say stands under `name@branch`."""
        revision, branch, document = tables.revision, tables.branch, tables.document
        asked = (
            sa.select(document.c.name, branch.c.name, revision.c.number, revision.c.content)
            .join(branch, branch.c.document_id == document.c.id)
            .join(revision, (revision.c.document_id == document.c.id) & (revision.c.number == branch.c.head))
            .order_by(document.c.name, branch.c.id)
        )
        with self.database.reading() as connection:
            rows = connection.execute(asked).all()
        return {
            name if on == MAIN else f"{name}@{on}": from_json(content, f"{name}, revision {number}")
            for name, on, number, content in rows
        }

    def stamp(self) -> str:
        """What changes whenever a document or a branch does."""
        newest = [sa.select(sa.func.max(t.c.id)).scalar_subquery() for t in (tables.revision, tables.branch)]
        with self.database.reading() as connection:
            return "-".join(str(number or 0) for number in connection.execute(sa.select(*newest)).one())

    def history(self, name: str, branch: str | None = None) -> list[Change]:
        """What led to the present state of a branch (of all, where none is named)? The newest first."""
        columns = [tables.revision.c[each.name] for each in fields(Change)]
        with self.database.reading() as connection:
            id = id_of(connection, name)
            found = connection.execute(
                sa.select(*columns)
                .where(tables.revision.c.document_id == id)
                .order_by(tables.revision.c.number.desc())
            )
            changes = {row.number: Change(*row) for row in found}
            number: int | None = head_of(connection, id, name, branch) if branch else None
        if branch is None:
            return list(changes.values())
        way = []
        while number is not None:
            way.append(changes[number])
            number = changes[number].parent
        return way

    def diff(self, name: str, before: int, after: int) -> list[str]:
        """Which lines differ between two revisions? In the form of `diff -u`, of their YAML."""
        old, new = self.revision(name, before), self.revision(name, after)
        return differing(old.document, new.document, f"revision {before}", f"revision {after}")

    def find(self, document: Document) -> int | None:
        """The newest revision that says just this, on whatever branch; None if it was never saved."""
        asked = (
            sa.select(sa.func.max(tables.revision.c.number))
            .join(tables.document, tables.document.c.id == tables.revision.c.document_id)
            .where(tables.document.c.name == document.name, tables.revision.c.content == to_json(document))
        )
        with self.database.reading() as connection:
            number: int | None = connection.execute(asked).scalar()
            return number

    def save(
        self, document: Document, *, based_on: int | None, who: str, why: str = "", branch: str = MAIN
    ) -> Revision:
        """Saves a document as a new revision; one that says the same as the newest is not saved again.

        Args:
            document: What it shall say; its name says which document it is.
            based_on: The revision that the change started from; None if the document is new.
            who, why: Whose change it is, and what for.
            branch: Where it is saved.

        Raises:
            Stale: Somebody saved since; both changes are shown. This holds for the same change too: two people who each
                add one to a number have not added two.
        """
        content = to_json(document)
        with self.database.writing() as connection:
            id = locked(connection, document.name)
            if id is None:
                _check_new(document, based_on, branch)
                id = insert_document(connection, document)
                return append(connection, id, MAIN, content, Said(None, who, why))
            number = head_of(connection, id, document.name, branch)
            head = read(connection, id, number)
            _check_kind(connection, id, document)
            if head.content == content and based_on in (None, number):
                return head
            if based_on != number:
                raise _stale(connection, id, head, document, based_on)
            return append(connection, id, branch, content, Said(number, who, why))

    def undo(
        self, name: str, *, who: str, why: str = "", branch: str = MAIN, seen: int | None = None
    ) -> Revision:
        """Takes back the newest change of a branch by a new revision that equals the one before; again takes one more.

        Raises:
            Stale: The newest is not the one that was `seen`, so that it would be somebody else's change.
        """
        with self._changing(name, branch) as (connection, id, head):
            undone = read(connection, id, head)
            if seen is not None and seen != head:
                raise Stale(
                    f"{undone.who} changed it meanwhile: {undone.why or f'revision {head}'}.",
                    where=name,
                    hint="Look at it, then undo that if it is what you want.",
                )
            while undone.action == "undo" and undone.equals is not None:
                undone = read(connection, id, undone.equals)
            if undone.parent is None:
                raise NotReady("There is nothing to undo: this is how the document began.", where=name)
            said = Said(head, who, why or f"Undo revision {undone.number}", "undo", undone.parent)
            return append(connection, id, branch, read(connection, id, undone.parent).content, said)

    def restore(self, name: str, number: int, *, who: str, why: str = "", branch: str = MAIN) -> Revision:
        """Brings an earlier revision back, or what a what-if branch came to, as a new revision of a branch."""
        with self._changing(name, branch) as (connection, id, head):
            restored = read(connection, id, number)
            said = Said(head, who, why or f"Restore revision {number}", "restore", number)
            return append(connection, id, branch, restored.content, said)

    def start_branch(self, name: str, branch: str, at: int | None = None) -> Revision:
        """Starts a what-if from a revision (the newest of the main branch where none is named)."""
        branch = checked(Name, branch, "branch")
        with self.database.writing() as connection:
            id = held(connection, name)
            heads = heads_of(connection, id)
            if branch in heads:
                raise BadInput(f"There is a branch {branch!r} already.", where=name, allowed=heads)
            start = read(connection, id, heads[MAIN] if at is None else at)
            values = {"document_id": id, "name": branch, "began_at": start.number, "head": start.number}
            connection.execute(tables.branch.insert().values(values))
            return start

    def comment(self, name: str, item: str, text: str, *, who: str, branch: str = MAIN) -> Comment:
        """Says something about an item of a document; about the whole, where `item` is empty."""
        text, who = checked(Words, text, "the comment"), checked(Words, who, "who")
        with self._changing(name, branch) as (connection, id, head):
            known = [each for _, each, _ in read(connection, id, head).document.places()]
            if item and item not in known:
                raise UnknownName.among("item", item, known, where=name)
            said = Comment(item, head, who, datetime.now(UTC), text)
            values = {each.name: getattr(said, each.name) for each in fields(Comment)}
            connection.execute(tables.comment.insert().values(document_id=id, **values))
            return said

    def comments(self, name: str, item: str | None = None) -> list[Comment]:
        """What was said about a document (about one item of it), in the order of time?"""
        columns = [tables.comment.c[each.name] for each in fields(Comment)]
        with self.database.reading() as connection:
            wanted = tables.comment.c.document_id == id_of(connection, name)
            if item is not None:
                wanted &= tables.comment.c.item == item
            found = connection.execute(sa.select(*columns).where(wanted).order_by(tables.comment.c.id))
            return [Comment(*row) for row in found]

    @contextmanager
    def _changing(self, name: str, branch: str) -> Iterator[tuple[sa.Connection, int, int]]:
        """A transaction that nobody else's change of the document comes into; with its id and the branch's head."""
        with self.database.writing() as connection:
            id = held(connection, name)
            yield connection, id, head_of(connection, id, name, branch)


def open_documents(workspace: Workspace, url: str | None = None) -> Documents:
    """The documents of a workspace, in its `wayfare.db` or in its PostgreSQL database (see `open_database`)."""
    return Documents(open_database(workspace, url))


def standing(workspace: Workspace) -> dict[str, Document]:
    """What the documents of a workspace say now (see `Documents.standing`); nothing is made where there are none."""
    if not has_database(workspace):
        return {}
    documents = open_documents(workspace)
    try:
        return documents.standing()
    finally:
        documents.close()


def differing(before: Document, after: Document, old: str = "", new: str = "") -> list[str]:
    """Which lines of their YAML differ? In the form of `diff -u`."""
    one, other = to_yaml(before).splitlines(), to_yaml(after).splitlines()
    return list(difflib.unified_diff(one, other, old, new, lineterm=""))


def _check_new(document: Document, based_on: int | None, branch: str) -> None:
    if based_on is not None:
        raise UnknownName(
            f"There is no document {document.name!r} that this could be based on.",
            where=f"revision {based_on}",
        )
    if branch != MAIN:
        raise BadInput(
            f"A new document begins on the branch {MAIN!r}, not on {branch!r}.",
            where=document.name,
            hint="Save it there first, then start a branch.",
        )


def _check_kind(connection: sa.Connection, id: int, document: Document) -> None:
    asked = sa.select(tables.document.c.kind).where(tables.document.c.id == id)
    kind = connection.execute(asked).scalar_one()
    if kind != document.KIND:
        raise BadInput(
            f"{document.name!r} is a {kind}, not a {document.KIND}.",
            where=document.name,
            hint="Give it another name.",
        )


def _stale(
    connection: sa.Connection, id: int, head: Revision, document: Document, based_on: int | None
) -> Stale:
    """The error that shows what both sides changed."""
    theirs = f"revision {head.number} ({head.who}, {head.at:%Y-%m-%d %H:%M} UTC{', ' + head.why if head.why else ''})"
    if based_on is None:
        said = [f"There is a document of this name already. It is {theirs}, and yours differs from it:"]
        said += _few(differing(head.document, document, f"revision {head.number}", "yours"))
    else:
        base = read(connection, id, based_on).document
        said = [f"It was saved since revision {based_on}, which your change is based on. Now it is {theirs}:"]
        said += _few(differing(base, head.document, f"revision {based_on}", f"revision {head.number}"))
        said += ["Your change:", *_few(differing(base, document, f"revision {based_on}", "yours"))]
    hint = f"Bring your change into revision {head.number}, and save it as based on that."
    return Stale("\n".join(said), where=document.name, hint=hint)


def _few(lines: Iterable[str]) -> list[str]:
    lines = list(lines)
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"… and {more} more lines"] if more > 0 else [])]


__all__ = [
    "MAIN",
    "Change",
    "Comment",
    "Documents",
    "Entry",
    "Revision",
    "Stale",
    "differing",
    "open_documents",
    "standing",
]
