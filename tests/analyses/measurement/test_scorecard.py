from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.errors import WayfareError
from wayfare.study import Study

ZONE = ZoneInfo("Europe/Amsterdam")


def log_of(rows, zone="UTC"):
    frame = pd.DataFrame(rows, columns=["customer", "time", "event", "order", "value"])
    frame["time"] = pd.to_datetime(frame["time"])
    return wf.read_events(
        frame, customer="customer", time="time", event="event", order="order", value="value", zone=zone
    )


def figure(result, metric, period="all", *columns):
    row = next(
        r for r in result.to_dict()["tables"]["metrics"] if (r["metric"], r["period"]) == (metric, period)
    )
    return tuple(row[c] for c in columns) if columns else row["value"]


# January: a orders 30 in two lines and 10, b 20, c only looks. February: a orders 5, c looks. March: b orders 40;
# b gets 20 back. The log ends on 30 April with a look.
HAND = [
    ("a", "2024-01-01", "purchase", "o1", 10.0),
    ("a", "2024-01-01", "purchase", "o1", 20.0),
    ("a", "2024-01-20", "purchase", "o2", 10.0),
    ("b", "2024-01-31", "purchase", "o3", 20.0),
    ("c", "2024-01-15", "product_view", None, None),
    ("a", "2024-02-10", "purchase", "o4", 5.0),
    ("c", "2024-02-11", "product_view", None, None),
    ("b", "2024-03-02", "purchase", "o5", 40.0),
    ("b", "2024-03-09", "refund", None, -20.0),
    ("c", "2024-04-30", "product_view", None, None),
]


def test_by_hand():
    result = wf.scorecard(log_of(HAND))
    expected = {
        "orders": [3, 1, 1, 0, 5],
        "revenue": [60, 5, 40, 0, 105],
        "refunds": [0, 0, 20, 0, 20],
        "net_revenue": [60, 5, 20, 0, 85],
        "average_order_value": [20, 5, 40, None, 21],
        "average_value_per_customer": [30, 5, 40, None, 52.5],
        "conversion_rate": [2 / 3, 1 / 2, 1, 0, 2 / 3],
        "repeat_rate": [1 / 2, 1, 1, None, 1],
        # 90 days from 1 January are over on 31 March, from 31 January on 30 April 00:00; later ones are pending.
        "repurchase_rate_90d": [1, None, None, None, 1],
        "retention": [None, 1 / 2, 0, 0, 1 / 4],
        "churn": [None, 1 / 2, 1, 1, 3 / 4],
        "new_customers": [3, 0, 0, 0, 3],
        "active_customers": [3, 2, 1, 1, 3],
    }
    periods = ["2024-01", "2024-02", "2024-03", "2024-04", "all"]
    for metric, values in expected.items():
        found = [figure(result, metric, period) for period in periods]
        assert found == [None if v is None else pytest.approx(v) for v in values], metric
    assert figure(result, "repurchase_rate_90d", "2024-02", "n", "pending") == (0, 1)
    assert figure(result, "retention", "all", "n") == (4,)


def test_a_period_that_is_not_over_loses_nobody():
    result = wf.scorecard(log_of(HAND[:-1]))
    assert figure(result, "retention", "2024-03", "value", "n", "pending", "complete") == (None, 0, 1, False)
    assert figure(result, "orders", "2024-03", "value", "complete") == (1, False)


def test_intervals_of_counts_are_garwoods():
    # Garwood (1936): 10 events, 4.7954 to 18.3904; 0 events, 0 to 3.6889.
    rows = [(f"c{i}", "2024-01-01", "purchase", f"o{i}", 1.0) for i in range(10)] + [
        ("z", "2024-02-29", "product_view", None, None)
    ]
    result = wf.scorecard(log_of(rows))
    assert figure(result, "orders", "2024-01", "low", "high") == pytest.approx((4.7954, 18.3904), abs=1e-4)
    assert figure(result, "orders", "2024-02", "low", "high") == pytest.approx((0, 3.6889), abs=1e-4)


def test_filters_leave_old_customers_old():
    log = log_of(HAND)
    whole, since = wf.scorecard(log), wf.scorecard(log.where(since="2024-02-01"))
    kept = whole.to_pandas().query("period not in ('2024-01', 'all')").reset_index(drop=True)
    pd.testing.assert_frame_equal(since.to_pandas().query("period != 'all'").reset_index(drop=True), kept)
    assert figure(since, "repeat_rate", "all", "value", "n") == (1.0, 2)
    assert figure(since, "new_customers") == 0
    looks = wf.scorecard(log.where(events=["product_view"]))
    assert figure(looks, "orders") == 0
    assert figure(looks, "active_customers") == 1


def test_online_retail(shared_data):
    # shared/data/README.md: positive quantity and price with a customer, 397,884 lines: 4,338 customers, 18,532 invoices,
    # 8,911,407.90, 65.6% repeat.
    frame = pd.read_parquet(shared_data / "online_retail" / "online_retail.parquet").dropna(
        subset=["CustomerID"]
    )
    frame = frame[(frame["Quantity"] > 0) & (frame["UnitPrice"] > 0)]
    frame = pd.DataFrame({"customer": frame["CustomerID"].astype(str), "time": frame["InvoiceDate"], "event": "purchase",
                          "order": frame["InvoiceNo"].astype(str), "value": frame["Quantity"] * frame["UnitPrice"]})  # fmt: skip
    log = wf.read_events(frame, customer="customer", time="time", event="event", order="order", value="value")
    result = wf.scorecard(log)
    assert figure(result, "orders") == 18_532
    assert figure(result, "revenue") == pytest.approx(8_911_407.90, abs=0.01)
    assert figure(result, "active_customers") == 4_338
    assert figure(result, "repeat_rate") == pytest.approx(0.656, abs=0.0005)
    assert "<svg" in result.chart().svg()


def oracle(rows, metric, period):
    """A share or a sum in a month by loops over customers; None for the whole time."""
    end, of = max(r[1] for r in rows), lambda t: t.astimezone(ZONE).year * 12 + t.astimezone(ZONE).month
    orders = defaultdict(dict)
    for customer, time, event, order, value in rows:
        if event == "purchase":
            first, total = orders[customer].get(order, (time, 0.0))
            orders[customer][order] = (min(first, time), total + value)
    inside = lambda t: period is None or of(t) == period  # noqa: E731
    dates = {c: sorted(t for t, _ in found.values()) for c, found in orders.items()}
    active = {r[0] for r in rows if inside(r[1])}
    mine = {c: [t for t in times if inside(t)] for c, times in dates.items()}
    buyers = {c for c, times in mine.items() if times}
    if metric == "orders":
        return sum(map(len, mine.values()))
    if metric == "net_revenue":
        gross = sum(v for found in orders.values() for t, v in found.values() if inside(t))
        return gross + sum(r[4] for r in rows if r[2] == "refund" and inside(r[1]))
    part, whole = {
        "conversion_rate": (len(buyers), len(active)),
        "repeat_rate": (sum(dates[c].index(mine[c][-1]) > 0 for c in buyers), len(buyers)),
        "repurchase_rate_90d": _again(dates, mine, buyers, end),
        "retention": (sum(any(of(t) == period for t in ts) for ts in dates.values() if any(of(t) == (period or 0) - 1 for t in ts)),
                      sum(any(of(t) == (period or 0) - 1 for t in ts) for ts in dates.values())),
    }[metric]  # fmt: skip
    return part / whole if whole else None


def _again(dates, mine, buyers, end):
    wait = timedelta(days=90)
    ripe = [c for c in buyers if mine[c][0] + wait <= end]
    return sum(any(mine[c][0] < t <= mine[c][0] + wait for t in dates[c]) for c in ripe), len(ripe)


STEP = st.tuples(
    st.integers(0, 500), st.sampled_from(["purchase", "product_view", "refund"]), st.integers(1, 20)
)


@settings(max_examples=25)
@given(st.lists(st.lists(STEP, min_size=1, max_size=8, unique_by=lambda s: s[0]), min_size=1, max_size=6))
def test_as_the_oracle(histories):
    begin = datetime(2024, 1, 1, 3, tzinfo=ZoneInfo("UTC"))
    rows = [
        ("z", begin, "product_view", None, 0.0),
        ("z", begin + timedelta(hours=9 * 500), "product_view", None, 0.0),
    ]
    rows += [("z", begin, "refund", None, -1.0), ("z", begin, "purchase", "first", 2.0)]
    for i, steps in enumerate(histories):
        for at, event, value in steps:
            order = f"{i}-{at // 3}" if event == "purchase" else None
            value = {"purchase": value, "refund": -value, "product_view": 0.0}[event]
            rows.append((f"c{i}", begin + timedelta(hours=9 * at), event, order, float(value)))
    log = log_of(rows, "Europe/Amsterdam")
    result = wf.scorecard(log)
    cut = wf.scorecard(in_blocks(log, 2))
    for name in ("metrics", "change", "trend"):
        pd.testing.assert_frame_equal(result.to_pandas(name), cut.to_pandas(name), rtol=1e-9)
    months = {f"{m // 12}-{m % 12 + 1:02}": m + 1 for m in range(2024 * 12, 2024 * 12 + 7)}
    for metric in (
        "orders",
        "net_revenue",
        "conversion_rate",
        "repeat_rate",
        "repurchase_rate_90d",
        "retention",
    ):
        frame = result.to_pandas()
        for row in frame[frame["metric"] == metric].to_dict("records"):
            if metric == "retention" and (row["period"] in ("all", "2024-01") or not row["complete"]):
                continue
            expected = oracle(rows, metric, months.get(row["period"]))
            assert row["value"] == pytest.approx(np.nan if expected is None else expected, nan_ok=True), (
                metric,
                row["period"],
            )


def grown():
    """Six whole months: 100 customers look each month; 20 of them order in the first three, 50 in the last three."""
    rows = []
    for month in range(1, 7):
        buyers = 20 if month <= 3 else 50
        for i in range(100):
            rows.append((f"{month}-{i}", f"2024-0{month}-0{1 + i % 2}", "product_view", None, None))
            if i < buyers:
                rows.append((f"{month}-{i}", f"2024-0{month}-15", "purchase", f"{month}-{i}", 10.0))
    return [*rows, ("last", "2024-06-30", "product_view", None, None)]


def change_of(result, metric):
    return next(row for row in result.to_dict()["tables"]["change"] if row["metric"] == metric)


def test_change_against_the_first_quarter():
    result = wf.scorecard(Study(log_of(grown()), currency="USD"))
    row = change_of(result, "conversion_rate")
    assert (row["baseline_periods"], row["current_periods"]) == ("2024-01 to 2024-03", "2024-04 to 2024-06")
    assert (row["baseline"], row["baseline_n"], row["current_n"]) == (pytest.approx(0.2), 300, 301)
    assert row["current"] == pytest.approx(150 / 301)
    assert row["significant"]
    # By hand, each customer in one month: sd² = .2·.8/300 + p(1−p)/301 with p = 150/301.
    half = 1.959964 * np.sqrt(0.2 * 0.8 / 300 + (150 / 301) * (151 / 301) / 301)
    assert row["change_high"] - row["change"] == pytest.approx(half, rel=1e-6)
    assert change_of(result, "net_revenue")["change"] == pytest.approx(300)
    assert not change_of(result, "average_order_value")["significant"]
    assert result.findings[0].text.startswith(
        "Net revenue rose from USD 200 a month (2024-01 to 2024-03) to USD 500"
    )
    assert result.findings[0].money == pytest.approx(300)
    assert result.findings[1].text.startswith("Conversion rate rose from 20.0%")


def test_a_chosen_baseline():
    result = wf.scorecard(log_of(grown()), baseline_from=date(2024, 2, 1), baseline_to="2024-02-29")
    row = change_of(result, "orders")
    assert (row["baseline"], row["baseline_periods"], row["current_periods"]) == (
        20,
        "2024-02 to 2024-02",
        "2024-04 to 2024-06",
    )
    with pytest.raises(WayfareError, match="no complete period"):
        wf.scorecard(log_of(grown()), baseline_from="2024-02-02", baseline_to="2024-02-29")


def test_trend():
    # 10, 20, … 60 orders: Sen's slope is exactly 10 a month.
    rows = [
        (f"{m}-{i}", f"2024-0{m}-01", "purchase", f"{m}-{i}", 5.0) for m in range(1, 7) for i in range(10 * m)
    ]
    rows.append(("last", "2024-06-30", "product_view", None, None))
    row = next(r for r in wf.scorecard(log_of(rows)).to_dict()["tables"]["trend"] if r["metric"] == "orders")
    assert (row["slope_per_period"], row["periods"]) == (10, 6)


def test_nobody_one_row_and_no_values():
    log = log_of([("a", "2024-01-01", "purchase", "o", 5.0)])
    nobody = wf.scorecard(
        log.where("channel=none") if "channel" in log.schema else log.where("never:purchase")
    )
    assert figure(nobody, "orders") == 0
    assert figure(nobody, "conversion_rate") is None
    assert nobody.chart() is None
    assert "Too few" in nobody.findings[0].text
    assert figure(wf.scorecard(log), "orders", "2024-01", "value", "complete") == (1, False)
    frame = pd.DataFrame(
        {"c": ["a", "b"], "t": pd.to_datetime(["2024-01-01", "2024-03-31"]), "e": ["purchase", "purchase"]}
    )
    bare = wf.scorecard(wf.read_events(frame, customer="c", time="t", event="e"))
    assert figure(bare, "orders") == 2
    assert figure(bare, "revenue", "all", "value", "low", "n") == (None, None, 0)
    assert type(bare).from_dict(bare.to_dict()).to_dict() == bare.to_dict()


def test_only_what_was_compared_is_said_not_to_have_changed():
    # Twice as many customers and orders from the fourth month on, each as before: active customers did change.
    rows = [("first", "2024-01-01", "product_view", None, None)]
    for month in range(1, 7):
        for i in range(100 if month <= 3 else 200):
            rows.append((f"{month}-{i}", f"2024-0{month}-02", "product_view", None, None))
            if i % 4 == 0:
                rows.append((f"{month}-{i}", f"2024-0{month}-15", "purchase", f"{month}-{i}", 10.0 + i % 8))
    result = wf.scorecard(log_of([*rows, ("last", "2024-06-30", "product_view", None, None)]))
    assert change_of(result, "active_customers")["significant"]
    said = [finding.text for finding in result.findings]
    assert said[1] == (
        "Conversion rate and average order value are not clearly different from 2024-01 to 2024-03."
    )


def test_a_window_of_one_period_is_named_once():
    result = wf.scorecard(log_of(grown()), period="quarter")
    assert result.findings[0].text.startswith(
        "Net revenue rose from EUR 600 a quarter (2024-Q1) to EUR 1,500 (2024-Q2): by EUR 900"
    )
