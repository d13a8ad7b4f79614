"""Evidence against hand calculations, the analyses that answer the same, and a loop over customers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.canvas.canvases import (
    canvas_of,
    counted,
    evidence,
    item,
    log_of,
    rows_of,
    shop,
    study_of,
)
from tests.analyses.cuts import in_blocks
from wayfare.analyses.canvas._evidence_words import NO_CANVAS
from wayfare.analyses.canvas.canvas_evidence import canvas_evidence
from wayfare.analyses.measurement.scorecard import scorecard
from wayfare.analyses.repurchase.value import value
from wayfare.analyses.satisfaction.csat import csat
from wayfare.analyses.satisfaction.nps import nps
from wayfare.domain.canvas import Canvas
from wayfare.engines.local import LocalEngine
from wayfare.errors import InvalidParameter, UnknownName
from wayfare.log import empty_log
from wayfare.stats.sequential import mean_sequence, rate_sequence, ratio_sequence
from wayfare.study import Study

# a comes back after 60 days, b never, c after 120; d's 90 days are not over when the log ends on day 250.
FOUR = rows_of(
    a="0 purchase, 60 purchase",
    b="5 purchase",
    c="9 cart, 10 purchase, 130 purchase",
    d="200 purchase, 201 purchase",
    e="0 cart, 250 product_view",
)


def test_a_repurchase_rate_by_hand():
    row = evidence(log_of(FOUR), canvas_of(item("back", "repurchase_rate", at_least="25%", importance=5)))[
        "back"
    ]
    assert row["value"] == pytest.approx(1 / 3)
    assert (row["n"], row["distance"]) == (3, pytest.approx(1 / 3 - 0.25))
    # The last that counted is a's second order, on day 60: 29 February + 1.
    assert (row["from"], row["to"], row["days_old"]) == ("2024-01-01", "2024-03-01", 190)
    assert (row["verdict"], row["note"]) == ("too_few", "3 customers, fewer than 30")
    interval = rate_sequence(1, 3)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert (row["block"], row["importance"], row["measure"]) == ("value_propositions", 5, "repurchase_rate")


def test_conversion_by_hand():
    canvas = canvas_of(
        item("all", "conversion_rate"),
        item("cart", "conversion_rate", touches=["cart"]),
        item("soon", "conversion_rate", touches=["cart"], within="30d"),
        item("at-once", "conversion_rate", within="1d"),
    )
    found = evidence(log_of(FOUR), canvas)
    assert {id: (row["value"], row["n"]) for id, row in found.items()} == {
        "all": (0.8, 5), "cart": (0.5, 2), "soon": (0.5, 2), "at-once": (0.8, 5),
    }  # fmt: skip


def test_items_with_touchpoints_or_a_segment_alone_say_how_many_customers_there_are():
    canvas = canvas_of(
        item("met", touches=["cart", "product_view"]), item("bare"), segments={"carts": ["did:cart"]}
    )
    found = evidence(log_of(FOUR), canvas)
    assert {id: (row["value"], row["n"], row["verdict"], row["measure"]) for id, row in found.items()} == {
        "carts": (2, 2, None, None), "met": (2, 2, None, None),
    }  # fmt: skip
    assert (found["met"]["from"], found["met"]["to"]) == ("2024-01-01", "2024-09-07")
    assert found["carts"]["segment"] == "carts"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return shop()


@pytest.fixture(scope="module")
def log(rows):
    return log_of(rows)


SAME = {
    "repurchase_rate": "repurchase_rate_90d",
    "conversion_rate": "conversion_rate",
    "retention_rate": "retention",
    "churn_rate": "churn",
    "average_order_value": "average_order_value",
    "value_per_customer": "average_value_per_customer",
}


def whole(log: Any, metric: str) -> dict[str, Any]:
    """A figure of the scorecard for the whole time."""
    table = Study(log).result(scorecard).metrics.to_pylist()
    return next(row for row in table if row["metric"] == metric and row["period"] == "all")


@pytest.mark.parametrize(("measure", "metric"), SAME.items())
def test_measures_are_those_of_the_scorecard(log, measure, metric):
    canvas = canvas_of(
        item("everybody", measure),
        item("web", measure, segment="web-shop"),
        segments={"web-shop": ["channel=web"]},
    )
    found = evidence(log, canvas)
    for id, part in (("everybody", log), ("web", log.where("channel=web"))):
        expected = whole(part, metric)
        assert found[id]["value"] == pytest.approx(expected["value"], rel=1e-12), id
        if measure not in ("retention_rate", "churn_rate", "average_order_value"):
            assert found[id]["n"] == expected["n"], id
        assert found[id]["high"] - found[id]["low"] > expected["high"] - expected["low"], (
            "looking often has a price"
        )


def test_churn_is_what_retention_leaves(log):
    found = evidence(log, canvas_of(item("stay", "retention_rate"), item("go", "churn_rate", at_most=1)))
    assert found["stay"]["value"] + found["go"]["value"] == pytest.approx(1)
    assert found["stay"]["low"] + found["go"]["high"] == pytest.approx(1)


def test_value_in_the_first_days_is_that_of_the_analysis_value(log):
    found = evidence(log, canvas_of(item("early", "value_per_customer", within="180d")))["early"]
    groups = [r for r in Study(log).result(value).segments.to_pylist() if r["dimension"] == "cohort"]
    followed = [r for r in groups if r["followed"]]
    assert found["n"] == sum(r["followed"] for r in followed)
    assert found["value"] == pytest.approx(
        sum(r["early_value"] * r["followed"] for r in followed) / sum(r["followed"] for r in followed)
    )


def test_lifetime_value_is_that_of_the_analysis_value(log):
    canvas = canvas_of(
        item("worth", "lifetime_value"), item("web", "lifetime_value", segment="web-shop"), segments={"web-shop": ["first:channel=web"]}
    )  # fmt: skip
    found = evidence(log, canvas)
    groups = Study(log).result(value).segments.to_pylist()
    cohorts = [r for r in groups if r["dimension"] == "cohort"]
    web = next(r for r in groups if (r["dimension"], r["segment"]) == ("first channel", "web"))
    total = sum(r["lifetime_value"] * r["customers"] for r in cohorts) / sum(r["customers"] for r in cohorts)
    assert found["worth"]["value"] == pytest.approx(total)
    assert (found["web"]["value"], found["web"]["n"]) == (
        pytest.approx(web["lifetime_value"]),
        web["customers"],
    )
    assert "forecast" in found["web"]["note"]


def test_lifetime_value_without_a_forecast_is_too_few():
    found = evidence(log_of(FOUR), canvas_of(item("worth", "lifetime_value")))["worth"]
    assert (found["verdict"], found["value"]) == ("too_few", None)


@pytest.mark.parametrize(
    ("measure", "analysis"), [("customer_satisfaction", csat), ("net_promoter_score", nps)]
)
def test_scores_are_those_of_the_satisfaction_analyses(log, measure, analysis):
    canvas = canvas_of(
        item("everybody", measure),
        item("web", measure, segment="web-shop"),
        segments={"web-shop": ["channel=web"]},
    )
    found = evidence(log, canvas)
    for id, part in (("everybody", log), ("web", log.where("channel=web"))):
        expected = Study(part).result(analysis).scores.to_pylist()[0]
        assert (found[id]["value"], found[id]["n"]) == (pytest.approx(expected["score"]), expected["n"]), id
        assert found[id]["low"] < expected["low"] < expected["high"] < found[id]["high"]


def test_answers_of_people_who_stayed_anonymous_count_for_everybody(log):
    apart = log_of(
        [
            {"customer": str(n), "day": n, "event": "survey_answer", "question_kind": "csat", "score": 5.0}
            for n in range(40)
        ]
    )
    canvas = canvas_of(
        item("everybody", "customer_satisfaction"), item("web", "customer_satisfaction", segment="web-shop"), segments={"web-shop": ["channel=web"]}
    )  # fmt: skip
    study = study_of(log, canvas, anonymous=apart)
    found = {row["item"]: row for row in study.result(canvas_evidence).evidence.to_pylist()}
    expected = study.result(csat).scores.to_pylist()[0]
    assert (found["everybody"]["value"], found["everybody"]["n"]) == (
        pytest.approx(expected["score"]),
        expected["n"],
    )
    assert found["web"]["n"] == evidence(log, canvas)["web"]["n"]


def test_scales_that_were_mixed_are_no_error():
    rows = [
        {"customer": str(n), "day": n, "event": "survey_answer", "question_kind": "nps", "score": 40.0}
        for n in range(40)
    ]
    found = evidence(log_of(rows), canvas_of(item("nps", "net_promoter_score")))["nps"]
    assert (found["verdict"], found["n"]) == ("too_few", 0)
    assert "scale from 0 to 10" in found["note"]


CASES = {
    "back": ("repurchase_rate", {"within": 40.0}),
    "usual": ("repurchase_rate", {}),
    "kept": ("retention_rate", {"within": 60.0}),
    "bought": ("conversion_rate", {"touches": ("cart",), "within": 45.0}),
    "ever": ("conversion_rate", {"touches": ("cart", "product_view")}),
    "again": ("conversion_rate", {"touches": ("purchase",)}),
    "invites": ("referral_rate", {}),
    "soon": ("referral_rate", {"within": 30.0}),
    "invited": ("referrals", {}),
}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), customers=st.integers(1, 25), cut=st.sampled_from([1, 3, 1000]))
def test_a_loop_over_customers_says_the_same(seed, customers, cut):
    rows = shop(customers, seed)
    items = []
    for id, (measure, how) in CASES.items():
        within = {"within": f"{how['within']:g}d"} if "within" in how else {}
        for suffix, segment in (("", {}), ("-web", {"segment": "web-shop"})):
            items.append(item(id + suffix, measure, touches=how.get("touches", ()), **within, **segment))
    found = evidence(in_blocks(log_of(rows), cut), canvas_of(*items, segments={"web-shop": ["channel=web"]}))
    for id, (measure, how) in CASES.items():
        for suffix, channel in (("", None), ("-web", "web")):
            n, x = counted(rows, measure, channel=channel, **how)
            row = found[id + suffix]
            expected = None if not n else x if measure == "referrals" else x / n
            # An event that no row has is a broken reference, and nothing is said of it.
            if set(how.get("touches", ())) <= {r["event"] for r in rows} and (
                "web" in {r["channel"] for r in rows} or not suffix
            ):
                assert (row["n"], row["value"]) == (n, pytest.approx(expected)), id + suffix


def test_intervals_of_money_are_sequences_over_customers(rows, log):
    found = evidence(log, canvas_of(item("each", "value_per_customer"), item("order", "average_order_value")))
    bought = pd.DataFrame(rows).dropna(subset=["value"]).groupby("customer")["value"].agg(["sum", "count"])
    x, y = bought["sum"].to_numpy(), bought["count"].to_numpy().astype(float)
    each = mean_sequence(x.sum(), (x**2).sum(), len(x))
    order = ratio_sequence(x.sum(), y.sum(), (x**2).sum(), (x * y).sum(), (y**2).sum(), len(x))
    assert (found["each"]["low"], found["each"]["high"]) == pytest.approx((each.low, each.high))
    assert (found["order"]["low"], found["order"]["high"]) == pytest.approx((order.low, order.high))


def test_the_net_promoter_score_stays_open_where_all_promote():
    rows = [
        {"customer": str(n), "day": n, "event": "survey_answer", "question_kind": "nps", "score": 10.0}
        for n in range(40)
    ]
    found = evidence(log_of(rows), canvas_of(item("nps", "net_promoter_score", at_least=90)))["nps"]
    assert (found["value"], found["high"], found["verdict"]) == (100, 100, "too_few")
    assert found["low"] < 90


def buyers(successes: int, n: int) -> list[dict[str, Any]]:
    """`n` customers, the first of whom come back."""
    rows = []
    for number in range(n):
        rows.append({"customer": f"c{number:04d}", "day": number % 100, "event": "purchase"})
        if number < successes:
            rows.append({"customer": f"c{number:04d}", "day": number % 100 + 20, "event": "purchase"})
    return [*rows, {"customer": "z", "day": 400, "event": "cart"}]


# 180 of 600 come back. B(181, 421)/(p^180 (1 − p)^420) = 20 has the roots .237862 and .367489 (mpmath).
RULES = [
    ({"at_least": 0.2}, "holds"),
    ({"at_least": 0.4}, "fails"),
    ({"at_least": 0.3}, "too_few"),
    ({"at_most": 0.4}, "holds"),
    ({"at_most": 0.2}, "fails"),
    ({"at_least": 0.2, "at_most": 0.4}, "holds"),
    ({"at_least": 0.5, "at_most": 0.6}, "fails"),
    ({"at_least": 0.2, "at_most": 0.31}, "too_few"),
]


def test_verdicts_follow_the_whole_interval():
    items = [item(f"rule-{i}", "repurchase_rate", **rule) for i, (rule, _) in enumerate(RULES)]
    found = evidence(log_of(buyers(180, 600)), canvas_of(*items))
    assert [found[f"rule-{i}"]["verdict"] for i in range(len(RULES))] == [verdict for _, verdict in RULES]
    assert [round(found["rule-0"][end], 3) for end in ("low", "high")] == [0.238, 0.367]
    distances = [round(found[f"rule-{i}"]["distance"], 9) for i in range(len(RULES))]
    assert distances == [0.1, -0.1, 0, 0.1, -0.1, 0.1, -0.2, 0.01]
    assert found["rule-2"]["note"] == "between 23.8% and 36.7%, and the rule is at least 30%"


def test_a_higher_confidence_says_less_and_the_minimum_counts():
    log, canvas = log_of(buyers(180, 600)), canvas_of(item("back", "repurchase_rate", at_least=0.235))
    assert evidence(log, canvas)["back"]["verdict"] == "holds"
    assert evidence(log, canvas, confidence=0.999)["back"]["verdict"] == "too_few"
    assert evidence(log, canvas, minimum=601)["back"]["note"] == "600 customers, fewer than 601"
    with pytest.raises(InvalidParameter):
        evidence(log, canvas, confidence=1.0)


def test_equal_values_do_not_decide():
    rows = [{"customer": str(n), "day": n, "event": "purchase", "value": 10.0} for n in range(50)]
    found = evidence(log_of(rows), canvas_of(item("each", "value_per_customer", at_least=5)))["each"]
    assert (found["verdict"], found["value"]) == ("too_few", 10)
    assert "alike" in found["note"]


def test_a_rate_of_months_without_any_success_still_decides():
    rows = [{"customer": str(n), "day": n / 40, "event": "purchase"} for n in range(200)] + rows_of(
        z="100 cart"
    )
    found = evidence(log_of(rows), canvas_of(item("stay", "retention_rate", at_least=0.2)))["stay"]
    assert (found["value"], found["n"], found["verdict"]) == (0, 200, "fails")


def test_money_without_values_is_too_few():
    found = evidence(log_of(buyers(10, 50)), canvas_of(item("each", "value_per_customer")))["each"]
    assert (found["verdict"], found["n"]) == ("too_few", 0)
    assert "no values" in found["note"]


def review(date: str, **verdicts: str) -> dict[str, Any]:
    told = [{"item": id, "verdict": verdict} for id, verdict in verdicts.items()]
    return {"date": date, "who": "Ann", "verdicts": told}


def test_what_flipped_since_the_last_review():
    canvas = canvas_of(
        item("good", "repurchase_rate", at_least=0.2, text="They come back", importance=2),
        item("bad", "repurchase_rate", at_least=0.4, text="Nearly half come back", importance=4),
        item("open", "repurchase_rate", at_least=0.3),
        item("same", "repurchase_rate", at_least=0.4),
        item("new", "repurchase_rate", at_least=0.4),
        reviews=[
            review("2025-06-01", good="fails", bad="holds", open="fails", same="fails"),
            review("2024-02-01", good="holds", bad="fails"),
        ],
    )
    result = study_of(log_of(buyers(180, 600)), canvas).result(canvas_evidence)
    found = {row["item"]: (row["last_verdict"], row["flipped"]) for row in result.evidence.to_pylist()}
    assert found == {
        "good": ("fails", True), "bad": ("holds", True), "open": ("fails", False), "same": ("fails", False), "new": (None, False),
    }  # fmt: skip
    assert result.findings[1].text == (
        "Since the review of 1 June 2025, 2 have turned: “Nearly half come back” fails now and held then; "
        "“They come back” holds now and failed then."
    )


def test_findings_name_the_foremost_failing_one_with_number_and_interval():
    canvas = canvas_of(
        item(
            "bad",
            "repurchase_rate",
            at_least=0.4,
            text="Nearly half come back",
            importance=4,
            within="90d",
            segment="buyers",
        ),
        item("worse", "repurchase_rate", at_least=0.9, text="All come back"),
        item("good", "repurchase_rate", at_least=0.2),
        segments={"buyers": ["did:purchase"]},
    )
    found = study_of(log_of(buyers(180, 600)), canvas).result(canvas_evidence).findings
    assert found[0].text == "Of 3 hypotheses with a pass rule, 1 holds and 2 fail."
    assert found[1].text == (
        "Of those that fail, the most important (importance 4 of 5) is “Nearly half come back”: re-purchase rate in 90 days of “Buyers” is 30% (95% always-valid interval 23.8% to "
        "36.7%, 600 customers from 2024-01-01 to 2024-04-29), where at least 40% is the rule."
    )
    assert found[1].customers == 600


def test_broken_references_are_rows_and_no_errors():
    canvas = canvas_of(
        item("lost", "conversion_rate", touches=["carts", "purchase"]),
        item("group", "conversion_rate", segment="odd"),
        item("unsaid", "conversion_rate", segment="empty"),
        item("fine", "conversion_rate"),
        item("aside", "repurchase_rate", touches=["carts"]),
        segments={"odd": ["chanel=web", "channel=wep", "did:purchas", "channel>=3"], "empty": []},
    )
    log = log_of([{**row, "channel": "web"} for row in FOUR])
    result = study_of(log, canvas).result(canvas_evidence)
    assert [tuple(row.values()) for row in result.broken.to_pylist()] == [
        ("odd", "customer_segments", "column", "chanel", "channel"),
        ("odd", "customer_segments", "value", "wep", "web"),
        ("odd", "customer_segments", "event", "purchas", "purchase"),
        ("odd", "customer_segments", "value", "3", ""),
        ("lost", "value_propositions", "event", "carts", "cart"),
        ("aside", "value_propositions", "event", "carts", "cart"),
    ]
    found = {row["item"]: row for row in result.evidence.to_pylist()}
    assert [found[id]["verdict"] for id in ("odd", "lost", "group", "unsaid")] == ["too_few"] * 4
    assert [found[id]["value"] for id in ("lost", "group", "unsaid")] == [None] * 3
    assert found["fine"]["value"] == 0.8
    assert (
        "of the segment 'odd', the log has no column 'chanel' (is 'channel' meant?)" in found["group"]["note"]
    )
    assert "nothing says which customers are of the segment 'empty'" in found["unsaid"]["note"]
    assert (found["aside"]["value"], found["aside"]["n"]) == (pytest.approx(1 / 3), 3)
    assert result.findings[-1].text.startswith("6 references lead nowhere")


def test_a_condition_that_cannot_be_judged_is_broken():
    canvas = canvas_of(segments={"odd": ["channel>=web", "value=much"]})
    log = log_of([{**row, "channel": "web", "value": 1.0} for row in FOUR])
    result = study_of(log, canvas).result(canvas_evidence)
    assert [(row["what"], row["name"]) for row in result.broken.to_pylist()] == [
        ("condition", "channel>=web"), ("condition", "value=much"),
    ]  # fmt: skip


def test_without_a_canvas_it_says_how_to_start_one(log):
    result = Study(log).result(canvas_evidence)
    assert (result.evidence.num_rows, result.broken.num_rows) == (0, 0)
    assert [finding.text for finding in result.findings] == [NO_CANVAS]
    assert result.chart() is None
    with pytest.raises(UnknownName):
        Study(log).result(canvas_evidence, canvas="none")


def test_a_canvas_without_items_or_rules(log):
    empty = study_of(log, canvas_of()).result(canvas_evidence)
    assert empty.findings[0].text == "The canvas 'canvas' has no items yet."
    bare = study_of(log, canvas_of(item("one"), item("two", touches=["cart"]))).result(canvas_evidence)
    assert bare.findings[0].text.startswith("None of the 2 items has a metric")


ALL_MEASURES = (
    *SAME,
    "referral_rate",
    "referrals",
    "lifetime_value",
    "customer_satisfaction",
    "net_promoter_score",
)


def test_an_empty_log_is_too_few_of_everything():
    canvas = canvas_of(*(item(measure.replace("_", "-"), measure) for measure in ALL_MEASURES))
    result = study_of(empty_log(), canvas).result(canvas_evidence)
    assert set(result.evidence["verdict"].to_pylist()) == {"too_few"}
    assert set(result.evidence["n"].to_pylist()) == {0}
    assert result.chart() is None


def test_what_if_canvases_are_named(log):
    main, other = canvas_of(item("one", "conversion_rate")), canvas_of(item("two", "conversion_rate"))
    study = Study(log, documents={"canvas": main, "canvas@bold": other})
    assert study.result(canvas_evidence).evidence["item"].to_pylist() == ["one"]
    assert study.result(canvas_evidence, canvas="canvas@bold").evidence["item"].to_pylist() == ["two"]


def test_where_blocks_are_cut_changes_nothing(log):
    canvas = canvas_of(
        *(
            item(measure.replace("_", "-"), measure, segment="group", touches=["cart"])
            for measure in ALL_MEASURES
        ),
        segments={"group": ["first:channel!=store", "never:referral_invite"]},
    )
    once, often = evidence(log, canvas), evidence(in_blocks(log, 7), canvas)
    for id, row in once.items():
        assert {k: v if not isinstance(v, float) else round(v, 8) for k, v in row.items()} == {
            k: v if not isinstance(v, float) else round(v, 8) for k, v in often[id].items()
        }


def test_a_filter_by_time_leaves_segments_as_they_were(rows, log):
    canvas = canvas_of(
        item("web", "conversion_rate", segment="group"),
        item("all", "conversion_rate"),
        segments={"group": ["first:channel=web"]},
    )
    moved = [{**row, "channel": "web" if row["day"] < 200 else "store"} for row in rows]
    for since in ("2024-07-19", None):
        found = evidence(log_of(moved).where(since=since), canvas)
        after = [row for row in moved if since is None or row["day"] >= 200]
        early = {row["customer"] for row in moved if row["day"] < 200}
        assert found["all"]["n"] == len({row["customer"] for row in after})
        assert found["web"]["n"] == len({row["customer"] for row in after} & early)


def test_twice_the_customers_are_twice_as_many_and_no_other_figure(rows):
    twins = [
        {**row, "customer": f"twin {row['customer']}", "order": row["order"] and f"twin {row['order']}"}
        for row in rows
    ]
    canvas = canvas_of(*(item(m.replace("_", "-"), m) for m in ALL_MEASURES if m != "lifetime_value"))
    once, twice = evidence(log_of(rows), canvas), evidence(log_of([*rows, *twins]), canvas)
    for id, row in once.items():
        assert twice[id]["n"] == 2 * row["n"], id
        assert twice[id]["value"] == pytest.approx((2 if id == "referrals" else 1) * row["value"]), id


@dataclass(frozen=True)
class Counting(LocalEngine):
    """Counts the passes over a log."""

    passes: list[int] = field(default_factory=list)

    def run(self, source, condition, folds, progress=None):
        self.passes.append(len(folds))
        return super().run(source, condition, folds, progress)


def test_all_bindings_are_one_pass(log):
    engine = Counting()
    measures = [m for m in ALL_MEASURES if m != "lifetime_value"]
    items = [
        item(f"{m.replace('_', '-')}-{s}", m, segment=s) for m in measures for s in ("web", "store", "app")
    ]
    canvas = canvas_of(*items, segments={s: [f"channel={s}"] for s in ("web", "store", "app")})
    study_of(replace(log, engine=engine), canvas).result(canvas_evidence)
    assert engine.passes == [1]


def test_the_picture_shows_the_failing_first(log):
    canvas = canvas_of(
        item("hope", "conversion_rate", at_least=0.99, text='Everybody <buys> & "stays"'),
        item("fact", "conversion_rate", at_least=0.1),
        item("each", "value_per_customer", at_most=500),
        item("nps", "net_promoter_score", at_least=50),
    )
    picture = study_of(log, canvas).result(canvas_evidence).chart()
    svg = picture.svg()
    assert svg.index("Everybody") < svg.index("Fact")
    assert "<buys>" not in svg
    assert "fails" in svg


def test_the_result_is_json_and_back(log):
    result = study_of(log, canvas_of(item("one", "conversion_rate", at_least=0.2))).result(canvas_evidence)
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()


@pytest.mark.slow
def test_five_thousand_items_with_five_hundred_bindings_on_a_million_events_in_ten_seconds():
    rng = np.random.default_rng(2)
    size = 1_000_000
    frame = {
        "customer": np.sort(rng.integers(0, size // 8, size)).astype(str),
        "time": np.datetime64("2024-01-01", "us") + rng.integers(0, 63_072_000, size).astype("m8[s]"),
        "event": np.array(["product_view", "cart", "purchase", "referral_invite"])[
            rng.choice(4, size, p=[0.6, 0.2, 0.15, 0.05])
        ],
        "campaign": np.char.add("c", rng.integers(0, 60, size).astype(str)),
        "value": np.round(rng.gamma(2, 20, size), 2),
    }
    log = wf.read_events(
        pd.DataFrame(frame),
        customer="customer",
        time="time",
        event="event",
        campaign="campaign",
        value="value",
    )
    measures = [m for m in ALL_MEASURES if m not in ("lifetime_value", "net_promoter_score")]
    groups = {f"s{i}": [f"campaign=c{i}", f"first:campaign!=c{i + 1}"] for i in range(56)}
    items = [item(f"i{i}", measures[i % 9], segment=f"s{i // 9 % 56}", at_least=0.1) for i in range(4_944)]
    canvas = canvas_of(*items, segments=groups)
    assert isinstance(canvas, Canvas)
    found = study_of(log, canvas).result(canvas_evidence).evidence
    assert found.num_rows == 5_000
