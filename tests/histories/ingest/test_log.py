"""The sealed log: merge, ties, duplicates, repetition, crash, size, and any order of input rows."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.histories.ingest.rows import events_of, summed
from wayfare.errors import BadInput, Busy, Cancelled, NotReady
from wayfare.histories.block import BLOCK_EVENTS
from wayfare.histories.ingest import Mapping, ingest, memory_source, quarantine
from wayfare.histories.ingest.encode import blocks
from wayfare.histories.ingest.workbench import workbench
from wayfare.histories.store import open_sealed, writing

HEADER = "customer,time,event,value\n"


def write(path: Path, *rows: str, header: str = HEADER) -> str:
    path.write_text(header + "".join(row + "\n" for row in rows))
    return str(path)


def test_a_later_ingest_merges_and_ties_keep_old_before_new(tmp_path: Path):
    log = tmp_path / "log"
    summed(ingest(log, [write(tmp_path / "a.csv", "b,2024-01-02,old,1", "b,2024-01-01,old,2")]))
    summary = summed(ingest(log, [write(tmp_path / "b.csv", "b,2024-01-02,new,3", "a,2024-01-03,new,4")]))
    assert (summary.kept, summary.customers) == (2, 2)
    assert [(row["customer"], row["time"][:10], row["event"], row["value"]) for row in events_of(log)] == [
        ("b", "2024-01-01", "old", 2), ("b", "2024-01-02", "old", 1), ("b", "2024-01-02", "new", 3), ("a", "2024-01-03", "new", 4),
    ]  # fmt: skip
    assert [entry["sources"] for entry in open_sealed(log).facts.lineage] == [["a.csv"], ["b.csv"]]
    assert len(list(log.glob("g-*"))) == 1


def test_columns_come_and_stay_away_and_codes_widen(tmp_path: Path):
    log = tmp_path / "log"
    summed(ingest(log, [write(tmp_path / "a.csv", "a,2024-01-01,e,x", header="customer,time,event,plan\n")]))
    many = [f"c{i},2024-01-01,e{i},{i}" for i in range(300)]
    summed(ingest(log, [write(tmp_path / "b.csv", *many)]))
    rows = events_of(log)
    assert len(rows) == 301
    assert rows[0] == {
        "customer": "a",
        "time": "2024-01-01T00:00:00+00:00",
        "event": "e",
        "value": None,
        "plan": "x",
    }
    assert {row["event"] for row in rows} == {"e", *(f"e{i}" for i in range(300))}


def test_a_column_keeps_the_kind_that_the_log_has(tmp_path: Path):
    log = tmp_path / "log"
    ingest(log, [write(tmp_path / "a.csv", "a,2024-01-01,e,5", header="customer,time,event,level\n")])
    with pytest.raises(BadInput, match="level"):
        ingest(log, [write(tmp_path / "b.csv", "a,2024-01-02,e,high", header="customer,time,event,level\n")])
    assert len(events_of(log)) == 1


def test_equal_times_keep_the_input_order(tmp_path: Path):
    rows = [f"a,2024-01-01T10:00:00,e{i:04},1" for i in random.Random(1).sample(range(3000), 3000)]
    summed(ingest(tmp_path / "log", [write(tmp_path / "a.csv", *rows)]))
    assert [row["event"] for row in events_of(tmp_path / "log")] == [row.split(",")[2] for row in rows]


def test_duplicates_by_event_id(tmp_path: Path):
    log, header = tmp_path / "log", "customer,time,event,event_id\n"
    first = write(
        tmp_path / "a.csv",
        "a,2024-01-01,one,1",
        "a,2024-01-02,two,1",
        "a,2024-01-03,three,",
        "a,2024-01-04,four,",
        header=header,
    )
    summary = summed(ingest(log, [first]))
    assert (summary.kept, summary.duplicates) == (3, 1)
    assert [row["event"] for row in events_of(log)] == ["one", "three", "four"]
    later = write(
        tmp_path / "b.csv",
        "b,2024-01-05,five,1",
        "b,2024-01-06,six,2",
        ",2024-01-06,six,3",
        "c,2024-01-06,six,3",
        header=header,
    )
    summary = summed(ingest(log, [later]))
    assert (summary.kept, summary.duplicates, summary.quarantined) == (2, 1, 1)


def test_duplicates_by_whole_row(tmp_path: Path):
    rows = [
        "a,2024-01-01,e,1",
        "a,2024-01-01,e,1",
        "a,2024-01-01,e,2",
        "a,soon,e,2",
        "a,soon,e,2",
        "a,later,e,2",
    ]
    summary = summed(ingest(tmp_path / "log", [write(tmp_path / "a.csv", *rows)], dedupe_rows=True))
    assert (summary.kept, summary.duplicates, summary.quarantined) == (2, 2, 2)
    summary = summed(ingest(tmp_path / "all", [str(tmp_path / "a.csv")]))
    assert (summary.kept, summary.duplicates, summary.quarantined) == (3, 0, 3)


def test_whole_rows_that_the_log_has_already_are_duplicates(tmp_path: Path):
    log = tmp_path / "log"
    ingest(log, [write(tmp_path / "a.csv", "a,2024-01-01,e,1", "b,2024-01-01,e,")])
    summary = summed(
        ingest(
            log,
            [write(tmp_path / "b.csv", "a,2024-01-01,e,1", "b,2024-01-01,e,", "b,2024-01-01,e,3")],
            dedupe_rows=True,
        )
    )
    assert (summary.kept, summary.duplicates) == (1, 2)


def test_the_same_file_is_not_counted_twice_unless_asked(tmp_path: Path):
    log, source = tmp_path / "log", write(tmp_path / "a.csv", "a,2024-01-01,e,1")
    ingest(log, [source])
    shutil.copy(source, tmp_path / "copy.csv")
    with pytest.raises(BadInput, match="ingested on") as caught:
        ingest(log, [str(tmp_path / "copy.csv")])
    assert "--again" in caught.value.hint
    assert ingest(log, [source], dry_run=True).kept == 1
    assert ingest(log, [source], again=True).kept == 1
    assert len(events_of(log)) == 2


def test_a_dry_run_writes_nothing(tmp_path: Path):
    summary = summed(
        ingest(
            tmp_path / "log", [write(tmp_path / "a.csv", "a,2024-01-01,e,1", ",2024-01-01,e,1")], dry_run=True
        )
    )
    assert (summary.kept, summary.quarantined, summary.customers, summary.generation) == (1, 1, 1, "")
    assert not (tmp_path / "log").exists()


def test_simulated_is_told_by_the_source_column(tmp_path: Path):
    header = "customer,time,event,source\n"
    ingest(tmp_path / "log", [write(tmp_path / "a.csv", "a,2024-01-01,e,simulated", header=header)])
    assert open_sealed(tmp_path / "log").facts.simulated
    ingest(tmp_path / "real", [write(tmp_path / "b.csv", "a,2024-01-01,e,shop", header=header)])
    assert not open_sealed(tmp_path / "real").facts.simulated


def test_one_writer_at_a_time_and_readers_stay(tmp_path: Path):
    source = write(tmp_path / "a.csv", "a,2024-01-01,e,1")
    with writing(tmp_path / "log"), pytest.raises(Busy):
        ingest(tmp_path / "log", [source])
    ingest(tmp_path / "log", [source])
    reader = open_sealed(tmp_path / "log")
    ingest(tmp_path / "log", [source], again=True)
    assert (len(events_of(reader)), len(events_of(tmp_path / "log"))) == (1, 2)


def test_progress_goes_through_the_phases_and_can_cancel(tmp_path: Path):
    source = write(tmp_path / "a.csv", *(f"c{i},2024-01-01,e,1" for i in range(1000)))
    told: list[tuple[str, float]] = []
    ingest(tmp_path / "log", [source], progress=lambda phase, fraction: told.append((phase, fraction)))
    assert list(dict.fromkeys(phase for phase, _ in told)) == ["reading", "checking", "sorting", "writing"]
    assert all(0 <= fraction <= 1 for _, fraction in told)
    assert told[-1] == ("writing", 1.0)

    def cancel(phase: str, fraction: float) -> None:
        if phase == "writing":
            raise Cancelled("Stopped.")

    before = events_of(tmp_path / "log")
    with pytest.raises(Cancelled):
        ingest(tmp_path / "log", [source], again=True, progress=cancel)
    assert events_of(tmp_path / "log") == before
    assert len(list((tmp_path / "log").glob("g-*"))) == 1


def test_a_million_events_of_one_customer_are_one_block(tmp_path: Path):
    frame = pd.DataFrame(
        {
            "customer": ["b"] * 1_000_000 + ["a", "c"],
            "time": np.arange(1_000_002) + 1_700_000_000,
            "event": "e",
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.parquet")]))
    log = open_sealed(tmp_path / "log")
    sizes = [log.read(index, ("customer",)) for index in range(log.blocks)]
    assert sum(block.customers for block in sizes) == log.facts.customers == 3
    assert max(block.rows for block in sizes) >= 1_000_000
    log.check()


def test_blocks_are_of_whole_customers_and_about_equal(tmp_path: Path):
    rng = np.random.default_rng(7)
    count = 5 * BLOCK_EVENTS
    frame = pd.DataFrame(
        {
            "customer": rng.integers(0, 30_000, count),
            "time": rng.integers(1.6e9, 1.7e9, count),
            "event": rng.choice(["a", "b"], count),
        }
    )
    source = memory_source(frame)
    seen: set[int] = set()
    for index in range(source.blocks):
        block = source.read(index, ("customer", "time"))
        assert BLOCK_EVENTS <= block.rows < BLOCK_EVENTS * 1.01 or index == source.blocks - 1
        assert not seen & set(block.codes.tolist())
        seen |= set(block.codes.tolist())
        order = np.lexsort((block["time"], block["customer"]))
        assert (order == np.arange(block.rows)).all()
    assert len(seen) == source.facts.customers == 30_000


def test_cutting_is_the_same_however_the_rows_arrive():
    import pyarrow as pa

    codes = np.repeat(np.arange(40, dtype=np.int8), np.random.default_rng(1).integers(1, 9, 40))
    whole = pa.record_batch({"customer": codes})

    def cut(step: int) -> list[list[int]]:
        pieces = (whole.slice(at, step) for at in range(0, whole.num_rows, step))
        return [batch.column(0).to_pylist() for batch in blocks(pieces, size=20)]

    assert all(cut(step) == cut(1) for step in (2, 7, 20, 1000))
    assert [code for block in cut(3) for code in block] == codes.tolist()


event_rows = st.lists(
    st.tuples(st.sampled_from(["a", "NA", "007", "7", "Zoë"]), st.sampled_from(["visit", "buy"]), st.one_of(st.none(), st.integers(-5, 5))),
    min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=15)
@given(event_rows, st.randoms(use_true_random=False))
def test_any_order_of_input_rows_gives_the_same_log(rows: list[tuple], rng: random.Random):
    frame = pd.DataFrame(
        [(*row, 1_700_000_000 + i) for i, row in enumerate(rows)],
        columns=["customer", "event", "value", "time"],
    )
    frame["value"] = frame["value"].astype("float64")
    shuffled = frame.sample(frac=1, random_state=rng.randrange(1000))
    one, other = memory_source(frame), memory_source(shuffled)
    assert one.facts == other.facts
    assert events_of(one) == events_of(other)


cells = st.sampled_from(
    [
        "",
        " ",
        "a",
        "7",
        "1.5",
        "1,5",
        "2024-01-01",
        "2024-01-01T10:00:00Z",
        "soon",
        "NA",
        "-",
        "inf",
        "=x",
        '"',
        "é",
        "1890-01-01",
        "2024-13-01",
    ]
)
dirty_rows = st.lists(st.lists(cells, min_size=3, max_size=5), min_size=1, max_size=12)


@settings(max_examples=25)
@given(dirty_rows)
def test_whatever_the_dirt_the_counts_add_up(rows: list[list[str]]):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clean = "x,2024-01-01T10:00:00,visit,1\n"
        (folder / "a.csv").write_text(HEADER + clean + "".join(",".join(row) + "\n" for row in rows))
        summary = summed(
            ingest(
                folder / "log",
                [str(folder / "a.csv")],
                mapping=Mapping.parse(customer="customer", time="time", event="event"),
            )
        )
        assert len(events_of(folder / "log")) == summary.kept
        assert quarantine.rows(folder / "log").num_rows == summary.quarantined


CHILD = """
import sys, time
from pathlib import Path
from wayfare.histories.ingest import ingest
print("start", flush=True)
ingest(Path(sys.argv[1]), [sys.argv[2]])
print("done", flush=True)
"""


def test_kill_at_any_moment_leaves_the_old_log_or_the_new_one(tmp_path: Path):
    log = tmp_path / "log"
    ingest(log, [write(tmp_path / "a.csv", "old,2024-01-01,e,1")])
    rows = (f"c{i % 5000},2024-01-01T10:{i % 60:02}:00,e{i % 9},{i}" for i in range(150_000))
    source = write(tmp_path / "b.csv", *rows)
    rng, outcomes = random.Random(3), set()
    for attempt in range(7):
        copy = tmp_path / f"log{attempt}"
        shutil.copytree(log, copy)
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(copy), source], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.uniform(0.0, 1.6))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        outcomes.add(open_sealed(copy).facts.rows)
        open_sealed(copy).check()
        if open_sealed(copy).facts.rows == 1:
            assert ingest(copy, [source]).kept == 150_000
        else:
            with pytest.raises(BadInput, match="ingested on"):
                ingest(copy, [source])
        assert open_sealed(copy).facts.rows == 150_001
        assert not list(copy.glob("tmp-*"))
        assert len(list(copy.glob("g-*"))) == 1
        shutil.rmtree(copy)
    assert outcomes <= {1, 150_001}


def test_the_quarantine_can_be_exported_mended_and_run_again(tmp_path: Path):
    log, out = tmp_path / "log", tmp_path / "aside.csv"
    with pytest.raises(NotReady):
        quarantine.rerun(log)
    source = write(
        tmp_path / "a.csv", "a,31/01/2024,e,1", "b,soon,e,=1+1", ",31/01/2024,e,2", "d,01/02/2024,e,-3x", "only two,columns",
        header="customer,time,event,value\n",
    )  # fmt: skip
    summary = summed(ingest(log, [source]))
    assert (summary.kept, summary.quarantined) == (1, 4)
    assert quarantine.export(log, out) == 4
    text = out.read_text()
    assert "'=1+1" in text
    assert "'-3x" in text
    out.write_text(text.replace("soon", "02/02/2024").replace("'=1+1", "'+4").replace("'-3x", "'-3"))
    summary = summed(quarantine.rerun(log, out))
    assert (summary.rows_read, summary.kept, summary.quarantined) == (3, 2, 1)
    # 01/02 alone could be January 2: the order seen in the whole file is kept.
    assert [(row["customer"], row["time"][:10], row["value"]) for row in events_of(log)] == [
        ("a", "2024-01-31", 1.0), ("b", "2024-02-02", 4.0), ("d", "2024-02-01", -3.0),
    ]  # fmt: skip
    aside = quarantine.rows(log).to_pylist()
    assert sorted((row["id"], row["line"], row["reason"]) for row in aside) == [
        (2, 4, "no customer"),
        (4, 6, "too few columns"),
    ]
    summary = summed(
        quarantine.rerun(
            log, mapping=Mapping.parse(customer="event", time="time", event="event", maps=["value=value"])
        )
    )
    assert (summary.kept, quarantine.rows(log).num_rows) == (1, 1)


def test_the_quarantine_survives_later_ingests(tmp_path: Path):
    log = tmp_path / "log"
    ingest(log, [write(tmp_path / "a.csv", "a,2024-01-01,e,1", ",2024-01-01,e,1")])
    ingest(log, [write(tmp_path / "b.csv", "b,2024-01-01,e,1")])
    summed(ingest(log, [write(tmp_path / "c.csv", "c,2024-01-01,e,1", "c,,e,1")]))
    assert [(row["id"], row["source"], row["reason"]) for row in quarantine.rows(log).to_pylist()] == [
        (1, "a.csv", "no customer"), (2, "c.csv", "no time"),
    ]  # fmt: skip


def test_without_bad_rows_there_is_no_quarantine_file(tmp_path: Path):
    summary = ingest(tmp_path / "log", [write(tmp_path / "a.csv", "a,2024-01-01,e,1")])
    assert not (tmp_path / "log" / summary.generation / quarantine.FILE).exists()


def test_a_long_read_can_be_cancelled(tmp_path: Path):
    rows = [f"customer {i},2024-01-01T10:00:00,event,{i}" for i in range(400_000)]
    source = write(tmp_path / "a.csv", *rows * 4)

    def cancel(phase: str, fraction: float) -> None:
        if phase == "reading" and 0 < fraction < 1:
            raise Cancelled("Stopped.")

    try:
        ingest(tmp_path / "log", [source], progress=cancel)
    except Cancelled:
        assert not list((tmp_path / "log").glob("g-*"))
    else:
        pytest.skip("the read was over before its progress was asked for")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_csv_of_4_gb_is_streamed(tmp_path: Path):
    """With 2 GB for DuckDB the rest is spilled; the process as a whole stays under 4 GB."""
    import duckdb

    path, count = tmp_path / "big.csv", 88_000_000
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT 'cust-' || lpad((hash(i) % 4000000)::VARCHAR, 7, '0') AS customer,"
            " strftime(TIMESTAMP '2023-01-01' + to_seconds((hash(i * 7 + 1) % 63072000)::BIGINT), '%Y-%m-%dT%H:%M:%S') AS time,"
            " 'event' || (hash(i * 13) % 12)::VARCHAR AS event, round((hash(i * 17) % 10000) / 100.0, 2) AS value"
            f" FROM range({count}) t(i)) TO '{path}' (HEADER)"
        )
    assert path.stat().st_size > 3.9e9
    code = (
        "import resource, sys; from pathlib import Path; from wayfare.histories.ingest import ingest, workbench;"
        "workbench._memory = lambda: 4 * 2**30;"
        "print(ingest(Path(sys.argv[1]), [sys.argv[2]]).kept, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log"), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    kept, kilobytes = map(int, done.stdout.split())
    assert kept == count
    assert kilobytes < 4 * 2**20


def _orders(path: Path, numbers: range, extra: str = "") -> str:
    rows = "".join(f"c{i},2024-01-{i % 28 + 1:02d},purchase,{i}\n" for i in numbers)
    path.write_text("customer,time,event,value\n" + rows + extra)
    return str(path)


def test_an_export_that_overlaps_an_earlier_one_is_not_counted_twice(tmp_path: Path):
    log = tmp_path / "log"
    ingest(log, [_orders(tmp_path / "a.csv", range(1000))])
    overlap = [_orders(tmp_path / "b.csv", range(800, 1200))]
    with pytest.raises(BadInput, match="50% of these rows are in the log already") as caught:
        ingest(log, overlap)
    assert "--dedupe-rows" in caught.value.hint
    assert any("50%" in note for note in ingest(log, overlap, dry_run=True).notes)
    assert open_sealed(log).facts.rows == 1000
    summary = summed(ingest(log, overlap, dedupe_rows=True))
    assert (summary.kept, summary.duplicates) == (200, 200)
    assert (
        summed(
            ingest(log, [_orders(tmp_path / "c.csv", range(300), "z,2024-01-01,visit,1\n")], again=True)
        ).kept
        == 301
    )


def test_few_equal_rows_are_only_spoken_of(tmp_path: Path):
    log = tmp_path / "log"
    ingest(log, [_orders(tmp_path / "a.csv", range(1000))])
    summary = summed(ingest(log, [_orders(tmp_path / "b.csv", range(990, 1990))]))
    assert summary.kept == 1000
    assert any(note.startswith("1% of these rows") for note in summary.notes)
    assert not any(
        "rows are in the log" in note
        for note in ingest(log, [_orders(tmp_path / "c.csv", range(5000, 5010))]).notes
    )


@pytest.mark.parametrize(
    "said", [RuntimeError("Query interrupted"), duckdb.InterruptException("Interrupted!")]
)
def test_a_ctrl_c_while_duckdb_works_is_a_ctrl_c(said: Exception):
    with pytest.raises(KeyboardInterrupt), workbench():
        raise said
