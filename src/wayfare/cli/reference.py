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
    lines = [
        f"## {path}",
        "",
        paragraphs((command.help or "").replace("\b\n", "")),
        "",
        "```",
        usage,
        "```",
        "",
    ]
    records = [
        p.get_help_record(context) for p in command.get_params(context) if not getattr(p, "hidden", False)
    ]
    rows = [f"| `{_cell(names)}` | {_cell(says)} |" for names, says in filter(None, records)]
    return [*lines, "| | |", "|---|---|", *rows, ""] if rows else lines


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
