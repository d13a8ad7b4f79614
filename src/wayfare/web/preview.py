"""What a question is about to look at: how many customers and events, from when to when, and how often what it names."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from wayfare.domain.segment import Segment
from wayfare.errors import UnknownName, WayfareError
from wayfare.histories.occurrences import Held, Occurrences
from wayfare.histories.schema import Kind
from wayfare.report.sections import day_of, label_of
from wayfare.study import Study
from wayfare.web.answers import Answers
from wayfare.web.asked import Asked
from wayfare.web.behind import Behind
from wayfare.web.fields import fields_of
from wayfare.web.jobs import Job
from wayfare.web.studies import View

PATIENCE = 0.3
"""Seconds that a form waits for the count before it says that it is counting."""


MANY = 10_000
"""A segment's name is looked for among so many; where there are more, they are ids, and none is like another."""


@dataclass(frozen=True)
class Named:
    """An event that the question names, and how often it is in the part looked at.

    Attributes:
        field: Which field names it, for people.
        event: Its name.
        customers: Customers with it.
        rows: How often it happened.
        rows_link: The address of the histories that have it; empty where there are none.
        problem: What is wrong with it, where the log has no such event.
    """

    field: str
    event: str
    customers: int = 0
    rows: int = 0
    rows_link: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Preview:
    """What the form shows; exactly one of its states.

    Attributes:
        state: counted, nothing, counting, wrong or fault.
        customers: Customers in the part looked at.
        all_customers: Customers in the log.
        events: Events in the part looked at.
        first: The first day, for people; so `last`.
        zone: The zone of the days.
        named: The events that the question names.
        rows_link: The address of the histories.
        share: Of the counting, 0 to 1.
        problem: What is wrong with the part that was asked for, or why nothing is in it.
    """

    state: str
    customers: int = 0
    all_customers: int = 0
    events: int = 0
    first: str = ""
    last: str = ""
    zone: str = ""
    named: tuple[Named, ...] = ()
    rows_link: str = ""
    share: float = 0.0
    problem: str = ""

    @property
    def fields(self) -> list[tuple[str, list[Named]]]:
        """The named events by the field that names them."""
        return [(field, list(named)) for field, named in groupby(self.named, key=lambda one: one.field)]


def preview(answers: Answers, asked: Asked) -> Preview:
    """The preview of what an address asks; it never fails, since the form has to stand in any case."""
    try:
        study = answers.studies.open(asked.view)
        job = held(answers, asked.view)
        if not job.wait(PATIENCE):
            return Preview("counting", share=job.share)
        return _counted(study, asked, job.result())
    except WayfareError as error:
        return Preview("wrong", problem=error.problem)
    except Exception:
        logging.getLogger("wayfare.web").exception("the preview of %s failed", asked.analysis.name)
        return Preview("fault")


def held(answers: Answers, view: View) -> Job[Held]:
    """The job that counts what a part of the log holds, once for all forms that look at it."""
    stamp, study = answers.studies.stamp(), answers.studies.open(view)
    fold = Occurrences(len(study.log.names("event")))
    return answers.counts.start(
        (stamp, view, "held"), lambda progress: answers.read(stamp, lambda: study.log.fold(fold, progress))
    )


def _counted(study: Study, asked: Asked, found: Held) -> Preview:
    named = tuple(_named(study, asked, found))
    everything = study.log.facts.customers
    if not found.customers:
        return Preview("nothing", all_customers=everything, problem=why_nothing(study, asked.view))
    return Preview(
        "counted", found.customers, everything, found.total, day_of(found.first, study.zone), day_of(found.last, study.zone),
        study.zone, named, Behind(asked.view).link(),
    )  # fmt: skip


def why_nothing(study: Study, view: View) -> str:
    """Which segment names what the log does not have, the likeliest reason why nothing is left."""
    for said in view.segments:
        segment = Segment.parse(said)
        if study.log.schema[segment.column] is not Kind.CODE:
            continue
        names = study.log.names(segment.column)
        if len(names) <= MANY and names.code(segment.value) is None:
            error = UnknownName.among(segment.column, segment.value, names.to_list())
            return f"{error.problem} {error.hint}".strip()
    return ""


def _named(study: Study, asked: Asked, found: Held) -> Iterator[Named]:
    names = study.log.names("event")
    for parameter, field in zip(asked.analysis.parameters, fields_of(asked, study), strict=True):
        if parameter.kind not in ("event", "events"):
            continue
        for event in dict.fromkeys(value for value in field.values if value):
            code, one = names.code(event), Named(label_of(parameter.name), event)
            if code is None:
                error = UnknownName.among("event", event, names.to_list())
                yield replace(one, problem=f"Not in the log. {error.hint}".strip())
                continue
            link = Behind(asked.view, event=event).link() if found.reach[code] else ""
            yield replace(one, customers=int(found.reach[code]), rows=int(found.rows[code]), rows_link=link)
