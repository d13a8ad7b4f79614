"""The study of one workspace, opened again when its log or its settings change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from wayfare.errors import InvalidParameter, NotReady, WayfareError
from wayfare.histories.store import current_generation
from wayfare.study import Study
from wayfare.workspace.folder import Workspace, open_study, open_workspace

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
        self._lock = threading.Lock()

    @property
    def workspace(self) -> Workspace:
        """The workspace with its settings as they stand in its file now."""
        return open_workspace(self.folder)

    def stamp(self) -> str:
        """What changes whenever the log or the settings do."""
        workspace = self.workspace
        generation = current_generation(workspace.log_folder)
        settings = workspace.config_path.stat()
        return f"{generation.name if generation else 'empty'}-{settings.st_mtime_ns:x}-{settings.st_size:x}"

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
            while len(self._open) > KEPT:
                self._open.popitem(last=False)
        return study

    def _whole(self, stamp: str) -> Study:
        with self._lock:
            found = self._open.get((stamp, View()))
        if found is not None:
            return found
        try:
            return open_study(self.folder)
        except NotReady as error:
            raise NotReady(
                error.problem, where=error.where, hint=f"Run: wayfare ingest {self.folder} FILE"
            ) from None


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
