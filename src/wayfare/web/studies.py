"""The study of one workspace, opened again when its log or its settings change."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from wayfare.errors import InvalidParameter, NotReady, WayfareError
from wayfare.histories.store import current_generation
from wayfare.study import Study
from wayfare.workspace import attributes
from wayfare.workspace.database import DATABASE, VARIABLE, has_database
from wayfare.workspace.documents import Documents, open_documents
from wayfare.workspace.folder import CONFIG, Workspace, open_study, open_workspace

KEPT = 8


@dataclass(frozen=True)
class View:
    """The part of the log that is looked at, as it was written in the address."""

    segments: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return self == View()


class Studies:
    """Opens studies on the workspace in `folder`; the last few stay open."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._open: OrderedDict[tuple[str, View], Study] = OrderedDict()
        self._read: tuple[tuple[int, int] | None, Workspace] | None = None
        self._lock = threading.Lock()
        self._documents: tuple[object, Documents] | None = None
        self._whole_before: tuple[str, Study] | None = None
        """The whole study that was opened last, and what its records were: another document keeps what it found."""

    @property
    def documents(self) -> Documents:
        """The workspace's documents; their database stays open, and is made where there is none."""
        workspace = self.workspace
        with self._lock:
            kept = self._documents
            if kept is None or kept[0] != _database_of(workspace):
                if kept is not None:
                    kept[1].close()
                opened = open_documents(workspace)
                kept = self._documents = (_database_of(workspace), opened)
            return kept[1]

    @property
    def has_documents(self) -> bool:
        """Whether there is a database that could hold any."""
        return has_database(self.workspace)

    def close(self) -> None:
        """Lets go of the documents' database."""
        with self._lock:
            if self._documents is not None:
                self._documents[1].close()
                self._documents = None

    @property
    def workspace(self) -> Workspace:
        """The workspace with its settings as they stand in its file now."""
        read = self._read
        if read is None or _state(read[1].config_path) != read[0]:
            # The state is taken before the file is read: a change in between is seen at the next look.
            state = _state(self.folder / CONFIG)
            read = self._read = (state, open_workspace(self.folder))
        return read[1]

    def stamp(self) -> str:
        """What changes whenever the log, the settings, the customers' attributes or a document do."""
        return f"{self._records()}-{self.documents.stamp() if self.has_documents else ''}"

    def _records(self) -> str:
        """What changes whenever anything but a document does."""
        workspace = self.workspace
        folders = (workspace.log_folder, workspace.anonymous_log_folder)
        logs = [generation.name for folder in folders if (generation := current_generation(folder))]
        changed, size = _state(workspace.config_path) or (0, 0)
        known = attributes.stamp(self.folder)
        return "-".join([*(logs or ["empty"]), f"{changed:x}-{size:x}", *([known] if known else [])])

    def open(self, view: View = View()) -> Study:
        """The study of the part of the log that `view` says."""
        key = (self.stamp(), view)
        with self._lock:
            if key in self._open:
                self._open.move_to_end(key)
                return self._open[key]
        study = _narrowed(self._whole(key[0]), view)
        with self._lock:
            self._open[key] = study
            # The whole log stays open: every part is cut from it.
            parts = [other for other in self._open if other != (key[0], View())]
            for other in parts[: max(len(self._open) - KEPT, 0)]:
                del self._open[other]
        return study

    def _whole(self, stamp: str) -> Study:
        with self._lock:
            found = self._open.get((stamp, View()))
        if found is not None:
            return found
        records, before = self._records(), self._whole_before
        if before is not None and before[0] == records and self.has_documents:
            study = before[1].with_documents(self.documents.standing())
        else:
            study = self._fresh()
        self._whole_before = records, study
        return study

    def _fresh(self) -> Study:
        try:
            return open_study(self.folder)
        except NotReady as error:
            raise NotReady(
                error.problem, where=error.where, hint=f"Run: wayfare ingest {self.folder} FILE"
            ) from None


def _database_of(workspace: Workspace) -> object:
    """What tells one database from another: its address, or its file on the disk."""
    try:
        file = (workspace.folder / DATABASE).stat().st_ino
    except OSError:
        file = 0
    return os.environ.get(VARIABLE), workspace.config.database, file


def _state(path: Path) -> tuple[int, int] | None:
    """When a file was changed last, and its size; None where it is not there."""
    try:
        its = path.stat()
    except OSError:
        return None
    return its.st_mtime_ns, its.st_size


def _narrowed(study: Study, view: View) -> Study:
    """The study on the part that `view` says; what is wrong names the field it was written in."""
    for segment in view.segments:
        study = _where(study, "segment", segment)
    for field, said in (("since", view.since), ("until", view.until)):
        study = _where(study, field, said) if said else study
    if view.since and view.until and study.log.moment(view.since) >= study.log.moment(view.until):
        raise InvalidParameter(
            "The end is not after the beginning.", where="until", hint=f"Take a day after {view.since}."
        )
    return study


def _where(study: Study, field: str, said: str) -> Study:
    try:
        return study.where(said) if field == "segment" else study.where(**{field: said})
    except WayfareError as error:
        raise type(error)(error.problem, where=field, allowed=error.allowed, hint=error.hint) from None
