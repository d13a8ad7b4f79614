"""The rows of the tables of `canvas_opportunities`."""

from __future__ import annotations

from typing import Any

from wayfare.analyses.canvas._opportunity_items import Joined, Sources
from wayfare.domain.canvas import BLOCKS
from wayfare.domain.strategies import FINDINGS, STRATEGIES, Found

Row = dict[str, Any]


def item_table(joined: Joined | None) -> list[Row]:
    """The items, the most money first; those without any last, in the canvas's order."""
    rows = joined.rows if joined else []
    ranked = sorted((row for row in rows if most(row) is not None), key=lambda row: -(most(row) or 0.0))
    others = [row | {"rank": None} for row in rows if most(row) is None]
    return [row | {"rank": place} for place, row in enumerate(ranked, 1)] + others


def most(row: Row) -> float | None:
    """The larger of the value at stake and the friction of an item."""
    known = [row[name] for name in ("value_at_stake", "friction_loss") if row[name] is not None]
    return max(known) if known else None


def block_table(joined: Joined | None, sources: Sources | None) -> list[Row]:
    """The nine blocks in their order."""
    if joined is None or sources is None:
        return []
    total = float(sources.people.value.sum())
    rows = []
    for block in BLOCKS:
        ledger, mine = joined.blocks[block], [row for row in joined.rows if row["block"] == block]
        value = (
            ledger.value(sources.people) if any(row["value_at_stake"] is not None for row in mine) else None
        )
        lost = any(row["friction_loss"] is not None for row in mine)
        told = [row for row in mine if row["satisfaction_gap"] is not None and row["scores"]]
        scores = sum(row["scores"] for row in told)
        rows.append({
            "block": block, "items": ledger.items, "value_at_stake": value,
            "friction_loss": ledger.friction(sources.people, sources.friction) if lost else None,
            "satisfaction_gap": sum(row["satisfaction_gap"] * row["scores"] for row in told) / scores if scores else None,
            "customers": ledger.customers(sources.people),
            "share": value / total if value is not None and total > 0 else None,
        })  # fmt: skip
    return rows


def strategy_table(joined: Joined | None, sources: Sources | None) -> list[Row]:
    """The strategies that fit somewhere, by the money that they touch."""
    if joined is None or sources is None:
        return []
    rows = []
    for strategy in STRATEGIES:
        ledger, why = joined.strategies[strategy.name], joined.answered[strategy.name]
        if not ledger.items:
            continue
        order: list[Found] = sorted(why, key=lambda name: (-why[name], list(FINDINGS).index(name)))
        money = max(
            ledger.value(sources.people), ledger.friction(sources.people, sources.friction), ledger.added(sources.people)
        )  # fmt: skip
        known = sources.people.valued or money > 0
        rows.append({
            "strategy": strategy.name, "fits": ", ".join(order), "items": ledger.items, "value_at_stake": money if known else None,
            "why": f"{strategy.does}: {'; '.join(FINDINGS[name] for name in order)}",
        })  # fmt: skip
    return sorted(rows, key=lambda row: -(row["value_at_stake"] or 0.0))
