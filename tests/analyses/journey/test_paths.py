from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyses.cuts import in_blocks
from wayfare.analyses.journey.paths import paths
from wayfare.charts.picture import png
from wayfare.errors import InvalidParameter, UnknownName
from wayfare.log import Log, read_events

START = pd.Timestamp("2024-01-01", tz="UTC")


def log_of(rows) -> Log:
    """A log of (customer, second, event)."""
    customer, second, event = zip(*rows, strict=True) if rows else ((), (), ())
    time = START + pd.to_timedelta(np.array(second, dtype="int64"), unit="s")
    frame = pd.DataFrame({"c": pd.array(customer, "string"), "t": time, "e": pd.array(event, "string")})
    return read_events(frame, customer="c", time="t", event="e")


def spelled(**histories: str) -> Log:
    """A log with one event a letter, a second apart."""
    return log_of(
        [
            (customer, second, event)
            for customer, word in histories.items()
            for second, event in enumerate(word)
        ]
    )


def flows_of(result) -> list[tuple]:
    names = ("step", "source", "target", "customers")
    return list(zip(*(result.flows[name].to_pylist() for name in names), strict=True))


def test_forward_from_an_event():
    # From the first b: p goes to c and d, q goes to d and ends, r has no b.
    result = paths(spelled(p="abcd", q="abd", r="acd"), start="b", steps=3)
    assert flows_of(result) == [
        (1, "b", "c", 1),
        (1, "b", "d", 1),
        (2, "c", "d", 1),
        (2, "d", "(end)", 1),
        (3, "d", "(end)", 1),
    ]
    assert result.flows["share"].to_pylist() == [0.5] * 5
    assert result.layers.to_pylist()[0] == {"position": 0, "event": "b", "customers": 2, "share": 1.0}


def test_backward_to_an_event():
    result = paths(spelled(p="abx", q="bxx", r="abb"), end="x", steps=2)
    assert flows_of(result) == [(-2, "(start)", "b", 1), (-2, "a", "b", 1), (-1, "b", "x", 2)]
    assert result.layers["position"].to_pylist() == [-2, -1, 0]


def test_between_two_events_only_those_who_arrive_count():
    result = paths(spelled(p="xaby", q="ay", r="abbb", s="ya"), start="a", end="y", steps=4)
    assert flows_of(result) == [(1, "a", "b", 1), (1, "a", "y", 1), (2, "b", "y", 1)]


def test_without_an_anchor_histories_are_walked_from_their_first_event():
    assert flows_of(paths(spelled(p="ab", q="ac", r="a"), steps=1)) == [
        (1, "a", "(end)", 1),
        (1, "a", "b", 1),
        (1, "a", "c", 1),
    ]


def test_rare_events_are_grouped_in_each_layer():
    words = {f"p{i}": "xa" for i in range(5)} | {f"q{i}": "xb" for i in range(3)} | {"r": "xc", "s": "xd"}
    result = paths(spelled(**words), start="x", steps=1, top=2)
    assert flows_of(result) == [(1, "x", "a", 5), (1, "x", "b", 3), (1, "x", "(other)", 2)]
    # The layers stay whole.
    assert result.layers["event"].to_pylist() == ["x", "a", "b", "c", "d"]


def oracle(rows, start, end, steps, gap, collapse):
    histories = defaultdict(list)
    for customer, second, event in sorted(rows, key=lambda row: (row[0], row[1])):
        histories[customer].append((second, event))
    units = []
    for history in histories.values():
        unit = [history[0]]
        for before, after in pairwise(history):
            if gap is not None and after[0] - before[0] >= gap:
                units.append(unit)
                unit = []
            unit.append(after)
        units.append(unit)
    flows = Counter()
    for unit in units:
        events = [event for _, event in unit]
        if collapse:
            events = events[:1] + [after for before, after in pairwise(events) if before != after]
        if start is None and end is not None:
            if end in events:
                way = ["(start)", *events[: events.index(end) + 1]][-steps - 1 :]
                for step, (source, target) in enumerate(pairwise(way)):
                    flows[step - len(way) + 1, source, target] += 1
            continue
        if start is not None:
            if start not in events:
                continue
            events = events[events.index(start) :]
        way = [*events, "(end)"]
        if end is not None:
            if end not in events[1:]:
                continue
            way = events[: events.index(end, 1) + 1]
        for step, (source, target) in enumerate(pairwise(way[: steps + 1]), 1):
            flows[step, source, target] += 1
    return sorted(((*key, n) for key, n in flows.items()), key=lambda row: (row[0], -row[3], row[1], row[2]))


anchor = st.sampled_from([None, "a", "b", "c"])
histories = st.lists(
    st.tuples(st.sampled_from("12345"), st.integers(0, 9_000), st.sampled_from("abcd")),
    min_size=1,
    max_size=50,
)


@settings(max_examples=30)
@given(
    rows=histories,
    start=anchor,
    end=anchor,
    steps=st.integers(1, 6),
    session=st.booleans(),
    collapse=st.booleans(),
)
def test_flows_are_those_of_a_plain_loop(rows, start, end, steps, session, collapse):
    rows = [*rows, *(("0", 10**6 + i, event) for i, event in enumerate("abcd"))]
    log = in_blocks(log_of(rows), 1)
    found = paths(
        log, start=start, end=end, steps=steps, unit="session" if session else "customer", collapse=collapse
    )
    assert flows_of(found) == oracle(rows, start, end, steps, 1_800 if session else None, collapse)


def test_the_shops_sessions_before_a_purchase(shared_data):
    frame = pd.read_parquet(shared_data / "ecom_events" / "ecom_synthetic.parquet")
    log = read_events(frame, customer="user_id", time="timestamp", event="event", session="session_id")
    layers = paths(log, unit="session").to_pandas("layers")
    # data/README.md: 3,605 sessions.
    assert layers.loc[layers["position"] == 0, "customers"].sum() == 3_605


def test_a_long_name_of_the_anchor_does_not_run_into_the_next_header():
    name = "newsletter_subscription_confirmed"
    log = log_of([(f"{i}", second, event) for i in range(20) for second, event in ((0, name), (1, "b"))])
    drawn = paths(log, start=name).chart().svg()
    assert ">newsletter_subscrip…<" in drawn
    assert f">{name}<" not in drawn


def test_findings_say_what_comes_next_and_how_many_stop():
    words = (
        {f"p{i}": "ab" for i in range(9)}
        | {f"q{i}": "a" for i in range(6)}
        | {f"r{i}": "ac" for i in range(3)}
    )
    said = [finding.text for finding in paths(spelled(**words), start="a").findings]
    # Wilson for 9 of 18: 29% to 71%.
    assert (
        said[0]
        == "After their first a the most frequent next step is b: 50% of 18 customers (95% interval 29% to 71%)."
    )
    assert said[1] == "6 of 18 customers (33%) do nothing more after their first a."


def test_who_goes_straight_to_the_end_is_told_where_the_end_is_a_rare_event():
    # 12 go a, x, b; 8 go a, b: with one name a layer, b stands under (other) right after a.
    words = {f"x{i}": "axb" for i in range(12)} | {f"b{i}": "ab" for i in range(8)}
    result = paths(spelled(**words), start="a", end="b", top=1)
    assert result.findings[0].text == (
        "40% of the 20 customers that get from a to b go there straight; 60% go by x first."
    )


@pytest.mark.parametrize("rows", [[], [("1", 0, "a")]])
def test_too_few_are_said_to_be_too_few(rows):
    result = paths(log_of(rows))
    assert result.findings[0].text.startswith("Too few to say")
    assert result.flows.num_rows == len(rows)
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()


def test_an_event_that_nobody_knows_and_steps_out_of_range_are_refused():
    with pytest.raises(UnknownName, match="nowhere"):
        paths(spelled(p="ab"), start="nowhere")
    with pytest.raises(InvalidParameter, match="out of range"):
        paths(spelled(p="ab"), steps=0)


@pytest.mark.parametrize(
    "params", [{}, {"start": "a"}, {"end": "c"}, {"start": "a", "end": "c", "steps": 20}]
)
def test_the_picture_is_drawn(params):
    rng = np.random.default_rng(3)
    log = spelled(**{f"c{i}": "".join(rng.choice(list("abcde"), 8)) for i in range(30)})
    result = paths(log, **params)
    assert png(result.chart(), scale=1).startswith(b"\x89PNG")
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()
