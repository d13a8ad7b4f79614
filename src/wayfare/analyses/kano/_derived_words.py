"""What `kano_derived` says in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wayfare.analyses.kano._categories import listed, noun, plural
from wayfare.analyses.kano._derived_classes import ENOUGH
from wayfare.analyses.kano._outcomes import AGAIN, GONE, OVERALL, Outcome
from wayfare.analyses.kano._respondents import Sample
from wayfare.result import Finding

_VERB = {AGAIN: "re-purchase", GONE: "leaving"}


def findings_of(
    sample: Sample,
    overall: int,
    outcomes: Sequence[Outcome],
    classes: list[dict[str, Any]],
    effects: list[dict[str, Any]],
    leaks: list[dict[str, Any]],
) -> tuple[Finding, ...]:
    """The leaks first, as they make all else doubtful; then what moves the outcome, then the classes."""
    if not len(sample):
        return (Finding("Nobody rated anything: too few to say what ratings move."),)
    found = [Finding(leak_sentence(row), customers=float(row["customers"])) for row in leaks[:1]]
    found += [_moves(outcome, effects, len(sample)) for outcome in outcomes]
    if overall >= 0 and (said := _classes(classes, sample.rated[overall].key)):
        found.append(said)
    return tuple(found[:4])


def leak_sentence(row: dict[str, Any]) -> str:
    """A score that gives the outcome away, as a warning."""
    others = f" ({row['others_share']:.0%} of all others)" if np.isfinite(row["others_share"]) else ""
    share = "all" if row["share"] == 1 else f"{row['share']:.1%}"
    return (
        f"The score leaks the outcome: of {row['customers']:,} customers with {row['feature']} at {row['level']}, "
        f"{share} {row['says']}{others}; it says the same thing twice and is left out of what is said of {row['outcome']}."
    )


def _moves(outcome: Outcome, effects: list[dict[str, Any]], customers: int) -> Finding:
    mine = [row for row in effects if row["outcome"] == outcome.name]
    known = int(outcome.known.sum())
    if not outcome.enough or not mine:
        return Finding(
            f"Too few to say what moves {_VERB[outcome.name]}: the window is over for {known:,} of {customers:,} customers who "
            f"rated something, and it came for {int(outcome.happened[outcome.known].sum()):,} of them."
        )
    told = [row for row in mine if row["effect"] != "can't be told"]
    if not told:
        return Finding(
            f"No rating or feature can be told to move {_VERB[outcome.name]} among {known:,} customers, others equal."
        )
    row = min(told, key=lambda r: (r["p"], r["feature"], r["level"]))
    more = sorted({r["feature"] for r in told} - {row["feature"]})
    text = (
        f"{_capital(row['feature'])} at {row['level']} goes with {'more' if row['effect'] == 'raises' else 'less'} "
        f"{_VERB[outcome.name]}: {row['share']:.0%} of {row['customers']:,} customers against {row['reference_share']:.0%} "
        f"{_at(row['reference'])} (odds {row['odds_ratio']:.2g} times, 95% interval {row['odds_ratio_low']:.2g} to "
        f"{row['odds_ratio_high']:.2g}, others equal; not an experiment)"
    )
    return Finding(
        f"{text}; {listed(more)} move it too." if more else f"{text}.", customers=float(row["customers"])
    )


def _classes(classes: list[dict[str, Any]], overall: str) -> Finding | None:
    mine = [row for row in classes if row["against"] == OVERALL and row["n"] >= ENOUGH]
    of = {letter: [row["feature"] for row in mine if row["category"] == letter] for letter in "MOA"}
    parts = [
        f"{listed(names)} {'looks' if len(names) == 1 else 'look'} like {noun(letter) if len(names) == 1 else plural(letter)}"
        for letter, names in of.items()
        if names
    ]
    if not parts:
        return None
    return Finding(
        f"{_capital('; '.join(parts))}: derived from ratings against {overall}, which is weaker than asking."
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _at(reference: str) -> str:
    return reference if reference == "in between" else f"at {reference}"
