"""Documents as text: the YAML that people keep, the canonical JSON that the database keeps, the schema for editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wayfare.domain.canvas import Canvas
from wayfare.domain.document import REFERENCE, Document, Path
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import BadInput, Damaged, UnknownName
from wayfare.workspace.yaml_tree import Tree, read_tree

KINDS: dict[str, type[Document]] = {kind.KIND: kind for kind in (Canvas, ValueChain)}
LONGEST = 5_000_000
_EXACT = 2**53
_LATE = ("missing", "too_short")
"""What is not there may only be misspelt or wrong in itself, so that is said after the rest."""
_SHAPES = {
    "tuple_type": "a list",
    "dict_type": "settings of its own, indented under it",
    "model_type": "settings of its own, indented under it",
    "model_attributes_type": "settings of its own, indented under it",
    "string_type": "text",
    "string_pattern_mismatch": "lower-case letters, digits, `-` and `_` if it is an id, and not blank if it is text",
}


def kind_of(name: str) -> type[Document]:
    """The kind of document of that name."""
    if name not in KINDS:
        raise UnknownName.among("kind of document", name, KINDS)
    return KINDS[name]


def content(document: Document) -> dict[str, Any]:
    """What the document says, without what is so anyway; the kind and the name come first."""
    said = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    whole: dict[str, Any] = _whole_numbers({"document": document.KIND, **said})
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
        raise _explained(error.errors(include_url=False), tree, model, where) from None


def schema(kind: str) -> dict[str, Any]:
    """The JSON schema of a kind of document, for editors of its YAML."""
    made = kind_of(kind).model_json_schema(by_alias=True)
    made["required"] = ["document", *made.get("required", [])]
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


def _explained(errors: list[ErrorDetails], tree: Tree, model: type[BaseModel], where: str) -> BadInput:
    """The first error in the file's order as ours, with how many more there are."""
    found = [(tree.line(path), problem, error) for error in errors for path, problem in _said(error, tree)]
    line, problem, error = min(found, key=lambda each: (each[2]["type"] in _LATE, each[0]))
    allowed: tuple[str, ...] = ()
    hint = ""
    if error["type"] == "extra_forbidden":
        path = _path(error, tree)
        allowed = tuple(sorted(_keys(model, path[:-1], tree)))
        hint = UnknownName.among("setting", str(path[-1]), allowed).hint
    elif error["type"] in ("literal_error", "union_tag_invalid"):
        allowed = _literals(error)
    more = len(found) - 1
    if more:
        hint = f"{hint} There {'is' if more == 1 else 'are'} {more} more after this one.".strip()
    return BadInput(problem, where=f"{where}, line {line}", allowed=allowed, hint=hint)


def _said(error: ErrorDetails, tree: Tree) -> Iterator[tuple[Path, str]]:
    """Where an error stands and what it says; references come several at once."""
    path, kind = _path(error, tree), error["type"]
    key = path[-1] if path else "document"
    named = f"Entry {key + 1}" if isinstance(key, int) else repr(key)
    if kind == REFERENCE:
        for place, message in error["ctx"]["problems"]:
            yield place, f"{message[:1].upper()}{message[1:]}{'' if message.endswith('?') else '.'}"
        return
    message = str(error["msg"]).removeprefix("Value error, ")
    sayings = {
        "extra_forbidden": f"There is no setting {key!r}.",
        "missing": f"{key!r} is missing; add a line `{key}: …`.",
        "union_tag_not_found": f"{named} does not say its `kind`.",
        "union_tag_invalid": f"{named} is of an unknown kind.",
        "value_error": f"{message[:1].upper()}{message[1:]}.",
    }
    if kind in sayings:
        yield path, sayings[kind]
    elif kind in _SHAPES:
        yield path, f"{named} must be {_SHAPES[kind]}."
    else:
        yield path, f"{named} can't be {error['input']!r}: {message[:1].lower()}{message[1:]}."


def _path(error: ErrorDetails, tree: Tree) -> Path:
    """Where in the file the error is: the steps of a union's branches are no keys."""
    path: Path = ()
    for step in error["loc"]:
        if (*path, step) in tree.nodes:
            path = (*path, step)
    last = error["loc"][-1] if error["loc"] else ""
    return (*path, last) if error["type"] == "missing" else path


def _literals(error: ErrorDetails) -> tuple[str, ...]:
    said = str(error["ctx"].get("expected_tags") or error["ctx"].get("expected", ""))
    return tuple(part.strip().strip("'") for part in said.replace(" or ", ", ").split(","))


def _keys(model: type[BaseModel], path: Path, tree: Tree) -> set[str]:
    """The keys that may stand under `path`, found by walking down the models."""
    models: list[type[BaseModel]] = [model]
    for depth, step in enumerate(path):
        if isinstance(step, int):
            continue
        fields = [
            field
            for each in models
            for name, field in each.model_fields.items()
            if step in (name, field.alias)
        ]
        models = [inner for field in fields for inner in _models(field.annotation)]
        said = _at(tree.value, path[: depth + 1])
        kind = said.get("kind") if isinstance(said, dict) else None
        if len(models) > 1:
            models = [each for each in models if kind in get_args(each.model_fields["kind"].annotation)]
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value
