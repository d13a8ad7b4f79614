from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyses.cuts import in_blocks
from wayfare.analyses.journey.dropoff import dropoff
from wayfare.analyses.journey.journey_map import journey_map
from wayfare.analyses.journey.stages import stages
from wayfare.analyses.satisfaction.emotion import emotion
from wayfare.analyses.value_chain.activity_costs import activity_costs
from wayfare.charts.picture import png
from wayfare.domain.document import Document
from wayfare.domain.journey import JourneyMap, Persona, StageNotes, Touchpoint
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import UnknownName
from wayfare.log import Log, read_events
from wayfare.stats.proportions import wilson
from wayfare.study import Study

START = pd.Timestamp("2024-01-01", tz="UTC")
PATIENCE = 30
# event: its stage before and after the first order
PLACED = {
    "ad": ("awareness", None),
    "view": ("consideration", "repurchase"),
    "cart": ("consideration", "repurchase"),
    "buy": ("purchase", "repurchase"),
    "call": ("post_purchase", None),
    "noise": ("none", None),
}
ROUTE = ("view", "cart", "buy")
MAP = JourneyMap(
    orders=("buy",),
    main_route=ROUTE,
    stages=(StageNotes(stage="purchase", goal="Pay once", owner="Shop"),),
    touchpoints=tuple(
        Touchpoint(
            event=e, stage=s, after_purchase=a, channel="web", place="digital", pain_points=("slow", "dear")
        )
        for e, (s, a) in PLACED.items()
    ),
    personas=(
        Persona(
            id="webby", text="Who came by the web", segment=("first:channel=web",), planned=("view", "buy")
        ),
        Persona(id="unbound", text="Nobody knows"),
        Persona(id="odd", text="A column that is not there", segment=("shoe=9",)),
    ),
)
CHAIN = ValueChain.model_validate(
    {
        "name": "value-chain",
        "primary": {
            "service": [
                {
                    "id": "pick", "text": "Pick goods", "serves": [{"event": "buy", "time": {"base": 5.0}}, {"event": "call"}],
                    "cost": {"kind": "time_driven", "capacity_minutes": 1000, "rate": 2.0, "minutes": 1.0},
                }
            ]
        }
    }
)  # fmt: skip
BY_HAND = [
    ("1", 0, "view"), ("1", 1, "cart"), ("1", 2, "buy"),
    ("2", 0, "view"), ("2", 1, "call"), ("2", 2, "cart"), ("2", 3, "buy"),
    ("3", 0, "view"), ("3", 1, "cart"),
    ("4", 0, "view"), ("4", 1, "ad"),
    ("5", 0, "cart"), ("5", 1, "view"), ("5", 2, "noise"),
    ("6", 0, "buy"),
    ("7", 99, "view"), ("7", 100, "cart"),
    ("8", 0, "view"), ("8", 1, "view"), ("8", 2, "cart"), ("8", 3, "buy"),
]  # fmt: skip


def log_of(rows: list[tuple[str, float, str]], **columns: list[Any]) -> Log:
    """A log of (customer, day, event)."""
    customer, day, event = zip(*rows, strict=True) if rows else ((), (), ())
    time = START + pd.to_timedelta(np.array(day, dtype="float64"), unit="D")
    frame = pd.DataFrame(
        {"c": pd.array(customer, "string"), "t": time.as_unit("us"), "e": pd.array(event, "string")}
    )
    for name, values in columns.items():
        frame[name] = values
    return read_events(frame, customer="c", time="t", event="e", **{name: name for name in columns})


def study_of(rows: list[tuple[str, float, str]], journey: JourneyMap = MAP, **columns: list[Any]) -> Study:
    documents: dict[str, Document] = {"journey": journey, "value-chain": CHAIN}
    return Study(log_of(rows, **columns), documents=documents)


def rows_of(result: Any, table: str, **only: Any) -> list[dict[str, Any]]:
    rows = result.tables[table].to_pylist()
    return [row for row in rows if all(row[name] == value for name, value in only.items())]


def test_planned_against_actual_by_hand():
    result = journey_map(study_of(BY_HAND))
    planned, *actual = rows_of(result, "paths", persona="")
    # 1, 2, 3, 4, 5, 7 and 8 begin; 1, 2 and 8 finish in order; 7 was here yesterday and may still.
    assert (planned["path"], planned["kind"]) == ("view > cart > buy", "planned")
    assert (planned["customers"], planned["began"], planned["pending"], planned["share"]) == (3, 7, 1, 0.5)
    assert (planned["low"], planned["high"]) == pytest.approx((wilson(3, 6).low, wilson(3, 6).high))
    assert [(row["path"], row["customers"]) for row in actual] == [
        ("view > cart > buy", 2),
        ("view > (left)", 1),
        ("view > ad > (left)", 1),
        ("view > call > cart > buy", 1),
        ("view > cart > (left)", 1),
    ]
    steps = [(row["event"], row["customers"], row["left"]) for row in rows_of(result, "steps", persona="")]
    assert steps == [("view", 7, 2), ("cart", 5, 1), ("buy", 3, 0)]


def test_deviations_by_hand():
    rows = rows_of(journey_map(study_of(BY_HAND)), "deviation", persona="")
    said = [
        (r["step"], r["at"], r["planned_next"], r["actual_next"], r["customers"], r["came_back"])
        for r in rows
    ]
    assert said == [
        (1, "view", "cart", "cart", 4, 0),
        (1, "view", "cart", "(left)", 1, 0),
        (1, "view", "cart", "ad", 1, 0),
        (1, "view", "cart", "call", 1, 1),
        # 7 stands at the cart and is pending.
        (2, "cart", "buy", "buy", 3, 0),
        (2, "cart", "buy", "(left)", 1, 0),
    ]
    assert [row["share"] for row in rows] == [4 / 7, 1 / 7, 1 / 7, 1 / 7, 3 / 4, 1 / 4]


def test_a_path_longer_than_a_number_holds_is_cut():
    events = [f"e{n:02d}" for n in range(12)]
    journey = JourneyMap(
        orders=("e11",),
        main_route=("e00", "e11"),
        touchpoints=[Touchpoint(event=e, stage="purchase") for e in events],
    )
    gone = [("gone", n, event) for n, event in enumerate(events[:11])]
    done = [("done", n, event) for n, event in enumerate(events)]
    result = journey_map(study_of([*gone, *done, ("late", 99, "e05")], journey))
    begun = " > ".join(events[:8])
    assert {r["path"] for r in rows_of(result, "paths", kind="actual")} == {
        f"{begun} > … > (left)",
        f"{begun} > … > e11",
    }


def test_where_they_fell_silent_by_hand():
    result = journey_map(study_of(BY_HAND))
    found = {(r["stage"], r["event"]): r for r in rows_of(result, "touchpoints")}
    left = {key: row["left"] for key, row in found.items() if row["left"]}
    assert left == {
        ("awareness", "ad"): 1,
        ("consideration", "view"): 1,  # 5: the noise after it is no touchpoint
        ("consideration", "cart"): 1,
        ("purchase", "buy"): 4,
    }
    cart = found["consideration", "cart"]
    assert (cart["customers"], cart["events"], cart["pending"], cart["left_share"]) == (6, 6, 1, 0.2)
    assert (cart["low"], cart["high"]) == pytest.approx((wilson(1, 5).low, wilson(1, 5).high))
    # After the cart: 1 and 2 buy and 5 looks within a day, 8 within a day.
    assert cart["median_seconds"] == pytest.approx(86_400, rel=1 / 128)
    assert cart["pains"] == "slow; dear"
    assert ("none", "noise") not in found


def test_volumes_losses_and_feelings_are_those_of_the_analyses_beside():
    study = study_of(BY_HAND)
    result = journey_map(study)
    beside = {(r["stage"], r["touchpoint"]): r for r in stages(study).touchpoints.to_pylist()}
    for row in rows_of(result, "touchpoints"):
        known = beside.get((row["stage"], row["event"]), {"customers": 0, "events": 0, "share": None})
        assert (row["customers"], row["events"], row["share"]) == (
            known["customers"],
            known["events"],
            known["share"],
        )
    sums = {row["stage"]: row for row in stages(study).stages.to_pylist()}
    losses = {row["stage"]: row for row in dropoff(study).stages.to_pylist()}
    for row in rows_of(result, "stages"):
        same = sums[row["stage"]]
        assert (row["customers"], row["left"], row["pending"]) == (
            same["customers"],
            same["left"],
            same["pending"],
        )
        assert row["left"] == losses.get(row["stage"], {"left": 0})["left"]


def test_the_emotion_curve_is_that_of_the_scores():
    rows = [(f"c{n:02d}", day, e) for n in range(15) for day, e in ((0, "buy"), (1, "call"))]
    study = study_of(rows, score=[np.nan if e == "buy" else 1.0 + n % 5 for n, (*_, e) in enumerate(rows)])
    curve = {r["stage"]: r for r in emotion(study).curve.to_pylist() if r["strand"] == "scores"}
    result = journey_map(study)
    found = {r["stage"]: r for r in rows_of(result, "emotion", touchpoint="")}
    for stage, row in curve.items():
        assert [found[stage][k] for k in ("satisfaction", "low", "high", "n")] == [
            row[k] for k in ("value", "low", "high", "n")
        ]
    assert found["post_purchase"]["n"] == 15
    scored = rows_of(result, "emotion", stage="post_purchase")
    assert [r["touchpoint"] for r in scored] == ["", "call"]


def test_activities_and_what_they_cost_add_up_over_the_stages():
    study = study_of([*BY_HAND, ("1", 5, "buy"), ("1", 6, "call")])
    result = journey_map(study)
    costs = {row["event"]: row["cost"] for row in activity_costs(study).touchpoints.to_pylist()}
    for event, cost in costs.items():
        rows = rows_of(result, "touchpoints", event=event)
        assert sum(row["activity_cost"] for row in rows) == pytest.approx(cost)
        assert {row["activities"] for row in rows} == {"Pick goods"}
    # 5 orders of 5 minutes at 2 a minute, 4 of them before another one.
    buys = {r["stage"]: r["activity_cost"] for r in rows_of(result, "touchpoints", event="buy")}
    assert buys == {"purchase": pytest.approx(40), "repurchase": pytest.approx(10)}


WEB = ["web" if customer in "1247" else "store" for customer, *_ in BY_HAND]


def test_a_persona_is_the_study_of_its_customers():
    study = study_of(BY_HAND, channel=WEB)
    own, part = journey_map(study, persona="webby"), study.where("first:channel=web")
    whole = journey_map(part)
    for table in ("touchpoints", "stages", "emotion"):
        assert own.tables[table].equals(whole.tables[table])
    (persona,) = rows_of(own, "personas")
    assert (persona["customers"], persona["share"], persona["segment"]) == (4, 0.5, "first:channel=web")
    # Of 1, 2, 4 and 7 the first two look and buy; 7 is pending.
    planned = rows_of(own, "paths", kind="planned")
    assert [(r["path"], r["persona"], r["customers"], r["began"], r["pending"]) for r in planned] == [
        ("view > buy", "webby", 2, 4, 1)
    ]
    assert rows_of(journey_map(study), "paths", persona="webby") == rows_of(own, "paths")


def test_personas_without_customers_say_why():
    result = journey_map(study_of(BY_HAND, channel=WEB))
    notes = {row["persona"]: (row["customers"], row["note"]) for row in rows_of(result, "personas")}
    assert notes["unbound"][0] is None
    assert "no conditions yet" in notes["unbound"][1]
    assert "no column 'shoe'" in notes["odd"][1]
    alone = journey_map(study_of(BY_HAND, channel=WEB), persona="unbound")
    assert any("unbound has no conditions yet" in warning for warning in alone.warnings)
    assert alone.touchpoints.equals(result.touchpoints)
    with pytest.raises(UnknownName) as error:
        journey_map(study_of(BY_HAND, channel=WEB), persona="webbie")
    assert error.value.allowed == ("odd", "unbound", "webby")


def to_be() -> JourneyMap:
    kept = {t.event: t for t in MAP.touchpoints}
    view = kept["view"].model_copy(update={"pain_points": ("slow",), "owner": "Bo"})
    cart = Touchpoint.model_validate({**kept["cart"].model_dump(), "stage": "purchase"})
    chat = Touchpoint(event="chat", stage="post_purchase", channel="web")
    return MAP.model_copy(
        update={
            "main_route": ("view", "buy"),
            "touchpoints": (view, cart, kept["buy"], kept["call"], kept["noise"], chat),
            "personas": MAP.personas[:2],
        }
    )


def test_as_is_against_to_be_by_hand():
    study = study_of(BY_HAND)
    study = replace(study, documents={**study.documents, "journey@faster": to_be()})
    result = journey_map(study, to_be="journey@faster")
    said = [(r["where"], r["what"], r["as_is"], r["to_be"], r["stage"]) for r in rows_of(result, "changes")]
    assert said == [
        ("map", "main route", "view; cart; buy", "view; buy", ""),
        ("touchpoint ad", "removed", "Awareness, web", "", "awareness"),
        ("touchpoint view", "pain points", "slow; dear", "slow", "consideration"),
        ("touchpoint view", "owner", "", "Bo", "consideration"),
        ("touchpoint cart", "moved", "Consideration, after an order Re-purchase", "Purchase, after an order Re-purchase", "consideration"),
        ("touchpoint chat", "added", "", "After purchase, web", "post_purchase"),
        ("persona odd", "removed", "A column that is not there", "", ""),
    ]  # fmt: skip
    text = result.findings[-1].text
    assert text.startswith(
        "The map journey@faster differs in 7 places: added chat; removed ad; moved cart; 4 other entries changed."
    )
    assert "most customers met view: 7" in text
    drawing = result.chart().svg()
    for mark in ("to be: removed", "to be: moves to", "to be: new", "to be: pain points,"):
        assert mark in drawing
    back = journey_map(study, journey_map="journey@faster", to_be="journey@faster")
    assert rows_of(back, "changes") == []
    assert back.findings[-1].text == "The map journey@faster changes nothing."
    assert {r["event"] for r in rows_of(back, "touchpoints")} == {"view", "cart", "buy", "call", "chat"}
    with pytest.raises(UnknownName):
        journey_map(study, to_be="journey@slower")


MANY = [
    (f"{kind}{n:03d}", day, event)
    for kind, times, way in (("b", 30, "view cart buy"), ("l", 50, "view cart"), ("v", 20, "ad view"))
    for n in range(times)
    for day, event in enumerate(way.split())
] + [("z", 90, "noise")]


def test_findings_name_losses_the_path_and_noted_pains():
    found = [finding.text for finding in journey_map(study_of(MANY)).findings]
    # 50 fell silent at the cart and 20 at the view: 70 of 100 went no further.
    assert found[0].startswith(
        "Consideration is where most is lost: 70 of 100 customers went no further (70%; 95% interval 60% to 78%)"
    )
    assert found[0].endswith("50 customers fell silent at cart.")
    assert found[1].startswith(
        "Of the touchpoints with a noted pain, cart loses most: 50 of 80 customers fell silent there (62%;"
    )
    assert found[1].endswith("the map notes: slow.")
    assert found[2].startswith(
        "30 of 100 customers who began the planned path (view > cart > buy) took it in order (30%;"
    )
    assert found[2].endswith("most of the others got no further than cart (50).")


def test_without_a_document_the_map_is_proposed_and_says_so():
    result = journey_map(log_of(MANY))
    assert result.findings[-1].text.startswith("Nobody has written this journey map yet")
    assert "wayfare documents DIR new journey_map" in result.findings[-1].text
    assert not any(row["activities"] for row in rows_of(result, "touchpoints"))
    assert result.chart() is not None
    written = journey_map(study_of(MANY)).findings
    assert not any("Nobody has written" in finding.text for finding in written)


def test_an_empty_log_still_shows_the_document():
    result = journey_map(study_of([]))
    assert result.findings[0].text == "Too few to say where customers leave: 0 customers at the widest stage."
    assert {row["customers"] for row in rows_of(result, "touchpoints")} == {0}
    drawing = result.chart().svg()
    assert "No events yet" in drawing
    assert "Pay once" in drawing
    assert journey_map(study_of([], JourneyMap())).chart() is None


def test_one_customer_is_too_few_to_say():
    result = journey_map(study_of(BY_HAND[:3]))
    assert result.findings[0].text.startswith("Too few to say where customers leave")
    assert (
        result.findings[-1].text
        == "Too few to say how many take the planned path (view > cart > buy): 1 began it."
    )
    assert png(result.chart()).startswith(b"\x89PNG")
    result.to_json()


EVENTS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 120), st.sampled_from([*PLACED])),
    min_size=1,
    max_size=40,
)


def histories(rows: list[tuple[str, float, str]]) -> dict[str, list[tuple[float, str]]]:
    found: dict[str, list[tuple[float, str]]] = {}
    for customer, day, event in rows:
        found.setdefault(customer, []).append((day, event))
    return {customer: sorted(history, key=lambda pair: pair[0]) for customer, history in found.items()}


@settings(max_examples=40, deadline=None)
@given(EVENTS)
def test_places_and_ways_agree_with_walking_customer_by_customer(rows):
    # No two events at one moment: who came first would be anybody's guess.
    rows = [(customer, day + n / 1000, event) for n, (customer, day, event) in enumerate(rows)]
    result = journey_map(in_blocks_of(study_of(rows), 2), patience="30d")
    ends, left, pending, waits = max(day for _, day, _ in rows), Counter(), Counter(), {}
    reached, lost, went, taken = Counter(), Counter(), Counter(), Counter()
    for history in histories(rows).values():
        silent = history[-1][0] <= ends - PATIENCE
        touched = staged(history)
        if touched:
            (left if silent else pending)[touched[-1][1:]] += 1
        for (day, *cell), (then, *_) in pairwise(touched):
            waits.setdefault(tuple(cell), []).append((then - day) * 86_400)
        walk([(day, event) for day, _, event in touched], silent, reached, lost, went, taken)
    for row in rows_of(result, "touchpoints"):
        cell = (row["stage"], row["event"])
        assert (row["left"], row["pending"]) == (left[cell], pending[cell])
        expected = pytest.approx(median(waits[cell]), rel=1 / 128) if cell in waits else None
        assert row["median_seconds"] == expected
    assert [(r["customers"], r["left"]) for r in rows_of(result, "steps", persona="")] == [
        (reached[k], lost[k]) for k in range(3)
    ]
    assert {
        (r["step"] - 1, r["actual_next"]): (r["customers"], r["came_back"])
        for r in rows_of(result, "deviation", persona="")
    } == went_pairs(went)
    planned, *actual = rows_of(result, "paths", persona="")
    assert (planned["customers"], planned["began"]) == (reached[2], reached[0])
    assert {r["path"]: r["customers"] for r in actual} == dict(
        sorted(taken.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    )


def in_blocks_of(study: Study, customers: int) -> Study:
    return replace(study, log=in_blocks(study.log, customers))


def staged(history: list[tuple[float, str]]) -> list[tuple[float, str, str]]:
    """The touchpoints of a history with the stage that each stands for: (day, stage, event)."""
    found, ordered = [], False
    for day, event in history:
        before, after = PLACED[event]
        stage = (after or before) if ordered else before
        if stage != "none":
            found.append((day, stage, event))
        ordered = ordered or event == "buy"
    return found


def walk(touched, silent, reached, lost, went, taken):
    """One customer's way through the route, counted."""
    events = [event for _, event in touched]
    if ROUTE[0] not in events:
        return
    at = start = events.index(ROUTE[0])
    reached[0] += 1
    for step in range(2):
        rest = events[at + 1 :]
        others = [event for event in rest if event != ROUTE[step]]
        # The next other touchpoint, repeats left out.
        then = next((e for e in rest if e != events[at]), "(left)" if silent else None)
        done = ROUTE[step + 1] in others
        if then is not None:
            went[step, then, done and then != ROUTE[step + 1]] += 1
        if not done:
            lost[step] += silent
            break
        at = at + 1 + rest.index(ROUTE[step + 1])
        reached[step + 1] += 1
    finished = events[at] == ROUTE[2]
    if finished or silent:
        path = list(dict.fromkeys(events[start : at + 1 if finished else None]))
        taken[" > ".join(path if finished else [*path, "(left)"])] += 1


def went_pairs(went: Counter) -> dict[tuple[int, str], tuple[int, int]]:
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for (step, then, back), n in went.items():
        all_, came = found.get((step, then), (0, 0))
        found[step, then] = (all_ + n, came + n * back)
    return found


def test_who_left_at_a_stage_is_who_fell_silent_at_its_touchpoints_where_nobody_goes_back():
    result = journey_map(study_of(MANY))
    by_stage = Counter()
    for row in rows_of(result, "touchpoints"):
        by_stage[row["stage"]] += row["left"]
    for row in rows_of(result, "stages"):
        if row["stage"] != "purchase":  # the last stage of this log: nobody leaves it
            assert row["left"] == by_stage[row["stage"]]


def test_what_people_wrote_is_never_markup():
    evil = "<script>alert(1)</script>&\"'"
    touchpoint = Touchpoint(event=evil, stage="awareness", channel=evil, frontstage=evil, backstage=evil, expectation=evil,
                            pain_points=(evil,), opportunities=(evil,), owner=evil)  # fmt: skip
    journey = JourneyMap(
        orders=(evil,),
        touchpoints=(touchpoint,),
        main_route=(evil,),
        stages=(StageNotes(stage="awareness", goal=evil),),
    )
    rows = [(f"c{n}", 0, evil) for n in range(12)] + [("z", 60, evil)]
    picture = journey_map(study_of(rows, journey)).chart()
    for drawing in (picture.svg(), picture.narrow(), picture.html()):
        assert "<script" not in drawing
        assert "&lt;script&gt;" in drawing
