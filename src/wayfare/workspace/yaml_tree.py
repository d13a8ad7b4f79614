"""YAML read without surprises: every scalar is text (`no` stays `no`), and every key knows its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from wayfare.errors import BadInput

Path = tuple[int | str, ...]
MOST_NODES = 300_000
"""Names and values of one file; a canvas of 5,000 items has half as many."""
_SHOWN = 80
_PLAIN = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


@dataclass(frozen=True)
class Tree:
    """A document as dictionaries, lists and text, and the node that each path came from; an empty key is none."""

    value: Any
    nodes: dict[Path, yaml.Node] = field(default_factory=dict)
    keys: dict[Path, yaml.Node] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line (from 1) of `path`, or of what is nearest around it."""
        while path and path not in self.keys and path not in self.nodes:
            path = path[:-1]
        node = self.keys.get(path) or self.nodes.get(path)
        return node.start_mark.line + 1 if node is not None else 1


class _Loader(yaml.BaseLoader):
    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.left = MOST_NODES

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):  # a few aliases of aliases can stand for gigabytes
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "references (*name) are not used here", event.start_mark
            )
        self.left -= 1
        if self.left < 0:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            problem = f"there are more than {MOST_NODES:,} names and values"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)


def read_tree(text: str, where: str) -> Tree:
    """The document in `text`; what can't be read is named with `where` and its line."""
    try:
        root = yaml.compose(text, _Loader)
    except yaml.YAMLError as error:
        raise _unreadable(error, where) from None
    except RecursionError:
        raise BadInput("It is nested too deeply.", where=where) from None
    nodes: dict[Path, yaml.Node] = {}
    keys: dict[Path, yaml.Node] = {}
    value = _value(root, (), nodes, keys, where) if root is not None else {}
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise BadInput("The file must hold settings, one `name: value` a line.", where=where)
    return Tree(value, nodes, keys)


def _value(
    node: yaml.Node, path: Path, nodes: dict[Path, yaml.Node], keys: dict[Path, yaml.Node], where: str
) -> Any:
    nodes[path] = node
    _check_plain(node, where)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, inner in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise BadInput("A setting's name must be plain text.", where=f"{where}, line {line}")
            if key.value in found:
                raise BadInput(
                    f"{_short(key.value)!r} stands here twice.",
                    where=f"{where}, line {line}",
                    hint="Keep one of them.",
                )
            _check_plain(key, where)
            keys[*path, key.value] = key
            found[key.value] = _value(inner, (*path, key.value), nodes, keys, where)
        return {key: value for key, value in found.items() if value is not None}
    if isinstance(node, yaml.SequenceNode):
        return [_value(inner, (*path, index), nodes, keys, where) for index, inner in enumerate(node.value)]
    absent = getattr(node, "style", None) is None and node.value in ("", "~", "null")
    return None if absent else node.value


def _check_plain(node: yaml.Node, where: str) -> None:
    if node.tag not in _PLAIN:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        problem = f"The tag {_short(tag)!r} is not used here: all text is text."
        raise BadInput(problem, where=f"{where}, line {node.start_mark.line + 1}", hint="Take it away.")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _unreadable(error: yaml.YAMLError, where: str) -> BadInput:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    place = f"{where}, line {mark.line + 1}" if mark is not None else where
    return BadInput(
        f"The YAML can't be read: {problem}.",
        where=place,
        hint="Indent with spaces; quote text that holds `: ` or begins with a sign.",
    )
