"""`wayfare run`: one analysis on one workspace; its options are the analysis's parameters."""

from __future__ import annotations

import inspect
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from wayfare.charts.parquet import SUFFIX, save_parquet
from wayfare.cli.asked import as_options, command_of, help_of
from wayfare.cli.options import Format, SegmentsOption, SinceOption, UntilOption
from wayfare.cli.problems import Misused
from wayfare.cli.show import print_result
from wayfare.cli.terminal import note, of_rows, progress
from wayfare.errors import BadInput, InvalidParameter, UnknownName, WayfareError

if TYPE_CHECKING:
    from wayfare.analysis import Analysis
    from wayfare.result import Result
    from wayfare.study import Study

# What the analysis takes is known once its name is read, so the rest is handed on.
SETTINGS = {"ignore_unknown_options": True, "allow_extra_args": True}
PICTURES = (".svg", ".png", ".pdf", ".html")
DATA = ("", ".json", ".csv", SUFFIX, ".txt")


def run(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The workspace's folder.", show_default=False)
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(metavar="ANALYSIS", help="An analysis that wayfare list names.", show_default=False),
    ] = None,
    segment: SegmentsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    format: Annotated[
        Format | None,
        typer.Option(
            "--format", help="How the data are printed.", show_default="table, or what --output ends in"
        ),
    ] = None,
    table: Annotated[str | None, typer.Option(metavar="NAME", help="Print this table alone.")] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the result into an .svg, .png, .pdf or .html file."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the data into this file instead of stdout; .json, .csv and .parquet say the format.",
        ),
    ] = None,
    save: Annotated[
        bool,
        typer.Option(
            "--save",
            help="Keep each customer's group as a column of the workspace, for --segment and --by (personas).",
        ),
    ] = False,
    help: Annotated[
        bool, typer.Option("--help", "-h", help="Show the help; after ANALYSIS, its own options too.")
    ] = False,
) -> None:
    """Run an analysis. Its parameters are options: wayfare run DIR ANALYSIS --help shows them.

    Findings come first, then warnings, then the tables. Data go to stdout, everything else to stderr.
    """
    if name is None and help:
        print(context.get_help())
        raise typer.Exit
    if folder is None or name is None or str(folder).startswith("-") or name.startswith("-"):
        raise Misused(
            "The folder and the analysis come first.",
            where="wayfare run",
            hint="wayfare run DIR ANALYSIS [OPTIONS]; wayfare list names them.",
        )
    analysis = _found(folder, name)
    asked = _asked(analysis, [*context.args, *(["--help"] if help else [])])
    _check_files(plot, output, format)
    format = format or _format_of(output)
    result = _result(analysis, asked, folder, segment or [], since, until)
    if plot is not None:
        _draw(result, plot)
    if save:
        _save(folder, result)
    if output is None:
        print_result(result, format, table)
        return
    if _is_parquet(output):
        save_parquet(result, output, table)
        note(f"Written: {output}")
        return
    text = io.StringIO()
    print_result(result, format, table, text)
    _write(output, text.getvalue())
    note(f"Written: {output}")


def _found(folder: Path, name: str) -> Analysis:
    from wayfare.registry import find, names

    try:
        return find(name)
    except UnknownName as error:
        if str(folder).replace("-", "_") in names():
            error.hint = f"The folder comes first: wayfare run {name} {folder}"
        raise


def _asked(analysis: Analysis, args: list[str]) -> dict[str, Any]:
    """What the arguments say to the analysis's parameters."""
    asked: dict[str, Any] = {}
    app = typer.Typer(
        add_completion=False, rich_markup_mode=None, context_settings={"help_option_names": ["--help", "-h"]}
    )
    app.command(help=help_of(analysis))(command_of(analysis, _shared(), asked))
    command = typer.main.get_command(app)
    with command.make_context(f"wayfare run DIR {analysis.name}", args) as context:
        command.invoke(context)
    return asked


def _shared() -> dict[str, inspect.Parameter]:
    """The options that `run` itself takes, for the help of an analysis."""
    hints = get_type_hints(run, include_extras=True)
    own = inspect.signature(run).parameters.values()
    mine = [p for p in own if p.name not in ("context", "folder", "name", "help")]
    return {p.name: p.replace(annotation=hints[p.name], kind=inspect.Parameter.KEYWORD_ONLY) for p in mine}


def _result(
    analysis: Analysis,
    asked: dict[str, Any],
    folder: Path,
    segments: list[str],
    since: str | None,
    until: str | None,
) -> Result:
    from wayfare.workspace.folder import open_study

    study: Study = open_study(folder, segments, since, until)
    _check_settings(study)
    with progress() as tell:
        outcome = study.results([(analysis, asked)], of_rows(tell, analysis.name))[0]
    if isinstance(outcome, WayfareError):
        raise as_options(outcome, analysis)
    return outcome


def _check_settings(study: Study) -> None:
    """Says which analyses the settings speak of that there are none of: nothing else would."""
    from wayfare.registry import names

    for name in study.parameters:
        if name not in names():
            unknown = UnknownName.among("analysis", name, names())
            note(
                f"Not used: wayfare.yaml has parameters of {name!r}. {unknown.problem} {unknown.hint}".rstrip()
            )


def _format_of(output: Path | None) -> Format:
    suffix = output.suffix.lstrip(".").lower() if output else ""
    return Format(suffix) if suffix in ("json", "csv") else Format.TABLE


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX


def _check_files(plot: Path | None, output: Path | None, format: Format | None) -> None:
    """Files that can't be written are named before the work is done, not after."""
    if output is not None and format is not None and _is_parquet(output):
        raise InvalidParameter(
            f"A Parquet file can't hold {format.value}.", where="--format", hint="Leave --format out."
        )
    if output is not None and format is None and output.suffix.lower() not in DATA:
        raise InvalidParameter(
            f"What the name {output.name!r} ends in says no format.",
            where="--output",
            allowed=DATA[1:],
            hint="Or name it: --format table, json or csv.",
        )
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise InvalidParameter(
            f"A picture can't be saved as {plot.name!r}.", where="--plot", allowed=PICTURES
        )
    for option, path in (("--plot", plot), ("--output", output)):
        if path is not None and not path.absolute().parent.is_dir():
            raise BadInput(
                "There is no such folder to write into.",
                where=f"{option} {path}",
                hint=f"Make it: mkdir -p {path.parent}",
            )


def _write(path: Path, text: str) -> None:
    """Replaces the file whole, so that what goes wrong leaves the old one; a device or a pipe is written to."""
    from wayfare.workspace.folder import write_atomically

    if path.is_file() or not path.exists():
        write_atomically(path.resolve(), text)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)


def _save(folder: Path, result: Result) -> None:
    from wayfare.workspace.attributes import save_assigned

    column = save_assigned(folder, result)
    note(f'Kept for every analysis: --segment "{column}=…", --by {column}')


def _draw(result: Result, path: Path) -> None:
    from wayfare.charts.picture import save

    picture = result.chart()
    if picture is None:
        note("No picture: there is too little to draw.")
        return
    save(picture, path)
    note(f"Drawn: {path}")
