"""BG/NBD: customers may leave after each repeat order."""

from __future__ import annotations

from wayfare.stats.btyd.beta_geometric import BetaGeometric


class BGNBD(BetaGeometric):
    """How often will each customer order again, if customers may leave after each repeat order?

    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24: a customer can't
    leave at the first order, so that somebody without repeat orders counts as alive (m = x). Covariates:
    α exp(−γ'z) for the rate; a exp(γ'z), b exp(γ'z) for the drop-out.
    """

    first_chances = 0
