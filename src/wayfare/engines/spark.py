"""Folding on Spark's executors: each task scans a run of blocks where the log lies, on storage that all can read."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wayfare.errors import MissingExtra
from wayfare.histories.filter import Filter
from wayfare.histories.fold import Fold, Progress, add_all, columns_of, merge_all, scan_all
from wayfare.histories.source import Source, empty_block

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BLOCKS_A_TASK = 16


@dataclass(frozen=True)
class SparkEngine:
    """Executors of one Spark session; they need this package installed and the log's folder mounted.

    A sealed log travels as its path, a log in memory as itself.
    """

    session: SparkSession

    def run(
        self, source: Source, condition: Filter, folds: Sequence[Fold[Any]], progress: Progress | None = None
    ) -> list[Any]:
        """Each fold's merged partial; a task merges its own blocks, the driver merges the tasks' in order."""
        from pyspark import cloudpickle

        columns = columns_of(folds, condition, source)
        if source.blocks == 0:
            return scan_all(folds, empty_block(source.schema, columns))
        work: bytes = cloudpickle.dumps((source, condition, list(folds), columns))  # type: ignore[no-untyped-call]
        tasks = -(-source.blocks // BLOCKS_A_TASK)
        frame = self.session.range(0, source.blocks, 1, tasks).mapInArrow(
            _Task(work), "first long, partials binary"
        )
        merged: list[Any] | None = None
        for row in sorted(frame.collect()):
            merged = merge_all(folds, merged, pickle.loads(row.partials))  # noqa: S301 - written by our own tasks
        if progress is not None:
            progress(source.facts.rows, source.facts.rows)
        assert merged is not None
        return merged


@dataclass(frozen=True)
class _Task:
    """What an executor does with a run of block numbers."""

    work: bytes

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        source, condition, folds, columns = pickle.loads(self.work)  # noqa: S301 - from the driver
        merged: list[Any] | None = None
        first = -1
        for batch in batches:
            for index in batch.column(0).to_pylist():
                first = index if first < 0 else first
                block = condition.apply(source.read(index, columns))
                merged = add_all(folds, merged, block)
        if merged is not None:
            yield pa.RecordBatch.from_pydict({"first": [first], "partials": [pickle.dumps(merged)]})


def start_session(master: str = "local[2]") -> SparkSession:
    """A Spark session that moves data as Arrow; `master` is Spark's own address of the cluster.

    Raises:
        MissingExtra: pyspark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MissingExtra.of("spark", "Folding on Spark") from error
    return (
        SparkSession.builder.master(master)
        .appName("wayfare")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
