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
from wayfare.errors import BadInput, UnknownName, WayfareError

ENTRY_POINTS = "wayfare.analyses"
_OWN = "wayfare.analyses."

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
    return _loaded(key, places[key]) if places[key].startswith(_OWN) else _foreign(key, places[key])


def all_analyses() -> tuple[Analysis, ...]:
    """Every analysis, by question and alphabet; those of other packages that are `broken` are left out."""
    unfit = broken()
    return tuple(find(name) for name in names() if name not in unfit)


def broken() -> dict[str, WayfareError]:
    """The analyses that other packages offer and that can't be used, each with the reason."""
    found: dict[str, WayfareError] = {}
    for name, module in _offered():
        if _places()[name] != module:
            found[name] = BadInput(
                f"{module} offers an analysis {name!r}, and there is one already.",
                hint="Give it another name.",
            )
            continue
        try:
            _foreign(name, module)
        except WayfareError as error:
            found[name] = error
    return found


def refresh() -> None:
    """Looks again for analyses, for a session in which a file was added."""
    _places.cache_clear()


def _loaded(name: str, module: str) -> Analysis:
    found = getattr(importlib.import_module(module), name, None)
    if not isinstance(found, Analysis):
        raise UnknownName(
            f"{module} has no analysis called {name!r}.", hint="Decorate the function with @analysis."
        )
    return found


def _foreign(name: str, module: str) -> Analysis:
    """An analysis that somebody else wrote; what is wrong with it is theirs, and said to be."""
    try:
        found = _loaded(name, module)
        _ = found.parameters, found.returns.columns()
    except WayfareError:
        raise
    except Exception as error:
        raise BadInput(
            f"The analysis {name!r} can't be loaded ({type(error).__name__}: {error}).",
            where=module,
            hint="Mend or uninstall the package that it is from.",
        ) from error
    return found


@cache
def _places() -> dict[str, str]:
    own = [(_rank(group), name, module) for group, name, module in _walk(wayfare.analyses)]
    taken = {name for _, name, _ in own}
    others = [(len(GROUPS), name, module) for name, module in _offered() if name not in taken]
    return {name: module for _, name, module in sorted(own + others)}


def _offered() -> list[tuple[str, str]]:
    """What other packages offer: the name of each analysis and its module."""
    points = entry_points(group=ENTRY_POINTS)
    return [(point.name.replace("-", "_"), point.value.partition(":")[0].strip()) for point in points]


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
