from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.analyses.repurchase.shops import cdnow, log_of, read, steady_shop
from wayfare.demo import Company
from wayfare.demo.simulate import records
from wayfare.stats.proportions import mean_interval


def rows_of(table, *keys):
    return {tuple(row[key] for key in keys): row for row in table.to_pylist()}


BOUGHT = [
    ("a", "2024-01-10", 10.0, "web", "tea"), ("a", "2024-03-01", 30.0, "store", "cup"), ("b", "2024-02-01", 20.0, "web", "tea"),
    ("c", "2024-05-01", 40.0, "store", "cup"), ("c", "2024-09-01", 2.0, "web", "tea"), ("d", "2024-12-01", 8.0, None, "tea"),
]  # fmt: skip


def small(**more):
    frame = pd.DataFrame(BOUGHT, columns=["customer", "time", "value", "channel", "product"])
    return read(frame.assign(time=pd.to_datetime(frame["time"]), event="purchase", **more), value="value", channel="channel",
                product="product", **{name: name for name in more})  # fmt: skip


def test_segments_by_hand():
    rows = rows_of(wf.value(small(), within="90d").segments, "dimension", "segment")
    web = rows["first channel", "web"]
    assert (web["customers"], web["value"], web["value_per_customer"], web["orders"]) == (2, 60, 30, 1.5)
    assert web["value_share"] == pytest.approx(60 / 110)
    assert rows["first channel", "unknown"]["value"] == 8
    # Within 90 days: a 40, b 20, c 40; d's first order is the log's last day.
    assert (web["followed"], web["early_value"]) == (2, 30)
    assert rows["first channel", "store"]["early_value"] == 40
    assert rows["first channel", "unknown"]["followed"] == 0
    assert rows["first product", "tea"]["customers"] == 3
    assert [key[1] for key in rows if key[0] == "cohort"] == ["2024-Q1", "2024-Q2", "2024-Q4"]
    assert rows["cohort", "2024-Q1"]["value"] == 60
    # Under 50 repeat customers nothing is said of what is ahead.
    assert web["future_value"] is None


def test_groups_beyond_the_largest_are_taken_together():
    rows = rows_of(wf.value(small(), groups=1).segments, "dimension", "segment")
    assert rows["first channel", "web"]["customers"] == 2
    assert rows["first channel", "other"]["customers"] == 2


def test_intervals_are_students_t():
    frame = steady_shop(200)
    rows = rows_of(wf.value(read(frame, value="value")).segments, "dimension", "segment")
    start = frame.groupby("customer")["time"].transform("min")
    quarter = start.dt.to_period("Q").astype(str).str.replace("Q", "-Q")
    for name, own in frame.groupby(quarter):
        total = own.groupby("customer")["value"].sum()
        row = rows["cohort", name]
        interval = mean_interval(total.sum(), (total**2).sum(), len(total))
        assert row["value_per_customer"] == pytest.approx(total.mean())
        assert (row["low"], row["high"]) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_what_is_ahead_is_the_forecasts():
    log = read(steady_shop(300), value="value")
    segments = wf.value(log).to_pandas("segments")
    ahead = wf.forecast(log).to_pandas()["lifetime_value"].sum()
    cohorts = segments[segments["dimension"] == "cohort"]
    assert (cohorts["future_value"] * cohorts["customers"]).sum() == pytest.approx(ahead)


def test_concentration_of_cdnow(shared_data):
    table = wf.value(cdnow(shared_data)).concentration.to_pylist()
    frame = pd.read_csv(shared_data / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", header=None)
    total = np.sort(frame.groupby(1)[4].sum().to_numpy())[::-1]
    assert len(table) == 10
    assert table[0]["share"] == pytest.approx(total[:236].sum() / 244_091.94)
    assert table[9]["cumulative"] == pytest.approx(1)
    # The bootstrap over customers says how far the share moves (seeded, 400 redraws).
    rng = np.random.default_rng(1)
    drawn = np.sort(rng.choice(total, (400, len(total))), axis=1)[:, ::-1]
    low, high = np.quantile(drawn[:, :236].sum(axis=1) / drawn.sum(axis=1), [0.025, 0.975])
    assert table[0]["low"] == pytest.approx(low, abs=0.008)
    assert table[0]["high"] == pytest.approx(high, abs=0.008)


def test_the_interval_of_the_top_tenth_covers():
    """Gamma(.5) values: the top tenth's true share is known from 2 million draws; 95% intervals hold it."""
    rng = np.random.default_rng(7)
    whole = np.sort(rng.gamma(0.5, 10, 2_000_000))[::-1]
    true = whole[:200_000].sum() / whole.sum()
    inside = 0
    for _ in range(60):
        values = rng.gamma(0.5, 10, 400) + 0.01
        log = log_of([(f"c{i}", "2024-01-01", v) for i, v in enumerate(values)])
        row = wf.value(log).concentration.to_pylist()[0]
        inside += row["low"] <= true <= row["high"]
    assert inside >= 52


def test_referred_customers_by_hand():
    people = [f"c{i:03d}" for i in range(120)]
    first = pd.DataFrame(
        {"customer": people, "time": pd.Timestamp("2024-01-01"), "event": "purchase", "value": 10.0}
    )
    # 40 were referred, 20 of them order again; of the 80 others, 10 do.
    again = first.iloc[[*range(20), *range(40, 50)]].assign(time=pd.Timestamp("2024-02-01"))
    invited = first.iloc[:40].assign(time=pd.Timestamp("2023-12-30"), event="referral_visit", value=np.nan)
    end = first.iloc[:1].assign(time=pd.Timestamp("2024-12-31"), event="visit", value=np.nan)
    rows = rows_of(wf.value(read(pd.concat([first, again, invited, end]), value="value")).referred, "group")
    assert rows["referred",]["repeat_orders"] == 0.5
    assert rows["others",]["repeat_orders"] == 0.125
    assert rows["referred",]["early_value"] == 15
    assert rows["referred",]["orders_ratio"] == pytest.approx(4)
    # ln 4 ± 1.96·√(.2564/40/.25 + .1108/80/.015625), sample variances n/(n−1)·p(1−p).
    half = 1.959964 * np.sqrt(0.25 * 40 / 39 / 40 / 0.25 + 0.109375 * 80 / 79 / 80 / 0.015625)
    assert rows["referred",]["ratio_low"] == pytest.approx(4 * np.exp(-half))


def test_the_planted_truth_of_referral_is_found():
    """truths.yaml, referred_repeat_orders_factor: 1.32 within 180 days, subscription orders apart."""
    frame = pd.concat(batch.to_pandas() for batch in records(Company(customers=12_000)))
    orders = frame[(frame["event"] != "purchase") | ~frame["subscription"].fillna(False).astype(bool)]
    log = read(orders, value="value", channel="channel", order="order", referrer="referrer")
    row = wf.value(log).referred.to_pylist()[0]
    assert row["ratio_low"] <= 1.32 <= row["ratio_high"]


def test_without_values():
    log = log_of([("a", "2024-01-01", np.nan), ("b", "2024-01-02", np.nan)])
    result = wf.value(log)
    assert (
        result.findings[0].text
        == "2 customers have ordered, but what they are worth can't be said: no value can be added up."
    )
    assert result.concentration.num_rows == 0
    assert result.segments.num_rows == 1


def test_blocks_do_not_matter():
    log = small()
    assert wf.value(in_blocks(log, 1)).segments.equals(wf.value(log).segments)
