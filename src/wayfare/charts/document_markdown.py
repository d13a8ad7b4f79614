"""A strategy document as Markdown: headings with lists, everything that people wrote kept from being markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wayfare.charts.board import word_of
from wayfare.charts.canvas_notes import BLOCK_TITLES, UNTESTED, details
from wayfare.charts.canvas_notes import HINTS as BLOCK_HINTS
from wayfare.charts.canvas_notes import title_of as canvas_title
from wayfare.charts.chain_cards import CATEGORY_TITLES, cost_of, linkages, target_of
from wayfare.charts.chain_cards import HINTS as CATEGORY_HINTS
from wayfare.charts.chain_cards import title_of as chain_title
from wayfare.charts.document_drawing import NOTHING, Facts, journey_title
from wayfare.domain.canvas import BLOCKS, Canvas, Item
from wayfare.domain.document import Document, Note
from wayfare.domain.journey import STAGES, JourneyMap, Persona, Stage, Touchpoint
from wayfare.domain.value_chain import PRIMARY, SUPPORT, Activity, ValueChain
from wayfare.errors import InvalidParameter

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKUP = re.compile(r"([\\`*_\[\]{}#|~$!])")
_LEAD = re.compile(r"^(\d+)([.)])|^([-+=])")


def markdown_of(document: Document, facts: Facts = NOTHING) -> str:
    """The document as Markdown (CommonMark), with a heading for each of its blocks and an item a bullet.

    Raises:
        InvalidParameter: Documents of this kind have none.
    """
    if document.KIND not in WRITTEN:
        label = document.KIND.replace("_", " ")
        raise InvalidParameter(
            f"A {label} can't be written as Markdown.", where=document.name, allowed=WRITTEN
        )
    title, lines = WRITTEN[document.KIND](document, facts)
    top = [f"# {plain(title)}", *(plain(said) for said in (document.about, facts.note) if said.strip())]
    return "\n\n".join(top) + "\n\n" + "\n".join(lines).strip("\n") + "\n"


def plain(text: str) -> str:
    """Text on one line that no Markdown program takes for markup or HTML."""
    line = " ".join(text.split())
    line = re.sub("[&<>]", lambda found: _ENTITIES[found[0]], line)
    line = _MARKUP.sub(r"\\\1", line)
    return _LEAD.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", line)


def _section(title: str, lines: Sequence[str], empty: str) -> list[str]:
    return [f"## {title}", "", *(lines or [f"*Nothing yet. {plain(empty)}*"]), ""]


def _bullet(id: str, text: str, more: Sequence[tuple[str, str]], depth: int = 0) -> list[str]:
    """An item: its id and text, and below it what else is known, a line each."""
    indent = "  " * depth
    known = [f"{indent}  - {name}: {plain(said)}" for name, said in more if said.strip()]
    return [f"{indent}- `{id}`: {plain(text)}", *known]


def _evidence(id: str, facts: Facts) -> str:
    if facts.evidence is None or id not in facts.evidence:
        return ""
    verdict, said = facts.evidence[id]
    return ": ".join(part for part in (word_of(verdict), said) if part)


def _canvas(canvas: Canvas, facts: Facts) -> tuple[str, list[str]]:
    lines = []
    for block in BLOCKS:
        items = [line for item in canvas.block(block) for line in _item(item, facts)]
        lines += _section(BLOCK_TITLES[block], items, BLOCK_HINTS[block])
    for name, notes in (("Feedback", canvas.feedback), ("Trends", canvas.trends)):
        lines += _section(name, [f"- {plain(_noted(note))}" for note in notes], "") if notes else []
    return canvas_title(canvas, facts.evidence), lines


def _item(item: Item, facts: Facts) -> list[str]:
    tested = _evidence(item.id, facts)
    untested = UNTESTED if item.hypothesis and facts.evidence is not None else ""
    more = [
        ("Kind", details(item, facts.currency)),
        ("For", item.segment or ""),
        ("Importance", f"{item.importance} of 5" if item.importance else ""),
        ("Hypothesis", item.hypothesis),
        ("Evidence", tested or untested),
        *(("Feedback", _noted(note)) for note in item.feedback),
        *(("Trend", _noted(note)) for note in item.trends),
    ]
    return _bullet(item.id, item.text, more)


def _noted(note: Note) -> str:
    return f"{note.text} ({note.source}, {note.date})"


def _chain(chain: ValueChain, facts: Facts) -> tuple[str, list[str]]:
    lines = []
    for side, categories in ((chain.primary, PRIMARY), (chain.support, SUPPORT)):
        for category in categories:
            found = [line for each in getattr(side, category) for line in _activity(each, facts, 0)]
            lines += _section(CATEGORY_TITLES[category], found, CATEGORY_HINTS[category])
    linked = [f"- {plain(said)}" for said in linkages(chain)]
    return chain_title(chain), [*lines, *(_section("Linkages", linked, "") if linked else [])]


def _activity(activity: Activity, facts: Facts, depth: int) -> Iterator[str]:
    more = [
        ("Owner", activity.owner),
        ("Cost", cost_of(activity, facts.costs or {}, facts.currency).removeprefix("Cost ")),
        ("Target", target_of(activity.performance)),
        ("Serves", ", ".join(served.event for served in activity.serves)),
        ("Evidence", _evidence(activity.id, facts)),
    ]
    yield from _bullet(activity.id, activity.text, more, depth)
    for part in activity.parts:
        yield from _activity(part, facts, depth + 1)


def _journey(journey: JourneyMap, _facts: Facts) -> tuple[str, list[str]]:
    lines = []
    for stage in STAGES:
        notes = next((each for each in journey.stages if each.stage == stage), None)
        known = [("Goal", notes.goal), ("Owner", notes.owner)] if notes else []
        told = [f"- {name}: {plain(said)}" for name, said in known if said.strip()]
        found = [line for each in journey.touchpoints if each.stage == stage for line in _touchpoint(each)]
        lines += _section(stage.label, [*told, *found], "Which touchpoints do customers meet here?")
    personas = [line for persona in journey.personas for line in _persona(persona)]
    return journey_title(journey), [*lines, *(_section("Personas", personas, "") if personas else [])]


def _touchpoint(touchpoint: Touchpoint) -> list[str]:
    more = [
        (
            "After the first order",
            touchpoint.after_purchase.label
            if isinstance(touchpoint.after_purchase, Stage)
            else touchpoint.after_purchase or "",
        ),
        ("Channel", ", ".join(part for part in (touchpoint.channel, touchpoint.place) if part)),
        ("Expectation", touchpoint.expectation),
        ("Customers see", touchpoint.frontstage),
        ("Behind the scenes", touchpoint.backstage),
        *(("Pain point", said) for said in touchpoint.pain_points),
        *(("Opportunity", said) for said in touchpoint.opportunities),
        ("Owner", touchpoint.owner),
    ]
    known = [f"  - {name}: {plain(said)}" for name, said in more if said.strip()]
    return [f"- {plain(touchpoint.event)}", *known]


def _persona(persona: Persona) -> list[str]:
    lists = (
        ("Need", persona.needs),
        ("Motivation", persona.motivations),
        ("Frustration", persona.frustrations),
    )
    more = [(name, said) for name, texts in lists for said in texts]
    more += [("Who", " and ".join(persona.segment)), ("Planned path", " → ".join(persona.planned))]
    return _bullet(persona.id, persona.text, more)


WRITTEN: dict[str, Callable[[Any, Facts], tuple[str, list[str]]]] = {
    Canvas.KIND: _canvas,
    ValueChain.KIND: _chain,
    JourneyMap.KIND: _journey,
}
"""The title and the lines of a document of each kind."""
