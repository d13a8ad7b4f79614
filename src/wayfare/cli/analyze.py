"""`wayfare analyze`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wayfare.cli.options import Folder
from wayfare.cli.terminal import note, of_rows, progress


def analyze(
    folder: Folder,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the files go; without it the workspace's folder."),
    ] = None,
) -> None:
    """Answer the standard questions: report.html, one file that opens offline, and the list to act on, opportunities.csv and .parquet."""
    from wayfare.report import write
    from wayfare.workspace.folder import open_study

    study = open_study(folder)
    target = output or folder
    target.mkdir(parents=True, exist_ok=True)
    with progress() as tell:
        written = write(study, target, of_rows(tell, "passes over the log"))
    note("Written:")
    print(*written, sep="\n")
