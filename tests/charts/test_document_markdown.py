"""Documents as Markdown: every word, none of it markup."""

from __future__ import annotations

import pytest

from tests.charts import strategy_documents as documents
from tests.charts.strategy_documents import EVIL, item
from wayfare.charts.document_drawing import Facts
from wayfare.charts.document_markdown import markdown_of, plain
from wayfare.domain.canvas import Canvas
from wayfare.domain.journey import JourneyMap
from wayfare.domain.value_chain import ValueChain


def test_a_canvas_is_headings_with_items():
    said = markdown_of(documents.roaster(), Facts(documents.EVIDENCE, currency="EUR", note="Revision 3."))
    assert said.startswith("# Harbour Coffee: of 8 hypotheses bound to the log, 3 hold")
    assert "\nRevision 3.\n" in said
    part = said[said.index("## Value propositions") : said.index("## Channels")]
    assert "- `pause`: Pause, skip or change the subscription in one message\n  - For: homes\n" in part
    assert "  - Hypothesis: Satisfaction of subscribers is at least 8\n" in part
    assert "  - Evidence: Fails: 7.1 (6.9 to 7.3), n = 612; at least 8\n" in part
    assert "  - Evidence: Believed, not tested\n" in part
    assert all(f"`{each.id}`" in said for _, each in documents.roaster().items())


def test_a_chain_nests_its_parts_and_lists_linkages():
    said = markdown_of(documents.chain(), Facts(documents.CHAIN_EVIDENCE, documents.COSTS, "EUR"))
    assert (
        "- `roast`: Roast on Mondays and Thursdays\n  - Owner: Mira\n  - Cost: EUR 71,400; 23% of all" in said
    )
    assert "\n  - `profile`: Set the profile" in said
    assert "\n    - `log-batch`: Log the temperature" in said
    assert "  - Serves: product\\_view, purchase\n" in said
    assert "## Linkages\n\n- “Receive and store green beans” feeds" in said
    assert all(f"`{each.id}`" in said for _, each in documents.chain().activities())


def test_a_journey_map_has_its_touchpoints_by_stage():
    journey = JourneyMap.model_validate(
        {
            "document": "journey_map",
            "stages": [{"stage": "purchase", "goal": "Pay without thinking"}],
            "touchpoints": [
                {
                    "event": "purchase",
                    "stage": "purchase",
                    "after_purchase": "repurchase",
                    "pain_points": ["slow"],
                }
            ],
            "personas": [{"id": "hurried", "text": "In a hurry", "needs": ["speed"]}],
        }
    )
    said = markdown_of(journey)
    assert said.startswith("# journey: journey map, 1 touchpoint\n")
    assert (
        "## Purchase\n\n- Goal: Pay without thinking\n- purchase\n  - After the first order: Re-purchase\n"
        in said
    )
    assert "  - Pain point: slow\n" in said
    assert "- `hurried`: In a hurry\n  - Need: speed\n" in said


@pytest.mark.parametrize("document", [Canvas(name="c"), ValueChain(name="v"), JourneyMap()])
def test_what_is_empty_says_what_belongs_there(document):
    said = markdown_of(document)
    assert said.count("*Nothing yet. ") == (6 if isinstance(document, JourneyMap) else 9)


def test_nothing_that_people_wrote_is_markup():
    evil = Canvas.model_validate(
        {
            "document": "canvas",
            "name": "c",
            "about": EVIL + "\n# Heading\n- list",
            "channels": [
                item("a", "[link](javascript:alert(1)) ![x](y) **b** `c` <img src=x>\n\n# H", hypothesis=EVIL)
            ],
        }
    )
    said = markdown_of(evil, Facts({"a": ("holds", EVIL)}, note=EVIL))
    assert "<" not in said
    assert "](" not in said.replace("\\](", "")
    assert "\n# H" not in said.removeprefix("# ")
    assert "**" not in said.replace("\\*\\*", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1. one", "1\\. one"),
        ("- one", "\\- one"),
        ("+ one", "\\+ one"),
        ("=====", "\\====="),
        ("# one", "\\# one"),
        ("a & b < c", "a &amp; b &lt; c"),
        ("two\nlines", "two lines"),
        ("don't", "don't"),
    ],
)
def test_each_sign_that_means_something_is_kept_from_it(text: str, shown: str):
    assert plain(text) == shown
