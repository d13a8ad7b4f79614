"""The value chain: nested activities, costs, and linkages that lead somewhere and never round in a circle."""

from __future__ import annotations

import itertools
import random

import pytest
from pydantic import ValidationError

from wayfare.domain.document import cycle
from wayfare.domain.value_chain import DEEPEST, PRIMARY, SUPPORT, TimeDrivenCost, ValueChain


def activity(id: str, *to: str, **said) -> dict:
    return {"id": id, "text": id.title(), "linkages": [{"to": each} for each in to], **said}


def chain(*operations: dict, **said) -> ValueChain:
    return ValueChain.model_validate({"name": "Chain", "primary": {"operations": list(operations)}, **said})


def problems(*operations: dict, **said) -> list[tuple]:
    with pytest.raises(ValidationError) as error:
        chain(*operations, **said)
    return error.value.errors(include_url=False)[0]["ctx"]["problems"]


def test_porters_categories():
    assert (len(PRIMARY), len(SUPPORT)) == (5, 4)  # Porter (1985), figure 2-2


def test_a_whole_chain_is_read():
    pick = activity(
        "pick", "ship", owner="Ada",
        cost={"kind": "time_driven", "capacity_minutes": 24_000, "capacity_cost": 48_000, "minutes": 12},
        serves=[{"event": "purchase", "time": {"base": 5, "terms": [
            {"minutes": 2, "per": "quantity"}, {"minutes": 3, "when": "channel=store"}]}}],
        performance={"measure": "lead_time", "start": "purchase", "end": "delivered", "at_most": 48},
        parts=[activity("walk"), activity("pack", "ship")],
    )  # fmt: skip
    ship = activity(
        "ship",
        cost={"kind": "amounts", "amounts": [{"from": "2026-01-01", "to": "2026-01-31", "amount": 900}]},
    )
    read = chain(pick, ship, support={"technology": [activity("scanner", "pick")]})
    assert [each.id for _, each in read.activities()] == ["pick", "walk", "pack", "ship", "scanner"]
    assert read.activity("pack").linkages[0].to == "ship"
    assert {each.id: path for path, each in read.activities()}["pack"] == (
        "primary", "operations", 0, "parts", 1,
    )  # fmt: skip


def test_the_rate_of_a_minute():
    """Cost of capacity ÷ practical capacity: 48,000 / 24,000 min = 2 (Kaplan and Anderson 2004)."""
    cost = TimeDrivenCost(kind="time_driven", capacity_minutes=24_000, capacity_cost=48_000)
    assert cost.rate_per_minute == 2
    assert TimeDrivenCost(kind="time_driven", capacity_minutes=1, rate=3).rate_per_minute == 3


def test_unknown_activities_are_named_with_their_place():
    ((path, said),) = problems(activity("pick", "shop"), activity("ship"))
    assert path == ("primary", "operations", 0, "linkages", 0, "to")
    assert "no activity 'shop'" in said
    assert "Did you mean 'ship'" in said


@pytest.mark.parametrize(
    ("operations", "way"),
    [
        ([activity("a", "a")], "a → a"),
        ([activity("a", "b"), activity("b", "a")], "a → b → a"),
        ([activity("a", "b"), activity("b", "c"), activity("c", "d"), activity("d", "b")], "b → c → d → b"),
    ],
)
def test_circles_are_named(operations, way):
    assert [said for _, said in problems(*operations)] == [f"linkages go round in a circle: {way}"]


def test_to_feed_and_to_be_supported_is_no_circle():
    back = {"id": "b", "text": "B", "linkages": [{"to": "a", "kind": "supports"}]}
    assert chain(activity("a", "b"), back).activity("b").linkages[0].kind == "supports"


def test_an_activity_is_not_linked_with_its_own_part():
    assert "part of each other" in problems(activity("a", "b", parts=[activity("b")]))[0][1]


def test_an_id_stands_for_one_activity():
    ((path, said),) = problems(activity("a"), activity("b", parts=[activity("a")]))
    assert path == ("primary", "operations", 1, "parts", 0, "id")
    assert "two things" in said


def test_nesting_ends_somewhere():
    def nested(depth: int) -> dict:
        return activity(f"a{depth}", parts=[nested(depth - 1)] if depth else [])

    assert chain(nested(DEEPEST - 1))
    assert "deep" in problems(nested(DEEPEST))[0][1]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"cost": {"kind": "time_driven", "capacity_minutes": 10}}, "either `rate` or `capacity_cost`"),
        ({"cost": {"kind": "time_driven", "capacity_minutes": 0, "rate": 1}}, "greater than 0"),
        ({"cost": {"kind": "lump"}}, "amounts"),
        ({"cost": {"kind": "amounts", "amounts": [{"from": "2026-02-01", "to": "2026-01-01", "amount": 1}]}}, "before it begins"),
        ({"cost": {"kind": "amounts", "amounts": [{"from": "2026-01-01", "to": "2026-01-31", "amount": 1}] * 2}}, "share the day"),
        ({"serves": [{"event": "e", "time": {"terms": [{"minutes": 2}]}}]}, "what always counts is `base`"),
        ({"performance": {"measure": "defect", "start": "e", "end": "e"}}, "both are 'e'"),
        ({"performance": {"measure": "defect", "start": "e", "end": "f", "at_most": 2}}, "at most 1"),
        ({"boss": "Ada"}, "not permitted"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(said, problem):
    with pytest.raises(ValidationError, match=problem):
        chain(activity("a", **said))


def test_a_circle_is_found_in_any_graph():
    """Against the definition: a graph has one if and only if taking sources away leaves something."""
    rng = random.Random(5)
    for _ in range(300):
        nodes = [str(n) for n in range(rng.randint(1, 7))]
        edges = {n: [m for m in nodes if rng.random() < 0.2] for n in nodes}
        left = dict(edges)
        while free := [n for n in left if not any(n in left[m] for m in left)]:
            for n in free:
                del left[n]
        way = cycle(edges)
        assert bool(way) == bool(left)
        assert all(after in edges[before] for before, after in itertools.pairwise(way))
        assert way[:1] == way[-1:]
