"""Changes to one place of a document: small enough that two people's rarely meet, told with both versions when they do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from wayfare.domain.document import Document, Path
from wayfare.domain.journey import JourneyMap
from wayfare.errors import BadInput, Busy, UnknownName
from wayfare.workspace.changes_told import (
    STAGE,
    Clash,
    Conflict,
    Gone,
    Said,
    at,
    bare,
    conflict_of,
    first_difference,
    key_of,
    place_of,
    quoted,
    refused,
    words_of,
    written,
)
from wayfare.workspace.revisions import MAIN, Revision, Stale

if TYPE_CHECKING:
    from wayfare.workspace.documents import Documents

TRIES = 40
"""How often a change is brought into a newer revision before its writer is asked to try again."""
_FIXED = ("name", "document", "id")
_CLASSES = ("kind", "per")
"""Fields that only say which kind of a block's things an item is; they are left behind when it moves to another."""

T = TypeVar("T")


@dataclass(frozen=True)
class Add:
    """A new item in a list.

    Attributes:
        into: The list: `channels`, `primary.operations`; beneath an item, `parts` or `feedback`.
        item: Its fields; its id is made from its text.
        of: The item that the list belongs to; empty for the document's own lists.
        before: The item that it stands before; the end where there is none.
    """

    into: str
    item: Mapping[str, Any]
    of: str = ""
    before: str | None = None
    do: Literal["add"] = "add"


@dataclass(frozen=True)
class Remove:
    """An item taken out; `was` is what its writer saw of it, so that nobody's newer words go with it unseen."""

    id: str
    was: Mapping[str, Any] | None = None
    do: Literal["remove"] = "remove"


@dataclass(frozen=True)
class Move:
    """An item put into another list, or elsewhere in its own: before another item, or at the end."""

    id: str
    into: str
    of: str = ""
    before: str | None = None
    do: Literal["move"] = "move"


@dataclass(frozen=True)
class Set:
    """A field of an item (of the document, where `id` is empty) from what its writer saw to what it shall be."""

    id: str
    field: str
    was: Any
    to: Any
    do: Literal["set"] = "set"


Change = Add | Remove | Move | Set
_CHANGES: TypeAdapter[tuple[Change, ...]] = TypeAdapter(tuple[Change, ...])


@dataclass(frozen=True)
class Changed:
    """What became of changes: the revision they are in, and the ids of what they touched, in their order."""

    revision: Revision
    ids: tuple[str, ...]


def read_changes(said: Any) -> tuple[Change, ...]:
    """Changes as they come over the wire, a list of `{"do": "add" | "remove" | "move" | "set", …}`."""
    known = ("add", "remove", "move", "set")
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        raise BadInput("The changes are not a list.", where="changes", hint="Send a list of them.")
    for each in said:
        if each.get("do") not in known:
            raise UnknownName.among("change", str(each.get("do")), known, where="do")
    try:
        return _CHANGES.validate_python(said)
    except ValidationError as error:
        first = next(e for e in error.errors(include_url=False))
        field = ".".join(str(step) for step in first["loc"])
        raise BadInput(f"The change can't be read: {first['msg']}.", where=field) from None


def change(
    documents: Documents, name: str, changes: Sequence[Change], *, who: str, why: str = "", branch: str = MAIN,
    seen: int | None = None,
) -> Changed:  # fmt: skip
    """Brings changes into the newest revision of a branch, all of them or none; what others saved meanwhile stays.

    Args:
        documents: Those of the workspace.
        name: The document.
        changes: What to do, in this order.
        who, why: Whose change it is, and what for; said from the changes themselves where nothing is said.
        branch: Where it is saved.
        seen: The revision that its writer looked at: an item is not deleted over words that it did not have then.

    Raises:
        Conflict: A field is not as its writer saw it any more; both versions are shown.
        Gone: An item is not there any more.
    """
    if seen is not None and any(isinstance(each, Remove) for each in changes):
        changes = _with_seen(changes, documents.revision(name, seen).document)
    for _ in range(TRIES):
        head = documents.head(name, branch)
        after, ids = apply_all(head.document, changes)
        try:
            saved = documents.save(
                after,
                based_on=head.number,
                who=who,
                why=why or described(head.document, changes),
                branch=branch,
            )
        except Stale:
            continue  # somebody saved meanwhile: the change is made to what they saved
        return Changed(saved, ids)
    raise Busy("Others keep changing this document.", where=name, hint="Save again.")


def apply(document: Document, change: Change) -> Document:
    """The document after a change."""
    return apply_all(document, (change,))[0]


def apply_all(document: Document, changes: Sequence[Change]) -> tuple[Document, tuple[str, ...]]:
    """The document after all of the changes, and the ids of what they touched."""
    said: Said = document.model_dump(mode="json", by_alias=True)
    clashes: list[Clash] = []
    ids = []
    for each in changes:
        try:
            ids.append(_applied(type(document), said, each))
        except Conflict as conflict:
            clashes += conflict.clashes
    if clashes:
        raise conflict_of(clashes, {id: words for _, id, words in document.places()})
    try:
        return type(document).model_validate(said), tuple(ids)
    except ValidationError as error:
        raise refused(
            error, said, removing=any(isinstance(each, Remove | Move) for each in changes)
        ) from None


def ways(said: Said) -> dict[str, Path]:
    """Where everything that can be named stands: what has an id, a journey's touchpoints and its stages."""
    found: dict[str, Path] = {}
    if said.get("document") == JourneyMap.KIND:
        for name, field, before in (("touchpoints", "event", ""), ("stages", "stage", STAGE)):
            for index, each in enumerate(said[name]):
                found.setdefault(f"{before}{each[field]}", (name, index))
    for path, each in _parts(said, ()):
        if isinstance(each.get("id"), str):
            found.setdefault(each["id"], path)
    return found


def item_of(document: Document, id: str) -> Said | None:
    """All fields of an item as plain values; None where there is none of that id."""
    said: Said = document.model_dump(mode="json", by_alias=True)
    path = ways(said).get(id)
    return None if path is None else at(said, path)


def model_of(kind: type[Document], path: Path) -> type[BaseModel]:
    """The model of what stands at `path` in a document of that kind."""
    model: type[BaseModel] = kind
    for step in path:
        if isinstance(step, int):
            continue
        fields = model.model_fields.items()
        inner = next((field for name, field in fields if step in (name, field.alias)), None)
        found = next(_models(inner.annotation), None) if inner else None
        if found is None:
            raise UnknownName(f"There is no list {'.'.join(map(str, path))!r}.", where="into")
        model = found
    return model


def described(document: Document, changes: Sequence[Change]) -> str:
    """What changes do, for the list of revisions."""
    said: Said = document.model_dump(mode="json", by_alias=True)
    known = ways(said)
    lines: dict[str, None] = {}
    for each in changes:
        if isinstance(each, Add):
            lines[f"Added {quoted(words_of(each.item))} to {place_of(each.into)}"] = None
            continue
        item = at(said, known[each.id]) if each.id in known else said
        words = quoted(words_of(item)) if each.id else "the document"
        if isinstance(each, Remove):
            lines[f"Deleted {words}"] = None
        elif isinstance(each, Move):
            here = ".".join(step for step in known.get(each.id, ()) if isinstance(step, str))
            lines[f"Moved {words}{'' if here == each.into else f' to {place_of(each.into)}'}"] = None
        else:
            lines[f"Changed {place_of(each.field)} of {words}"] = None
    shown = list(lines)[:4]
    return "; ".join([*shown, *(["…"] if len(lines) > len(shown) else [])])


def _add(kind: type[Document], said: Said, change: Add) -> str:
    known = ways(said)
    path = _list_path(said, known, change.of, change.into, str(words_of(change.item)))
    item = dict(change.item)
    if "id" in model_of(kind, path).model_fields:
        item["id"] = _fresh(str(item.get("id") or words_of(item)), known)
    there = at(said, path)
    there.insert(_index(there, change.before), item)
    return key_of(item)


def _remove(said: Said, change: Remove) -> str:
    path = ways(said).get(change.id)
    if path is None:
        return change.id  # somebody else took it out: it is as it shall be
    *above, index = path
    there = at(said, tuple(above))
    if change.was is not None and bare(change.was) != bare(there[index]):
        clash = first_difference(change.id, dict(change.was), there[index])
        raise conflict_of([clash])
    del there[index]
    return change.id


def _move(kind: type[Document], said: Said, change: Move) -> str:
    known = ways(said)
    path = _found(known, change.id, "")
    target = _list_path(said, known, change.of, change.into, change.id)
    if target[: len(path)] == path:
        raise BadInput("An item can't be a part of itself.", where=change.id)
    there = at(said, target)
    *above, index = path
    old = at(said, tuple(above))
    item = old.pop(index)
    if old is not there:
        item = _fitting(item, model_of(kind, (*target, 0)), change.into)
    there.insert(_index(there, change.before), item)
    return change.id


def _set(kind: type[Document], said: Said, change: Set) -> str:
    steps = change.field.split(".")
    if steps[-1] in _FIXED:
        raise BadInput(f"{steps[-1]!r} can't be changed here.", where=change.field)
    path = _found(ways(said), change.id, written(change.to)) if change.id else ()
    node = at(said, path)
    for step in steps[:-1]:
        node = node.get(step) if isinstance(node, dict) else None
    if not isinstance(node, dict) or steps[-1] not in node:
        allowed = model_of(kind, path).model_fields
        raise UnknownName(f"There is no field {change.field!r}.", where=change.id, allowed=allowed)
    now = node[steps[-1]]
    if bare(now) != bare(change.was) and bare(now) != bare(change.to):
        raise conflict_of([Clash(change.id, change.field, change.was, now, change.to)])
    node[steps[-1]] = change.to
    return change.id


def _applied(kind: type[Document], said: Said, change: Change) -> str:
    """Makes the change in `said`; the id of what it touched."""
    match change:
        case Add():
            return _add(kind, said, change)
        case Remove():
            return _remove(said, change)
        case Move():
            return _move(kind, said, change)
        case Set():
            return _set(kind, said, change)


def _with_seen(changes: Iterable[Change], document: Document) -> list[Change]:
    return [
        replace(each, was=item_of(document, each.id))
        if isinstance(each, Remove) and each.was is None
        else each
        for each in changes
    ]


def _parts(node: Any, path: Path) -> Iterator[tuple[Path, Said]]:
    """Every mapping inside, with where it stands."""
    if isinstance(node, dict):
        if path:
            yield path, node
        for key, inner in node.items():
            yield from _parts(inner, (*path, key))
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _parts(inner, (*path, index))


def _found(known: Mapping[str, Path], id: str, words: str) -> Path:
    if id in known:
        return known[id]
    kept = f" What you wrote: {words}" if words else ""
    raise Gone(f"Somebody deleted {id!r} meanwhile.{kept}", where=id, hint="Add it again to keep it.")


def _list_path(said: Said, known: Mapping[str, Path], of: str, into: str, words: str) -> Path:
    path = (*(_found(known, of, words) if of else ()), *into.split("."))
    node: Any = said
    for step in path:
        inside = isinstance(node, list) if isinstance(step, int) else isinstance(node, dict) and step in node
        node = node[step] if inside else None
    if not isinstance(node, list):
        raise UnknownName(f"There is no list {into!r}.", where="into")
    return path


def _index(there: list[Any], before: str | None) -> int:
    """Where to put something: before the item, or at the end where that is not there any more."""
    return next(
        (n for n, each in enumerate(there) if isinstance(each, dict) and key_of(each) == before), len(there)
    )


def _fresh(words: str, known: Iterable[str]) -> str:
    """An id that says what it stands for and stands for nothing else."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:48].strip("-_") or "item"
    known = set(known)
    numbered = (f"{slug}-{number}" for number in range(2, len(known) + 3))
    return slug if slug not in known else next(id for id in numbered if id not in known)


def _fitting(item: Said, model: type[BaseModel], into: str) -> Said:
    """The item as its new list has it: what only its old list knew is left, and a kind is taken where one is needed."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    extra = [key for key in item if key not in fields]
    kept = [key for key in extra if key not in _CLASSES and bare(item[key]) is not None]
    if kept:
        said = " and ".join(f"the {place_of(key)} {written(item[key])}" for key in kept)
        raise BadInput(
            f"There is no place for {said} of {quoted(words_of(item))} in {place_of(into)}.",
            where=kept[0],
            hint="Clear it first, or leave the item where it is.",
        )
    moved = {key: value for key, value in item.items() if key in fields}
    for key in _CLASSES:
        allowed = list(_literals(fields[key].annotation)) if key in fields else []
        if allowed and moved.get(key) not in allowed:
            moved.pop(key, None)
            if fields[key].is_required():
                moved[key] = allowed[0]
    return moved


def _literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for inner in get_args(annotation):
            yield from _literals(inner)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
