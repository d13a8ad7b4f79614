"""Churn: who is late for themselves, what is at stake, and what changed before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa

from wayfare.analyses._observed import whole_histories
from wayfare.analyses._order_days import Buyers, buyers_of, order_days, span
from wayfare.analyses.repurchase import _churn_tables as tables
from wayfare.analyses.repurchase._candidates import CALENDAR, ENOUGH, Candidate, final
from wayfare.analyses.repurchase._lateness import lateness_at
from wayfare.analyses.repurchase._said import warnings_of
from wayfare.analyses.repurchase._signals import last_orders, signals_of
from wayfare.analyses.repurchase.forecast import ForecastResult, forecast
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Share
from wayfare.errors import InvalidParameter
from wayfare.result import Columns, Result
from wayfare.study import Study

_FITTED, _REPEATERS = 20_000, 5_000


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
            overdue="chance that somebody of these orders, still a customer, would have ordered by now",
            p_buy="chance of an order within the forecast's horizon; null without a model",
        ),
    ]
    summary: Annotated[
        pa.Table,
        Columns(
            state="`late`, `on time`, or `one order`: no pace of one's own to be late by",
            customers="customers in it",
            share="of those who have ordered",
            expected_alive="how many of them are expected to be customers still; null without a model",
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
            share="actual of customers; null under 10",
            low="lower end of the 95% interval (Wilson)",
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
            difference="late share less on-time share; null where either group has under 30",
            low="lower end of the difference's 95% interval (Newcombe)",
            high="upper end",
        ),
    ]

    observational: ClassVar[str] = (
        "late customers differ from others in more than what happened before, and a longer silence leaves more time for a contact or a refund."
    )

    def draw(self) -> Picture | None:
        """The late customers with the most at stake: how long their usual gap is, and how long they are silent."""
        from wayfare.analyses.repurchase._churn_chart import late_chart

        return late_chart(self) if self.customers.num_rows else None


@analysis
def churn(
    study: Study, *, late: Share = 0.8, check: Duration = Duration.parse("91d"), top: int = 1000
) -> ChurnResult:
    """Which customers are late for themselves, how much value is at stake, and what changed before?

    A repeat customer is late when somebody with the same orders, if still a customer, would have ordered again by
    now with the chance `late`: the forecast's model, as of the customer's last order. With fewer than 50 repeat
    customers the customer's own gaps alone say so. Value at stake is the lifetime value that the forecast still
    expects. The same rule, applied `check` before the log's end with the model of then, shows how many of those it
    called late came back.

    Args:
        late: How sure it must be that the customer would have ordered by now.
        check: How long before the log's end the rule is tried out.
        top: How many customers the list holds at most.
    """
    if not 0 < late < 1:
        raise InvalidParameter(
            f"{late:g} leaves everybody or nobody late.", where="late", hint="Give a share such as 0.8."
        )
    study = whole_histories(study)
    now = span(study)[1]
    # The model may be one with a calendar, which needs every order day.
    fold, signals = order_days(study, (now - max(round(check.days), 1),), keep=True), last_orders(study, now)
    found, seen = study.fold_all([fold, signals])
    buyers = buyers_of(study, fold, found)
    known = study.result(forecast)
    assert isinstance(known, ForecastResult)
    some = _some(buyers)
    model = _model(known, some, -1)
    who = lateness_at(buyers, -1, model.paced if model else None, late)
    state = tables.State(study, buyers, known, model, who, late, check)
    what = signals_of(buyers, seen)
    then = _check(known, buyers, some, late) if len(fold.cuts) > 1 and fold.cuts[0] >= buyers.origin else None
    calibration = tables.calibration(buyers, then)
    differences = tables.signals(who, what)
    return ChurnResult(
        customers=tables.customers(state, what, max(top, 0)),
        summary=tables.summary(state),
        calibration=calibration,
        signals=differences,
        findings=tables.findings(state, calibration, differences),
        warnings=warnings_of(study, buyers),
    )


def _model(known: ForecastResult, buyers: Buyers, cut: int) -> Candidate | None:
    """The forecast's model on the orders up to a cut."""
    chosen = [row["model"] for row in known.models.to_pylist() if row["chosen"]]
    if not chosen or buyers.at(cut).repeaters < ENOUGH:
        return None
    # A season can't be told from the shorter record; the same model without one can then still say who was late.
    names = [chosen[0], *([chosen[0].removesuffix(" with calendar")] if chosen[0] in CALENDAR else [])]
    found = final(names, buyers, cut)
    return found if found.paced else None


def _some(buyers: Buyers) -> Buyers:
    """Every k-th buyer by name: 20,000 or more, and 5,000 repeat customers, say who is late as well as all do."""
    step = min(len(buyers) // _FITTED, buyers.repeaters // _REPEATERS)
    if step <= 1:
        return buyers
    kept = slice(None, None, step)
    codes = buyers.codes[kept]
    chosen = np.zeros(int(buyers.codes.max()) + 1, dtype=bool)
    chosen[codes] = True
    days = chosen[buyers.order_days[0]]
    columns = ("first_day", "first_value", "days", "last_day", "repeat_value", "valued", "next_day")
    return replace(
        buyers,
        names=buyers.names.take(pa.array(np.arange(len(buyers))[kept])),
        codes=codes,
        order_days=(buyers.order_days[0][days], buyers.order_days[1][days]),
        **{name: getattr(buyers, name)[kept] for name in columns},
    )


def _check(known: ForecastResult, buyers: Buyers, some: Buyers, late: float) -> tables.Check:
    """The rule on what was known at the first cut, by a model fitted on `some` of the buyers."""
    summary = buyers.at(0)
    model = _model(known, some, 0)
    who = lateness_at(buyers, 0, model.paced if model else None, late)
    weeks = (buyers.cuts[-1] - buyers.cuts[0]) / 7
    chance = model.paced.buy(summary, weeks)[summary.frequency > 0] if model and model.paced else None
    return tables.Check(who, chance)
