"""What is said of the personas: in findings, and in warnings about what could not be known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from wayfare.analyses.satisfaction._groups import FEWEST, STABLE, Groups, Tried
from wayfare.domain.duration import in_words
from wayfare.result import Finding
from wayfare.stats.proportions import difference_of_proportions

DOUBTFUL = 0.6
"""The Jaccard index below which a group can't be trusted (Hennig 2007)."""


def findings(
    cards: pa.Table, groups: Groups, sample: int, window: int, horizon: int, currency: str
) -> tuple[Finding, ...]:
    """What the personas say, the answer to *are there any* first."""
    rows = cards.to_pylist()
    if groups.k == 1:
        return (Finding(_none(groups, sample)),)
    total = sum(row["customers"] for row in rows)
    first = rows[0]
    said = [
        Finding(
            f"{total:,} customers fall into {groups.k} personas; the largest, {_quoted(first)}, are {first['share']:.0%} of them.",
            customers=total,
        )
    ]
    return (*said, *_again(rows, window, horizon), *_worth(rows, horizon, currency), *_content(rows))


def _none(groups: Groups, sample: int) -> str:
    if sample < FEWEST:
        return f"Too few to say whether there are personas: {sample:,} customers, {FEWEST} are needed."
    if not groups.tried:
        return "There is nothing to tell customers apart by: no touchpoint, time or property in which they differ."
    doubtful = [t for t in groups.tried if t.stability == t.stability]
    if not doubtful:
        return "No personas: customers don't fall into groups; what sets them apart is no more than chance from visit to visit."
    best = max(doubtful, key=lambda t: t.stability)
    return f"No personas: customers don't fall into groups that hold; {_refused(best)}."


def _refused(best: Tried) -> str:
    if best.stability >= STABLE:
        return f"of {best.k} groups one is not found again in refits, or too small ({best.smallest:.1%} of the customers)"
    return f"refits agree to {best.stability:.2f} at best (1 is fully, {STABLE} is asked for)"


def _again(rows: Sequence[dict[str, Any]], window: int, horizon: int) -> list[Finding]:
    known = [row for row in rows if row["repurchase_rate"] is not None]
    if len(known) < 2:
        return [
            Finding(
                f"Too few to say which persona orders again: the log must go on for {_time(horizon)} after customers' first {_time(window)}."
            )
        ]
    best, least = (f(known, key=lambda row: row["repurchase_rate"]) for f in (max, min))
    counts = [(row["repurchase_rate"] * row["n_repurchase"], row["n_repurchase"]) for row in (best, least)]
    pairs = len(known) * (len(known) - 1) / 2  # the two are picked from all pairs: Bonferroni
    who = f"Of those who ordered in their first {_time(window)},"
    if difference_of_proportions(*counts[0], *counts[1]).p * pairs >= 0.05:
        span = f"{least['repurchase_rate']:.0%} to {best['repurchase_rate']:.0%} of each persona order again"
        return [Finding(f"{who} {span} in the next {_time(horizon)}: they don't differ clearly.")]
    most = f"{best['repurchase_rate']:.0%} of {_quoted(best)} order again in the next {_time(horizon)}"
    rest = f"{least['repurchase_rate']:.0%} of {_quoted(least)} ({least['low']:.0%} to {least['high']:.0%})"
    text = f"{who} {most} ({best['low']:.0%} to {best['high']:.0%}), {rest}."
    return [Finding(text, customers=best["customers"])]


def _worth(rows: Sequence[dict[str, Any]], horizon: int, currency: str) -> list[Finding]:
    known = [row for row in rows if row["value"]]
    if len(known) < 2:
        return []
    best, least = (f(known, key=lambda row: row["value"]) for f in (max, min))
    text = f"{_quoted(best)} spend most after that: {currency} {best['value']:,.0f} a customer in {_time(horizon)} ({best['value_low']:,.0f} to {best['value_high']:,.0f})"
    return [
        Finding(f"{text}; {_quoted(least)} {currency} {least['value']:,.0f}.", customers=best["customers"])
    ]


def _content(rows: Sequence[dict[str, Any]]) -> list[Finding]:
    known = [row for row in rows if row["satisfaction"] is not None]
    if len(known) < 2:
        return []
    best, least = (f(known, key=lambda row: row["satisfaction"]) for f in (max, min))
    text = f"{_quoted(best)} score {best['satisfaction']:.1f} on average ({best['n_satisfaction']:,} scores)"
    return [Finding(f"{text}, {_quoted(least)} {least['satisfaction']:.1f} ({least['n_satisfaction']:,}).")]


def warnings(
    cards: pa.Table, groups: Groups, choices: bool, window: int, skipped: Sequence[str]
) -> tuple[str, ...]:
    """What could not be known, and what was held out."""
    if groups.k == 1:
        return ()
    held_out = "orders, their value, what follows from them, referrals, cancellations and scores are held out"
    said = [
        f"Behaviour counts in each customer's first {_time(window)}; {held_out}, and what came of customers is counted after that."
    ]
    said += [
        f"{_quoted(row)} is not the same in every refit (stability {row['stability']:.2f}): read it with care."
        for row in cards.to_pylist()
        if row["stability"] is not None and row["stability"] < DOUBTFUL
    ]
    if not choices:
        said.append(
            "No answers to questions with choices are there, so needs and motivations are only what touchpoints' names say."
        )
    if skipped:
        said.append(f"Not used, because they have too many values: {', '.join(skipped)}.")
    return tuple(said)


def _quoted(row: dict[str, Any]) -> str:
    return f"“{row['persona']}”"


def _time(microseconds: int) -> str:
    return in_words(microseconds / 1e6)
