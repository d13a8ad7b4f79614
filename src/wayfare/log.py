"""The log: customer histories that can be filtered and folded. It knows no analyses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.domain.segment import Segment
from wayfare.domain.survey import Survey, survey_of
from wayfare.engines.local import LocalEngine
from wayfare.errors import InvalidParameter, NotReady, UnknownName
from wayfare.histories.attributes import AttributedSource, attributes, attributes_of
from wayfare.histories.block import Block
from wayfare.histories.calendar import start_of_day, utc_time
from wayfare.histories.filter import EVERYTHING, Filter, compile_segment
from wayfare.histories.fold import Engine, Fold, Partial, Progress
from wayfare.histories.schema import CANONICAL, REQUIRED, Kind, Schema
from wayfare.histories.source import Facts, MemorySource, Names, Source
from wayfare.histories.store import open_sealed

When = datetime | date | str


@dataclass(frozen=True, eq=False)
class Log:
    """Every event of every customer, and the part of it that is looked at.

    Attributes:
        source: Where the blocks live.
        condition: What is kept; `where` narrows it.
        engine: What scans the blocks.
        zone: The time zone that days, weeks and months are those of.
    """

    source: Source
    condition: Filter = EVERYTHING
    engine: Engine = field(default_factory=LocalEngine)
    zone: str = "UTC"
    segments: tuple[str, ...] = ()

    @property
    def schema(self) -> Schema:
        """The columns and how each is stored."""
        return self.source.schema

    @property
    def facts(self) -> Facts:
        """Sizes, time range and lineage of the whole log, whatever is filtered."""
        return self.source.facts

    @property
    def ends(self) -> int:
        """The moment (µs, UTC) up to which the log saw its customers: its last event, or the filter's end."""
        last = self.facts.last if self.facts.last is not None else 0
        return last if self.condition.until is None else min(last, self.condition.until)

    def names(self, column: str) -> Names:
        """The names behind a coded column."""
        return self.source.names(column)

    def code(self, column: str, name: str) -> int:
        """The code of `name` in `column`, or the error that lists the column's names."""
        names = self.names(column)
        code = names.code(name)
        if code is None:
            raise UnknownName.among(column, name, names.to_list()[:1000])
        return code

    def where(
        self,
        *segments: str | Segment,
        since: When | None = None,
        until: When | None = None,
        events: Iterable[str] | None = None,
    ) -> Log:
        """The log narrowed to customers of every segment, to a time range and to some events.

        Args:
            segments: Conditions on a customer's whole history, such as `first:channel=web` or `did:refund`.
            since: The first moment kept; a date means its start in the log's zone.
            until: The first moment no longer kept.
            events: Names of the events kept.
        """
        kept = [Segment.parse(segment) for segment in segments]
        conditions = tuple(compile_segment(s, self.schema, lambda c, n: self.names(c).code(n)) for s in kept)
        condition = replace(self.condition, conditions=self.condition.conditions + conditions)
        if since is not None:
            condition = replace(
                condition, since=max(self.moment(since), condition.since or self.moment(since))
            )
        if until is not None:
            condition = replace(
                condition, until=min(self.moment(until), condition.until or self.moment(until))
            )
        if events is not None:
            events = (events,) if isinstance(events, str) else events
            codes = frozenset(self.code("event", event) for event in events)
            condition = replace(
                condition, events=codes if condition.events is None else codes & condition.events
            )
        return replace(self, condition=condition, segments=self.segments + tuple(str(s) for s in kept))

    def with_attributes(self, frame: Any, *, customer: str = "customer") -> Log:
        """The log with columns that belong to the customer: usable as segments and wherever a text column is.

        Customers of the log that the frame lacks have them missing; ids that the log does not know are left out.

        Args:
            frame: One row a customer, as any data frame: text, numbers or yes/no in its columns.
            customer: The column with the customer's id, as it is in the log.
        """
        from wayfare.histories.ingest.frames import arrow_of

        return replace(self, source=AttributedSource(self.source, attributes(arrow_of(frame), customer)))

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns that belong to the customer and not to the event."""
        return attributes_of(self.source)

    def moment(self, when: When) -> int:
        """`when` in µs UTC; a date, or a time without a zone, is one in the log's zone."""
        if isinstance(when, datetime):
            if when.tzinfo is not None:
                return round((when - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6)
            wall = np.datetime64(when, "us").astype(np.int64)
            return int(utc_time(np.array([wall]), self.zone)[0])
        if isinstance(when, date):
            return start_of_day(when.isoformat(), self.zone)
        try:
            parsed = datetime.fromisoformat(when)
        except ValueError:
            raise InvalidParameter(
                f"{when!r} is not a date or time.", allowed=("2024-05-31", "2024-05-31T12:00")
            ) from None
        return self.moment(parsed)

    def fold(self, fold: Fold[Partial], progress: Progress | None = None) -> Partial:
        """One fold's answer over every history that the filter keeps."""
        return self.fold_all([fold], progress)[0]

    def fold_all(self, folds: Sequence[Fold[Any]], progress: Progress | None = None) -> list[Any]:
        """Several folds' answers from one pass."""
        return self.engine.run(self.source, self.condition, folds, progress)

    def each_customer(
        self,
        function: Callable[[Block], Mapping[str, NDArray]],
        columns: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> pa.Table:
        """One row a customer, with the customer's id first and then what `function` gives for a block's customers.

        Args:
            function: From a block to arrays of one value a customer (customers,).
            columns: The columns that it reads, beside `customer` and `time`.
            progress: Told how far the pass has come.
        """
        chunks = self.fold(_EachCustomer(function, tuple(columns)), progress)
        table = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
        ids = self.names("customer").take(table.pop("customer"))
        return pa.table({"customer": ids, **table})


@dataclass(frozen=True)
class _EachCustomer(Fold[list[dict[str, NDArray]]]):
    function: Callable[[Block], Mapping[str, NDArray]]
    reads: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.reads

    def scan(self, block: Block) -> list[dict[str, NDArray]]:
        return [{"customer": block.codes.copy(), **self.function(block)}]


def open_log(folder: str | Path, *, zone: str = "UTC", engine: Engine | None = None) -> Log:
    """The sealed log in `folder` (a workspace's `log`)."""
    if (Path(folder) / "wayfare.yaml").is_file():
        raise NotReady(
            "This is a workspace; its log lies in it.",
            where=str(folder),
            hint=f"wf.open_study({str(folder)!r}) knows its settings too; wf.open_log({str(Path(folder) / 'log')!r}) is the log alone.",
        )
    return Log(open_sealed(Path(folder)), engine=engine or LocalEngine(), zone=zone)


def empty_log(*, zone: str = "UTC") -> Log:
    """A log in which nothing happened, for what needs one beside answers that belong to no customer."""
    schema = Schema(tuple((name, CANONICAL[name]) for name in REQUIRED))
    names = {name: Names(pa.array([], pa.string())) for name in schema.of_kind(Kind.CODE)}
    return Log(MemorySource(schema, Facts(0, 0, None, None, "empty"), (), names), zone=zone)


def read_events(
    frame: Any,
    *,
    customer: str,
    time: str,
    event: str | None = None,
    as_event: str | None = None,
    zone: str = "UTC",
    **columns: str,
) -> Log:
    """A log in memory from any data frame: pandas, polars, pyarrow, a DuckDB relation.

    Args:
        frame: One row an event.
        customer: The column with the customer's id.
        time: The column with the moment; without a zone it is read in `zone`.
        event: The column with the event's name.
        as_event: Instead, the event that every row is: `purchase` for a list of orders.
        zone: The time zone of the calendar.
        columns: Further columns as `name=column`: canonical ones (`value`, `order`, `channel`, …) or your own. Columns
            that are not named travel along under their own names.
    """
    from wayfare.histories.ingest.frames import memory_source

    if (event is None) == (as_event is None):
        raise InvalidParameter(
            "Name the column with the events, or what every row is.", allowed=("event=", "as_event=")
        )
    named = {**columns, **({"event": event} if event else {})}
    source = memory_source(
        frame, zone=zone, as_event=as_event, properties="all", customer=customer, time=time, **named
    )
    return Log(source, zone=zone)


def read_answers(frame: Any, survey: Survey | Mapping[str, Any], *, zone: str = "UTC") -> Log:
    """A log in memory of the answers to a survey, from any data frame or a file; warns of those that can't be used.

    Args:
        frame: A row a respondent, with a column a question; or a row an answer.
        survey: What was asked: a `Survey` (`load_survey` reads one), or what its document says, as a dictionary.
        zone: The time zone of the calendar, and of times that name none.
    """
    from wayfare.histories.ingest.survey import answers_source

    asked = survey if isinstance(survey, Survey) else survey_of(survey)
    return Log(answers_source(frame, asked, zone=zone), zone=zone)
