"""What `kano_priorities` says in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wayfare.analyses.kano._categories import listed, noun
from wayfare.analyses.kano._priority_tables import DERIVED
from wayfare.domain.journey import Stage
from wayfare.result import Finding
from wayfare.study import Study


def findings_of(
    study: Study,
    rows: Sequence[dict[str, Any]],
    launches: Sequence[dict[str, Any]],
    stages: Sequence[dict[str, Any]],
    days: int,
    unplaced: Sequence[str],
) -> tuple[Finding, ...]:
    """What comes first, what is at stake, what launches brought, and where the next delighter belongs."""
    nothing = Finding("No feature was asked about and nothing was rated: too few to say what comes first.")
    found = [
        _first(study, rows[0], days) if rows else nothing,
        _dearest(study, rows, days),
        _launched(study, launches),
        _next(stages, unplaced),
    ]
    return tuple(finding for finding in found if finding is not None)


def _first(study: Study, row: dict[str, Any], days: int) -> Finding:
    weak = " (derived from ratings, which is weaker than asking)" if row["basis"] == DERIVED else ""
    if row["category"] is None:
        return Finding("Too few answers to say which feature is a must-have, a satisfier or a delighter.")
    text = f"{_capital(row['feature'])} comes first: it is {noun(row['category'])}{weak}"
    if row["unhappy"] is None:
        return Finding(f"{text}; nobody rated it, so how many are unhappy with it is not known.")
    text += f", and {row['unhappy']:,} of {row['rated']:,} who rated it are unhappy with it"
    return Finding(f"{text}{_stake(study, row, days)}.", _money(row), float(row["unhappy"]))


def _dearest(study: Study, rows: Sequence[dict[str, Any]], days: int) -> Finding | None:
    """The feature with the most at stake, where it is not the first one."""
    sure = [row for row in rows[1:] if _known(row["value_at_stake_low"]) and row["value_at_stake_low"] > 0]
    if not sure:
        return None
    row = max(sure, key=lambda r: (r["value_at_stake"], r["feature"]))
    return Finding(
        f"Of the others the most is at stake with {row['feature']}: {row['unhappy']:,} are unhappy with it"
        f"{_stake(study, row, days)}.",
        _money(row),
        float(row["unhappy"]),
    )


def _stake(study: Study, row: dict[str, Any], days: int) -> str:
    if not _known(row["repurchase_difference"]):
        return ""
    low, high = row["repurchase_difference_low"], row["repurchase_difference_high"]
    points = f"{100 * row['repurchase_difference']:.0f} points fewer of them order again within {days} days"
    if low <= 0:
        return f"; whether they order again less can't be told (95% interval {_points(-high)} to {_points(-low)} points)"
    sure = f"95% interval {100 * low:.0f} to {100 * high:.0f}"
    if not _known(row["value_at_stake"]):
        return f"; {points} than of the others ({sure})"
    return (
        f"; {points} than of the others ({sure}), worth {study.currency} {row['value_at_stake']:,.0f} "
        f"({study.currency} {row['value_at_stake_low']:,.0f} to {row['value_at_stake_high']:,.0f}; not an experiment)"
    )


def _points(share: float) -> str:
    return f"{100 * share:+.0f}".replace("-", "−")


def _money(row: dict[str, Any]) -> float | None:
    return (
        float(row["value_at_stake"]) if _known(row["value_at_stake"]) and row["value_at_stake"] > 0 else None
    )


def _launched(study: Study, launches: Sequence[dict[str, Any]]) -> Finding | None:
    told = [row for row in launches if _known(row["gain"])]
    if not told:
        return (
            Finding(f"What the launch of {launches[0]['feature']} brought: too few to say.")
            if launches
            else None
        )
    row = max(
        told, key=lambda r: (_known(r["return_on_investment"]), r["comparison"] == "holdout", abs(r["gain"]))
    )
    kind = (
        "against those held out" if row["comparison"] == "holdout" else "against before it, not an experiment"
    )
    gain, low, high = (_whole(row[name]) for name in ("gain", "gain_low", "gain_high"))
    text = f"Since {row['launched']} {row['feature']} has brought {study.currency} {gain} (95% interval {low} to {high}; {kind})"
    if _known(row["return_on_investment"]):
        back, least, most = (_percent(row[f"return_on_investment{end}"]) for end in ("", "_low", "_high"))
        text += f": a return of {back} on the {study.currency} {row['cost']:,.0f} that it cost ({least} to {most})"
    return Finding(f"{text}.", abs(row["gain"]), float(row["customers_with"]))


def _whole(amount: float) -> str:
    return f"{amount:,.0f}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("-", "−")


def _next(stages: Sequence[dict[str, Any]], unplaced: Sequence[str]) -> Finding | None:
    first = next((row for row in stages if row["rank"] == 1), None)
    if first is None:
        return None
    why = (
        [f"customers are at {first['satisfaction']:.0%} of the scale there"]
        if _known(first["satisfaction"])
        else []
    )
    why += [f"{first['left']:,} went no further"] if first["left"] else []
    text = f"The next delighter belongs at the stage {Stage(first['stage']).label.lower()}: {' and '.join(why)}, and no delighter"
    text += " is known to be there"
    if unplaced:
        text += f" (say with `places` where {listed(list(unplaced))} {'is' if len(unplaced) == 1 else 'are'})"
    return Finding(f"{text}.", customers=float(first["left"]) or None)


def _known(value: Any) -> bool:
    return value is not None and value == value  # noqa: PLR0124 - the test for nan


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
