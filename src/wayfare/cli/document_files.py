"""Documents as files: exported, imported, and edited in the person's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wayfare.cli.documents import Asked, tell_saved
from wayfare.cli.problems import Misused
from wayfare.cli.terminal import note
from wayfare.errors import BadInput, NotReady, WayfareError

if TYPE_CHECKING:
    from wayfare.domain.document import Document
    from wayfare.workspace.folder import Workspace

FOLDER = "documents"
SUFFIXES = (".yaml", ".yml")
STDIO = "-"


def export(asked: Asked) -> None:
    """Writes the YAML of a revision into a file of the workspace, or to stdout."""
    from wayfare.workspace.document_text import to_yaml
    from wayfare.workspace.folder import inside, write_atomically

    state = asked.state()
    text = to_yaml(state.document)
    if asked.words[1:] == (STDIO,):
        sys.stdout.write(text)
        note(f"Revision {state.number}. Changed, it goes back with: import FILE --based-on {state.number}")
        return
    if len(asked.words) > 1:
        path = _within(asked.workspace, Path(asked.words[1]))
    else:
        folder = inside(asked.workspace.folder, FOLDER)
        folder.mkdir(exist_ok=True)
        path = inside(folder, f"{asked.name}.yaml")
    _check_replaceable(asked, path)
    write_atomically(path, text)
    note(f"Written: {path} (revision {state.number})")
    note(f"Changed, it goes back with: import {path} --based-on {state.number}")


def import_(asked: Asked) -> None:
    """Saves the document in a YAML file as a revision."""
    from wayfare.workspace.document_text import LONGEST, from_yaml

    if asked.words[0] == STDIO:
        where, text = "stdin", _decoded(sys.stdin.buffer.read(LONGEST + 1), "stdin")
    else:
        path = _within(asked.workspace, Path(asked.words[0]))
        where, text = path.name, _read(path)
    _save(asked, from_yaml(text, where), asked.based_on, "wayfare documents DIR import FILE")


def new(asked: Asked) -> None:
    """Starts an empty document of a kind."""
    from wayfare.domain.document import Name
    from wayfare.workspace.document_text import kind_of
    from wayfare.workspace.revisions import checked

    kind = kind_of(asked.words[0])
    name = checked(Name, asked.words[1], "name") if len(asked.words) > 1 else kind.USUAL
    saved = asked.documents.save(
        kind(name=name), based_on=None, who=asked.who, why=asked.message or "Started"
    )
    tell_saved(asked, name, saved, None)
    note(f"Fill it in: wayfare documents {asked.workspace.folder} edit {name}")


def edit(asked: Asked) -> None:
    """Opens the YAML of a document in the person's editor and saves what comes back; a refused text is kept."""
    from wayfare.workspace.document_text import from_yaml, to_yaml

    head = asked.documents.head(asked.name, asked.branch)
    before = to_yaml(head.document)
    with tempfile.TemporaryDirectory(prefix="wayfare-") as folder:
        path = Path(folder) / f"{asked.name}.yaml"
        path.write_text(before, "utf-8")
        _open_editor(path)
        raw = path.read_bytes()
    if raw == before.encode():
        note(f"Nothing changed: {asked.name!r} is at revision {head.number}.")
        return
    try:
        document = from_yaml(_decoded(raw, asked.name), f"{asked.name}.yaml")
        if document.name != asked.name:
            raise BadInput(f"The name can't be changed to {document.name!r}.", where="name")
        _save(asked, document, head.number, "")
    except WayfareError as error:
        kept = _keep(asked, raw, head.number)
        now = asked.documents.head(asked.name, asked.branch).number
        again = f"import {kept} --based-on {now}"
        error.hint = f"{error.hint} Your text is kept in {kept}. Mend it there, then: {again}".strip()
        raise


def _save(asked: Asked, document: Document, based_on: int | None, command: str) -> None:
    from wayfare.workspace.documents import Stale

    entry = next((each for each in asked.documents.entries() if each.name == document.name), None)
    before = asked.documents.head(document.name, asked.branch).number if entry is not None else None
    try:
        saved = asked.documents.save(
            document, based_on=based_on, who=asked.who, why=asked.message, branch=asked.branch
        )
    except Stale as error:
        if command:
            error.hint = f"If the file has all of that in it: {command} --based-on {before}"
        raise
    tell_saved(asked, document.name, saved, before)


def _within(workspace: Workspace, path: Path) -> Path:
    """The path, if it is a YAML file's and lies in the workspace."""
    if not path.resolve().is_relative_to(workspace.folder.resolve()):
        raise BadInput(
            "The file lies outside the workspace.",
            where=str(path),
            hint="Put it into the workspace's folder, or use - for stdin and stdout.",
        )
    if path.suffix not in SUFFIXES:
        raise BadInput("Documents are YAML files.", where=str(path), allowed=SUFFIXES)
    return path


def _check_replaceable(asked: Asked, path: Path) -> None:
    """A file is replaced only where all that it says is a revision already."""
    from wayfare.workspace.document_text import from_yaml

    if not path.exists():
        return
    try:
        known = asked.documents.find(from_yaml(_read(path), path.name))
    except WayfareError:
        known = None
    if known is None:
        raise BadInput(
            "The file there says something that was never saved, and would be lost.",
            where=str(path),
            hint="Import it, move it away, or name another file.",
        )


def _open_editor(path: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        command = shlex.split(editor)
    except ValueError:
        raise Misused(f"{editor!r} is no command.", where="EDITOR", hint="export EDITOR=nano") from None
    try:
        done = subprocess.run([*command, str(path)], check=False)
    except FileNotFoundError:
        raise NotReady(
            f"There is no editor {editor!r}.", where="EDITOR", hint="Name yours: export EDITOR=nano"
        ) from None
    if done.returncode != 0:
        raise NotReady(
            f"The editor ended with the code {done.returncode}, so nothing was saved.", where=editor
        )


def _keep(asked: Asked, raw: bytes, based_on: int) -> Path:
    """Puts a text that was refused into a file of its own in the workspace."""
    from wayfare.workspace.folder import inside

    folder = inside(asked.workspace.folder, FOLDER)
    folder.mkdir(exist_ok=True)
    stem, copy = f"{asked.name}-refused-{based_on}", 1
    while True:
        path = inside(folder, f"{stem}{f'-{copy}' if copy > 1 else ''}.yaml")
        try:
            with path.open("xb") as file:
                file.write(raw)
            return path
        except FileExistsError:
            copy += 1


def _read(path: Path) -> str:
    from wayfare.workspace.document_text import LONGEST

    if not path.is_file():
        raise BadInput("There is no such file.", where=str(path))
    if path.stat().st_size > LONGEST:
        raise BadInput("The file is too long for a document.", where=str(path))
    return _decoded(path.read_bytes(), str(path))


def _decoded(raw: bytes, where: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"It is not UTF-8 text ({error.reason} at byte {error.start}).", where=where) from None
