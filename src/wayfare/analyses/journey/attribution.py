"""Attribution: conversions shared among the channels that led to them, by seven models side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses.journey._conversion_paths import (
    CONVERSIONS,
    NULLS,
    OPEN,
    UNTOUCHED,
    ConversionPaths,
    TouchCounts,
    Touches,
)
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.journey import Stage
from wayfare.domain.parameters import Duration, Event, Events, Property
from wayfare.domain.words import counted
from wayfare.errors import InvalidParameter, UnknownName
from wayfare.histories.stages import StageMap
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.attribution import RULES
from wayfare.stats.intervals import z_of
from wayfare.stats.markov import ORDERS
from wayfare.stats.markov_counts import (
    LastAgainstMarkov,
    last_against_markov,
    removal_effects_from_counts,
    shapley_from_counts,
)
from wayfare.stats.multiplicity import holm
from wayfare.study import Study

MODELS = ("first", "last", "linear", "u_shaped", "time_decay", "markov", "shapley")
NO_TOUCH = "(none)"
OTHERS = "(other)"
MANY = 40
TOO_FEW = 30
LEVEL = 0.05


@dataclass(frozen=True, kw_only=True)
class AttributionResult(Result):
    """Who earned the conversions, by each model."""

    observational = "customers were not assigned to channels: one that reaches people who would have bought anyway gets credit for them."

    credit: Annotated[
        pa.Table,
        Columns(
            model="first, last, linear, u_shaped, time_decay, markov or shapley",
            channel=f"the channel; {NO_TOUCH} for conversions without a touch, {OTHERS} for the rare ones where there are over {MANY}",
            conversions="conversions credited; those of one model add up to all conversions",
            value="their value, shared by the same model",
            removal_effect="markov: the share of touched conversions that would be lost without the channel",
            standard_error="shapley: of the conversions, from sampling orders of channels; 0 where solved exactly",
            touches="touches of the channel on these paths",
            cost="what its touches cost",
            cost_per_conversion="cost / conversions",
            **{"return": "value / cost"},
        ),
    ]
    gaps: Annotated[
        pa.Table,
        Columns(
            channel="the channel",
            last="conversions by last touch",
            markov="conversions by removal effects (Markov chain of order 1)",
            difference="last - markov: above 0, last touch overvalues the channel",
            low="lower bound of the difference (95%)",
            high="upper bound of the difference (95%)",
            money="the difference times the mean value of a touched conversion",
        ),
    ]
    paths: Annotated[
        pa.Table,
        Columns(
            kind="converted; of them untouched; not converted; of them open (a touch within the lookback of the log's end)",
            paths="how many paths",
            value="what the conversions were worth",
        ),
    ]

    def draw(self) -> Picture | None:
        """Each channel's conversions: a dot for each model, last touch and Markov in colour."""
        from wayfare.charts.ranges import model_ranges

        if self.credit.num_rows == 0:
            return None
        n = self.paths["paths"][0].as_py()
        return model_ranges(self.credit, title=self.findings[0].text, note=f"n = {n:,} conversions")


@analysis
def attribution(
    study: Study,
    *,
    conversion: Event | None = None,
    channel: Property = "channel",
    events: Events | None = None,
    scope: Literal["every", "first"] = "every",
    models: tuple[str, ...] = MODELS,
    lookback: Duration = Duration.parse("90d"),
    collapse: Duration | None = None,
    half_life: Duration = Duration.parse("7d"),
    order: int = 1,
) -> AttributionResult:
    """Which channels earn the conversions, and which does last touch over- or undervalue?

    Each conversion ends a path of touches; the next path begins after it. Touches after the last conversion are a
    path without one (a *null*), also where the customer may still convert: `paths` tells how many are open so.
    Touches older than `lookback` before their path's end (for a null, before its last touch) don't count. The
    fixed rules are those of position; `markov` shares conversions in proportion to removal effects (Anderl et al.
    2016), `shapley` over all orders of switching channels on, exactly up to 15 channels and sampled beyond. The
    difference between last touch and Markov carries a bootstrap interval; a finding names a channel only where it is
    beyond chance by Holm's correction over all channels. Under 30 touched conversions it is too few to say.

    Args:
        conversion: The event that converts; the journey's orders unless given.
        channel: The property that names the channel of a touch.
        events: The events that are touches; unless given, all that have a channel but orders, conversions and what
            comes after a purchase by its nature (deliveries, refunds, surveys).
        scope: Whether every conversion counts or only each customer's first, with the touches before it.
        models: Which models are computed, all seven unless given.
        lookback: How long before a conversion a touch may be.
        collapse: Touches of one channel with shorter pauses than this count as one (30m makes them visits).
        half_life: For time decay: after how long a touch counts half.
        order: For Markov: 1, 2 or 3, how many of the last channels make a state.
    """
    wanted = _checked(models, order)
    conversions = _conversion_map(study, conversion)
    touches, names = _touches(study, channel, events, conversions)
    rules = tuple(rule for rule in wanted if rule in RULES)
    sums = study.fold(
        ConversionPaths(
            conversions, touches, scope == "every", lookback.microseconds, collapse.microseconds if collapse else 0,
            half_life.microseconds, order, rules, study.log.ends,
        )
    )  # fmt: skip
    if "value" not in study.log.schema:
        sums["worth"], sums["credit"][:, 1] = sums["worth"] * np.nan, np.nan
    return _result(study, sums, names, rules, wanted, channel, lookback)


def _checked(models: tuple[str, ...], order: int) -> tuple[str, ...]:
    for model in models:
        if model not in MODELS:
            raise UnknownName.among("attribution model", model, MODELS, where="models")
    if order not in ORDERS:
        raise InvalidParameter(f"An order of {order} can't be used.", where="order", allowed=ORDERS)
    return tuple(dict.fromkeys(models)) or MODELS


def _conversion_map(study: Study, conversion: str | None) -> StageMap:
    if conversion is None:
        return study.stages
    names = study.log.names("event").to_list()
    return StageMap((), (), tuple(name == conversion for name in names))


def _touches(
    study: Study, channel: str, events: tuple[str, ...] | None, conversions: StageMap
) -> tuple[Touches, list[str]]:
    """Which rows are touches, and the names of the channels; rare channels are one where there are too many."""
    after = {t.event for t in study.journey.touchpoints if t.stage == Stage.POST_PURCHASE}
    chosen = tuple(
        not converts and (name in events if events else not is_order and name not in after)
        for name, converts, is_order in zip(
            study.log.names("event").to_list(), conversions.orders, study.stages.orders, strict=True
        )
    )
    if channel not in study.log.schema:
        return Touches(channel, (), 0, chosen), []
    known = study.log.names(channel).to_list()
    kept = sorted(known)
    if len(known) > MANY:
        counts = study.fold(TouchCounts(Touches(channel, tuple(range(len(known))), len(known), chosen)))
        often = sorted(range(len(known)), key=lambda code: (-counts[code], known[code]))[:MANY]
        kept = [*sorted(known[code] for code in often if counts[code]), OTHERS]
    number = {name: place for place, name in enumerate(kept)}
    place = tuple(number.get(name, len(kept) - 1) for name in known)
    return Touches(channel, place, len(kept), chosen), kept


def _result(
    study: Study, sums: dict[str, Any], names: list[str], rules: tuple[str, ...], wanted: tuple[str, ...],
    channel: str, lookback: Duration,
) -> AttributionResult:  # fmt: skip
    touched_worth = float(sums["worth"][0] - sums["worth"][1])
    markov = removal_effects_from_counts(sums["steps"], 0.0 if np.isnan(touched_worth) else touched_worth)
    rows: list[dict[str, Any]] = []
    for model in wanted:
        rows += _model_rows(model, sums, names, rules, markov, touched_worth)
    gap = last_against_markov(sums["steps"])
    gaps = _gaps(gap, touched_worth, names)
    columns = AttributionResult.columns()["credit"]
    counts = sums["paths"]
    findings = _findings(study, sums, gaps, rows, channel, lookback)
    return AttributionResult(
        credit=_typed(columns, rows, text=("model", "channel")),
        gaps=gaps,
        paths=table(
            kind=["converted", "untouched", "not converted", "open"],
            paths=[int(counts[i]) for i in (CONVERSIONS, UNTOUCHED, NULLS, OPEN)],
            value=[float(sums["worth"][0]), float(sums["worth"][1]), None, None],
        ),
        findings=tuple(findings),
    )


def _model_rows(
    model: str, sums: dict[str, Any], names: list[str], rules: tuple[str, ...], markov: Any, worth: float
) -> list[dict[str, Any]]:
    """The rows of one model: its channels by conversions, then the conversions without a touch."""
    blank = np.full(len(names), np.nan)
    effects, errors = blank, blank
    if model in rules:
        credit, value = sums["credit"][rules.index(model)]
    elif model == "markov":
        credit, effects = markov.credit, markov.effects
        value = worth * _share(credit)
    else:
        found = shapley_from_counts(sums["steps"])
        credit, errors = found.credit, found.standard_error
        value = worth * _share(credit)
    cost = np.where(sums["costed"] > 0, sums["cost"], np.nan)
    # Money spent on touches that came too early is spent: the channel stays, without a conversion.
    used = sorted(
        np.flatnonzero((sums["touches"] > 0) | (sums["costed"] > 0)),
        key=lambda c: (-round(credit[c], 9), names[c]),
    )
    rows = [
        _row(model, names[c], credit[c], value[c], effects[c], errors[c], int(sums["touches"][c]), cost[c])
        for c in used
    ]
    untouched = sums["paths"][UNTOUCHED]
    if untouched:
        rows.append(_row(model, NO_TOUCH, float(untouched), sums["worth"][1], np.nan, np.nan, 0, np.nan))
    return rows


def _row(
    model: str,
    channel: str,
    conversions: float,
    value: float,
    effect: float,
    error: float,
    touches: int,
    cost: float,
) -> dict[str, Any]:
    return {
        "model": model, "channel": channel, "conversions": float(conversions), "value": float(value),
        "removal_effect": float(effect), "standard_error": float(error), "touches": touches, "cost": float(cost),
        "cost_per_conversion": float(cost / conversions) if conversions > 0 else float("nan"),
        "return": float(value / cost) if cost > 0 else float("nan"),
    }  # fmt: skip


def _share(credit: NDArray) -> NDArray:
    total = credit.sum()
    return credit / total if total > 0 else np.zeros(credit.size)


def _gaps(gap: LastAgainstMarkov, worth: float, names: list[str]) -> pa.Table:
    difference = gap.last - gap.markov
    money = difference * (worth / max(gap.last.sum(), 1.0))
    order = sorted(range(len(names)), key=lambda c: (difference[c], names[c]))
    order = [c for c in order if gap.last[c] > 0 or gap.markov[c] > 0]
    return table(
        channel=pa.array([names[c] for c in order], pa.string()),
        **{name: values[order].astype(float) for name, values in (
            ("last", gap.last), ("markov", gap.markov), ("difference", difference), ("low", gap.low), ("high", gap.high), ("money", money)
        )},
    )  # fmt: skip


def _findings(
    study: Study,
    sums: dict[str, Any],
    gaps: pa.Table,
    rows: list[dict[str, Any]],
    channel: str,
    lookback: Duration,
) -> list[Finding]:
    total, untouched = int(sums["paths"][CONVERSIONS]), int(sums["paths"][UNTOUCHED])
    if channel not in study.log.schema:
        return [
            Finding(
                f"The log has no column {channel!r}: no touch is known for any of {counted(total, 'conversion')}."
            )
        ]
    findings = _gap_findings(study, gaps.to_pylist(), total - untouched)
    spent = [
        row for row in rows if row["model"] == "markov" and row["cost"] > 0 and not np.isnan(row["value"])
    ]
    if spent and total - untouched >= TOO_FEW:
        findings.append(_cost_finding(study, max(spent, key=_loss)))
    if untouched:
        findings.append(
            Finding(
                f"{untouched:,} of {total:,} conversions had no touch in the {_days(lookback)} before them.",
                customers=untouched,
            )
        )
    return findings


def _days(lookback: Duration) -> str:
    from wayfare.domain.duration import in_words

    return in_words(lookback.seconds)


def _gap_findings(study: Study, gaps: list[dict[str, Any]], touched: int) -> list[Finding]:
    if touched < TOO_FEW:
        return [
            Finding(
                f"{counted(touched, 'conversion')} with a touch before {'it is' if touched == 1 else 'them are'} "
                "too few to say which channels earn them."
            )
        ]
    named = [g for g, p in zip(gaps, _adjusted(gaps), strict=True) if p < LEVEL]
    sure = {1: [g for g in named if g["low"] > 0], -1: [g for g in named if g["high"] < 0]}
    largest = [
        (sign, max(found, key=lambda g: (*_size(g), g["channel"]))) for sign, found in sure.items() if found
    ]
    largest.sort(key=lambda found: _size(found[1]), reverse=True)
    return [_gap_finding(study, gap, sign) for sign, gap in largest] or [
        Finding(
            f"Last touch and the Markov model agree on every channel, within chance, over {touched:,} conversions."
        )
    ]


def _adjusted(gaps: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Two-sided p values of no difference, from the bootstrap's spread, by Holm over all channels."""
    from scipy.special import ndtr

    difference, low, high = (
        np.array([g[name] for g in gaps], dtype=float) for name in ("difference", "low", "high")
    )
    spread = (high - low) / (2 * z_of(1 - LEVEL))
    z = np.divide(np.abs(difference), spread, out=np.full(len(gaps), np.nan), where=spread > 0)
    return holm(2 * ndtr(-z))


def _amount(count: float) -> str:
    """An estimated count; below 10 with a decimal, so that a part of one is not none."""
    return f"{count:,.1f}".removesuffix(".0") if abs(count) < 9.95 else f"{count:,.0f}"


def _size(gap: dict[str, Any]) -> tuple[float, float]:
    return abs(_nan_to(gap["money"], 0)), abs(gap["difference"])


def _gap_finding(study: Study, gap: dict[str, Any], sign: int) -> Finding:
    too = "many" if sign > 0 else "few"
    low, high = sorted((abs(gap["low"]), abs(gap["high"])))
    money = _nan_to(gap["money"], None)
    worth = "" if money is None else f" ({study.currency} {abs(money):,.0f})"
    return Finding(
        f"Last touch gives {gap['channel']} {_amount(abs(gap['difference']))} conversions{worth} too {too}: {_amount(gap['last'])} against "
        f"{_amount(gap['markov'])} by what would be lost without it (95% interval of the gap {_amount(low)}–{_amount(high)})."
    )


def _loss(row: dict[str, Any]) -> tuple[float, float]:
    """What a channel cost beyond what it brought; where none lost money, the one that brought back least."""
    return max(row["cost"] - row["value"], 0.0), -row["return"]


def _cost_finding(study: Study, row: dict[str, Any]) -> Finding:
    lost = row["cost"] - row["value"]
    if not row["conversions"] > 0:
        text = f"{row['channel']} cost {study.currency} {row['cost']:,.0f} and earned no conversion by the Markov model."
        return Finding(text, money=row["cost"])
    judged = "more than it brings" if lost > 0 else "less than it brings"
    return Finding(
        f"{row['channel']} cost {study.currency} {row['cost']:,.0f}, {judged}: {study.currency} {row['return']:,.2f} came back for each {study.currency} 1 spent "
        f"({study.currency} {row['cost_per_conversion']:,.2f} a conversion, by the Markov model).",
        money=max(lost, 0.0) or None,
    )


def _nan_to(value: float | None, instead: Any) -> Any:
    return instead if value is None or np.isnan(value) else value


def _typed(columns: dict[str, str], rows: list[dict[str, Any]], text: tuple[str, ...]) -> pa.Table:
    kinds = {
        name: pa.string() if name in text else pa.int64() if name == "touches" else pa.float64()
        for name in columns
    }
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in kinds.items()})
