from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wayfare.charts.blueprint import draw
from wayfare.charts.lettering import width_of
from wayfare.charts.picture import DrawnPicture, png
from wayfare.domain.journey import STAGES, JourneyMap, StageNotes, Touchpoint

SVG = "{http://www.w3.org/2000/svg}"
NAMES = [stage.value for stage in STAGES]
JOURNEY = JourneyMap(
    main_route=("ad", "view", "buy"),
    stages=(StageNotes(stage="purchase", goal="Pay in one go", owner="Shop"),),
    touchpoints=(
        Touchpoint(event="ad", stage="awareness", channel="search", place="digital", owner="Marketing"),
        Touchpoint(event="view", stage="consideration", after_purchase="repurchase", channel="web", place="digital"),
        Touchpoint(event="buy", stage="purchase", channel="web", frontstage="A receipt", backstage="The warehouse list"),
        Touchpoint(event="delivery", stage="post_purchase", channel="parcel", place="physical", expectation="In two days",
                   pain_points=("Late parcels",), opportunities=("Write before they ask",), owner="Warehouse"),
    ),
)  # fmt: skip
EMPTY = JourneyMap()
NUMBERS = {
    "customers": 2_443, "share_of_all": 0.81, "next_customers": 1_743, "left": 621, "drop_off": 0.263, "drop_off_low": 0.246,
    "drop_off_high": 0.281, "median_days_to_next": 1.6, "satisfaction": -0.31, "satisfaction_low": -0.4,
    "satisfaction_high": -0.22, "satisfaction_scores": 1_057,
}  # fmt: skip
TOUCHED = {
    "customers": 1_271, "share": 0.9, "left": 206, "left_share": 0.178, "median_seconds": 423_000.0, "satisfaction": 0.52,
    "satisfaction_low": 0.4, "satisfaction_high": 0.6, "kind": "pain point", "value_difference": -9_400.0,
    "activities": "Carry parcels", "activity_cost": 115_115.0,
}  # fmt: skip


def columns(**said):
    return [
        {
            "stage": stage.value,
            "label": stage.label,
            **NUMBERS,
            "touchpoints": [
                {"event": t.event, **TOUCHED}
                for t in JOURNEY.touchpoints
                if stage in (t.stage, t.after_purchase)
            ],
            **said,
        }
        for stage in STAGES
    ]


def change(
    kind: str, name: str, what: str, stage: str = "", target: str = "", to_be: str = ""
) -> dict[str, str]:
    return {
        "kind": kind,
        "name": name,
        "what": what,
        "stage": stage,
        "target": target or stage,
        "to_be": to_be,
    }


def texts(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{SVG}text"))


def words(svg: str) -> str:
    return "\n".join("".join(text.itertext()) for text in texts(svg))


def overflowing(svg: str) -> list[str]:
    """Texts that reach beyond the drawing, by the estimate of their width."""
    root, found = ET.fromstring(svg), []
    width, height = float(root.get("width")), float(root.get("height"))
    for text in texts(svg):
        long = width_of(text.text or "", float(text.get("font-size")), bold=text.get("font-weight") == "600")
        start = float(text.get("x")) - {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")] * long
        if start < -1 or start + long > width + 1 or float(text.get("y")) > height:
            found.append(text.text)
    return found


def overlapping(svg: str) -> list[tuple[str, str]]:
    """Pairs of texts that lie over each other, by the estimate of their widths."""
    boxes = []
    for text in texts(svg):
        size = float(text.get("font-size"))
        long = width_of(text.text or "", size, bold=text.get("font-weight") == "600") / 1.1
        x = float(text.get("x")) - {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")] * long
        y = float(text.get("y"))
        if long:
            boxes.append((x, y - 0.7 * size, x + long, y, text.text))
    return [
        (a[4], b[4])
        for n, a in enumerate(boxes)
        for b in boxes[n + 1 :]
        if a[0] < b[2] - 1 and b[0] < a[2] - 1 and a[1] < b[3] - 1 and b[1] < a[3] - 1
    ]


def test_both_layouts_say_what_the_document_and_the_log_know():
    picture = draw(JOURNEY, columns(), title="After purchase loses most.", note="n = 3,000", currency="EUR")
    for svg in (picture.svg(), picture.narrow()):
        said = words(svg)
        for text in ("After purchase loses most.", "n = 3,000", "Re-purchase", "2,443", "26%", "Pay in one go", "delivery",
                     "parcel", "In two days", "Late parcels", "Write before they ask", "A receipt", "The warehouse list",
                     "Carry parcels", "EUR 115,115", "pain point, −EUR 9,400", "−0.31", "Warehouse", "Planned path"):  # fmt: skip
            assert text in said, text
        assert not overflowing(svg)
        assert not overlapping(svg)
    assert "line of visibility" in words(picture.svg())
    assert "next 4.9 d" in words(picture.svg())
    assert "next touchpoint after 4.9 days (median)" in words(picture.narrow())


def test_a_touchpoint_stands_at_both_its_stages_and_its_notes_at_the_first():
    said = words(draw(JOURNEY, columns(), title="").svg()).split("\n")
    assert said.count("view") == 3  # two cards, and a step of the planned path
    assert said.count("A receipt") == 1
    assert "Again after an order (notes are at the stage" in words(
        draw(JOURNEY, columns(), title="").narrow()
    )


def test_the_document_alone_says_in_grey_what_is_not_known_yet():
    picture = draw(JOURNEY, (), title="The journey of a coffee roaster")
    said = words(picture.svg())
    assert "No events yet: volumes and losses appear once the log is read." in said
    assert "No scores yet" in said
    assert "2,443" not in said
    assert "ad\n" in said
    grey = [t for t in texts(picture.svg()) if (t.text or "").startswith(("No ", "no touchpoint"))]
    assert grey
    assert {t.get("class") for t in grey} == {"wf-muted"}
    for svg in (picture.svg(), picture.narrow()):
        assert not overflowing(svg)
        assert not overlapping(svg)


def test_an_empty_map_is_still_a_map():
    picture = draw(EMPTY, (), title="Nothing yet")
    assert words(picture.svg()).count("no touchpoint placed here yet") == len(STAGES)
    for text in ("goals", "expectations", "pain points", "what customers see", "planned a path"):
        assert re.search(f"Nobody has .*{text}", words(picture.svg())), text
    assert not overlapping(picture.svg())
    assert png(picture).startswith(b"\x89PNG")
    assert png(DrawnPicture(picture.narrow(), "", "")).startswith(b"\x89PNG")


def test_what_a_to_be_map_changes_is_marked_where_it_changes():
    changes = [
        change("touchpoint", "ad", "removed", "awareness"),
        change("touchpoint", "buy", "moved", "purchase", "advocacy", "Advocacy"),
        change("touchpoint", "delivery", "expectation", "post_purchase"),
        change("touchpoint", "chat", "added", "post_purchase"),
        change("stage", "purchase", "goal", "purchase"),
    ]
    picture = draw(JOURNEY, columns(), title="", changes=changes)
    for svg in (picture.svg(), picture.narrow()):
        said = words(svg).replace("\n", " ")
        for mark in (
            "to be: removed",
            "to be: moves to Advocacy",
            "to be: comes from Purchase",
            "to be: new",
            "goal changed",
        ):
            assert mark in said, mark
        assert "chat" in said
    assert "expectation changed" in words(picture.svg()).replace("\n", " ")
    assert "what the to-be map changes" in words(picture.svg())
    assert picture.alt.endswith("A to-be map differs in 5 places.")
    assert "to-be" not in words(draw(JOURNEY, columns(), title="").svg())


def test_the_alternative_text_says_what_the_map_shows():
    alt = draw(JOURNEY, columns(), title="After purchase loses most.").alt
    assert alt.startswith(
        "Service blueprint of the journey. After purchase loses most. Awareness: 1 touchpoints, 2,443 customers"
    )
    assert "pain point delivery" in alt


def test_the_costliest_loss_is_the_one_in_colour():
    found = columns()
    found[1] |= {"left": 700}
    found[3] |= {"price": 9_000.0, "price_low": 100.0}
    loud = [
        t.get("x")
        for t in texts(draw(JOURNEY, found, title="").svg())
        if t.get("class") == "wf-warn" and t.text == "26%"
    ]
    assert len(loud) == 1
    label = next(t for t in texts(draw(JOURNEY, found, title="").svg()) if t.text == "After purchase")
    assert abs(float(loud[0]) - float(label.get("x"))) < 120


def test_bars_start_at_zero():
    found = columns(customers=100, share_of_all=0.5)
    found[0] |= {"share_of_all": 1.0}
    svg = draw(JOURNEY, found, title="").svg()
    bars = [float(h) for h in re.findall(r'width="62.0" height="([\d.]+)"', svg)]
    assert bars[0] == 2 * bars[1]


def test_simulated_data_are_said_in_both_layouts():
    picture = draw(JOURNEY, columns(), title="").simulated()
    assert "Simulated data." in picture.svg()
    assert "Simulated data." in picture.narrow()


def test_sixty_touchpoints_have_their_place():
    many = JourneyMap(
        touchpoints=[
            Touchpoint(event=f"touchpoint_{n}", stage=NAMES[n % 6], frontstage="What is seen " * 3)
            for n in range(60)
        ],
        main_route=[f"touchpoint_{n}" for n in range(20)],
    )
    picture = draw(many, (), title="Sixty")
    for svg in (picture.svg(), picture.narrow()):
        said = words(svg).split("\n")
        assert all(f"touchpoint_{n}" in said for n in range(60))
        assert not overlapping(svg)
    root = ET.fromstring(picture.svg())
    assert 1 < float(root.get("width")) / float(root.get("height")) < 2.5, "a sheet that lies"


def test_hundreds_of_touchpoints_are_cut_and_it_is_said():
    many = JourneyMap(touchpoints=[Touchpoint(event=f"page_{n:03d}", stage="awareness") for n in range(300)])
    picture = draw(many, (), title="")
    assert "and 276 more" in words(picture.svg())
    assert "and 276 more" in words(picture.narrow())


def test_dark_paper_is_only_for_screens_that_are_dark():
    # The renderer of PNGs knows no media queries: light attributes must hold there.
    svg = draw(JOURNEY, columns(), title="").svg()
    assert 'fill="#FFFFFF" class="wf-paper"' in svg
    assert "@media screen and (prefers-color-scheme:dark)" in svg


EVIL = "</text><script>alert(1)</script>&\"'"


def test_what_people_wrote_is_text_and_never_markup():
    journey = JourneyMap(
        stages=[StageNotes(stage="awareness", goal=EVIL, owner=EVIL)],
        touchpoints=[Touchpoint(event=EVIL, stage="awareness", channel=EVIL, frontstage=EVIL, backstage=EVIL, expectation=EVIL,
                                pain_points=[EVIL], opportunities=[EVIL], owner=EVIL)],
        main_route=[EVIL],
    )  # fmt: skip
    found = [
        {
            **NUMBERS,
            "stage": "awareness",
            "touchpoints": [{**TOUCHED, "event": EVIL, "activities": EVIL, "kind": EVIL}],
        }
    ]
    changes = [
        change("touchpoint", EVIL, EVIL, "awareness", to_be=EVIL),
        change("touchpoint", "x" + EVIL, "added", "awareness"),
    ]
    picture = draw(journey, found, title=EVIL, note=EVIL, changes=changes, currency=EVIL)
    for svg in (picture.svg(), picture.narrow(), picture.html()):
        assert "<script" not in svg
    for svg in (picture.svg(), picture.narrow()):
        ET.fromstring(svg)


def test_a_long_word_is_broken_and_none_of_it_is_lost():
    word = "Donaudampfschifffahrtsgesellschaftskapitän"
    journey = JourneyMap(touchpoints=[Touchpoint(event="trip", stage="awareness", frontstage=word)])
    for svg in (draw(journey, (), title="").svg(), draw(journey, (), title="").narrow()):
        assert word in words(svg).replace("\n", "").replace("Frontstage: ", "")
        assert not overflowing(svg)


WORDS = st.text(max_size=60).filter(str.strip)
COUNTS = st.integers(0, 10**9)
SHARES = st.one_of(st.none(), st.just(math.nan), st.floats(0, 1))
ANY = st.one_of(st.none(), st.just(math.nan), st.floats(-1e9, 1e9))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_numbers_and_names_make_wellformed_drawings(data):
    plain = st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=60
    ).filter(str.strip)
    events = data.draw(st.lists(plain, max_size=8, unique=True))
    journey = JourneyMap(
        touchpoints=[
            Touchpoint(event=e, stage=data.draw(st.sampled_from(NAMES)), frontstage=data.draw(plain))
            for e in events
        ]
    )
    found = [
        {
            "stage": stage,
            "customers": data.draw(COUNTS), "left": data.draw(COUNTS), "next_customers": data.draw(COUNTS),
            "share_of_all": data.draw(SHARES), "drop_off": data.draw(SHARES), "median_days_to_next": data.draw(st.floats(0, 1e5)),
            "satisfaction": data.draw(ANY),
            "touchpoints": [
                {"event": t.event, "customers": data.draw(COUNTS), "share": data.draw(SHARES), "satisfaction": data.draw(ANY),
                 "value_difference": data.draw(ANY), "kind": data.draw(st.sampled_from(["pain point", "moment of truth", ""]))}
                for t in journey.touchpoints if t.stage == stage
            ],
        }
        for stage in NAMES
    ]  # fmt: skip
    picture = draw(journey, found, title=data.draw(plain), note=data.draw(plain))
    for svg in (picture.svg(), picture.narrow()):
        ET.fromstring(svg)
        assert not overflowing(svg)


@pytest.mark.parametrize("given_columns", [columns()[:1], columns(touchpoints=[]), columns(customers=0)])
def test_some_columns_are_enough(given_columns):
    assert png(draw(JOURNEY, given_columns, title="")).startswith(b"\x89PNG")
