"""The program `wayfare`: gathers the commands, and turns whatever goes wrong into four plain parts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from wayfare.cli import (
    analyze,
    demo,
    doctor,
    documents,
    explain,
    ingest,
    init,
    presets,
    quarantine,
    run,
    serve,
)
from wayfare.cli import list as list_command
from wayfare.cli.problems import BROKEN_PIPE, FAILED, WRONG, fault, misused, show, stopped, unreachable
from wayfare.errors import WayfareError

UsageError: Any = typer.BadParameter.__mro__[1]  # its base; typer gives it no public name

EXIT_CODES = (
    "Exit codes: 0 done; 1 a check failed, or a fault of ours; 2 something to put right in the command or the data; "
    "130 stopped with Ctrl-C; 141 the reader of the output went away."
)

app = typer.Typer(
    name="wayfare",
    help="The customer journey from raw records: where customers come from, where they are lost, who buys again.",
    epilog=EXIT_CODES,
    add_completion=False,
    rich_markup_mode=None,  # rich would double the time to the first --help
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("demo", demo.demo, "make a simulated company to try everything on"),
    ("init", init.init, "make a workspace"),
    ("ingest", ingest.ingest, "read raw records into the workspace's log"),
    ("presets", presets.presets, "list the programs whose exports are known"),
    ("quarantine", quarantine.quarantine, "look at rows that could not be used"),
    ("list", list_command.list_, "list the analyses and their questions"),
    ("explain", explain.explain, "say how an analysis is computed and asked"),
    ("run", run.run, "run an analysis: findings, tables, a picture"),
    ("analyze", analyze.analyze, "answer the standard questions in report.html"),
    ("documents", documents.documents, "keep strategy documents: canvas, value chain"),
    ("serve", serve.serve, "show the workspace in the browser"),
    ("doctor", doctor.doctor, "check the installation and a workspace"),
)

for name, function, short in COMMANDS:
    handed_on: dict[str, Any] = (
        {"add_help_option": False, "context_settings": run.SETTINGS} if name == "run" else {}
    )
    app.command(name, short_help=short, **handed_on)(function)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        print(f"wayfare {installed('wayfare')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and gives the exit code; no exception and no traceback leaves it."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        _run(list(args))
    except typer.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = stopped()
        if argv is None:
            sys.stdout.flush()
            os._exit(code)  # threads may still count: Python would end under them, at times with a crash
        return code
    except BrokenPipeError:
        # Python flushes stdout once more when it ends: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except WayfareError as error:
        show(error, args)
        return WRONG
    except UsageError as error:
        show(misused(error), args)
        return WRONG
    except OSError as error:
        show(unreachable(error), args)
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last door
        show(fault(error), args)
        return FAILED
    return 0


def _run(args: list[str]) -> None:
    # Not app(): that would deal with broken pipes and errors in its own way.
    command = typer.main.get_command(app)
    try:
        with command.make_context("wayfare", args) as context:
            command.invoke(context)
    finally:
        sys.stdout.flush()
