"""Every benchmark runs, at a size at which its figures say nothing."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise
from shutil import which

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.benchmarks import _AGREE, BENCHMARKS, Row, row_of, run
from bench.contenders import CONTENDERS
from bench.events import FORMS, NAMES, Data, blocks
from bench.measure import Measured, largest
from bench.page import machine, page, table
from wayfare.log import open_log

EVENTS = 20_000


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    made = Data(EVENTS, tmp_path_factory.mktemp("bench"))
    for form in FORMS:
        if form != "clickhouse":
            FORMS[form][0](made)
    return made


def test_the_events_are_as_many_as_asked_for_sorted_and_always_the_same(data):
    first, again = (pa.Table.from_batches(blocks(data)) for _ in range(2))
    for column in first.column_names:
        np.testing.assert_array_equal(first[column].to_numpy(), again[column].to_numpy())
    assert first.num_rows == EVENTS
    customer, time = first["customer"].to_numpy(), first["time"].to_numpy()
    same = customer[1:] == customer[:-1]
    assert (np.diff(customer) >= 0).all()
    assert (np.diff(time)[same] >= 1_000_000).all()
    assert len(np.unique(customer)) == data.customers


def test_log_parquet_and_csv_hold_the_same_events(data):
    assert open_log(data.log).facts.rows == EVENTS
    assert open_log(data.log).facts.simulated
    assert pq.read_metadata(data.parquet).num_rows == EVENTS
    lines = data.csv.read_text("utf8").splitlines()
    assert lines[0] == "customer,time,event,value"
    assert len(lines) == EVENTS + 1


@pytest.mark.parametrize("name", [name for name, its in CONTENDERS.items() if its.label == "Wayfare"])
def test_our_contenders_answer(name, data, tmp_path):
    answer = CONTENDERS[name].ready(data)(tmp_path)
    assert answer


def test_the_loop_in_c_counts_what_the_funnel_counts(data, tmp_path):
    if which("cc") is None:
        pytest.skip("no C compiler (cc)")
    ours, loop = (CONTENDERS[name].ready(data)(tmp_path) for name in ("our_windowed_funnel", "c_loop"))
    assert loop == ours


def test_our_counts_are_those_of_a_plain_loop(data, tmp_path):
    counts = CONTENDERS["our_transitions"].ready(data)(tmp_path)
    expected: dict[str, int] = {}
    table = pa.Table.from_batches(blocks(data)).to_pydict()
    rows = list(zip(table["customer"], table["event"], strict=True))
    for (one, before), (other, after) in pairwise(rows):
        if one == other:
            step = f"{NAMES[before]} > {NAMES[after]}"
            expected[step] = expected.get(step, 0) + 1
    assert counts == expected


@pytest.mark.parametrize("name", ["help", "funnel"])
def test_a_benchmark_runs_in_processes_of_its_own(name, tmp_path):
    row = run(name, EVENTS, 1, tmp_path)
    if row.peer is not None and find_spec("chdb") is None:
        assert "chdb is not installed" in table([row])
    assert row.ours.seconds
    assert row.ours.memory > 1e6
    assert row_of(row.to_dict()) == row


def test_every_benchmark_names_contenders_that_there_are():
    for asked in BENCHMARKS.values():
        assert asked.ours in CONTENDERS
        assert asked.peer is None or asked.peer in CONTENDERS


OURS = Measured("our_transitions", 1_000, (0.2, 0.1), (0.4, 0.2), 10**8, {}, 0.5)


@pytest.mark.parametrize(
    ("name", "peer", "figure", "met"),
    [
        ("transitions-pm4py", (20.0, 10.0), 100, True),
        ("transitions-pm4py", (9.0, 8.0), 80, False),
        ("funnel-encoded", (1.0,), 10, None),
        ("ingest", (0.08, 0.1), 1.25, True),
        ("ingest", (0.05,), 2, False),
        ("transitions-pm4py", (), None, None),
    ],
)
def test_targets_are_held_against_the_best_times(name, peer, figure, met):
    row = Row(name, "2026-01-01", OURS, replace(OURS, seconds=peer, problem="" if peer else "not installed"))
    assert row.figure == (pytest.approx(figure) if figure else None)
    assert row.met is met


@pytest.mark.parametrize(
    ("change", "agrees"),
    [
        ({}, True),
        ({"log_likelihood": -1000.0000001}, True),  # rounding
        ({"log_likelihood": -999.0}, True),
        ({"log_likelihood": -1000.1}, False),
        ({"orders": 50.2}, True),
        ({"orders": 51.0}, False),
        ({"alive": 19.0}, False),
    ],
)
def test_a_fit_has_to_be_as_likely_and_to_predict_alike(change, agrees):
    theirs = {"log_likelihood": -1000.0, "orders": 50.0, "alive": 20.0}
    assert not _AGREE["fit"](theirs, {**theirs, "log_likelihood": float("-inf")})
    assert _AGREE["fit"]({**theirs, **change}, theirs) is agrees


def test_simulated_customers_are_those_of_the_model(data):
    frequency, recency, age = (
        pq.read_table(data.form("bg_nbd"))[name].to_numpy() for name in ("frequency", "recency", "age")
    )
    assert len(age) == data.customers
    assert (recency <= age).all()
    assert ((recency > 0) == (frequency > 0)).all()
    # Whole days.
    assert age * 7 == pytest.approx(np.rint(age * 7))
    assert pq.read_metadata(data.form("orders")).num_rows == data.orders


def test_a_peer_is_not_asked_for_more_memory_than_there_is(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "bench.measure.measure", lambda name, data, _: replace(OURS, contender=name, events=data.events)
    )
    monkeypatch.setattr("bench.measure._free_memory", lambda: 5 * 10**8)
    tried = largest("pm4py", [Data(n, tmp_path) for n in (1_000, 2_000, 20_000)], 1)
    assert [(m.events, bool(m.problem)) for m in tried] == [(1_000, False), (2_000, False), (20_000, True)]
    assert "memory" in tried[-1].problem


def test_the_page_says_what_was_measured_and_on_what(tmp_path):
    rows = [Row(name, "2026-01-01", OURS, OURS if its.peer else None) for name, its in BENCHMARKS.items()]
    written = page(rows, machine())
    assert "*simulated*" in written
    assert "1.0× faster" in written
    assert str(tmp_path.parent) not in written
