"""Documents to take away: the YAML that teams keep, and the pictures and the Markdown that others read."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wayfare.charts.document_drawing import DRAWN, picture_of
from wayfare.charts.document_markdown import WRITTEN, markdown_of
from wayfare.charts.picture import pdf, png
from wayfare.errors import UnknownName
from wayfare.web.answers import Answers
from wayfare.web.documents_evidence import facts_of
from wayfare.web.documents_view import View, view_of, whole
from wayfare.web.downloads import STILL
from wayfare.workspace.document_text import to_yaml
from wayfare.workspace.documents import MAIN

FORMS = {
    "yaml": ("YAML", "application/yaml; charset=utf-8"),
    "md": ("Markdown", "text/markdown; charset=utf-8"),
    "svg": ("SVG picture", "image/svg+xml"),
    "png": ("PNG picture", "image/png"),
    "pdf": ("PDF", "application/pdf"),
}


def forms_of(kind: str) -> dict[str, str]:
    """The forms that a kind of document can be taken away in, with their words."""
    there = {"yaml": True, "md": kind in WRITTEN, **dict.fromkeys(("svg", "png", "pdf"), kind in DRAWN)}
    return {form: words for form, (words, _) in FORMS.items() if there[form]}


def export_routes(answers: Answers) -> APIRouter:
    """The address that gives a document as a file."""
    router = APIRouter(include_in_schema=False)

    @router.get("/documents/{name}/export.{form}")
    def export(name: str, form: str, request: Request) -> Response:
        query = request.query_params
        number = whole(query.get("revision"), "revision")
        view = view_of(answers.studies, name, query.get("branch") or MAIN, number)
        known = forms_of(view.document.KIND)
        if form not in known:
            raise UnknownName.among("form of this document", form, known)
        return _file(view, form, _content(answers, view, form))

    return router


def _content(answers: Answers, view: View, form: str) -> bytes:
    document, state = view.document, view.state
    if form == "yaml":
        return to_yaml(document).encode()
    facts = facts_of(answers, view)
    branch = "" if view.branch == MAIN else f" of the what-if “{view.branch}”"
    facts = replace(facts, note=f"Revision {state.number}{branch}, {state.at:%Y-%m-%d}. {facts.note}".strip())
    if form == "md":
        return markdown_of(document, facts).encode()
    picture = picture_of(document, facts)
    return {"svg": lambda: picture.svg().encode(), "png": lambda: png(picture), "pdf": lambda: pdf(picture)}[
        form
    ]()


def _file(view: View, form: str, content: bytes) -> Response:
    """The content as a download that is named like the document."""
    name = f"{view.name}-{view.branch}" if view.branch != MAIN else view.name
    told = f"attachment; filename=\"document.{form}\"; filename*=UTF-8''{quote(f'{name}.{form}')}"
    headers = {"content-disposition": told, **({"content-security-policy": STILL} if form == "svg" else {})}
    return Response(content, media_type=FORMS[form][1], headers=headers)
