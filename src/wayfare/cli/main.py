"""The program `wayfare`: gathers the commands, and turns whatever goes wrong into four plain parts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from wayfare.cli import analyze, demo, doctor, explain, ingest, init, presets, quarantine, run, serve
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
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

START, RECORDS, ANSWERS, CARE = "Start", "Records", "Answers", "Care"

app.command("demo", rich_help_panel=START)(demo.demo)
app.command("init", rich_help_panel=START)(init.init)
app.command("ingest", rich_help_panel=RECORDS)(ingest.ingest)
app.command("presets", rich_help_panel=RECORDS)(presets.presets)
app.add_typer(quarantine.app, name="quarantine", rich_help_panel=RECORDS)
app.command("list", rich_help_panel=ANSWERS)(list_command.list_)
app.command("explain", rich_help_panel=ANSWERS)(explain.explain)
app.command("run", rich_help_panel=ANSWERS, add_help_option=False, context_settings=run.SETTINGS)(run.run)
app.command("analyze", rich_help_panel=ANSWERS)(analyze.analyze)
app.command("serve", rich_help_panel=ANSWERS)(serve.serve)
app.command("doctor", rich_help_panel=CARE)(doctor.doctor)


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
        _run(args)
    except typer.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return stopped()
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
