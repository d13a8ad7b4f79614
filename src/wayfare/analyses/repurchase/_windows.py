"""When a message should arrive: for a group of orders, and for each customer by the group's waits and their own pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.repurchase._returns import BANDS, EVERYBODY, LONGEST, Groups, Waits, band_of
from wayfare.stats.proportions import wilson

ENOUGH = 30
YEAR = 365
_SLOWEST = 8.0


@dataclass(frozen=True, slots=True)
class Window:
    """From which to which day after an order a message should arrive; nan where too few came back.

    Attributes:
        opens: A quarter of those who come back within a year are back.
        closes: Three quarters of them are.
        chance: Of those still waiting before it opens, the share that orders in it.
        low: The lower end of the chance's 95% interval.
        high: The upper end.
    """

    opens: float
    closes: float
    chance: float
    low: float
    high: float


UNKNOWN = Window(*(float("nan"),) * 5)


def window_of(waits: Waits) -> Window:
    """The window of a group; under 30 returns within a year it is too few to say."""
    if waits.returned[1 : YEAR + 1].sum() < ENOUGH:
        return UNKNOWN
    waiting = waits.waiting()[: YEAR + 1]
    waiting = waiting[~np.isnan(waiting)]
    back = (1 - waiting) / (1 - waiting[-1])
    opens, closes = (int(np.argmax(back >= share - 1e-12)) for share in (0.25, 0.75))
    chance = 1 - waiting[closes] / waiting[opens - 1]
    # Kaplan and Meier's share on as many as waited when it opened: those cut off in between make it a little too sure.
    interval = wilson(chance * waits.at_risk[opens], waits.at_risk[opens])
    return Window(opens, closes, float(chance), interval.low, interval.high)


def due_rows(buyers: dict[str, Any], groups: Groups, now: int) -> dict[str, NDArray]:
    """Each customer's window and chance, by the waits after orders of the same number, stretched to their own pace.

    Who has let the window pass gets one of the same length from today on. Nothing is known where too few ever came back.
    """
    size = len(buyers["last"])
    opens, closes, chance = (np.full(size, np.nan) for _ in range(3))
    late = np.zeros(size, dtype=bool)
    band = band_of(buyers["orders"])
    slower = _slower(buyers, band)
    for number in np.unique(band).tolist():
        who = np.flatnonzero(band == number)
        waits = groups.waits.get(BANDS[number], groups.waits[EVERYBODY])
        window = window_of(waits)
        if np.isnan(window.opens):
            waits = groups.waits[EVERYBODY]
            window = window_of(waits)
        if not np.isnan(window.opens):
            opens[who], closes[who], chance[who], late[who] = _due(
                waits, window, slower[who], now - buyers["last"][who]
            )
    return {
        "opens": buyers["last"] + opens,
        "closes": buyers["last"] + closes,
        "chance": chance,
        "late": late,
    }


def _due(waits: Waits, window: Window, slower: NDArray, waited: NDArray) -> tuple[NDArray, ...]:
    opens, closes = np.rint(window.opens * slower), np.rint(window.closes * slower)
    late = waited > closes
    opens, closes = np.where(late, waited, opens), np.where(late, waited + closes - opens, closes)
    log_waiting = _log_waiting(waits)

    def still(days: NDArray) -> NDArray[np.float64]:
        return np.exp(np.interp(days / slower, np.arange(len(log_waiting)), log_waiting))

    chance = (still(np.maximum(opens - 1, waited)) - still(closes)) / still(waited)
    return opens, closes, np.clip(chance, 0, 1), late


def _log_waiting(waits: Waits) -> NDArray[np.float64]:
    """The logarithm of the share still waiting, going on beyond what was watched at the rate of the last half of it."""
    waiting = waits.waiting()
    watched = (
        int(np.flatnonzero((waiting > 0) & (waits.at_risk >= ENOUGH))[-1])
        if waits.at_risk[0] >= ENOUGH
        else 1
    )
    known = np.log(np.maximum(waiting[: watched + 1], 1e-12))
    half = watched // 2
    rate = (known[-1] - known[half]) / max(watched - half, 1)
    return np.concatenate([known, known[-1] + rate * np.arange(1, 10 * LONGEST)])


def _slower(buyers: dict[str, Any], band: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many times as long a customer waits as others with as many orders, shrunk to 1 by how little is known.

    The mean of a customer's log waits, weighted against that of the others by the variance between customers over that
    within them (analysis of variance).
    """
    waits = buyers["orders"].astype(float) - 1
    slower = np.zeros(len(waits))
    within = _within(buyers, waits)
    for number in np.unique(band[waits > 0]).tolist():
        who = np.flatnonzero((band == number) & (waits > 0))
        usual = buyers["pace"][who].sum() / waits[who].sum()
        own = buyers["pace"][who] / waits[who]
        between = max(float(np.mean((own - usual) ** 2 - within / waits[who])), 0.0)
        weight = between / (between + within / waits[who]) if between > 0 else np.zeros(len(who))
        slower[who] = weight * (own - usual)
    return np.clip(np.exp(slower), 1 / _SLOWEST, _SLOWEST)


def _within(buyers: dict[str, Any], waits: NDArray[np.float64]) -> float:
    """The variance of log waits within customers, pooled."""
    several = waits > 1
    deviations = buyers["squares"][several] - buyers["pace"][several] ** 2 / waits[several]
    freedom = (waits[several] - 1).sum()
    return float(max(deviations.sum() / freedom, 1e-9)) if freedom else 1.0
