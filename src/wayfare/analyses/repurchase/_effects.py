"""What an action adds: stated priors from `effects.yaml`, or what the user states or has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from wayfare.errors import InvalidParameter, UnknownName

PRIOR, MEASURED = "prior", "measured"
LEAVE = "leave alone"
_HINT = "Write action=low:mid:high, such as remind=0.01:0.03:0.06."


@dataclass(frozen=True)
class Effect:
    """The uplift of one action and what a contact costs.

    Attributes:
        action: Its name.
        of: What the uplift is a share of (see effects.yaml).
        low: The lower end of what it may be.
        mid: The likeliest value.
        high: The upper end.
        cost: Of one contact, in the study's currency.
        basis: `prior` or `measured`.
        source: Who says so.
    """

    action: str
    of: str
    low: float
    mid: float
    high: float
    cost: float
    basis: str
    source: str

    @property
    def in_words(self) -> str:
        """What a number that the effect gives rests on."""
        sizes = (_percent(size) for size in (self.mid, self.low, self.high))
        return f"{self.source}: {_WORDS[self.of].format(*sizes)}"


_WORDS = {
    "next order": "chance of an order up by {} ({} to {})",
    "orders ahead": "orders ahead up by {} ({} to {})",
    "next kind": "chance that the next order holds it up by {} ({} to {})",
    "offer taken": "{} ({} to {}) of those who order take it and would not have",
    "new customer": "{} ({} to {}) of asks bring a new customer",
}


def _percent(size: float) -> str:
    return f"{size:.3g}%".replace("-", "−") if (size := size * 100) else "0%"


def _effect(name: str, said: Mapping[str, Any]) -> Effect:
    low, mid, high = (float(said["uplift"][end]) for end in ("low", "mid", "high"))
    return Effect(name, said["of"], low, mid, high, float(said["cost"]), PRIOR, said["source"])


@cache
def priors() -> Mapping[str, Effect]:
    """The priors of `effects.yaml`, in its order."""
    text = files("wayfare.analyses.repurchase").joinpath("effects.yaml").read_text(encoding="utf-8")
    return {name: _effect(name, said) for name, said in yaml.safe_load(text)["actions"].items()}


def effects_of(stated: Sequence[str], measured: Sequence[str], cost: float | None) -> dict[str, Effect]:
    """The priors with what the user says in their place.

    Args:
        stated: `action=low:mid:high`, the user's own priors.
        measured: The same, from an experiment.
        cost: Of every contact, in place of the actions' own.

    Raises:
        InvalidParameter: a text can't be read, or its numbers don't ascend.
        UnknownName: there is no such action.
    """
    found = dict(priors())
    for texts, basis, source, where in (
        (stated, PRIOR, "your own prior, not measured", "effects"),
        (measured, MEASURED, "measured by your experiment", "measured"),
    ):
        for text in texts:
            action, low, mid, high = _read(text, where)
            found[action] = replace(found[action], low=low, mid=mid, high=high, basis=basis, source=source)
    if cost is not None:
        if cost < 0:
            raise InvalidParameter(
                f"A contact can't cost {cost:g}.", where="cost_per_contact", hint="Give 0 or more."
            )
        found = {name: replace(effect, cost=cost) for name, effect in found.items()}
    return found


def _read(text: str, where: str) -> tuple[str, float, float, float]:
    action, sign, numbers = text.partition("=")
    action = action.strip()
    if not sign:
        raise InvalidParameter(f"{text!r} names no action and numbers.", where=where, hint=_HINT)
    if action not in priors():
        raise UnknownName.among("action", action, priors(), where=where)
    try:
        low, mid, high = (float(part) for part in numbers.split(":"))
    except ValueError:
        raise InvalidParameter(f"{numbers!r} is not three numbers.", where=where, hint=_HINT) from None
    if not low <= mid <= high:
        raise InvalidParameter(f"{numbers!r} does not ascend.", where=where, hint=_HINT)
    return action, low, mid, high
