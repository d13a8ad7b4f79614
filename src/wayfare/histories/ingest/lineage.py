"""Where a log's rows came from, and whether a file was ingested before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from wayfare.errors import BadInput
from wayfare.histories.ingest.sources import Piece

_SPOTS = 16
_SPOT_BYTES = 1 << 16


def content_of(path: Path) -> str:
    """A file's size and a hash of its content: whole to 2 MB, beyond that of 1 MB in 16 spots, ends included."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= 2 * _SPOTS * _SPOT_BYTES:
            digest.update(file.read())
        else:
            for spot in range(_SPOTS):
                file.seek((size - _SPOT_BYTES) * spot // (_SPOTS - 1))
                digest.update(file.read(_SPOT_BYTES))
    return digest.hexdigest()[:32]


def contents(pieces: Iterable[Piece]) -> dict[str, str]:
    """The content of each file among the pieces, by its path as given."""
    return {str(path): content_of(path) for piece in pieces for path in piece.paths}


def refuse_repetition(lineage: Sequence[dict[str, Any]], found: dict[str, str]) -> None:
    """The error that a file was ingested before, where it was."""
    known = {content: entry for entry in lineage for content in entry.get("contents", ())}
    for path, content in found.items():
        if content in known:
            raise BadInput(
                f"This file was ingested on {known[content]['at'][:10]}; again it would count every row twice.",
                where=Path(path).name,
                hint="Nothing was changed. Use --again to add it all the same, or map event_id so that repeated rows are dropped.",
            )
