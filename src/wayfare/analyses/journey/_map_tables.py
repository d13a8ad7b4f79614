"""The tables of `journey_map`, joined from the document and from what other analyses found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from wayfare.analyses.journey._map_places import Cell
from wayfare.domain.journey import STAGES, JourneyMap, Stage, Touchpoint
from wayfare.domain.value_chain import ValueChain
from wayfare.result import Result
from wayfare.stats.proportions import wilson

Row = dict[str, Any]
_WHOLE = (
    "customers",
    "events",
    "left",
    "went_on",
    "pending",
    "scores",
    "n",
    "began",
    "step",
    "came_back",
    "touchpoints",
    "took",
)
_NUMBERS = (
    "share",
    "low",
    "high",
    "money",
    "value",
    "price",
    "rate",
    "satisfaction",
    "cost",
    "difference",
    "seconds",
    "off",
)


@dataclass(frozen=True)
class Found:
    """What other analyses and the map's own pass say, by stage, by event, or by both.

    Attributes:
        stages: Rows of `stages`.
        losses: Rows of `dropoff`.
        reached: Customers and events of each stage and event, of `stages`.
        places: Who fell silent there, and the time to the next touchpoint.
        effects: Rows of `touchpoints`.
        felt: Rows of `emotion` about scores, of stages.
        felt_at: The same of touchpoints.
        costs: Rows of `activity_costs` about touchpoints.
        chain: The value chain, whose activities serve touchpoints.
    """

    stages: Mapping[str, Row]
    losses: Mapping[str, Row]
    reached: Mapping[Cell, Row]
    places: Mapping[Cell, Row]
    effects: Mapping[str, Row]
    felt: Mapping[str, Row]
    felt_at: Mapping[str, Row]
    costs: Mapping[str, Row]
    chain: ValueChain | None


def rows_by(name: str, table: pa.Table, **only: str) -> dict[str, Row]:
    """The rows of a table by their value of a column, those that hold what `only` says."""
    rows = table.to_pylist()
    return {row[name]: row for row in rows if all(row[column] == value for column, value in only.items())}


def typed(result: type[Result], name: str, rows: Iterable[Row]) -> pa.Table:
    """Rows as the table that a result declares; what a row lacks is missing."""
    rows = list(rows)
    columns = result.columns()[name]
    return pa.table(
        {
            column: pa.array([row.get(column) for row in rows], _type_of(column), from_pandas=True)
            for column in columns
        }
    )


def _type_of(column: str) -> pa.DataType:
    if column in _WHOLE:
        return pa.int64()
    return pa.float64() if column.rsplit("_", 1)[-1] in _NUMBERS else pa.string()


def touchpoint_rows(journey: JourneyMap, found: Found, *, by_size: bool) -> list[Row]:
    """A row for each touchpoint and each stage it stands for, stage by stage; the largest first where nobody ordered them."""
    rows = []
    for stage in STAGES:
        here = [t for t in journey.touchpoints if stage in stages_of(t)]
        if by_size:
            here.sort(
                key=lambda t: (-found.reached.get((stage.value, t.event), {}).get("customers", 0), t.event)
            )
        rows += [_touchpoint(t, stage, found) for t in here]
    return rows


def stages_of(touchpoint: Touchpoint) -> tuple[str, ...]:
    """The stages that a touchpoint stands for, first the one before an order."""
    stages = (touchpoint.stage, touchpoint.after_purchase or touchpoint.stage)
    return tuple(dict.fromkeys(str(stage) for stage in stages if stage != "none"))


def _touchpoint(touchpoint: Touchpoint, stage: Stage, found: Found) -> Row:
    cell = (stage.value, touchpoint.event)
    reached, place = found.reached.get(cell, {}), found.places.get(cell, {})
    customers, left, pending = reached.get("customers", 0), place.get("left", 0), place.get("pending", 0)
    decided = customers - pending
    sure = wilson(left, decided)
    felt = found.felt_at.get(touchpoint.event, {})
    return {
        "stage": stage.value, "event": touchpoint.event, "channel": touchpoint.channel, "place": touchpoint.place,
        "customers": customers, "events": reached.get("events", 0), "share": reached.get("share"),
        "left": left, "left_share": left / decided if decided > 0 else None, "low": sure.low, "high": sure.high,
        "median_seconds": place.get("median_seconds"), "pending": pending,
        "satisfaction": felt.get("value"), "satisfaction_low": felt.get("low"), "satisfaction_high": felt.get("high"),
        "scores": felt.get("n", 0),
        **_effect(touchpoint, stage, found), **_costs(touchpoint, stage, found),
        "expectation": touchpoint.expectation, "pains": "; ".join(touchpoint.pain_points),
        "opportunities": "; ".join(touchpoint.opportunities), "frontstage": touchpoint.frontstage,
        "backstage": touchpoint.backstage, "owner": touchpoint.owner,
    }  # fmt: skip


def _effect(touchpoint: Touchpoint, stage: Stage, found: Found) -> Row:
    """The touchpoint's kind, and its worth at the stage with most of its customers, so that the column adds up."""
    effect = found.effects.get(touchpoint.event)
    if effect is None:
        return {"kind": ""}
    there = [
        found.reached.get((name, touchpoint.event), {}).get("customers", 0) for name in stages_of(touchpoint)
    ]
    main = stages_of(touchpoint)[there.index(max(there))]
    if main != stage:
        return {"kind": effect["kind"]}
    return {
        "kind": effect["kind"],
        "value_difference": effect["money"],
        "orders_difference": effect["gained"],
    }


def _costs(touchpoint: Touchpoint, stage: Stage, found: Found) -> Row:
    """Whose work it is, and what that costs: of what the touchpoint costs in all, its share of the events."""
    serving = (
        [a.text for _, a in found.chain.activities() if touchpoint.event in [s.event for s in a.serves]]
        if found.chain
        else []
    )
    events = {
        name: found.reached.get((name, touchpoint.event), {}).get("events", 0)
        for name in stages_of(touchpoint)
    }
    cost = found.costs.get(touchpoint.event, {}).get("cost")
    part = events[stage.value] / sum(events.values()) if sum(events.values()) else None
    return {
        "activities": "; ".join(serving),
        "activity_cost": None if cost is None or part is None else cost * part,
    }


def stage_rows(journey: JourneyMap, found: Found, touchpoints: list[Row]) -> list[Row]:
    """A row for each stage."""
    notes = {note.stage: note for note in journey.stages}
    rows = []
    for stage in STAGES:
        mine = [row for row in touchpoints if row["stage"] == stage.value]
        sums, loss = found.stages.get(stage.value, {}), found.losses.get(stage.value, {})
        felt, note = found.felt.get(stage.value, {}), notes.get(stage)
        costs = [row["activity_cost"] for row in mine if row.get("activity_cost") is not None]
        rows.append({
            "stage": stage.value, "goal": note.goal if note else "", "owner": note.owner if note else "",
            "customers": sums.get("customers", 0), "share": sums.get("share_of_all"),
            "went_on": sums.get("next_customers", 0), "left": sums.get("left", 0), "pending": sums.get("pending", 0),
            "drop_off": sums.get("drop_off"), "drop_off_low": sums.get("drop_off_low"), "drop_off_high": sums.get("drop_off_high"),
            "price": loss.get("price"), "price_low": loss.get("price_low"), "price_high": loss.get("price_high"),
            "median_seconds": loss.get("median_seconds"),
            "satisfaction": felt.get("value"), "satisfaction_low": felt.get("low"), "satisfaction_high": felt.get("high"),
            "scores": felt.get("n", 0), "touchpoints": len(mine), "activity_cost": sum(costs) if costs else None,
        })  # fmt: skip
    return rows


def emotion_rows(journey: JourneyMap, found: Found) -> list[Row]:
    """The curve: each stage, then each touchpoint that was scored."""
    rows = [_felt(stage.value, "", found.felt.get(stage.value, {})) for stage in STAGES]
    for event, row in found.felt_at.items():
        touchpoint = journey.touchpoint(event)
        rows.append(_felt(str(touchpoint.stage) if touchpoint else "none", event, row))
    return rows


def _felt(stage: str, touchpoint: str, row: Mapping[str, Any]) -> Row:
    return {"stage": stage, "touchpoint": touchpoint, "satisfaction": row.get("value"), "low": row.get("low"),
            "high": row.get("high"), "n": row.get("n", 0), "customers": row.get("customers", 0), "note": row.get("note", "")}  # fmt: skip
