"""The workspace's journey map: proposed from what an ingest found, and added to, as revisions that a person corrects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wayfare.domain.journey import JourneyMap
from wayfare.domain.proposal import propose
from wayfare.errors import Busy
from wayfare.workspace.documents import Documents, Revision, Stale

MOST_TOUCHPOINTS = 200
"""Beyond these, the rarer events stay without a touchpoint: nobody edits a list of thousands."""
PROPOSER = "wayfare ingest"
_TRIES = 5


@dataclass(frozen=True)
class Noted:
    """What was written into the journey map.

    Attributes:
        journey: The map as it stands now; None where there was nothing to write and there is none.
        first: Whether there was no map before.
        added: Events that got a touchpoint, and that nobody has checked yet.
        left_out: How many events got none because there are too many.
    """

    journey: JourneyMap | None
    first: bool
    added: tuple[str, ...]
    left_out: int


def journey_of(documents: Documents) -> Revision | None:
    """The newest revision of the journey map; of several, of the one with the usual name or the first."""
    names = [entry.name for entry in documents.entries() if entry.kind == JourneyMap.KIND]
    if not names:
        return None
    return documents.head(JourneyMap.USUAL if JourneyMap.USUAL in names else names[0])


def note_events(
    documents: Documents, events: Sequence[str], channels: Mapping[str, str] | None = None
) -> Noted:
    """Adds the events that the journey map does not place yet, as a proposal to be corrected.

    Args:
        documents: Those of the workspace.
        events: The events of the log, the most frequent first.
        channels: The usual channel of an event, where it has one.
    """
    for _ in range(_TRIES):
        head = journey_of(documents)
        noted = _with_events(head.document if head else None, events, dict(channels or {}))  # type: ignore[arg-type]
        if not noted.added or noted.journey is None:
            return noted
        why = "Proposed from the events' names" if noted.first else "New events"
        try:
            documents.save(noted.journey, based_on=head.number if head else None, who=PROPOSER, why=why)
        except Stale:
            continue  # somebody saved meanwhile: their map is what is added to
        return noted
    raise Busy("Somebody else keeps changing the journey map.", hint="Ingest again.")


def _with_events(journey: JourneyMap | None, events: Sequence[str], channels: dict[str, str]) -> Noted:
    placed = journey.touchpoints if journey else ()
    known = {touchpoint.event for touchpoint in placed}
    fresh = [event for event in events if event not in known]
    kept = set(fresh[: max(MOST_TOUCHPOINTS - len(placed), 0)])
    proposal = propose(events, channels)
    added = tuple(touchpoint for touchpoint in proposal.touchpoints if touchpoint.event in kept)
    after = (journey or proposal).model_copy(update={"touchpoints": (*placed, *added)}) if added else journey
    return Noted(
        after, journey is None and bool(added), tuple(t.event for t in added), len(fresh) - len(kept)
    )
