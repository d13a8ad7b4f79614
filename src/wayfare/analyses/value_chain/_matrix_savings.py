"""What can be saved on each activity a year without hurting customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wayfare.analyses.value_chain._matrix_classes import late
from wayfare.analyses.value_chain._matrix_facts import NAN, Facts


@dataclass(frozen=True)
class Saving:
    """What can be saved on an activity.

    Attributes:
        activity: Its id.
        money: A year's; 0 where nothing can be.
        from_unused: The part that is capacity which nobody used.
        at_risk: The most that its customers' orders could lose by it a year; nan where that isn't known.
        safe: Whether it does not hurt customers as far as can be known.
        why: What that rests on.
    """

    activity: str
    money: float
    from_unused: float
    at_risk: float
    safe: bool
    why: str


def savings_of(facts: Sequence[Facts], tolerated: float) -> list[Saving]:
    """A row for each activity that costs something: safe ones first, then the largest."""
    feeding = {each.id: [link.to for link in each.activity.linkages] for each in facts}
    found = [_saving(each, feeding, tolerated) for each in facts if each.cost > 0]
    return sorted(found, key=lambda saving: (not saving.safe, -saving.money, saving.activity))


def _saving(each: Facts, feeding: Mapping[str, list[str]], tolerated: float) -> Saving:
    against = list(_needed(each, feeding))
    rest = each.cost - each.unused
    risk = _at_risk(each)
    if not against and risk < rest:
        why = f"going without it loses at most {risk:,.0f} a year (upper end of the 95% interval), less than it costs"
        return Saving(each.id, each.cost, each.unused, risk, True, why)
    kept = against[0] if against else "its effect could be worth more than it costs"
    if not each.unused:
        return Saving(each.id, 0.0, 0.0, risk, False, f"nothing: {kept}")
    if late(each, tolerated):
        return Saving(
            each.id,
            each.unused,
            each.unused,
            NAN,
            False,
            "nobody used that capacity, yet customers wait longer than its target",
        )
    return Saving(
        each.id, each.unused, each.unused, 0.0, True, f"capacity that nobody used; not the rest: {kept}"
    )


def _needed(each: Facts, feeding: Mapping[str, list[str]]) -> Iterator[str]:
    """What speaks against going without it."""
    if each.moments:
        yield "it serves a moment of truth"
    clear = [effect.outcome for effect in each.effects if effect.clear]
    if clear:
        yield f"its effect on {clear[0]} is above zero beyond chance"
    if feeding[each.id]:
        yield f"{', '.join(feeding[each.id])} rest{'s' if len(feeding[each.id]) == 1 else ''} on it"
    if not each.priced:
        yield "nobody can say yet what customers lose without it"


def _at_risk(each: Facts) -> float:
    """The most that going without it could lose a year, over the outcomes that money can be said of."""
    return float(sum(max(effect.value[2], 0.0) for effect in each.priced)) if each.priced else np.nan
