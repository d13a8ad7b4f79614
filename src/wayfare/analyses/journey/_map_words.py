"""What a journey map says in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wayfare.analyses.journey._map_changes import ADDED, MOVED, REMOVED
from wayfare.charts.blueprint_model import MOMENT, PAIN
from wayfare.domain.journey import STAGES
from wayfare.domain.words import counted
from wayfare.result import Finding

FEW = 10
"""Fewer customers than this are too few for a share in a finding."""
PROPOSED = (
    "Nobody has written this journey map yet: stages are guessed from the events' names "
    "(`wayfare documents DIR new journey_map` starts one)."
)
HORIZON = "180 days"
"""What `dropoff` prices losses over."""
_LABELS = {stage.value: stage.label for stage in STAGES}
Row = dict[str, Any]


def findings(
    tables: dict[str, list[Row]], currency: str, persona: str, to_be: str | None, proposed: bool
) -> tuple[Finding, ...]:
    """Where most leave, the worst pain, the planned path, and what the to-be map changes."""
    said = [
        _losses(tables["stages"], tables["touchpoints"], currency),
        *_kinds(tables["touchpoints"], currency),
        *_noted(tables["touchpoints"], tables["stages"], currency),
        *_path(tables["paths"], tables["steps"], persona),
        *(_to_be(tables["changes"], tables["touchpoints"], to_be) if to_be is not None else ()),
        *([Finding(PROPOSED)] if proposed else []),
    ]
    return tuple(said)


def _known(value: float | None) -> float:
    return 0.0 if value is None or value != value else float(value)  # noqa: PLR0124 - the test for nan


def _losses(stages: list[Row], touchpoints: list[Row], currency: str) -> Finding:
    told = [row for row in stages if row["left"] and row["left"] + row["went_on"] >= FEW]
    if not told:
        customers = max((row["customers"] for row in stages), default=0)
        return Finding(
            f"Too few to say where customers leave: {counted(customers, 'customer')} at the widest stage."
        )
    worst = max(
        told, key=lambda row: (_known(row["price"]) if _known(row["price_low"]) > 0 else 0.0, row["left"])
    )
    text = (
        f"{_LABELS[worst['stage']]} is where most is lost: {worst['left']:,} of {worst['left'] + worst['went_on']:,} customers "
        f"went no further ({worst['drop_off']:.0%}; 95% interval {worst['drop_off_low']:.0%} to {worst['drop_off_high']:.0%})"
    )
    priced = _known(worst["price_low"]) > 0
    if priced:
        text += (
            f", worth at most {currency} {worst['price']:,.0f} ({worst['price_low']:,.0f} to {worst['price_high']:,.0f}) "
            f"over {HORIZON}"
        )
    last = max(
        (row for row in touchpoints if row["stage"] == worst["stage"]),
        key=lambda row: row["left"],
        default=None,
    )
    if last and last["left"]:
        text += f"; {last['left']:,} customers fell silent at {last['event']}"
    # Its price is a finding of dropoff already, and is ranked there.
    return Finding(f"{text}.", customers=worst["left"])


def _kinds(touchpoints: list[Row], currency: str) -> Iterator[Finding]:
    for kind, sign, words in (
        (PAIN, -1, ("worst pain point", "fewer")),
        (MOMENT, 1, ("strongest moment of truth", "more")),
    ):
        rows = [row for row in touchpoints if row["kind"] == kind and "orders_difference" in row]
        if rows:
            best = min(
                rows,
                key=lambda row: (
                    -sign * _known(row["value_difference"]),
                    -sign * _known(row["orders_difference"]),
                    row["event"],
                ),
            )
            yield _kind(best, sign, *words, currency)


def _kind(row: Row, sign: int, name: str, way: str, currency: str) -> Finding:
    orders, value = sign * _known(row["orders_difference"]), sign * _known(row["value_difference"])
    text = f"The {name} is {row['event']} ({_LABELS[row['stage']].lower()}), which {row['customers']:,} customers met"
    if orders > 0:
        text += f": {orders:,.0f} orders {way} than of like customers"
        text += f", worth {currency} {value:,.0f}" if value > 0 else ""
    elif row["satisfaction"] is not None:
        text += f": satisfaction {row['satisfaction']:+.2f} on a scale from −1 to 1".replace("-", "−")
        text += f" ({row['scores']:,} scores)"
    return Finding(f"{text}.", customers=row["customers"])


def _noted(touchpoints: list[Row], stages: list[Row], currency: str) -> Iterator[Finding]:
    """The touchpoint with a noted pain at which most fall silent, priced as its stage's losses are, each alike."""
    rows = [
        row
        for row in touchpoints
        if row["pains"] and row["left"] and row["customers"] - row["pending"] >= FEW
    ]
    if not rows or any(row["kind"] == PAIN for row in touchpoints):
        return
    worst = max(rows, key=lambda row: (row["left"], row["event"]))
    stage = next(row for row in stages if row["stage"] == worst["stage"])
    text = (
        f"Of the touchpoints with a noted pain, {worst['event']} loses most: {worst['left']:,} of "
        f"{worst['customers'] - worst['pending']:,} customers fell silent there ({worst['left_share']:.0%}; "
        f"95% interval {worst['low']:.0%} to {worst['high']:.0%})"
    )
    worth = (
        worst["left"] * stage["price"] / stage["left"]
        if stage["left"] and _known(stage["price_low"]) > 0
        else None
    )
    text += f", worth at most {currency} {worth:,.0f} at its stage's price" if worth else ""
    pain = worst["pains"].split("; ")[0].rstrip(".")
    yield Finding(f"{text}; the map notes: {pain}.", money=worth, customers=worst["left"])


def _path(paths: list[Row], steps: list[Row], persona: str) -> Iterator[Finding]:
    planned = next((row for row in paths if row["kind"] == "planned" and row["persona"] == persona), None)
    if planned is None:
        return
    decided = planned["began"] - planned["pending"]
    if decided < FEW:
        yield Finding(
            f"Too few to say how many take the planned path ({planned['path']}): {decided:,} began it."
        )
        return
    text = (
        f"{planned['customers']:,} of {decided:,} customers who began the planned path ({planned['path']}) took it in order "
        f"({planned['share']:.0%}; 95% interval {planned['low']:.0%} to {planned['high']:.0%})"
    )
    mine = [row for row in steps if row["persona"] == persona]
    leak = max(mine, key=lambda row: row["left"], default=None)
    if leak and leak["left"]:
        text += f"; most of the others got no further than {leak['event']} ({leak['left']:,})"
    yield Finding(f"{text}.", customers=decided - planned["customers"])


def _to_be(changes: list[Row], touchpoints: Sequence[Row], to_be: str) -> Iterator[Finding]:
    if not changes:
        yield Finding(f"The map {to_be} changes nothing.")
        return
    parts = []
    for what in (ADDED, REMOVED, MOVED):
        names = [row["name"] for row in changes if row["what"] == what and row["kind"] == "touchpoint"]
        if names:
            parts.append(
                f"{what} {', '.join(names[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            )
    rest = sum(
        not (row["kind"] == "touchpoint" and row["what"] in (ADDED, REMOVED, MOVED)) for row in changes
    )
    parts += [f"{rest} other {'entry' if rest == 1 else 'entries'} changed"] if rest else []
    touched = {row["name"] for row in changes if row["kind"] == "touchpoint"}
    met = max(
        (row for row in touchpoints if row["event"] in touched),
        key=lambda row: row["customers"],
        default=None,
    )
    text = f"The map {to_be} differs in {len(changes):,} {'place' if len(changes) == 1 else 'places'}: {'; '.join(parts)}"
    if met and met["customers"]:
        yield Finding(
            f"{text}. Of what it changes, most customers met {met['event']}: {met['customers']:,}.",
            customers=met["customers"],
        )
        return
    yield Finding(f"{text}.")
