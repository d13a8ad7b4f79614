"""An analysis's parameters as options of the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wayfare.cli.terminal import paragraphs
from wayfare.errors import WayfareError

if TYPE_CHECKING:
    from wayfare.analysis import Analysis, Parameter

_METAVARS = {
    "event": "EVENT",
    "events": "EVENT",
    "property": "COLUMN",
    "properties": "COLUMN",
    "canvas": "NAME",
    "value_chain": "NAME",
    "journey_map": "NAME",
    "share": "0..1",
    "day": "YYYY-MM-DD",
    "duration": "DURATION",
    "whole": "NUMBER",
    "number": "NUMBER",
    "numbers": "NUMBER",
    "text": "TEXT",
    "texts": "TEXT",
}
_SAMPLES = {"event": "purchase", "events": "purchase", "property": "channel", "properties": "channel",
            "canvas": "canvas", "value_chain": "value-chain", "journey_map": "journey", "share": "0.5", "day": "2024-05-31", "duration": "7d",
            "whole": "10", "number": "1.5", "numbers": "1.5", "flag": "", "text": "TEXT", "texts": "TEXT"}  # fmt: skip


def option_name(parameter: Parameter) -> str:
    """The parameter as an option: `start_at` → `--start-at`."""
    return f"--{parameter.name.replace('_', '-')}"


def default_text(parameter: Parameter) -> str | None:
    """What holds when nothing is said, in words; None where something must be said."""
    default = parameter.default
    if default is inspect.Parameter.empty:
        return None
    if default is None or default == ():
        return "none"
    if isinstance(default, bool):
        return "yes" if default else "no"
    return ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)


def example(analysis: Analysis) -> str:
    """A command that runs the analysis with what it can't do without, or with its first parameter."""
    needed = [p for p in analysis.parameters if default_text(p) is None]
    words = [word for p in needed or analysis.parameters[:1] for word in _sample(p)]
    return " ".join(["wayfare run DIR", analysis.name, *words])


def help_of(analysis: Analysis) -> str:
    """The analysis's question and how it is computed, for its help."""
    return f"{analysis.question}\n\n{paragraphs(analysis.about)}\n\nExample: {example(analysis)}"


def _sample(parameter: Parameter) -> Sequence[str]:
    name = option_name(parameter)
    if parameter.kind == "flag":
        return (name,)
    default = parameter.default
    if default is not inspect.Parameter.empty and default is not None and default != ():
        values = [str(value) for value in (default if isinstance(default, tuple) else (default,))]
    else:
        values = [str(parameter.choices[0]) if parameter.choices else _SAMPLES[parameter.kind]]
    if parameter.kind == "events" and len(values) == 1:
        values = ["cart", *values]
    return [word for value in values for word in (name, value)]


def command_of(
    analysis: Analysis, shared: Mapping[str, inspect.Parameter], asked: dict[str, Any]
) -> Callable[..., None]:
    """A function that Typer makes the analysis's command of: called, it puts what was said into `asked`.

    Args:
        analysis: Whose parameters become options.
        shared: Options of every analysis, shown in the same help; what they are given is not looked at here.
        asked: Filled with the parameters that were said, as text.
    """
    own = {f"own_{p.name}": p for p in analysis.parameters}

    def command(**values: Any) -> None:
        for key, parameter in own.items():
            if values[key] not in (None, [], ()):
                asked[parameter.name] = _value(values[key])

    parameters = [*(_option(key, p) for key, p in own.items()), *shared.values()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def as_options(error: WayfareError, analysis: Analysis) -> WayfareError:
    """The error with its parameter named as the option it is on the command line."""
    names = {p.name: option_name(p) for p in analysis.parameters}
    if error.where in names:
        return type(error)(error.problem, where=names[error.where], allowed=error.allowed, hint=error.hint)
    return error


def _value(value: Any) -> Any:
    """One value of many may hold several, with commas between them."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _option(key: str, parameter: Parameter) -> inspect.Parameter:
    name, default = option_name(parameter), default_text(parameter)
    metavar = "|".join(map(str, parameter.choices)) or _METAVARS.get(parameter.kind)
    said = (
        parameter.help
        + (" Repeat it for more." if parameter.many else "")
        + (" Needed." if default is None else "")
    )
    said += f" [default: {default}]" if default not in (None, "none") else ""
    kind: Any = bool if parameter.kind == "flag" else list[str] if parameter.many else str
    option = typer.Option(
        f"{name}/--no-{name[2:]}" if parameter.kind == "flag" else name,
        help=said,
        metavar=None if parameter.kind == "flag" else metavar,
        show_default=False,
    )
    return inspect.Parameter(
        key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )
