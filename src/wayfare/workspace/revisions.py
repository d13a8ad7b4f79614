"""Revisions as rows of the database: read, and added by a transaction that holds their document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from wayfare.domain.document import Document, Words
from wayfare.errors import BadInput, UnknownName, WayfareError
from wayfare.workspace import database as tables
from wayfare.workspace.document_text import from_json

MAIN = "main"
"""The branch that a document begins on."""

Action = Literal["save", "undo", "restore"]


class Stale(WayfareError):
    """Somebody saved the document since the revision that a change is based on."""

    code = "stale"
    status = 409


@dataclass(frozen=True)
class Change:
    """A revision without its content.

    Attributes:
        number: Counted through all branches of the document, from 1.
        branch: The branch that it was saved on.
        parent: The revision before it; None for the first.
        action: Whether it was saved, or made equal to an earlier one by undo or restore.
        equals: That earlier revision.
        who, at, why: Whose change it is, when it was saved (UTC), and what for.
    """

    number: int
    branch: str
    parent: int | None
    action: Action
    equals: int | None
    who: str
    at: datetime
    why: str


@dataclass(frozen=True)
class Revision(Change):
    """A state of a document. `content` is its canonical JSON; equal documents have equal texts."""

    content: str

    @property
    def document(self) -> Document:
        """What it says."""
        return from_json(self.content, f"revision {self.number}")


@dataclass(frozen=True)
class Said:
    """What is noted about a revision beside its content."""

    parent: int | None
    who: str
    why: str
    action: Action = "save"
    equals: int | None = None


def locked(connection: sa.Connection, name: str) -> int | None:
    """The document's id, held until the transaction ends; None if there is none."""
    asked = sa.select(tables.document.c.id).where(tables.document.c.name == name).with_for_update()
    id: int | None = connection.execute(asked).scalar()
    return id


def held(connection: sa.Connection, name: str) -> int:
    """The id of a document that has to be there, held until the transaction ends."""
    id = id_of(connection, name)
    locked(connection, name)
    return id


def id_of(connection: sa.Connection, name: str) -> int:
    """The document's id, or the error that names the closest."""
    asked = sa.select(tables.document.c.name, tables.document.c.id)
    known: dict[str, int] = {row.name: row.id for row in connection.execute(asked)}
    if name not in known:
        error = UnknownName.among("document", name, known)
        error.hint = error.hint or "Import one: wayfare documents DIR import FILE"
        raise error
    return known[name]


def heads_of(connection: sa.Connection, id: int) -> dict[str, int]:
    """The newest revision of every branch, in the order in which they were started."""
    asked = sa.select(tables.branch.c.name, tables.branch.c.head).where(tables.branch.c.document_id == id)
    return {row.name: row.head for row in connection.execute(asked.order_by(tables.branch.c.id))}


def head_of(connection: sa.Connection, id: int, name: str, branch: str) -> int:
    """The newest revision of one branch."""
    heads = heads_of(connection, id)
    if branch not in heads:
        raise UnknownName.among("branch", branch, heads, where=name)
    return heads[branch]


def read(connection: sa.Connection, id: int, number: int) -> Revision:
    """One revision of a document, by its number."""
    columns = [tables.revision.c[each.name] for each in fields(Revision)]
    wanted = (tables.revision.c.document_id == id) & (tables.revision.c.number == number)
    row = connection.execute(sa.select(*columns).where(wanted)).one_or_none()
    if row is None:
        last = sa.select(tables.document.c.last_revision).where(tables.document.c.id == id)
        raise UnknownName(
            f"There is no revision {number}.",
            hint=f"They run from 1 to {connection.execute(last).scalar_one()}.",
        )
    return Revision(**row._mapping)


def insert_document(connection: sa.Connection, document: Document) -> int:
    """Makes a document, whose main branch waits for its first revision."""
    values = {"name": document.name, "kind": document.KIND, "last_revision": 0}
    try:
        added = connection.execute(tables.document.insert().values(values))
    except sa.exc.IntegrityError:  # PostgreSQL: somebody made it since we looked
        raise Stale(
            "Somebody made a document of this name at the same moment.",
            where=document.name,
            hint="Look at it first.",
        ) from None
    id: int = (added.inserted_primary_key or (0,))[0]
    connection.execute(tables.branch.insert().values(document_id=id, name=MAIN, head=0))
    return id


def append(connection: sa.Connection, id: int, branch: str, content: str, said: Said) -> Revision:
    """Adds a revision to a document that this transaction holds, and moves the branch on to it."""
    mine = tables.document.c.id == id
    last: int = connection.execute(sa.select(tables.document.c.last_revision).where(mine)).scalar_one()
    made = Revision(
        last + 1, branch, said.parent, said.action, said.equals, checked(Words, said.who, "who"), datetime.now(UTC),
        checked(Words, said.why, "why") if said.why else "", content,
    )  # fmt: skip
    values: Mapping[str, Any] = {each.name: getattr(made, each.name) for each in fields(Revision)}
    connection.execute(tables.revision.insert().values(document_id=id, **values))
    connection.execute(tables.document.update().where(mine).values(last_revision=made.number))
    on = (tables.branch.c.document_id == id) & (tables.branch.c.name == branch)
    connection.execute(tables.branch.update().where(on).values(head=made.number))
    return made


def checked(kind: Any, value: str, where: str) -> str:
    """The text as that kind of text (`Words`, `Name`), or the error that says what is wrong with it."""
    try:
        found: str = TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise BadInput(f"{said[:1].upper()}{said[1:]}.", where=where) from None
    return found
