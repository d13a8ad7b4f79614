"""`wayfare quarantine`: rows that could not be used; look at them, mend them, try them again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wayfare.cli.ingested import note_journey, print_summary
from wayfare.cli.options import Folder, Format, FormatOption
from wayfare.cli.problems import Misused
from wayfare.cli.show import print_rows
from wayfare.cli.terminal import note, progress

if TYPE_CHECKING:
    from wayfare.workspace.folder import Workspace

FIRST_ROWS = 10
COLUMNS = ("id", "source", "line", "reason", "row")


class Action(StrEnum):
    """What is done with the rows."""

    LIST = "list"
    EXPORT = "export"
    RERUN = "rerun"


def quarantine(
    folder: Folder,
    action: Annotated[
        Action,
        typer.Argument(
            metavar="ACTION",
            help="list them by reason; export them to FILE to be mended; rerun them, or the mended FILE.",
        ),
    ] = Action.LIST,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where to, or from where.", show_default=False)
    ] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Those of the anonymous answers, which are kept apart.")
    ] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Rows that could not be used: count them by reason, export them, mend them, and try them again."""
    from wayfare.workspace.folder import open_workspace

    workspace = open_workspace(folder)
    log_folder = workspace.anonymous_log_folder if anonymous else workspace.log_folder
    if action is Action.LIST:
        _list(folder, log_folder, format)
    elif action is Action.EXPORT:
        _export(folder, log_folder, file)
    else:
        _rerun(workspace, log_folder, file, format)


def counts(log_folder: Path) -> dict[str, int]:
    """How many rows are kept aside for which reason, the commonest first."""
    from collections import Counter

    from wayfare.histories.ingest import quarantine as kept_aside

    return dict(Counter(kept_aside.rows(log_folder)["reason"].to_pylist()).most_common())


def _list(folder: Path, log_folder: Path, format: Format) -> None:
    from wayfare.histories.ingest import quarantine as kept_aside

    rows = kept_aside.rows(log_folder).select(COLUMNS)
    if format is not Format.TABLE:
        print_rows(rows.to_pylist(), COLUMNS, format)
        return
    by_reason = counts(log_folder)
    if not by_reason:
        note("The quarantine is empty.")
        return
    print_rows(
        [{"reason": reason, "rows": count} for reason, count in by_reason.items()], ("reason", "rows"), format
    )
    print()
    print_rows(rows.slice(0, FIRST_ROWS).to_pylist(), COLUMNS, format)
    if rows.num_rows > FIRST_ROWS:
        note(f"and {rows.num_rows - FIRST_ROWS:,} more: --format csv prints all.")
    note(
        f"To mend them: wayfare quarantine {folder} export FILE, edit FILE, wayfare quarantine {folder} rerun FILE"
    )


def _export(folder: Path, log_folder: Path, file: Path | None) -> None:
    from wayfare.histories.ingest import quarantine as kept_aside

    if file is None:
        raise Misused(
            "Where to is missing.", where="FILE", hint=f"wayfare quarantine {folder} export mend.csv"
        )
    note(
        f"Exported {kept_aside.export(log_folder, file):,} rows to {file}. Mend them there, then: wayfare quarantine {folder} rerun {file}"
    )


def _rerun(workspace: Workspace, log_folder: Path, file: Path | None, format: Format) -> None:
    from wayfare.histories.ingest import quarantine as kept_aside
    from wayfare.workspace.surveys import surveys_of

    with progress() as tell:
        summary = kept_aside.rerun(
            log_folder, file, zone=workspace.config.timezone, surveys=surveys_of(workspace), progress=tell
        )
    print_summary(summary, format)
    if log_folder == workspace.log_folder:
        note_journey(workspace, summary)
