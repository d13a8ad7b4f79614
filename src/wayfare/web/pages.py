"""The pages: home, an analysis, the index, the reference, the log."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from wayfare.analysis import Analysis
from wayfare.errors import NotReady, WayfareError
from wayfare.registry import all_analyses, find
from wayfare.study import Study
from wayfare.web.answers import Answer, Answers
from wayfare.web.asked import Asked, read, understood
from wayfare.web.cells import shown
from wayfare.web.fields import Field, command, fields_of, python_call, range_fields, required, shown_value
from wayfare.web.frame import empty, no_events, page
from wayfare.web.home import LEADING, Home, home
from wayfare.web.jobs import Job
from wayfare.web.keep import keep_of
from wayfare.web.links import linker
from wayfare.web.logbook import logbook
from wayfare.web.preview import Preview, preview
from wayfare.web.render import render
from wayfare.web.studies import View

PATIENCE = 1.0
"""Seconds that a page waits for its answer before it shows how far it has come."""


def page_routes(answers: Answers) -> APIRouter:
    """The routes of the pages."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def front() -> Response:
        job = _started(answers)
        if isinstance(job, Response):
            return job
        if not job.wait(PATIENCE):
            return page(answers, "waiting.html", title="Standard study", job=job, waiting=True, page="home")
        return page(
            answers,
            "home.html",
            page="home",
            home=job.result(),
            leading=LEADING,
            groups=grouped(all_analyses()),
        )

    @router.get("/analyses")
    def index() -> Response:
        return page(
            answers, "analyses.html", title="Analyses", page="analyses", groups=grouped(all_analyses())
        )

    @router.get("/analyses/{name}")
    def analysis(name: str, request: Request) -> Response:
        found = find(name)
        if found.name != name:
            return RedirectResponse(request.url.replace(path=f"/analyses/{found.name}"), 307)
        return _analysis_page(answers, found, request)

    @router.get("/analyses/{name}/preview")
    def previewed(name: str, request: Request) -> Response:
        return _preview(answers, find(name), request)

    @router.get("/docs")
    def docs() -> Response:
        return RedirectResponse("/analyses", 307)

    @router.get("/docs/{name}")
    def reference(name: str) -> Response:
        found = find(name)
        fields = fields_of(Asked(found, {}, View(), ""), None)
        kinds = {p.name: kind_in_words(p.kind) for p in found.parameters}
        return page(answers, "docs.html", title=found.name, page="analyses", analysis=found, fields=fields, kinds=kinds,
                     command=command(answers.studies.folder, found.name, {}, Asked(found, {}, View(), "")))  # fmt: skip

    @router.get("/log")
    def log() -> Response:
        try:
            study = answers.studies.open()
        except NotReady as error:
            return empty(answers, error)
        return page(
            answers, "log.html", title="Log", page="log", book=logbook(answers.studies.workspace, study)
        )

    return router


def grouped(analyses: Iterable[Analysis]) -> list[tuple[str, list[Analysis]]]:
    """Analyses by the question that they belong to, in the registry's order."""
    return [
        (group, list(members)) for group, members in groupby(analyses, key=lambda analysis: analysis.group)
    ]


def kind_in_words(kind: str) -> str:
    """A parameter's kind for people."""
    words = {
        "event": "an event", "events": "events, in order", "property": "a column", "properties": "columns", "canvas": "a canvas", "value_chain": "a value chain",
        "journey_map": "a journey map", "share": "a number from 0 to 1", "day": "a day",
        "duration": "a duration such as 30m, 24h, 7d", "choice": "one of the choices", "flag": "yes or no", "whole": "a whole number",
        "number": "a number", "numbers": "numbers", "text": "text", "texts": "texts",
    }  # fmt: skip
    return words[kind]


def _started(answers: Answers) -> Job[Home] | Response:
    """The job of the standard study, or the page that says what to do first."""
    try:
        stamp, study = answers.studies.stamp(), answers.studies.open()
    except NotReady as error:
        return empty(answers, error)
    if study.log.facts.rows == 0:
        return empty(answers, no_events(answers))
    return answers.jobs.start((stamp, "standard study"), lambda progress: home(study, progress))


def _analysis_page(answers: Answers, analysis: Analysis, request: Request) -> Response:
    asked = understood(analysis, request.query_params)
    try:
        study = answers.studies.open()
    except NotReady as error:
        return empty(answers, error)
    try:
        asked = read(analysis, request.query_params)
        if not asked.said and any(required(p) for p in analysis.parameters):
            return _question(answers, asked, study)
        job = answers.ask(asked)
        if not job.wait(PATIENCE):
            return _question(answers, asked, study, waiting=True, job=job)
        answer = job.result()
    except WayfareError as error:
        return _question(answers, asked, study, problem=error)
    return _question(answers, asked, study, answer=answer, **_answer_parts(answers, asked, answer))


def _question(answers: Answers, asked: Asked, study: Study, **values: Any) -> Response:
    problem = values.get("problem")
    own, common = fields_of(asked, study, problem), range_fields(asked.view, study, problem)
    found = {
        "preview": preview(answers, asked),
        "answer": None,
        "problem": None,
        "job": None,
        "tables": (),
        **values,
    }
    placed = problem is not None and _placed(problem, [*own, *common])
    status = 422 if placed else problem.status if problem else 200
    return page(answers, "analysis.html", status=status, title=asked.analysis.name, page="analyses", asked=asked,
                 analysis=asked.analysis, own=own, common=common, elsewhere=not placed, **found)  # fmt: skip


def _preview(answers: Answers, analysis: Analysis, request: Request) -> Response:
    """The part of the form that says what is looked at; what is wrong is said in it, while somebody still writes."""
    try:
        found = preview(answers, read(analysis, request.query_params))
    except WayfareError as error:
        found = Preview("wrong", problem=error.problem)
    return HTMLResponse(render("_preview.html", preview=found))


def _answer_parts(answers: Answers, asked: Asked, answer: Answer) -> dict[str, Any]:
    result, study = answer.result, answers.studies.open(asked.view)
    columns, link = type(result).columns(), linker(study, asked, result)
    return {
        "tables": [
            shown(name, table, columns[name], study.currency, link) for name, table in result.tables.items()
        ],
        "keep": keep_of(study, asked, result),
        "command": command(answers.studies.folder, asked.analysis.name, result.context.params, asked),
        "python": python_call(answers.studies.folder, result.context.params, asked),
        "params": {name: shown_value(value) or "–" for name, value in result.context.params.items()},
    }


def _placed(problem: WayfareError, fields: list[Field]) -> bool:
    return any(field.name == problem.where for field in fields)
