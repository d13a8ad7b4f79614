"""Spark's executors give what threads give, on a sealed log that they open themselves."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

import wayfare as wf
from tests.histories.logs import batch, seal
from wayfare.engines.spark import SparkEngine, start_session
from wayfare.errors import MissingExtra


def blocks(count):
    return [batch([i], [10 * i], [i % 2]) for i in range(count)]


def test_more_blocks_than_one_task_takes(tmp_path, spark):
    seal(tmp_path, *blocks(40), customers=40)
    local = wf.open_log(tmp_path)
    told = []
    log = replace(local, engine=SparkEngine(spark))
    rows = log.each_customer(
        lambda block: {"at": block["time"]}, progress=lambda done, total: told.append((done, total))
    )
    assert rows.equals(local.each_customer(lambda block: {"at": block["time"]}))
    assert rows["at"].to_pylist() == [10 * i for i in range(40)], "in the customers' order"
    assert told == [(40, 40)]


def test_a_filter_goes_along(tmp_path, spark):
    seal(tmp_path, *blocks(4))
    log = wf.open_log(tmp_path, engine=SparkEngine(spark))
    assert wf.overview(log.where("did:B")).to_pandas()["customers"].tolist() == [2]


def test_an_empty_log(tmp_path, spark):
    seal(tmp_path)
    assert wf.sessions(wf.open_log(tmp_path, engine=SparkEngine(spark))).summary["sessions"].to_pylist() == [
        0
    ]


def test_without_pyspark_the_command_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingExtra, match=r"pip install 'wayfare\[spark\]'"):
        start_session()
