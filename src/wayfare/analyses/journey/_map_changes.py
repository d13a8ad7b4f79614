"""What a to-be journey map changes in the as-is: touchpoints added, removed and moved, and texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wayfare.domain.document import Part
from wayfare.domain.journey import STAGES, JourneyMap, Persona, StageNotes, Touchpoint

ADDED, REMOVED, MOVED = "added", "removed", "moved"
_LABELS = {stage.value: stage.label for stage in STAGES} | {"none": "no stage"}
_PLACES = ("stage", "after_purchase")
Row = dict[str, Any]


def changes(as_is: JourneyMap, to_be: JourneyMap) -> list[Row]:
    """A row for each difference: of the map, then its stages, touchpoints and personas in their order."""
    return [
        *_texts("map", "", "", as_is, to_be, ("about", "orders", "main_route")),
        *_parts("stage", {s.stage.value: s for s in as_is.stages}, {s.stage.value: s for s in to_be.stages}),
        *_parts(
            "touchpoint", {t.event: t for t in as_is.touchpoints}, {t.event: t for t in to_be.touchpoints}
        ),
        *_parts("persona", {p.id: p for p in as_is.personas}, {p.id: p for p in to_be.personas}),
    ]


def _parts(kind: str, before: Mapping[str, Part], after: Mapping[str, Part]) -> Iterator[Row]:
    for name in (*before, *(name for name in after if name not in before)):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            what = REMOVED if new is None else ADDED
            yield _row(kind, name, _stage_of(old or new), what, _summary(old), _summary(new))
            continue
        if isinstance(old, Touchpoint) and isinstance(new, Touchpoint) and _places(old) != _places(new):
            yield _row(kind, name, _stage_of(old), MOVED, _places(old), _places(new)) | {
                "target": _stage_of(new)
            }
        fields = [field for field in type(old).model_fields if field not in ("id", "event", *_PLACES)]
        yield from _texts(kind, name, _stage_of(old), old, new, fields)


def _texts(kind: str, name: str, stage: str, old: Part, new: Part, fields: Sequence[str]) -> Iterator[Row]:
    for field in fields:
        before, after = _said(getattr(old, field)), _said(getattr(new, field))
        if before != after:
            yield _row(kind, name, stage, field.replace("_", " "), before, after)


def _row(kind: str, name: str, stage: str, what: str, before: str, after: str) -> Row:
    return {"where": f"{kind} {name}".strip(), "what": what, "as_is": before, "to_be": after,
            "kind": kind, "name": name, "stage": stage, "target": stage}  # fmt: skip


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return "; ".join(str(each) for each in value)
    return "" if value is None else str(value)


def _stage_of(part: Part | None) -> str:
    return str(part.stage) if isinstance(part, (Touchpoint, StageNotes)) else ""


def _summary(part: Part | None) -> str:
    if isinstance(part, Touchpoint):
        return ", ".join(text for text in (_places(part), part.channel) if text)
    if isinstance(part, Persona):
        return part.text
    return part.goal if isinstance(part, StageNotes) else ""


def _places(touchpoint: Touchpoint) -> str:
    first, after = str(touchpoint.stage), touchpoint.after_purchase
    if after is None or after == first:
        return _LABELS[first]
    return f"{_LABELS[first]}, after an order {_LABELS[str(after)]}"
