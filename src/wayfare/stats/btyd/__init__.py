"""Buy till you die: models of who orders again, when, how often, and for how much.

The models load when first asked for, so that `import wayfare` needs no SciPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wayfare.stats.btyd.bg_bb import BGBB
    from wayfare.stats.btyd.bg_nbd import BGNBD
    from wayfare.stats.btyd.calendar import Calendar
    from wayfare.stats.btyd.calendar_fit import estimate_calendar
    from wayfare.stats.btyd.gamma_gamma import GammaGamma
    from wayfare.stats.btyd.mbg_nbd import MBGNBD
    from wayfare.stats.btyd.orders import summarise
    from wayfare.stats.btyd.pareto_nbd import ParetoNBD
    from wayfare.stats.btyd.saved import load_model
    from wayfare.stats.btyd.sbg import SBG

__all__ = [
    "BGBB",
    "BGNBD",
    "MBGNBD",
    "SBG",
    "Calendar",
    "GammaGamma",
    "ParetoNBD",
    "estimate_calendar",
    "load_model",
    "summarise",
]

_HOME = {
    "BGBB": "bg_bb",
    "BGNBD": "bg_nbd",
    "MBGNBD": "mbg_nbd",
    "SBG": "sbg",
    "Calendar": "calendar",
    "GammaGamma": "gamma_gamma",
    "ParetoNBD": "pareto_nbd",
    "estimate_calendar": "calendar_fit",
    "load_model": "saved",
    "summarise": "orders",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
