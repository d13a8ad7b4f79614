"""Allocation: where the next unit of budget goes across the activities of the value chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa

from wayfare.analyses.value_chain._response import (
    Daily,
    at_stake,
    limits_of,
    measured_of,
    responses_of,
    stated,
)
from wayfare.analyses.value_chain._response_plan import Plan, next_rows, plan_of, plan_rows, total_rows
from wayfare.analyses.value_chain._response_words import NO_CHAIN, drawn, findings_of
from wayfare.analyses.value_chain.activity_costs import activity_costs
from wayfare.analyses.value_chain.activity_effects import activity_effects
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.parameters import Share, ValueChainName
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import InvalidParameter
from wayfare.histories.calendar import local_days
from wayfare.result import Columns, Finding, Result
from wayfare.study import Study

_TEXT = {"activity", "text", "basis", "note", "plan"}
_WHOLE = {"rank"}
_UNSPENT = 1e-6


@dataclass(frozen=True, kw_only=True)
class AllocationResult(Result):
    """Today's division of the budget, a better one, and how sure that is."""

    observational: ClassVar[str] = (
        "what an activity brings is read off customers whom it served well or badly, not off an experiment with its budget; how "
        "strongly it answers to money is stated or assumed unless the basis says estimated."
    )

    plan: Annotated[
        pa.Table,
        Columns(
            activity="the activity's id",
            text="what is done",
            today="what it costs over the log's days, with the parts of which nothing is known by themselves",
            proposed="the amount that gains most within the limits",
            proposed_low="lower end of the amounts that are best in 95% of the draws",
            proposed_high="upper end of them",
            change="proposed − today",
            marginal_return="money that one unit more brings at today's amount; null where nothing is known",
            gain="money that the change brings",
            gain_low="lower end of that in 95% of the draws",
            gain_high="upper end of it",
            more_share="share of draws in which it deserves more than today",
            basis="stated, assumed or estimated elasticity; kept where nothing is known and the amount stays",
            note="what it rests on",
            least="the least that it may get",
            most="the most that it may get",
            elasticity="its likeliest elasticity",
        ),
    ]
    next_unit: Annotated[
        pa.Table,
        Columns(
            activity="the activity's id",
            marginal_return="money that one unit more brings at today's amount",
            low="lower end of that in 95% of the draws",
            high="upper end of it",
            rank="1 for where the next unit brings most",
        ),
    ]
    totals: Annotated[
        pa.Table,
        Columns(
            plan="today or proposed",
            budget="what it costs over the log's days",
            value="money that it brings more than today's",
            low="lower end of that in 95% of the draws",
            high="upper end of it",
        ),
    ]

    def draw(self) -> Picture | None:
        """Today's amounts and the proposed ones with their intervals."""
        return drawn(self.plan.to_pylist(), self.findings[0].text)


@analysis
def allocation(
    study: Study,
    *,
    value_chain: ValueChainName | None = None,
    budget: float | None = None,
    limits: tuple[str, ...] = (),
    responses: tuple[str, ...] = (),
    swing: Share = 0.3,
    margin: Share = 1.0,
) -> AllocationResult:
    """Where does the next unit of budget go, and how should today's be divided?

    What is at stake with an activity is what missing its target costs (`activity_effects`, first and further orders together).
    Money wins it back by a curve that saturates: with x times today's amount, 1 − x^(−elasticity) of it is won, or lost below
    today's; never more than all. The elasticity is what you state (`responses`); else a cautious default of 0.1 to 0.6,
    likeliest 0.3, which nobody measured and the table calls *assumed*. Where an activity has eight amounts or more in the log's
    days and you state nothing, the elasticity of the value of all orders to them is *estimated* (least squares of logarithms
    beside a trend and, from twelve amounts, the season) with a power curve; that is observational, and what else rose with the
    amounts counts as their work.

    The budget is divided so that all activities that no limit holds back bring the same with their last unit (bisection on the
    Lagrange multiplier). No amount moves further than `swing` from today's unless `limits` says so: far from today the curves
    are guesses. An activity of which nothing is known keeps its amount; where an activity has a value and its parts have none
    of their own, their costs are its costs. Intervals are from 2,000 draws of what may be true: values at stake normal with
    their standard error, elasticities triangular between the stated ends (normal where estimated). Money counts over the log's
    days, costs likewise.

    Args:
        value_chain: The value chain whose activities share the budget; the only one unless given.
        budget: What all activities together may cost over the log's days; today's total unless given.
        limits: The least and most money an activity may get, as activity=least:most.
        responses: Elasticities as activity=low:likely:high, such as delivery=0.1:0.3:0.6: 1% more money makes what is lost 0.3% less.
        swing: How far an amount may move from today's, as a share of it, where no limit says otherwise.
        margin: The share of an order's value that is left after what it costs to fill it.
    """
    chain = study.document(ValueChain, value_chain)
    if chain is None:
        return _result([], [], [], (Finding(NO_CHAIN),))
    if budget is not None and budget < 0:
        raise InvalidParameter(f"A budget can't be {budget:g}.", where="budget", hint="Give 0 or more.")
    ends = local_days(np.array([study.log.facts.first or 0, study.log.ends]), study.zone)
    first, days = int(ends[0]), int(max(ends[1] - ends[0] + 1, 1))
    daily = study.fold(Daily(study.stages, study.zone, first, days))
    effects = study.result(activity_effects, value_chain=value_chain).tables["effects"]
    costs = study.result(activity_costs, value_chain=value_chain).tables["activities"].to_pylist()
    stake = at_stake(effects, margin)
    merged = _merged(costs, {*stake, *(part.partition("=")[0].strip() for part in responses)})
    today = _today(costs, merged)
    said = stated(responses, tuple(today))
    has_value = "value" in study.log.schema
    measured = measured_of(chain, merged, daily, first, margin, has_value=has_value)
    found = responses_of(tuple(today), stake, said, measured)
    plan = plan_of(today, found, budget, swing, limits_of(limits, tuple(today)))
    texts = {row["activity"]: row["text"] for row in costs}
    rows, best, totals = plan_rows(plan, texts), next_rows(plan), total_rows(plan)
    words = findings_of(rows, best, totals, study.currency, days)
    return _result(rows, best, totals, words, _warnings(study, plan, stake, texts))


def _merged(costs: Sequence[Mapping[str, Any]], valued: set[str]) -> dict[str, str]:
    """Under which activity each one's own cost counts: itself or the nearest that it is part of, of which a value is known."""
    above = {row["activity"]: row["part_of"] for row in costs}
    found = {}
    for name in above:
        at: str | None = name
        while at is not None and at not in valued:
            at = above.get(at)
        found[name] = name if at is None else at
    return found


def _today(costs: Sequence[Mapping[str, Any]], merged: Mapping[str, str]) -> dict[str, float]:
    """What each activity that costs something costs, in the document's order."""
    found: dict[str, float] = {}
    for row in costs:
        if row["own_cost"]:
            name = merged[row["activity"]]
            found[name] = found.get(name, 0.0) + row["own_cost"]
    return found


def _warnings(
    study: Study, plan: Plan, stake: Mapping[str, Any], texts: Mapping[str, str]
) -> tuple[str, ...]:
    free = [texts.get(name, name) for name in stake if name not in plan.names]
    said = [f"There is value at stake with “{name}”, and no cost in the document: it takes no part." for name in free]  # fmt: skip
    if plan.budget - plan.spent > _UNSPENT * plan.budget:
        said.append(
            f"Of the budget {plan.budget - plan.spent:,.0f} stay unspent: no limit allows more (see `swing`)."
        )
    if study.log.condition.conditions:
        said.append("Costs are those of all customers, values those of the segment.")
    return tuple(said)


def _result(
    plan: Sequence[dict[str, Any]], best: Sequence[dict[str, Any]], totals: Sequence[dict[str, Any]],
    findings: tuple[Finding, ...], warnings: tuple[str, ...] = (),
) -> AllocationResult:  # fmt: skip
    made = {"plan": plan, "next_unit": best, "totals": totals}
    tables = {name: _table(name, rows) for name, rows in made.items()}
    return AllocationResult(**tables, findings=findings, warnings=warnings)


def _table(name: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    columns = {}
    for column in AllocationResult.columns()[name]:
        kind = pa.string() if column in _TEXT else pa.int64() if column in _WHOLE else pa.float64()
        values = [row[column] for row in rows]
        columns[column] = pa.array([None if value != value else value for value in values], kind)  # noqa: PLR0124
    return pa.table(columns)
