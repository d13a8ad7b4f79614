from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import wayfare as wf
from tests.analyses.repurchase.shops import cdnow, log_of, online_retail, read, steady_shop
from wayfare.analyses.repurchase._candidates import deviance
from wayfare.errors import InvalidParameter
from wayfare.stats.btyd import BGNBD


def rows_of(table, key):
    return {row[key]: row for row in table.to_pylist()}


@pytest.fixture(scope="module")
def paper(shared_data):
    """CDNOW as in the papers: calibration to 30 September 1997, 39 weeks held out."""
    return wf.forecast(cdnow(shared_data), holdout="273d", horizon="273d", model="BG/NBD")


@pytest.fixture(scope="module")
def shop():
    return read(steady_shop(), value="value")


@pytest.fixture(scope="module")
def forecast_of_shop(shop):
    return wf.forecast(shop, horizon="91d")


def test_cdnow_has_the_numbers_of_the_paper(paper):
    # Fader, Hardie & Lee 2005: .243, 4.414, .793, 2.426, log-likelihood −9582.4; expected 1,653.4, actual 1,882.
    row = paper.models.to_pylist()[0]
    assert row["parameters"] == "r 0.2426, alpha 4.414, a 0.7929, b 2.426"
    assert row["log_likelihood"] == pytest.approx(-9582.4292, abs=1e-3)
    assert row["holdout_expected"] == pytest.approx(1653.41, abs=0.01)
    assert row["holdout_actual"] == 1882


def test_cdnow_active_buyers(paper):
    # REFERENCE: at 4, 13 and 39 weeks 161, 362, 617 predicted, 164, 402, 684 came.
    active = rows_of(paper.active, "weeks")
    assert [round(active[weeks]["expected"]) for weeks in (4, 13, 39)] == [161, 362, 617]
    assert [active[weeks]["actual"] for weeks in (4, 13, 39)] == [164, 402, 684]


def test_cdnow_tells_customers_apart(paper):
    # REFERENCE: AUC .757, Brier .161; the top tenth by expected orders holds 47.0% of the holdout's.
    accuracy = {row["measure"]: row["value"] for row in paper.accuracy.to_pylist()}
    assert accuracy["auc"] == pytest.approx(0.757, abs=5e-4)
    assert accuracy["brier"] == pytest.approx(0.161, abs=5e-4)
    assert accuracy["top_tenth_share"] == pytest.approx(0.470, abs=5e-4)
    deciles = paper.calibration
    assert sum(deciles["customers"].to_pylist()) == 2357
    assert sum(deciles["actual"].to_pylist()) == 1882
    assert deciles["actual"][0].as_py() / 1882 == pytest.approx(0.470, abs=5e-4)


def test_all_candidates_are_shown_on_cdnow(shared_data):
    result = wf.forecast(cdnow(shared_data), holdout="273d", horizon="273d")
    models = rows_of(result.models, "model")
    # REFERENCE, table of CDNOW: expected holdout orders.
    assert models["BG/NBD"]["holdout_expected"] == pytest.approx(1653.41, abs=0.01)
    assert models["MBG/NBD"]["holdout_expected"] == pytest.approx(1576.72, abs=0.02)
    assert models["Pareto/NBD"]["holdout_expected"] == pytest.approx(1665.49, abs=0.05)
    best = min(models.values(), key=lambda row: row["deviance"])
    assert best["chosen"]
    assert sum(row["chosen"] for row in models.values()) == 1
    total = rows_of(result.totals, "part")["holdout"]
    assert total["season"] == "unseen"
    assert total["low"] < 1882 < total["high"]


def test_online_retail_names_the_boundary_and_the_unseen_season(shared_data):
    result = wf.forecast(online_retail(shared_data), holdout="91d", horizon="91d")
    total = rows_of(result.totals, "part")["holdout"]
    # REFERENCE: calibrated on 282 days a plain BG/NBD says 3,384, 4,482 came; they must lie in the 90% interval.
    assert rows_of(result.models, "model")["BG/NBD"]["holdout_expected"] == pytest.approx(3384, abs=1)
    assert total["actual"] == 4482
    assert total["low"] < 4482 < total["high"]
    assert total["season"] == "unseen"
    said = " ".join(finding.text for finding in result.findings)
    assert "season had never been observed" in said
    assert "No drop-out can be seen" in said
    assert "weak prior" in said


def test_next_purchase_is_the_closed_form(shop):
    frame = steady_shop()
    result = wf.forecast(shop, model="BG/NBD")
    summary = by_customer(frame)
    model = BGNBD().fit(summary)
    p = model.params_
    row = result.customers.to_pylist()[int(np.argmax(summary["frequency"]))]
    x, recency, age = (float(summary[name].max() if name == "frequency" else summary[name][summary["frequency"].argmax()])
                       for name in ("frequency", "recency", "age"))  # fmt: skip
    gone = p["a"] / (p["b"] + x - 1) * ((p["alpha"] + age) / (p["alpha"] + recency)) ** (p["r"] + x)
    alive = 1 / (1 + gone)
    assert row["p_alive"] == pytest.approx(alive)
    # REFERENCE: t_q = (α+T)·((1 − q/P(alive))^(−1/(r+x)) − 1).
    weeks = (p["alpha"] + age) * ((1 - 0.5 / alive) ** (-1 / (p["r"] + x)) - 1)
    wait = row["next_purchase_median"] - frame["time"].max().tz_localize("UTC")
    assert wait.total_seconds() / 604_800 == pytest.approx(weeks, rel=1e-6)


def by_customer(frame: pd.DataFrame) -> pd.DataFrame:
    days = (
        frame.assign(day=frame["time"].dt.normalize())
        .drop_duplicates(["customer", "day"])
        .groupby("customer")["day"]
    )
    end = frame["time"].max().normalize()
    return pd.DataFrame(
        {
            "frequency": (days.count() - 1).to_numpy(),
            "recency": ((days.max() - days.min()).dt.days / 7).to_numpy(),
            "age": ((end - days.min()).dt.days / 7).to_numpy(),
        }
    )


def test_the_columns_of_the_contract(forecast_of_shop):
    assert forecast_of_shop.customers.column_names == [
        "customer", "p_alive", "expected_orders", "p_buy", "next_purchase_median", "next_purchase_low", "next_purchase_high",
        "order_value", "lifetime_value", "lifetime_value_low", "lifetime_value_high",
    ]  # fmt: skip
    assert forecast_of_shop.models.column_names[:5] == [
        "model",
        "log_likelihood",
        "parameters",
        "holdout_expected",
        "holdout_actual",
    ]
    assert forecast_of_shop.weeks.column_names[:5] == ["week", "expected", "low", "high", "actual"]


def test_weeks_and_customers_add_up_to_the_total(forecast_of_shop):
    weeks = forecast_of_shop.to_pandas("weeks")
    totals = rows_of(forecast_of_shop.totals, "part")
    people = forecast_of_shop.to_pandas()
    ahead = weeks[weeks["part"] == "ahead"]
    assert len(ahead) == 13
    assert ahead["expected"].sum() == pytest.approx(totals["ahead"]["expected"])
    assert people["expected_orders"].sum() == pytest.approx(totals["ahead"]["expected"])
    assert (people["expected_orders"] * people["order_value"]).sum() == pytest.approx(
        totals["ahead"]["revenue"]
    )
    held = weeks[weeks["part"] == "holdout"]
    assert (
        held["actual"].sum()
        == totals["holdout"]["actual"]
        == forecast_of_shop.models["holdout_actual"][0].as_py()
    )
    assert (weeks["low"] <= weeks["expected"]).all()
    assert (weeks["expected"] <= weeks["high"]).all()


def test_what_was_held_out_was_not_seen(shop):
    """Orders of the last weeks don't touch the forecast made before them."""
    frame = steady_shop()
    cut = frame["time"].max().normalize() - pd.Timedelta(days=91)
    early = frame[frame["time"] < cut + pd.Timedelta(days=1)]
    other = pd.concat([early, frame[["customer", "event", "value"]].tail(1).assign(time=frame["time"].max())])
    was, now = (
        wf.forecast(read(f, value="value"), horizon="91d", model="BG/NBD").models.to_pylist()[0]
        for f in (frame, other)
    )
    assert was["parameters"] == now["parameters"]
    assert was["holdout_expected"] == pytest.approx(now["holdout_expected"])
    assert was["holdout_actual"] > now["holdout_actual"]


def test_ranges_hold_their_mean_and_order(forecast_of_shop):
    people = forecast_of_shop.to_pandas()
    assert (people["lifetime_value_low"] <= people["lifetime_value"]).all()
    assert (people["lifetime_value"] <= people["lifetime_value_high"]).all()
    dates = people[["next_purchase_low", "next_purchase_median", "next_purchase_high"]]
    known = dates.dropna()
    assert len(known)
    assert (known["next_purchase_low"] <= known["next_purchase_median"]).all()
    assert (known["next_purchase_median"] <= known["next_purchase_high"]).all()
    # A date is there exactly where the chance of ever ordering again (P(alive), for BG/NBD) is above the quantile;
    # beyond 50 years it counts as never.
    assert people.loc[dates["next_purchase_low"].notna(), "p_alive"].min() > 0.1
    assert people.loc[dates["next_purchase_high"].notna(), "p_alive"].min() > 0.9


def test_lifetime_ranges_cover_what_comes():
    """Money of the two years after a cut, against the 80% ranges made at it (BG/NBD customers, gamma values)."""
    frame = steady_shop(3000, 1200, seed=9)
    cut = pd.Timestamp("2023-01-01") + pd.Timedelta(days=600)
    known, later = frame[frame["time"] < cut], frame[frame["time"] >= cut]
    result = (
        wf.forecast(read(known, value="value"), lifetime="599d", discount=0, model="BG/NBD")
        .to_pandas()
        .set_index("customer")
    )
    came = later.groupby("customer")["value"].sum().reindex(result.index, fill_value=0.0)
    inside = (came >= result["lifetime_value_low"] - 1e-9) & (came <= result["lifetime_value_high"])
    active = result["p_alive"] > 0.6
    assert active.sum() > 400
    # Where the range does not start in the atom at nothing, it is to cover 80%.
    sure = active & (result["lifetime_value_low"] > 0)
    assert 0.75 <= inside[sure].mean() <= 0.86
    assert came.sum() == pytest.approx(result["lifetime_value"].sum(), rel=0.12)


def test_a_discount_makes_later_orders_worth_less(shop):
    plain, less = (
        wf.forecast(shop, discount=share, model="BG/NBD").to_pandas()["lifetime_value"].sum()
        for share in (0, 0.1)
    )
    # Three years of falling orders: between one and one and a half years' discount on average.
    assert 1.1**-1.6 < less / plain < 1.1**-0.3


def test_a_season_that_was_seen_twice_is_used():
    """Three years with a fourfold December: the model with a calendar is chosen and finds it."""
    frame = seasonal_shop()
    result = wf.forecast(read(frame, value="value"), horizon="91d")
    chosen = next(row for row in result.models.to_pylist() if row["chosen"])
    assert chosen["model"].endswith("with calendar")
    rates = {row["month"]: row["rate"] for row in result.season.to_pylist()}
    assert max(rates, key=rates.__getitem__) == "December"
    plain = [row["deviance"] for row in result.models.to_pylist() if not row["chosen"]]
    assert chosen["deviance"] < min(plain)
    assert any("December" in finding.text for finding in result.findings)


def seasonal_shop(customers: int = 1200, seed: int = 8) -> pd.DataFrame:
    """Poisson customers over three years from 2021 on, four orders in December for one in other months."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2021-01-01", "2023-12-31")
    speed = np.where(days.month == 12, 4.0, 1.0)
    rate = rng.gamma(2.0, 0.005, customers)
    first = rng.integers(0, 700, customers)
    bought = rng.random((customers, len(days))) < rate[:, None] * speed
    bought &= np.arange(len(days)) > first[:, None]
    bought[np.arange(customers), first] = True
    who, day = np.nonzero(bought)
    return pd.DataFrame(
        {"customer": [f"c{i:04d}" for i in who], "time": days[day], "event": "purchase", "value": 10.0}
    )


FEW = [
    ("a", "2024-01-01", 10.0),
    ("a", "2024-02-01", 20.0),
    ("b", "2024-01-05", 30.0),
    ("c", "2024-03-01", 5.0),
]


def test_few_repeat_customers_are_not_forecast():
    result = wf.forecast(log_of(FEW))
    assert result.findings[0].text.startswith("Too few to say: 1 of 3 customers ordered on more than one day")
    assert (
        result.findings[1].text == "What can be said: 3 customers have placed 4 orders, worth EUR 16.25 each."
    )
    people = result.to_pandas()
    assert people["p_alive"].isna().all()
    assert people["lifetime_value"].isna().all()
    for name in ("models", "weeks", "calibration", "totals", "active", "accuracy"):
        assert result.tables[name].num_rows == 0


def test_orders_without_a_value():
    frame = steady_shop(200).drop(columns="value")
    result = wf.forecast(read(frame), horizon="91d")
    people = result.to_pandas()
    assert people["expected_orders"].notna().all()
    assert people["lifetime_value"].isna().all()
    assert "worth" not in result.findings[0].text
    assert any("No order has a value" in warning for warning in result.warnings)


def test_customers_with_nothing_but_refunds():
    frame = steady_shop(200)
    frame.loc[frame["customer"] == "c0003", "value"] *= -1
    result = wf.forecast(read(frame, value="value"))
    assert "c0003" not in result.customers["customer"].to_pylist()
    assert any("passed over as refunds" in warning for warning in result.warnings)


@pytest.mark.parametrize("holdout", [None, "28d", "9999d"])
def test_any_holdout_is_bearable(shop, holdout):
    result = wf.forecast(shop, holdout=holdout, horizon="28d")
    held = {"28d": 4, None: 4, "9999d": 0}[holdout]
    assert (result.to_pandas("weeks")["part"] == "holdout").sum() == held


def test_what_can_not_be_asked():
    with pytest.raises(InvalidParameter):
        wf.forecast(log_of(FEW), confidence=0)
    with pytest.raises(InvalidParameter):
        wf.forecast(log_of(FEW), discount=1)


def test_deviance_by_hand():
    # 2·(2·ln(2/1) − 1) for one who ordered twice where once was expected, 2·.5 for one who did not order at .5.
    assert deviance(np.array([1.0, 0.5]), np.array([2.0, 0.0])) == pytest.approx(
        (2 * (2 * np.log(2) - 1) + 1) / 2
    )


def test_intervals_of_totals_cover():
    """Six simulated shops: the 90% interval of the holdout's total holds what came in nearly all."""
    inside = 0
    for seed in range(6):
        result = wf.forecast(
            read(steady_shop(250, 500, seed=100 + seed), value="value"), horizon="91d", model="BG/NBD"
        )
        total = rows_of(result.totals, "part")["holdout"]
        inside += total["low"] <= total["actual"] <= total["high"]
    assert inside >= 5
