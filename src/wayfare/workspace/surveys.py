"""Survey documents: read with line numbers in what is wrong, and kept in the workspace under `surveys/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wayfare.domain.kano import EvaluationTable, Wording
from wayfare.domain.survey import KINDS, Column, Long, Scale, Survey
from wayfare.errors import BadInput, UnknownName, WayfareError
from wayfare.workspace.folder import inside, write_atomically
from wayfare.workspace.yaml_tree import Tree, read_tree

if TYPE_CHECKING:
    from wayfare.workspace.folder import Workspace

FOLDER = "surveys"
LONGEST = 5_000_000
_PARTS: dict[str, tuple[type[BaseModel], ...]] = {
    "long": (Long,), "scale": (Scale,), "importance_scale": (Scale,), "wording": (Wording,), "table": (EvaluationTable,),
    "touchpoint": (Column,), "wave": (Column,),
}  # fmt: skip
_SHAPES = {
    "tuple_type": "a list",
    "dict_type": "settings of its own, indented under it",
    "model_type": "settings of its own, indented under it",
    "model_attributes_type": "settings of its own, indented under it",
    "string_type": "text",
}


@dataclass(frozen=True)
class Kept:
    """Where a survey document was put, and whether one that said something else was there."""

    path: Path
    replaced: bool


def load_survey(path: str | Path) -> Survey:
    """The survey in a YAML file; a Kano wording or table that it names as a file is looked for beside it.

    Raises:
        BadInput: What is wrong in it, with the file and its line.
    """
    path = Path(path)
    return parse_survey(_read(path), path.name, path.parent)


def parse_survey(text: str, where: str, beside: Path | None = None) -> Survey:
    """The survey that `text` says; what is wrong is named with `where` and its line.

    Args:
        text: The YAML.
        where: What it is called in errors.
        beside: The folder of the files that it names; without it, it may name none.
    """
    tree = read_tree(text, where)
    if beside is not None:
        _take_in(tree.value, beside)
    try:
        return Survey.model_validate(tree.value)
    except WayfareError as error:
        raise BadInput(
            error.problem, where=_place(error, tree, where), allowed=error.allowed, hint=error.hint
        ) from None
    except ValidationError as error:
        raise _explained(error.errors(include_url=False), tree, where) from None


def surveys_of(workspace: Workspace) -> dict[str, Survey]:
    """The surveys whose documents the workspace keeps, by name."""
    folder = inside(workspace.folder, FOLDER)
    found = [load_survey(inside(folder, path.name)) for path in sorted(folder.glob("*.yaml"))]
    return {survey.name: survey for survey in found}


def keep_survey(workspace: Workspace, path: str | Path, survey: Survey) -> Kept:
    """Puts the document at `path`, which says `survey`, into the workspace as `surveys/NAME.yaml`.

    A document that names files is written out with what they say, so that the copy needs nothing else.
    """
    folder = inside(workspace.folder, FOLDER)
    target = inside(folder, f"{survey.name}.yaml")
    text = _read(Path(path))
    try:
        alone = parse_survey(text, target.name) == survey
    except WayfareError:
        alone = False
    text = text if alone else survey_text(survey)
    there = target.is_file()
    same = there and _read(target) == text
    if not same:
        folder.mkdir(exist_ok=True)
        write_atomically(target, text)
    return Kept(target, there and not same)


def survey_text(survey: Survey) -> str:
    """The survey as a YAML document."""
    content = survey.model_dump(mode="json", exclude_defaults=True)
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110))


def _take_in(value: Any, beside: Path) -> None:
    """Puts what the files say that are named as `wording` or `table` in place of their names."""
    if not isinstance(value, dict):
        return
    for part in (value, *(value.get("questions") or ())):
        for key in ("wording", "table") if isinstance(part, dict) else ():
            name = part.get(key)
            if isinstance(name, str) and name.endswith((".yaml", ".yml")):
                part[key] = read_tree(_read(beside / name), name).value


def _read(path: Path) -> str:
    if not path.is_file():
        raise BadInput("There is no such file.", where=str(path))
    if path.stat().st_size > LONGEST:
        raise BadInput("The file is too long for a survey.", where=str(path))
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"The file is not UTF-8 text ({error.reason} at byte {error.start}).", where=str(path)
        ) from None


def _place(error: WayfareError, tree: Tree, where: str) -> str:
    """The line of a wording or table that nobody knows."""
    named = (path for path in tree.nodes if path[-1:] in (("wording",), ("table",)))
    line = next((tree.line(path) for path in named if repr(tree.nodes[path].value) in error.problem), 0)
    return f"{where}, line {line}" if line else where


def _explained(errors: list[ErrorDetails], tree: Tree, where: str) -> BadInput:
    """The first error in the file's order as ours, with how many more there are."""
    late = ("missing", "string_type")  # may only be misspelt, or one branch of several that did not fit
    error = min(errors, key=lambda each: (each["type"] in late, tree.line(_path(each, tree))))
    problem, allowed, hint = _said(error, tree)
    more = len({_path(other, tree) for other in errors} - {_path(error, tree)})
    if more:
        hint = f"{hint} There {'is' if more == 1 else 'are'} {more} more after this one.".strip()
    line = tree.line(_path(error, tree))
    return BadInput(problem, where=f"{where}, line {line}", allowed=allowed, hint=hint)


def _path(error: ErrorDetails, tree: Tree) -> tuple[int | str, ...]:
    """Where in the file the error is: the steps of a union's branches are no keys."""
    path: tuple[int | str, ...] = ()
    for step in error["loc"]:
        if (*path, step) in tree.nodes:
            path = (*path, step)
    last = error["loc"][-1] if error["loc"] else ""
    return (*path, last) if error["type"] == "missing" else path


def _said(error: ErrorDetails, tree: Tree) -> tuple[str, tuple[str, ...], str]:
    path = _path(error, tree)
    key, kind = path[-1] if path else "", error["type"]
    if kind == "extra_forbidden":
        allowed = _keys(path[:-1], tree)
        unknown = UnknownName.among("setting", str(key), allowed)
        return unknown.problem, allowed, unknown.hint
    if kind == "union_tag_invalid":
        said = error["input"].get("kind", "") if isinstance(error["input"], dict) else ""
        unknown = UnknownName.among("kind of question", str(said), KINDS)
        return unknown.problem, tuple(KINDS), unknown.hint
    if kind == "union_tag_not_found":
        return "A question does not say its kind.", tuple(KINDS), "Add a line `kind: …`."
    if kind == "missing":
        return f"{key!r} is missing.", (), f"Add a line `{key}: …`."
    if kind in _SHAPES:
        return f"{key!r} must be {_SHAPES[kind]}.", (), ""
    message = str(error["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return f"{message[:1].upper()}{message[1:]}.", (), ""
    return f"{key!r} can't be {error['input']!r}: {message[:1].lower()}{message[1:]}.", (), ""


def _keys(path: tuple[int | str, ...], tree: Tree) -> tuple[str, ...]:
    """The keys that may stand under `path`."""
    models: tuple[type[BaseModel], ...] = (Survey,)
    if path and path[-1] in _PARTS:
        models = _PARTS[str(path[-1])]
    elif path[:1] == ("questions",):
        question = tree.value["questions"][path[1]]
        models = (KINDS[question["kind"]],)
    return tuple(name for model in models for name in model.model_fields)
