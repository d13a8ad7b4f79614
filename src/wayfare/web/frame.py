"""What stands around every page: the company, and the state of the log that the page was made from."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse, Response

from wayfare.analysis import _log_facts
from wayfare.errors import NotReady, WayfareError
from wayfare.report.sections import day_of
from wayfare.study import Study
from wayfare.web.answers import Answers
from wayfare.web.render import render


def page(answers: Answers, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page that `template` makes of `values`."""
    return HTMLResponse(
        render(template, folder=str(answers.studies.folder), **_around(answers), **values), status
    )


def empty(answers: Answers, error: NotReady) -> Response:
    """The page that says what to do before there is anything to see."""
    return page(answers, "empty.html", title="Nothing to show yet", status=error.status, problem=error)


def no_events(answers: Answers) -> NotReady:
    """Why there is nothing to see although there is a log."""
    return NotReady("The log has no events.", hint=f"Run: wayfare ingest {answers.studies.folder} FILE")


def _around(answers: Answers) -> dict[str, Any]:
    try:
        stamp = answers.studies.stamp()
    except WayfareError:
        return {}
    try:
        study = answers.studies.open()
    except WayfareError:
        return {"stamp": stamp}
    return {"company": _company(study), "stamp": stamp}


def _company(study: Study) -> dict[str, Any]:
    facts = study.log.facts
    days = {
        name: "–" if moment is None else day_of(moment, study.zone)
        for name, moment in (("first_day", facts.first), ("last_day", facts.last))
    }
    return {
        "name": study.name,
        "currency": study.currency,
        "zone": study.zone,
        **_log_facts(study),
        **days,
    }
