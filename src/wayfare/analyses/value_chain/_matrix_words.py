"""What `value_matrix` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wayfare.analyses.value_chain._matrix_classes import BOTTLENECK, CRITICAL, Classed
from wayfare.analyses.value_chain._matrix_facts import EFFECT, TOUCHED, UNKNOWN, Facts
from wayfare.analyses.value_chain._matrix_savings import Saving
from wayfare.domain.journey import STAGES
from wayfare.result import Finding
from wayfare.study import Study

NO_CHAIN = "There is no value chain yet, so no activity can be placed. Start one with `wayfare documents DIR new value_chain`."
EMPTY = "The log is empty: too few events to say what any activity costs or brings."
_NAMED = 3


def findings_of(
    study: Study, facts: Sequence[Facts], classes: Mapping[str, Sequence[Classed]], savings: Sequence[Saving]
) -> Iterator[Finding]:
    """What is worth most; bottlenecks; what can be saved; how little is known."""
    if not facts:
        yield Finding(
            "No activity of the value chain has a cost, a touchpoint or a measure: too few to say anything of them."
        )
        return
    yield _worth(study, facts)
    yield from _critical(facts, classes)
    yield from _bottlenecks(facts, classes)
    yield from _savings(study, facts, savings)
    yield from _unknown(facts)


def _worth(study: Study, facts: Sequence[Facts]) -> Finding:
    total = f"{len(facts)} activit{'y costs' if len(facts) == 1 else 'ies cost'} {_amount(study, sum(each.cost for each in facts))} a year"
    for basis in (EFFECT, TOUCHED):
        known = [each for each in facts if each.basis == basis and each.value[0] > 0]
        if not known:
            continue
        best = max(known, key=lambda each: (each.value[0], each.id))
        value, low, high = best.value
        sure = f" (95% interval {low:,.0f} to {high:,.0f})" if low == low else ""  # noqa: PLR0124 - nan
        if basis == EFFECT:
            text = f"“{best.activity.text}” brings most: {_amount(study, value)}{sure} by being done well, for a cost of {best.cost:,.0f}"
            more = f"; {best.gain[0]:,.0f} more if it were for everybody" if best.gain[0] > 0 else ""
            return Finding(f"{total}. {text}{more}.", money=best.gain[0])
        text = f"“{best.activity.text}” touches most: {_amount(study, value)}{sure} at moments of truth, not shown to be its doing"
        return Finding(f"{total}. {text}, for a cost of {best.cost:,.0f}.")
    return Finding(f"{total}; what they bring can't be told from nothing or isn't known.")


def _critical(facts: Sequence[Facts], classes: Mapping[str, Sequence[Classed]]) -> Iterator[Finding]:
    words = {each.id: each.activity.text for each in facts}
    held = [
        (one.stage, id, one.why) for id, found in classes.items() for one in found if one.name == CRITICAL
    ]
    if held:
        order = [stage.value for stage in STAGES]
        held.sort(key=lambda one: (order.index(one[0]) if one[0] in order else len(order), one[1]))
        named = [f"“{words[id]}” ({stage.replace('_', ' ')}: {why})" for stage, id, why in held[:_NAMED]]
        more = f", and {len(held) - _NAMED} more" if len(held) > _NAMED else ""
        yield Finding(f"Critical to a stage: {', '.join(named)}{more}.")


def _bottlenecks(facts: Sequence[Facts], classes: Mapping[str, Sequence[Classed]]) -> Iterator[Finding]:
    words = {each.id: each.activity.text for each in facts}
    for id, why in [
        (id, one.why) for id, found in classes.items() for one in found if one.name == BOTTLENECK
    ][:_NAMED]:
        yield Finding(f"Bottleneck: “{words[id]}”; {why}.")


def _savings(study: Study, facts: Sequence[Facts], savings: Sequence[Saving]) -> Iterator[Finding]:
    words = {each.id: each.activity.text for each in facts}
    safe = [saving for saving in savings if saving.safe and saving.money > 0]
    if not safe:
        yield Finding("Nothing can be saved that is known not to hurt customers.")
        return
    total, unused = sum(saving.money for saving in safe), sum(saving.from_unused for saving in safe)
    idle = "all of it" if unused == total else f"{unused:,.0f} of it"
    named = ", ".join(f"“{words[saving.activity]}” {saving.money:,.0f}" for saving in safe[:_NAMED])
    yield Finding(
        f"{_amount(study, total)} a year can be saved without hurting customers as far as is known, {idle} idle capacity: {named}.",
        money=total,
    )


def _unknown(facts: Sequence[Facts]) -> Iterator[Finding]:
    unknown = sum(each.basis == UNKNOWN for each in facts)
    if unknown:
        yield Finding(
            f"What {unknown} of {len(facts)} activities bring isn't known: they have no `performance` in the value chain, or too few "
            "customers to compare."
        )


def _amount(study: Study, money: float) -> str:
    return f"{study.currency} {money:,.0f}"
