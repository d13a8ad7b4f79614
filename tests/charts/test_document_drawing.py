"""Documents of every kind as pictures; what analyses found, in the words that are drawn."""

from __future__ import annotations

import math

from tests.charts import strategy_documents as documents
from tests.charts.strategy_documents import item
from wayfare.charts.document_drawing import DRAWN, Facts, costs_in, evidence_in, picture_of
from wayfare.charts.document_markdown import WRITTEN
from wayfare.domain.canvas import Canvas
from wayfare.domain.journey import JourneyMap
from wayfare.workspace.document_text import KINDS


def bound(**bindings) -> Canvas:
    return Canvas.model_validate(
        {"name": "c", "channels": [item("web", "The web shop", bindings=bindings)], "document": "canvas"}
    )


def row(**said) -> dict:
    return {"item": "web", "verdict": "holds", "value": 0.336, "low": 0.31, "high": 0.365, "n": 1240, **said}


def test_every_kind_of_document_is_drawn_and_written():
    assert set(DRAWN) == set(WRITTEN) == set(KINDS)
    facts = Facts(documents.EVIDENCE, currency="EUR", note="Revision 3")
    assert "Revision 3" in picture_of(documents.roaster(), facts).svg()
    journey = JourneyMap.model_validate(
        {"document": "journey_map", "touchpoints": [{"event": "cart", "stage": "purchase"}]}
    )
    assert "journey: journey map, 1 touchpoint" in picture_of(journey, facts).svg()
    assert picture_of(JourneyMap()).svg().startswith("<svg")
    chain = picture_of(documents.chain(), Facts(costs=documents.COSTS))
    assert "EUR 88,100" in chain.svg()


def test_a_verdict_comes_with_value_interval_n_and_rule():
    rate = bound(metric={"measure": "repurchase_rate", "within": "90d", "at_least": "30%"})
    said = "Re-purchase rate in 90d 33.6% (31% to 36.5%), n = 1,240; at least 30% wanted"
    assert evidence_in(rate, [row()]) == {"web": ("holds", said)}
    money = bound(metric={"measure": "average_order_value", "at_least": 25, "at_most": 40})
    found = evidence_in(money, [row(verdict="too_few", value=None, low=None, high=None, n=3)], "EUR")
    assert found == {
        "web": ("too_few", "Average order value, n = 3; at least EUR 25 and at most EUR 40 wanted")
    }


def test_without_a_pass_rule_customers_are_counted():
    met = bound(touchpoints=[{"event": "view"}])
    assert evidence_in(met, [row(verdict=None, value=812.0)]) == {"web": ("", "Met by 812 customers")}
    known = bound(segment=["did:view"])
    assert evidence_in(known, [row(verdict=None, value=1.0)]) == {"web": ("", "1 customer")}
    assert evidence_in(met, [row(verdict=None, value=None)]) == {}


def test_costs_are_shares_of_those_of_the_uppermost_activities():
    rows = [
        {"activity": "a", "cost": 750.0, "part_of": None, "used_share": 0.81},
        {"activity": "part", "cost": 500.0, "part_of": "a", "used_share": None},
        {"activity": "b", "cost": 248.0, "part_of": None, "used_share": 1.2},
        {"activity": "c", "cost": 2.0, "part_of": None, "used_share": math.nan},
        {"activity": "free", "cost": 0.0, "part_of": None, "used_share": None},
    ]
    assert costs_in(rows, "EUR") == {
        "a": ("EUR 750", "75% of all, 81% of its time used"),
        "part": ("EUR 500", "50% of all"),
        "b": ("EUR 248", "25% of all, overloaded: 120% of its time needed"),
        "c": ("EUR 2", "under 1% of all"),
    }
