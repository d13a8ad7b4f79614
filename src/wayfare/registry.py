"""Finds the analyses: every module under `wayfare.analyses`, and those that other packages offer by entry point."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType

import wayfare.analyses
from wayfare.analysis import Analysis
from wayfare.errors import UnknownName

ENTRY_POINTS = "wayfare.analyses"

GROUPS = (
    "journey",
    "measurement",
    "repurchase",
    "satisfaction",
    "kano",
    "canvas",
    "value_chain",
    "scenario",
    "strategy",
    "referral",
)


def names() -> tuple[str, ...]:
    """The names of all analyses, by question and alphabet; loads none of them."""
    return tuple(_places())


def find(name: str) -> Analysis:
    """The analysis called `name` (dashes do for underscores); loads only its module."""
    places = _places()
    key = name.replace("-", "_")
    if key not in places:
        raise UnknownName.among("analysis", name, places)
    found = getattr(importlib.import_module(places[key]), key, None)
    if not isinstance(found, Analysis):
        raise UnknownName(
            f"{places[key]} has no analysis called {key!r}.", hint="Decorate the function with @analysis."
        )
    return found


def all_analyses() -> tuple[Analysis, ...]:
    """Every analysis, by question and alphabet."""
    return tuple(find(name) for name in names())


def refresh() -> None:
    """Looks again for analyses, for a session in which a file was added."""
    _places.cache_clear()


@cache
def _places() -> dict[str, str]:
    own = [(_rank(group), name, module) for group, name, module in _walk(wayfare.analyses)]
    others = [
        (len(GROUPS), point.name, point.value.partition(":")[0]) for point in entry_points(group=ENTRY_POINTS)
    ]
    return {name: module for _, name, module in sorted(own + others)}


def _walk(package: ModuleType) -> Iterator[tuple[str, str, str]]:
    """The public modules one folder down: the file's name is the analysis's name."""
    for group in pkgutil.iter_modules(package.__path__):
        if not group.ispkg:
            continue
        folder = importlib.import_module(f"{package.__name__}.{group.name}")
        for module in pkgutil.iter_modules(folder.__path__):
            if not module.name.startswith("_") and not module.ispkg:
                yield group.name, module.name, f"{folder.__name__}.{module.name}"


def _rank(group: str) -> int:
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)
