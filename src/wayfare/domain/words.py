"""Counts as a person says them."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """`1 item`, `2,000 items`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
