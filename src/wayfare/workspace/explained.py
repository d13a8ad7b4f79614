"""What is wrong in a YAML file, said with its line, what is allowed and the closest of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wayfare.domain.document import REFERENCE
from wayfare.errors import BadInput, UnknownName
from wayfare.workspace.yaml_tree import Path, Tree

_SHOWN = 200
"""Characters of what was written that an error repeats."""
_LATE = ("missing", "too_short", "string_type")
"""What may only be misspelt, wrong in itself, or one branch of several that did not fit: said after the rest."""
_NAMES = ("literal_error", "enum")
_SHAPES = {
    "tuple_type": "a list",
    "dict_type": "settings of its own, indented under it",
    "model_type": "settings of its own, indented under it",
    "model_attributes_type": "settings of its own, indented under it",
    "string_type": "text",
    "string_pattern_mismatch": "lower-case letters, digits, `-` and `_` if it is an id, and not blank if it is text",
}


@dataclass(frozen=True)
class _Wrong:
    path: Path
    late: bool
    problem: str
    allowed: tuple[str, ...] = ()
    hint: str = ""


def explained(error: ValidationError, tree: Tree, model: type[BaseModel], where: str) -> BadInput:
    """The first error in the file's order as ours, with how many more there are.

    Args:
        error: What the model refused.
        tree: The file.
        model: What it should have been.
        where: What the file is called.
    """
    errors = error.errors(include_url=False)
    found = [wrong for each in errors for wrong in _said(each, errors, tree, model)]
    first = min(found, key=lambda wrong: (wrong.late, tree.line(wrong.path)))
    more = len({wrong.path for wrong in found}) - 1
    hint = first.hint
    if more:
        hint = f"{hint} There {'is' if more == 1 else 'are'} {more} more after this one.".strip()
    return BadInput(
        first.problem, where=f"{where}, line {tree.line(first.path)}", allowed=first.allowed, hint=hint
    )


def _said(
    error: ErrorDetails, errors: list[ErrorDetails], tree: Tree, model: type[BaseModel]
) -> Iterator[_Wrong]:
    """What an error says, and where; references come several at once."""
    path, kind = _path(error, tree), error["type"]
    key, late = path[-1] if path else "document", kind in _LATE
    named = f"Entry {key + 1}" if isinstance(key, int) else _short(repr(key))
    message = str(error["msg"]).removeprefix("Value error, ")
    if kind == REFERENCE:
        for place, text in error["ctx"]["problems"]:
            text = _short(text[:1].upper() + text[1:])
            yield _Wrong(place, late, f"{text}{'' if text.endswith('?') else '.'}")
    elif kind == "extra_forbidden":
        yield _unknown(path, "setting", str(key), _keys(model, path[:-1], tree))
    elif kind == "union_tag_invalid":
        yield _unknown((*path, "kind"), "kind", str(error["ctx"]["tag"]), _expected(error))
    elif kind in _NAMES and isinstance(error["input"], str):
        allowed = [
            n
            for each in errors
            if _path(each, tree) == path and each["type"] in _NAMES
            for n in _expected(each)
        ]
        yield _unknown(path, str(key).replace("_", " "), error["input"], allowed)
    elif kind == "union_tag_not_found":
        yield _Wrong(path, late, f"{named} does not say its kind.", hint="Add a line `kind: …`.")
    elif kind == "missing":
        yield _Wrong(path, late, f"{key!r} is missing.", hint=f"Add a line `{key}: …`.")
    elif kind in _SHAPES:
        yield _Wrong(path, late, f"{named} must be {_SHAPES[kind]}.")
    elif kind == "value_error":
        message = message.replace(repr(error["input"]), _short(repr(error["input"])))
        yield _Wrong(path, late, f"{message[:1].upper()}{message[1:]}.")
    else:
        value = _short(repr(error["input"]))
        yield _Wrong(path, late, f"{named} can't be {value}: {message[:1].lower()}{message[1:]}.")


def _unknown(path: Path, kind: str, name: str, allowed: Iterator[str] | list[str]) -> _Wrong:
    names = tuple(dict.fromkeys(allowed))
    unknown = UnknownName.among(kind, _short(name), names)
    return _Wrong(path, False, unknown.problem, names, unknown.hint)


def _short(text: str) -> str:
    """The text; of a long one its beginning and its end, which says what is wrong with it."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} … {text[-_SHOWN // 2 :]}"


def _path(error: ErrorDetails, tree: Tree) -> Path:
    """Where in the file the error is: the steps of a union's branches are no keys."""
    path: Path = ()
    for step in error["loc"]:
        if (*path, step) in tree.nodes:
            path = (*path, step)
    last = error["loc"][-1] if error["loc"] else ""
    return (*path, last) if error["type"] == "missing" else path


def _expected(error: ErrorDetails) -> list[str]:
    said = str(error["ctx"].get("expected_tags") or error["ctx"].get("expected", ""))
    return [part.strip().strip("'") for part in said.replace(" or ", ", ").split(",")]


def _keys(model: type[BaseModel], path: Path, tree: Tree) -> Iterator[str]:
    """The keys that may stand under `path`, found by walking down the models."""
    models: list[type[BaseModel]] = [model]
    said = tree.value
    for step in path:
        said = said[step]
        if isinstance(step, int):
            continue
        fields = [
            field
            for each in models
            for name, field in each.model_fields.items()
            if step in (name, field.alias)
        ]
        models = [inner for field in fields for inner in _models(field.annotation)]
    kind = said.get("kind") if isinstance(said, dict) else None
    if len(models) > 1:
        models = [each for each in models if kind in get_args(each.model_fields["kind"].annotation)]
    for each in models:
        yield from (field.alias or name for name, field in each.model_fields.items())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
