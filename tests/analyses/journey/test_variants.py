from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby
from statistics import median

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyses.cuts import in_blocks
from wayfare.analyses.journey.variants import variants
from wayfare.charts.picture import png
from wayfare.errors import InvalidParameter
from wayfare.log import Log, read_events

START = pd.Timestamp("2024-01-01", tz="UTC")


def log_of(rows, **columns) -> Log:
    """A log of (customer, second, event)."""
    customer, second, event = zip(*rows, strict=True) if rows else ((), (), ())
    time = START + pd.to_timedelta(np.array(second, dtype="int64"), unit="s")
    frame = pd.DataFrame(
        {"c": pd.array(customer, "string"), "t": time, "e": pd.array(event, "string"), **columns}
    )
    return read_events(frame, customer="c", time="t", event="e", **{name: name for name in columns})


def test_a_case_computed_by_hand():
    rows = [
        ("1", 0, "view"),
        ("1", 10, "buy"),
        ("2", 0, "view"),
        ("2", 30, "buy"),
        ("3", 0, "buy"),
        ("3", 5, "view"),
    ]
    result = variants(log_of(rows))
    found = result.to_pandas()
    assert found["path"].tolist() == ["view > buy", "buy > view"]
    assert found["customers"].tolist() == [2, 1]
    assert found["share"].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert found["cumulative_share"].tolist() == pytest.approx([2 / 3, 1])
    assert found["median_seconds"].tolist() == pytest.approx([20, 5], rel=1 / 256)
    assert result.summary.to_pylist() == [
        {"customers": 3, "variants": 2, "shown": 2, "single": 1, "for_half": 1}
    ]


def test_the_permit_log_has_its_published_variants(shared_data):
    frame = pd.read_parquet(shared_data / "receipt_process" / "receipt.parquet")
    log = read_events(frame, customer="case:concept:name", time="time:timestamp", event="concept:name")
    result = variants(log)
    # data/README.md: 1,434 cases, 116 variants, the largest of 713.
    assert result.variants.num_rows == 116
    assert result.variants["customers"][0].as_py() == 713
    assert sum(result.variants["customers"].to_pylist()) == 1_434
    assert "713 of 1,434 customers (50%)" in result.findings[0].text


def oracle(rows, limit, collapse):
    histories = defaultdict(list)
    for customer, second, event in sorted(rows, key=lambda row: (row[0], row[1])):
        histories[customer].append((second, event))
    counts, took = Counter(), defaultdict(list)
    for history in histories.values():
        events = [event for _, event in history]
        if collapse:
            events = [event for event, _ in groupby(events)]
        path = " > ".join(events[:limit] + (["…"] if len(events) > limit else []))
        counts[path] += 1
        took[path].append(history[-1][0] - history[0][0])
    return [(p, counts[p], median(took[p])) for p in sorted(counts, key=lambda p: (-counts[p], p))]


histories = st.lists(
    st.tuples(st.sampled_from("12345678"), st.integers(0, 9_000), st.sampled_from("ab")),
    min_size=1,
    max_size=40,
)


@settings(max_examples=25)
@given(rows=histories, limit=st.integers(1, 6), collapse=st.booleans(), cut=st.booleans())
def test_variants_are_those_of_a_plain_loop(rows, limit, collapse, cut):
    log = log_of(rows)
    found = variants(in_blocks(log, 1) if cut else log, limit=limit, collapse=collapse).variants
    expected = oracle(rows, limit, collapse)
    assert found["path"].to_pylist() == [row[0] for row in expected]
    assert found["customers"].to_pylist() == [row[1] for row in expected]
    assert found["median_seconds"].to_pylist() == pytest.approx(
        [row[2] for row in expected], rel=1 / 250, abs=0.5
    )


def test_only_the_most_frequent_are_shown_and_the_shares_stay_those_of_all():
    rows = [
        (f"{event}{n}", 0, event) for event, times in (("a", 5), ("b", 3), ("c", 2)) for n in range(times)
    ]
    result = variants(log_of(rows), top=2)
    assert result.variants["path"].to_pylist() == ["a", "b"]
    assert result.variants["share"].to_pylist() == pytest.approx([0.5, 0.3])
    assert result.summary.to_pylist()[0] == {
        "customers": 10,
        "variants": 3,
        "shown": 2,
        "single": 0,
        "for_half": 1,
    }


def test_which_of_the_equally_rare_are_shown_does_not_depend_on_codes_or_order():
    names = [f"event {i}" for i in range(40)]
    rows = [(f"c{i}", 0, name) for i, name in enumerate(names)]
    other = [(f"c{99 - i}", 0, name) for i, name in enumerate(reversed(names))]
    shown = variants(log_of(rows), top=7).variants["path"].to_pylist()
    assert len(shown) == 7
    assert shown == variants(log_of(other), top=7).variants["path"].to_pylist()


def test_orders_and_their_value_are_per_variant():
    rows = [("1", 0, "view"), ("1", 1, "purchase"), ("2", 0, "view"), ("2", 1, "purchase"), ("3", 0, "view")]
    log = log_of(rows, value=[np.nan, 30.0, np.nan, 50.0, np.nan])
    found = {row["path"]: row for row in variants(log).variants.to_pylist()}
    assert found["view > purchase"]["orders"] == 2
    assert found["view > purchase"]["value"] == pytest.approx(40.0)
    assert found["view"]["orders"] == 0
    assert found["view"]["value"] == 0


@pytest.mark.parametrize("rows", [[], [("1", 0, "a")]])
def test_too_few_customers_are_said_to_be_too_few(rows):
    result = variants(log_of(rows))
    assert result.variants.num_rows == len(rows)
    assert result.findings[0].text.startswith("Too few to say")
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"top": 0}, {"limit": 10**6}])
def test_a_limit_out_of_range_is_refused(wrong):
    with pytest.raises(InvalidParameter, match="out of range"):
        variants(log_of([("1", 0, "a")]), **wrong)


def test_a_very_long_history_is_one_cut_variant_and_the_picture_is_drawn():
    rows = [("1", s, "ab"[s % 2]) for s in range(5_000)] + [(str(c), 0, "a <b>") for c in range(2, 15)]
    result = variants(log_of(rows))
    assert result.variants["path"].to_pylist()[1] == " > ".join(["a", "b"] * 25 + ["…"])
    assert result.variants["events"].to_pylist() == [1, 50]
    assert "a &lt;b&gt;" in result.chart().svg()
    assert png(result.chart(), scale=1).startswith(b"\x89PNG")


def test_one_way_is_not_counted_as_several():
    rows = [(f"{i}", second, event) for i in range(20) for second, event in ((0, "view"), (60, "buy"))]
    assert [finding.text for finding in variants(log_of(rows)).findings] == [
        "The most frequent way is view > buy: 20 of 20 customers (100%), within 60 seconds (median)."
    ]
    more = variants(log_of([*rows, ("x", 0, "view")]))
    assert more.findings[1].text == (
        "Customers went 2 different ways; 5% went a way of their own, half went the most frequent one."
    )
