"""The JSON side: the same results as everywhere, with tables as CSV and pictures beside."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wayfare.analysis import Analysis, _log_facts
from wayfare.errors import UnknownName
from wayfare.registry import all_analyses, find
from wayfare.web.answers import Answer, Answers
from wayfare.web.asked import COMMON, read, view
from wayfare.web.downloads import chart_response, table_response
from wayfare.web.fields import required, shown_value


def api_routes(answers: Answers) -> APIRouter:
    """The routes under /api, and /healthz."""
    router = APIRouter(include_in_schema=False)

    def answered(name: str, request: Request) -> Answer:
        return answers.ask(read(find(name), request.query_params)).result()

    @router.get("/healthz")
    def health() -> Response:
        return as_json({"status": "ok"})

    @router.get("/api/study")
    def study(request: Request) -> Response:
        return as_json(study_facts(answers, request))

    @router.get("/api/state")
    def state() -> Response:
        return as_json({"stamp": answers.studies.stamp()})

    @router.get("/api/jobs/{id}")
    def job(id: str) -> Response:
        found = answers.find(id)
        if found is None:
            raise UnknownName(f"There is no job {id!r}.", hint="Load the page again.")
        return as_json({"state": found.state, "share": round(found.share, 4), "pass": found.passes})

    @router.get("/api/analyses")
    def index() -> Response:
        return as_json({"analyses": [described(analysis) for analysis in all_analyses()]})

    @router.get("/api/analyses/{name}")
    def result(name: str, request: Request) -> Response:
        return Response(answered(name, request).result.to_json(), media_type="application/json")

    @router.get("/api/analyses/{name}/tables/{table}.csv")
    def table(name: str, table: str, request: Request) -> Response:
        return table_response(answered(name, request), table)

    @router.get("/api/analyses/{name}/chart.{form}")
    def chart(name: str, form: str, request: Request) -> Response:
        return chart_response(answered(name, request), form)

    return router


def as_json(data: Any) -> Response:
    """`data` as a JSON answer."""
    return Response(json.dumps(data, ensure_ascii=False, allow_nan=False), media_type="application/json")


def described(analysis: Analysis) -> dict[str, Any]:
    """What there is to know of an analysis before it is run."""
    return {
        "name": analysis.name,
        "group": analysis.group,
        "question": analysis.question,
        "about": analysis.about,
        "observational": analysis.returns.observational,
        "parameters": [
            {
                "name": p.name,
                "kind": p.kind,
                "required": required(p),
                "default": None if required(p) or p.default is None else shown_value(p.default),
                "choices": [str(choice) for choice in p.choices],
                "help": p.help,
            }
            for p in analysis.parameters
        ],
        "common_parameters": list(COMMON),
        "tables": analysis.returns.columns(),
    }


def study_facts(answers: Answers, request: Request) -> dict[str, Any]:
    """The company and its log in figures."""
    study = answers.studies.open(view(request.query_params))
    schema = study.log.schema
    return {
        "name": study.name,
        "currency": study.currency,
        "timezone": study.zone,
        "log": _log_facts(study),
        "columns": {name: schema[name].value for name in schema},
        "orders": list(study.journey.orders),
        "touchpoints": [t.model_dump(mode="json") for t in study.journey.touchpoints],
    }
