"""Wayfare: the customer journey from raw records: who buys again, where we lose people, which move pays best.

    import wayfare as wf

    log = wf.read_events(frame, customer="user_id", time="timestamp", event="event")
    wf.funnel(log, steps=["product_view", "cart", "purchase"], within="7d")

Every analysis is a function here under its own name; `wf.catalogue()` lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wayfare.log import Log, open_log, read_answers, read_events
    from wayfare.study import Study
    from wayfare.workspace.folder import open_study
    from wayfare.workspace.surveys import load_survey

__version__ = "0.1.0"

_PLACES = {
    "Log": "wayfare.log",
    "open_log": "wayfare.log",
    "read_answers": "wayfare.log",
    "read_events": "wayfare.log",
    "Study": "wayfare.study",
    "load_survey": "wayfare.workspace.surveys",
    "open_study": "wayfare.workspace.folder",
    "Survey": "wayfare.domain.survey",
    "JourneyMap": "wayfare.domain.journey",
    "Touchpoint": "wayfare.domain.journey",
    "WayfareError": "wayfare.errors",
}

__all__ = [
    "Log", "Study", "catalogue", "load_survey", "open_log", "open_study", "read_answers", "read_events",
]  # fmt: skip


def catalogue() -> dict[str, str]:
    """The name of every analysis and the question that it answers."""
    from wayfare.registry import all_analyses

    return {analysis.name: analysis.question for analysis in all_analyses()}


def __getattr__(name: str) -> Any:
    import importlib

    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    if name.startswith("_"):
        raise AttributeError(name)
    from wayfare.errors import UnknownName
    from wayfare.registry import find

    try:
        return find(name)
    except UnknownName as error:
        raise AttributeError(str(error)) from None


def __dir__() -> list[str]:
    from wayfare.registry import names

    return [*globals(), *_PLACES, *names()]
