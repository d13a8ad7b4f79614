"""The canvas: nine blocks, typed items, bindings whose references lead somewhere."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wayfare.domain.canvas import BLOCKS, Canvas, CostLine, Metric


def canvas(**said) -> Canvas:
    return Canvas.model_validate({"name": "Shop", **said})


NEW = {"id": "new", "text": "New customers", "bindings": {"segment": ["first:channel=web"]}}
FAST = {
    "id": "fast",
    "text": "Delivered tomorrow",
    "colour": "orange",
    "segment": "new",
    "hypothesis": "Who gets it tomorrow comes back",
    "importance": 5,
    "bindings": {
        "touchpoints": [{"event": "delivered", "weight": 2}, {"event": "purchase"}],
        "metric": {"measure": "repurchase_rate", "within": "90d", "segment": "new", "at_least": "25 %"},
        "revenue_stream": "orders",
        "cost_line": "carrier",
    },
    "feedback": [{"text": "Too dear", "source": "Interview with a buyer", "date": "2026-03-01"}],
    "trends": [{"text": "Same-day delivery spreads", "source": "Trade press", "date": "2026-02-11"}],
}
WHOLE = {
    "customer_segments": [NEW],
    "value_propositions": [FAST],
    "revenue_streams": [{"id": "orders", "text": "Orders", "kind": "sales"}],
    "cost_structure": [
        {"id": "carrier", "text": "Carrier", "kind": "variable", "amount": 4.5, "per": "order"}
    ],
}


def first(error: pytest.ExceptionInfo[ValidationError]) -> dict:
    return error.value.errors(include_url=False)[0]


def test_a_whole_canvas_is_read():
    read = canvas(**WHOLE)
    fast = read.item("fast")
    assert [block for block, _ in read.items()] == [
        "customer_segments", "value_propositions", "revenue_streams", "cost_structure",
    ]  # fmt: skip
    assert fast.bindings.metric.at_least == 0.25
    assert [touched.weight for touched in fast.bindings.touchpoints] == [2, 1]
    assert str(fast.feedback[0].date) == "2026-03-01"
    assert len(BLOCKS) == 9  # Osterwalder and Pigneur (2010)


def test_it_never_changes():
    with pytest.raises(ValidationError):
        canvas().name = "other"


@pytest.mark.parametrize(
    ("limits", "value", "passes"),
    [
        ({"at_least": 0.25}, 0.25, True),
        ({"at_least": 0.25}, 0.24, False),
        ({"at_most": "5%"}, 0.05, True),
        ({"at_most": "5%"}, 0.051, False),
        ({"at_least": 0.1, "at_most": 0.2}, 0.15, True),
    ],
)
def test_the_pass_rule(limits, value, passes):
    assert Metric(measure="churn_rate", **limits).passes(value) is passes


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ({"measure": "churn_rate"}, "no pass rule"),
        ({"measure": "churn_rate", "at_least": 0.5, "at_most": 0.2}, "nothing is at least 0.5"),
        ({"measure": "churn_rate", "at_least": 25}, "is a share"),
        ({"measure": "churn_rate", "at_least": "x%"}, "no percentage"),
        ({"measure": "churn_rate", "at_least": 0.5, "within": "soon"}, "is not a duration"),
        ({"measure": "churn_rate", "at_least": "inf"}, "finite"),
        ({"measure": "happiness", "at_least": 1}, "repurchase_rate"),
    ],
)
def test_a_metric_that_decides_nothing_is_refused(metric, said):
    with pytest.raises(ValidationError, match=said):
        Metric.model_validate(metric)


@pytest.mark.parametrize(
    ("item", "path", "said"),
    [
        ({"segment": "nwe"}, ("segment",), "Did you mean 'new'"),
        ({"bindings": {"revenue_stream": "carrier"}}, ("bindings", "revenue_stream"), "no revenue stream"),
        ({"bindings": {"cost_line": "x"}}, ("bindings", "cost_line"), "no cost line 'x'"),
        (
            {"bindings": {"metric": {"measure": "referrals", "at_least": 1, "segment": "x"}}},
            ("bindings", "metric", "segment"),
            "no customer segment 'x'",
        ),
        ({"id": "new"}, ("id",), "stands for two things"),
    ],
)
def test_a_reference_to_nothing_is_named_with_its_place(item, path, said):
    with pytest.raises(ValidationError) as error:
        canvas(**{**WHOLE, "channels": [{"id": "shop", "text": "Shop", **item}]})
    (place, message), *more = first(error)["ctx"]["problems"]
    assert place == ("channels", 0, *path)
    assert said in message
    assert more == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"channels": [{"id": "A B", "text": "x"}]}, "pattern"),
        ({"channels": [{"id": "a", "text": "  "}]}, "pattern"),
        ({"channels": [{"id": "a", "text": "x", "importance": 6}]}, "less than or equal to 5"),
        ({"channels": [{"id": "a", "text": "x", "colour": "pink"}]}, "grey"),
        ({"channels": [{"id": "a", "text": "bell \x07"}]}, "U\\+0007"),
        ({"channels": [{"id": "a", "text": "nul \x00"}]}, "U\\+0000"),
        ({"channels": [{"id": "a", "text": "half \ud800"}]}, "U\\+D800|valid"),
        ({"channels": [{"id": "a", "text": "x", "wieght": 1}]}, "not permitted"),
        ({"channels": [{"id": "a", "text": "x", "bindings": {"segment": ["web"]}}]}, "is not a segment"),
        (
            {"channels": [{"id": "a", "text": "x", "bindings": {"touchpoints": [{"event": "e"}] * 2}}]},
            "twice",
        ),
        ({"revenue_streams": [{"id": "a", "text": "x"}]}, "kind"),
        ({"trends": [{"text": "x", "source": "y", "date": "yesterday"}]}, "not a day"),
        ({"trends": [{"text": "x", "source": "y", "date": "1700000000"}]}, "not a day"),
        ({"name": "../../etc/passwd"}, "no name"),
    ],
)
def test_what_it_does_not_know_is_refused(said, problem):
    with pytest.raises(ValidationError, match=problem):
        canvas(**said)


def test_a_fixed_cost_is_for_a_time():
    with pytest.raises(ValidationError, match="variable, not fixed"):
        CostLine(id="a", text="b", kind="fixed", amount=1, per="order")


def test_foreign_line_ends_become_ours():
    assert canvas(about="one\r\ntwo").about == "one\ntwo"
