"""What went wrong, in four parts: the problem, where it is, what is allowed, what to do."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer

from wayfare.cli.terminal import clean, note
from wayfare.errors import UnknownName, WayfareError

FAILED, WRONG, BROKEN_PIPE, STOPPED = 1, 2, 141, 130
_SHOWN = 12


class Misused(WayfareError):
    """The command line was not written as the command takes it."""

    code = "usage"


class Unreachable(WayfareError):
    """The operating system refused a file, a folder or a port."""

    code = "system"
    status = 500


class Fault(WayfareError):
    """Something that is ours to mend."""

    code = "fault"
    status = 500


def misused(error: Any) -> Misused:
    """The parser's error as ours, with the options or commands that there are."""
    context = getattr(error, "ctx", None)
    if context is None:
        return Misused(error.format_message(), hint="See: wayfare --help")
    if type(error).__name__ == "NoSuchOption":
        parameters = [p for p in context.command.get_params(context) if p.param_type_name == "option"]
        allowed = [
            opt
            for p in parameters
            if not p.hidden
            for opt in (*p.opts, *p.secondary_opts)
            if opt.startswith("--")
        ]
        unknown = UnknownName.among("option", error.option_name, allowed)
        hint = unknown.hint or f"See: {context.command_path} --help"
        return Misused(unknown.problem, where=context.command_path, allowed=allowed, hint=hint)
    allowed = list(getattr(context.command, "commands", ()))
    problem = error.format_message().strip().replace(": Value error, ", ": ")
    return Misused(
        problem, where=context.command_path, allowed=allowed, hint=f"See: {context.command_path} --help"
    )


def unreachable(error: OSError) -> Unreachable:
    """The operating system's error as ours."""
    where = str(error.filename) if error.filename is not None else ""
    problem = (error.strerror or str(error) or type(error).__name__).rstrip(".")
    return Unreachable(
        f"{problem[:1].upper()}{problem[1:]}.", where=where, hint="wayfare doctor checks space and access."
    )


def fault(error: BaseException) -> Fault:
    """An error that nobody foresaw, in one line; `WAYFARE_DEBUG=1` shows where it came from."""
    if os.environ.get("WAYFARE_DEBUG"):
        traceback.print_exception(error)
    said = " ".join(str(error).split())
    problem = f"Something went wrong inside Wayfare ({type(error).__name__}{': ' + said if said else ''})."
    return Fault(problem, hint="Try: wayfare doctor. WAYFARE_DEBUG=1 shows the details for a bug report.")


def show(error: WayfareError, args: Sequence[str]) -> None:
    """Prints the error on stderr, as JSON where the command was asked for JSON."""
    if wants_json(args):
        print(json.dumps(error.to_dict(), ensure_ascii=False), file=sys.stderr)
        return
    parts = [
        ("Problem", error.problem),
        ("Where", error.where),
        ("Allowed", _allowed(error.allowed)),
        ("Hint", error.hint),
    ]
    for label, text in parts:
        if text:
            styled = typer.style(f"{label:<9}", fg="red" if label == "Problem" else None, bold=True)
            lines = clean(text).splitlines() or [""]
            typer.echo(styled + "\n         ".join(lines), err=True)


def wants_json(args: Sequence[str]) -> bool:
    """Whether the arguments ask for JSON."""
    return any(
        a == "--format=json" or (a == "--format" and b == "json")
        for a, b in zip(args, [*args[1:], ""], strict=True)
    )


def _allowed(values: Sequence[str]) -> str:
    more = len(values) - _SHOWN
    return ", ".join(values[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def stopped() -> int:
    """Ends after Ctrl-C."""
    note("Stopped.")
    return STOPPED
