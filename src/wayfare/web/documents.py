"""The pages of the strategy documents: which there are, one on its board, one item, what differs between revisions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from wayfare.errors import WayfareError
from wayfare.web.answers import Answers
from wayfare.web.documents_actions import action_routes
from wayfare.web.documents_api import documents_api_routes
from wayfare.web.documents_evidence import bound, evidence_of, evidence_routes
from wayfare.web.documents_export import export_routes, forms_of
from wayfare.web.documents_view import SHOWN, View, events_of, item_view, moment_of, view_of, whole
from wayfare.web.documents_who import account, said_name, who
from wayfare.web.documents_words import KIND_ABOUT, KIND_TITLES
from wayfare.web.frame import page
from wayfare.web.keep import TOKEN
from wayfare.web.render import render
from wayfare.workspace.document_text import KINDS
from wayfare.workspace.documents import MAIN


def document_routes(answers: Answers) -> APIRouter:
    """Every route that has to do with documents."""
    router = APIRouter(include_in_schema=False)
    router.include_router(documents_api_routes(answers))
    router.include_router(evidence_routes(answers))
    router.include_router(export_routes(answers))
    router.include_router(_page_routes(answers))
    router.include_router(action_routes(answers, document_page, shelf_page, item_page))
    return router


def _page_routes(answers: Answers) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/documents")
    def shelf(request: Request) -> Response:
        return shelf_page(answers, request)

    @router.get("/documents/{name}")
    def document(name: str, request: Request) -> Response:
        return document_page(answers, request, name)

    @router.get("/documents/{name}/live")
    def live(name: str, request: Request) -> Response:
        """The parts of the page that change when somebody saves."""
        view = asked_view(answers, request, name)
        return HTMLResponse(render("_document_live.html", **_parts(request, view)))

    @router.get("/documents/{name}/item")
    def item(name: str, request: Request) -> Response:
        return item_page(answers, request, name, request.query_params.get("id", ""))

    @router.get("/documents/{name}/diff")
    def diff(name: str, request: Request) -> Response:
        return _diff_page(answers, request, name)

    return router


def asked_view(answers: Answers, request: Request, name: str) -> View:
    """The document that an address asks for: its branch, and an earlier revision of it."""
    query = request.query_params
    return view_of(
        answers.studies, name, query.get("branch") or MAIN, whole(query.get("revision"), "revision")
    )


def shelf_page(
    answers: Answers, request: Request, problem: WayfareError | None = None, **said: Any
) -> HTMLResponse:
    """Which documents there are, and how to start one."""
    studies = answers.studies
    entries = studies.documents.entries() if studies.has_documents else []
    kinds = [(kind, KIND_TITLES[kind], KIND_ABOUT[kind], KINDS[kind].USUAL) for kind in ("canvas", "value_chain", "journey_map")]  # fmt: skip
    return page(
        answers,
        "documents.html",
        status=problem.status if problem else 200,
        title="Documents",
        page="documents",
        entries=entries,
        kinds=kinds,
        titles=KIND_TITLES,
        taken=[entry.name for entry in entries],
        token=TOKEN,
        who=who(request),
        problem=problem,
        said={"kind": "", "name": "", **said},
        zone=studies.workspace.config.timezone,
        when=moment_of,
    )


def document_page(
    answers: Answers, request: Request, name: str, problem: WayfareError | None = None, branch: str | None = None
) -> HTMLResponse:  # fmt: skip
    """One document on its board."""
    view = asked_view(answers, request, name) if branch is None else view_of(answers.studies, name, branch)
    return page(
        answers,
        "document.html",
        status=problem.status if problem else 200,
        title=name,
        page="documents",
        problem=problem,
        events=events_of(answers.studies, view.document),
        **_parts(request, view),
    )


def _parts(request: Request, view: View) -> dict[str, Any]:
    every = "history" in request.query_params
    return {
        "view": view,
        "board": view.board,
        "names": {id: words for _, id, words in view.document.places()},
        "forms": forms_of(view.document.KIND),
        "title_of_kind": KIND_TITLES[view.document.KIND],
        "history": view.history if every else view.history[:SHOWN],
        "more": 0 if every else max(len(view.history) - SHOWN, 0),
        "evidence": evidence_of(view),
        "bound": bound(view.document),
        "token": TOKEN,
        "who": who(request),
        "named": bool(said_name(request)),
        "account": account(),
    }


def item_page(
    answers: Answers, request: Request, name: str, id: str, problem: WayfareError | None = None,
    typed: dict[str, Any] | None = None, branch: str | None = None,
) -> HTMLResponse:  # fmt: skip
    """One item with its form: a page of its own, or the part of the document's page that shows it."""
    view = asked_view(answers, request, name) if branch is None else view_of(answers.studies, name, branch)
    item = item_view(answers.studies, view, id, typed)
    values = {
        "view": view,
        "item": item,
        "token": TOKEN,
        "problem": problem,
        "events": events_of(answers.studies, view.document),
        "evidence": evidence_of(view),
    }
    if "part" in request.query_params:
        return HTMLResponse(render("_document_item.html", part=True, **values))
    return page(
        answers, "document_item.html", status=problem.status if problem else 200, title=item.title, page="documents",
        part=False, **values,
    )  # fmt: skip


def _diff_page(answers: Answers, request: Request, name: str) -> Response:
    view = asked_view(answers, request, name)
    after = whole(request.query_params.get("after"), "after") or view.head
    state = answers.studies.documents.revision(name, after)
    before = whole(request.query_params.get("before"), "before") or state.parent or after
    lines = answers.studies.documents.diff(name, before, after)[2:]
    return page(
        answers, "document_diff.html", title=f"Changes of {name}", page="documents", view=view, before=before, after=after,
        lines=lines, numbers=[change.number for change in view.history], token=TOKEN,
    )  # fmt: skip
