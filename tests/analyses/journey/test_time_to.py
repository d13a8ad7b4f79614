from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.errors import WayfareError


def log_of(rows):
    frame = pd.DataFrame(rows, columns=["customer", "time", "event", "channel"])
    frame["time"] = pd.to_datetime(frame["time"])
    return wf.read_events(frame, customer="customer", time="time", event="event", channel="channel")


# Waits of 10, 20 and 30 days; d is still waiting after 20, e after 30 (the log's end).
HAND = [
    ("a", "2024-01-01", "purchase", "web"), ("a", "2024-01-11", "purchase", "shop"),
    ("b", "2024-01-01", "purchase", "web"), ("b", "2024-01-21", "purchase", "web"), ("b", "2024-01-25", "purchase", "web"),
    ("c", "2024-01-01", "purchase", None), ("c", "2024-01-01", "purchase", "shop"), ("c", "2024-01-31", "purchase", "shop"),
    ("d", "2024-01-11", "purchase", "shop"),
    ("e", "2024-01-01", "purchase", None),
    ("f", "2024-01-31", "product_view", "web"),
]  # fmt: skip


def test_by_hand():
    result = wf.time_to(log_of(HAND))
    rows = result.to_dict()["tables"]["curve"]
    assert [(r["days"], r["at_risk"], r["events"], r["censored"]) for r in rows] == [
        (0, 5, 0, 0), (10, 5, 1, 0), (20, 4, 1, 1), (30, 2, 1, 1),
    ]  # fmt: skip
    # 4/5, 4/5 · 3/4, 3/5 · 1/2
    assert [r["survival"] for r in rows] == pytest.approx([1, 0.8, 0.6, 0.3])
    summary = result.to_dict()["tables"]["summary"][0]
    assert (summary["group"], summary["customers"], summary["reached"], summary["median_days"]) == (
        "everybody",
        5,
        3,
        30,
    )
    assert summary["by_30_days"] == pytest.approx(0.7)
    assert summary["by_90_days"] is None
    # Nobody within 7 days: Wilson's upper end for 0 of 5 is z²/(5 + z²).
    assert (summary["by_7_days"], summary["by_7_days_high"]) == (0, pytest.approx(3.841459 / 8.841459))
    assert result.tests.num_rows == 0


def test_groups_by_first_touch():
    result = wf.time_to(log_of(HAND), by="channel")
    rows = result.to_dict()["tables"]["summary"]
    # c's first row has no channel, its second one has: shop.
    assert [(r["group"], r["customers"], r["reached"]) for r in rows] == [
        ("shop", 2, 1),
        ("web", 2, 2),
        ("(none)", 1, 0),
    ]
    tests = result.to_dict()["tables"]["tests"]
    assert [(t["group"], t["other"]) for t in tests] == [
        ("all groups", ""), ("shop", "web"), ("shop", "(none)"), ("web", "(none)"),
    ]  # fmt: skip
    assert any("Observational" in warning for warning in result.warnings)


def test_other_events_count_at_the_same_moment_and_the_same_event_only_later():
    rows = [
        ("a", "2024-01-01", "cart", "web"), ("a", "2024-01-01", "purchase", "web"),
        ("b", "2024-01-01", "purchase", "web"), ("b", "2024-01-01", "cart", "web"), ("b", "2024-01-05", "cart", "web"),
    ]  # fmt: skip
    to_buy = wf.time_to(log_of(rows), start="cart", end="purchase").to_dict()["tables"]
    assert (to_buy["summary"][0]["customers"], to_buy["summary"][0]["reached"]) == (2, 1)
    assert [(r["days"], r["events"], r["censored"]) for r in to_buy["curve"]] == [(0, 1, 0), (4, 0, 1)]
    again = wf.time_to(log_of(rows), start="cart", end="cart").to_dict()["tables"]["summary"][0]
    assert (again["customers"], again["reached"]) == (2, 1)


def test_cdnow(shared_data):
    # shared/data/README.md: 23,570 customers, 48.9% bought on more than one day.
    frame = pd.read_parquet(shared_data / "cdnow" / "cdnow_master.parquet")
    frame = pd.DataFrame(
        {
            "customer": frame.iloc[:, 0],
            "time": pd.to_datetime(frame.iloc[:, 1].astype(str)),
            "event": "purchase",
        }
    )
    result = wf.time_to(wf.read_events(frame, customer="customer", time="time", event="event"))
    row = result.to_pandas().iloc[0]
    assert row["customers"] == 23_570
    assert row["reached"] / row["customers"] == pytest.approx(0.489, abs=0.0005)
    curve = result.to_pandas("curve")
    assert len(curve) <= 400
    assert curve["events"].sum() == row["reached"]
    assert curve["events"].sum() + curve["censored"].sum() == row["customers"]
    assert "<svg" in result.chart().svg()


def oracle(rows, start, end):
    """Kaplan and Meier's product over distinct waits, by loops."""
    last, waits = max(t for _, t, *_ in rows), []
    for customer in {c for c, *_ in rows}:
        mine = sorted((t, i, e) for i, (c, t, e, _) in enumerate(rows) if c == customer)
        first = next((k for k, (_, _, e) in enumerate(mine) if e == start), None)
        if first is None:
            continue
        began = mine[first][0]
        later = [t for t, _, e in mine[first + 1 :] if e == end and (start != end or t > began)]
        waits.append((min(later, default=last) - began, bool(later)))
    share, found = 1.0, {}
    for wait in sorted({w for w, _ in waits}):
        waiting = sum(w >= wait for w, _ in waits)
        share *= 1 - sum(w == wait and hit for w, hit in waits) / waiting
        found[wait / timedelta(days=1)] = (waiting, share)
    return found


STEP = st.tuples(st.integers(0, 60), st.sampled_from(["purchase", "cart"]))


@settings(max_examples=30)
@given(
    histories=st.lists(st.lists(STEP, min_size=1, max_size=6), min_size=1, max_size=10),
    start=st.sampled_from(["purchase", "cart"]), end=st.sampled_from(["purchase", "cart"]),
)  # fmt: skip
def test_as_the_oracle(histories, start, end):
    begin = datetime(2024, 1, 1)
    rows = [
        (f"c{i}", begin + timedelta(hours=7 * at), e, "web")
        for i, steps in enumerate(histories)
        for at, e in steps
    ]
    rows += [("z", begin, "purchase", "web"), ("z", begin + timedelta(hours=500), "cart", "web")]
    log = log_of(rows)
    result = wf.time_to(log, start=start, end=end)
    curve = result.to_pandas("curve")
    found = {row["days"]: (row["at_risk"], row["survival"]) for row in curve.to_dict("records")}
    expected = oracle(rows, start, end)
    if 0 not in expected and expected:
        found.pop(0.0)
    assert list(found) == pytest.approx(list(expected))
    assert np.array(list(found.values())) == pytest.approx(np.array(list(expected.values())))
    assert wf.time_to(in_blocks(log, 2), start=start, end=end).to_dict() == result.to_dict()


def test_findings_and_picture():
    rows = []
    for i in range(200):
        channel, wait = ("web", 10) if i % 2 else ("shop", 60)
        rows += [(f"c{i}", "2024-01-01", "purchase", channel)]
        if i % 10:
            rows += [
                (f"c{i}", pd.Timestamp("2024-01-01") + pd.Timedelta(days=wait + i % 7), "purchase", channel)
            ]
    rows.append(("z", "2024-06-01", "cart", "web"))
    log = log_of(rows)
    everybody = wf.time_to(log)
    # The interval: statsmodels' SurvfuncRight.quantile_ci(0.5, method="cloglog") gives 15 and 61.
    assert everybody.findings[0].text == (
        "Half of 200 customers come from the first order to the next order within 16 days (95% interval 15 days to 61 days): "
        "0% within 7 days, 50% within 30 days, 90% within 90 days."
    )
    assert everybody.findings[0].customers == 20
    grouped = wf.time_to(log, by="channel")
    assert grouped.to_pandas("tests")["significant"].all()
    assert "100% of web" in grouped.findings[0].text
    assert "web" in grouped.chart().svg()
    assert type(grouped).from_dict(grouped.to_dict()).to_dict() == grouped.to_dict()


def test_only_groups_that_differ_beyond_chance_are_set_against_each_other():
    # 100 by web and 100 by mail order again after 10 and 12 days (all of them, half of mail); 30 of no channel never do.
    # A tiny group of 30 by phone, of whom 14 do, looks worse than mail but is not told apart from it.
    rows = []
    for channel, size, again in (("web", 100, 100), ("mail", 100, 50), ("phone", 30, 14), (None, 30, 0)):
        for i in range(size):
            rows.append((f"{channel}{i}", "2024-01-01", "purchase", channel))
            if i < again:
                rows.append((f"{channel}{i}", f"2024-01-{11 + i % 7}", "purchase", channel))
    result = wf.time_to(log_of([*rows, ("z", "2024-06-01", "cart", "web")]), by="channel")
    pairs = {(t["group"], t["other"]): t["significant"] for t in result.to_dict()["tables"]["tests"][1:]}
    assert pairs["mail", "phone"] is False
    text = result.findings[0].text
    assert text.startswith("Within 90 days of the first order, 100% of web")
    assert "but only 47% of phone" in text
    assert "(none)" not in text


def test_a_group_too_small_to_say_is_in_the_table_and_not_in_the_picture():
    rows = [
        (f"{c}{i}", day, "purchase", c)
        for c in ("web", "mail")
        for i in range(40)
        for day in ("2024-01-01", "2024-01-09")
    ]
    rows += [(f"fax{i}", day, "purchase", "fax") for i in range(8) for day in ("2024-01-01", "2024-01-03")]
    result = wf.time_to(log_of([*rows, ("z", "2024-06-01", "cart", "web")]), by="channel")
    assert result.to_pandas()["group"].tolist() == ["mail", "web", "fax"]
    drawn = result.chart().svg()
    assert ">mail<" in drawn
    assert ">fax<" not in drawn
    assert "n = 80 customers, in groups of 30 or more" in drawn


def test_nobody_through_and_everybody_through_are_said_so():
    rows = [(f"c{i}", "2024-01-01", "purchase", "web") for i in range(40)]
    none = wf.time_to(log_of([*rows, ("z", "2024-06-01", "cart", "web")]))
    assert (
        none.findings[0].text
        == "None of 40 customers has come from the first order to the next order so far."
    )
    rows += [(f"c{i}", "2024-01-03", "purchase", "web") for i in range(40)]
    every = wf.time_to(log_of([*rows, ("z", "2024-06-01", "cart", "web")]))
    assert every.findings[0].text.endswith(": 100% within 7 days.")


def test_more_groups_than_are_shown():
    rows = [
        (f"{g}{i}", "2024-01-01", "purchase", f"g{g}") for g in range(9) for i in range(9 - g if g < 7 else 2)
    ]
    rows.append(("z", "2024-06-01", "cart", "g0"))
    groups = wf.time_to(log_of(rows), by="channel").to_pandas()
    assert groups["group"].tolist() == ["g0", "g1", "g2", "g3", "g4", "g5", "(other)"]
    assert groups["customers"].tolist() == [9, 8, 7, 6, 5, 4, 7]


def test_nobody_one_row_and_unknown_names():
    log = log_of([("a", "2024-01-01", "purchase", "web")])
    for result in (
        wf.time_to(log.where("channel=none")),
        wf.time_to(log.where("channel=none"), by="channel"),
    ):
        assert result.to_pandas()["customers"].sum() == 0
        assert result.chart() is None
        assert "Too few" in result.findings[0].text
        result.to_json()
    one = wf.time_to(log).to_dict()["tables"]
    assert (one["summary"][0]["customers"], one["summary"][0]["reached"]) == (1, 0)
    with pytest.raises(WayfareError):
        wf.time_to(log, end="nothing")
    with pytest.raises(WayfareError):
        wf.time_to(log, by="time")
