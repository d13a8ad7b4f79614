"""Activity costs: what each activity costs, which part of it reaches customers, and which capacity nobody used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.value_chain import _cost_lines as costing
from wayfare.analyses.value_chain import _cost_tables as tables
from wayfare.analyses.value_chain._cost_folds import Served, Used
from wayfare.analyses.value_chain._cost_lines import Costed, Line, Span
from wayfare.analyses.value_chain._cost_words import NO_CHAIN, findings_of
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.parameters import Share, ValueChainName
from wayfare.domain.value_chain import ValueChain
from wayfare.result import Columns, Finding, Result
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class ActivityCostsResult(Result):
    """What each activity, touchpoint, order and customer costs."""

    activities: Annotated[
        pa.Table,
        Columns(
            activity="its id in the value chain",
            text="what is done",
            category="Porter's category",
            depth="how deep it is nested; 0 is part of no other",
            cost="money over the log's days, with the activities that it is made of and with unused capacity",
            own_cost="the same without its parts; traced + unused_cost + not_traced",
            minutes="minutes that the served events took; null where nobody said a time",
            capacity_minutes="minutes of its capacity over the log's days; null without one",
            used_share="minutes of the capacity; above 1 is an overload",
            unused_cost="money for capacity that nobody used, spread over nothing",
            rate_per_minute="money a minute: cost of capacity ÷ practical capacity; null where cost does not follow time",
            runs="how often the events that it serves happened",
            cost_per_run="traced ÷ runs: without unused capacity; null without runs",
            note="what can't be said, and how a cost was spread",
            traced="money that reaches touchpoints",
            not_traced="money that reaches none",
            overload_minutes="minutes beyond the capacity, priced at the same rate",
            part_of="the activity that it is part of; null where it is part of none",
            customers="customers who met something that it serves",
        ),
    ]
    touchpoints: Annotated[
        pa.Table,
        Columns(
            event="the touchpoint, as the log names it",
            cost="money traced to it, the dearest first",
            events="how often it happened",
            cost_per_event="cost ÷ events",
            activities="the activities that serve it, the dearest first",
        ),
    ]
    orders: Annotated[
        pa.Table,
        Columns(
            quantile="share of orders that cost no more; null for the mean",
            cost="money for the customer's events after the previous order and up to this one",
        ),
    ]
    customers: Annotated[
        pa.Table,
        Columns(
            quantile="share of customers below, in each column by itself; null for the mean",
            cost="money to serve the customer",
            value="what the customer ordered, less what was given back",
            margin="value × margin − cost",
        ),
    ]
    groups: Annotated[
        pa.Table,
        Columns(
            group="all customers, or those who ordered",
            customers="how many",
            cost="money to serve them",
            value="what they ordered, less what was given back; null where the log has no values",
            cost_more="customers who cost more than they bring",
            cost_more_share="their share",
            low="lower end of its 95% interval (Wilson)",
            high="upper end",
            lost="money by which those cost more than they bring",
        ),
    ]
    money: Annotated[
        pa.Table,
        Columns(
            part="traced to touchpoints, unused capacity, not traced, or the total of the three",
            cost="money over the log's days",
            share="of the total",
        ),
    ]
    traces: Annotated[
        pa.Table,
        Columns(
            activity="its id in the value chain",
            event="a touchpoint that it serves",
            cost="money traced from the one to the other",
            events="how often the touchpoint happened",
            stage="the stage that most of these stood for; none where they stand for none",
        ),
    ]

    def draw(self) -> Picture | None:
        """The dearest activities: what reaches touchpoints, what does not, and capacity that nobody used."""
        from wayfare.analyses.value_chain._cost_picture import stacked

        return stacked(self)


@analysis
def activity_costs(
    study: Study, *, value_chain: ValueChainName | None = None, margin: Share = 1.0
) -> ActivityCostsResult:
    """What does each activity cost, which touchpoints, orders and customers cause it, and which capacity lies idle?

    Time-driven activity-based costing (Kaplan & Anderson 2004) over the days that the log covers. A minute costs the cost of
    the capacity ÷ the capacity. Each event of the log takes the minutes of its time equation: the base, and each term where
    its condition holds for the value in that very row (whether it was written for `any:`, `first:` or `last:` makes no
    difference; a row that lacks the value meets only `!=`), times the row's number where the term says `per`; never less than
    nothing. Where an activity has no equation for a touchpoint, its usual minutes are taken. Capacity a month, quarter or year
    counts with the share of the calendar period's days that the log covers. What nobody used stands apart and is spread over
    nothing; minutes beyond the capacity are priced at the same rate.

    Amounts of a period count with the share of their days that the log covers, and are divided by the number of events that
    the activity serves, each event the same. An activity that serves nothing has a cost and no touchpoint: *not traced*.
    Traced, unused and not traced add up to the total; an activity with parts costs what it costs itself and what they cost.

    An order causes the cost of its customer's events after the order before and up to its own. What comes after the last order
    is the customer's, and no order's. A customer's value is that of the orders less negative values such as refunds. In a
    study of a segment, activities and touchpoints stay those of the whole company, whose capacity it is; orders and customers
    are those of the segment. Costs are those that the value chain names: goods sold are not among them unless it says so.

    Args:
        value_chain: The value chain; the usual one unless given.
        margin: The share of a customer's value that is left before serving, such as 0.4 after the cost of goods.
    """
    chain = study.document(ValueChain, value_chain)
    if chain is None:
        return ActivityCostsResult(**tables.nothing(), findings=(Finding(NO_CHAIN),))
    span, lines = costing.span_of(study.log), costing.lines_of(study.log, chain)
    found, events, served = _folded(study, lines, span, margin)
    names = study.log.names("event").to_list()
    made = tables.tables_of(found, names, events, served, margin, has_value="value" in study.log.schema)
    warnings = (
        ("Activities and touchpoints are those of all customers; orders and customers those of the study.",)
        if costing.in_part(study.log)
        else ()
    )
    return ActivityCostsResult(**made, findings=tuple(findings_of(study, span, made)), warnings=warnings)


def _company(study: Study) -> Study:
    """The study of all customers and events in its time."""
    condition = replace(study.log.condition, conditions=(), events=None)
    return replace(study, log=replace(study.log, condition=condition), _results={}, _together=None)


def _folded(
    study: Study, lines: Sequence[Line], span: Span, margin: float
) -> tuple[list[Costed], NDArray, dict[str, NDArray]]:
    """What each line cost, the events, and the distributions: one pass where no cost has to be divided by a count first."""
    codes = len(study.log.names("event"))
    used = Used(
        study.stages,
        codes,
        tuple(equation for _, equation in costing.with_terms(lines)),
        tuple(line.served for line in lines),
    )

    def served(spread: Sequence[float]) -> Served:
        unit = costing.unit_costs(lines, spread, codes)
        return Served(study.stages, unit, costing.varying_costs(lines), margin)

    if not costing.in_part(study.log) and not costing.amounts_are_spread(lines):
        sums, distributions = study.fold_all([used, served([0.0] * len(lines))])
        return _costed(lines, sums, span), sums["events"], distributions
    sums = (_company(study) if costing.in_part(study.log) else study).fold(used)
    found = _costed(lines, sums, span)
    return found, np.asarray(sums["events"]), study.fold(served(costing.per_event(found)))


def _costed(lines: Sequence[Line], sums: dict[str, NDArray], span: Span) -> list[Costed]:
    found = costing.costed(lines, sums["events"].sum(axis=1), sums["minutes"], span)
    return [replace(one, customers=int(n)) for one, n in zip(found, sums["customers"], strict=True)]
