"""The forecast: what each customer will order, and what all will, with how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pyarrow as pa

from wayfare.analyses._observed import whole_histories
from wayfare.analyses.repurchase import _forecast_tables as tables
from wayfare.analyses.repurchase._candidates import ENOUGH, MODELS, Candidate, final, fit, judged, ranked
from wayfare.analyses.repurchase._forecast_words import said, warned
from wayfare.analyses.repurchase._holdout import actual_orders
from wayfare.analyses.repurchase._order_days import Buyers, buyers_of, order_days, span
from wayfare.analyses.repurchase._outlook import Outlook, Season, outlook, season_of
from wayfare.analyses.repurchase._worth import Worth, worth_of
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Share
from wayfare.errors import InvalidParameter
from wayfare.result import Columns, Result
from wayfare.study import Study

_SHORTEST = 4


@dataclass(frozen=True, kw_only=True)
class ForecastResult(Result):
    """What each customer and all together are expected to order, and how right the same forecast was before."""

    customers: Annotated[
        pa.Table,
        Columns(
            customer="who has ordered at least once",
            p_alive="chance that the customer has not left for good; null where no model could be fitted",
            expected_orders="orders expected within the horizon; orders of one day count as one",
            p_buy="chance of at least one order within the horizon",
            next_purchase_median="when the chance of another order reaches one half; null where it never does within 50 years",
            next_purchase_low="when that chance reaches 10 %",
            next_purchase_high="when it reaches 90 %",
            order_value="expected value of an order; null where no value is known",
            lifetime_value="expected value of all orders of the lifetime ahead, each discounted to today",
            lifetime_value_low="10th percentile of what that may come to",
            lifetime_value_high="90th percentile of what that may come to",
        ),
    ]
    models: Annotated[
        pa.Table,
        Columns(
            model="each model that was tried",
            log_likelihood="of the orders before the holdout; null where it could not be fitted",
            parameters="fitted on these orders; time in weeks",
            holdout_expected="orders it expected in the holdout; null without one",
            holdout_actual="orders that came, of the same customers",
            deviance="mean Poisson deviance a customer in the holdout; the smallest is best",
            chosen="whether the forecast rests on it",
            final_parameters="of the chosen model, fitted on all orders",
            note="what the data can't tell the model",
        ),
    ]
    weeks: Annotated[
        pa.Table,
        Columns(
            week="the week's first day",
            expected="orders expected of customers known when the forecast was made",
            low="lower end of the interval",
            high="upper end of the interval",
            actual="orders that came; null ahead",
            revenue="what the expected orders are worth; null where no value is known",
            revenue_low="lower end of the interval",
            revenue_high="upper end of the interval",
            revenue_actual="what came; null ahead",
            part="`holdout`: forecast from its first day on, and known today; `ahead`: not yet known",
        ),
    ]
    calibration: Annotated[
        pa.Table,
        Columns(
            decile="tenth of the customers by expected orders, 1 the highest",
            customers="customers in it",
            expected="orders expected of them in the holdout",
            actual="orders that came",
        ),
    ]
    totals: Annotated[
        pa.Table,
        Columns(
            part="`holdout` or `ahead`",
            weeks="how many weeks",
            expected="orders expected of customers known at the start",
            low="lower end of the interval",
            high="upper end of the interval",
            actual="orders that came; null ahead",
            revenue="what they are worth; null where no value is known",
            revenue_low="lower end of the interval",
            revenue_high="upper end of the interval",
            revenue_actual="what came; null ahead",
            season_spread="standard deviation, as a share, that quarters are given for what a model without a calendar can't know",
            season="`seen`: read off at least a year; `unseen`: assumed, the season ahead was never observed",
        ),
    ]
    active: Annotated[
        pa.Table,
        Columns(
            weeks="within how many weeks of the holdout's start",
            customers="customers known then",
            expected="how many of them were expected to order at least once",
            actual="how many did",
        ),
    ]
    accuracy: Annotated[pa.Table, Columns(measure="its name", value="in the holdout", meaning="what it says")]
    tracking: Annotated[
        pa.Table,
        Columns(
            week="the week's first day",
            expected="repeat orders that the final model expects of the week, from the days of the first orders alone",
            actual="repeat orders that came",
        ),
    ]
    histories: Annotated[
        pa.Table,
        Columns(
            frequency="repeat orders; 10 stands for 10 and more",
            weeks_since_order="weeks since the last order, in steps of 4",
            customers="customers of this kind",
            p_alive="their mean chance of not having left",
            expected_orders="their mean expected orders within the horizon",
        ),
    ]

    def draw(self) -> Picture | None:
        """Orders by week: what was expected, with its interval, and what came."""
        from wayfare.analyses.repurchase._forecast_chart import weeks_chart

        return weeks_chart(self) if self.weeks.num_rows else None


@dataclass(frozen=True, eq=False)
class Forecast:
    """All that the tables and the findings are made of.

    Attributes:
        study: Whose.
        buyers: What each customer ordered.
        weeks: The horizon.
        held_out: The holdout's weeks; 0 without one.
        candidates: The models that were tried, in a fixed order.
        chosen: The model on all orders; None where none could be fitted.
        worth: What orders are worth, on all orders.
        ahead: The weeks ahead.
        before: The holdout's weeks as they were forecast; None without one.
        season: The weeks so far against the final model.
        season_then: The same at the holdout's start.
        confidence: Of the intervals of totals and weeks.
    """

    study: Study
    buyers: Buyers
    weeks: int
    held_out: int
    candidates: tuple[Candidate, ...]
    chosen: Candidate | None
    worth: Worth
    ahead: Outlook | None
    before: Outlook | None
    season: Season | None
    season_then: Season | None
    confidence: float

    @property
    def judge(self) -> Candidate | None:
        """The chosen kind of model as it was fitted before the holdout."""
        return next((c for c in self.candidates if self.chosen and c.name == self.chosen.name and len(c.expected)), None)


@analysis
def forecast(
    study: Study,
    *,
    horizon: Duration = Duration.parse("182d"),
    holdout: Duration | None = None,
    model: Literal["best", "BG/NBD", "MBG/NBD", "Pareto/NBD"] = "best",
    lifetime: Duration = Duration.parse("1095d"),
    discount: Share = 0.1,
    confidence: Share = 0.9,
) -> ForecastResult:
    """How many orders will come from the customers we have, from whom, when, and worth how much?

    Buy-till-you-die models (BG/NBD, MBG/NBD, Pareto/NBD) are fitted on all orders but those of the last weeks, and
    judged on these by the Poisson deviance of each customer's orders; a model with a parameter that the data can't
    tell comes after those without. The best is fitted again on all orders; where even that leaves a parameter open,
    a weak prior holds it. Orders of one customer on one day count as one, in weeks from the first order. The value
    of an order is Gamma-Gamma's, on repeat orders. New customers, who have yet to come, are not in the forecast.
    Intervals of totals hold chance, the parameters' doubt and how far past quarters were off the model; where less
    than a year was seen, a quarter more or less is assumed (a standard deviation of 25 %). With fewer than 50
    repeat customers no model is fitted.

    Args:
        horizon: How far ahead, in whole weeks.
        holdout: The last part of the log that models are judged on, in whole weeks; as long as the horizon, and at
            most a third of the log, unless said.
        model: The model to use; the best in the holdout unless said.
        lifetime: How far ahead lifetime value counts orders.
        discount: By how much money of next year is worth less than today's.
        confidence: Of the intervals of weeks and totals; those of a customer are 80 % ranges.
    """
    _checked(confidence, discount)
    found = _forecast(whole_histories(study), horizon, holdout, model, confidence)
    return ForecastResult(
        customers=tables.customers(found, lifetime.days / 7, discount),
        models=tables.models(found),
        weeks=tables.weeks(found),
        calibration=tables.calibration(found),
        totals=tables.totals(found),
        active=tables.active(found),
        accuracy=tables.accuracy(found),
        tracking=tables.tracking(found),
        histories=tables.histories(found),
        findings=said(found),
        warnings=warned(found),
    )


def _checked(confidence: float, discount: float) -> None:
    if not 0 < confidence < 1:
        raise InvalidParameter(f"A confidence of {confidence:g} can't be used.", where="confidence", hint="Give a share such as 0.9.")
    if discount >= 1:
        raise InvalidParameter("A discount of 100 % leaves nothing of next year.", where="discount", hint="Give a share such as 0.1.")


def _forecast(study: Study, horizon: Duration, holdout: Duration | None, model: str, confidence: float) -> Forecast:
    origin, now = span(study)
    weeks = max(round(horizon.days / 7), 1)
    held_out = _held_out(now - origin + 1, weeks, holdout)
    fold = order_days(study, (now - 7 * held_out,))
    buyers = buyers_of(study, fold, study.fold(fold))
    candidates = _tried(buyers, model, held_out)
    summary = buyers.at()
    chosen = final(ranked(candidates), summary) if candidates else None
    worth = worth_of(buyers, summary)
    if chosen is None or chosen.model is None:
        return Forecast(study, buyers, weeks, held_out, candidates, None, worth, None, None, None, None, confidence)
    season = season_of(chosen.model, buyers, now, worth.spread)
    ahead = outlook(chosen.model, summary, worth.mean, worth.spread, weeks, season)
    judge = next((c for c in candidates if c.name == chosen.name and c.model and len(c.expected)), None)
    before, season_then = _before(buyers, judge, held_out) if judge else (None, None)
    return Forecast(study, buyers, weeks, held_out, candidates, chosen, worth, ahead, before, season, season_then, confidence)


def _held_out(days: int, weeks: int, asked: Duration | None) -> int:
    if asked is None:
        found = min(weeks, days // 7 // 3)
        return found if found >= _SHORTEST else 0
    found = round(asked.days) // 7
    return found if 7 * found < days else 0


def _tried(buyers: Buyers, model: str, held_out: int) -> tuple[Candidate, ...]:
    if buyers.repeaters < ENOUGH:
        return ()
    names = MODELS if model == "best" else (model,)
    earlier = buyers.at(0)
    if not held_out or earlier.repeaters < ENOUGH:
        return tuple(fit(name, buyers.at()) for name in names)
    actual = actual_orders(buyers, earlier)
    return tuple(judged(fit(name, earlier), earlier, float(held_out), actual) for name in names)


def _before(buyers: Buyers, judge: Candidate, held_out: int) -> tuple[Outlook, Season]:
    assert judge.model is not None
    earlier = buyers.at(0)
    worth = worth_of(buyers, earlier)
    season = season_of(judge.model, buyers, buyers.cuts[0], worth.spread)
    return outlook(judge.model, earlier, worth.mean, worth.spread, held_out, season), season
