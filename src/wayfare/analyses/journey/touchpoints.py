"""Touchpoints: how far each reaches, what customers do after it, how satisfied they are; moments of truth and pain points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.journey._touchpoint_sums import Compared, Comparisons, Points, Reach
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import in_words
from wayfare.domain.journey import Stage
from wayfare.domain.parameters import Duration, Events, Property
from wayfare.domain.words import counted
from wayfare.histories.answers import satisfaction_kind
from wayfare.result import Columns, Finding, Result
from wayfare.stats.intervals import t_of
from wayfare.stats.matching import MatchedEffect, stratified_effect_from_sums
from wayfare.stats.multiplicity import holm
from wayfare.stats.proportions import ratio_interval
from wayfare.study import Study

TOO_FEW = 30
MOST = 60
LEVEL = 0.05

NAN = float("nan")
NOTHING = MatchedEffect(NAN, NAN, NAN, 0.0, 0.0, 0.0, NAN, NAN, NAN, NAN)

MOMENT, PAIN, NEUTRAL, FEW = "moment of truth", "pain point", "neutral", "too few to say"


@dataclass(frozen=True, kw_only=True)
class TouchpointsResult(Result):
    """What each touchpoint goes along with."""

    observational = (
        "customers chose what they met. Those compared are alike in first channel, month, order value and activity, "
        "and may differ in what the log doesn't hold."
    )

    touchpoints: Annotated[
        pa.Table,
        Columns(
            touchpoint="the event (with the value of the property where the parameter `by` is given)",
            stage="the stage it stands for before the first order",
            channel="its channel in the journey map",
            customers="customers who ever met it",
            reach="their share of all customers",
            per_customer="how often those met it",
            conversion_touched="share of matched customers who met it in the window after arriving that ordered within the horizon after it",
            conversion_others="the same share of like customers who did not meet it",
            lift="the difference of the two",
            lift_low="lower bound of the lift (95%)",
            lift_high="upper bound of the lift (95%)",
            matched="customers who met it and have like ones to compare with",
            repurchase_touched="share of matched customers who met it in the window after their first order that ordered again",
            repurchase_others="the same share of like customers who did not meet it",
            repurchase_lift="the difference of the two",
            repurchase_low="lower bound of that lift (95%)",
            repurchase_high="upper bound of that lift (95%)",
            repurchase_matched="customers who met it and have like ones to compare with",
            mean_score="mean score of the answers that followed it",
            score_low="lower bound of the mean score (95%)",
            score_high="upper bound of the mean score (95%)",
            scores="how many answers followed it",
            kind=f"{MOMENT}, {PAIN}, {NEUTRAL} or {FEW}",
            p_lift="p value of the lift, by Holm over all comparisons of all touchpoints",
            p_repurchase="p value of the re-purchase lift, likewise",
            p_score="p value of the mean score against that of other answers, likewise",
            gained="matched customers times their lifts: orders more (or fewer) than those of like customers",
            money="what those orders are worth at the mean value of the orders that came",
            later_stage="the stage it stands for after the first order",
        ),
    ]

    def draw(self) -> Picture | None:
        """The lifts with their intervals, the largest effects first; pain points in orange."""
        from wayfare.charts.ranges import lift_ranges

        drawn = _drawn(self.touchpoints.to_pylist())
        if not drawn:
            return None
        subtitle = "Percentage points by which customers who met the touchpoint order more (or less) than like customers; 95% intervals"
        return lift_ranges(drawn, title=self.findings[0].text, subtitle=subtitle,
                           note="Observational. Blue: more, orange: less, beyond chance (Holm); n: matched customers")  # fmt: skip


@analysis
def touchpoints(
    study: Study,
    *,
    window: Duration = Duration.parse("14d"),
    horizon: Duration = Duration.parse("90d"),
    answered: Duration = Duration.parse("14d"),
    events: Events | None = None,
    by: Property | None = None,
) -> TouchpointsResult:
    """Which touchpoints are moments of truth, which are pain points, and how many customers does each win or lose?

    For each touchpoint, customers who met it within `window` of their arrival and had not ordered by the window's end
    are compared with those who had not met it and had not ordered by then either: how many order within `horizon`
    after it? Likewise after the first order, for the second. Starting the clock for both at the window's end (the
    landmark) keeps a touchpoint from looking good because those who left early had no time to meet it. Customers
    whose horizon is not over at the log's end are left out. Only the first order of each customer opens a comparison:
    all orders would count faithful customers often, and picking one later would pick by what came after it. Steps of
    ordering itself (stage *purchase*) are not compared: who met them and has no order broke off, which `funnel` shows.

    Customers are compared only within strata of equal background (coarsened exact matching, Iacus, King & Porro
    2012): first channel and calendar month; before the first order how many other events the window holds, after it
    the order's value and how many events came before it, all in doublings. An answer's score counts for every
    touchpoint at most `answered` before it; its interval treats a customer's answers as one cluster.

    A *moment of truth* or *pain point* differs beyond chance (5%, Holm over all comparisons of all touchpoints; a
    lower score than other answers is a pain). Under 30 matched customers or answers it is *too few to say*.
    Touchpoints come by kind and then by orders won or lost. Over 60 touchpoints, those that reach most are shown.

    Args:
        window: How long after the arrival, or the first order, a touchpoint counts.
        horizon: How long after the window the next order is waited for.
        answered: How long before an answer a touchpoint may be for the score to count for it.
        events: The touchpoints looked at; all events but orders unless given.
        by: A property by whose values touchpoints are told apart, such as the carrier of a delivery.
    """
    everything, labels = _points(study, events, by)
    reached, sums, shown = _folded(study, everything, labels, window, horizon, answered)
    effects = {
        name: [_effect(sums[name], number, len(shown)) for number in range(len(shown))]
        for name in ("first", "again")
    }
    for number, code in enumerate(shown):
        if _is_ordering(study, labels[code][0]):
            effects["first"][number] = effects["again"][number] = NOTHING
    scores = [_score(*sums["scores"][number]) for number in range(len(shown))]
    adjusted = holm(
        np.array([[e.p for e in effects["first"]], [e.p for e in effects["again"]], [s["p"] for s in scores]])
    )
    worth = {name: _mean_later(study, sums[name]) for name in effects}
    rows = []
    for number, code in enumerate(shown):
        if not reached["customers"][code]:
            continue
        row = _place(study, *labels[code]) | _reach(reached, code)
        row |= _lift_columns(effects["first"][number], effects["again"][number]) | scores[number]
        rows.append(_judged(row, adjusted[:, number] if adjusted.size else np.full(3, np.nan), worth))
    rows.sort(
        key=lambda row: (
            (MOMENT, PAIN, NEUTRAL, FEW).index(row["kind"]),
            -abs(_known(row["gained"])),
            row["touchpoint"],
        )
    )
    findings = _findings(study, rows, window, horizon, int(reached["all"][0]))
    return TouchpointsResult(touchpoints=_typed(rows), findings=tuple(findings))


def _points(
    study: Study, events: tuple[str, ...] | None, by: str | None
) -> tuple[Points, list[tuple[str, str]]]:
    """Every touchpoint there could be, and its (event, value of the property)."""
    values = study.log.names(by).to_list() if by else []
    width = len(values) + 1 if by else 1
    place: list[int] = []
    labels: list[tuple[str, str]] = []
    for event in study.log.names("event").to_list():
        wanted = event not in study.journey.orders and (events is None or event in events)
        for value in ("", *values)[:width]:
            place.append(len(labels) if wanted else -1)
            labels += [(event, value)] if wanted else []
    return Points(by or "", width, tuple(place), len(labels)), labels


def _folded(
    study: Study,
    points: Points,
    labels: list[tuple[str, str]],
    window: Duration,
    horizon: Duration,
    answered: Duration,
) -> tuple[dict[str, NDArray], dict[str, Any], list[int]]:
    """What the folds give and the touchpoints compared, from one pass where there are few touchpoints, else from two."""

    kind = satisfaction_kind(study.log.source)

    def compare(chosen: Points) -> Comparisons:
        spans = (window.microseconds, horizon.microseconds, answered.microseconds)
        return Comparisons(study.stages, chosen, *spans, study.log.ends, study.zone, kind)

    if points.count <= MOST:
        reached, sums = study.fold_all([Reach(points), compare(points)])
        return reached, sums, list(range(points.count))
    reached = study.fold(Reach(points))
    shown = sorted(range(points.count), key=lambda code: (-reached["customers"][code], labels[code]))[:MOST]
    number = {code: n for n, code in enumerate(shown)}
    place = tuple(number.get(code, -1) for code in points.place)
    return reached, study.fold(compare(Points(points.by, points.width, place, len(shown)))), shown


def _effect(compared: Compared, number: int, points: int) -> MatchedEffect:
    """The effect of one touchpoint; nan where fewer than `TOO_FEW` of a kind could be matched."""
    rest, met = np.divmod(compared.keys, 2)
    stratum, point = np.divmod(rest, max(points, 1))
    mine = point == number
    distinct, place = np.unique(stratum[mine], return_inverse=True)
    tallies = np.zeros((2, 2, distinct.size))
    tallies[met[mine], :, place] = compared.sums[mine]
    (others, came_others), (touched, came_touched) = tallies
    both = (touched > 0) & (others > 0)
    effect = stratified_effect_from_sums(
        touched, came_touched, came_touched, others, came_others, came_others
    )
    if min(touched[both].sum(), others[both].sum()) >= TOO_FEW:
        return effect
    return replace(
        NOTHING, n_treated=effect.n_treated, n_control=effect.n_control, n_matched=effect.n_matched
    )


def _is_ordering(study: Study, event: str) -> bool:
    """Whether the event is a step of ordering itself: who met it and has no order is one who broke off."""
    known = study.journey.touchpoint(event)
    return known is not None and known.stage == Stage.PURCHASE


def _score(touched: NDArray, others: NDArray) -> dict[str, Any]:
    """The mean score after a touchpoint, and how it differs from other answers."""
    from scipy.special import ndtr

    (mean, low, high, error), (elsewhere, _, _, spread) = _mean(touched), _mean(others)
    known = touched[5] >= TOO_FEW and others[5] >= TOO_FEW and np.hypot(error, spread) > 0
    below = (mean - elsewhere) / np.hypot(error, spread) if known else NAN
    return {
        "mean_score": mean, "score_low": low, "score_high": high, "scores": int(touched[1]),
        "elsewhere": elsewhere, "p": float(2 * ndtr(-abs(below))) if known else NAN, "below": bool(known and below < 0),
    }  # fmt: skip


def _mean(sums: NDArray) -> tuple[float, float, float, float]:
    x, y, xx, xy, yy, n = (float(part) for part in sums)
    if y == 0:
        return (NAN,) * 4
    interval = ratio_interval(x, y, xx, xy, yy, n)
    error = (interval.high - interval.low) / 2 / float(t_of(0.95, n - 1))
    return x / y, float(interval.low), float(interval.high), error


def _mean_later(study: Study, compared: Compared) -> float:
    orders, value = compared.later
    return float(value / orders) if orders and "value" in study.log.schema else NAN


def _place(study: Study, event: str, value: str) -> dict[str, Any]:
    known = study.journey.touchpoint(event)
    stage = str(known.stage) if known else "none"
    later = known.after_purchase if known and known.after_purchase is not None else stage
    label = f"{event} · {value}" if value else event
    return {
        "touchpoint": label,
        "stage": stage,
        "channel": known.channel if known else None,
        "later_stage": str(later),
    }


def _reach(reached: dict[str, NDArray], code: int) -> dict[str, Any]:
    customers, events = int(reached["customers"][code]), int(reached["events"][code])
    return {
        "customers": customers,
        "reach": customers / max(int(reached["all"][0]), 1),
        "per_customer": events / customers if customers else NAN,
    }


def _lift_columns(first: MatchedEffect, again: MatchedEffect) -> dict[str, Any]:
    return {
        "conversion_touched": first.treated_mean, "conversion_others": first.control_mean,
        "lift": first.estimate, "lift_low": first.low, "lift_high": first.high, "matched": int(first.n_matched),
        "repurchase_touched": again.treated_mean, "repurchase_others": again.control_mean,
        "repurchase_lift": again.estimate, "repurchase_low": again.low, "repurchase_high": again.high,
        "repurchase_matched": int(again.n_matched),
    }  # fmt: skip


def _judged(row: dict[str, Any], p: NDArray, worth: dict[str, float]) -> dict[str, Any]:
    """The row with its kind, what it gains, and which of its comparisons are beyond chance (`sure`)."""
    gains = (row["lift"] * row["matched"], row["repurchase_lift"] * row["repurchase_matched"])
    sure = [bool(p[i] < LEVEL) for i in range(3)]
    sign = sum(gain for gain, is_sure in zip(gains, sure, strict=False) if is_sure)
    money = tuple(gain * worth[name] for gain, name in zip(gains, ("first", "again"), strict=True))
    known = [not np.isnan(gain) for gain in gains]
    if sign > 0:
        kind = MOMENT
    elif sign < 0 or (sure[2] and row["below"]):
        kind = PAIN
    else:
        kind = NEUTRAL if any(known) or not np.isnan(p[2]) else FEW
    return row | {
        "kind": kind, "gains": gains, "moneys": money, "sure": sure,
        "p_lift": float(p[0]), "p_repurchase": float(p[1]), "p_score": float(p[2]),
        "gained": float(np.nansum(gains)) if any(known) else NAN,
        "money": float(np.nansum(money)) if not np.isnan(money).all() else NAN,
    }  # fmt: skip


def _known(value: float) -> float:
    return 0.0 if np.isnan(value) else float(value)


def _findings(
    study: Study, rows: list[dict[str, Any]], window: Duration, horizon: Duration, customers: int
) -> list[Finding]:
    said = [row for row in rows if row["kind"] != FEW]
    if not said:
        watched = in_words(window.seconds + horizon.seconds)
        return [
            Finding(
                f"The comparisons are too few to say what any touchpoint goes along with: each takes {TOO_FEW} customers who met it, "
                f"{TOO_FEW} like them who did not, and {watched} of history after their arrival or first order (the log has "
                f"{counted(customers, 'customer')})."
            )
        ]
    findings = [
        _lift_finding(study, row, window, horizon)
        for kind in (MOMENT, PAIN)
        for row in [
            next((row for row in rows if row["kind"] == kind and (row["sure"][0] or row["sure"][1])), None)
        ]
        if row is not None
    ]
    low = [row for row in rows if row["sure"][2] and row["below"]]
    if low:
        findings.append(_score_finding(min(low, key=lambda row: (row["mean_score"], row["touchpoint"]))))
    return [*findings, *_without_difference(rows)]


def _without_difference(rows: list[dict[str, Any]]) -> list[Finding]:
    """How many touchpoints show nothing, and how many can't be judged."""
    kinds = [row["kind"] for row in rows]
    neutral, few = kinds.count(NEUTRAL), kinds.count(FEW)
    if neutral and len(rows) == 1:
        return [Finding(f"{rows[0]['touchpoint']} goes along with no difference beyond chance.")]
    of, parts = f" of {len(rows)} touchpoints", []
    if neutral:
        parts.append(
            f"{neutral}{of} {'goes' if neutral == 1 else 'go'} along with no difference beyond chance"
        )
    if few:
        parts.append(f"{few}{'' if neutral else of} {'was' if few == 1 else 'were'} met too seldom to say")
    return [Finding(f"{', and '.join(parts)}.")] if parts else []


def _lift_finding(study: Study, row: dict[str, Any], window: Duration, horizon: Duration) -> Finding:
    """The larger of the row's sure lifts as a sentence."""
    which = max((i for i in (0, 1) if row["sure"][i]), key=lambda i: abs(row["gains"][i]))
    start, verb = ("arriving", "ordered") if which == 0 else ("their first order", "ordered again")
    prefix = ("conversion", "repurchase")[which]
    lift, low, high = ((row["lift"], row["lift_low"], row["lift_high"]),
                       (row["repurchase_lift"], row["repurchase_low"], row["repurchase_high"]))[which]  # fmt: skip
    gain, money = row["gains"][which], row["moneys"][which]
    worth = "" if np.isnan(money) else f", {study.currency} {abs(money):,.0f}"
    return Finding(
        f"Of customers who met {row['touchpoint']} within {in_words(window.seconds)} of {start}, {row[prefix + '_touched']:.0%} {verb} "
        f"in the {in_words(horizon.seconds)} after that, of like customers {row[prefix + '_others']:.0%} ({_points_of(lift)} points, "
        f"95% interval {_points_of(low)} to {_points_of(high)}): {abs(gain):,.0f} orders {'more' if gain > 0 else 'fewer'}{worth}.",
        money=None if np.isnan(money) else abs(money),
        customers=abs(gain),
    )


def _points_of(share: float) -> str:
    return f"{share * 100:+.1f}".replace("-", "−")


def _score_finding(row: dict[str, Any]) -> Finding:
    return Finding(
        f"Answers after {row['touchpoint']} give {row['mean_score']:.1f} on average (95% interval {row['score_low']:.1f}–"
        f"{row['score_high']:.1f}), other answers {row['elsewhere']:.1f}, over {row['scores']:,} answers.",
        customers=row["scores"],
    )


def _drawn(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lifts of the table as rows of the picture."""
    drawn = []
    for row in rows:
        for verb, value, low, high, n, p in (
            ("first order", "lift", "lift_low", "lift_high", "matched", "p_lift"),
            (
                "next order",
                "repurchase_lift",
                "repurchase_low",
                "repurchase_high",
                "repurchase_matched",
                "p_repurchase",
            ),
        ):
            if row[value] is not None and not np.isnan(row[value]):
                sign = (1 if row[value] > 0 else -1) if row[p] is not None and row[p] < LEVEL else 0
                drawn.append({"name": f"{row['touchpoint']} → {verb}", "value": row[value], "low": row[low],
                              "high": row[high], "n": row[n], "sign": sign})  # fmt: skip
    return drawn


def _typed(rows: list[dict[str, Any]]) -> pa.Table:
    text = ("touchpoint", "stage", "channel", "kind", "later_stage")
    whole = ("customers", "matched", "repurchase_matched", "scores")
    return pa.table(
        {
            name: pa.array(
                [row[name] for row in rows],
                pa.string() if name in text else pa.int64() if name in whole else pa.float64(),
            )
            for name in TouchpointsResult.columns()["touchpoints"]
        }
    )
