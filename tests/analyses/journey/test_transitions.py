from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from statistics import median

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyses.cuts import in_blocks
from wayfare.analyses.journey import transitions as module
from wayfare.analyses.journey.paths import paths
from wayfare.analyses.journey.transitions import transitions
from wayfare.analyses.journey.variants import variants
from wayfare.charts.picture import png
from wayfare.log import Log, read_events

EVENTS = "abcde"
START = pd.Timestamp("2024-01-01", tz="UTC")


def log_of(rows: list[tuple[str, int, str]]) -> Log:
    """A log of (customer, second, event)."""
    customer, second, event = zip(*rows, strict=True) if rows else ((), (), ())
    time = START + pd.to_timedelta(np.array(second, dtype="int64"), unit="s")
    frame = pd.DataFrame({"c": pd.array(customer, "string"), "t": time, "e": pd.array(event, "string")})
    return read_events(frame, customer="c", time="t", event="e")


def test_a_case_computed_by_hand():
    log = log_of(
        [
            ("1", 0, "view"),
            ("1", 10, "view"),
            ("1", 40, "buy"),
            ("2", 0, "view"),
            ("2", 50, "buy"),
            ("2", 60, "view"),
        ]
    )
    edges = transitions(log).to_pandas()
    # Leaving view: view→view once, view→buy twice (30 s and 50 s); leaving buy: one step to view.
    assert edges["source"].tolist() == ["view", "buy", "view"]
    assert edges["target"].tolist() == ["buy", "view", "view"]
    assert edges["count"].tolist() == [2, 1, 1]
    assert edges["customers"].tolist() == [2, 1, 1]
    assert edges["probability"].tolist() == pytest.approx([2 / 3, 1, 1 / 3])
    assert edges["median_seconds"].tolist() == pytest.approx([40, 10, 10], rel=1 / 256)


def test_ends_say_where_histories_start_and_end():
    log = log_of([("1", 0, "view"), ("1", 9, "buy"), ("2", 0, "view"), ("2", 5, "view"), ("3", 0, "buy")])
    ends = transitions(log).to_pandas("ends")
    assert ends.to_dict("records") == [
        {"event": "view", "count": 3, "starts": 2, "ends": 1, "end_share": pytest.approx(1 / 3)},
        {"event": "buy", "count": 2, "starts": 1, "ends": 2, "end_share": 1.0},
    ]


def test_the_permit_log_has_its_published_number_of_edges(shared_data):
    frame = pd.read_parquet(shared_data / "receipt_process" / "receipt.parquet")
    log = read_events(frame, customer="case:concept:name", time="time:timestamp", event="concept:name")
    edges = transitions(log).to_pandas()
    # data/README.md: 8,577 events of 1,434 cases, 99 direct-follow edges.
    assert len(edges) == 99
    assert edges["count"].sum() == 8_577 - 1_434
    assert edges.groupby("source")["probability"].sum().to_numpy() == pytest.approx(1)


def test_the_lines_of_an_order_are_one_event():
    rows = [
        ("1", 0, "view"),
        ("1", 5, "buy"),
        ("1", 5, "buy"),
        ("1", 9, "buy"),
        ("1", 9, "buy"),
        ("2", 0, "buy"),
        ("2", 0, "buy"),
    ]
    frame = pd.DataFrame(rows, columns=["c", "s", "e"])
    frame["t"], frame["o"] = START + pd.to_timedelta(frame["s"], unit="s"), ["", "A", "A", "B", "B", "C", "C"]
    frame.loc[0, "o"] = None
    log = read_events(frame, customer="c", time="t", event="e", order="o")
    found = transitions(log)
    columns = ("source", "target", "count")
    assert [tuple(row[c] for c in columns) for row in found.edges.to_pylist()] == [
        ("buy", "buy", 1),
        ("view", "buy", 1),
    ]
    assert variants(log).variants["path"].to_pylist() == ["buy", "view > buy > buy"]
    assert paths(log, start="view", steps=2).flows["target"].to_pylist() == ["buy", "buy"]


def oracle(rows, gap=None, loops=True):
    histories = defaultdict(list)
    for customer, second, event in sorted(rows, key=lambda row: (row[0], row[1])):
        histories[customer].append((second, event))
    counts, customers, waits = Counter(), defaultdict(set), defaultdict(list)
    for customer, history in histories.items():
        for (before, source), (after, target) in pairwise(history):
            if (gap is None or after - before < gap) and (loops or source != target):
                counts[source, target] += 1
                customers[source, target].add(customer)
                waits[source, target].append(after - before)
    leaving = Counter()
    for (source, _), count in counts.items():
        leaving[source] += count
    order = sorted(counts, key=lambda edge: (-counts[edge], edge))
    return [
        (*edge, counts[edge], len(customers[edge]), counts[edge] / leaving[edge[0]], median(waits[edge]))
        for edge in order
    ]


histories = st.lists(
    st.tuples(st.sampled_from("123456"), st.integers(0, 9_000), st.sampled_from(EVENTS)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=25)
@given(rows=histories, session=st.booleans(), loops=st.booleans(), sparse=st.booleans())
def test_edges_are_those_of_a_plain_loop(rows, session, loops, sparse):
    with pytest.MonkeyPatch.context() as patch:
        if sparse:
            patch.setattr(module, "_DENSE", 0)
        log = in_blocks(log_of(rows), 1)
        edges = transitions(log, unit="session" if session else "customer", loops=loops).edges
    expected = oracle(rows, 1_800 if session else None, loops)
    columns = ("source", "target", "count", "customers", "probability", "median_seconds")
    found = list(zip(*(edges[name].to_pylist() for name in columns), strict=True))
    assert [row[:4] for row in found] == [row[:4] for row in expected]
    assert [row[4:] for row in found] == [pytest.approx(row[4:], rel=1 / 250) for row in expected]


def test_many_events_are_counted_like_few():
    rng = np.random.default_rng(5)
    names = [f"event_{i}" for i in range(400)]
    rows = [
        (str(c), int(t), names[e])
        for c, t, e in zip(
            rng.integers(0, 99, 3_000),
            rng.integers(0, 10**7, 3_000),
            rng.integers(0, 400, 3_000),
            strict=True,
        )
    ]
    edges = transitions(log_of(rows)).edges
    expected = oracle(rows)
    assert edges["count"].to_pylist() == [row[2] for row in expected]
    assert list(zip(edges["source"].to_pylist(), edges["target"].to_pylist(), strict=True)) == [
        row[:2] for row in expected
    ]


def test_events_that_repeat_are_named():
    rows = [(str(c), s, "refresh") for c in range(5) for s in range(4)] + [
        (str(c), 9, "leave") for c in range(5)
    ]
    result = transitions(log_of(rows))
    said = " ".join(finding.text for finding in result.findings)
    assert "refresh (75% of the steps from it)" in said
    without = transitions(log_of(rows), loops=False)
    assert without.edges.to_pylist()[0]["probability"] == 1.0
    assert "repeat" not in " ".join(finding.text for finding in without.findings)


@pytest.mark.parametrize("rows", [[], [("1", 0, "a")], [("1", 0, "a"), ("2", 0, "b")]])
def test_a_log_without_steps_says_so(rows):
    result = transitions(log_of(rows))
    assert result.edges.num_rows == 0
    assert result.ends.num_rows == len(rows)
    assert "Too few to say" in result.findings[0].text
    assert result.chart() is None
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()


def test_the_picture_is_drawn_and_the_result_comes_back_from_json():
    rows = [(str(c), s, EVENTS[(c * s) % 5]) for c in range(20) for s in range(9)]
    result = transitions(log_of(rows))
    assert png(result.chart(), scale=1).startswith(b"\x89PNG")
    again = type(result).from_dict(result.to_dict())
    assert again.to_dict() == result.to_dict()
