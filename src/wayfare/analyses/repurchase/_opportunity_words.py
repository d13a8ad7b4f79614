"""The opportunities in sentences and as a picture."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from wayfare.analyses.repurchase._effects import LEAVE, MEASURED
from wayfare.charts.picture import Picture
from wayfare.domain.words import counted
from wayfare.result import Finding


def findings_of(
    currency: str | None, customers: int, extra_orders: float, actions: pa.Table
) -> tuple[Finding, ...]:
    """What the list should add, where most of it comes from, and whether the holdout can show it.

    Args:
        currency: That of the money; None where no value is known.
        customers: Who have ordered.
        extra_orders: What all contacts should add in orders.
        actions: The table of actions.
    """
    rows = [row for row in actions.to_pylist() if row["action"] != LEAVE]
    told, out = (sum(row[name] for row in rows) for name in ("contacted", "held_out"))
    if not told:
        if not customers:
            return (Finding("Nobody has ordered yet: there is nobody to contact."),)
        ordered = f"{counted(customers, 'customer')} who {'has' if customers == 1 else 'have'} ordered"
        return (Finding(f"Of {ordered} nobody is worth a contact now, or too little is known to say."),)
    measured = all(row["basis"] == MEASURED for row in rows if row["contacted"])
    basis = (
        "if the measured effects hold"
        if measured
        else "if the stated effects hold, which nobody has measured yet"
    )
    if currency is None:
        return (
            Finding(
                f"{told:,} contacts should add about {extra_orders:,.0f} orders, {basis}; what they are worth can't be said.",
                customers=told,
            ),
        )
    money, low, high, cost = (
        sum(row[name] for row in rows) for name in ("expected_value", "low", "high", "cost")
    )
    first = Finding(
        f"{told:,} contacts should add {currency} {_whole(money)} ({_whole(low)} to {_whole(high)}) for {currency} {_whole(cost)}, {basis}; "
        f"{out:,} customers are held out to measure it.",
        money=money, customers=told,
    )  # fmt: skip
    best = max(
        (row for row in rows if row["contacted"]),
        key=lambda row: (row["expected_value"] - row["cost"], row["action"]),
    )
    return (first, _largest(currency, best), *_measurable(rows))


def _largest(unit: str, row: dict[str, Any]) -> Finding:
    return Finding(
        f"After costs most comes from {row['action']}: {row['contacted']:,} customers, {unit} {_whole(row['expected_value'])} "
        f"({_whole(row['low'])} to {_whole(row['high'])}) at {'a measured' if row['basis'] == MEASURED else 'an assumed'} effect of "
        f"{row['effect']:.0%} ({_share(row['effect_low'])} to {row['effect_high']:.0%}).",
        customers=row["contacted"],
    )


def _whole(money: float) -> str:
    return _minus(f"{money:,.0f}")


def _share(part: float) -> str:
    return _minus(f"{part:.0%}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _measurable(rows: list[dict[str, Any]]) -> list[Finding]:
    """Whether the holdout can show the assumed effect of the action that it is largest for."""
    able = [row for row in rows if row["detectable"] is not None]
    if not able:
        return []
    row = max(able, key=lambda row: (row["held_out"], row["action"]))
    enough = row["detectable"] <= row["effect"]
    verdict = "enough" if enough else "too small: repeat it, hold out more, or ask for a longer time"
    return [
        Finding(
            f"With {row['held_out']:,} held out of {row['action']}, a rise of the chance to order by {row['detectable']:.0%} would show; for the "
            f"assumed {row['effect']:.0%} that is {verdict}.",
            customers=row["held_out"],
        )
    ]


def bars_of(rows: list[dict[str, Any]], title: str) -> Picture:
    """What each action should add, with its interval."""
    from wayfare.charts.plots import bars

    shown = pa.table({
        "name": [f"{row['action']} ({row['contacted']:,})" for row in rows],
        **{name: [row[name] for row in rows] for name in ("expected_value", "low", "high")},
        "label": [_whole(row["expected_value"]) for row in rows],
    })  # fmt: skip
    return bars(
        shown, "expected_value", "name", low="low", high="high", label="label", title=title,
        subtitle="Money that each action should add, and from the lower to the upper end of its effect.",
        note="In brackets: customers to contact. Effects are stated priors unless measured.",
    )  # fmt: skip
