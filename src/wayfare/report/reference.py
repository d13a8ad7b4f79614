"""The reference page of an analysis as Markdown, from its signature, docstring and result."""

from __future__ import annotations

from typing import Any

from wayfare.analysis import Analysis, Parameter
from wayfare.registry import all_analyses

_KINDS = {
    "event": "an event", "events": "events", "property": "a text column", "properties": "columns", "canvas": "a canvas",
    "value_chain": "a value chain", "journey_map": "a journey map", "share": "0 to 1", "day": "a date",
    "duration": "a duration (30m, 24h, 7d)", "flag": "yes or no", "whole": "a whole number", "number": "a number", "numbers": "numbers",
    "text": "text", "texts": "texts",
}  # fmt: skip


def analysis_pages() -> dict[str, str]:
    """The reference page of every analysis, by name."""
    return {analysis.name: analysis_page(analysis) for analysis in all_analyses()}


def analysis_page(analysis: Analysis) -> str:
    """What it answers, how it is asked, what comes back."""
    command = " ".join(["wayfare run DIR", analysis.name, *(_option(p) for p in analysis.parameters[:2])])
    parts = [
        f"# {analysis.name}",
        analysis.question,
        analysis.about,
        f"```\n{command}\n```",
        _parameters(analysis),
    ]
    for name, columns in analysis.returns.columns().items():
        rows = "\n".join(f"| `{column}` | {_cell(says)} |" for column, says in columns.items())
        parts.append(f"## Table `{name}`\n\n| column | what it says |\n|---|---|\n{rows}")
    if analysis.returns.observational:
        parts.append(f"Observational, not an experiment: {analysis.returns.observational}")
    return "\n\n".join(part for part in parts if part) + "\n"


def analysis_index() -> str:
    """All analyses by question, each with a link to its page."""
    lines = ["# Analyses"]
    group = ""
    for analysis in all_analyses():
        if analysis.group != group:
            group = analysis.group
            lines += ["", f"## {group.replace('_', ' ').capitalize()}", ""]
        lines.append(f"- [{analysis.name}]({analysis.name}.md): {analysis.question}")
    return "\n".join(lines) + "\n"


def _parameters(analysis: Analysis) -> str:
    if not analysis.parameters:
        return "It takes no parameters."
    rows = "\n".join(
        f"| `{p.name}` | {_allowed(p)} | {_default(p.default)} | {_cell(p.help)} |"
        for p in analysis.parameters
    )
    return f"## Parameters\n\n| name | takes | default | meaning |\n|---|---|---|---|\n{rows}"


def _allowed(parameter: Parameter) -> str:
    if parameter.choices:
        return ", ".join(f"`{choice}`" for choice in parameter.choices)
    return _KINDS[parameter.kind]


def _default(value: Any) -> str:
    return "–" if value is None or value == () else f"`{value}`"


def _option(parameter: Parameter) -> str:
    name = parameter.name.replace("_", "-")
    if parameter.kind == "flag":
        return f"[--{name}]"
    return f"[--{name} {parameter.choices[0] if parameter.choices else parameter.kind.removesuffix('s').upper()}]"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
