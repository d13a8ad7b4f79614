"""Where the next unit of budget goes: against SLSQP on the same curves, at the limits, and a planted elasticity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.value_chain.activity_effects import activity_effects
from wayfare.analyses.value_chain.allocation import AllocationResult, allocation
from wayfare.demo import journey
from wayfare.domain.value_chain import Activity, Amount, Performance, PeriodCost, Primary, ValueChain
from wayfare.errors import InvalidParameter, UnknownName

START = pd.Timestamp("2024-01-02 12:00")
LAST = date(2024, 10, 28)
COLUMNS = ("customer", "time", "event", "order", "value")


def cost(money):
    return PeriodCost(kind="amounts", amounts=(Amount(since=date(2024, 1, 2), to=LAST, amount=money),))


def activity(name, end=None, money=None, parts=()):
    performance = end and Performance(measure="lead_time", start="purchase", end=end, at_most=48)
    spent = None if money is None else cost(money)
    return Activity(id=name, text=f"the {name}", cost=spent, performance=performance, parts=parts)


def rows(size=60):
    """First orders whose parcel, and whose thanks, take 24 or 72 hours; late parcels cost half the orders that follow."""
    found = []
    for number in range(4 * size):
        late, slow, turn = number % 2, number // 2 % 2, number // 4
        name, at = f"c{number:03d}", START + pd.Timedelta(minutes=number)
        found.append((name, at, "purchase", f"o{name}", 50.0))
        found.append((name, at + pd.Timedelta(hours=72 if late else 24), "delivery", f"o{name}", None))
        found.append((name, at + pd.Timedelta(hours=73 if slow else 25), "thanks", f"o{name}", None))
        if turn < (0.25 if late else 0.75) * size - 6 * slow:
            found.append((name, at + pd.Timedelta(days=30), "purchase", f"p{name}", 80.0 + number % 7))
    found.append(("z", pd.Timestamp("2024-10-28 12:00"), "product_view", None, None))
    return found


def study_of(*activities, given=None):
    frame = pd.DataFrame(rows() if given is None else given, columns=list(COLUMNS))
    log = wf.read_events(frame, customer="customer", time="time", event="event", order="order", value="value")
    chain = ValueChain(name="value-chain", primary=Primary(service=activities))
    return wf.Study(log, wf.JourneyMap(**journey()), documents={"value-chain": chain})


USUAL = (
    activity("parcels", "delivery", 4_000.0),
    activity("letters", "thanks", 4_000.0),
    activity("shop", None, 2_000.0),
)


def plan(result):
    return {row["activity"]: row for row in result.plan.to_pylist()}


def stakes(study):
    effects = activity_effects(study).effects.to_pylist()
    return {row["activity"]: row["money"] for row in effects if row["money"] is not None}


def test_money_goes_to_where_more_is_at_stake():
    study = study_of(*USUAL)
    found = allocation(study)
    rows_of = plan(found)
    stake = stakes(study)
    assert stake["parcels"] > stake["letters"] > 0
    # With the same curve for both, three tenths more for the one and so much less for the other.
    assert rows_of["parcels"]["proposed"] == pytest.approx(5_200)
    assert rows_of["letters"]["proposed"] == pytest.approx(2_800)
    assert rows_of["parcels"]["change"] == pytest.approx(1_200)
    # At today's amount: value · elasticity / amount.
    assert rows_of["parcels"]["marginal_return"] == pytest.approx(0.3 * stake["parcels"] / 4_000)
    # 1 − 1.3^−.3 of what is at stake is won back.
    assert rows_of["parcels"]["gain"] == pytest.approx(stake["parcels"] * (1 - 1.3**-0.3))
    assert rows_of["parcels"]["more_share"] > 0.9
    assert {row["basis"] for row in found.plan.to_pylist()} == {"assumed", "kept"}
    first, second = found.next_unit.to_pylist()
    assert (first["activity"], first["rank"], second["rank"]) == ("parcels", 1, 2)
    assert first["low"] < first["marginal_return"] < first["high"]


def test_what_nothing_is_known_of_keeps_its_amount():
    row = plan(allocation(study_of(*USUAL)))["shop"]
    assert (row["today"], row["proposed"], row["change"], row["basis"]) == (2_000, 2_000, 0, "kept")
    assert row["note"] == "what is at stake with it is not known: the amount stays"
    assert row["marginal_return"] is None


def test_it_is_the_optimum_of_slsqp():
    study = study_of(*USUAL)
    said = ("parcels=0.4:0.4:0.4", "letters=0.7:0.7:0.7")
    limits = ("parcels=100:20000", "letters=100:20000")
    found = allocation(study, responses=said, limits=limits)
    stake, k = stakes(study), {"parcels": 0.4, "letters": 0.7}

    def lost(amounts):
        return sum(stake[name] * (x / 4_000) ** -k[name] for name, x in zip(k, amounts, strict=True))

    other = minimize(
        lost,
        [4_000, 4_000],
        bounds=[(100, 20_000)] * 2,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 8_000},
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    proposed = [plan(found)[name]["proposed"] for name in k]
    assert proposed == pytest.approx(list(other.x), rel=1e-3)
    today, best = found.totals.to_pylist()
    assert best["value"] == pytest.approx(lost([4_000, 4_000]) - other.fun, rel=1e-6)
    assert (today["budget"], today["value"]) == (10_000, 0)
    assert best["budget"] == pytest.approx(10_000)
    assert plan(found)["parcels"]["basis"] == "stated"


def test_a_larger_budget_and_one_that_cannot_be_spent():
    found = allocation(study_of(*USUAL), budget=12_400.0)
    assert {name: row["proposed"] for name, row in plan(found).items()} == pytest.approx(
        {"parcels": 5_200, "letters": 5_200, "shop": 2_000}
    )
    over = allocation(study_of(*USUAL), budget=13_000.0)
    assert any("600 stay unspent" in warning for warning in over.warnings)
    assert over.totals.to_pylist()[1]["budget"] == pytest.approx(12_400)


def test_limits_hold():
    found = plan(allocation(study_of(*USUAL), limits=("letters=3900:9000",)))
    assert found["letters"]["proposed"] == pytest.approx(3_900)
    assert found["parcels"]["proposed"] == pytest.approx(4_100)
    assert (found["letters"]["least"], found["letters"]["most"]) == (3_900, 9_000)


def test_intervals_hold_the_proposal_and_widen_with_the_stated_range():
    narrow = plan(
        allocation(study_of(*USUAL), responses=("letters=0.5:0.5:0.5", "parcels=0.5:0.5:0.5"), swing=0.9)
    )
    wide = plan(
        allocation(study_of(*USUAL), responses=("letters=0:0.5:0.95", "parcels=0:0.5:0.95"), swing=0.9)
    )
    for found in (narrow, wide):
        for row in found.values():
            assert row["proposed_low"] <= row["proposed"] <= row["proposed_high"]
            assert row["gain"] is None or row["gain_low"] <= row["gain_high"]

    def width(found):
        return found["parcels"]["proposed_high"] - found["parcels"]["proposed_low"]

    assert width(wide) > width(narrow) > 0


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"responses": ("parcels=0.3:0.2:0.6",)}, InvalidParameter),
        ({"responses": ("parcels=0.3:0.5",)}, InvalidParameter),
        ({"responses": ("parcels",)}, InvalidParameter),
        ({"responses": ("parcels=0.3:0.6:1",)}, InvalidParameter),
        ({"responses": ("roof=0.1:0.2:0.3",)}, UnknownName),
        ({"limits": ("parcels=9:3",)}, InvalidParameter),
        ({"limits": ("roof=1:3",)}, UnknownName),
        ({"budget": -1.0}, InvalidParameter),
        ({"budget": 3_000.0}, InvalidParameter),
    ],
)
def test_what_cannot_be_is_refused(said, error):
    with pytest.raises(error):
        allocation(study_of(*USUAL), **said)


def test_what_parts_cost_counts_for_the_activity_whose_value_is_known():
    parts = (activity("pack", None, 1_000.0), activity("drive", None, 2_500.0))
    nested = activity("parcels", "delivery", 500.0, parts=parts)
    found = plan(allocation(study_of(nested, activity("letters", "thanks", 4_000.0))))
    assert set(found) == {"parcels", "letters"}
    assert found["parcels"]["today"] == pytest.approx(4_000)


def test_value_without_a_cost_takes_no_part_and_is_told():
    found = allocation(study_of(activity("parcels", "delivery"), activity("letters", "thanks", 4_000.0)))
    assert set(plan(found)) == {"letters"}
    assert any("value at stake with “the parcels”, and no cost" in warning for warning in found.warnings)
    assert found.findings[0].text == "The budget of EUR 4,000 stays where it is: only one activity can move."


def advertised(elasticity, seed=2):
    """Two hundred and forty days; orders a day follow the fortnight's money to the power of the elasticity."""
    rng = np.random.default_rng(seed)
    spent = 1_000 * np.exp(rng.normal(0, 0.5, 16))
    found = []
    for day in range(240):
        orders = rng.poisson(12 * (spent[day // 15] / 1_000) ** elasticity)
        for number in range(orders):
            at = pd.Timestamp("2024-01-02") + pd.Timedelta(days=day, minutes=number + 60)
            found.append((f"d{day}n{number}", at, "purchase", f"d{day}n{number}", 40.0))
    amounts = tuple(
        Amount(since=date(2024, 1, 2) + timedelta(days=15 * n), to=date(2024, 1, 2) + timedelta(days=15 * n + 14), amount=float(money))
        for n, money in enumerate(spent)
    )  # fmt: skip
    ads = Activity(id="ads", text="advertising", cost=PeriodCost(kind="amounts", amounts=amounts))
    return study_of(ads, activity("shop", None, 5_000.0), given=found), float(spent.sum()), 40.0 * len(found)


def test_a_planted_elasticity_is_estimated_from_the_amounts():
    study, spent, value = advertised(0.4)
    today = allocation(study).totals.to_pylist()[0]["budget"]
    row = plan(allocation(study, budget=today + 500))["ads"]
    assert row["today"] == pytest.approx(spent)
    assert row["basis"] == "estimated"
    assert row["elasticity"] == pytest.approx(0.4, abs=0.12)
    assert "observational" in row["note"]
    # All orders' value times the elasticity, for each unit of today's money.
    assert row["marginal_return"] == pytest.approx(row["elasticity"] * value / spent)
    assert row["change"] == pytest.approx(500)
    assert row["gain"] == pytest.approx(value * ((1 + 500 / spent) ** row["elasticity"] - 1))


def test_amounts_that_move_nothing_keep_theirs():
    row = plan(allocation(advertised(0.0)[0]))["ads"]
    assert row["basis"] == "kept"
    assert "did not clearly rise with its 16 amounts" in row["note"]


def test_a_share_of_the_value_may_be_left():
    study = study_of(*USUAL)
    whole, half = plan(allocation(study)), plan(allocation(study, margin=0.5))
    assert half["parcels"]["gain"] == pytest.approx(whole["parcels"]["gain"] / 2)


def test_findings_and_picture():
    found = allocation(study_of(*USUAL))
    text = found.findings[0].text
    assert text.startswith(
        "With EUR 10,000 in 301 days, EUR 1,200 more for “the parcels” and less for “the letters” should add EUR "
    )
    assert "assumed responses" in text
    assert found.findings[0].money == found.totals.to_pylist()[1]["value"]
    assert (
        found.findings[2].text
        == "1 activity keeps its amount (EUR 2,000): too little is known of what money does there."
    )
    assert "the parcels" in found.chart().svg()
    assert AllocationResult.from_dict(found.to_dict()).to_json() == found.to_json()
    assert any(warning.startswith("Observational") for warning in found.warnings)


def test_blocks_do_not_matter():
    study = study_of(*USUAL)
    cut = allocation(replace(study, log=in_blocks(study.log, 13), _results={}))
    for one, other in zip(cut.plan.to_pylist(), allocation(study).plan.to_pylist(), strict=True):
        for name, value in one.items():
            assert value == (
                pytest.approx(other[name], rel=1e-9) if isinstance(value, float) else other[name]
            )


def test_nothing_to_divide():
    study = study_of(*USUAL)
    none = allocation(replace(study, documents={}, _results={}))
    assert "wayfare documents DIR new value_chain" in none.findings[0].text
    assert none.chart() is None
    free = allocation(study_of(activity("parcels", "delivery")))
    assert free.findings[0].text.startswith("No activity of the value chain has a cost")
    empty = allocation(study_of(*USUAL, given=rows()[:0]))
    assert empty.findings
    empty.to_json()
    one = allocation(study_of(*USUAL, given=rows()[:1]))
    assert one.findings
    one.to_json()
