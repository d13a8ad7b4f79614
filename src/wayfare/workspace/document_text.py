"""Documents as text: the YAML that people keep, the canonical JSON that the database keeps, the schema for editors."""

from __future__ import annotations

import json
from typing import Any

import yaml
from pydantic import ValidationError

from wayfare.domain.canvas import Canvas
from wayfare.domain.document import Document
from wayfare.domain.journey import JourneyMap
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import BadInput, Damaged, UnknownName
from wayfare.workspace.explained import explained
from wayfare.workspace.yaml_tree import Tree, read_tree

KINDS: dict[str, type[Document]] = {kind.KIND: kind for kind in (JourneyMap, Canvas, ValueChain)}
LONGEST = 2_000_000
_EXACT = 2**53


def kind_of(name: str) -> type[Document]:
    """The kind of document of that name."""
    if name not in KINDS:
        raise UnknownName.among("kind of document", name, KINDS)
    return KINDS[name]


def content(document: Document) -> dict[str, Any]:
    """What the document says, without what is so anyway; the kind and the name come first."""
    always = document.model_dump(mode="json", include=set(document.SAID))
    said = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    ordered = {name: always[name] for name in document.SAID}
    whole: dict[str, Any] = _whole_numbers({"document": document.KIND, **ordered, **said})
    return whole


def to_json(document: Document) -> str:
    """The one JSON text of the document: sorted keys, no blanks; equal documents have equal texts."""
    return json.dumps(content(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_json(text: str, where: str) -> Document:
    """The document that the database keeps as `text`."""
    try:
        said = json.loads(text)
        return KINDS[said["document"]].model_validate(said)
    except (ValueError, KeyError, TypeError):
        raise Damaged(
            "The stored document can't be read by this version.", where=where, hint="Try a newer Wayfare."
        ) from None


def to_yaml(document: Document) -> str:
    """The one YAML text of the document: equal documents have equal bytes."""
    return str(
        yaml.dump(content(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_EXACT)
    )


def from_yaml(text: str, where: str) -> Document:
    """The document that `text` says; what is wrong is named with `where` and its line."""
    if len(text) > LONGEST:
        raise BadInput("The text is too long for a document.", where=where)
    try:
        tree = read_tree(text, where)
    except RecursionError:
        raise BadInput("It is nested too deeply.", where=where) from None
    model = _kind_said(tree, where)
    try:
        return model.model_validate(tree.value)
    except ValidationError as error:
        raise explained(error, tree, model, where) from None


def schema(kind: str) -> dict[str, Any]:
    """The JSON schema of a kind of document, for editors of its YAML."""
    made = kind_of(kind).model_json_schema(by_alias=True)
    made["required"] = list(dict.fromkeys(["document", "name", *made.get("required", [])]))
    for part in (made, *made.get("$defs", {}).values()):
        for name in ("at_least", "at_most") if "at_least" in part.get("properties", {}) else ():
            part["properties"][name]["anyOf"].insert(
                0, {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%$"}
            )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


class _Dumper(yaml.SafeDumper):
    """Indents lists under their key, and writes texts of several lines as such."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)

    def represent_text(self, text: str) -> yaml.Node:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def _whole_numbers(value: Any) -> Any:
    """`value` with 2 for 2.0: a file says what a person would write."""
    if isinstance(value, dict):
        return {key: _whole_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def _kind_said(tree: Tree, where: str) -> type[Document]:
    said = tree.value.get("document")
    if said is None:
        raise BadInput(
            "The file does not say which kind of document it is.",
            where=f"{where}, line 1",
            allowed=KINDS,
            hint="Add a line `document: …`.",
        )
    if not isinstance(said, str) or said not in KINDS:
        unknown = UnknownName.among("kind of document", str(said), KINDS)
        line = tree.line(("document",))
        raise BadInput(unknown.problem, where=f"{where}, line {line}", allowed=KINDS, hint=unknown.hint)
    return KINDS[said]
