"""The web application of one workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from wayfare.errors import WayfareError
from wayfare.web.answers import Answers
from wayfare.web.api import api_routes, as_json
from wayfare.web.documents import document_routes
from wayfare.web.guard import Guard
from wayfare.web.keep import keep_routes
from wayfare.web.openapi import openapi
from wayfare.web.pages import page_routes
from wayfare.web.problems import handle, handle_http, respond
from wayfare.web.render import STATIC
from wayfare.web.rows_routes import rows_routes


def create_app(folder: str | Path, host: str = "127.0.0.1") -> FastAPI:
    """The application that shows the workspace in `folder`.

    Args:
        folder: The workspace; it may be empty, or not there yet.
        host: What the server listens on, and so the name it answers to beside this machine's own.
    """
    answers = Answers(folder)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        answers.close()

    app = FastAPI(title="Wayfare", openapi_url=None, docs_url=None, redoc_url=None, lifespan=life)
    app.state.answers = answers
    app.add_middleware(Guard, host=host, respond=respond)
    app.add_exception_handler(WayfareError, handle)
    app.add_exception_handler(HTTPException, handle_http)

    @app.get("/openapi.json", include_in_schema=False)
    def described() -> Response:
        return as_json(openapi())

    app.include_router(api_routes(answers))
    app.include_router(page_routes(answers))
    app.include_router(keep_routes(answers))
    app.include_router(rows_routes(answers))
    app.include_router(document_routes(answers))
    app.mount("/static", StaticFiles(directory=STATIC))
    return app
