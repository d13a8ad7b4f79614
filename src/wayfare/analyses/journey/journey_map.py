"""The journey map, alive: every stage and touchpoint with what the log knows of it, per persona, as-is against to-be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import pyarrow as pa

from wayfare.analyses.journey._map_changes import changes
from wayfare.analyses.journey._map_people import UNBOUND, persona_of, persona_rows, plans, study_of
from wayfare.analyses.journey._map_places import Places, placed
from wayfare.analyses.journey._map_tables import (
    Found,
    emotion_rows,
    rows_by,
    stage_rows,
    touchpoint_rows,
    typed,
)
from wayfare.analyses.journey._map_ways import LEFT, VARIANTS, Plan, deviation_rows, path_rows, step_rows
from wayfare.analyses.journey._map_words import findings
from wayfare.analyses.journey.dropoff import dropoff
from wayfare.analyses.journey.stages import stages as stage_sums
from wayfare.analyses.journey.touchpoints import touchpoints
from wayfare.analyses.satisfaction.emotion import emotion
from wayfare.analyses.value_chain.activity_costs import activity_costs
from wayfare.analysis import analysis
from wayfare.charts.blueprint_model import MOMENT, PAIN
from wayfare.charts.picture import Picture
from wayfare.domain.document import Document
from wayfare.domain.journey import JourneyMap
from wayfare.domain.parameters import Duration, JourneyMapName, ValueChainName
from wayfare.domain.proposal import propose
from wayfare.domain.value_chain import ValueChain
from wayfare.result import Columns, Result
from wayfare.study import Study

Row = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """What the picture needs beside the tables: the documents and the currency."""

    journey: JourneyMap
    to_be: JourneyMap | None = None
    persona: str = ""
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class JourneyMapResult(Result):
    """The blueprint: touchpoints, stages, emotion, paths, personas, and what a to-be map changes."""

    observational: ClassVar[str] = (
        "customers chose what they met, and who left may never have been worth as much as those who went on; prices of "
        "losses are upper bounds."
    )

    touchpoints: Annotated[
        pa.Table,
        Columns(
            stage="the stage",
            event="the touchpoint: an event that stands for the stage; once for each stage that it stands for",
            channel="where it takes place, as the map says",
            place="digital or physical, as the map says",
            customers="customers who met it while it stood for this stage",
            events="how often",
            share="customers, of those at the stage",
            left="customers whose last touchpoint it was, silent since for the patience or longer",
            left_share="left, of its customers but those whose last touchpoint it was more recently",
            low="lower end of its 95% interval (Wilson)",
            high="upper end",
            median_seconds="median time to the customer's next touchpoint",
            satisfaction="mean of the scores that belong to it, from −1 (worst) to 1 (best), whatever the stage",
            satisfaction_low="lower end of its 95% interval, customers as clusters",
            satisfaction_high="upper end",
            scores="how many scores",
            kind=f"{MOMENT}, {PAIN}, neutral or too few to say (as `touchpoints` finds); empty for orders",
            value_difference="what orders more (or fewer) than those of like customers are worth; once for each touchpoint",
            expectation="what customers expect of it",
            pains="what hurts, as the map says",
            opportunities="what could be better",
            frontstage="what the company does that customers see",
            backstage="what it does that they do not see",
            activities="activities of the value chain that serve it",
            activity_cost="what these cost, shared out to its stages by events",
            owner="who answers for it",
            pending="customers whose last touchpoint it was, more recently than the patience",
            orders_difference="orders more (or fewer) than those of like customers; once for each touchpoint",
        ),
    ]
    stages: Annotated[
        pa.Table,
        Columns(
            stage="the stage, in the order of the journey",
            goal="what customers want to get done in it",
            customers="customers who were at the stage at least once",
            left="customers who went no further than this stage and fell silent",
            share="customers, of all of the log",
            went_on="customers whose furthest stage it was for a time, and who then went further",
            pending="customers who went no further yet, but were active shortly before the log's end",
            drop_off="left, of those who left or went further",
            drop_off_low="lower end of its 95% interval (Wilson)",
            drop_off_high="upper end",
            price="what those who left would have brought had they been worth as much as those who went on",
            price_low="lower end of its 95% interval",
            price_high="upper end",
            median_seconds="median time from reaching the stage to going further",
            satisfaction="mean of the scores given at the stage, from −1 (worst) to 1 (best)",
            satisfaction_low="lower end of its 95% interval, customers as clusters",
            satisfaction_high="upper end",
            scores="how many scores",
            touchpoints="how many touchpoints the map has at it",
            activity_cost="what the activities that serve its touchpoints cost",
            owner="who answers for it",
        ),
    ]
    emotion: Annotated[
        pa.Table,
        Columns(
            stage="the stage",
            touchpoint="the touchpoint; empty for the stage as a whole",
            satisfaction="mean of the scores, from −1 (worst point of the question's scale) to 1 (best)",
            low="lower end of its 95% interval, customers as clusters; missing under 10 customers",
            high="upper end",
            n="scores",
            customers="customers who gave them",
            note="why there is no value or no interval, empty otherwise",
        ),
    ]
    paths: Annotated[
        pa.Table,
        Columns(
            path=f"touchpoints in order, joined by '>'; `{LEFT}` at the end where customers fell silent",
            kind=f"planned, or actual: the {VARIANTS} most frequent of those who began the plan, each touchpoint where it was first met",
            persona="whose path it is; empty for everybody",
            customers="customers who took it: of the planned one, in this order, whatever else came in between",
            share="of those who began the plan and have finished it or fallen silent",
            low="lower end of its 95% interval (Wilson)",
            high="upper end",
            began="customers who met the plan's first touchpoint",
            pending="of these, who have neither finished it nor fallen silent",
        ),
    ]
    steps: Annotated[
        pa.Table,
        Columns(
            persona="whose path it is; empty for everybody",
            step="1 for the first touchpoint of the plan",
            event="the touchpoint",
            customers="customers who came so far in the plan's order",
            share="of those who began it",
            left="customers who came no further and fell silent, anywhere",
        ),
    ]
    deviation: Annotated[
        pa.Table,
        Columns(
            step="the step of the plan that customers stood at",
            planned_next="what was planned to follow",
            actual_next=f"the next other touchpoint that they met; {LEFT} where they fell silent",
            customers="how many",
            share="of those at the step with a next touchpoint or fallen silent",
            at="the touchpoint that they stood at",
            came_back="of these, who met the planned one later",
            persona="whose path it is; empty for everybody",
        ),
    ]
    changes: Annotated[
        pa.Table,
        Columns(
            where="what is changed: the map, a stage, a touchpoint or a persona",
            what="added, removed, moved (to another stage), or the entry that differs",
            as_is="what the map says",
            to_be="what the to-be map says",
            kind="map, stage, touchpoint or persona",
            name="its name",
            stage="the stage that it is at, where it is at one",
        ),
    ]
    personas: Annotated[
        pa.Table,
        Columns(
            persona="the persona",
            text="who they are",
            segment="the conditions that its customers meet; empty where it has none yet",
            customers="customers who meet them",
            share="of all customers",
            low="lower end of its 95% interval (Wilson)",
            high="upper end",
            took="of these, who took the path planned for them, in order",
            took_share="of those who began it and have finished it or fallen silent",
            took_low="lower end of its 95% interval (Wilson)",
            took_high="upper end",
            needs="what they are after",
            motivations="what moves them",
            frustrations="what puts them off",
            note="why there are no customers, empty otherwise",
        ),
    ]
    drawn: Drawn = field(default=Drawn(JourneyMap()), repr=False)

    def draw(self) -> Picture | None:
        """The service blueprint: stages across; goals, volumes, touchpoints, emotion, front- and backstage down."""
        from wayfare.analyses.journey._map_picture import blueprint

        return blueprint(self)


@analysis
def journey_map(
    study: Study,
    *,
    journey_map: JourneyMapName | None = None,
    to_be: JourneyMapName | None = None,
    persona: str | None = None,
    value_chain: ValueChainName | None = None,
    patience: Duration = Duration.parse("30d"),
) -> JourneyMapResult:
    """What does the whole journey look like: who meets which touchpoint, where do they leave and hurt, and who takes the path we planned?

    The journey map document with what the log knows of each of its parts. Volumes are those of `stages`, losses and their
    prices those of `dropoff`, moments of truth and pain points those of `touchpoints`, satisfaction the scores of
    `emotion`, costs those of `activity_costs`. A stage loses customers who never went further than it; a touchpoint loses
    those whose last one it was, so that everybody who fell silent did so at one touchpoint.

    The planned path is the map's main route, or the persona's own. A customer took it who met its touchpoints in
    this order, whatever came in between; the clock starts at the first one. Those who have not finished it and were
    active within `patience` of the log's end are pending and in no share. `deviation` says what came right after each
    step, repeats left out. A persona is the customers who meet all its conditions; without conditions it is not
    bound to the log. Under 10 customers it is too few for a finding.

    Args:
        journey_map: The map; the study's own unless given. `journey@faster` is a what-if.
        to_be: Another map, or a what-if, that the map is compared with.
        persona: The id of one of the map's personas: only its customers are looked at.
        value_chain: The value chain with the activities behind the touchpoints.
        patience: How long a customer may be silent before counting as gone.
    """
    chosen = study.document(JourneyMap, journey_map) if journey_map is not None else None
    seen = study_of(study, chosen or study.journey)
    journey = seen.journey
    target = study.document(JourneyMap, to_be) if to_be is not None else None
    personas = journey.personas if persona is None else (persona_of(journey, persona),)
    silent_since = study.log.ends - patience.microseconds
    asked, notes = plans(seen, personas, silent_since)
    narrowed = seen.where(*personas[0].segment) if persona is not None else seen
    answers, at = _answers(seen, narrowed, asked, Places(seen.stages, silent_since))
    names = seen.log.names("event").to_list()
    found = _found(narrowed, placed(at, names), patience, value_chain)
    proposed = not _written(study, JourneyMap) and journey == propose(names)
    people = {plan.persona: answer["customers"] for plan, answer in zip(asked, answers, strict=True)}
    told = list(zip(asked, answers, strict=True))[1 if persona in people else 0 :]
    rows = {
        "touchpoints": touchpoint_rows(journey, found, by_size=proposed),
        "emotion": emotion_rows(journey, found),
        **_ways(told, names),
        "changes": changes(journey, target) if target is not None else [],
    }
    rows["stages"] = stage_rows(journey, found, rows["touchpoints"])
    rows["personas"] = persona_rows(personas, people, rows["paths"], notes)
    whose = persona if persona is not None and persona in people else ""
    return JourneyMapResult(
        **{name: typed(JourneyMapResult, name, rows[name]) for name in JourneyMapResult.columns()},
        findings=findings(rows, study.currency, whose, to_be, proposed),
        warnings=tuple(f"The persona {id} {note}." if note == UNBOUND else f"The persona {id}: {note}" for id, note in notes.items()),
        drawn=Drawn(journey, target, persona or "", study.currency),
    )  # fmt: skip


def _answers(whole: Study, narrowed: Study, asked: Sequence[Plan], places: Places) -> tuple[list[Any], Any]:
    """What the passes say of the paths, and of the places of those who are looked at."""
    folds = [plan.fold for plan in asked]
    if narrowed is whole:
        *answers, at = whole.fold_all([*folds, places])
        return answers, at
    return whole.fold_all(folds), narrowed.fold(places)


def _found(study: Study, places: dict[Any, Row], patience: Duration, value_chain: str | None) -> Found:
    """What the other analyses say of the study."""
    sums = study.result(stage_sums, patience=patience).tables
    felt = study.result(emotion).tables
    return Found(
        stages=rows_by("stage", sums["stages"]),
        losses=rows_by("stage", study.result(dropoff, patience=patience).tables["stages"]),
        reached={(row["stage"], row["touchpoint"]): row for row in sums["touchpoints"].to_pylist()},
        places=places,
        effects=rows_by("touchpoint", study.result(touchpoints).tables["touchpoints"]),
        felt=rows_by("stage", felt["curve"], strand="scores"),
        felt_at=rows_by("touchpoint", felt["touchpoints"], strand="scores"),
        costs=rows_by("event", study.result(activity_costs, value_chain=value_chain).tables["touchpoints"]),
        chain=study.document(ValueChain, value_chain),
    )


def _ways(told: Sequence[tuple[Plan, Any]], names: Sequence[str]) -> dict[str, list[Row]]:
    return {
        "paths": [row for plan, answer in told for row in path_rows(plan, answer, names)],
        "steps": [row for plan, answer in told for row in step_rows(plan, answer)],
        "deviation": [row for plan, answer in told for row in deviation_rows(plan, answer, names)],
    }


def _written(study: Study, kind: type[Document]) -> bool:
    return any(isinstance(document, kind) for document in study.documents.values())
