from __future__ import annotations

from collections import defaultdict
from statistics import mean, stdev

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyses.cuts import in_blocks
from wayfare.analyses.journey import stages as module
from wayfare.analyses.journey.dropoff import dropoff
from wayfare.analyses.journey.stages import StagesResult, stages
from wayfare.charts.picture import png
from wayfare.domain.journey import STAGES, JourneyMap, Touchpoint
from wayfare.log import Log, read_events
from wayfare.study import Study

START = pd.Timestamp("2024-01-01", tz="UTC")
NAMES = [stage.value for stage in STAGES]
# event: its stage before and after the first order
PLACED = {
    "ad": ("awareness", None),
    "view": ("consideration", "repurchase"),
    "buy": ("purchase", "repurchase"),
    "survey": ("post_purchase", None),
    "invite": ("advocacy", None),
    "noise": ("none", None),
}
JOURNEY = JourneyMap(
    orders=("buy",),
    touchpoints=tuple(Touchpoint(event=e, stage=s, after_purchase=a) for e, (s, a) in PLACED.items()),
)


def log_of(rows, *, scores: bool = True) -> Log:
    """A log of (customer, day, event, score)."""
    customer, day, event, score = zip(*rows, strict=True) if rows else ((), (), (), ())
    time = START + pd.to_timedelta(np.array(day, dtype="float64"), unit="D")
    frame = pd.DataFrame(
        {"c": pd.array(customer, "string"), "t": time.as_unit("us"), "e": pd.array(event, "string")}
    )
    if scores:
        frame["s"] = np.array(score, dtype=float)
    return read_events(frame, customer="c", time="t", event="e", **({"score": "s"} if scores else {}))


def study_of(rows, **kinds) -> Study:
    return Study(log_of(rows, **kinds), JOURNEY)


NO = np.nan
BY_HAND = [
    ("1", 0, "ad", NO), ("1", 2, "view", NO), ("1", 3, "buy", NO), ("1", 5, "survey", 8), ("1", 6, "view", NO), ("1", 9, "survey", 10),
    ("2", 0, "ad", NO), ("2", 4, "view", NO), ("2", 4, "view", NO), ("2", 5, "noise", 3),
    ("3", 0, "buy", NO), ("3", 7, "survey", 4),
    ("4", 99, "noise", NO),
]  # fmt: skip


def test_a_case_computed_by_hand():
    found = {row["stage"]: row for row in stages(study_of(BY_HAND)).stages.to_pylist()}
    assert list(found) == NAMES
    assert [found[s]["customers"] for s in NAMES] == [2, 2, 2, 2, 1, 0]
    assert [found[s]["share_of_all"] for s in NAMES] == [0.5, 0.5, 0.5, 0.5, 0.25, 0]
    assert [found[s]["events"] for s in NAMES] == [2, 3, 2, 3, 1, 0]
    # Who goes further: 1 and 2 from awareness, 1 from consideration (2 stays there), 1 and 3 from purchase.
    assert [found[s]["next_customers"] for s in NAMES[:4]] == [2, 1, 2, 1]
    assert [found[s]["left"] for s in NAMES[:4]] == [0, 1, 0, 1]
    assert [found[s]["drop_off"] for s in NAMES[:4]] == [0, 0.5, 0, 0.5]
    assert found["awareness"]["median_days_to_next"] == pytest.approx(3, rel=1 / 128)
    after = found["post_purchase"]
    assert (after["scores"], after["mean_score"]) == (3, pytest.approx(22 / 3))
    assert found["purchase"]["scores"] == 0
    assert np.isnan(found["purchase"]["mean_score"])


def test_touchpoints_by_hand_the_largest_first_and_ties_by_name():
    rows = stages(study_of([*BY_HAND, ("5", 1, "ad", NO), ("5", 2, "buy", NO)])).touchpoints.to_pylist()
    assert [(r["stage"], r["touchpoint"], r["customers"], r["events"]) for r in rows] == [
        ("awareness", "ad", 3, 3), ("consideration", "view", 2, 3), ("purchase", "buy", 3, 3),
        ("post_purchase", "survey", 2, 3), ("repurchase", "view", 1, 1),
    ]  # fmt: skip
    assert [r["share"] for r in rows] == [1, 1, 1, 1, 1]


def test_one_score_a_customer_has_the_t_interval_of_a_mean():
    scores = [7, 9, 4, 10, 6, 8]
    found = stages(study_of([(str(i), 0, "survey", s) for i, s in enumerate(scores)])).stages.to_pylist()[3]
    # t(0.975, 5) = 2.5706 (Student's table)
    half = 2.5706 * stdev(scores) / len(scores) ** 0.5
    assert found["mean_score"] == pytest.approx(mean(scores))
    assert (found["score_low"], found["score_high"]) == pytest.approx(
        (mean(scores) - half, mean(scores) + half), rel=1e-4
    )


def test_the_same_answer_of_one_customer_twice_adds_no_certainty():
    once = stages(
        study_of([(str(i), 0, "survey", s) for i, s in enumerate((7, 9, 4, 10))])
    ).stages.to_pylist()[3]
    twice = stages(
        study_of([(str(i), d, "survey", s) for i, s in enumerate((7, 9, 4, 10)) for d in (0, 1)])
    ).stages.to_pylist()[3]
    assert twice["scores"] == 2 * once["scores"]
    assert (twice["score_low"], twice["score_high"]) == pytest.approx((once["score_low"], once["score_high"]))


def test_losses_are_those_of_dropoff():
    study = study_of(
        [(str(n), d, e, NO) for n in range(40) for d, e in enumerate(("ad", "view", "buy")[: 1 + n % 3])]
    )
    ours = {row["stage"]: row for row in stages(study, patience="1h").stages.to_pylist()}
    for theirs in study.result(dropoff, patience="1h").stages.to_pylist():
        row = ours[theirs["stage"]]
        assert (row["next_customers"], row["left"], row["pending"]) == (
            theirs["went_on"],
            theirs["left"],
            theirs["pending"],
        )
        assert row["customers"] == theirs["touched"]
        assert row["drop_off"] == pytest.approx(1 - theirs["rate"], nan_ok=True)


def oracle(rows):
    """Touchpoints as {(stage, event): (customers, events)} and scores as {stage: [scores]}."""
    who, times, scores, bought = defaultdict(set), defaultdict(int), defaultdict(list), {}
    ordered = sorted(enumerate(rows), key=lambda it: (it[1][0], it[1][1], it[0]))
    for _, (customer, day, event, score) in ordered:
        before, after = PLACED[event]
        since = bought.get(customer)
        ordered_before = since is not None and not (event == "buy" and day == since)
        stage = (after or before) if ordered_before else before
        if event == "buy" and since is None:
            bought[customer] = day
        if stage == "none":
            continue
        who[stage, event].add(customer)
        times[stage, event] += 1
        if not np.isnan(score):
            scores[stage].append(score)
    return {key: (len(who[key]), times[key]) for key in who}, scores


LOGS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 12), st.sampled_from(sorted(PLACED)), st.sampled_from([NO, NO, 0.0, 4.0, 9.5])),
    min_size=1, max_size=50,
)  # fmt: skip


@settings(max_examples=30)
@given(LOGS, st.integers(1, 4))
def test_touchpoints_and_scores_match_an_oracle_wherever_blocks_are_cut(rows, customers):
    log = log_of(rows)
    result = stages(Study(in_blocks(log, customers), JOURNEY))
    touched, scores = oracle(rows)
    found = {
        (r["stage"], r["touchpoint"]): (r["customers"], r["events"]) for r in result.touchpoints.to_pylist()
    }
    assert found == touched
    for row in result.stages.to_pylist():
        given_here = scores.get(row["stage"], [])
        assert row["scores"] == len(given_here)
        assert row["mean_score"] == pytest.approx(mean(given_here) if given_here else NO, nan_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_DENSE", -1)  # as for blocks with very many customers and touchpoints
        assert result.to_json() == stages(Study(log, JOURNEY)).to_json()


@pytest.mark.parametrize("rows", [[], [("1", 0, "view", NO)], [("1", 0, "noise", NO)]])
@pytest.mark.parametrize("scores", [True, False])
def test_too_few_to_say(rows, scores):
    result = stages(study_of(rows, scores=scores))
    assert result.stages.num_rows == 6
    assert result.findings[0].text.startswith("Too few customers")
    assert StagesResult.from_dict(result.to_dict()).to_dict()["tables"] == result.to_dict()["tables"]
    assert (result.chart() is None) == all(event != "view" for _, _, event, _ in rows)


def test_the_findings_name_the_stage_that_loses_most_and_its_map_says_so():
    rows = [
        (str(n), d, e, 7.0)
        for n in range(90)
        for d, e in enumerate(("ad", "view", "buy", "survey")[: 1 + n % 4])
    ]
    result = stages(study_of([*rows, ("late", 400, "noise", NO)]))
    # Of 90 customers 23, 23, 22 and 22 stop at each stage: the first of the two largest. Wilson: 0.176 to 0.355.
    assert result.findings[0].text == (
        "No stage loses more customers than awareness: 23 of 90 went no further (26%; 95% interval 18% to 35%)."
    )
    picture = result.chart()
    assert picture.title == result.findings[0].text
    assert png(picture).startswith(b"\x89PNG")
