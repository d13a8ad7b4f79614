"""Folding with the threads of one machine: NumPy frees the interpreter lock while it scans a block."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from wayfare.histories.filter import Filter
from wayfare.histories.fold import Fold, Progress, columns_of, merge_all, scan_all
from wayfare.histories.source import Source, empty_block


@dataclass(frozen=True)
class LocalEngine:
    """Threads over the blocks of one source; at most three blocks a thread are under way at once."""

    threads: int = 0

    def run(
        self, source: Source, condition: Filter, folds: Sequence[Fold[Any]], progress: Progress | None = None
    ) -> list[Any]:
        """Each fold's merged partial, all from one pass over `source`; partials merge in the customers' order."""
        columns = columns_of(folds, condition, source)
        if source.blocks == 0:
            return scan_all(folds, empty_block(source.schema, columns))

        def scan(index: int) -> tuple[int, list[Any]]:
            block = source.read(index, columns)
            return block.rows, scan_all(folds, condition.apply(block))

        merged: list[Any] | None = None
        done, threads = 0, self.threads or os.cpu_count() or 1
        with ThreadPoolExecutor(threads) as pool:
            under_way: deque[Future[tuple[int, list[Any]]]] = deque()
            try:
                for index in range(source.blocks + 3 * threads):
                    if index < source.blocks:
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
