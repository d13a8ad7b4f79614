"""`wayfare documents`: the strategy documents of a workspace and their revisions."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wayfare.cli.options import Folder, Format, FormatOption
from wayfare.cli.problems import Misused
from wayfare.cli.show import print_rows
from wayfare.cli.terminal import clean, note
from wayfare.errors import NotReady

if TYPE_CHECKING:
    from wayfare.workspace.documents import Change, Documents, Revision
    from wayfare.workspace.folder import Workspace

HISTORY = ("number", "branch", "parent", "action", "equals", "who", "at", "why")


class Action(StrEnum):
    """What is done with documents."""

    LIST = "list"
    SHOW = "show"
    NEW = "new"
    EDIT = "edit"
    EXPORT = "export"
    DRAW = "draw"
    IMPORT = "import"
    DIFF = "diff"
    HISTORY = "history"
    UNDO = "undo"
    RESTORE = "restore"
    BRANCH = "branch"
    COMMENT = "comment"
    REVIEW = "review"
    SCHEMA = "schema"


@dataclass(frozen=True)
class Asked:
    """What was asked for, and the open documents to do it on."""

    workspace: Workspace
    documents: Documents
    words: tuple[str, ...]
    branch: str
    revision: int | None
    based_on: int | None
    message: str
    who: str
    format: Format
    next: str | None = None

    @property
    def name(self) -> str:
        """The document that is spoken of."""
        return self.words[0]

    def state(self) -> Revision:
        """The revision that is spoken of: the newest of the branch where none is named."""
        if self.revision is not None:
            return self.documents.revision(self.name, self.revision)
        return self.documents.head(self.name, self.branch)


def documents(
    folder: Folder,
    action: Annotated[
        Action, typer.Argument(metavar="ACTION", help="What to do; each takes the words shown above.")
    ] = Action.LIST,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORDS", help="What ACTION takes: a name, a file, a kind, revisions."),
    ] = None,
    message: Annotated[
        str, typer.Option("--message", "-m", help="Why: kept with the revision.", show_default=False)
    ] = "",
    branch: Annotated[
        str, typer.Option(metavar="NAME", help="The branch to look at or to save on.")
    ] = "main",
    revision: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="The revision to show, export or branch from; else the newest.", min=1
        ),
    ] = None,
    based_on: Annotated[
        int | None,
        typer.Option(
            "--based-on", metavar="N", help="The revision that an imported file was made from.", min=1
        ),
    ] = None,
    who: Annotated[
        str | None,
        typer.Option(envvar="WAYFARE_USER", metavar="NAME", help="Whose change it is; else your account."),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            envvar="WAYFARE_DATABASE",
            metavar="URL",
            show_default=False,
            help="The PostgreSQL database with the documents (postgresql://user@host/name); else what wayfare.yaml says, else wayfare.db in DIR.",
        ),
    ] = None,
    next: Annotated[
        str | None, typer.Option(metavar="DAY", help="Of a review: the day of the next one (2026-01-31).")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Strategy documents (Business Model Canvas, value chain): every change is a revision, and none is lost.

    \b
        list                         the documents
        show NAME                    its items
        new KIND [NAME]              start an empty one (journey_map, canvas, value_chain)
        edit NAME                    open its YAML in $EDITOR and save
        export NAME [FILE]           its YAML, as DIR/documents/NAME.yaml; - is stdout
        draw NAME [FILE]             the picture, as DIR/documents/NAME.svg; .png, .pdf, .html and .md too
        import FILE                  save a YAML file of the workspace; - is stdin
        diff NAME [BEFORE [AFTER]]   lines that differ between revisions
        history NAME                 its revisions, the newest first
        undo NAME                    take the newest change back
        restore NAME N               bring revision N back
        branch NAME NEW              start a what-if; save on it with --branch NEW
        comment NAME ITEM TEXT       say something about an item
        review NAME [DECISION ...]   date a review of a canvas with today's verdicts; --next DAY
        schema KIND                  the JSON schema for editors (journey_map, canvas, value_chain)

    A change of what somebody else has changed meanwhile is refused, and both changes are shown.
    """
    from wayfare.workspace.documents import open_documents
    from wayfare.workspace.folder import open_workspace

    _check_words(action, words or [])
    if next is not None and action is not Action.REVIEW:
        raise Misused(
            "Only a review has a next one.",
            where="--next",
            hint="wayfare documents DIR review NAME --next DAY",
        )
    if action is Action.SCHEMA:
        from wayfare.workspace.document_text import schema

        print(json.dumps(schema((words or [""])[0]), indent=2, ensure_ascii=False))
        return
    workspace = open_workspace(folder)
    opened = open_documents(workspace, database)
    try:
        person = who or _account()
        asked = Asked(
            workspace, opened, tuple(words or ()), branch, revision, based_on, message, person, format, next
        )
        ACTIONS[action](asked)
    finally:
        opened.close()


def row_of(change: Change) -> dict[str, Any]:
    """A revision as a row, without its content."""
    from wayfare.workspace.documents import Change

    said = {field.name: getattr(change, field.name) for field in fields(Change)}
    return {**said, "at": f"{change.at:%Y-%m-%d %H:%M:%S}Z"}


def tell_saved(asked: Asked, name: str, saved: Revision, before: int | None) -> None:
    """Says which revision was made; without one, that nothing changed."""
    if asked.format is not Format.TABLE:
        print_rows([row_of(saved)], HISTORY, asked.format)
    elif saved.number == before:
        note(f"Nothing changed: {name!r} is at revision {saved.number}.")
    else:
        equals = f", equal to revision {saved.equals}" if saved.equals else ""
        note(f"Saved: {name!r}, revision {saved.number} on the branch {saved.branch!r}{equals}.")


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name: a container's
        return f"user {os.getuid()}"


def _check_words(action: Action, words: list[str]) -> None:
    few, many, usage = _USAGE[action]
    if not few <= len(words) <= many:
        problem = "Something is missing." if len(words) < few else "That is more than it takes."
        hint = f"wayfare documents DIR {action.value} {usage}".rstrip()
        raise Misused(problem, where=f"wayfare documents DIR {action.value}", hint=hint)


def _number(word: str) -> int:
    if not word.isdecimal() or len(word) > 9:
        raise Misused(f"{word!r} is not the number of a revision.", hint="wayfare documents DIR history NAME")
    return int(word)


def _list(asked: Asked) -> None:
    rows = [
        {
            "name": entry.name, "kind": entry.kind, "revision": entry.latest.number, "who": entry.latest.who,
            "at": row_of(entry.latest)["at"], "why": entry.latest.why, "branches": ", ".join(entry.branches),
        }
        for entry in asked.documents.entries()
    ]  # fmt: skip
    if not rows and asked.format is Format.TABLE:
        note(
            "There are no documents yet. Start one: wayfare documents DIR new canvas (or value_chain, journey_map)"
        )
        return
    print_rows(rows, ("name", "kind", "revision", "who", "at", "why", "branches"), asked.format)


def _show(asked: Asked) -> None:
    from wayfare.workspace.document_text import content

    state, comments = asked.state(), asked.documents.comments(asked.name)
    said = [
        {
            "item": c.item,
            "revision": c.revision,
            "who": c.who,
            "at": f"{c.at:%Y-%m-%d %H:%M:%S}Z",
            "text": c.text,
        }
        for c in comments
    ]
    if asked.format is Format.JSON:
        whole = {"revision": row_of(state), "content": content(state.document), "comments": said}
        print(json.dumps(whole, indent=2, ensure_ascii=False))
        return
    rows = [
        {
            "place": ".".join(step for step in path if isinstance(step, str) and step != "parts"),
            "id": id, "text": text, "comments": sum(each.item == id for each in comments),
        }
        for path, id, text in state.document.places()
    ]  # fmt: skip
    print_rows(rows, ("place", "id", "text", "comments"), asked.format)
    if asked.format is Format.TABLE:
        if said:
            print()
            print_rows(said, ("item", "revision", "who", "at", "text"), asked.format)
        note(f"Revision {state.number} on the branch {state.branch!r}, {row_of(state)['at']}, {state.who}.")


def _diff(asked: Asked) -> None:
    numbers = [_number(word) for word in asked.words[1:]]
    head = asked.documents.head(asked.name, asked.branch)
    if not numbers and head.parent is None:
        raise NotReady("There is one revision only, so there is nothing to compare.", where=asked.name)
    before, after = (*(numbers or [head.parent or 0]), head.number)[:2]
    lines = asked.documents.diff(asked.name, before, after)
    if asked.format is not Format.TABLE:
        rows = [{"change": line[:1].strip() or "same", "line": line[1:]} for line in lines[2:]]
        print_rows(rows, ("change", "line"), asked.format)
    elif lines:
        print("\n".join(clean(line) for line in lines))
    else:
        note(f"Revisions {before} and {after} say the same.")


def _history(asked: Asked) -> None:
    rows = [row_of(change) for change in asked.documents.history(asked.name, asked.branch)]
    print_rows(rows, HISTORY, asked.format)


def _undo(asked: Asked) -> None:
    made = asked.documents.undo(asked.name, who=asked.who, why=asked.message, branch=asked.branch)
    tell_saved(asked, asked.name, made, None)


def _restore(asked: Asked) -> None:
    number = _number(asked.words[1])
    made = asked.documents.restore(asked.name, number, who=asked.who, why=asked.message, branch=asked.branch)
    tell_saved(asked, asked.name, made, None)


def _branch(asked: Asked) -> None:
    start = asked.documents.start_branch(asked.name, asked.words[1], asked.revision)
    note(f"The branch {asked.words[1]!r} of {asked.name!r} starts from revision {start.number}.")
    note(f"Save on it with --branch {asked.words[1]!r}; bring its revision N to main: restore NAME N")


def _comment(asked: Asked) -> None:
    name, item, text = asked.words
    made = asked.documents.comment(name, item, text, who=asked.who, branch=asked.branch)
    note(f"Noted on {item or name!r}, at revision {made.revision}.")


def _edit(asked: Asked) -> None:
    from wayfare.cli.document_files import edit

    edit(asked)


def _export(asked: Asked) -> None:
    from wayfare.cli.document_files import export

    export(asked)


def _draw(asked: Asked) -> None:
    from wayfare.cli.document_draw import draw

    draw(asked)


def _import(asked: Asked) -> None:
    from wayfare.cli.document_files import import_

    import_(asked)


def _new(asked: Asked) -> None:
    from wayfare.cli.document_files import new

    new(asked)


def _review(asked: Asked) -> None:
    from wayfare.cli.document_review import review

    review(asked)


ACTIONS: dict[Action, Callable[[Asked], None]] = {
    Action.LIST: _list, Action.SHOW: _show, Action.NEW: _new, Action.EDIT: _edit, Action.EXPORT: _export, Action.DRAW: _draw, Action.IMPORT: _import,
    Action.DIFF: _diff, Action.HISTORY: _history, Action.UNDO: _undo, Action.RESTORE: _restore,
    Action.BRANCH: _branch, Action.COMMENT: _comment, Action.REVIEW: _review,
}  # fmt: skip

# Action -> fewest and most words, and what they are.
_USAGE: dict[Action, tuple[int, int, str]] = {
    Action.LIST: (0, 0, ""),
    Action.SHOW: (1, 1, "NAME"),
    Action.NEW: (1, 2, "KIND [NAME]"),
    Action.EDIT: (1, 1, "NAME"),
    Action.EXPORT: (1, 2, "NAME [FILE]"),
    Action.DRAW: (1, 2, "NAME [FILE]"),
    Action.IMPORT: (1, 1, "FILE"),
    Action.DIFF: (1, 3, "NAME [BEFORE [AFTER]]"),
    Action.HISTORY: (1, 1, "NAME"),
    Action.UNDO: (1, 1, "NAME"),
    Action.RESTORE: (2, 2, "NAME N"),
    Action.BRANCH: (2, 2, "NAME NEW"),
    Action.COMMENT: (3, 3, "NAME ITEM TEXT"),
    Action.REVIEW: (1, 50, "NAME [DECISION ...]"),
    Action.SCHEMA: (1, 1, "KIND"),
}
