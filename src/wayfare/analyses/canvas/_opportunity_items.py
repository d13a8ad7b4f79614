"""Each item of the canvas with the money that it touches, what is found there, and the strategies that answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wayfare.analyses.canvas._opportunity_cover import Cover, covers
from wayfare.analyses.canvas._opportunity_friction import FEW, Friction, Mood
from wayfare.analyses.canvas._opportunity_people import Floats, People
from wayfare.analyses.canvas._opportunity_ways import UNBOUND, Way
from wayfare.analyses.canvas._strategies import ABOUT, ACTIONS, LOST, Ledger, stages_mask, stages_of
from wayfare.domain.canvas import BLOCKS, Canvas
from wayfare.domain.strategies import FINDINGS, STRATEGIES, Found, fitting
from wayfare.stats.intervals import z_of

MOST = 5
"""So many strategies are named for an item."""
NOBODY = "too few to say: under 10 customers are late or have left here"


@dataclass(frozen=True, eq=False)
class Sources:
    """What the join draws on.

    Attributes:
        people: The customers.
        friction: What is lost where.
        mood: How content customers are where.
        events: The names of the log's events.
    """

    people: People
    friction: Friction
    mood: Mood
    events: Sequence[str]


@dataclass(frozen=True, eq=False)
class Joined:
    """The rows of items, and the ledgers of blocks and strategies."""

    rows: list[dict[str, Any]]
    blocks: dict[str, Ledger]
    strategies: dict[str, Ledger]
    answered: dict[str, dict[Found, float]]


def join(canvas: Canvas, ways: Mapping[str, Way], sources: Sources) -> Joined:
    """The items of the canvas, in its order, joined with what is known of the customers that they reach."""
    size, cover_of = len(sources.people), covers(sources.people, ways)
    joined = Joined([], {block: Ledger.empty(size) for block in BLOCKS},
                    {strategy.name: Ledger.empty(size) for strategy in STRATEGIES}, {s.name: {} for s in STRATEGIES})  # fmt: skip
    for block, item in canvas.items():
        way = ways[item.id]
        row: dict[str, Any] = {
            "block": block,
            "item": item.id,
            "text": item.text,
            "placed": bool(way.weights),
        }
        joined.blocks[block].items += 1
        if not way.bound or not size:
            note = "; ".join(way.notes) or ("nobody is in the log" if not size else UNBOUND)
            joined.rows.append(row | _nothing() | {"note": note})
            continue
        cover = cover_of(way)
        money = _money(sources, way, cover)
        found = _found(sources, way, cover, money)
        _enter(joined, block, sources, way, cover, found)
        joined.rows.append(row | money | _judged(way, found, money))
    return joined


def _nothing() -> dict[str, Any]:
    return dict.fromkeys(
        ("value_at_stake", "value_low", "value_high", "friction_loss", "friction_low", "friction_high", "satisfaction_gap", "customers")
    ) | {"main_reason": "", "main": None, "strategies": "", "scores": 0.0}  # fmt: skip


def _money(sources: Sources, way: Way, cover: Cover) -> dict[str, Any]:
    """The money that the item touches, with its intervals, and the customers that it is of."""
    people, friction = sources.people, sources.friction
    (at, met), (gone, lost_by) = cover.met, cover.lost
    value = float((met * people.value[at]).sum())
    half = float(z_of(0.95)) * float(np.sqrt(((met * people.spread[at]) ** 2).sum()))
    by_stage = np.bincount(people.stage[gone], weights=lost_by, minlength=friction.unit.shape[1])
    known = bool((~np.isnan(friction.unit[0]) & (by_stage > 0)).any()) or not by_stage.any()
    more = _pain(way, cover, friction.more)
    lost = (np.nan_to_num(friction.unit) * by_stage).sum(axis=1) + more
    known = known or more[0] > 0
    here = _gap(sources, way, cover)
    concerned = np.zeros(len(people), dtype=bool)
    concerned[at] = people.late[at]
    concerned[gone] = True
    return {
        "value_at_stake": value if people.valued else None,
        "value_low": max(value - half, 0.0) if people.valued else None,
        "value_high": value + half if people.valued else None,
        **dict(zip(("friction_loss", "friction_low", "friction_high"), map(float, lost), strict=True) if known
               else dict.fromkeys(("friction_loss", "friction_low", "friction_high"))),
        "customers": int(concerned.sum()),
        "satisfaction_gap": None if np.isnan(here[0]) else here[0],
        "scores": here[1],
    }  # fmt: skip


def _gap(sources: Sources, way: Way, cover: Cover) -> tuple[float, float]:
    if way.shares:
        return sources.mood.of_touchpoints(dict(way.shares))[:2]
    assert cover.who is not None
    return sources.mood.of_customers(sources.people, cover.who)[:2]


def _pain(way: Way, cover: Cover, of: Floats) -> Floats:
    """The item's part of the pain points' cost; none where it is about some of the customers only, as nobody can say theirs."""
    if cover.who is not None:
        return np.zeros(3)
    parts = [share * of[:, event] for event, share in way.shares.items()]
    return np.asarray(np.sum(parts, axis=0)) if parts else np.zeros(3)


def _found(sources: Sources, way: Way, cover: Cover, money: dict[str, Any]) -> dict[Found, tuple[float, str]]:
    """Every finding that holds for the item, with its money and the touchpoint where it is most."""
    people, friction = sources.people, sources.friction
    (at, met), (gone, lost_by) = cover.met, cover.lost
    found: dict[Found, tuple[float, str]] = {}
    stake = money["value_at_stake"] or 0.0
    if people.late[at].sum() >= FEW and (stake > 0 or not people.valued):
        found["late"] = (stake, _most(sources, _at_stake(people, way)))
    action, extra = people.action[at], people.extra[at]
    for name, number in _numbers(people).items():
        fits = action == number
        if fits.sum() >= FEW:
            found[name] = (float((met[fits] * extra[fits]).sum()), "")
    stage, unit = people.stage[gone], np.nan_to_num(friction.unit[0])
    for name in LOST:
        stages = stages_of(name)
        there = stages_mask(stages)[stage]
        lost = float((lost_by[there] * unit[stage[there]]).sum())
        if there.sum() >= FEW and lost > 0:
            leaks = friction.leaks(stages)
            found[name] = (lost, _most(sources, {event: s * leaks[event] for event, s in way.shares.items()}))
    painful = {
        event: s * friction.pain[0, event] for event, s in way.shares.items() if friction.painful[event]
    }
    if painful and cover.who is None:
        found["pain point"] = (
            float(_pain(way, cover, friction.pain)[0]),
            _most(sources, painful),
        )
    if way.shares:
        low = sources.mood.of_touchpoints(dict(way.shares))[2]
        if low:
            found["unhappy"] = (stake, sources.events[low[0]])
    elif cover.who is not None and sources.mood.of_customers(people, cover.who)[2]:
        found["unhappy"] = (stake, "")
    return found


def _numbers(people: People) -> dict[Found, int]:
    """The place of the action that each finding of offers is about, of those that are on the list."""
    return {
        name: people.actions.index(action) for name, action in ACTIONS.items() if action in people.actions
    }


def _at_stake(people: People, way: Way) -> dict[int, float]:
    each = people.value / np.maximum(people.parts, 1)
    return {event: share * float(each[people.who_met(event)].sum()) for event, share in way.shares.items()}


def _most(sources: Sources, by_event: Mapping[int, float]) -> str:
    if not by_event:
        return ""
    return min((-money, sources.events[event]) for event, money in by_event.items())[1]


def _judged(way: Way, found: Mapping[Found, tuple[float, str]], money: Mapping[str, Any]) -> dict[str, Any]:
    """The largest finding in words, the strategies by the money that they touch here, and what can't be said."""
    order = list(FINDINGS)
    notes = [*way.notes]
    if money["value_at_stake"] is None:
        notes.append("no lifetime value is known")
    if way.weights and way.segment is not None and money["satisfaction_gap"] is not None:
        notes.append("the satisfaction gap is that of all customers at its touchpoints")
    if money["friction_loss"] is None:
        notes.append("those who left here have no price: too few, or no values")
    if not found:
        return {"main_reason": "", "main": None, "strategies": "", "note": "; ".join([*notes, NOBODY])}
    main = min(found, key=lambda name: (-found[name][0], order.index(name)))
    where = found[main][1]
    fits = sorted(
        fitting(set(found)), key=lambda s: (-max(found[f][0] for f in s.answers if f in found), s.name)
    )
    return {
        "main": main,
        "main_reason": f"{FINDINGS[main]}{f' ({where})' if where else ''}",
        "strategies": ", ".join(strategy.name for strategy in fits[:MOST]),
        "note": "; ".join(notes),
    }


def _enter(
    joined: Joined,
    block: str,
    sources: Sources,
    way: Way,
    cover: Cover,
    found: Mapping[Found, tuple[float, str]],
) -> None:
    """Adds the item to the ledgers of its block and of the strategies that fit."""
    people = sources.people
    (at, met), (gone, lost) = cover.met, cover.lost
    mine = joined.blocks[block]
    mine.met[at] += met.astype(np.float32)
    mine.lost[gone] += lost.astype(np.float32)
    mine.pain += _pain(way, cover, sources.friction.more)
    numbers = _numbers(people)
    for strategy in fitting(set(found)):
        ledger, why = joined.strategies[strategy.name], joined.answered[strategy.name]
        ledger.items += 1
        held = [name for name in strategy.answers if name in found]
        for name in held:
            why[name] = why.get(name, 0.0) + found[name][0]
        if any(ABOUT[name] == "value" for name in held):
            ledger.met[at] += met.astype(np.float32)
        stages = [stage for name in held if name in LOST for stage in stages_of(name)]
        if stages:
            ledger.lost[gone] += (lost * stages_mask(stages)[people.stage[gone]]).astype(np.float32)
        actions = [numbers[name] for name in held if name in numbers]
        if actions:
            fits = np.zeros(len(people.actions) + 1, dtype=bool)  # no action is the last place
            fits[actions] = True
            ledger.offered[at] += (met * fits[people.action[at]]).astype(np.float32)
        if "pain point" in held:
            ledger.pain += _pain(way, cover, sources.friction.pain)
