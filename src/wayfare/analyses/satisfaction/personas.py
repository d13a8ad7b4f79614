"""Personas: segments from behaviour, attributes and answers, with what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa

from wayfare.analyses._observed import whole_histories
from wayfare.analyses.satisfaction._facets import facets_of
from wayfare.analyses.satisfaction._groups import groups_of
from wayfare.analyses.satisfaction._habits import Habits, Sampled, Seen, hashed
from wayfare.analyses.satisfaction._members import Assigned
from wayfare.analyses.satisfaction._persona_said import findings, warnings
from wayfare.analyses.satisfaction._persona_tables import (
    card_table,
    customer_table,
    model_table,
    personas_of,
    trait_table,
)
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.journey import Stage
from wayfare.errors import InvalidParameter, UnknownName
from wayfare.histories.answers import satisfaction_kind
from wayfare.histories.filter import EVERYTHING
from wayfare.histories.schema import Kind
from wayfare.result import Columns, Result, rows
from wayfare.study import Study

PERSONA = "persona"
SAMPLE = 12_000
MOST_NAMES = 300
_GAP = Duration.parse("30m")
_DAY = 86_400_000_000
_EVERY_HASH = 2**64 - 1
_NO_HABIT = frozenset(
    {"customer", "event", "session", "order", "product", "referrer", "source", "survey", "question", "question_kind",
     "wave", "touchpoint", "answer", "comment", "feature", "functional", "dysfunctional", PERSONA}
)  # fmt: skip
"""Columns that say nothing of a habit, and the personas of an earlier time."""
_HELD_OUT = (
    "survey",
    "cancel",
    "churn",
    "unsubscri",
    "deliver",
    "shipped",
    "shipment",
    "invoice",
    "order_confirm",
    "refund",
)
"""Words of events that are outcomes, what the company does about an order, or questions of ours."""


@dataclass(frozen=True, kw_only=True)
class PersonasResult(Result):
    """The personas with their traits, every customer's persona, and the numbers of personas that were tried."""

    personas: Annotated[
        pa.Table,
        Columns(
            persona="its name, from its strongest traits",
            customers="customers whose most probable persona it is",
            share="of all customers",
            share_low="lower end of the 95 % interval (Wilson)",
            share_high="its upper end",
            stability="mean Jaccard index with the persona most like it in refits on customers drawn again; null where there is one persona",
            repurchase_rate="of those who ordered within the window and were followed for the whole horizon after it: the share who ordered again in it; null under 10",
            low="lower end of its 95 % interval (Wilson)",
            high="its upper end",
            n_repurchase="customers that the rate is of",
            value="mean value of all orders in the horizon after the window, a customer followed for the whole of it; null under 10",
            value_low="lower end of its 95 % interval (Student)",
            value_high="its upper end",
            n_value="customers that the mean is of",
            satisfaction="mean score of csat answers (else of nps, of ratings, of answers of no kind); null under 10 scores",
            n_satisfaction="scores",
            typical_path="touchpoints that at least a quarter of them meet within the window, in the order in which they mostly come",
            favourite_touchpoint="the touchpoint that sets them apart most",
        ),
    ]
    traits: Annotated[
        pa.Table,
        Columns(
            persona="whose it is",
            kind="behaviour, preference, need, motivation, or attribute (what the customer's own columns say)",
            trait="what sets them apart",
            share_or_mean="its share of what they do, as the evidence says",
            others="the same of all other customers",
            lift="how many times as common it is with them; null where no other customer has it",
            low="lower end of its 95 % interval (MOVER, over customers)",
            high="its upper end; null where the others may have none",
            evidence="the figures in words",
        ),
    ]
    customers: Annotated[
        pa.Table,
        Columns(
            customer="each of them",
            persona="the most probable one",
            probability="how probable it is",
        ),
    ]
    models: Annotated[
        pa.Table,
        Columns(
            k="personas tried",
            bic="Schwarz's criterion; smaller is better",
            gain="what they gain in BIC over one, less what each further one gains where customers of a persona are alike (visits dealt out anew)",
            stability="mean adjusted Rand index of refits on customers drawn again; null where none were needed",
            smallest="the smallest one's share",
            chosen="whether this is the number of personas",
        ),
    ]

    observational: ClassVar[str] = (
        "personas describe customers; that one of them orders again more often does not say that making others behave alike would."
    )
    currency: str = ""
    """That of the values."""
    assigns: ClassVar[str] = PERSONA
    """The column of `customers` that can be kept as an attribute."""

    def draw(self) -> Picture | None:
        """A card for each persona."""
        from wayfare.charts.persona_cards import draw

        if self.personas.num_rows < 2:
            return None
        note = f"n = {self.customers.num_rows:,} customers"
        return draw(
            rows(self.personas),
            rows(self.traits),
            title=self.findings[0].text,
            currency=self.currency,
            note=note,
        )


@analysis
def personas(
    study: Study,
    *,
    window: Duration | None = None,
    horizon: Duration | None = None,
    most: int = 8,
    without: tuple[str, ...] = (),
    seed: int = 0,
) -> PersonasResult:
    """What kinds of customers are there, what do they need and prefer, and which are worth most?

    Customers are told apart by what they do within a `window` after their first event: touchpoints (a visit is one draw,
    split between its touchpoints), time of day and week, visits and their depth, channel, device, category and other
    text columns, their own columns (attributes), and answers to questions with choices. Orders are part of a visit, but
    no touchpoint of it; what follows from orders (deliveries, refunds), values, referrals, reviews written, cancellations
    and scores are held out, and re-purchase and value are counted in the `horizon` after the window: personas predict
    them and do not restate them.

    The model is one of latent classes, fitted to a sample of 12,000 customers chosen by their ids. The number of personas
    is the one with the largest gain in BIC, each further persona less what one more gains among customers who are alike
    (visits dealt out anew within the personas); draws of a visit count less where its facets go together, so much that
    customers who are alike show no personas. It is chosen among those whose refits on customers drawn again agree (adjusted Rand index of .75) and whose smallest has 2 % of the
    customers. One persona, *no groups*, is an answer. Kept as an attribute, a persona is a segment everywhere.

    Args:
        window: How long after a customer's first event behaviour counts; 90 days, or a third of the log if that is less.
        horizon: How long after the window outcomes are counted; 180 days, or a third of the log if that is less.
        most: Personas to try at most.
        without: Columns that must not tell customers apart.
        seed: Where chance starts: starts and refits.
    """
    study = whole_histories(study)
    if not 1 <= most <= 12:
        raise InvalidParameter(f"{most} personas can't be tried.", where="most", allowed=("1", "…", "12"))
    for name in without:
        if name not in study.log.schema:
            raise UnknownName.among("column", name, study.log.schema, where="without")
    third = max((study.log.ends - (study.log.facts.first or 0)) // 3, _DAY)
    habits, skipped = _habits(study, window.microseconds if window else min(90 * _DAY, third), without)
    later = horizon.microseconds if horizon else min(180 * _DAY, third)
    seen = _sample(study, habits)
    facets = facets_of(seen, habits, _names(study, habits), _numbers(study, habits))
    groups = groups_of(seen, facets, most, seed)
    members = study.fold(
        Assigned(
            habits,
            facets,
            groups.model,
            groups.weight,
            study.stages,
            later,
            study.log.ends,
            satisfaction_kind(study.log.source),
        )
    )
    found, events = personas_of(members, facets), study.log.names("event").to_list()
    cards = card_table(members, groups, found, events)
    return PersonasResult(
        personas=cards,
        traits=trait_table(found, habits.window),
        customers=customer_table(members, found, study.log.names("customer")),
        models=model_table(groups),
        currency=study.currency,
        findings=findings(cards, groups, len(seen.codes), habits.window, later, study.currency),
        warnings=warnings(cards, groups, any(f.source == "answer" for f in facets), habits.window, skipped),
    )


def _habits(study: Study, window: int, without: tuple[str, ...]) -> tuple[Habits, list[str]]:
    """What is read, and the columns that have too many values to be."""
    log = study.log
    usable = [c for c in log.schema if c not in _NO_HABIT and c not in without]
    coded = [c for c in usable if log.schema[c] is Kind.CODE]
    few = [c for c in coded if 1 < len(log.names(c)) <= MOST_NAMES]
    skipped = [c for c in coded if len(log.names(c)) > MOST_NAMES]
    plain = [c for c in log.attributes if c in usable and log.schema[c] in (Kind.NUMBER, Kind.FLAG)]
    events = log.names("event").to_list()
    advocacy = {t.event for t in study.journey.touchpoints if Stage.ADVOCACY in (t.stage, t.after_purchase)}
    left_out = [e in advocacy or any(word in e.lower() for word in _HELD_OUT) for e in events]
    habits = Habits(
        window=window,
        gap=_GAP.microseconds,
        zone=study.zone,
        columns=tuple(c for c in few if c not in log.attributes),
        once=(*(c for c in few if c in log.attributes), *plain),
        left_out=tuple(np.flatnonzero(left_out).tolist()),
        orders=tuple(np.flatnonzero(study.stages.orders).tolist()),
        choices=_codes(study, ("choice", "choices")),
        events=len(events),
    )
    return habits, skipped


def _sample(study: Study, habits: Habits) -> Seen:
    """What a sample of the customers did, in an order that hangs on their ids alone."""
    ids = study.log.names("customer").values.to_numpy(zero_copy_only=False)
    hashes = hashed(ids)
    limit = _EVERY_HASH
    if study.log.condition == EVERYTHING and len(hashes) > SAMPLE:
        limit = int(np.partition(hashes, SAMPLE - 1)[SAMPLE - 1])
    seen = study.fold(Sampled(habits, hashes, SAMPLE, limit))
    return seen.sorted_by(hashes[seen.codes])


def _codes(study: Study, kinds: tuple[str, ...]) -> tuple[int, ...]:
    if any(column not in study.log.schema for column in ("question", "question_kind", "answer")):
        return ()
    names = study.log.names("question_kind")
    return tuple(code for kind in kinds if (code := names.code(kind)) is not None)


def _names(study: Study, habits: Habits) -> Mapping[str, list[str]]:
    schema = study.log.schema
    asked = ("question", "answer") if habits.choices else ()
    coded = [c for c in ("event", *habits.columns, *habits.once, *asked) if schema[c] is Kind.CODE]
    flags = [c for c in habits.once if schema[c] is Kind.FLAG]
    return {**{c: study.log.names(c).to_list() for c in coded}, **{c: ["no", "yes"] for c in flags}}


def _numbers(study: Study, habits: Habits) -> frozenset[str]:
    return frozenset(c for c in habits.once if study.log.schema[c] is Kind.NUMBER)
