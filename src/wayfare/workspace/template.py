"""The text of `wayfare.yaml`: what a new one says, and what is added to one that a person wrote."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from wayfare.domain.journey import STAGES, Journey, Touchpoint
from wayfare.workspace.yaml_tree import Tree

_NEW = """\
# The settings of this Wayfare workspace. Edit them freely; what you write stays as you wrote it.

name: {name}
currency: {currency}        # of all money in the log
timezone: {timezone}        # days, weeks and months are those of this zone

# What later months are compared with:
# baseline:
#   from: 2024-01-01
#   to: 2024-06-30

# What analyses are asked with where you don't say, by analysis and parameter (wayfare explain ANALYSIS names them):
# parameters:
#   opportunities:
#     budget: 500
#     effects: [remind=0.01:0.03:0.06, win back=0:0.05:0.1]
"""

_JOURNEY = """\
# The journey, {origin}.
# stage:           what the event is on the way to a first order
# after_purchase:  what it is once the customer has ordered, where that differs
# Stages: {stages}, none.
"""

PROPOSED = "proposed by `wayfare ingest` from the events' names: please correct"


def new_text(name: str, currency: str, timezone: str) -> str:
    """The file of a new workspace."""
    return _NEW.format(name=_scalar(name), currency=_scalar(currency), timezone=_scalar(timezone))


def with_journey(text: str, tree: Tree, journey: Journey, origin: str = PROPOSED) -> str:
    """The file with `journey` in it, where it has none; no line that stands there is changed but an empty `journey:`."""
    body = f"  orders: {_flow(journey.orders)}\n  touchpoints:\n{_items(journey.touchpoints, 4)}"
    key = tree.keys.get(("journey",))
    if key is not None:
        return _insert(text, key.end_mark.line + 1, body)
    head = _JOURNEY.format(origin=origin, stages=", ".join(STAGES))
    return f"{_ended(text)}\n{head}journey:\n{body}"


def with_touchpoints(text: str, tree: Tree, added: Sequence[Touchpoint]) -> str:
    """The file with touchpoints added after those it lists, under a line that says that they are proposed."""
    listed = tree.nodes.get(("journey", "touchpoints"))
    if listed is None or listed.value in ("", "~", "null"):
        return _first_touchpoints(text, tree, added)
    if isinstance(listed, yaml.SequenceNode) and not listed.flow_style:
        indent = listed.start_mark.column
        return _insert(text, _last_line(listed) + 1, _note(indent) + _items(added, indent))
    index = listed.end_mark.index - 1
    before = text[:index].rstrip()
    comma = "" if before.endswith(("[", ",")) else ", "
    return f"{text[:index]}{comma}{', '.join(_flow_touchpoint(t) for t in added)}{text[index:]}"


def _first_touchpoints(text: str, tree: Tree, added: Sequence[Touchpoint]) -> str:
    key = tree.keys.get(("journey", "touchpoints"))
    if key is not None:
        indent = key.start_mark.column + 2
        return _insert(text, key.end_mark.line + 1, _note(indent) + _items(added, indent))
    journey = tree.nodes["journey",]
    indent = journey.start_mark.column
    head = f"{' ' * indent}touchpoints:\n{_note(indent + 2)}"
    return _insert(text, _last_line(journey) + 1, head + _items(added, indent + 2))


def _note(indent: int) -> str:
    return f"{' ' * indent}# {PROPOSED}\n"


def _items(touchpoints: Sequence[Touchpoint], indent: int) -> str:
    pad = " " * indent
    return "".join(
        pad + "- " + f"\n{pad}  ".join(f"{key}: {_scalar(value)}" for key, value in _pairs(touchpoint)) + "\n"
        for touchpoint in touchpoints
    )


def _pairs(touchpoint: Touchpoint) -> list[tuple[str, str]]:
    return [
        (key, str(value)) for key, value in touchpoint.model_dump(mode="json").items() if value is not None
    ]


def _flow_touchpoint(touchpoint: Touchpoint) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in _pairs(touchpoint)) + "}"


def _flow(names: Sequence[str]) -> str:
    return "[" + ", ".join(_scalar(name) for name in names) + "]"


def _scalar(value: str) -> str:
    """`value` as YAML text on one line, quoted where it would be read as something else."""
    written = yaml.safe_dump([value], allow_unicode=True, default_flow_style=True, width=1_000_000)
    return written.strip()[1:-1]


def _last_line(node: yaml.Node) -> int:
    """The line (from 0) on which the node's last word ends; a block's own end mark stands after its comments."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.line)


def _insert(text: str, line: int, added: str) -> str:
    lines = _ended(text).splitlines(keepends=True)
    return "".join([*lines[:line], added, *lines[line:]])


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
