"""`wayfare quarantine`: rows that could not be used; look at them, mend them, try them again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from wayfare.cli.ingested import print_summary
from wayfare.cli.options import Folder, Format, FormatOption
from wayfare.cli.problems import Misused
from wayfare.cli.show import print_rows
from wayfare.cli.terminal import note, progress

FIRST_ROWS = 10


class Action(StrEnum):
    """What is done with the rows."""

    LIST = "list"
    EXPORT = "export"
    RERUN = "rerun"


def quarantine(
    folder: Folder,
    action: Annotated[
        Action, typer.Argument(help="list them by reason; export them to FILE to be mended; rerun them, or the mended FILE.")
    ] = Action.LIST,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Where to, or from where.", show_default=False)] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Rows that could not be used: count them by reason, export them, mend them, and try them again."""
    from wayfare.workspace.folder import open_workspace

    workspace = open_workspace(folder)
    if action is Action.LIST:
        _list(workspace.log_folder, format)
    elif action is Action.EXPORT:
        _export(workspace.log_folder, file)
    else:
        _rerun(workspace.log_folder, file, format)
