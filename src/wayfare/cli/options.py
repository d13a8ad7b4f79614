"""Arguments and options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How data are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The workspace's folder.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How the data are printed.")]
SegmentsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--segment",
        metavar="CONDITION",
        help="Only customers for whom this holds, such as first:channel=web, value>=100, did:refund, never:refund; "
        "repeat it for more, all of which must hold.",
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="DATE", help="Only events from this day or moment on (2024-05-31)."),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="DATE", help="Only events before this day or moment.")
]
