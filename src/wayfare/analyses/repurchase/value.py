"""Value: what customers of each kind have brought and will bring, and how much rests on how few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import pyarrow as pa

from wayfare.analyses._observed import whole_histories
from wayfare.analyses._order_days import buyers_of, order_days, span
from wayfare.analyses.repurchase import _value_tables as tables
from wayfare.analyses.repurchase._beginnings import began, beginnings
from wayfare.analyses.repurchase._said import warnings_of
from wayfare.analyses.repurchase.forecast import ForecastResult, forecast
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.result import Columns, Result
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class ValueResult(Result):
    """What customers are worth by how they began, and how far value is concentrated."""

    segments: Annotated[
        pa.Table,
        Columns(
            dimension="how customers are told apart: first channel, first product, first category, cohort, referred",
            segment="the group; beyond the largest, `other`; `unknown` where the log doesn't say",
            customers="customers in it who have ordered",
            orders="mean order days a customer so far",
            value="what they have ordered for; null where no value is known",
            value_share="of what all have ordered for",
            value_per_customer="mean value a customer so far",
            low="lower end of its 95% interval",
            high="upper end",
            followed="customers whose first order lies at least `within` back",
            early_value="their mean value in that time from the first order on: what compares groups of different age",
            early_low="lower end of its 95% interval; null under 10 customers",
            early_high="upper end",
            future_value="mean lifetime value ahead, by the forecast; null without one",
            lifetime_value="value so far and ahead, a customer; null without a forecast",
        ),
    ]
    concentration: Annotated[
        pa.Table,
        Columns(
            tenth="tenth of the customers by value so far, 1 the highest",
            customers="customers in it",
            value="what they have ordered for",
            share="of what all have ordered for",
            cumulative="share of this tenth and those above",
            low="lower end of its 95% interval (delta method)",
            high="upper end",
        ),
    ]
    referred: Annotated[
        pa.Table,
        Columns(
            group="`referred` or `others`",
            customers="customers followed for `within` after the first order",
            repeat_orders="mean repeat order days in that time",
            orders_low="lower end of its 95% interval",
            orders_high="upper end",
            early_value="mean value in that time; null where no value is known",
            early_low="lower end of its 95% interval",
            early_high="upper end",
            orders_ratio="repeat orders of the referred over those of others; null for others and under 30 customers",
            ratio_low="lower end of its 95% interval (logarithmic delta method)",
            ratio_high="upper end",
        ),
    ]

    observational: ClassVar[str] = (
        "customers chose their channel, product and friends themselves, so that a group's value is not what moving others into it would bring."
    )

    def draw(self) -> Picture | None:
        """The share of the value that each tenth of the customers brought."""
        from wayfare.charts.plots import bars

        if self.concentration.num_rows == 0:
            return None
        names = [f"{row}. tenth" for row in self.concentration["tenth"].to_pylist()]
        data = self.concentration.append_column("name", pa.array(names))
        n = sum(self.concentration["customers"].to_pylist())
        return bars(data, "share", "name", title=self.findings[0].text, subtitle="Share of the value so far, by tenths of the customers",
                    note=f"n = {n:,} customers who have ordered", percent=True, sort=False, highlight=names[0])  # fmt: skip


@analysis
def value(study: Study, *, within: Duration = Duration.parse("180d"), groups: int = 12) -> ValueResult:
    """What is a customer worth, by how they began, and how much of the value rests on how few?

    Customers who have ordered are told apart by the first channel, product and category that the log knows of them,
    the quarter of the first order, and whether somebody referred them. Value so far grows with age, so groups compare
    by the value of the first days (`within`) among customers followed that long. What is ahead is the forecast's
    lifetime value. Means have Student's t intervals, shares of the top those of the delta method. Orders of one
    customer on one day count as one; groups beyond the largest are taken together.

    Args:
        within: The time from the first order on in which groups are compared.
        groups: How many groups of a dimension are shown by name.
    """
    study = whole_histories(study)
    now = span(study)[1]
    fold, firsts = order_days(study, ()), beginnings(study, now, max(round(within.days), 1))
    found, seen = study.fold_all([fold, firsts])
    buyers = buyers_of(study, fold, found)
    known = study.result(forecast)
    assert isinstance(known, ForecastResult)
    people = tables.People(study, buyers, began(study, buyers, firsts, seen), known, within)
    segments = tables.segments(people, max(groups, 1))
    concentration = tables.concentration(buyers)
    referred = tables.referred(people)
    return ValueResult(
        segments=segments,
        concentration=concentration,
        referred=referred,
        findings=tables.findings(people, segments, concentration, referred),
        warnings=warnings_of(study, buyers),
    )
