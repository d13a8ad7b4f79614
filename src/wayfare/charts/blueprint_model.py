"""What a service blueprint shows: stages with their touchpoints as cards, from a journey map and plain numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wayfare.charts import theme
from wayfare.charts.journey_rows import Stop, stop_of
from wayfare.domain.journey import STAGES, JourneyMap, Stage, Touchpoint

MOST_CARDS = 24
MOMENT, PAIN = "moment of truth", "pain point"
Interval = tuple[float, float, float]
NOWHERE: Interval = (math.nan, math.nan, math.nan)
_LABELS = {stage.value: stage.label for stage in STAGES}


@dataclass(frozen=True)
class Card:
    """A touchpoint at one of its stages.

    Attributes:
        number: Leads from the card to its notes; the same at all stages of the touchpoint.
        event, channel, place: As the map says.
        again: Whether it stands here after an order only, with its notes at the stage before.
        customers: None where nothing is known of it.
        share: Of the customers at the stage.
        left, left_share: Customers who fell silent there.
        seconds: The median time to the next touchpoint.
        score: Satisfaction from -1 to 1 with its interval.
        kind: Moment of truth, pain point, or anything else.
        worth: What orders more or fewer than those of like customers are worth.
        cost: What the activities behind it cost.
        activities: These.
        source: The map's own words; an empty touchpoint where there are none.
        marks: What a to-be map changes, as words; a card without a source stands in the to-be map alone.
    """

    number: int
    event: str
    channel: str = ""
    place: str = ""
    again: bool = False
    customers: int | None = None
    share: float = 0.0
    left: int = 0
    left_share: float = math.nan
    seconds: float = math.nan
    score: Interval = NOWHERE
    kind: str = ""
    worth: float = math.nan
    cost: float = math.nan
    activities: str = ""
    source: Touchpoint | None = None
    marks: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Channel and kind of place in words."""
        return " · ".join(part for part in (self.channel, self.place) if part) or "no channel"


@dataclass(frozen=True)
class Band:
    """A stage: what is known of it, and its cards."""

    stop: Stop
    goal: str
    owner: str
    cards: tuple[Card, ...]
    hidden: int = 0
    felt: Interval = NOWHERE
    scores: int = 0
    price: float = 0.0
    marks: tuple[str, ...] = ()

    @property
    def own(self) -> list[Card]:
        """The cards that have their notes here."""
        return [card for card in self.cards if not card.again]


@dataclass(frozen=True)
class Blueprint:
    """Everything that is drawn."""

    journey: JourneyMap
    bands: tuple[Band, ...]
    planned: Sequence[Mapping[str, Any]] = ()
    changes: Sequence[Mapping[str, Any]] = ()
    currency: str = ""
    known: bool = False

    @property
    def worst(self) -> Stop | None:
        """The stage whose losses cost most, or that loses most where nobody knows what they cost."""
        lost = [band for band in self.bands if band.stop.lost]
        return max(lost, key=lambda band: (band.price, band.stop.lost)).stop if lost else None


def blueprint_of(
    journey: JourneyMap,
    columns: Sequence[Mapping[str, Any]],
    changes: Sequence[Mapping[str, Any]] = (),
    planned: Sequence[Mapping[str, Any]] = (),
    currency: str = "",
) -> Blueprint:
    """The bands of all stages, in the order of the journey."""
    numbers = {t.event: index + 1 for index, t in enumerate(journey.touchpoints)}
    for row in changes:
        if row["kind"] == "touchpoint":
            numbers.setdefault(row["name"], len(numbers) + 1)
    found = {str(column["stage"]): column for column in columns}
    bands = tuple(_band(journey, stage, found.get(stage.value, {}), changes, numbers) for stage in STAGES)
    known = any(column.get("customers") for column in columns)
    return Blueprint(journey, bands, planned or _route(journey), changes, currency, known)


def _route(journey: JourneyMap) -> list[dict[str, Any]]:
    return [{"event": event, "customers": None, "share": None} for event in journey.main_route]


def _band(
    journey: JourneyMap,
    stage: Stage,
    column: Mapping[str, Any],
    changes: Sequence[Mapping[str, Any]],
    numbers: Mapping[str, int],
) -> Band:
    note = next((note for note in journey.stages if note.stage == stage), None)
    known = {row["event"]: row for row in column.get("touchpoints", ())}
    placed = {t.event: t for t in journey.touchpoints if stage in (t.stage, t.after_purchase)}
    order = [event for event in known if event in placed] or list(placed)
    cards = [_card(placed[event], stage, known.get(event, {}), changes, numbers[event]) for event in order]
    cards += [_coming(row, numbers) for row in changes if row["name"] not in placed and _comes_to(row, stage)]
    shown = sorted(cards, key=lambda card: -(card.customers or 0))[:MOST_CARDS]
    return Band(
        stop=stop_of({"stage": stage.value, "label": stage.label, **column, "touchpoints": ()}),
        goal=note.goal if note else "", owner=note.owner if note else "",
        cards=tuple(card for card in cards if card in shown), hidden=len(cards) - len(shown),
        felt=_interval(column, "satisfaction"), scores=int(column.get("satisfaction_scores") or 0),
        price=_number(column, "price", 0.0) if _number(column, "price_low", 0.0) > 0 else 0.0,
        marks=tuple(_changed(row) for row in changes if row["kind"] == "stage" and row["name"] == stage.value),
    )  # fmt: skip


def _card(
    touchpoint: Touchpoint,
    stage: Stage,
    row: Mapping[str, Any],
    changes: Sequence[Mapping[str, Any]],
    number: int,
) -> Card:
    again = touchpoint.stage not in (stage, "none")
    mine = [c for c in changes if c["kind"] == "touchpoint" and c["name"] == touchpoint.event]
    return Card(
        number, touchpoint.event, touchpoint.channel or "", touchpoint.place or "", again,
        customers=int(row["customers"]) if row.get("customers") is not None else None,
        share=min(max(_number(row, "share", 0.0), 0.0), 1.0), left=int(row.get("left") or 0),
        left_share=_number(row, "left_share"), seconds=_number(row, "median_seconds"),
        score=_interval(row, "satisfaction"), kind=str(row.get("kind") or ""), worth=_number(row, "value_difference"),
        cost=_number(row, "activity_cost"), activities=str(row.get("activities") or ""), source=touchpoint,
        marks=() if again else _marks(mine),
    )  # fmt: skip


def _marks(changes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    whole = [f"to be: {_changed(row)}" for row in changes if row["what"] in ("removed", "moved")]
    fields = [row["what"] for row in changes if row["what"] not in ("added", "removed", "moved")]
    return (*whole, *([f"to be: {', '.join(fields)} changed"] if fields else []))


def _changed(row: Mapping[str, Any]) -> str:
    if row["what"] == "moved":
        return f"moves to {row['to_be']}"
    return str(row["what"]) if row["what"] in ("added", "removed") else f"{row['what']} changed"


def _comes_to(row: Mapping[str, Any], stage: Stage) -> bool:
    moved = row["what"] == "moved" and row.get("target") == stage.value and row["stage"] != stage.value
    return row["kind"] == "touchpoint" and (moved or (row["what"] == "added" and row["stage"] == stage.value))


def _coming(row: Mapping[str, Any], numbers: Mapping[str, int]) -> Card:
    """A card that only the to-be map has here."""
    came = (
        "to be: new"
        if row["what"] == "added"
        else f"to be: comes from {_LABELS.get(row['stage'], 'no stage')}"
    )
    return Card(numbers[row["name"]], row["name"], marks=(came,))


def _number(row: Mapping[str, Any], name: str, missing: float = math.nan) -> float:
    value = row.get(name)
    return missing if value is None or math.isnan(value) else float(value)


def _interval(row: Mapping[str, Any], name: str) -> Interval:
    return _number(row, name), _number(row, f"{name}_low"), _number(row, f"{name}_high")


def colour_of(kind: str) -> str:
    """The colour of a moment of truth and of a pain point."""
    return {MOMENT: "#009E73", PAIN: theme.WARN}.get(kind, theme.GREY)
