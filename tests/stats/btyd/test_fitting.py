"""Gradients, errors, draws, saving, and what is said where the data can't tell."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stats.btyd.summaries import simulate_bg
from wayfare.errors import BadInput, InvalidParameter, NotReady, UnknownName
from wayfare.stats.btyd import BGBB, BGNBD, MBGNBD, SBG, GammaGamma, ParetoNBD, load_model

COUNTS = [BGNBD, MBGNBD, ParetoNBD, BGBB]
CONTINUOUS = [BGNBD, MBGNBD, ParetoNBD]
ROWS = {
    "frequency": np.array([0, 0, 1, 2, 5, 40, 3]),
    "recency": np.array([0, 0, 1, 9, 12, 39, 20.0]),
    "age": np.array([3, 39, 2, 30, 39, 40, 39.0]),
    "weight": np.array([5, 3, 2, 1, 1, 1, 2.0]),
}
OCCASIONS = {
    "frequency": np.array([0, 1, 2, 6, 3]),
    "recency": np.array([0, 3, 3, 6, 5]),
    "age": np.full(5, 6.0),
    "weight": np.array([9, 4, 2, 5, 1.0]),
}
LOGS = st.lists(st.floats(-3, 3), min_size=8, max_size=8)
PARAMS = {"r": 0.8, "alpha": 8.0, "a": 0.8, "b": 2.5}


@pytest.fixture(scope="module")
def summary():
    rng = np.random.default_rng(11)
    return simulate_bg(rng, PARAMS, rng.integers(70, 400, 1500) / 7.0, 1.0)[0]


def differences(objective, point):
    steps = np.eye(point.size) * 1e-5
    return np.array([(objective(point + step)[0] - objective(point - step)[0]) / 2e-5 for step in steps])


@pytest.mark.parametrize("kind", COUNTS)
@settings(max_examples=25)
@given(logs=LOGS)
def test_gradients_are_those_of_differences(kind, logs):
    table = OCCASIONS if kind is BGBB else ROWS
    rates = np.linspace(-1, 1, table["age"].size)[:, None]
    size = 0 if kind is BGBB else 1
    model = kind()
    _, rows = model.at(np.ones(4))._read(table, None, None)
    point = np.array(logs[: 4 + 2 * size]) / np.array([1] * 4 + [3] * 2 * size)
    objective = model._problem_of(rows, rates[:, :size], -rates[:, :size]).objective(rows.weight)
    value, gradient = objective(point)
    assert np.isfinite(value)
    assert gradient == pytest.approx(differences(objective, point), rel=2e-5, abs=2e-5)


@settings(max_examples=25)
@given(logs=LOGS)
def test_gradients_of_value_and_contract_models(logs):
    x, z = np.array([1.0, 2, 30]), np.array([3.0, 90, 20])
    values = GammaGamma()
    for model, data, size in (
        (values, (x, z), 3),
        (SBG(), (np.array([1.0, 3, 7]), np.array([1.0, 1, 0])), 2),
    ):
        point = np.array(logs[:size])

        def objective(at, model=model, data=data):
            rows, slopes = model._log_likelihood(at, *data)
            return rows.sum(), np.array([slope.sum() for slope in slopes]) * np.exp(at)

        assert objective(point)[1] == pytest.approx(differences(objective, point), rel=2e-5, abs=2e-5)


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_weights_stand_for_customers_and_order_does_not_matter(kind, summary):
    some = {name: values[:300] for name, values in summary.items()}
    twice = {name: np.concatenate((values[::-1], values)) for name, values in some.items()}
    weighted = kind().fit({**some, "weight": np.full(300, 2.0)})
    model = kind().fit(twice)
    assert model.log_likelihood_ == pytest.approx(weighted.log_likelihood_, rel=1e-12)
    assert list(model.params_.values()) == pytest.approx(list(weighted.params_.values()), rel=1e-5)


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_a_first_fit_on_some_customers_leads_to_the_same_optimum(kind, summary, monkeypatch):
    direct = kind().fit(summary)
    monkeypatch.setattr("wayfare.stats.btyd.model._MANY", 1000)
    monkeypatch.setattr("wayfare.stats.btyd.model._SOME", 600)
    staged = kind().fit(summary)
    # Less than what a fit takes for no gain.
    assert staged.log_likelihood_ == pytest.approx(direct.log_likelihood_, abs=1e-5)
    # On these data Pareto/NBD runs along a flat ridge, where only the likelihood is determined.
    assert (staged.boundary_ is None) == (direct.boundary_ is None) == (kind is not ParetoNBD)
    if direct.boundary_ is None:
        assert list(staged.params_.values()) == pytest.approx(list(direct.params_.values()), rel=2e-4)


def test_any_make_of_table(summary):
    pandas, pyarrow, polars = (pytest.importorskip(name) for name in ("pandas", "pyarrow", "polars"))
    expected = BGNBD().fit(summary).params_
    for table in (pandas.DataFrame(summary), pyarrow.table(summary), polars.DataFrame(summary)):
        assert BGNBD().fit(table).params_ == expected


def test_errors_and_draws_agree(summary):
    model = BGNBD().fit(summary)
    draws = model.draws(4000, seed=1)
    logs = np.log(draws)
    spread = np.array(list(model.standard_errors_.values())) / np.array(list(model.params_.values()))
    assert logs.std(axis=0) == pytest.approx(spread, rel=0.05)
    assert logs.mean(axis=0) == pytest.approx(np.log(list(model.params_.values())), abs=0.02)
    assert (model.draws(4000, seed=1) == draws).all()


def test_the_bootstrap_spreads_like_the_curvature(summary):
    model = BGNBD().fit(summary)
    logs = np.log(model.draws(40, seed=1, method="bootstrap"))
    spread = np.array(list(model.standard_errors_.values())) / np.array(list(model.params_.values()))
    assert logs.std(axis=0) == pytest.approx(spread, rel=0.4)


@pytest.mark.parametrize("kind", COUNTS)
def test_json_and_back(kind, summary, tmp_path):
    table = OCCASIONS if kind is BGBB else summary
    model = kind().fit(table)
    text = model.to_json()
    assert json.loads(text)["model"] == kind.__name__
    for other in (kind.from_json(text), load_model(text)):
        assert type(other) is kind
        assert other.params_ == model.params_
        assert other.standard_errors_ == model.standard_errors_
        assert (other.draws(3, seed=2) == model.draws(3, seed=2)).all()
        assert (other.predict_orders(table, 4) == model.predict_orders(table, 4)).all()
    with pytest.raises(NotReady, match="no data to resample"):
        kind.from_json(text).draws(2, seed=1, method="bootstrap")


def test_json_of_another_kind():
    text = GammaGamma().fit({"frequency": [1, 2, 3, 9], "value": [3.0, 9, 4, 5]}).to_json()
    assert isinstance(load_model(text), GammaGamma)
    with pytest.raises(BadInput, match="a GammaGamma, not a BGNBD"):
        BGNBD.from_json(text)
    with pytest.raises(BadInput, match="no saved"):
        load_model("[]")
    with pytest.raises(UnknownName, match="no model 'Other'"):
        load_model('{"model": "Other"}')


def test_covariates_are_recovered():
    rng = np.random.default_rng(5)
    z = (rng.random(4000) < 0.5).astype(float)
    parts = [
        simulate_bg(
            rng,
            {**PARAMS, "alpha": 8.0 * np.exp(-0.7 * group)},
            rng.uniform(20, 60, int((z == group).sum())),
            1,
        )
        for group in (0, 1)
    ]
    table = {
        name: np.concatenate([part[0][name] for part in parts]) for name in ("frequency", "recency", "age")
    }
    model = BGNBD().fit(table, rate={"offline": np.sort(z)})
    # α exp(−γz): planted γ = .7.
    assert abs(model.params_["rate_offline"] - 0.7) < 3 * model.standard_errors_["rate_offline"]
    with pytest.raises(InvalidParameter, match="fitted with the covariates"):
        model.predict_orders(table, 4)
    again = load_model(model.to_json())
    expected = model.predict_orders(table, 4, rate={"offline": np.sort(z)})
    assert (again.predict_orders(table, 4, rate={"offline": np.sort(z)}) == expected).all()


def test_covariates_must_fit(summary):
    with pytest.raises(BadInput, match="one row of finite numbers"):
        BGNBD().fit(summary, rate=np.ones((3, 1)))
    with pytest.raises(InvalidParameter, match="takes no covariates"):
        BGBB().fit(OCCASIONS, rate=np.ones((5, 1)))


@pytest.mark.parametrize("kind", COUNTS)
def test_one_time_buyers_only(kind):
    with pytest.raises(BadInput, match="No customer has bought twice"):
        kind().fit({"frequency": [0, 0, 0], "recency": [0, 0, 0], "age": [5, 6, 6]})


@pytest.mark.parametrize("kind", COUNTS)
def test_one_customer_gives_a_statement_and_no_crash(kind):
    model = kind().fit({"frequency": [3], "recency": [5], "age": [6]})
    assert model.boundary_
    assert np.isfinite(model.predict_orders({"frequency": [3], "recency": [5], "age": [6]}, 4)).all()
    assert np.isfinite(model.draws(10, seed=1)).all()


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_nobody_leaves(kind):
    rng = np.random.default_rng(2)
    table, _ = simulate_bg(rng, {"r": 1.0, "alpha": 4.0, "a": 1e-6, "b": 10.0}, rng.uniform(30, 60, 800), 1)
    model = kind().fit(table)
    assert "No drop-out can be seen" in model.boundary_
    assert model.predict_alive(table).min() > 0.9
    # A penalty answers it: every parameter is then finite and known.
    held = kind(penalty=1.0).fit(table)
    assert max(held.params_.values()) < 1e4
    assert held.log_likelihood_ <= model.log_likelihood_


def test_everybody_alike():
    rng = np.random.default_rng(4)
    table, _ = simulate_bg(rng, {"r": 5e3, "alpha": 2e4, "a": 1.0, "b": 4.0}, rng.uniform(30, 60, 800), 1)
    assert "don't differ in their pace" in BGNBD().fit(table).boundary_


def test_settings_and_order_of_calls():
    with pytest.raises(NotReady, match="has not been fitted"):
        _ = BGNBD().params_
    with pytest.raises(InvalidParameter, match="penalty"):
        BGNBD(penalty=-1.0)
    with pytest.raises(InvalidParameter, match="no parameters of BGNBD"):
        BGNBD().at([1.0, 2.0])
    with pytest.raises(InvalidParameter, match="no method"):
        BGNBD().at(PARAMS).draws(1, seed=1, method="other")
    with pytest.raises(InvalidParameter, match="horizon"):
        BGNBD().at(PARAMS).predict_orders(ROWS, -1.0)
    assert repr(BGNBD().at(PARAMS)) == "BGNBD(r=0.8, alpha=8, a=0.8, b=2.5)"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"frequency": [0.5, 1]}, "no whole number"),
        ({"recency": [0, 99]}, "beyond the age"),
        ({"recency": [1, 2]}, "without a repeat order"),
        ({"recency": [0, 0]}, "recency of 0"),
        ({"age": [np.nan, 9]}, "missing or infinite"),
        ({"age": ["x", "y"]}, "other than numbers"),
        ({"weight": [-1, 1]}, "weight is negative"),
        ({"age": [9, 9, 9]}, "differ in length"),
    ],
)
def test_impossible_summaries(change, problem):
    with pytest.raises(BadInput, match=problem):
        BGNBD().fit({"frequency": [0, 1], "recency": [0, 3], "age": [9, 9], **change})


def test_a_missing_column_is_named():
    with pytest.raises(UnknownName, match="no column 'age'"):
        BGNBD().fit({"frequency": [1], "recency": [1]})


def test_values_and_contracts_that_can_not_be_fitted():
    with pytest.raises(BadInput, match="0 or less"):
        GammaGamma().fit({"frequency": [1, 2], "value": [0.0, 3.0]})
    with pytest.raises(BadInput, match="Fewer than two"):
        GammaGamma().fit({"frequency": [0, 2], "value": [0.0, 3.0]})
    with pytest.raises(BadInput, match="Nobody has left"):
        SBG().fit({"age": [2, 3], "churned": [0, 0]})
    with pytest.raises(BadInput, match="falling"):
        SBG().fit_survivors([1, 2])
    with pytest.raises(BadInput, match="occasions"):
        BGBB().fit({"frequency": [2], "recency": [1.5], "age": [6]})
    with pytest.raises(InvalidParameter, match="occasions"):
        BGBB().at(np.ones(4)).predict_orders(OCCASIONS, 1.5)


def test_a_value_without_a_mean_is_said():
    rng = np.random.default_rng(0)
    spread = 10 * np.exp(3 * rng.standard_normal(500))
    model = GammaGamma().fit({"frequency": np.full(500, 3.0), "value": spread})
    assert "no finite mean" in model.boundary_
    assert np.isinf(model.expected_value())
    assert np.isfinite(model.predict_value({"frequency": [30], "value": [50.0]})).all()


def test_remaining_periods_by_summing():
    model = SBG().at({"alpha": 1.5, "beta": 4.0})
    periods = np.arange(1, 2_000)
    survival = model.predict_survival(periods, age=3)
    # Σ S(3+k)/S(3)/(1+d)^(k−1), summed.
    assert model.expected_remaining(3, discount=0.1) == pytest.approx(
        (survival / 1.1 ** (periods - 1.0)).sum(), rel=1e-9
    )
    # (β+n)/(α−1) = 7/.5.
    assert model.expected_remaining(3) == pytest.approx(14.0)
    assert np.isinf(SBG().at({"alpha": 0.7, "beta": 1.2}).expected_remaining())


def test_the_models_load_only_when_asked_for():
    code = "import sys, wayfare.stats.btyd; assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
