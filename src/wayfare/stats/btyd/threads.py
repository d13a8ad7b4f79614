"""How many threads work: one where they would wait for each other, some where the rows are many."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, TypeVar

Result = TypeVar("Result")

_CHUNK = 65_536
_MOST = 4


def one_thread() -> AbstractContextManager[Any]:
    """One thread for linear algebra within this context."""
    return _libraries().limit(limits=1, user_api="blas")


@lru_cache
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401 - so that its library is among those that are found
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def in_threads(function: Callable[[int, int], Result], size: int) -> list[Result]:
    """`function` of the first row and the end of each chunk of `size` rows, in order, whatever the threads."""
    starts = range(0, size, _CHUNK)
    ends = [min(start + _CHUNK, size) for start in starts]
    if len(ends) < 2:
        return [function(start, end) for start, end in zip(starts, ends, strict=True)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST)) as pool:
        return list(pool.map(function, starts, ends))
