"""Opportunities on the canvas: whose money is whose, that none counts twice, and which strategies fit."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.canvas._opportunity_friction import friction_of, mood_of
from wayfare.analyses.canvas._opportunity_people import Standing, people_of
from wayfare.analyses.canvas._opportunity_ways import ways_of
from wayfare.analyses.canvas._strategies import ABOUT, ACTIONS
from wayfare.analyses.canvas.canvas_opportunities import CanvasOpportunitiesResult, canvas_opportunities
from wayfare.analyses.repurchase._effects import priors
from wayfare.demo import SCHEMA, Company, journey, records
from wayfare.domain.canvas import Canvas
from wayfare.domain.journey import JourneyMap
from wayfare.domain.strategies import FINDINGS, STRATEGIES, fitting
from wayfare.histories.answers import ANY_KIND
from wayfare.study import Study

MISSION = {
    "retention programmes", "loyalty programmes and rewards", "exclusive offers", "exceptional post-sale support",
    "proactive issue handling", "recommendations from purchase history", "personalised follow-up", "cross-selling", "up-selling",
    "loyalty discounts", "bulk-purchase incentives", "gamification", "social proof", "targeted campaigns", "referral incentives",
}  # fmt: skip


def touches(**events: float) -> dict[str, Any]:
    return {"touchpoints": [{"event": event, "weight": weight} for event, weight in events.items()]}


CANVAS = Canvas.model_validate({
    "name": "canvas",
    "customer_segments": [
        {"id": "friends", "text": "Friends of customers", "bindings": {"segment": ["did:referral_visit"]}},
        {"id": "web", "text": "Who look online", "bindings": {"segment": ["did:product_view"]}},
        {"id": "hotels", "text": "Hotels"},
    ],
    "value_propositions": [
        {"id": "fresh", "text": "Fresh beans", "bindings": touches(delivery=2, purchase=1)},
        {"id": "recipes", "text": "Recipes", "segment": "friends"},
    ],
    "channels": [
        {"id": "shop", "text": "The web shop", "bindings": touches(cart=1, checkout=1, payment=1)},
        {"id": "fair", "text": "The fair", "bindings": touches(fair_visit=1)},
    ],
    "revenue_streams": [{"id": "sales", "text": "Sales", "kind": "sales", "bindings": touches(purchase=3)}],
    "key_resources": [
        {"id": "roaster", "text": "Roaster", "kind": "physical", "bindings": {"revenue_stream": "sales"}}
    ],
    "key_activities": [{"id": "fulfil", "text": "Fulfilment", "bindings": touches(delivery=1)}],
    "cost_structure": [
        {"id": "carrier", "text": "Carriers", "kind": "variable", "bindings": touches(delivery=1)}
    ],
})  # fmt: skip
SHARES = {
    # The delivery has 2 + 1 + 1, the purchase 1 + 3 and 3 of the roaster, which earns the sales.
    "fresh": {"delivery": 2 / 4, "purchase": 1 / 7}, "sales": {"purchase": 3 / 7}, "roaster": {"purchase": 3 / 7},
    "fulfil": {"delivery": 1 / 4}, "carrier": {"delivery": 1 / 4}, "shop": {"cart": 1, "checkout": 1, "payment": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return pa.Table.from_batches(list(records(Company(customers=1_200, seed=5))), schema=SCHEMA)


def study_of(table: pa.Table, *canvases: Canvas) -> Study:
    columns = {name: name for name in table.column_names if name not in ("customer", "time", "event")}
    log = wf.read_events(table, customer="customer", time="time", event="event", **columns)
    return Study(log, JourneyMap(**journey()), documents={canvas.name: canvas for canvas in canvases})


@pytest.fixture(scope="module")
def company(table) -> Study:
    return study_of(table, CANVAS)


@pytest.fixture(scope="module")
def found(company) -> CanvasOpportunitiesResult:
    return company.result(canvas_opportunities)


@pytest.fixture(scope="module")
def rows(found) -> dict[str, dict[str, Any]]:
    return {row["item"]: row for row in found.opportunities.to_pylist()}


@pytest.fixture(scope="module")
def at_stake(company, table) -> tuple[dict[str, float], dict[str, float]]:
    """By customer and by touchpoint, customer by customer in plain Python: what late customers are still expected to bring."""
    late = {r["customer"]: r["late"] for r in company.result(wf.repurchase_points).due.to_pylist()}
    worth = {r["customer"]: r["lifetime_value"] for r in company.result(wf.forecast).customers.to_pylist()}
    frame = table.select(["customer", "time", "event"]).to_pandas().sort_values("time", kind="stable")
    by_customer, by_event = {}, defaultdict(float)
    for customer, history in frame.groupby("customer", observed=True):
        if not late.get(customer):
            continue
        events = history["event"].tolist()
        last = max(i for i, event in enumerate(events) if event == "purchase")
        met = set(events[last + 1 :]) or {"purchase"}
        by_customer[customer] = worth[customer]
        for event in met:
            by_event[event] += worth[customer] / len(met)
    return by_customer, by_event


@pytest.fixture(scope="module")
def lost(company) -> dict[str, float]:
    """By touchpoint: each stage's price, shared as the last events of those who left there."""
    told = company.result(wf.dropoff)
    price = {
        row["stage"]: max(row["price"], 0.0)
        for row in told.stages.to_pylist()
        if row["price"] == row["price"]
    }
    found: dict[str, float] = defaultdict(float)
    for row in told.instead.to_pylist():
        found[row["event"]] += price.get(row["stage"], 0.0) * row["share"]
    for row in company.result(wf.touchpoints).touchpoints.to_pylist():
        if (
            row["kind"] == "pain point"
            and row["money"] < 0
            and min(row["p_lift"], row["p_repurchase"]) < 0.05
        ):
            found[row["touchpoint"]] = max(found[row["touchpoint"]], -row["money"])
    return found


def test_an_items_part_is_its_weight_over_all_weights(company):
    ways = ways_of(CANVAS, company.log)
    names = company.log.names("event")
    got = {
        item: {names[code]: share for code, share in way.shares.items()}
        for item, way in ways.of.items()
        if way.shares
    }
    assert got == {item: pytest.approx(shares) for item, shares in SHARES.items()}


@pytest.mark.parametrize("item", SHARES)
def test_the_money_of_an_item_is_its_part_of_its_touchpoints(item, rows, at_stake, lost):
    shares = SHARES[item]
    assert rows[item]["value_at_stake"] == pytest.approx(sum(s * at_stake[1][e] for e, s in shares.items()))
    assert rows[item]["friction_loss"] == pytest.approx(sum(s * lost[e] for e, s in shares.items()))
    assert rows[item]["value_low"] <= rows[item]["value_at_stake"] <= rows[item]["value_high"]
    assert rows[item]["friction_low"] <= rows[item]["friction_loss"] <= rows[item]["friction_high"]


def test_nothing_counts_twice(rows, at_stake, lost):
    for money, total in (("value_at_stake", at_stake[1]), ("friction_loss", lost)):
        bound = {event for shares in SHARES.values() for event in shares}
        assert sum(rows[item][money] for item in SHARES) == pytest.approx(
            sum(total[event] for event in bound)
        )
    assert sum(at_stake[1].values()) == pytest.approx(sum(at_stake[0].values()))


def test_a_segment_has_the_money_of_its_customers(rows, at_stake, table):
    frame = table.select(["customer", "event"]).to_pandas()
    friends = set(frame.loc[frame["event"] == "referral_visit", "customer"])
    expected = sum(value for customer, value in at_stake[0].items() if customer in friends)
    assert rows["friends"]["value_at_stake"] == pytest.approx(expected)
    assert rows["recipes"]["value_at_stake"] == pytest.approx(expected)
    assert rows["recipes"]["note"].startswith("through the segment friends")


def test_on_a_block_a_customers_money_counts_once(found, rows, at_stake, table):
    blocks = {row["block"]: row for row in found.blocks.to_pylist()}
    frame = table.select(["customer", "event"]).to_pandas()
    either = set(frame.loc[frame["event"].isin(["referral_visit", "product_view"]), "customer"])
    expected = sum(value for customer, value in at_stake[0].items() if customer in either)
    segments = blocks["customer_segments"]
    assert segments["value_at_stake"] == pytest.approx(expected, rel=1e-5)
    assert segments["value_at_stake"] < rows["friends"]["value_at_stake"] + rows["web"]["value_at_stake"]
    assert segments["share"] == pytest.approx(expected / sum(at_stake[0].values()), rel=1e-5)
    assert blocks["channels"]["friction_loss"] == pytest.approx(rows["shop"]["friction_loss"], rel=1e-5)
    assert segments["customers"] <= rows["friends"]["customers"] + rows["web"]["customers"]
    assert blocks["channels"]["customers"] == rows["shop"]["customers"]
    assert [row["items"] for row in blocks.values()] == [3, 2, 2, 0, 1, 1, 1, 0, 1]


def test_what_cannot_be_said_is_null_with_a_note(rows):
    assert (rows["hotels"]["rank"], rows["hotels"]["value_at_stake"], rows["hotels"]["note"]) == (
        None, None, "bound to nothing in the log",
    )  # fmt: skip
    assert rows["fair"]["value_at_stake"] is None
    assert rows["fair"]["note"] == "the log has no fair_visit"
    assert rows["roaster"]["note"] == "through the revenue stream sales"


def test_most_money_comes_first(found):
    told = [row for row in found.opportunities.to_pylist() if row["rank"] is not None]
    money = [max(row["value_at_stake"], row["friction_loss"]) for row in told]
    assert [row["rank"] for row in told] == list(range(1, len(told) + 1))
    assert money == sorted(money, reverse=True)


def test_strategies_answer_what_was_found(found, rows):
    told = {row["strategy"]: row for row in found.strategies.to_pylist()}
    answers = {strategy.name: set(strategy.answers) for strategy in STRATEGIES}
    for name, row in told.items():
        assert set(row["fits"].split(", ")) <= answers[name]
        assert 0 < row["items"] <= len(rows)
    money = [row["value_at_stake"] for row in told.values()]
    assert money == sorted(money, reverse=True)
    named = {name for row in rows.values() for name in row["strategies"].split(", ") if name}
    assert named <= set(told)
    assert "customers who left at the first purchase" in rows["shop"]["main_reason"]
    assert "social proof" in rows["shop"]["strategies"]


def test_a_strategy_counts_a_customers_money_once(found, at_stake):
    # Both segments and the items of their touchpoints reach the same late customers.
    told = {row["strategy"]: row for row in found.strategies.to_pylist()}
    assert told["retention programmes"]["value_at_stake"] <= sum(at_stake[0].values()) * (1 + 1e-5)


def test_it_says_so_in_sentences_and_draws_it(found):
    assert found.findings[0].money == max(finding.money or 0 for finding in found.findings[:2])
    assert any("item" in finding.text for finding in found.findings)
    picture = found.chart()
    assert picture is not None
    assert "Channels" in picture.svg()
    assert json.loads(found.to_json())["tables"]["blocks"][0]["block"] == "customer_segments"


def test_where_blocks_are_cut_and_how_rows_are_ordered_does_not_matter(table):
    small = table.slice(0, 8_000)
    whole = study_of(small, CANVAS)
    cut = Study(in_blocks(whole.log, 13), whole.journey, documents=whole.documents)
    shuffled = study_of(small.take(pa.array(np.random.default_rng(1).permutation(len(small)))), CANVAS)
    expected = canvas_opportunities(whole).to_pandas()
    for other in (cut, shuffled):
        pd.testing.assert_frame_equal(canvas_opportunities(other).to_pandas(), expected, rtol=1e-6)


def test_with_a_segment_of_its_own_a_touchpoint_counts_for_its_customers_only(table, at_stake):
    frame = table.select(["customer", "event"]).to_pandas()
    friends = set(frame.loc[frame["event"] == "referral_visit", "customer"])
    bound = {**touches(delivery=1), "segment": ["did:referral_visit"]}
    canvas = Canvas.model_validate(
        {"name": "canvas", "value_propositions": [{"id": "gift", "text": "A gift", "bindings": bound}]}
    )
    row = canvas_opportunities(study_of(table, canvas)).opportunities.to_pylist()[0]
    assert 0 < row["value_at_stake"] < sum(v for c, v in at_stake[0].items() if c in friends)
    assert row["customers"] <= len(friends)


def test_of_items_with_segments_each_customers_money_goes_to_those_that_are_for_the_customer(
    table, at_stake, lost
):
    """Two halves of the customers and an item for all: at the delivery the halves share 3 : 1 with it, and nothing is left."""
    one, other = {"segment": ["did:referral_visit"]}, {"segment": ["never:referral_visit"]}
    canvas = Canvas.model_validate({"name": "canvas", "value_propositions": [
        {"id": "friends", "text": "Friends", "bindings": {**touches(delivery=3), **one}},
        {"id": "others", "text": "Others", "bindings": {**touches(delivery=3), **other}},
        {"id": "all", "text": "All", "bindings": touches(delivery=1)},
    ]})  # fmt: skip
    rows = {
        row["item"]: row for row in canvas_opportunities(study_of(table, canvas)).opportunities.to_pylist()
    }
    assert sum(row["value_at_stake"] for row in rows.values()) == pytest.approx(at_stake[1]["delivery"])
    assert sum(row["friction_loss"] for row in rows.values()) == pytest.approx(lost["delivery"])
    assert rows["all"]["value_at_stake"] == pytest.approx(at_stake[1]["delivery"] / 4)


@pytest.mark.parametrize(
    ("bound", "note"),
    [
        ({"segment": ["colour=red"]}, "The log has no column 'colour'"),
        ({**touches(delivery=1), "segment": ["colour=red"]}, "The log has no column 'colour'"),
    ],
)
def test_a_segment_that_cannot_be_judged_is_named(table, bound, note):
    canvas = Canvas.model_validate(
        {"name": "canvas", "value_propositions": [{"id": "a", "text": "A", "bindings": bound}]}
    )
    row = canvas_opportunities(study_of(table.slice(0, 500), canvas)).opportunities.to_pylist()[0]
    assert (row["value_at_stake"], row["rank"]) == (None, None)
    assert note in row["note"]


EVENTS = ["product_view", "purchase", "delivery", "support"]
HISTORIES = {
    "a": ["product_view", "purchase", "delivery", "support", "delivery"],  # ordered, two touchpoints since
    "b": ["product_view", "purchase"],  # nothing since: the order itself
    "c": ["product_view", "product_view"],  # never ordered
    "d": ["purchase", "delivery", "purchase", "support"],  # since the last order only
}


def small() -> Study:
    rows = [
        {"customer": customer, "time": pd.Timestamp("2024-01-01") + pd.Timedelta(days=day), "event": event}
        for customer, events in HISTORIES.items()
        for day, event in enumerate(events)
    ]
    log = wf.read_events(pd.DataFrame(rows), customer="customer", time="time", event="event")
    stages = {
        "product_view": "consideration",
        "purchase": "purchase",
        "delivery": "post_purchase",
        "support": "post_purchase",
    }
    return Study(
        log, JourneyMap(touchpoints=[{"event": event, "stage": stage} for event, stage in stages.items()])
    )


def test_who_met_what_since_the_last_order_and_who_left():
    study = small()
    kind = ANY_KIND
    # b and c were last seen on the second day; a day of patience before the fourth makes them gone.
    fold = Standing(study.stages, study.log.ends - 2 * 86_400_000_000, (), kind)
    due = pa.table({"customer": ["a", "b", "d"], "late": [True, True, False]})
    forecast = pa.table({
        "customer": ["a", "b", "d"], "lifetime_value": [90.0, 40.0, 7.0], "lifetime_value_low": [0.0, 40.0, 7.0],
        "lifetime_value_high": [2.5631, 40.0, 7.0],
    })  # fmt: skip
    people = people_of(study, study.fold(fold), 3, forecast, due, None)
    names = study.log.names("event")
    met = {event: sorted(people.who_met(names.code(event)).tolist()) for event in EVENTS}
    assert met == {"product_view": [], "purchase": [1], "delivery": [0], "support": [0, 3]}
    assert people.value.tolist() == [90, 40, 0, 0]
    assert people.spread.tolist() == pytest.approx([1, 0, 0, 0])
    assert people.left.tolist() == [False, True, True, False]
    assert people.parts.tolist() == [2, 1, 0, 1]


def test_a_pain_point_counts_where_it_costs_more_than_who_left_there():
    study = small()
    people = people_of(
        study, study.fold(Standing(study.stages, study.log.ends - 2 * 86_400_000_000, (), ANY_KIND)), 3, None, None, None
    )  # fmt: skip
    stages = pa.table(
        {"stage": ["purchase"], "left": [1], "price": [30.0], "price_low": [-10.0], "price_high": [70.0]}
    )
    pains = {"kind": "pain point", "p_lift": None, "p_repurchase": 0.01, "lift": None, "lift_low": None, "lift_high": None,
             "repurchase_lift": -0.1, "repurchase_low": -0.15, "repurchase_high": -0.05, "matched": 0, "repurchase_matched": 100,
             "gained": -10.0, "money": -200.0}  # fmt: skip
    touchpoints = pa.Table.from_pylist(
        [{"touchpoint": "purchase", **pains}, {"touchpoint": "support", **pains, "money": -8.0}]
    )
    events = study.log.names("event").to_list()
    friction = friction_of(people, stages, touchpoints, events)
    at = {event: events.index(event) for event in EVENTS}
    # b left at the purchase: 30 (0 to 70, as nobody loses less than nothing). The pain is 10 orders at 20: 200 (100 to 300).
    assert friction.unit[:, 2].tolist() == [30, 0, 70]
    assert friction.pain[:, at["purchase"]].tolist() == pytest.approx([200, 100, 300])
    assert friction.more[:, at["purchase"]].tolist() == pytest.approx([170, 100, 230])
    assert friction.more[:, at["support"]].tolist() == pytest.approx([8, 4, 12])
    assert friction.leaks([2])[at["purchase"]] == 30


def test_the_satisfaction_gap_is_weighted_by_scores():
    point = {"strand": "scores", "low": 0.0, "customers": 50}
    touchpoints = pa.Table.from_pylist([
        {**point, "touchpoint": "delivery", "value": 0.2, "n": 100, "high": 0.3},
        {**point, "touchpoint": "support", "value": 0.6, "n": 300, "high": 0.7},
        {**point, "touchpoint": "cart", "value": -0.9, "n": 2, "customers": 2, "high": None},
        {**point, "touchpoint": "support", "strand": "friction", "value": -0.4, "n": 10, "high": 0.0},
    ])  # fmt: skip
    scales = pa.table({"kind": ["csat"], "worst": [1.0], "best": [5.0], "n": [400]})
    mood = mood_of(touchpoints, scales, "csat", ["delivery", "support", "cart"])
    mean = (0.2 * 100 + 0.6 * 300 - 0.9 * 2) / 402
    assert mood.mean == pytest.approx(mean)
    assert mood.half == 2
    gap, scores, low = mood.of_touchpoints({0: 0.5, 1: 0.25, 2: 1.0})
    assert gap == pytest.approx(mean - (50 * 0.2 + 75 * 0.6) / 125)
    assert (scores, low) == (125, [0])
    assert np.isnan(mood.of_touchpoints({2: 1.0})[0])


def test_every_strategy_of_the_mission_is_there_and_every_finding_is_answered():
    assert {strategy.name for strategy in STRATEGIES} == MISSION
    assert set(ABOUT) == set(FINDINGS) == {name for strategy in STRATEGIES for name in strategy.answers}
    assert set(ACTIONS.values()) <= set(priors())
    assert [strategy.name for strategy in fitting(("bundle",))] == ["bulk-purchase incentives"]


def test_no_canvas_an_empty_one_and_an_empty_log(table):
    none = canvas_opportunities(study_of(table.slice(0, 100)))
    assert none.opportunities.num_rows == 0
    assert "wayfare documents DIR new canvas" in none.findings[0].text
    bare = canvas_opportunities(study_of(table.slice(0, 100), Canvas(name="canvas")))
    assert "no items yet" in bare.findings[0].text
    empty = canvas_opportunities(study_of(table.slice(0, 0), CANVAS))
    assert empty.opportunities.num_rows == 11
    assert set(empty.opportunities["value_at_stake"].to_pylist()) == {None}
    assert "Nothing can be said yet" in empty.findings[0].text
    assert none.chart() is bare.chart() is empty.chart() is None


def test_a_log_without_values_has_findings_without_money(table):
    plain = table.select(["customer", "time", "event"])
    found = canvas_opportunities(study_of(plain, CANVAS))
    assert set(found.opportunities["value_at_stake"].to_pylist()) == {None}
    reasons = [row["main_reason"] for row in found.opportunities.to_pylist() if row["item"] == "fulfil"]
    assert "late" in reasons[0]
    found.to_json()
