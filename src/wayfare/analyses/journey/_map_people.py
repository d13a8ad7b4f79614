"""Whose journey it is: the study of one persona, and how many customers each persona stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from wayfare.analyses.journey._map_ways import Plan, plan_of
from wayfare.domain.journey import JourneyMap, Persona
from wayfare.errors import UnknownName, WayfareError
from wayfare.stats.proportions import wilson
from wayfare.study import Study

UNBOUND = "has no conditions yet, so that nobody knows who its customers are"
Row = dict[str, Any]


def study_of(study: Study, journey: JourneyMap) -> Study:
    """The study as that map sees it."""
    return study if journey == study.journey else replace(study, journey=journey, _results={}, _together=None)


def persona_of(journey: JourneyMap, id: str) -> Persona:
    """The map's persona of that id."""
    known = {persona.id: persona for persona in journey.personas}
    if id not in known:
        raise UnknownName.among("persona", id, known, where="persona")
    return known[id]


def plans(study: Study, personas: Sequence[Persona], silent_since: int) -> tuple[list[Plan], dict[str, str]]:
    """The path planned for everybody, those of the personas, and why a persona has none."""
    found, notes = [plan_of(study, "", study.journey.route(), silent_since)], {}
    before = len(study.log.condition.conditions)
    for persona in personas:
        if not persona.segment:
            notes[persona.id] = UNBOUND
            continue
        try:
            conditions = study.log.where(*persona.segment).condition.conditions[before:]
        except WayfareError as error:
            notes[persona.id] = str(error)
            continue
        found.append(
            plan_of(study, persona.id, persona.planned or study.journey.route(), silent_since, conditions)
        )
    return found, notes


def persona_rows(
    personas: Sequence[Persona], customers: dict[str, int], paths: Sequence[Row], notes: dict[str, str]
) -> list[Row]:
    """A row for each persona: its customers among all, and how many of them took the path planned for them."""
    everyone = customers[""]
    planned = {row["persona"]: row for row in paths if row["kind"] == "planned"}
    rows = []
    for persona in personas:
        n, path = customers.get(persona.id), planned.get(persona.id, {})
        sure = wilson(n or 0, everyone if n is not None else 0)
        rows.append({
            "persona": persona.id, "text": persona.text, "segment": " and ".join(persona.segment), "customers": n,
            "share": n / everyone if n is not None and everyone else None, "low": sure.low, "high": sure.high,
            "took": path.get("customers"), "took_share": path.get("share"),
            "took_low": path.get("low"), "took_high": path.get("high"),
            "needs": "; ".join(persona.needs), "motivations": "; ".join(persona.motivations),
            "frustrations": "; ".join(persona.frustrations), "note": notes.get(persona.id, ""),
        })  # fmt: skip
    return rows
