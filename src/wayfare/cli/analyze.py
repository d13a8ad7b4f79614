"""`wayfare analyze`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wayfare.cli.options import Folder
from wayfare.cli.parquet import SUFFIX, save_parquet
from wayfare.cli.terminal import note, of_rows, progress

if TYPE_CHECKING:
    from wayfare.study import Study


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
        path = write(study, target, of_rows(tell, "passes over the log"))
        _save_list(study, target)
    note("Written:")
    print(path)


def _save_list(study: Study, folder: Path) -> None:
    """Writes the report's opportunities, known by now, as Parquet; where they could not be answered the report says why."""
    from wayfare.analyses.repurchase.opportunities import opportunities

    try:
        listed = study.result(opportunities)
    except Exception:  # noqa: BLE001 - the report holds it already
        return
    save_parquet(listed, folder / f"opportunities{SUFFIX}")
