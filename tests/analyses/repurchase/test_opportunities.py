"""The list to act on: what its numbers rest on, who is held out, and what a budget leaves."""

import hashlib
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.analyses.repurchase.shops import read, steady_shop
from wayfare.analyses.repurchase._effects import effects_of, priors
from wayfare.demo import SCHEMA, Company, journey, records
from wayfare.domain.journey import JourneyMap
from wayfare.errors import InvalidParameter, UnknownName
from wayfare.study import Study

COMPANY = Company(customers=3_000, seed=5)
ACTIONS = [
    "win back", "remind", "cross-sell", "up-sell", "bundle", "loyalty reward", "ask for a referral", "thank", "leave alone",
]  # fmt: skip


def study_of(*without: str) -> Study:
    table = pa.Table.from_batches(list(records(COMPANY)), schema=SCHEMA).drop_columns(list(without))
    columns = {name: name for name in table.column_names if name not in ("customer", "time", "event")}
    log = wf.read_events(table, customer="customer", time="time", event="event", **columns)
    return Study(log, JourneyMap(**journey()))


@pytest.fixture(scope="module")
def company() -> Study:
    return study_of()


@pytest.fixture(scope="module")
def found(company):
    return wf.opportunities(company).to_pandas()


@pytest.fixture(scope="module")
def known(company):
    """What the value of an opportunity rests on, from the analyses that say it."""
    forecast = company.result(wf.forecast).to_pandas().set_index("customer")
    due = company.result(wf.repurchase_points).to_pandas("due").set_index("customer")
    return forecast.join(due)


def test_one_row_a_customer(company, found):
    buyers = company.result(wf.repurchase_points).due["customer"].to_pylist()
    assert sorted(found["customer"]) == buyers
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    assert set(found["action"]) <= set(ACTIONS)
    assert len(set(found["action"])) >= 6


def test_the_largest_gain_after_cost_comes_first(found):
    net = (found["expected_value"] - found["cost"]).round(6)
    acted = found["action"] != "leave alone"
    assert net[acted].is_monotonic_decreasing
    assert (net[acted] > 0).all()
    assert not acted[acted.sum() :].any()


@pytest.mark.parametrize(
    ("action", "base"), [("remind", "chance"), ("win back", "p_buy"), ("loyalty reward", "expected_orders")]
)
def test_the_value_is_the_stake_times_the_stated_effect(found, known, action, base):
    rows = found[found["action"] == action].join(known, on="customer")
    assert len(rows) > 5
    effect = priors()[action]
    for column, size in (("expected_value", effect.mid), ("low", effect.low), ("high", effect.high)):
        assert np.allclose(rows[column], rows[base] * rows["order_value"] * size)
    assert rows["basis"].str.startswith("stated prior, not measured: ").all()
    assert np.allclose(rows["extra_orders"], rows[base] * effect.mid)


def test_cross_sell_is_what_the_product_analysis_offers(company, found, known):
    offers = (
        company.result(wf.next_product).to_pandas().query("kind == 'cross_sell'").groupby("customer").first()
    )
    rows = (
        found[found["action"] == "cross-sell"]
        .join(known, on="customer")
        .join(offers, on="customer", suffixes=("", "_offered"))
    )
    assert len(rows) > 20
    assert (rows["product"] == rows["product_offered"]).all()
    assert np.allclose(
        rows["expected_value"],
        rows["chance"] * rows["chance_offered"] * rows["gain"] * priors()["cross-sell"].mid,
    )


def test_messages_come_when_the_window_is_open(found, known):
    rows = found[found["action"] == "remind"].join(known, on="customer")
    today = date(2025, 12, 31)
    assert (rows["when"] == rows["window_opens"].where(rows["window_opens"] > today, rows["when"])).all()
    assert (rows["when"] <= rows["window_closes"]).all()
    assert not rows["late"].any()
    assert known.loc[found.loc[found["action"] == "win back", "customer"], "late"].all()
    assert set(found.loc[found["channel"].notna(), "channel"]) == {"email"}


def test_nobody_is_bothered_after_trouble(company, found):
    frame = (
        pa.Table.from_batches(list(records(COMPANY)), schema=SCHEMA)
        .select(["customer", "time", "event"])
        .to_pandas()
    )
    recent = frame["time"] >= frame["time"].max() - pd.Timedelta(days=30)
    troubled = set(frame.loc[recent & frame["event"].isin(["refund", "subscription_cancel"]), "customer"])
    rows = found[found["customer"].isin(troubled)]
    assert len(rows) > 3
    assert set(rows["action"]) == {"leave alone"}
    assert rows["reason"].str.startswith("Something went wrong").all()


def test_who_is_held_out_follows_from_the_name_alone(company, found):
    for name, held in zip(found["customer"], found["holdout"], strict=True):
        digest = hashlib.blake2b(f"{company.name}:{name}".encode(), digest_size=8).digest()
        assert held == (int.from_bytes(digest, "big") / 2**64 < 0.1)
    more = wf.opportunities(company, holdout=0.3).to_pandas()
    held, more_held = (set(f.loc[f["holdout"], "customer"]) for f in (found, more))
    assert held < more_held
    assert more["holdout"].mean() == pytest.approx(0.3, abs=0.03)
    other = wf.opportunities(company, salt="another").to_pandas()
    both = len(held & set(other.loc[other["holdout"], "customer"]))
    assert both < 0.4 * len(held)
    assert not wf.opportunities(company, holdout=0).to_pandas()["holdout"].any()


def test_later_runs_hold_out_the_same_customers(company, found):
    earlier = wf.opportunities(company.where(until="2025-10-01"))
    held = dict(
        zip(*(earlier.opportunities[name].to_pylist() for name in ("customer", "holdout")), strict=True)
    )
    now = found.set_index("customer")["holdout"]
    assert 100 < len(held) < len(now)
    assert all(now[name] == out for name, out in held.items())
    row = earlier.totals.to_pylist()[0]
    assert (row["salt"], row["holdout"]) == (company.name, 0.1)


def test_held_out_and_contacted_are_alike(found):
    acted = found[found["action"] != "leave alone"]
    values = acted.groupby("holdout")["expected_value"].agg(["mean", "std", "size"])
    error = np.hypot(*(values["std"] / np.sqrt(values["size"])))
    assert abs(values["mean"].diff().iloc[-1]) < 3 * error


def test_a_budget_buys_what_adds_most_for_it(company, found):
    result = wf.opportunities(company, budget=20)
    rows = result.to_pandas()
    acted = rows[rows["action"] != "leave alone"]
    spent = acted.loc[~acted["holdout"], "cost"].sum()
    assert 19 < spent <= 20
    cut = rows[rows["reason"] == "Beyond the budget."]
    before = found.set_index("customer")
    returns = before["expected_value"] / before["cost"]
    assert returns[acted["customer"]].min() >= returns[cut["customer"]].max() - 1e-9
    assert set(acted["customer"]) | set(cut["customer"]) == set(
        found.loc[found["action"] != "leave alone", "customer"]
    )
    assert acted["holdout"].any()
    nothing = wf.opportunities(company, budget=0)
    assert set(nothing.opportunities["action"].to_pylist()) == {"leave alone"}
    assert "is worth a contact" in nothing.findings[0].text


def test_more_contacts_a_customer(company, found):
    rows = wf.opportunities(company, contacts=3).to_pandas()
    several = rows[rows["action"] != "leave alone"].groupby("customer")["action"].agg(["size", "nunique"])
    assert several["size"].max() == 3
    assert (several["size"] == several["nunique"]).all()
    merged = found[found["action"] != "leave alone"].merge(rows, on=["customer", "action"])
    assert len(merged) == (found["action"] != "leave alone").sum()


def test_effects_can_be_stated_and_measured(company):
    result = wf.opportunities(
        company,
        effects=("win back=0:0:0",),
        measured=("remind=0.1:0.2:0.3",),
        cost_per_contact=0.2,
        margin=0.5,
    )
    actions = {row["action"]: row for row in result.actions.to_pylist()}
    assert actions["win back"]["listed"] == 0
    assert (actions["remind"]["basis"], actions["remind"]["source"]) == (
        "measured",
        "measured by your experiment",
    )
    rows = result.to_pandas().query("action == 'remind'")
    assert set(rows["basis"]) == {"measured by your experiment: chance of an order up by 20% (10% to 30%)"}
    assert set(rows["cost"]) == {0.2}
    forecast = company.result(wf.forecast).to_pandas().set_index("customer")
    assert np.allclose(
        rows["expected_value"],
        rows["base"] * 0.2 * 0.5 * forecast.loc[rows["customer"], "order_value"].to_numpy(),
    )


def test_the_priors_are_said_to_be_priors():
    assert list(priors()) == ACTIONS[:-1]
    for effect in priors().values():
        assert effect.low <= effect.mid <= effect.high
        assert effect.low <= 0, "nothing here was measured, so that no effect at all is possible"
        assert effect.basis == "prior"
        assert "not measured" in effect.source


@pytest.mark.parametrize(
    ("texts", "error", "said"),
    [
        (("remind",), InvalidParameter, "names no action and numbers"),
        (("remind=1:2",), InvalidParameter, "not three numbers"),
        (("remind=3:2:1",), InvalidParameter, "does not ascend"),
        (("shout=1:2:3",), UnknownName, "no action 'shout'"),
    ],
)
def test_effects_that_can_t_be_read(texts, error, said):
    with pytest.raises(error, match=said):
        effects_of(texts, (), None)


def test_parameters_that_can_t_be(company):
    for wrong in ({"contacts": 0}, {"budget": -1.0}, {"cost_per_contact": -0.5}):
        with pytest.raises(InvalidParameter):
            wf.opportunities(company, **wrong)


def test_what_the_holdout_can_show(company):
    result = wf.opportunities(company, holdout=0.5)
    row = next(row for row in result.actions.to_pylist() if row["action"] == "win back")
    rows = result.to_pandas().query("action == 'win back'")
    chance = rows["base"].mean()
    spread = np.sqrt(chance * (1 - chance) * (1 / row["contacted"] + 1 / row["held_out"]))
    assert row["detectable"] == pytest.approx((1.959964 + 0.841621) * spread / chance, rel=1e-5)


def test_the_totals_are_those_of_the_list(company, found):
    acted = found[found["action"] != "leave alone"]
    told = acted[~acted["holdout"]]
    row = wf.opportunities(company).totals.to_pylist()[0]
    assert (row["customers"], row["left_alone"]) == (len(found), len(found) - len(acted))
    assert (row["contacts"], row["held_out"]) == (len(told), len(acted) - len(told))
    for name in ("expected_value", "low", "high", "cost"):
        assert row[name] == pytest.approx(told[name].sum())


def test_without_values_orders_are_counted():
    result = wf.opportunities(study_of("value"))
    rows = result.to_pandas()
    assert rows["expected_value"].isna().all()
    assert rows.loc[rows["action"] != "leave alone", "extra_orders"].is_monotonic_decreasing
    assert "what they are worth can't be said" in result.findings[0].text


def test_few_customers_are_left_alone():
    frame = pd.DataFrame(
        {"customer": ["a", "b", "b"], "time": ["2024-01-01", "2024-01-01", "2024-02-01"], "event": "purchase"}
    )
    result = wf.opportunities(wf.read_events(frame, customer="customer", time="time", event="event"))
    assert set(result.opportunities["action"].to_pylist()) == {"leave alone"}
    assert result.chart() is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"currency": ["EUR", "USD"]}, "several currencies"),
        ({"value": -5.0}, "passed over as refunds"),
        ({"value": None}, "No order has a value"),
        ({"value": [3.0, None]}, "50% of the orders have no value"),
        ({"value": 0.0}, "Every order has the value 0"),
        ({"event": "visit"}, "No event of the log is an order"),
        ({"time": [None, "2035-01-01"]}, "after today"),
    ],
)
@pytest.mark.parametrize(
    "analysis", ["rfm", "churn", "value", "repurchase_points", "next_product", "opportunities"]
)
def test_what_is_odd_about_the_orders_is_said(analysis, change, said):
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.arange(80) // 20 * 30 + np.arange(80) % 20, unit="D"
    )
    frame = pd.DataFrame({"customer": [f"c{i % 20}" for i in range(80)], "time": days, "event": "purchase", "value": 5.0,
                          "currency": "EUR", "product": "tea"})  # fmt: skip
    for name, values in change.items():
        places = slice(None, 2) if name == "time" else slice(None)
        cycle = [values] * 80 if not isinstance(values, list) else values * 40
        kept = [
            old if new is None and name == "time" else new
            for new, old in zip(cycle, frame[name], strict=True)
        ]
        frame[name] = (
            [pd.Timestamp(v) for v in kept[places]] + frame[name].tolist()[2:] if name == "time" else kept
        )
    columns = {name: name for name in ("value", "currency", "product")}
    log = wf.read_events(frame, customer="customer", time="time", event="event", **columns)
    result = getattr(wf, analysis)(log)
    assert any(said in warning for warning in result.warnings), result.warnings
    assert result.findings


def test_without_a_forecast_it_says_what_the_numbers_rest_on():
    frame = steady_shop(customers=40)
    result = wf.opportunities(read(frame, value="value"))
    assert any("no forecast of each customer" in warning for warning in result.warnings)


def test_block_cuts_change_nothing(company, found):
    study = Study(in_blocks(company.log, 300), company.journey)
    pd.testing.assert_frame_equal(wf.opportunities(study).to_pandas(), found, check_exact=False, rtol=1e-7)
