"""When customers come back: by hand, by a plain oracle, and against what the simulated customers went on to do."""

from collections import defaultdict
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.demo import SCHEMA, Company, journey, records
from wayfare.domain.journey import JourneyMap
from wayfare.study import Study

COMPANY = Company(customers=12_000, seed=3)


def log_of(rows: list[tuple], zone: str = "UTC") -> wf.Log:
    frame = pd.DataFrame(rows, columns=["customer", "day", "event", "channel"])
    frame["time"] = pd.Timestamp("2024-01-01 12:00") + pd.to_timedelta(frame["day"], unit="D")
    return wf.read_events(
        frame, customer="customer", time="time", event="event", channel="channel", zone=zone
    )


def orders(*histories: tuple, ends: int = 100) -> list[tuple]:
    rows = [(f"c{n:03d}", day, "purchase", "web") for n, history in enumerate(histories) for day in history]
    return [*rows, ("zz", ends, "visit", "web")]


def study_of(company: Company) -> Study:
    table = pa.Table.from_batches(list(records(company)), schema=SCHEMA)
    columns = {name: name for name in SCHEMA.names if name not in ("customer", "time", "event")}
    log = wf.read_events(
        table, customer="customer", time="time", event="event", zone="Europe/Amsterdam", **columns
    )
    return Study(log, JourneyMap(**journey()))


@pytest.fixture(scope="module")
def company() -> Study:
    return study_of(COMPANY)


def hazards(result) -> dict:
    return {(r["group"], r["day_from"]): r for r in result.hazard.to_pylist()}


def test_by_hand():
    # Waits of 10 and 3 that ended, and of 90, 97 and 100 that had not when the log ended
    result = wf.repurchase_points(log_of(orders((0, 10), (0, 3), (0,), ends=100)))
    found = hazards(result)
    assert (found["all orders", 3]["at_risk"], found["all orders", 3]["returned"]) == (5, 1)
    assert (found["all orders", 4]["at_risk"], found["all orders", 10]["returned"]) == (4, 1)
    assert found["all orders", 10]["hazard"] == 1 / 4
    assert found["after order 1", 3]["at_risk"] == 3
    assert found["after order 2", 3]["at_risk"] == 2
    # Days 85 to 91: all of the three still waiting until day 90, then two
    assert found["all orders", 85]["at_risk"] == 3
    assert max(day for _, day in found) == 99
    assert "3 have ordered" in result.findings[0].text
    assert result.windows["opens_days"].null_count == result.windows.num_rows
    assert result.due["last_order"].to_pylist() == [date(2024, 1, 11), date(2024, 1, 4), date(2024, 1, 1)]
    assert result.due["chance"].null_count == 3


def test_orders_of_one_day_count_as_one():
    rows = [
        ("a", 0, "purchase", None),
        ("a", 0.3, "purchase", None),
        ("a", 5, "purchase", None),
        ("z", 9, "visit", None),
    ]
    found = hazards(wf.repurchase_points(log_of(rows)))
    assert found["all orders", 1]["at_risk"] == 2
    assert found["all orders", 5]["returned"] == 1


histories = st.lists(st.sets(st.integers(0, 60), min_size=1, max_size=6), min_size=1, max_size=12)


@settings(max_examples=30)
@given(histories)
def test_against_a_plain_loop(drawn):
    result = wf.repurchase_points(log_of(orders(*(sorted(h) for h in drawn), ends=61)))
    at_risk, returned = defaultdict(int), defaultdict(int)
    for history in drawn:
        days = sorted(history)
        for day, following in zip(days, [*days[1:], None], strict=True):
            for wait in range(1, (following or 61) - day + 1):
                at_risk[wait] += 1
            if following:
                returned[following - day] += 1
    for (group, day), row in hazards(result).items():
        if group == "all orders":
            span = range(day, row["day_to"] + 1)
            assert row["at_risk"] == at_risk[day]
            assert row["returned"] == sum(returned[d] for d in span)
            assert row["hazard"] == pytest.approx(row["returned"] / sum(at_risk[d] for d in span))


def test_windows_by_hand():
    # Forty customers come back after 1..40 days, forty never: a quarter of those who do after 10 days, three after 30
    result = wf.repurchase_points(
        log_of(orders(*((0, 1 + n) for n in range(40)), *((0,) for _ in range(40)), ends=500))
    )
    first = next(row for row in result.windows.to_pylist() if row["group"] == "after order 1")
    assert (first["opens_days"], first["closes_days"]) == (10, 30)
    assert first["chance"] == pytest.approx(
        21 / 71
    )  # of 71 still waiting after day 9, those of days 10 to 30
    assert first["within_30_days"] == pytest.approx(30 / 80)


def test_who_is_slower_gets_a_later_window():
    rng = np.random.default_rng(4)
    regular = [np.cumsum(rng.integers(18, 23, 6)) for _ in range(40)] + [
        np.cumsum(rng.integers(55, 66, 6)) for _ in range(40)
    ]
    due = wf.repurchase_points(log_of(orders(*regular, ends=380))).to_pandas("due")
    waits = (pd.to_datetime(due["window_opens"]) - pd.to_datetime(due["last_order"])).dt.days[~due["late"]]
    due = wf.repurchase_points(
        log_of(
            orders(
                *([0, *h] for h in regular[40:]), *([300 + d for d in h[:4]] for h in regular[:40]), ends=390
            )
        )
    )
    frame = due.to_pandas("due")
    length = (pd.to_datetime(frame["window_closes"]) - pd.to_datetime(frame["window_opens"])).dt.days
    assert length[:40].mean() > 1.5 * length[40:].mean()
    assert (waits >= 1).all()


def test_by_what_the_first_order_was():
    rows = [(f"w{n}", day, "purchase", "web" if day == 0 else "store") for n in range(5) for day in (0, 20)]
    rows += [
        (f"s{n}", day, "purchase", channel)
        for n in range(3)
        for day, channel in ((0, "store"), (7, "web"), (9, "web"))
    ]
    rows += [("n", 0, "purchase", None), ("z", 60, "visit", "web")]
    result = wf.repurchase_points(log_of(rows), by="channel")
    customers = {row["group"]: row["customers"] for row in result.windows.to_pylist()}
    assert customers == {
        "all orders": 9, "after order 1": 9, "after order 2": 8, "after order 3": 3,
        "channel: web": 5, "channel: store": 3, "channel: (none)": 1,
    }  # fmt: skip
    found = hazards(result)
    assert found["channel: web", 20]["returned"] == 5
    assert (found["channel: store", 2]["returned"], found["channel: store", 7]["returned"]) == (3, 3)


def test_what_raises_the_chance_is_the_planted_recipe(company):
    # truths.yaml: of the exposed who would not have come back by themselves, .2 do; nothing else changes anything
    moments = wf.repurchase_points(company).moments.to_pylist()
    assert [row["touchpoint"] for row in moments if row["effect"] == "raises"] == ["recipe_read"]
    assert [row["touchpoint"] for row in moments if row["effect"] == "lowers"] == []
    matched = {row["touchpoint"]: row for row in wf.touchpoints(company).touchpoints.to_pylist()}
    assert moments[0]["lift"] == matched["recipe_read"]["repurchase_lift"]


def test_the_chances_come_true():
    # Known up to 1 July 2025; what the customers did by the end of their windows. Without season and incidents, which
    # the curve does not know.
    cut, simulated = "2025-07-01", COMPANY.undisturbed()
    due = wf.repurchase_points(study_of(simulated).where(until=cut)).to_pandas("due")
    frame = (
        pa.Table.from_batches(list(records(simulated)), schema=SCHEMA)
        .select(["customer", "time", "event"])
        .to_pandas()
    )
    bought = frame[
        (frame["event"] == "purchase") & (frame["time"] >= pd.Timestamp(cut, tz="Europe/Amsterdam"))
    ]
    following = (
        bought.groupby("customer")["time"]
        .min()
        .dt.tz_convert("Europe/Amsterdam")
        .dt.tz_localize(None)
        .dt.normalize()
    )
    due["next"] = due["customer"].map(following)
    opens, closes = pd.to_datetime(due["window_opens"]), pd.to_datetime(due["window_closes"])
    due["came"] = (due["next"] >= opens) & (due["next"] <= closes)
    over = due[closes < "2025-12-31"]
    assert len(over) > 4_000
    assert over["chance"].mean() == pytest.approx(over["came"].mean(), abs=0.02)
    fifths = over.groupby(pd.qcut(over["chance"], 5))[["chance", "came"]].mean()
    assert fifths["came"].is_monotonic_increasing
    assert np.allclose(fifths["chance"], fifths["came"], atol=0.06), fifths


def test_nobody_ordered():
    result = wf.repurchase_points(log_of([("a", 0, "visit", "web")]))
    assert result.hazard.num_rows == result.due.num_rows == 0
    assert "Too few to say" in result.findings[0].text
    assert result.chart() is None


def test_block_cuts_change_nothing():
    rng = np.random.default_rng(2)
    log = log_of(
        orders(*(np.cumsum(rng.integers(1, 40, rng.integers(1, 8))).tolist() for _ in range(80)), ends=330)
    )
    whole = wf.repurchase_points(log, by="channel").to_dict()["tables"]
    assert wf.repurchase_points(in_blocks(log, 7), by="channel").to_dict()["tables"] == whole
