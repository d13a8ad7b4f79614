"""Survey documents: read with line numbers in what is wrong, and kept in the workspace under `surveys/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from wayfare.domain.survey import Survey
from wayfare.errors import BadInput, WayfareError
from wayfare.workspace.explained import explained
from wayfare.workspace.folder import inside, write_atomically
from wayfare.workspace.yaml_tree import Tree, read_tree

if TYPE_CHECKING:
    from wayfare.workspace.folder import Workspace

FOLDER = "surveys"
LONGEST = 5_000_000


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
        raise explained(error, tree, Survey, where) from None


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
