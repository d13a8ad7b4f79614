"""The drawn value chain: every activity in its category, safe and inside; Porter's arrow; both layouts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.charts import strategy_documents as documents
from tests.charts.boards import SVG, boxes, contrast, groups, reaching_out, root_of, squeezed, words
from wayfare.charts.board import NARROW
from wayfare.charts.chain_cards import CATEGORY_TITLES, HINTS
from wayfare.charts.picture import TwoLayouts, pdf, png
from wayfare.charts.value_chain_map import BANDS, draw
from wayfare.domain.value_chain import PRIMARY, SUPPORT, ValueChain

EXAMPLES = {
    "roaster": lambda: (documents.chain(), documents.CHAIN_EVIDENCE, documents.COSTS),
    "document alone": lambda: (documents.chain(), None, None),
    "empty": lambda: (ValueChain(name="value-chain"), None, None),
    "strange": lambda: (
        documents.strange_chain(),
        {"evil": ("fails", documents.EVIL), "deep8": ("holds", "n = 3")},
        {"evil": (documents.EVIL, documents.EVIL)},
    ),
}


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> tuple[ValueChain, TwoLayouts]:
    chain, evidence, costs = EXAMPLES[request.param]()
    return chain, draw(chain, evidence, costs=costs, note="n = 3,400", currency="EUR")


@pytest.fixture(scope="module")
def roaster() -> TwoLayouts:
    return draw(documents.chain(), documents.CHAIN_EVIDENCE, costs=documents.COSTS, currency="EUR")


def test_every_activity_is_there_in_its_category(example: tuple[ValueChain, TwoLayouts]):
    chain, picture = example
    for svg in (picture.svg(), picture.narrow()):
        categories = groups(root_of(svg), "category")
        assert set(categories) == {*PRIMARY, *SUPPORT}
        for path, activity in chain.activities():
            card = groups(categories[path[1]], "item")[activity.id]
            assert squeezed(activity.text) in squeezed(words(card))
            assert squeezed(activity.owner) in squeezed(words(card))
            assert activity.text in card.get("aria-label", "")


def test_nothing_leaves_its_place(example: tuple[ValueChain, TwoLayouts]):
    for svg in (example[1].svg(), example[1].narrow()):
        assert list(reaching_out(root_of(svg))) == []


def test_text_is_text_and_never_markup(example: tuple[ValueChain, TwoLayouts]):
    for svg in (example[1].svg(), example[1].narrow(), example[1].html()):
        assert "<script" not in svg


def test_the_same_chain_is_the_same_drawing(roaster: TwoLayouts):
    again = draw(documents.chain(), documents.CHAIN_EVIDENCE, costs=documents.COSTS, currency="EUR")
    assert (again.svg(), again.narrow()) == (roaster.svg(), roaster.narrow())


def test_an_arrow_that_ends_in_the_margin(roaster: TwoLayouts):
    root = root_of(roaster.svg())
    frames = {}
    for name, group in groups(root, "category").items():
        frame = group.find(f"{SVG}rect")
        x, y, width, height = (float(frame.get(side)) for side in ("x", "y", "width", "height"))
        frames[name] = (x, y, x + width, y + height)
    for left, right in pairwise(PRIMARY):
        assert frames[left][2] == pytest.approx(frames[right][0], abs=0.2)
    assert [frames[name][1] for name in BANDS] == sorted(frames[name][1] for name in BANDS)
    assert max(frames[name][3] for name in BANDS) < frames["operations"][1]
    assert all(frames[name][2] == pytest.approx(frames["service"][2], abs=0.2) for name in BANDS)
    margin = next(text for text in root.iter(f"{SVG}text") if text.text == "Margin")
    assert float(margin.get("x")) > frames["service"][2]


def test_cards_say_owner_cost_and_target(roaster: TwoLayouts):
    cards = groups(root_of(roaster.svg()), "item")
    assert "Owner: Parcel service" in words(cards["deliver"])
    assert "Cost EUR 88,100; 28% of all" in words(cards["deliver"])
    assert "Lead time, purchase → delivered: at most 2 days" in words(cards["deliver"]).replace(
        "48 hours", "2 days"
    )
    assert "Defects, batch → batch_discarded: at most 2%" in words(cards["cup"])
    assert "Fails 62 hours (60 to 64), n = 3,120" in words(cards["deliver"])
    assert "Holds" in words(cards["cup"])


def test_without_computed_costs_those_of_the_document_are_drawn():
    cards = groups(root_of(draw(documents.chain(), currency="EUR").svg()), "item")
    assert "Cost EUR 18,400, 2024-01-01 to 2024-12-31" in words(cards["receive"])
    assert "Cost EUR 0.62 a minute, 9,600 minutes a month" in words(cards["roast"])
    assert "EUR 0.60 a minute" in words(cards["pack"])  # 4,320 for 7,200 minutes


def test_parts_are_indented_on_the_card_of_the_whole(roaster: TwoLayouts):
    root = root_of(roaster.svg())
    cards = groups(root, "item")
    inside = groups(cards["roast"], "item")
    assert {"profile", "log-batch", "cup"} <= set(inside)
    left = {
        id: float(next(cards[id].iter(f"{SVG}text")).get("x")) for id in ("roast", "profile", "log-batch")
    }
    assert left["roast"] < left["profile"] < left["log-batch"]
    assert set(boxes(root)) == {
        each.id for path, each in documents.chain().activities() if "parts" not in path
    }


def test_linkages_are_a_list(roaster: TwoLayouts):
    for svg in (roaster.svg(), roaster.narrow()):
        said = words(root_of(svg))
        assert "“Roast on Mondays and Thursdays” feeds “Pack on the day of roasting” (the same day)" in said
        assert "supports “Receive and store green beans”" in said
    assert "Linkages" not in draw(ValueChain(name="value-chain")).svg()


def test_an_empty_category_says_what_belongs_there():
    for svg in (draw(ValueChain(name="v")).svg(), draw(ValueChain(name="v")).narrow()):
        for name, group in groups(root_of(svg), "category").items():
            assert HINTS[name] in words(group)
            assert group.get("aria-label") == f"{CATEGORY_TITLES[name]}: nothing yet"


def test_a_phone_gets_one_column(roaster: TwoLayouts):
    root = root_of(roaster.narrow())
    assert float(root.get("width")) == NARROW
    assert len({(left, right) for left, _, right, _ in boxes(root).values()}) == 1
    assert "Margin" in words(root)


def test_screen_readers_get_title_and_description(roaster: TwoLayouts):
    root = root_of(roaster.svg())
    assert root.find(f"{SVG}title").text == "Harbour Coffee chain: value chain of 21 activities"
    assert "Operations: Roast on Mondays and Thursdays; Grind to order." in root.find(f"{SVG}desc").text


def test_owners_in_grey_can_be_read():
    assert contrast("#5B616E", "#E6F1F7") > 4.5  # a tenth of blue on white
    assert contrast("#A7AEBB", "#163042") > 4.5  # a fifth of blue on the dark paper


def test_saved_as_pdf_and_png(roaster: TwoLayouts):
    assert pdf(roaster).startswith(b"%PDF")
    assert png(roaster, 0.5).startswith(b"\x89PNG")
