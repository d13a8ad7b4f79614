"""The strategies by which companies bring customers back, and which findings each answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Found = Literal[
    "late", "due", "cross-sell", "up-sell", "bundle", "loyal", "recommends", "bought lately", "pain point", "unhappy",
    "lost early", "lost at purchase", "lost after purchase", "lost at re-purchase",
]  # fmt: skip
"""What analyses can find at a touchpoint or of some customers."""

FINDINGS: dict[Found, str] = {
    "late": "customers late with their next order",
    "due": "customers whose next order is due, whom a reminder fits",
    "cross-sell": "customers likely to buy a kind of product that they never had",
    "up-sell": "customers likely to buy a dearer product of a kind that they had",
    "bundle": "customers likely to buy several at once",
    "loyal": "the tenth of the customers worth most, with five orders or more",
    "recommends": "customers who recommended, or gave one of the best scores",
    "bought lately": "customers who ordered in the last two weeks",
    "pain point": "customers who met it order less than like customers",
    "unhappy": "scores below the mean, beyond chance",
    "lost early": "customers who left before they began to order",
    "lost at purchase": "customers who left at the first purchase",
    "lost after purchase": "customers who left after a purchase",
    "lost at re-purchase": "customers who left at the re-purchase",
}
"""Each finding in words."""


@dataclass(frozen=True)
class Strategy:
    """A strategy, what it does, and the findings that it answers.

    Attributes:
        name: The term.
        does: What it does, as a clause.
        answers: The findings that it fits.
    """

    name: str
    does: str
    answers: tuple[Found, ...]


STRATEGIES: tuple[Strategy, ...] = (
    Strategy("retention programmes", "keeps those who would leave", ("late", "lost after purchase")),
    Strategy("loyalty programmes and rewards", "pays for coming back", ("loyal", "lost at re-purchase")),
    Strategy("exclusive offers", "gives the late and the loyal what others don't get", ("late", "loyal")),
    Strategy("exceptional post-sale support", "helps after the purchase", ("unhappy", "lost after purchase")),
    Strategy("proactive issue handling", "puts right what hurts before it is complained of", ("pain point", "unhappy")),
    Strategy("recommendations from purchase history", "names what fits what was bought", ("cross-sell", "due")),
    Strategy("personalised follow-up", "writes when the next order is due, about what was bought", ("due", "bought lately")),
    Strategy("cross-selling", "offers a kind that was never had", ("cross-sell",)),
    Strategy("up-selling", "offers the dearer one of the kind", ("up-sell",)),
    Strategy("loyalty discounts", "makes the next order cheaper for the loyal", ("loyal",)),
    Strategy("bulk-purchase incentives", "makes several at once cheaper", ("bundle",)),
    Strategy("gamification", "makes coming back a game with rewards and surprises", ("lost at re-purchase",)),
    Strategy("social proof", "shows what others say", ("lost early", "lost at purchase")),
    Strategy("targeted campaigns", "speaks to those who fit", ("late", "lost early")),
    Strategy("referral incentives", "rewards both sides of a recommendation", ("recommends",)),
)  # fmt: skip
"""Every strategy, each with the findings that it answers: the rules by which one fits."""


def fitting(found: tuple[Found, ...] | set[Found]) -> tuple[Strategy, ...]:
    """The strategies that answer at least one of the findings."""
    return tuple(strategy for strategy in STRATEGIES if set(strategy.answers) & set(found))
