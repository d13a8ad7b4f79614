from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wayfare.charts.journey_map import draw
from wayfare.charts.lettering import width_of
from wayfare.charts.picture import DrawnPicture, png
from wayfare.domain.journey import STAGES

SVG = "{http://www.w3.org/2000/svg}"
NOTHING = {
    "customers": 0, "share_of_all": None, "next_customers": 0, "left": 0, "drop_off": None, "drop_off_low": None,
    "drop_off_high": None, "median_days_to_next": None, "mean_score": None, "score_low": None, "score_high": None,
    "scores": 0, "touchpoints": [],
}  # fmt: skip


def columns(**said):
    return [{**NOTHING, "stage": stage.value, "label": stage.label, **said} for stage in STAGES]


FULL = {
    "customers": 2_443, "share_of_all": 0.81, "next_customers": 1_743, "left": 621, "drop_off": 0.263, "drop_off_low": 0.246,
    "drop_off_high": 0.281, "median_days_to_next": 1.6, "mean_score": 7.75, "score_low": 7.6, "score_high": 7.9, "scores": 1_057,
    "touchpoints": [{"touchpoint": f"touchpoint_{n}", "customers": 2_000 - n} for n in range(12)],
}  # fmt: skip


def texts(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{SVG}text"))


def words(svg: str) -> str:
    return "\n".join("".join(text.itertext()) for text in texts(svg))


def overflowing(svg: str) -> list[str]:
    """Texts that reach beyond the drawing, by the estimate of their width."""
    width, found = float(ET.fromstring(svg).get("width")), []
    for text in texts(svg):
        long = width_of(text.text or "", float(text.get("font-size")), bold=text.get("font-weight") == "600")
        start = float(text.get("x")) - {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")] * long
        if start < -1 or start + long > width + 1:
            found.append(text.text)
    return found


def test_both_layouts_say_the_numbers():
    picture = draw(columns(**FULL), title="Purchase loses most.", note="n = 3,000 customers")
    for svg in (picture.svg(), picture.narrow()):
        said = words(svg)
        for text in (
            "Purchase loses most.",
            "n = 3,000 customers",
            "After purchase",
            "2,443",
            "1,743",
            "1.6 days",
            "7.8",
            "touchpoint_0",
        ):
            assert text in said
        assert "26%" in said
        assert not overflowing(svg)
    assert "and 5 more" in words(picture.svg())
    assert "and 9 more touchpoints" in words(picture.narrow())


def test_the_alternative_text_says_what_the_map_shows():
    alt = draw(columns(**FULL), title="Purchase loses most.").alt
    assert alt.startswith("Journey map. Purchase loses most. Awareness: 2,443 customers")
    assert "26% go no further (25–28%)" in alt


def test_names_are_text_and_never_markup():
    evil = "</text><script>alert(1)</script>&\x00"
    picture = draw(
        columns(touchpoints=[{"touchpoint": evil, "customers": 3}], label=evil, customers=3),
        title=evil,
        note=evil,
    )
    for svg in (picture.svg(), picture.narrow(), picture.html()):
        assert "<script" not in svg
    assert "</text><script>alert(1)</script>&" in words(picture.narrow())


def test_without_scores_it_says_so():
    assert "No scores yet" in words(draw(columns(customers=5), title="").svg())
    assert "No scores yet" not in words(draw(columns(**FULL), title="").svg())


@pytest.mark.parametrize("given_columns", [[], columns(), columns(**FULL)[:1]])
def test_few_or_no_stages_are_still_a_map_that_any_program_draws(given_columns):
    picture = draw(given_columns, title="Too few customers to say.")
    assert png(picture).startswith(b"\x89PNG")
    assert png(DrawnPicture(picture.narrow(), "", "")).startswith(b"\x89PNG")


def test_dark_paper_is_only_for_screens_that_are_dark():
    # The renderer of PNGs knows no media queries: light attributes must hold there.
    svg = draw(columns(**FULL), title="").svg()
    assert 'fill="#FFFFFF" class="wf-paper"' in svg
    assert "@media screen and (prefers-color-scheme:dark)" in svg
    assert "var(" not in svg


NUMBERS = st.one_of(st.none(), st.just(math.nan), st.floats(-1e6, 1e9))
COUNTS = st.integers(0, 10**12)
ANY = st.fixed_dictionaries(
    {
        "label": st.text(max_size=60),
        **dict.fromkeys(("customers", "next_customers", "left", "scores"), COUNTS),
        **dict.fromkeys(("drop_off", "share_of_all"), st.one_of(st.none(), st.floats(0, 1))),
        **dict.fromkeys(("median_days_to_next", "mean_score", "score_low", "score_high"), NUMBERS),
        "touchpoints": st.lists(
            st.fixed_dictionaries({"touchpoint": st.text(max_size=60), "customers": COUNTS}), max_size=12
        ),
    }
)


@settings(max_examples=80)
@given(st.lists(ANY, max_size=6), st.text(max_size=300))
def test_any_numbers_and_names_make_wellformed_drawings(found, title):
    stages = [
        {**NOTHING, **column, "stage": stage.value} for column, stage in zip(found, STAGES, strict=False)
    ]
    picture = draw(stages, title=title, note=title)
    for svg in (picture.svg(), picture.narrow()):
        ET.fromstring(svg)


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=80), st.integers(0, 10**9))
def test_long_names_stay_inside_the_drawing(name, customers):
    full = {
        **FULL,
        "label": name,
        "customers": customers,
        "touchpoints": [{"touchpoint": name, "customers": customers}] * 9,
    }
    picture = draw(columns(**full), title=name * 5, note=name * 4)
    assert not overflowing(picture.svg())
    assert not overflowing(picture.narrow())
