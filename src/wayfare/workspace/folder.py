"""A workspace on disk: made, opened and studied."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wayfare.errors import BadInput, NotReady
from wayfare.histories.store import current_generation, open_sealed
from wayfare.workspace.attributes import with_saved
from wayfare.workspace.config import Config, checked_currency, checked_zone, parse_config
from wayfare.workspace.template import new_text

if TYPE_CHECKING:
    from wayfare.log import Log, When
    from wayfare.study import Study

CONFIG = "wayfare.yaml"
LOG = "log"
ANONYMOUS = "log-anonymous"
LONGEST_CONFIG = 5_000_000


@dataclass(frozen=True)
class Workspace:
    """An opened workspace: its folder and what its `wayfare.yaml` said."""

    folder: Path
    config: Config

    @property
    def config_path(self) -> Path:
        """The file with the settings."""
        return inside(self.folder, CONFIG)

    @property
    def log_folder(self) -> Path:
        """The folder of the sealed log, there or not."""
        return inside(self.folder, LOG)

    @property
    def anonymous_log_folder(self) -> Path:
        """The folder of the sealed log of answers that belong to no customer, there or not."""
        return inside(self.folder, ANONYMOUS)


def is_workspace(folder: str | Path) -> bool:
    """Whether the folder holds a `wayfare.yaml`."""
    return (Path(folder) / CONFIG).is_file()


def init(
    folder: str | Path, name: str | None = None, currency: str = "EUR", timezone: str = "UTC"
) -> Workspace:
    """Makes a workspace in a new or empty folder (hidden files don't count).

    Args:
        folder: Made where it is missing, with the folders above it.
        name: What the company or the study is called; the folder's name if nothing is said.
        currency: Three letters (ISO 4217).
        timezone: A name of the IANA time zone database.
    """
    folder = Path(folder)
    if is_workspace(folder):
        raise BadInput(
            "There is a workspace here already.",
            where=str(folder),
            hint=f"Change its settings in {folder / CONFIG}.",
        )
    if folder.exists() and not folder.is_dir():
        raise BadInput("This is a file, not a folder.", where=str(folder), hint="Name a new folder.")
    if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise BadInput(
            "The folder has other files in it.", where=str(folder), hint="Name a new or an empty folder."
        )
    return init_in(folder, name, currency, timezone)


def init_in(folder: Path, name: str | None, currency: str, timezone: str) -> Workspace:
    """Makes a workspace in `folder` whatever else is in it; a `wayfare.yaml` there is replaced."""
    text = new_text(
        _checked_name(name or folder.resolve().name), checked_currency(currency), checked_zone(timezone)
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / CONFIG, text)
    return open_workspace(folder)


def open_workspace(folder: str | Path) -> Workspace:
    """The workspace in `folder`, or the error that says how to make one."""
    folder = Path(folder)
    if not is_workspace(folder):
        problem = (
            "There is no such folder."
            if not folder.exists()
            else f"This is not a workspace: it has no {CONFIG}."
        )
        raise NotReady(problem, where=str(folder), hint=f"Make one: wayfare init {folder}")
    return Workspace(folder, parse_config(_read(inside(folder, CONFIG)), str(folder / CONFIG)))


def open_study(
    folder: str | Path, segments: Sequence[str] = (), since: When | None = None, until: When | None = None
) -> Study:
    """What can be asked about the company in this workspace?

    Args:
        folder: The workspace.
        segments: Conditions on a customer's whole history, such as `first:channel=web`; all must hold.
        since: The first moment kept; a date means its start in the workspace's zone.
        until: The first moment no longer kept.
    """
    from wayfare.study import Study
    from wayfare.workspace.documents import standing
    from wayfare.workspace.surveys import surveys_of

    workspace = open_workspace(folder)
    config = workspace.config
    log, anonymous = _logs(workspace)
    baseline = (config.baseline.since, config.baseline.to) if config.baseline else None
    study = Study(
        log, currency=config.currency, name=config.name, baseline=baseline, surveys=surveys_of(workspace),
        anonymous=anonymous, documents=standing(workspace), parameters=config.parameters,
    )  # fmt: skip
    return study.where(*segments, since=since, until=until)


def _logs(workspace: Workspace) -> tuple[Log, Log | None]:
    """The log of the customers, and that of the answers that belong to none; a workspace may have the latter only."""
    from wayfare.log import empty_log, open_log

    zone = workspace.config.timezone
    if current_generation(workspace.anonymous_log_folder) is None:
        return with_saved(open_log(workspace.log_folder, zone=zone), workspace.folder), None
    anonymous = open_log(workspace.anonymous_log_folder, zone=zone)
    if current_generation(workspace.log_folder) is None:
        return empty_log(zone=zone), anonymous
    return with_saved(open_log(workspace.log_folder, zone=zone), workspace.folder), anonymous


def log_events(workspace: Workspace) -> list[str]:
    """The names of the events in the workspace's log, or the error that says that there is none yet."""
    return open_sealed(workspace.log_folder).names("event").to_list()


def inside(folder: Path, name: str) -> Path:
    """`folder/name`, or the error where a link leads out of the folder."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(
            "This leads out of the workspace.",
            where=str(path),
            hint="Put the file itself here instead of a link.",
        )
    return path


def write_atomically(path: Path, text: str) -> None:
    """Replaces the file at `path` so that a reader, or a crash, sees the old text or the new one."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).chmod(mode)
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _read(path: Path) -> str:
    if path.stat().st_size > LONGEST_CONFIG:
        raise BadInput("The file is too long for settings.", where=str(path))
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise BadInput(
            f"The file is not UTF-8 text ({error.reason} at byte {error.start}).", where=str(path)
        ) from None


def _checked_name(name: str) -> str:
    return " ".join(name.split()) or "Study"
