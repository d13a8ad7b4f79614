"""What the log says of a document's items: in the words of its pictures, asked for after the page is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from wayfare.charts.document_drawing import Facts, costs_in, evidence_in
from wayfare.domain.canvas import Canvas
from wayfare.domain.document import Document
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import UnknownName, WayfareError
from wayfare.registry import all_analyses, find
from wayfare.report.sections import label_of
from wayfare.result import Result, rows
from wayfare.web.answers import Answers
from wayfare.web.asked import read
from wayfare.web.documents_view import View, view_of
from wayfare.workspace.documents import MAIN

Items = Mapping[str, tuple[str, str]]
"""Of an item's id: the verdict (`holds`, `fails`, `too_few`, or empty where none is due) and what is to be said."""

CERTAIN = 0.05
"""An effect is told on a note where chance alone would do as much less often than this, over all that were looked at."""


def _of_canvas(document: Any, result: Result, currency: str) -> Items:
    return evidence_in(document, rows(result.tables["evidence"]), currency)


def _of_costs(_: Any, result: Result, currency: str) -> Items:
    found = costs_in(rows(result.tables["activities"]), currency)
    return {id: ("", ", ".join(part for part in cost if part)) for id, cost in found.items()}


def _of_effects(_: Any, result: Result, currency: str) -> Items:  # noqa: ARG001 - shares, not money
    """How often an activity misses its target, and the largest of what goes along with that beyond chance."""
    said: dict[str, list[str]] = {}
    for row in rows(result.tables["performance"]):
        if row["missed_share"] is not None:
            share = f"{row['missed_share']:.0%} of runs"
            line = f"A defect in {share}" if row["measure"] == "defect" else f"{share} miss the target"
            said.setdefault(row["activity"], []).append(line)
    told = [
        row
        for row in rows(result.tables["effects"])
        if row["effect"] is not None and (row["p_adjusted"] or 0) < CERTAIN
    ]
    for row in sorted(told, key=lambda row: abs(row["effect"]), reverse=True):
        lines = said.setdefault(row["activity"], [])
        if not any("where it is met" in line for line in lines):
            effect, low, high = (f"{100 * row[key]:+.0f}" for key in ("effect", "low", "high"))
            lines.append(f"{label_of(row['outcome'])} {effect} points where it is met ({low} to {high})")
    return {id: ("", "; ".join(lines)) for id, lines in said.items()}


SOURCES: dict[str, dict[str, Callable[[Any, Result, str], Items]]] = {
    "canvas": {"canvas_evidence": _of_canvas},
    "value_chain": {"activity_costs": _of_costs, "activity_effects": _of_effects},
}
"""Kind of document -> the analyses that say something of its items; the first one is drawn into its picture."""


@dataclass(frozen=True)
class Evidence:
    """Where an analysis's words on a document are asked for, and where it can be looked at."""

    data: str
    page: str


def evidence_routes(answers: Answers) -> APIRouter:
    """The address of what the log says of a document."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/documents/{name}/evidence")
    def evidence(name: str, request: Request) -> Response:
        query = request.query_params
        view = view_of(answers.studies, name, query.get("branch") or MAIN)
        sources = SOURCES.get(view.document.KIND, {})
        analysis = query.get("analysis") or next(iter(sources), "")
        if analysis not in sources:
            raise UnknownName.among("analysis of this document", analysis, sources)
        result = _answer(answers, view, analysis)
        found = sources[analysis](view.document, result, answers.studies.workspace.config.currency)
        items = {id: {"verdict": verdict, "text": text} for id, (verdict, text) in found.items()}
        said = {"revision": view.state.number, "analysis": analysis, "items": items}
        return Response(json.dumps(said, ensure_ascii=False), media_type="application/json")

    return router


def evidence_of(view: View) -> list[Evidence]:
    """The evidence that there is for a document as it stands; none for an earlier revision."""
    known = {analysis.name for analysis in all_analyses()}
    sources = [] if view.past else [name for name in SOURCES.get(view.document.KIND, {}) if name in known]
    at = f"/api/documents/{quote(view.name)}/evidence"
    return [
        Evidence(
            f"{at}?{urlencode({'branch': view.branch, 'analysis': name})}",
            f"/analyses/{name}?{urlencode({view.document.KIND: view.full_name})}",
        )
        for name in sources
    ]


def bound(document: Document) -> str:
    """What changes when the log has to be asked again: what items are bound to, and not what they say."""
    said: list[tuple[str, str]] = []
    if isinstance(document, Canvas):
        said = [(item.id, item.bindings.model_dump_json()) for _, item in document.items()]
    elif isinstance(document, ValueChain):
        words = {"text", "owner", "linkages", "parts"}
        said = [
            (activity.id, f"{activity.model_dump_json(exclude=words)}{[part.id for part in activity.parts]}")
            for _, activity in document.activities()
        ]
    return sha256(repr(sorted(said)).encode()).hexdigest()[:16]


def facts_of(answers: Answers, view: View) -> Facts:
    """What a picture of a document tells beside what it says; without evidence where there is none."""
    currency = answers.studies.workspace.config.currency
    bare = Facts(currency=currency)
    source = next(iter(SOURCES.get(view.document.KIND, {})), "")
    if view.past or not source:
        return bare
    try:
        result = _answer(answers, view, source)
    except WayfareError:
        return replace(bare, note="Without evidence from the log.")
    if isinstance(view.document, Canvas):
        facts = replace(bare, evidence=_of_canvas(view.document, result, currency))
    else:
        facts = replace(bare, costs=costs_in(rows(result.tables["activities"]), currency))
    log = result.context.log
    simulated = "Simulated data. " if log.get("simulated") else ""
    return replace(facts, note=f"{simulated}Log of {log.get('customers', 0):,} customers.")


def _answer(answers: Answers, view: View, analysis: str) -> Result:
    asked = read(find(analysis), QueryParams({view.document.KIND: view.full_name}))
    return answers.ask(asked).result().result
