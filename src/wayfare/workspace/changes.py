"""Changes to one place of a document: small enough that two people's rarely meet, told with both versions when they do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from wayfare.domain.document import REFERENCE, Document, Path
from wayfare.domain.journey import JourneyMap
from wayfare.errors import BadInput, Busy, UnknownName, WayfareError
from wayfare.workspace.revisions import MAIN, Revision, Stale

if TYPE_CHECKING:
    from wayfare.workspace.documents import Documents

TRIES = 40
"""How often a change is brought into a newer revision before its writer is asked to try again."""
STAGE = "stage:"
"""Before a stage's name: the place of what a journey map notes of that stage."""
_FIXED = ("name", "document", "id")
_CLASSES = ("kind", "per")
"""Fields that only say which kind of a block's things an item is; they are left behind when it moves to another."""

Said = dict[str, Any]
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
        raise _conflict(document, clashes)
    try:
        return type(document).model_validate(said), tuple(ids)
    except ValidationError as error:
        raise _explained(error, said, changes) from None


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
    return None if path is None else _at(said, path)


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
            lines[f"Added {_quoted(_words(each.item))} to {_place(each.into)}"] = None
            continue
        item = _at(said, known[each.id]) if each.id in known else said
        words = _quoted(_words(item)) if each.id else "the document"
        if isinstance(each, Remove):
            lines[f"Deleted {words}"] = None
        elif isinstance(each, Move):
            here = ".".join(step for step in known.get(each.id, ()) if isinstance(step, str))
            lines[f"Moved {words}{'' if here == each.into else f' to {_place(each.into)}'}"] = None
        else:
            lines[f"Changed {_place(each.field)} of {words}"] = None
    shown = list(lines)[:4]
    return "; ".join([*shown, *(["…"] if len(lines) > len(shown) else [])])


def _add(kind: type[Document], said: Said, change: Add) -> str:
    known = ways(said)
    path = _list_path(said, known, change.of, change.into, str(_words(change.item)))
    item = dict(change.item)
    if "id" in model_of(kind, path).model_fields:
        item["id"] = _fresh(str(item.get("id") or _words(item)), known)
    there = _at(said, path)
    there.insert(_index(there, change.before), item)
    return _key(item)


def _remove(said: Said, change: Remove) -> str:
    path = ways(said).get(change.id)
    if path is None:
        return change.id  # somebody else took it out: it is as it shall be
    *above, index = path
    there = _at(said, tuple(above))
    if change.was is not None and _bare(change.was) != _bare(there[index]):
        clash = _first_difference(change.id, dict(change.was), there[index])
        raise _conflict(None, [clash])
    del there[index]
    return change.id


def _move(kind: type[Document], said: Said, change: Move) -> str:
    known = ways(said)
    path = _found(known, change.id, "")
    target = _list_path(said, known, change.of, change.into, change.id)
    if target[: len(path)] == path:
        raise BadInput("An item can't be a part of itself.", where=change.id)
    there = _at(said, target)
    *above, index = path
    old = _at(said, tuple(above))
    item = old.pop(index)
    if old is not there:
        item = _fitting(item, model_of(kind, (*target, 0)), change.into)
    there.insert(_index(there, change.before), item)
    return change.id


def _set(kind: type[Document], said: Said, change: Set) -> str:
    steps = change.field.split(".")
    if steps[-1] in _FIXED:
        raise BadInput(f"{steps[-1]!r} can't be changed here.", where=change.field)
    path = _found(ways(said), change.id, _written(change.to)) if change.id else ()
    node = _at(said, path)
    for step in steps[:-1]:
        node = node.get(step) if isinstance(node, dict) else None
    if not isinstance(node, dict) or steps[-1] not in node:
        allowed = model_of(kind, path).model_fields
        raise UnknownName(f"There is no field {change.field!r}.", where=change.id, allowed=allowed)
    now = node[steps[-1]]
    if _bare(now) != _bare(change.was) and _bare(now) != _bare(change.to):
        raise _conflict(None, [Clash(change.id, change.field, change.was, now, change.to)])
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


def _at(said: Any, path: Path) -> Any:
    for step in path:
        said = said[step]
    return said


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
        (n for n, each in enumerate(there) if isinstance(each, dict) and _key(each) == before), len(there)
    )


def _key(item: Mapping[str, Any]) -> str:
    """What names an item: its id; of a journey's touchpoint the event, of a stage's notes the stage."""
    stage = f"{STAGE}{item['stage']}" if "stage" in item and "event" not in item else ""
    return str(item.get("id") or item.get("event") or stage)


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
    kept = [key for key in extra if key not in _CLASSES and _bare(item[key]) is not None]
    if kept:
        said = " and ".join(f"the {_place(key)} {_written(item[key])}" for key in kept)
        raise BadInput(
            f"There is no place for {said} of {_quoted(_words(item))} in {_place(into)}.",
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


def _bare(value: Any) -> Any:
    """A value without what is empty in it, so that what was left out equals what says nothing."""
    if isinstance(value, Mapping):
        found = {key: bare for key, inner in value.items() if (bare := _bare(inner)) is not None}
        return found or None
    if isinstance(value, list | tuple):
        return [_bare(inner) for inner in value] or None
    return None if value == "" else value


def _first_difference(id: str, was: Said, now: Said) -> Clash:
    key = next(key for key in [*was, *now] if _bare(was.get(key)) != _bare(now.get(key)))
    return Clash(id, key, was.get(key), now.get(key), None)


def _conflict(document: Document | None, clashes: Sequence[Clash]) -> Conflict:
    lines = []
    for clash in clashes:
        item = item_of(document, clash.id) if document and clash.id else None
        of = f" of {_quoted(_words(item))}" if item else ""
        yours = "you would delete it" if clash.yours is None else f"yours is {_written(clash.yours)}"
        lines.append(f"Somebody changed {_place(clash.field)}{of} meanwhile: now it is {_written(clash.theirs)}; {yours}.")  # fmt: skip
    error = Conflict(
        "\n".join(lines), where=clashes[0].field, hint="Take one, or bring both together, and save again."
    )
    error.clashes = tuple(clashes)
    return error


def _explained(error: ValidationError, said: Said, changes: Sequence[Change]) -> BadInput:
    """What the document refuses: the first thing, and where."""
    first = error.errors(include_url=False)[0]
    path: Path = tuple(first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == REFERENCE:
        path, message = first["ctx"]["problems"][0]
    removed = any(isinstance(each, Remove | Move) for each in changes)
    deep = next((n for n in range(len(path), 0, -1) if _is_item(said, path[:n])), 0)
    field = ".".join(str(step) for step in path[deep:]) or "document"
    hint = ""
    if first["type"] == REFERENCE and removed and deep:
        hint = f"{_quoted(_words(_at(said, path[:deep])))} refers to it. Change that first."
    return BadInput(f"{message[:1].upper()}{message[1:].rstrip('.?')}.", where=field, hint=hint)


def _is_item(said: Said, path: Path) -> bool:
    try:
        node = _at(said, path)
    except (KeyError, IndexError, TypeError):
        return False
    return isinstance(node, dict) and bool(_key(node))


def _words(item: Mapping[str, Any]) -> str:
    return str(item.get("text") or item.get("event") or item.get("stage") or item.get("name") or "")


def _quoted(words: str) -> str:
    short = " ".join(words.split())
    return f"“{short if len(short) <= 60 else f'{short[:59]}…'}”"


def _place(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ")


def _written(value: Any) -> str:
    if value in (None, "", [], {}):
        return "empty"
    if isinstance(value, Mapping):
        return ", ".join(
            f"{_place(key)} {_written(inner)}" for key, inner in value.items() if _bare(inner) is not None
        )
    if isinstance(value, list | tuple):
        return "; ".join(_written(inner) for inner in value)
    return (
        f"“{value}”" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    )
