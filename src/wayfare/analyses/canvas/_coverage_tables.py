"""Where each touchpoint shows on the canvas, what each block has of them, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from wayfare.analyses.canvas._bindings import Broken, bindings_of
from wayfare.analyses.canvas._evidence_words import quoted
from wayfare.domain.canvas import BLOCKS, Bindings, Canvas, Item
from wayfare.domain.journey import STAGES
from wayfare.histories.occurrences import Held
from wayfare.result import Finding
from wayfare.study import Study

Row = dict[str, Any]

_NAMED = 3
TOUCHPOINTS = pa.schema(
    [*((name, pa.string()) for name in ("event", "stage", "blocks", "items")), ("customers", pa.int64()), ("note", pa.string())]
)  # fmt: skip
BLOCK_ROWS = pa.schema(
    [("block", pa.string()), *((name, pa.int64()) for name in ("items", "touchpoints", "with_evidence", "importance"))]
)  # fmt: skip
PLACES = pa.schema([("event", pa.string()), ("block", pa.string()), ("items", pa.int64())])
GAPS = pa.schema([(name, pa.string()) for name in ("kind", "where", "what")])


@dataclass(frozen=True, eq=False)
class Coverage:
    """The canvas beside the touchpoints of the journey and the log.

    Attributes:
        study: Whose.
        canvas: The canvas.
        met: How many customers of the log met each event.
    """

    study: Study
    canvas: Canvas
    met: Mapping[str, int]
    items: Sequence[tuple[str, Item]] = field(default=())

    @cached_property
    def shown(self) -> dict[str, list[tuple[str, Item]]]:
        """The items, with their block, in which each event shows."""
        found: dict[str, list[tuple[str, Item]]] = {}
        for block, item in self.items:
            for touched in item.bindings.touchpoints:
                found.setdefault(touched.event, []).append((block, item))
        return found

    @cached_property
    def broken(self) -> list[Broken]:
        """Bindings to events that the log does not have."""
        return [
            broken for broken in bindings_of(self.canvas, self.study.log).broken if broken.what == "event"
        ]

    @cached_property
    def touchpoints(self) -> list[Row]:
        """Every touchpoint of the journey and every event of the log, stage by stage, the most met first."""
        placed = {t.event: t for t in self.study.journey.touchpoints}
        stages = {
            event: str(placed[event].stage) if event in placed else "none" for event in (*placed, *self.met)
        }
        order: dict[str, int] = {str(stage): place for place, stage in enumerate(STAGES)}
        events = sorted(stages, key=lambda e: (order.get(stages[e], len(order)), -self.met.get(e, 0), e))
        return [self._touchpoint(event, stages[event], event in placed) for event in events]

    def _touchpoint(self, event: str, stage: str, placed: bool) -> Row:
        shown = self.shown.get(event, [])
        blocks = {block for block, _ in shown}
        notes = (
            ("on no block", not shown),
            ("not in the log", event not in self.met),
            ("not on the journey map", not placed),
        )
        return {
            "event": event,
            "stage": stage,
            "blocks": ", ".join(block for block in BLOCKS if block in blocks),
            "items": ", ".join(item.id for _, item in shown),
            "customers": self.met.get(event, 0),
            "note": "; ".join(note for note, holds in notes if holds),
        }

    @cached_property
    def places(self) -> list[Row]:
        """How many items of each block each event is bound to, events by name."""
        counts = Counter((event, block) for event, shown in self.shown.items() for block, _ in shown)
        order = sorted(counts, key=lambda place: (place[0], BLOCKS.index(place[1])))
        return [{"event": event, "block": block, "items": counts[event, block]} for event, block in order]

    @cached_property
    def blocks(self) -> list[Row]:
        """The nine blocks, in the order in which a canvas is filled."""
        return [self._block(block, [item for at, item in self.items if at == block]) for block in BLOCKS]

    def _block(self, block: str, items: Sequence[Item]) -> Row:
        return {
            "block": block,
            "items": len(items),
            "touchpoints": len({t.event for item in items for t in item.bindings.touchpoints}),
            "with_evidence": sum(_has_evidence(item) for item in items),
            "importance": max((item.importance for item in items if item.importance), default=None),
        }

    @cached_property
    def gaps(self) -> list[Row]:
        """What is missing: blocks, touchpoints by the customers who meet them, items by their importance, events."""
        bare = sorted(self.bare, key=lambda found: -(found[1].importance or 0))
        rows = [("block_without_touchpoints", block, self._empty(block)) for block in self.untouched]
        rows += [("touchpoint_on_no_block", row["event"], _met_by(row)) for row in self.unseen]
        rows += [
            ("item_without_evidence", item.id, f"{quoted(item.text)} in {said(block)}")
            for block, item in bare
        ]
        rows += [("unknown_event", broken.item, broken.said) for broken in self.broken]
        return [dict(zip(GAPS.names, row, strict=True)) for row in rows]

    def _empty(self, block: str) -> str:
        items = next(row["items"] for row in self.blocks if row["block"] == block)
        if not items:
            return f"{said(block)} has no items"
        return f"no touchpoint is bound to {'the one item' if items == 1 else f'any of the {items:,} items'} of {said(block)}"

    @cached_property
    def untouched(self) -> list[str]:
        """The blocks without touchpoints."""
        return [row["block"] for row in self.blocks if not row["touchpoints"]]

    @cached_property
    def unseen(self) -> list[Row]:
        """The touchpoints on no block, the most met first."""
        rows = [row for row in self.touchpoints if not row["items"]]
        return sorted(rows, key=lambda row: (-row["customers"], row["event"]))

    @cached_property
    def bare(self) -> list[tuple[str, Item]]:
        """The items to which nothing is bound, with their block."""
        return [(block, item) for block, item in self.items if not _has_evidence(item)]


def coverage_of(study: Study, canvas: Canvas, held: Held) -> Coverage:
    """The canvas beside what was met."""
    reach = zip(study.log.names("event").to_list(), held.reach.tolist(), strict=True)
    return Coverage(study, canvas, {event: count for event, count in reach if count}, tuple(canvas.items()))


def _has_evidence(item: Item) -> bool:
    return item.bindings != Bindings()


def _met_by(row: Row) -> str:
    return f"{_customers(row)} met it" if row["customers"] else "nobody in the log met it"


def _customers(row: Row) -> str:
    return "1 customer" if row["customers"] == 1 else f"{row['customers']:,} customers"


def said(block: str) -> str:
    """A block's name in running text."""
    return block.replace("_", " ")


def findings(coverage: Coverage) -> tuple[Finding, ...]:
    """What of the touchpoints, the blocks and the items is missing, the largest first."""
    if not coverage.items:
        return (
            Finding(f"The canvas {coverage.canvas.name!r} has no items yet, so no touchpoint shows in it."),
        )
    return (_of_touchpoints(coverage), *_of_blocks(coverage), *_of_items(coverage), *_of_events(coverage))


def _of_touchpoints(coverage: Coverage) -> Finding:
    total, unseen = len(coverage.touchpoints), coverage.unseen
    if not total:
        return Finding("Neither the journey map nor the log has a touchpoint yet.")
    if not unseen:
        return Finding(
            f"All {total:,} touchpoints show on the canvas."
            if total > 1
            else "The only touchpoint shows on the canvas."
        )
    met = [row for row in unseen if row["customers"]][:_NAMED]
    told = [f"{row['event']} ({_customers(row)})" for row in met]
    most = f"; the most met of them {'is' if len(met) == 1 else 'are'} {_list(told)}" if met else ""
    verb = "shows" if len(unseen) == 1 else "show"
    return Finding(
        f"{len(unseen):,} of {total:,} touchpoints {verb} in no block of the canvas{most}.",
        customers=float(met[0]["customers"]) if met else None,
    )


def _of_blocks(coverage: Coverage) -> list[Finding]:
    blocks = coverage.untouched
    if not blocks:
        return []
    count = "One block has" if len(blocks) == 1 else f"{len(blocks)} of 9 blocks have"
    return [Finding(f"{count} no touchpoint: {_list([said(block) for block in blocks])}.")]


def _of_items(coverage: Coverage) -> list[Finding]:
    bare, total = coverage.bare, len(coverage.items)
    if not bare:
        return []
    first = max(bare, key=lambda found: found[1].importance or 0)[1]
    verb = "has" if len(bare) == 1 else "have"
    most = (
        f", the most important of them {quoted(first.text, 60)}" if len(bare) > 1 and first.importance else ""
    )
    return [
        Finding(
            f"{len(bare):,} of {total:,} items {verb} nothing bound to {'it' if len(bare) == 1 else 'them'}{most}."
        )
    ]


def _of_events(coverage: Coverage) -> list[Finding]:
    if not coverage.broken:
        return []
    first, count = coverage.broken[0], len(coverage.broken)
    many = "One binding names an event" if count == 1 else f"{count:,} bindings name events"
    return [Finding(f"{many} that the log does not have: in {first.item!r}, {first.said}.")]


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
