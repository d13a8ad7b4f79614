from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from wayfare.charts import theme
from wayfare.charts.flow import OTHER, Link, Way, sankey, ways
from wayfare.charts.picture import png

SVG = "{http://www.w3.org/2000/svg}"
LINKS = [
    Link(0, "home", "cart", 60),
    Link(0, "home", OTHER, 40),
    Link(1, "cart", "pay", 45),
    Link(1, "cart", "home", 15),
]
HEADERS = ["now", "+1", "+2"]


def texts(drawing: str) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(drawing).iter(f"{SVG}text")]


def test_nodes_are_as_tall_as_their_share():
    drawing = sankey(LINKS, HEADERS, total=100, title="Most go to the cart").svg()
    heights = {}
    for rect in ET.fromstring(drawing).iter(f"{SVG}rect"):
        said = rect.find(f"{SVG}title")
        if said is not None:
            heights[said.text] = float(rect.get("height"))
    assert heights["cart: 60"] == pytest.approx(0.6 * heights["home: 100"], abs=0.1)
    assert heights["pay: 45"] == pytest.approx(0.45 * heights["home: 100"], abs=0.1)


def test_every_node_and_layer_is_named_with_its_share():
    said = texts(sankey(LINKS, HEADERS, total=100, title="A", subtitle="B", note="C").svg())
    assert {
        "A",
        "B",
        "C",
        "now",
        "+1",
        "+2",
        "home 100%",
        "cart 60%",
        "(other) 40%",
        "pay 45%",
        "home 15%",
    } == set(said)


def test_an_event_has_one_colour_wherever_it_stands_and_other_is_grey():
    drawing = sankey(LINKS, HEADERS, total=100, title="A").svg()
    fills = re.findall(r'fill="(#\w+)"><title>([^:<]+):', drawing)
    assert {colour for colour, name in fills if name == "home"} == {theme.colour_of("home")}
    assert {colour for colour, name in fills if name == OTHER} == {theme.GREY}


def test_labels_of_one_layer_do_not_touch():
    links = [Link(0, "start", f"event {i}", 1 if i else 980) for i in range(20)]
    drawing = sankey(links, ["0", "1"], total=1000, title="A").svg()
    heights = sorted(
        float(node.get("y"))
        for node in ET.fromstring(drawing).iter(f"{SVG}text")
        if "event" in "".join(node.itertext())
    )
    assert len(heights) == 20
    assert min(b - a for a, b in pairwise(heights)) >= 12


def test_names_are_escaped_and_long_ones_shortened():
    name = "<script>alert('x')</script> & a very long name" + " of an event" * 5
    for drawing in (
        sankey([Link(0, name, "b", 1)], ["0", "1"], total=1, title=name).svg(),
        ways([Way((name, "b"), "10%", 0.1)], title=name).svg(),
    ):
        assert "<script>" not in drawing
        assert any("…" in text for text in texts(drawing))


def test_a_long_way_shows_its_start_and_its_end():
    said = texts(ways([Way(tuple("abcdefghij"), "50%", 0.5)], title="A", most=5).svg())
    assert said == ["A", "50%", "a", "b", "c", "6 more", "j"]


def test_nothing_to_draw_is_still_a_picture():
    for picture in (sankey([], [], total=0, title="Nothing"), ways([], title="Nothing")):
        assert png(picture, scale=1).startswith(b"\x89PNG")
        assert texts(picture.svg()) == ["Nothing"]
