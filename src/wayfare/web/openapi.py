"""The API's description for machines, written from the registry whenever it is asked for."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from wayfare.analysis import Analysis, Parameter
from wayfare.domain.journey import STAGES
from wayfare.registry import all_analyses
from wayfare.web.behind import ORDERS, STARTS
from wayfare.web.fields import required, shown_value

_TYPES: dict[str, dict[str, Any]] = {
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "numbers": {"type": "number"},
    "share": {"type": "number", "minimum": 0, "maximum": 1},
    "flag": {"type": "boolean"},
    "day": {"type": "string", "format": "date"},
}
_COMMON = (
    {"name": "segment", "in": "query", "schema": {"type": "array", "items": {"type": "string"}},
     "description": "A condition on a customer's whole history, such as first:channel=web; all must hold."},
    {"name": "since", "in": "query", "schema": {"type": "string"}, "description": "The first day or moment that counts."},
    {"name": "until", "in": "query", "schema": {"type": "string"}, "description": "The first day or moment that no longer counts."},
)  # fmt: skip
_HISTORIES = "Which customers are behind a number, and what did they do? Fifty histories a page."


def _row_parameter(name: str, about: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema or {"type": "string"}, "description": about}


_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_ROWS = (
    _row_parameter("customer", "One customer's id."),
    _row_parameter("event", "An event that the customer has in the part of the log."),
    _row_parameter("stage", "A stage that such an event stands for.", {"type": "string", "enum": [*STAGES]}),
    _row_parameter(
        "has", "What an event in the part has to say, such as channel=web; all must hold.", _TEXTS
    ),
    _row_parameter("step", "Events that the customer went through, as a funnel counts it.", _TEXTS),
    _row_parameter("within", "The window from the first step to the last, such as 7d."),
    _row_parameter("order", "How the steps follow each other.", {"type": "string", "enum": [*ORDERS]}),
    _row_parameter("start", "From which first step the window runs.", {"type": "string", "enum": [*STARTS]}),
    _row_parameter("exclude", "Events that break the chain of steps.", _TEXTS),
    _row_parameter("path", "All events of the customer, in order.", _TEXTS),
    _row_parameter(
        "collapse",
        "Whether an event of the path that is repeated at once counts as one.",
        {"type": "boolean"},
    ),
    _row_parameter("page", "Which page, from 1.", {"type": "integer", "minimum": 1}),
)
_ABOUT = "The analyses of one company's customer journey, and its strategy documents; what is read with GET changes nothing."
_ERROR = {"$ref": "#/components/schemas/Error"}


def openapi() -> dict[str, Any]:
    """The OpenAPI document."""
    paths: dict[str, Any] = {
        "/healthz": _get("Is the server there?", "application/json"),
        "/api/study": _get(
            "What is studied: the company, its log, its journey?", "application/json", _COMMON
        ),
        "/api/analyses": _get(
            "Which analyses are there, with which parameters and tables?", "application/json"
        ),
    }
    asked = (*_ROWS, *_COMMON)
    paths["/api/rows"] = _get(_HISTORIES, "application/json", asked)
    paths["/api/rows.csv"] = _get("All events of all these customers.", "text/csv", asked)
    paths |= _documents()
    for analysis in all_analyses():
        paths |= _paths(analysis)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wayfare", "version": _version(), "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": {"Error": _error_schema()}},
    }


_PICTURES = {
    "svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf", "html": "text/html",
}  # fmt: skip


def _paths(analysis: Analysis) -> dict[str, Any]:
    at = f"/api/analyses/{analysis.name}"
    asked = (*(_parameter(p) for p in analysis.parameters), *_COMMON)
    return {
        at: _get(analysis.question, "application/json", asked, analysis.about),
        **{
            f"{at}/tables/{table}.csv": _get(f"The table {table} alone.", "text/csv", asked)
            for table in analysis.returns.columns()
        },
        **{
            f"{at}/chart.{form}": _get(f"The picture as {form.upper()}.", kind, asked)
            for form, kind in _PICTURES.items()
        },
    }


_DOCUMENT = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The document.",
}
_BRANCH = _row_parameter("branch", "The branch; main where none is named.")
_CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "changes": ("Changes small places: a list `changes` of `add`, `remove`, `move` and `set`; 409 shows both versions where two meet.",
                {"changes": {"type": "array", "items": {"type": "object"}}}),
    "undo": ("Takes the newest change back.", {}),
    "restore": ("Brings a revision back.", {"revision": {"type": "integer"}}),
    "branches": ("Starts a what-if from the revision `seen`.", {"name": {"type": "string"}}),
    "comments": ("Says something about an item, or about the whole.", {"item": {"type": "string"}, "text": {"type": "string"}}),
}  # fmt: skip


def _documents() -> dict[str, Any]:
    """The addresses of strategy documents."""
    at, json = "/api/documents/{name}", "application/json"
    revision = _row_parameter(
        "revision", "The revision; the newest where none is named.", {"type": "integer"}
    )
    one = _get("What does the document say, and since when?", json, (_DOCUMENT, _BRANCH, revision))
    put = _sent("put", "Saves the whole document over the revision `based_on`.", {"document": {"type": "object"}, "based_on": {"type": ["integer", "null"]}})  # fmt: skip
    seen = _row_parameter("seen", "The revision that was seen last.", {"type": "integer"})
    return {
        "/api/documents": _get("Which documents are there?", json),
        at: {**one, **put},
        f"{at}/state": _get("What changed since a revision?", json, (_DOCUMENT, _BRANCH, seen)),
        f"{at}/evidence": _get("What does the log say of its items?", json, (_DOCUMENT, _BRANCH)),
        **{f"{at}/{do}": _sent("post", about, fields) for do, (about, fields) in _CHANGES.items()},
    }


def _sent(method: str, summary: str, fields: dict[str, Any]) -> dict[str, Any]:
    said = _get(summary, "application/json", (_DOCUMENT,))["get"]
    text = {"type": "string"}
    common = {"who": text, "why": text, "branch": text, "seen": {"type": "integer"}}
    schema = {"type": "object", "properties": {**fields, **common}}
    return {method: {**said, "requestBody": {"content": {"application/json": {"schema": schema}}}}}


def _get(summary: str, kind: str, parameters: Any = (), description: str = "") -> dict[str, Any]:
    answers = {"200": {"description": "The answer.", "content": {kind: {}}}}
    wrong = {
        "description": "What is wrong, where, what is allowed, what to do.",
        "content": {"application/json": {"schema": _ERROR}},
    }
    said = {"summary": summary, "parameters": list(parameters), "responses": {**answers, "default": wrong}}
    return {"get": {**said, "description": description} if description else said}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = dict(_TYPES.get(parameter.kind, {"type": "string"}))
    if parameter.choices:
        schema["enum"] = [str(choice) for choice in parameter.choices]
    if parameter.many:
        schema = {"type": "array", "items": schema}
    elif not required(parameter) and parameter.default is not None:
        schema["default"] = (
            parameter.default
            if isinstance(parameter.default, (bool, int, float))
            else shown_value(parameter.default)
        )
    found = {"name": parameter.name, "in": "query", "schema": schema, "description": parameter.help}
    return {**found, "required": True} if required(parameter) else found


def _error_schema() -> dict[str, Any]:
    text = {"type": "string"}
    parts = {
        "code": text,
        "problem": text,
        "where": text,
        "allowed": {"type": "array", "items": text},
        "hint": text,
    }
    return {"type": "object", "properties": {"error": {"type": "object", "properties": parts}}}


def _version() -> str:
    try:
        return version("wayfare")
    except PackageNotFoundError:
        return "0"
