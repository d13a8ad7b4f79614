"""Which findings hold for an item of the canvas, what money each is about, and which strategies that makes fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.canvas._opportunity_friction import Friction
from wayfare.analyses.canvas._opportunity_people import Floats, People
from wayfare.domain.journey import STAGES, Stage
from wayfare.domain.strategies import Found

Money = Literal["value", "friction", "pain", "extra"]

LOST: dict[Found, tuple[Stage, ...]] = {
    "lost early": (Stage.AWARENESS, Stage.CONSIDERATION),
    "lost at purchase": (Stage.PURCHASE,),
    "lost after purchase": (Stage.POST_PURCHASE,),
    "lost at re-purchase": (Stage.REPURCHASE,),
}
"""The stages that findings of loss are about."""
ACTIONS: dict[Found, str] = {
    "due": "remind", "cross-sell": "cross-sell", "up-sell": "up-sell", "bundle": "bundle", "loyal": "loyalty reward",
    "recommends": "ask for a referral", "bought lately": "thank",
}  # fmt: skip
"""The actions of `opportunities` that findings of offers are about."""
ABOUT: dict[Found, Money] = {
    "late": "value", "unhappy": "value", "pain point": "pain", **dict.fromkeys(LOST, "friction"), **dict.fromkeys(ACTIONS, "extra"),
}  # fmt: skip
"""The money that each finding is about."""


def stages_of(found: Found) -> list[int]:
    """The places of the stages that a finding of loss is about."""
    return [STAGES.index(stage) for stage in LOST[found]]


def stages_mask(stages: Sequence[int]) -> NDArray[np.bool_]:
    """For each stage, and for none as the last place: whether it is one of these."""
    mask = np.zeros(len(STAGES) + 1, dtype=bool)
    mask[list(stages)] = True
    return mask


@dataclass(eq=False)
class Ledger:
    """Whose money some items touch together; a customer's counts once however many items touch it.

    Attributes:
        met: The share of each customer's value at stake (customers,).
        lost: The share of what each customer who left did not bring (customers,).
        offered: The share of what the action that fits each customer should add (customers,).
        pain: What pain points cost beyond that, with its interval (3,).
        items: How many items.
    """

    met: NDArray[np.float32]
    lost: NDArray[np.float32]
    offered: NDArray[np.float32]
    pain: Floats = field(default_factory=lambda: np.zeros(3))
    items: int = 0

    @classmethod
    def empty(cls, customers: int) -> Ledger:
        """A ledger without an item."""
        met, lost, offered = np.zeros((3, customers), dtype=np.float32)
        return cls(met, lost, offered)

    def value(self, people: People) -> float:
        """The value at stake."""
        return float((np.minimum(self.met, 1.0) * people.value).sum())

    def friction(self, people: People, friction: Friction) -> float:
        """What was lost."""
        left = people.left
        unit = np.nan_to_num(friction.unit[0])[people.stage[left]]
        return float((np.minimum(self.lost[left], 1.0) * unit).sum() + self.pain[0])

    def customers(self, people: People) -> int:
        """Who is late and met some of the items since the last order, or left there."""
        return int((((self.met > 0) & people.late) | ((self.lost > 0) & people.left)).sum())

    def added(self, people: People) -> float:
        """What the actions should add."""
        return float((np.minimum(self.offered, 1.0) * people.extra).sum())
