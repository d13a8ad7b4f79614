from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.analyses.kano.shoppers import (
    LOG_ODDS_HIGH,
    LOG_ODDS_LOW,
    PENALTY,
    RATED,
    REWARD,
    START,
    read,
    rows_of,
    shoppers,
)
from wayfare.analyses.kano._models import cox, logistic
from wayfare.errors import InvalidParameter


@pytest.fixture(scope="module")
def frame():
    return shoppers()


@pytest.fixture(scope="module")
def result(frame):
    return wf.kano_derived(read(frame), draws=300)


def test_the_planted_classes_come_back(result):
    found = rows_of(result.classes, "feature", "against")
    against = "overall satisfaction"
    assert {name: found[name, against]["category"] for name in RATED} == dict(zip(RATED, "MOAI", strict=True))
    for place, name in enumerate(RATED):
        row = found[name, against]
        assert row["basis"] == "derived"
        assert row["n"] == 2500
        # Rounding to whole points and the ends of the scale take a little off the larger effects.
        assert row["penalty"] == pytest.approx(PENALTY[place], abs=0.25)
        assert row["reward"] == pytest.approx(REWARD[place], abs=0.25)
        assert row["penalty_low"] <= row["penalty"] <= row["penalty_high"]
        assert row["range"] == pytest.approx(max(-row["penalty"], 0) + max(row["reward"], 0))


def test_the_contrast_is_a_least_squares_regression(frame, result):
    # statsmodels on the same dummies.
    import statsmodels.api as sm

    wide = frame[frame["event"] == "survey_answer"].pivot_table(
        index="customer", columns="question", values="score"
    )
    x = np.hstack([wide[list(RATED)] <= 2, wide[list(RATED)] >= 4]).astype(float)
    fit = sm.OLS(wide["overall"], sm.add_constant(x)).fit()
    found = rows_of(result.classes, "feature", "against")
    for place, name in enumerate(RATED):
        assert found[name, "overall satisfaction"]["penalty"] == pytest.approx(fit.params.iloc[1 + place])
        assert found[name, "overall satisfaction"]["reward"] == pytest.approx(fit.params.iloc[5 + place])


def test_the_planted_effects_on_re_purchase_come_back(result):
    found = rows_of(result.effects, "feature", "level")
    for place, name in enumerate(RATED):
        for level, truth in (("2 or lower", LOG_ODDS_LOW[place]), ("4 or higher", LOG_ODDS_HIGH[place])):
            row = found[name, level]
            assert np.log(row["odds_ratio_low"]) - 0.1 < truth < np.log(row["odds_ratio_high"]) + 0.1
            expected = "can't be told" if truth == 0 else "raises" if truth > 0 else "lowers"
            assert row["effect"] == expected
            if truth:
                assert np.sign(np.log(row["hazard_ratio"])) == np.sign(truth)
    assert "overall" not in {row["feature"] for row in result.effects.to_pylist()}
    assert any("Observational" in warning and "derived" in warning for warning in result.warnings)
    assert result.leaks.num_rows == 0
    assert "weaker than asking" in result.findings[-1].text


@pytest.mark.parametrize("seed", [1, 2])
def test_the_regressions_are_those_of_statsmodels(seed):
    import statsmodels.api as sm
    from statsmodels.duration.hazard_regression import PHReg

    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (800, 4)).astype(float)
    truth = np.array([0.5, -0.7, 0.0, 1.0])
    y = rng.random(800) < 1 / (1 + np.exp(-(x @ truth - 0.5)))
    fit, peer = logistic(x, y), sm.Logit(y.astype(float), sm.add_constant(x)).fit(disp=0)
    assert fit.estimate == pytest.approx(peer.params[1:], abs=0.004)  # the weak prior pulls a little
    assert fit.error == pytest.approx(peer.bse[1:], rel=0.01)
    waits, ends = rng.exponential(40 * np.exp(-x @ truth)), rng.uniform(5, 90, 800)
    days, seen = np.ceil(np.minimum(waits, ends)), waits <= ends
    hazard, peer = cox(x, days, seen), PHReg(days, x, status=seen, ties="efron").fit()
    assert hazard.estimate == pytest.approx(peer.params, abs=0.003)
    assert hazard.error == pytest.approx(peer.bse, rel=0.01)


def test_a_predictor_that_splits_the_outcome_stays_finite():
    x = np.repeat([[0.0], [1.0]], 50, axis=0)
    fit = logistic(x, x[:, 0] > 0)
    assert np.isfinite(fit.estimate).all()
    assert fit.estimate[0] > 3


def telco(folder):
    """The operator's customers: joined by their tenure, then asked, then gone within a month if they churned."""
    status = pd.read_csv(folder / "telco" / "Telco_customer_churn_status.csv")
    services = pd.read_csv(folder / "telco" / "Telco_customer_churn_services.csv", keep_default_na=False)
    assert (status["Customer ID"] == services["Customer ID"]).all()
    asked, ids = pd.Timestamp("2024-01-01"), status["Customer ID"]
    left = status["Churn Value"].eq(1).to_numpy()
    joined = asked - pd.to_timedelta(services["Tenure in Months"] * 30, unit="D")
    rows = [
        pd.DataFrame({"customer": ids, "time": joined, "event": "joined"}),
        pd.DataFrame({"customer": ids, "time": asked, "event": "survey_answer", "question": "satisfaction",
                      "score": status["Satisfaction Score"].astype(float)}),
        pd.DataFrame({"customer": ids[left], "time": asked + pd.Timedelta(days=30), "event": "churned"}),
        pd.DataFrame({"customer": [ids[0]], "time": [asked + pd.Timedelta(days=95)], "event": "invoice"}),
    ]  # fmt: skip
    wanted = {"Online Security": "online_security", "Contract": "contract"}
    attributes = services[["Customer ID", *wanted]].rename(columns={"Customer ID": "customer", **wanted})
    return read(pd.concat(rows, ignore_index=True)).with_attributes(
        attributes.assign(churn_label=status["Churn Label"])
    )


def test_telco_satisfaction_leaks_churn(shared_data):
    """data/README.md: 7,043 customers, 26.54 % churned; satisfaction 1–2 means 100 % churn."""
    result = wf.kano_derived(telco(shared_data))
    leak = rows_of(result.leaks, "feature", "outcome")["satisfaction", "leaving"]
    # 922 customers said 1 and 518 said 2, counted in the file.
    assert (leak["level"], leak["customers"], leak["share"], leak["says"]) == ("1, 2", 1440, 1.0, "left")
    assert leak["others_share"] == pytest.approx((0.2654 * 7043 - 1440) / (7043 - 1440), abs=1e-4)
    assert any(
        w.startswith("The score leaks the outcome: of 1,440 customers with satisfaction at 1, 2, all left")
        for w in result.warnings
    )
    assert result.findings[0].text.startswith("The score leaks")
    assert not [row for row in result.effects.to_pylist() if row["feature"] == "satisfaction"]
    # A column that is the outcome itself leaks it too.
    assert ("churn_label", "leaving") in rows_of(result.leaks, "feature", "outcome")
    found = rows_of(result.effects, "outcome", "feature", "level")
    assert found["leaving", "online_security", "Yes"]["effect"] == "lowers"
    assert found["leaving", "contract", "Two Year"]["hazard_ratio"] < 0.2
    shares = pd.read_csv(shared_data / "telco" / "Telco_customer_churn_status.csv")["Churn Value"].mean()
    assert round(100 * shares, 2) == 26.54
    assert result.chart() is not None


def test_a_leak_is_not_seen_where_there_is_none(result):
    assert not any("leaks" in warning for warning in result.warnings)


def test_ratings_given_apart_are_contrasted_apart(frame):
    # Half the questions belong to another survey that a tenth answered: the others keep all their customers.
    few = frame["question"].isin(["surprise", "logo"]) & ~frame["customer"].str.endswith("7")
    found = rows_of(wf.kano_derived(read(frame[~few]), draws=50).classes, "feature", "against")
    n = {name: found[name, "overall satisfaction"]["n"] for name in RATED}
    assert n == {"delivery": 2500, "price": 2500, "surprise": 250, "logo": 250}
    assert found["surprise", "overall satisfaction"]["category"] == "A"


def test_which_question_is_overall(frame):
    log = read(frame)
    said = wf.kano_derived(log, overall="price", draws=20)
    assert "overall" in {row["feature"] for row in said.classes.to_pylist()}
    assert "price" not in {row["feature"] for row in said.classes.to_pylist()}
    with pytest.raises(InvalidParameter) as error:
        wf.kano_derived(log, overall="nothing")
    assert "price" in error.value.allowed


def test_features_by_column_and_by_event(frame):
    chat = pd.DataFrame({"customer": [f"c{i:05d}" for i in range(0, 2500, 2)], "time": START - pd.Timedelta(days=90),
                         "event": "live_chat"})  # fmt: skip
    plan = {f"c{i:05d}": "gold" if i % 3 == 0 else "basic" for i in range(2500)}
    log = read(pd.concat([frame, chat], ignore_index=True).assign(plan=lambda f: f["customer"].map(plan)))
    effects = rows_of(
        wf.kano_derived(log, features=("plan",), used=("live_chat",), draws=20).effects, "feature", "level"
    )
    assert effects["live_chat", "yes"]["reference"] == "no"
    assert effects["live_chat", "yes"]["customers"] == 1250
    assert effects["plan", "gold"]["reference"] == "basic"
    assert effects["plan", "gold"]["effect"] == "can't be told"  # planted: nothing


def test_an_answer_whose_window_is_not_over_is_not_judged():
    rows = [
        {"customer": f"c{i:02d}", "time": START, "event": "survey_answer", "score": float(1 + i % 5)}
        for i in range(40)
    ]
    rows.append(
        {"customer": "c00", "time": START + pd.Timedelta(days=30), "event": "purchase", "score": np.nan}
    )
    result = wf.kano_derived(read(pd.DataFrame(rows)))
    assert result.findings[0].text.startswith(
        "Too few to say what moves re-purchase: the window is over for 0 of 40"
    )
    assert all(row["customers"] == 0 for row in result.effects.to_pylist())


def sample(seed, customers=25):
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        for _ in range(rng.integers(1, 7)):
            event = rng.choice(["survey_answer", "purchase", "visit"])
            rows.append({"customer": f"c{number:02d}", "time": START + pd.Timedelta(hours=float(rng.integers(0, 24 * 300))) +
                         pd.Timedelta(seconds=len(rows)), "event": event,
                         "score": float(rng.integers(1, 6)) if event == "survey_answer" else np.nan,
                         "question": "q" if event == "survey_answer" else None})  # fmt: skip
    return rows


def oracle(rows, window=90):
    """Of each low, middle and high rating: customers judged and who ordered again; by a loop over customers."""
    end = max(row["time"] for row in rows)
    found = {}
    for customer in sorted({row["customer"] for row in rows}):
        mine = sorted((row for row in rows if row["customer"] == customer), key=lambda row: row["time"])
        answers = [row for row in mine if row["event"] == "survey_answer"]
        over = [row for row in answers if row["time"] <= end - pd.Timedelta(days=window)]
        if not over:
            continue
        last = over[-1]
        band = "2 or lower" if last["score"] <= 2 else "4 or higher" if last["score"] >= 4 else "in between"
        again = any(
            row["event"] == "purchase"
            and last["time"] < row["time"] <= last["time"] + pd.Timedelta(days=window)
            for row in mine
        )
        customers, hits = found.get(band, (0, 0))
        found[band] = (customers + 1, hits + again)
    return found


@given(seed=st.integers(0, 10_000))
@settings(max_examples=12)
def test_against_a_plain_loop(seed):
    rows = sample(seed)
    if not any(row["event"] == "survey_answer" and row["score"] == s for row in rows for s in (4.0, 5.0)):
        return
    expected, log = oracle(rows), read(pd.DataFrame(rows))
    for cut in (log, in_blocks(log, 4)):
        result = wf.kano_derived(cut, draws=10)
        for row in result.effects.to_pylist():
            # Where the outer quarters hold too few, others are the bands: those have their own test.
            if row["level"] in ("2 or lower", "4 or higher"):
                customers, hits = expected.get(row["level"], (0, 0))
                assert row["customers"] == customers
                if customers:
                    assert row["share"] == pytest.approx(hits / customers)


def test_other_bands_where_nobody_uses_the_ends_of_the_scale():
    rows = [
        {"customer": f"c{i:03d}", "time": START, "event": "survey_answer", "question": q, "question_kind": "rating",
         "score": float(6 + i % 5)}
        for i in range(200) for q in ("x", "overall")
    ]  # fmt: skip
    row = wf.kano_derived(read(pd.DataFrame(rows)), draws=20).classes.to_pylist()[0]
    # On a scale to 10 nobody is in the lowest quarter: the lowest fifth is low; 7.75 and more, so 8, is the highest quarter.
    assert (row["low_at"], row["high_at"]) == (6.0, 8.0)


@pytest.mark.parametrize("columns", [["customer", "time", "event"], ["customer", "time", "event", "score"]])
def test_next_to_nothing(columns):
    frame = pd.DataFrame({"customer": ["a"], "time": [START], "event": ["purchase"], "score": [3.0]})[columns]
    result = wf.kano_derived(wf.read_events(frame, customer="customer", time="time", event="event"))
    assert "oo few to say" in result.findings[0].text
    result.to_json()


def test_draws_are_checked(frame):
    with pytest.raises(InvalidParameter):
        wf.kano_derived(read(frame), draws=0)
