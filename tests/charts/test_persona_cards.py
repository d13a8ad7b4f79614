"""Persona cards: everything said once, text safe and inside, unknown outcomes in words, both layouts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from wayfare.charts.persona_cards import CARD, draw
from wayfare.charts.picture import TwoLayouts


def card(name: str, **changed: Any) -> dict[str, Any]:
    known = {
        "persona": name, "customers": 120, "share": 0.4, "share_low": 0.35, "share_high": 0.45, "repurchase_rate": 0.31,
        "low": 0.25, "high": 0.38, "value": 1234.0, "satisfaction": 7.25, "n_satisfaction": 40, "typical_path": "view → cart → purchase",
    }  # fmt: skip
    return {**known, **changed}


def trait(name: str, what: str, kind: str = "behaviour", lift: float | None = 2.0) -> dict[str, Any]:
    return {"persona": name, "kind": kind, "trait": what, "share_or_mean": 0.6, "others": 0.3, "lift": lift}


@pytest.fixture(scope="module")
def picture() -> TwoLayouts:
    names = ["Evening <b> browsers", "Readers", "Store visitors", "Others"]
    unknown = {"repurchase_rate": None, "value": None, "satisfaction": None, "typical_path": None}
    personas = [card(names[0]), card(names[1], **unknown), *(card(name) for name in names[2:])]
    traits = [trait(names[0], f"trait {n}") for n in range(12)]
    traits += [
        trait(names[0], "help", "need"),
        trait(names[0], "rarely", lift=0.5),
        trait(names[1], "only", lift=None),
    ]
    return draw(personas, traits, title="Four kinds.", currency="EUR", note="n = 480")


def test_what_a_card_says(picture: TwoLayouts):
    for svg in (picture.svg(), picture.narrow()):
        assert "Evening &lt;b&gt; browsers" in svg
        assert "<b>" not in svg
        assert "40% of customers (120; 35% to 45%)" in svg
        assert "31% (25% to 38%)" in svg
        assert svg.count("too few to say") == 3
        assert "help" in svg
        assert "rarely" not in svg  # what they do less of is in the table
        assert "n = 480" in svg
    assert "trait 0 60% (others 30%)" in picture.alt


def test_three_a_row_and_one_on_a_phone(picture: TwoLayouts):
    width = [int(re.findall(r'viewBox="0 0 (\d+)', svg)[0]) for svg in (picture.svg(), picture.narrow())]
    assert width[0] > 3 * CARD > CARD < width[1] < 400


def test_nothing_is_drawn_beside_the_paper(picture: TwoLayouts):
    for svg in (picture.svg(), picture.narrow()):
        size = [float(n) for n in re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0]]
        for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', svg):
            assert 0 < float(x) < size[0]
            assert 0 < float(y) < size[1]


def test_both_layouts_say_that_data_are_simulated(picture: TwoLayouts):
    shown = picture.simulated()
    assert "Simulated data." in shown.svg()
    assert "Simulated data." in shown.narrow()
    assert shown.alt.endswith("Simulated data.")
