from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.analyses.kano.surveys import CELL, WORKED, by_feature, log_of, pair_rows, worked
from wayfare.domain.survey import Survey
from wayfare.errors import InvalidParameter
from wayfare.study import Study

MAIN = ["feature", "A", "O", "M", "I", "R", "Q", "n", "category", "category_probability", "total_strength",
        "category_strength", "cs_plus", "cs_minus", "top_two_p"]  # fmt: skip


def fair_coin(a: int, b: int) -> float:
    """The two-sided exact test, in whole numbers: all splits of a + b at least as uneven."""
    low = min(a, b)
    tail = sum(comb(a + b, k) for k in range(low + 1))
    return float(min(Fraction(2 * tail, 2 ** (a + b)), Fraction(1)))


def test_the_main_table_is_as_promised():
    assert wf.kano(worked()).features.column_names == MAIN


# REFERENCE.md, worked example, n = 296: category by the rule; TS and CatS in %; CS+ and CS−.
PUBLISHED = {
    "service app": ("O", 89, 9, 0.568, -0.736),
    "excellent service": ("M", 71, 7, 0.372, -0.534),
    "hotline": ("A", 54, 1, 0.511, -0.137),
    "loan machine": ("O", 83, 2, 0.608, -0.514),
    "return": ("I", 37, 32, 0.352, -0.094),
}


def test_the_worked_example():
    found = by_feature(wf.kano(worked()).features)
    assert set(found) == set(WORKED)
    for feature, (category, total, strength, plus, minus) in PUBLISHED.items():
        row = found[feature]
        assert tuple(row[c] for c in "MOAIRQ") == WORKED[feature]
        assert row["n"] == 296
        assert row["category"] == category
        assert round(100 * row["total_strength"]) == total
        assert round(100 * row["category_strength"]) == strength
        assert round(row["cs_plus"], 3) == plus
        assert round(row["cs_minus"], 3) == minus
        first, second = sorted(WORKED[feature])[:-3:-1]
        assert row["top_two_p"] == pytest.approx(fair_coin(first, second), rel=1e-9)


def test_must_haves_come_first_then_satisfiers_then_delighters():
    assert wf.kano(worked()).features["category"].to_pylist() == ["M", "O", "O", "A", "I"]


def test_the_mode_is_another_rule():
    found = by_feature(wf.kano(worked(), rule="mode").features)
    assert (found["hotline"]["category"], found["loan machine"]["category"]) == ("I", "A")  # REFERENCE.md


def test_fongs_test_stands_beside_the_exact_one():
    certainty = by_feature(wf.kano(worked()).certainty)
    row = certainty["service app"]
    assert row["fong_difference"] == pytest.approx(1.65 * np.sqrt(218 * (592 - 218) / 592))  # Fong 1996
    assert row["fong_distinct"] is True
    assert (row["first"], row["second"]) == ("O", "M")


def test_continuous_scores_show_the_spread():
    # 10 like/dislike (4 and 4) and 10 neutral/neutral (0 and 0): the mean is 2 and nobody is there.
    log = log_of(pair_rows("f", {"O": 10, "I": 10}))
    row = by_feature(wf.kano(log).scores)["f"]
    assert row["functional"] == row["dysfunctional"] == 2
    assert row["functional_sd"] == pytest.approx(np.std([4] * 10 + [0] * 10, ddof=1))
    assert row["correlation"] == pytest.approx(1)
    assert row["importance"] is None or np.isnan(row["importance"])
    assert row["importance_n"] == 0


def test_importance_has_an_interval():
    rows = pair_rows("f", {"O": 4}, importance=5.0)
    for row, value in zip(rows, (3, 5, 7, 9), strict=True):
        row["importance"] = float(value)
    row = by_feature(wf.kano(log_of(rows)).scores)["f"]
    # Mean 6, standard deviation √(20/3), Student's t with 3 degrees of freedom: 3.182.
    assert row["importance"] == 6
    assert row["importance_sd"] == pytest.approx(np.sqrt(20 / 3))
    assert row["importance_high"] == pytest.approx(6 + 3.182446 * np.sqrt(20 / 3) / 2, rel=1e-6)
    assert row["importance_n"] == 4


def test_the_last_answer_of_a_respondent_counts_and_each_wave_has_its_own():
    rows = [
        *pair_rows("f", {"A": 1}, time="2023-02-01", wave="w2023"),
        *pair_rows("f", {"I": 1}, time="2023-03-01", wave="w2023"),
        *pair_rows("f", {"M": 1}, time="2024-02-01", wave="w2024"),
    ]
    result = wf.kano(log_of(rows))
    assert by_feature(result.features)["f"]["M"] == 1
    assert by_feature(result.features)["f"]["n"] == 1
    assert [(r["wave"], r["I"], r["M"], r["n"]) for r in result.waves.to_pylist()] == [
        ("w2023", 1, 0, 1),
        ("w2024", 0, 1, 1),
    ]


def test_waves_whose_names_are_numbers():
    rows = [
        *pair_rows("f", {"A": 2}, time="2023-02-01", wave="2023"),
        *pair_rows("f", {"M": 1}, time="2024-02-01", wave="2024"),
    ]
    waves = wf.kano(log_of(rows)).waves.to_pylist()
    assert [(r["wave"], r["A"], r["M"]) for r in waves] == [("2023", 2, 0), ("2024", 0, 1)]


def test_a_delighter_becomes_a_must_have():
    shares = {"2022": {"A": 120, "O": 30, "M": 10, "I": 40}, "2023": {"A": 70, "O": 40, "M": 50, "I": 40},
              "2024": {"A": 15, "O": 40, "M": 115, "I": 30}}  # fmt: skip
    rows = []
    for year, counts in shares.items():
        rows += pair_rows("free delivery", counts, prefix=f"x{year}", time=f"{year}-05-01")
        rows += pair_rows("gift wrap", {"I": 150, "A": 50}, prefix=f"x{year}", time=f"{year}-05-01")
    result = wf.kano(log_of(rows), waves="year")
    changes = {(r["feature"], r["from_wave"], r["to_wave"]): r for r in result.changes.to_pylist()}
    whole = changes["free delivery", "2022", "2024"]
    assert (whole["from_category"], whole["to_category"], whole["significant"]) == ("A", "M", True)
    # CS−: −40/200 then, −155/200 since.
    assert whole["cs_minus_change"] == pytest.approx(-155 / 200 + 40 / 200)
    assert whole["cs_minus_change_low"] < whole["cs_minus_change"] < whole["cs_minus_change_high"] < 0
    assert whole["moved"] > 0.99
    assert not changes["gift wrap", "2022", "2024"]["significant"]
    assert ("free delivery", "2022", "2023") in changes
    said = next(f.text for f in result.findings if "was a delighter" in f.text)
    assert said.startswith(
        "Free delivery was a delighter in 2022 and is a must-have in 2024: CS− moved by −0.57"
    )


def test_waves_of_calendar_quarters_in_the_zone():
    rows = [
        *pair_rows("f", {"A": 3}, prefix="a", time="2024-03-31 21:30"),
        *pair_rows("f", {"M": 2}, prefix="b", time="2024-03-31 22:30"),  # 1 April in Berlin
    ]
    frame = pd.DataFrame(rows)
    frame["time"] = pd.to_datetime(frame["time"]).dt.tz_localize("UTC")
    columns = {name: name for name in frame.columns if name not in ("customer", "time", "event")}
    log = wf.read_events(
        frame, customer="customer", time="time", event="event", zone="Europe/Berlin", **columns
    )
    waves = wf.kano(log, waves="quarter").waves.to_pylist()
    assert [(r["wave"], r["A"], r["M"]) for r in waves] == [("2024-Q1", 3, 0), ("2024-Q2", 0, 2)]


def test_a_group_that_sees_it_otherwise():
    rows = [
        *pair_rows("chat", {"A": 90, "I": 30}, prefix="young", persona="young"),
        *pair_rows("chat", {"M": 20, "I": 100}, prefix="old", persona="old"),
        *pair_rows("price", {"O": 80, "I": 40}, prefix="young", persona="young"),
        *pair_rows("price", {"O": 80, "I": 40}, prefix="old", persona="old"),
    ]
    result = wf.kano(log_of(rows), by="persona")
    groups = {(r["group"], r["feature"]): r for r in result.groups.to_pylist()}
    assert groups["young", "chat"]["category"] == "A"
    assert groups["young", "chat"]["others_category"] == "I"
    assert groups["young", "chat"]["significant"]
    assert groups["young", "chat"]["cs_plus_difference"] == pytest.approx(90 / 120)
    assert not groups["old", "price"]["significant"]
    assert any(
        f.text.startswith("Where persona is young, chat is a delighter") for f in result.findings
    ) or any(f.text.startswith("Where persona is old, chat is indifferent") for f in result.findings)


def test_a_group_known_of_the_customer_only():
    rows = [
        *pair_rows("chat", {"A": 2}, prefix="x", persona=None),
        {"customer": "x00000", "time": "2024-01-01", "event": "visit", "persona": "young"},
    ]
    groups = wf.kano(log_of(rows), by="persona").groups.to_pylist()
    assert [(r["group"], r["n"]) for r in groups] == [("young", 1), ("(unknown)", 1)]


def test_many_groups_are_put_together():
    rows = [
        row for i in range(20) for row in pair_rows("f", {"A": 40 - i}, prefix=f"g{i}", city=f"city {i:02d}")
    ]
    groups = wf.kano(log_of(rows), by="city").groups.to_pylist()
    assert len(groups) == 13
    assert groups[-1]["group"] == "(other)"
    assert sum(row["n"] for row in groups) == sum(40 - i for i in range(20))


@pytest.mark.parametrize("n", [40])
def test_with_40_answers_the_top_two_cannot_be_told_apart(n):
    # True shares .40 and .25; the p value is computed apart, the number needed is checked by simulation.
    result = wf.kano(log_of(pair_rows("f", {"A": 16, "O": 10, "M": 8, "I": 6})))
    row = by_feature(result.features)["f"]
    assert row["n"] == n
    assert row["top_two_p"] == pytest.approx(fair_coin(16, 10))
    assert row["top_two_p"] > 0.05
    needed = by_feature(result.certainty)["f"]["answers_needed"]
    rng = np.random.default_rng(1)
    told = {}
    for size in (n, needed):
        drawn = rng.multinomial(size, [0.4, 0.25, 0.35], 2000)[:, :2]
        told[size] = np.mean([a > b and fair_coin(int(a), int(b)) < 0.05 for a, b in drawn])
    assert told[n] < 0.4
    assert told[needed] == pytest.approx(0.8, abs=0.04)
    assert any(
        "can't be told from the next category" in f.text and f"{needed:,} answers" in f.text
        for f in result.findings
    )


def test_too_few_to_say():
    result = wf.kano(log_of(pair_rows("f", {"A": 5})))
    assert result.findings[0].text.startswith("Too few to say: 1 feature asked about, 5 answers")
    assert by_feature(result.features)["f"]["category"] == "A"
    assert result.chart() is not None


def test_straight_liners_are_told_and_can_be_left_out():
    rows = [
        *pair_rows("f", {"A": 40}, straight_line=False),
        *pair_rows("f", {"Q": 10}, prefix="s", straight_line=True),
    ]
    counted, without = wf.kano(log_of(rows)), wf.kano(log_of(rows), straight_liners="leave out")
    assert by_feature(counted.features)["f"]["n"] == 50
    assert by_feature(without.features)["f"]["n"] == 40
    for result in (counted, without):
        assert any(w.startswith("10 of 50 respondents gave one and the same answer") for w in result.warnings)


SURVEY = {"name": "features", "respondent": "id", "date": "2024-03-01", "table": "reppel",
          "questions": [{"key": "f", "kind": "kano"}]}  # fmt: skip


def test_the_survey_says_which_table():
    rows = pair_rows("f", {"I": 4})
    for row in rows[:3]:
        row["functional"] = row["dysfunctional"] = "must_be"
    survey = Survey.model_validate(SURVEY)
    study = Study(log_of(rows), surveys={"features": survey})
    assert by_feature(wf.kano(log_of(rows)).features)["f"]["I"] == 4
    row = by_feature(wf.kano(study).features)["f"]
    assert (row["Q"], row["I"]) == (3, 1)  # Reppel counts (must-be, must-be) as questionable
    assert by_feature(wf.kano(study, evaluation="classic").features)["f"]["I"] == 4
    assert by_feature(wf.kano(log_of(rows), evaluation="reppel").features)["f"]["Q"] == 3


def test_one_survey_of_several():
    rows = [
        *pair_rows("f", {"A": 3}),
        *pair_rows("f", {"M": 2}, prefix="x", time="2024-04-01", survey="other"),
    ]
    assert by_feature(wf.kano(log_of(rows)).features)["f"]["n"] == 5
    assert by_feature(wf.kano(log_of(rows), survey="other").features)["f"]["M"] == 2
    assert by_feature(wf.kano(log_of(rows), survey="other").features)["f"]["n"] == 2
    with pytest.raises(InvalidParameter) as error:
        wf.kano(log_of(rows), survey="none")
    assert "features" in str(
        error.value.to_dict() if hasattr(error.value, "to_dict") else error.value.allowed
    )


def test_anonymous_answers_count_too():
    here, there = (
        pair_rows("f", {"A": 3}),
        [*pair_rows("f", {"M": 4}, prefix="anonymous:"), *pair_rows("g", {"I": 2})],
    )
    study = Study(log_of(here), anonymous=log_of(there))
    found = by_feature(wf.kano(study).features)
    assert (found["f"]["A"], found["f"]["M"], found["f"]["n"], found["g"]["n"]) == (3, 4, 7, 2)
    empty = wf.read_events(
        pd.DataFrame({"customer": [], "time": pd.to_datetime([]), "event": []}),
        customer="customer", time="time", event="event",
    )  # fmt: skip
    assert by_feature(wf.kano(Study(empty, anonymous=log_of(there))).features)["f"]["M"] == 4


def test_draws_are_checked():
    with pytest.raises(InvalidParameter):
        wf.kano(worked(), draws=0)


@pytest.mark.parametrize("kept", [0, 1])
def test_next_to_nothing(kept):
    frame = pd.DataFrame(pair_rows("f", {"A": 1}))
    frame["time"] = pd.to_datetime(frame["time"])
    log = wf.read_events(frame.head(kept), customer="customer", time="time", event="event")
    result = wf.kano(log, by="feature")
    assert result.features.num_rows == kept
    assert "oo few to say" in result.findings[0].text
    result.to_json()


def test_no_answers_at_all():
    frame = pd.DataFrame({"customer": ["a"], "time": pd.to_datetime(["2024-01-01"]), "event": ["visit"]})
    result = wf.kano(wf.read_events(frame, customer="customer", time="time", event="event"))
    assert result.features.num_rows == 0
    assert result.chart() is None
    assert result.findings[0].text.startswith("No Kano answers are in the log")


def test_numbers_under_these_names_are_somebody_elses():
    frame = pd.DataFrame({"customer": ["a", "b"], "time": pd.to_datetime(["2024-01-01"] * 2), "event": "visit",
                          "feature": [1.5, 2.5], "functional": [1.5, 2.5], "dysfunctional": [1.5, 2.5]})  # fmt: skip
    assert (
        wf.kano(wf.read_events(frame, customer="customer", time="time", event="event")).features.num_rows == 0
    )


# A plain oracle: loops over rows, its own copy of the classic table.
CLASSIC = {"like": "QAAAO", "must_be": "RIIIM", "neutral": "RIIIM", "live_with": "RIIIM", "dislike": "RRRRQ"}
ANSWERS = list(CLASSIC)


def oracle(rows):
    last, waves = {}, {}
    for row in sorted(rows, key=lambda r: r["time"]):
        if row["functional"] in ANSWERS and row["dysfunctional"] in ANSWERS:
            letter = CLASSIC[row["functional"]][ANSWERS.index(row["dysfunctional"])]
            last[row["customer"], row["feature"]] = letter
            waves[row["customer"], row["feature"], row["wave"]] = letter
    features, by_wave = defaultdict(Counter), defaultdict(Counter)
    for (_, feature), letter in last.items():
        features[feature][letter] += 1
    for (_, feature, wave), letter in waves.items():
        by_wave[wave, feature][letter] += 1
    return features, by_wave


@st.composite
def answers(draw):
    count = draw(st.integers(1, 60))
    seed = draw(st.integers(0, 10_000))
    rng = random.Random(seed)
    start = datetime(2024, 1, 1)
    return [
        {"customer": f"c{rng.randrange(12)}", "time": start + timedelta(minutes=i), "event": "survey_answer",
         "survey": "s", "question": "q", "feature": rng.choice(["x", "y", "z"]),
         "functional": rng.choice([*ANSWERS, None]), "dysfunctional": rng.choice([*ANSWERS, None]),
         "wave": rng.choice(["w1", "w2"])}
        for i in range(count)
    ]  # fmt: skip


@given(rows=answers())
@settings(max_examples=15)
def test_against_a_plain_loop(rows):
    features, waves = oracle(rows)
    log = log_of(
        [*rows, {**rows[0], "customer": "other", "functional": "odd answer", "dysfunctional": "like"}]
    )
    for cut in (log, in_blocks(log, 3)):
        result = wf.kano(cut, draws=10)
        found = by_feature(result.features)
        assert {f: {c: found[f][c] for c in "AOMIRQ"} for f in found} == {
            f: {c: counts[c] for c in "AOMIRQ"} for f, counts in features.items()
        }
        assert {(r["wave"], r["feature"]): {c: r[c] for c in "AOMIRQ"} for r in result.waves.to_pylist()} == {
            key: {c: counts[c] for c in "AOMIRQ"} for key, counts in waves.items()
        }


def test_planted_categories_are_found_and_their_probability_is_honest():
    """Simulated: 200 features with known shares. Where a category is called 90% likely, it is nearly always the true one."""
    rng = np.random.default_rng(7)
    truths, rows = {}, []
    for number in range(120):
        shares = rng.dirichlet([3, 3, 3, 3])
        truths[f"f{number}"] = "AOMI"[int(np.argmax(shares))]
        rows += pair_rows(f"f{number}", dict(zip("AOMI", rng.multinomial(150, shares), strict=True)))
    found = wf.kano(log_of(rows), rule="mode").features.to_pylist()
    sure = [row for row in found if row["category_probability"] >= 0.9]
    assert len(sure) > 40
    assert np.mean([row["category"] == truths[row["feature"]] for row in sure]) > 0.93
    # Calibration: the mean probability is about the share that is right.
    right = np.mean([row["category"] == truths[row["feature"]] for row in found])
    assert np.mean([row["category_probability"] for row in found]) == pytest.approx(right, abs=0.1)


def test_a_million_answers():
    rng = np.random.default_rng(3)
    customers, features = 25_000, 40
    pairs = np.array([CELL[c] for c in "AOMIRQ"], dtype=object)[rng.integers(0, 6, customers * features)]
    names = np.array([f"feature {i:02d}" for i in range(features)], dtype=object)
    frame = pd.DataFrame({
        "customer": np.repeat([f"c{i:05d}" for i in range(customers)], features),
        "time": np.repeat(np.datetime64("2024-01-01") + rng.integers(0, 700, customers).astype("m8[D]"), features),
        "event": "survey_answer", "feature": np.tile(names, customers),
        "functional": pairs[:, 0], "dysfunctional": pairs[:, 1],
    })  # fmt: skip
    log = wf.read_events(frame, customer="customer", time="time", event="event")
    result = wf.kano(log, draws=1000)
    assert sum(result.features["n"].to_pylist()) == customers * features


def test_its_picture_has_every_name_and_room_for_many():
    picture = wf.kano(worked()).chart()
    svg = picture.svg()
    assert all(name in svg for name in [*WORKED, "Must-haves", "Delighters", "Satisfiers"])
    rng = np.random.default_rng(1)
    rows = [
        row
        for number in range(40)
        for row in pair_rows(
            f"feature {number}", dict(zip("AOMI", rng.multinomial(120, rng.dirichlet([2] * 4)), strict=True))
        )
    ]
    svg = wf.kano(log_of(rows)).chart().svg()
    named = sum(f">feature {number}<" in svg for number in range(40))
    assert named >= 30
    if named < 40:
        assert f"{40 - named} names found no room" in svg
