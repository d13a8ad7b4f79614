"""Drawn flows: a Sankey diagram of steps, and the most frequent ways as rows of events."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from wayfare.charts import theme
from wayfare.charts.picture import DrawnPicture

OTHER = "(other)"
"""Stands for the events that are too rare to be drawn one by one."""

_MARGIN, _BAR, _GAP, _TALL = 24, 12, 17, 380
_LETTER = 6.4
"""About how wide a letter of 12 px is."""


@dataclass(frozen=True)
class Link:
    """A ribbon from a node of layer `layer` to one of the next: how many went that way."""

    layer: int
    source: str
    target: str
    weight: float


@dataclass(frozen=True)
class Way:
    """A row of events with what is said of it on the left and how long its bar is, from 0 to 1."""

    events: tuple[str, ...]
    label: str
    share: float


@dataclass(frozen=True)
class _Node:
    name: str
    weight: float
    x: float
    y: float
    height: float


def sankey(
    links: Iterable[Link],
    headers: Sequence[str],
    *,
    total: float,
    title: str,
    subtitle: str = "",
    note: str = "",
    muted: Sequence[str] = (OTHER,),
) -> DrawnPicture:
    """How many went which way, layer by layer: nodes and ribbons as thick as their share of `total`.

    Args:
        links: What is drawn; several between the same two nodes add up. Those of no weight are left out.
        headers: The name of each layer, one more than there are steps.
        total: What the full height stands for.
        title: The finding.
        subtitle: What is drawn.
        note: n and source.
        muted: Names drawn in grey, below the others: what is no event of its own.
    """
    weights: defaultdict[tuple[int, str, str], float] = defaultdict(float)
    for link in links:
        weights[link.layer, link.source, link.target] += link.weight
    kept = {key: weight for key, weight in weights.items() if weight > 0}
    heights = _node_weights(kept)
    step = max(170.0, 960.0 / max(len(headers), 1))
    nodes = _placed(heights, total, step, muted)
    ribbons = [_ribbon(*ends, muted) for ends in _ribbon_ends(kept, nodes, total)]
    labels = [_node(node, total, step, muted) for node in nodes.values()]
    tops = [
        f'<text x="{_MARGIN + i * step:.1f}" y="0" font-size="12" font-weight="600" fill="{theme.MUTED}">{escape(name)}</text>'
        for i, name in enumerate(headers)
    ]
    bottom = max((node.y + node.height for node in nodes.values()), default=40.0)
    width = max(2 * _MARGIN + step * len(headers), 640.0)
    alt = f"{title} {subtitle}"
    return DrawnPicture(_frame(width, bottom, [*tops, *ribbons, *labels], title, subtitle, note), title, alt)


def _node_weights(links: Mapping[tuple[int, str, str], float]) -> dict[tuple[int, str], float]:
    """What each node is as tall as: the larger of what comes in and what goes out."""
    coming: defaultdict[tuple[int, str], float] = defaultdict(float)
    going: defaultdict[tuple[int, str], float] = defaultdict(float)
    for (layer, source, target), weight in links.items():
        going[layer, source] += weight
        coming[layer + 1, target] += weight
    return {key: max(coming[key], going[key]) for key in {*coming, *going}}


def _placed(
    heights: Mapping[tuple[int, str], float], total: float, step: float, muted: Sequence[str]
) -> dict[tuple[int, str], _Node]:
    nodes: dict[tuple[int, str], _Node] = {}
    order = sorted(heights, key=lambda key: (key[0], key[1] in muted, -heights[key], key[1]))
    y: defaultdict[int, float] = defaultdict(lambda: 14.0)
    for layer, name in order:
        weight = heights[layer, name]
        height = max(_TALL * weight / total, 1.0)
        nodes[layer, name] = _Node(name, weight, _MARGIN + layer * step, y[layer], height)
        y[layer] += height + _GAP
    return nodes


def _ribbon_ends(
    links: Mapping[tuple[int, str, str], float], nodes: Mapping[tuple[int, str], _Node], total: float
) -> list[tuple[_Node, _Node, float, float, float]]:
    """Each ribbon's nodes, its top at both of them and its thickness; ribbons do not cross where they meet a node."""
    ends: dict[tuple[int, str, str], list[float]] = {key: [0.0, 0.0] for key in links}
    for side in (0, 1):
        used: defaultdict[tuple[int, str], float] = defaultdict(float)
        for key in sorted(links, key=lambda k: (nodes[k[0], k[1]].y, nodes[k[0] + 1, k[2]].y)):
            node = (key[0], key[1]) if side == 0 else (key[0] + 1, key[2])
            ends[key][side] = nodes[node].y + used[node]
            used[node] += _TALL * links[key] / total
    return [
        (nodes[key[0], key[1]], nodes[key[0] + 1, key[2]], *ends[key], _TALL * weight / total)  # type: ignore[misc]
        for key, weight in links.items()
    ]


def _ribbon(source: _Node, target: _Node, y0: float, y1: float, thick: float, muted: Sequence[str]) -> str:
    x0, x1 = source.x + _BAR, target.x
    middle = (x0 + x1) / 2
    path = (
        f"M{x0:.1f},{y0:.1f}C{middle:.1f},{y0:.1f} {middle:.1f},{y1:.1f} {x1:.1f},{y1:.1f}"
        f"V{y1 + thick:.1f}C{middle:.1f},{y1 + thick:.1f} {middle:.1f},{y0 + thick:.1f} {x0:.1f},{y0 + thick:.1f}Z"
    )
    colour = _colour(target.name if source.name in muted else source.name, muted)
    opacity = 0.18 if target.name in muted else 0.34
    said = escape(f"{source.name} → {target.name}: {thick / _TALL:.1%}")
    return f'<path d="{path}" fill="{colour}" fill-opacity="{opacity}"><title>{said}</title></path>'


def _node(node: _Node, total: float, step: float, muted: Sequence[str]) -> str:
    share = f"{node.weight / total:.0%}" if node.weight / total >= 0.005 else "<1%"
    name = _fitted(node.name, step - _BAR - 44)
    x, y = node.x + _BAR + 5, node.y + node.height / 2 + 4
    return (
        f'<rect x="{node.x:.1f}" y="{node.y:.1f}" width="{_BAR}" height="{node.height:.1f}" fill="{_colour(node.name, muted)}">'
        f"<title>{escape(node.name)}: {node.weight:,.0f}</title></rect>"
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{theme.INK}" stroke="white" stroke-width="3" '
        f'stroke-opacity="0.85" paint-order="stroke">{escape(name)} <tspan fill="{theme.MUTED}">{escape(share)}</tspan></text>'
    )


def ways(
    rows: Sequence[Way], *, title: str, subtitle: str = "", note: str = "", most: int = 8
) -> DrawnPicture:
    """The most frequent ways, one a row, each event a box in its colour; at most `most` boxes a row.

    Args:
        rows: The ways, in the order that they are drawn.
        title: The finding.
        subtitle: What is drawn.
        note: n and source.
        most: How many boxes a row has; of a longer way the first ones and the last are drawn.
    """
    boxes = min(max((len(row.events) for row in rows), default=1), most)
    wide = max(104.0, min(220.0, 760.0 / boxes))
    left = _MARGIN + 190
    longest = max((row.share for row in rows), default=1.0) or 1.0
    drawn: list[str] = []
    for i, row in enumerate(rows):
        drawn += _way(row, i * 34.0, left, wide, longest, most)
    width = left + boxes * wide + _MARGIN
    return DrawnPicture(
        _frame(max(width, 640.0), len(rows) * 34.0 - 6, drawn, title, subtitle, note),
        title,
        f"{title} {subtitle}",
    )


def _way(row: Way, y: float, left: float, wide: float, longest: float, most: int) -> list[str]:
    bar = 80 * row.share / longest
    drawn = [
        f'<rect x="{_MARGIN}" y="{y + 4:.1f}" width="{bar:.1f}" height="20" fill="{theme.ACCENT}"/>',
        f'<text x="{_MARGIN + bar + 6:.1f}" y="{y + 18:.1f}" font-size="12" fill="{theme.INK}">{escape(row.label)}</text>',
    ]
    events, between = list(row.events), 0
    if len(events) > most:
        between = len(events) - most + 1
        events = [*events[: most - 2], f"{between} more", events[-1]]
    for i, event in enumerate(events):
        x, passed = left + i * wide, bool(between) and i == most - 2
        colour = theme.PALE if passed else theme.colour_of(event)
        tip = f"{x + wide - 10:.1f},{y:.1f} {x + wide - 4:.1f},{y + 14:.1f} {x + wide - 10:.1f},{y + 28:.1f}"
        drawn.append(
            f'<g><title>{escape(event)}</title><polygon points="{x:.1f},{y:.1f} {tip} {x:.1f},{y + 28:.1f}" fill="{colour}" '
            f'fill-opacity="0.28"/><rect x="{x:.1f}" y="{y:.1f}" width="4" height="28" fill="{colour}"/>'
            f'<text x="{x + 9:.1f}" y="{y + 18:.1f}" font-size="11" fill="{theme.INK}">{escape(_fitted(event, wide - 20))}</text></g>'
        )
    return drawn


def _colour(name: str, muted: Sequence[str]) -> str:
    return theme.GREY if name in muted else theme.colour_of(name)


def _fitted(text: str, width: float) -> str:
    """The text, shortened to what about fits."""
    letters = max(int(width / _LETTER), 3)
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def _frame(width: float, height: float, body: Sequence[str], title: str, subtitle: str, note: str) -> str:
    """The drawing below its title, subtitle and note, on white."""
    heads = [
        (line, 16, 600, theme.INK)
        for line in textwrap.wrap(title, max(int((width - 2 * _MARGIN) / 9.2), 20)) or [""]
    ]
    small = [
        line
        for text in (subtitle, note)
        if text
        for line in textwrap.wrap(text, int((width - 2 * _MARGIN) / _LETTER))
    ]
    heads += [(line, 12, 400, theme.MUTED) for line in small]
    y, lines = 14.0, []
    for line, size, weight, colour in heads:
        y += size + 5
        lines.append(
            f'<text x="{_MARGIN}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" fill="{colour}">{escape(line)}</text>'
        )
    top = y + 32
    full = top + height + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{full:.0f}" viewBox="0 0 {width:.0f} {full:.0f}" '
        f'role="img" aria-label="{escape(title)}" font-family="{escape(theme.FONT)}">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(lines)}'
        f'<g transform="translate(0,{top:.0f})">{"".join(body)}</g></svg>'
    )
