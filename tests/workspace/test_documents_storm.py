"""Two writers at once and a program that is killed in a save: nothing that was acknowledged is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.workspace.together import run_together
from wayfare.domain.canvas import Canvas, Item
from wayfare.errors import NotReady
from wayfare.workspace.documents import MAIN, Change, Documents, Revision, Stale
from wayfare.workspace.folder import Workspace

EDITS = 1_000
KINDS = ("add", "add", "say", "move", "drop", "drop", "bind", "undo")

Open = Callable[[], Documents]


def edit_of(rng: random.Random, writer: int, number: int) -> dict:
    """A random edit as a value, so that the history can be replayed from what it says it did."""
    return {
        "kind": rng.choice(KINDS), "id": f"w{writer}-{number}", "text": f"{rng.random()}",
        "place": rng.random(), "to": rng.random(),
    }  # fmt: skip


def applied(document: Canvas, edit: dict) -> Canvas:
    items = list(document.key_activities)
    place = int(edit["place"] * len(items))
    if edit["kind"] == "add" or not items:
        items.insert(place, Item(id=edit["id"], text=edit["text"]))
    elif edit["kind"] == "say":
        items[place] = items[place].model_copy(update={"text": edit["text"]})
    elif edit["kind"] == "bind":
        bound = {"touchpoints": [{"event": "purchase", "weight": 1 + edit["to"]}]}
        items[place] = Item(id=items[place].id, text=edit["text"], bindings=bound)
    elif edit["kind"] == "move":
        moved = items.pop(place)
        items.insert(int(edit["to"] * (len(items) + 1)), moved)
    else:
        del items[place]
    return document.model_copy(update={"key_activities": tuple(items)})


def done(documents: Documents, edit: dict, who: str) -> Revision:
    """The revision that the edit became: tried again on what the other one saved meanwhile."""
    while True:
        try:
            if edit["kind"] == "undo":
                return documents.undo("Shop", who=who, why=json.dumps(edit))
        except NotReady:  # nothing is left to undo
            edit["kind"] = "say"
        head = documents.head("Shop")
        after = applied(head.document, edit)
        if after == head.document:  # moved to where it was
            edit |= {"kind": "add"}
            after = applied(head.document, edit)
        try:
            return documents.save(after, based_on=head.number, who=who, why=json.dumps(edit))
        except Stale:
            continue


def replayed(history: list[Change], first: Canvas) -> dict[int, Canvas]:
    """What each revision has to say, from the first one and what the others say they did."""
    states, undo = {history[0].number: first}, {history[0].number: history[0].number}
    for change in history[1:]:
        edit = json.loads(change.why)
        if edit["kind"] != "undo":
            states[change.number] = applied(states[change.parent], edit)
            undo[change.number] = change.number
        else:  # one step before what the parent stands for; an undo stands for the revision that it equals
            before = next(each.parent for each in history if each.number == undo[change.parent])
            assert change.equals == before
            states[change.number] = states[before]
            undo[change.number] = undo[before]
    return states


def test_a_thousand_random_edits_of_two_writers_lose_nothing(opened: Open):
    first = opened().save(
        Canvas(name="Shop", key_activities=[Item(id="start", text="x")]), based_on=None, who="Ada"
    )
    acknowledged: list[tuple[int, str, dict]] = []

    def write(writer: int) -> None:
        rng, documents = random.Random(writer), opened()
        for number in range(EDITS // 2):
            edit = edit_of(rng, writer, number)
            saved = done(documents, edit, f"w{writer}")
            acknowledged.append((saved.number, saved.who, edit))

    run_together([lambda: write(1), lambda: write(2)])
    documents = opened()
    history = documents.history("Shop", MAIN)[::-1]
    assert [each.number for each in history] == list(range(1, EDITS + 2))
    assert [each.parent for each in history] == [None, *range(1, EDITS + 1)]
    said = [(each.number, each.who, json.loads(each.why)) for each in history[1:]]
    assert sorted(acknowledged, key=lambda each: each[0]) == said
    assert {each.who for each in history[1 : EDITS // 2]} == {"w1", "w2"}
    states = replayed(history, first.document)
    for number, state in states.items():
        assert documents.revision("Shop", number).document == state
    assert documents.head("Shop").document == states[EDITS + 1]


SAVING = """
import sys
from wayfare.domain.canvas import Canvas
from wayfare.workspace.documents import open_documents
from wayfare.workspace.folder import open_workspace

documents = open_documents(open_workspace(sys.argv[1]), sys.argv[2] or None)
number = documents.head("Shop").number
while True:
    number = documents.save(Canvas(name="Shop", about=f"{number + 1} " * 2000), based_on=number, who="Ada").number
    print(number, flush=True)
"""

KILLED = """
import os, signal, sys
import sqlalchemy as sa
from wayfare.domain.canvas import Canvas
from wayfare.workspace.documents import open_documents
from wayfare.workspace.folder import open_workspace

documents = open_documents(open_workspace(sys.argv[1]), sys.argv[2] or None)
documents.save(Canvas(name="Shop", about="acknowledged"), based_on=1, who="Ada")
print(2, flush=True)
left = int(sys.argv[3])

def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def wrote(_connection, _cursor, statement, *_):
    if not statement.startswith(("SELECT", "BEGIN")):
        count()

sa.event.listen(documents.database.engine, "after_cursor_execute", wrote)
sa.event.listen(documents.database.engine, "commit", count)
documents.save(Canvas(name="Shop", about="never acknowledged"), based_on=2, who="Ada")
print(3, flush=True)
"""
STEPS = 4
"""What a save does: the revision, the document's counter, the branch's head, and the commit."""


def program(text: str, workspace: Workspace, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text, str(workspace.folder), *words], stdout=subprocess.PIPE, text=True
    )


def ended(running: subprocess.Popen[str]) -> list[int]:
    """The numbers that a program still told, once it is over."""
    told = [int(line) for line in running.stdout.read().splitlines()]
    running.wait()
    running.stdout.close()
    return told


@pytest.mark.parametrize("after", [3, 11, 17])
def test_kill_loses_nothing_that_was_acknowledged(
    opened: Open, workspace: Workspace, url: str | None, after: int
):
    opened().save(Canvas(name="Shop"), based_on=None, who="Ada")
    running = program(SAVING, workspace, url or "")
    seen = [int(running.stdout.readline()) for _ in range(after)]
    os.kill(running.pid, signal.SIGKILL)
    seen += ended(running)
    documents = opened()
    head = documents.head("Shop")
    assert seen[-1] <= head.number <= seen[-1] + 1
    assert [each.number for each in documents.history("Shop", MAIN)] == list(range(head.number, 0, -1))
    for number in seen:
        assert documents.revision("Shop", number).document.about == f"{number} " * 2000
    assert documents.save(Canvas(name="Shop"), based_on=head.number, who="Ada").number == head.number + 1


@pytest.mark.parametrize("step", range(1, STEPS + 2))
def test_kill_at_every_step_of_a_save(opened: Open, workspace: Workspace, url: str | None, step: int):
    """Killed after each write and just before the commit: the save is not there at all. With no step left it is."""
    opened().save(Canvas(name="Shop"), based_on=None, who="Ada")
    running = program(KILLED, workspace, url or "", str(step))
    told = ended(running)
    documents = opened()
    assert running.returncode == (-signal.SIGKILL if step <= STEPS else 0)
    assert told == ([2] if step <= STEPS else [2, 3])
    assert [each.number for each in documents.history("Shop")] == [*told[::-1], 1]
    assert documents.revision("Shop", 2).document.about == "acknowledged"
    assert documents.save(Canvas(name="Shop"), based_on=told[-1], who="Ada").number == told[-1] + 1
