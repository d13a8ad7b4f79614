"""Counts as a person says them."""

from __future__ import annotations


def number_of(count: int, what: str) -> str:
    """A count with its noun: `1 customer`, `2,000 customers`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def amount(count: float) -> str:
    """An estimated count; below 10 with a decimal, so that a part of one is not none."""
    return f"{count:,.1f}".removesuffix(".0") if abs(count) < 9.95 else f"{count:,.0f}"
