"""The Business Model Canvas: nine blocks of items, each of which can be bound to the log.

Blocks, resources and partnerships are those of Osterwalder and Pigneur, *Business Model Generation* (2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from wayfare.domain.document import (
    Condition,
    Day,
    Document,
    Id,
    Money,
    Note,
    Part,
    Path,
    Problem,
    Text,
    Within,
    Words,
    refuse,
    twice,
    unknown,
)

BLOCKS = (
    "customer_segments", "value_propositions", "channels", "customer_relationships", "revenue_streams", "key_resources",
    "key_activities", "key_partnerships", "cost_structure",
)  # fmt: skip
"""The nine blocks in the order in which a canvas is filled."""

Colour = Literal["grey", "black", "orange", "sky", "green", "yellow", "blue", "vermilion", "purple"]
"""Okabe and Ito's colours, which people with any kind of colour vision tell apart, and grey."""

Measure = Literal[
    "repurchase_rate", "conversion_rate", "retention_rate", "churn_rate", "referral_rate", "average_order_value",
    "value_per_customer", "lifetime_value", "referrals", "customer_satisfaction", "net_promoter_score",
]  # fmt: skip
RATES: tuple[Measure, ...] = (
    "repurchase_rate", "conversion_rate", "retention_rate", "churn_rate", "referral_rate", "customer_satisfaction",
)  # fmt: skip
"""Measures that are shares of customers or answers, 0 to 1."""


def _share(value: Any) -> Any:
    """`25 %` as 0.25."""
    if isinstance(value, str) and value.rstrip().endswith("%"):
        try:
            return float(Decimal(value.rstrip()[:-1].strip()) / 100)
        except ArithmeticError:
            raise ValueError(f"{value!r} is no percentage; write 25%") from None
    return value


Threshold = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_share)]


class Touches(Part):
    """A touchpoint (an event of the log) that an item shows in, and how much it counts beside the others."""

    event: Words
    weight: float = Field(1, gt=0, allow_inf_nan=False)


class Metric(Part):
    """A number of the log that decides whether the item's hypothesis holds: the pass rule.

    The re-purchase rate in 90 days of the segment `new`, at least 25 %:
    `measure: repurchase_rate`, `within: 90d`, `segment: new`, `at_least: 25%`.

    Attributes:
        measure: Which number.
        within: How long customers have for it.
        segment: The item of the block `customer_segments` whose customers count; all where nothing is said.
        at_least, at_most: It passes from here on, and up to here. Rates are shares of 1, money is in the workspace's
            currency, the Net Promoter Score runs from -100 to 100.
    """

    measure: Measure
    within: Within | None = None
    segment: Id | None = None
    at_least: Threshold | None = None
    at_most: Threshold | None = None

    @model_validator(mode="after")
    def _decides(self) -> Metric:
        limits = [limit for limit in (self.at_least, self.at_most) if limit is not None]
        if not limits:
            raise ValueError("the metric has no pass rule; add `at_least: …` or `at_most: …`")
        if limits != sorted(limits):
            raise ValueError(f"nothing is at least {limits[0]:g} and at most {limits[1]:g}")
        wrong = [limit for limit in limits if self.measure in RATES and not 0 <= limit <= 1]
        if wrong:
            raise ValueError(
                f"the measure {self.measure} is a share; {wrong[0]:g} is not between 0 and 1 (25% is a share too)"
            )
        return self

    def passes(self, value: float) -> bool:
        """Does a measured value meet the rule?"""
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )


class Bindings(Part):
    """What of the log, and of the canvas's money, an item stands for.

    Attributes:
        touchpoints: Where customers meet it.
        segment: Conditions on a customer's history, all of which hold for its customers.
        metric: What decides its hypothesis.
        revenue_stream, cost_line: The items of `revenue_streams` and `cost_structure` that it earns and costs.
    """

    touchpoints: tuple[Touches, ...] = ()
    segment: tuple[Condition, ...] = ()
    metric: Metric | None = None
    revenue_stream: Id | None = None
    cost_line: Id | None = None

    @model_validator(mode="after")
    def _once(self) -> Bindings:
        events = [touched.event for touched in self.touchpoints]
        again = next((event for event in events if events.count(event) > 1), None)
        if again is not None:
            raise ValueError(f"the touchpoint {again!r} is bound twice")
        return self


class Item(Part):
    """A note on the canvas.

    Attributes:
        id: Its name for references, unlike any other on the canvas.
        text: What it says.
        colour: The colour of the note.
        segment: The item of the block `customer_segments` that it is for.
        hypothesis: What is believed about it and could turn out wrong.
        importance: 1 (little) to 5 (everything hangs on it).
        bindings: What of the log it stands for.
        feedback: What stakeholders said about it.
        trends: What happens outside that bears on it.
    """

    id: Id
    text: Words
    colour: Colour | None = None
    segment: Id | None = None
    hypothesis: Text = ""
    importance: int | None = Field(None, ge=1, le=5)
    bindings: Bindings = Bindings()
    feedback: tuple[Note, ...] = ()
    trends: tuple[Note, ...] = ()


class Channel(Item):
    """A way to customers."""

    kind: Literal["stores", "online", "social", "direct", "partners"] | None = None


class RevenueStream(Item):
    """Where money comes from; the touchpoints of its bindings say by which events."""

    kind: Literal["sales", "fees", "subscriptions", "licensing", "advertising"]


class Resource(Item):
    """What the model needs to work."""

    kind: Literal["physical", "intellectual", "human", "financial"]


class Partnership(Item):
    """Whom it needs: other companies, competitors, a joint company, suppliers."""

    kind: Literal["strategic_alliance", "coopetition", "joint_venture", "buyer_supplier"]


class CostLine(Item):
    """What it costs: an amount for each month, quarter or year, or for each order or customer.

    Attributes:
        kind: `fixed` whatever is sold, or `variable` with it.
        amount: In the workspace's currency.
        per: What the amount is for.
    """

    kind: Literal["fixed", "variable"]
    amount: Money | None = None
    per: Literal["month", "quarter", "year", "order", "customer"] = "month"

    @model_validator(mode="after")
    def _fixed_is_for_a_time(self) -> CostLine:
        if self.kind == "fixed" and self.per in ("order", "customer"):
            raise ValueError(f"a cost for each {self.per} is variable, not fixed")
        return self


class Verdict(Part):
    """What the log said of an item's hypothesis when it was reviewed, and of how many customers or answers."""

    item: Id
    verdict: Literal["holds", "fails", "too_few"]
    value: float | None = Field(None, allow_inf_nan=False)
    n: int = Field(0, ge=0)


class Review(Part):
    """A dated look at the whole canvas.

    Attributes:
        date: When.
        who: Who took part.
        revision: The revision of the canvas that was looked at: its snapshot.
        verdicts: What the log said of each hypothesis on that day.
        feedback, trends: What stakeholders said, and what happens outside.
        decisions: What was decided.
        next: When it is looked at again.
    """

    date: Day
    who: Words
    revision: int | None = Field(None, ge=1)
    verdicts: tuple[Verdict, ...] = ()
    feedback: tuple[Note, ...] = ()
    trends: tuple[Note, ...] = ()
    decisions: tuple[Words, ...] = ()
    next: Day | None = None

    @model_validator(mode="after")
    def _forward(self) -> Review:
        if self.next is not None and self.next <= self.date:
            raise ValueError(f"the next review, {self.next}, is not after this one, {self.date}")
        return self


class Canvas(Document):
    """A Business Model Canvas; ids are unlike each other and references lead to items that are there."""

    KIND: ClassVar[str] = "canvas"
    USUAL: ClassVar[str] = "canvas"

    document: Literal["canvas"] = "canvas"
    customer_segments: tuple[Item, ...] = ()
    value_propositions: tuple[Item, ...] = ()
    channels: tuple[Channel, ...] = ()
    customer_relationships: tuple[Item, ...] = ()
    revenue_streams: tuple[RevenueStream, ...] = ()
    key_resources: tuple[Resource, ...] = ()
    key_activities: tuple[Item, ...] = ()
    key_partnerships: tuple[Partnership, ...] = ()
    cost_structure: tuple[CostLine, ...] = ()
    feedback: tuple[Note, ...] = ()
    trends: tuple[Note, ...] = ()
    reviews: tuple[Review, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Canvas:
        refuse([*twice(self.places()), *self._unknown()])
        return self

    def block(self, name: str) -> tuple[Item, ...]:
        """The items of one of the nine blocks."""
        items: tuple[Item, ...] = getattr(self, name)
        return items

    def items(self) -> Iterator[tuple[str, Item]]:
        """Every item with its block, in the order of the blocks."""
        return ((block, item) for block in BLOCKS for item in self.block(block))

    def item(self, id: str) -> Item | None:
        """The item of that id."""
        return next((item for _, item in self.items() if item.id == id), None)

    def places(self) -> Iterator[tuple[Path, str, str]]:
        """Every item: where it stands, its id, and its words."""
        for block in BLOCKS:
            for index, item in enumerate(self.block(block)):
                yield (block, index), item.id, item.text

    def _unknown(self) -> Iterator[Problem]:
        segments, streams, costs = (
            {item.id for item in self.block(block)}
            for block in ("customer_segments", "revenue_streams", "cost_structure")
        )
        for block in BLOCKS:
            for index, item in enumerate(self.block(block)):
                here, bound = (block, index), item.bindings
                metric = bound.metric.segment if bound.metric else None
                yield from unknown("customer segment", item.segment, segments, (*here, "segment"))
                below = (*here, "bindings")
                yield from unknown("customer segment", metric, segments, (*below, "metric", "segment"))
                yield from unknown(
                    "revenue stream", bound.revenue_stream, streams, (*below, "revenue_stream")
                )
                yield from unknown("cost line", bound.cost_line, costs, (*below, "cost_line"))
