"""`wayfare list`."""

from __future__ import annotations

from wayfare.cli.options import Format, FormatOption
from wayfare.cli.show import print_rows
from wayfare.cli.terminal import note


def list_(format: FormatOption = Format.TABLE) -> None:
    """List the analyses, each with the question that it answers."""
    from wayfare.registry import all_analyses, broken

    rows = [{"analysis": a.name, "group": a.group, "question": a.question} for a in all_analyses()]
    print_rows(rows, ("analysis", "group", "question"), format)
    for error in broken().values():
        note(f"Left out: {error}")
    if format is Format.TABLE:
        note("wayfare explain ANALYSIS says how one is computed; wayfare run DIR ANALYSIS runs it.")
