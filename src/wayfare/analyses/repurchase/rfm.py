"""Recency, frequency, value: the customers in named segments, and who moved between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa

from wayfare.analyses._observed import whole_histories
from wayfare.analyses._order_days import Buyers, buyers_of, order_days, span
from wayfare.analyses.repurchase._said import warnings_of
from wayfare.analyses.repurchase._segments import NAMES, NOT_YET, Scores, rules, scores_at, segment_of
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration, in_words
from wayfare.domain.words import counted
from wayfare.result import Columns, Finding, Result, table
from wayfare.study import Study

_KEPT, _SLIPPED = (
    ("champions", "loyal"),
    ("can't lose", "at risk", "hibernating", "lost", "cooling", "slipping away"),
)


@dataclass(frozen=True, kw_only=True)
class RfmResult(Result):
    """Each customer's recency, frequency and value, with scores, segments and moves between segments."""

    customers: Annotated[
        pa.Table,
        Columns(
            customer="who has ordered at least once",
            frequency="repeat orders: days with an order after the first",
            recency="weeks from the first order to the last",
            age="weeks from the first order to the log's end",
            value="what all orders add up to; null where no value is known",
            segment="the first segment whose rule fits",
            days_since_order="days from the last order to the log's end",
            order_value="mean value of a repeat order; null where there is none",
            r="recency score, 1 (longest ago) to 5: 1 + the share of customers who were silent longer, in fifths",
            f="frequency score, 1 (fewest) to 5; equal frequencies score alike",
            m="value score, 1 (least) to 5; null where no value is known",
        ),
    ]
    segments: Annotated[
        pa.Table,
        Columns(
            segment="its name",
            customers="customers in it",
            share="of all customers who have ordered",
            value="what they have ordered for",
            value_share="of what all have ordered for",
            rule="when a customer is in it; the first rule that fits holds",
        ),
    ]
    moves: Annotated[
        pa.Table,
        Columns(
            from_segment=f"the segment then, by the scores of then; `{NOT_YET}` before the first order",
            to_segment="the segment now",
            customers="who moved, or stayed",
        ),
    ]

    def draw(self) -> Picture | None:
        """Each segment's share of the customers and of the value."""
        if self.segments.num_rows == 0 or not sum(self.segments["customers"].to_pylist()):
            return None
        return _shares(self)


@analysis
def rfm(study: Study, *, back: Duration = Duration.parse("90d")) -> RfmResult:
    """Who are the best customers, who is slipping away, and who is lost?

    Customers score 1 to 5 for how lately, how often and for how much they ordered, by the share of the others that
    lies below; named segments follow from the scores. Orders of one customer on one day count as one. Who never
    ordered is left out and counted. Moves compare the segments at the log's end with those `back` earlier, each by
    the scores of its own time.

    Args:
        back: How long before the log's end the earlier segments are taken.
    """
    study = whole_histories(study)
    origin, now = span(study)
    then = now - max(round(back.days), 1)
    fold = order_days(study, (then,) if then >= origin else ())
    buyers = buyers_of(study, fold, study.fold(fold))
    scores = scores_at(buyers, len(fold.cuts) - 1)
    segments = segment_of(scores)
    moves = _moves(buyers, segments, len(fold.cuts) > 1)
    return RfmResult(
        customers=_customers(buyers, scores, segments),
        segments=_segments(scores, segments, study.currency),
        moves=moves,
        findings=_findings(study, buyers, scores, segments, moves, back),
        warnings=warnings_of(study, buyers),
    )


def _customers(buyers: Buyers, scores: Scores, segments: np.ndarray) -> pa.Table:
    summary = buyers.at()
    return table(
        customer=buyers.names,
        frequency=summary.frequency.astype(np.int64),
        recency=summary.recency,
        age=summary.age,
        value=_known(buyers.total),
        segment=pa.array(NAMES).take(pa.array(segments)),
        days_since_order=scores.quiet,
        order_value=_known(summary.value),
        r=scores.r,
        f=scores.f,
        m=pa.array(scores.m, mask=scores.m == 0),
    )


def _known(values: np.ndarray) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _segments(scores: Scores, segments: np.ndarray, currency: str) -> pa.Table:
    if not len(segments):
        return table(segment=pa.array([], pa.string()), customers=pa.array([], pa.int64()), share=pa.array([], pa.float64()),
                     value=pa.array([], pa.float64()), value_share=pa.array([], pa.float64()), rule=pa.array([], pa.string()))  # fmt: skip
    customers = np.bincount(segments, minlength=len(NAMES))
    value = np.bincount(segments, weights=np.nan_to_num(scores.value), minlength=len(NAMES))
    all_value = value.sum() if (scores.m > 0).any() else 0.0
    share = value / all_value if all_value > 0 else np.full(len(NAMES), np.nan)
    return table(
        segment=list(NAMES),
        customers=customers,
        share=customers / len(segments),
        value=_known(np.where(scores.m.any(), value, np.nan)),
        value_share=_known(share),
        rule=rules(scores, currency),
    )


def _moves(buyers: Buyers, now: np.ndarray, compared: bool) -> pa.Table:
    names = (*NAMES, NOT_YET)
    pairs, counts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    if compared and len(buyers):
        earlier = scores_at(buyers, 0)
        before = np.full(len(buyers), len(NAMES))
        before[earlier.who] = segment_of(earlier)
        pairs, counts = np.unique(before * len(names) + now, return_counts=True)
    whence, whither = np.divmod(pairs, len(names))
    labels = pa.array(names)
    return table(
        from_segment=labels.take(pa.array(whence)),
        to_segment=labels.take(pa.array(whither)),
        customers=counts,
    )


def _findings(
    study: Study, buyers: Buyers, scores: Scores, segments: np.ndarray, moves: pa.Table, back: Duration
) -> tuple[Finding, ...]:
    if not len(buyers):
        never = buyers.without_order
        said = (
            f"{counted(never, 'customer')} {'has' if never == 1 else 'have'} never ordered." if never else ""
        )
        return (Finding(f"Nobody has ordered yet: too few to say who is a good customer. {said}".strip()),)
    best = np.isin(segments, [NAMES.index(name) for name in _KEPT])
    slipping = np.isin(segments, [NAMES.index(name) for name in ("can't lose", "at risk")])
    found = []
    if best.any():
        found.append(_share_of(study, scores, best, "champions and loyal customers"))
    if slipping.any():
        silent = "customers who used to order often are silent (can't lose, at risk)"
        found.append(_share_of(study, scores, slipping, silent))
    if not buyers.repeaters:
        found.append(Finding("Nobody has ordered on two days yet: frequency tells nobody apart."))
    found += _slipped(moves, back)
    left_out = f"; {buyers.without_order:,} who never ordered are left out" if buyers.without_order else ""
    found.append(
        Finding(
            f"{counted(len(buyers), 'customer')} {'has' if len(buyers) == 1 else 'have'} ordered, "
            f"{buyers.repeaters / len(buyers):.0%} on more than one day{left_out}."
        )
    )
    return tuple(found)


def _share_of(study: Study, scores: Scores, chosen: np.ndarray, who: str) -> Finding:
    count, share = int(chosen.sum()), chosen.mean()
    if not scores.m.any() or not np.nansum(scores.value) > 0:
        return Finding(f"{count:,} {who}: {share:.0%} of those who have ordered.", customers=count)
    money = float(np.nansum(scores.value[chosen]))
    part = money / float(np.nansum(scores.value))
    text = f"{count:,} {who}: {share:.0%} of those who have ordered, {study.currency} {money:,.0f} or {part:.0%} of the value."
    return Finding(text, customers=count)


def _slipped(moves: pa.Table, back: Duration) -> list[Finding]:
    down = sum(
        r["customers"]
        for r in moves.to_pylist()
        if r["from_segment"] in _KEPT and r["to_segment"] in _SLIPPED
    )
    were = sum(r["customers"] for r in moves.to_pylist() if r["from_segment"] in _KEPT)
    if not were:
        return []
    since = in_words(back.seconds)
    return [
        Finding(
            f"Of {were:,} champions and loyal customers {since} ago, {down:,} have since slipped ({down / were:.0%}).",
            customers=down,
        )
    ]


def _shares(result: RfmResult) -> Picture:
    import altair as alt

    from wayfare.charts import theme
    from wayfare.charts.plots import picture

    frame = result.segments.select(["segment", "share", "value_share"]).to_pandas()
    shown = ["share"] + (["value_share"] if frame["value_share"].notna().any() else [])
    kinds = {"share": "of customers", "value_share": "of value"}
    long = frame.melt("segment", shown, "of", "part").replace({"of": kinds})
    base = alt.Chart(long).encode(
        y=alt.Y("segment:N", sort=list(NAMES), title=None, axis=alt.Axis(labelPadding=6)),
        yOffset=alt.YOffset("of:N", sort=list(kinds.values())),
        x=alt.X("part:Q", title=None, axis=alt.Axis(format=".0%", tickCount=5)),
    )
    colour = alt.Color(
        "of:N", title=None, scale=alt.Scale(domain=list(kinds.values()), range=[theme.GREY, theme.ACCENT])
    )
    bars = base.mark_bar().encode(color=colour if len(shown) > 1 else alt.value(theme.ACCENT))
    text = base.mark_text(align="left", dx=5, fontSize=11, color=theme.INK).encode(
        text=alt.Text("part:Q", format=".0%")
    )
    chart = alt.layer(bars, text).properties(width=theme.WIDTH - 140, height={"step": 14})
    subtitle = (
        "Share of customers who have ordered"
        + (" and of what they ordered for" if len(shown) > 1 else "")
        + ", by segment"
    )
    return picture(chart, result.findings[0].text, subtitle, f"n = {result.customers.num_rows:,} customers")
