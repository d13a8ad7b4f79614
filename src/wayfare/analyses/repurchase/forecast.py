"""The forecast: what each customer will order, and what all will, with how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pyarrow as pa

from wayfare.analyses._observed import whole_histories
from wayfare.analyses.repurchase import _forecast_tables as tables
from wayfare.analyses.repurchase._candidates import CALENDAR
from wayfare.analyses.repurchase._forecast_given import months_of
from wayfare.analyses.repurchase._forecast_run import Asked, forecast_of
from wayfare.analyses.repurchase._forecast_words import said, warned
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Numbers, Properties, Share
from wayfare.errors import InvalidParameter
from wayfare.result import Columns, Result
from wayfare.study import Study


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
            deviance="Poisson deviance of the holdout a customer: of each one's orders, and of how those of all fall on the weeks; the smallest is best",
            week_error="mean distance of a week's orders from what was expected of it, as a share of a mean week: where seasons show",
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
            season="`seen`: read off at least a year; `given`: that of the calendar; `unseen`: assumed, the season ahead was never observed",
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
    accuracy: Annotated[pa.Table, Columns(measure="its name", score="in the holdout", meaning="what it says")]
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

    season: Annotated[
        pa.Table,
        Columns(
            month="January first",
            multiplier="orders of a customer in this month over those in an average one; empty unless the chosen model has a calendar",
        ),
    ]
    covariates: Annotated[
        pa.Table,
        Columns(
            covariate="a column, or a name in it against the commonest one; numbers by a standard deviation",
            customers="customers of that name, or with the number known",
            on="`rate`: the pace while a customer; `dropout`: the leaving",
            multiplier="of the pace; of the rate of leaving (Pareto/NBD), or of a and b (the others: above 1 customers differ less in their chance to leave)",
            low="lower end of the 90% interval",
            high="upper end",
        ),
    ]

    def draw(self) -> Picture | None:
        """Orders by week: what was expected, with its interval, and what came."""
        from wayfare.analyses.repurchase._forecast_chart import weeks_chart

        return weeks_chart(self) if self.weeks.num_rows else None


@analysis
def forecast(
    study: Study,
    *,
    horizon: Duration = Duration.parse("182d"),
    holdout: Duration | None = None,
    model: Literal[
        "best", "BG/NBD", "MBG/NBD", "Pareto/NBD", "BG/NBD with calendar", "MBG/NBD with calendar"
    ] = "best",
    lifetime: Duration = Duration.parse("1095d"),
    discount: Share = 0.1,
    confidence: Share = 0.9,
    uncertainty: Literal["laplace", "bootstrap"] = "laplace",
    covariates: Properties = (),
    calendar: Numbers = (),
) -> ForecastResult:
    """How many orders will come from the customers we have, from whom, when, and worth how much?

    Buy-till-you-die models (BG/NBD, MBG/NBD, Pareto/NBD, and where a year and a half was seen the better of the first
    two with a season and trend) are fitted on all orders but those of the last weeks, and judged by the Poisson
    deviance of each customer's orders and of how those of all fall on the weeks; a model with a parameter that the data can't tell comes after those without.
    The best is fitted again on all orders; where even that leaves a parameter open, a weak prior holds it. Orders of
    one customer on one day count as one, in weeks from the first order. The value of an order is Gamma-Gamma's, on
    repeat orders. New customers, who have yet to come, are not in the forecast. Intervals of totals hold chance, the
    parameters' doubt, and how far off past quarters and the same forecast made up to four times earlier were; where
    less than a year was seen, a standard deviation of at least 25% is assumed, 10% where a calendar was given. With
    fewer than 50 repeat customers no model is fitted. Beyond 50,000 customers the models are compared as fitted on
    every k-th by name, and the season is read off every k-th beyond 30,000; the chosen model is fitted on all.

    Covariates are each customer's first known values in rows up to the first order, and act on the pace and on the
    leaving: numbers in standard deviations from their mean, names against the commonest one, those of under 50
    customers or 2% together. A calendar that is given takes the place of an estimated one, and the forecast follows
    it whatever the holdout says.

    Args:
        horizon: How far ahead, in whole weeks.
        holdout: The last part of the log that models are judged on, in whole weeks; as long as the horizon, and at
            most a third of the log, unless said.
        model: The model to use; the best in the holdout unless said.
        lifetime: How far ahead lifetime value counts orders.
        discount: By how much money of next year is worth less than today's.
        confidence: Of the intervals of weeks and totals; those of a customer are 80% ranges.
        uncertainty: Where the parameters' doubt comes from: laplace, the likelihood's curvature; bootstrap, fits on
            resampled customers, which takes some eighty fits and holds where the curvature misleads.
        covariates: Columns that say what kind of customer somebody is, such as the channel or the age.
        calendar: A known season: twelve multipliers of the pace, January first, as in 1,1,1,1,1,1,0.8,0.8,1,1,1.3,1.9;
            only their ratios count.
    """
    _checked(confidence, discount)
    asked = Asked(
        horizon, holdout, model, confidence, uncertainty, covariates, months_of(calendar, model, CALENDAR)
    )
    found = forecast_of(whole_histories(study), asked)
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
        season=tables.season(found),
        covariates=tables.covariates(found),
        findings=said(found),
        warnings=warned(found),
    )


def _checked(confidence: float, discount: float) -> None:
    if not 0 < confidence < 1:
        raise InvalidParameter(
            f"A confidence of {confidence:g} can't be used.",
            where="confidence",
            hint="Give a share such as 0.9.",
        )
    if discount >= 1:
        raise InvalidParameter(
            "A discount of 100% leaves nothing of next year.",
            where="discount",
            hint="Give a share such as 0.1.",
        )
