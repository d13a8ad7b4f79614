"""Keeping what an answer says of each customer: the one thing that is written from a page."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from wayfare.registry import find
from wayfare.result import Result
from wayfare.study import Study
from wayfare.web.answers import Answers
from wayfare.web.asked import Asked, read
from wayfare.web.guard import KEEP, Refused
from wayfare.workspace.attributes import save_assigned

TOKEN = secrets.token_urlsafe(32)
"""What a form of ours carries and another site's can't know; a new one at each start."""


@dataclass(frozen=True)
class Group:
    """A group of customers with the address of what they are."""

    name: str
    address: str


@dataclass(frozen=True)
class Keep:
    """What the form under an answer needs.

    Attributes:
        column: The column that it becomes.
        kept: Whether the log has it now.
        groups: Its values, each as a segment.
        by: The address of the funnel by it.
        fields: The form's hidden fields.
    """

    column: str
    kept: bool
    groups: tuple[Group, ...]
    by: str
    fields: dict[str, str]


def keep_of(study: Study, asked: Asked, result: Result) -> Keep | None:
    """The form that keeps the answer's groups, or None where it puts customers in fewer than two."""
    column = str(getattr(type(result), "assigns", ""))
    if not column:
        return None
    names = result._table(None)[column].to_pylist()
    if len(names) < 2:
        return None
    groups = tuple(
        Group(name, f"/analyses/overview?{urlencode({'segment': f'{column}={name}'})}") for name in names
    )
    fields = {"analysis": asked.analysis.name, "query": asked.query, "token": TOKEN}
    by = f"/analyses/funnel?{urlencode({'by': column})}"
    return Keep(column, column in study.log.attributes, groups, by, fields)


def keep_routes(answers: Answers) -> APIRouter:
    """The route that keeps an answer's groups in the workspace."""
    router = APIRouter(include_in_schema=False)

    @router.post(KEEP)
    def keep(
        analysis: Annotated[str, Form()] = "",
        query: Annotated[str, Form()] = "",
        token: Annotated[str, Form()] = "",
    ) -> Response:
        if not secrets.compare_digest(token.encode(), TOKEN.encode()):
            raise Refused(
                "This page is from before the server's last start, or not from here.",
                hint="Load the page again.",
            )
        asked = read(find(analysis), QueryParams(query))
        save_assigned(answers.studies.folder, answers.ask(asked).result().result)
        return RedirectResponse(asked.link(f"/analyses/{asked.analysis.name}") + "#keep", 303)

    return router
