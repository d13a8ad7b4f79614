"""Touchpoints: the simulated company's planted truths, a case by hand, and a plain-Python oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.journey.touchpoints import FEW, MOMENT, PAIN, TouchpointsResult
from wayfare.demo import Company, journey, records
from wayfare.demo.season import DAY, micros
from wayfare.demo.simulate import batches, population

START = pd.Timestamp("2024-01-01")


def read(rows, columns=("customer", "time", "event", "channel", "value", "score")):
    frame = pd.DataFrame(rows, columns=list(columns))
    extra = {name: name for name in columns[3:]}
    return wf.read_events(frame, customer="customer", time="time", event="event", **extra)


def of(result, touchpoint):
    return next(row for row in result.touchpoints.to_pylist() if row["touchpoint"] == touchpoint)


COMPANY = Company(customers=12_000, seed=3)


@pytest.fixture(scope="module")
def company():
    """The simulated company as a study."""
    frame = pa.Table.from_batches(list(records(COMPANY))).to_pandas()
    names = ("channel", "order", "value", "score", "carrier")
    log = wf.read_events(
        frame, customer="customer", time="time", event="event", **{name: name for name in names}
    )
    return wf.Study(log, wf.JourneyMap(**journey()))


@pytest.fixture(scope="module")
def result(company):
    return wf.touchpoints(company)


def truth_of_first_orders():
    """The planted lift of reading the recipe among those whom the analysis compares, and the share that was not lost.

    Of the readers who would not have come back within 90 days, `recipe_conversion` does: from the simulation's own
    record of who would have (`natural`), over first orders not followed by another within 14 days.
    """
    natural = compared = 0
    for number, size in enumerate(batches(COMPANY)):
        orders = population(COMPANY, number, size)[1]
        kept = np.flatnonzero(~orders.lost)
        kept = kept[np.lexsort((orders.time[kept], orders.customer[kept]))]
        customer, time = orders.customer[kept], orders.time[kept]
        first = np.append(True, customer[1:] != customer[:-1])
        following = np.append(
            np.where(customer[1:] == customer[:-1], time[1:], np.iinfo(np.int64).max), np.iinfo(np.int64).max
        )
        chosen = first & (following > time + 14 * DAY) & (time + 104 * DAY <= micros(COMPANY.end))
        compared += chosen.sum()
        natural += orders.natural[kept][chosen].sum()
    return COMPANY.recipe_conversion * (1 - natural / compared)


def test_the_planted_recipe_is_the_first_moment_of_truth_with_its_lift(result):
    recipe = of(result, "recipe_read")
    assert recipe["kind"] == MOMENT
    assert recipe["repurchase_low"] < truth_of_first_orders() < recipe["repurchase_high"]
    assert recipe["p_repurchase"] < 0.001
    assert "recipe_read within 14 days of their first order" in result.findings[0].text
    # What the readings gain: matched readers times the lift, and its worth at the mean later order.
    assert recipe["gained"] == pytest.approx(
        recipe["repurchase_lift"] * recipe["repurchase_matched"] + recipe["lift"] * recipe["matched"]
    )


@pytest.mark.parametrize(
    "event", ["newsletter_click", "review_written", "refill_reminder", "newsletter_signup"]
)
def test_what_changes_nothing_is_no_moment_of_truth(result, event):
    row = of(result, event)
    assert row["kind"] not in (MOMENT, PAIN)
    if row["repurchase_lift"] is not None and not np.isnan(row["repurchase_lift"]):
        assert row["p_repurchase"] > 0.05


def test_the_slow_carrier_is_a_pain_point_in_orders_and_scores(company):
    slow = wf.touchpoints(company.where(since=COMPANY.delay_start), by="carrier", events=("delivery",))
    bad, good = of(slow, "delivery · north_post"), of(slow, "delivery · swift_parcel")
    assert bad["kind"] == PAIN
    assert bad["repurchase_high"] < 0
    # Scores fall by `score_per_day` with each day (a little of it lost where one parcel's days span both carriers).
    days = COMPANY.delivery_days_slow - COMPANY.delivery_days
    assert good["mean_score"] - bad["mean_score"] == pytest.approx(COMPANY.score_per_day * days, abs=0.35)
    assert bad["score_high"] < good["score_low"]


def test_steps_of_ordering_are_not_compared(result):
    row = of(result, "payment")
    assert np.isnan(row["lift"])
    assert np.isnan(row["repurchase_lift"])
    assert row["customers"] > 1_000


def test_it_is_labelled_observational(result):
    assert any(warning.startswith("Observational") for warning in result.warnings)


def arrivals(touched_orders, other_orders, size=40):
    """Customers who all arrive alike; half of them read on day 3, and some of each half order on day 30."""
    rows = []
    for number in range(2 * size):
        touched = number < size
        arrival = START + pd.Timedelta(hours=number)
        rows.append((f"c{number:03d}", arrival, "visit", "web", None, None))
        if touched:
            rows.append((f"c{number:03d}", arrival + pd.Timedelta(days=3), "read", "web", None, None))
        if number % size < (touched_orders if touched else other_orders):
            rows.append((f"c{number:03d}", arrival + pd.Timedelta(days=30), "purchase", "web", 50.0, None))
    rows.append(("z", START + pd.Timedelta(days=300), "visit", "web", None, None))
    return rows


def test_a_conversion_lift_by_hand():
    result = wf.touchpoints(read(arrivals(30, 10)))
    row = of(result, "read")
    assert (row["conversion_touched"], row["conversion_others"]) == (0.75, 0.25)
    assert row["lift"] == 0.5
    # One stratum but for January's 31 days: sqrt(.75 · .25 / 39 · 2) each side.
    assert row["lift_high"] - row["lift"] == pytest.approx(1.96 * np.sqrt(2 * 0.75 * 0.25 / 39), rel=0.001)
    assert (row["customers"], row["matched"], row["per_customer"]) == (40, 40, 1)
    assert row["reach"] == pytest.approx(40 / 81)
    assert row["kind"] == MOMENT
    assert row["gained"] == pytest.approx(20)
    assert row["money"] == pytest.approx(1_000)


def test_those_who_ordered_within_the_window_are_not_compared():
    rows = arrivals(30, 10)
    rows += [(f"q{n}", START, "visit", "web", None, None) for n in range(50)]
    rows += [(f"q{n}", START + pd.Timedelta(days=2), "read", "web", None, None) for n in range(50)]
    rows += [(f"q{n}", START + pd.Timedelta(days=5), "purchase", "web", 50.0, None) for n in range(50)]
    assert of(wf.touchpoints(read(rows)), "read")["lift"] == 0.5


def test_those_whose_horizon_is_not_over_are_not_compared():
    rows = [row for row in arrivals(30, 10) if row[0] != "z"]
    late = [(f"q{n}", START + pd.Timedelta(days=103), "visit", "web", None, None) for n in range(50)]
    late += [(f"q{n}", START + pd.Timedelta(days=110), "read", "web", None, None) for n in range(50)]
    row = of(wf.touchpoints(read(rows + late)), "read")
    assert (row["matched"], row["lift"]) == (40, 0.5)
    assert row["customers"] == 90


def test_scores_count_for_what_came_before_the_answer():
    rows = []
    for number in range(80):
        help_first = number < 40
        rows.append((f"c{number}", START, "call" if help_first else "visit", "web", None, None))
        rows.append(
            (
                f"c{number}",
                START + pd.Timedelta(days=1),
                "survey",
                "web",
                None,
                3.0 + number % 2 if help_first else 8.0 + number % 2,
            )
        )
        rows.append((f"c{number}", START + pd.Timedelta(days=2), "call", "web", None, None))
    result = wf.touchpoints(read(rows))
    call = of(result, "call")
    assert (call["mean_score"], call["scores"], call["kind"]) == (3.5, 40, PAIN)
    # t interval of 40 values with standard deviation .5: 3.5 ± 2.0227 · .50637 / sqrt(40)
    assert call["score_high"] == pytest.approx(3.5 + 2.0227 * 0.50637 / np.sqrt(40), abs=1e-4)
    assert any("Answers after call give 3.5" in finding.text for finding in result.findings)


EVENTS = ("visit", "read", "call", "purchase")
histories = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 7, 13, 14, 15, 20, 28, 40, 73, 74, 75, 80, 90, 120]),
            st.sampled_from(EVENTS),
            st.sampled_from(["web", "store"]),
        ),
        min_size=1,
        max_size=8,
    ),
    min_size=1,
    max_size=30,
)


def band(number):
    return int(number).bit_length()


def oracle(customers, end, event):
    """Strata → [touched n, touched outcomes, others n, others outcomes] for both comparisons: one loop over customers."""
    first, again = {}, {}
    for history in customers:
        orders = [(i, day) for i, (day, what, _) in enumerate(history) if what == "purchase"]
        channel = history[0][2]
        for place, strata in ((0, first), (1, again)):
            if len(orders) < place:
                continue
            since = history[0][0] if place == 0 else orders[0][1]
            later = orders[place][1] if len(orders) > place else None
            landmark = since + 14
            if (later is not None and later <= landmark) or landmark + 60 > end:
                continue
            inside = [
                what
                for day, what, _ in history
                if (since <= day if place == 0 else since < day) and day <= landmark
            ]
            active = len(inside) - inside.count(event) if place == 0 else orders[0][0]
            month = (START + pd.Timedelta(days=since)).strftime("%Y-%m")
            cell = strata.setdefault((channel, month, band(active)), [0, 0, 0, 0])
            offset = 0 if event in inside else 2
            cell[offset] += 1
            cell[offset + 1] += later is not None and later <= landmark + 60
    return first, again


def effect(strata):
    both = [cell for cell in strata.values() if cell[0] and cell[2]]
    n = sum(cell[0] for cell in both)
    return n, sum(cell[0] * (cell[1] / cell[0] - cell[3] / cell[2]) for cell in both) / n if n else None


@settings(max_examples=40)
@given(histories)
def test_the_comparisons_are_those_of_a_plain_loop_however_blocks_are_cut(drawn):
    customers, rows = [], []
    for number, history in enumerate(drawn):
        seen, kept = set(), []
        for day, what, channel in sorted(history, key=lambda row: row[0]):
            if day not in seen:  # one event a day, so that nothing ties
                seen.add(day)
                kept.append((day, what, channel))
                rows.append((f"c{number:02d}", START + pd.Timedelta(days=day), what, channel, 30.0, None))
        customers.append(kept)
    end = max(day for history in customers for day, _, _ in history)
    study = wf.Study(read(rows), wf.JourneyMap())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wayfare.analyses.journey.touchpoints.TOO_FEW", 1)
        result = wf.touchpoints(study, window="14d", horizon="60d")
        parts = wf.touchpoints(replace(study, log=in_blocks(study.log, 4)), window="14d", horizon="60d")
    assert result.to_json() == parts.to_json()
    for row in result.touchpoints.to_pylist():
        (n, lift), (n_again, lift_again) = map(effect, oracle(customers, end, row["touchpoint"]))
        assert (row["matched"], row["repurchase_matched"]) == (n, n_again)
        for found, expected in ((row["lift"], lift), (row["repurchase_lift"], lift_again)):
            assert np.isnan(found) if expected is None else found == pytest.approx(expected, abs=1e-12)


def test_many_touchpoints_keep_those_that_reach_most():
    rng = np.random.default_rng(2)
    rows = [
        (
            f"c{n % 300}",
            START + pd.Timedelta(hours=int(rng.integers(0, 9000))),
            f"e{int(rng.integers(0, 90) ** 2 / 90):02d}",
            "web",
            1.0,
            None,
        )
        for n in range(6_000)
    ]
    result = wf.touchpoints(read(rows))
    shown = {row["touchpoint"]: row["customers"] for row in result.touchpoints.to_pylist()}
    assert len(shown) == 60
    everyone = pd.DataFrame(rows).groupby(2)[0].nunique()
    assert sorted(shown.values()) == sorted(everyone.sort_values()[-60:])
    assert all(everyone[name] == customers for name, customers in shown.items())


@pytest.mark.parametrize(
    "rows",
    [[], [("a", START, "purchase", "web", 5.0, None)], [("a", START, "visit", "web", None, 7.0)]],
    ids=["empty", "one order", "one visit"],
)
def test_next_to_nothing_is_too_few_to_say(rows):
    columns = ["customer", "time", "event", "channel", "value", "score"]
    frame = pd.DataFrame(rows, columns=columns).astype(
        {"customer": "string", "event": "string", "channel": "string"}
    )
    frame = frame.astype({"value": float, "score": float})
    frame["time"] = pd.to_datetime(frame["time"])
    result = wf.touchpoints(
        wf.read_events(
            frame,
            customer="customer",
            time="time",
            event="event",
            channel="channel",
            value="value",
            score="score",
        )
    )
    assert "too few to say" in result.findings[0].text
    assert set(result.touchpoints["kind"].to_pylist()) <= {FEW}
    assert TouchpointsResult.from_dict(result.to_dict()).to_dict() == result.to_dict()
    assert result.chart() is None


def test_a_log_without_channels_values_and_scores_is_compared_all_the_same():
    frame = pd.DataFrame([row[:3] for row in arrivals(30, 10)], columns=["customer", "time", "event"])
    result = wf.touchpoints(wf.read_events(frame, customer="customer", time="time", event="event"))
    row = of(result, "read")
    assert row["lift"] == 0.5
    assert np.isnan(row["money"])
    assert row["scores"] == 0


def test_the_picture_draws_lifts_with_their_samples(result):
    svg = result.chart().svg()
    assert "recipe_read → next order" in svg
    assert "Observational" in svg


def test_why_nothing_can_be_said_is_told():
    # 500 customers of a month: nobody's 104 days are over, so that their number is not what is wanting.
    frame = pd.DataFrame(
        {
            "customer": [f"{i}" for i in range(500)],
            "time": pd.Timestamp("2024-01-01"),
            "event": "product_view",
        }
    )
    frame.loc[499, "time"] = pd.Timestamp("2024-01-31")
    result = wf.touchpoints(wf.read_events(frame, customer="customer", time="time", event="event"))
    assert result.findings[0].text == (
        "The comparisons are too few to say what any touchpoint goes along with: each takes 30 customers who met it, 30 like "
        "them who did not, and 104 days of history after their arrival or first order (the log has 500 customers)."
    )
