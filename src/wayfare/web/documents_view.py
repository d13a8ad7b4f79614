"""What the pages about documents show: the shelf of them, one document as it stands or stood, one item with its form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from wayfare.domain.canvas import Canvas, Review
from wayfare.domain.document import Document
from wayfare.domain.journey import JourneyMap
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import BadInput, UnknownName, WayfareError
from wayfare.report.sections import label_of
from wayfare.web.documents_board import Board, Shelf, board_of
from wayfare.web.documents_fields import Control, Offers, controls
from wayfare.web.studies import Studies
from wayfare.workspace.changes import item_of, model_of, ways
from wayfare.workspace.changes_told import STAGE
from wayfare.workspace.documents import MAIN, Comment, Documents
from wayfare.workspace.folder import log_events
from wayfare.workspace.revisions import Change, Revision

SHOWN = 25
"""Revisions that stand beside a document; its whole history is a click away."""
MOST_EVENTS = 500
REVIEWS = 3
"""So many of a canvas's reviews stand under its board."""


@dataclass(frozen=True)
class View:
    """A document as a page shows it.

    Attributes:
        name, branch: Which, and on which branch.
        branches: All of its branches.
        state: The revision that is shown.
        head: The number of the branch's newest revision.
        past: Whether an earlier revision is shown, which can't be changed.
        comments: What was said about it, oldest first.
        history: What led here, the newest first.
        zone: The workspace's zone.
    """

    name: str
    branch: str
    branches: tuple[str, ...]
    state: Revision
    head: int
    past: bool
    comments: tuple[Comment, ...]
    history: tuple[Change, ...]
    zone: str

    @property
    def document(self) -> Document:
        """What it says."""
        return self.state.document

    @property
    def board(self) -> Board:
        """Its lists of notes."""
        return board_of(self.document, self.comments)

    @property
    def on(self) -> str:
        """The branch as part of an address; nothing for the main one."""
        return "" if self.branch == MAIN else f"?{urlencode({'branch': self.branch})}"

    @property
    def full_name(self) -> str:
        """What analyses call it."""
        return self.name if self.branch == MAIN else f"{self.name}@{self.branch}"

    @property
    def undone(self) -> Change | None:
        """The change that undo takes back; None where there is none left."""
        known = {change.number: change for change in self.history}
        found = self.history[0] if self.history else None
        while found and found.action == "undo" and found.equals is not None:
            found = known.get(found.equals)
        return found if found and found.parent is not None else None

    @property
    def reviews(self) -> tuple[Review, ...]:
        """Of a canvas, its latest reviews, the newest first."""
        held = self.document.reviews if isinstance(self.document, Canvas) else ()
        return tuple(sorted(held, key=lambda review: review.date, reverse=True)[:REVIEWS])

    @staticmethod
    def day(day: date) -> str:
        """A day as people write it."""
        return f"{day.day} {day:%B %Y}"

    def when(self, moment: datetime) -> str:
        """A moment as people write it, in the workspace's zone."""
        return moment_of(moment, self.zone)


def view_of(studies: Studies, name: str, branch: str = MAIN, revision: int | None = None) -> View:
    """A document as it stands on a branch, or as it was at a revision."""
    documents = opened(studies, name)
    head = documents.head(name, branch)
    state = head if revision in (None, head.number) else documents.revision(name, revision or 0)
    entry = next(entry for entry in documents.entries() if entry.name == name)
    return View(
        name,
        branch,
        entry.branches,
        state,
        head.number,
        state.number != head.number,
        tuple(documents.comments(name)),
        tuple(documents.history(name, branch)),
        studies.workspace.config.timezone,
    )


def opened(studies: Studies, name: str) -> Documents:
    """The documents of a workspace that has some."""
    if not studies.has_documents:
        raise UnknownName(f"There is no document {name!r}.", hint="Start one under Documents.")
    return studies.documents


@dataclass(frozen=True)
class ItemView:
    """One item with its form.

    Attributes:
        id: What names it.
        title: What it says.
        fields: The form.
        was: The item as it is shown here, as JSON: what a change is compared with.
        shelves: The lists that it can be moved to.
        here: The list that it is in.
        comments: What was said about it.
        movable: Whether it stands in a list.
        fresh: Whether it is not in the document yet (a stage's notes).
    """

    id: str
    title: str
    fields: tuple[Control, ...]
    was: str
    shelves: tuple[Shelf, ...]
    here: str
    comments: tuple[Comment, ...]
    movable: bool
    fresh: bool = False


def item_view(studies: Studies, view: View, id: str, typed: dict[str, Any] | None = None) -> ItemView:
    """An item with its form, filled with what it says or with what was `typed`."""
    document = view.document
    model, item, fresh = found_item(document, id)
    board = view.board
    here = next((shelf.key for shelf in board.targets() if any(note.id == id for note in shelf.notes)), "")
    fields = controls(model, item if typed is None else typed, offers_of(studies, document))
    return ItemView(
        id,
        title_of(item, id),
        tuple(field for field in fields if not (fresh or id.startswith(STAGE)) or field.name != "stage"),
        json.dumps(item if id else {field.name: item[field.name] for field in fields}, ensure_ascii=False),
        tuple(board.targets()),
        here,
        tuple(comment for comment in view.comments if comment.item == id),
        bool(here),
        fresh,
    )


def found_item(document: Document, id: str) -> tuple[type[BaseModel], dict[str, Any], bool]:
    """The model and the fields of an item; of the document itself, where `id` is empty.

    A stage that nothing is noted of yet is there too, as the third part says.
    """
    if not id:
        return type(document), document.model_dump(mode="json", by_alias=True), False
    item = item_of(document, id)
    if item is not None:
        path = ways(document.model_dump(mode="json", by_alias=True))[id]
        return model_of(type(document), path), item, False
    if isinstance(document, JourneyMap) and id.startswith(STAGE):
        model = model_of(JourneyMap, ("stages", 0))
        return model, {"stage": id.removeprefix(STAGE), "goal": "", "owner": ""}, True
    known = [each for _, each, _ in document.places()]
    raise UnknownName.among("item", id, known, where=document.name)


def title_of(item: dict[str, Any], id: str) -> str:
    """What an item is called."""
    return str(
        item.get("text") or item.get("event") or item.get("name") or label_of(str(item.get("stage", id)))
    )


def offers_of(studies: Studies, document: Document) -> Offers:
    """What the fields of a document's items can name."""
    items: dict[str, Sequence[tuple[str, str]]] = {}
    if isinstance(document, Canvas):
        segments, streams, costs = (
            [(item.id, item.text) for item in document.block(block)]
            for block in ("customer_segments", "revenue_streams", "cost_structure")
        )
        items = {
            "segment": segments,
            "bindings.metric.segment": segments,
            "bindings.revenue_stream": streams,
            "bindings.cost_line": costs,
        }
    elif isinstance(document, ValueChain):
        items = {"linkages.to": [(activity.id, activity.text) for _, activity in document.activities()]}
    return Offers(events_of(studies, document), items)


def events_of(studies: Studies, document: Document) -> list[str]:
    """The touchpoints that can be named: the log's events, and the document's own where it is a journey."""
    try:
        events = log_events(studies.workspace)
    except WayfareError:
        events = []
    if isinstance(document, JourneyMap):
        events += [touchpoint.event for touchpoint in document.touchpoints]
    return list(dict.fromkeys(events))[:MOST_EVENTS]


def whole(said: str | None, where: str) -> int | None:
    """A number that was written as text; None where nothing was."""
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and len(said) < 10):
        raise BadInput(f"{said[:40]!r} is no number.", where=where)
    return int(said)


def moment_of(moment: datetime, zone: str) -> str:
    """A moment as people write it, in the workspace's zone."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y, %H:%M}"
