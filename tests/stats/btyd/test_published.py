"""The models against published figures, on raw dates."""

from __future__ import annotations

import numpy as np
import pytest

from wayfare.stats.btyd import BGBB, BGNBD, MBGNBD, SBG, GammaGamma, ParetoNBD

# Optimum, log-likelihood and expected orders of the 39 weeks held out. Parameters as published, and to more
# digits as reference fits of the same summary: Fader, Hardie & Lee (2005, Marketing Science 24), BG/NBD .243,
# 4.414, .793, 2.426, LL −9582.4, and Pareto/NBD .553, 10.578, .606, 11.669, LL −9595.0; MBG/NBD a reference fit.
CDNOW = {
    "BGNBD": ([0.242595, 4.413602, 0.792921, 2.425905], -9582.4292, 1653.41),
    "ParetoNBD": ([0.5533, 10.5776, 0.6063, 11.670], -9594.9762, 1665.49),
    "MBGNBD": ([0.524842, 6.18308, 0.891368, 1.614023], -9582.1357, 1576.72),
}
PAPER = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
PARETO_PAPER = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}


def test_the_summary_of_cdnow_is_that_of_the_papers(cdnow):
    summary, later = cdnow
    # Fader & Hardie's description of the data set: 2,357 customers; repeat customer-days 2,457; holdout 1,882.
    assert summary["age"].size == 2357
    assert summary["frequency"].sum() == 2457
    assert later.sum() == 1882
    assert (later > 0).sum() == 684


@pytest.mark.parametrize("name", CDNOW)
def test_cdnow_sample(name, cdnow, cdnow_models):
    model, (parameters, log_likelihood, expected) = cdnow_models[name], CDNOW[name]
    assert list(model.params_.values()) == pytest.approx(parameters, rel=1e-4)
    assert model.log_likelihood_ == pytest.approx(log_likelihood, abs=2e-4)
    assert model.predict_orders(cdnow[0], 39).sum() == pytest.approx(expected, abs=0.03)
    assert model.boundary_ is None
    assert model.aic_ == pytest.approx(8 - 2 * log_likelihood, abs=1e-3)
    assert model.bic_ == pytest.approx(4 * np.log(2357) - 2 * log_likelihood, abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "log_likelihood", "expected"),
    # Reference fits of all 23,570 customers.
    [(BGNBD, -95368.444, 16873.7), (ParetoNBD, -95415.119, 17153.4), (MBGNBD, -95336.958, 15933.6)],
)
def test_cdnow_master(kind, log_likelihood, expected, cdnow_master):
    summary, later = cdnow_master
    model = kind().fit(summary)
    assert later.sum() == 19684
    assert model.log_likelihood_ == pytest.approx(log_likelihood, abs=1e-3)
    assert model.predict_orders(summary, 39).sum() == pytest.approx(expected, rel=3e-5)


def test_bg_nbd_expectations_of_the_paper():
    model = BGNBD().at(PAPER)
    # Fader, Hardie & Lee (2005), Implementing the BG/NBD Model in Excel: customer 0001, E[Y(39)] = 1.226.
    seen = {"frequency": [2], "recency": [30.43], "age": [38.86]}
    assert model.predict_orders(seen, 39)[0] == pytest.approx(1.226, abs=5e-4)
    assert model.p_count(0, 39) == pytest.approx(0.5737864, abs=5e-8)


def test_bg_nbd_expected_orders_of_a_new_customer(cdnow_models):
    # The same note's column E[X(t)]. Its last figure is 1.8576: the spreadsheet cuts its series short. By mpmath
    # with 50 digits, equation 9 of the paper gives 1.85796 there.
    published = {0.1429: 0.0078, 1: 0.0532, 3: 0.1506, 31.8571: 1.0405, 32: 1.0437, 78: 1.85796}
    found = cdnow_models["BGNBD"].expected_new(np.array(list(published)))
    assert found == pytest.approx(np.array(list(published.values())), abs=5.1e-5)


def test_pareto_nbd_expectations_of_the_paper():
    model = ParetoNBD().at(PARETO_PAPER)
    # BTYD's vignette (Dziurzynski, Wadsworth & McCarthy 2014): 25.46 for (26, 30.86, 31), 1.473 for a new one.
    assert model.predict_orders({"frequency": [26], "recency": [30.86], "age": [31]}, 52)[0] == pytest.approx(
        25.46, abs=5e-3
    )
    assert model.expected_new(52) == pytest.approx(1.473, abs=5e-4)


def test_a_log_likelihood_that_overflows_term_by_term():
    model = BGNBD().at({"r": 0.25, "alpha": 4.0, "a": 0.8, "b": 2.5})
    # By mpmath with 50 digits, equation 6 of the paper as it stands.
    assert one_row(model, 200.0, 38.0, 40.0) == pytest.approx(100.7957, abs=5e-5)


def test_next_purchases_of_cdnow(cdnow, cdnow_models):
    summary, later = cdnow
    model = cdnow_models["BGNBD"]
    # Predicted active customers at 4, 13 and 39 weeks (actual 164, 402, 684), by the closed form of P(buy).
    active = [round(model.predict_buy(summary, weeks).sum()) for weeks in (4, 13, 39)]
    assert active == [161, 362, 617]
    chance, bought = model.predict_buy(summary, 39), later > 0
    assert np.mean((chance - bought) ** 2) == pytest.approx(0.161, abs=5e-4)
    assert area_under_curve(chance, bought) == pytest.approx(0.757, abs=5e-4)
    expected = model.predict_orders(summary, 39)
    top = np.argsort(-expected, kind="stable")[: round(expected.size / 10)]
    assert later[top].sum() / later.sum() == pytest.approx(0.470, abs=2e-3)


def test_gamma_gamma_on_cdnow(cdnow):
    summary, _ = cdnow
    used = (summary["frequency"] == 0) | (summary["value"] > 0)
    model = GammaGamma().fit({name: summary[name][used] for name in ("frequency", "value")})
    # Fader & Hardie (2013), The Gamma-Gamma Model: 946 repeaters, 6.25, 3.74, 15.44, LL −4055.92.
    assert (summary["frequency"] > 0).sum() == 946
    assert list(model.params_.values()) == pytest.approx([6.2496, 3.7442, 15.4435], rel=2e-5)
    assert model.log_likelihood_ == pytest.approx(-4055.9177, abs=1e-4)
    # E[Z] of a new customer: pγ/(q−1), by hand from the parameters above.
    assert model.expected_value() == pytest.approx(6.2496 * 15.4435 / 2.7442, rel=1e-4)


def test_apparel(apparel):
    summary, _ = apparel
    # R's CLVTools on its own data, first 104 weeks.
    pareto = ParetoNBD().fit(summary)
    assert list(pareto.params_.values()) == pytest.approx([1.4489, 48.635, 0.5612, 46.882], rel=1e-4)
    assert pareto.log_likelihood_ == pytest.approx(-5848.098, abs=1e-3)
    assert BGNBD().fit(summary).log_likelihood_ == pytest.approx(-5857.020, abs=1e-3)


def test_gamma_gamma_on_apparel(apparel):
    model = GammaGamma().fit(apparel[0])
    # R's CLVTools.
    assert list(model.params_.values()) == pytest.approx([3.0990, 5.6537, 56.504], rel=1e-4)
    assert model.log_likelihood_ == pytest.approx(-1670.663, abs=1e-3)


def test_bg_bb_on_donations(donations):
    model = BGBB().fit(donations)
    # Fader, Hardie & Shang (2010), Marketing Science 29: 1.204, .750, .657, 2.783, LL −33225.6; 12,884 expected in 5 years.
    assert list(model.params_.values()) == pytest.approx([1.204, 0.750, 0.657, 2.783], abs=6e-4)
    assert model.log_likelihood_ == pytest.approx(-33225.58, abs=5e-3)
    assert donations["weight"] @ model.predict_orders(donations, 5) == pytest.approx(12884.2, abs=0.1)
    some = {"frequency": [0, 2, 6], "recency": [0, 4, 6], "age": [6, 6, 6]}
    # Their table of P(alive in 2002).
    assert np.round(model.predict_alive(some), 2).tolist() == [0.11, 0.59, 0.93]


def test_sbg_on_the_published_survivors():
    survivors = np.array([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1])
    model = SBG().fit_survivors(survivors)
    # Fader & Hardie (2007), J. of Interactive Marketing 21, the "regular" customers: .704 and 1.182.
    assert list(model.params_.values()) == pytest.approx([0.704, 1.182], abs=5e-4)
    assert 100 * model.predict_survival(np.arange(8)) == pytest.approx(survivors, abs=0.8)
    # r_t = (β+t−1)/(α+β+t−1), equation 8 there.
    assert model.predict_retention(0) == pytest.approx(1.182 / (0.704 + 1.182), abs=1e-3)


def test_online_retail_runs_to_the_boundary_and_says_so(online_retail):
    summary, later = online_retail
    model = BGNBD().fit(summary)
    assert "No drop-out can be seen" in model.boundary_
    # A plain BG/NBD forecasts 3,384 orders where 4,482 came: the season ahead was never observed.
    assert model.predict_orders(summary, 13).sum() == pytest.approx(3384, abs=1)
    assert later.sum() == 4482
    assert np.isfinite(model.total_draws(summary, 13, draws=20, seed=1)).all()


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD, ParetoNBD])
def test_covariates_of_apparel_explain_more(kind, apparel):
    summary, known = apparel
    plain, model = kind().fit(summary), kind().fit(summary, rate=known, dropout=known)
    assert model.aic_ < plain.aic_
    assert list(model.params_)[4:] == ["rate_Gender", "rate_Channel", "dropout_Gender", "dropout_Channel"]
    # The data are simulated so that customers acquired offline (1) order more often.
    assert model.params_["rate_Channel"] > 0
    expected = model.predict_orders(summary, 52, rate=known, dropout=known)
    assert expected.sum() == pytest.approx(plain.predict_orders(summary, 52).sum(), rel=0.05)


def one_row(model, frequency, recency, age):
    table = {"frequency": np.array([frequency]), "recency": np.array([recency]), "age": np.array([age])}
    theta, rows = model._read(table, None, None)
    return model._log_likelihood(theta, rows)[0][0]


def area_under_curve(score, positive):
    order = np.argsort(score)
    _, place, count = np.unique(score[order], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    hits = positive[order]
    return (ranks[hits].sum() - hits.sum() * (hits.sum() + 1) / 2) / (hits.sum() * (~hits).sum())
