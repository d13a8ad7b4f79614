"""What an ingest did, so that its counts add up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from wayfare.histories.ingest.mapping import Mapping


class EventCount(NamedTuple):
    """One touchpoint among the rows kept: how often, and the channel it usually came by (empty where unknown)."""

    name: str
    count: int  # type: ignore[assignment] # hides tuple.count, which nobody asks of an event
    channel: str = ""


@dataclass(frozen=True)
class IngestSummary:
    """What became of the rows of one ingest; `rows_read == kept + duplicates + quarantined`, always.

    Attributes:
        rows_read: Rows that the sources gave (after a preset split lines into rows).
        kept: Rows of this ingest that are in the log.
        duplicates: Rows dropped because they were there already.
        quarantined: Rows that could not be used, kept aside.
        reasons: How many rows were quarantined for which reason.
        customers: Customers among the rows kept.
        events: Touchpoints among the rows kept, commonest first.
        first, last: The first and the last moment among the rows kept (ISO, UTC; empty without rows).
        mapping: Which source column was taken for what.
        sample: Three of the rows kept, as they stand in the log.
        notes: Sentences on what a person should know.
        generation: The name of the log's generation that holds them (empty on a dry run).
    """

    rows_read: int
    kept: int
    duplicates: int
    quarantined: int
    reasons: dict[str, int] = field(default_factory=dict)
    customers: int = 0
    events: tuple[EventCount, ...] = ()
    first: str = ""
    last: str = ""
    mapping: Mapping = field(default_factory=Mapping)
    sample: list[dict[str, Any]] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    generation: str = ""
    preset: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The summary as every JSON surface shows it."""
        return {**asdict(self), "mapping": self.mapping.to_dict()}
