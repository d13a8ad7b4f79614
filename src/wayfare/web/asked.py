"""What an address asks: an analysis, its parameters, and the part of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from wayfare.analysis import Analysis, Parameter
from wayfare.errors import UnknownName
from wayfare.web.studies import View

COMMON = ("segment", "since", "until")
"""Every analysis takes these beside its own parameters."""


@dataclass(frozen=True)
class Asked:
    """One question as it was written in an address.

    Attributes:
        analysis: Which analysis.
        said: Its parameters that were given, as text or lists of text.
        view: The part of the log.
        query: The address's query, for links to the same answer.
    """

    analysis: Analysis
    said: Mapping[str, Any]
    view: View
    query: str

    def link(self, path: str) -> str:
        """`path` with the same query."""
        return f"{path}?{self.query}" if self.query else path


def read(analysis: Analysis, query: QueryParams) -> Asked:
    """What `query` asks of `analysis`; an empty field stands for its default."""
    known = [*(p.name for p in analysis.parameters), *COMMON]
    for name in query:
        if name not in known:
            raise UnknownName.among(f"parameter of {analysis.name}", name, known)
    return understood(analysis, query)


def understood(analysis: Analysis, query: QueryParams) -> Asked:
    """What `query` asks of `analysis` as far as its names are known: a form keeps it, whatever else is wrong."""
    known = {p.name: p for p in analysis.parameters}
    said: dict[str, Any] = {}
    for name in dict.fromkeys(query.keys()):
        values = [value for value in query.getlist(name) if value.strip()]
        if name in known and (values or _means_none(known[name])):
            said[name] = _value(known[name], values)
    return Asked(analysis, said, view(query), str(query))


def view(query: QueryParams) -> View:
    """The part of the log that `query` asks for."""
    segments = tuple(s.strip() for s in query.getlist("segment") if s.strip())
    since, until = ((query.get(name) or "").strip() or None for name in ("since", "until"))
    return View(segments, since, until)


def _means_none(parameter: Parameter) -> bool:
    return parameter.optional and parameter.default is not None


def _value(parameter: Parameter, values: Sequence[str]) -> Any:
    if not values:
        return None
    if parameter.many:
        # One value may be a list with commas, as on the command line; several are taken as they are.
        return values[0] if len(values) == 1 and "," in values[0] else list(values)
    return values[-1].strip()
