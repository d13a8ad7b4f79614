"""Saved models of any kind, read back."""

from __future__ import annotations

import json

from wayfare.errors import BadInput, UnknownName
from wayfare.stats.btyd.bg_bb import BGBB
from wayfare.stats.btyd.bg_nbd import BGNBD
from wayfare.stats.btyd.gamma_gamma import GammaGamma
from wayfare.stats.btyd.mbg_nbd import MBGNBD
from wayfare.stats.btyd.model import Model
from wayfare.stats.btyd.pareto_nbd import ParetoNBD
from wayfare.stats.btyd.sbg import SBG

_KINDS: dict[str, type[Model]] = {
    kind.__name__: kind for kind in (BGBB, BGNBD, MBGNBD, SBG, GammaGamma, ParetoNBD)
}


def load_model(text: str) -> Model:
    """The model that its `to_json` wrote, whichever it is.

    Raises:
        BadInput: the text is no saved model.
        UnknownName: it is one of a kind that is not known here.
    """
    try:
        name = json.loads(text)["model"]
    except (ValueError, KeyError, TypeError) as problem:
        raise BadInput("This is no saved model.", hint="Give the text of to_json.") from problem
    if name not in _KINDS:
        raise UnknownName.among("model", str(name), _KINDS, where="model")
    return _KINDS[name].from_json(text)
