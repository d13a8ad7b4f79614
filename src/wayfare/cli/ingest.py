"""`wayfare ingest`: raw records into the log, with what was understood of them shown first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wayfare.cli.ingested import note_journey, note_survey, print_summary, show_mapping, show_survey
from wayfare.cli.options import Folder, Format, FormatOption
from wayfare.cli.terminal import note, progress
from wayfare.errors import BadInput, InvalidParameter

if TYPE_CHECKING:
    from wayfare.workspace.folder import Workspace


def ingest(
    folder: Folder,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="CSV, JSON lines, Parquet or Excel files, also compressed; or a database: sqlite:///shop.db, postgresql://…, duckdb:///x.db.",
        ),
    ],
    customer: Annotated[
        str | None, typer.Option(metavar="COL", help="The column with the customer's id.")
    ] = None,
    time: Annotated[str | None, typer.Option(metavar="COL", help="The column with the moment.")] = None,
    event: Annotated[
        str | None, typer.Option(metavar="COL", help="The column with the event's name.")
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="KEY=COL",
            help="Any other column, such as value=Total or order=OrderID; repeat it for more.",
        ),
    ] = None,
    as_event: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="EVENT", help="What every row is, where no column says it: --as purchase."
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The program that made the export; wayfare presets lists them."),
    ] = None,
    survey: Annotated[
        Path | None,
        typer.Option(
            metavar="SURVEY.yaml",
            help="The document of the survey that the files answer: a line a respondent, or a line an answer.",
        ),
    ] = None,
    table: Annotated[
        str | None, typer.Option(metavar="NAME", help="The table to read, of a database or a workbook.")
    ] = None,
    query: Annotated[str | None, typer.Option(metavar="SQL", help="A query to read from a database.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the mapping and the counts; write nothing.")
    ] = False,
    dedupe_rows: Annotated[
        bool,
        typer.Option(
            "--dedupe-rows", help="Drop rows that repeat another in every column, not only in event_id."
        ),
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Add files that were ingested before; their rows count twice unless they have an event_id.",
        ),
    ] = False,
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="The zone of times that name none; without it the workspace's."),
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Read raw records into the workspace's log, beside what is there.

    Without options the columns are guessed, and the guess is shown with three rows.
    """
    from wayfare.histories.ingest import Mapping
    from wayfare.histories.ingest import ingest as read
    from wayfare.workspace.config import checked_zone

    _check_sources(folder, sources)
    if survey is not None:
        others = {
            "--customer": customer, "--time": time, "--event": event, "--map": maps, "--as": as_event, "--preset": preset,
            "--dedupe-rows": dedupe_rows, "--again": again,
        }  # fmt: skip
        _refuse([name for name, value in others.items() if value])
        _answers(folder, sources, survey, query, table, timezone, format, dry_run=dry_run)
        return
    workspace = _workspace(folder, dry_run)
    zone = checked_zone(timezone) if timezone else workspace.config.timezone
    said = Mapping.parse(customer=customer, time=time, event=event, maps=maps or ())
    if preset is None and format is Format.TABLE:
        show_mapping(sources, said, as_event, query, table)
    with progress() as tell:
        summary = read(
            workspace.log_folder, sources, mapping=said, preset=preset, as_event=as_event, zone=zone,
            currency=workspace.config.currency, query=query, table=table, dedupe_rows=dedupe_rows, again=again,
            dry_run=dry_run, progress=tell,
        )  # fmt: skip
    print_summary(summary, format)
    if dry_run:
        note("Nothing was written: this was a dry run.")
        return
    note_journey(workspace, summary)
    if summary.quarantined:
        note(f"Rows that could not be used are kept aside: wayfare quarantine {folder}")


def _refuse(options: list[str]) -> None:
    if options:
        raise InvalidParameter(
            f"{options[0]} can't stand beside --survey, whose document says what each column is.",
            where=options[0],
            hint="Leave it out; an answer that is in the log already is not counted twice.",
        )


def _answers(
    folder: Path,
    sources: list[str],
    document: Path,
    query: str | None,
    table: str | None,
    timezone: str | None,
    format: Format,
    *,
    dry_run: bool,
) -> None:
    """Reads the answers to a survey; its document is kept in the workspace."""
    from wayfare.histories.ingest.survey import ingest_answers
    from wayfare.workspace.config import checked_zone
    from wayfare.workspace.surveys import keep_survey, load_survey

    survey = load_survey(document)
    workspace = _workspace(folder, dry_run)
    zone = checked_zone(timezone) if timezone else workspace.config.timezone
    if format is Format.TABLE:
        show_survey(survey, document)
    target = workspace.anonymous_log_folder if survey.is_anonymous else workspace.log_folder
    with progress() as tell:
        summary = ingest_answers(
            target, sources, survey, zone=zone, currency=workspace.config.currency, query=query, table=table,
            dry_run=dry_run, progress=tell,
        )  # fmt: skip
    print_summary(summary, format, "answers", "respondents")
    if dry_run:
        note("Nothing was written: this was a dry run.")
        return
    note_survey(keep_survey(workspace, document, survey))
    if not survey.is_anonymous:
        note_journey(workspace, summary)
    if summary.quarantined:
        apart = " --anonymous" if survey.is_anonymous else ""
        note(f"Answers that could not be used are kept aside: wayfare quarantine {folder}{apart}")


def _check_sources(folder: Path, sources: list[str]) -> None:
    """A file that is not there is named before a workspace is made for it."""
    if folder.is_file():
        raise BadInput(
            "This is a file; the workspace's folder comes first.",
            where=str(folder),
            hint="wayfare ingest DIR FILE...",
        )
    for source in sources:
        if "://" not in source and not any(mark in source for mark in "*?[") and not Path(source).exists():
            raise BadInput("There is no such file.", where=source, hint="wayfare ingest DIR FILE...")


def _workspace(folder: Path, dry_run: bool) -> Workspace:
    """The workspace in `folder`; a new or empty folder becomes one."""
    from wayfare.workspace.config import Config
    from wayfare.workspace.folder import Workspace, init, is_workspace, open_workspace

    if is_workspace(folder):
        return open_workspace(folder)
    if dry_run and (not folder.exists() or not any(folder.iterdir())):
        return Workspace(folder, Config(name="Dry run"))
    workspace = init(folder)
    config = workspace.config
    note(
        f"Made the workspace {folder}: {config.currency}, {config.timezone}. If that is not right, remove it and begin with: "
        f"wayfare init {folder} --currency CODE --timezone ZONE"
    )
    return workspace
