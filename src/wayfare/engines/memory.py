"""What the C library does with freed memory: kept from block to block, given back between studies. Only glibc is asked."""

from __future__ import annotations

import ctypes
import os
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt(3)
_LARGEST_ARRAY = 8 << 20
_MOST_KEPT = 64 << 20


@cache
def keep_for_next_block() -> None:
    """Arrays of a block are as large as those of the next: kept, they need not be asked for page by page again.

    A study's threads share as many heaps as can be at work at once; with one each, all would keep what they freed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_ARRAY)
        mallopt(_TRIM_THRESHOLD, _MOST_KEPT)
        mallopt(_ARENA_MAX, (os.cpu_count() or 1) + 1)


def give_back() -> None:
    """Hands what was freed back to the system; the C library keeps what many threads freed, study after study."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
