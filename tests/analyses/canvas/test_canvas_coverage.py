"""Coverage by hand: which touchpoint shows where, and every kind of gap."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analyses.canvas.canvases import canvas_of, item, log_of, rows_of, shop, study_of
from tests.analyses.cuts import in_blocks
from wayfare.analyses.canvas._evidence_words import NO_CANVAS
from wayfare.analyses.canvas.canvas_coverage import canvas_coverage
from wayfare.domain.canvas import BLOCKS
from wayfare.domain.journey import JourneyMap, Touchpoint
from wayfare.log import empty_log
from wayfare.study import Study

LOG = log_of(
    rows_of(
        a="0 ad_click, 1 product_view, 2 purchase, 9 refund",
        b="0 product_view, 1 product_view, 5 purchase",
        c="3 ad_click",
        d="4 product_view, 5 refund",
    )
)
JOURNEY = JourneyMap(
    touchpoints=(
        Touchpoint(event="ad_click", stage="awareness"),
        Touchpoint(event="product_view", stage="consideration"),
        Touchpoint(event="purchase", stage="purchase"),
        Touchpoint(event="call", stage="post_purchase"),
    )
)
CANVAS = canvas_of(
    item("range", touches=["product_view", "purchase"], importance=3),
    item("price", touches=["purchase"], importance=4),
    item("dream", importance=5, text="Everybody loves us"),
    segments={"buyers": ["did:purchase"]},
    channels=[
        {
            "id": "ads",
            "text": "Ads",
            "bindings": {"touchpoints": [{"event": "ad_click"}, {"event": "ad_clik"}]},
        }
    ],
    cost_structure=[{"id": "rent", "text": "Rent", "kind": "fixed"}],
)


@pytest.fixture(scope="module")
def found() -> Any:
    return study_of(LOG, CANVAS, journey=JOURNEY).result(canvas_coverage)


def test_every_touchpoint_of_journey_and_log_stands_on_its_blocks(found):
    assert [tuple(row.values()) for row in found.touchpoints.to_pylist()] == [
        ("ad_click", "awareness", "channels", "ads", 2, ""),
        ("product_view", "consideration", "value_propositions", "range", 3, ""),
        ("purchase", "purchase", "value_propositions", "range, price", 2, ""),
        ("call", "post_purchase", "", "", 0, "on no block; not in the log"),
        ("refund", "none", "", "", 2, "on no block; not on the journey map"),
    ]


def test_blocks_have_their_items_touchpoints_and_evidence(found):
    rows = {row["block"]: tuple(row.values())[1:] for row in found.blocks.to_pylist()}
    assert list(rows) == list(BLOCKS)
    assert rows["customer_segments"] == (1, 0, 1, None)
    assert rows["value_propositions"] == (3, 2, 2, 5)
    assert rows["channels"] == (1, 2, 1, None)
    assert rows["cost_structure"] == (1, 0, 0, None)
    assert rows["key_resources"] == (0, 0, 0, None)


def test_gaps_of_every_kind(found):
    gaps = [tuple(row.values()) for row in found.gaps.to_pylist()]
    assert gaps[0] == (
        "block_without_touchpoints", "customer_segments", "no touchpoint is bound to the one item of customer segments",
    )  # fmt: skip
    assert [gap[1] for gap in gaps if gap[0] == "block_without_touchpoints"] == [
        b for b in BLOCKS if b not in ("value_propositions", "channels")
    ]
    assert gaps[7:] == [
        ("touchpoint_on_no_block", "refund", "2 customers met it"),
        ("touchpoint_on_no_block", "call", "nobody in the log met it"),
        ("item_without_evidence", "dream", "“Everybody loves us” in value propositions"),
        ("item_without_evidence", "rent", "“Rent” in cost structure"),
        ("unknown_event", "ads", "the log has no event 'ad_clik' (is 'ad_click' meant?)"),
    ]


def test_findings_say_what_is_missing(found):
    assert [finding.text for finding in found.findings] == [
        "2 of 5 touchpoints show in no block of the canvas; the most met of them is refund (2 customers).",
        (
            "7 of 9 blocks have no touchpoint: customer segments, customer relationships, revenue streams, key resources, "
            "key activities, key partnerships and cost structure."
        ),
        "2 of 6 items have nothing bound to them, the most important of them “Everybody loves us”.",
        "One binding names an event that the log does not have: in 'ads', the log has no event 'ad_clik' (is 'ad_click' meant?).",
    ]
    assert found.findings[0].customers == 2


def test_places_count_the_items(found):
    assert [tuple(row.values()) for row in found.places.to_pylist()] == [
        ("ad_click", "channels", 1), ("ad_clik", "channels", 1),
        ("product_view", "value_propositions", 1), ("purchase", "value_propositions", 2),
    ]  # fmt: skip


def test_the_picture_names_touchpoints_and_blocks(found):
    svg = found.chart().svg()
    for word in ("refund", "propositions", "Consideration", "not in the log"):
        assert word in svg


def test_customers_are_those_of_the_filtered_log():
    study = study_of(LOG.where("did:purchase"), CANVAS, journey=JOURNEY)
    met = {row["event"]: row["customers"] for row in study.result(canvas_coverage).touchpoints.to_pylist()}
    assert (met["product_view"], met["ad_click"]) == (2, 1)


def test_without_a_canvas_it_says_how_to_start_one():
    result = Study(LOG).result(canvas_coverage)
    assert [table.num_rows for table in result.tables.values()] == [0] * 4
    assert [finding.text for finding in result.findings] == [NO_CANVAS]
    assert result.chart() is None


def test_an_empty_canvas_and_an_empty_log():
    bare = study_of(LOG, canvas_of(), journey=JOURNEY).result(canvas_coverage)
    assert bare.findings[0].text.startswith("The canvas 'canvas' has no items yet")
    assert bare.chart() is None
    nothing = study_of(empty_log(), CANVAS, journey=JourneyMap()).result(canvas_coverage)
    assert nothing.touchpoints.num_rows == 0
    assert nothing.findings[0].text == "Neither the journey map nor the log has a touchpoint yet."


def test_touchpoints_that_nobody_met():
    found = study_of(empty_log(), CANVAS, journey=JOURNEY).result(canvas_coverage)
    assert found.findings[0].text == "1 of 4 touchpoints shows in no block of the canvas."
    assert {row["note"] for row in found.touchpoints.to_pylist()} == {
        "not in the log",
        "on no block; not in the log",
    }


def test_a_canvas_on_which_everything_shows():
    canvas = canvas_of(item("all", touches=["ad_click", "product_view", "purchase", "refund", "call"]))
    found = study_of(LOG, canvas, journey=JOURNEY).result(canvas_coverage)
    assert found.findings[0].text == "All 5 touchpoints show on the canvas."


def test_where_blocks_are_cut_changes_nothing():
    log = log_of(shop(60))
    once, often = (
        study_of(part, CANVAS).result(canvas_coverage).to_dict() for part in (log, in_blocks(log, 3))
    )
    assert once["tables"] == often["tables"]


def test_more_touchpoints_than_fit_are_drawn_by_those_met_most():
    rows = [{"customer": f"c{n}", "day": n, "event": f"event_{n % 60:02d}"} for n in range(600)]
    rows += [{"customer": f"d{n}", "day": n, "event": "purchase"} for n in range(20)]
    found = study_of(log_of(rows), CANVAS).result(canvas_coverage)
    svg = found.chart().svg()
    assert "The 36 most met of 61 touchpoints" in svg
    drawn = [
        name for name in {row["event"] for row in found.touchpoints.to_pylist()} if f">{name}</text>" in svg
    ]
    assert len(drawn) == 36
