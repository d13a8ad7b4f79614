"""Every planted truth is in the records, measured with plain pandas; expected values are the company's fields."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from importlib import resources

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from wayfare.demo import Company, truths, truths_text
from wayfare.demo.rows import FEATURES
from wayfare.demo.simulate import population

SIGMAS = 3.5


def _near(measured: float, planted: float, error: float) -> bool:
    return abs(measured - planted) < SIGMAS * error


def _share_error(share: float, count: int) -> float:
    return float(np.sqrt(share * (1 - share) / count))


def _value(measured, name):
    return next(truth.value for truth in truths(measured.company) if truth.name == name)


@pytest.mark.parametrize(
    ("device", "during", "field"),
    [
        ("mobile", True, "mobile_payment_rate_bug"),
        ("mobile", False, "mobile_payment_rate"),
        ("desktop", True, "desktop_payment_rate"),
        ("desktop", False, "desktop_payment_rate"),
    ],
)
def test_payment_bug(measured, device, during, field):
    paid = measured.events("payment")
    inside = (paid["time"] >= measured.day("bug_start")) & (paid["time"] < measured.day("bug_end"))
    paid = paid[(paid["device"] == device) & (inside == during)]
    share = paid["session"].isin(measured.events("purchase")["session"].dropna()).mean()
    planted = getattr(measured.company, field)
    assert _near(share, planted, _share_error(planted, len(paid)))


def test_bug_lasts_four_weeks_and_prevents_the_counted_orders(measured):
    assert (measured.company.bug_end - measured.company.bug_start).days == 28
    paid = measured.events("payment")
    inside = paid["time"].between(measured.day("bug_start"), measured.day("bug_end"), inclusive="left")
    paid = paid[inside & (paid["device"] == "mobile")]
    usual = measured.company.mobile_payment_rate * len(paid)
    missing = usual - paid["session"].isin(measured.events("purchase")["session"].dropna()).sum()
    assert _near(missing, _value(measured, "mobile_orders_lost"), np.sqrt(len(paid)) * 0.6)


def test_recipe_is_read_at_random_and_lifts_repurchase(measured):
    read = measured.events("recipe_read")["order"].dropna()
    orders = measured.orders.assign(exposed=measured.orders["order"].isin(read))
    early = orders[orders["time"] < measured.day("end") - pd.Timedelta(days=3)]
    exposure = measured.company.recipe_exposure
    assert _near(early["exposed"].mean(), exposure, _share_error(exposure, len(early)))

    again = orders[orders["followed"]].groupby("exposed")["again"].agg(["mean", "var", "size"])
    lift = again["mean"][True] - again["mean"][False]
    error = np.sqrt((again["var"] / again["size"]).sum())
    assert _near(lift, _value(measured, "recipe_lift_points") / 100, error)
    assert _near(again["mean"][False], _value(measured, "repurchase_90_days"), error + 0.002)


def test_recipe_lift_equals_the_potential_outcomes():
    company = Company(customers=10_000)
    orders = population(company, 0, 10_000)[1]
    undecided = orders.recipe & ~orders.natural
    assert not (orders.again & ~orders.recipe & ~orders.natural).any()
    planted = company.recipe_conversion
    assert _near(orders.again[undecided].mean(), planted, _share_error(planted, undecided.sum()))


@pytest.mark.parametrize(
    ("carrier", "after", "field"),
    [
        ("north_post", True, "delivery_days_slow"),
        ("north_post", False, "delivery_days"),
        ("swift_parcel", True, "delivery_days"),
    ],
)
def test_delivery_delay(measured, carrier, after, field):
    parcels = measured.events("delivery")
    ordered = parcels["time"] - pd.to_timedelta(parcels["delivery_days"], unit="D")
    seen = ordered < measured.day("end") - pd.Timedelta(days=20)
    days = parcels.loc[
        seen & (parcels["carrier"] == carrier) & ((ordered >= measured.day("delay_start")) == after),
        "delivery_days",
    ]
    assert _near(days.mean(), getattr(measured.company, field), days.sem())


def test_slow_carrier_share(measured):
    carriers = measured.events("delivery").drop_duplicates("customer")["carrier"]
    share = measured.company.slow_carrier_share
    assert _near((carriers == "north_post").mean(), share, _share_error(share, len(carriers)))


def test_score_falls_with_each_day(measured):
    days = measured.events("delivery").set_index("order")["delivery_days"]
    answers = measured.events("survey_answer").query("question == 'delivered'")
    waited = answers["order"].map(days) - measured.company.delivery_days
    (slope, level), spread = np.polyfit(waited, answers["score"], 1, cov=True)
    assert _near(slope, -measured.company.score_per_day, np.sqrt(spread[0, 0]))
    assert _near(level, measured.company.score_mean, np.sqrt(spread[1, 1]))
    assert answers["score"].between(0, 10).all()


def test_help_is_less_easy_after_a_late_parcel(measured):
    days = measured.events("delivery").set_index("order")["delivery_days"]
    answers = measured.events("survey_answer").query("question == 'effort'")
    late = answers["order"].map(days) > measured.company.promised_days
    apart = answers["score"][~late].mean() - answers["score"][late].mean()
    error = np.sqrt(answers["score"][late].var() / late.sum() + answers["score"][~late].var() / (~late).sum())
    assert _near(apart, measured.company.effort_late, error)


def test_overall_satisfaction_moves_with_its_drivers_as_planted(measured):
    answers = measured.events("survey_answer").query("survey == 'brand' and question_kind == 'rating'")
    wide = answers.pivot_table(index=["customer", "wave"], columns="question", values="score")
    names = ["taste", "delivery", "price", "service", "shop"]
    assert wide["overall"].between(1, 10).all()
    design = np.column_stack([np.ones(len(wide)), wide[names]])
    slopes = np.linalg.lstsq(design, wide["overall"], rcond=None)[0][1:]
    assert list(np.argsort(-slopes)) == list(np.argsort([-w for w in measured.company.driver_weights]))
    # The scale's ends cut deviations off, which flattens the slopes a little.
    assert slopes == pytest.approx(measured.company.driver_weights, abs=0.1)


def test_features_have_the_planted_kano_categories_in_each_wave(measured):
    answers = measured.events("survey_answer").query("question_kind == 'kano'")
    middle = ["must_be", "neutral", "live_with"]
    for feature, waves in zip(FEATURES, measured.company.kano, strict=True):
        for wave in ("1", "2"):
            asked = answers[(answers["feature"] == feature) & (answers["wave"] == wave)]
            shares = waves[min(int(wave), len(waves)) - 1]
            attractive = ((asked["functional"] == "like") & asked["dysfunctional"].isin(middle)).mean()
            must_be = (asked["functional"].isin(middle) & (asked["dysfunctional"] == "dislike")).mean()
            assert _near(attractive, shares[0], _share_error(shares[0], len(asked)))
            assert _near(must_be, shares[2], _share_error(shares[2], len(asked)))


def test_repeaters_answer_more_often(measured):
    company, days = measured.company, (measured.day("end") - measured.day("start")).days
    at = measured.day("start") + pd.Timedelta(days=0.42 * days)
    before = measured.orders[measured.orders["time"] < at - pd.Timedelta(days=14)].groupby("customer").size()
    asked = measured.events("survey_answer").query("question == 'recommend' and wave == '1'")["customer"]
    for kind, planted in ((before == 1, company.survey_rate), (before > 1, company.survey_rate_repeaters)):
        found = before[kind].index.isin(asked).mean()
        assert _near(found, planted, _share_error(planted, int(kind.sum())))


def test_late_parcels_lower_repurchase(measured):
    days = measured.events("delivery").set_index("order")["delivery_days"]
    read = measured.events("recipe_read")["order"].dropna()
    slow = measured.events("delivery").query("carrier == 'north_post'")["order"]
    orders = measured.orders
    compared = orders[
        orders["followed"]
        & (orders["time"] >= measured.day("delay_start"))
        & orders["order"].isin(slow)
        & ~orders["order"].isin(read)
    ]
    late = compared["order"].map(days) > measured.company.promised_days
    again = compared.groupby(late)["again"].agg(["mean", "size"])
    factor = again["mean"][True] / again["mean"][False]
    relative = np.sqrt(((1 - again["mean"]) / again["mean"] / again["size"]).sum())
    assert _near(factor, measured.company.late_repurchase_factor, factor * relative)


def test_season_multiplies_repeat_orders():
    # the same company without a season, so that the months differ in nothing else
    flat = Company(customers=30_000, recipe_conversion=0.0, season=(1.0,) * 12)
    seasonal = replace(flat, season=Company().season)
    with_season, without = (_repeats_by_month(company) for company in (seasonal, flat))
    # December against August of its year; 6% for who is left by then, as leaving follows orders
    ratio = with_season / without
    planted = np.tile(Company().season, 2)
    for december in (11, 23):
        window = [december - 4, december]
        measured = ratio[window[1]] / ratio[window[0]]
        expected = planted[window[1]] / planted[window[0]]
        error = measured * np.sqrt((1 / with_season[window] + 1 / without[window]).sum())
        assert _near(measured, expected, error + 0.06 * expected)


def _repeats_by_month(company: Company) -> np.ndarray:
    counts = np.zeros(24)
    for number in range(3):
        orders = population(company, number, 10_000)[1]
        month = orders.time[orders.number > 0].astype("datetime64[us]").astype("datetime64[M]").astype(int)
        counts += np.bincount(month - (2024 - 1970) * 12, minlength=24)
    return counts


def test_december_peaks_and_summer_dips_in_the_records(measured):
    repeats = measured.orders[(measured.orders["number"] > 0) & (measured.orders["time"].dt.year == 2025)]
    months = repeats["time"].dt.month.value_counts().sort_index()
    assert months.idxmax() == 12
    assert months[8] < months[6] * 1.05 < months[10]


def test_referred_buyers_order_more_often(measured):
    signups = measured.events("referral_signup")["customer"]
    first = measured.orders.groupby("customer")["time"].min()
    followed = first[first < measured.day("end") - pd.Timedelta(days=180)]
    since = measured.orders["time"] - measured.orders["customer"].map(first)
    soon = measured.orders[(measured.orders["number"] > 0) & (since < pd.Timedelta(days=180))]
    repeats = soon.groupby("customer").size().reindex(followed.index, fill_value=0)
    means = repeats.groupby(repeats.index.isin(signups)).agg(["mean", "sem"])
    factor = means["mean"][True] / means["mean"][False]
    relative = np.hypot(*(means["sem"] / means["mean"]))
    assert _near(factor, _value(measured, "referred_repeat_orders_factor"), factor * relative + 0.01)


def test_referred_factor_is_exact_where_nothing_else_is_planted():
    planted = Company(customers=50_000, recipe_conversion=0.0, late_repurchase_factor=1.0, season=(1.0,) * 12)
    planted = replace(planted, mobile_payment_rate_bug=planted.mobile_payment_rate)
    assert (
        abs(next(t for t in truths(planted) if t.name == "referred_repeat_orders_factor").value - 1.4) < 0.05
    )


def test_referral_programme(measured):
    company = measured.company
    invited, signed = len(measured.events("referral_invite")), len(measured.events("referral_signup"))
    assert _near(
        signed / invited, company.referral_acceptance, _share_error(company.referral_acceptance, invited)
    )
    assert signed == pytest.approx(sum(company.referral_shares) * company.customers, abs=20)
    rewards = measured.events("referral_reward")
    assert len(rewards) <= signed
    assert (rewards["cost"] > 0).all()


def test_channels_differ_in_share_and_conversion(measured):
    first = measured.log.drop_duplicates("customer").set_index("customer")
    viral = first["campaign"] == "viral_article"
    ordinary = first[~viral & (first["event"] != "referral_visit")]
    ordinary = ordinary[ordinary["time"] < measured.day("bug_start") - pd.Timedelta(days=30)]
    bought = ordinary.index.isin(measured.orders["customer"])
    for channel in measured.company.channels:
        through = (ordinary["channel"] == channel.name).to_numpy()
        assert _near(through.mean(), channel.share, _share_error(channel.share, len(ordinary)))
        error = _share_error(channel.conversion, through.sum())
        assert _near(bought[through].mean(), channel.conversion, error)


def test_viral_week_brings_lookers(measured):
    company = measured.company
    first = measured.log.drop_duplicates("customer").set_index("customer")
    viral = first[first["campaign"] == "viral_article"]
    assert viral["time"].min() >= measured.day("viral_week")
    assert viral["time"].max() < measured.day("viral_week") + pd.Timedelta(days=7)
    alone = company.customers * (1 - sum(company.referral_shares))
    assert _near(len(viral) / alone, company.viral_share, _share_error(company.viral_share, alone))
    bought = viral.index.isin(measured.orders["customer"]).mean()
    assert _near(bought, company.viral_conversion, _share_error(company.viral_conversion, len(viral)))


def test_share_of_buyers(measured):
    share = measured.orders["customer"].nunique() / measured.company.customers
    assert 0.55 <= share <= 0.65
    # late arrivals and lost first orders take up to two points
    assert 0 <= measured.company.buyer_share - share < 0.02


@pytest.mark.parametrize(
    ("category", "field"), [("espresso", "grinder_after_espresso"), ("filter", "grinder_after_other")]
)
def test_espresso_buyers_come_back_for_a_grinder(measured, category, field):
    orders = measured.orders
    taste = orders.groupby("customer")["category"].first()
    owned = orders.groupby("customer")["grinder"].cumsum() - orders["grinder"]
    could = orders[(orders["number"] > 0) & (owned == 0) & (orders["customer"].map(taste) == category)]
    planted = getattr(measured.company, field)
    assert _near(could["grinder"].mean(), planted, _share_error(planted, len(could)))


def test_bgnbd_parameters_come_back_where_nothing_else_is_planted(undisturbed):
    company = undisturbed.company
    by_customer = undisturbed.orders.groupby("customer")["time"].agg(["min", "max", "size"])
    week = pd.Timedelta(weeks=1)
    repeats = (by_customer["size"] - 1).to_numpy()
    last = ((by_customer["max"] - by_customer["min"]) / week).to_numpy()
    observed = ((undisturbed.day("end") - by_customer["min"]) / week).to_numpy()

    def loss(logs):
        return -_bgnbd(*np.exp(logs), repeats, last, observed).mean()

    fitted = np.exp(minimize(loss, np.zeros(4), method="Nelder-Mead", options={"maxiter": 2000}).x)
    r, alpha, a, b = fitted
    assert r == pytest.approx(company.r, rel=0.10)
    assert alpha == pytest.approx(company.alpha, rel=0.10)
    assert r / alpha == pytest.approx(company.r / company.alpha, rel=0.04)
    assert a / (a + b) == pytest.approx(company.a / (company.a + company.b), rel=0.10)


def _bgnbd(r, alpha, a, b, repeats, last, observed):
    """Log-likelihood of Fader, Hardie and Lee (2005), equation 6."""
    common = gammaln(r + repeats) - gammaln(r) + r * np.log(alpha)
    still = betaln(a, b + repeats) - betaln(a, b) - (r + repeats) * np.log(alpha + observed)
    left = betaln(a + 1, b + np.maximum(repeats, 1) - 1) - betaln(a, b) - (r + repeats) * np.log(alpha + last)
    return common + np.where(repeats > 0, np.logaddexp(still, left), still)


def test_truths_file_agrees_with_the_company():
    stored = yaml.safe_load(
        resources.files("wayfare.demo").joinpath("truths.yaml").read_text(encoding="utf-8")
    )
    fresh = yaml.safe_load(truths_text(Company()))
    assert stored["simulated"] is True
    planted = {field.name for field in fields(Company)}
    for kept, made in zip(stored["truths"], fresh["truths"], strict=True):
        if kept["name"] in planted:
            assert kept == made
        else:  # counted in the simulation: another NumPy may draw other numbers
            assert kept["value"] == pytest.approx(made["value"], rel=0.15)


def test_every_planted_field_is_listed_and_says_where_it_shows():
    frame = {"customers", "seed", "start", "end"}
    listed = truths(Company(customers=300))
    assert {field.name for field in fields(Company)} - frame <= {truth.name for truth in listed}
    assert len({truth.name for truth in listed}) == len(listed)
    assert all(truth.meaning and truth.where and truth.analyses for truth in listed)


def test_truths_follow_another_company():
    text = truths_text(Company(customers=300, seed=1, bug_start=date(2025, 3, 3), bug_end=date(2025, 3, 31)))
    document = yaml.safe_load(text)
    values = {truth["name"]: truth["value"] for truth in document["truths"]}
    assert (document["customers"], values["bug_start"], values["bug_end"]) == (
        300,
        "2025-03-03",
        "2025-03-31",
    )
