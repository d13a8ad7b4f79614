"""The evidence drawn: a dot with its interval for each hypothesis, against the shaded part where it passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wayfare.analyses.canvas._evidence_words import named, quoted, said, unit_of
from wayfare.charts import theme
from wayfare.charts.picture import Picture

if TYPE_CHECKING:
    from wayfare.analyses.canvas.canvas_evidence import CanvasEvidenceResult

SHOWN = 18
_ORDER = ("fails", "too_few", "holds")
_COLOURS = {"fails": theme.WARN, "too_few": theme.GREY, "holds": theme.ACCENT}
_SAID = {"fails": "fails", "too_few": "can't be told", "holds": "holds"}
_PASSES = "#E3EEF6"
_TITLES = {"share": "Shares", "points": "Net Promoter Score, points", "count": "Referrals"}


def drawn(result: CanvasEvidenceResult) -> Picture | None:
    """Panels by unit; in each the failing ones first, then those that can't be told, then those that hold."""
    import altair as alt

    from wayfare.charts import plots

    judged = [row for row in result.evidence.to_pylist() if row["measure"] and row["value"] is not None]
    judged.sort(key=lambda row: (_ORDER.index(row["verdict"]), -(row["importance"] or 0), row["item"]))
    if not judged:
        return None
    shown = judged[:SHOWN]
    panels: dict[str, list[dict[str, Any]]] = {}
    for row in shown:
        panels.setdefault(_panel(row), []).append(row)
    chart = alt.vconcat(*(_drawn(title, rows) for title, rows in panels.items()), spacing=26)
    note = f"Drawn: {len(shown)} of {len(judged)}, the most important first. " if len(judged) > SHOWN else ""
    return plots.picture(
        chart,
        result.findings[0].text,
        f"Each figure with its always-valid {result.context.params.get('confidence', 0.95):.0%} interval; shaded where the "
        "hypothesis passes. Orange fails, blue holds, grey can't be told yet.",
        f"{note}n is customers or answers.",
    )


def _panel(row: dict[str, Any]) -> str:
    """Shares share an axis; amounts of money only with their like."""
    name = named(row["measure"])
    return _TITLES.get(unit_of(row["measure"])) or name[0].upper() + name[1:]


def _drawn(title: str, rows: list[dict[str, Any]]) -> Any:
    import altair as alt
    import pandas as pd

    low, high = _domain(rows)
    frame = pd.DataFrame([_mark(row, low, high) for row in rows])
    base = alt.Chart(frame).encode(
        y=alt.Y("item:N", sort=list(frame["item"]), axis=None),
        color=alt.Color("colour:N", scale=None),
    )
    form = ".0%" if unit_of(rows[0]["measure"]) == "share" else ",.4~r"
    across = alt.X(
        "low:Q",
        title=None,
        scale=alt.Scale(domain=[low, high], nice=False),
        axis=alt.Axis(format=form, tickCount=5),
    )
    zone = base.mark_bar(height={"band": 0.86}, color=_PASSES).encode(
        x=alt.X("from:Q"), x2="to:Q", color=alt.value(_PASSES)
    )
    limits = [
        base.mark_tick(thickness=1.5, size=26).encode(x=f"{limit}:Q", color=alt.value(theme.INK))
        for limit in ("at_least", "at_most")
    ]
    interval = base.mark_rule(strokeWidth=2.5).encode(x=across, x2="high:Q")
    dot = base.mark_circle(size=90, opacity=1).encode(x="value:Q")
    label = base.mark_text(align="left", dx=10, fontSize=11).encode(
        x=alt.datum(high), text="label:N", color=alt.value(theme.MUTED)
    )
    text = base.mark_text(align="right", dx=-10, fontSize=12).encode(
        x=alt.datum(low), text="name:N", color=alt.value(theme.INK)
    )
    name = alt.TitleParams(title, fontSize=12, fontWeight=600, anchor="start", offset=6, frame="group")
    return alt.layer(zone, *limits, interval, dot, text, label).properties(
        width=theme.WIDTH - 370, height={"step": 30}, title=name
    )


def _domain(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """From zero, or the lowest end, to a little beyond the highest end and limit."""
    ends = [
        row[name]
        for row in rows
        for name in ("value", "low", "high", "at_least", "at_most")
        if row[name] is not None
    ]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.06 * ((high - low) or 1.0)
    top = high + room
    if unit_of(rows[0]["measure"]) == "share":
        return 0.0, min(max(top, 0.05), 1.0)
    return low - (room if low < 0 else 0.0), top


def _mark(row: dict[str, Any], low: float, high: float) -> dict[str, Any]:
    bounds = {name: row["value"] if row[name] is None else row[name] for name in ("low", "high")}
    passing = {
        "from": low if row["at_least"] is None else row["at_least"],
        "to": high if row["at_most"] is None else row["at_most"],
    }
    unit = unit_of(row["measure"])
    figure = f"{row['value']:,.2f}" if unit == "money" else said(row["measure"], row["value"], "")
    what = f" {named(row['measure'])}" if unit == "share" else ""
    return {
        **bounds,
        **passing,
        **{limit: row[limit] for limit in ("at_least", "at_most")},
        "value": row["value"],
        "colour": _COLOURS[row["verdict"]],
        "item": row["item"],
        "name": quoted(row["text"], 44)[1:-1],
        "label": f"{figure}{what}, n {row['n']:,}: {_SAID[row['verdict']]}",
    }
