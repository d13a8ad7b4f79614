"""The addresses of the rows behind a number: a page, JSON, and a file of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from wayfare.charts.spreadsheet import csv_of
from wayfare.domain.journey import STAGES
from wayfare.errors import NotReady, WayfareError
from wayfare.histories.matching import Histories, as_table
from wayfare.study import Study
from wayfare.web.answers import Answers
from wayfare.web.api import as_json
from wayfare.web.behind import ORDERS, STARTS, Behind, behind
from wayfare.web.fields import MANY, Field, event_options, range_fields, segment_options
from wayfare.web.frame import empty, no_events, page
from wayfare.web.preview import why_nothing
from wayfare.web.rows import PAGE, histories, pages, said, shown_page, to_dict

PATIENCE = 1.0
"""Seconds that the page waits before it shows how far it has come."""


def rows_routes(answers: Answers) -> APIRouter:
    """The routes under /rows and /api/rows."""
    router = APIRouter(include_in_schema=False)

    @router.get("/rows")
    def rows(request: Request) -> Response:
        return _rows_page(answers, request)

    @router.get("/api/rows")
    def as_data(request: Request) -> Response:
        asked = behind(request.query_params)
        return as_json(to_dict(asked, histories(answers, asked).result()))

    @router.get("/api/rows.csv")
    def as_file(request: Request) -> Response:
        found = histories(answers, behind(request.query_params)).result()
        return StreamingResponse(
            _lines(found), media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="wayfare-rows.csv"'},
        )  # fmt: skip

    return router


def _lines(found: Histories) -> Iterator[bytes]:
    """All histories as CSV, block by block, so that no more than one is in memory."""
    yield csv_of(found.empty())
    for block in found.all():
        yield csv_of(as_table(block, found.source), header=False)


def _rows_page(answers: Answers, request: Request) -> Response:
    asked = Behind()
    try:
        study = answers.studies.open()
    except NotReady as error:
        return empty(answers, error)
    if study.log.facts.rows == 0:
        return empty(answers, no_events(answers))
    try:
        asked, stamp = behind(request.query_params), answers.studies.stamp()
        job = histories(answers, asked)
        if not job.wait(PATIENCE):
            return _shown(answers, study, asked, job=job, waiting=True)
        found = job.result()
        people = answers.read(stamp, lambda: shown_page(study, asked, found))
    except WayfareError as error:
        return _shown(answers, study, asked, problem=error)
    why = "" if found.customers else why_nothing(study, asked.view)
    return _shown(answers, study, asked, found=found, people=people, pages=pages(found), why=why)


def _shown(answers: Answers, study: Study, asked: Behind, **values: Any) -> Response:
    problem = values.get("problem")
    fields = fields_of(asked, study, problem)
    placed = problem is not None and any(field.name == problem.where for field in fields)
    status = 422 if placed else problem.status if problem else 200
    values = {"found": None, "why": "", "people": (), "pages": 1, "job": None, "problem": None, **values}
    words = () if problem else said(asked)
    return page(answers, "rows.html", status=status, title="Histories", page="log", asked=asked, said=words, size=PAGE,
                fields=fields, elsewhere=not placed, everybody=study.log.facts.customers, **values)  # fmt: skip


def fields_of(asked: Behind, study: Study, problem: WayfareError | None = None) -> list[Field]:
    """The form that asks for histories, offering what the log has."""
    events, stages = event_options(study), tuple(stage.value for stage in STAGES)

    def one(name: str) -> dict[str, Any]:
        value = getattr(asked, name)
        values = value if isinstance(value, tuple) else (value,) if value else ()
        return {"name": name, "values": values, "problem": problem if problem and problem.where == name else None}  # fmt: skip

    has = tuple(o.removeprefix("first:") for o in segment_options(study) if o.startswith("first:"))
    found = [
        Field(label="Customer", control="text", help="One customer's id.", **one("customer")),
        Field(label="Event", control="event", options=events, free=not 0 < len(events) <= MANY, **one("event")),
        Field(label="Stage", control="select", options=stages, free=False, help="With an event: what the event has to stand for.", **one("stage")),
        Field(label="With", control="list", options=has, help="What an event has to say: channel=web, value>=100. All must hold.", **one("has")),
        Field(label="Went through", control="list", options=events, free=not 0 < len(events) <= MANY, help="Events one after the other, as in a funnel.", **one("step")),
        Field(label="Within", control="duration", help="From the first of them to the last.", **one("within")),
        Field(label="Order", control="choice", options=ORDERS, free=False, default=ORDERS[0], **one("order")),
    ]  # fmt: skip
    if asked.start != STARTS[0] or asked.exclude:
        found += [
            Field(label="Start", control="choice", options=STARTS, free=False, default=STARTS[0], **one("start")),
            Field(label="Exclude", control="list", options=events, free=not 0 < len(events) <= MANY, **one("exclude")),
        ]  # fmt: skip
    if asked.path or asked.collapse:
        found += [
            Field(label="All events", control="list", options=events, free=not 0 < len(events) <= MANY, help="These and no others, in this order.", **one("path")),
            Field("collapse", "Repeats count once", "flag", ("true",) if asked.collapse else ()),
        ]  # fmt: skip
    return [*found, *range_fields(asked.view, study, problem)]
