"""One look for all pictures: Okabe–Ito colours, one accent against greys, system fonts."""

from __future__ import annotations

from typing import Any

ACCENT = "#0072B2"
WARN = "#D55E00"
GREY = "#8A8F98"
PALE = "#D9DCE1"
INK = "#1F2430"
MUTED = "#5B616E"
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
WIDTH = 640

# The same colour for the same stage everywhere.
STAGE_COLOURS = {
    "awareness": "#56B4E9",
    "consideration": "#0072B2",
    "purchase": "#009E73",
    "post_purchase": "#E69F00",
    "repurchase": "#CC79A7",
    "advocacy": "#D55E00",
    "none": GREY,
}


def colour_of(name: str) -> str:
    """A colour that stays the same for the same name, whatever else is drawn."""
    import zlib

    return OKABE_ITO[zlib.crc32(name.encode()) % (len(OKABE_ITO) - 1)]


def config() -> dict[str, Any]:
    """The Vega-Lite configuration of every chart."""
    axis = {"labelColor": MUTED, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
            "gridColor": "#ECEEF1", "domainColor": PALE, "tickColor": PALE, "labelLimit": 220}  # fmt: skip
    return {
        "font": FONT,
        "background": "white",
        "view": {"stroke": None},
        "axis": axis,
        "axisY": {"domain": False, "ticks": False},
        "title": {"anchor": "start", "fontSize": 16, "fontWeight": 600, "color": INK, "subtitleColor": MUTED, "subtitleFontSize": 12,
                  "offset": 14, "frame": "bounds"},
        "legend": {"labelColor": MUTED, "titleColor": MUTED, "orient": "top"},
        "bar": {"color": ACCENT},
        "range": {"category": list(OKABE_ITO), "heatmap": ["#F3F7FB", "#9CC6E4", "#0072B2", "#003A5C"]},
        "padding": 12,
    }  # fmt: skip
