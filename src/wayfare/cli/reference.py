"""The command reference, from the same declarations as `--help`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from wayfare.cli.terminal import paragraphs


def commands_markdown() -> str:
    """Every command with its arguments and options, as Markdown."""
    from wayfare.cli.main import EXIT_CODES, app

    lines = ["# Commands", "", EXIT_CODES, ""]
    for path, command, context in commands(typer.main.get_command(app)):
        lines += _section(path, command, context)
    return "\n".join(lines).rstrip() + "\n"


def commands(root: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every command that does something, as its path, itself and its context; groups are walked through."""
    yield from _walk("wayfare", root, None)


def _walk(path: str, command: Any, parent: Any) -> Iterator[tuple[str, Any, Any]]:
    context = command.context_class(command, info_name=path.rsplit(" ", 1)[-1], parent=parent)
    yield path, command, context
    for name in getattr(command, "commands", {}):
        yield from _walk(f"{path} {name}", command.commands[name], context)


def _section(path: str, command: Any, context: Any) -> list[str]:
    usage = " ".join(["wayfare", *context.command_path.split()[1:], *command.collect_usage_pieces(context)])
    lines = [f"## {path}", "", paragraphs(command.help or ""), "", "```", usage, "```", ""]
    rows = [_row(p, context) for p in command.get_params(context) if not getattr(p, "hidden", False)]
    return [*lines, "| | | |", "|---|---|---|", *rows, ""] if rows else lines


def _row(parameter: Any, context: Any) -> str:
    if parameter.param_type_name == "argument":
        names = parameter.make_metavar(context)
    else:
        names = ", ".join([*parameter.opts, *parameter.secondary_opts])
        if not parameter.is_flag:
            names += f" {parameter.make_metavar(context)}"
    default = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    shown = "" if default in (None, False, (), []) or parameter.required or callable(default) else str(getattr(default, "value", default))
    return f"| `{_cell(names)}` | {_cell(parameter.help or '')} | {_cell(f'default: {shown}') if shown else ''} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

