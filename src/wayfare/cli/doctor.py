"""`wayfare doctor`: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from wayfare.cli.options import Format, FormatOption
from wayfare.cli.problems import FAILED
from wayfare.cli.show import print_rows
from wayfare.errors import BadInput, Damaged, NotReady, UnknownName, WayfareError

if TYPE_CHECKING:
    from wayfare.workspace.folder import Workspace

EXTRAS = {
    "spark": "logs on a Spark cluster",
    "postgres": "PostgreSQL sources and documents",
    "polars": "tables as polars frames",
    "text": "ratings read from comments with VADER",
}
_NEEDED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:>=\s*([0-9.]+))?")
_LITTLE, _TOO_LITTLE = 2_000_000_000, 100_000_000


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    check: str
    state: Literal["ok", "warn", "fail"]
    found: str
    do: str = ""


def doctor(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="A workspace to look at too.", show_default=False)
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Check the installation, and a workspace: settings, log, quarantine and disk. Exit code 1 if a check fails."""
    checks = [*installation(), *(of_workspace(folder) if folder is not None else [])]
    print_rows([asdict(check) for check in checks], ("check", "state", "found", "do"), format)
    if any(check.state == "fail" for check in checks):
        raise typer.Exit(FAILED)


def installation() -> Iterator[Check]:
    """Python, what Wayfare needs, and the optional parts."""
    version = ".".join(map(str, sys.version_info[:3]))
    enough = sys.version_info >= (3, 11)
    yield Check(
        "Python", "ok" if enough else "fail", version, "" if enough else "Install Python 3.11 or newer."
    )
    from importlib.metadata import requires

    missing: dict[str, list[str]] = {extra: [] for extra in EXTRAS}
    wrong = []
    for line in requires("wayfare") or ():
        needed, _, marker = line.partition(";")
        extra = re.search(r"extra\s*==\s*['\"](\w+)['\"]", marker)
        problem = _lacking(needed)
        if problem and extra is None:
            wrong.append(problem)
        elif problem and extra and extra[1] in missing:
            missing[extra[1]].append(problem)
    if wrong:
        yield Check("Packages", "fail", "; ".join(wrong), "pip install --upgrade wayfare")
    else:
        yield Check("Packages", "ok", "all there, new enough")
    from wayfare.registry import broken

    for name, error in broken().items():
        yield Check(f"Analysis: {name}", "fail", str(error.problem), error.hint)
    for optional, use in EXTRAS.items():
        lacking = "; ".join(missing[optional])
        yield Check(f"Optional: {optional}", "ok", f"not installed ({use})" if lacking else "installed",
                    f"If needed: pip install 'wayfare[{optional}]'" if lacking else "")  # fmt: skip


def of_workspace(folder: Path) -> Iterator[Check]:
    """The workspace's settings, log, quarantine and disk."""
    from wayfare.workspace.folder import open_workspace

    try:
        workspace = open_workspace(folder)
    except WayfareError as error:
        yield Check("Workspace", "fail", f"{error.where}: {error.problem}".removeprefix(": "), error.hint)
        return
    config = workspace.config
    yield Check("Workspace", "ok", f"{config.name}, {config.currency}")
    yield Check("Time zone", "ok", config.timezone)  # opening checked it
    for look in (_parameters, _log, _documents, _journey, _surveys, _quarantine, _disk):
        yield from _guarded(look, workspace)


def _guarded(look: Callable[[Workspace], Iterator[Check]], workspace: Workspace) -> Iterator[Check]:
    name = look.__name__.strip("_").capitalize()
    try:
        yield from look(workspace)
    except NotReady as error:
        yield Check(name, "warn", error.problem, error.hint)
    except WayfareError as error:
        yield Check(name, "fail", f"{error.problem} ({error.where})", error.hint)
    except OSError as error:
        yield Check(name, "fail", str(error), "Check who may read and write this folder.")


def _parameters(workspace: Workspace) -> Iterator[Check]:
    """Analyses and parameters of the settings that there are none of; a wrong value is said when it is used."""
    from wayfare.registry import find, names

    for name, said in workspace.config.parameters.items():
        try:
            if name not in names():
                raise UnknownName.among("analysis", name, names())
            known = {parameter.name for parameter in find(name).parameters}
            for parameter in set(said) - known:
                raise UnknownName.among(f"parameter of {name}", parameter, known)
        except UnknownName as error:
            yield Check("Parameters", "fail", f"{workspace.config_path}: {error.problem}", error.hint)


def _log(workspace: Workspace) -> Iterator[Check]:
    from wayfare.histories.store import open_sealed

    source = open_sealed(workspace.log_folder)
    source.check()
    facts = source.facts
    said = f"{facts.rows:,} events of {facts.customers:,} customers, checksums right"
    yield Check("Log", "ok", said + (", simulated" if facts.simulated else ""))


def _documents(workspace: Workspace) -> Iterator[Check]:
    from wayfare.workspace.database import has_database
    from wayfare.workspace.documents import open_documents

    if not has_database(workspace):
        yield Check(
            "Documents", "ok", "none yet", f"Start one: wayfare documents {workspace.folder} new canvas"
        )
        return
    with closing(open_documents(workspace)) as documents:
        standing = documents.standing()
    named = ", ".join(name for name in standing if "@" not in name)
    yield Check("Documents", "ok", f"all readable: {named}" if named else "none yet")


def _journey(workspace: Workspace) -> Iterator[Check]:
    from wayfare.domain.journey import JourneyMap
    from wayfare.workspace.folder import log_events, open_study

    try:
        events, journey = log_events(workspace), open_study(workspace.folder).document(JourneyMap)
    except (BadInput, Damaged, NotReady):  # said of the log, the database or the survey that is wrong
        return
    if journey is None:
        yield Check("Journey", "warn", "no journey map yet", "wayfare ingest proposes one.")
        return
    if events and set(events).isdisjoint(journey.orders):
        yield Check("Journey", "warn", f"no event of the log is an order ({', '.join(journey.orders)})",
                    f"Name it under `orders:`: wayfare documents {workspace.folder} edit {journey.name}")  # fmt: skip
        return
    unplaced = set(events) - {t.event for t in journey.touchpoints}
    yield Check(
        "Journey",
        "ok",
        f"{len(journey.touchpoints)} touchpoints"
        + (f", {len(unplaced):,} events without one" if unplaced else ""),
    )


def _surveys(workspace: Workspace) -> Iterator[Check]:
    from wayfare.workspace.surveys import surveys_of

    surveys = surveys_of(workspace)
    yield Check("Surveys", "ok", f"all readable: {', '.join(surveys)}" if surveys else "none yet")


def _quarantine(workspace: Workspace) -> Iterator[Check]:
    from wayfare.cli.quarantine import counts

    found = counts(workspace.log_folder)
    kept_aside = sum(found.values())
    if kept_aside:
        yield Check(
            "Quarantine",
            "warn",
            f"{kept_aside:,} rows could not be used",
            f"wayfare quarantine {workspace.folder}",
        )
    else:
        yield Check("Quarantine", "ok", "empty")


def _disk(workspace: Workspace) -> Iterator[Check]:
    free = shutil.disk_usage(workspace.folder).free
    size = sum(path.stat().st_size for path in workspace.log_folder.rglob("*") if path.is_file())
    wanted = max(_LITTLE, 3 * size)  # the old log, the new one and what sorting spills
    state: Literal["ok", "warn", "fail"] = "fail" if free < _TOO_LITTLE else "warn" if free < wanted else "ok"
    said = f"{free / 1e9:,.1f} GB free, the log takes {size / 1e9:,.2f} GB"
    yield Check(
        "Disk", state, said, "" if state == "ok" else f"An ingest may need {wanted / 1e9:,.0f} GB: make room."
    )


def _lacking(needed: str) -> str:
    """What is wrong with a needed package: '' where nothing is."""
    from importlib.metadata import PackageNotFoundError, version

    match = _NEEDED.match(needed.strip())
    if match is None or match[1] == "wayfare":
        return ""
    try:
        installed = version(match[1])
    except PackageNotFoundError:
        return f"{match[1]} is missing"
    if match[2] and _numbers(installed) < _numbers(match[2]):
        return f"{match[1]} is {installed}, needed is {match[2]}"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    leading = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in leading[0].split(".")) if leading else ()
