"""The rows behind a number: which customers it is about, and a page of their histories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wayfare.domain.duration import Duration, in_words
from wayfare.domain.journey import STAGES
from wayfare.domain.segment import Segment
from wayfare.errors import InvalidParameter, UnknownName, WayfareError
from wayfare.histories.block import Block
from wayfare.histories.chains import FOREVER, Rules, reached
from wayfare.histories.filter import compile_segment
from wayfare.histories.fold import Progress
from wayfare.histories.matching import Criterion, Did, Exactly, Has, Histories, IsCustomer, Matching
from wayfare.report.sections import label_of
from wayfare.result import rows
from wayfare.study import Study
from wayfare.web.answers import Answers
from wayfare.web.behind import Behind
from wayfare.web.jobs import Job
from wayfare.web.timeline import History, history, one_by_one

T = TypeVar("T")

PAGE = 50
"""Histories on one page."""
MOST = 1_000
"""Events of one history in an answer for machines."""


@dataclass(frozen=True)
class WentThrough:
    """The customer reached the last of the rules' steps, as a funnel counts it."""

    rules: Rules

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the rules."""
        return self.rules.columns

    def members(self, block: Block) -> NDArray[np.bool_]:
        """Whether every step was reached."""
        block = self.rules.events(block)
        got = reached(block, self.rules)
        found = np.zeros(block.customers, dtype=bool)
        found[block.owner[got.row[got.depth == len(self.rules.steps)]]] = True
        return found


def histories(answers: Answers, asked: Behind) -> Job[Histories]:
    """The job that finds the customers, once for all pages and files of them; what can't be asked is told at once."""
    stamp, study = answers.studies.stamp(), answers.studies.open(asked.view)
    log, tests = study.log, criteria(study, asked)
    key = (stamp, replace(asked, counted=None, page=1), "histories")

    def look(progress: Progress) -> Histories:
        counts = answers.read(stamp, lambda: log.fold(Matching(tests), progress))
        return Histories(log.source, log.condition, tests, tuple(counts))

    return answers.counts.start(key, look)


def criteria(study: Study, asked: Behind) -> tuple[Criterion, ...]:
    """What has to hold for a customer; what can't be used names its field."""
    log = study.log
    found: list[Criterion] = []
    if asked.customer:
        found.append(IsCustomer(_customer(study, asked.customer)))
    found += [_naming("has", partial(_condition, study, text)) for text in asked.has]
    if asked.event or asked.stage:
        event = _naming("event", lambda: log.code("event", asked.event)) if asked.event else None
        found.append(Did(event, _stage(asked.stage) if asked.stage else None, study.stages))
    if asked.path:
        found.append(Exactly(_codes(study, "path", asked.path), asked.collapse))
    if asked.step:
        found.append(WentThrough(_rules(study, asked)))
    return tuple(found)


def shown_page(study: Study, asked: Behind, found: Histories) -> tuple[History, ...]:
    """The histories of one page, in the log's order."""
    named, alone = _named_events(study, asked), found.customers == 1
    return tuple(history(study, asked.view, part, named, alone=alone) for part in _parts(asked, found))


def _parts(asked: Behind, found: Histories) -> Iterator[pa.Table]:
    last = pages(found)
    if not 1 <= asked.page <= last:
        number = "There is one page" if last == 1 else f"There are {last:,} pages"
        raise InvalidParameter(f"{number} of them.", where="page", hint="Go back to the first page.")
    return one_by_one(found.page((asked.page - 1) * PAGE, PAGE), found.source)


def pages(found: Histories) -> int:
    """How many pages there are, one at least."""
    return max(-(-found.customers // PAGE), 1)


def said(asked: Behind) -> tuple[str, ...]:
    """What is asked, each condition in words."""
    steps = asked.step
    words = [f"customer {asked.customer}"] if asked.customer else []
    words += [_in_words(text) for text in asked.has]
    stage = f"in the stage {label_of(asked.stage).lower()}" if asked.stage else ""
    words += [f"with {asked.event} {stage}".strip()] if asked.event else [stage] if stage else []
    if len(steps) == 2 and asked.order == "strict" and not asked.within:
        words.append(f"{steps[1]} directly after {steps[0]}")
    elif steps:
        manner = {"ordered": ", then ", "strict": ", directly then ", "any": " and "}[asked.order]
        window = f" within {in_words(Duration.parse(asked.within).seconds)}" if asked.within else ""
        words.append(f"went through {manner.join(steps)}{window}")
    words += [f"without {', '.join(asked.exclude)} in between"] if asked.exclude else []
    words += [f"whose events are {', '.join(asked.path)} and no others"] if asked.path else []
    words += [f"of the segment {segment}" for segment in asked.view.segments]
    words += [f"from {asked.view.since}"] if asked.view.since else []
    return (*words, *([f"until {asked.view.until}"] if asked.view.until else []))


def to_dict(asked: Behind, found: Histories) -> dict[str, Any]:
    """One page of histories for machines, each with its first events, times in UTC; the file has them all."""
    return {
        "conditions": list(said(asked)),
        "customers": found.customers,
        "events": found.events,
        "page": asked.page,
        "pages": pages(found),
        "histories": [
            {
                "customer": part["customer"][0].as_py(),
                "total": part.num_rows,
                "events": rows(part.slice(0, MOST).drop_columns(["customer"])),
            }
            for part in _parts(asked, found)
        ],
    }


def _in_words(text: str) -> str:
    segment = Segment.parse(text)
    if segment.column == "event" and segment.touch == "any" and segment.operator in ("=", "!="):
        return f"{'with' if segment.operator == '=' else 'without'} {segment.value}"
    touch = "" if segment.touch == "any" else f"{segment.touch} "
    return f"with {touch}{segment.column} {segment.operator} {segment.value}"


def _naming(field: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except WayfareError as error:
        raise type(error)(error.problem, where=field, allowed=error.allowed, hint=error.hint) from None


def _condition(study: Study, text: str) -> Has:
    names = study.log.names
    return Has(compile_segment(Segment.parse(text), study.log.schema, lambda c, name: names(c).code(name)))


def _customer(study: Study, id: str) -> int:
    # The table of all ids is not built for one question: looking through them is fast enough.
    place = pc.index(study.log.names("customer").values, id).as_py()
    if place < 0:
        raise UnknownName(f"There is no customer {id!r}.", where="customer", hint="Write the id as the log has it.")  # fmt: skip
    return int(place)


def _stage(name: str) -> int:
    stages = [stage.value for stage in STAGES]
    if name not in stages:
        raise UnknownName.among("stage", name, stages, where="stage")
    return stages.index(name)


def _rules(study: Study, asked: Behind) -> Rules:
    window = _naming("within", lambda: Duration.parse(asked.within)) if asked.within else None
    if both := set(asked.step) & set(asked.exclude):
        raise InvalidParameter(f"{min(both)!r} is a step and excluded at once.", where="exclude")
    return Rules(
        _codes(study, "step", asked.step), asked.order, asked.start, window.microseconds if window else FOREVER,
        _codes(study, "exclude", asked.exclude), study.log.ends,
    )  # fmt: skip


def _codes(study: Study, field: str, events: tuple[str, ...]) -> tuple[int, ...]:
    return _naming(field, lambda: tuple(study.log.code("event", event) for event in events))


def _named_events(study: Study, asked: Behind) -> frozenset[str]:
    conditions = [Segment.parse(text) for text in asked.has]
    events = [s.value for s in conditions if s.column == "event" and s.operator == "="]
    if asked.event:
        events.append(asked.event)
    elif asked.stage:
        known, at = study.log.names("event"), _stage(asked.stage)
        events += [known[code] for code in range(len(known)) if at in (study.stages.before[code], study.stages.after[code])]  # fmt: skip
    return frozenset((*events, *asked.step))
