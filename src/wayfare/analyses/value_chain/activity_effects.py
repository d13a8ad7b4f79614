"""Activities' effects: what customers do where an activity misses its target, and what came of changing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa

from wayfare.analyses._observed import periods_of
from wayfare.analyses.value_chain._effect_picture import drawn
from wayfare.analyses.value_chain._effect_sums import Effects
from wayfare.analyses.value_chain._effect_tables import (
    Found,
    dose_rows,
    effect_rows,
    performance_rows,
    scale_of,
)
from wayfare.analyses.value_chain._effect_turns import Turns, changed_of, turn_periods, turn_rows
from wayfare.analyses.value_chain._effect_words import NO_CHAIN, findings_of, rank
from wayfare.analyses.value_chain._performance import measures_of
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import ValueChainName
from wayfare.domain.value_chain import ValueChain
from wayfare.histories.answers import satisfaction_kind
from wayfare.result import Columns, Finding, Result
from wayfare.study import Study

_TEXT = {"activity", "text", "category", "outcome", "method", "note", "measure", "since"}
_WHOLE = {"ever_missed", "customers", "missed", "matched", "occurrences", "without_end", "pending", "customers_before", "customers_after"}  # fmt: skip
_REFERRALS = ("referral_invite", "referral_reward", "refer_", "recommend")


@dataclass(frozen=True, kw_only=True)
class ActivityEffectsResult(Result):
    """What activities' performance goes along with, and what changing them brought."""

    observational: ClassVar[str] = (
        "nobody chose by lot whom an activity failed. Those compared are alike in first channel, month and orders before, and may "
        "differ in what the log doesn't hold, such as where they live or what they ordered."
    )

    effects: Annotated[
        pa.Table,
        Columns(
            activity="the activity's id",
            text="what is done",
            category="its category in the value chain",
            outcome="conversion, satisfaction, repurchase or referral",
            effect="share of customers with the outcome where the target was met, less that where it was missed, of like customers "
            "(satisfaction: mean score from 0 to 1); null where too few",
            low="lower bound of the effect (95%)",
            high="upper bound of the effect (95%)",
            customers="customers compared, one run each",
            method="how they were made alike",
            note="what was compared, or why nothing can be said",
            money="what bringing all who missed the target to it would be worth in the window: customers whom it ever missed × effect × "
            "what those who order in the window order; null for satisfaction and referral",
            money_low="lower bound of the money (95%)",
            money_high="upper bound of the money (95%)",
            missed="of the customers, those where the target was missed",
            matched="of these, those with like customers where it was met",
            outcome_met="the outcome of like customers where it was met",
            outcome_missed="the outcome of the matched where it was missed",
            worth="what a customer who orders in the window orders in it, on average",
            p="p value of no effect",
            p_adjusted="the same by Holm over all activities and outcomes",
            ever_missed="customers whom any run missed before (repurchase: after) their first order, who had not ordered when that was known",
        ),
    ]
    performance: Annotated[
        pa.Table,
        Columns(
            activity="the activity's id",
            measure="lead_time, waiting, first_response or defect",
            occurrences="runs that could be judged: their time to end was over",
            median="median hours from start to end; null for defects",
            p90="the hours that one run in ten exceeds",
            target="the target: hours, or a share of defects",
            missed_share="share of runs over the target (waiting, first_response: or without an end in time), or with a defect",
            missed_share_low="lower bound of the share (95%)",
            missed_share_high="upper bound of the share (95%)",
            trend="median change a month of the mean hours, or of the share of defects (Sen)",
            trend_low="lower bound of the trend (95%)",
            trend_high="upper bound of the trend (95%)",
            without_end="starts that no end followed in time",
            pending="starts whose time to end is not over",
            text="what is done",
            category="its category in the value chain",
            note="what there is to know of it",
        ),
    ]
    turns: Annotated[
        pa.Table,
        Columns(
            activity="the activity's id",
            since="the day from which it was done otherwise; null for all its turns together",
            outcome="conversion, satisfaction, repurchase or referral",
            effect="by how much more the outcome changed for those reached than for the others; null where too few",
            low="lower bound of the effect (95%)",
            high="upper bound of the effect (95%)",
            customers_before="customers reached, seen before it",
            customers_after="customers reached, seen after it",
            pre_trend="by how much a month (or week) those reached drew away from the others before it",
            pre_trend_low="lower bound of that (95%)",
            pre_trend_high="upper bound of that (95%)",
            method="what they were compared with",
            note="what to beware of, or why nothing can be said",
            text="what was changed",
            p="p value of no effect",
            p_adjusted="the same by Holm over all turns and outcomes",
        ),
    ]
    dose: Annotated[
        pa.Table,
        Columns(
            activity="the activity's id",
            outcome="conversion, satisfaction, repurchase or referral",
            per_hour="change of the outcome with each hour longer, among like customers",
            low="lower bound of that (95%)",
            high="upper bound of that (95%)",
            customers="customers whose run has an end",
        ),
    ]

    def draw(self) -> Picture | None:
        """The effects with their intervals, activity by activity."""
        return drawn(self.effects.to_pylist(), self.findings[0].text)


@analysis
def activity_effects(
    study: Study,
    *,
    value_chain: ValueChainName | None = None,
    within: Duration = Duration.parse("90d"),
) -> ActivityEffectsResult:
    """Which activity's slowness or defects cost most customers, and what did changing an activity bring?

    A run of an activity goes from its `start` to the next `end` of the same customer (of the same order, where both carry its
    id) in the time that the document allows, 30 days unless it says. It misses the target when it takes longer than `at_most`;
    a defect is a run that `end` follows. Without a target the slower half is compared with the faster.

    Each customer counts with one run: the first that can be judged; for `conversion` the first before any order, for
    `repurchase` the first with an order at or before it. The clock starts for everybody at the moment when it is known whether
    the target was met (the landmark: start and target; for defects start and allowed time), among those who had not ordered
    by then; who orders within `within` after it has converted or ordered again. Referral is likewise the next step to bring
    others, satisfaction the first score after the run (of its order, where both carry the id). Customers whose window is not over are left out. Where `end` is itself a
    step of ordering, orders are not compared: the run and the order would be one thing.

    Customers where the target was missed are compared within strata of equal first channel, calendar month and orders before
    (in doublings) with those where it was met (coarsened exact matching, Iacus, King & Porro 2012), weighted as those who
    missed it. Under 30 matched customers on either side it is *too few to say*. Money takes the customers whom any run
    missed, each once, times the effect times what those who order in the window order in it: a later miss is taken to cost what a
    first one costs. Its interval is first-order in effect and worth. *Beyond chance*
    is 5% by Holm over all activities and outcomes.

    Where an activity was changed (`turns`), outcomes of customers by month (by week in a log of less than 300 days) are compared
    before and after, against customers not reached or not yet (Callaway & Sant'Anna 2021): `repurchase` and `referral` after the
    first order of the month, `conversion` after arriving in it, `satisfaction` by its scores. Months whose window reaches into
    the change are left out. Customers are the clusters; where whole groups scatter more, intervals widen. A change that
    reached everybody has nobody to compare with and is a plain before and after. The trend before it is shown: where it
    leaves zero, the comparison can't be trusted.

    Args:
        value_chain: The value chain whose activities are looked at; the only one unless given.
        within: How long after it an outcome is waited for.
    """
    chain = study.document(ValueChain, value_chain)
    if chain is None:
        return _result([], [], [], [], (Finding(NO_CHAIN),))
    log, months, periods = study.log, periods_of(study.log, "month"), turn_periods(study.log)
    kind, referrals = satisfaction_kind(log.source), _referrals(study)
    measures, missing = measures_of(chain, log.names("event"), study.stages, referrals)
    changed, unread = changed_of(chain, log, periods, within.microseconds)
    channels = len(log.names("channel")) if "channel" in log.schema else 0
    common = (study.stages, referrals, kind, within.microseconds, log.ends)
    edges, marks = (tuple(int(edge) for edge in p.edges) for p in (months, periods))
    fold, turned = Effects(measures, *common, study.zone, edges, channels), Turns(changed, *common, marks)
    sums, turn_sums = study.fold_all([fold, turned])
    found = Found(fold, sums, months.over, chain, missing)
    effects, performance = effect_rows(found), performance_rows(found)
    turns = turn_rows(chain, turned, turn_sums, unread, scale_of(turn_sums["scale"]))
    effects.sort(key=rank)
    said = findings_of(effects, performance, turns, study.currency, within)
    return _result(effects, performance, turns, dose_rows(found), said)


def _referrals(study: Study) -> tuple[int, ...]:
    """The codes of the events by which a customer brings others."""
    names = study.log.names("event").to_list()
    return tuple(code for code, name in enumerate(names) if name.startswith(_REFERRALS))


def _result(
    effects: Sequence[dict[str, Any]], performance: Sequence[dict[str, Any]], turns: Sequence[dict[str, Any]],
    dose: Sequence[dict[str, Any]], findings: tuple[Finding, ...],
) -> ActivityEffectsResult:  # fmt: skip
    said = {"effects": effects, "performance": performance, "turns": turns, "dose": dose}
    return ActivityEffectsResult(
        **{name: _table(name, rows) for name, rows in said.items()}, findings=findings
    )


def _table(name: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    columns = {}
    for column in ActivityEffectsResult.columns()[name]:
        kind = pa.string() if column in _TEXT else pa.int64() if column in _WHOLE else pa.float64()
        values = [_known(row[column]) for row in rows]
        columns[column] = pa.array(values, kind)
    return pa.table(columns)


def _known(value: Any) -> Any:
    """None for what is not a number; a number as it is."""
    return None if isinstance(value, float | np.floating) and np.isnan(value) else value
