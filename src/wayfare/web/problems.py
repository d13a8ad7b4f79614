"""Errors as answers: the same four parts as a page or, under /api, as JSON."""

from __future__ import annotations

import json

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from wayfare.errors import UnknownName, WayfareError
from wayfare.web.render import render

_TITLES = {
    404: "There is nothing here",
    409: "Not ready",
    403: "Refused",
    405: "Only reading is possible here",
}
_STATUS = {499: 503}
"""Statuses of ours that no browser knows."""


def respond(request: Request, error: WayfareError) -> Response:
    """`error` as an answer to `request`."""
    status = _STATUS.get(error.status, error.status)
    headers = {"allow": ", ".join(error.allowed)} if status == 405 and error.allowed else None
    if _wants_json(request):
        return Response(
            json.dumps(error.to_dict(), ensure_ascii=False), status, headers, media_type="application/json"
        )
    title = _TITLES.get(status, "Something went wrong" if status >= 500 else "That can't be answered")
    return HTMLResponse(render("error.html", title=title, problem=error), status, headers)


def handle(request: Request, error: Exception) -> Response:
    """One of our own errors, raised anywhere."""
    return respond(request, error if isinstance(error, WayfareError) else WayfareError(str(error)))


def handle_http(request: Request, error: Exception) -> Response:
    """An error of the framework: no such address, above all."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return respond(
            request,
            UnknownName(
                f"There is no page {request.url.path!r}.", hint="The analyses are listed under /analyses."
            ),
        )
    found = WayfareError(str(getattr(error, "detail", "The request can't be answered.")))
    found.status = status
    return respond(request, found)


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith("/api") or request.url.path in ("/healthz", "/openapi.json")
