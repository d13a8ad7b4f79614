"""Coverage: which touchpoints show on the canvas, and what of it rests on nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa

from wayfare.analyses.canvas._coverage_tables import (
    BLOCK_ROWS,
    GAPS,
    PLACES,
    TOUCHPOINTS,
    coverage_of,
    findings,
)
from wayfare.analyses.canvas._evidence_words import NO_CANVAS
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.canvas import Canvas
from wayfare.domain.parameters import CanvasName
from wayfare.histories.occurrences import Occurrences
from wayfare.result import Columns, Finding, Result
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class CanvasCoverageResult(Result):
    """Every touchpoint on its blocks, and what is missing."""

    touchpoints: Annotated[
        pa.Table,
        Columns(
            event="the event; those of the journey map and all of the log, by stage",
            stage="the stage on the way to a first order, `none` where it has none",
            blocks="the blocks in which it shows, with commas",
            items="the ids of the items that it is bound to, with commas",
            customers="customers of the log who met it",
            note="`on no block`, `not in the log`, `not on the journey map`",
        ),
    ]
    blocks: Annotated[
        pa.Table,
        Columns(
            block="one of the nine",
            items="items in it",
            touchpoints="events bound to them, each counted once",
            with_evidence="items with any binding",
            importance="the highest importance of its items; null where none says",
        ),
    ]
    gaps: Annotated[
        pa.Table,
        Columns(
            kind="`block_without_touchpoints`, `touchpoint_on_no_block`, `item_without_evidence` (nothing is bound to it) or `unknown_event`",
            where="the block, the event or the item",
            what="what is missing, in words",
        ),
    ]
    places: Annotated[
        pa.Table,
        Columns(
            event="a touchpoint, known to the log or not",
            block="a block that it shows in",
            items="items of the block that it is bound to",
        ),
    ]

    def draw(self) -> Picture | None:
        """The touchpoints down, the blocks across."""
        from wayfare.analyses.canvas._coverage_picture import drawn

        return drawn(self)


@analysis
def canvas_coverage(study: Study, *, canvas: CanvasName | None = None) -> CanvasCoverageResult:
    """Does every touchpoint show on the canvas, does every block meet customers, and what rests on nothing?

    A touchpoint is an event of the journey map or of the log; it shows in a block where an item of the block is bound
    to it. An item has evidence where anything is bound to it: touchpoints, a segment, a metric, a revenue stream or a
    cost line. Blocks without touchpoints are not wrong as such (costs and partners may stay behind the scenes), but
    nothing in the log speaks of them.

    Args:
        canvas: The canvas; the only one, or the one called `canvas`, unless given.
    """
    document = study.document(Canvas, canvas)
    if document is None:
        none = {"touchpoints": TOUCHPOINTS, "blocks": BLOCK_ROWS, "gaps": GAPS, "places": PLACES}
        empty = {name: schema.empty_table() for name, schema in none.items()}
        return CanvasCoverageResult(**empty, findings=(Finding(NO_CANVAS),))
    held = study.fold(Occurrences(len(study.log.names("event"))))
    coverage = coverage_of(study, document, held)
    return CanvasCoverageResult(
        touchpoints=pa.Table.from_pylist(coverage.touchpoints, TOUCHPOINTS),
        blocks=pa.Table.from_pylist(coverage.blocks, BLOCK_ROWS),
        gaps=pa.Table.from_pylist(coverage.gaps, GAPS),
        places=pa.Table.from_pylist(coverage.places, PLACES),
        findings=findings(coverage),
    )
