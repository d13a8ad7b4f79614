"""Where on the canvas customers can be won back: what is at stake, what is lost, how unhappy they are, and what fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import pyarrow as pa

from wayfare.analyses._asked_of_others import table_of
from wayfare.analyses.canvas._opportunity_friction import friction_of, last_stage, mood_of
from wayfare.analyses.canvas._opportunity_items import Joined, Sources, join
from wayfare.analyses.canvas._opportunity_people import Standing, people_of
from wayfare.analyses.canvas._opportunity_tables import block_table, item_table, strategy_table
from wayfare.analyses.canvas._opportunity_ways import ways_of
from wayfare.analyses.canvas._opportunity_words import findings_of
from wayfare.analyses.journey.dropoff import dropoff
from wayfare.analyses.journey.touchpoints import touchpoints
from wayfare.analyses.repurchase.forecast import forecast
from wayfare.analyses.repurchase.opportunities import opportunities
from wayfare.analyses.repurchase.repurchase_points import repurchase_points
from wayfare.analyses.satisfaction.emotion import emotion
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.canvas import Canvas
from wayfare.domain.parameters import CanvasName
from wayfare.histories.answers import ANY_KIND, satisfaction_kind
from wayfare.result import Columns, Result
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class CanvasOpportunitiesResult(Result):
    """The canvas's items, blocks and strategies by the money that they touch."""

    observational: ClassVar[str] = (
        "what was lost is a comparison of customers who left with others who stayed, and value at stake is a forecast; neither "
        "says that a strategy would bring it."
    )

    opportunities: Annotated[
        pa.Table,
        Columns(
            rank="the place by the larger of value at stake and friction; null where neither can be said",
            block="the block of the canvas",
            item="the item's id",
            text="what it says",
            value_at_stake="lifetime value still expected of customers who are late with their next order: the item's part; null where it can't be said",
            value_low="lower end of its 95% interval: what these customers' orders may come to; the forecast's own error is not in it",
            value_high="upper end",
            friction_loss="what customers who left there did not bring, or what pain points cost in orders where that is more: the item's part",
            friction_low="lower end of its 95% interval",
            friction_high="upper end",
            satisfaction_gap="how far scores there lie below the mean of all, on a scale from −1 to 1; negative above it; null under 10 customers",
            customers="customers who are late and met it since their last order, or left there",
            main_reason="the finding with the most money, and the touchpoint where it is most",
            strategies="the strategies that answer what is found there, by the money that they touch; at most five",
            note="what can't be said, and why; through what it is bound",
        ),
    ]
    blocks: Annotated[
        pa.Table,
        Columns(
            block="the block",
            items="items on it",
            value_at_stake="of all its items; a customer's counts once",
            friction_loss="of all its items; a customer's counts once",
            satisfaction_gap="of its items, by their scores",
            share="of the value at stake of all late customers; the same money may stand on a block of touchpoints and on one of customers",
            customers="customers who are late and met some of its items since their last order, or left there; each counts once",
        ),
    ]
    strategies: Annotated[
        pa.Table,
        Columns(
            strategy="the strategy",
            fits="the findings that it answers here",
            items="items where it fits",
            value_at_stake="the money that it touches: the largest of value at stake, friction and what offers should add; a customer's counts once",
            why="what it does, and what of",
        ),
    ]

    def draw(self) -> Picture | None:
        """The items with the most money, grouped by block."""
        from wayfare.analyses.canvas._opportunity_picture import opportunity_bars

        return opportunity_bars(self.opportunities.to_pylist(), self.findings[0].text)


@analysis
def canvas_opportunities(study: Study, *, canvas: CanvasName | None = None) -> CanvasOpportunitiesResult:
    """Where on the canvas is re-purchase to be won, how much is at stake, and which strategies fit?

    The re-purchase, journey and satisfaction analyses say what is at stake, the canvas's bindings say where it belongs.
    *Value at stake* is the lifetime value that the forecast still expects of customers whose window for the next order has
    passed (`repurchase_points`); a customer's goes in equal parts to the touchpoints met since the last order, to that
    order itself where there are none. *Friction* is the price of those who left (`dropoff`), at the last touchpoint that they
    met; at a pain point (`touchpoints`) what it costs in orders, where that is more: the two overlap and are not added.
    *Satisfaction gap* is how far scores after a touchpoint lie below the mean of all (`emotion`).

    An item's part of a touchpoint's money is its weight over the weights of all items bound to it, so that no money counts
    twice; an item with a segment beside its touchpoints shares in that of its customers only. A segment without touchpoints has
    all the money of its customers. An item bound to neither is reached through its revenue stream, its cost line, the segment
    of its metric, or the segment that it is for, in this order. On a block and for a strategy a customer's money counts once.

    A strategy fits where one of its findings holds for at least 10 customers: who is late, due, ready for another product, loyal
    or recommends (`opportunities`), where customers left, pain points, and scores below the mean beyond chance.

    Args:
        canvas: Which canvas, where there are several; `name@branch` is a what-if.
    """
    document = study.document(Canvas, canvas)
    if document is None or not any(True for _ in document.items()):
        return _result(study, document, None, None)
    ways = ways_of(document, study.log)
    kind = satisfaction_kind(study.log.source)
    # Of `dropoff`, so that who left here is who left there.
    patience = dropoff.settle({}, study)["patience"]
    found = study.fold(Standing(study.stages, study.log.ends - patience.microseconds, ways.segments, kind))
    lacking: list[str] = []
    stages = table_of(study, dropoff, "stages", lacking)
    people = people_of(
        study, found, last_stage(stages), table_of(study, forecast, "customers", lacking), table_of(study, repurchase_points, "due", lacking),
        table_of(study, opportunities, "opportunities", lacking),
    )  # fmt: skip
    events = study.log.names("event").to_list()
    friction = friction_of(people, stages, table_of(study, touchpoints, "touchpoints", lacking), events)
    name = study.log.names("question_kind")[kind] if kind >= 0 else None if kind == ANY_KIND else ""
    mood = mood_of(
        table_of(study, emotion, "touchpoints", lacking),
        table_of(study, emotion, "scales", lacking),
        name,
        events,
    )
    sources = Sources(people, friction, mood, events)
    found_there = _result(study, document, join(document, ways.of, sources), sources)
    return replace(found_there, warnings=tuple(lacking))


def _result(
    study: Study, document: Canvas | None, joined: Joined | None, sources: Sources | None
) -> CanvasOpportunitiesResult:
    items: list[dict[str, Any]] = item_table(joined)
    blocks, strategies = block_table(joined, sources), strategy_table(joined, sources)
    tables = {
        "opportunities": typed("opportunities", items),
        "blocks": typed("blocks", blocks),
        "strategies": typed("strategies", strategies),
    }
    return CanvasOpportunitiesResult(
        **tables, findings=findings_of(study.currency, document, items, strategies, sources)
    )


_TEXT = ("block", "item", "text", "main_reason", "strategies", "note", "strategy", "fits", "why")
_WHOLE = ("rank", "customers", "items")


def typed(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as the table of that name."""
    return pa.table(
        {
            column: pa.array(
                [row[column] for row in rows],
                pa.string() if column in _TEXT else pa.int64() if column in _WHOLE else pa.float64(),
            )
            for column in CanvasOpportunitiesResult.columns()[name]
        }
    )
