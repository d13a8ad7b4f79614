"""Small changes to documents: brought into what others saved, told with both versions where they meet."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wayfare.domain.canvas import BLOCKS, Canvas
from wayfare.domain.document import Document
from wayfare.domain.journey import JourneyMap
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import BadInput, UnknownName
from wayfare.workspace.changes import (
    Add,
    Change,
    Move,
    Remove,
    Set,
    apply,
    apply_all,
    change,
    item_of,
    read_changes,
    ways,
)
from wayfare.workspace.changes_told import Conflict, Gone
from wayfare.workspace.documents import Documents, Stale

CANVAS = Canvas(
    name="Shop",
    customer_segments=[{"id": "young", "text": "Young parents"}],
    channels=[
        {"id": "web", "text": "Web shop", "kind": "online", "segment": "young"},
        {"id": "store", "text": "Store"},
    ],
    cost_structure=[{"id": "rent", "text": "Rent", "kind": "fixed", "amount": 900}],
)
CHAIN = ValueChain(
    name="chain",
    primary={
        "operations": [
            {"id": "pack", "text": "Pack", "parts": [{"id": "label", "text": "Print labels"}]},
            {"id": "check", "text": "Check"},
        ]
    },
)
JOURNEY = JourneyMap(
    personas=[{"id": "ada", "text": "Ada"}],
    stages=[{"stage": "purchase", "goal": "Pay"}],
    touchpoints=[{"event": "cart", "stage": "consideration"}, {"event": "purchase", "stage": "purchase"}],
)


def texts(document: Document) -> dict[str, str]:
    return {id: text for _, id, text in document.places()}


@pytest.fixture
def documents(opened: Callable[[], Documents]) -> Documents:
    """The documents of a workspace with a canvas, in SQLite and in PostgreSQL."""
    made = opened()
    made.save(CANVAS, based_on=None, who="Ada")
    return made


# ------------------------------------------------------------------ one change


def test_an_item_is_added_where_it_was_said_with_an_id_from_its_words():
    made = apply(CANVAS, Add("channels", {"text": "Él café, at the station!"}, before="store"))
    assert isinstance(made, Canvas)
    assert [item.id for item in made.channels] == ["web", "el-cafe-at-the-station", "store"]
    again = apply(made, Add("channels", {"text": "Él café, at the station!"}))
    assert list(texts(again))[-2:] == ["el-cafe-at-the-station-2", "rent"]
    assert list(texts(apply(CANVAS, Add("channels", {"text": "漢字"}))))[3] == "item"


def test_an_item_goes_to_the_end_where_what_it_stood_before_is_gone():
    made = apply(CANVAS, Add("channels", {"text": "App"}, before="nowhere"))
    assert list(texts(made)) == ["young", "web", "store", "app", "rent"]
    moved = apply(made, Move("web", "channels", before="nowhere"))
    assert list(texts(moved)) == ["young", "store", "app", "web", "rent"]


def test_an_item_moves_within_its_block_and_to_another():
    assert list(texts(apply(CANVAS, Move("store", "channels", before="web"))))[1:3] == ["store", "web"]
    moved = apply(CANVAS, Move("store", "key_resources"))
    assert isinstance(moved, Canvas)
    assert (moved.key_resources[0].id, moved.key_resources[0].kind) == ("store", "physical")
    back = apply(moved, Move("store", "channels"))
    assert isinstance(back, Canvas)
    assert back.channels[1].kind is None
    same = apply(apply(CANVAS, Move("web", "key_activities")), Move("web", "channels", before="store"))
    assert isinstance(same, Canvas)
    assert same.channels[0].segment == "young"


def test_what_a_block_has_no_place_for_is_not_dropped_silently():
    with pytest.raises(BadInput, match="no place for the amount 900 of “Rent”"):
        apply(CANVAS, Move("rent", "channels"))


def test_a_field_changes_and_what_the_document_refuses_is_told():
    made = apply(CANVAS, Set("web", "bindings.metric", None, {"measure": "repurchase_rate", "within": "90d", "at_least": "25%"}))  # fmt: skip
    item = item_of(made, "web")
    assert item is not None
    assert item["bindings"]["metric"]["at_least"] == 0.25
    assert apply(CANVAS, Set("", "about", "", "Our shop")).about == "Our shop"
    with pytest.raises(BadInput, match="not between 0 and 1"):
        apply(CANVAS, Set("web", "bindings.metric", None, {"measure": "churn_rate", "at_least": 25}))
    with pytest.raises(BadInput) as refused:
        apply(CANVAS, Set("web", "text", "Web shop", "  "))
    assert refused.value.where == "text"
    for field in ("id", "nothing", "bindings.nothing", "text.more"):
        with pytest.raises((BadInput, UnknownName)):
            apply(CANVAS, Set("web", field, None, "x"))
    with pytest.raises(BadInput, match="can't be changed"):
        apply(CANVAS, Set("", "name", "Shop", "Other"))


def test_what_others_refer_to_is_not_deleted():
    with pytest.raises(BadInput, match="“Web shop” refers to it"):
        apply(CANVAS, Remove("young"))
    freed = apply(CANVAS, Set("web", "segment", "young", None))
    assert "young" not in texts(apply(freed, Remove("young")))


def test_activities_move_with_their_parts_and_never_into_themselves():
    moved = apply(CHAIN, Move("pack", "support.technology"))
    assert isinstance(moved, ValueChain)
    assert moved.support.technology[0].parts[0].id == "label"
    nested = apply(CHAIN, Move("check", "parts", of="pack", before="label"))
    assert list(texts(nested)) == ["pack", "check", "label"]
    for inside in ("pack", "label"):
        with pytest.raises(BadInput, match="part of itself"):
            apply(CHAIN, Move("pack", "parts", of=inside))
    assert list(texts(apply(CHAIN, Add("parts", {"text": "Tape"}, of="label")))) == [
        "pack",
        "label",
        "tape",
        "check",
    ]


def test_a_journeys_touchpoints_go_by_their_event_and_stages_by_their_name():
    made = apply_all(
        JOURNEY, [Set("cart", "stage", "consideration", "purchase"), Move("cart", "touchpoints")]
    )[0]
    assert isinstance(made, JourneyMap)
    assert [(t.event, t.stage) for t in made.touchpoints] == [("purchase", "purchase"), ("cart", "purchase")]
    owned = apply(JOURNEY, Set("stage:purchase", "owner", "", "Bo"))
    assert isinstance(owned, JourneyMap)
    assert owned.stages[0].owner == "Bo"
    assert apply(JOURNEY, Remove("stage:purchase")) == JOURNEY.model_copy(update={"stages": ()})
    assert "refund" in texts(apply(JOURNEY, Add("touchpoints", {"event": "refund", "stage": "none"})))


@pytest.mark.parametrize("document", [CANVAS, CHAIN, JOURNEY], ids=["canvas", "chain", "journey"])
def test_every_place_of_a_document_can_be_named(document: Document):
    said = document.model_dump(mode="json", by_alias=True)
    found = {id: path for id, path in ways(said).items() if not id.startswith("stage:")}
    assert found == {id: path for path, id, _ in document.places()}


# ------------------------------------------------------------------ two people


def test_a_field_that_somebody_changed_is_told_with_both_versions():
    theirs = apply(CANVAS, Set("web", "text", "Web shop", "Their words"))
    with pytest.raises(Conflict) as met:
        apply_all(theirs, [Set("web", "text", "Web shop", "My words"), Set("web", "hypothesis", "", "H")])
    for words in ("Their words", "My words"):
        assert words in met.value.problem
    (clash,) = met.value.to_dict()["error"]["conflicts"]
    assert clash == {
        "id": "web",
        "field": "text",
        "was": "Web shop",
        "theirs": "Their words",
        "yours": "My words",
    }
    assert met.value.status == 409
    # The same words twice are no conflict.
    assert apply(theirs, Set("web", "text", "Web shop", "Their words")) == theirs


def test_an_item_that_is_gone_hands_the_words_back():
    without = apply(CANVAS, Remove("store"))
    with pytest.raises(Gone, match="My new words"):
        apply(without, Set("store", "text", "Store", "My new words"))
    with pytest.raises(Gone, match="A part"):
        apply(CHAIN, Add("parts", {"text": "A part"}, of="gone"))
    assert apply(without, Remove("store")) == without


def test_newer_words_are_not_deleted_unseen(documents: Documents):
    change(documents, "Shop", [Set("store", "hypothesis", "", "Never seen")], who="Bo")
    with pytest.raises(Conflict, match="Never seen"):
        change(documents, "Shop", [Remove("store")], who="Ada", seen=1)
    done = change(documents, "Shop", [Remove("store")], who="Ada", seen=2)
    assert done.revision.number == 3
    assert done.revision.why == "Deleted “Store”"


def test_changes_to_different_places_both_stay(documents: Documents):
    first = change(documents, "Shop", [Set("web", "text", "Web shop", "Shop online")], who="Ada")
    second = change(documents, "Shop", [Set("web", "hypothesis", "", "Grows")], who="Bo")
    third = change(documents, "Shop", [Add("channels", {"text": "App"})], who="Bo")
    assert (first.revision.number, third.ids) == (2, ("app",))
    item = item_of(documents.head("Shop").document, "web")
    assert item is not None
    assert (item["text"], item["hypothesis"]) == ("Shop online", "Grows")
    assert second.revision.why == "Changed hypothesis of “Shop online”"
    assert documents.undo("Shop", who="Ada").document == second.revision.document


def test_only_a_change_that_was_seen_is_undone(documents: Documents):
    change(documents, "Shop", [Set("web", "text", "Web shop", "Mine")], who="Ada")
    change(documents, "Shop", [Set("store", "text", "Store", "Theirs")], who="Bo")
    with pytest.raises(Stale, match="Bo changed it meanwhile: Changed text of “Store”"):
        documents.undo("Shop", who="Ada", seen=2)
    assert texts(documents.head("Shop").document)["store"] == "Theirs"
    documents.undo("Shop", who="Ada", seen=documents.head("Shop").number)


def test_nothing_is_saved_unless_all_of_it_is(documents: Documents):
    with pytest.raises(Gone):
        change(documents, "Shop", [Add("channels", {"text": "App"}), Move("gone", "channels")], who="Ada")
    assert documents.head("Shop").number == 1
    assert (
        change(documents, "Shop", [Set("web", "text", "Web shop", "Web shop")], who="Ada").revision.number
        == 1
    )


def test_writers_at_once_lose_nothing(documents: Documents, opened: Callable[[], Documents]):
    def write(who: str) -> None:
        own = opened()
        for number in range(12):
            change(own, "Shop", [Add("key_activities", {"text": f"{who} {number}"})], who=who)

    threads = [threading.Thread(target=write, args=(who,)) for who in ("Ada", "Bo", "Cy")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = documents.head("Shop").document
    assert {f"{who} {n}" for who in ("Ada", "Bo", "Cy") for n in range(12)} <= set(texts(found).values())
    assert documents.head("Shop").number == 37


# ------------------------------------------------------------------ random changes

Step = tuple[str, int, int, str]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "text", "hypothesis", "move", "remove"]),
        st.integers(0, 20),
        st.integers(0, 8),
        st.text("abcdé <&'", min_size=1, max_size=8).map(lambda text: f"w{text}"),
    ),
    max_size=12,
)
START = Canvas(name="Shop", key_activities=[{"id": f"i{n}", "text": f"Item {n}"} for n in range(4)])
FREE = [block for block in BLOCKS if block not in ("customer_segments", "revenue_streams", "cost_structure")]


def planned(seen: Canvas, step: Step) -> Change | None:
    """The change that somebody makes who looks at `seen`."""
    do, which, block, words = step
    items = [item for _, item in seen.items()]
    if do == "add":
        return Add("key_activities", {"text": words})
    if not items:
        return None
    item = items[which % len(items)]
    if do == "move":
        return Move(item.id, FREE[block % len(FREE)], before=items[block % len(items)].id)
    if do == "remove":
        return Remove(item.id, item_of(seen, item.id))
    return Set(item.id, do, getattr(item, do), words)


@settings(max_examples=150)
@given(one=STEPS, other=STEPS, order=st.lists(st.booleans(), max_size=24))
def test_two_sequences_interleaved_lose_no_words(one: list[Step], other: list[Step], order: list[bool]):
    """Each looks at what was there when they last saved; whatever is accepted stays until its own field is changed again."""
    head: Canvas = START
    seen: dict[bool, Canvas] = {True: START, False: START}
    queues = {True: list(one), False: list(other)}
    expected: dict[tuple[str, str], Any] = {(i.id, f): getattr(i, f) for _, i in head.items() for f in ("text", "hypothesis")}  # fmt: skip
    for who in [*order, *[True] * 12, *[False] * 12]:
        if not queues[who]:
            continue
        wanted = planned(seen[who], queues[who].pop(0))
        if wanted is None:
            continue
        try:
            head_after, ids = apply_all(head, [wanted])
        except (Conflict, Gone) as error:
            told = error.problem
        else:
            told = ""
        if told:  # the words come back to their writer
            assert not isinstance(wanted, Set) or str(wanted.to) in told
            seen[who] = head
            continue
        assert isinstance(head_after, Canvas)
        head = seen[who] = head_after
        if isinstance(wanted, Add):
            expected |= {(ids[0], "text"): wanted.item["text"], (ids[0], "hypothesis"): ""}
        elif isinstance(wanted, Set):
            expected[wanted.id, wanted.field] = wanted.to
        elif isinstance(wanted, Remove):
            expected = {key: value for key, value in expected.items() if key[0] != wanted.id}
        assert {(i.id, f): getattr(i, f) for _, i in head.items() for f in ("text", "hypothesis")} == expected


def test_random_changes_are_undone_one_by_one_to_the_beginning(documents: Documents):
    rng = random.Random(3)
    states = [documents.head("Shop").content]
    while len(states) < 15:
        seen = documents.head("Shop").document
        assert isinstance(seen, Canvas)
        step = (
            rng.choice(["add", "text", "hypothesis", "move"]),
            rng.randrange(20),
            rng.randrange(9),
            f"w{rng.random():.3f}",
        )
        wanted = planned(seen, step)
        assert wanted is not None
        if isinstance(wanted, Move) and wanted.id in ("young", "rent"):
            continue  # others refer to it, or it has an amount
        made = change(documents, "Shop", [wanted], who="Ada").revision
        states += [made.content] if made.content != states[-1] else []
    for before in states[-2::-1]:
        assert documents.undo("Shop", who="Bo", seen=documents.head("Shop").number).content == before


# ------------------------------------------------------------------ over the wire


def test_changes_are_read_strictly():
    said = [
        {"do": "add", "into": "channels", "item": {"text": "x"}},
        {"do": "set", "id": "a", "field": "text", "was": "x", "to": "y"},
        {"do": "move", "id": "a", "into": "channels", "before": "b"},
        {"do": "remove", "id": "a"},
    ]
    assert [type(each) for each in read_changes(said)] == [Add, Set, Move, Remove]
    for wrong in (
        None,
        {},
        ["x"],
        [{"do": "drop"}],
        [{"do": "set", "id": "a"}],
        [{"do": "move", "id": 3, "into": []}],
    ):
        with pytest.raises((BadInput, UnknownName)):
            read_changes(wrong)
