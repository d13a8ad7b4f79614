"""Pictures saved: every format by the file's name, of every kind of picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wayfare.charts import picture as pictures
from wayfare.charts.picture import DrawnPicture, Picture, VegaPicture, pdf, png, save
from wayfare.charts.theme import FONT
from wayfare.errors import InvalidParameter

BEGINNINGS = {".svg": b"<svg", ".html": b"<!doctype html", ".png": b"\x89PNG", ".pdf": b"%PDF"}


def drawn(width: int = 400, height: int = 200) -> DrawnPicture:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    text = f'<text x="9" y="40" font-family="{FONT}">Coffee</text>'
    return DrawnPicture(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{text}</svg>', "Coffee.", "Coffee.")


def vega() -> VegaPicture:
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json", "data": {"values": [{"x": 1}]}, "mark": "bar",
        "encoding": {"x": {"field": "x", "type": "quantitative"}},
    }  # fmt: skip
    return VegaPicture(spec, "One.", "One.")


@pytest.mark.parametrize("suffix", BEGINNINGS)
@pytest.mark.parametrize("picture", [drawn(), vega()], ids=["drawn", "vega"])
def test_the_name_says_the_format(tmp_path: Path, picture: Picture, suffix: str):
    path = tmp_path / f"picture{suffix}"
    save(picture, path)
    assert path.read_bytes().lower().startswith(BEGINNINGS[suffix].lower())


def test_a_name_of_no_format_is_refused(tmp_path: Path):
    with pytest.raises(InvalidParameter, match="bmp") as raised:
        save(drawn(), tmp_path / "picture.bmp")
    assert ".pdf" in raised.value.allowed


def test_a_pdf_page_has_the_size_in_points_and_its_text_as_text():
    page = pdf(drawn(1600, 1000))
    box = re.search(rb"MediaBox \[([^\]]*)\]", page)
    assert [float(side) for side in box[1].split()] == [0, 0, 1200, 750]  # a pixel is 1/96 inch, a point 1/72
    assert b"/ToUnicode" in page
    assert pdf(drawn(1600, 1000)) == page


def test_a_vast_picture_is_made_smaller_rather_than_not_at_all(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pictures, "_PIXELS", 20_000)
    made = png(drawn(40_000, 20_000))
    width, height = (int.from_bytes(made[at : at + 4], "big") for at in (16, 20))  # where a PNG says its size
    assert (width, height) == (200, 100)
