from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.errors import WayfareError
from wayfare.study import Study

NAMES = ["customer", "time", "event", "channel", "order", "value"]


def log_of(rows, zone="UTC"):
    frame = pd.DataFrame(rows, columns=NAMES)
    frame["time"] = pd.to_datetime(frame["time"])
    return wf.read_events(frame, **{name: name for name in NAMES}, zone=zone)


HAND = [
    ("a", "2024-01-01", "product_view", "web", None, None),
    ("a", "2024-01-02", "purchase", "shop", "o1", 10.0),
    ("a", "2024-01-02", "purchase", "shop", "o1", 5.0),
    ("a", "2024-01-12", "purchase", "shop", "o2", 20.0),
    ("b", "2024-02-03", "product_view", None, None, None),
    ("b", "2024-02-04", "purchase", "shop", "o3", 40.0),
    ("c", "2024-02-29", "zebra", None, None, None),
]


def test_by_hand():
    tables = wf.overview(log_of(HAND)).to_dict()["tables"]
    row = tables["summary"][0]
    assert {k: v for k, v in row.items() if k != "median_days_between_orders"} == {
        "rows": 7, "customers": 3, "events": 3, "first_day": "2024-01-01", "last_day": "2024-02-29", "orders": 3, "revenue": 75.0,
        "buyers": 2, "buyers_share": pytest.approx(2 / 3), "repeat_buyers": 1, "repeat_share": 0.5,
    }  # fmt: skip
    assert row["median_days_between_orders"] == pytest.approx(10, rel=0.004)
    assert [tuple(r.values()) for r in tables["events"]] == [
        ("purchase", "purchase", 4, 2, pytest.approx(2 / 3), "2024-01-02", "2024-02-04"),
        ("product_view", "consideration", 2, 2, pytest.approx(2 / 3), "2024-01-01", "2024-02-03"),
        ("zebra", "none", 1, 1, pytest.approx(1 / 3), "2024-02-29", "2024-02-29"),
    ]
    # a came by web; b's first known channel is the shop; c has none. Ties by name.
    assert [(r["channel"], r["customers"], r["buyers"], r["value_per_customer"]) for r in tables["channels"]] == [
        ("(none)", 1, 0, 0.0), ("shop", 1, 1, 40.0), ("web", 1, 1, 35.0),
    ]  # fmt: skip
    fields = {r["column"]: (r["kind"], r["filled_share"], r["distinct"]) for r in tables["fields"]}
    assert fields["channel"] == ("code", pytest.approx(5 / 7), 2)
    assert fields["value"] == ("number", pytest.approx(4 / 7), None)
    assert fields["time"] == ("time", 1.0, None)
    assert [tuple(r.values()) for r in tables["months"]] == [
        ("2024-01", 4, 1, 2, 35.0, True),
        ("2024-02", 3, 2, 1, 40.0, True),
    ]


def test_by_another_column_and_a_part_of_the_log():
    log = log_of(HAND)
    by_order = wf.overview(log, by="order").to_dict()["tables"]["channels"]
    assert [(r["channel"], r["customers"]) for r in by_order] == [("(none)", 1), ("o1", 1), ("o3", 1)]
    part = wf.overview(log.where("did:purchase", since="2024-02-01")).to_dict()["tables"]
    assert (part["summary"][0]["customers"], part["summary"][0]["rows"]) == (1, 2)
    assert [r["month"] for r in part["months"]] == ["2024-02"]
    with pytest.raises(WayfareError):
        wf.overview(log, by="value")


def test_ecom_events(shared_data):
    # shared/data/README.md: 31,106 events, 600 users, 470 purchases.
    frame = pd.read_parquet(shared_data / "ecom_events" / "ecom_synthetic.parquet")
    columns = {"customer": "user_id", "time": "timestamp", "event": "event", "channel": "acquisition_channel"}
    result = wf.overview(wf.read_events(frame, **columns))
    row = result.to_pandas().iloc[0]
    assert (row["rows"], row["customers"], row["orders"]) == (31_106 - _unusable(frame), 600, 470)
    assert result.to_pandas("channels")["customers"].sum() == 600
    assert np.isnan(row["revenue"])
    assert "<svg" in result.chart().svg()


def _unusable(frame):
    return int(frame[["user_id", "timestamp", "event"]].isna().any(axis=1).sum())


STEP = st.tuples(
    st.integers(0, 90), st.sampled_from(["purchase", "cart", "view"]), st.sampled_from([None, "web", "shop"])
)


@settings(max_examples=25)
@given(st.lists(st.lists(STEP, min_size=1, max_size=6, unique_by=lambda s: s[0]), min_size=1, max_size=8))
def test_as_the_oracle(histories):
    begin = datetime(2024, 1, 1)
    rows = [
        ("z", begin, "purchase", "web", "z", 1.0),
        ("z", begin, "cart", None, None, None),
        ("z", begin, "view", None, None, None),
    ]
    for i, steps in enumerate(histories):
        rows += [(f"c{i}", begin + timedelta(days=at), e, c, f"{i}-{at}" if e == "purchase" else None, 1.5 if e == "purchase" else None)
                 for at, e, c in steps]  # fmt: skip
    log = log_of(rows)
    result = wf.overview(log)
    orders, first = Counter(r[0] for r in rows if r[2] == "purchase"), {}
    for customer, _, _, channel, *_ in sorted(rows, key=lambda r: r[1]):
        if channel is not None:
            first.setdefault(customer, channel)
    had, active = defaultdict(set), defaultdict(set)
    for customer, time, event, *_ in rows:
        had[event].add(customer)
        active[f"{time:%Y-%m}"].add(customer)
    summary = result.to_pandas().iloc[0]
    assert (summary["orders"], summary["buyers"]) == (sum(orders.values()), len(orders))
    assert summary["repeat_buyers"] == sum(n > 1 for n in orders.values())
    assert summary["revenue"] == pytest.approx(1 + 1.5 * (sum(orders.values()) - 1))
    assert dict(result.to_pandas("events")[["event", "customers"]].to_numpy()) == {
        e: len(c) for e, c in had.items()
    }
    everybody = {r[0] for r in rows}
    assert dict(result.to_pandas("channels")[["channel", "customers"]].to_numpy()) == Counter(
        first.get(c, "(none)") for c in everybody
    )
    months = result.to_pandas("months")
    assert {m: n for m, n in months[["month", "customers"]].to_numpy() if n} == {
        m: len(c) for m, c in active.items()
    }
    assert wf.overview(in_blocks(log, 2)).to_dict() == result.to_dict()


def test_nobody_one_row_and_few_columns():
    one = log_of(HAND[:1])
    nobody = wf.overview(one.where("did:purchase"))
    assert nobody.to_dict()["tables"]["summary"][0]["customers"] == 0
    assert [t.num_rows for n, t in nobody.tables.items() if n in ("events", "channels", "months")] == [
        0,
        0,
        0,
    ]
    assert nobody.chart() is None
    assert "Too few" in wf.overview(one).findings[0].text
    assert "<svg" in wf.overview(one).chart().svg()
    frame = pd.DataFrame({"c": ["a"], "t": pd.to_datetime(["2024-01-01"]), "e": ["purchase"]})
    bare = wf.overview(wf.read_events(frame, customer="c", time="t", event="e"))
    assert bare.channels.num_rows == 0
    assert bare.to_dict()["tables"]["summary"][0]["revenue"] is None
    assert type(bare).from_dict(bare.to_dict()).to_dict() == bare.to_dict()


def test_findings():
    # 100 customers by web, of whom 20 order; 50 by the shop, of whom 40 order, 35 of them again 10 days later.
    rows = [(f"w{i}", "2024-01-01", "view", "web", None, None) for i in range(100)]
    rows += [(f"s{i}", "2024-01-01", "view", "shop", None, None) for i in range(50)]
    rows += [(f"w{i}", "2024-01-05", "purchase", "web", f"w{i}", 10.0) for i in range(20)]
    rows += [(f"s{i}", "2024-01-05", "purchase", "shop", f"s{i}", 10.0) for i in range(40)]
    rows += [(f"s{i}", "2024-01-15", "purchase", "shop", f"t{i}", 10.0) for i in range(35)]
    found = [finding.text for finding in wf.overview(Study(log_of(rows), currency="USD")).findings]
    assert found == [
        "40% (33% to 48%) of 150 customers ordered between 2024-01-01 and 2024-01-15; 58% (46% to 70%) of them came back to order again.",
        "95 orders are worth USD 950; the next one comes after 10 days (median of those who ordered again).",
        "Most customers, 100 (67%), come by web.",
        "80% (67% to 89%) of those who came by shop ordered, 20% (13% to 29%) by web.",
    ]


def test_a_single_day_and_a_wait_of_hours():
    rows = [(f"{i}", "2024-01-01 08:00", "purchase", "web", f"a{i}", 10.0) for i in range(40)]
    rows += [(f"{i}", "2024-01-01 14:00", "purchase", "web", f"b{i}", 10.0) for i in range(40)]
    found = [finding.text for finding in wf.overview(log_of(rows)).findings]
    assert "of 40 customers ordered on 2024-01-01;" in found[0]
    assert found[1].startswith("80 orders are worth EUR 800; the next one comes after 6 hours (median")
    looks = [(f"{i}", "2024-01-01", "product_view", "web", None, None) for i in range(40)]
    assert len(wf.overview(log_of(looks)).findings) == 1


def test_the_best_and_the_worst_of_many_like_channels_are_not_news():
    # 40 channels at which 30% order: naming two of them is a false alarm, due in 5% of logs at most (binomial, p = .95: 4 of 30).
    rng, alarms = np.random.default_rng(1), 0
    for _ in range(30):
        rows = [
            (f"{c}-{i}", "2024-01-01", "view", f"c{c:02}", None, None) for c in range(40) for i in range(30)
        ]
        rows += [(r[0], "2024-01-02", "purchase", r[3], r[0], 1.0) for r in rows if rng.random() < 0.3]
        alarms += len(wf.overview(log_of(rows)).findings) > 3
    assert alarms <= 4
