"""What to fix and what to add first: must-haves, then satisfiers, then delighters, by what is at stake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa

from wayfare.analyses._observed import whole_histories
from wayfare.analyses.journey.dropoff import dropoff
from wayfare.analyses.kano import _launches as launching
from wayfare.analyses.kano import _priority_tables as tables
from wayfare.analyses.kano import _stated as stated
from wayfare.analyses.kano._at_stake import Stake, stake_of
from wayfare.analyses.kano._moods import contentment, moods_fold
from wayfare.analyses.kano._priority_words import findings_of
from wayfare.analyses.kano._respondents import Sample, respondents_fold, sample_of
from wayfare.analyses.kano._scales import Rated
from wayfare.analyses.kano.kano import kano
from wayfare.analyses.kano.kano_derived import kano_derived
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.journey import STAGES
from wayfare.domain.parameters import Share
from wayfare.domain.segment import Segment
from wayfare.errors import InvalidParameter
from wayfare.histories.filter import Condition, compile_segment
from wayfare.result import Columns, Result
from wayfare.study import Study

_DERIVED_FIRST = ("overall satisfaction", "re-purchase", "staying")


@dataclass(frozen=True, kw_only=True)
class KanoPrioritiesResult(Result):
    """Features in the order in which to work on them, what launches brought, and where the next delighter belongs."""

    observational: ClassVar[str] = (
        "unhappy customers differ from others in more than the orders before, and before a launch other things were "
        "different too; only a comparison with customers held out by chance is an experiment."
    )

    priorities: Annotated[
        pa.Table,
        Columns(
            rank="the place in the order of work",
            feature="the feature, or the rated question where no feature was asked about",
            category="M, O, A, I, R or Q: must-haves first, then satisfiers, then delighters; null where too few",
            basis="asked with Kano's questions, or derived from ratings, which is weaker",
            category_probability="how likely this category is",
            question="the rated question that says who is unhappy with it",
            rated="customers who rated it",
            unhappy="of those, who rated it below the middle of its scale (NPS: 0 to 6), by the latest rating; null where nobody rated it",
            unhappy_share="unhappy of rated",
            unhappy_share_low="lower end of its 95% interval (Wilson)",
            unhappy_share_high="upper end",
            repurchase_difference="how much larger a share of the others ordered again within the window, at equal orders before",
            repurchase_difference_low="lower end of its 95% interval",
            repurchase_difference_high="upper end",
            value_at_stake="unhappy × difference × value ordered within the window by who orders again × margin",
            value_at_stake_low="lower end of its 95% interval",
            value_at_stake_high="upper end",
            cost="what fixing it costs, as stated; null where nothing was",
            value_per_cost="value at stake for each unit of cost",
            cs_plus="CS+ where it was asked",
            cs_minus="CS− where it was asked",
            note="what can't be said, and why",
        ),
    ]
    launches: Annotated[
        pa.Table,
        Columns(
            feature="the feature that was launched",
            launched="when",
            comparison="holdout: with against those held out, after it; before and after: customers of after against those of before",
            customers_without="customers who ordered, without the feature",
            customers_with="customers who ordered, with it",
            repurchase_without="share of those without it who ordered again within the window",
            repurchase_with="share of those with it who did",
            repurchase_change="the difference of the two",
            repurchase_change_low="lower end of its 95% interval (Newcombe)",
            repurchase_change_high="upper end",
            value_change="difference of the mean value ordered again within the window",
            value_change_low="lower end of its 95% interval (Welch)",
            value_change_high="upper end",
            gain="value_change × customers with it × margin",
            gain_low="lower end of its 95% interval",
            gain_high="upper end",
            cost="what it cost, as stated; null where nothing was",
            return_on_investment="(gain − cost) / cost, over the customers and the window that were seen",
            return_on_investment_low="lower end of its 95% interval",
            return_on_investment_high="upper end",
            note="what can't be said, and why",
        ),
    ]
    next_delighter: Annotated[
        pa.Table,
        Columns(
            rank="where a delighter should come next; null where there is one, or nothing is known",
            stage="the stage of the journey",
            satisfaction="mean place of the scores given on it on their scales, 0 worst and 1 best",
            satisfaction_low="lower end of its 95% interval",
            satisfaction_high="upper end",
            scores="scores that it rests on",
            left="customers who went no further than this stage and fell silent",
            delighters="delighters that are there already",
        ),
    ]

    def draw(self) -> Picture | None:
        """Features in the order of work, by how many are unhappy and what is at stake."""
        from wayfare.analyses.kano._priority_picture import order_of_work

        return order_of_work(self)


@analysis
def kano_priorities(
    study: Study,
    *,
    costs: tuple[str, ...] = (),
    ratings: tuple[str, ...] = (),
    places: tuple[str, ...] = (),
    launches: tuple[str, ...] = (),
    holdout: str | None = None,
    within: Duration = Duration.parse("90d"),
    margin: Share = 1.0,
) -> KanoPrioritiesResult:
    """Which feature should be fixed or added first, what is at stake, what did a delighter bring, and where should the next go?

    Must-haves come before satisfiers, and these before delighters (`kano`; where a rated question belongs to no feature that
    was asked about, its class is that of `kano_derived`, which is weaker). Within a class the order is that of value at stake
    less stated cost, then of how many are unhappy. Unhappy is who rates it below the middle of the scale (NPS 0–6).
    Value at stake is the unhappy × how many fewer of them order again within the window than of the others with as many
    orders before (0, 1, 2–3, 4 and more) × what those who order again order in it: observational, and only of those who
    rated; under 10 unhappy or other customers too few to say.

    A launch is judged by customers who ordered in the time `within` after it, or as much of it as the log's end leaves: what they
    ordered again within the window, against customers who did the same before the launch, all of whose window lies before
    it, and, where some are held out, against those. Under 30 customers on a side it is too few to say.

    A delighter should come next at the stage without one whose scores are lowest and that most customers leave, both by
    rank. A score belongs to the touchpoint that it names, or else to the last event before it.

    Args:
        costs: What fixing or building a feature costs, as `feature=amount`.
        ratings: Which question rates a feature, as `feature=question`; else the one of the same name.
        places: At which stage a delighter is, as `feature=stage` or `feature=event`; else where the event of the same name is.
        launches: When a feature was launched, as `feature=2024-05-01`.
        holdout: The customers who did not get what was launched, as a segment such as `group=holdout`.
        within: How long after an answer or an order another order counts.
        margin: The share of an order's value that is left.
    """
    money, dates = stated.amounts(costs, "costs"), stated.days(launches, "launches")
    since, whole = study.log.condition.since, whole_histories(study)
    people, rated = respondents_fold(whole, since, within.microseconds, (), (), ())
    moods = moods_fold(whole, since, rated, people.place, people.per_event)
    windows = {
        name: launching.stretches(study.log.moment(day), within.microseconds, study.log.ends)
        for name, day in dates.items()
    }
    cohorts = launching.Cohorts(
        whole.stages, tuple(w for w in windows.values() if w), within.microseconds, _held_out(study, holdout)
    )
    found, felt, sums = whole.fold_all([people, moods, cohorts])
    sample = sample_of(whole, people, rated, found)
    asked, derived = study.result(kano).tables["features"], _derived(study, within)
    taken = stated.match(
        asked["feature"].to_pylist(), [q.key for q in sample.rated], stated.pairs(ratings, "ratings", "delivery=delivery_rating"),
        "ratings",
    )  # fmt: skip
    features = tables.features_of(asked, derived, taken)
    order = tables.priority_table(features, _stakes(study, sample, margin), money)
    launched = tables.launch_table(_launch_rows(dates, windows, sums, margin, money, holdout is not None))
    delighters = [feature["feature"] for feature in features if feature["category"] == "A"]
    where = _places(study, delighters, places)
    stages = _stages(study, rated, sample, felt, where)
    return KanoPrioritiesResult(
        priorities=order, launches=launched, next_delighter=stages,
        findings=findings_of(study, order.to_pylist(), launched.to_pylist(), stages.to_pylist(), round(within.days),
 [name for name in delighters if name not in where]),
    )  # fmt: skip


def _held_out(study: Study, holdout: str | None) -> Condition | None:
    if holdout is None:
        return None
    log = study.log
    return compile_segment(
        Segment.parse(holdout), log.schema, lambda column, name: log.names(column).code(name)
    )


def _derived(study: Study, within: Duration) -> pa.Table:
    """The derived classes, those against overall satisfaction before those against what customers did."""
    classes = study.result(kano_derived, within=within).tables["classes"]
    rows = classes.to_pylist()
    order = sorted(range(len(rows)), key=lambda i: (_DERIVED_FIRST.index(rows[i]["against"]), i))
    return classes.take(pa.array(order, pa.int64()))


def _stakes(study: Study, sample: Sample, margin: float) -> dict[str, Stake]:
    has_value = "value" in study.log.schema
    return {
        q.key: stake_of(sample, place, margin, has_value=has_value) for place, q in enumerate(sample.rated)
    }


def _launch_rows(
    dates: Mapping[str, Any],
    windows: Mapping[str, Any],
    sums: Any,
    margin: float,
    money: Mapping[str, float],
    held_out: bool,
) -> list[dict[str, Any]]:
    rows, number = [], 0
    kinds = [("holdout", launching.HELD_OUT)] if held_out else []
    for feature, day in dates.items():
        cost = money.get(feature)
        for comparison, without in [*kinds, ("before and after", launching.BEFORE)]:
            named = {"feature": feature, "launched": day.isoformat(), "comparison": comparison,
                     "cost": np.nan if cost is None else cost}  # fmt: skip
            if windows[feature] is None:
                told = launching.compared(np.zeros(4), np.zeros(4), margin, cost)
                told["note"] = "the window after it is not over yet"
            else:
                told = launching.compared(sums[number, without], sums[number, launching.AFTER], margin, cost)
            rows.append(named | told)
        number += windows[feature] is not None
    return rows


def _stages(
    study: Study, rated: Sequence[Rated], sample: Sample, felt: Any, where: Mapping[str, str]
) -> pa.Table:
    scales = {q.key: q for q in sample.rated}
    moods = contentment(felt, [scales.get(q.key) for q in rated])
    losses = {row["stage"]: int(row["left"]) for row in study.result(dropoff).tables["stages"].to_pylist()}
    delighters: dict[str, list[str]] = {}
    for feature, stage in sorted(where.items()):
        delighters.setdefault(stage, []).append(feature)
    return tables.stage_table(moods, losses, delighters)


def _places(study: Study, names: Sequence[str], places: tuple[str, ...]) -> dict[str, str]:
    """The stage of each delighter that has one."""
    events = {t.event: str(t.stage) for t in study.journey.touchpoints if t.stage != "none"}
    said = stated.pairs(places, "places", "gift wrap=post_purchase")
    known = {stage.value for stage in STAGES}
    for feature, place in said.items():
        if place not in known and place not in events:
            raise InvalidParameter(
                f"{place!r} is neither a stage nor a touchpoint of the journey.", where="places",
                allowed=[*sorted(known), *sorted(events)[:30]], hint=f"Write {feature}=post_purchase.",
            )  # fmt: skip
    found = {name: events[event] for name, event in stated.match(names, list(events), {}, "places").items()}
    return found | {name: events.get(place, place) for name, place in said.items()}
