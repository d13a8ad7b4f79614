from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyses.cuts import in_blocks
from wayfare.analyses.journey.dropoff import dropoff
from wayfare.charts.picture import png
from wayfare.domain.journey import STAGES, JourneyMap, Touchpoint
from wayfare.log import read_events
from wayfare.study import Study

START = pd.Timestamp("2024-01-01", tz="UTC")
NAMES = [stage.value for stage in STAGES]
# event: its stage before and after the first order
PLACED = {
    "ad": ("awareness", None),
    "view": ("consideration", "repurchase"),
    "buy": ("purchase", "repurchase"),
    "parcel": ("post_purchase", None),
    "invite": ("advocacy", None),
    "noise": ("none", None),
    "refund": ("post_purchase", None),
}
JOURNEY = JourneyMap(
    orders=("buy",),
    touchpoints=tuple(Touchpoint(event=e, stage=s, after_purchase=a) for e, (s, a) in PLACED.items()),
)


def study_of(rows, *, values: bool = True) -> Study:
    """A study of (customer, day, event, value)."""
    customer, day, event, value = zip(*rows, strict=True) if rows else ((), (), (), ())
    time = START + pd.to_timedelta(np.array(day, dtype="float64"), unit="D")
    frame = pd.DataFrame(
        {"c": pd.array(customer, "string"), "t": time.as_unit("us"), "e": pd.array(event, "string")}
    )
    frame["v"] = np.array(value, dtype=float)
    log = read_events(frame, customer="c", time="t", event="e", **({"value": "v"} if values else {}))
    return Study(log, JOURNEY)


def by_stage(result) -> dict[str, dict]:
    return {row["stage"]: row for row in result.stages.to_pylist()}


BY_HAND = [
    ("1", 0, "ad", np.nan), ("1", 2, "view", np.nan), ("1", 3, "buy", 50.0),  # goes on twice
    ("2", 0, "ad", np.nan), ("2", 4, "view", np.nan), ("2", 5, "noise", np.nan),  # left at consideration
    ("3", 0, "view", np.nan), ("3", 1, "ad", np.nan),  # the ad comes too late to be a stage reached
    ("4", 0, "ad", np.nan), ("4", 6, "buy", 10.0),  # skips consideration
    ("5", 190, "ad", np.nan),  # pending
    ("6", 0, "ad", np.nan),  # left at awareness
    ("7", 200, "view", np.nan),  # pending; the log's last event
]  # fmt: skip


def test_a_staircase_climbed_by_hand():
    found = by_stage(dropoff(study_of(BY_HAND)))
    assert list(found) == ["awareness", "consideration", "purchase"]
    columns = ("customers", "went_on", "left", "pending", "touched")
    assert [found["awareness"][c] for c in columns] == [5, 3, 1, 1, 6]
    assert [found["consideration"][c] for c in columns] == [4, 1, 2, 1, 4]
    # The last stage of this log: nobody leaves it.
    assert [found["purchase"][c] for c in columns] == [2, 0, 0, 0, 2]
    assert found["awareness"]["rate"] == pytest.approx(3 / 4)
    assert found["awareness"]["median_seconds"] == pytest.approx(4 * 86_400, rel=1 / 256)
    assert np.isnan(found["purchase"]["rate"])


def test_what_those_who_left_did_last_and_where_the_others_went():
    result = dropoff(study_of(BY_HAND))
    assert result.instead.to_pylist() == [
        {"stage": "awareness", "event": "ad", "customers": 1, "share": 1.0},
        {"stage": "consideration", "event": "ad", "customers": 1, "share": 0.5},
        {"stage": "consideration", "event": "noise", "customers": 1, "share": 0.5},
    ]
    assert result.onward.to_pylist() == [
        {"stage": "awareness", "next": "consideration", "customers": 2, "share": pytest.approx(2 / 3)},
        {"stage": "awareness", "next": "purchase", "customers": 1, "share": pytest.approx(1 / 3)},
        {"stage": "consideration", "next": "purchase", "customers": 1, "share": 1.0},
    ]


def test_a_leak_has_the_price_of_those_who_went_on():
    rows = [("z", 400, "noise", np.nan)]
    for i in range(20):
        rows += [(f"on{i}", 0, "view", np.nan), (f"on{i}", 1, "buy", 40.0 + 20 * (i % 2))]
        rows += [
            (f"on{i}", 9, "refund", -10.0),
            (f"on{i}", 300, "buy", 999.0),
        ]  # the last is beyond the horizon
    rows += [(f"off{i}", 0, "view", np.nan) for i in range(30)]
    result = dropoff(study_of(rows))
    found = by_stage(result)["consideration"]
    # 10 of 40 and 10 of 60, less 10 each; those who left brought nothing. The t interval of the mean with
    # n = 20, sum of squared deviations 2000, t(.975, 19) = 2.0930: 40 ± 4.8018.
    assert found["worth_on"] == pytest.approx(40)
    assert found["worth_left"] == 0
    assert found["price"] == pytest.approx(30 * 40)
    assert found["price_low"] == pytest.approx(30 * (40 - 4.8018), rel=1e-4)
    assert found["price_high"] == pytest.approx(30 * (40 + 4.8018), rel=1e-4)
    first = result.findings[0]
    assert first.money == pytest.approx(1_200)
    assert first.customers == 30
    assert "Consideration lost 30 of 50 customers since 2024-01-01 (60%" in first.text
    assert (
        "worth at most EUR 1,200 (1,056 to 1,344) over 180 days; most often after view (100%)." in first.text
    )
    assert any("Observational" in warning for warning in result.warnings)


def test_without_values_a_leak_has_no_price_and_is_told_by_customers():
    rows = [(f"{i}", 0, "view", np.nan) for i in range(30)] + [(f"{i}", 1, "buy", np.nan) for i in range(12)]
    result = dropoff(study_of([*rows, ("z", 400, "noise", np.nan)], values=False))
    assert np.isnan(by_stage(result)["consideration"]["price"])
    assert result.findings[0].money is None
    assert result.findings[0].customers == 18
    assert png(result.chart(), scale=1).startswith(b"\x89PNG")


def test_nobody_left_is_not_too_few_to_say():
    rows = [(f"{i}", day, event, np.nan) for i in range(30) for day, event in ((0, "view"), (1, "buy"))]
    assert dropoff(study_of([*rows, ("z", 400, "noise", np.nan)])).findings[0].text == (
        "Nobody has left before the last stage, Purchase: whoever has not gone on was active in the last 30 days of the log."
    )
    assert dropoff(study_of([*rows[::2], ("z", 400, "noise", np.nan)])).findings[0].text == (
        "All that is recorded is of one stage, Consideration, so that no drop-off can be told."
    )


def oracle(rows, patience=30, horizon=180):
    histories = defaultdict(list)
    for customer, day, event, value in sorted(rows, key=lambda row: (row[0], row[1])):
        histories[customer].append((day, event, value))
    ends = max(row[1] for row in rows)
    counts, instead, onward = defaultdict(Counter), Counter(), Counter()
    took, worth = defaultdict(list), defaultdict(lambda: defaultdict(list))
    used = set()
    for history in histories.values():
        climbed, ordered = [], False
        for day, event, _ in history:
            before, after = PLACED[event]
            stage = after if ordered and after else before
            ordered |= event == "buy"
            if stage == "none":
                continue
            used.add(NAMES.index(stage))
            if not climbed or NAMES.index(stage) > climbed[-1][0]:
                climbed.append((NAMES.index(stage), day))
        for i, (stage, day) in enumerate(climbed):
            value = sum(
                v
                for d, e, v in history
                if day <= d < day + horizon and not np.isnan(v) and (e == "buy" or v < 0)
            )
            counts[stage]["customers"] += 1
            if i + 1 < len(climbed):
                group = "went_on"
                took[stage].append(climbed[i + 1][1] - day)
                onward[stage, climbed[i + 1][0]] += 1
            else:
                group = "pending" if ends - history[-1][0] < patience else "left"
            counts[stage][group] += 1
            if group == "left":
                instead[stage, history[-1][1]] += 1
            if day + horizon <= ends:
                worth[stage][group].append(value)
    last = max(used, default=-1)
    return counts, took, worth, {k: n for k, n in instead.items() if k[0] != last}, onward, last


history = st.tuples(
    st.sampled_from("1234567"),
    st.integers(0, 400),
    st.sampled_from(list(PLACED)),
    st.sampled_from([np.nan, 10.0, 25.5, -4.0]),
)


@settings(max_examples=25)
@given(
    rows=st.lists(history, min_size=1, max_size=50, unique_by=lambda row: (row[0], row[1])), cut=st.booleans()
)
def test_stages_are_those_of_a_plain_loop(rows, cut):
    study = study_of(rows)
    result = dropoff(Study(in_blocks(study.log, 1), JOURNEY) if cut else study)
    counts, took, worth, instead, onward, last = oracle(rows)
    for row in result.stages.to_pylist():
        stage = NAMES.index(row["stage"])
        assert row["customers"] == counts[stage]["customers"]
        if stage == last:
            assert (row["went_on"], row["left"], row["pending"]) == (0, 0, 0)
            continue
        for name in ("went_on", "left", "pending"):
            assert row[name] == counts[stage][name]
        if took[stage]:
            assert row["median_seconds"] == pytest.approx(86_400 * median(took[stage]), rel=1 / 250)
        for column, group in (("worth_on", "went_on"), ("worth_left", "left")):
            expected = worth[stage][group]
            assert row[column] == pytest.approx(np.mean(expected) if expected else np.nan, nan_ok=True)
            assert row[column.replace("worth", "observed")] == len(expected)
    found = {(NAMES.index(r["stage"]), r["event"]): r["customers"] for r in result.instead.to_pylist()}
    assert found == instead
    assert {
        (NAMES.index(r["stage"]), NAMES.index(r["next"])): r["customers"] for r in result.onward.to_pylist()
    } == onward


def test_patience_decides_who_is_pending():
    rows = [("1", 0, "ad", np.nan), ("2", 80, "ad", np.nan), ("3", 100, "view", np.nan)]
    assert by_stage(dropoff(study_of(rows), patience="30d"))["awareness"]["pending"] == 1
    assert by_stage(dropoff(study_of(rows), patience="20d"))["awareness"]["pending"] == 0
    assert by_stage(dropoff(study_of(rows), patience="21d"))["awareness"]["pending"] == 1


@pytest.mark.parametrize("rows", [[], [("1", 0, "noise", np.nan)]])
def test_without_a_stage_there_is_nothing_to_tell(rows):
    result = dropoff(study_of(rows))
    assert result.stages.num_rows == result.instead.num_rows == result.onward.num_rows == 0
    assert "No event here stands for a stage" in result.findings[0].text
    assert result.chart() is None
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()


def test_few_customers_are_said_to_be_too_few_and_the_result_comes_back_from_json():
    result = dropoff(study_of(BY_HAND))
    assert result.findings[0].text.startswith("Too few to say")
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()
    assert png(result.chart(), scale=1).startswith(b"\x89PNG")
