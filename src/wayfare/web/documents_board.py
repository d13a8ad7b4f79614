"""What the board of a document shows: its lists of notes, whatever its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wayfare.domain.canvas import BLOCKS, RATES, Canvas, Item, Metric
from wayfare.domain.document import Document
from wayfare.domain.journey import STAGES, JourneyMap, Persona, Touchpoint
from wayfare.domain.value_chain import PRIMARY, SUPPORT, Activity, PeriodCost, TimeDrivenCost, ValueChain
from wayfare.report.sections import label_of
from wayfare.web.documents_words import BLOCK_HINTS, CATEGORY_HINTS, KINDS_OF, STAGE_HINTS
from wayfare.workspace.changes_told import STAGE
from wayfare.workspace.documents import Comment


@dataclass(frozen=True)
class Mark:
    """A small thing that a note says beside its text; a `quiet` one is cut to a line."""

    label: str
    text: str
    icon: str = ""


@dataclass(frozen=True)
class Note:
    """One item on the board.

    Attributes:
        id: What names it.
        text: What it says.
        colour: Of Okabe and Ito's, or empty.
        marks: What else it says, in short.
        importance: 1 to 5, or None.
        comments: How many there are.
        editable: Whether its text can be written over in place; an event's name can't.
        parts: The list of what it is made of, where it can be.
    """

    id: str
    text: str
    colour: str = ""
    marks: tuple[Mark, ...] = ()
    importance: int | None = None
    comments: int = 0
    editable: bool = True
    parts: Shelf | None = None


@dataclass(frozen=True)
class Shelf:
    """A list of notes.

    Attributes:
        key: Its name on the page.
        title: What stands above it.
        into, of: Where it is in the document, as a change says it.
        hint: What belongs in it.
        notes: What is in it.
        sets: The fields that its items have by standing in it: a touchpoint's stage.
        kinds: The kinds that a new item has to be one of, with their words.
        asks: The field that is asked for a new item: its text, or an event.
        says: An item of its own that says more of the list (a stage's goal), and what it says.
    """

    key: str
    title: str
    into: str
    of: str = ""
    hint: str = ""
    notes: tuple[Note, ...] = ()
    sets: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[tuple[str, str], ...] = ()
    asks: str = "text"
    says: tuple[str, tuple[Mark, ...]] | None = None


@dataclass(frozen=True)
class Board:
    """The lists of a document, in the order in which they are read."""

    kind: str
    shelves: tuple[Shelf, ...]

    @property
    def empty(self) -> bool:
        """Whether there is no note at all."""
        return not any(shelf.notes for shelf in self.shelves)

    def targets(self) -> list[Shelf]:
        """Every list that a note can be put into, those inside notes included."""
        found: list[Shelf] = []
        waiting = list(self.shelves)[::-1]
        while waiting:
            shelf = waiting.pop()
            found.append(shelf)
            waiting += [note.parts for note in shelf.notes if note.parts][::-1]
        return found


def board_of(document: Document, comments: Iterable[Comment] = ()) -> Board:
    """The board of a document, with how often each item was commented."""
    counted = Counter(comment.item for comment in comments)
    return Board(document.KIND, tuple(_BOARDS[type(document)](document, counted)))


def _canvas(document: Any, counted: Counter[str]) -> list[Shelf]:
    canvas: Canvas = document
    names = {item.id: item.text for _, item in canvas.items()}
    return [
        Shelf(
            block,
            label_of(block),
            block,
            hint=BLOCK_HINTS[block],
            kinds=KINDS_OF.get(block, ()),
            notes=tuple(_item_note(item, names, counted) for item in canvas.block(block)),
        )
        for block in BLOCKS
    ]


def _item_note(item: Item, names: Mapping[str, str], counted: Counter[str]) -> Note:
    said = item.model_dump()
    bound = item.bindings
    events = ", ".join(touched.event for touched in bound.touchpoints)
    marks = [
        Mark("Kind", label_of(said["kind"]) if said.get("kind") else ""),
        Mark("Amount", f"{said['amount']:,.10g} a {said['per']}" if said.get("amount") is not None else ""),
        Mark("For", names.get(item.segment or "", ""), "for"),
        Mark("Hypothesis", item.hypothesis, "hypothesis"),
        Mark("Measured by", rule(bound.metric) if bound.metric else "", "metric"),
        Mark("Touchpoints", events, "quiet"),
        Mark("Segment of the log", " and ".join(bound.segment), "quiet"),
        Mark("Earns by", names.get(bound.revenue_stream or "", ""), "quiet"),
        Mark("Costs", names.get(bound.cost_line or "", ""), "quiet"),
    ]
    return Note(
        item.id,
        item.text,
        item.colour or "",
        tuple(mark for mark in marks if mark.text),
        item.importance,
        counted[item.id],
    )


def rule(metric: Metric) -> str:
    """A metric with its pass rule in words: Repurchase rate in 90d ≥ 25%."""
    scale, unit = (100, "%") if metric.measure in RATES else (1, "")
    limits = [
        f"{sign} {limit * scale:,.10g}{unit}"
        for sign, limit in (("≥", metric.at_least), ("≤", metric.at_most))
        if limit is not None
    ]
    within = f" in {metric.within}" if metric.within else ""
    of = f" of {metric.segment}" if metric.segment else ""
    return f"{label_of(metric.measure)}{of}{within} {' and '.join(limits)}"


def _chain(document: Any, counted: Counter[str]) -> list[Shelf]:
    chain: ValueChain = document
    sides = [("support", SUPPORT), ("primary", PRIMARY)]
    return [
        Shelf(
            category,
            label_of(category),
            f"{side}.{category}",
            hint=CATEGORY_HINTS[category],
            notes=tuple(_activity(a, counted) for a in getattr(getattr(chain, side), category)),
        )
        for side, categories in sides
        for category in categories
    ]


def _activity(activity: Activity, counted: Counter[str]) -> Note:
    done = activity.performance
    links = ", ".join(f"{link.kind} {link.to}" for link in activity.linkages)
    marks = [
        Mark("Owner", activity.owner, "owner"),
        Mark("Cost", _cost(activity.cost), "quiet"),
        Mark("Serves", ", ".join(serves.event for serves in activity.serves), "quiet"),
        Mark("Bears on", links, "quiet"),
        Mark("Measured by", f"{label_of(done.measure)}, {done.start} → {done.end}" if done else "", "metric"),
    ]
    parts = Shelf(
        f"{activity.id}/parts",
        f"Parts of {activity.text}",
        "parts",
        activity.id,
        notes=tuple(_activity(part, counted) for part in activity.parts),
    )
    found = tuple(mark for mark in marks if mark.text)
    return Note(activity.id, activity.text, marks=found, comments=counted[activity.id], parts=parts)


def _cost(cost: PeriodCost | TimeDrivenCost | None) -> str:
    """What is known of a cost: the newest amount, or what a minute costs."""
    if isinstance(cost, PeriodCost):
        newest = max(cost.amounts, key=lambda amount: amount.since)
        return f"{newest.amount:,.10g} from {newest.since} to {newest.to}"
    return f"{cost.rate_per_minute:,.4g} a minute" if cost else ""


def _journey(document: Any, counted: Counter[str]) -> list[Shelf]:
    journey: JourneyMap = document
    noted = {each.stage: each for each in journey.stages}
    people = Shelf(
        "personas", "Personas", "personas", hint=STAGE_HINTS["personas"],
        notes=tuple(_persona(persona, counted) for persona in journey.personas),
    )  # fmt: skip
    shelves = [people]
    for stage in (*(each.value for each in STAGES), "none"):
        said = next((note for key, note in noted.items() if key.value == stage), None)
        marks = (Mark("Goal", said.goal, "goal"), Mark("Owner", said.owner, "owner")) if said else ()
        title = next((each.label for each in STAGES if each.value == stage), "On no stage")
        shelves.append(
            Shelf(
                f"stage-{stage}",
                title,
                "touchpoints",
                hint=STAGE_HINTS[stage],
                notes=tuple(
                    _touchpoint(t, t.event in journey.orders, counted)
                    for t in journey.touchpoints
                    if t.stage == stage
                ),
                sets={"stage": stage},
                asks="event",
                says=None
                if stage == "none"
                else (f"{STAGE}{stage}", tuple(mark for mark in marks if mark.text)),
            )
        )
    return shelves


def _persona(persona: Persona, counted: Counter[str]) -> Note:
    marks = [
        Mark("Needs", "; ".join(persona.needs)),
        Mark("Put off by", "; ".join(persona.frustrations), "pain"),
        Mark("Segment of the log", " and ".join(persona.segment), "quiet"),
    ]
    found = tuple(mark for mark in marks if mark.text)
    return Note(persona.id, persona.text, marks=found, comments=counted[persona.id])


def _touchpoint(touchpoint: Touchpoint, order: bool, counted: Counter[str]) -> Note:
    later = label_of(str(touchpoint.after_purchase)) if touchpoint.after_purchase else ""
    marks = [
        Mark("Counts as", "An order" if order else ""),
        Mark("Channel", touchpoint.channel or "", "quiet"),
        Mark("After the first order", later, "again"),
        Mark("Expected", touchpoint.expectation, "quiet"),
        Mark("Customers see", touchpoint.frontstage, "quiet"),
        Mark("Behind it", touchpoint.backstage, "quiet"),
        Mark("Hurts", "; ".join(touchpoint.pain_points), "pain"),
        Mark("Could be better", "; ".join(touchpoint.opportunities), "opportunity"),
        Mark("Owner", touchpoint.owner, "owner"),
    ]
    found = tuple(mark for mark in marks if mark.text)
    event = touchpoint.event
    return Note(event, event, marks=found, comments=counted[event], editable=False)


_BOARDS: dict[type[Document], Callable[[Any, Counter[str]], list[Shelf]]] = {
    Canvas: _canvas,
    ValueChain: _chain,
    JourneyMap: _journey,
}
