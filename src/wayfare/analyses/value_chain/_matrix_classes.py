"""The classes of activities, each by a rule that is stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wayfare.analyses.value_chain._matrix_facts import NO_STAGE, Facts

CRITICAL, BOTTLENECK, DIFFERENTIATING, REDUNDANT, UNDER_USED = CLASSES = (
    "critical",
    "bottleneck",
    "differentiating",
    "redundant",
    "under_used",
)
ORDINARY = "ordinary"
IDLE = 0.6
_WAITS = ("lead_time", "waiting", "first_response")

RULES = {
    CRITICAL: "serves a moment of truth of a stage, or has the stage's largest effect on orders, beyond chance",
    BOTTLENECK: "customers wait longer than its target more often than is tolerated, beyond chance; or it needs more minutes than its "
    "capacity; or it feeds others and takes longer than each of them without meeting a target",
    DIFFERENTIATING: "its effect on re-purchase or satisfaction is above zero beyond chance, and where Kano's questions were asked "
    "about it, it is a delighter",
    REDUNDANT: "others, which are no part and no link of its chain, serve every touchpoint that it serves, none of them a moment of truth; the interval of each of its "
    "effects holds zero, and the upper end of their money is under its cost",
    UNDER_USED: f"less than {IDLE:.0%} of its capacity is used",
    ORDINARY: "none of these, or too little is known",
}


@dataclass(frozen=True)
class Classed:
    """A class that an activity is in, and why; `stage` where the class is one of a stage."""

    name: str
    why: str
    stage: str = ""


def classes_of(facts: Sequence[Facts], tolerated: float) -> dict[str, list[Classed]]:
    """The classes of each activity by its id, in the order of `CLASSES`."""
    largest = _largest(facts)
    return {
        each.id: [
            *_critical(each, largest),
            *_bottleneck(each, facts, tolerated),
            *_differentiating(each),
            *_redundant(each),
            *_under_used(each),
        ]
        for each in facts
    }


def _largest(facts: Sequence[Facts]) -> dict[str, str]:
    """The activity with the largest effect of each stage, beyond chance."""
    best: dict[str, tuple[float, str]] = {}
    for each in facts:
        value, low, _ = each.value
        if each.priced and low > 0 and any(effect.clear for effect in each.priced) and each.stage != NO_STAGE:
            best[each.stage] = max(best.get(each.stage, (0.0, "")), (value, each.id))
    return {stage: activity for stage, (_, activity) in best.items()}


def _critical(each: Facts, largest: Mapping[str, str]) -> Iterator[Classed]:
    for stage, moments in sorted(each.moments.items()):
        yield Classed(CRITICAL, f"serves a moment of truth: {', '.join(moments)}", stage)
    if largest.get(each.stage) == each.id:
        yield Classed(CRITICAL, "has the largest effect of its stage", each.stage)


def _bottleneck(each: Facts, facts: Sequence[Facts], tolerated: float) -> Iterator[Classed]:
    why = [*_late(each, tolerated), *_too_full(each), *_slows(each, facts)]
    if why:
        yield Classed(BOTTLENECK, "; ".join(why))


def _late(each: Facts, tolerated: float) -> Iterator[str]:
    doing = each.performance
    if doing and doing["measure"] in _WAITS and (doing["missed_share_low"] or 0.0) > tolerated:
        yield f"{doing['missed_share']:.0%} of {doing['occurrences']:,} runs take longer than its {doing['target']:g} hours"


def late(each: Facts, tolerated: float) -> bool:
    """Whether customers wait longer than its target more often than is tolerated."""
    return bool(list(_late(each, tolerated)))


def _too_full(each: Facts) -> Iterator[str]:
    if each.used_share > 1:
        yield f"it needs {each.used_share:.0%} of its capacity"


def _slows(each: Facts, facts: Sequence[Facts]) -> Iterator[str]:
    typical = {other.id: _median(other) for other in facts}
    fed = [
        link.to
        for link in each.activity.linkages
        if link.kind == "feeds" and not np.isnan(typical.get(link.to, np.nan))
    ]
    meets_target = bool(each.performance) and each.performance["target"] is not None
    if fed and not meets_target and typical[each.id] > max(typical[other] for other in fed):
        yield f"it feeds {', '.join(fed)} and takes longer ({typical[each.id]:,.3g} hours, median)"


def _median(each: Facts) -> float:
    median = each.performance["median"] if each.performance else None
    return np.nan if median is None else float(median)


def _differentiating(each: Facts) -> Iterator[Classed]:
    clear = [
        effect.outcome
        for effect in each.effects
        if effect.clear and effect.outcome in ("repurchase", "satisfaction")
    ]
    if clear and each.kano in (None, "A"):
        outcomes = " and ".join({"repurchase": "re-purchase"}.get(outcome, outcome) for outcome in clear)
        said = ", and customers call it a delighter (Kano)" if each.kano else ""
        yield Classed(DIFFERENTIATING, f"raises {outcomes} beyond chance{said}")


def _redundant(each: Facts) -> Iterator[Classed]:
    shared = bool(each.served) and all(each.others[event] for event in each.served)
    none = bool(each.effects) and all(effect.low <= 0 <= effect.high for effect in each.effects)
    worth = each.value[2] if each.priced else 0.0
    if shared and none and not each.moments and worth < each.cost:
        others = sorted({other for event in each.served for other in each.others[event]})
        yield Classed(
            REDUNDANT,
            f"{', '.join(others)} serve{'s' if len(others) == 1 else ''} the same touchpoints, and no effect of it shows",
        )


def _under_used(each: Facts) -> Iterator[Classed]:
    if each.used_share < IDLE:
        yield Classed(UNDER_USED, f"{each.used_share:.0%} of its capacity is used")
