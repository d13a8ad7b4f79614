"""`wayfare documents DIR draw`: a document as a picture or as Markdown, with what the log says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wayfare.cli.document_files import FOLDER
from wayfare.cli.documents import Asked
from wayfare.cli.show import days_of
from wayfare.cli.terminal import note, of_rows, progress
from wayfare.errors import BadInput, WayfareError

if TYPE_CHECKING:
    from wayfare.charts.document_drawing import Facts
    from wayfare.charts.picture import Picture
    from wayfare.domain.document import Document
    from wayfare.result import Result
    from wayfare.study import Study

MARKDOWN = ".md"
SUFFIXES = (".svg", ".png", ".pdf", ".html", MARKDOWN)


@dataclass(frozen=True)
class _Seen:
    """What was found in the log: facts, whether the log is simulated, and the picture where the analysis draws it."""

    facts: Facts
    simulated: bool = False
    picture: Picture | None = None


def draw(asked: Asked) -> None:
    """Draws a revision into a file of the workspace; a drawing that is there is replaced."""
    from wayfare.charts.document_drawing import picture_of
    from wayfare.charts.document_markdown import markdown_of
    from wayfare.charts.picture import SIMULATED, save
    from wayfare.workspace.folder import write_atomically

    state, path = asked.state(), _path(asked)
    seen = _seen(asked, state.document)
    branch = f" of the branch {state.branch!r}" if state.branch != "main" else ""
    source = f"Revision {state.number}{branch}, {state.at:%Y-%m-%d}. {seen.facts.note}".strip()
    facts = replace(seen.facts, note=source)
    if path.suffix == MARKDOWN:
        words = replace(facts, note=f"{SIMULATED} {source}") if seen.simulated else facts
        write_atomically(path, markdown_of(state.document, words))
    else:
        bare = picture_of(state.document, facts)
        save(seen.picture or (bare.simulated() if seen.simulated else bare), path)
    note(f"Drawn: {path} (revision {state.number})")


def _path(asked: Asked) -> Path:
    """Where the drawing goes: into the workspace, under a name that says the format."""
    from wayfare.workspace.folder import inside

    root = asked.workspace.folder
    if len(asked.words) == 1:
        folder = inside(root, FOLDER)
        folder.mkdir(exist_ok=True)
        return inside(folder, f"{asked.name}.svg")
    path = Path(asked.words[1])
    if not path.resolve().is_relative_to(root.resolve()):
        hint = f"Draw into the workspace's folder: {root / FOLDER / asked.name}.svg"
        raise BadInput("The file lies outside the workspace.", where=str(path), hint=hint)
    if path.suffix not in SUFFIXES:
        raise BadInput("The name does not say a format to draw in.", where=str(path), allowed=SUFFIXES)
    if not path.absolute().parent.is_dir():
        hint = f"Make it: mkdir -p {path.parent}"
        raise BadInput("There is no such folder to write into.", where=str(path), hint=hint)
    return path


def _seen(asked: Asked, document: Document) -> _Seen:
    """What the log says of the document; where it can't say anything, why."""
    from wayfare.charts.document_drawing import Facts
    from wayfare.workspace.folder import open_study

    bare = Facts(currency=asked.workspace.config.currency)
    analysis, told = _ASKED[document.KIND]
    try:
        study = open_study(asked.workspace.folder)
        result = _result(
            replace(study, documents={**study.documents, document.name: document}), analysis, document
        )
    except WayfareError as error:
        note(f"Drawn without evidence: {error.problem} {error.hint}".rstrip())
        return _Seen(replace(bare, note="Without evidence from the log."))
    facts = replace(told(document, result, study.currency), note=_source(result))
    alive = result.chart() if document.KIND == "journey_map" else None
    return _Seen(facts, bool(result.context.log.get("simulated")), alive)


def _result(study: Study, name: str, document: Document) -> Result:
    """The analysis's answer about just this document."""
    from wayfare.registry import find

    analysis = find(name)
    parameter = document.KIND
    with progress() as tell:
        outcome = study.results([(analysis, {parameter: document.name})], of_rows(tell, name))[0]
    if isinstance(outcome, WayfareError):
        raise outcome
    return outcome


def _source(result: Result) -> str:
    log: Mapping[str, Any] = result.context.log
    return f"Log of {log.get('customers', 0):,} customers{days_of(log)}."


def _of_canvas(document: Any, result: Result, currency: str) -> Facts:
    from wayfare.charts.document_drawing import Facts, evidence_in
    from wayfare.result import rows

    return Facts(evidence_in(document, rows(result.tables["evidence"]), currency), currency=currency)


def _of_chain(_document: Any, result: Result, currency: str) -> Facts:
    from wayfare.charts.document_drawing import Facts, costs_in
    from wayfare.result import rows

    return Facts(costs=costs_in(rows(result.tables["activities"]), currency), currency=currency)


def _of_journey(_document: Any, _result: Result, currency: str) -> Facts:
    from wayfare.charts.document_drawing import Facts

    return Facts(currency=currency)


# Kind of document -> the analysis that knows more of it, and how its answer is drawn.
_ASKED: dict[str, tuple[str, Callable[[Any, Result, str], Facts]]] = {
    "canvas": ("canvas_evidence", _of_canvas),
    "value_chain": ("activity_costs", _of_chain),
    "journey_map": ("journey_map", _of_journey),
}
