from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.analyses.repurchase.shops import cdnow, log_of, read, steady_shop
from wayfare.errors import InvalidParameter
from wayfare.stats.btyd import BGNBD

# Every 10 days up to 9 September 2024 and then silent; every 30 days to the end; two orders; one order.
PACE = [
    *[("weekly", f"2024-{month:02d}-{day:02d}", 20.0) for month in (7, 8) for day in (1, 11, 21)],
    ("weekly", "2024-09-09", 20.0),
    *[
        ("monthly", day, 30.0)
        for day in ("2024-07-01", "2024-07-31", "2024-08-30", "2024-09-29", "2024-10-29")
    ],
    ("twice", "2024-09-01", 5.0),
    ("twice", "2024-10-01", 5.0),
    ("once", "2024-07-01", 5.0),
]


def rows_of(table, key="customer"):
    return {row[key]: row for row in table.to_pylist()}


@pytest.fixture(scope="module")
def shop():
    return read(steady_shop(1200), value="value")


@pytest.fixture(scope="module")
def churn_of_shop(shop):
    return wf.churn(shop, top=10_000)


def test_without_a_model_each_is_late_by_the_own_gaps():
    result = wf.churn(log_of(PACE))
    row = rows_of(result.customers)["weekly"]
    assert set(rows_of(result.customers)) == {"weekly"}
    # Six gaps add up to 70 days, 50 days of silence: 1 − (1 + 50/70)^−6; due at 70·(5^(1/6) − 1) days.
    assert row["overdue"] == pytest.approx(1 - (1 + 50 / 70) ** -6)
    assert row["days_since_order"] == 50
    assert row["usual_gap_days"] == pytest.approx(70 / 6)
    assert row["late_by_days"] == pytest.approx(50 - 70 * (5 ** (1 / 6) - 1))
    assert row["p_alive"] is None
    assert row["value_at_stake"] is None
    states = rows_of(result.summary, "state")
    assert [states[name]["customers"] for name in ("late", "on time", "one order")] == [1, 2, 1]
    assert any("Too few repeat customers for a model" in finding.text for finding in result.findings)


def test_what_changed_before():
    frame = pd.DataFrame(
        [(c, t, "purchase") for c, t, _ in PACE]
        + [
            ("weekly", "2024-08-22", "refund"),
            ("weekly", "2024-08-01", "support_contact"),
            ("weekly", "2024-09-20", "complaint"),
        ],
        columns=["customer", "time", "event"],
    )
    frame["time"] = pd.to_datetime(frame["time"])
    frame["score"] = np.where(frame["event"] == "complaint", 3.0, np.nan)
    frame.loc[len(frame)] = ["monthly", pd.Timestamp("2024-10-20"), "survey", 9.0]
    row = rows_of(wf.churn(read(frame, score="score")).customers)["weekly"]
    # The last gap is 19 days, the five before are 10.2 on average; the contact of 1 August lies before the last two orders.
    assert row["changed_before"] == "slower gaps, refund, support contact, low score"


def test_lateness_is_the_models(shop, churn_of_shop):
    frame = steady_shop(1200)
    days = frame.drop_duplicates(["customer", "time"]).groupby("customer")["time"]
    end = frame["time"].max()
    summary = pd.DataFrame({"frequency": days.count() - 1, "recency": (days.max() - days.min()).dt.days / 7,
                            "age": (end - days.min()).dt.days / 7})  # fmt: skip
    chosen = next(row["model"] for row in wf.forecast(shop).models.to_pylist() if row["chosen"])
    assert chosen == "BG/NBD"  # what the customers were simulated by
    p = BGNBD().fit(summary).params_
    again = summary[summary["frequency"] > 0]
    # Given alive at the last order the wait is Pareto: P(order within s) = 1 − ((α + t_x)/(α + t_x + s))^(r + x).
    silence = again["age"] - again["recency"]
    overdue = 1 - ((p["alpha"] + again["recency"]) / (p["alpha"] + again["age"])) ** (
        p["r"] + again["frequency"]
    )
    late = overdue[overdue >= 0.8]
    found = churn_of_shop.to_pandas().set_index("customer")
    assert set(found.index) == set(late.index)
    assert found["overdue"].to_numpy() == pytest.approx(late[found.index].to_numpy())
    due = 7 * (p["alpha"] + again["recency"]) * (5 ** (1 / (p["r"] + again["frequency"])) - 1)
    assert found["late_by_days"].to_numpy() == pytest.approx(
        (7 * silence - due)[found.index].to_numpy(), abs=1e-6
    )


def test_the_most_at_stake_come_first(churn_of_shop, shop):
    stake = churn_of_shop.customers["value_at_stake"].to_pylist()
    assert stake == sorted(stake, reverse=True)
    ahead = rows_of(wf.forecast(shop).customers)
    for row in churn_of_shop.customers.to_pylist()[:5]:
        assert row["value_at_stake"] == ahead[row["customer"]]["lifetime_value"]
        assert row["p_alive"] == ahead[row["customer"]]["p_alive"]
    assert churn_of_shop.findings[0].money == pytest.approx(sum(stake))
    assert wf.churn(shop, top=3).customers.num_rows == 3


def test_states_add_up(churn_of_shop):
    states = rows_of(churn_of_shop.summary, "state")
    assert sum(row["customers"] for row in states.values()) == 1200
    assert states["late"]["customers"] == churn_of_shop.customers.num_rows


def test_the_rule_is_calibrated_on_a_simulation(churn_of_shop):
    rows = rows_of(churn_of_shop.calibration, "state")
    late, on_time = rows["late"], rows["on time"]
    assert late["share"] < on_time["share"] / 2
    for row in (late, on_time):
        # Binomial noise about the expected number: three standard deviations.
        assert abs(row["actual"] - row["expected"]) < 3 * np.sqrt(row["expected"])


def test_cdnow_calibration(shared_data):
    """Of those late 13 weeks before the end few came back, and about as many as expected."""
    rows = rows_of(wf.churn(cdnow(shared_data)).calibration, "state")
    late, on_time = rows["late"], rows["on time"]
    assert late["share"] < on_time["share"]
    assert late["low"] < late["expected"] / late["customers"] < late["high"]


def test_cdnow_repeat_customers_of_the_paper(shared_data):
    rows = rows_of(wf.churn(cdnow(shared_data), check="273d").calibration, "state")
    # The paper's calibration has 946 repeat customers.
    assert rows["late"]["customers"] + rows["on time"]["customers"] == 946


def test_who_never_ordered_twice():
    result = wf.churn(log_of([("a", "2024-01-01", 3.0)]))
    assert result.findings[0].text == "Nobody has ordered on two days yet: too few to say who is late."
    assert result.customers.num_rows == 0


def test_a_sure_share_is_asked_for():
    with pytest.raises(InvalidParameter):
        wf.churn(log_of(PACE), late=1)


def test_blocks_do_not_matter():
    log = log_of(PACE)
    assert wf.churn(in_blocks(log, 1)).customers.equals(wf.churn(log).customers)
