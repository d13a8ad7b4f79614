"""The kinds of value that an analysis can ask for; each is a type to annotate a parameter with."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from wayfare.domain.duration import Duration

Event = Annotated[str, "event"]
"""The name of an event of the log."""

Events = Annotated[tuple[str, ...], "events"]
"""Names of events of the log, in the order given."""

Property = Annotated[str, "property"]
"""The name of a coded (text) column of the log: channel, device, country."""

Properties = Annotated[tuple[str, ...], "properties"]
"""Names of columns of the log that hold codes (text), numbers or flags."""

Numbers = Annotated[tuple[float, ...], "numbers"]
"""Numbers in the order given: a sequence, or text with commas between them."""

Share = Annotated[float, "share"]
"""A number from 0 to 1."""

Day = Annotated[date, "day"]
"""A calendar day in the workspace's zone."""

CanvasName = Annotated[str, "canvas"]
"""The name of a canvas; `name@branch` is a what-if."""

ValueChainName = Annotated[str, "value_chain"]
"""The name of a value chain; `name@branch` is a what-if."""

JourneyMapName = Annotated[str, "journey_map"]
"""The name of a journey map; `name@branch` is a what-if."""

__all__ = [
    "CanvasName",
    "Day",
    "Duration",
    "Event",
    "Events",
    "JourneyMapName",
    "Numbers",
    "Properties",
    "Property",
    "Share",
    "ValueChainName",
]
