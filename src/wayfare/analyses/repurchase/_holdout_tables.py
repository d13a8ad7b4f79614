"""Those contacted against those held out: the table, the sentences and the picture of `holdout_effect`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.repurchase._effects import LEAVE
from wayfare.charts.picture import Picture
from wayfare.domain.words import counted
from wayfare.result import Finding
from wayfare.stats.intervals import z_of

ALL, ENOUGH = "all", 10
_ON_ORDERS = ("next order", "orders ahead")
_WHOLE, _TEXT = ("contacted", "held_out"), ("action", "measured")
_COLUMNS = ("action", "contacted", "held_out", "ordered", "ordered_held_out", "rise", "rise_low", "rise_high", "orders", "orders_held_out",
            "value", "value_held_out", "added", "added_low", "added_high", "measured")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Groups:
    """Order days and money of each customer in the time after the list, contacted and held out."""

    orders: NDArray[np.float64]
    orders_held: NDArray[np.float64]
    money: NDArray[np.float64]
    money_held: NDArray[np.float64]


def effects(groups: Mapping[str, Groups], kinds: Mapping[str, str | None]) -> pa.Table:
    """One row an action, the largest group first, after that of all."""
    rows = [_row(name, its, kinds.get(name)) for name, its in groups.items()]
    rows.sort(key=lambda row: (row["action"] != ALL, -row["contacted"], row["action"]))
    columns = {
        name: pa.array(
            [None if isinstance(row[name], float) and np.isnan(row[name]) else row[name] for row in rows],
            pa.string() if name in _TEXT else pa.int64() if name in _WHOLE else pa.float64(),
        )
        for name in _COLUMNS
    }
    return pa.table(columns)


def _row(name: str, groups: Groups, kind: str | None) -> dict[str, Any]:
    ours, theirs = groups.orders, groups.orders_held
    rise = _ratio(ours > 0, theirs > 0)
    more = _ratio(ours, theirs) if kind == "orders ahead" else rise
    added = _difference(groups.money, groups.money_held)
    told = kind in _ON_ORDERS and not np.isnan(more).any()
    low, mid, high = more
    return {
        "action": name, "contacted": len(ours), "held_out": len(theirs),
        "ordered": _mean(ours > 0), "ordered_held_out": _mean(theirs > 0),
        "rise": rise[1], "rise_low": rise[0], "rise_high": rise[2], "orders": _mean(ours), "orders_held_out": _mean(theirs),
        "value": _mean(groups.money), "value_held_out": _mean(groups.money_held),
        "added": added[1], "added_low": added[0], "added_high": added[2],
        "measured": f"{name}={low:.4f}:{mid:.4f}:{high:.4f}" if told else None,
    }  # fmt: skip


def _mean(values: NDArray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _ratio(ours: NDArray, theirs: NDArray) -> tuple[float, float, float]:
    """Low, mid and high of one mean over another less 1, by the delta method on the logarithm; nan where too few ordered.

    For shares this is the interval of Katz, Baptista, Azen and Pike (1978, Biometrics 34).
    """
    if min(int((ours > 0).sum()), int((theirs > 0).sum())) < ENOUGH:
        return (float("nan"),) * 3
    ratio = ours.mean() / theirs.mean()
    half = z_of(0.95) * np.sqrt(sum(v.var() / len(v) / v.mean() ** 2 for v in (ours, theirs)))
    return float(ratio * np.exp(-half) - 1), float(ratio - 1), float(ratio * np.exp(half) - 1)


def _difference(ours: NDArray, theirs: NDArray) -> tuple[float, float, float]:
    """Low, mid and high of the difference of two means (Welch); nan under ten on either side."""
    from scipy.stats import t

    if min(len(ours), len(theirs)) < ENOUGH or np.isnan(ours).any() or np.isnan(theirs).any():
        return (float("nan"),) * 3
    parts = [v.var(ddof=1) / len(v) for v in (ours, theirs)]
    spread = sum(parts)
    mid = float(ours.mean() - theirs.mean())
    if not spread > 0:
        return mid, mid, mid
    freedom = spread**2 / sum(part**2 / (len(v) - 1) for part, v in zip(parts, (ours, theirs), strict=True))
    half = float(t.ppf(0.975, freedom) * np.sqrt(spread))
    return mid - half, mid, mid + half


def findings(found: pa.Table, currency: str, day: int, seen: int, days: int) -> tuple[Finding, ...]:
    """What contacting added in all, how far that may be chance, and which action's effect is now measured."""
    rows = found.to_pylist()
    whole, since = rows[0], np.datetime64(day, "D")
    if min(whole["contacted"], whole["held_out"]) < ENOUGH:
        said = f"{counted(whole['contacted'], 'customer')} to contact and {whole['held_out']:,} held out"
        return (Finding(f"Too few to say what contacting added: the list of {since} has {said}."),)
    shares = f"{whole['ordered']:.1%} of {whole['contacted']:,} contacted ordered, {whole['ordered_held_out']:.1%} of {whole['held_out']:,} held out"
    more = "" if seen >= days else f" So far {seen:,} of {days:,} days are over."
    told = [_whole(whole, currency, f"In the {seen:,} days from {since} on {shares}", more)]
    known = [row for row in rows[1:] if row["measured"]]
    if known:
        texts = ", ".join(f'"{row["measured"]}"' for row in known)
        told.append(
            Finding(f"Hand this to opportunities as `measured`, where the list was acted on: {texts}.")
        )
    return tuple(told)


def _whole(row: dict[str, Any], currency: str, said: str, more: str) -> Finding:
    if row["added"] is None:
        return Finding(f"{said}.{more}", customers=row["contacted"])
    low, mid, high = (row[name] for name in ("added_low", "added", "added_high"))
    verdict = "" if low > 0 or high < 0 else ", which may be chance"
    text = f"{said}: {currency} {_signed(mid)} a customer contacted (95% interval {_signed(low)} to {_signed(high)}){verdict}.{more}"
    return Finding(text, money=mid * row["contacted"] if low > 0 else None, customers=row["contacted"])


def _signed(money: float) -> str:
    return f"{money:+,.2f}".replace("-", "−")


def shares(rows: list[dict[str, Any]], title: str) -> Picture | None:
    """The rise of the share that ordered, by action, with its interval."""
    from wayfare.charts.plots import bars

    known = [row for row in rows if row["rise"] is not None]
    if not known:
        return None
    data = pa.table({
        "name": [f"{row['action']} ({row['contacted']:,} / {row['held_out']:,})" for row in known],
        **{name: [row[name] for row in known] for name in ("rise", "rise_low", "rise_high")},
    })  # fmt: skip
    return bars(
        data, "rise", "name", low="rise_low", high="rise_high", percent=True, sort=False, title=title,
        subtitle="How much larger the share that ordered is among those contacted than among those held out, with 95% intervals.",
        note="In brackets: customers contacted / held out.",
    )  # fmt: skip


__all__ = ["ALL", "LEAVE", "Groups", "effects", "findings", "shares"]
