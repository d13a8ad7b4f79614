"""Folding with the threads of one machine: NumPy frees the interpreter lock while it scans a block."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from wayfare.engines.memory import keep_for_next_block
from wayfare.histories.filter import Filter
from wayfare.histories.fold import Fold, Progress, add_all, columns_of, merge_all, scan_all
from wayfare.histories.source import Source, empty_block

BLOCKS_A_TASK = 8
"""A thread merges the partials of at most so many blocks itself, while they are in its cache."""
TASKS = 32
"""Into at least so many runs the blocks are cut where there are enough, for many threads and a progress to watch."""


@dataclass(frozen=True)
class LocalEngine:
    """Threads over runs of blocks of one source; at most three runs a thread are under way, one block of each at once."""

    threads: int = 0

    def run(
        self, source: Source, condition: Filter, folds: Sequence[Fold[Any]], progress: Progress | None = None
    ) -> list[Any]:
        """Each fold's merged partial, all from one pass over `source`; partials merge in the customers' order."""
        keep_for_next_block()
        columns = columns_of(folds, condition, source)
        if source.blocks == 0:
            return scan_all(folds, empty_block(source.schema, columns))

        # Cut by the log alone, so that what is added up in which order does not depend on the threads.
        a_task = min(max(source.blocks // TASKS, 1), BLOCKS_A_TASK)
        tasks = -(-source.blocks // a_task)

        def scan(task: int) -> tuple[int, list[Any]]:
            rows, merged = 0, None
            for index in range(task * a_task, min((task + 1) * a_task, source.blocks)):
                block = source.read(index, columns)
                rows, merged = rows + block.rows, add_all(folds, merged, condition.apply(block))
            return rows, merged or []

        merged: list[Any] | None = None
        done, threads = 0, self.threads or os.cpu_count() or 1
        with ThreadPoolExecutor(threads) as pool:
            under_way: deque[Future[tuple[int, list[Any]]]] = deque()
            try:
                for index in range(tasks + 3 * threads):
                    if index < tasks:
                        under_way.append(pool.submit(scan, index))
                    if index >= 3 * threads and under_way:
                        rows, partials = under_way.popleft().result()
                        merged, done = merge_all(folds, merged, partials), done + rows
                        if progress is not None:
                            progress(done, source.facts.rows)
            except BaseException:
                for future in under_way:
                    future.cancel()
                raise
        assert merged is not None
        return merged
