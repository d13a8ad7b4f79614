"""The simulated company's strategy documents: its journey map, its canvas and its value chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wayfare.domain.document import Document
from wayfare.workspace.document_text import from_yaml

FOLDER = Path(__file__).parent / "documents"
NAMES = ("journey", "canvas", "value-chain")


def documents() -> list[Document]:
    """The journey map, the canvas and the value chain, filled in."""
    return [_read(name) for name in NAMES]


def journey() -> dict[str, Any]:
    """The journey map as plain data: `JourneyMap(**journey())`."""
    return _read("journey").model_dump(mode="json", exclude_none=True)


def _read(name: str) -> Document:
    path = FOLDER / f"{name}.yaml"
    return from_yaml(path.read_text("utf-8"), path.name)
