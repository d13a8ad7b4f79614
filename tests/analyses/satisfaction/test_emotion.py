"""The emotion curve against hand calculations, a plain-Python oracle, and planted words that tell ratings or do not."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.satisfaction._emotion_gathered import gather, trouble_of
from wayfare.analyses.satisfaction._emotion_themes import masked, quoted
from wayfare.domain.journey import JourneyMap, Touchpoint
from wayfare.domain.survey import survey_of
from wayfare.errors import UnknownName
from wayfare.histories.schema import Kind
from wayfare.study import Study

START = datetime(2024, 1, 10, tzinfo=UTC)
COLUMNS = ("customer", "minutes", "event", "score", "question_kind", "question", "comment", "touchpoint")
JOURNEY = JourneyMap(
    orders=("purchase",),
    touchpoints=tuple(
        Touchpoint(event=event, stage=stage, after_purchase=then)
        for event, stage, then in (
            ("visit", "awareness", "repurchase"),
            ("product", "consideration", "repurchase"),
            ("checkout", "purchase", "repurchase"),
            ("purchase", "purchase", "repurchase"),
            ("delivery", "post_purchase", None),
            ("support", "post_purchase", None),
            ("review", "advocacy", None),
        )
    ),
)


def log_of(*rows: tuple) -> wf.Log:
    """A log from (customer, minutes after the start, event[, score, kind, question, comment, touchpoint])."""
    frame = pd.DataFrame([(*row, *[None] * (len(COLUMNS) - len(row))) for row in rows], columns=list(COLUMNS))
    frame["time"] = [START + timedelta(minutes=float(m)) for m in frame.pop("minutes")]
    frame["score"] = frame["score"].astype(float)
    kept = {name: name for name in COLUMNS if name != "minutes" and frame[name].notna().any()}
    return wf.read_events(frame, time="time", **kept)


def study_of(*rows: tuple, **more: Any) -> Study:
    return Study(log_of(*rows), journey=JOURNEY, **more)


def point(result: wf.Result, stage: str, strand: str) -> dict[str, Any]:
    return next(r for r in result.curve.to_pylist() if (r["stage"], r["strand"]) == (stage, strand))


def touch(result: wf.Result, strand: str) -> dict[str, dict[str, Any]]:
    return {r["touchpoint"]: r for r in result.touchpoints.to_pylist() if r["strand"] == strand}


def answered(scores: list[float], event: str = "delivery", kind: str = "csat") -> list[tuple]:
    """Customers who each met `event` and gave one score an hour later."""
    return [
        row
        for n, score in enumerate(scores)
        for row in ((f"{event}{n}", 0, event), (f"{event}{n}", 60, "survey_answer", score, kind, f"q {kind}"))
    ]


# Scores


def test_scores_of_different_scales_meet_on_one():
    # By hand: NPS 10 of 0 to 10 is +1, CSAT 3 of 1 to 5 is 0, CES 7 of 1 to 7 is +1 and 1 is −1.
    rows = [
        *answered([10] * 12, "delivery", "nps"),
        *answered([1, 5] + [3] * 10, "product", "csat"),
        *answered([7, 1] * 6, "visit", "ces"),
    ]
    result = wf.emotion(study_of(*rows))
    assert point(result, "post_purchase", "scores")["value"] == pytest.approx(1.0)
    assert point(result, "consideration", "scores")["value"] == pytest.approx(0.0)
    assert point(result, "awareness", "scores")["value"] == pytest.approx(0.0)
    scales = {row["kind"]: (row["worst"], row["best"], row["n"]) for row in result.scales.to_pylist()}
    assert scales == {"nps": (0, 10, 12), "csat": (1, 5, 12), "ces": (1, 7, 12)}


def test_the_survey_document_says_the_scale_and_which_end_is_good():
    # Effort from 1 to 5, where 1 is the best: 1 is +1, and on a scale of 0 to 20 the score 5 is −0.5.
    survey = survey_of(
        {
            "name": "s", "respondent": "who", "time": "when",
            "questions": [
                {"key": "q ces", "kind": "ces", "measures": "effort"},
                {"key": "q rating", "kind": "rating", "scale": "0 to 20"},
            ],
        }
    )  # fmt: skip
    rows = [*answered([1] * 10, "delivery", "ces"), *answered([5] * 10, "product", "rating")]
    result = wf.emotion(study_of(*rows, surveys={"s": survey}))
    assert point(result, "post_purchase", "scores")["value"] == pytest.approx(1.0)
    assert point(result, "consideration", "scores")["value"] == pytest.approx(-0.5)
    assert {row["source"] for row in result.scales.to_pylist()} == {"the survey document"}
    assert not any("guessed" in warning for warning in result.warnings)


def test_an_answer_belongs_to_what_it_names_else_to_the_last_event_before_it():
    rows = [
        ("a", 0, "purchase"), ("a", 10, "delivery"), ("a", 20, "product"),
        ("a", 30, "survey_answer", 10.0, "nps", "q"),
        ("a", 40, "survey_answer", 0.0, "nps", "q", None, "delivery"),
        ("b", 5, "survey_answer", 5.0, "nps", "q"),
        ("b", 6, "review", 8.0, "nps", "q"),
    ]  # fmt: skip
    result = wf.emotion(study_of(*rows))
    # Looking at a product after the first order is re-purchase; an answer before any event belongs nowhere.
    found = {row["stage"]: row["value"] for row in result.curve.to_pylist() if row["strand"] == "scores"}
    assert {stage: value for stage, value in found.items() if value is not None} == {
        "repurchase": 1.0, "post_purchase": -1.0, "advocacy": pytest.approx(0.6),
    }  # fmt: skip
    assert set(touch(result, "scores")) == {"product", "delivery", "review"}


def test_the_interval_takes_customers_as_clusters():
    # 12 customers with three equal answers each, half of them 10 and half 0: as wide as with one answer each.
    rows = answered([10, 0] * 6, kind="nps")
    thrice = [
        *rows,
        *((c, m + k, *rest) for c, m, *rest in rows if rest[0] == "survey_answer" for k in (1, 2)),
    ]
    once, more = (point(wf.emotion(study_of(*r)), "post_purchase", "scores") for r in (rows, thrice))
    assert (more["n"], more["customers"], once["n"]) == (36, 12, 12)
    assert (more["low"], more["high"]) == (pytest.approx(once["low"]), pytest.approx(once["high"]))
    # By hand: mean 0, standard deviation √(12/11), t(11, 0.975) = 2.20099 (table), half width t·s/√12 = 0.66362.
    assert once["high"] == pytest.approx(0.66362, abs=1e-5)


def test_under_ten_customers_there_is_no_interval_and_it_says_so():
    result = wf.emotion(study_of(*answered([9] * 9, kind="nps")))
    row = point(result, "post_purchase", "scores")
    assert (row["value"], row["low"], row["note"]) == (pytest.approx(0.8), None, "too few to say")
    assert result.findings[0].text.startswith("Too few answers to say how customers felt: at most 9")
    row = point(result, "advocacy", "scores")
    assert (row["value"], row["n"], row["note"]) == (None, 0, "no scores")


def test_one_question_alone_and_one_that_is_not_there():
    study = study_of(*answered([9] * 12, kind="nps"), *answered([1, 5] * 6, "product", "csat"))
    result = wf.emotion(study, question="q csat")
    assert [row["question"] for row in result.scales.to_pylist()] == ["q csat"]
    assert point(result, "post_purchase", "scores")["n"] == 0
    with pytest.raises(UnknownName):
        wf.emotion(study, question="what?")


answers_of_one = st.lists(
    st.tuples(
        st.sampled_from(["visit", "product", "delivery"]),
        st.one_of(st.none(), st.integers(0, 10)),
    ),
    max_size=6,
)


@given(st.lists(answers_of_one, min_size=1, max_size=14))
@settings(max_examples=20)
def test_scores_against_a_loop_over_customers(customers: list[list[tuple[str, int | None]]]):
    rows: list[tuple] = [("zero", 0, "visit")]
    for number, one in enumerate(customers):
        for step, (event, score) in enumerate(one):
            rows.append((f"c{number}", 10 * step, event))
            if score is not None:
                rows.append((f"c{number}", 10 * step + 5, "survey_answer", float(score), "nps", "q"))
    stage_of = {"visit": "awareness", "product": "consideration", "delivery": "post_purchase"}
    expected: dict[str, list[float]] = defaultdict(list)
    who: dict[str, set[int]] = defaultdict(set)
    for number, one in enumerate(customers):
        for event, score in one:
            if score is not None:
                expected[stage_of[event]].append(score / 5 - 1)
                who[stage_of[event]].add(number)
    study = study_of(*rows)
    result = wf.emotion(study)
    for stage in stage_of.values():
        row = point(result, stage, "scores")
        assert (row["n"], row["customers"]) == (len(expected[stage]), len(who[stage]))
        if expected[stage]:
            assert row["value"] == pytest.approx(np.mean(expected[stage]))
            assert (row["low"] is not None) == (len(who[stage]) >= 10)
    assert wf.emotion(replace(study, log=in_blocks(study.log, 2))).to_dict() == result.to_dict()


# Friction


def test_friction_by_hand():
    # 20 customers at checkout. 4 try again after 3 minutes; one after an order; one after an hour; one at the same instant:
    # 4 of 20 met a retry. Of 12 with a delivery 3 call for help, one of them twice, and one has it after a product.
    rows: list[tuple] = [(f"c{n:02d}", 0, "checkout") for n in range(20)]
    rows += [(f"c{n:02d}", 3, "checkout") for n in range(4)]
    rows += [("c04", 1, "purchase"), ("c04", 3, "checkout"), ("c05", 60, "checkout"), ("c06", 0, "checkout")]
    rows += [(f"c{n:02d}", 100, "delivery") for n in range(8, 20)]
    rows += [("c08", 110, "support"), ("c08", 111, "support"), ("c09", 110, "support")]
    rows += [("c10", 105, "product"), ("c10", 110, "support")]
    result = wf.emotion(study_of(*rows))
    at = point(result, "purchase", "friction")
    assert (at["value"], at["n"], at["customers"]) == (pytest.approx(-4 / 20), 4, 20)
    # Wilson interval of 4 of 20 by hand: 0.0807 to 0.4160.
    assert (at["low"], at["high"]) == (pytest.approx(-0.4160, abs=5e-5), pytest.approx(-0.0807, abs=5e-5))
    after = point(result, "post_purchase", "friction")
    assert (after["value"], after["n"], after["customers"]) == (pytest.approx(-3 / 12), 4, 12)
    followed = touch(result, "friction")
    assert (followed["delivery"]["value"], followed["delivery"]["n"]) == (pytest.approx(-2 / 12), 3)
    assert followed["product"]["note"] == "too few to say"
    table = {(r["event"], r["kind"]): (r["customers"], r["events"]) for r in result.friction.to_pylist()}
    assert table == {("checkout", "retry"): (4, 4), ("support", "complaint or call for help"): (3, 4)}
    assert "by 3 of 12 customers, 25.0%" in result.findings[1].text


steps_of_one = st.lists(
    st.tuples(
        st.sampled_from(["visit", "checkout", "checkout", "purchase", "support", "unplaced"]),
        st.integers(0, 15),
    ),
    min_size=1,
    max_size=8,
)


def met_by(one: list[tuple[str, int]]) -> tuple[set[str], set[str]]:
    """The stages that one customer is at, and those where the customer meets friction, step by step."""
    before = {
        "visit": "awareness",
        "checkout": "purchase",
        "purchase": "purchase",
        "support": "post_purchase",
    }
    after = dict.fromkeys(before, "repurchase") | {"support": "post_purchase"}
    there, met, last, now, first = set(), set(), None, 0, None
    for event, wait in one:
        now += wait
        stage = (after if first is not None and (event != "purchase" or now != first) else before).get(event)
        if event == "purchase":
            first, last = now if first is None else first, None
        if event == "checkout":
            if last is not None and 0 < now - last <= 10:
                met.add(stage)
            last = now
        if event == "support":
            met.add(stage)
        there.add(stage)
    return there - {None}, met


@given(st.lists(steps_of_one, min_size=1, max_size=12))
@settings(max_examples=15)
def test_friction_against_a_loop_over_customers(customers: list[list[tuple[str, int]]]):
    rows: list[tuple] = [("zero", 0, "support")]
    expected = [({"post_purchase"}, {"post_purchase"}), *map(met_by, customers)]
    for number, one in enumerate(customers):
        moments = np.cumsum([wait for _, wait in one]).tolist()
        rows += [(f"c{number}", now, event) for (event, _), now in zip(one, moments, strict=True)]
    study = study_of(*rows)
    result = wf.emotion(replace(study, log=in_blocks(study.log, 3)))
    for row in result.curve.to_pylist():
        if row["strand"] == "friction":
            there = sum(row["stage"] in stages for stages, _ in expected)
            met = sum(row["stage"] in stages for _, stages in expected)
            assert row["customers"] == there
            assert (row["value"] or 0) == pytest.approx(-met / max(there, 1))


def test_friction_can_be_named_and_retries_take_longer():
    rows = [(f"c{n:02d}", 0, "product") for n in range(10)] + [("c00", 20, "product"), ("c01", 1, "support")]
    study = study_of(*rows)
    result = wf.emotion(study, friction="support", retried="product", within="30m")
    assert point(result, "consideration", "friction")["value"] == pytest.approx(-1 / 10)
    assert {r["kind"] for r in result.friction.to_pylist()} == {"retry", "complaint or call for help"}
    assert point(wf.emotion(study, retried="product"), "consideration", "friction")["value"] == 0.0
    named = wf.emotion(study, friction="product")
    assert {r["kind"] for r in named.friction.to_pylist()} == {"friction"}
    assert point(named, "consideration", "friction")["value"] == -1.0


def test_friction_without_a_stage_is_that_of_the_event_before():
    rows = [(f"c{n:02d}", 0, "product") for n in range(10)] + [("c00", 1, "error shown"), ("c11", 1, "error shown")]  # fmt: skip
    result = wf.emotion(study_of(*rows))
    assert point(result, "consideration", "friction")["value"] == pytest.approx(-1 / 10)
    assert {(r["stage"], r["kind"]) for r in result.friction.to_pylist()} == {
        ("consideration", "failure"), ("none", "failure"),
    }  # fmt: skip


def test_a_log_without_friction_says_so():
    row = point(wf.emotion(study_of(("a", 0, "visit"))), "awareness", "friction")
    assert (row["value"], row["customers"], row["note"]) == (None, 1, "no event is friction")


# Comments


GOOD = ("kaffee herrlich frisch", "wunderbar duft genuss", "schnell freundlich angekommen")
BAD = ("paket verloren niemand antwortet", "karton zerrissen nass", "lieferung viel zu spät")


def commented(told: bool, customers: int = 120, seed: int = 3) -> list[tuple]:
    """Rated comments in words that VADER does not know, which tell the rating or are drawn by lot."""
    rng = np.random.default_rng(seed)
    rows: list[tuple] = []
    for n in range(customers):
        score = int(rng.integers(0, 11))
        words = (GOOD if score > 5 else BAD) if told else (*GOOD, *BAD)
        comment = str(rng.choice(words))
        event = "delivery" if n % 2 else "product"
        rows += [(f"c{n:03d}", 0, event), (f"c{n:03d}", 60, "survey_answer", score, "nps", "q", comment)]
    rows += [(f"r{n:02d}", 5, "review", None, None, None, GOOD[0]) for n in range(15)]
    return rows


def test_words_tied_to_ratings_are_read_by_the_model_and_score_comments_without_a_rating():
    result = wf.emotion(study_of(*commented(told=True)))
    readers = {row["reader"]: row for row in result.readers.to_pylist()}
    assert readers["model"]["chosen"]
    assert readers["model"]["low"] > 0.4
    assert readers["model"]["n"] == 120
    assert any(f.text.startswith("Words tell ratings") for f in result.findings)
    # Planted: good words go with 6 to 10, on average 8, which is +0.6.
    reviews = point(result, "advocacy", "sentiment")
    assert (reviews["n"], reviews["note"]) == (15, "")
    assert reviews["value"] == pytest.approx(0.6, abs=0.12)


def test_words_by_lot_are_read_by_nobody_and_it_says_so():
    result = wf.emotion(study_of(*commented(told=False)))
    assert not any(row["chosen"] for row in result.readers.to_pylist())
    row = point(result, "post_purchase", "sentiment")
    assert (row["value"], row["n"], row["note"]) == (None, 60, "no reader predicts ratings")
    assert any(f.text.startswith("Words do not tell ratings") for f in result.findings)
    assert any(f.text.startswith("No theme of the comments is rated lower") for f in result.findings)
    assert result.themes.num_rows  # comments are quoted all the same


def test_without_vader_the_model_competes_alone_and_it_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    result = wf.emotion(study_of(*commented(told=True)))
    readers = {row["reader"]: row for row in result.readers.to_pylist()}
    assert readers["model"]["chosen"]
    assert (readers["vader"]["skill"], readers["vader"]["note"]) == (None, "not installed: wayfare[text]")
    assert any("VADER is not installed" in f.text for f in result.findings)


def test_a_comment_is_rated_by_the_best_question_of_the_same_instant():
    # An open question is a row of its own; satisfaction comes before effort, and another time does not count.
    rows = [
        ("a", 0, "delivery"),
        ("a", 60, "survey_answer", 1.0, "ces", "effort"),
        ("a", 60, "survey_answer", 5.0, "csat", "content"),
        ("a", 60, "survey_answer", None, "text", "why", "all fine"),
        ("a", 90, "survey_answer", 1.0, "csat", "content"),
        ("a", 95, "review", None, None, None, "later"),
    ]
    study = study_of(*rows)
    result = _said(study)
    assert dict(zip(result.text, result.rating, strict=True)) == {
        "all fine": 1.0, "later": pytest.approx(np.nan, nan_ok=True),
    }  # fmt: skip


def _said(study: Study) -> Any:
    return gather(study, None, trouble_of(study, (), ()), 1).said


def test_themes_group_comments_and_quote_them():
    result = wf.emotion(study_of(*commented(told=True, customers=160)))
    themes = result.themes.to_pylist()
    assert sum(row["comments"] for row in themes) == 175
    assert {row["quote"] for row in themes} <= {*GOOD, *BAD}
    parcel = next(row for row in themes if "paket" in row["theme"])
    assert parcel["quote"] == BAD[0]
    assert parcel["mean_rating"] == pytest.approx(-0.5, abs=0.2)  # planted: 0 to 5, on average 2.5
    assert parcel["low"] < parcel["mean_rating"] < parcel["high"]


def test_quotes_name_nobody():
    text = "Call me: +49 (0)170 123 45 67 or anna.b@mail.example, see https://x.example/a?id=7, order 4711, @anna"
    assert masked(text) == "Call me: [number] or [e-mail], see [link] order ####, [name]"
    assert len(quoted("word " * 100)) <= 140


def test_the_same_customers_are_read_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch):
    # Bounded: 300 customers with 1 to 3 comments, of which at most 100 comments are kept, each customer's all or none.
    rows: list[tuple] = []
    for n in range(300):
        rows.append((f"c{n:03d}", 0, "delivery"))
        rows += [(f"c{n:03d}", 10 + k, "review", None, None, None, f"text {n} {k}") for k in range(1 + n % 3)]
    study = study_of(*rows)
    monkeypatch.setattr("wayfare.analyses.satisfaction._emotion_gathered.MOST_COMMENTS", 100)
    whole = _said(study)
    assert (whole.written, 95 <= len(whole.text) <= 100) == (600, True)
    for size in (1, 7, 50):
        cut = _said(replace(study, log=in_blocks(study.log, size)))
        assert (cut.text, cut.written) == (whole.text, 600)
    kept = defaultdict(set)
    for text in whole.text:
        kept[int(text.split()[1])].add(text)
    assert all(len(texts) == 1 + n % 3 for n, texts in kept.items())
    assert any("Of 600 comments" in warning for warning in wf.emotion(study).warnings)


def test_a_customer_who_writes_too_much_does_not_fill_the_sample():
    rows: list[tuple] = [
        ("loud", n, "review", None, None, None, f"nr {'x' * (n % 7 + 3)}") for n in range(90)
    ]
    assert len(_said(study_of(*rows)).text) == 40


def test_comments_kept_as_text_are_read_like_codes():
    frame = pd.DataFrame(
        {
            "customer": [f"c{n}" for n in range(3000)],
            "time": pd.to_datetime(["2024-01-01"] * 3000, utc=True),
            "event": "review",
            "comment": [f"a comment of its own, number {chr(97 + n % 26)} {n}" for n in range(3000)],
        }
    )
    log = wf.read_events(frame, customer="customer", time="time", event="event")
    said = _said(Study(log, journey=JOURNEY))
    assert sorted(said.text) == sorted(frame["comment"])
    assert log.schema["comment"] is Kind.TEXT


def test_anonymous_answers_count_by_what_they_name():
    log = log_of(("a", 0, "delivery"), ("a", 1, "survey_answer", 9.0, "nps", "q", "fine", "delivery"))
    apart = log_of(*[(f"anonymous:{n}", 1, "survey_answer", 1.0, "nps", "q", "late", "delivery") for n in range(11)])  # fmt: skip
    result = wf.emotion(Study(log, journey=JOURNEY, anonymous=apart))
    row = touch(result, "scores")["delivery"]
    assert (row["n"], row["customers"]) == (12, 12)
    assert row["value"] == pytest.approx((0.8 - 11 * 0.8) / 12)
    assert touch(result, "sentiment")["delivery"]["n"] == 12
    none = Study(log_of(("a", 0, "delivery")), journey=JOURNEY, anonymous=apart)
    assert touch(wf.emotion(none, question="q"), "scores")["delivery"]["n"] == 11


# The whole


def test_the_lowest_stage_is_named_and_drawn():
    low = answered([1, 2, 3, 2] * 10, "delivery", "nps")
    result = wf.emotion(study_of(*low, *answered([8, 9] * 20, "product", "nps")))
    assert result.findings[0].text.startswith(
        "By scores, emotion is lowest at the stage after purchase: −0.60"
    )
    assert "highest at consideration (+0.70)" in result.findings[0].text
    drawn = result.chart()
    assert drawn is not None
    assert "lowest −0.60" in drawn.svg()
    assert result.findings[0].text.startswith(drawn.title)
    assert drawn.title.endswith("highest at consideration (+0.70).")


def test_other_questions_are_not_taken_for_other_feelings():
    # Both stages answer the same question alike, 8; only after the delivery a strict one is asked too, and gets 2.
    strict = [
        (c, m + 1, e, 2.0, "rating", "strict") for c, m, e, *_ in answered([8] * 12) if e == "survey_answer"
    ]
    rows = [*answered([8] * 12, kind="nps"), *strict, *answered([8, 9] * 6, "product", "nps")]
    scale = {"name": "s", "respondent": "who", "time": "when", "questions": [{"key": "strict", "kind": "rating", "scale": "0 to 10"}]}  # fmt: skip
    result = wf.emotion(study_of(*rows, surveys={"s": survey_of(scale)}))
    # By hand: (0.6 − 0.6) / 2 = 0 after the delivery; on the shared question 0.6 − 0.7 = −0.1.
    assert point(result, "post_purchase", "scores")["value"] == pytest.approx(0.0)
    assert result.findings[0].text.endswith(
        "On the questions asked both there and at consideration (50% of the scores there) it is 0.10 lower."
    )
    alike = [*answered([8] * 12, kind="nps"), *strict, *answered([8] * 12, "product", "nps")]
    text = wf.emotion(study_of(*alike, surveys={"s": survey_of(scale)})).findings[0].text
    assert text.endswith("it is not lower: other questions set them apart.")
    apart = [*answered([2, 3] * 6, kind="nps"), *answered([5, 4] * 6, "product", "csat")]
    assert (
        "No question was asked both there and at consideration"
        in wf.emotion(study_of(*apart)).findings[0].text
    )


def test_stages_that_are_alike_are_not_ranked():
    rows = [*answered([2, 9] * 20, "delivery", "nps"), *answered([3, 9] * 20, "product", "nps")]
    text = wf.emotion(study_of(*rows)).findings[0].text
    assert text.startswith("By scores, no stage stands out among the 2 where emotion is known: from +0.10")


def test_nothing_to_say_is_said():
    result = wf.emotion(study_of(*[(f"c{n}", 0, "visit") for n in range(40)]))
    assert result.findings[0].text.startswith("Nobody was asked how they felt")
    assert result.curve.num_rows == 18
