"""`wayfare explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from wayfare.cli.asked import default_text, example, option_name
from wayfare.cli.options import Format, FormatOption
from wayfare.cli.show import csv_text, print_rows
from wayfare.cli.terminal import console, paragraphs

if TYPE_CHECKING:
    from wayfare.analysis import Analysis


def explain(
    name: Annotated[str, typer.Argument(metavar="ANALYSIS", help="An analysis that wayfare list names.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """Explain an analysis: its question, how it is computed, what can be said to it and what it gives."""
    from wayfare.registry import find

    analysis = find(name)
    if format is Format.JSON:
        import json

        print(json.dumps(described(analysis), indent=2, ensure_ascii=False))
    elif format is Format.CSV:
        print(csv_text(_parts(analysis), ("part", "name", "default", "says")), end="")
    else:
        _print(analysis)


def described(analysis: Analysis) -> dict[str, Any]:
    """What there is to know of an analysis, as JSON."""
    parameters = [
        {
            "name": p.name,
            "option": option_name(p),
            "kind": p.kind,
            "required": default_text(p) is None,
            "default": default_text(p),
            "choices": list(p.choices),
            "help": p.help,
        }
        for p in analysis.parameters
    ]
    return {
        "analysis": analysis.name,
        "group": analysis.group,
        "question": analysis.question,
        "about": analysis.about,
        "observational": analysis.returns.observational,
        "parameters": parameters,
        "tables": analysis.returns.columns(),
        "example": example(analysis),
    }


def _parts(analysis: Analysis) -> list[dict[str, Any]]:
    said = described(analysis)
    rows = [
        {"part": "parameter", "name": p["name"], "default": p["default"], "says": _help(p)}
        for p in said["parameters"]
    ]
    for table, columns in said["tables"].items():
        rows += [
            {"part": table, "name": name, "default": None, "says": says} for name, says in columns.items()
        ]
    return rows


def _help(parameter: dict[str, Any]) -> str:
    choices = ", ".join(map(str, parameter["choices"]))
    return " ".join(filter(None, [parameter["help"], f"One of: {choices}." if choices else ""]))


def _print(analysis: Analysis) -> None:
    from rich.text import Text

    said, out = described(analysis), console()
    out.print(Text(analysis.question, style="bold"))
    if analysis.about:
        out.print(Text(f"\n{paragraphs(analysis.about)}"))
    if said["observational"]:
        out.print(Text(f"\nObservational, not an experiment: {said['observational']}", style="yellow"))
    out.print(Text("\nParameters", style="bold"))
    rows = [
        {"option": p["option"], "default": p["default"] or "needed", "what it says": _help(p)}
        for p in said["parameters"]
    ]
    print_rows(rows, ("option", "default", "what it says"), Format.TABLE)
    for table, columns in said["tables"].items():
        out.print(Text(f"\nTable {table}", style="bold"))
        print_rows(
            [{"column": c, "what it says": says} for c, says in columns.items()],
            ("column", "what it says"),
            Format.TABLE,
        )
    out.print(Text("\nExample", style="bold"))
    out.print(Text(f"  {said['example']}"), soft_wrap=True)
