"""The journey map's picture from its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wayfare.analyses.journey._map_changes import changes
from wayfare.charts.picture import Picture

if TYPE_CHECKING:
    from wayfare.analyses.journey.journey_map import JourneyMapResult


def blueprint(result: JourneyMapResult) -> Picture | None:
    """The service blueprint; the document alone where the log is empty, None where there is neither."""
    from wayfare.charts.blueprint import draw

    drawn = result.drawn
    customers = result.context.log.get("customers", 0)
    if not drawn.journey.touchpoints:
        return None
    touchpoints = result.touchpoints.to_pylist()
    steps = [row for row in result.steps.to_pylist() if row["persona"] == drawn.persona]
    return draw(
        drawn.journey,
        [_column(row, touchpoints) for row in result.stages.to_pylist()] if customers else (),
        title=result.findings[0].text, note=_note(result, customers),
        changes=changes(drawn.journey, drawn.to_be) if drawn.to_be else (), planned=steps, currency=drawn.currency,
    )  # fmt: skip


def _note(result: JourneyMapResult, customers: int) -> str:
    whose, persona = "", result.drawn.persona
    if persona:
        customers = (
            next((r["customers"] for r in result.personas.to_pylist() if r["persona"] == persona), None)
            or customers
        )
        whose = f" of the persona {persona}"
    return (
        f"n = {customers:,} customers{whose}. A stage loses those who go no further than it, a touchpoint those who fell "
        "silent after it. In brackets 95% intervals. Observational."
    )


def _column(stage: dict[str, Any], touchpoints: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = stage["median_seconds"]
    return {
        **stage,
        "share_of_all": stage["share"],
        "next_customers": stage["went_on"],
        "median_days_to_next": None if seconds is None else seconds / 86_400,
        "satisfaction_scores": stage["scores"],
        "scores": 0,
        "touchpoints": [row for row in touchpoints if row["stage"] == stage["stage"]],
    }
