"""The drawn canvas: all that is said is on it, safe and inside; verdicts tell apart without colour; both layouts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.charts import strategy_documents as documents
from tests.charts.boards import (
    SVG,
    blended,
    boxes,
    contrast,
    groups,
    reaching_out,
    root_of,
    squeezed,
    texts,
    words,
)
from wayfare.charts import theme
from wayfare.charts.board import A3, COLOURS, NARROW
from wayfare.charts.canvas_map import draw
from wayfare.charts.canvas_notes import BLOCK_TITLES, HINTS
from wayfare.charts.picture import TwoLayouts, pdf, png
from wayfare.domain.canvas import BLOCKS, Canvas

EXAMPLES = {
    "roaster": lambda: (documents.roaster(), documents.EVIDENCE),
    "empty": lambda: (Canvas(name="canvas"), {}),
    "crowd": lambda: (documents.crowd(), None),
    "strange": lambda: (documents.strange(), {"evil": ("holds", documents.EVIL), "ar": ("later", "")}),
}


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> tuple[Canvas, TwoLayouts]:
    canvas, evidence = EXAMPLES[request.param]()
    return canvas, draw(canvas, evidence, note="n = 3,400", currency="EUR")


@pytest.fixture(scope="module")
def roaster() -> TwoLayouts:
    return draw(documents.roaster(), documents.EVIDENCE, currency="EUR")


def test_all_that_is_said_is_there_once_in_its_block(example: tuple[Canvas, TwoLayouts]):
    canvas, picture = example
    for svg in (picture.svg(), picture.narrow()):
        blocks = groups(root_of(svg), "block")
        assert set(blocks) == set(BLOCKS)
        for block, item in canvas.items():
            note = groups(blocks[block], "item")[item.id]
            if item.id != "combining":  # more marks than a letter can have are left out
                assert squeezed(item.text) in squeezed(words(note))
            assert note.get("role") == "listitem"
            assert " ".join(item.text.split()) in note.get("aria-label", "")


def test_nothing_leaves_its_place(example: tuple[Canvas, TwoLayouts]):
    for svg in (example[1].svg(), example[1].narrow()):
        assert list(reaching_out(root_of(svg))) == []


def test_text_is_text_and_never_markup(example: tuple[Canvas, TwoLayouts]):
    for svg in (example[1].svg(), example[1].narrow(), example[1].html()):
        assert "<script" not in svg
        assert "javascript:" not in svg


def test_the_same_canvas_is_the_same_drawing(example: tuple[Canvas, TwoLayouts]):
    canvas, picture = example
    evidence = next(given for doc, given in (make() for make in EXAMPLES.values()) if doc == canvas)
    again = draw(canvas, evidence, note="n = 3,400", currency="EUR")
    assert (again.svg(), again.narrow()) == (picture.svg(), picture.narrow())


def test_blocks_stand_where_osterwalder_and_pigneur_put_them(roaster: TwoLayouts):
    frames = {}
    for block, group in groups(root_of(roaster.svg()), "block").items():
        frame = group.find(f"{SVG}rect")
        x, y, width, height = (float(frame.get(name)) for name in ("x", "y", "width", "height"))
        frames[block] = (x, y, x + width, y + height)
    across = (
        "key_partnerships",
        "key_activities",
        "value_propositions",
        "customer_relationships",
        "customer_segments",
    )
    for left, right in pairwise(across):
        assert frames[left][2] == pytest.approx(frames[right][0], abs=0.2)
    for above, below in (("key_activities", "key_resources"), ("customer_relationships", "channels")):
        assert frames[above][3] == pytest.approx(frames[below][1], abs=0.2)
        assert frames[above][0] == frames[below][0]
    assert frames["key_activities"][3] == frames["customer_relationships"][3]
    assert frames["cost_structure"][1] == pytest.approx(frames["value_propositions"][3], abs=0.2)
    assert frames["cost_structure"][2] == pytest.approx(frames["revenue_streams"][0], abs=0.2)


def test_it_fits_an_a3_sheet_in_letters_that_can_be_read(roaster: TwoLayouts):
    root = root_of(roaster.svg())
    scale = min(A3[0] / float(root.get("width")), A3[1] / float(root.get("height")))
    smallest = min(float(text.get("font-size")) for text in texts(root))
    assert smallest * scale * 0.75 > 7.5  # points in print; footnotes have 7 or 8


def test_two_hundred_notes_get_more_columns():
    picture = draw(documents.crowd())
    root = root_of(picture.svg())
    assert float(root.get("width")) > 1.5 * A3[0]
    assert 1.1 < float(root.get("width")) / float(root.get("height")) < 1.7
    assert len(boxes(root)) == 200


def test_a_phone_gets_one_column(roaster: TwoLayouts):
    root = root_of(roaster.narrow())
    assert float(root.get("width")) == NARROW
    assert len({(left, right) for left, _, right, _ in boxes(root).values()}) == 1
    assert list(groups(root, "block")) == list(BLOCKS)


def test_verdicts_differ_by_shape_and_word_and_colour(roaster: TwoLayouts):
    notes = groups(root_of(roaster.svg()), "item")
    badges = {}
    for id in ("fresh", "pause", "farmer"):
        badge = next(g for g in notes[id].iter(f"{SVG}g") if g.get("aria-label", "").startswith("Evidence"))
        paths = list(badge.iter(f"{SVG}path"))
        badges[badge.get("aria-label")] = (
            words(badge),
            paths[0].get("d"),
            paths[1].get("d"),
            paths[0].get("fill"),
        )
    assert set(badges) == {"Evidence: Holds", "Evidence: Fails", "Evidence: Too few to say"}
    assert all(len(set(part)) == 3 for part in zip(*badges.values(), strict=True))
    assert "34% order again in 90 days (31% to 37%), n = 1,240; at least 30%" in words(notes["fresh"])
    assert all(contrast(colour, "#FFFFFF") > 4.5 for *_, colour in badges.values())


def test_what_was_believed_but_not_tested_is_said_where_somebody_looked():
    canvas = documents.roaster()
    assert "Believed, not tested" in words(groups(root_of(draw(canvas, {}).svg()), "item")["tin"])
    assert "Believed, not tested" not in draw(canvas).svg()


def test_segment_importance_kind_and_amount(roaster: TwoLayouts):
    notes = groups(root_of(roaster.svg()), "item")
    assert "For Independent cafés within 60 km that need the same roast every week" in words(notes["same"])
    assert "Variable, EUR 4.10 for each order" in words(notes["green"])
    assert "Fixed, EUR 21,500 a month" in words(notes["wages"])
    assert "Buyer and supplier" in words(notes["post"])
    beads = [dot.get("class") for dot in notes["farmer"].iter(f"{SVG}circle")]
    assert beads == ["wf-ink wf-bead"] * 3 + ["wf-bead"] * 2
    assert "Importance 3 of 5" in notes["farmer"].get("aria-label")


def test_an_empty_block_says_what_belongs_there():
    for svg in (draw(Canvas(name="canvas")).svg(), draw(Canvas(name="canvas")).narrow()):
        blocks = groups(root_of(svg), "block")
        assert all(HINTS[block] in words(group) for block, group in blocks.items())
        assert all(
            group.get("aria-label") == f"{BLOCK_TITLES[block]}: nothing yet"
            for block, group in blocks.items()
        )


def test_the_title_says_what_the_log_said():
    canvas = documents.roaster()
    assert draw(canvas, documents.EVIDENCE).title == (
        "Harbour Coffee: of 8 hypotheses bound to the log, 3 hold, 3 fail and 2 have too few customers to say"
    )
    assert (
        draw(canvas, {"fresh": ("fails", "")}).title
        == "Harbour Coffee: of 1 hypothesis bound to the log, 1 fails"
    )
    assert draw(canvas).title == "Harbour Coffee: Business Model Canvas, 33 items in 9 of 9 blocks"
    assert draw(canvas, title="Ours.").title == "Ours."


def test_screen_readers_get_title_description_and_lists(roaster: TwoLayouts):
    for svg in (roaster.svg(), roaster.narrow()):
        root = root_of(svg)
        assert root.get("aria-label") == root.find(f"{SVG}title").text == roaster.title
        assert root.find(f"{SVG}desc").text == roaster.alt
        assert "Channels: The web shop, from which nine in ten" in roaster.alt
        assert (
            "hypothesis: at least 95% of parcels" in groups(root, "item")["packing"].get("aria-label").lower()
        )


@pytest.mark.parametrize("colour", COLOURS.values())
def test_words_can_be_read_on_every_colour_in_light_and_dark(colour: str):
    light = blended(colour, 0.16, "#FFFFFF")
    dark = blended("#E8EAEE" if colour == "#000000" else colour, 0.2, "#1B1F26")
    assert contrast(theme.INK, light) > 7
    assert contrast("#E8EAEE", dark) > 7


def test_dark_is_a_rule_and_light_an_attribute(roaster: TwoLayouts):
    assert "prefers-color-scheme:dark" in roaster.svg()
    assert f'fill="{theme.INK}"' in roaster.svg()
    assert "prefers-color-scheme:dark" in roaster.html()
    assert roaster.html().count("<svg") == 2


def test_saved_as_pdf_and_png(roaster: TwoLayouts):
    assert pdf(roaster).startswith(b"%PDF")
    assert png(roaster, 0.5).startswith(b"\x89PNG")


def test_both_layouts_say_that_data_are_simulated(roaster: TwoLayouts):
    shown = roaster.simulated()
    assert "Simulated data." in shown.svg()
    assert "Simulated data." in shown.narrow()
    assert shown.alt.endswith("Simulated data.")
    assert ".wf-simulated{fill:#E3B341}" in shown.svg()
    assert contrast("#E3B341", "#1B1F26") > 4.5
