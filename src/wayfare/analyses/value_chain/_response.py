"""What more or less spending on an activity does: its value at stake, and how strongly that answers to money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.domain.value_chain import PeriodCost, ValueChain
from wayfare.errors import InvalidParameter, UnknownName
from wayfare.histories.block import Block
from wayfare.histories.calendar import local_days
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import StageMap
from wayfare.stats.intervals import t_of, z_of

ASSUMED, STATED, ESTIMATED, KEPT = "assumed", "stated", "estimated", "kept"
CAUTIOUS = (0.1, 0.3, 0.6)
"""Where nobody says: 1% more money makes what is lost 0.1% to 0.6% less, likeliest 0.3%; nobody measured it."""
FEWEST_AMOUNTS = 8
SEASONS = 12
MOST = 0.95
_VARIED = 0.02
_HINT = "Write activity=low:likely:high, such as delivery=0.1:0.3:0.6."
_YEAR = 365.25


@dataclass(frozen=True)
class Daily(Fold[NDArray[np.float64]]):
    """Orders and their value by calendar day.

    Attributes:
        stages: Which events are orders.
        zone: That of the days.
        first: The first day, since 1970-01-01.
        days: How many days there are.
    """

    stages: StageMap
    zone: str
    first: int
    days: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders."""
        return ORDER_COLUMNS

    def scan(self, block: Block) -> NDArray[np.float64]:
        """Orders and money (2, days)."""
        orders = orders_of(block, self.stages)
        day = np.clip(local_days(orders.time, self.zone) - self.first, 0, self.days - 1)
        value = np.nan_to_num(orders.value)
        return np.stack(
            [np.bincount(day, minlength=self.days), np.bincount(day, weights=value, minlength=self.days)]
        ).astype(float)


@dataclass(frozen=True)
class Response:
    """How an activity answers to money.

    Attributes:
        basis: `stated`, `assumed`, `estimated`, or `kept` where nothing is known.
        value: What is at stake with it; for `estimated` the value of all orders.
        spread: The standard error of that.
        low: The lower end of its elasticity.
        likely: Its likeliest elasticity.
        high: The upper end.
        note: What it rests on, or why nothing is known.
    """

    basis: str
    value: float
    spread: float
    low: float
    likely: float
    high: float
    note: str

    @property
    def sign(self) -> int:
        """1 for a curve that rises with the whole value of orders, −1 for one that can win back what is lost and no more."""
        return 1 if self.basis == ESTIMATED else -1


def kept(note: str) -> Response:
    """Nothing is known: the amount stays."""
    return Response(KEPT, 0.0, 0.0, 0.0, 0.0, 0.0, note)


def stated(texts: Sequence[str], known: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """The elasticities that the user says, by activity.

    Raises:
        InvalidParameter: a text can't be read, its numbers don't ascend, or don't lie from 0 to under 1.
        UnknownName: there is no such activity with a cost.
    """
    found = {}
    for text in texts:
        name, numbers = _named(text, known, "responses", _HINT)
        ends = _numbers(numbers, 3, "responses", _HINT)
        if not 0 <= ends[0] <= ends[1] <= ends[2] < 1:
            raise InvalidParameter(
                f"{numbers!r} does not ascend from 0 to under 1.", where="responses", hint=_HINT
            )
        found[name] = (ends[0], ends[1], ends[2])
    return found


def limits_of(texts: Sequence[str], known: Sequence[str]) -> dict[str, tuple[float, float]]:
    """The least and the most money that the user allows, by activity.

    Raises:
        InvalidParameter: a text can't be read, or its numbers don't ascend from 0.
        UnknownName: there is no such activity with a cost.
    """
    hint = "Write activity=least:most in money, such as delivery=10000:25000."
    found = {}
    for text in texts:
        name, numbers = _named(text, known, "limits", hint)
        low, high = _numbers(numbers, 2, "limits", hint)
        if not 0 <= low <= high:
            raise InvalidParameter(f"{numbers!r} does not ascend from 0.", where="limits", hint=hint)
        found[name] = (low, high)
    return found


def _named(text: str, known: Sequence[str], where: str, hint: str) -> tuple[str, str]:
    name, sign, numbers = text.partition("=")
    if not sign:
        raise InvalidParameter(f"{text!r} names no activity and numbers.", where=where, hint=hint)
    if name.strip() not in known:
        raise UnknownName.among("activity with a cost", name.strip(), known, where=where)
    return name.strip(), numbers


def _numbers(text: str, count: int, where: str, hint: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(":")]
    except ValueError:
        found = []
    if len(found) != count or not np.isfinite(found).all():
        raise InvalidParameter(f"{text!r} is not {count} numbers.", where=where, hint=hint)
    return found


def at_stake(effects: pa.Table, margin: float) -> dict[str, tuple[float, float]]:
    """What missing its target costs by activity, first and further orders together, and the standard error of that."""
    found: dict[str, tuple[float, float]] = {}
    for row in effects.to_pylist():
        if row["money"] is None:
            continue
        error = (row["money_high"] - row["money_low"]) / 2 / z_of(0.95)
        value, spread = found.get(row["activity"], (0.0, 0.0))
        found[row["activity"]] = (value + margin * row["money"], float(np.hypot(spread, margin * error)))
    return found


def responses_of(
    names: Sequence[str], stake: Mapping[str, tuple[float, float]], said: Mapping[str, tuple[float, float, float]],
    measured: Mapping[str, Response],
) -> dict[str, Response]:  # fmt: skip
    """What is known of each activity: what was stated, else estimated from its amounts, else the cautious default."""
    found = {}
    for name in names:
        value, spread = stake.get(name, (np.nan, np.nan))
        shown = measured.get(name)
        if shown is not None and name not in said and (shown.basis == ESTIMATED or not value > 0):
            found[name] = shown
        elif np.isnan(value):
            found[name] = kept("what is at stake with it is not known: the amount stays")
        elif value <= 0:
            found[name] = kept("meeting its target shows no gain: the amount stays")
        elif name in said:
            note = "value at stake by its target; elasticity stated"
            found[name] = Response(STATED, value, spread, *said[name], note)
        else:
            ends = ":".join(f"{end:g}" for end in CAUTIOUS)
            note = f"value at stake by its target; elasticity assumed ({ends}), nobody measured it"
            found[name] = Response(ASSUMED, value, spread, *CAUTIOUS, note)
    return found


def measured_of(
    chain: ValueChain, merged: Mapping[str, str], daily: NDArray[np.float64], first: int, margin: float, *, has_value: bool
) -> dict[str, Response]:  # fmt: skip
    """The elasticity of the value of orders to an activity's own amounts, where it has at least eight of them."""
    found: dict[str, Response] = {}
    days = daily.shape[1]
    for _, activity in chain.activities():
        alone = merged.get(activity.id) == activity.id and list(merged.values()).count(activity.id) == 1
        if not has_value or not alone or not isinstance(activity.cost, PeriodCost):
            continue
        spans = [_span(part.since, part.to, first) for part in activity.cost.amounts]
        parts = [
            (low, high, part.amount)
            for (low, high), part in zip(spans, activity.cost.amounts, strict=True)
            if low >= 0 and high < days and part.amount > 0 and daily[1, low : high + 1].sum() > 0
        ]
        if len(parts) >= FEWEST_AMOUNTS:
            response = _estimated(parts, daily[1], margin)
            if response is not None:
                found[activity.id] = response
    return found


def _span(since: Any, to: Any, first: int) -> tuple[int, int]:
    day = np.array([since, to], dtype="datetime64[D]").astype(np.int64) - first
    return int(day[0]), int(day[1])


def _estimated(
    parts: Sequence[tuple[int, int, float]], value: NDArray[np.float64], margin: float
) -> Response | None:
    """Least squares of the logarithm of a day's order value on that of a day's money, a trend and, from twelve amounts, the season."""
    low, high = np.array([part[0] for part in parts]), np.array([part[1] for part in parts])
    length = high - low + 1.0
    money = np.log(np.array([part[2] for part in parts]) / length)
    outcome = np.log(np.array([value[a : b + 1].sum() for a, b in zip(low, high, strict=True)]) / length)
    middle = (low + high) / 2
    columns = [np.ones(len(parts)), money - money.mean(), (middle - middle.mean()) / _YEAR]
    if len(parts) >= SEASONS:
        columns += [np.sin(2 * np.pi * middle / _YEAR), np.cos(2 * np.pi * middle / _YEAR)]
    design = np.column_stack(columns)
    freedom = len(parts) - design.shape[1]
    others = np.delete(design, 1, axis=1)
    left = design[:, 1] - others @ np.linalg.lstsq(others, design[:, 1], rcond=None)[0]
    varied = float(left @ left)
    if freedom < 3 or np.sqrt(varied / len(parts)) < _VARIED:
        return None
    slope = float(left @ outcome / varied)
    rest = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
    half = float(t_of(0.95, freedom)) * float(np.sqrt(rest @ rest / freedom / varied))
    if slope <= half:
        between = f"{slope:.2f}, 95% interval {slope - half:.2f} to {slope + half:.2f}".replace("-", "−")
        return kept(f"orders did not clearly rise with its {len(parts)} amounts (elasticity {between}): the amount stays")  # fmt: skip
    ends = np.clip([slope - half, slope, slope + half], 0.0, MOST)
    season = "trend and season" if len(parts) >= SEASONS else "trend"
    note = f"elasticity of order value to {len(parts)} amounts beside {season}; observational: what else rose with it counts as its work"
    whole = margin * float(value.sum())
    low_end, likely, high_end = (float(end) for end in ends)
    return Response(ESTIMATED, whole, 0.0, low_end, likely, high_end, note)
