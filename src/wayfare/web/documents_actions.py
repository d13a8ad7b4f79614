"""What the forms of the documents' pages do; each answers with a page to look at, or with JSON where a script asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from wayfare.domain.document import Name
from wayfare.errors import BadInput, UnknownName, WayfareError
from wayfare.web.answers import Answers
from wayfare.web.documents_board import Shelf, board_of
from wayfare.web.documents_fields import changes_of, parsed, read
from wayfare.web.documents_view import found_item, opened
from wayfare.web.documents_who import check_token, checked_name, keep_name, who
from wayfare.workspace.changes import Add, Change, Move, Remove, Set, change
from wayfare.workspace.changes_told import Gone
from wayfare.workspace.document_text import LONGEST, from_yaml, kind_of
from wayfare.workspace.documents import MAIN, Documents, Stale
from wayfare.workspace.revisions import checked

MOST_FIELDS = 20_000
_OWN = ("token", "branch", "id", "was", "seen", "do", "into", "of", "list", "why", "comment")
"""Fields of a form that are not fields of an item."""


class ShowsDocument(Protocol):
    """Makes the page of a document with what went wrong on it."""

    def __call__(
        self, answers: Answers, request: Request, name: str, problem: WayfareError | None = None, branch: str | None = None
    ) -> HTMLResponse:  # fmt: skip
        """The page, of the branch where one is named, else of what the address asks for."""


@dataclass(frozen=True)
class Sent:
    """A form that was sent about a document."""

    documents: Documents
    name: str
    form: FormData
    who: str

    def text(self, field: str) -> str:
        """What stands in a field."""
        value = self.form.get(field)
        return value.replace("\r\n", "\n") if isinstance(value, str) else ""

    @property
    def branch(self) -> str:
        """The branch that was looked at."""
        return self.text("branch") or MAIN

    @property
    def seen(self) -> int | None:
        """The revision that was looked at."""
        said = self.text("seen")
        return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None

    def change(self, *changes: Change) -> Done:
        """Makes changes."""
        made = change(
            self.documents, self.name, changes, who=self.who, branch=self.branch, seen=self.seen, why=self.text("why")
        )  # fmt: skip
        return Done(made.revision.number, made.ids)


@dataclass(frozen=True)
class Done:
    """What came of it: the revision, what was touched, and the part of the page to look at."""

    revision: int
    ids: tuple[str, ...] = ()
    part: str = ""
    branch: str | None = None


async def _form(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_fields=MOST_FIELDS) as form:
        yield form


Form = Annotated[FormData, Depends(_form)]


def action_routes(
    answers: Answers, document_page: ShowsDocument, shelf_page: Callable[..., HTMLResponse], item_page: Callable[..., HTMLResponse]
) -> APIRouter:  # fmt: skip
    """The addresses that forms are sent to."""
    router = APIRouter(include_in_schema=False)

    @router.post("/documents")
    def start(request: Request, form: Form) -> Response:
        try:
            check_token(form.get("token"))
            name = _start(answers.studies.documents, form, who(request))
        except WayfareError as error:
            return shelf_page(answers, request, error, kind=form.get("kind"), name=form.get("name"))
        return RedirectResponse(f"/documents/{quote(name)}", 303)

    @router.post("/documents/import")
    def import_(request: Request, form: Form) -> Response:
        try:
            check_token(form.get("token"))
            name, branch = _import(answers.studies.documents, form, who(request))
        except WayfareError as error:
            into = form.get("into")
            if isinstance(into, str) and into:
                branch = str(form.get("branch") or MAIN)
                return document_page(answers, request, into, error, branch)
            return shelf_page(answers, request, error)
        return RedirectResponse(_address(name, branch), 303)

    @router.post("/documents/who")
    def name_oneself(form: Form) -> Response:
        check_token(form.get("token"))
        back = str(form.get("back") or "")
        name = checked_name(str(form.get("who") or ""))
        return keep_name(RedirectResponse(f"/documents/{quote(back)}" if back else "/documents", 303), name)

    @router.post("/documents/{name}/{do}")
    def act(name: str, do: str, request: Request, form: Form) -> Response:
        if do not in ACTIONS:
            raise UnknownName.among("action", do, ACTIONS)
        sent = Sent(opened(answers.studies, name), name, form, who(request))
        try:
            check_token(form.get("token"))
            done = ACTIONS[do](sent)
        except WayfareError as error:
            if _scripted(request):
                return _json(error.to_dict(), error.status)
            if do == "item" and not isinstance(error, Gone):
                typed = _typed(sent)
                return item_page(answers, request, name, sent.text("id"), error, typed, sent.branch)
            return document_page(answers, request, name, error, sent.branch)
        if _scripted(request):
            return _json({"revision": done.revision, "ids": done.ids})
        return RedirectResponse(_address(name, done.branch or sent.branch, done), 303)

    return router


def _start(documents: Documents, form: FormData, who: str) -> str:
    kind = kind_of(str(form.get("kind") or ""))
    name = checked(Name, str(form.get("name") or "").strip() or kind.USUAL, "name")
    if any(entry.name == name for entry in documents.entries()):
        raise BadInput(
            f"There is a document {name!r} already.", where="name", hint="Give this one another name."
        )
    documents.save(kind(name=name), based_on=None, who=who, why="Started")
    return name


def _import(documents: Documents, form: FormData, who: str) -> tuple[str, str]:
    """Saves the YAML that was uploaded: as a new document, or over the revision that its writer looked at."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise BadInput("No file was chosen.", where="file")
    raw = file.file.read(LONGEST + 1)
    if len(raw) > LONGEST:
        raise BadInput("The file is too long for a document.", where="file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"It is not UTF-8 text ({error.reason} at byte {error.start}).", where="file"
        ) from None
    document = from_yaml(text, file.filename.replace("\\", "/").rpartition("/")[2][:80])
    into, branch = str(form.get("into") or ""), str(form.get("branch") or MAIN)
    if into and document.name != into:
        raise BadInput(
            f"The file is the document {document.name!r}, not {into!r}.", where="name", hint="Import it under Documents."
        )  # fmt: skip
    seen = str(form.get("seen") or "")
    try:
        documents.save(document, based_on=int(seen) if into and seen.isdigit() else None, who=who, why="Imported", branch=branch)  # fmt: skip
    except Stale as error:
        if not into:
            error.hint = f"Open {document.name!r} and import the file there, if it has all of that in it."
        raise
    return document.name, branch


def _add(sent: Sent) -> Done:
    """A new item at the end of a list."""
    shelf = _shelf(sent, sent.text("list"))
    words = sent.text(shelf.asks).strip()
    if not words:
        raise BadInput("It says nothing yet.", where=shelf.asks, hint="Write what it is, then choose Add.")
    kind = {"kind": sent.text("kind")} if shelf.kinds else {}
    done = sent.change(Add(shelf.into, {shelf.asks: words, **kind, **shelf.sets}, shelf.of))
    return Done(done.revision, done.ids, f"note-{done.ids[0]}")


def _item(sent: Sent) -> Done:
    """What the form of an item asks for: its fields saved, or another place for it, or none."""
    do, id = sent.text("do") or "save", sent.text("id")
    if do == "remove":
        return sent.change(Remove(id))
    if do == "move":
        target = _shelf(sent, sent.text("list"))
        done = sent.change(*_sets(sent, id, target), Move(id, target.into, target.of))
        return Done(done.revision, done.ids, f"note-{id}")
    if do in ("up", "down"):
        done = sent.change(_step(sent, id, do))
        return Done(done.revision, done.ids, f"note-{id}")
    head = sent.documents.head(sent.name, sent.branch).document
    was, said = _was(sent), _typed_fields(sent)
    try:
        model, item, fresh = found_item(head, id)
    except UnknownName:
        words = "; ".join(str(value) for key, value in sent.form.items() if key not in _OWN and value)
        raise Gone(f"Somebody deleted {id!r} meanwhile. What you wrote: {words}", where=id, hint="Add it again to keep it.") from None  # fmt: skip
    if fresh:
        done = sent.change(Add("stages", {**item, **read(model, said), "stage": item["stage"]}))
    else:
        done = sent.change(*changes_of(id, model, item, was, said))
    return Done(done.revision, (id,), f"note-{id}" if id else "")


def _undo(sent: Sent) -> Done:
    return Done(sent.documents.undo(sent.name, who=sent.who, branch=sent.branch, seen=sent.seen).number)


def _restore(sent: Sent) -> Done:
    number = sent.text("revision")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise BadInput(f"{number[:40]!r} is no number of a revision.", where="revision")
    return Done(sent.documents.restore(sent.name, int(number), who=sent.who, branch=sent.branch).number)


def _branch(sent: Sent) -> Done:
    branch = checked(Name, sent.text("new").strip(), "branch")
    started = sent.documents.start_branch(sent.name, branch, sent.seen)
    return Done(started.number, branch=branch)


def _comment(sent: Sent) -> Done:
    said = sent.documents.comment(
        sent.name, sent.text("id"), sent.text("comment"), who=sent.who, branch=sent.branch
    )
    return Done(said.revision, (said.item,), "comments" if not said.item else f"note-{said.item}")


ACTIONS: dict[str, Callable[[Sent], Done]] = {
    "add": _add,
    "item": _item,
    "undo": _undo,
    "restore": _restore,
    "branches": _branch,
    "comments": _comment,
}


def _shelf(sent: Sent, key: str) -> Shelf:
    shelves = {
        shelf.key: shelf for shelf in board_of(sent.documents.head(sent.name, sent.branch).document).targets()
    }
    if key not in shelves:
        words = sent.text("text") or sent.text("event")
        raise Gone(
            f"The list {key!r} is not there any more.{f' What you wrote: {words}' if words else ''}",
            where="list",
        )
    return shelves[key]


def _sets(sent: Sent, id: str, target: Shelf) -> list[Set]:
    """The fields that an item gets by standing in a list."""
    if not target.sets:
        return []
    item = found_item(sent.documents.head(sent.name, sent.branch).document, id)[1]
    return [Set(id, name, item.get(name), value) for name, value in target.sets.items()]


def _step(sent: Sent, id: str, do: str) -> Move:
    """One place up or down in the list that it is in."""
    board = board_of(sent.documents.head(sent.name, sent.branch).document)
    for shelf in board.targets():
        ids = [note.id for note in shelf.notes]
        if id in ids:
            place = ids.index(id)
            rest = [each for each in ids if each != id]
            to = max(place - 1, 0) if do == "up" else min(place + 1, len(rest))
            return Move(id, shelf.into, shelf.of, rest[to] if to < len(rest) else None)
    raise Gone(f"Somebody deleted {id!r} meanwhile.", where=id)


def _was(sent: Sent) -> dict[str, Any]:
    try:
        was = json.loads(sent.text("was") or "{}")
    except ValueError:
        was = None
    if not isinstance(was, dict):
        raise BadInput("The form can't be read.", where="was", hint="Load the page again.")
    return was


def _typed_fields(sent: Sent) -> dict[str, Any]:
    return parsed(
        [(key, value) for key, value in sent.form.multi_items() if key not in _OWN and isinstance(value, str)]
    )


def _typed(sent: Sent) -> dict[str, Any] | None:
    """What was typed into the form of an item, to be shown in it again; None where nothing was."""
    if (sent.text("do") or "save") != "save":
        return None
    try:
        model, item, _ = found_item(sent.documents.head(sent.name, sent.branch).document, sent.text("id"))
    except UnknownName:
        return None
    return {
        **{key: item[key] for key in ("id", "event", "stage") if key in item},
        **read(model, _typed_fields(sent)),
    }


def _address(name: str, branch: str, done: Done | None = None) -> str:
    query = "" if branch == MAIN else f"?{urlencode({'branch': branch})}"
    return f"/documents/{quote(name)}{query}{f'#{quote(done.part)}' if done and done.part else ''}"


def _scripted(request: Request) -> bool:
    return request.headers.get("accept", "").startswith("application/json")


def _json(said: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(said, ensure_ascii=False, default=list), status, media_type="application/json")
