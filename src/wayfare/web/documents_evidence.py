"""What the log says of a document's items: in the words of its pictures, asked for after the page is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from wayfare.charts.document_drawing import Facts, costs_in, evidence_in
from wayfare.domain.canvas import Canvas
from wayfare.domain.document import Document
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import NotReady, WayfareError
from wayfare.registry import all_analyses, find
from wayfare.result import rows
from wayfare.web.answers import Answers
from wayfare.web.asked import read
from wayfare.web.documents_view import View, view_of
from wayfare.workspace.documents import MAIN

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Source:
    """The analysis that knows of a kind of document, the table that does, and how it is told."""

    analysis: str
    table: str
    told: Callable[[Any, Rows, str], Facts]


SOURCES: dict[str, Source] = {
    "canvas": Source(
        "canvas_evidence", "evidence", lambda canvas, found, currency: Facts(evidence=evidence_in(canvas, found, currency), currency=currency)
    ),
    "value_chain": Source(
        "activity_costs", "activities", lambda _, found, currency: Facts(costs=costs_in(found, currency), currency=currency)
    ),
}  # fmt: skip


def evidence_routes(answers: Answers) -> APIRouter:
    """The address of what the log says of a document."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/documents/{name}/evidence")
    def evidence(name: str, request: Request) -> Response:
        view = view_of(answers.studies, name, request.query_params.get("branch") or MAIN)
        facts = facts_of(answers, view)
        items: dict[str, Mapping[str, str]] = {
            **{id: {"verdict": verdict, "text": text} for id, (verdict, text) in (facts.evidence or {}).items()},
            **{id: {"verdict": "", "text": ", ".join(part for part in cost if part)} for id, cost in (facts.costs or {}).items()},
        }  # fmt: skip
        said = {"revision": view.state.number, "items": items}
        return Response(json.dumps(said, ensure_ascii=False), media_type="application/json")

    return router


def bound(document: Document) -> str:
    """What changes when the log has to be asked again: what items are bound to, and not what they say."""
    said: list[tuple[str, str]] = []
    if isinstance(document, Canvas):
        said = [(item.id, item.bindings.model_dump_json()) for _, item in document.items()]
    elif isinstance(document, ValueChain):
        words = {"text", "owner", "linkages", "performance", "turns", "parts"}
        said = [
            (activity.id, f"{activity.model_dump_json(exclude=words)}{[part.id for part in activity.parts]}")
            for _, activity in document.activities()
        ]
    return sha256(repr(sorted(said)).encode()).hexdigest()[:16]


def page_of(view: View) -> str:
    """The address of the analysis behind the evidence; empty where there is none for this document."""
    source = SOURCES.get(view.document.KIND)
    if source is None or view.past or source.analysis not in {analysis.name for analysis in all_analyses()}:
        return ""
    return f"/analyses/{source.analysis}?{urlencode({view.document.KIND: view.full_name})}"


def facts_of(answers: Answers, view: View) -> Facts:
    """What the log says of a document as it stands now.

    Raises:
        NotReady: There is no log, or nothing that could say anything of this kind of document.
    """
    source, kind = SOURCES.get(view.document.KIND), view.document.KIND
    if source is None:
        raise NotReady("No analysis says anything of the items of this document.", where=view.name)
    asked = read(find(source.analysis), QueryParams({kind: view.full_name}))
    result = answers.ask(asked).result().result
    currency = answers.studies.workspace.config.currency
    facts = source.told(view.document, rows(result.tables[source.table]), currency)
    log = result.context.log
    simulated = "Simulated data. " if log.get("simulated") else ""
    return replace(facts, note=f"{simulated}Log of {log.get('customers', 0):,} customers.")


def facts_or_none(answers: Answers, view: View) -> Facts:
    """The same for a picture, which is drawn without evidence where there is none."""
    bare = Facts(currency=answers.studies.workspace.config.currency)
    if view.past:
        return bare
    try:
        return facts_of(answers, view)
    except WayfareError:
        return replace(bare, note="Without evidence from the log.")
