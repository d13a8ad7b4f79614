"""From sums to figures: how well activities do, and what missing the target goes along with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.value_chain._effect_sums import BINS, OUTCOMES, SUMS, Effects, Tally, bin_of, hours_of
from wayfare.analyses.value_chain._performance import HOUR, Measure
from wayfare.domain.document import Path
from wayfare.domain.value_chain import Activity, ValueChain
from wayfare.stats.intervals import z_of
from wayfare.stats.matching import MatchedEffect, stratified_effect_from_sums
from wayfare.stats.multiplicity import holm
from wayfare.stats.proportions import ratio_interval, wilson
from wayfare.stats.quantiles import quantile_of
from wayfare.stats.trend import mann_kendall_sen

TOO_FEW = 30
"""Customers of a kind, matched; under it nothing is compared."""
ENOUGH_A_MONTH = 10
METHOD = "matched on first channel, month and orders before"
NAN = float("nan")
_SCALES = ((0.0, 1.0), (1.0, 5.0), (1.0, 7.0), (0.0, 10.0), (0.0, 100.0))
_NOTHING = MatchedEffect(NAN, NAN, NAN, 0.0, 0.0, 0.0, NAN, NAN, NAN, NAN)


@dataclass(frozen=True)
class Found:
    """What the folds gave of one study.

    Attributes:
        fold: The fold that was asked.
        sums: Its answer.
        periods: How many months are over.
        chain: The document.
        missing: Why some activities' measures can't be taken.
    """

    fold: Effects
    sums: dict[str, Any]
    over: int
    chain: ValueChain
    missing: dict[str, str]


def performance_rows(found: Found) -> list[dict[str, Any]]:
    """A row for each activity that says how well it does, in the document's order."""
    number = {measure.activity: n for n, measure in enumerate(found.fold.measures)}
    rows = []
    for path, activity in _measured(found.chain):
        here = number.get(activity.id)
        known = {} if here is None else _performance(found, here)
        rows.append(_named(path, activity) | _UNKNOWN | known | _note(found, activity, known))
    return rows


_UNKNOWN: dict[str, Any] = {
    "occurrences": 0, "median": NAN, "p90": NAN, "missed_share": NAN, "missed_share_low": NAN,
    "missed_share_high": NAN, "trend": NAN, "trend_low": NAN, "trend_high": NAN, "without_end": 0, "pending": 0,
}  # fmt: skip


def _performance(found: Found, here: int) -> dict[str, Any]:
    measure = found.fold.measures[here]
    sums = {name: values[here] for name, values in found.sums["performance"].items()}
    missed, judged = sums["clusters"][:2]
    silent, pending = (int(n) for n in sums["runs"])
    known: dict[str, Any] = {"occurrences": int(judged), "without_end": silent, "pending": pending}
    if sums["hist"].sum() and not measure.defect:
        known |= {"median": quantile_of(sums["hist"], 0.5) / 3_600, "p90": quantile_of(sums["hist"], 0.9) / 3_600}  # fmt: skip
    if judged and (measure.defect or measure.timed):
        share = missed / judged
        interval = wilson(missed, judged)
        if judged >= TOO_FEW and 0 < share < 1:
            # Runs of one customer are alike: customers are the clusters.
            interval = ratio_interval(*sums["clusters"])
        low, high = max(interval.low, 0.0), min(interval.high, 1.0)
        known |= {"missed_share": share, "missed_share_low": low, "missed_share_high": high}
    count, level = sums["monthly"][:, : found.over]
    monthly = np.full(count.size, np.nan)
    enough = count >= ENOUGH_A_MONTH
    monthly[enough] = level[enough] / count[enough]
    trend = mann_kendall_sen(monthly)
    return known | {"trend": trend.slope_per_period, "trend_low": trend.low, "trend_high": trend.high}


def _named(path: Path, activity: Activity) -> dict[str, Any]:
    said = activity.performance
    assert said is not None
    target = NAN if said.at_most is None else said.at_most
    return {"activity": activity.id, "text": activity.text, "category": str(path[1]), "measure": said.measure, "target": target}  # fmt: skip


def _note(found: Found, activity: Activity, known: dict[str, Any]) -> dict[str, Any]:
    if activity.id in found.missing:
        return {"note": found.missing[activity.id]}
    if known["occurrences"] < ENOUGH_A_MONTH:
        return {"note": f"too few to say: {known['occurrences']} runs"}
    silent = known["without_end"] and activity.performance and activity.performance.measure != "defect"
    parts = [f"{known['without_end']:,} starts without an end in time"] if silent else []
    parts += [f"{known['pending']:,} still open"] if known["pending"] else []
    return {"note": "; ".join(parts)}


def _measured(chain: ValueChain) -> list[tuple[Path, Activity]]:
    return [(path, activity) for path, activity in chain.activities() if activity.performance is not None]


def effect_rows(found: Found) -> list[dict[str, Any]]:
    """A row for each activity and outcome: what meeting the target goes along with, and what that is worth."""
    number = {measure.activity: n for n, measure in enumerate(found.fold.measures)}
    rows = []
    for path, activity in _measured(found.chain):
        here = number.get(activity.id)
        name = {key: value for key, value in _named(path, activity).items() if key in ("activity", "text", "category")}  # fmt: skip
        for place, outcome in enumerate(OUTCOMES):
            if here is None:
                known = _row(_NOTHING, NAN, NAN, found.missing[activity.id])
            elif one := _one_thing(found.fold.measures[here], outcome):
                known = _row(_NOTHING, NAN, NAN, one)
            else:
                known = _effect(found, found.fold.measures[here], here, place)
            rows.append(name | {"outcome": outcome} | known)
    p = holm(np.array([row["p"] for row in rows], dtype=float)) if rows else np.zeros(0)
    for row, adjusted in zip(rows, p, strict=True):
        row["p_adjusted"] = float(adjusted)
    return rows


def _one_thing(measure: Measure, outcome: str) -> str:
    """Why the outcome can't be compared where it is what the activity ends with."""
    if measure.ordering and measure.silent_misses:
        return "its end is a step of ordering, so that who missed it did not order"
    if measure.ordering and outcome in ("conversion", "repurchase"):
        return "its end is a step of ordering, so that it and the order are one thing"
    if measure.referring and outcome == "referral":
        return "its end brings others, so that it and the referral are one thing"
    return ""


def _effect(found: Found, measure: Measure, here: int, place: int) -> dict[str, Any]:
    stratum, bins, sums = _cells(found, here, place)
    threshold, split = _split(found, measure, here)
    missed = bins > threshold
    effect = _matched(stratum, missed, sums)
    worth, spread = _worth(sums) if OUTCOMES[place] in ("conversion", "repurchase") else (NAN, NAN)
    note = _few(effect, sums[:, 0].sum(), OUTCOMES[place]) if np.isnan(effect.estimate) else split
    ever = None
    if OUTCOMES[place] in ("conversion", "repurchase"):
        worst = found.sums["performance"]["worst"][here][int(OUTCOMES[place] == "repurchase")]
        ever = int(worst[threshold + 1 :].sum())
    return _row(effect, worth, spread, note, ever)


def _cells(found: Found, here: int, place: int) -> tuple[NDArray, NDArray, NDArray]:
    """Stratum, bin and sums of each cell of one activity and outcome, scores brought to 0..1."""
    tally: Tally = found.sums["tally"]
    rest, bins = np.divmod(tally.keys, BINS)
    which, stratum = np.divmod(rest, found.fold.strata)
    mine = which == here * len(OUTCOMES) + place
    sums = tally.sums[mine]
    if OUTCOMES[place] == "satisfaction" and mine.any():
        sums = _on_unit_scale(sums, *scale_of(found.sums["scale"]))
    return stratum[mine], bins[mine], sums


def scale_of(given: NDArray) -> tuple[float, float]:
    """The smallest usual scale that holds all scores, else from the lowest to the highest."""
    low, high = float(given[0]), float(given[1])
    return next(((a, b) for a, b in _SCALES if a <= low and high <= b), (low, max(high, low + 1)))


def _on_unit_scale(sums: NDArray, low: float, high: float) -> NDArray:
    """The same sums for scores (y − low) / (high − low)."""
    at, size, made = {name: n for n, name in enumerate(SUMS)}, high - low, sums.copy()
    for n, y, yy in (("n", "y", "yy"), ("timed", "timed_y", "timed_yy")):
        made[:, at[y]] = (sums[:, at[y]] - low * sums[:, at[n]]) / size
        made[:, at[yy]] = (sums[:, at[yy]] - 2 * low * sums[:, at[y]] + low**2 * sums[:, at[n]]) / size**2
    made[:, at["hy"]] = (sums[:, at["hy"]] - low * sums[:, at["h"]]) / size
    return made


def _split(found: Found, measure: Measure, here: int) -> tuple[int, str]:
    """The last bin that counts as good, and what was compared in words."""
    if measure.defect:
        return 0, "without against with the defect"
    if measure.timed:
        return 0, f"within {measure.target / HOUR:g} hours against over"
    hist = found.sums["performance"]["hist"][here]
    if not hist.sum():
        return 0, ""
    threshold = int(bin_of(np.array(quantile_of(hist, 0.5) / 3_600)))
    return threshold, f"no target: up to {hours_of(threshold + 1):.3g} hours (about half) against over"


def _matched(stratum: NDArray, missed: NDArray, sums: NDArray) -> MatchedEffect:
    """Those who missed against like ones who did not; NaN under `TOO_FEW` of either kind."""
    distinct, place = np.unique(stratum, return_inverse=True)
    parts = [
        np.bincount(place[side], weights=sums[side, column], minlength=distinct.size).astype(float)
        for side in (missed, ~missed)
        for column in range(3)
    ]
    n_t, y_t, yy_t, n_c, y_c, yy_c = parts
    effect = stratified_effect_from_sums(n_t, y_t, yy_t, n_c, y_c, yy_c)
    both = (n_t > 0) & (n_c > 0)
    if min(n_t[both].sum(), n_c[both].sum()) >= TOO_FEW and not np.isnan(effect.low):
        return effect
    return replace(_NOTHING, n_treated=effect.n_treated, n_control=effect.n_control, n_matched=effect.n_matched)  # fmt: skip


def _worth(sums: NDArray) -> tuple[float, float]:
    """What a customer who orders in the window orders in it, on average, and its standard error."""
    customers, value, squares = (float(sums[:, SUMS.index(name)].sum()) for name in ("y", "value", "value_squares"))  # fmt: skip
    if customers < 1 or value <= 0:
        return NAN, NAN
    mean = value / customers
    return mean, float(np.sqrt(max(squares / customers - mean**2, 0.0) / customers))


def _row(
    effect: MatchedEffect, worth: float, spread: float, note: str, ever: int | None = None
) -> dict[str, Any]:
    """The row's figures, turned round: what meeting the target adds; money for all whom it ever missed."""
    gained = -effect.estimate
    error = (effect.high - effect.low) / 2 / z_of(0.95)
    # The product of two independent estimates: first-order variance.
    half = z_of(0.95) * float(np.hypot(worth * error, gained * spread))
    ends = np.array([gained * worth, gained * worth - half, gained * worth + half]) * (ever or 0)
    compared = int(effect.n_treated + effect.n_control)
    return {
        "effect": _zero(gained), "low": _zero(-effect.high), "high": _zero(-effect.low), "customers": compared,
        "method": METHOD, "note": note, "money": _zero(ends[0]), "money_low": _zero(ends[1]),
        "money_high": _zero(ends[2]), "missed": int(effect.n_treated), "matched": int(effect.n_matched),
        "outcome_met": effect.control_mean, "outcome_missed": effect.treated_mean, "worth": worth, "p": effect.p,
        "ever_missed": ever,
    }  # fmt: skip


def _zero(value: float) -> float:
    """Without the sign of nothing."""
    return float(value) + 0.0


def _few(effect: MatchedEffect, customers: float, outcome: str) -> str:
    if not customers and outcome == "conversion":
        return "nobody met it before a first order with time enough since"
    if not customers and outcome == "satisfaction":
        return "no scores after it"
    missed, matched = int(effect.n_treated), int(effect.n_matched)
    return f"too few to say: of {int(customers):,} customers {missed:,} missed it, {matched:,} of them with like ones"


def dose_rows(found: Found) -> list[dict[str, Any]]:
    """A row for each timed activity and outcome: how the outcome changes with each hour."""
    rows = []
    for here, measure in enumerate(found.fold.measures):
        for place, outcome in enumerate(OUTCOMES):
            if measure.defect or _one_thing(measure, outcome):
                continue
            stratum, _, sums = _cells(found, here, place)
            rows.append({"activity": measure.activity, "outcome": outcome} | _dose(stratum, sums))
    return rows


def _dose(stratum: NDArray, sums: NDArray) -> dict[str, Any]:
    """The slope within strata (analysis of covariance): Σ within-stratum covariance over Σ within-stratum variance."""
    distinct, place = np.unique(stratum, return_inverse=True)
    names = ("timed", "timed_y", "timed_yy", "h", "hh", "hy")
    n, y, yy, h, hh, hy = (
        np.bincount(place, weights=sums[:, SUMS.index(name)], minlength=distinct.size) for name in names
    )
    customers, used = int(n.sum()), n > 1
    n, y, yy, h, hh, hy = (part[used] for part in (n, y, yy, h, hh, hy))
    varies, moves, together = (yy - y**2 / n).sum(), (hh - h**2 / n).sum(), (hy - h * y / n).sum()
    freedom = n.sum() - used.sum() - 1
    if n.sum() < 2 * TOO_FEW or freedom < 1 or moves <= 1e-9 * max(hh.sum(), 1.0) or varies <= 1e-9:
        return {"per_hour": NAN, "low": NAN, "high": NAN, "customers": customers}
    slope = together / moves
    half = z_of(0.95) * np.sqrt(max(varies - slope * together, 0.0) / freedom / moves)
    return {"per_hour": slope, "low": slope - half, "high": slope + half, "customers": customers}
