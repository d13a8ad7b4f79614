"""Bars under headings: the canvas's opportunities by block, and what else is told in groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from wayfare.analyses.canvas._opportunity_tables import Row, most
from wayfare.analyses.canvas._opportunity_words import label, short
from wayfare.charts import theme
from wayfare.charts.picture import Picture
from wayfare.domain.canvas import BLOCKS

SHOWN = 14
_HEAD = "#"
_NUMBERS = ("value", "low", "high")
_TEXTS = ("named", "label", "colour")


def opportunity_bars(items: list[Row], title: str) -> Picture | None:
    """A bar an item, the larger of value at stake and friction, grouped by block; None where nothing is known."""
    shown = [row for row in items if most(row)][:SHOWN]
    shown.sort(key=lambda row: (BLOCKS.index(row["block"]), row["rank"]))
    rows: list[dict[str, Any]] = []
    for row in shown:
        lost = (row["friction_loss"] or 0.0) > (row["value_at_stake"] or 0.0)
        names = (
            ("friction_loss", "friction_low", "friction_high")
            if lost
            else ("value_at_stake", "value_low", "value_high")
        )
        value, low, high = (row[name] for name in names)
        rows.append({
            "group": label(row["block"]), "name": row["text"], "value": value, "low": low, "high": high,
            "label": f"{value:,.0f} {'lost' if lost else 'at stake'}", "colour": theme.WARN if lost else theme.ACCENT,
        })  # fmt: skip
    subtitle = "Each item's value at stake (blue) or loss (orange), whichever is larger; 95% intervals"
    note = "Observational. An item's part of a touchpoint's money is that of its weight."
    return grouped_bars(rows, title, subtitle, note, ",.3~s") if rows else None


def grouped_bars(
    rows: Sequence[Mapping[str, Any]], title: str, subtitle: str, note: str, format: str
) -> Picture:
    """Horizontal bars from zero with intervals and direct labels, under the heading of their group.

    Args:
        rows: `group`, `name`, `value`, `low` and `high` (None without an interval), `label` and `colour`; those of a group
            next to each other.
        title: The finding.
        subtitle: What is drawn.
        note: n and source.
        format: How the axis writes its values, in the form of d3.
    """
    import altair as alt

    from wayfare.charts.plots import picture

    frame = _frame(rows)
    head = f"datum.label[2] == '{_HEAD}'"
    axis = alt.Axis(
        labelExpr="slice(datum.label, 3)",
        labelLimit=320,
        labelFontWeight=alt.condition(head, alt.value("bold"), alt.value("normal")),
        labelColor=alt.condition(head, alt.value(theme.INK), alt.value(theme.MUTED)),
    )
    base = alt.Chart(frame).encode(
        y=alt.Y("named:N", sort=None, title=None, axis=axis),
        x=alt.X("value:Q", title=None, axis=alt.Axis(format=format, tickCount=5), scale=alt.Scale(zero=True)),
    )
    layers = alt.layer(
        base.mark_bar(height={"band": 0.65}).encode(color=alt.Color("colour:N", scale=None)),
        base.mark_rule(color=theme.INK, strokeWidth=1.5).encode(x="low:Q", x2="high:Q"),
        base.mark_text(align="left", dx=6, color=theme.INK, fontSize=12).encode(x="high:Q", text="label:N"),
    )
    return picture(layers.properties(width=theme.WIDTH - 220, height={"step": 25}), title, subtitle, note)


def _frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The bars in order, each group's heading before them as a bar of no length."""
    drawn: list[dict[str, Any]] = []
    group = ""
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            nothing = dict.fromkeys(_NUMBERS, 0.0)
            drawn.append(
                {**nothing, "named": f"{len(drawn):02d}{_HEAD}{group}", "label": "", "colour": theme.ACCENT}
            )
        ends = {name: row["value"] if row[name] is None else row[name] for name in ("low", "high")}
        drawn.append({**row, **ends, "named": f"{len(drawn):02d} {short(row['name'], 40)}"})
    kinds = [*((name, pa.float64()) for name in _NUMBERS), *((name, pa.string()) for name in _TEXTS)]
    return pa.Table.from_pylist(drawn, pa.schema(kinds)).to_pandas()
