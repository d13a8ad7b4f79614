"""Answers to what addresses ask: computed in the background, once for everybody who asks the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wayfare.errors import Busy, WayfareError
from wayfare.histories.fold import Progress
from wayfare.study import Study
from wayfare.web.asked import Asked
from wayfare.web.jobs import Job, Jobs
from wayfare.web.studies import Studies

if TYPE_CHECKING:
    from wayfare.charts.picture import Picture
    from wayfare.result import Result

T = TypeVar("T")
_SIZE = re.compile(r"<svg[^>]*?\bviewBox=\"0 0 ([\d.]+) ([\d.]+)\"")


@dataclass(frozen=True)
class Drawing:
    """A picture with its SVG drawn and measured, so that a page can keep its place free; `narrow` is for phones."""

    picture: Picture
    svg: str
    width: int
    height: int
    narrow: Drawing | None = None

    @property
    def adapts(self) -> bool:
        """Whether it has its own colours for the dark; charts stand on white."""
        return "prefers-color-scheme" in self.svg


@dataclass(frozen=True)
class Answer:
    """A result and its drawing, None where there is too little to draw."""

    result: Result
    drawing: Drawing | None


class Answers:
    """The workspace's studies and the jobs on them."""

    def __init__(self, folder: str | Path) -> None:
        self.studies = Studies(folder)
        self.jobs = Jobs()
        self.counts = Jobs(workers=1)
        """Quick counts, which wait for no analysis."""

    def find(self, id: str) -> Job[Any] | None:
        """The job called `id`, of either kind."""
        return self.jobs.find(id) or self.counts.find(id)

    def read(self, stamp: str, compute: Callable[[], T]) -> T:
        """What `compute` reads from the log that was there at `stamp`; a log that was replaced meanwhile is told."""
        try:
            return compute()
        except OSError:
            if self.studies.stamp() == stamp:
                raise
            raise Busy("The log was replaced while this was computed.", hint="Load the page again.") from None

    def close(self) -> None:
        """Stops what is running."""
        self.jobs.close()
        self.counts.close()
        self.studies.close()

    def ask(self, asked: Asked) -> Job[Answer]:
        """The job that answers; a parameter that can't be used is told at once."""
        stamp, study = self.studies.stamp(), self.studies.open(asked.view)
        settled = asked.analysis.settle(asked.said, study)
        key = (stamp, asked.view, asked.analysis.name, sorted(settled.items()))
        return self.jobs.start(key, lambda progress: self._answer(stamp, study, asked, progress))

    def _answer(self, stamp: str, study: Study, asked: Asked, progress: Progress) -> Answer:
        result = self.read(stamp, lambda: study.results([(asked.analysis, asked.said)], progress)[0])
        if isinstance(result, WayfareError):
            raise result
        return Answer(result, drawn(result.chart()))


def drawn(picture: Picture | None) -> Drawing | None:
    """The picture with its SVG and size."""
    if picture is None:
        return None
    narrow = getattr(picture, "narrow", None)
    return _measured(picture, picture.svg(), _measured(picture, narrow()) if narrow else None)


def _measured(picture: Picture, svg: str, narrow: Drawing | None = None) -> Drawing:
    size = _SIZE.search(svg)
    width, height = (round(float(size[1])), round(float(size[2]))) if size else (720, 400)
    return Drawing(picture, svg, width, height, narrow)
