"""The documents as JSON: read, changed in small places or as a whole, undone, branched and commented."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from wayfare.domain.document import Document
from wayfare.errors import BadInput, UnknownName
from wayfare.web.answers import Answers
from wayfare.web.documents_view import opened, whole
from wayfare.web.documents_who import who
from wayfare.workspace.changes import change, read_changes
from wayfare.workspace.document_text import KINDS, content
from wayfare.workspace.documents import MAIN, Documents
from wayfare.workspace.revisions import Change as Told
from wayfare.workspace.revisions import Revision

Body = dict[str, Any]


async def _body(request: Request) -> Body:
    """What was sent, an object."""
    try:
        said = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise BadInput("What was sent is no JSON object.", where="body")
    return said


Sent = Annotated[Body, Depends(_body)]


def documents_api_routes(answers: Answers) -> APIRouter:
    """The routes under /api/documents."""
    router = APIRouter(include_in_schema=False)
    studies = answers.studies

    @router.get("/api/documents")
    def index() -> Response:
        entries = studies.documents.entries() if studies.has_documents else []
        return _json({"documents": [
            {"name": entry.name, "kind": entry.kind, "branches": entry.branches, "latest": told(entry.latest)} for entry in entries
        ]})  # fmt: skip

    @router.get("/api/documents/{name}")
    def one(name: str, request: Request) -> Response:
        documents, query = opened(studies, name), request.query_params
        said = query.get("revision")
        head = documents.head(name, query.get("branch") or MAIN)
        return _json(state(name, documents.revision(name, whole(said, "revision") or 0) if said else head))

    @router.get("/api/documents/{name}/state")
    def since(name: str, request: Request) -> Response:
        documents, query = opened(studies, name), request.query_params
        return _json(
            _since(documents, name, query.get("branch") or MAIN, whole(query.get("seen"), "seen") or 0)
        )

    @router.put("/api/documents/{name}")
    def put(name: str, sent: Sent, request: Request) -> Response:
        return _json(state(name, _put(studies.documents, name, sent, request)))

    @router.post("/api/documents/{name}/{do}")
    def act(name: str, do: str, sent: Sent, request: Request) -> Response:
        if do not in ACTIONS:
            raise UnknownName.among("action", do, ACTIONS)
        return _json(ACTIONS[do](opened(studies, name), name, sent, who(request, sent.get("who"))))

    return router


def state(name: str, revision: Revision) -> Body:
    """A revision of a document with what it says."""
    document = revision.document
    return {"name": name, "kind": document.KIND, **told(revision), "document": content(document)}


def told(change: Told) -> Body:
    """What is known of a revision beside what it says."""
    return {
        "revision": change.number,
        "branch": change.branch,
        "parent": change.parent,
        "action": change.action,
        "who": change.who,
        "at": change.at.isoformat(),
        "why": change.why,
    }


def _since(documents: Documents, name: str, branch: str, seen: int) -> Body:
    """The newest revision of a branch, and what was changed since the one that was seen."""
    head = documents.head(name, branch)
    newer = [] if head.number == seen else documents.history(name, branch)
    found = [told(change) for change in newer if change.number > seen]
    return {"revision": head.number, "comments": len(documents.comments(name)), "changes": found}


def _put(documents: Documents, name: str, sent: Body, request: Request) -> Revision:
    said, based_on = sent.get("document"), sent.get("based_on")
    if not isinstance(said, dict) or said.get("document") not in KINDS:
        raise BadInput("It does not say which kind of document it is.", where="document", allowed=KINDS)
    if based_on is not None and (not isinstance(based_on, int) or isinstance(based_on, bool)):
        raise BadInput("It is the number of a revision, or null for a new document.", where="based_on")
    document = _document({**said, "name": said.get("name", name)})
    if document.name != name:
        raise BadInput(f"The document calls itself {document.name!r}, not {name!r}.", where="name")
    return documents.save(
        document, based_on=based_on, who=who(request, sent.get("who")), why=_text(sent, "why"), branch=_branch_of(sent)
    )  # fmt: skip


def _document(said: Body) -> Document:
    try:
        return KINDS[said["document"]].model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        raise BadInput(f"{message[:1].upper()}{message[1:]}.", where=where or "document") from None


def _change(documents: Documents, name: str, sent: Body, who: str) -> Body:
    """Brings changes into the newest revision; `change` is one, `changes` are several that belong together."""
    changes = read_changes(sent["changes"] if "changes" in sent else [sent.get("change")])
    made = change(
        documents, name, changes, who=who, why=_text(sent, "why"), branch=_branch_of(sent), seen=_seen(sent)
    )  # fmt: skip
    return {**told(made.revision), "ids": list(made.ids)}


def _undo(documents: Documents, name: str, sent: Body, who: str) -> Body:
    made = documents.undo(name, who=who, why=_text(sent, "why"), branch=_branch_of(sent), seen=_seen(sent))
    return told(made)


def _restore(documents: Documents, name: str, sent: Body, who: str) -> Body:
    number = sent.get("revision")
    if not isinstance(number, int) or isinstance(number, bool):
        raise BadInput("Say the number of the revision.", where="revision")
    return told(documents.restore(name, number, who=who, why=_text(sent, "why"), branch=_branch_of(sent)))


def _start_branch(documents: Documents, name: str, sent: Body, who: str) -> Body:  # noqa: ARG001
    return told(documents.start_branch(name, _text(sent, "name"), _seen(sent)))


def _comment(documents: Documents, name: str, sent: Body, who: str) -> Body:
    said = documents.comment(name, _text(sent, "item"), _text(sent, "text"), who=who, branch=_branch_of(sent))
    return {
        "item": said.item,
        "revision": said.revision,
        "who": said.who,
        "at": said.at.isoformat(),
        "text": said.text,
    }


ACTIONS: dict[str, Callable[[Documents, str, Body, str], Body]] = {
    "changes": _change,
    "undo": _undo,
    "restore": _restore,
    "branches": _start_branch,
    "comments": _comment,
}


def _text(sent: Body, field: str) -> str:
    value = sent.get(field, "")
    if not isinstance(value, str):
        raise BadInput("It is text.", where=field)
    return value


def _branch_of(sent: Body) -> str:
    return _text(sent, "branch") or MAIN


def _seen(sent: Body) -> int | None:
    seen = sent.get("seen")
    if seen is not None and (not isinstance(seen, int) or isinstance(seen, bool)):
        raise BadInput("It is the number of a revision.", where="seen")
    return seen


def _json(said: Body) -> Response:
    return Response(json.dumps(said, ensure_ascii=False, allow_nan=False), media_type="application/json")
