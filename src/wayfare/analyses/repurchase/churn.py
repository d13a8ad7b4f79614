"""Churn: who is late for themselves, what is at stake, and what changed before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._observed import whole_histories
from wayfare.analyses.repurchase._candidates import ENOUGH, Candidate, final, fit
from wayfare.analyses.repurchase._lateness import Lateness, due_after, lateness_at
from wayfare.analyses.repurchase._order_days import NEVER, Buyers, buyers_of, order_days, span
from wayfare.analyses.repurchase._said import warnings_of
from wayfare.analyses.repurchase._signals import SIGNALS, last_orders, signals_of
from wayfare.analyses.repurchase.forecast import forecast
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Share
from wayfare.errors import InvalidParameter
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.proportions import difference_of_proportions, wilson
from wayfare.study import Study

_TELL = 30


@dataclass(frozen=True, kw_only=True)
class ChurnResult(Result):
    """Repeat customers who are late by their own pace, with what is at stake and what changed before."""

    customers: Annotated[
        pa.Table,
        Columns(
            customer="a repeat customer who is late; the most at stake first",
            days_since_order="days from the last order to the log's end",
            usual_gap_days="the customer's mean days between orders so far",
            p_alive="chance that the customer has not left for good; null where no model could be fitted",
            late_by_days="days since the customer should have ordered again, were the customer still there",
            value_at_stake="lifetime value still expected of the customer; null where it can't be said",
            changed_before="what happened from the order before the last one on: slower gaps, refund, support contact, low score, late delivery",
            orders="days with an order so far",
            overdue="chance that somebody of this pace, still a customer, would have ordered by now; null without a model",
            p_buy="chance of an order within the forecast's horizon; null without a model",
        ),
    ]
    summary: Annotated[
        pa.Table,
        Columns(
            state="`late` or `on time`; `one order` has no pace of its own to be late by",
            customers="customers in it",
            share="of those who have ordered",
            expected_alive="how many of them are expected to be still customers; null without a model",
            value_at_stake="lifetime value still expected of them; null where it can't be said",
        ),
    ]
    calibration: Annotated[
        pa.Table,
        Columns(
            state="as it was `check` before the log's end, judged on what was known then",
            customers="repeat customers in it",
            expected="how many were expected to order since; null without a model",
            actual="how many did",
            share="actual of customers",
            low="lower end of the 95 % interval (Wilson)",
            high="upper end",
        ),
    ]
    signals: Annotated[
        pa.Table,
        Columns(
            signal="what happened from the order before the last one on",
            late="late customers to whom it happened",
            late_share="of all late customers",
            on_time_share="of repeat customers who are on time",
            difference="late share less on-time share",
            low="lower end of the difference's 95 % interval (Newcombe)",
            high="upper end",
            enough="whether both groups have 30 customers or more",
        ),
    ]

    observational: ClassVar[str] = (
        "late customers and others differ in more than what happened before: a longer silence also leaves more time for a contact or a refund."
    )

    def draw(self) -> Picture | None:
        """How many of each state came back in the check."""
        from wayfare.analyses.repurchase._churn_chart import at_stake_chart

        return at_stake_chart(self) if self.customers.num_rows else None


@analysis
def churn(
    study: Study, *, late: Share = 0.8, check: Duration = Duration.parse("91d"), top: int = 1000
) -> ChurnResult:
    """Which customers are late for themselves, how much value is at stake, and what changed before?

    A repeat customer is late when somebody with the same orders, were he or she still a customer, would have ordered
    again by now with the chance `late`: the forecast's model as of the customer's last order. Value at stake is the
    lifetime value that the forecast still expects. The same rule applied `check` before the log's end shows how many
    of those it called late came back. Under 50 repeat customers no model is fitted; late then means a silence of more
    than 1 / (1 − late) times half the customer's own mean gap.

    Args:
        late: How sure it must be that the customer would have ordered by now.
        check: How long before the log's end the rule is tried out.
        top: How many customers the list holds at most.
    """
    if not 0 < late < 1:
        raise InvalidParameter(f"{late:g} leaves everybody or nobody late.", where="late", hint="Give a share such as 0.8.")
    study = whole_histories(study)
    now = span(study)[1]
    fold, signals = order_days(study, (now - round(check.days),)), last_orders(study, now)
    found, seen = study.fold_all([fold, signals])
    buyers = buyers_of(study, fold, found)
    known = study.result(forecast)
    model = _model(buyers, known.to_dict if False else known, -1)  # type: ignore[arg-type]
    return _result(study, buyers, known, model, seen, late, check, top)
