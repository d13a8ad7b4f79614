"""What `drivers` says."""

from __future__ import annotations

from typing import Any

from wayfare.result import Finding
from wayfare.stats.drivers import QUADRANTS, Drivers
from wayfare.stats.penalty_reward import PenaltyReward

LEAK = 0.8
"""A driver that goes with the outcome as closely as this may be another word for it."""
SAID = {
    "satisfaction": "overall satisfaction",
    "repurchase": "ordering again",
    "referral": "referring others",
}
_SURE = 0.05


def findings(
    outcome: str, rows: list[dict[str, Any]], found: Drivers, contrast: PenaltyReward | None, rated: list[str]
) -> tuple[Finding, ...]:
    """What goes with the outcome most, where to do better, and what hurts more than it pleases."""
    first = rows[0]
    if _p_of_nothing(found, len(rows)) > _SURE:
        return (
            Finding(
                f"The drivers explain nothing of {SAID[outcome]} beyond chance (R² {found.r_squared:.2f}, adjusted "
                f"{found.r_squared_adjusted:.2f}, n = {found.n:,}).".replace("-", "−")
            ),
        )
    said = [
        Finding(
            f"{first['driver']} goes with {SAID[outcome]} most: {first['share']:.0%} of the {found.r_squared:.0%} that the drivers "
            f"explain (relative weight {first['johnson']:.2f}, 95% interval {first['johnson_low']:.2f} to {first['johnson_high']:.2f}; LMG "
            f"{first['lmg']:.2f}; n = {found.n:,})."
        )
    ]
    act = [r for r in rows if r["quadrant"] == QUADRANTS[0] and r["quadrant_probability"] >= 0.8]
    if act:
        row = act[0]
        said.append(
            Finding(
                f"Do better at {row['driver']} first: it matters more than most and is rated {row['performance']:.1f}, below the "
                f"others (so in {row['quadrant_probability']:.0%} of the draws)."
            )
        )
    if contrast is not None:
        said += _hurts(contrast, rated)
    return tuple(said)


def _p_of_nothing(found: Drivers, drivers: int) -> float:
    """The p value of R² where no driver explains anything (the F test of the whole regression)."""
    from scipy.special import fdtrc

    rest = found.n - drivers - 1
    return float(fdtrc(drivers, rest, (found.r_squared / drivers) / ((1 - found.r_squared) / rest)))


def _hurts(contrast: PenaltyReward, rated: list[str]) -> list[Finding]:
    """The driver that hurts most when bad and pleases least when good, where that is sure."""
    sure = [
        i
        for i in range(len(rated))
        if contrast.asymmetry_interval.high[i] < 0 and contrast.penalty_interval.high[i] < 0
    ]
    if not sure:
        return []
    worst = min(sure, key=lambda i: (contrast.penalty[i], rated[i]))
    return [
        Finding(
            f"{rated[worst]} hurts more when it is bad ({contrast.penalty[worst]:+.2f}) than it pleases when it is good "
            f"({contrast.reward[worst]:+.2f}).".replace("-", "−")
        )
    ]


def left_out(repeated: list[str]) -> tuple[str, ...]:
    """That drivers were left out, where they were."""
    if not repeated:
        return ()
    return (f"Left out, as they follow from the other drivers: {', '.join(repeated)}.",)


def leaks(outcome: str, names: tuple[str, ...], found: Drivers) -> tuple[str, ...]:
    """Drivers that all but tell the outcome."""
    if outcome == "satisfaction":
        return ()
    close = [name for name, r in zip(names, found.correlation, strict=True) if abs(r) >= LEAK]
    return tuple(
        f"{name} all but tells {SAID[outcome]}: it may have been given after the fact, and leaks it. Leave it out."
        for name in close
    )
