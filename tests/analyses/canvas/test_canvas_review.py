"""The canvas's review: when it is due, what flipped, what came since, and on how few revenue rests."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.canvas.canvas_review import canvas_review
from wayfare.domain.canvas import Canvas
from wayfare.errors import UnknownName
from wayfare.study import Study

STREAMS = [
    {"id": "shop", "text": "Sales in the shop", "kind": "sales", "bindings": {"touchpoints": [{"event": "purchase", "weight": 1}]}},
    {"id": "club", "text": "The club", "kind": "subscriptions",
     "bindings": {"touchpoints": [{"event": "purchase", "weight": 3}, {"event": "fee"}]}},
]  # fmt: skip
REVIEW = {
    "date": "2024-02-01", "who": "Ana", "revision": 4, "next": "2024-03-01", "decisions": ["Keep the club", "Ask customers"],
    "verdicts": [
        {"item": "fast", "verdict": "fails", "value": 0.2, "n": 80}, {"item": "cheap", "verdict": "fails", "value": 0.3, "n": 80},
        {"item": "gone", "verdict": "holds", "value": 0.6, "n": 80},
    ],
}  # fmt: skip


def items(**limits: float) -> list[dict[str, Any]]:
    return [
        {"id": id, "text": f"It is {id}", "hypothesis": "They buy",
         "bindings": {"metric": {"measure": "conversion_rate", "at_least": limit}}}
        for id, limit in limits.items()
    ]  # fmt: skip


def canvas_of(**said: Any) -> Canvas:
    return Canvas.model_validate(
        {"name": "canvas", "value_propositions": items(fast=0.2, cheap=0.9, new=0.2), **said}
    )


def history() -> pd.DataFrame:
    """120 who look, of whom 60 buy for 10 in the shop or 30 on the web; 20 of them pay a fee of 5. It ends on 20 March."""
    rows = []
    for number in range(120):
        who, web = f"c{number:03d}", number % 4 < 2
        rows.append((who, "2024-01-02T10:00", "look", None, "web"))
        if number % 2:
            rows.append(
                (who, "2024-01-03T10:00", "purchase", 30.0 if web else 10.0, "web" if web else "store")
            )
        if number % 6 == 1:
            rows.append((who, "2024-01-04T10:00", "fee", 5.0, "web"))
    rows.append(("c000", "2024-03-20T22:30", "look", None, "web"))
    frame = pd.DataFrame(rows, columns=["customer", "time", "event", "value", "channel"])
    frame["time"] = pd.to_datetime(frame["time"])
    return frame


def study_of(
    *canvases: Canvas, frame: pd.DataFrame | None = None, zone: str = "UTC", **columns: str
) -> Study:
    frame = history() if frame is None else frame
    columns = columns or {"value": "value", "channel": "channel"}
    log = wf.read_events(frame, customer="customer", time="time", event="event", zone=zone, **columns)
    return Study(log, documents={canvas.name: canvas for canvas in canvases})


def answers(result: Any) -> dict[str, str]:
    return {row["question"]: row["answer"] for row in result.review.to_pylist()}


def shares(result: Any, of: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in result.concentration.to_pylist() if row["of"] == of}


def test_an_overdue_review_is_the_first_finding():
    found = canvas_review(study_of(canvas_of(reviews=[REVIEW])))
    # From 1 to 20 March are 19 days; the log ends on 20 March.
    assert found.findings[0].text == (
        "The review of the canvas 'canvas' due on 2024-03-01 is 19 days overdue; the last was on 2024-02-01, by Ana."
    )
    said = answers(found)
    assert said["When was the canvas last reviewed?"] == "2024-02-01, by Ana"
    assert said["How many days ago was that?"] == "48"
    assert said["How many days is it overdue?"] == "19"
    assert {row["since"] for row in found.review.to_pylist()} == {date(2024, 2, 1)}


@pytest.mark.parametrize(
    ("now", "overdue"), [("2024-02-20", 0), ("2024-03-01", 0), ("2024-03-02", 1), ("2024-03-21", 20)]
)
def test_it_is_overdue_from_the_day_after(now, overdue):
    found = canvas_review(study_of(canvas_of(reviews=[REVIEW])), now=now)
    assert answers(found)["How many days is it overdue?"] == f"{overdue}"
    assert ("overdue" in found.findings[0].text) == (overdue > 0)
    assert ("1 day overdue" in found.findings[0].text) == (overdue == 1)


def test_the_last_day_is_that_of_the_zone():
    # 22:30 UTC on 20 March is 21 March in Tokyo, and so a day more.
    found = canvas_review(study_of(canvas_of(reviews=[REVIEW]), zone="Asia/Tokyo", frame=_utc()))
    assert answers(found)["How many days is it overdue?"] == "20"


def _utc() -> pd.DataFrame:
    frame = history()
    frame["time"] = frame["time"].dt.tz_localize("UTC")
    return frame


def test_without_a_next_date_the_usual_time_holds():
    said = {**REVIEW, "next": None}
    found = canvas_review(study_of(canvas_of(reviews=[said])), every="30d")
    assert answers(found)["When is the next review due?"] == "2024-03-02"
    assert answers(found)["How many days is it overdue?"] == "18"
    assert "usual time" in found.review.to_pylist()[2]["note"]


def test_what_flipped_against_the_last_review():
    earlier = {
        **REVIEW,
        "date": "2023-06-01",
        "next": None,
        "verdicts": [{"item": "fast", "verdict": "holds"}],
    }
    found = canvas_review(study_of(canvas_of(reviews=[REVIEW, earlier])))
    changes = {row["item"]: row for row in found.changes.to_pylist()}
    # 60 of 120 bought: half holds at 20% and fails at 90%.
    assert [row["item"] for row in found.changes.to_pylist()] == ["fast", "cheap", "new", "gone"]
    fast = changes["fast"]
    assert (fast["verdict_then"], fast["verdict_now"], fast["value_then"], fast["value_now"]) == (
        "fails",
        "holds",
        0.2,
        0.5,
    )
    assert (fast["flipped"], fast["block"], fast["n_then"], fast["n_now"]) == (
        True,
        "value_propositions",
        80,
        120,
    )
    assert (changes["cheap"]["flipped"], changes["cheap"]["verdict_now"]) == (False, "fails")
    assert (changes["new"]["verdict_then"], changes["new"]["note"]) == (None, "not in the last review")
    assert (changes["gone"]["verdict_now"], changes["gone"]["block"], changes["gone"]["note"]) == (
        None,
        "",
        "no longer on the canvas",
    )
    assert found.findings[1].text == (
        "1 of 3 hypotheses flipped since the review of 2024-02-01: “It is fast” holds now, it failed then."
    )
    assert answers(found)["How many flipped since?"] == "1"
    assert (
        answers(found)["How many hypotheses hold, fail or are too few to say?"]
        == "2 holds, 1 fails, 0 too few"
    )


def test_too_few_is_no_flip():
    then = {**REVIEW, "verdicts": [{"item": "fast", "verdict": "too_few"}]}
    found = canvas_review(study_of(canvas_of(reviews=[then])))
    (fast,) = [row for row in found.changes.to_pylist() if row["item"] == "fast"]
    assert (fast["verdict_then"], fast["verdict_now"], fast["flipped"]) == ("too_few", "holds", False)
    assert "None of 1 hypotheses flipped" in found.findings[1].text


def test_of_two_reviews_on_one_day_the_later_in_the_list_counts():
    second = {**REVIEW, "who": "Ben"}
    assert answers(canvas_review(study_of(canvas_of(reviews=[REVIEW, second]))))[
        "When was the canvas last reviewed?"
    ].endswith("by Ben")


def test_notes_since_and_all_decisions():
    def note(day: str, text: str) -> dict[str, str]:
        return {"text": text, "source": f"the source of {text}", "date": day}

    web = {
        "id": "web",
        "text": "Web",
        "feedback": [note("2024-02-10", "slow")],
        "trends": [note("2024-01-10", "old")],
    }
    first = {"date": "2023-01-01", "who": "Ana", "decisions": ["Begin"]}
    canvas = canvas_of(
        channels=[web],
        reviews=[first, REVIEW],
        feedback=[note("2024-02-01", "that day")],
        trends=[note("2024-03-05", "rivals")],
    )
    found = canvas_review(study_of(canvas))
    assert [(row["date"], row["kind"], row["item"], row["text"]) for row in found.notes.to_pylist()] == [
        (date(2024, 3, 5), "trend", "", "rivals"), (date(2024, 2, 10), "feedback", "web", "slow"),
    ]  # fmt: skip
    assert [(row["date"], row["text"], row["next"]) for row in found.decisions.to_pylist()] == [
        (date(2024, 2, 1), "Keep the club", date(2024, 3, 1)), (date(2024, 2, 1), "Ask customers", date(2024, 3, 1)),
        (date(2023, 1, 1), "Begin", None),
    ]  # fmt: skip
    told = [finding.text for finding in found.findings if "came since" in finding.text]
    assert told == ["1 piece of feedback and 1 trend came since the review of 2024-02-01; the newest, of 2024-03-05, is from the source of rivals."]  # fmt: skip


def test_revenue_by_stream_by_hand():
    found = canvas_review(study_of(canvas_of(revenue_streams=STREAMS)))
    # 30 bought for 30 on the web (numbers 1, 5, 9, …) and 30 for 10: 1,200. A quarter is the shop's, three quarters the club's,
    # and the club has the fees of 20 customers: 100.
    parts = shares(found, "revenue stream")
    assert {name: row["value"] for name, row in parts.items()} == {
        "The club": 1000.0,
        "Sales in the shop": 300.0,
    }
    club = parts["The club"]
    assert club["share"] == pytest.approx(1000 / 1300)
    # Herfindahl–Hirschman: the sum of the squared shares.
    assert club["herfindahl"] == pytest.approx((1000**2 + 300**2) / 1300**2)
    assert club["as_equal"] == pytest.approx(1 / club["herfindahl"])
    assert club["low"] < club["share"] < club["high"]
    assert (club["customers"], parts["Sales in the shop"]["customers"]) == (60, 60)


def test_revenue_by_channel_with_an_interval_by_hand():
    found = canvas_review(study_of(canvas_of()))
    web = shares(found, "channel")["web"]
    assert web["share"] == pytest.approx(900 / 1200)
    assert web["herfindahl"] == pytest.approx(0.75**2 + 0.25**2)
    # Cochran (1977), eq. 6.5: residuals x − R·y are 30·0.25 for the 30 of the web and −10·0.75 for the others, all 7.5.
    spread = np.sqrt(60 / 59 * 60 * 7.5**2) / 1200
    assert web["high"] - web["share"] == pytest.approx(
        2.0009954 * spread, rel=1e-6
    )  # t of 59 degrees of freedom
    said = [finding for finding in found.findings if "Herfindahl" in finding.text]
    assert "One channel, “web”, brings 75% of revenue" in said[0].text
    assert "1.6 equal ones (Herfindahl–Hirschman index 0.62)" in said[0].text


def test_revenue_by_customer():
    rows = [
        row
        for row in canvas_review(study_of(canvas_of())).concentration.to_pylist()
        if row["of"] == "customers"
    ]
    assert rows[0]["name"] == "tenth 1 of the customers"
    # Six of sixty at 30 each of 1,200.
    assert rows[0]["share"] == pytest.approx(180 / 1200)
    assert rows[0]["herfindahl"] == pytest.approx((30 * 30**2 + 30 * 10**2) / 1200**2)
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert rows[0]["low"] is not None
    assert rows[1]["low"] is None


def test_all_on_one_is_said():
    only = [
        {
            "id": "one",
            "text": "The only one",
            "kind": "sales",
            "bindings": {"touchpoints": [{"event": "purchase"}]},
        }
    ]
    found = canvas_review(study_of(canvas_of(revenue_streams=only)))
    assert "All revenue comes from one revenue stream: “The only one”." in [
        finding.text for finding in found.findings
    ]
    assert shares(found, "revenue stream")["The only one"]["herfindahl"] == 1


def test_orders_that_no_stream_is_bound_to_are_of_none():
    fees = [{"id": "fees", "text": "Fees", "kind": "fees", "bindings": {"touchpoints": [{"event": "fee"}]}}]
    parts = shares(canvas_review(study_of(canvas_of(revenue_streams=fees))), "revenue stream")
    assert {name: row["value"] for name, row in parts.items()} == {"of no stream": 1200.0, "Fees": 100.0}


def test_streams_of_segments_have_the_money_of_their_customers():
    def stream(id: str, *conditions: str) -> dict[str, Any]:
        bound = {"touchpoints": [{"event": "purchase"}], "segment": conditions}
        return {"id": id, "text": id, "kind": "sales", "bindings": bound}

    streams = [
        stream("payers", "did:fee"),
        stream("dear", "value>=30", "never:fee"),
        stream("lost", "colour=red"),
    ]
    found = shares(canvas_review(study_of(canvas_of(revenue_streams=streams))), "revenue stream")
    frame = history()
    fees = set(frame.loc[frame["event"] == "fee", "customer"])
    orders = frame[frame["event"] == "purchase"]
    of = orders["customer"].isin(fees)
    expected = {
        "payers": orders.loc[of, "value"].sum(), "dear": orders.loc[~of & (orders["value"] == 30), "value"].sum(),
        "of no stream": orders.loc[~of & (orders["value"] == 10), "value"].sum(),
    }  # fmt: skip
    assert {name: row["value"] for name, row in found.items()} == expected
    assert sum(expected.values()) == 1200
    assert "lost is left out: The log has no column 'colour'" in found["dear"]["note"]


def test_shares_against_loops_over_customers():
    """The sums of the fold against plain Python, on random orders of many products."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({
        "customer": [f"c{n}" for n in rng.integers(0, 90, 600)], "time": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(600), "h"),
        "event": rng.choice(["purchase", "look", "refund"], 600), "value": rng.gamma(2, 10, 600).round(2),
        "product": rng.choice([f"p{n}" for n in range(15)], 600),
    })  # fmt: skip
    frame.loc[frame["event"] == "refund", "value"] *= -1
    study = study_of(canvas_of(), frame=frame, value="value", product="product")
    found = shares(canvas_review(study), "product")
    total, by_product, who = 0.0, defaultdict(float), defaultdict(set)
    for row in frame.itertuples():
        if row.event == "purchase":
            total += row.value
            by_product[row.product] += row.value
            who[row.product].add(row.customer)
    largest = sorted(by_product, key=lambda name: -by_product[name])
    assert list(found) == [*largest[:10], "all others"]
    for name in largest[:10]:
        assert found[name]["share"] == pytest.approx(by_product[name] / total)
        assert found[name]["customers"] == len(who[name])
        assert found[name]["herfindahl"] == pytest.approx(sum((v / total) ** 2 for v in by_product.values()))
    assert found["all others"]["share"] == pytest.approx(
        sum(by_product[name] for name in largest[10:]) / total
    )
    cut = Study(in_blocks(study.log, 7), study.journey, documents=study.documents)
    assert json.dumps(rounded(canvas_review(cut))) == json.dumps(rounded(canvas_review(study)))


def rounded(result: Any) -> Any:
    return json.loads(result.to_json(), parse_float=lambda text: float(f"{float(text):.9g}"))["tables"]


def test_without_values_order_lines_are_counted():
    frame = history().drop(columns="value")
    found = canvas_review(study_of(canvas_of(), frame=frame, channel="channel"))
    web = shares(found, "channel")["web"]
    assert (web["value"], web["share"]) == (30, 0.5)
    assert "order lines" in web["note"]


def test_a_canvas_that_was_never_reviewed():
    found = canvas_review(study_of(canvas_of()))
    assert "has never been reviewed" in found.findings[0].text
    assert "wayfare documents DIR review canvas" in found.findings[0].text
    assert answers(found)["When was the canvas last reviewed?"] == "never"
    assert found.review["since"].to_pylist()[0] is None
    assert [row["verdict_then"] for row in found.changes.to_pylist()] == [None] * 3


def test_no_canvas_another_one_and_an_empty_log():
    none = canvas_review(study_of())
    assert none.review.num_rows == none.changes.num_rows == 0
    assert "wayfare documents DIR new canvas" in none.findings[0].text
    assert shares(none, "channel")["web"]["share"] == pytest.approx(0.75)
    with pytest.raises(UnknownName):
        canvas_review(study_of(canvas_of()), canvas="other")
    empty = canvas_review(study_of(canvas_of(reviews=[REVIEW]), frame=history().head(0)))
    assert empty.concentration.num_rows == 0
    assert answers(empty)["How many days is it overdue?"] == ""
    assert empty.chart() is None
    empty.to_json()
    for one in (none, empty):
        assert type(one).from_dict(json.loads(one.to_json())).to_json() == one.to_json()


def test_a_what_if_is_reviewed_by_its_name():
    study = study_of(canvas_of())
    study.documents = {**study.documents, "canvas@bold": canvas_of(reviews=[REVIEW])}
    assert answers(canvas_review(study, canvas="canvas@bold"))["How many days is it overdue?"] == "19"


def test_the_picture_has_every_cut():
    picture = canvas_review(study_of(canvas_of(revenue_streams=STREAMS))).chart()
    assert picture is not None
    for words in ("By revenue stream", "By channel", "By customers", "The club"):
        assert words in picture.svg()
