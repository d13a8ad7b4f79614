"""`wayfare init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wayfare.cli.terminal import note


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or an empty folder.")],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What the company is called; without it the folder's name."),
    ] = None,
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="The currency of all money, in three letters (ISO 4217).")
    ] = "EUR",
    timezone: Annotated[
        str,
        typer.Option(metavar="ZONE", help="The zone of days, weeks and months, such as Europe/Amsterdam."),
    ] = "UTC",
) -> None:
    """Make a workspace: a folder with its settings, wayfare.yaml, which you can edit."""
    from wayfare.workspace.folder import init as make

    workspace = make(folder, name, currency, timezone)
    config = workspace.config
    note(f"Made {workspace.config_path}: {config.name}, {config.currency}, {config.timezone}.")
    note(f"Next: wayfare ingest {folder} FILE")
