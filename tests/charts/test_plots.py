"""The chart forms: what can be read in them."""

from __future__ import annotations

import re

from wayfare.charts.plots import heatmap
from wayfare.result import table


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_value_of_a_heatmap_can_be_read_on_its_shade():
    cells = 81
    across = [str(place) for place in range(cells)]
    svg = heatmap(
        table(x=across, y=["a"] * cells, v=[place / 160 for place in range(cells)]), "x", "y", "v", title="T"
    ).svg()
    shades = re.findall(r'aria-roledescription="rect mark"[^>]*fill="rgb\((\d+), (\d+), (\d+)\)"', svg)
    inks = re.findall(r'aria-roledescription="text mark"[^>]*fill="(\w+)"', svg)
    assert len(shades) == len(inks) == cells
    assert set(inks) == {"white", "black"}
    for shade, ink in zip(shades, inks, strict=True):
        under = luminance(tuple(int(part) for part in shade)) + 0.05
        # WCAG 2.2, 1.4.3: text of this size needs 4.5:1.
        assert (1.05 / under if ink == "white" else under / 0.05) >= 4.5, (shade, ink)
