"""MBG/NBD: customers may leave after each order, the first one included."""

from __future__ import annotations

from wayfare.stats.btyd.beta_geometric import BetaGeometric


class MBGNBD(BetaGeometric):
    """How often will each customer order again, if customers may leave after each order from the first on?

    Batislam, Denizel & Filiztekin (2007), Int. J. of Research in Marketing 24; Hoppe & Wagner (2007), Marketing
    JRM 29: one chance to leave more than in BG/NBD (m = x + 1). Covariates as in BG/NBD.
    """

    first_chances = 1
