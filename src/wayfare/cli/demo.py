"""`wayfare demo`: a simulated company to try everything on."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wayfare.cli.terminal import note, progress
from wayfare.errors import BadInput

if TYPE_CHECKING:
    from wayfare.histories.ingest import IngestSummary

NAME, CURRENCY, ZONE = "Simulated coffee roaster", "EUR", "Europe/Amsterdam"
MARK = "SIMULATED.txt"
RAW = "raw"
_MARK_TEXT = """\
Everything in this folder is simulated: a coffee roaster that does not exist, made by `wayfare demo`.
What is true of it, and should be found, stands in raw/truths.yaml.
Running `wayfare demo` on this folder again replaces wayfare.yaml, wayfare.db, log/, surveys/ and raw/, and removes what
was said of the company before: attributes/, report.html, opportunities.csv and opportunities.parquet.
"""
_FILES = ("wayfare.yaml", "wayfare.db", "wayfare.db-wal", "wayfare.db-shm")
_FOLDERS = ("log", "log-anonymous", "surveys", RAW, "attributes")
_SAID = ("report.html", "opportunities.csv", "opportunities.parquet")


def demo(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A new folder, or that of an earlier demo, which is replaced."),
    ],
    customers: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="How many customers the company has.")
    ] = 20_000,
    seed: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="The same seed gives the same company.")
    ] = 7,
) -> None:
    """Make a simulated company: two years of a coffee roaster with web shop, stores and referrals."""
    prepare(folder)
    summary = build(folder, customers, seed)
    note(
        f"Simulated: {summary.kept:,} events of {summary.customers:,} customers of a coffee roaster that does not exist."
    )
    note(f"The raw export is in {folder / RAW}, with truths.yaml: what an analysis should find in it.")
    note(f"Next: wayfare analyze {folder}; wayfare serve {folder}; wayfare run {folder} funnel")


def prepare(folder: Path) -> None:
    """An empty folder with the mark of a demo; anything but an earlier demo is refused."""
    from wayfare.workspace.database import VARIABLE

    if os.environ.get(VARIABLE):
        raise BadInput(
            f"{VARIABLE} names a database, and a demo keeps its documents to itself.",
            hint=f"unset {VARIABLE}",
        )
    if folder.exists() and not folder.is_dir():
        raise BadInput("This is a file, not a folder.", where=str(folder), hint="Name a new folder.")
    used = folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir())
    if used and not (folder / MARK).is_file():
        raise BadInput(
            "The folder holds something that is no demo.",
            where=str(folder),
            hint="Name a new folder; nothing was changed.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(_MARK_TEXT, encoding="utf-8")
    for name in (*_FILES, *_SAID):
        (folder / name).unlink(missing_ok=True)
    for name in _FOLDERS:
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            shutil.rmtree(folder / name)


def build(folder: Path, customers: int, seed: int) -> IngestSummary:
    """Writes the company's raw export and settings into the prepared folder, and ingests it."""
    from wayfare.demo import Company, documents, questionnaires, write_csv
    from wayfare.histories.ingest import ingest
    from wayfare.workspace.documents import open_documents
    from wayfare.workspace.folder import init_in
    from wayfare.workspace.surveys import keep_survey, load_survey

    workspace = init_in(folder, NAME, CURRENCY, ZONE)
    with closing(open_documents(workspace)) as opened:
        for each in documents():
            opened.save(each, based_on=None, who=NAME, why="That of the simulated company")
    for document in questionnaires():
        keep_survey(workspace, document, load_survey(document))
    with progress() as tell:
        tell("simulate", 0.0)
        export = write_csv(Company(customers=customers, seed=seed), folder / RAW)
        tell("simulate", 1.0)
        return ingest(workspace.log_folder, [str(export.path)], zone=ZONE, currency=CURRENCY, progress=tell)
