"""What is said of changes to a document: where two people meet, what is gone, and what the document refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from wayfare.domain.document import REFERENCE, Path
from wayfare.errors import BadInput, WayfareError

STAGE = "stage:"
"""Before a stage's name: the place of what a journey map notes of that stage."""

Said = dict[str, Any]
"""A document, or a part of one, as plain values."""


@dataclass(frozen=True)
class Clash:
    """A field that two people changed: what it was, what it is now, and what the second one wrote."""

    id: str
    field: str
    was: Any
    theirs: Any
    yours: Any


class Conflict(WayfareError):
    """Somebody changed the same place since; `clashes` has both versions."""

    code = "conflict"
    status = 409
    clashes: tuple[Clash, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The error as every JSON surface shows it, with both versions of each field."""
        said = super().to_dict()
        said["error"]["conflicts"] = [vars(clash) for clash in self.clashes]
        return said


class Gone(WayfareError):
    """The item that a change is about is not there any more; the words that were written are in the problem."""

    code = "gone"
    status = 409


def first_difference(id: str, was: Said, now: Said) -> Clash:
    """The first field in which an item is not as it was seen."""
    key = next(key for key in [*was, *now] if bare(was.get(key)) != bare(now.get(key)))
    return Clash(id, key, was.get(key), now.get(key), None)


def conflict_of(clashes: Sequence[Clash], names: Mapping[str, str] | None = None) -> Conflict:
    """The error that shows both versions of each field; `names` are the words of the items."""
    lines = []
    for clash in clashes:
        name = (names or {}).get(clash.id)
        of = f" of {quoted(name)}" if name else ""
        yours = "you would delete it" if clash.yours is None else f"yours is {written(clash.yours)}"
        lines.append(f"Somebody changed {place_of(clash.field)}{of} meanwhile: now it is {written(clash.theirs)}; {yours}.")  # fmt: skip
    error = Conflict(
        "\n".join(lines), where=clashes[0].field, hint="Take one, or bring both together, and save again."
    )
    error.clashes = tuple(clashes)
    return error


def refused(error: ValidationError, said: Said, *, removing: bool) -> BadInput:
    """What the document refuses: the first thing, and where; and what still refers to an item that is taken out."""
    first = error.errors(include_url=False)[0]
    path: Path = tuple(first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == REFERENCE:
        path, message = first["ctx"]["problems"][0]
    deep = next((n for n in range(len(path), 0, -1) if _is_item(said, path[:n])), 0)
    field = ".".join(str(step) for step in path[deep:]) or "document"
    hint = ""
    if first["type"] == REFERENCE and removing and deep:
        hint = f"{quoted(words_of(at(said, path[:deep])))} refers to it. Change that first."
    return BadInput(f"{message[:1].upper()}{message[1:].rstrip('.?')}.", where=field, hint=hint)


def _is_item(said: Said, path: Path) -> bool:
    try:
        node = at(said, path)
    except (KeyError, IndexError, TypeError):
        return False
    return isinstance(node, dict) and bool(key_of(node))


def at(said: Any, path: Path) -> Any:
    """What stands at `path`."""
    for step in path:
        said = said[step]
    return said


def key_of(item: Mapping[str, Any]) -> str:
    """What names an item: its id; of a journey's touchpoint the event, of a stage's notes the stage."""
    stage = f"{STAGE}{item['stage']}" if "stage" in item and "event" not in item else ""
    return str(item.get("id") or item.get("event") or stage)


def bare(value: Any) -> Any:
    """A value without what is empty in it, so that what was left out equals what says nothing."""
    if isinstance(value, Mapping):
        found = {key: said for key, inner in value.items() if (said := bare(inner)) is not None}
        return found or None
    if isinstance(value, list | tuple):
        return [bare(inner) for inner in value] or None
    return None if value == "" else value


def words_of(item: Mapping[str, Any]) -> str:
    """What an item says."""
    return str(item.get("text") or item.get("event") or item.get("stage") or item.get("name") or "")


def quoted(words: str) -> str:
    """Words in quotation marks, as many as fit into a line."""
    short = " ".join(words.split())
    return f"“{short if len(short) <= 60 else f'{short[:59]}…'}”"


def place_of(name: str) -> str:
    """A field or a list for people."""
    return name.rpartition(".")[2].replace("_", " ")


def written(value: Any) -> str:
    """A value for people."""
    if value in (None, "", [], {}):
        return "empty"
    if isinstance(value, Mapping):
        return ", ".join(
            f"{place_of(key)} {written(inner)}" for key, inner in value.items() if bare(inner) is not None
        )
    if isinstance(value, list | tuple):
        return "; ".join(written(inner) for inner in value)
    return (
        f"“{value}”" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    )
