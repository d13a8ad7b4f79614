"""Value matrix: what each activity costs against what it brings, which are critical, and what can be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa

from wayfare.analyses.journey.touchpoints import touchpoints
from wayfare.analyses.kano.kano import kano
from wayfare.analyses.value_chain._cost_lines import in_part, span_of
from wayfare.analyses.value_chain._matrix_classes import ORDINARY, RULES, Classed, classes_of
from wayfare.analyses.value_chain._matrix_facts import Facts, facts_of, plain
from wayfare.analyses.value_chain._matrix_savings import Saving, savings_of
from wayfare.analyses.value_chain._matrix_words import EMPTY, NO_CHAIN, findings_of
from wayfare.analyses.value_chain.activity_costs import activity_costs
from wayfare.analyses.value_chain.activity_effects import activity_effects
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.parameters import Share, ValueChainName
from wayfare.domain.value_chain import ValueChain
from wayfare.result import Columns, Finding, Result
from wayfare.study import Study

IN_PART = "Costs are those of all customers; what activities bring is that of the customers of the study."


@dataclass(frozen=True, kw_only=True)
class ValueMatrixResult(Result):
    """What activities cost and bring a year, their classes, and what can be saved."""

    observational: ClassVar[str] = (
        "effects compare customers alike in what the log holds, and value touched is that of orders which follow a touchpoint, whoever "
        "caused them; only a trial with chosen customers can tell what an activity causes."
    )

    matrix: Annotated[
        pa.Table,
        Columns(
            activity="its id in the value chain",
            text="what is done",
            category="Porter's category",
            stage="the stage of the touchpoint that most of its cost goes to; none where it serves none",
            cost="money a year, without its parts and with unused capacity",
            value="money a year that it brings, by its basis",
            value_low="lower end of its 95% interval",
            value_high="upper end",
            basis="effect: what customers with whom its target is met order more than those it failed; touched: orders at the moments of truth that it serves, not "
            "shown to be caused by it; not known",
            value_per_cost="value ÷ cost",
            **{"class": "its classes (table rules), commas between them"},
            why="what its classes rest on",
            used_share="minutes used of its capacity; null without one",
            customers="customers who met what it serves",
            to_gain="money a year more if its target were met with everybody; null without effects",
            to_gain_low="lower end of its 95% interval",
            to_gain_high="upper end",
            compared="customers that its effects were compared on; null without effects",
        ),
    ]
    savings: Annotated[
        pa.Table,
        Columns(
            activity="its id in the value chain",
            saving="money a year that can be saved on it",
            from_unused="the part of that which is capacity that nobody used",
            effect_at_risk="the most that customers' orders could lose by it a year (upper end of the 95% interval); null where that isn't known",
            safe="whether it does not hurt customers as far as is known",
            why="what that rests on",
            text="what is done",
        ),
    ]
    classes: Annotated[
        pa.Table,
        Columns(
            activity="its id in the value chain",
            **{"class": "a class that it is in"},
            stage="the stage that it is critical to; null for other classes",
            why="what that rests on",
        ),
    ]
    rules: Annotated[pa.Table, Columns(**{"class": "a class"}, rule="when an activity is in it")]

    def draw(self) -> Picture | None:
        """Cost across, value up, intervals drawn, the classes that ask for something in colour."""
        from wayfare.analyses.value_chain._matrix_picture import scatter

        return scatter(self)


@analysis
def value_matrix(
    study: Study, *, value_chain: ValueChainName | None = None, tolerated: Share = 0.1
) -> ValueMatrixResult:
    """Which activities are worth their cost, which are critical, a bottleneck or redundant, and what can be saved safely?

    Costs are those of `activity_costs`, each activity without its parts so that they add up, over the log's days scaled to a year
    of 365. Value is the money of an activity's effects on conversion and re-purchase (`activity_effects`): how much more customers
    order with whom its target is met than like ones whom it failed, times those with whom it is met, scaled to a year too; times
    those whom it failed, it is what there is *to gain*. So value is that of doing it well, not of doing it at all; each
    customer counts once, with the first run, so it is rather too little than too much. Effects on
    different outcomes are taken as independent. Where no money can be said, value *touched* is shown instead: orders that go along with
    the moments of truth it serves (`touchpoints`). That is not shown to be its doing, and activities that serve one touchpoint touch
    the same money, so touched values never add up. Activities that are only headings for their parts are left out.

    The table `rules` says when an activity is in which class; it may be in several. A saving is safe where it is capacity that nobody
    used and customers don't wait longer than the target, or where going without the activity would lose less than it costs even at
    the upper end of the interval; the activity serves no moment of truth, no effect of it is above zero beyond chance (Holm) and no
    other rests on it. What is not known is not safe.

    Args:
        value_chain: The value chain; the usual one unless given.
        tolerated: The share of runs that may take longer than the target before it counts as a bottleneck.
    """
    chain = study.document(ValueChain, value_chain)
    if chain is None:
        return _result([], {}, [], [Finding(NO_CHAIN)])
    costs, effects, met = (
        _known(study.result(one, **said))
        for one, said in (
            (activity_costs, {"value_chain": value_chain}),
            (activity_effects, {"value_chain": value_chain}),
            (touchpoints, {}),
        )
    )
    facts = facts_of(chain, span_of(study.log).days, costs, effects, met["touchpoints"], _kano(study))
    classes, savings = classes_of(facts, tolerated), savings_of(facts, tolerated)
    said = list(findings_of(study, facts, classes, savings))
    found = _result(facts, classes, savings, said if study.log.facts.rows else [Finding(EMPTY)])
    return replace(found, warnings=(IN_PART,)) if in_part(study.log) else found


def _known(result: Result) -> dict[str, list[dict[str, Any]]]:
    """The tables' rows, what is not a number as None."""
    return {
        name: [
            {
                key: None if isinstance(value, float) and np.isnan(value) else value
                for key, value in row.items()
            }
            for row in table.to_pylist()
        ]
        for name, table in result.tables.items()
    }


def _kano(study: Study) -> dict[str, str]:
    """The category of each feature that Kano's questions were asked about, by its plain name."""
    if "feature" not in study.log.schema:
        return {}
    rows = study.result(kano).tables["features"].to_pylist()
    return {plain(row["feature"]): row["category"] for row in rows if row["category"]}


def _result(
    facts: Sequence[Facts],
    classes: Mapping[str, Sequence[Classed]],
    savings: Sequence[Saving],
    findings: Sequence[Finding],
) -> ValueMatrixResult:
    words = {each.id: each.activity.text for each in facts}
    matrix = sorted((_row(each, classes[each.id]) for each in facts), key=_by_value)
    held = [
        {"activity": each.id, "class": one.name, "stage": one.stage or None, "why": one.why}
        for each in facts
        for one in classes[each.id]
    ]
    saved = [
        {
            "activity": one.activity, "saving": one.money, "from_unused": one.from_unused, "effect_at_risk": one.at_risk,
            "safe": one.safe, "why": one.why, "text": words[one.activity],
        }
        for one in savings
    ]  # fmt: skip
    rules = [{"class": name, "rule": rule} for name, rule in RULES.items()] if facts else []
    return ValueMatrixResult(
        matrix=_typed("matrix", matrix), savings=_typed("savings", saved), classes=_typed("classes", held),
        rules=_typed("rules", rules), findings=tuple(findings),
    )  # fmt: skip


def _row(each: Facts, classes: Sequence[Classed]) -> dict[str, Any]:
    (value, low, high), gain = each.value, each.gain
    return {
        "activity": each.id, "text": each.activity.text, "category": each.category, "stage": each.stage, "cost": each.cost,
        "value": value, "value_low": low, "value_high": high, "basis": each.basis,
        "value_per_cost": value / each.cost if each.cost > 0 else np.nan,
        "class": ", ".join(dict.fromkeys(one.name for one in classes)) or ORDINARY, "why": "; ".join(one.why for one in classes),
        "used_share": each.used_share, "customers": each.customers,
        "compared": max((effect.customers for effect in each.effects), default=None),
        "to_gain": gain[0], "to_gain_low": gain[1], "to_gain_high": gain[2],
    }  # fmt: skip


def _by_value(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """By what the value rests on, then the most valuable first, then the dearest."""
    known = not np.isnan(row["value"])
    return row["basis"] != "effect", not known, -row["value"] if known else 0.0, -row["cost"], row["activity"]


def _typed(table: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    kinds = dict.fromkeys(("customers", "compared"), pa.int64()) | {"safe": pa.bool_()}
    text = ("activity", "text", "category", "stage", "basis", "class", "why", "rule")
    return pa.table(
        {
            name: pa.array(
                [None if isinstance(row[name], float) and np.isnan(row[name]) else row[name] for row in rows],
                pa.string() if name in text else kinds.get(name, pa.float64()),
            )
            for name in ValueMatrixResult.columns()[table]
        }
    )
