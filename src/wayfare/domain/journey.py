"""The journey map: stages and touchpoints, who travels, what they expect and where it hurts.

The journey is a cycle, so one event may stand for two stages: looking at a product is consideration until
the first order, and part of the way to the next order after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import model_validator

from wayfare.domain.document import (
    Condition,
    Document,
    Id,
    Name,
    Part,
    Path,
    Problem,
    Text,
    Words,
    refuse,
    twice,
    unknown,
)


class Stage(StrEnum):
    """Where on the cycle a touchpoint stands, in the order of the journey."""

    AWARENESS = "awareness"
    CONSIDERATION = "consideration"
    PURCHASE = "purchase"
    POST_PURCHASE = "post_purchase"
    REPURCHASE = "repurchase"
    ADVOCACY = "advocacy"

    @property
    def label(self) -> str:
        """The stage's name for people."""
        return {"post_purchase": "After purchase", "repurchase": "Re-purchase"}.get(
            self.value, self.value.capitalize()
        )


STAGES: tuple[Stage, ...] = tuple(Stage)


class StageNotes(Part):
    """What is known of a stage beside its touchpoints.

    Attributes:
        stage: Which one.
        goal: What customers want to get done in it.
        owner: Who answers for it.
    """

    stage: Stage
    goal: Text = ""
    owner: Text = ""


class Persona(Part):
    """Somebody who stands for customers alike.

    Attributes:
        id: Its name for references.
        text: Who they are.
        segment: Conditions on a customer's history, all of which hold for its customers; none: it is not bound yet.
        needs, motivations, frustrations: What they are after, what moves them, what puts them off.
        planned: The events of the path that the company means them to take, in order; `main_route` where none is said.
    """

    id: Id
    text: Words
    segment: tuple[Condition, ...] = ()
    needs: tuple[Words, ...] = ()
    motivations: tuple[Words, ...] = ()
    frustrations: tuple[Words, ...] = ()
    planned: tuple[Words, ...] = ()


class Touchpoint(Part):
    """One event of the log as the customer meets it.

    Attributes:
        event: The event's name in the log.
        stage: The stage it belongs to on the way to a first order.
        after_purchase: The stage once the customer has ordered, where that differs.
        channel: Where it takes place: web, store, email.
        place: Digital or physical.
        frontstage, backstage: What the company does that the customer sees, and what the customer does not see. Activities
            that cost money belong in the value chain, which says the touchpoints that they serve.
        expectation: What customers expect of it.
        pain_points: What hurts.
        opportunities: What could be better.
        owner: Who answers for it.
    """

    event: Words
    stage: Stage | Literal["none"]
    after_purchase: Stage | Literal["none"] | None = None
    channel: Text | None = None
    place: Literal["digital", "physical"] | None = None
    frontstage: Text = ""
    backstage: Text = ""
    expectation: Text = ""
    pain_points: tuple[Words, ...] = ()
    opportunities: tuple[Words, ...] = ()
    owner: Text = ""


class JourneyMap(Document):
    """Which events are orders, which stage each event stands for before and after the first order, and who travels.

    Attributes:
        orders: The events that are orders.
        main_route: The planned path: the events that a customer is meant to go through to the first order.
        personas: Who travels.
        stages: What is known of each stage.
        touchpoints: Where customers and company meet.
    """

    KIND: ClassVar[str] = "journey_map"
    USUAL: ClassVar[str] = "journey"
    SAID: ClassVar[tuple[str, ...]] = ("name", "orders")

    document: Literal["journey_map"] = "journey_map"
    name: Name = USUAL
    orders: tuple[Words, ...] = ("purchase",)
    main_route: tuple[Words, ...] = ()
    personas: tuple[Persona, ...] = ()
    stages: tuple[StageNotes, ...] = ()
    touchpoints: tuple[Touchpoint, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> JourneyMap:
        refuse([*self._placed_twice(), *twice(self._personas()), *self._unknown()])
        return self

    def touchpoint(self, event: str) -> Touchpoint | None:
        """The touchpoint of `event`, or None where nobody placed it."""
        return next((t for t in self.touchpoints if t.event == event), None)

    def places(self) -> Iterator[tuple[Path, str, str]]:
        """Every persona, and every touchpoint under its event: where it stands, its id, and its words."""
        yield from self._personas()
        for index, touchpoint in enumerate(self.touchpoints):
            yield ("touchpoints", index), touchpoint.event, touchpoint.event

    def route(self) -> tuple[str, ...]:
        """The events that a customer goes through to the first order: `main_route`, else guessed from the names.

        The guess takes the first touchpoint that looks like a product page, a cart, a checkout and a payment.
        """
        if self.main_route:
            return self.main_route
        before = [t.event for t in self.touchpoints if t.stage in (Stage.CONSIDERATION, Stage.PURCHASE)]
        found: list[str] = []
        for words in _ROUTE:
            found += [
                e for e in before if e not in (*found, *self.orders) and any(w in e.lower() for w in words)
            ][:1]
        return (*(found or [e for e in before if e not in self.orders][:1]), *self.orders[:1])

    def _personas(self) -> Iterator[tuple[Path, str, str]]:
        return (
            (("personas", index), persona.id, persona.text) for index, persona in enumerate(self.personas)
        )

    def _placed_twice(self) -> Iterator[Problem]:
        events = [(("touchpoints", index, "event"), t.event) for index, t in enumerate(self.touchpoints)]
        stages = [(("stages", index, "stage"), s.stage.value) for index, s in enumerate(self.stages)]
        seen: set[str] = set()
        for path, name in (*events, *stages):
            key = f"{path[0]} {name}"
            said = f"the event {name!r} has two touchpoints"
            if key in seen:
                yield Problem(
                    path, said if path[0] == "touchpoints" else f"the stage {name!r} is there twice"
                )
            seen.add(key)

    def _unknown(self) -> Iterator[Problem]:
        known = {*self.orders, *(t.event for t in self.touchpoints)}
        paths: list[tuple[Path, Iterable[str]]] = [(("main_route",), self.main_route)]
        paths += [
            (("personas", index, "planned"), persona.planned) for index, persona in enumerate(self.personas)
        ]
        for path, events in paths:
            for index, event in enumerate(events):
                yield from unknown("touchpoint", event, known, (*path, index))


# The words are looked for in the event's name, lower case.
_ROUTE = (
    ("product", "view", "item", "catalog"),
    ("cart", "basket"),
    ("checkout", "shipping"),
    ("payment", "billing"),
)
