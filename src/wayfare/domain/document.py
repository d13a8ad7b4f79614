"""What every strategy document is made of: strict parts, plain text, dated notes, and references that are checked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from wayfare.domain.duration import Duration
from wayfare.domain.segment import Segment
from wayfare.errors import UnknownName, WayfareError

Path = tuple[int | str, ...]
"""Where something stands in a document: the keys and positions that lead to it."""

REFERENCE = "reference"
"""The type of the error that references have; its context lists every problem with its path."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME = re.compile(r"[^\W_][\w .-]{0,79}")
_LONGEST_TEXT = 10_000
_MOST_HINTS = 20


def _plain(value: Any) -> Any:
    """Text without what no file or database keeps as it is: control characters and foreign line ends."""
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n")
    for sign in value:
        if (
            unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") and sign not in "\n\t"
        ) or sign == "\ufeff":
            raise ValueError(f"the character U+{ord(sign):04X} can't be kept in a document")
    return value


def _named(value: Any) -> Any:
    if isinstance(value, str) and (not _NAME.fullmatch(value) or value.endswith((".", " "))):
        raise ValueError(f"{value!r} is no name for a document; use letters, digits, blanks, `-` and `_`")
    return value


def _day(value: Any) -> Any:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError(f"{value!r} is not a day; write it as 2026-01-31")
    return value


def _condition(value: Any) -> Any:
    return _parsed(Segment.parse, value)


def _duration(value: Any) -> Any:
    return _parsed(Duration.parse, value)


def _parsed(parse: Any, value: Any) -> Any:
    """`value` as it was written, if `parse` understands it."""
    if isinstance(value, str):
        try:
            parse(value)
        except WayfareError as error:
            raise ValueError(str(error).rstrip(".")) from None
    return value


Text = Annotated[str, Field(max_length=_LONGEST_TEXT), BeforeValidator(_plain)]
Words = Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT, pattern=r"\S"), BeforeValidator(_plain)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Name = Annotated[str, BeforeValidator(_named)]
Day = Annotated[date, BeforeValidator(_day)]
Condition = Annotated[str, BeforeValidator(_plain), BeforeValidator(_condition)]
Within = Annotated[str, BeforeValidator(_duration)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Part(BaseModel):
    """A part of a document; what it does not know is refused, and it never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Note(Part):
    """What somebody said or saw, where it comes from, and when."""

    text: Words
    source: Words
    date: Day


class Document(Part):
    """A strategy document: a name for it in the workspace, and what it is about."""

    KIND: ClassVar[str]
    USUAL: ClassVar[str]
    """The name that one has where a workspace needs no other of its kind."""
    SAID: ClassVar[tuple[str, ...]] = ("name",)
    """What its text always says, also where it is what holds anyway."""

    name: Name
    about: Text = ""

    def places(self) -> Iterator[tuple[Path, str, str]]:
        """Everything in it that has an id: where it stands, its id, and its words."""
        raise NotImplementedError


@dataclass(frozen=True)
class Problem:
    """What is wrong with a reference, and where it stands; `hint` looks for what may have been meant."""

    path: Path
    message: str
    hint: Callable[[], str] | None = None


def refuse(problems: Iterable[Problem]) -> None:
    """Raises what pydantic hands on with the path of every problem, where there are any."""
    found = []
    for number, problem in enumerate(problems):
        # Thousands of searches for the closest of thousands of names would take minutes, and nobody reads them.
        hint = problem.hint() if problem.hint is not None and number < _MOST_HINTS else ""
        found.append((problem.path, f"{problem.message}. {hint}".strip().rstrip(".")))
    if found:
        raise PydanticCustomError(REFERENCE, "{first}", {"first": found[0][1], "problems": found})


def twice(places: Iterable[tuple[Path, str, str]]) -> Iterator[Problem]:
    """The ids that stand for two things."""
    seen: set[str] = set()
    for path, id, _ in places:
        if id in seen:
            yield Problem((*path, "id"), f"the id {id!r} stands for two things")
        seen.add(id)


def unknown(kind: str, id: str | None, known: Iterable[str], path: Path) -> Iterator[Problem]:
    """The problem with a reference to `id`, if nothing among `known` has that id."""
    if id is None:
        return
    names = known if isinstance(known, Collection) else set(known)
    if id not in names:
        yield Problem(path, f"There is no {kind} {id!r}", lambda: UnknownName.among(kind, id, names).hint)


def cycle(edges: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A way from something back to itself, as the ids that are passed; empty where there is none.

    Depth-first search without recursion: an edge to what is still open closes a cycle.
    """
    done: set[str] = set()
    for start in edges:
        way: list[str] = []
        open_: set[str] = set()
        waiting = [(start, iter(edges[start]))] if start not in done else []
        while waiting:
            node, targets = waiting[-1]
            if not way or way[-1] != node:
                way.append(node)
                open_.add(node)
            target = next(targets, None)
            if target is None:
                done.add(node)
                open_.remove(way.pop())
                waiting.pop()
            elif target in open_:
                return (*way[way.index(target) :], target)
            elif target not in done:
                waiting.append((target, iter(edges.get(target, ()))))
    return ()
