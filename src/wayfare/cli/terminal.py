"""What a person sees beside the data: notes and progress, on stderr; stdout is for data alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WIDE = 1_000

Tell = Callable[[str, float], None]
"""Called with the phase that is under way and the share of it that is done."""


def clean(text: str) -> str:
    """`text` without what would steer the terminal: names in a log are written by strangers."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def paragraphs(text: str) -> str:
    """`text` with the lines of each paragraph joined, for whoever shows it to wrap; indented lines and lists stay."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(
        part if re.search(r"^( {2,}|[-*] )", part, re.MULTILINE) else " ".join(part.split()) for part in parts
    )


def note(text: str) -> None:
    """Says something that is not data."""
    print(clean(text), file=sys.stderr)


def console(file: TextIO | None = None) -> Console:
    """Where tables are drawn: as wide as the terminal, or as wide as they are where there is none."""
    from rich.console import Console

    class Data(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    file = file or sys.stdout
    return Data(file=file, width=None if file.isatty() else _WIDE, highlight=False, markup=False, emoji=False)


@contextmanager
def progress() -> Iterator[Tell]:
    """A bar for each phase while the work lasts; silent where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _phase, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(phase: str, share: float) -> None:
            for other, task in tasks.items():
                if other != phase:
                    bars.update(task, completed=1.0)
            if phase not in tasks:
                tasks[phase] = bars.add_task(clean(phase), total=1.0)
            bars.update(tasks[phase], completed=min(share, 1.0))

        yield tell


def of_rows(tell: Tell, phase: str) -> Callable[[int, int], None]:
    """The progress of a pass over the log (rows done, rows in all) as that of one phase."""
    return lambda done, total: tell(phase, done / total if total else 1.0)
