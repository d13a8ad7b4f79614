"""The sealed log: what is written is read, a crash leaves the old log or the new, damage is named."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from tests.histories.logs import SCHEMA, batch, seal
from wayfare.errors import Busy, Damaged, NotReady
from wayfare.histories import store
from wayfare.histories.store import open_sealed, writing

ONE = batch([0, 0, 1], [10, 20, 15], [0, 1, 0])
TWO = batch([2], [30], [1])


def test_what_is_written_is_read(tmp_path):
    seal(tmp_path, ONE, TWO)
    source = open_sealed(tmp_path)
    facts = source.facts
    assert (facts.rows, facts.customers, facts.first, facts.last) == (4, 3, 10, 30)
    assert source.blocks == 2
    assert source.read(0, ["customer", "time"])["time"].tolist() == [10, 20, 15]
    assert source.read(1, list(SCHEMA)).codes.tolist() == [2]
    assert source.names("customer")[2] == "c2"
    assert source.names("event").code("B") == 1
    assert source.names("event").code("Z") is None


def test_parts_hold_a_limited_number_of_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "PART_BLOCKS", 2)
    generation = seal(tmp_path, *(batch([i], [i], [0]) for i in range(5)))
    assert len(list(generation.glob("part-*.arrow"))) == 3
    assert [open_sealed(tmp_path).read(i, ["customer"]).codes.tolist() for i in range(5)] == [
        [0],
        [1],
        [2],
        [3],
        [4],
    ]


def test_the_same_content_has_the_same_fingerprint_and_another_has_not(tmp_path):
    prints = []
    for name, blocks in (("a", (ONE,)), ("b", (ONE,)), ("c", (TWO,))):
        seal(tmp_path / name, *blocks)
        prints.append(open_sealed(tmp_path / name).facts.fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_a_reader_outlives_the_log_that_it_reads(tmp_path):
    seal(tmp_path, ONE)
    reader = open_sealed(tmp_path)
    seal(tmp_path, TWO)
    assert reader.read(0, ["time"])["time"].tolist() == [10, 20, 15]
    assert open_sealed(tmp_path).facts.rows == 1
    assert len(list(tmp_path.glob("g-*"))) == 1, "the superseded generation is gone"


def test_a_source_travels_as_its_path(tmp_path):
    seal(tmp_path, ONE)
    copy = pickle.loads(pickle.dumps(open_sealed(tmp_path)))
    assert copy.read(0, ["time"])["time"].tolist() == [10, 20, 15]


def test_an_empty_log(tmp_path):
    seal(tmp_path)
    source = open_sealed(tmp_path)
    assert (source.blocks, source.facts.rows, source.facts.first) == (0, 0, None)


def test_nothing_ingested_yet(tmp_path):
    with pytest.raises(NotReady, match="Nothing has been ingested"):
        open_sealed(tmp_path / "log")


def test_an_unpublished_generation_is_not_the_log_and_is_swept(tmp_path):
    seal(tmp_path, ONE)
    with writing(tmp_path):
        store.write_generation(tmp_path, SCHEMA, [TWO], {})
    assert open_sealed(tmp_path).facts.rows == 3
    store.sweep(tmp_path)
    assert len(list(tmp_path.glob("g-*"))) == 1


def test_two_writers(tmp_path):
    with writing(tmp_path), pytest.raises(Busy, match="Another ingest"), writing(tmp_path):
        pass


def test_a_killed_writer_holds_nothing(tmp_path):
    script = f"""
import os, signal
from pathlib import Path
from wayfare.histories.store import writing
with writing(Path({str(tmp_path)!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    with writing(tmp_path):
        pass


def test_damage_is_named(tmp_path):
    part = seal(tmp_path, ONE) / "part-00000.arrow"
    source = open_sealed(tmp_path)
    source.check()
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    with pytest.raises(Damaged, match="not what was written"):
        source.check()
    part.write_bytes(content[:-10])
    with pytest.raises(Damaged, match="bytes"):
        open_sealed(tmp_path)
    part.unlink()
    with pytest.raises(Damaged, match="missing"):
        open_sealed(tmp_path)


def test_a_manifest_of_another_format_or_none(tmp_path):
    manifest = seal(tmp_path, ONE) / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(Damaged, match="format 99"):
        open_sealed(tmp_path)
    manifest.write_text("{")
    with pytest.raises(Damaged, match="manifest"):
        open_sealed(tmp_path)


def test_a_reader_keeps_the_names_of_the_log_that_it_reads(tmp_path):
    seal(tmp_path, ONE)
    reader = open_sealed(tmp_path)
    seal(tmp_path, TWO)
    assert reader.names("customer")[1] == "c1"
