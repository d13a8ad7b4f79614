"""The journey map that an ingest proposes: written once, added to, and never over what a person wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from wayfare.domain.journey import JourneyMap, Persona, Touchpoint
from wayfare.workspace.documents import Documents, open_documents
from wayfare.workspace.folder import init
from wayfare.workspace.journeys import MOST_TOUCHPOINTS, PROPOSER, journey_of, note_events


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[Documents]:
    with closing(open_documents(init(tmp_path))) as opened:
        yield opened


def now(documents: Documents) -> JourneyMap:
    head = journey_of(documents)
    assert head is not None
    assert isinstance(head.document, JourneyMap)
    return head.document


def test_the_first_events_become_a_proposed_journey(documents: Documents):
    noted = note_events(documents, ["product_view", "cart", "order", "no"], {"cart": "web: #1"})
    assert (noted.first, set(noted.added), noted.left_out) == (
        True,
        {"product_view", "cart", "order", "no"},
        0,
    )
    journey = now(documents)
    assert noted.journey == journey
    assert journey.orders == ("order",)
    assert journey.touchpoint("cart").channel == "web: #1"
    (change,) = documents.history("journey")
    assert (change.who, change.why) == (PROPOSER, "Proposed from the events' names")


def test_known_events_change_nothing(documents: Documents):
    note_events(documents, ["cart", "purchase"])
    assert note_events(documents, ["purchase", "cart"]).added == ()
    assert [change.number for change in documents.history("journey")] == [1]


def test_what_a_person_wrote_survives(documents: Documents):
    mine = JourneyMap(
        name="our journey", orders=("buy",), main_route=("look", "buy"),
        personas=(Persona(id="ann", text="Ann", segment=("first:channel=web",)),),
        touchpoints=(Touchpoint(event="look", stage="none", owner="Me", pain_points=("slow",)),),
    )  # fmt: skip
    documents.save(mine, based_on=None, who="Me")
    noted = note_events(documents, ["look", "new: event", "buy"])
    assert (noted.first, set(noted.added)) == (False, {"new: event", "buy"})
    after = now(documents)
    assert after.touchpoints[0] == mine.touchpoints[0]
    assert after.model_copy(update={"touchpoints": mine.touchpoints}) == mine


def test_what_is_saved_meanwhile_is_added_to(documents: Documents, monkeypatch: pytest.MonkeyPatch):
    note_events(documents, ["cart"])
    save = documents.save
    saves = []

    def late(document, **said):  # type: ignore[no-untyped-def]
        if not saves:
            saves.append(1)
            theirs = now(documents).model_copy(update={"about": "theirs"})
            save(theirs, based_on=1, who="Somebody")
        return save(document, **said)

    monkeypatch.setattr(documents, "save", late)
    note_events(documents, ["cart", "purchase"])
    assert now(documents).about == "theirs"
    assert {touchpoint.event for touchpoint in now(documents).touchpoints} == {"cart", "purchase"}


def test_thousands_of_events_are_not_listed(documents: Documents):
    events = [f"page {n}" for n in range(1_000)]
    noted = note_events(documents, events)
    assert (len(noted.added), noted.left_out) == (MOST_TOUCHPOINTS, 1_000 - MOST_TOUCHPOINTS)
    assert set(noted.added) == set(events[:MOST_TOUCHPOINTS])
    assert note_events(documents, events).added == ()


def test_of_several_maps_the_one_with_the_usual_name_is_the_journey(documents: Documents):
    for name in ("another", JourneyMap.USUAL):
        documents.save(JourneyMap(name=name), based_on=None, who="Me")
    assert now(documents).name == JourneyMap.USUAL
