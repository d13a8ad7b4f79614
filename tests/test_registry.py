"""Analyses of other packages: one that is broken is named and left out, and never takes the others with it."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from wayfare import registry
from wayfare.errors import BadInput, WayfareError

SOUND = """
from __future__ import annotations
from dataclasses import dataclass
from wayfare.analysis import analysis
from wayfare.result import Result
from wayfare.study import Study

@dataclass(frozen=True, kw_only=True)
class NothingResult(Result):
    pass

@analysis
def NAME(study: Study, *, least: int = 1) -> NothingResult:
    "Is there anything?"
    return NothingResult()
"""
BROKEN = {
    "import": ("import nowhere_to_be_found", "ModuleNotFoundError"),
    "syntax": ("x = (", "SyntaxError"),
    "missing": ("x = 1", "has no analysis called"),
    "parameter": (SOUND.replace("int = 1", "list[int] = ()"), "can't be a list"),
    "unsaid": (SOUND.replace(" -> NothingResult", ""), "can't be loaded"),
}


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Offers modules by entry point: name of the analysis -> text of its module."""
    monkeypatch.syspath_prepend(tmp_path)
    points = []

    def offer(**modules: str) -> None:
        for name, text in modules.items():
            module = f"offered_{tmp_path.name}_{name}"
            (tmp_path / f"{module}.py").write_text(text.replace("NAME", name))
            points.append(EntryPoint(name.replace("_", "-"), module, registry.ENTRY_POINTS))
        registry.refresh()

    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    yield offer
    for name in [name for name in sys.modules if name.startswith("offered_")]:
        del sys.modules[name]
    monkeypatch.undo()
    registry.refresh()


def test_a_name_may_have_dashes(offered):
    offered(busy_days=SOUND)
    assert registry.find("busy-days").question == "Is there anything?"
    assert registry.broken() == {}


@pytest.mark.parametrize("fault", BROKEN)
def test_one_that_cant_be_loaded_is_left_out_and_named(offered, fault: str):
    text, said = BROKEN[fault]
    offered(busy_days=text, calm_days=SOUND)
    there = {analysis.name for analysis in registry.all_analyses()}
    assert {"funnel", "calm_days"} <= there
    assert "busy_days" not in there
    assert said in str(registry.broken()["busy_days"])
    with pytest.raises(WayfareError, match=said):
        registry.find("busy_days")


def test_none_takes_the_place_of_another(offered):
    offered(funnel=SOUND)
    assert registry.find("funnel").group == "journey"
    assert isinstance(registry.broken()["funnel"], BadInput)
