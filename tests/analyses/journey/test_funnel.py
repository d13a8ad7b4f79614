"""The funnel against hand-computed cases, published figures and a plain-Python oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.errors import InvalidParameter, UnknownName

START = datetime(2024, 1, 1, tzinfo=UTC)


def log_of(*rows: tuple[str, float, str], **columns: list[str]) -> wf.Log:
    """A log from (customer, hours after the start, event)."""
    frame = pd.DataFrame(rows, columns=["customer", "hours", "event"])
    frame["time"] = [START + timedelta(hours=h) for h in frame.pop("hours")]
    extra = {name: name for name in columns}
    return wf.read_events(frame.assign(**columns), customer="customer", time="time", event="event", **extra)


def counts(log: wf.Log, steps: str, **params: object) -> list[int]:
    return wf.funnel(log, steps=list(steps), **params).steps["customers"].to_pylist()


# Hand-computed: a comes back for the second step after 30 hours, b goes A, X, B, c never starts.
SMALL = (("a", 0, "A"), ("a", 30, "B"), ("b", 0, "A"), ("b", 1, "X"), ("b", 2, "B"), ("c", 0, "B"))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [2, 2]),
        ({"within": "24h"}, [2, 1]),
        ({"within": "30h"}, [2, 2]),
        ({"order": "strict"}, [2, 1]),
        ({"order": "any"}, [3, 2]),
        ({"exclude": ["X"]}, [2, 1]),
    ],
)
def test_by_hand(params, expected):
    assert counts(log_of(*SMALL), "AB", **params) == expected


def test_the_clock_may_start_at_any_first_step_or_only_at_the_first():
    log = log_of(("a", 0, "A"), ("a", 100, "A"), ("a", 101, "B"))
    assert counts(log, "AB", within="2h") == [1, 1]
    assert counts(log, "AB", within="2h", start="first") == [1, 0]


def test_events_at_one_instant_count_in_step_order_and_fill_one_step_each():
    log = log_of(("a", 0, "B"), ("a", 0, "A"), ("b", 0, "A"), ("c", 0, "A"), ("c", 0, "B"), ("c", 0, "A"))
    assert counts(log, "AB") == [3, 2]
    assert counts(log, "AA") == [3, 1]
    assert counts(log, "ABA") == [3, 2, 1]


def test_an_open_window_is_pending_not_lost():
    log = log_of(("old", 0, "A"), ("new", 100, "A"), ("end", 101, "X"))
    steps = wf.funnel(log, steps=["A", "X"], within="5h").steps.to_pylist()
    assert [(row["customers"], row["pending"]) for row in steps] == [(2, 0), (0, 1)]


def test_medians_are_of_the_time_since_the_step_before():
    log = log_of(
        ("a", 0, "A"),
        ("a", 1, "B"),
        ("b", 0, "A"),
        ("b", 3, "B"),
        ("c", 0, "A"),
        ("c", 4, "B"),
        ("c", 10, "C"),
    )
    result = wf.funnel(log, steps=["A", "B", "C"])
    medians = result.steps["median_seconds"].to_pylist()
    assert medians[1] == pytest.approx(3 * 3600, rel=0.004)  # 1, 3 and 4 hours; buckets are 0.4% wide at most
    assert medians[2] == pytest.approx(6 * 3600, rel=0.004)
    last = result.times.to_pylist()[-1]
    assert last["from_first_seconds"] == pytest.approx(10 * 3600, rel=0.004)


def test_groups_are_compared_with_all_others_and_corrected():
    rows = [(f"{device}{i}", 0, "A") for device in "mdt" for i in range(100)]
    rows += (
        [(f"m{i}", 1, "B") for i in range(20)]
        + [(f"d{i}", 1, "B") for i in range(60)]
        + [(f"t{i}", 1, "B") for i in range(58)]
    )
    log = log_of(*rows, device=[name[0] for name, _, _ in rows])
    groups = {
        row["group"]: row
        for row in wf.funnel(log, steps=["A", "B"], by="device").groups.to_pylist()
        if row["step"] == 2
    }
    assert groups["m"]["of_first"] == 0.2
    assert groups["m"]["difference"] == pytest.approx(0.2 - 118 / 200)
    # Three comparisons at step 2: Holm multiplies the smallest p by three.
    assert groups["m"]["p_adjusted"] == pytest.approx(3 * groups["m"]["p"])
    assert groups["m"]["p_adjusted"] < 0.001


def test_first_and_last_touch_choose_the_group():
    log = log_of(("a", 0, "A"), ("a", 1, "B"), device=["web", "app"])
    for touch, device in (("first", "web"), ("last", "app")):
        groups = wf.funnel(log, steps=["A", "B"], by="device", touch=touch).groups
        assert groups["group"].to_pylist() == [device, device]


def test_more_steps_than_bits_in_a_word():
    names = [f"s{i:02d}" for i in range(40)]
    log = log_of(
        *(
            (customer, i, name)
            for customer, deep in (("a", 40), ("b", 35))
            for i, name in enumerate(names[:deep])
        )
    )
    assert wf.funnel(log, steps=names).steps["customers"].to_pylist() == [2] * 35 + [1] * 5


def test_a_step_that_is_excluded_and_one_that_is_unknown_are_refused():
    log = log_of(*SMALL)
    with pytest.raises(InvalidParameter, match="a step and excluded"):
        wf.funnel(log, steps=["A", "B"], exclude=["B"])
    with pytest.raises(UnknownName, match="'Z'"):
        wf.funnel(log, steps=["A", "Z"])


def test_ecom_events(shared_data):
    """Sessions and users that go cart → shipping_details → purchase: shared/data/README.md."""
    frame = pd.read_parquet(shared_data / "ecom_events" / "ecom_synthetic.parquet")
    log = wf.read_events(frame, customer="user_id", time="timestamp", event="event", session="session_id")
    steps = ["cart", "shipping_details", "purchase"]
    assert wf.funnel(log, steps=steps, unit="session").steps["customers"].to_pylist() == [1022, 512, 173]
    assert wf.funnel(log, steps=steps).steps["customers"].to_pylist() == [489, 385, 213]


# ClickHouse's own answers: its test 00632_aggregation_window_funnel (window in seconds, steps, level reached).
ONE_A_SECOND = [(second, str(1000 + second)) for second in range(9)]
AT_ONE_INSTANT = [(0, "1000"), (1, "1001"), (1, "1002"), (1, "1003"), (2, "1004")]
WITH_A_REPEAT = [
    (0, "1000"),
    (10, "1001"),
    (20, "1002"),
    (30, "1003"),
    (40, "1004"),
    (50, "1005"),
    (51, "1005"),
    (60, "1006"),
]


@pytest.mark.parametrize(
    ("events", "window", "steps", "level"),
    [
        (ONE_A_SECOND, 10000, "1000", 1),
        (ONE_A_SECOND, 10000, "1000 1001", 2),
        (ONE_A_SECOND, 10000, "1000 1001 1002 1008", 4),
        (ONE_A_SECOND, 1, "1000", 1),
        (ONE_A_SECOND, 2, "1003 1004 1005 1006 1007", 3),
        (ONE_A_SECOND, 3, "1003 1004 1005 1006 1007", 4),
        (ONE_A_SECOND, 4, "1003 1004 1005 1006 1007", 5),
        (ONE_A_SECOND, 10000, "1001 1008", 2),
        (ONE_A_SECOND, 10000, "1008 1001", 1),
        (AT_ONE_INSTANT, 10000, "1000 1001 1002 1003 1004", 5),
        (WITH_A_REPEAT, 10000, "1000 1001 1002 1003 1004 1005 1006", 7),
        # Here we differ on purpose: ClickHouse lets one event fill three steps and says 3.
        (AT_ONE_INSTANT, 10000, "1004 1004 1004", 1),
    ],
)
def test_clickhouse_answers(events, window, steps, level):
    names = steps.split()
    log = log_of(*(("a", seconds / 3600, name) for seconds, name in events))
    reached = wf.funnel(log, steps=names, within=f"{window}s").steps["customers"].to_pylist()
    assert reached == [1] * level + [0] * (len(names) - level)


# The histories of the same test's strict_order; ours also stops at a repeat, as PostHog's strict does.
@pytest.mark.parametrize(
    ("history", "any_between", "strict"), [("abc", 3, 3), ("adbc", 3, 1), ("aabbcc", 3, 2), ("ccbbaa", 1, 1)]
)
def test_strict_needs_the_next_event_to_be_the_next_step(history, any_between, strict):
    log = log_of(*(("u", hour, event) for hour, event in enumerate(history)))
    assert sum(counts(log, "abc")) == any_between
    assert sum(counts(log, "abc", order="strict")) == strict


HISTORY = st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ABCX")), min_size=0, max_size=9)


def deepest(history: list[tuple[int, str]], steps: str, within: int | None, first_only: bool) -> int:
    """The oracle: tries every way to fill the steps with different events in order of time."""
    starts = [i for i, (_, event) in enumerate(history) if event == steps[0]]
    if first_only and starts:
        starts = [min(starts, key=lambda i: history[i][0])]

    def further(used: list[int]) -> int:
        if len(used) == len(steps):
            return len(used)
        now, begin = history[used[-1]][0], history[used[0]][0]
        options = [
            i for i, (time, event) in enumerate(history)
            if i not in used and event == steps[len(used)] and time >= now and (within is None or time - begin <= within)
        ]  # fmt: skip
        return max((further([*used, i]) for i in options), default=len(used))

    return max((further([i]) for i in starts), default=0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(HISTORY, min_size=1, max_size=6),
    st.sampled_from(["AB", "ABC", "CBA"]),
    st.sampled_from([None, 1, 4]),
    st.booleans(),
)
def test_ordered_agrees_with_every_way_to_fill_the_steps(histories, steps, within, first_only):
    rows = [(f"c{i}", time, event) for i, history in enumerate(histories) for time, event in history]
    assume(set(steps) <= {event for _, _, event in rows})
    depths = [deepest(history, steps, within, first_only) for history in histories]
    expected = [sum(depth >= k for depth in depths) for k in range(1, len(steps) + 1)]
    params = {"within": f"{within}h" if within else None, "start": "first" if first_only else "any"}
    log = log_of(*rows)
    assert counts(log, steps, **params) == expected
    assert counts(in_blocks(log, 1), steps, **params) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(HISTORY, min_size=1, max_size=6),
    st.sampled_from(["AA", "ABA", "AAB"]),
    st.sampled_from([None, 1, 4]),
)
def test_a_repeated_step_needs_another_event(histories, steps, within):
    histories = [[(2 * i, event) for i, (_, event) in enumerate(history)] for history in histories]  # no ties
    rows = [(f"c{i}", time, event) for i, history in enumerate(histories) for time, event in history]
    assume(set(steps) <= {event for _, _, event in rows})
    depths = [deepest(history, steps, within, False) for history in histories]
    expected = [sum(depth >= k for depth in depths) for k in range(1, len(steps) + 1)]
    assert counts(log_of(*rows), steps, within=f"{within}h" if within else None) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(HISTORY, min_size=1, max_size=5), st.sampled_from(["AB", "ABC", "AAB"]), st.sampled_from([1, 4])
)
def test_any_order_agrees_with_the_best_permutation_of_the_steps(histories, steps, within):
    rows = [(f"c{i}", time, event) for i, history in enumerate(histories) for time, event in history]
    assume(set(steps) <= {event for _, _, event in rows})
    depths = [
        max(deepest(history, "".join(p), within, False) for p in permutations(steps)) for history in histories
    ]
    expected = [sum(depth >= k for depth in depths) for k in range(1, len(steps) + 1)]
    assert counts(log_of(*rows), steps, order="any", within=f"{within}h") == expected


def said(log: wf.Log, steps: str, **params: object) -> list[str]:
    return [finding.text for finding in wf.funnel(log, steps=list(steps), **params).findings]


def test_a_group_of_whom_nobody_comes_through_is_named():
    rows = [(f"{device}{i}", 0, "A") for device in ("m", "d") for i in range(60)]
    rows += [(f"d{i}", 1, "B") for i in range(30)]
    log = log_of(*rows, device=["mobile" if who.startswith("m") else "desktop" for who, _, _ in rows])
    # 0 of 60 against 30 of 60.
    assert said(log, "AB", by="device")[-1].startswith(
        "mobile reaches B less often than the others: 0.0%, 50.0 points apart (p < 0.001"
    )


def test_where_nobody_is_lost_no_loss_is_told():
    rows = [(f"c{i}", hour, event) for i in range(40) for hour, event in enumerate("AB")]
    assert said(log_of(*rows), "AB")[1:] == ["Nobody is lost on the way."]
    late = [*rows, *((f"l{i}", 2, "A") for i in range(3))]
    assert said(log_of(*late), "AB", within="1h")[1:] == ["Nobody is lost so far: 3 more may still come."]


def test_a_funnel_of_one_step_and_one_in_any_order_say_what_they_are():
    rows = [(f"c{i}", 0, "A") for i in range(40)] + [(f"c{i}", -1, "B") for i in range(10)]
    assert said(log_of(*rows), "A") == ["40 customers reached A, the only step: nobody can be lost."]
    # Wilson for 10 of 40: 14.2% to 40.2%.
    assert said(log_of(*rows), "AB", order="any")[0] == (
        "25.0% of 40 customers with one of the 2 steps took all of them, in any order (95% interval 14.2% to 40.2%)."
    )
    assert said(log_of(("a", 0, "A")), "A") == ["Too few to say: 1 customer reached the first step."]


def test_everybody_is_at_the_first_step_without_a_doubt():
    rows = [(f"{d}{i}", 0, "A") for d in "ab" for i in range(20)] + [(f"a{i}", 1, "B") for i in range(10)]
    result = wf.funnel(log_of(*rows, device=[who[0] for who, _, _ in rows]), steps=["A", "B"], by="device")
    first, second = result.steps.to_pylist()
    assert (first["of_first_low"], first["of_first"], first["of_first_high"]) == (1, 1, 1)
    # Wilson for 10 of 40.
    assert (second["of_first_low"], second["of_first_high"]) == (
        pytest.approx(0.1419, abs=1e-4),
        pytest.approx(0.4019, abs=1e-4),
    )
    for row in result.groups.to_pylist():
        if row["step"] == 1:
            assert (
                row["of_first_low"],
                row["of_first_high"],
                row["difference_low"],
                row["difference_high"],
            ) == (1, 1, 0, 0)


def test_the_lines_of_one_order_are_one_purchase():
    # a buys once, three lines; b twice, two lines and one; both are delivered right after the first order.
    rows = [("a", 0, "buy"), ("a", 0, "buy"), ("a", 0, "buy"), ("a", 1, "box")]
    rows += [("b", 0, "buy"), ("b", 0, "buy"), ("b", 1, "box"), ("b", 2, "buy")]
    log = log_of(*rows, order=["a1", "a1", "a1", None, "b1", "b1", None, "b2"])
    assert counts(log, ("buy", "buy")) == [2, 1]
    assert counts(log, ("buy", "buy"), order="any") == [2, 1]
    assert counts(log, ("buy", "box"), order="strict") == [2, 2]
    assert counts(log, ("buy", "box", "buy"), unit="session", order="strict") == [3, 0, 0]


def test_who_buys_again_in_the_shop(shared_data):
    frame = pd.read_parquet(shared_data / "online_retail" / "online_retail.parquet")
    frame.columns = [name.lower() for name in frame.columns]
    frame = frame[frame["customerid"].notna() & (frame["quantity"] > 0) & (frame["unitprice"] > 0)]
    log = wf.read_events(
        frame, customer="customerid", time="invoicedate", as_event="purchase", order="invoiceno"
    )
    steps = wf.funnel(log, steps=["purchase", "purchase"]).steps.to_pylist()
    # data/README.md: 4,338 customers, 65.6% repeat.
    assert (steps[0]["customers"], round(steps[1]["of_first"], 3)) == (4_338, 0.656)


def test_an_exclusion_ends_the_only_chain_of_an_unordered_funnel():
    """By hand: A starts the clock, X breaks the chain before B."""
    log = log_of(("a", 0, "A"), ("a", 1, "X"), ("a", 2, "B"))
    assert counts(log, "AB", order="any", start="first", exclude=["X"]) == [1, 0]


def test_an_unordered_window_that_the_first_step_opened_is_over_when_it_is_over():
    """By hand: the first A's seven hours are over at hour 8; that the second A's would not be says nothing."""
    log = log_of(("a", 0, "A"), ("a", 6, "A"), ("b", -20, "B"), ("z", 8, "C"))
    found = wf.funnel(log, steps=("A", "B"), order="any", start="first", within="7h")
    assert found.steps["pending"].to_pylist() == [0, 0]
