from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

from tests.analyses.cuts import in_blocks
from tests.analyses.value_chain.chains import (
    activity,
    amounts,
    chain,
    log_of,
    row_of,
    serves,
    study_of,
    timed,
)
from wayfare.analyses.journey.touchpoints import touchpoints
from wayfare.analyses.value_chain._matrix_classes import RULES, classes_of
from wayfare.analyses.value_chain._matrix_facts import Effect, Facts, plain
from wayfare.analyses.value_chain._matrix_savings import savings_of
from wayfare.analyses.value_chain.value_matrix import ValueMatrixResult, value_matrix
from wayfare.domain.journey import JourneyMap
from wayfare.domain.value_chain import Activity
from wayfare.log import Log
from wayfare.study import Study

START = datetime(2024, 1, 1)
DAYS = 250
YEAR = 365 / DAYS
JOURNEY = JourneyMap.model_validate(
    {
        "touchpoints": [
            {"event": "visit", "stage": "awareness"},
            {"event": "purchase", "stage": "purchase"},
            {"event": "delivery", "stage": "post_purchase"},
            {"event": "guide_read", "stage": "consideration", "after_purchase": "repurchase"},
            {"event": "call", "stage": "post_purchase"},
            {"event": "answer", "stage": "post_purchase"},
        ]
    }
)


def matrix(study: Study, **params: Any) -> ValueMatrixResult:
    result = value_matrix(study, **params)
    assert isinstance(result, ValueMatrixResult)
    return result


@cache
def deliveries() -> Log:
    """400 customers who order 50 on one day; half wait six days and 30% of these order 50 again, half wait one and 70% do.

    All call, and every other pair of each kind is answered late, which changes nothing.
    """
    rows: list[tuple[Any, ...]] = []
    for n in range(400):
        who, slow, late = f"c{n:03d}", n % 2 == 1, n // 2 % 2 == 1
        again = (n // 4) % 10 < (3 if slow else 7)

        def at(days: float) -> datetime:
            return START + timedelta(days=days)

        rows.append((who, at(0.5), "visit", None))
        rows.append((who, at(1), "purchase", 50.0))
        rows.append((who, at(7 if slow else 2), "delivery", None))
        rows.append((who, at(8), "call", None))
        rows.append((who, at(9 if late else 8.02), "answer", None))
        rows += [(who, at(40), "purchase", 50.0)] if again else []
    rows.append(("c000", START + timedelta(days=DAYS - 1), "visit", None))
    rows.append(("zz", START, "visit", None))
    return log_of(rows)


def performance(measure: str, start: str, end: str, at_most: float) -> dict[str, Any]:
    return {"measure": measure, "start": start, "end": end, "at_most": at_most, "within": "30d"}


def paid(amount: float) -> dict[str, Any]:
    """`amount` over the log's days."""
    last = START + timedelta(days=DAYS - 1)
    return amounts((START.date().isoformat(), last.date().isoformat(), amount))


def shop(**more: Any) -> Study:
    made = chain(
        outbound_logistics=[
            activity(
                "deliver",
                cost=timed(1_000, rate=1.0, minutes=5),
                serves=[serves("delivery")],
                performance=performance("lead_time", "purchase", "delivery", 48),
            )
        ],
        service=[
            activity("phone", cost=paid(100.0), serves=[serves("call")]),
            activity("chat", cost=paid(50_000.0), serves=[serves("call")], performance=performance("waiting", "call", "answer", 2)),
            activity("desk", cost=timed(1_000, rate=1.0), serves=[serves("answer", 20)]),
        ],
        marketing_and_sales=[activity("ads", cost=timed(31, rate=2.0), serves=[serves("visit", 4)])],
        infrastructure=[activity("rooms", activity("heat", cost=paid(70.0)))],
    )  # fmt: skip
    return study_of(deliveries(), made, journey=JOURNEY, **more)


@cache
def found() -> ValueMatrixResult:
    return matrix(shop())


# By hand


def test_value_is_what_customers_served_well_order_more():
    """200 customers whose parcel came in time order 50 again with 70% instead of 30%: 200 × 0.4 × 50 = 4,000 in 250 days; as much
    is to gain with the 200 others."""
    row = row_of(found().matrix, activity="deliver")
    assert row["basis"] == "effect"
    assert row["value"] == pytest.approx(4_000 * YEAR, rel=1e-6)
    assert row["to_gain"] == pytest.approx(4_000 * YEAR, rel=1e-6)
    assert row["value_low"] < row["value"] < row["value_high"]
    assert (row["customers"], row["compared"]) == (400, 400)
    assert row["value_per_cost"] == pytest.approx(row["value"] / row["cost"])


def test_the_interval_is_that_of_two_shares():
    """0.4 ± 1.96 √(0.7·0.3/200 + 0.3·0.7/200), here pooled within one stratum, times 200 customers of 50."""
    row = row_of(found().matrix, activity="deliver")
    half = 1.96 * (2 * 0.21 / 200) ** 0.5 * 200 * 50 * YEAR
    assert row["value_high"] - row["value"] == pytest.approx(half, rel=0.02)
    assert row["value"] - row["value_low"] == pytest.approx(half, rel=0.02)


def test_costs_are_a_years_and_add_up():
    rows = {row["activity"]: row for row in found().matrix.to_pylist()}
    assert rows["chat"]["cost"] == pytest.approx(50_000 * YEAR)
    assert "rooms" not in rows, "only a heading"
    assert rows["heat"]["cost"] == pytest.approx(70 * YEAR)
    assert (rows["heat"]["stage"], rows["heat"]["basis"], rows["heat"]["value"]) == (
        "none",
        "not known",
        None,
    )


def test_what_is_worth_most_comes_first():
    shown = [(row["basis"], row["activity"]) for row in found().matrix.to_pylist()]
    assert shown[:2] == [("effect", "deliver"), ("effect", "chat")]
    assert shown[2:] == [("not known", name) for name in ("desk", "ads", "phone", "heat")]


@pytest.mark.parametrize(
    "name, classes, why",
    [
        ("deliver", "critical, bottleneck, differentiating, under_used", "50% of 400 runs take longer than its 48 hours"),
        ("chat", "bottleneck, redundant", "phone serves the same touchpoints"),
        ("ads", "bottleneck", "of its capacity"),
        ("phone", "ordinary", ""),
        ("heat", "ordinary", ""),
    ],
)  # fmt: skip
def test_classes(name: str, classes: str, why: str):
    row = row_of(found().matrix, activity=name)
    assert row["class"] == classes
    assert why in row["why"]
    held = [each["class"] for each in found().classes.to_pylist() if each["activity"] == name]
    assert held == ([] if classes == "ordinary" else classes.split(", "))


def test_the_rules_are_stated():
    assert {row["class"] for row in found().rules.to_pylist()} == set(RULES)
    critical = row_of(found().classes, activity="deliver", **{"class": "critical"})
    assert critical["stage"] == "post_purchase"


def test_savings_that_do_not_hurt():
    rows = {row["activity"]: row for row in found().savings.to_pylist()}
    desk = rows["desk"]
    unused = row_of(found().matrix, activity="desk")["cost"] - 400 * 20 * YEAR
    assert desk["saving"] == pytest.approx(max(unused, 0), abs=1e-6)
    chat = rows["chat"]
    assert chat["safe"]
    assert chat["saving"] == pytest.approx(50_000 * YEAR)
    assert 0 < chat["effect_at_risk"] < chat["saving"]
    assert "loses at most" in chat["why"]


def test_capacity_is_not_saved_where_customers_wait():
    row = row_of(found().savings, activity="deliver")
    assert row["from_unused"] > 0
    assert not row["safe"]
    assert "customers wait longer" in row["why"]


def test_what_is_not_known_is_not_safe():
    row = row_of(found().savings, activity="heat")
    assert (row["saving"], row["safe"], row["effect_at_risk"]) == (0, False, None)
    assert "nobody can say" in row["why"]


def test_findings():
    texts = [finding.text for finding in matrix(shop(currency="USD")).findings]
    assert texts[0].startswith("6 activities cost USD ")
    assert "“Deliver” brings most: USD 5,840" in texts[0]
    assert texts[1].startswith("Critical to a stage: “Deliver” (post purchase:")
    assert any(text.startswith("Bottleneck: “Deliver”; 50% of 400 runs") for text in texts)
    assert any("a year can be saved without hurting customers as far as is known" in text for text in texts)
    assert any("What 4 of 6 activities bring isn't known" in text for text in texts)


def test_tolerance():
    late = matrix(shop(), tolerated=0.6)
    assert "bottleneck" not in row_of(late.matrix, activity="deliver")["class"]
    assert row_of(late.savings, activity="deliver")["safe"]


@pytest.mark.parametrize("customers", [1, 37])
def test_where_blocks_are_cut_does_not_matter(customers: int):
    study = shop()
    cut = Study(in_blocks(study.log, customers), journey=JOURNEY, documents=study.documents)
    one, other = (result.to_dict()["tables"]["matrix"] for result in (found(), matrix(cut)))
    for left, right in zip(one, other, strict=True):
        assert left == pytest.approx(right)


# Touched


@cache
def readers() -> Log:
    """600 customers order once; a half reads the guide within a week, 60% of it orders 40 again, 20% of the others do."""
    rows: list[tuple[Any, ...]] = []
    for n in range(600):
        who, reads = f"c{n:03d}", n % 2 == 0
        again = (n // 2) % 10 < (6 if reads else 2)
        at = [START + timedelta(days=d) for d in (0.5, 1, 4, 60)]
        rows += [(who, at[0], "visit", None), (who, at[1], "purchase", 40.0)]
        rows.append((who, at[2], "guide_read" if reads else "delivery", None))
        rows += [(who, at[3], "purchase", 40.0)] if again else []
    rows.append(("c000", START + timedelta(days=DAYS - 1), "visit", None))
    rows.append(("zz", START, "visit", None))
    return log_of(rows)


def test_value_touched_is_that_of_moments_of_truth():
    made = chain(
        service=[
            activity("write", cost=paid(250.0), serves=[serves("guide_read")]),
            activity("print", cost=paid(80.0), serves=[serves("guide_read")]),
        ]
    )
    study = study_of(readers(), made, journey=JOURNEY)
    met = row_of(study.result(touchpoints).tables["touchpoints"], touchpoint="guide_read")
    assert met["kind"] == "moment of truth"
    result = matrix(study)
    for name in ("write", "print"):  # both touch the same money
        row = row_of(result.matrix, activity=name)
        assert row["basis"] == "touched"
        assert row["value"] == pytest.approx(met["money"] * YEAR)
        # 300 readers × (0.6 − 0.2) × 40
        assert row["value"] == pytest.approx(300 * 0.4 * 40 * YEAR, rel=1e-6)
        share = (met["repurchase_lift"] - met["repurchase_low"]) / met["repurchase_lift"]
        assert row["value_low"] == pytest.approx(row["value"] * (1 - share))
        assert row["class"] == "critical"
        assert row["stage"] == "repurchase"
        saved = row_of(result.savings, activity=name)
        assert (saved["safe"], saved["why"]) == (False, "nothing: it serves a moment of truth")
    assert "not shown to be its doing" in result.findings[0].text


# Rules that logs seldom show


def facts(
    id: str, *, serves: tuple[str, ...] = (), others: tuple[str, ...] = (), fields: Any = None, **more: Any
) -> Facts:
    made = Activity.model_validate({"id": id, "text": id, **(fields or {})})
    known: dict[str, Any] = {
        "category": "service",
        "cost": 1_000.0,
        "unused": 0.0,
        "used_share": float("nan"),
    }
    return Facts(made, **(known | more), served=serves, others=dict.fromkeys(serves, others))


def effect(
    outcome: str, low: float, high: float, value: tuple[float, float, float], *, clear: bool | None = None
) -> Effect:
    return Effect(outcome, low, high, low > 0 if clear is None else clear, value, value, 100)


NOTHING = effect("repurchase", -0.01, 0.01, (0.0, -90.0, 90.0))
GOOD = effect("repurchase", 0.05, 0.15, (500.0, 250.0, 750.0))
WORTHLESS = (float("nan"),) * 3


def names(each: Facts, *others: Facts) -> list[str]:
    return [one.name for one in classes_of([each, *others], 0.1)[each.id]]


@pytest.mark.parametrize(
    "each, expected",
    [
        (facts("a", serves=("call",), others=("b",), effects=(NOTHING,)), ["redundant"]),
        (facts("a", serves=("call",), effects=(NOTHING,)), []),
        (facts("a", serves=("call",), others=("b",)), []),
        (facts("a", serves=("call",), others=("b",), effects=(NOTHING,), cost=80.0), []),
        (facts("a", serves=("call",), others=("b",), effects=(NOTHING,), moments={"advocacy": ("call",)}), ["critical"]),
        (facts("a", used_share=0.59), ["under_used"]),
        (facts("a", used_share=0.6), []),
        (facts("a", used_share=1.01), ["bottleneck"]),
        (facts("a", effects=(GOOD,)), ["differentiating"]),
        (facts("a", effects=(GOOD,), kano="A"), ["differentiating"]),
        (facts("a", effects=(GOOD,), kano="M"), []),
        (facts("a", effects=(effect("conversion", 0.05, 0.15, (1.0, 0.5, 1.5)),)), []),
        (facts("a", effects=(effect("satisfaction", 0.05, 0.15, WORTHLESS),)), ["differentiating"]),
        (facts("a", effects=(effect("satisfaction", 0.05, 0.15, WORTHLESS, clear=False),)), []),
    ],
)  # fmt: skip
def test_rules(each: Facts, expected: list[str]):
    assert names(each) == expected


def doing(median: float, target: float | None = None) -> dict[str, Any]:
    return {
        "measure": "lead_time",
        "median": median,
        "target": target,
        "missed_share": 0.0,
        "missed_share_low": 0.0,
        "occurrences": 9,
    }


def test_who_feeds_others_and_is_slower_is_a_bottleneck():
    feeding = {"linkages": [{"to": "b"}, {"to": "c"}]}
    slow, met = (
        facts("a", fields=feeding, performance=doing(9.0)),
        facts("a", fields=feeding, performance=doing(9.0, 12.0)),
    )
    fed = facts("b", performance=doing(4.0)), facts("c", performance=doing(8.0))
    assert names(slow, *fed) == ["bottleneck"]
    assert names(met, *fed) == [], "it meets its target"
    assert names(slow, fed[0], facts("c", performance=doing(10.0))) == [], "another is slower"
    assert names(slow, facts("b"), facts("c")) == [], "nothing is known of those"


def test_the_largest_effect_of_a_stage_is_critical():
    first = facts("a", stage="purchase", effects=(effect("conversion", 0.1, 0.2, (900.0, 800.0, 1000.0)),))
    second = facts("b", stage="purchase", effects=(effect("conversion", 0.1, 0.2, (700.0, 600.0, 800.0)),))
    assert names(first, second) == ["critical"]
    assert names(second, first) == []


@pytest.mark.parametrize(
    "each, money, safe, why",
    [
        (facts("a", effects=(NOTHING,)), 1_000.0, True, "loses at most 90"),
        (facts("a", effects=(NOTHING,), cost=80.0), 0.0, False, "could be worth more than it costs"),
        (facts("a", effects=(GOOD,)), 0.0, False, "effect on repurchase is above zero"),
        (facts("a", effects=(NOTHING,), moments={"purchase": ("call",)}), 0.0, False, "serves a moment of truth"),
        (facts("a", effects=(NOTHING,), fields={"linkages": [{"to": "b"}]}), 0.0, False, "b rests on it"),
        (facts("a", unused=300.0, used_share=0.7), 300.0, True, "capacity that nobody used"),
    ],
)  # fmt: skip
def test_savings(each: Facts, money: float, safe: bool, why: str):
    (saving,) = savings_of([each], 0.1)
    assert (saving.money, saving.safe) == (money, safe)
    assert why in saving.why


def test_kanos_features_are_found_by_name():
    assert plain("Gift_wrap") == plain(" gift  WRAP") == plain("gift-wrap") != plain("giftwrap")


def test_independent_effects_add_up_in_quadrature():
    """500 ± 250 and 300 ± 600: 800 ± 650, 3-4-5 style by √(250² + 600²) = 650."""
    both = facts("a", effects=(GOOD, effect("conversion", -0.1, 0.3, (300.0, -300.0, 900.0))))
    assert both.value == pytest.approx((800.0, 150.0, 1450.0))


def test_links_of_one_chain_are_not_redundant():
    """Packing feeds the counter over another step; both serve the call, and neither is the other's double."""
    made = chain(
        service=[
            activity("chat", cost=paid(50_000.0), serves=[serves("call")], linkages=[{"to": "sort"}],
                     performance=performance("waiting", "call", "answer", 2)),
            activity("sort", linkages=[{"to": "phone"}]),
            activity("phone", cost=paid(100.0), serves=[serves("call")]),
        ]
    )  # fmt: skip
    row = row_of(matrix(study_of(deliveries(), made, journey=JOURNEY)).matrix, activity="chat")
    assert row["class"] == "bottleneck"


# What can't be said


def test_a_segment_says_whose_costs_these_are():
    result = matrix(shop().where("did:answer"))
    assert any(warning.startswith("Costs are those of all customers") for warning in result.warnings)
    assert not any(warning.startswith("Costs are") for warning in found().warnings)


def test_no_value_chain():
    result = matrix(study_of(deliveries(), None))
    assert all(table.num_rows == 0 for table in result.tables.values())
    assert "wayfare documents DIR new value_chain" in result.findings[0].text
    assert result.chart() is None
    assert ValueMatrixResult.from_dict(result.to_dict()).to_json() == result.to_json()


@pytest.mark.parametrize(
    "rows",
    [[], [("a", "2025-01-01", "call")], [("a", "2025-01-01", "call"), ("a", "2025-01-02", "purchase")]],
)
def test_next_to_nothing(rows: list[tuple[Any, ...]]):
    made = chain(
        service=[
            activity("calls", cost=timed(100, rate=1.0), serves=[serves("call", 5)], performance=performance("waiting", "call", "purchase", 1)),
            activity("rest", activity("nap"), cost=paid(5.0)),
        ]
    )  # fmt: skip
    for value_chain in (made, chain(), chain(service=[activity("heading")])):
        result = matrix(study_of(log_of(rows), value_chain))
        assert result.findings
        json.loads(result.to_json())
        assert result.matrix.num_rows in (0, 2)
        assert result.chart() is None


def test_two_hundred_activities_and_no_name_hides_another():
    made = chain(
        service=[
            activity(f"a{n}", text=f"Do what number {n} says", cost=paid(100.0 + n % 7), serves=[serves("guide_read")])
            for n in range(200)
        ]
    )  # fmt: skip
    study = study_of(readers(), made, journey=JOURNEY)
    result = matrix(study)
    assert result.matrix.num_rows == 200
    picture = result.chart()
    assert picture is not None
    assert "30 of 200 activities" in picture.svg()


def test_the_picture_names_what_it_draws():
    picture = found().chart()
    assert picture is not None
    svg = picture.svg()
    for words in ("Deliver", "Chat", "costs much, brings much", "of unknown value are not drawn"):
        assert words in svg
    assert picture.title == found().findings[0].text
