"""Visits: events of one customer that belong together by their session, or with no long pause between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration, in_words
from wayfare.domain.words import counted
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import one_row_an_order
from wayfare.histories.visits import SESSION_COLUMNS, by_session
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.quantiles import BUCKETS, bucket_of, quantile_of
from wayfare.study import Study

LONGEST = 20


@dataclass(frozen=True, kw_only=True)
class SessionsResult(Result):
    """How many visits there were, how long, and how many events each had."""

    summary: Annotated[
        pa.Table,
        Columns(
            sessions="visits",
            customers="customers with at least one visit",
            single_event_sessions="visits of one event only (bounces)",
            median_seconds="median time from the first to the last event of visits with more than one event",
        ),
    ]
    lengths: Annotated[
        pa.Table,
        Columns(
            events=f"events in the visit; {LONGEST} stands for {LONGEST} and more",
            sessions="visits of this length",
            share="of all visits",
        ),
    ]

    def draw(self) -> Picture | None:
        """Visits by their number of events."""
        from wayfare.charts.plots import bars

        if self.lengths.num_rows == 0:
            return None
        names = [f"{n}+" if n == LONGEST else str(n) for n in self.lengths["events"].to_pylist()]
        counted = zip(self.lengths["share"].to_pylist(), self.lengths["sessions"].to_pylist(), strict=True)
        label = [f"{share:.1%}  ({n:,})" for share, n in counted]
        data = self.lengths.append_column("name", pa.array(names)).append_column("label", pa.array(label))
        note = f"n = {self.summary['sessions'][0].as_py():,} sessions"
        return bars(data, "share", "name", title=self.findings[0].text, subtitle="Share of sessions by number of events",
                    note=note, percent=True, sort=False, label="label")  # fmt: skip


@dataclass(frozen=True)
class _Sessions(Fold[dict[str, NDArray[np.int64]]]):
    gap: int

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event", "order", *SESSION_COLUMNS)

    def scan(self, block: Block) -> dict[str, NDArray[np.int64]]:
        visits = by_session(one_row_an_order(block), self.gap).block
        time, starts = visits["time"], visits.starts
        events = np.diff(starts)
        seconds = (time[starts[1:] - 1] - time[starts[:-1]])[events > 1] / 1e6
        return {
            "customers": np.array([block.customers]),
            "events": np.bincount(np.minimum(events, LONGEST), minlength=LONGEST + 1),
            "seconds": np.bincount(bucket_of(seconds), minlength=BUCKETS),
        }


@analysis
def sessions(study: Study, *, gap: Duration = Duration.parse("30m")) -> SessionsResult:
    """How many visits do customers make, how long are they, and how many end after one event?

    Events that have a session id belong together by it. For the others a new session starts at a customer's first
    event and after every pause of at least `gap`: the sessions that `funnel`, `paths` and `transitions` go by.
    The lines of one order are one event.

    Args:
        gap: The pause that ends a session where events have no id; 30 minutes is the convention of web analytics.
    """
    found = study.fold(_Sessions(gap.microseconds))
    counts, customers = found["events"], int(found["customers"][0])
    total, single = int(counts.sum()), int(counts[1])
    median = float(quantile_of(found["seconds"], 0.5))
    shown = np.flatnonzero(counts)
    finding = Finding("There are no sessions yet.")
    if total:
        finding = Finding(
            f"{counted(customers, 'customer')} made {counted(total, 'session')}; {single / total:.0%} ended after one event"
            + (f", the others lasted {in_words(median)} (median)." if total > single else ".")
        )
    return SessionsResult(
        summary=table(
            sessions=[total], customers=[customers], single_event_sessions=[single], median_seconds=[median]
        ),
        lengths=table(events=shown, sessions=counts[shown], share=counts[shown] / max(total, 1)),
        findings=(finding,),
    )
