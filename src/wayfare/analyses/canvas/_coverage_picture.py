"""Touchpoints and blocks as a matrix: which touchpoint shows where, and which nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wayfare.charts import theme
from wayfare.charts.picture import Picture
from wayfare.domain.canvas import BLOCKS
from wayfare.domain.journey import STAGES

if TYPE_CHECKING:
    from wayfare.analyses.canvas.canvas_coverage import CanvasCoverageResult

SHOWN = 36
_EMPTY, _NOWHERE = "#F1F3F5", "#FBE9DD"
_LONGEST, _COLUMN = 28, 80

_NAME = "upper(slice(datum.label, 0, 1)) + slice(datum.label, 1)"
_HEADING = f"indexof(datum.label, '_') < 0 ? ['', {_NAME}] : split({_NAME}, '_')"
"""Two lines for each block, so that names of one word stand on the lower."""


def drawn(result: CanvasCoverageResult) -> Picture | None:
    """A row a touchpoint, by stage; a column a block; the number of items in the cell."""
    import altair as alt
    import pandas as pd

    from wayfare.charts import plots

    touchpoints = result.touchpoints.to_pylist()
    if not touchpoints or not any(row["items"] for row in result.blocks.to_pylist()):
        return None
    shown = _most_met(touchpoints)
    where = {(row["event"], row["block"]): row["items"] for row in result.places.to_pylist()}
    cells = pd.DataFrame(
        [_cell(row, block, where.get((row["event"], block), 0)) for row in shown for block in BLOCKS]
    )
    rows = pd.DataFrame([_row(row, place, shown) for place, row in enumerate(shown)])
    y = alt.Y("event:N", sort=list(rows["event"]), axis=None)
    x = alt.X(
        "block:N",
        sort=list(BLOCKS),
        title=None,
        axis=alt.Axis(
            orient="top", labelAngle=0, domain=False, ticks=False, labelFontSize=11, labelPadding=22,
            labelExpr=_HEADING,
        ),
    )  # fmt: skip
    base = alt.Chart(cells).encode(x=x, y=y)
    names = alt.Chart(rows).encode(y=y)
    layers = [
        base.mark_rect(stroke="white", strokeWidth=2).encode(color=alt.Color("colour:N", scale=None)),
        base.mark_text(fontSize=11, color="white").encode(text="said:N"),
        names.mark_text(align="right", dx=-10, fontSize=12).encode(
            x=alt.value(0), text="name:N", color=alt.Color("ink:N", scale=None)
        ),
        names.mark_text(align="left", fontSize=11, fontWeight=600).encode(
            x=alt.value(-300), text="stage:N", color=alt.value(theme.MUTED)
        ),
        names.mark_text(align="left", dx=10, fontSize=11).encode(
            x=alt.value(_COLUMN * len(BLOCKS)), text="note:N", color=alt.Color("ink:N", scale=None)
        ),
    ]
    chart = alt.layer(*layers).properties(width=_COLUMN * len(BLOCKS), height={"step": 24})
    part = (
        f"The {len(shown)} most met of {len(touchpoints)} touchpoints. "
        if len(shown) < len(touchpoints)
        else ""
    )
    return plots.picture(
        chart,
        result.findings[0].text,
        "Touchpoints by stage and the blocks of the canvas that they show in, with the number of items; orange: on no block.",
        f"{part}Beside each, the customers who met it.",
    )


def _most_met(touchpoints: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The most met ones, in the table's order."""
    kept = sorted(touchpoints, key=lambda row: (-row["customers"], row["event"]))[:SHOWN]
    names = {row["event"] for row in kept}
    return [row for row in touchpoints if row["event"] in names]


def _cell(row: dict[str, Any], block: str, items: int) -> dict[str, Any]:
    empty = _EMPTY if row["items"] else _NOWHERE
    return {
        "event": row["event"],
        "block": block,
        "colour": theme.ACCENT if items else empty,
        "said": str(items) if items else "",
    }


def _row(row: dict[str, Any], place: int, shown: list[dict[str, Any]]) -> dict[str, Any]:
    labels = {str(stage): stage.label for stage in STAGES}
    first = place == 0 or shown[place - 1]["stage"] != row["stage"]
    name = row["event"] if len(row["event"]) <= _LONGEST else row["event"][: _LONGEST - 1] + "…"
    met = f"{row['customers']:,}" if row["customers"] else "not in the log"
    return {
        "event": row["event"],
        "name": name,
        "stage": labels.get(row["stage"], "No stage") if first else "",
        "ink": theme.INK if row["items"] else theme.WARN,
        "note": met,
    }
