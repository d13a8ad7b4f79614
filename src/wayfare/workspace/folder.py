"""A workspace on disk: made, opened, studied, and its `wayfare.yaml` added to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wayfare.domain.journey import Journey, propose
from wayfare.errors import BadInput, NotReady
from wayfare.histories.store import current_generation, open_sealed
from wayfare.workspace.attributes import with_saved
from wayfare.workspace.config import Config, checked_currency, checked_zone, parse_config
from wayfare.workspace.template import PROPOSED, new_text, with_journey, with_touchpoints
from wayfare.workspace.yaml_tree import read_tree

if TYPE_CHECKING:
    from wayfare.log import Log, When
    from wayfare.study import Study

CONFIG = "wayfare.yaml"
LOG = "log"
ANONYMOUS = "log-anonymous"
LONGEST_CONFIG = 5_000_000
MOST_TOUCHPOINTS = 200
"""Beyond these, the rarer events stay without a touchpoint: nobody edits a list of thousands."""


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


@dataclass(frozen=True)
class Noted:
    """What was written into `wayfare.yaml` about the journey.

    Attributes:
        first: Whether the file had no journey before.
        added: Events that got a touchpoint, and that nobody has checked yet.
        left_out: How many events got none because there are too many.
    """

    first: bool
    added: tuple[str, ...]
    left_out: int


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
    from wayfare.workspace.surveys import surveys_of

    workspace = open_workspace(folder)
    config = workspace.config
    log, anonymous = _logs(workspace)
    baseline = (config.baseline.since, config.baseline.to) if config.baseline else None
    study = Study(
        log, config.journey, currency=config.currency, name=config.name, baseline=baseline,  # type: ignore[arg-type]
        surveys=surveys_of(workspace), anonymous=anonymous, parameters=config.parameters,
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


def set_journey(workspace: Workspace, journey: Journey, origin: str) -> Workspace:
    """Writes a whole journey into a workspace that has none; `origin` says whose work it is."""
    text = _read(workspace.config_path)
    _add(workspace, with_journey(text, read_tree(text, CONFIG), journey, origin), journey)
    return open_workspace(workspace.folder)


def note_events(
    folder: str | Path, events: Sequence[str], channels: Mapping[str, str] | None = None
) -> Noted:
    """Adds the events that the journey does not place yet to `wayfare.yaml`, as a proposal to be corrected.

    Args:
        folder: The workspace.
        events: The events of the log, the most frequent first.
        channels: The usual channel of an event, where it has one.
    """
    workspace = open_workspace(folder)
    text = _read(workspace.config_path)
    tree = read_tree(text, CONFIG)
    journey = workspace.config.journey
    placed = journey.touchpoints if journey else ()
    fresh = [event for event in events if all(event != t.event for t in placed)]
    kept = fresh[: max(MOST_TOUCHPOINTS - len(placed), 0)]
    proposal = propose(events, dict(channels or {}))
    added = tuple(t for t in proposal.touchpoints if t.event in set(kept))
    after = (journey or proposal).model_copy(update={"touchpoints": (*placed, *added)})
    if added and journey is None:
        _add(workspace, with_journey(text, tree, after, PROPOSED), after)
    elif added:
        _add(workspace, with_touchpoints(text, tree, added), after)
    return Noted(journey is None and bool(added), tuple(t.event for t in added), len(fresh) - len(kept))


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


def _add(workspace: Workspace, text: str, journey: Journey) -> None:
    """Writes `text` if it says `journey` and nothing else new; a file laid out too freely is left as it is."""
    expected = workspace.config.model_copy(update={"journey": journey})
    try:
        understood = parse_config(text, CONFIG) == expected
    except BadInput:
        understood = False
    if not understood:
        raise BadInput(
            "The new events could not be added to the journey without changing what you wrote.",
            where=str(workspace.config_path),
            hint="List the touchpoints under `journey: touchpoints:`, one `- event: …` a line, and ingest again.",
        )
    write_atomically(workspace.config_path, text)


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
