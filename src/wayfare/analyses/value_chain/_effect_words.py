"""What `activity_effects` says in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wayfare.analyses.value_chain._effect_turns import DOUBT, STAGGERED
from wayfare.domain.duration import Duration, in_words
from wayfare.result import Finding

NO_CHAIN = (
    "There is no value chain yet, so no activity has a performance to compare. "
    "Start one with `wayfare documents DIR new value_chain`."
)
LEVEL = 0.05
LESS = {
    "conversion": ("placed a first order", "less often", "more often"),
    "repurchase": ("ordered again", "less often", "more often"),
    "referral": ("brought others", "less often", "more often"),
    "satisfaction": ("scored", "lower", "higher"),
}


def is_sure(row: dict[str, Any]) -> bool:
    """Whether the effect differs from none beyond chance, over all activities and outcomes."""
    return bool(row["p_adjusted"] < LEVEL)


def rank(row: dict[str, Any]) -> tuple[Any, ...]:
    """Effects beyond chance first, by money, then by customers × effect; ties by name."""
    size = 0.0 if math.isnan(row["effect"]) else row["effect"] * row["missed"]
    money = 0.0 if math.isnan(row["money"]) else row["money"]
    return (math.isnan(row["effect"]), not is_sure(row), -money, -size, row["activity"], row["outcome"])


def findings_of(
    effects: Sequence[dict[str, Any]], performance: Sequence[dict[str, Any]], turns: Sequence[dict[str, Any]],
    currency: str, window: Duration,
) -> tuple[Finding, ...]:  # fmt: skip
    """Which activity costs most by missing its target, what changes brought, and what can't be said."""
    if not performance and not turns:
        text = "No activity of the value chain says how well it does: give one a `performance` with two events of the log."
        return (Finding(text),)
    by_id = {row["activity"]: row for row in performance}
    known = [row for row in effects if not math.isnan(row["effect"])]
    costly = [row for row in known if is_sure(row) and row["effect"] > 0]
    found = [_costly(row, by_id[row["activity"]], currency, window) for row in costly[:1]]
    rest = [row for row in costly[1:] if row["activity"] != costly[0]["activity"]][:1]
    rest += [row for row in costly[1:] if row["activity"] == costly[0]["activity"] and row not in rest][:1]
    found += [_further(row) for row in rest[:1]]
    found += _turned(turns)
    return (*found[:3], _summary(effects, known, costly, performance))[:4] if effects else tuple(found[:4]) or (_few(turns),)  # fmt: skip


def _few(turns: Sequence[dict[str, Any]]) -> Finding:
    return Finding(
        f"Too few to say what {len({row['activity'] for row in turns})} changed activities brought."
    )


def _costly(row: dict[str, Any], did: dict[str, Any], currency: str, window: Duration) -> Finding:
    verb, less, _ = LESS[row["outcome"]]
    slower = (
        "had it"
        if did["measure"] == "defect"
        else "was slower"
        if math.isnan(did["missed_share"])
        else "was late"
    )
    aim = "to the faster half" if math.isnan(did["missed_share"]) else "to the target"
    noun = "customer" if row["ever_missed"] == 1 else "customers"
    text = f"{_did(did)}; the {row['missed']:,} customers whose first run {slower} {verb} {_size(row['effect'], row)} {less} than like "
    text += f"customers (95% interval {_range(row)})"
    money = None if math.isnan(row["money"]) else row["money"]
    if money is not None:
        between = f"{_whole(row['money_low'])} to {_whole(row['money_high'])}"
        text += f"; bringing all {row['ever_missed']:,} {noun} whom it ever missed {aim} would be worth {currency} {_whole(money)} ({between}) in {in_words(window.seconds)}"
    return Finding(f"{text}.", money=money, customers=float(row["ever_missed"] or row["missed"]))


def _did(did: dict[str, Any]) -> str:
    share, runs, name = did["missed_share"], did["occurrences"], _capital(did["text"])
    if did["measure"] == "defect":
        return f"{name}: a defect in {share:.0%} of {runs:,} runs"
    if math.isnan(share):
        return f"{name}: {in_words(did['median'] * 3_600)} or more in half of {runs:,} runs"
    return f"{name}: over {did['target']:g} hours in {share:.0%} of {runs:,} runs"


def _further(row: dict[str, Any]) -> Finding:
    verb, less, _ = LESS[row["outcome"]]
    money = None if math.isnan(row["money"]) else row["money"]
    return Finding(
        f"Where “{row['text']}” missed its target, customers {verb} {_size(row['effect'], row)} {less} "
        f"(95% interval {_range(row)}, {row['missed']:,} against {row['customers'] - row['missed']:,} customers).",
        money=money,
        customers=float(row["missed"]),
    )


def _turned(turns: Sequence[dict[str, Any]]) -> list[Finding]:
    """The clearest effect of a change: against others where there are any, without a trend before it."""
    known = [row for row in turns if not math.isnan(row["effect"]) and is_sure(row)]
    known.sort(key=lambda row: (row["method"] != STAGGERED, DOUBT in row["note"], row["since"] or "",
                                -abs(row["effect"]), row["activity"], row["outcome"]))  # fmt: skip
    return [_turn(row) for row in known[:1]]


def _turn(row: dict[str, Any]) -> Finding:
    verb, less, more = LESS[row["outcome"]]
    since = f"since {row['since']}" if row["since"] else "since the changes"
    against = (
        "against customers not reached"
        if row["method"] == STAGGERED
        else "than before, which may have other causes"
    )
    doubt = ", but there was a trend before it" if DOUBT in row["note"] else ""
    return Finding(
        f"Customers whom a change of “{row['activity']}” reached ({row['text']}) {verb} {_size(abs(row['effect']), row)} {more if row['effect'] > 0 else less} "
        f"{since} {against} (95% interval {_range(row, signed=True)}){doubt}.",
        customers=float(row["customers_after"]),
    )


def _summary(
    effects: Sequence[dict[str, Any]], known: Sequence[dict[str, Any]], costly: Sequence[dict[str, Any]],
    performance: Sequence[dict[str, Any]],
) -> Finding:  # fmt: skip
    activities = len(performance)
    if not known:
        noun = "activity" if activities == 1 else "activities"
        return Finding(f"Too few to say what the performance of {activities} {noun} goes along with.")
    reverse = sum(is_sure(row) and row["effect"] < 0 for row in known)
    text = f"Of {len(effects)} pairs of activity and outcome {len(costly)} go along with less where the target is missed"
    text += f", {reverse} with more" if reverse else ""
    text += f", {len(known) - len(costly) - reverse} with no difference beyond chance"
    return Finding(f"{text}; {len(effects) - len(known)} can't be said.")


def _size(effect: float, row: dict[str, Any]) -> str:
    points = effect * 100
    said = f"{points:.0f}" if abs(points) >= 9.95 else f"{points:.1f}"
    return f"{said} points" + (" of 100" if row["outcome"] == "satisfaction" else "")


def _range(row: dict[str, Any], *, signed: bool = False) -> str:
    form = "+.1f" if signed else ".1f"
    return f"{row['low'] * 100:{form}} to {row['high'] * 100:{form}}".replace("-", "−")


def _whole(money: float) -> str:
    return f"{money:,.0f}".replace("-", "−")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
